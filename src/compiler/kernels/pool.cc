// SPDX-License-Identifier: MIT
// MAX_POOL_2D and AVERAGE_POOL_2D: one vector of 32 channels of one output at a time, over the taps of its
// window.
//
// The average is sum / count rounded half away from zero. In fp32 that is rint(sum * r), where r is 1 / count
// made a little larger, so that a tie falls away from zero and nothing else moves; proven here for every
// possible sum.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <map>

#include "compiler/codegen/bytes.h"
#include "compiler/codegen/lsram.h"
#include "compiler/codegen/steps.h"
#include "compiler/kernels/constraints.h"
#include "compiler/kernels/flat.h"
#include "compiler/kernels/lowerings.h"
#include "compiler/kernels/pool_code.h"
#include "compiler/kernels/pool_tiles.h"
#include "reference/operators.h"

namespace zynpu::compiler {
namespace {

constexpr std::uint32_t kInputBytes = 12 * 1024, kOutputBytes = 3 * 1024;
// Outputs of a tile have 32 bytes and more, and one factor each.
constexpr std::uint32_t kFactorBytes = kOutputBytes / 32 * 4;
constexpr Area kInput{1}, kOutput{2}, kFactors{3};

enum Arg : unsigned { kArgIn, kArgOut, kArgRows, kArgColumns, kArgVectors, kArgFactors, kArgCount };
enum PoolParam : unsigned {
  kParamSteps,
  kParamFill,
  kParamSource,
  kParamTarget,
  kParamTapRows,     // rows of the window
  kParamTapColumns,  // columns of the window, minus 1
  kParamPitch,       // bytes a pixel
  kParamRowPitch,    // bytes a row of input pixels
  kParamStepX,       // from the window of an output to that of the next in the row
  kParamStepY,       // from the windows of one row to those of the next
  kParamLow,         // clamp, average only
  kParamHigh,
  kParamFactors,
};

constexpr WindowParams kWindow{kParamTapRows, kParamTapColumns, kParamPitch, kParamRowPitch};

// Four word vectors to 32 bytes, saturating; the first one receives the result.
void pack(Builder& b, std::array<Vec, 4>& words) {
  for (Vec& w : words) b.narrow_bw(w);
  b.exte(Size::kH, words[0], words[0], words[1]);
  b.exte(Size::kH, words[2], words[2], words[3]);
  b.exte(Size::kB, words[0], words[0], words[2]);
}

void emit_average(Builder& b, R window, R out, R factor_at) {
  std::array<Vec, 4> words = emit_window_sums(b, kWindow, window, kInput);
  Vec factor = b.vec(), low = b.vec(), high = b.vec();
  {
    Gpr word = b.gpr();
    b.ld(word, factor_at, 0, kFactors);
    b.bcast(factor, word);
    load_param(b, word, kParamLow);
    b.bcast(low, word);
    load_param(b, word, kParamHigh);
    b.bcast(high, word);
  }
  for (Vec& w : words) {
    b.to_float(w, w);
    b.fmul(w, w, factor);
    b.rint(w, w);
    b.to_int(w, w);
    b.vmax(Size::kW, w, w, low);
    b.vmin(Size::kW, w, w, high);
  }
  pack(b, words);
  b.vst(words[0], out, 0, kOutput);
}

void emit_maximum(Builder& b, R window, R out) {
  Vec largest = b.vec(), bound = b.vec();
  b.splat_b(largest, -128);
  for_taps(b, kWindow, window, [&](R at) {
    Vec x = b.vec();
    b.vld(x, at, 0, kInput);
    b.vmax(Size::kB, largest, largest, x);
  });
  Gpr word = b.gpr();
  load_param(b, word, kParamLow);
  b.bcast(bound, word);
  b.vmax(Size::kB, largest, largest, bound);
  load_param(b, word, kParamHigh);
  b.bcast(bound, word);
  b.vmin(Size::kB, largest, largest, bound);
  b.vst(largest, out, 0, kOutput);
}

void emit_pool(Builder& b, const StepShape& shape, R step, bool average) {
  const auto argument = [&](R d, unsigned arg) { b.ld(d, step, StepShape::arg(arg)); };
  Gpr rows = b.gpr(), row = b.gpr(), out = b.gpr(), factor = b.gpr();
  argument(rows, kArgRows);
  argument(row, kArgIn);
  argument(out, kArgOut);
  if (average) argument(factor, kArgFactors);
  static_cast<void>(shape);
  b.repeat(rows, [&] {
    Gpr columns = b.gpr(), pixel = b.gpr();
    argument(columns, kArgColumns);
    b.move(pixel, row);
    b.repeat(columns, [&] {
      Gpr vectors = b.gpr(), window = b.gpr();
      argument(vectors, kArgVectors);
      b.move(window, pixel);
      b.repeat(vectors, [&] {
        if (average)
          emit_average(b, window, out, factor);
        else
          emit_maximum(b, window, out);
        b.add(window, window, 32);
        b.add(out, out, 32);
      });
      if (average) b.add(factor, factor, 4);
      Gpr change = b.gpr();
      load_param(b, change, kParamStepX);
      b.add(pixel, pixel, change);
    });
    Gpr change = b.gpr();
    load_param(b, change, kParamStepY);
    b.add(row, row, change);
  });
}

int taps_inside(int first, int filter, int extent) {
  return std::min(first + filter, extent) - std::max(first, 0);
}

std::uint32_t replicated(std::int32_t byte) { return static_cast<std::uint8_t>(byte) * 0x01010101U; }

}  // namespace

std::uint32_t average_factor(int count) {
  float r = 1.0f / static_cast<float>(count);
  for (int i = 0; i < 64; ++i) r = std::nextafter(r, 1.0f);
  for (int sum = -128 * count; sum <= 127 * count; ++sum)
    if (static_cast<std::int32_t>(std::nearbyint(static_cast<float>(sum) * r)) !=
        reference::rounded_average(sum, count))
      return 0;
  return std::bit_cast<std::uint32_t>(r);
}

Result<LayerProgram> lower_pool(const LoweringContext& context, const ir::Op& op) {
  const bool average = op.kind == ir::OpKind::kAveragePool2d;
  const int index = index_of(context, op);
  ZYNPU_ASSIGN_OR_RETURN(const reference::Window w, reference::window_of(context.graph, index));
  ZYNPU_ASSIGN_OR_RETURN(const reference::ActivationRange range,
                         reference::activation_range(std::get<ir::PoolAttributes>(op.attributes).activation,
                                                     context.graph.tensors[op.outputs[0]]));
  const PoolTiling tiling = tile_pool(w, context.workers, kInputBytes, kOutputBytes);

  LsramPlan lsram;
  std::array<std::uint32_t, 2> in{}, out{}, factors{};
  for (int i = 0; i < 2; ++i) in[i] = lsram.take(kInputBytes);
  for (int i = 0; i < 2; ++i) out[i] = lsram.take(kOutputBytes);
  for (int i = 0; i < 2; ++i) factors[i] = lsram.take(kFactorBytes);

  const std::uint32_t row_pitch = tiling.pitch * tiling.row_pixels;
  const std::uint32_t low = average ? static_cast<std::uint32_t>(range.min) : replicated(range.min);
  const std::uint32_t high = average ? static_cast<std::uint32_t>(range.max) : replicated(range.max);
  LayerProgram layer;
  layer.workers = context.workers;
  layer.params = {Param::blob(0),
                  Param::literal(average ? 0 : replicated(-128)),
                  Param::tensor(op.inputs[0]),
                  Param::tensor(op.outputs[0]),
                  Param::literal(static_cast<std::uint32_t>(w.filter_h)),
                  Param::literal(static_cast<std::uint32_t>(w.filter_w - 1)),
                  Param::literal(tiling.pitch),
                  Param::literal(row_pitch),
                  Param::literal(tiling.pitch * static_cast<std::uint32_t>(w.stride_w)),
                  Param::literal(row_pitch * static_cast<std::uint32_t>(w.stride_h)),
                  Param::literal(low),
                  Param::literal(high)};

  std::vector<std::uint8_t> factor_words;
  std::map<int, std::uint32_t> factor_of;
  StepLists lists(context.workers, kArgCount);
  for (unsigned worker = 0; worker < context.workers; ++worker) {
    const std::size_t begin = tiling.tiles.size() * worker / context.workers;
    const std::size_t end = tiling.tiles.size() * (worker + 1) / context.workers;
    std::vector<Tile> tiles;
    std::uint64_t cycles = 0, bytes = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const PoolTile& part = tiling.tiles[i];
      const std::size_t buffer = tiles.size() % 2;
      Tile tile;
      bool fills = false;
      tile.loads = load_pool_tile(w, tiling, part, kParamSource, in[buffer], fills);
      if (fills) tile.fills.push_back({in[buffer], tiling.input_bytes / 32});
      if (average) {
        const auto at = static_cast<std::uint32_t>(factor_words.size());
        for (int y = part.y; y < part.y + part.rows; ++y)
          for (int x = part.x; x < part.x + part.columns; ++x) {
            const int count = taps_inside(y * w.stride_h - w.pad_top, w.filter_h, w.input_h) *
                              taps_inside(x * w.stride_w - w.pad_left, w.filter_w, w.input_w);
            auto [it, added] = factor_of.try_emplace(count, 0);
            if (added) it->second = average_factor(count);
            if (it->second == 0)
              return fail(ErrorCode::kUnsupported, "AVERAGE_POOL_2D #{}: no exact factor for a window of {}",
                          index, count);
            put_word(factor_words, it->second);
          }
        tile.loads.push_back({kParamFactors, at, factors[buffer],
                              Transfer::contiguous(static_cast<std::uint32_t>(factor_words.size()) - at)});
      }
      const std::uint32_t vectors = static_cast<std::uint32_t>(part.channels + 31) / 32;
      tile.args = {in[buffer],
                   out[buffer],
                   static_cast<std::uint32_t>(part.rows),
                   static_cast<std::uint32_t>(part.columns),
                   vectors,
                   factors[buffer]};
      PoolTiling packed = tiling;
      packed.pitch = 32 * vectors;
      tile.stores = store_pool_tile(w, packed, part, kParamTarget, out[buffer]);
      cycles += std::uint64_t{vectors} * static_cast<unsigned>(part.rows * part.columns) *
                (static_cast<unsigned>(w.filter_h) * (30 + 3 * static_cast<unsigned>(w.filter_w)) +
                 (average ? 200 : 90));
      bytes +=
          tiling.input_bytes + std::uint64_t{vectors} * 32 * static_cast<unsigned>(part.rows * part.columns);
      tiles.push_back(std::move(tile));
    }
    layer.predicted_cycles =
        std::max(layer.predicted_cycles, overlapped_cycles(cycles, bytes, 2 * tiles.size()));
    lists.set(worker, pipeline(tiles));
  }
  ZYNPU_ASSIGN_OR_RETURN(Blob steps, lists.blob());
  layer.blobs.push_back(std::move(steps));
  if (average) {
    layer.params.push_back(Param::blob(1));
    layer.blobs.push_back({std::move(factor_words)});
  }

  Builder b(average ? "average_pool" : "max_pool");
  const StepShape shape = lists.shape();
  emit_steps(b, shape, kParamFill, [&](R step) { emit_pool(b, shape, step, average); });
  ZYNPU_ASSIGN_OR_RETURN(layer.code, std::move(b).finish());
  return layer;
}

}  // namespace zynpu::compiler
