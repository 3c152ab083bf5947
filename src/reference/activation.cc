// SPDX-License-Identifier: MIT
// RELU, RELU6, RELU_N1_TO_1, LOGISTIC, TANH and HARD_SWISH. On 8-bit types each is a function of one byte, so
// it runs as a table of 256 entries; RELU rescales from the input's to the output's quantisation as TFLite
// does.
#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/op_context.h"
#include "reference/tables.h"

namespace zynpu::reference {
namespace {

ActivationRange type_range(ir::DataType type) {
  return type == ir::DataType::kUint8 ? ActivationRange{0, 255} : ActivationRange{-128, 127};
}

// Bounds of an activation in real numbers; an infinite one leaves the type's own.
struct RealBounds {
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
};

ActivationRange quantized_bounds(RealBounds bounds, const ir::Tensor& output) {
  ActivationRange range = type_range(output.type);
  const auto quantized = [&](float bound, std::int32_t fallback) {
    if (std::isinf(bound)) return fallback;
    // Far outside the type already; keeps the conversion to an integer defined.
    const float steps = std::clamp(std::round(bound / scale(output)), -1e6f, 1e6f);
    return zero_point(output) + static_cast<std::int32_t>(steps);
  };
  range.min = std::max(range.min, quantized(bounds.low, range.min));
  range.max = std::min(range.max, quantized(bounds.high, range.max));
  return range;
}

// Fills a table by `f`, which maps the value of an input element to the output element before the final
// clamp.
template <class F>
ByteTable tabulate(const ir::Tensor& input, const ActivationRange& clamp, F&& f) {
  ByteTable table{};
  const ActivationRange in = type_range(input.type);
  for (std::int32_t value = in.min; value <= in.max; ++value) {
    const std::int32_t result = std::clamp(f(value), clamp.min, clamp.max);
    table[static_cast<std::uint8_t>(value)] = static_cast<std::uint8_t>(result);
  }
  return table;
}

Result<ByteTable> relu_table(const OpContext& context, const ir::Tensor& input, const ir::Tensor& output) {
  RealBounds bounds;
  switch (context.op().kind) {
    case ir::OpKind::kRelu:
      bounds.low = 0;
      break;
    case ir::OpKind::kRelu6:
      bounds = {0, 6};
      break;
    default:
      bounds = {-1, 1};
      break;
  }
  const ActivationRange clamp = quantized_bounds(bounds, output);
  const float ratio = scale(input) / scale(output);  // single precision, as the kernel has it
  const QuantizedMultiplier q = quantize_multiplier(ratio);
  ZYNPU_TRY(context.expect_multiplier(q, "input scale / output scale"));
  return tabulate(input, clamp, [&](std::int32_t value) {
    return zero_point(output) + multiply_by_quantized_multiplier(value - zero_point(input), q);
  });
}

// The kernels behind LOGISTIC and TANH compute their table in single precision; so does this.
template <class F>
ByteTable float_table(const ir::Tensor& input, const ir::Tensor& output, F&& f) {
  const float inverse_scale = 1 / scale(output);
  return tabulate(input, type_range(output.type), [&](std::int32_t value) {
    const float real = scale(input) * static_cast<float>(value - zero_point(input));
    const float steps = std::round(f(real) * inverse_scale);
    return static_cast<std::int32_t>(std::clamp(steps + static_cast<float>(zero_point(output)), -1e6f, 1e6f));
  });
}

std::int16_t saturate16(std::int32_t x) { return static_cast<std::int16_t>(std::clamp(x, -32768, 32767)); }

// A 31-bit multiplier rounded to 15 bits.
std::int16_t to_16_bits(std::int32_t multiplier) {
  constexpr std::int32_t kHalf = 1 << 15;
  if (multiplier >= std::numeric_limits<std::int32_t>::max() - kHalf) return 32767;
  return static_cast<std::int16_t>((multiplier + kHalf) >> 16);
}

// The kernel's rounding right shift of 16-bit numbers. Its remainder mask has 16 bits too, so that from a
// shift of 16 on, where nothing remains but the sign, it answers 1 and -1.
std::int16_t shift_right_16(std::int32_t x, int amount) {
  if (amount > 15) return x < 0 ? -1 : 1;
  return static_cast<std::int16_t>(rounding_divide_by_pot(x, amount));
}

// x * relu6(x + 3) / 6 in 16-bit fixed point. The input is spread over 16 bits (times 128); one copy is
// scaled to the output (but for the last right shift), another to relu6(x + 3)/6 in [0, 1), and both are
// multiplied.
Result<ByteTable> hard_swish_table(const OpContext& context, const ir::Tensor& input,
                                   const ir::Tensor& output) {
  const float fine_scale = (1.0f / 128.0f) * scale(input);
  const float relu_scale = 3.0f / 32768.0f;
  const QuantizedMultiplier to_output = quantize_multiplier(fine_scale / scale(output));
  const QuantizedMultiplier to_relu = quantize_multiplier(fine_scale / relu_scale);
  if (to_output.shift > 0) {
    return context.unsupported("input scale {} is not below 128 times the output scale {}", scale(input),
                               scale(output));
  }
  ZYNPU_TRY(context.expect_multiplier(to_relu, "input scale"));
  const std::int16_t output_factor = to_16_bits(to_output.multiplier);
  const std::int16_t relu_factor = to_16_bits(to_relu.multiplier);

  return tabulate(input, type_range(output.type), [&](std::int32_t value) {
    const auto fine = static_cast<std::int16_t>((value - zero_point(input)) * 128);
    const std::int16_t on_output_scale = saturating_rounding_doubling_high_mul(fine, output_factor);

    // All but one of the left shifts come before the multiplication; only the last one may saturate to
    // effect.
    std::int16_t gate = fine;
    if (to_relu.shift > 0) {
      gate = static_cast<std::int16_t>(
          std::clamp<std::int64_t>(std::int64_t{gate} << (to_relu.shift - 1), -32768, 32767));
    }
    gate = saturating_rounding_doubling_high_mul(gate, relu_factor);
    if (to_relu.shift > 0) gate = saturate16(gate * 2);
    if (to_relu.shift < 0) gate = shift_right_16(gate, -to_relu.shift);
    gate = static_cast<std::int16_t>((gate + 32768) >> 1);  // [-1, 1) to [0, 1)

    const std::int32_t product =
        gate * on_output_scale / 32768;  // towards zero: cancels the bias of the roundings
    return shift_right_16(product, -to_output.shift) + zero_point(output);
  });
}

Result<ByteTable> make_table(const OpContext& context) {
  ZYNPU_ASSIGN_OR_RETURN(const auto operands, context.byte_operands(1));
  const ir::Tensor *const input = operands.input, *const output = operands.output;
  const ir::OpKind kind = context.op().kind;
  if (kind == ir::OpKind::kQuantize) return requantize_table(context, *input, *output);
  ZYNPU_TRY(context.expect_type(*output, {input->type}));
  switch (kind) {
    case ir::OpKind::kRelu:
    case ir::OpKind::kRelu6:
    case ir::OpKind::kReluN1To1:
      return relu_table(context, *input, *output);
    case ir::OpKind::kLogistic:
      if (scale(*output) != 1.0f / 256) {
        return context.unsupported_tensor(*output, "scale {}, expected 1/256", scale(*output));
      }
      return float_table(*input, *output, [](float x) { return 1.0f / (1.0f + std::exp(-x)); });
    case ir::OpKind::kTanh:
      return float_table(*input, *output, [](float x) { return std::tanh(x); });
    case ir::OpKind::kHardSwish:
      return hard_swish_table(context, *input, *output);
    default:
      return context.unsupported("it is not a function of one element");
  }
}

class TableOp : public PreparedOp {
 public:
  TableOp(const OpContext& context, const ByteTable& table)
      : input_(context.input_index(0)), output_(context.output_index(0)), table_(table) {}

