// SPDX-License-Identifier: MIT
// SOFTMAX on the scalar unit: exponentials of the 256 possible differences come from reference/ as tables,
// the reciprocal of their sum is computed as the reference kernel does (gemmlowp fixed point).
#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <string_view>

#include "compiler/codegen/lsram.h"
#include "compiler/codegen/steps.h"
#include "compiler/kernels/constraints.h"
#include "compiler/kernels/flat.h"
#include "compiler/kernels/lowerings.h"
#include "reference/operators.h"

namespace zynpu::compiler {
namespace {

constexpr std::uint32_t kTileBytes = 6 * 1024;
constexpr std::uint32_t kTermBytes = 256 * 4;
constexpr Area kInput{1}, kOutput{2}, kTerms{3};

std::vector<std::uint8_t> words(const std::array<std::int32_t, 256>& values) {
  std::vector<std::uint8_t> bytes(kTermBytes);
  std::memcpy(bytes.data(), values.data(), kTermBytes);
  return bytes;
}

// Shift amounts and other constants that live in registers during the whole layer.
struct Constants {
  Gpr one, mask255, sign8, thirty, thirty_one;
};

// d = saturating_rounding_doubling_high_mul(a, b), never called with two INT32_MIN: floor((a*b + 2^30) /
// 2^31), that is twice the high word plus the rounded top two bits of the low word.
void emit_high_product(Builder& b, const Constants& k, R d, R x, R y) {
  Gpr low = b.gpr(), high = b.gpr();
  b.mul(low, x, y);
  b.mulh(high, x, y);
  b.lsr(low, low, k.thirty);
  b.add(low, low, 1);
  b.lsr(low, low, k.one);
  b.add(high, high, high);
  b.add(d, high, low);
}

// mantissa, exponent = reciprocal(sum) with 12 integer bits: three Newton-Raphson steps as in
// reference/fixed_point.cc. The intermediate left shifts cannot saturate: d lies in [1/2, 1], x in [1, 2].
void emit_reciprocal(Builder& b, const Constants& k, R sum, R mantissa, R headroom) {
  Gpr x = b.gpr();
  b.constant(headroom, 0);
  const Label next = b.label(), done = b.label();
  {
    Gpr top = b.gpr();
    b.bind(next);
    b.lsr(top, sum, k.thirty_one);
    b.branch_if_nonzero(top, done);
    b.add(sum, sum, sum);
    b.add(headroom, headroom, 1);
    b.branch(next);
    b.bind(done);
  }
  // sum is (1 + a) * 2^31, so (1 + a) / 2 with 31 fraction bits is one shift away.
  Gpr d = b.gpr(), factor = b.gpr(), term = b.gpr(), unit = b.gpr();
  b.lsr(d, sum, k.one);
  b.constant(factor, static_cast<std::uint32_t>(-1010580540));  // -32/17, two integer bits
  emit_high_product(b, k, term, d, factor);
  b.constant(x, 1515870810);  // 48/17
  b.add(x, x, term);
  b.constant(unit, 1U << 29);
  for (int step = 0; step < 3; ++step) {
    emit_high_product(b, k, term, d, x);
    b.sub(term, unit, term);
    emit_high_product(b, k, term, x, term);
    b.add(term, term, term);
    b.add(term, term, term);
    b.add(x, x, term);
  }
  // Doubling saturates for x = 2^30 and more: 2^31 becomes 2^31 - 1.
  b.constant(unit, 1U << 30);
  b.min(x, x, unit);
  b.add(x, x, x);
  b.lsr(term, x, k.thirty_one);
  b.sub(mantissa, x, term);
}

}  // namespace

Result<LayerProgram> lower_softmax(const LoweringContext& context, const ir::Op& op) {
  const ir::Tensor& input = context.graph.tensors[op.inputs[0]];
  ZYNPU_ASSIGN_OR_RETURN(const reference::SoftmaxParameters parameters,
                         reference::softmax_parameters(context.graph, index_of(context, op)));
  std::array<std::int32_t, 256> in_sum{}, exponential{};
  for (std::int32_t d = 0; d < 256 && -d >= parameters.diff_min; ++d) {
    in_sum[static_cast<std::size_t>(d)] = reference::softmax_exp_in_sum(parameters, -d);
    exponential[static_cast<std::size_t>(d)] = reference::softmax_exp(parameters, -d);
  }

  const auto depth = static_cast<std::uint32_t>(input.shape.back());
  const auto rows = static_cast<std::uint32_t>(input.elements() / depth);
  const std::uint32_t rows_per_tile = std::max<std::uint32_t>(1, kTileBytes / depth);

  LsramPlan lsram;
  const std::uint32_t terms_at = lsram.take(2 * kTermBytes);
  std::array<std::uint32_t, 2> in{}, out{};
  for (int i = 0; i < 2; ++i) in[i] = lsram.take(kTileBytes);
  for (int i = 0; i < 2; ++i) out[i] = lsram.take(kTileBytes);

  enum : unsigned { kSteps, kDepth, kSource, kTarget, kTermsParam };
  LayerProgram layer;
  // One core only: rows of different workers may meet inside a 64-byte line.
  layer.workers = std::min({context.workers, context.part.tecs_per_core, rows});
  std::vector<std::uint8_t> terms = words(in_sum);
  const std::vector<std::uint8_t> second = words(exponential);
  terms.insert(terms.end(), second.begin(), second.end());
  layer.params = {Param::blob(0), Param::literal(depth - 1), Param::tensor(op.inputs[0]),
                  Param::tensor(op.outputs[0]), Param::blob(1)};

  StepLists lists(layer.workers, 3);
  for (unsigned w = 0; w < layer.workers; ++w) {
    const std::uint32_t begin = rows * w / layer.workers, end = rows * (w + 1) / layer.workers;
    std::vector<Tile> tiles;
    for (std::uint32_t row = begin; row < end; row += rows_per_tile) {
      const std::uint32_t count = std::min(rows_per_tile, end - row);
      const std::size_t buffer = tiles.size() % 2;
      Tile tile;
      if (tiles.empty())
        tile.loads.push_back({kTermsParam, 0, terms_at, Transfer::contiguous(2 * kTermBytes)});
      tile.loads.push_back({kSource, row * depth, in[buffer], Transfer::contiguous(count * depth)});
      tile.args = {in[buffer], out[buffer], count};
      tile.stores.push_back({kTarget, row * depth, out[buffer], Transfer::contiguous(count * depth)});
      tiles.push_back(std::move(tile));
    }
    constexpr std::uint64_t kCyclesPerValue = 14, kCyclesPerRow = 500;
    layer.predicted_cycles = std::max(
        layer.predicted_cycles, overlapped_cycles((end - begin) * (kCyclesPerValue * depth + kCyclesPerRow),
                                                  2ULL * (end - begin) * depth, tiles.size()));
    lists.set(w, pipeline(tiles));
  }
  ZYNPU_ASSIGN_OR_RETURN(Blob steps, lists.blob());
  layer.blobs = {std::move(steps), {std::move(terms)}};

  Builder b("softmax");
  const StepShape shape = lists.shape();
  emit_steps(b, shape, -1, [&](R step) {
    Gpr from = b.gpr(), to = b.gpr(), count = b.gpr(), last = b.gpr(), table = b.gpr();
    b.ld(from, step, shape.arg(0));
    b.ld(to, step, shape.arg(1));
    b.ld(count, step, shape.arg(2));
    b.ld(last, kLayerParams, 4 * kDepth);
    Constants k{b.gpr(), b.gpr(), b.gpr(), b.gpr(), b.gpr()};
    b.constant(k.one, 1);
    b.constant(k.mask255, 255);
    b.constant(k.sign8, 128);
    b.constant(k.thirty, 30);
    b.constant(k.thirty_one, 31);
    b.repeat(count, [&] {
      Gpr largest = b.gpr(), sum = b.gpr();
      // int8 in the order of 0..255
      const auto load_ordered = [&](R d, R at) {
        b.ldb(d, at, 0, k.mask255, kInput);
        b.xor_(d, d, k.sign8);
        b.add(at, at, 1);
      };
      const auto load_term = [&](R d) {
        b.sub(d, largest, d);
        b.add(d, d, d);
        b.add(d, d, d);
        b.add(d, d, table);
        b.ld(d, d, 0, kTerms);
      };
      // One pass over the row: `body` at address `at`, once per value.
      const auto for_row = [&](std::string_view name, const std::function<void(R at)>& body) {
        Gpr at = b.gpr(), trips = b.gpr();
        b.move(at, from);
        b.move(trips, last);
        b.loop(trips, 1, [&] { body(at); }, {.name = name});
      };
      b.constant(largest, 0);
      for_row("maximum", [&](R at) {
        Gpr x = b.gpr();
        load_ordered(x, at);
        b.max(largest, largest, x);
      });
      b.constant(table, terms_at);
      b.constant(sum, 0);
      for_row("sum", [&](R at) {
        Gpr x = b.gpr();
        load_ordered(x, at);
        load_term(x);
        b.add(sum, sum, x);
      });

      Gpr mantissa = b.gpr(), shift = b.gpr();
      emit_reciprocal(b, k, sum, mantissa, shift);
      sum.release();
      Gpr half = b.gpr();
      // The output is product / 2^(12 - headroom + 31 - 8), rounded; the exponent lies in 23..35 and the
      // product is not negative. Beyond 32 every result is 0; so is it with half = 2^31.
      {
        Gpr exponent = b.gpr(), limit = b.gpr();
        b.constant(exponent, 12 + 31 - 8);
        b.sub(exponent, exponent, shift);
        b.constant(limit, 32);
        b.min(limit, limit, exponent);
        b.add(limit, limit, -1);
        b.lsl(half, k.one, limit);
        b.add(shift, exponent, -16);
      }
      Gpr sixteen = b.gpr(), top = b.gpr();
      b.constant(sixteen, 16);
      b.constant(top, 255);
      b.constant(table, terms_at + kTermBytes);
      for_row("scale", [&](R at) {
        Gpr x = b.gpr();
        load_ordered(x, at);
        load_term(x);
        emit_high_product(b, k, x, x, mantissa);
        b.add(x, x, half);
        b.lsr(x, x, sixteen);
        b.lsr(x, x, shift);
        b.min(x, x, top);
        b.xor_(x, x, k.sign8);  // minus 128
        b.stb(x, to, 0, kOutput);
        b.add(to, to, 1);
      });
      b.add(from, last, from);
      b.add(from, from, 1);
    });
  });
  ZYNPU_ASSIGN_OR_RETURN(layer.code, std::move(b).finish());
  return layer;
}

}  // namespace zynpu::compiler
