// SPDX-License-Identifier: MIT
#include "compiler/kernels/conv_problem.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace zynpu::compiler {
namespace {

Result<reference::Window> window_of_op(const ir::Graph& graph, const ir::Op& op, int index) {
  if (op.kind != ir::OpKind::kFullyConnected) return reference::window_of(graph, index);
  const ir::Tensor& weights = graph.tensors[static_cast<std::size_t>(op.inputs[1])];
  const ir::Tensor& input = graph.tensors[static_cast<std::size_t>(op.inputs[0])];
  reference::Window w;
  w.input_channels = weights.shape[1];
  w.output_channels = weights.shape[0];
  w.input_w = w.output_w = static_cast<int>(input.elements() / weights.shape[1]);
  return w;
}

// Pixels of 1x1 windows have no neighbours: one long row is easier to share and to tile.
void flatten(reference::Window& w) {
  if (w.filter_h != 1 || w.filter_w != 1 || w.stride_h != 1 || w.stride_w != 1 || w.pad_top != 0 ||
      w.pad_left != 0 || w.output_h != w.input_h || w.output_w != w.input_w)
    return;
  w.input_w = w.output_w = w.batches * w.input_h * w.input_w;
  w.input_h = w.output_h = w.batches = 1;
}

// One multiplier, no depth: CONV_2D with a single input channel in other words.
bool is_plain_conv(const ir::Op& op, const reference::Window& w) {
  return op.kind != ir::OpKind::kDepthwiseConv2d || w.input_channels == 1;
}

class WeightReader {
 public:
  WeightReader(const ir::Tensor& weights, bool channel_last)
      : weights_(weights), channel_last_(channel_last) {
    channels_ = channel_last ? weights.shape.back() : weights.shape.front();
    per_channel_ = static_cast<int>(weights.elements() / channels_);
  }
  int per_channel() const { return per_channel_; }

  // Element `i` of output channel `c`, minus its zero point.
  int at(int c, int i) const {
    const auto index = channel_last_ ? static_cast<std::size_t>(i) * channels_ + c
                                     : static_cast<std::size_t>(c) * per_channel_ + i;
    const std::uint8_t byte = (*weights_.data)[index];
    const int value = weights_.type == ir::DataType::kUint8 ? byte : static_cast<std::int8_t>(byte);
    const auto& zero_points = weights_.quant.zero_point;
    if (zero_points.empty()) return value;
    return value - zero_points[zero_points.size() == 1 ? 0 : static_cast<std::size_t>(c)];
  }

 private:
  const ir::Tensor& weights_;
  bool channel_last_;
  int channels_ = 0, per_channel_ = 0;
};

}  // namespace

Result<ConvProblem> make_conv_problem(const ir::Graph& graph, const ir::Op& op) {
  const auto index = static_cast<int>(&op - graph.ops.data());
  const auto tensor = [&](int i) -> const ir::Tensor& { return graph.tensors[static_cast<std::size_t>(i)]; };
  ConvProblem p;
  ZYNPU_ASSIGN_OR_RETURN(p.window, window_of_op(graph, op, index));
  p.depthwise = !is_plain_conv(op, p.window);
  flatten(p.window);
  p.input = op.inputs[0];
  p.output = op.outputs[0];
  p.unsigned_input = tensor(p.input).type == ir::DataType::kUint8;
  p.unsigned_output = tensor(p.output).type == ir::DataType::kUint8;
  const int input_shift = p.unsigned_input ? 128 : 0, output_shift = p.unsigned_output ? 128 : 0;
  p.input_zero_point = tensor(p.input).quant.zero_point[0] - input_shift;

  ir::Activation activation = ir::Activation::kNone;
  if (const auto* conv = std::get_if<ir::ConvAttributes>(&op.attributes)) activation = conv->activation;
  if (const auto* fc = std::get_if<ir::FullyConnectedAttributes>(&op.attributes)) activation = fc->activation;
  ZYNPU_ASSIGN_OR_RETURN(reference::ActivationRange range,
                         reference::activation_range(activation, tensor(p.output)));
  range.min -= output_shift;
  range.max -= output_shift;
  ZYNPU_ASSIGN_OR_RETURN(const auto multipliers, reference::output_multipliers(graph, index));

  const WeightReader weights(tensor(op.inputs[1]), op.kind == ir::OpKind::kDepthwiseConv2d);
  const auto channels = static_cast<std::size_t>(p.window.output_channels);
  const auto depth = static_cast<std::size_t>(weights.per_channel());
  const bool has_bias = op.inputs.size() > 2 && op.inputs[2] != ir::kAbsent;
  p.planes.assign(1, std::vector<std::int8_t>(channels * depth));
  for (std::size_t c = 0; c < channels; ++c) {
    std::int32_t bias = 0;
    if (has_bias) std::memcpy(&bias, tensor(op.inputs[2]).data->data() + 4 * c, 4);
    std::int64_t initial = bias, low = bias, high = bias, magnitude = 0;
    for (std::size_t i = 0; i < depth; ++i) {
      const int w = weights.at(static_cast<int>(c), static_cast<int>(i));
      const int first = std::clamp(w, -128, 127);
      p.planes[0][c * depth + i] = static_cast<std::int8_t>(first);
      if (first != w) {
        if (p.planes.size() == 1) p.planes.emplace_back(channels * depth);
        p.planes[1][c * depth + i] = static_cast<std::int8_t>(w - first);
      }
      const int a = (-128 - p.input_zero_point) * w, b = (127 - p.input_zero_point) * w;
      low += std::min(a, b);
      high += std::max(a, b);
      initial -= std::int64_t{p.input_zero_point} * w;
      magnitude += 128 * std::abs(w);
    }
    if (std::abs(initial) + magnitude > INT32_MAX)
      return fail(ErrorCode::kUnsupported, "channel {} sums up to {} in magnitude, more than int32 holds", c,
                  std::abs(initial) + magnitude);
    p.initial.push_back(static_cast<std::int32_t>(initial));
    p.requant.push_back(
        {multipliers[c], tensor(p.output).quant.zero_point[0] - output_shift, range, low, high});
  }
  return p;
}

}  // namespace zynpu::compiler
