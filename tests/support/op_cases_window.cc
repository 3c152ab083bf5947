// SPDX-License-Identifier: MIT
// Op cases with weights or a sliding window.
#include <algorithm>

#include "support/case_builder.h"

namespace zynpu::test {
namespace {

using ir::DataType;
using ir::OpKind;

struct Axis {
  int input = 1, filter = 1, stride = 1, dilation = 1, before = 0, after = 0, output = 1;
};

Axis make_axis(CaseBuilder& b, ir::Padding padding, int most_input, bool pool, bool explicit_padding) {
  Random& random = b.random;
  Axis axis;
  axis.filter = random.pick({1, 1, 2, 3, 3, 3, 4, 5, 7});
  axis.stride = random.pick({1, 1, 1, 2, 2, 3});
  axis.dilation = !pool && random.chance(20) ? random.pick({2, 3}) : 1;
  if (axis.dilation > 1 && random.chance(80)) axis.stride = 1;
  axis.input = std::min(b.extent(), most_input);
  if (explicit_padding) {
    axis.before = random.between(0, axis.filter);
    axis.after = random.between(0, axis.filter + 1);
  }
  const int extent = axis.input + axis.before + axis.after;
  // A VALID window must fit at least once.
  while ((axis.filter - 1) * axis.dilation + 1 > extent) {
    axis.dilation = 1;
    if (axis.filter > extent) axis.filter = extent;
  }
  const int reach = (axis.filter - 1) * axis.dilation + 1;
  axis.output = padding == ir::Padding::kSame ? (extent + axis.stride - 1) / axis.stride
                                              : (extent - reach) / axis.stride + 1;
  return axis;
}

std::string window_text(const Axis& v, const Axis& h, ir::Padding padding) {
  std::string text = " filter " + std::to_string(v.filter) + "x" + std::to_string(h.filter) + " stride " +
                     std::to_string(v.stride) + "x" + std::to_string(h.stride) + " dilation " +
                     std::to_string(v.dilation) + "x" + std::to_string(h.dilation) +
                     (padding == ir::Padding::kSame ? " SAME" : " VALID");
  if (v.before + v.after + h.before + h.after > 0) {
    text += " pads " + std::to_string(v.before) + "," + std::to_string(v.after) + "," +
            std::to_string(h.before) + "," + std::to_string(h.after);
  }
  return text;
}

// Weights [.. channels on `axis` ..], bias, and the output's scale such that results spread over the output's
// range, fall on few values, or saturate. `taps`: products in one sum.
void make_weights(CaseBuilder& b, Shape shape, int axis, int channels, double taps, Shape output_shape,
                  ir::Activation activation, bool explicit_padding = false) {
  Random& random = b.random;
  const bool is_unsigned = b.type == DataType::kUint8;
  const bool fully_connected = b.op().kind == OpKind::kFullyConnected;
  const int style = random.between(0, 9);  // 0: only the extremes, 1: small, else the whole range
  const auto scale = static_cast<float>(random.real(0.0005, 0.02));
  std::int32_t zero = is_unsigned ? random.pick({0, 1, 100, 128, 131, 255}) : 0;

  const int weights = b.add("weights", b.type, shape);
  std::int64_t count = 1;
  for (const std::int32_t extent : shape) count *= extent;
  std::vector<std::uint8_t> values(static_cast<std::size_t>(count));
  for (std::uint8_t& value : values) {
    const int v = style == 0   ? random.pick({-128, -127, 127})
                  : style == 1 ? random.between(-3, 3)
                               : random.between(-128, 127);
    value = static_cast<std::uint8_t>(is_unsigned ? v + 128 : v);
  }
  b.fill(weights, values);
  ir::Quantization& quant = b.tensor(weights).quant;
  quant.scale = {scale};
  quant.zero_point = {zero};
  if (!is_unsigned && !fully_connected && random.chance(75)) {
    quant.axis = axis;
    quant.scale.clear();
    quant.zero_point.assign(static_cast<std::size_t>(channels), 0);
    for (int i = 0; i < channels; ++i) {
      const double factor = random.chance(3) ? random.pick({1e-5, 1e-3, 20.0}) : random.real(0.3, 3.0);
      quant.scale.push_back(static_cast<float>(static_cast<double>(scale) * factor));
    }
  }
  b.op().inputs.push_back(weights);

  const double magnitude = style == 0 ? 127 : style == 1 ? 2 : 74;
  const double sum = std::sqrt(taps) * 90.0 * magnitude;  // of a typical accumulator
  // TFLite's quantised CONV_2D insists on a bias.
  const bool needs_bias = b.op().kind == OpKind::kConv2d && !explicit_padding;
  if (needs_bias || random.chance(85)) {
    const int bias = b.add("bias", DataType::kInt32, {channels});
    std::vector<std::int32_t> biases(static_cast<std::size_t>(channels));
    const int reach = static_cast<int>(std::min(sum * 2, 1e8)) + 1;
    const bool extreme = random.chance(5);
    for (std::int32_t& value : biases) value = random.between(-reach, reach) * (extreme ? 7 : 1);
    b.fill(bias, biases);
    b.tensor(bias).quant.scale = {b.tensor(b.c.graph.inputs[0]).quant.scale[0] * scale};
    b.tensor(bias).quant.zero_point = {0};
    b.op().inputs.push_back(bias);
  } else if (fully_connected && random.chance(50)) {
    b.op().inputs.push_back(ir::kAbsent);  // DEPTHWISE_CONV_2D wants an absent bias left out, not -1
  }
  const double spread = random.pick({0.5, 8.0, 40.0, 60.0, 60.0, 90.0, 400.0});
  double multiplier = spread / sum;
  if (random.chance(3)) multiplier = random.real(1.0, 3.0);  // a left shift
  const double input_scale = b.tensor(b.c.graph.inputs[0]).quant.scale[0];
  b.output(std::move(output_shape),
           {static_cast<float>(input_scale * static_cast<double>(scale) / multiplier), b.zero_point()});
  b.c.description += " weights " + text_of(shape) +
                     (b.tensor(weights).quant.per_channel() ? " per channel" : " per tensor") + " -> " +
                     text_of(b.tensor(b.op().outputs[0])) + " " + text_of(activation);
}

}  // namespace

void make_convolution(CaseBuilder& b, bool explicit_padding) {
  Random& random = b.random;
  const bool depthwise = b.op().kind == OpKind::kDepthwiseConv2d;
  ir::ConvAttributes a;
  a.padding = !explicit_padding && random.chance(55) ? ir::Padding::kSame : ir::Padding::kValid;
  a.activation = b.activation();
  int input_channels = b.channels();
  int output_channels = b.channels();
  if (depthwise) {
    a.depth_multiplier = random.chance(75) ? 1 : random.pick({2, 3, 4, 8});
    output_channels = input_channels * a.depth_multiplier;
  }
  const int most = input_channels * (depthwise ? a.depth_multiplier : 1) > 40 ? 13 : 33;
  const Axis v = make_axis(b, a.padding, most, false, explicit_padding);
  const Axis h = make_axis(b, a.padding, most, false, explicit_padding);
  if (!depthwise) {
    // Keeps a case below about two million multiplications.
    const double work = double{1} * v.output * h.output * v.filter * h.filter * input_channels;
    output_channels = std::max(1, static_cast<int>(std::min<double>(output_channels, 2e6 / work)));
  }
  a.stride_h = v.stride, a.stride_w = h.stride, a.dilation_h = v.dilation, a.dilation_w = h.dilation;
  a.pad_top = v.before, a.pad_bottom = v.after, a.pad_left = h.before, a.pad_right = h.after;
  b.op().attributes = a;
  const int batches = random.chance(10) ? 2 : 1;
  const int input = b.input({batches, v.input, h.input, input_channels}, {b.scale(), b.zero_point()});
  b.describe(text_of(b.tensor(input)) + window_text(v, h, a.padding));
  const double taps = double{1} * v.filter * h.filter * (depthwise ? 1 : input_channels);
  const Shape weights = depthwise ? Shape{1, v.filter, h.filter, output_channels}
                                  : Shape{output_channels, v.filter, h.filter, input_channels};
  make_weights(b, weights, depthwise ? 3 : 0, output_channels, taps,
               {batches, v.output, h.output, output_channels}, a.activation);
}

void make_fully_connected(CaseBuilder& b) {
  Random& random = b.random;
  ir::FullyConnectedAttributes a;
  a.activation = b.activation();
  const int depth = random.chance(30) ? random.pick({100, 127, 128, 129, 250, 256, 500, 1024}) : b.channels();
  const int outputs = random.chance(15) ? random.pick({100, 127, 128, 250}) : b.channels();
  const int rows = random.chance(70) ? 1 : random.pick({2, 3, 8, 9});
  Shape input_shape = {rows, depth}, output_shape = {rows, outputs};
  if (random.chance(20)) {
    a.keep_num_dims = true;
    input_shape = {1, rows, 1, depth};
    output_shape = {1, rows, 1, outputs};
  } else if (random.chance(15) && depth % 2 == 0) {
    input_shape = {rows, 2, depth / 2};
  }
  b.op().attributes = a;
  const int input = b.input(input_shape, {b.scale(), b.zero_point()});
  b.describe(text_of(b.tensor(input)));
  make_weights(b, {outputs, depth}, 0, outputs, depth, output_shape, a.activation);
}

void make_pool(CaseBuilder& b) {
  Random& random = b.random;
  ir::PoolAttributes a;
  a.padding = random.chance(50) ? ir::Padding::kSame : ir::Padding::kValid;
  a.activation = b.activation();
  Axis v = make_axis(b, a.padding, 33, true, false), h = make_axis(b, a.padding, 33, true, false);
  if (random.chance(25)) {  // global
    a.padding = ir::Padding::kValid;
    v = Axis{v.input, v.input, 1, 1, 0, 0, 1};
    h = Axis{h.input, h.input, 1, 1, 0, 0, 1};
  }
  a.filter_h = v.filter, a.filter_w = h.filter, a.stride_h = v.stride, a.stride_w = h.stride;
  b.op().attributes = a;
  const int batches = random.chance(10) ? 2 : 1, channels = b.channels();
  const float scale = b.scale();
  const std::int32_t zero = b.zero_point();
  const int input = b.input({batches, v.input, h.input, channels}, {scale, zero});
  b.output({batches, v.output, h.output, channels}, {scale, zero});
  b.describe(text_of(b.tensor(input)) + window_text(v, h, a.padding) + " " + text_of(a.activation));
}

}  // namespace zynpu::test
