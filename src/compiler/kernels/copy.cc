// SPDX-License-Identifier: MIT
#include "compiler/kernels/copy.h"

#include "compiler/codegen/lsram.h"
#include "compiler/codegen/steps.h"
#include "compiler/kernels/flat.h"

namespace zynpu::compiler {

Result<LayerProgram> lower_copy(const LoweringContext& context, int from, int to) {
  constexpr std::uint32_t kTileBytes = 7 * 1024;
  constexpr Area kFrom{1}, kTo{2};
  enum : unsigned { kSteps, kSource, kTarget };
  LsramPlan lsram;
  std::array<std::uint32_t, 2> in{}, out{};
  for (std::uint32_t& at : in) at = lsram.take(kTileBytes);
  for (std::uint32_t& at : out) at = lsram.take(kTileBytes);

  LayerProgram layer;
  layer.workers = context.workers;
  layer.params = {Param::blob(0), Param::tensor(from), Param::tensor(to)};
  StepLists lists(context.workers, 3);
  const auto bytes =
      static_cast<std::uint64_t>(context.graph.tensors[static_cast<std::size_t>(from)].bytes());
  const auto split = split_flat(bytes, context.workers, kTileBytes);
  for (unsigned w = 0; w < context.workers; ++w) {
    std::vector<Tile> tiles;
    std::uint64_t moved = 0;
    for (const FlatTile& part : split[w]) {
      const std::size_t buffer = tiles.size() % 2;
      Tile tile;
      tile.loads.push_back({kSource, part.offset, in[buffer], Transfer::contiguous(part.bytes)});
      tile.args = {in[buffer], out[buffer], (part.bytes + 31) / 32 - 1};
      tile.stores.push_back({kTarget, part.offset, out[buffer], Transfer::contiguous(part.bytes)});
      tiles.push_back(std::move(tile));
      moved += part.bytes;
    }
    layer.predicted_cycles =
        std::max(layer.predicted_cycles, overlapped_cycles(moved / 32 * 2, 2 * moved, tiles.size()));
    lists.set(w, pipeline(tiles));
  }
  ZYNPU_ASSIGN_OR_RETURN(Blob steps, lists.blob());
  layer.blobs.push_back(std::move(steps));

  Builder b("copy");
  emit_steps(b, lists.shape(), -1, [&](R step) {
    Gpr source = b.gpr(), target = b.gpr(), trips = b.gpr();
    b.ld(source, step, StepShape::arg(0));
    b.ld(target, step, StepShape::arg(1));
    b.ld(trips, step, StepShape::arg(2));
    b.loop(trips, 1,
           [&] {
             Vec x = b.vec();
             b.vld(x, source, 0, kFrom);
             b.vst(x, target, 0, kTo);
             b.add(source, source, 32);
             b.add(target, target, 32);
           },
           {"copy"});
  });
  ZYNPU_ASSIGN_OR_RETURN(layer.code, std::move(b).finish());
  return layer;
}

}  // namespace zynpu::compiler
