// SPDX-License-Identifier: MIT
#include "compiler/passes/dump.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "compiler/passes/constants.h"
#include "compiler/passes/describe.h"
#include "compiler/passes/rewrite.h"

namespace zynpu::compiler {
namespace {

std::string_view to_string(ir::Activation activation) {
  constexpr std::array<std::string_view, 6> kNames = {"none",  "relu", "relu_n1_to_1",
                                                      "relu6", "tanh", "sign_bit"};
  const auto index = static_cast<std::size_t>(activation);
  return index < kNames.size() ? kNames[index] : "unknown";
}
std::string_view to_string(ir::Padding padding) { return padding == ir::Padding::kSame ? "same" : "valid"; }

struct Describe {
  std::string operator()(const std::monostate&) const { return {}; }
  std::string operator()(const ir::ConvAttributes& a) const {
    std::string text = fmt::format("padding={} stride={}x{}", to_string(a.padding), a.stride_h, a.stride_w);
    if (a.dilation_h != 1 || a.dilation_w != 1)
      text += fmt::format(" dilation={}x{}", a.dilation_h, a.dilation_w);
    if (a.depth_multiplier != 1) text += fmt::format(" multiplier={}", a.depth_multiplier);
    if (a.pad_top != 0 || a.pad_bottom != 0 || a.pad_left != 0 || a.pad_right != 0)
      text += fmt::format(" pads=top {} bottom {} left {} right {}", a.pad_top, a.pad_bottom, a.pad_left,
                          a.pad_right);
    if (a.from_uint8) text += " from_uint8";
    return text + activation(a.activation);
  }
  std::string operator()(const ir::PoolAttributes& a) const {
    return fmt::format("padding={} filter={}x{} stride={}x{}", to_string(a.padding), a.filter_h, a.filter_w,
                       a.stride_h, a.stride_w) +
           activation(a.activation);
  }
  std::string operator()(const ir::FullyConnectedAttributes& a) const {
    return (a.keep_num_dims ? "keep_num_dims" : "") + activation(a.activation);
  }
  std::string operator()(const ir::ArithmeticAttributes& a) const { return activation(a.activation); }
  std::string operator()(const ir::MeanAttributes& a) const { return a.keep_dims ? "keep_dims" : ""; }
  std::string operator()(const ir::ConcatenationAttributes& a) const {
    return fmt::format("axis={}", a.axis) + activation(a.activation);
  }
  std::string operator()(const ir::SoftmaxAttributes& a) const { return fmt::format("beta={}", a.beta); }
  std::string operator()(const ir::ResizeAttributes& a) const {
    return a.align_corners ? "align_corners" : a.half_pixel_centers ? "half_pixel_centers" : "";
  }
  std::string operator()(const ir::SplitAttributes& a) const {
    return fmt::format("splits={}", a.num_splits);
  }
  std::string operator()(const ir::StridedSliceAttributes& a) const {
    return fmt::format("masks=begin {:#x} end {:#x} ellipsis {:#x} new_axis {:#x} shrink {:#x}", a.begin_mask,
                       a.end_mask, a.ellipsis_mask, a.new_axis_mask, a.shrink_axis_mask);
  }
  std::string operator()(const ir::PackAttributes& a) const {
    return fmt::format("axis={} count={}", a.axis, a.count);
  }
  std::string operator()(const ir::SqueezeAttributes& a) const { return fmt::format("dims={}", a.dims); }
  std::string operator()(const ir::LstmAttributes& a) const {
    return fmt::format("cell_clip={} projection_clip={} hidden={}{:+}", a.cell_clip, a.projection_clip,
                       a.hidden_scale, a.hidden_zero_point) +
           (a.time_major ? " time_major" : "") + activation(a.activation);
  }
  std::string operator()(const ir::VarHandleAttributes& a) const {
    return fmt::format("variable=`{}`", shortened(a.shared_name));
  }
  std::string operator()(const ir::CallOnceAttributes& a) const {
    return fmt::format("subgraph={}", a.subgraph);
  }

