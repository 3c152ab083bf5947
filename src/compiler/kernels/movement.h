// SPDX-License-Identifier: MIT
// Operators that only move bytes, as lists of strided copies.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "ir/graph.h"

namespace zynpu::compiler {

// A nest of loops over bytes: for every index i, byte target_offset + sum(i[k] * target_stride) of the target
// is byte source_offset + sum(i[k] * source_stride) of the source. Strides in bytes, not negative.
struct Movement {
  struct Dimension {
    std::uint32_t extent = 1;
    std::uint32_t source_stride = 0;
    std::uint32_t target_stride = 0;
  };
  int source = -1;  // tensor; -1: every byte is the fill value
  int target = -1;
  std::uint32_t source_offset = 0, target_offset = 0;
  std::vector<Dimension> dimensions;  // outermost first; the element itself is the last one, with strides 1
};

// What op `index` of the graph moves: CONCATENATION, PAD, SPLIT, STRIDED_SLICE, TRANSPOSE, PACK, UNPACK,
// RESIZE_NEAREST_NEIGHBOR. kUnsupported with the reason if it cannot be written so (negative strides, uneven
// scale).
Result<std::vector<Movement>> movements_of(const ir::Graph& graph, int index);

// The same movement with dimensions of extent 1 dropped and dimensions merged that continue each other.
Movement simplified(Movement movement);

}  // namespace zynpu::compiler