  Status run(const Memory& memory) override {
    const std::span<std::uint8_t> input = memory.bytes(input_);
    std::uint8_t* output = memory.out<std::uint8_t>(output_);
    for (std::size_t i = 0; i < input.size(); ++i) output[i] = table_[input[i]];
    return {};
  }

 private:
  int input_, output_;
  ByteTable table_;
};

}  // namespace

Result<ActivationRange> activation_range(ir::Activation activation, const ir::Tensor& output) {
  switch (activation) {
    case ir::Activation::kNone:
      return type_range(output.type);
    case ir::Activation::kRelu:
      return quantized_bounds({0, std::numeric_limits<float>::infinity()}, output);
    case ir::Activation::kReluN1To1:
      return quantized_bounds({-1, 1}, output);
    case ir::Activation::kRelu6:
      return quantized_bounds({0, 6}, output);
    case ir::Activation::kTanh:
    case ir::Activation::kSignBit:
      break;
  }
  return fail(ErrorCode::kUnsupported,
              "tensor '{}': fused activation {} is not supported on quantised outputs", output.name,
              activation == ir::Activation::kTanh ? "TANH" : "SIGN_BIT");
}

Result<ByteTable> unary_table(const ir::Graph& graph, int index) {
  return make_table(OpContext(graph, graph.ops[static_cast<std::size_t>(index)], index));
}

Prepared prepare_activation(const OpContext& context) {
  ZYNPU_ASSIGN_OR_RETURN(const ByteTable table, make_table(context));
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* input, context.input(0));
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* output, context.output(0));
  ZYNPU_TRY(context.expect_elements(*output, input->elements()));
  return std::make_unique<TableOp>(context, table);
}

}  // namespace zynpu::reference