 private:
  static std::string activation(ir::Activation activation) {
    return activation == ir::Activation::kNone ? std::string()
                                               : fmt::format(" activation={}", to_string(activation));
  }
};

std::string quantisation(const ir::Quantization& q) {
  if (!q.present()) return {};
  if (!q.per_channel()) return fmt::format(" scale {} zero {}", q.scale[0], q.zero_point[0]);
  const auto [low, high] = std::minmax_element(q.scale.begin(), q.scale.end());
  const bool zero =
      std::all_of(q.zero_point.begin(), q.zero_point.end(), [](std::int32_t z) { return z == 0; });
  return fmt::format(" scale {}..{} ({} on axis {}) zero {}", *low, *high, q.scale.size(), q.axis,
                     zero ? "0" : "various");
}

std::string origin(const ir::Graph& graph, int index) {
  const ir::Tensor& t = tensor_of(graph, index);
  std::string text;
  if (t.is_constant()) {
    text = " constant";
    constexpr std::size_t kFew = 8;  // axes, shapes, paddings
    const auto values = constant_integers(graph, index);
    if (values && values->size() <= kFew) text += fmt::format(" {}", *values);
  }
  if (t.is_variable) text += " variable";
  if (std::find(graph.inputs.begin(), graph.inputs.end(), index) != graph.inputs.end()) text += " input";
  if (std::find(graph.outputs.begin(), graph.outputs.end(), index) != graph.outputs.end()) text += " output";
  return text;
}

std::string list(const std::vector<int>& tensors) {
  std::string text;
  for (const int t : tensors) {
    if (!text.empty()) text += ' ';
    text += t < 0 ? std::string("-") : fmt::format("%{}", t);
  }
  return text;
}

void dump_to(std::string& out, const ir::Graph& graph, std::string_view indent) {
  const auto to = std::back_inserter(out);
  fmt::format_to(to, "{}graph `{}`\n", indent, graph.name);
  for (std::size_t i = 0; i < graph.tensors.size(); ++i) {
    const ir::Tensor& t = graph.tensors[i];
    fmt::format_to(to, "{}  %{} `{}` {} {}{}{}\n", indent, i, shortened(t.name), ir::to_string(t.type),
                   describe_shape(t.shape), quantisation(t.quant), origin(graph, static_cast<int>(i)));
  }
  for (std::size_t i = 0; i < graph.ops.size(); ++i) {
    const ir::Op& op = graph.ops[i];
    const std::string attributes = std::visit(Describe{}, op.attributes);
    fmt::format_to(to, "{}  {}: {} = {}({}){}{}\n", indent, i, op.outputs.empty() ? "()" : list(op.outputs),
                   describe_op(graph, static_cast<int>(i)), list(op.inputs),
                   attributes.empty() || attributes[0] == ' ' ? "" : " ", attributes);
  }
}

}  // namespace

std::string dump(const ir::Graph& graph) {
  std::string out;
  dump_to(out, graph, "");
  for (const ir::Graph& body : graph.subgraphs) dump_to(out, body, "  ");
  return out;
}

std::string dump(const ir::Graph& graph, std::span<const graph::Step> steps,
                 std::span<const std::string> reasons) {
  std::string out;
  const auto to = std::back_inserter(out);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const graph::Step& step = steps[i];
    if (step.npu)
      fmt::format_to(to, "step {}: NPU graph {}, in {}, out {}\n", i, step.graph, list(step.inputs),
                     list(step.outputs));
    else
      fmt::format_to(to, "step {}: CPU\n", i);
    for (const int op : step.ops) {
      const std::string& reason = reasons[static_cast<std::size_t>(op)];
      fmt::format_to(to, "  {}: {}{}{}\n", op, describe_op(graph, op), reason.empty() ? "" : ": ", reason);
    }
  }
  return out;
}

}  // namespace zynpu::compiler
