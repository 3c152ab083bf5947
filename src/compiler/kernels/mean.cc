// SPDX-License-Identifier: MIT
// MEAN over height and width: sums of all pixels, 32 channels at a time, then the shared requantisation.
#include "compiler/kernels/mean.h"

#include <algorithm>
#include <array>

#include "compiler/codegen/lsram.h"
#include "compiler/codegen/requant.h"
#include "compiler/codegen/steps.h"
#include "compiler/kernels/flat.h"
#include "compiler/kernels/lowerings.h"
#include "compiler/kernels/pool_code.h"
#include "compiler/kernels/pool_tiles.h"
#include "reference/operators.h"

namespace zynpu::compiler {
namespace {

constexpr std::uint32_t kInputBytes = 12 * 1024, kOutputBytes = 512;
constexpr std::uint32_t kConstantBytes = 2048;  // at most
constexpr int kMaxValues = 255;
constexpr Area kInput{1}, kOutput{2}, kScratch{3}, kConstants{4};

enum Arg : unsigned { kArgIn, kArgOut, kArgVectors, kArgCount };
enum ParamIndex : unsigned {
  kParamSteps,
  kParamConstants,
  kParamSource,
  kParamTarget,
  kParamTapRows,
  kParamTapColumns,
  kParamPitch,
  kParamRowPitch,
  kParamOffset,  // minus the sum of the zero points
};
constexpr WindowParams kWindow{kParamTapRows, kParamTapColumns, kParamPitch, kParamRowPitch};

// One window that covers the image.
reference::Window whole_image(const ir::Tensor& input) {
  reference::Window w;
  w.batches = input.shape[0];
  w.input_h = w.filter_h = input.shape[1];
  w.input_w = w.filter_w = input.shape[2];
  w.input_channels = w.output_channels = input.shape[3];
  return w;
}

ChannelRequant mean_channel(const reference::MeanParameters& p) {
  ChannelRequant channel;
  channel.multiplier = p.output;
  channel.zero_point = p.output_offset;
  channel.range = p.range;
  channel.min = -128 * p.count - p.input_zero_sum;
  channel.max = 127 * p.count - p.input_zero_sum;
  return channel;
}

}  // namespace

std::string mean_axes(const ir::Graph& graph, const ir::Op& op) {
  const ir::Tensor& input = graph.tensors[op.inputs[0]];
  const auto p = reference::mean_parameters(graph, static_cast<int>(&op - graph.ops.data()));
  if (!p) return p.error().message;
  if (input.shape.size() != 4) return fmt::format("`{}` has {} dimensions", input.name, input.shape.size());
  if (p->axes != std::vector<int>{1, 2}) return fmt::format("the axes are {}", fmt::join(p->axes, ", "));
  const ChannelRequant channel = mean_channel(*p);
  const auto plan = plan_requant({&channel, 1}, PackOrder::kLinear, false);
  return plan ? std::string{} : plan.error().message;
}

std::string wide_mean(const ir::Graph& graph, const ir::Op& op) {
  const auto p = reference::mean_parameters(graph, static_cast<int>(&op - graph.ops.data()));
  if (!p) return p.error().message;
  return p->count <= kMaxValues ? std::string{} : fmt::format("there are {}", p->count);
}

Result<LayerProgram> lower_mean(const LoweringContext& context, const ir::Op& op) {
  ZYNPU_ASSIGN_OR_RETURN(const reference::MeanParameters p,
                         reference::mean_parameters(context.graph, index_of(context, op)));
  const reference::Window w = whole_image(context.graph.tensors[op.inputs[0]]);
  const ChannelRequant channel = mean_channel(p);
  ZYNPU_ASSIGN_OR_RETURN(const RequantPlan requant, plan_requant({&channel, 1}, PackOrder::kLinear, false));
  std::vector<std::uint8_t> constants;
  std::array<const ChannelRequant*, 32> lanes{};
  lanes.fill(&channel);
  ZYNPU_TRY(put_requant_block(requant, lanes, constants));
  const auto constant_bytes = static_cast<std::uint32_t>(constants.size());
  if (constant_bytes > kConstantBytes)
    return fail(ErrorCode::kInternal, "{} bytes of MEAN constants", constant_bytes);

  // A tile is one image and as many channels as fit.
  const PoolTiling tiling = tile_pool(w, context.workers, kInputBytes, kOutputBytes);
  LsramPlan lsram;
  const std::uint32_t constants_at = lsram.take(kConstantBytes), scratch = lsram.take(4 * kOutputBytes);
  std::array<std::uint32_t, 2> in{}, out{};
  for (int i = 0; i < 2; ++i) in[i] = lsram.take(kInputBytes);
  for (int i = 0; i < 2; ++i) out[i] = lsram.take(kOutputBytes);

  LayerProgram layer;
  layer.workers = context.workers;
  layer.params = {Param::blob(0),
                  Param::blob(1),
                  Param::tensor(op.inputs[0]),
                  Param::tensor(op.outputs[0]),
                  Param::literal(static_cast<std::uint32_t>(w.filter_h)),
                  Param::literal(static_cast<std::uint32_t>(w.filter_w - 1)),
                  Param::literal(tiling.pitch),
                  Param::literal(tiling.pitch * tiling.row_pixels),
                  Param::literal(static_cast<std::uint32_t>(-p.input_zero_sum))};
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
      if (tiles.empty())
        tile.loads.push_back({kParamConstants, 0, constants_at, Transfer::contiguous(constant_bytes)});
      for (Request& r : load_pool_tile(w, tiling, part, kParamSource, in[buffer], fills))
        tile.loads.push_back(r);
      const std::uint32_t vectors = static_cast<std::uint32_t>(part.channels + 31) / 32;
      tile.args = {in[buffer], out[buffer], vectors};
      tile.stores = store_pool_tile(w, tiling, part, kParamTarget, out[buffer]);
      cycles += std::uint64_t{vectors} *
                (60 + static_cast<unsigned>(w.filter_h) * (30 + 3 * static_cast<unsigned>(w.filter_w)));
      bytes += tiling.input_bytes;
      tiles.push_back(std::move(tile));
    }
    layer.predicted_cycles =
        std::max(layer.predicted_cycles, overlapped_cycles(cycles, bytes, 2 * tiles.size()));
    lists.set(worker, pipeline(tiles));
  }
  ZYNPU_ASSIGN_OR_RETURN(Blob steps, lists.blob());
  layer.blobs = {std::move(steps), {std::move(constants)}};

  Builder b("mean");
  const StepShape shape = lists.shape();
  emit_steps(b, shape, -1, [&](R step) {
    Gpr from = b.gpr(), to = b.gpr(), vectors = b.gpr(), sums = b.gpr(), blocks = b.gpr();
    b.ld(from, step, shape.arg(kArgIn));
    b.ld(vectors, step, shape.arg(kArgVectors));
    b.constant(sums, scratch);
    b.add(blocks, vectors, -1);
    b.repeat(vectors, [&] {
      std::array<Vec, 4> words = emit_window_sums(b, kWindow, from, kInput);
      Vec offset = b.vec();
      Gpr word = b.gpr();
      load_param(b, word, kParamOffset);
      b.bcast(offset, word);
      for (unsigned v = 0; v < 4; ++v) {
        b.vadd(Size::kW, words[v], words[v], offset);
        b.vst(words[v], sums, static_cast<std::int32_t>(32 * v), kScratch);
      }
      b.add(sums, sums, 128);
      b.add(from, from, 32);
    });
    b.barrier();
    b.ld(to, step, shape.arg(kArgOut));
    b.constant(sums, scratch);
    b.constant(from, constants_at);
    emit_requant(b, requant, sums, to, blocks, from, kScratch, kOutput);
  });
  ZYNPU_ASSIGN_OR_RETURN(layer.code, std::move(b).finish());
  return layer;
}

}  // namespace zynpu::compiler
