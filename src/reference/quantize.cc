// SPDX-License-Identifier: MIT
// QUANTIZE (float32 to 8 bits, 8 bits to 8 bits) and DEQUANTIZE (8 or 16 bits to float32).
#include <algorithm>
#include <cmath>

#include "reference/op_context.h"
#include "reference/tables.h"

namespace zynpu::reference {
namespace {

template <class T>
class QuantizeFloat : public PreparedOp {
 public:
  QuantizeFloat(const OpContext& context, const ir::Tensor& output)
      : input_(context.input_index(0)),
        output_(context.output_index(0)),
        elements_(output.elements()),
        scale_(scale(output)),
        zero_point_(static_cast<float>(zero_point(output))) {}

  Status run(const Memory& memory) override {
    const float* input = memory.in<float>(input_);
    T* output = memory.out<T>(output_);
    constexpr float kMin = std::numeric_limits<T>::min(), kMax = std::numeric_limits<T>::max();
    for (std::int64_t i = 0; i < elements_; ++i) {
      // Exact: both terms are integers below 2^24 wherever the clamp lets the sum pass. NaN becomes the
      // minimum.
      const float steps = std::round(input[i] / scale_) + zero_point_;
      output[i] = static_cast<T>(steps > kMin ? std::min(steps, kMax) : kMin);
    }
    return {};
  }

 private:
  int input_, output_;
  std::int64_t elements_;
  float scale_, zero_point_;
};

template <class T>
class Dequantize : public PreparedOp {
 public:
  Dequantize(const OpContext& context, const ir::Tensor& input)
      : input_(context.input_index(0)),
        output_(context.output_index(0)),
        split_(split_at(input.shape, input.quant.per_channel() ? input.quant.axis : 0)),
        per_channel_(input.quant.per_channel()),
        scales_(input.quant.scale),
        zero_points_(input.quant.zero_point) {
    zero_points_.resize(scales_.size(), zero_point(input));
  }

  Status run(const Memory& memory) override {
    const T* input = memory.in<T>(input_);
    float* output = memory.out<float>(output_);
    for (std::int64_t outer = 0; outer < split_.outer; ++outer) {
      for (std::int64_t channel = 0; channel < split_.extent; ++channel) {
        const std::size_t q = per_channel_ ? static_cast<std::size_t>(channel) : 0;
        for (std::int64_t i = 0; i < split_.inner; ++i, ++input, ++output) {
          *output = value(*input, q);
        }
      }
    }
    return {};
  }

 private:
  // Per tensor the kernel multiplies in double precision, per channel in single; both round once to float, so
  // they are the same number: the product of a float and an integer of at most 17 bits is exact in double.
  float value(T element, std::size_t q) const {
    return static_cast<float>(static_cast<double>(scales_[q]) * (element - zero_points_[q]));
  }

  int input_, output_;
  AxisSplit split_;
  bool per_channel_;
  std::vector<float> scales_;
  std::vector<std::int32_t> zero_points_;
};

Prepared prepare_dequantize(const OpContext& context, const ir::Tensor& input, const ir::Tensor& output) {
  ZYNPU_TRY(context.expect_type(input, {ir::DataType::kInt8, ir::DataType::kUint8, ir::DataType::kInt16}));
  ZYNPU_TRY(context.expect_type(output, {ir::DataType::kFloat32}));
  if (input.quant.per_channel()) {
    const auto rank = static_cast<int>(input.shape.size());
    if (input.quant.axis < 0 || input.quant.axis >= rank ||
        static_cast<std::int64_t>(input.quant.scale.size()) !=
            input.shape[static_cast<std::size_t>(input.quant.axis)]) {
      return context.unsupported_tensor(input, "{} scales on dimension {} of shape {}",
                                        input.quant.scale.size(), input.quant.axis, to_string(input.shape));
    }
  } else {
    ZYNPU_TRY(context.expect_quantized(input));
  }
  if (input.type == ir::DataType::kInt16) return std::make_unique<Dequantize<std::int16_t>>(context, input);
  return with_byte_type(input.type, [&](auto element) -> Prepared {
    return std::make_unique<Dequantize<decltype(element)>>(context, input);
  });
}

}  // namespace

Result<ByteTable> requantize_table(const OpContext& context, const ir::Tensor& input,
                                   const ir::Tensor& output) {
  const QuantizedMultiplier q =
      quantize_multiplier(static_cast<double>(scale(input)) / static_cast<double>(scale(output)));
  ZYNPU_TRY(context.expect_multiplier(q, "input scale / output scale"));
  const bool in_unsigned = input.type == ir::DataType::kUint8,
             out_unsigned = output.type == ir::DataType::kUint8;
  const std::int32_t low = out_unsigned ? 0 : -128, high = out_unsigned ? 255 : 127;
  ByteTable table{};
  for (int byte = 0; byte < 256; ++byte) {
    const std::int32_t value = in_unsigned ? byte : static_cast<std::int8_t>(byte);
    const std::int32_t result =
        multiply_by_quantized_multiplier(value - zero_point(input), q) + zero_point(output);
    table[static_cast<std::size_t>(byte)] = static_cast<std::uint8_t>(std::clamp(result, low, high));
  }
  return table;
}

Prepared prepare_quantize(const OpContext& context) {
  ZYNPU_TRY(context.expect_input_count(1, 1));
  ZYNPU_TRY(context.expect_output_count(1));
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* input, context.input(0));
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* output, context.output(0));
  ZYNPU_TRY(context.expect_elements(*output, input->elements()));
  if (context.op().kind == ir::OpKind::kDequantize) return prepare_dequantize(context, *input, *output);

  ZYNPU_TRY(context.expect_quantized_bytes(*output));
  if (input->type == ir::DataType::kFloat32) {
    return with_byte_type(output->type, [&](auto element) -> Prepared {
      return std::make_unique<QuantizeFloat<decltype(element)>>(context, *output);
    });
  }
  return prepare_activation(context);  // from byte to byte: a table like theirs
}

}  // namespace zynpu::reference
