// SPDX-License-Identifier: MIT
// What a DMA instruction and its descriptor ask for (tec-semantics.md 7).
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "isa/instruction.h"
#include "vnpu/pattern.h"

namespace zynpu::vnpu {

inline constexpr unsigned kDescriptorBytes = 24, kDescriptorAlignment = 32;
inline constexpr unsigned kSpaceLsram = 4, kSpaceGsram = 8, kGlobalSpaces = 4;

enum class DmaMode : std::uint8_t { kDirect, kTranspose, kUpsample, kMemset };

// One half of a descriptor, in bytes.
struct DmaHalf {
  std::uint32_t width = 0, stride = 0, size = 0, gap = 0, repeat = 0;
};
struct DmaDescriptor {
  DmaHalf external, internal;
};
DmaDescriptor unpack_descriptor(const std::array<std::uint32_t, 6>& words);
std::array<std::uint32_t, 6> pack_descriptor(const DmaDescriptor& descriptor);

// A checked request. Addresses of LSRAM and GSRAM are device addresses, those of global spaces offsets in the
// space.
struct DmaPlan {
  DmaMode mode = DmaMode::kDirect;
  std::uint8_t source_space = 0, destination_space = 0;
  Pattern source, destination;             // memset has no source
  std::uint32_t fill = 0;                  // memset
  std::uint8_t element = 1;                // bytes: transpose, memset
  std::uint32_t w_scale = 1, h_scale = 1;  // upsample
  std::uint64_t bytes = 0;                 // written
};

// Operands as the instruction's registers hold them.
struct DmaOperands {
  std::uint32_t internal_address = 0, external_address = 0;
};

// A rule that the request breaks. `hangs`: the part never completes it; else it does something else than
// intended.
struct DmaError {
  std::string message;  // empty: none
  bool hangs = false;
};

// Fills `plan`. Does not look at memory.
DmaError make_plan(const isa::Instruction& dma, const DmaDescriptor& descriptor, const DmaOperands& operands,
                   DmaPlan& plan);

}  // namespace zynpu::vnpu
