// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "graph/plan_code.h"
#include "graph/plan_enums.h"

namespace zynpu::graph {
namespace {

// Device addresses have 32 bits; nothing larger can be an operand.
constexpr std::uint64_t kMaxTensorBytes = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t kMaxRank = 16;

template <class... Args>
tl::unexpected<Error> bad(fmt::format_string<Args...> format, Args&&... args) {
  return fail(ErrorCode::kBadFile, format, std::forward<Args>(args)...);
}

// The index of ir::Attributes that operators of this kind carry.
std::size_t attribute_index(ir::OpKind kind) {
  using ir::OpKind;
  const auto index_of = [](const ir::Attributes& attributes) { return attributes.index(); };
  switch (kind) {
    case OpKind::kConv2d:
    case OpKind::kDepthwiseConv2d:
      return index_of(ir::ConvAttributes{});
    case OpKind::kAveragePool2d:
    case OpKind::kMaxPool2d:
      return index_of(ir::PoolAttributes{});
    case OpKind::kFullyConnected:
      return index_of(ir::FullyConnectedAttributes{});
    case OpKind::kAdd:
    case OpKind::kSub:
    case OpKind::kMul:
      return index_of(ir::ArithmeticAttributes{});
    case OpKind::kMean:
      return index_of(ir::MeanAttributes{});
    case OpKind::kConcatenation:
      return index_of(ir::ConcatenationAttributes{});
    case OpKind::kSoftmax:
      return index_of(ir::SoftmaxAttributes{});
    case OpKind::kResizeNearestNeighbor:
    case OpKind::kResizeBilinear:
      return index_of(ir::ResizeAttributes{});
    case OpKind::kSplit:
      return index_of(ir::SplitAttributes{});
    case OpKind::kStridedSlice:
      return index_of(ir::StridedSliceAttributes{});
    case OpKind::kPack:
    case OpKind::kUnpack:
      return index_of(ir::PackAttributes{});
    case OpKind::kSqueeze:
      return index_of(ir::SqueezeAttributes{});
    case OpKind::kUnidirectionalSequenceLstm:
      return index_of(ir::LstmAttributes{});
    case OpKind::kVarHandle:
      return index_of(ir::VarHandleAttributes{});
    case OpKind::kCallOnce:
      return index_of(ir::CallOnceAttributes{});
    default:
      return index_of(std::monostate{});
  }
}

Status at_least(std::initializer_list<std::pair<std::string_view, int>> values, int minimum,
                std::string_view where) {
  for (const auto& [name, value] : values)
    if (value < minimum) return bad("{}.{}: {} is below {}", where, name, value, minimum);
  return {};
}

// Ranges that hold for every operator of the kind; what depends on shapes is checked by those who run the
// operator.
struct AttributeCheck {
  std::string_view where;
  std::size_t subgraphs;

  template <class Enum, class Map>
  Status known(const Map& map, Enum value, std::string_view name) const {
    if (to_file(map, value)) return {};
    return bad("{}.{}: {} is unknown", where, name, static_cast<unsigned>(value));
  }
  Status activation(ir::Activation value) const { return known(kActivations, value, "activation"); }
  Status finite(std::string_view name, float value) const {
    if (!std::isfinite(value)) return bad("{}.{}: not finite", where, name);
    return {};
  }

