// SPDX-License-Identifier: MIT
// CONV_2D (also grouped), and the geometry and requantisation that it shares with other weighted operators.
#include <algorithm>
#include <cmath>

#include "reference/window.h"

namespace zynpu::reference {
namespace {

struct AxisWindow {
  std::int64_t output = 0, pad = 0;
};

AxisWindow resolve_axis(std::int64_t input, std::int64_t filter, std::int64_t stride, std::int64_t dilation,
                        ir::Padding padding, std::int64_t pad_before, std::int64_t pad_after) {
  const std::int64_t extent = input + pad_before + pad_after;
  const std::int64_t reach = (filter - 1) * dilation + 1;
  AxisWindow axis;
  axis.output = padding == ir::Padding::kSame ? (extent + stride - 1) / stride
                                              : (extent < reach ? 0 : (extent - reach) / stride + 1);
  const std::int64_t missing = (axis.output - 1) * stride + reach - extent;
  axis.pad = pad_before + (padding == ir::Padding::kSame ? std::max<std::int64_t>(missing, 0) / 2 : 0);
  return axis;
}

template <class T>
std::uint32_t dot(const T* a, std::int32_t a_offset, const T* b, std::int32_t b_offset, std::int64_t count) {
  std::uint32_t sum = 0;  // modulo 2^32
  for (std::int64_t i = 0; i < count; ++i) {
    sum += static_cast<std::uint32_t>((a[i] + a_offset) * (b[i] + b_offset));
  }
  return sum;
}

template <class T>
class Conv : public PreparedOp {
 public:
  Conv(const OpContext& context, const WeightedOperands& operands, const Window& window, OutputStage stage)
      : input_(context.input_index(0)),
        weights_(context.input_index(1)),
        bias_(context.input_index(2)),
        output_(context.output_index(0)),
        input_offset_(-zero_point(*operands.input)),
        weights_offset_(-zero_point(*operands.weights)),
        group_channels_(operands.weights->shape[3]),
        window_(window),
        stage_(std::move(stage)) {}

  Status run(const Memory& memory) override {
    for_each_pixel(window_, memory.in<T>(input_), memory.out<T>(output_),
                   [&](const T* image, int y, int x, T* output) { pixel(memory, image, y, x, output); });
    return {};
  }

 private:
  void pixel(const Memory& memory, const T* image, int y, int x, T* output) const {
    const Window& w = window_;
    const std::int32_t* bias = memory.in_or_null<std::int32_t>(bias_);
    const T* filter = memory.in<T>(weights_);
    const int top = y * w.stride_h - w.pad_top, left = x * w.stride_w - w.pad_left;
    const Taps rows = taps_inside(top, w.dilation_h, w.filter_h, w.input_h);
    const Taps columns = taps_inside(left, w.dilation_w, w.filter_w, w.input_w);
    const std::int64_t filter_size = std::int64_t{w.filter_h} * w.filter_w * group_channels_;
    const int outputs_per_group = w.output_channels / (w.input_channels / group_channels_);
    // Neighbouring taps of one row lie side by side unless dilated or cut by groups.
    const bool contiguous = w.dilation_w == 1 && group_channels_ == w.input_channels;

    for (int channel = 0; channel < w.output_channels; ++channel, filter += filter_size) {
      const std::int64_t first = std::int64_t{channel / outputs_per_group} * group_channels_;
      std::uint32_t sum = bias == nullptr ? 0 : static_cast<std::uint32_t>(bias[channel]);
      for (int ky = rows.begin; ky < rows.end; ++ky) {
        const std::int64_t row = std::int64_t{top + ky * w.dilation_h} * w.input_w;
        for (int kx = columns.begin; kx < columns.end; ++kx) {
          const T* values = image + (row + left + kx * w.dilation_w) * w.input_channels + first;
          const T* taps = filter + (std::int64_t{ky} * w.filter_w + kx) * group_channels_;
          const std::int64_t count =
              contiguous ? std::int64_t{columns.end - kx} * group_channels_ : group_channels_;
          sum += dot(values, input_offset_, taps, weights_offset_, count);
          if (contiguous) break;
        }
      }
      output[channel] = static_cast<T>(stage_(sum, static_cast<std::size_t>(channel)));
    }
  }

