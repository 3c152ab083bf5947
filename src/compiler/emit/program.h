// SPDX-License-Identifier: MIT
// Programs: what surrounds layer code. An image is a vector table, a prologue, layers, an epilogue; bundle 0
// is the entry, bundles 1..15 are exception vectors that spin (a fault must not look like an end).
//
// Program block (address in pp), in words:
//   0  index of this group's first worker within its layers      1  number of layers
//   4 + 4 i ..  layer i: code number, byte offset of its parameter words from pp, workers, 0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "compiler/codegen/builder.h"
#include "part/part.h"

namespace zynpu::compiler {

enum class StartMode : std::uint8_t {
  kTask,    // x2: a TCB gives parameter block and task number
  kDirect,  // z1, z2: control registers do
};

struct ProgramCode {
  std::vector<isa::Bundle> bundles;
  struct Range {  // bundles [begin, end) are `codes[code]`
    std::uint32_t begin = 0, end = 0;
    int code = 0;
  };
  std::vector<Range> ranges;
};

inline constexpr std::uint32_t kProgramHeaderBytes = 16, kProgramLayerBytes = 16;

// The image that runs layers whose code numbers index `codes`. With `meet` the `tecs` TECs of the core wait
// for each other between layers: words in GSRAM, each written by one TEC only, which nothing needs to have
// initialised.
Result<ProgramCode> make_program(StartMode start, const std::vector<const Fragment*>& codes, bool meet,
                                 unsigned tecs);

// An image that ends at once, for groups that are only barriers.
Result<ProgramCode> make_empty_program();

Result<std::vector<std::uint8_t>> encode_bundles(const std::vector<isa::Bundle>& bundles);

}  // namespace zynpu::compiler
