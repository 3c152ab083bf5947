// SPDX-License-Identifier: MIT
// FlatBuffer to host plan. The FlatBuffers verifier guarantees that every offset stays inside; it permits
// many references to one place, so that a small file could unfold without end. A budget ends that: what has
// been taken may never exceed the size of the plan.
#include "graph/plan_code.h"
#include "graph/plan_enums.h"

namespace zynpu::graph {
namespace {

constexpr std::uint32_t kPlanVersion = 1;
constexpr flatbuffers::uoffset_t kMaxDepth = 16, kMaxTables = 4'000'000;

class Decoder {
 public:
  explicit Decoder(std::span<const std::uint8_t> bytes) : bytes_(bytes), budget_(bytes.size()) {}

  Result<HostPlan> run() {
    flatbuffers::Verifier verifier(bytes_.data(), bytes_.size(), kMaxDepth, kMaxTables);
    if (!fb::VerifyPlanBuffer(verifier)) return bad("plan: not a well-formed FlatBuffer of this schema");
    const fb::Plan& plan = *fb::GetPlan(bytes_.data());
    if (plan.version() != kPlanVersion)
      return fail(ErrorCode::kUnsupported, "plan.version: {}, this reader knows {}", plan.version(),
                  kPlanVersion);
    HostPlan result;
    if (plan.model() == nullptr) return bad("plan.model: missing");
    ZYNPU_ASSIGN_OR_RETURN(result.model, model(*plan.model(), "plan.model", 0));
    if (plan.steps() != nullptr)
      for (const fb::Step* from : *plan.steps()) {
        ZYNPU_TRY(spend(4, "plan.steps"));
        Step step{.npu = from->npu(), .graph = from->graph(), .ops = {}, .inputs = {}, .outputs = {}};
        ZYNPU_TRY(take(from->ops(), step.ops, "plan.steps.ops"));
        ZYNPU_TRY(take(from->inputs(), step.inputs, "plan.steps.inputs"));
        ZYNPU_TRY(take(from->outputs(), step.outputs, "plan.steps.outputs"));
        result.steps.push_back(std::move(step));
      }
    if (plan.source_map() != nullptr)
      for (const fb::SourceRange* range : *plan.source_map()) {
        ZYNPU_TRY(spend(sizeof(fb::SourceRange), "plan.source_map"));
        result.source_map.push_back({range->graph(), range->begin(), range->end(), range->op()});
      }
    if (plan.placements() != nullptr)
      for (const fb::Placement* from : *plan.placements()) {
        ZYNPU_TRY(spend(4, "plan.placements"));
        Placement placement{.op = from->op(),
                            .name = {},
                            .npu = from->npu(),
                            .reason = {},
                            .macs = from->macs(),
                            .predicted_cycles = from->predicted_cycles()};
        ZYNPU_TRY(take(from->name(), placement.name, "plan.placements.name"));
        ZYNPU_TRY(take(from->reason(), placement.reason, "plan.placements.reason"));
        result.placements.push_back(std::move(placement));
      }
    result.graphs.emplace_back();
    if (plan.graphs() != nullptr) ZYNPU_TRY(graphs(*plan.graphs(), result.graphs));
    return result;
  }

 private:
  template <class... Args>
  static tl::unexpected<Error> bad(fmt::format_string<Args...> format, Args&&... args) {
    return fail(ErrorCode::kBadFile, format, std::forward<Args>(args)...);
  }

  Status spend(std::uint64_t bytes, std::string_view what) {
    if (bytes > budget_) return bad("{}: the plan unfolds to more than its {} bytes", what, bytes_.size());
    budget_ -= bytes;
    return {};
  }

  template <class T>
  Status take(const flatbuffers::Vector<T>* from, std::vector<T>& to, std::string_view what) {
    if (from == nullptr) return {};
    ZYNPU_TRY(spend(std::uint64_t{from->size()} * sizeof(T), what));
    to.assign(from->begin(), from->end());
    return {};
  }
  Status take(const flatbuffers::String* from, std::string& to, std::string_view what) {
    if (from == nullptr) return {};
    ZYNPU_TRY(spend(from->size(), what));
    to.assign(from->c_str(), from->size());
    return {};
  }

  template <class Map, class Value>
  static auto number(const Map& map, Value value, std::string_view what)
      -> Result<typename std::remove_cvref_t<decltype(map.front())>::first_type> {
    if (const auto found = to_memory(map, value)) return *found;
    return bad("{}: {} is unknown", what, static_cast<unsigned>(value));
  }

