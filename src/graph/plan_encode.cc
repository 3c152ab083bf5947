// SPDX-License-Identifier: MIT
// Host plan to FlatBuffer. Structures are taken apart by structured bindings on purpose: a field that is
// added to the operator graph and not stored here does not compile.
#include <algorithm>

#include "graph/plan_code.h"
#include "graph/plan_enums.h"

namespace zynpu::graph {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

constexpr std::uint32_t kPlanVersion = 1;

class Encoder {
 public:
  Result<Bytes> run(const HostPlan& plan, std::span<const Bytes> nested) {
    builder_.ForceDefaults(true);  // a -0.0 equals the default 0.0, and would come back as that
    const auto model = encode(plan.model);
    std::vector<Offset<fb::Step>> steps;
    for (const Step& step : plan.steps) {
      const auto& [npu, graph, ops, inputs, outputs] = step;
      const auto fb_ops = builder_.CreateVector(ops), fb_inputs = builder_.CreateVector(inputs),
                 fb_outputs = builder_.CreateVector(outputs);
      steps.push_back(fb::CreateStep(builder_, npu, graph, fb_ops, fb_inputs, fb_outputs));
    }
    std::vector<fb::SourceRange> ranges;
    for (const auto& [graph, begin, end, op] : plan.source_map) ranges.emplace_back(graph, begin, end, op);
    std::vector<Offset<fb::Placement>> placements;
    for (const Placement& placement : plan.placements) {
      const auto& [op, name, npu, reason, macs, cycles] = placement;
      const auto fb_name = builder_.CreateString(name), fb_reason = builder_.CreateString(reason);
      placements.push_back(fb::CreatePlacement(builder_, op, fb_name, npu, fb_reason, macs, cycles));
    }
    std::vector<Offset<fb::NestedGraph>> graphs;
    for (const Bytes& file : nested)
      graphs.push_back(fb::CreateNestedGraph(builder_, builder_.CreateVector(file)));
    const auto fb_steps = builder_.CreateVector(steps);
    const auto fb_ranges = builder_.CreateVectorOfStructs(ranges);
    const auto fb_placements = builder_.CreateVector(placements);
    const auto fb_graphs = builder_.CreateVector(graphs);
    builder_.Finish(
        fb::CreatePlan(builder_, kPlanVersion, model, fb_steps, fb_ranges, fb_placements, fb_graphs),
        fb::PlanIdentifier());
    return Bytes(builder_.GetBufferPointer(), builder_.GetBufferPointer() + builder_.GetSize());
  }

 private:
  // check_plan() has refused values that have no number in files.
  template <class Map, class Value>
  static auto number(const Map& map, Value value) {
    return to_file(map, value).value();
  }
  static fb::Activation number(ir::Activation activation) { return number(kActivations, activation); }
  static fb::Padding number(ir::Padding padding) { return number(kPaddings, padding); }

  Offset<fb::Tensor> encode(const ir::Tensor& tensor) {
    const auto& [name, type, shape, quant, data, is_variable] = tensor;
    const auto& [scale, zero_point, axis] = quant;
    const auto fb_name = builder_.CreateString(name);
    const auto fb_shape = builder_.CreateVector(shape);
    Offset<fb::Quantization> fb_quant;
    if (!scale.empty() || !zero_point.empty() || axis != 0) {
      const auto fb_scale = builder_.CreateVector(scale);
      const auto fb_zero_point = builder_.CreateVector(zero_point);
      fb_quant = fb::CreateQuantization(builder_, fb_scale, fb_zero_point, axis);
    }
    Offset<flatbuffers::Vector<std::uint8_t>> fb_data;
    if (data != nullptr) fb_data = builder_.CreateVector(*data);
    return fb::CreateTensor(builder_, fb_name, number(kDataTypes, type), fb_shape, fb_quant, fb_data,
                            is_variable);
  }

  using Tagged = std::pair<fb::Attributes, Offset<void>>;

