// SPDX-License-Identifier: MIT
// ADD, SUB and MUL of two int8 tensors of equal shape; a constant operand is spread to that shape.
//
// ADD and SUB are one pass in two-part fp32 (sum_form.h), or, where no fp32 form is exact, the reference's
// own fixed-point arithmetic by the digits method. MUL makes int32 products, which the shared requantisation
// turns into int8.
#include <algorithm>
#include <array>
#include <optional>

#include "compiler/codegen/bytes.h"
#include "compiler/codegen/lsram.h"
#include "compiler/codegen/requant.h"
#include "compiler/codegen/steps.h"
#include "compiler/kernels/constraints.h"
#include "compiler/kernels/elementwise.h"
#include "compiler/kernels/flat.h"
#include "compiler/kernels/lowerings.h"
#include "compiler/kernels/sum_form.h"
#include "reference/operators.h"

namespace zynpu::compiler {
namespace {

constexpr std::uint32_t kTileBytes = 2048;
constexpr std::uint32_t kConstantBytes = 3072;  // at most
// Short tiles compute on beyond their end (inside their buffers), so that loops may be pipelined this deep.
constexpr std::uint32_t kMinTrips = 4;
constexpr Area kLeft{1}, kRight{2}, kOutput{3}, kScratch{4}, kConstants{5};

enum Arg : unsigned { kArgLeft, kArgRight, kArgOut, kArgTrips, kArgCount };
enum ParamIndex : unsigned { kParamSteps, kParamConstants, kParamLeft, kParamRight, kParamTarget };

void splat(std::vector<std::uint8_t>& out, std::uint32_t word) {
  for (int lane = 0; lane < 8; ++lane) put_word(out, word);
}
std::uint32_t half_twice(std::int32_t value) {
  return (static_cast<std::uint32_t>(value) & 0xFFFFU) * 0x10001U;
}

// 32 int8 at `at`, less the zero point, as four vectors of words.
void load_operand(Builder& b, R at, V offset, Area area, std::array<Vec, 4>& words) {
  Vec bytes = b.vec(), low = b.vec(), high = b.vec();
  b.vld(bytes, at, 0, area);
  b.sxt_low_bh(low, bytes);
  b.sxt_high_bh(high, bytes);
  b.vadd(Size::kH, low, low, offset);
  b.vadd(Size::kH, high, high, offset);
  for (Vec& w : words) w = b.vec();
  b.sxt_low_hw(words[0], low);
  b.sxt_high_hw(words[1], low);
  b.sxt_low_hw(words[2], high);
  b.sxt_high_hw(words[3], high);
}
void load_float_operand(Builder& b, R at, V offset, Area area, std::array<Vec, 4>& words) {
  load_operand(b, at, offset, area, words);
  for (Vec& w : words) b.to_float(w, w);
}

// Constants of the sum pass, in this order.
enum SumConstant : unsigned {
  kLeftOffset,
  kRightOffset,
  kLeftHigh,
  kRightHigh,
  kLeftLow,
  kRightLow,
  kOutputOffset,
  kClampLow,
  kClampHigh,
  kSumConstants,
};

void emit_sum_pass(Builder& b, R left, R right, R out, R trips, R constants) {
  std::array<Vec, kSumConstants> c;
  for (unsigned i = 0; i < kSumConstants; ++i) {
    c[i] = b.vec();
    b.vld(c[i], constants, static_cast<std::int32_t>(32 * i), kConstants);
  }
  b.loop(trips, kMinTrips,
         [&] {
           std::array<Vec, 4> x, y;
           load_float_operand(b, left, c[kLeftOffset], kLeft, x);
           load_float_operand(b, right, c[kRightOffset], kRight, y);
           for (unsigned v = 0; v < 4; ++v) {
             Vec high = b.vec(), n = b.vec();
             b.fmul(high, x[v], c[kLeftHigh]);
             b.fma(high, y[v], c[kRightHigh]);
             b.rint(n, high);
             b.fsub(high, high, n);
             b.fma(high, x[v], c[kLeftLow]);
             b.fma(high, y[v], c[kRightLow]);
             b.rint(high, high);
             b.fadd(n, n, high);
             b.to_int(x[v], n);
             b.vadd(Size::kW, x[v], x[v], c[kOutputOffset]);
             b.narrow_bw(x[v]);
             y[v].release();
           }
           b.exte(Size::kH, x[0], x[0], x[1]);
           b.exte(Size::kH, x[2], x[2], x[3]);
           b.exte(Size::kB, x[0], x[0], x[2]);
           b.vmax(Size::kB, x[0], x[0], c[kClampLow]);
           b.vmin(Size::kB, x[0], x[0], c[kClampHigh]);
           b.vst(x[0], out, 0, kOutput);
           b.add(left, left, 32);
           b.add(right, right, 32);
           b.add(out, out, 32);
         },
         {.name = "sum"});
}

// int32 products to the scratch area, then requantised; their constants follow the two offsets.
void emit_product_pass(Builder& b, const RequantPlan& requant, R left, R right, R out, R trips, R constants,
                       std::uint32_t scratch) {
  Gpr to = b.gpr(), count = b.gpr();
  b.constant(to, scratch);
  b.move(count, trips);
  {
    Vec left_offset = b.vec(), right_offset = b.vec();
    b.vld(left_offset, constants, 0, kConstants);
    b.vld(right_offset, constants, 32, kConstants);
    b.loop(count, kMinTrips,
           [&] {
             std::array<Vec, 4> x, y;
             load_float_operand(b, left, left_offset, kLeft, x);
             load_float_operand(b, right, right_offset, kRight, y);
             for (unsigned v = 0; v < 4; ++v) {
               b.fmul(x[v], x[v], y[v]);  // below 2^16: exact
               b.to_int(x[v], x[v]);
               b.vst(x[v], to, static_cast<std::int32_t>(32 * v), kScratch);
             }
             b.add(left, left, 32);
             b.add(right, right, 32);
             b.add(to, to, 128);
           },
           {.name = "product"});
  }
  b.barrier();
  b.constant(to, scratch);
  b.add(constants, constants, 64);
  emit_requant(b, requant, to, out, trips, constants, kScratch, kOutput);
}

// The exact sum, as the reference computes it: both operands shifted left and scaled by their multipliers,
// then the sum requantised. `constants`: per operand its offset and its product constants, then those of the
// requantisation.
void emit_exact_sum_passes(Builder& b, const RequantPlan& requant, bool subtract, R left, R right, R out,
                           R trips, R constants, std::uint32_t scratch) {
  for (unsigned side = 0; side < 2; ++side) {
    Gpr at = b.gpr(), count = b.gpr();
    b.constant(at, scratch);
    b.move(count, trips);
    Vec offset = b.vec();
    b.vld(offset, constants, 0, kConstants);
    b.add(constants, constants, 32);
    const ProductConstants product = load_product_constants(b, constants, kConstants);
    b.loop(count, kMinTrips,
           [&] {
             std::array<Vec, 4> words;
             load_operand(b, side == 0 ? left : right, offset, side == 0 ? kLeft : kRight, words);
             for (unsigned v = 0; v < 4; ++v) {
               b.vlsli(Size::kW, words[v], words[v], reference::AddParameters::kLeftShift);
               emit_product(b, product, words[v]);
               const auto place = static_cast<std::int32_t>(32 * v);
               if (side == 1) {
                 Vec first = b.vec();
                 b.vld(first, at, place, kScratch);
                 if (subtract)
                   b.vsub(Size::kW, words[v], first, words[v]);
                 else
                   b.vadd(Size::kW, words[v], first, words[v]);
               }
               b.vst(words[v], at, place, kScratch);
               words[v].release();
             }
             b.add(side == 0 ? left : right, side == 0 ? left : right, 32);
             b.add(at, at, 128);
           },
           {.name = side == 0 ? "left" : "right", .pipeline = false});
    b.barrier();
    b.add(constants, constants, static_cast<std::int32_t>(kProductConstantsBytes));
  }
  Gpr from = b.gpr();
  b.constant(from, scratch);
  emit_requant(b, requant, from, out, trips, constants, kScratch, kOutput);
}

// The last step of the exact sum.
ChannelRequant sum_channel(const reference::AddParameters& p) {
  ChannelRequant channel;
  channel.multiplier = p.output;
  channel.zero_point = p.output_offset;
  channel.range = p.range;
  for (int operand = 0; operand < 2; ++operand) {
    std::int64_t largest = 0;
    for (const int value : {-128, 127})
      largest = std::max(largest, std::abs(std::int64_t{reference::add_operand(p, operand, value)}));
    channel.max += largest;
  }
  channel.min = -channel.max;
  return channel;
}

ChannelRequant product_channel(const reference::MulParameters& p) {
  ChannelRequant channel;
  channel.multiplier = p.output;
  channel.zero_point = p.output_offset;
  channel.range = p.range;
  std::array<std::int64_t, 4> corners{};
  unsigned n = 0;
  for (const int x : {-128, 127})
    for (const int y : {-128, 127}) corners[n++] = std::int64_t{x + p.offset[0]} * (y + p.offset[1]);
  channel.min = *std::min_element(corners.begin(), corners.end());
  channel.max = *std::max_element(corners.begin(), corners.end());
  return channel;
}

// The bytes of a constant, repeated to the output's shape (TFLite's broadcasting rule, trailing dimensions
// match).
std::vector<std::uint8_t> spread_constant(const ir::Tensor& constant, const ir::Tensor& output) {
  const std::size_t rank = output.shape.size();
  std::vector<std::size_t> strides(rank, 0), at(rank, 0);
  std::size_t stride = 1;
  for (std::size_t i = 0; i < constant.shape.size(); ++i) {
    const std::size_t from = constant.shape.size() - 1 - i, to = rank - 1 - i;
    if (constant.shape[from] != 1) strides[to] = stride;
    stride *= static_cast<std::size_t>(constant.shape[from]);
  }
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(output.elements()));
  for (std::uint8_t& byte : bytes) {
    std::size_t index = 0;
    for (std::size_t i = 0; i < rank; ++i) index += at[i] * strides[i];
    byte = (*constant.data)[index];
    for (std::size_t i = rank; i-- > 0;) {
      if (++at[i] < static_cast<std::size_t>(output.shape[i])) break;
      at[i] = 0;
    }
  }
  return bytes;
}

}  // namespace

