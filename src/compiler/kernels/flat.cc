// SPDX-License-Identifier: MIT
#include "compiler/kernels/flat.h"

#include <algorithm>

#include "compiler/kernels/kernel.h"
#include "part/part.h"

namespace zynpu::compiler {
namespace {

// Fitted cost of a request and rate of one TEC among twelve (tec-semantics.md 9.7).
constexpr std::uint64_t kRequestCycles = 363;
constexpr double kBytesPerCycle = 5.6;

}  // namespace

std::vector<std::vector<FlatTile>> split_flat(std::uint64_t bytes, unsigned workers,
                                              std::uint32_t tile_bytes) {
  std::vector<std::vector<FlatTile>> tiles(workers);
  const std::uint64_t lines = (bytes + part::kCacheLineBytes - 1) / part::kCacheLineBytes;
  for (unsigned w = 0; w < workers; ++w) {
    const std::uint64_t begin = lines * w / workers * part::kCacheLineBytes;
    const std::uint64_t end = std::min(bytes, lines * (w + 1) / workers * part::kCacheLineBytes);
    for (std::uint64_t at = begin; at < end; at += tile_bytes)
      tiles[w].push_back({static_cast<std::uint32_t>(at),
                          static_cast<std::uint32_t>(std::min<std::uint64_t>(tile_bytes, end - at))});
  }
  return tiles;
}

int index_of(const LoweringContext& context, const ir::Op& op) {
  return static_cast<int>(&op - context.graph.ops.data());
}

std::uint64_t overlapped_cycles(std::uint64_t cycles, std::uint64_t bytes, std::uint64_t tiles) {
  const auto transfer =
      static_cast<std::uint64_t>(static_cast<double>(bytes) / kBytesPerCycle) + kRequestCycles * tiles;
  return std::max(cycles, transfer) + kRequestCycles;
}

}  // namespace zynpu::compiler
