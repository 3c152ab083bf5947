// SPDX-License-Identifier: MIT
#include "graph/dump.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace zynpu::graph {
namespace {

struct AttributeDump {
  std::string operator()(const std::monostate&) const { return "-"; }
  std::string operator()(const ir::ConvAttributes& a) const {
    // Taken apart so that a new field does not compile until it is dumped.
    const auto& [padding, stride_h, stride_w, dilation_h, dilation_w, multiplier, activation, top, bottom,
                 left, right, from_uint8] = a;
    return fmt::format("conv {} {}x{} {}x{} {} {} {} {} {} {} {}", static_cast<int>(padding), stride_h,
                       stride_w, dilation_h, dilation_w, multiplier, static_cast<int>(activation), top,
                       bottom, left, right, from_uint8);
  }
  std::string operator()(const ir::PoolAttributes& a) const {
    return fmt::format("pool {} {}x{} {}x{} {}", static_cast<int>(a.padding), a.stride_h, a.stride_w,
                       a.filter_h, a.filter_w, static_cast<int>(a.activation));
  }
  std::string operator()(const ir::FullyConnectedAttributes& a) const {
    return fmt::format("fc {} {}", static_cast<int>(a.activation), a.keep_num_dims);
  }
  std::string operator()(const ir::ArithmeticAttributes& a) const {
    return fmt::format("arith {}", static_cast<int>(a.activation));
  }
  std::string operator()(const ir::MeanAttributes& a) const { return fmt::format("mean {}", a.keep_dims); }
  std::string operator()(const ir::ConcatenationAttributes& a) const {
    return fmt::format("concat {} {}", a.axis, static_cast<int>(a.activation));
  }
  std::string operator()(const ir::SoftmaxAttributes& a) const { return fmt::format("softmax {}", a.beta); }
  std::string operator()(const ir::ResizeAttributes& a) const {
    return fmt::format("resize {} {}", a.align_corners, a.half_pixel_centers);
  }
  std::string operator()(const ir::SplitAttributes& a) const { return fmt::format("split {}", a.num_splits); }
  std::string operator()(const ir::StridedSliceAttributes& a) const {
    return fmt::format("slice {} {} {} {} {}", a.begin_mask, a.end_mask, a.ellipsis_mask, a.new_axis_mask,
                       a.shrink_axis_mask);
  }
  std::string operator()(const ir::PackAttributes& a) const {
    return fmt::format("pack {} {}", a.axis, a.count);
  }
  std::string operator()(const ir::SqueezeAttributes& a) const { return fmt::format("squeeze {}", a.dims); }
  std::string operator()(const ir::LstmAttributes& a) const {
    return fmt::format("lstm {} {} {} {} {} {}", static_cast<int>(a.activation), a.cell_clip,
                       a.projection_clip, a.time_major, a.hidden_scale, a.hidden_zero_point);
  }
  std::string operator()(const ir::VarHandleAttributes& a) const {
    return fmt::format("var `{}` `{}`", a.container, a.shared_name);
  }
  std::string operator()(const ir::CallOnceAttributes& a) const { return fmt::format("call {}", a.subgraph); }
};

std::string dump(const ir::Graph& graph) {
  std::string text = fmt::format("graph `{}` in {} out {}\n", graph.name, graph.inputs, graph.outputs);
  for (const ir::Tensor& t : graph.tensors) {
    text += fmt::format("tensor `{}` {} {} {} {} {} {} ", t.name, static_cast<int>(t.type), t.shape,
                        t.quant.scale, t.quant.zero_point, t.quant.axis, t.is_variable);
    text += t.data == nullptr ? "none\n" : fmt::format("{}\n", *t.data);
  }
  for (const ir::Op& op : graph.ops)
    text += fmt::format("op {} {} {} {} {}\n", static_cast<int>(op.kind), op.inputs, op.outputs, op.source,
                        std::visit(AttributeDump{}, op.attributes));
  for (const ir::Graph& subgraph : graph.subgraphs) text += "sub " + dump(subgraph);
  return text;
}

}  // namespace

std::string dump(const HostPlan& plan) {
  std::string text = dump(plan.model);
  for (const Step& s : plan.steps)
    text += fmt::format("step {} {} {} {} {}\n", s.npu, s.graph, s.ops, s.inputs, s.outputs);
  for (const SourceRange& r : plan.source_map)
    text += fmt::format("range {} {} {} {}\n", r.graph, r.begin, r.end, r.op);
  for (const Placement& p : plan.placements)
    text += fmt::format("place {} `{}` {} `{}` {} {}\n", p.op, p.name, p.npu, p.reason, p.macs,
                        p.predicted_cycles);
  return text;
}

}  // namespace zynpu::graph