  Status graphs(const flatbuffers::Vector<flatbuffers::Offset<fb::NestedGraph>>& from,
                std::vector<Graph>& to) {
    for (const fb::NestedGraph* nested : from) {
      const std::string what = fmt::format("plan.graphs[{}]", to.size());
      if (nested->file() == nullptr) return bad("{}: missing", what);
      ZYNPU_TRY(spend(nested->file()->size(), what));
      auto graph = read({nested->file()->data(), nested->file()->size()});
      if (!graph) return fail(graph.error().code, "{}: {}", what, graph.error().message);
      to.push_back(std::move(*graph));
    }
    return {};
  }

  Result<ir::Tensor> tensor(const fb::Tensor& from, std::string_view what) {
    ir::Tensor tensor;
    ZYNPU_TRY(take(from.name(), tensor.name, what));
    ZYNPU_ASSIGN_OR_RETURN(tensor.type, number(kDataTypes, from.type(), fmt::format("{}.type", what)));
    ZYNPU_TRY(take(from.shape(), tensor.shape, what));
    if (const fb::Quantization* quant = from.quant()) {
      ZYNPU_TRY(take(quant->scale(), tensor.quant.scale, what));
      ZYNPU_TRY(take(quant->zero_point(), tensor.quant.zero_point, what));
      tensor.quant.axis = quant->axis();
    }
    if (from.data() != nullptr) {
      ir::Bytes data;
      ZYNPU_TRY(take(from.data(), data, what));
      tensor.data = std::make_shared<const ir::Bytes>(std::move(data));
    }
    tensor.is_variable = from.is_variable();
    return tensor;
  }

  static Result<ir::Activation> activation(fb::Activation value, std::string_view what) {
    return number(kActivations, value, fmt::format("{}.activation", what));
  }
  static Result<ir::Padding> padding(fb::Padding value, std::string_view what) {
    return number(kPaddings, value, fmt::format("{}.padding", what));
  }

  Result<ir::Attributes> attributes(const fb::Op& op, std::string_view what) {
    // The verifier lets a tag through whose table is missing.
    if (op.attributes_type() != fb::Attributes::NONE && op.attributes() == nullptr)
      return bad("{}.attributes: missing", what);
    switch (op.attributes_type()) {
      case fb::Attributes::NONE:
        return ir::Attributes{};
      case fb::Attributes::ConvAttributes: {
        const fb::ConvAttributes& from = *op.attributes_as_ConvAttributes();
        ir::ConvAttributes to;
        ZYNPU_ASSIGN_OR_RETURN(to.padding, padding(from.padding(), what));
        ZYNPU_ASSIGN_OR_RETURN(to.activation, activation(from.activation(), what));
        to.stride_h = from.stride_h(), to.stride_w = from.stride_w();
        to.dilation_h = from.dilation_h(), to.dilation_w = from.dilation_w();
        to.depth_multiplier = from.depth_multiplier();
        to.pad_top = from.pad_top(), to.pad_bottom = from.pad_bottom();
        to.pad_left = from.pad_left(), to.pad_right = from.pad_right();
        to.from_uint8 = from.from_uint8();
        return to;
      }
      case fb::Attributes::PoolAttributes: {
        const fb::PoolAttributes& from = *op.attributes_as_PoolAttributes();
        ir::PoolAttributes to;
        ZYNPU_ASSIGN_OR_RETURN(to.padding, padding(from.padding(), what));
        ZYNPU_ASSIGN_OR_RETURN(to.activation, activation(from.activation(), what));
        to.stride_h = from.stride_h(), to.stride_w = from.stride_w();
        to.filter_h = from.filter_h(), to.filter_w = from.filter_w();
        return to;
      }
      case fb::Attributes::FullyConnectedAttributes: {
        const fb::FullyConnectedAttributes& from = *op.attributes_as_FullyConnectedAttributes();
        ZYNPU_ASSIGN_OR_RETURN(const auto value, activation(from.activation(), what));
        return ir::FullyConnectedAttributes{value, from.keep_num_dims()};
      }
      case fb::Attributes::ArithmeticAttributes: {
        ZYNPU_ASSIGN_OR_RETURN(const auto value,
                               activation(op.attributes_as_ArithmeticAttributes()->activation(), what));
        return ir::ArithmeticAttributes{value};
      }
      case fb::Attributes::MeanAttributes:
        return ir::MeanAttributes{op.attributes_as_MeanAttributes()->keep_dims()};
      case fb::Attributes::ConcatenationAttributes: {
        const fb::ConcatenationAttributes& from = *op.attributes_as_ConcatenationAttributes();
        ZYNPU_ASSIGN_OR_RETURN(const auto value, activation(from.activation(), what));
        return ir::ConcatenationAttributes{from.axis(), value};
      }
      case fb::Attributes::SoftmaxAttributes:
        return ir::SoftmaxAttributes{op.attributes_as_SoftmaxAttributes()->beta()};
      case fb::Attributes::ResizeAttributes: {
        const fb::ResizeAttributes& from = *op.attributes_as_ResizeAttributes();
        return ir::ResizeAttributes{from.align_corners(), from.half_pixel_centers()};
      }
      case fb::Attributes::SplitAttributes:
        return ir::SplitAttributes{op.attributes_as_SplitAttributes()->num_splits()};
      case fb::Attributes::StridedSliceAttributes: {
        const fb::StridedSliceAttributes& from = *op.attributes_as_StridedSliceAttributes();
        return ir::StridedSliceAttributes{from.begin_mask(), from.end_mask(), from.ellipsis_mask(),
                                          from.new_axis_mask(), from.shrink_axis_mask()};
      }
      case fb::Attributes::PackAttributes: {
        const fb::PackAttributes& from = *op.attributes_as_PackAttributes();
        return ir::PackAttributes{from.axis(), from.count()};
      }
      case fb::Attributes::SqueezeAttributes: {
        ir::SqueezeAttributes to;
        ZYNPU_TRY(take(op.attributes_as_SqueezeAttributes()->dims(), to.dims, what));
        return to;
      }
      case fb::Attributes::LstmAttributes: {
        const fb::LstmAttributes& from = *op.attributes_as_LstmAttributes();
        ir::LstmAttributes to;
        ZYNPU_ASSIGN_OR_RETURN(to.activation, activation(from.activation(), what));
        to.cell_clip = from.cell_clip(), to.projection_clip = from.projection_clip();
        to.time_major = from.time_major();
        to.hidden_scale = from.hidden_scale(), to.hidden_zero_point = from.hidden_zero_point();
        return to;
      }
      case fb::Attributes::VarHandleAttributes: {
        const fb::VarHandleAttributes& from = *op.attributes_as_VarHandleAttributes();
        ir::VarHandleAttributes to;
        ZYNPU_TRY(take(from.container(), to.container, what));
        ZYNPU_TRY(take(from.shared_name(), to.shared_name, what));
        return to;
      }
      case fb::Attributes::CallOnceAttributes:
        return ir::CallOnceAttributes{op.attributes_as_CallOnceAttributes()->subgraph()};
    }
    return bad("{}.attributes: type {} is unknown", what, static_cast<unsigned>(op.attributes_type()));
  }

