// SPDX-License-Identifier: MIT
// CONCATENATION, PAD, SPLIT, STRIDED_SLICE, TRANSPOSE, PACK, UNPACK, RESIZE_NEAREST_NEIGHBOR: bytes go by DMA
// from DDR to LSRAM and back with other strides; the TEC only starts requests.
#include <algorithm>
#include <array>
#include <map>

#include "compiler/codegen/lsram.h"
#include "compiler/codegen/steps.h"
#include "compiler/kernels/constraints.h"
#include "compiler/kernels/flat.h"
#include "compiler/kernels/lowerings.h"
#include "compiler/kernels/movement.h"

namespace zynpu::compiler {
namespace {

// The store of one tile may still run while the tile after the next is loaded, so buffers go round by four.
constexpr unsigned kBuffers = 4;
constexpr std::uint32_t kBufferBytes = 7 * 1024;
constexpr unsigned kRequestsPerTile = 4;

// One strided copy that fits a buffer.
struct Piece {
  int source = -1, target = -1;
  std::uint32_t source_offset = 0, target_offset = 0;
  std::uint32_t width = 0, count = 1, source_stride = 0, target_stride = 0;
  std::uint32_t buffer_bytes() const { return (width * count + 31) / 32 * 32; }
};

void cut(const Movement& whole, std::vector<Piece>& pieces) {
  const Movement m = simplified(whole);
  const std::uint32_t width = m.dimensions.back().extent;
  Movement::Dimension rows{1, width, width};
  std::size_t outer_count = m.dimensions.size() - 1;
  if (outer_count > 0) rows = m.dimensions[--outer_count];
  for (const auto& d : m.dimensions)
    if (d.extent == 0) return;

  const std::uint32_t width_step = std::min(width, kBufferBytes);
  const std::uint32_t rows_step = std::max<std::uint32_t>(1, kBufferBytes / width_step);
  std::vector<std::uint32_t> at(outer_count, 0);
  while (true) {
    std::uint32_t source = m.source_offset, target = m.target_offset;
    for (std::size_t i = 0; i < outer_count; ++i) {
      source += at[i] * m.dimensions[i].source_stride;
      target += at[i] * m.dimensions[i].target_stride;
    }
    for (std::uint32_t row = 0; row < rows.extent; row += rows_step)
      for (std::uint32_t x = 0; x < width; x += width_step)
        pieces.push_back({m.source, m.target, source + row * rows.source_stride + x,
                          target + row * rows.target_stride + x, std::min(width_step, width - x),
                          std::min(rows_step, rows.extent - row), rows.source_stride, rows.target_stride});
    std::size_t i = outer_count;
    while (i > 0 && ++at[i - 1] == m.dimensions[i - 1].extent) at[--i] = 0;
    if (i == 0) return;
  }
}

}  // namespace

Result<LayerProgram> lower_movement(const LoweringContext& context, const ir::Op& op) {
  const int index = index_of(context, op);
  ZYNPU_ASSIGN_OR_RETURN(const std::vector<Movement> movements, movements_of(context.graph, index));

  enum : unsigned { kSteps, kFillByte, kFirstTensor };
  LayerProgram layer;
  // One core only: shares of different workers may meet inside a 64-byte line.
  layer.workers = std::min(context.workers, context.part.tecs_per_core);
  std::uint32_t fill_byte = 0;
  if (op.kind == ir::OpKind::kPad) {
    const ir::Tensor& output = context.graph.tensors[op.outputs[0]];
    fill_byte = static_cast<std::uint8_t>(output.quant.present() ? output.quant.zero_point[0] : 0);
  }
  layer.params = {Param::blob(0), Param::literal(fill_byte * 0x01010101U)};
  std::map<int, unsigned> param_of;
  const auto param = [&](int tensor) {
    const auto [it, added] = param_of.try_emplace(tensor, static_cast<unsigned>(layer.params.size()));
    if (added) layer.params.push_back(Param::tensor(tensor));
    return it->second;
  };

  LsramPlan lsram;
  std::array<std::uint32_t, kBuffers> buffers{};
  for (auto& buffer : buffers) buffer = lsram.take(kBufferBytes);

  std::vector<Piece> pieces;
  for (const Movement& movement : movements) cut(movement, pieces);
  StepLists lists(layer.workers, 0);
  bool fills = false;
  for (unsigned w = 0; w < layer.workers; ++w) {
    const std::size_t begin = pieces.size() * w / layer.workers,
                      end = pieces.size() * (w + 1) / layer.workers;
    std::vector<Tile> tiles;
    std::uint32_t used = kBufferBytes;
    std::uint64_t bytes = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const Piece& piece = pieces[i];
      if (used + piece.buffer_bytes() > kBufferBytes || tiles.back().stores.size() == kRequestsPerTile) {
        tiles.emplace_back();
        used = 0;
      }
      Tile& tile = tiles.back();
      const std::uint32_t at = buffers[(tiles.size() - 1) % kBuffers] + used;
      used += piece.buffer_bytes();
      bytes += 2ULL * piece.width * piece.count;
      if (piece.source < 0) {
        tile.fills.push_back({at, piece.buffer_bytes() / 32});
        fills = true;
      } else {
        tile.loads.push_back({param(piece.source),
                              piece.source_offset,
                              at,
                              {piece.width, piece.count, piece.source_stride, piece.width}});
      }
      tile.stores.push_back({param(piece.target),
                             piece.target_offset,
                             at,
                             {piece.width, piece.count, piece.target_stride, piece.width}});
    }
    layer.predicted_cycles = std::max(layer.predicted_cycles, overlapped_cycles(0, bytes, tiles.size() * 2));
    lists.set(w, pipeline(tiles));
  }
  ZYNPU_ASSIGN_OR_RETURN(Blob steps, lists.blob());
  layer.blobs.push_back(std::move(steps));

  Builder b(fills ? "copy_and_fill" : "copy");
  emit_steps(b, lists.shape(), fills ? static_cast<int>(kFillByte) : -1, [](R) {});
  ZYNPU_ASSIGN_OR_RETURN(layer.code, std::move(b).finish());
  return layer;
}

}  // namespace zynpu::compiler