  Status operator()(const ir::ConvAttributes& a) const {
    ZYNPU_TRY(known(kPaddings, a.padding, "padding"));
    ZYNPU_TRY(activation(a.activation));
    ZYNPU_TRY(at_least({{"stride_h", a.stride_h},
                        {"stride_w", a.stride_w},
                        {"dilation_h", a.dilation_h},
                        {"dilation_w", a.dilation_w},
                        {"depth_multiplier", a.depth_multiplier}},
                       1, where));
    return at_least({{"pad_top", a.pad_top},
                     {"pad_bottom", a.pad_bottom},
                     {"pad_left", a.pad_left},
                     {"pad_right", a.pad_right}},
                    0, where);
  }
  Status operator()(const ir::PoolAttributes& a) const {
    ZYNPU_TRY(known(kPaddings, a.padding, "padding"));
    ZYNPU_TRY(activation(a.activation));
    return at_least({{"stride_h", a.stride_h},
                     {"stride_w", a.stride_w},
                     {"filter_h", a.filter_h},
                     {"filter_w", a.filter_w}},
                    1, where);
  }
  Status operator()(const ir::FullyConnectedAttributes& a) const { return activation(a.activation); }
  Status operator()(const ir::ArithmeticAttributes& a) const { return activation(a.activation); }
  Status operator()(const ir::ConcatenationAttributes& a) const { return activation(a.activation); }
  Status operator()(const ir::SoftmaxAttributes& a) const { return finite("beta", a.beta); }
  Status operator()(const ir::SplitAttributes& a) const {
    return at_least({{"num_splits", a.num_splits}}, 1, where);
  }
  Status operator()(const ir::PackAttributes& a) const { return at_least({{"count", a.count}}, 1, where); }
  Status operator()(const ir::LstmAttributes& a) const {
    ZYNPU_TRY(activation(a.activation));
    ZYNPU_TRY(finite("cell_clip", a.cell_clip));
    ZYNPU_TRY(finite("projection_clip", a.projection_clip));
    return finite("hidden_scale", a.hidden_scale);
  }
  Status operator()(const ir::CallOnceAttributes& a) const {
    if (a.subgraph < 0 || static_cast<std::size_t>(a.subgraph) >= subgraphs)
      return bad("{}.subgraph: {} of {}", where, a.subgraph, subgraphs);
    return {};
  }
  template <class Other>
  Status operator()(const Other&) const {  // no field has a wrong value
    return {};
  }
};

Status check_indices(const std::vector<int>& indices, std::size_t count, int minimum,
                     std::string_view where) {
  for (const int index : indices)
    if (index < minimum || index >= static_cast<std::int64_t>(count))
      return bad("{}: index {} of {}", where, index, count);
  return {};
}

Status check_quantization(const ir::Tensor& tensor, std::string_view where) {
  const ir::Quantization& quant = tensor.quant;
  if (quant.zero_point.size() != quant.scale.size())
    return bad("{}.quant: {} zero points for {} scales", where, quant.zero_point.size(), quant.scale.size());
  if (quant.per_channel()) {
    if (quant.axis < 0 || static_cast<std::size_t>(quant.axis) >= tensor.shape.size())
      return bad("{}.quant.axis: {} of rank {}", where, quant.axis, tensor.shape.size());
    const auto extent = static_cast<std::size_t>(tensor.shape[static_cast<std::size_t>(quant.axis)]);
    if (extent != quant.scale.size())
      return bad("{}.quant.scale: {} entries for {} channels", where, quant.scale.size(), extent);
  }
  for (const float scale : quant.scale)
    if (!std::isfinite(scale) || scale < 0) return bad("{}.quant.scale: {} is no scale", where, scale);
  std::pair<std::int64_t, std::int64_t> range = {std::numeric_limits<std::int32_t>::min(),
                                                 std::numeric_limits<std::int32_t>::max()};
  if (tensor.type == ir::DataType::kInt8) range = {-128, 127};
  if (tensor.type == ir::DataType::kUint8) range = {0, 255};
  if (tensor.type == ir::DataType::kInt16) range = {-32768, 32767};
  if (tensor.type == ir::DataType::kUint16) range = {0, 65535};
  for (const std::int32_t zero_point : quant.zero_point)
    if (zero_point < range.first || zero_point > range.second)
      return bad("{}.quant.zero_point: {} is no {}", where, zero_point, ir::to_string(tensor.type));
  return {};
}

Status check_tensor(const ir::Tensor& tensor, std::string_view where) {
  if (!to_file(kDataTypes, tensor.type))
    return bad("{}.type: {} is unknown", where, static_cast<unsigned>(tensor.type));
  if (tensor.shape.size() > kMaxRank)
    return bad("{}.shape: rank {} exceeds {}", where, tensor.shape.size(), kMaxRank);
  std::uint64_t bytes = ir::size_of(tensor.type);
  for (const std::int32_t extent : tensor.shape) {
    if (extent < 1) return bad("{}.shape: extent {} is not positive", where, extent);
    bytes *= static_cast<std::uint64_t>(extent);  // at most 2^32 * 2^31
    if (bytes > kMaxTensorBytes) return bad("{}.shape: more than {} bytes", where, kMaxTensorBytes);
  }
  if (tensor.data != nullptr && tensor.data->size() != bytes)
    return bad("{}.data: {} bytes for a shape of {} bytes", where, tensor.data->size(), bytes);
  return check_quantization(tensor, where);
}

Status check_model(const ir::Graph& model, std::size_t subgraphs, std::string_view where) {
  for (std::size_t i = 0; i < model.tensors.size(); ++i)
    ZYNPU_TRY(check_tensor(model.tensors[i], fmt::format("{}.tensors[{}]", where, i)));
  ZYNPU_TRY(check_indices(model.inputs, model.tensors.size(), 0, fmt::format("{}.inputs", where)));
  ZYNPU_TRY(check_indices(model.outputs, model.tensors.size(), 0, fmt::format("{}.outputs", where)));
  std::vector<bool> is_written(model.tensors.size());
  for (const int input : model.inputs) is_written[static_cast<std::size_t>(input)] = true;
  for (std::size_t i = 0; i < model.ops.size(); ++i) {
    const ir::Op& op = model.ops[i];
    const std::string name = fmt::format("{}.ops[{}]", where, i);
    if (!to_file(kOpKinds, op.kind))
      return bad("{}.kind: {} is unknown", name, static_cast<unsigned>(op.kind));
    ZYNPU_TRY(check_indices(op.inputs, model.tensors.size(), ir::kAbsent, name + ".inputs"));
    ZYNPU_TRY(check_indices(op.outputs, model.tensors.size(), 0, name + ".outputs"));
    for (const int output : op.outputs) {
      const auto index = static_cast<std::size_t>(output);
      if (model.tensors[index].is_constant()) return bad("{}.outputs: tensor {} is a constant", name, output);
      if (is_written[index])
        return bad("{}.outputs: tensor {} is an input or has another producer", name, output);
      is_written[index] = true;
    }
    if (op.attributes.index() != attribute_index(op.kind))
      return bad("{}.attributes: those of another operator than {}", name, ir::to_string(op.kind));
    ZYNPU_TRY(std::visit(AttributeCheck{name, subgraphs}, op.attributes));
  }
  return {};
}

class StepCheck {
 public:
  explicit StepCheck(const HostPlan& plan)
      : plan_(plan), is_available_(plan.model.tensors.size()), is_done_(plan.model.ops.size()) {
    for (std::size_t i = 0; i < is_available_.size(); ++i)
      is_available_[i] = plan.model.tensors[i].is_constant() || plan.model.tensors[i].is_variable;
    for (const int input : plan.model.inputs) is_available_[static_cast<std::size_t>(input)] = true;
    for (const Graph& graph : plan.graphs)
      pieces_.push_back({pieces(graph, SubSectionType::kInput), pieces(graph, SubSectionType::kOutput)});
  }