  Result<ir::Graph> model(const fb::Model& from, const std::string& what,
                          int depth) {  // NOLINT(misc-no-recursion)
    ir::Graph graph;
    ZYNPU_TRY(take(from.name(), graph.name, what));
    if (from.tensors() != nullptr)
      for (const fb::Tensor* each : *from.tensors()) {
        ZYNPU_TRY(spend(4, what));
        ZYNPU_ASSIGN_OR_RETURN(auto to,
                               tensor(*each, fmt::format("{}.tensors[{}]", what, graph.tensors.size())));
        graph.tensors.push_back(std::move(to));
      }
    if (from.ops() != nullptr)
      for (const fb::Op* each : *from.ops()) {
        ZYNPU_TRY(spend(4, what));
        const std::string name = fmt::format("{}.ops[{}]", what, graph.ops.size());
        ir::Op op;
        ZYNPU_ASSIGN_OR_RETURN(op.kind, number(kOpKinds, each->kind(), name + ".kind"));
        ZYNPU_TRY(take(each->inputs(), op.inputs, name));
        ZYNPU_TRY(take(each->outputs(), op.outputs, name));
        ZYNPU_ASSIGN_OR_RETURN(op.attributes, attributes(*each, name));
        op.source = each->source();
        graph.ops.push_back(std::move(op));
      }
    ZYNPU_TRY(take(from.inputs(), graph.inputs, what));
    ZYNPU_TRY(take(from.outputs(), graph.outputs, what));
    if (from.subgraphs() != nullptr && from.subgraphs()->size() > 0) {
      if (depth > 0) return bad("{}.subgraphs: sub-graphs have none of their own", what);
      for (const fb::Model* each : *from.subgraphs()) {
        ZYNPU_TRY(spend(4, what));
        ZYNPU_ASSIGN_OR_RETURN(
            auto to, model(*each, fmt::format("{}.subgraphs[{}]", what, graph.subgraphs.size()), depth + 1));
        graph.subgraphs.push_back(std::move(to));
      }
    }
    return graph;
  }

  std::span<const std::uint8_t> bytes_;
  std::uint64_t budget_;
};

}  // namespace

Result<HostPlan> decode_plan(std::span<const std::uint8_t> bytes) { return Decoder(bytes).run(); }

}  // namespace zynpu::graph
