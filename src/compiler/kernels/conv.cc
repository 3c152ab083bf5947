// SPDX-License-Identifier: MIT
#include "compiler/kernels/conv.h"

#include <array>

#include "compiler/kernels/constraints.h"
#include "compiler/kernels/conv_plan.h"

namespace zynpu::compiler {
namespace {

const ir::Tensor& tensor(const ir::Graph& graph, int index) {
  return graph.tensors[static_cast<std::size_t>(index)];
}

std::string per_channel_input_or_output(const ir::Graph& graph, const ir::Op& op) {
  for (const int i : {op.inputs[0], op.outputs[0]}) {
    const ir::Tensor& t = tensor(graph, i);
    if (t.quant.scale.size() != 1 || t.quant.zero_point.size() != 1)
      return fmt::format("`{}` has {} scales", t.name, t.quant.scale.size());
  }
  return {};
}

std::string input_or_output_not_eight_bit(const ir::Graph& graph, const ir::Op& op) {
  for (const int i : {op.inputs[0], op.outputs[0]}) {
    const ir::Tensor& t = tensor(graph, i);
    if (t.type != ir::DataType::kInt8 && t.type != ir::DataType::kUint8)
      return fmt::format("`{}` is {}", t.name, ir::to_string(t.type));
  }
  return {};
}

std::string weights_computed(const ir::Graph& graph, const ir::Op& op) {
  for (std::size_t i = 1; i < op.inputs.size(); ++i) {
    if (op.inputs[i] == ir::kAbsent) continue;
    const ir::Tensor& t = tensor(graph, op.inputs[i]);
    if (!t.is_constant()) return fmt::format("`{}` is computed", t.name);
  }
  return {};
}

std::string weights_not_eight_bit(const ir::Graph& graph, const ir::Op& op) {
  const ir::Tensor& weights = tensor(graph, op.inputs[1]);
  if (weights.type == ir::DataType::kInt8 || weights.type == ir::DataType::kUint8) return {};
  return fmt::format("`{}` is {}", weights.name, ir::to_string(weights.type));
}

std::string bias_not_int32(const ir::Graph& graph, const ir::Op& op) {
  if (op.inputs.size() < 3 || op.inputs[2] == ir::kAbsent) return {};
  const ir::Tensor& bias = tensor(graph, op.inputs[2]);
  return bias.type == ir::DataType::kInt32 ? std::string{}
                                           : fmt::format("`{}` is {}", bias.name, ir::to_string(bias.type));
}

std::string grouped(const ir::Graph& graph, const ir::Op& op) {
  const ir::Tensor& input = tensor(graph, op.inputs[0]);
  const ir::Tensor& weights = tensor(graph, op.inputs[1]);
  if (input.shape.empty() || weights.shape.empty() || input.shape.back() == weights.shape.back()) return {};
  return fmt::format("`{}` has {} channels, `{}` takes {}", input.name, input.shape.back(), weights.name,
                     weights.shape.back());
}

std::string multiplied(const ir::Graph& graph, const ir::Op& op) {
  const ir::Tensor& input = tensor(graph, op.inputs[0]);
  const ir::Tensor& output = tensor(graph, op.outputs[0]);
  const std::int32_t in = input.shape.back(), out = output.shape.back();
  return in == 1 || in == out
             ? std::string{}
             : fmt::format("`{}` has {} channels, `{}` has {}", input.name, in, output.name, out);
}

std::string not_computable(const ir::Graph& graph, const ir::Op& op) {
  const auto problem = make_conv_problem(graph, op);
  return problem ? std::string{} : problem.error().message;
}

constexpr Constraint kActivations{"All activations are int8 or uint8", input_or_output_not_eight_bit};
constexpr Constraint kPerTensor{"Activations have one scale and zero point per tensor",
                                per_channel_input_or_output};
constexpr Constraint kConstant{"Weights and bias are constant", weights_computed};
constexpr Constraint kWeights{"Weights are int8 or uint8", weights_not_eight_bit};
constexpr Constraint kBias{"The bias is int32", bias_not_int32};
constexpr Constraint kUngrouped{"Every output channel sees all input channels (no groups)", grouped};
constexpr Constraint kMultiplier{"The depth multiplier is 1, or the input has one channel", multiplied};
constexpr Constraint kSize{"Every tensor is smaller than 16 MiB", too_large};
constexpr Constraint kComputable{
    "Shapes, scales and fused activation are those of TFLite's kernels, and sums fit 32 bits",
    not_computable};

constexpr std::array kConv{kActivations, kPerTensor, kConstant, kWeights,
                           kBias,        kUngrouped, kSize,     kComputable};
constexpr std::array kDepthwise{kActivations, kPerTensor,  kConstant, kWeights,
                                kBias,        kMultiplier, kSize,     kComputable};
constexpr std::array kFullyConnected{kActivations, kPerTensor, kConstant,  kWeights,
                                     kBias,        kSize,      kComputable};

}  // namespace

std::span<const Constraint> conv_constraints() { return kConv; }
std::span<const Constraint> depthwise_constraints() { return kDepthwise; }
std::span<const Constraint> fully_connected_constraints() { return kFullyConnected; }

Result<LayerProgram> lower_conv(const LoweringContext& context, const ir::Op& op) {
  ZYNPU_ASSIGN_OR_RETURN(const ConvProblem problem, make_conv_problem(context.graph, op));
  // One worker of x2 runs several layers in one program; z1 and z2 have only one program (emit/npu_graph.h).
  const bool shared_code = context.workers == 1 || context.part.host_interface != part::HostInterface::kTsm;
  ZYNPU_ASSIGN_OR_RETURN(ConvPlan plan,
                         plan_conv(problem, context.workers, context.part.tecs_per_core, shared_code));
  ZYNPU_ASSIGN_OR_RETURN(Blob weights, pack_conv(problem, plan));

  StepLists lists(context.workers, conv_args(plan.code));
  for (unsigned w = 0; w < plan.steps.size(); ++w) lists.set(w, std::move(plan.steps[w]));
  LayerProgram layer;
  layer.workers = context.workers;
  layer.predicted_cycles = plan.predicted_cycles;
  for (const std::uint32_t word : plan.params) layer.params.push_back(Param::literal(word));
  layer.params[kParamSteps] = Param::blob(0);
  layer.params[kParamInput] = Param::tensor(problem.input);
  layer.params[kParamOutput] = Param::tensor(problem.output);
  layer.params[kParamWeights] = Param::blob(1);
  ZYNPU_ASSIGN_OR_RETURN(Blob steps, lists.blob());
  layer.blobs.push_back(std::move(steps));
  layer.blobs.push_back(std::move(weights));
  ZYNPU_ASSIGN_OR_RETURN(layer.code, emit_conv(plan.code));
  return layer;
}

}  // namespace zynpu::compiler