  Status run() {
    for (std::size_t i = 0; i < plan_.steps.size(); ++i)
      ZYNPU_TRY(step(plan_.steps[i], fmt::format("plan.steps[{}]", i)));
    return available(plan_.model.outputs, "plan.model.outputs");
  }

 private:
  Status available(const std::vector<int>& tensors, std::string_view where) const {
    for (const int tensor : tensors)
      if (tensor != ir::kAbsent && !is_available_[static_cast<std::size_t>(tensor)])
        return bad("{}: tensor {} has no value at that point", where, tensor);
    return {};
  }
  void provide(const std::vector<int>& tensors) {
    for (const int tensor : tensors) is_available_[static_cast<std::size_t>(tensor)] = true;
  }

  Status step(const Step& step, const std::string& where) {
    const std::size_t tensors = plan_.model.tensors.size();
    ZYNPU_TRY(check_indices(step.ops, plan_.model.ops.size(), 0, where + ".ops"));
    ZYNPU_TRY(check_indices(step.inputs, tensors, 0, where + ".inputs"));
    ZYNPU_TRY(check_indices(step.outputs, tensors, 0, where + ".outputs"));
    for (std::size_t i = 0; i < step.ops.size(); ++i) {
      if (i > 0 && step.ops[i] <= step.ops[i - 1])
        return bad("{}.ops: {} after {}", where, step.ops[i], step.ops[i - 1]);
      const auto op = static_cast<std::size_t>(step.ops[i]);
      if (is_done_[op]) return bad("{}.ops: {} stands in two steps", where, op);
      is_done_[op] = true;
    }
    return step.npu ? npu_step(step, where) : cpu_step(step, where);
  }

  Status cpu_step(const Step& step, const std::string& where) {
    if (step.graph != -1) return bad("{}.graph: {} on the CPU", where, step.graph);
    for (const int index : step.ops) {
      const ir::Op& op = plan_.model.ops[static_cast<std::size_t>(index)];
      ZYNPU_TRY(available(op.inputs, fmt::format("{}: plan.model.ops[{}].inputs", where, index)));
      provide(op.outputs);
    }
    return {};
  }

  Status npu_step(const Step& step, const std::string& where) {
    if (step.graph < 0 || static_cast<std::size_t>(step.graph) >= plan_.graphs.size())
      return bad("{}.graph: {} of {}", where, step.graph, plan_.graphs.size());
    const GraphPieces& graph = pieces_[static_cast<std::size_t>(step.graph)];
    ZYNPU_TRY(match(step.inputs, graph.inputs, where + ".inputs"));
    ZYNPU_TRY(match(step.outputs, graph.outputs, where + ".outputs"));
    ZYNPU_TRY(available(step.inputs, where + ".inputs"));
    for (const int output : step.outputs)
      if (plan_.model.tensors[static_cast<std::size_t>(output)].is_constant())
        return bad("{}.outputs: tensor {} is a constant", where, output);
    provide(step.outputs);
    return {};
  }

