// SPDX-License-Identifier: MIT
// Work split of operators that treat a tensor as a flat run of bytes.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/graph.h"

namespace zynpu::compiler {

struct LoweringContext;

struct FlatTile {
  std::uint32_t offset = 0;  // bytes from the start of the tensor
  std::uint32_t bytes = 0;
};

// [worker][tile]: `bytes` bytes over at most `workers` workers, each a contiguous share of whole 64-byte
// lines (no two workers write one line), in tiles of at most `tile_bytes` (a multiple of 64). Workers without
// work have no tiles.
std::vector<std::vector<FlatTile>> split_flat(std::uint64_t bytes, unsigned workers,
                                              std::uint32_t tile_bytes);

// Index of `op`, which must be an element of the context's graph.
int index_of(const LoweringContext& context, const ir::Op& op);

// Modelled cycles of a worker that moves `bytes` in and out in `tiles` tiles and computes `cycles`,
// overlapped.
std::uint64_t overlapped_cycles(std::uint64_t cycles, std::uint64_t bytes, std::uint64_t tiles);

}  // namespace zynpu::compiler
