// SPDX-License-Identifier: MIT
#include "compiler/passes/fuse.h"

#include <algorithm>
#include <array>
#include <optional>

#include "compiler/passes/constants.h"
#include "compiler/passes/rewrite.h"

namespace zynpu::compiler {
namespace {

using K = ir::OpKind;

bool is_byte(ir::DataType type) { return type == ir::DataType::kInt8 || type == ir::DataType::kUint8; }

// Rows and columns that a PAD adds: top, bottom, left, right.
using Pads = std::array<std::int64_t, 4>;

std::optional<Pads> spatial_pads(const ir::Graph& graph, const ir::Op& op) {
  if (op.kind != K::kPad) return std::nullopt;
  const ir::Tensor& from = tensor_of(graph, op.inputs[0]);
  const ir::Tensor& to = tensor_of(graph, op.outputs[0]);
  // The padded positions hold the output's zero point; a convolution takes its own padding for the zero point
  // of its input. They are the same number only if PAD does not change the quantisation.
  if (from.shape.size() != 4 || !is_byte(from.type) || !same_quantization(from, to)) return std::nullopt;
  const auto pads = constant_integers(graph, op, 1);
  if (!pads || pads->size() != 8) return std::nullopt;
  const auto& p = *pads;
  if (p[0] != 0 || p[1] != 0 || p[6] != 0 || p[7] != 0) return std::nullopt;
  return Pads{p[2], p[3], p[4], p[5]};
}

// What SAME adds in front of and behind `extent`: the odd one goes behind.
struct Margins {
  std::int64_t before = 0, after = 0;
};
Margins same_margins(std::int64_t extent, std::int64_t filter, int stride, int dilation) {
  const std::int64_t outputs = (extent + stride - 1) / stride;
  const std::int64_t missing =
      std::max<std::int64_t>((outputs - 1) * stride + (filter - 1) * dilation + 1 - extent, 0);
  return {missing / 2, missing - missing / 2};
}

// The attributes of convolution `op` if it read the input of the PAD instead of its output. Positions outside
// of the input add (zero point - zero point) * weight = 0 to a convolution's sum, which is what the PAD's
// values add.
std::optional<ir::ConvAttributes> with_pads(const ir::Graph& graph, const ir::Op& op, int padded,
                                            const Pads& pads) {
  if ((op.kind != K::kConv2d && op.kind != K::kDepthwiseConv2d) || op.inputs[0] != padded)
    return std::nullopt;
  if (std::count(op.inputs.begin(), op.inputs.end(), padded) != 1) return std::nullopt;
  ir::ConvAttributes a = std::get<ir::ConvAttributes>(op.attributes);
  Margins rows{a.pad_top, a.pad_bottom}, columns{a.pad_left, a.pad_right};
  if (a.padding == ir::Padding::kSame) {
    const auto& shape = tensor_of(graph, padded).shape;
    const auto& filter = tensor_of(graph, op.inputs[1]).shape;
    rows = same_margins(shape[1], filter[1], a.stride_h, a.dilation_h);
    columns = same_margins(shape[2], filter[2], a.stride_w, a.dilation_w);
  }
  const std::array<std::int64_t, 4> sum = {pads[0] + rows.before, pads[1] + rows.after,
                                           pads[2] + columns.before, pads[3] + columns.after};
  constexpr std::int64_t kLimit = 1 << 15;  // as validate() has it
  if (std::any_of(sum.begin(), sum.end(), [](std::int64_t pad) { return pad > kLimit; })) return std::nullopt;
  a.padding = ir::Padding::kValid;
  a.pad_top = static_cast<int>(sum[0]);
  a.pad_bottom = static_cast<int>(sum[1]);
  a.pad_left = static_cast<int>(sum[2]);
  a.pad_right = static_cast<int>(sum[3]);
  return a;
}

void fuse_pads(ir::Graph& graph) {
  const Uses uses(graph);
  for (const ir::Op& pad : graph.ops) {
    const auto pads = spatial_pads(graph, pad);
    if (!pads) continue;
    const int padded = pad.outputs[0];
    const std::vector<int>& consumers = uses.consumers[static_cast<std::size_t>(padded)];
    if (consumers.empty() || uses.graph_output[static_cast<std::size_t>(padded)]) continue;
    // All or none: a PAD that stays for somebody else saves nothing.
    std::vector<ir::ConvAttributes> merged;
    for (const int consumer : consumers)
      if (const auto a = with_pads(graph, op_of(graph, consumer), padded, *pads)) merged.push_back(*a);
    if (merged.size() != consumers.size()) continue;
    const int source = pad.inputs[0];
    for (std::size_t i = 0; i < consumers.size(); ++i) {
      ir::Op& conv = op_of(graph, consumers[i]);
      conv.inputs[0] = source;
      conv.attributes = merged[i];
    }
  }
}

ir::Activation* activation_of(ir::Op& op) {
  switch (op.kind) {
    case K::kConv2d:
    case K::kDepthwiseConv2d:
      return &std::get<ir::ConvAttributes>(op.attributes).activation;
    case K::kFullyConnected:
      return &std::get<ir::FullyConnectedAttributes>(op.attributes).activation;
    case K::kAveragePool2d:
    case K::kMaxPool2d:
      return &std::get<ir::PoolAttributes>(op.attributes).activation;
    case K::kAdd:
    case K::kSub:
    case K::kMul:
      return &std::get<ir::ArithmeticAttributes>(op.attributes).activation;
    default:
      return nullptr;
  }
}

std::optional<ir::Activation> activation_for(K kind) {
  if (kind == K::kRelu) return ir::Activation::kRelu;
  if (kind == K::kRelu6) return ir::Activation::kRelu6;
  if (kind == K::kReluN1To1) return ir::Activation::kReluN1To1;
  return std::nullopt;
}

// With the same quantisation on both sides a RELU's rescaling has the multiplier 1 and is the identity, so
// that it only clamps to [zero point + round(low / scale), zero point + round(high / scale)], cut to the
// type: the very range that a fused activation clamps to. The producer's own clamp to the type, or to [zero
// point, ...] of a fused RELU, contains that range, so clamping once to the narrower one gives the same byte.
void fuse_relus(ir::Graph& graph) {
  const Uses uses(graph);
  std::vector<bool> gone(graph.ops.size());
  for (std::size_t i = 0; i < graph.ops.size(); ++i) {
    ir::Op& relu = graph.ops[i];
    const auto activation = activation_for(relu.kind);
    if (!activation) continue;
    const int between = relu.inputs[0];
    const int maker = uses.producer[static_cast<std::size_t>(between)];
    if (maker < 0 || gone[static_cast<std::size_t>(maker)] ||
        uses.graph_output[static_cast<std::size_t>(between)] ||
        uses.consumers[static_cast<std::size_t>(between)].size() != 1)
      continue;
    ir::Op& producer = op_of(graph, maker);
    ir::Activation* fused = activation_of(producer);
    if (fused == nullptr) continue;
    const bool narrows = *fused == ir::Activation::kNone || *fused == *activation ||
                         (*fused == ir::Activation::kRelu && *activation == ir::Activation::kRelu6);
    const ir::Tensor& from = tensor_of(graph, between);
    if (!narrows || !is_byte(from.type) || !same_quantization(from, tensor_of(graph, relu.outputs[0])))
      continue;
    *fused = *activation;
    producer.outputs[0] = relu.outputs[0];
    gone[i] = true;
  }
  remove_ops(graph, gone);
}

}  // namespace

void fuse(ir::Graph& graph) {
  fuse_pads(graph);
  fuse_relus(graph);
  remove_dead(graph);
}

}  // namespace zynpu::compiler
