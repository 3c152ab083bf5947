// SPDX-License-Identifier: MIT
#include "compiler/passes/fold.h"

#include "compiler/passes/constants.h"
#include "compiler/passes/rewrite.h"
#include "reference/reference.h"

namespace zynpu::compiler {
namespace {

// A broadcast or a PAD of constants can make much of little: what is folded is stored in the compiled model.
constexpr std::int64_t kMaxFoldedBytes = std::int64_t{16} << 20;

std::shared_ptr<const ir::Bytes> shape_bytes(const ir::Tensor& of, ir::DataType type) {
  if (type == ir::DataType::kInt32) return int32_bytes(of.shape);
  std::vector<std::int32_t> words;  // int64: extents are positive
  for (const std::int32_t extent : of.shape) {
    words.push_back(extent);
    words.push_back(0);
  }
  return int32_bytes(words);
}

// The outputs of `op`, whose inputs are all constant; empty if reference/ cannot compute them.
std::vector<ir::Bytes> compute(const ir::Graph& graph, const ir::Op& op) {
  ir::Graph single;
  single.name = graph.name;
  single.ops = {op};
  for (int& input : single.ops[0].inputs)
    if (input != ir::kAbsent) input = add_tensor(single, tensor_of(graph, input));
  for (int& output : single.ops[0].outputs) output = add_tensor(single, tensor_of(graph, output));
  const auto interpreter = reference::Interpreter::create(single);
  if (!interpreter || !(*interpreter)->run()) return {};
  std::vector<ir::Bytes> results;
  for (const int output : single.ops[0].outputs) {
    const auto bytes = (*interpreter)->tensor(output);
    results.emplace_back(bytes.begin(), bytes.end());
  }
  return results;
}

bool may_fold(const ir::Graph& graph, const ir::Op& op, const Uses& uses) {
  if (has_state(op.kind) || op.kind == ir::OpKind::kVarHandle || op.kind == ir::OpKind::kReadVariable)
    return false;
  for (const int output : op.outputs)
    if (uses.graph_output[static_cast<std::size_t>(output)]) return false;
  if (op.kind == ir::OpKind::kShape) return true;
  for (const int input : op.inputs)
    if (input != ir::kAbsent && !tensor_of(graph, input).is_constant()) return false;
  return true;
}

}  // namespace

void fold_constants(ir::Graph& graph) {
  const Uses uses(graph);
  std::vector<bool> folded(graph.ops.size());
  std::int64_t budget = kMaxFoldedBytes;
  // Operators stand in execution order, so one pass reaches the end of every chain.
  for (std::size_t i = 0; i < graph.ops.size(); ++i) {
    const ir::Op& op = graph.ops[i];
    if (!may_fold(graph, op, uses)) continue;
    std::int64_t bytes = 0;
    for (const int output : op.outputs) bytes += tensor_of(graph, output).bytes();
    if (bytes > budget) continue;
    if (op.kind == ir::OpKind::kShape) {
      ir::Tensor& output = tensor_of(graph, op.outputs[0]);
      output.data = shape_bytes(tensor_of(graph, op.inputs[0]), output.type);
    } else {
      std::vector<ir::Bytes> results = compute(graph, op);
      if (results.empty()) continue;
      for (std::size_t k = 0; k < results.size(); ++k)
        tensor_of(graph, op.outputs[k]).data = std::make_shared<const ir::Bytes>(std::move(results[k]));
    }
    budget -= bytes;
    folded[i] = true;
  }
  remove_ops(graph, folded);
  remove_dead(graph);
}

}  // namespace zynpu::compiler