  int input_, weights_, bias_, output_;
  std::int32_t input_offset_, weights_offset_;
  int group_channels_;  // input channels that one output channel sees
  Window window_;
  OutputStage stage_;
};

bool stands_for_uint8(const ir::Op& op) {
  const auto* attributes = std::get_if<ir::ConvAttributes>(&op.attributes);
  return attributes != nullptr && attributes->from_uint8;
}

bool keeps_legacy_multiplier(const OpContext& context, const WeightedOperands& operands) {
  return operands.input->type == ir::DataType::kUint8 || context.op().kind == ir::OpKind::kFullyConnected ||
         stands_for_uint8(context.op());
}

// Real multiplier of each channel. TFLite's 8-bit convolutions take the per-channel route for int8 (all in
// double precision) and the legacy one for uint8, as does FULLY_CONNECTED with weights per tensor: there the
// product of both scales is rounded to single precision first.
std::vector<double> real_multipliers(const OpContext& context, const WeightedOperands& operands,
                                     std::size_t channels) {
  const std::vector<float>& weight_scales = operands.weights->quant.scale;
  const double output_scale = scale(*operands.output);
  if (weight_scales.size() == 1 && keeps_legacy_multiplier(context, operands)) {
    const float product = scale(*operands.input) * weight_scales[0];
    return std::vector<double>(channels, static_cast<double>(product) / output_scale);
  }
  std::vector<double> multipliers(channels);
  for (std::size_t i = 0; i < channels; ++i) {
    const double weight_scale = weight_scales[weight_scales.size() == 1 ? 0 : i];
    multipliers[i] = static_cast<double>(scale(*operands.input)) * weight_scale / output_scale;
  }
  return multipliers;
}

}  // namespace

Result<Window> resolve_window(const OpContext& context) {
  const ir::OpKind kind = context.op().kind;
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* input, context.input(0));
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* output, context.output(0));
  ZYNPU_TRY(context.expect_rank(*input, 4));
  ZYNPU_TRY(context.expect_rank(*output, 4));
  Window w;
  w.batches = input->shape[0];
  w.input_h = input->shape[1];
  w.input_w = input->shape[2];
  w.input_channels = input->shape[3];
  w.output_channels = output->shape[3];

  ir::ConvAttributes a;
  if (kind == ir::OpKind::kConv2d || kind == ir::OpKind::kDepthwiseConv2d) {
    ZYNPU_ASSIGN_OR_RETURN(const ir::ConvAttributes* attributes, context.attributes<ir::ConvAttributes>());
    ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* weights, context.input(1));
    ZYNPU_TRY(context.expect_rank(*weights, 4));
    a = *attributes;
    w.filter_h = weights->shape[1];
    w.filter_w = weights->shape[2];
  } else if (kind == ir::OpKind::kAveragePool2d || kind == ir::OpKind::kMaxPool2d) {
    ZYNPU_ASSIGN_OR_RETURN(const ir::PoolAttributes* attributes, context.attributes<ir::PoolAttributes>());
    a.padding = attributes->padding;
    a.stride_h = attributes->stride_h;
    a.stride_w = attributes->stride_w;
    w.filter_h = attributes->filter_h;
    w.filter_w = attributes->filter_w;
  } else {
    return context.unsupported("it has no sliding window");
  }
  for (const int value : {a.stride_h, a.stride_w, a.dilation_h, a.dilation_w, w.filter_h, w.filter_w}) {
    constexpr int kMost = 1 << 20;  // keeps every coordinate within 32 bits
    if (value < 1 || value > kMost) {
      return context.unsupported("stride, dilation or filter extent {} is outside 1..{}", value, kMost);
    }
  }
  for (const int value : {a.pad_top, a.pad_bottom, a.pad_left, a.pad_right}) {
    constexpr int kMost = 1 << 20;
    if (value < 0 || value > kMost)
      return context.unsupported("explicit padding {} is outside 0..{}", value, kMost);
  }
  const AxisWindow vertical =
      resolve_axis(w.input_h, w.filter_h, a.stride_h, a.dilation_h, a.padding, a.pad_top, a.pad_bottom);
  const AxisWindow horizontal =
      resolve_axis(w.input_w, w.filter_w, a.stride_w, a.dilation_w, a.padding, a.pad_left, a.pad_right);
  constexpr std::int64_t kMostReach = std::int64_t{1} << 30;
  for (const auto& [axis, stride, filter, dilation] :
       {std::tuple{vertical, a.stride_h, w.filter_h, a.dilation_h},
        std::tuple{horizontal, a.stride_w, w.filter_w, a.dilation_w}}) {
    if (axis.output * stride > kMostReach || std::int64_t{filter} * dilation > kMostReach) {
      return context.unsupported("its window reaches beyond 2^30 elements");
    }
  }
  const std::int32_t expected[4] = {w.batches, static_cast<std::int32_t>(vertical.output),
                                    static_cast<std::int32_t>(horizontal.output), w.output_channels};
  ZYNPU_TRY(context.expect_shape(*output, expected));
  w.output_h = expected[1];
  w.output_w = expected[2];
  w.stride_h = a.stride_h;
  w.stride_w = a.stride_w;
  w.dilation_h = a.dilation_h;
  w.dilation_w = a.dilation_w;
  w.pad_top = static_cast<int>(vertical.pad);
  w.pad_left = static_cast<int>(horizontal.pad);
  return w;
}