std::string operand_shapes(const ir::Graph& graph, const ir::Op& op) {
  const ir::Tensor& output = graph.tensors[op.outputs[0]];
  for (const int i : op.inputs) {
    const ir::Tensor& input = graph.tensors[i];
    if (input.is_constant() || input.shape == output.shape) continue;
    if (input.elements() == output.elements() && input.shape.size() <= output.shape.size()) continue;
    return fmt::format("`{}` is computed and is broadcast to the {} elements of `{}`", input.name,
                       output.elements(), output.name);
  }
  return {};
}

std::string no_sum_form(const ir::Graph& graph, const ir::Op& op) {
  const auto p = reference::add_parameters(graph, static_cast<int>(&op - graph.ops.data()));
  if (!p) return p.error().message;
  const ChannelRequant channel = sum_channel(*p);
  const auto plan = plan_requant({&channel, 1}, PackOrder::kLinear, false);
  return plan ? std::string{} : plan.error().message;
}

std::string no_product_form(const ir::Graph& graph, const ir::Op& op) {
  const auto p = reference::mul_parameters(graph, static_cast<int>(&op - graph.ops.data()));
  if (!p) return p.error().message;
  const ChannelRequant channel = product_channel(*p);
  const auto plan = plan_requant({&channel, 1}, PackOrder::kLinear, false);
  return plan ? std::string{} : plan.error().message;
}