  Tagged encode(const std::monostate&) { return {fb::Attributes::NONE, {}}; }
  Tagged encode(const ir::ConvAttributes& attributes) {
    const auto& [padding, stride_h, stride_w, dilation_h, dilation_w, depth_multiplier, activation, top,
                 bottom, left, right, from_uint8] = attributes;
    return {
        fb::Attributes::ConvAttributes,
        fb::CreateConvAttributes(builder_, number(padding), stride_h, stride_w, dilation_h, dilation_w,
                                 depth_multiplier, number(activation), top, bottom, left, right, from_uint8)
            .Union()};
  }
  Tagged encode(const ir::PoolAttributes& attributes) {
    const auto& [padding, stride_h, stride_w, filter_h, filter_w, activation] = attributes;
    return {fb::Attributes::PoolAttributes,
            fb::CreatePoolAttributes(builder_, number(padding), stride_h, stride_w, filter_h, filter_w,
                                     number(activation))
                .Union()};
  }
  Tagged encode(const ir::FullyConnectedAttributes& attributes) {
    const auto& [activation, keep_num_dims] = attributes;
    return {fb::Attributes::FullyConnectedAttributes,
            fb::CreateFullyConnectedAttributes(builder_, number(activation), keep_num_dims).Union()};
  }
  Tagged encode(const ir::ArithmeticAttributes& attributes) {
    const auto& [activation] = attributes;
    return {fb::Attributes::ArithmeticAttributes,
            fb::CreateArithmeticAttributes(builder_, number(activation)).Union()};
  }
  Tagged encode(const ir::MeanAttributes& attributes) {
    const auto& [keep_dims] = attributes;
    return {fb::Attributes::MeanAttributes, fb::CreateMeanAttributes(builder_, keep_dims).Union()};
  }
  Tagged encode(const ir::ConcatenationAttributes& attributes) {
    const auto& [axis, activation] = attributes;
    return {fb::Attributes::ConcatenationAttributes,
            fb::CreateConcatenationAttributes(builder_, axis, number(activation)).Union()};
  }
  Tagged encode(const ir::SoftmaxAttributes& attributes) {
    const auto& [beta] = attributes;
    return {fb::Attributes::SoftmaxAttributes, fb::CreateSoftmaxAttributes(builder_, beta).Union()};
  }
  Tagged encode(const ir::ResizeAttributes& attributes) {
    const auto& [align_corners, half_pixel_centers] = attributes;
    return {fb::Attributes::ResizeAttributes,
            fb::CreateResizeAttributes(builder_, align_corners, half_pixel_centers).Union()};
  }
  Tagged encode(const ir::SplitAttributes& attributes) {
    const auto& [num_splits] = attributes;
    return {fb::Attributes::SplitAttributes, fb::CreateSplitAttributes(builder_, num_splits).Union()};
  }
  Tagged encode(const ir::StridedSliceAttributes& attributes) {
    const auto& [begin, end, ellipsis, new_axis, shrink_axis] = attributes;
    return {fb::Attributes::StridedSliceAttributes,
            fb::CreateStridedSliceAttributes(builder_, begin, end, ellipsis, new_axis, shrink_axis).Union()};
  }
  Tagged encode(const ir::PackAttributes& attributes) {
    const auto& [axis, count] = attributes;
    return {fb::Attributes::PackAttributes, fb::CreatePackAttributes(builder_, axis, count).Union()};
  }
  Tagged encode(const ir::SqueezeAttributes& attributes) {
    const auto& [dims] = attributes;
    const auto fb_dims = builder_.CreateVector(dims);
    return {fb::Attributes::SqueezeAttributes, fb::CreateSqueezeAttributes(builder_, fb_dims).Union()};
  }
  Tagged encode(const ir::LstmAttributes& attributes) {
    const auto& [activation, cell_clip, projection_clip, time_major, hidden_scale, hidden_zero_point] =
        attributes;
    return {fb::Attributes::LstmAttributes,
            fb::CreateLstmAttributes(builder_, number(activation), cell_clip, projection_clip, time_major,
                                     hidden_scale, hidden_zero_point)
                .Union()};
  }
  Tagged encode(const ir::VarHandleAttributes& attributes) {
    const auto& [container, shared_name] = attributes;
    const auto fb_container = builder_.CreateString(container), fb_name = builder_.CreateString(shared_name);
    return {fb::Attributes::VarHandleAttributes,
            fb::CreateVarHandleAttributes(builder_, fb_container, fb_name).Union()};
  }
  Tagged encode(const ir::CallOnceAttributes& attributes) {
    const auto& [subgraph] = attributes;
    return {fb::Attributes::CallOnceAttributes, fb::CreateCallOnceAttributes(builder_, subgraph).Union()};
  }