Result<WeightedOperands> weighted_operands(const OpContext& context) {
  ZYNPU_TRY(context.expect_input_count(2, 3));
  ZYNPU_TRY(context.expect_output_count(1));
  WeightedOperands operands;
  ZYNPU_ASSIGN_OR_RETURN(operands.input, context.input(0));
  ZYNPU_ASSIGN_OR_RETURN(operands.weights, context.input(1));
  ZYNPU_ASSIGN_OR_RETURN(operands.bias, context.optional_input(2));
  ZYNPU_ASSIGN_OR_RETURN(operands.output, context.output(0));
  return operands;
}

Status check_weighted_operands(const OpContext& context, const WeightedOperands& operands, int channel_axis,
                               std::int32_t channels) {
  ZYNPU_TRY(context.expect_quantized_bytes(*operands.input));
  ZYNPU_TRY(context.expect_quantized_bytes(*operands.output));
  ZYNPU_TRY(context.expect_type(*operands.output, {operands.input->type}));
  ZYNPU_TRY(context.expect_type(*operands.weights, {operands.input->type}));
  const ir::Tensor& weights = *operands.weights;
  if (weights.quant.per_channel()) {
    if (weights.type != ir::DataType::kInt8) {
      return context.unsupported_tensor(weights, "uint8 weights quantised per channel");
    }
    if (weights.quant.axis != channel_axis ||
        static_cast<std::int64_t>(weights.quant.scale.size()) != channels) {
      return context.unsupported_tensor(weights, "{} scales on dimension {}, expected {} on dimension {}",
                                        weights.quant.scale.size(), weights.quant.axis, channels,
                                        channel_axis);
    }
    for (const float s : weights.quant.scale) {
      if (!std::isfinite(s) || s < 0)
        return context.unsupported_tensor(weights, "scale {} is not a number >= 0", s);
    }
  } else {
    ZYNPU_TRY(context.expect_quantized(weights));
  }
  // int8 weights are symmetric by TFLite's specification, and its convolutions do not even look at the zero
  // point. FULLY_CONNECTED does.
  const bool may_be_asymmetric =
      weights.type == ir::DataType::kUint8 ||
      (!weights.quant.per_channel() &&
       (context.op().kind == ir::OpKind::kFullyConnected || stands_for_uint8(context.op())));
  if (!may_be_asymmetric) {
    for (const std::int32_t z : weights.quant.zero_point) {
      if (z != 0) return context.unsupported_tensor(weights, "zero point {} of int8 weights, expected 0", z);
    }
  }
  if (operands.bias != nullptr) {
    ZYNPU_TRY(context.expect_type(*operands.bias, {ir::DataType::kInt32}));
    ZYNPU_TRY(context.expect_elements(*operands.bias, channels));
  }
  return {};
}