  // Bytes of a graph's inputs or outputs, by id. Ids are a permutation of 0..n-1.
  static std::vector<std::uint32_t> pieces(const Graph& graph, SubSectionType type) {
    std::vector<std::uint32_t> sizes;
    for (const Bss& bss : graph.bss)
      for (const ReuseSection& section : bss.reuse_sections)
        for (const SubSection& sub : section.sub_sections) {
          if (sub.type != type) continue;
          if (sub.id >= sizes.size()) sizes.resize(std::size_t{sub.id} + 1);
          sizes[sub.id] = sub.size;
        }
    return sizes;
  }

  // The tensors of a step against the inputs or outputs of its graph.
  Status match(const std::vector<int>& tensors, const std::vector<std::uint32_t>& sizes,
               std::string_view where) const {
    if (sizes.size() != tensors.size())
      return bad("{}: {} tensors, the graph has {}", where, tensors.size(), sizes.size());
    for (std::size_t id = 0; id < sizes.size(); ++id)
      if (const auto bytes = plan_.model.tensors[static_cast<std::size_t>(tensors[id])].bytes();
          bytes != sizes[id])
        return bad("{}: tensor {} has {} bytes, id {} of the graph {}", where, tensors[id], bytes, id,
                   sizes[id]);
    return {};
  }

  struct GraphPieces {
    std::vector<std::uint32_t> inputs, outputs;
  };

  const HostPlan& plan_;
  std::vector<GraphPieces> pieces_;
  std::vector<bool> is_available_, is_done_;
};

Status check_source_map(const HostPlan& plan) {
  std::vector<std::uint32_t> end(plan.graphs.size());
  for (std::size_t i = 0; i < plan.source_map.size(); ++i) {
    const SourceRange& range = plan.source_map[i];
    const std::string where = fmt::format("plan.source_map[{}]", i);
    if (range.graph < 0 || static_cast<std::size_t>(range.graph) >= plan.graphs.size())
      return bad("{}.graph: {} of {}", where, range.graph, plan.graphs.size());
    const auto graph = static_cast<std::size_t>(range.graph);
    if (range.op < -1 || range.op >= static_cast<std::int64_t>(plan.model.ops.size()))
      return bad("{}.op: {} of {}", where, range.op, plan.model.ops.size());
    if (range.begin >= range.end || range.end > plan.graphs[graph].text.size())
      return bad("{}: {}..{} is no range of a text of {} bytes", where, range.begin, range.end,
                 plan.graphs[graph].text.size());
    if (range.begin < end[graph])
      return bad("{}.begin: {} is below the {} before it", where, range.begin, end[graph]);
    end[graph] = range.end;
  }
  return {};
}

Status check_placements(const HostPlan& plan) {
  for (std::size_t i = 0; i < plan.placements.size(); ++i) {
    const Placement& placement = plan.placements[i];
    if (placement.op < 0 || static_cast<std::size_t>(placement.op) >= plan.model.ops.size())
      return bad("plan.placements[{}].op: {} of {}", i, placement.op, plan.model.ops.size());
    if (placement.macs < 0) return bad("plan.placements[{}].macs: {}", i, placement.macs);
  }
  return {};
}

}  // namespace

Status check_plan(const HostPlan& plan) {
  const std::size_t subgraphs = plan.model.subgraphs.size();
  ZYNPU_TRY(check_model(plan.model, subgraphs, "plan.model"));
  for (std::size_t i = 0; i < subgraphs; ++i) {
    const std::string where = fmt::format("plan.model.subgraphs[{}]", i);
    if (!plan.model.subgraphs[i].subgraphs.empty())
      return bad("{}.subgraphs: sub-graphs have none of their own", where);
    // Index 0: inside a sub-graph nothing can be called.
    ZYNPU_TRY(check_model(plan.model.subgraphs[i], 0, where));
  }
  for (std::size_t i = 0; i < plan.graphs.size(); ++i) {
    if (!plan.graphs[i].plan.empty())
      return bad("plan.graphs[{}].plan: only the container may carry a plan", i);
    if (plan.graphs[i].device_word != plan.graphs[0].device_word)
      return bad("plan.graphs[{}].device_word: {:#010x} differs from the first graph's {:#010x}", i,
                 plan.graphs[i].device_word, plan.graphs[0].device_word);
  }
  ZYNPU_TRY(check_source_map(plan));
  ZYNPU_TRY(check_placements(plan));
  return StepCheck(plan).run();
}

}  // namespace zynpu::graph
