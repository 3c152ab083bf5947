// SPDX-License-Identifier: MIT
#include "graph/plan.h"

#include "graph/plan_code.h"

namespace zynpu::graph {
namespace {

// The operator graph has fewer types; the others are shown as bytes.
ir::DataType model_type(const SubSection& sub) {
  ir::DataType type = ir::DataType::kUint8;
  switch (static_cast<FileDataType>(sub.data_type)) {
    case FileDataType::kBool:
      type = ir::DataType::kBool;
      break;
    case FileDataType::kS8:
      type = ir::DataType::kInt8;
      break;
    case FileDataType::kU16:
      type = ir::DataType::kUint16;
      break;
    case FileDataType::kS16:
      type = ir::DataType::kInt16;
      break;
    case FileDataType::kU32:
      type = ir::DataType::kUint32;
      break;
    case FileDataType::kS32:
      type = ir::DataType::kInt32;
      break;
    case FileDataType::kS64:
      type = ir::DataType::kInt64;
      break;
    case FileDataType::kF32:
      type = ir::DataType::kFloat32;
      break;
    default:
      break;
  }
  return sub.size % ir::size_of(type) == 0 ? type : ir::DataType::kUint8;
}

Result<ir::Tensor> model_tensor(const SubSection& sub, std::string_view kind) {
  if (sub.size == 0) return fail(ErrorCode::kUnsupported, "{} {} of the graph has no bytes", kind, sub.id);
  ir::Tensor tensor;
  tensor.name = fmt::format("{}{}", kind, sub.id);
  tensor.type = model_type(sub);
  const std::size_t elements = sub.size / ir::size_of(tensor.type);
  if (elements > INT32_MAX)
    return fail(ErrorCode::kUnsupported, "{} {} has {} elements", kind, sub.id, elements);
  tensor.shape = {static_cast<std::int32_t>(elements)};
  const bool is_integer = tensor.type == ir::DataType::kInt8 || tensor.type == ir::DataType::kUint8 ||
                          tensor.type == ir::DataType::kInt16 || tensor.type == ir::DataType::kUint16;
  if (is_integer && sub.scale > 0)
    tensor.quant = {.scale = {sub.scale}, .zero_point = {sub.zero_point}, .axis = 0};
  return tensor;
}

// The plan of a graph from another compiler: start it, and that is all.
Result<HostPlan> plain_plan(Graph graph) {
  HostPlan plan;
  Step step{.npu = true, .graph = 0, .ops = {}, .inputs = {}, .outputs = {}};
  for (const bool output : {false, true}) {
    std::vector<const SubSection*> subs;
    for (const Bss& bss : graph.bss)
      for (const ReuseSection& section : bss.reuse_sections)
        for (const SubSection& sub : section.sub_sections)
          if (sub.type == (output ? SubSectionType::kOutput : SubSectionType::kInput)) subs.push_back(&sub);
    auto& tensors = output ? step.outputs : step.inputs;
    tensors.resize(subs.size());
    for (const SubSection* sub : subs) {
      ZYNPU_ASSIGN_OR_RETURN(auto tensor, model_tensor(*sub, output ? "output" : "input"));
      tensors[sub->id] = static_cast<int>(plan.model.tensors.size());  // ids are a permutation of 0..n-1
      plan.model.tensors.push_back(std::move(tensor));
    }
    (output ? plan.model.outputs : plan.model.inputs) = tensors;
  }
  plan.steps.push_back(std::move(step));
  plan.graphs.push_back(std::move(graph));
  return plan;
}

}  // namespace

Result<Bytes> write_model(const HostPlan& plan) {
  if (plan.graphs.empty())
    return fail(ErrorCode::kInvalidArgument,
                "the model has nothing for the NPU, so there is no container that could carry it");
  for (std::size_t i = 0; i < plan.graphs.size(); ++i)
    if (auto status = validate(plan.graphs[i]); !status)
      return fail(ErrorCode::kInvalidArgument, "cannot write the model: plan.graphs[{}]: {}", i,
                  status.error().message);
  if (auto status = check_plan(plan); !status)
    return fail(ErrorCode::kInvalidArgument, "cannot write the model: {}", status.error().message);
  std::vector<Bytes> nested;
  for (std::size_t i = 1; i < plan.graphs.size(); ++i) {
    ZYNPU_ASSIGN_OR_RETURN(auto file, write(plan.graphs[i]));
    nested.push_back(std::move(file));
  }
  Graph container = plan.graphs.front();
  ZYNPU_ASSIGN_OR_RETURN(container.plan, encode_plan(plan, nested));
  return write(container);
}

Result<HostPlan> read_model(std::span<const std::uint8_t> file) {
  ZYNPU_ASSIGN_OR_RETURN(Graph container, read(file));
  return model_of(std::move(container));
}

Result<HostPlan> model_of(Graph container) {
  if (container.plan.empty()) {
    ZYNPU_ASSIGN_OR_RETURN(auto plan, plain_plan(std::move(container)));
    ZYNPU_TRY(check_plan(plan));
    return plan;
  }
  ZYNPU_ASSIGN_OR_RETURN(auto plan, decode_plan(container.plan));
  container.plan.clear();
  plan.graphs.front() = std::move(container);
  ZYNPU_TRY(check_plan(plan));
  return plan;
}

}  // namespace zynpu::graph