  Offset<fb::Op> encode(const ir::Op& op) {
    const auto& [kind, inputs, outputs, attributes, source] = op;
    const auto [tag, value] = std::visit([this](const auto& each) { return encode(each); }, attributes);
    const auto fb_inputs = builder_.CreateVector(inputs), fb_outputs = builder_.CreateVector(outputs);
    return fb::CreateOp(builder_, number(kOpKinds, kind), fb_inputs, fb_outputs, tag, value, source);
  }

  // check_plan() has refused a second level, so that the recursion ends.
  Offset<fb::Model> encode(const ir::Graph& graph) {  // NOLINT(misc-no-recursion)
    const auto& [name, tensors, ops, inputs, outputs, subgraphs] = graph;
    const auto fb_name = builder_.CreateString(name);
    std::vector<Offset<fb::Tensor>> fb_tensors;
    for (const ir::Tensor& tensor : tensors) fb_tensors.push_back(encode(tensor));
    std::vector<Offset<fb::Op>> fb_ops;
    for (const ir::Op& op : ops) fb_ops.push_back(encode(op));
    std::vector<Offset<fb::Model>> fb_subgraphs;
    for (const ir::Graph& subgraph : subgraphs) fb_subgraphs.push_back(encode(subgraph));
    const auto tensor_vector = builder_.CreateVector(fb_tensors);
    const auto op_vector = builder_.CreateVector(fb_ops);
    const auto fb_inputs = builder_.CreateVector(inputs), fb_outputs = builder_.CreateVector(outputs);
    const auto subgraph_vector = builder_.CreateVector(fb_subgraphs);
    return fb::CreateModel(builder_, fb_name, tensor_vector, op_vector, fb_inputs, fb_outputs,
                           subgraph_vector);
  }

  FlatBufferBuilder builder_;
};

}  // namespace

Result<Bytes> encode_plan(const HostPlan& plan, std::span<const Bytes> nested) {
  // A FlatBuffer ends at 2 GiB; its builder only asserts that. Constants and nested graphs make up its size.
  std::uint64_t bytes = 0;
  const auto add = [&bytes](const ir::Graph& model) {
    for (const ir::Tensor& tensor : model.tensors) {
      bytes += 256 + tensor.name.size() + 8 * tensor.quant.scale.size();
      if (tensor.data != nullptr) bytes += tensor.data->size();
    }
    for (const ir::Op& op : model.ops) bytes += 512 + 4 * (op.inputs.size() + op.outputs.size());
  };
  add(plan.model);
  for (const ir::Graph& subgraph : plan.model.subgraphs) add(subgraph);
  for (const Bytes& file : nested) bytes += file.size();
  constexpr std::uint64_t kLimit = std::uint64_t{3} << 29;
  if (bytes > kLimit)
    return fail(ErrorCode::kInvalidArgument, "constants and nested graphs have {} bytes, a plan holds {}",
                bytes, kLimit);
  return Encoder().run(plan, nested);
}

}  // namespace zynpu::graph
