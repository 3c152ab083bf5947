// SPDX-License-Identifier: MIT
// Operators that map one byte to one byte: LOGISTIC, TANH, HARD_SWISH, the RELU family, 8-bit QUANTIZE. All
// 256 results come from reference/, so the operator is exact by construction. Three forms, the quickest that
// fits the table: a shift of 128 (xor), a clamp (vector max/min), a look-up (scalar byte loads).
#include <algorithm>
#include <array>
#include <optional>

#include "compiler/codegen/lsram.h"
#include "compiler/codegen/steps.h"
#include "compiler/kernels/constraints.h"
#include "compiler/kernels/flat.h"
#include "compiler/kernels/lowerings.h"
#include "reference/operators.h"

namespace zynpu::compiler {
namespace {

constexpr std::uint32_t kTileBytes = 6 * 1024;
// Short tiles compute on beyond their end (inside their buffers), so that the loops may be pipelined this
// deep.
constexpr unsigned kMinTrips = 6;
constexpr Area kInput{1}, kOutput{2}, kTable{3};

// The byte load's extension is not known (tec-semantics.md 13, 12): the table covers indices -128..255, so
// that a sign-extended and a zero-extended byte find the same entry.
constexpr std::uint32_t kTableZero = 128;
std::vector<std::uint8_t> spread(const reference::ByteTable& table) {
  std::vector<std::uint8_t> bytes;
  bytes.insert(bytes.end(), table.begin() + 128, table.end());
  bytes.insert(bytes.end(), table.begin(), table.end());
  return bytes;
}

bool is_sign_flip(const reference::ByteTable& table) {
  for (unsigned i = 0; i < table.size(); ++i)
    if (table[i] != (i ^ 0x80U)) return false;
  return true;
}

struct Clamp {
  int low, high;
};
std::optional<Clamp> as_clamp(const reference::ByteTable& table) {
  const auto at = [&](int q) { return static_cast<std::int8_t>(table[static_cast<std::uint8_t>(q)]); };
  const Clamp clamp{at(-128), at(127)};
  if (clamp.low > clamp.high) return std::nullopt;
  for (int q = -128; q < 128; ++q)
    if (at(q) != std::clamp(q, clamp.low, clamp.high)) return std::nullopt;
  return clamp;
}

void emit_raw_ldb(Builder& b, R d, R base, std::int32_t offset, Area area) {
  b.emit({.op = isa::Op::kLdb, .d = d.n, .a = base.n, .imm = offset}, area);
}

}  // namespace

Result<LayerProgram> lower_unary(const LoweringContext& context, const ir::Op& op) {
  ZYNPU_ASSIGN_OR_RETURN(const reference::ByteTable table,
                         reference::unary_table(context.graph, index_of(context, op)));
  const bool flip = is_sign_flip(table);
  const std::optional<Clamp> clamp = flip ? std::nullopt : as_clamp(table);
  const bool vector = flip || clamp.has_value();

  LsramPlan lsram;
  const std::uint32_t table_at = lsram.take(384);
  std::array<std::uint32_t, 2> in{}, out{};
  for (int i = 0; i < 2; ++i) in[i] = lsram.take(kTileBytes);
  for (int i = 0; i < 2; ++i) out[i] = lsram.take(kTileBytes);

  enum : unsigned { kSteps, kSource, kTarget, kTableParam };
  LayerProgram layer;
  layer.workers = context.workers;
  layer.params = {Param::blob(0), Param::tensor(op.inputs[0]), Param::tensor(op.outputs[0])};
  if (!vector) layer.params.push_back(Param::blob(1));

  const std::uint32_t unit = vector ? 32 : 4;  // bytes a trip
  const double cycles_per_byte = vector ? 2.0 / 32 : 1.6;
  StepLists lists(context.workers, 3);
  const auto split = split_flat(static_cast<std::uint64_t>(context.graph.tensors[op.inputs[0]].bytes()),
                                context.workers, kTileBytes);
  for (unsigned w = 0; w < context.workers; ++w) {
    std::vector<Tile> tiles;
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < split[w].size(); ++i) {
      const FlatTile& part = split[w][i];
      Tile tile;
      if (i == 0 && !vector) tile.loads.push_back({kTableParam, 0, table_at, Transfer::contiguous(384)});
      tile.loads.push_back({kSource, part.offset, in[i % 2], Transfer::contiguous(part.bytes)});
      tile.args = {in[i % 2], out[i % 2], std::max((part.bytes + unit - 1) / unit, kMinTrips) - 1};
      tile.stores.push_back({kTarget, part.offset, out[i % 2], Transfer::contiguous(part.bytes)});
      tiles.push_back(std::move(tile));
      bytes += part.bytes;
    }
    layer.predicted_cycles =
        std::max(layer.predicted_cycles,
                 overlapped_cycles(static_cast<std::uint64_t>(static_cast<double>(bytes) * cycles_per_byte),
                                   2 * bytes, tiles.size()));
    lists.set(w, pipeline(tiles));
  }
  ZYNPU_ASSIGN_OR_RETURN(Blob steps, lists.blob());
  layer.blobs.push_back(std::move(steps));
  if (!vector) layer.blobs.push_back({spread(table)});

  Builder b(flip ? "sign_flip" : clamp ? "clamp" : "byte_table");
  const StepShape shape = lists.shape();
  emit_steps(b, shape, -1, [&](R step) {
    Gpr from = b.gpr(), to = b.gpr(), trips = b.gpr();
    b.ld(from, step, shape.arg(0));
    b.ld(to, step, shape.arg(1));
    b.ld(trips, step, shape.arg(2));
    if (vector) {
      Vec mask = b.vec();
      if (flip) b.splat_b(mask, -128);
      b.loop(trips, kMinTrips, [&] {
        Vec x = b.vec();
        b.vld(x, from, 0, kInput);
        if (flip) {
          b.vxor(x, x, mask);
        } else {
          b.vmaxi(Size::kB, x, x, clamp->low);
          b.vmini(Size::kB, x, x, clamp->high);
        }
        b.vst(x, to, 0, kOutput);
        b.add(from, from, 32);
        b.add(to, to, 32);
      });
      return;
    }
    Gpr zero = b.gpr();
    b.constant(zero, table_at + kTableZero);
    b.loop(trips, kMinTrips, [&] {
      for (int k = 0; k < 4; ++k) {
        Gpr x = b.gpr();
        emit_raw_ldb(b, x, from, k, kInput);
        b.add(x, x, zero);
        emit_raw_ldb(b, x, x, 0, kTable);
        b.stb(x, to, k, kOutput);
      }
      b.add(from, from, 4);
      b.add(to, to, 4);
    });
  });
  ZYNPU_ASSIGN_OR_RETURN(layer.code, std::move(b).finish());
  return layer;
}

}  // namespace zynpu::compiler