Result<std::vector<QuantizedMultiplier>> resolve_output_multipliers(const OpContext& context) {
  ZYNPU_ASSIGN_OR_RETURN(const WeightedOperands operands, weighted_operands(context));
  std::int32_t channels = 0;
  int axis = 0;
  switch (context.op().kind) {
    case ir::OpKind::kConv2d:
      ZYNPU_TRY(context.expect_rank(*operands.weights, 4));
      channels = operands.weights->shape[0];
      break;
    case ir::OpKind::kDepthwiseConv2d:
      ZYNPU_TRY(context.expect_rank(*operands.weights, 4));
      channels = operands.weights->shape[3];
      axis = 3;
      break;
    case ir::OpKind::kFullyConnected:
      ZYNPU_TRY(context.expect_rank(*operands.weights, 2));
      channels = operands.weights->shape[0];
      break;
    default:
      return context.unsupported("it has no weights");
  }
  ZYNPU_TRY(check_weighted_operands(context, operands, axis, channels));
  std::vector<QuantizedMultiplier> multipliers;
  for (const double real : real_multipliers(context, operands, static_cast<std::size_t>(channels))) {
    multipliers.push_back(quantize_multiplier(real));
    ZYNPU_TRY(context.expect_multiplier(multipliers.back(), "input scale * weight scale / output scale"));
  }
  return multipliers;
}

Result<OutputStage> output_stage(const OpContext& context, const ir::Tensor& output,
                                 ir::Activation activation) {
  OutputStage stage;
  ZYNPU_ASSIGN_OR_RETURN(stage.multipliers, resolve_output_multipliers(context));
  const Result<ActivationRange> range = activation_range(activation, output);
  if (!range) return context.unsupported("{}", range.error().message);
  stage.range = *range;
  stage.offset = zero_point(output);
  return stage;
}

Result<Window> window_of(const ir::Graph& graph, int index) {
  return resolve_window(OpContext(graph, graph.ops[static_cast<std::size_t>(index)], index));
}

Result<std::vector<QuantizedMultiplier>> output_multipliers(const ir::Graph& graph, int index) {
  return resolve_output_multipliers(OpContext(graph, graph.ops[static_cast<std::size_t>(index)], index));
}

Prepared prepare_conv(const OpContext& context) {
  ZYNPU_ASSIGN_OR_RETURN(const WeightedOperands operands, weighted_operands(context));
  ZYNPU_ASSIGN_OR_RETURN(const Window window, resolve_window(context));
  ZYNPU_ASSIGN_OR_RETURN(const ir::ConvAttributes* attributes, context.attributes<ir::ConvAttributes>());
  ZYNPU_ASSIGN_OR_RETURN(OutputStage stage, output_stage(context, *operands.output, attributes->activation));
  const std::int32_t group_channels = operands.weights->shape[3];
  if (operands.weights->shape[0] != window.output_channels) {
    return context.unsupported_tensor(*operands.output, "{} channels from {} filters", window.output_channels,
                                      operands.weights->shape[0]);
  }
  if (group_channels < 1 || window.input_channels % group_channels != 0 ||
      window.output_channels % (window.input_channels / group_channels) != 0) {
    return context.unsupported_tensor(*operands.weights,
                                      "filters of {} channels do not divide {} inputs, {} outputs",
                                      group_channels, window.input_channels, window.output_channels);
  }
  return with_byte_type(operands.input->type, [&](auto element) -> Prepared {
    return std::make_unique<Conv<decltype(element)>>(context, operands, window, std::move(stage));
  });
}

}  // namespace zynpu::reference