Result<LayerProgram> lower_elementwise(const LoweringContext& context, const ir::Op& op) {
  const int index = index_of(context, op);
  const bool product = op.kind == ir::OpKind::kMul, subtract = op.kind == ir::OpKind::kSub;
  bool exact_sum = false;
  const ir::Tensor& output = context.graph.tensors[op.outputs[0]];

  std::vector<std::uint8_t> constants;
  RequantPlan requant;
  if (product) {
    ZYNPU_ASSIGN_OR_RETURN(const reference::MulParameters p, reference::mul_parameters(context.graph, index));
    const ChannelRequant channel = product_channel(p);
    ZYNPU_ASSIGN_OR_RETURN(requant, plan_requant({&channel, 1}, PackOrder::kLinear, false));
    splat(constants, half_twice(p.offset[0]));
    splat(constants, half_twice(p.offset[1]));
    std::array<const ChannelRequant*, 32> lanes{};
    lanes.fill(&channel);
    ZYNPU_TRY(put_requant_block(requant, lanes, constants));
  } else {
    ZYNPU_ASSIGN_OR_RETURN(const reference::AddParameters p, reference::add_parameters(context.graph, index));
    const std::optional<SumForm> form = prove_sum(p, subtract);
    exact_sum = !form;
    if (form) {
      splat(constants, half_twice(p.offset[0]));
      splat(constants, half_twice(p.offset[1]));
      for (const float factor : {form->a_high, form->b_high, form->a_low, form->b_low})
        splat(constants, std::bit_cast<std::uint32_t>(factor));
      splat(constants, static_cast<std::uint32_t>(p.output_offset));
      splat(constants, static_cast<std::uint8_t>(p.range.min) * 0x01010101U);
      splat(constants, static_cast<std::uint8_t>(p.range.max) * 0x01010101U);
    } else {
      for (unsigned side = 0; side < 2; ++side) {
        splat(constants, half_twice(p.offset[side]));
        std::array<reference::QuantizedMultiplier, 8> multipliers;
        multipliers.fill(p.input[side]);
        ZYNPU_TRY(put_product_constants(multipliers, constants));
      }
      const ChannelRequant channel = sum_channel(p);
      ZYNPU_ASSIGN_OR_RETURN(requant, plan_requant({&channel, 1}, PackOrder::kLinear, false));
      std::array<const ChannelRequant*, 32> lanes{};
      lanes.fill(&channel);
      ZYNPU_TRY(put_requant_block(requant, lanes, constants));
    }
  }
  const auto constant_bytes = static_cast<std::uint32_t>(constants.size());
  if (constant_bytes > kConstantBytes)
    return fail(ErrorCode::kInternal, "{} bytes of elementwise constants", constant_bytes);

  LsramPlan lsram;
  const std::uint32_t constants_at = lsram.take(kConstantBytes);
  std::array<std::uint32_t, 2> left{}, right{}, out{};
  for (int i = 0; i < 2; ++i) left[i] = lsram.take(kTileBytes);
  for (int i = 0; i < 2; ++i) right[i] = lsram.take(kTileBytes, 64);
  for (int i = 0; i < 2; ++i) out[i] = lsram.take(kTileBytes);
  const std::uint32_t scratch = lsram.take(4 * kTileBytes);

  LayerProgram layer;
  layer.workers = context.workers;
  layer.params = {Param::blob(0), Param::blob(1), {}, {}, Param::tensor(op.outputs[0])};
  layer.blobs.resize(2);
  layer.blobs[1].bytes = std::move(constants);
  for (unsigned side = 0; side < 2; ++side) {
    const ir::Tensor& input = context.graph.tensors[op.inputs[side]];
    if (input.is_constant()) {
      layer.params[kParamLeft + side] = Param::blob(static_cast<int>(layer.blobs.size()));
      layer.blobs.push_back({spread_constant(input, output)});
    } else {
      layer.params[kParamLeft + side] = Param::tensor(op.inputs[side]);
    }
  }

  StepLists lists(context.workers, kArgCount);
  const auto split = split_flat(static_cast<std::uint64_t>(output.bytes()), context.workers, kTileBytes);
  for (unsigned w = 0; w < context.workers; ++w) {
    std::vector<Tile> tiles;
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < split[w].size(); ++i) {
      const FlatTile& part = split[w][i];
      const Transfer transfer = Transfer::contiguous(part.bytes);
      Tile tile;
      if (i == 0)
        tile.loads.push_back({kParamConstants, 0, constants_at, Transfer::contiguous(constant_bytes)});
      tile.loads.push_back({kParamLeft, part.offset, left[i % 2], transfer});
      tile.loads.push_back({kParamRight, part.offset, right[i % 2], transfer});
      tile.args = {left[i % 2], right[i % 2], out[i % 2], std::max((part.bytes + 31) / 32, kMinTrips) - 1};
      tile.stores.push_back({kParamTarget, part.offset, out[i % 2], transfer});
      tiles.push_back(std::move(tile));
      bytes += part.bytes;
    }
    const unsigned cycles = product     ? 18 + requant_block_cycles(requant)
                            : exact_sum ? 220 + requant_block_cycles(requant)
                                        : 27;
    layer.predicted_cycles =
        std::max(layer.predicted_cycles, overlapped_cycles(bytes * cycles / 32, 3 * bytes, tiles.size()));
    lists.set(w, pipeline(tiles));
  }
  ZYNPU_ASSIGN_OR_RETURN(layer.blobs[0], lists.blob());

  Builder b(product ? "multiply" : exact_sum ? "add_exact" : "add");
  const StepShape shape = lists.shape();
  emit_steps(b, shape, -1, [&](R step) {
    Gpr x = b.gpr(), y = b.gpr(), z = b.gpr(), trips = b.gpr(), at = b.gpr();
    b.ld(x, step, shape.arg(kArgLeft));
    b.ld(y, step, shape.arg(kArgRight));
    b.ld(z, step, shape.arg(kArgOut));
    b.ld(trips, step, shape.arg(kArgTrips));
    b.constant(at, constants_at);
    if (product)
      emit_product_pass(b, requant, x, y, z, trips, at, scratch);
    else if (exact_sum)
      emit_exact_sum_passes(b, requant, subtract, x, y, z, trips, at, scratch);
    else
      emit_sum_pass(b, x, y, z, trips, at);
  });
  ZYNPU_ASSIGN_OR_RETURN(layer.code, std::move(b).finish());
  return layer;
}

}  // namespace zynpu::compiler
