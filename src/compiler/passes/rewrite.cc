// SPDX-License-Identifier: MIT
#include "compiler/passes/rewrite.h"

namespace zynpu::compiler {

Uses::Uses(const ir::Graph& graph)
    : producer(graph.tensors.size(), -1),
      consumers(graph.tensors.size()),
      graph_output(graph.tensors.size()) {
  for (std::size_t i = 0; i < graph.ops.size(); ++i) {
    const int op = static_cast<int>(i);
    for (const int input : graph.ops[i].inputs) {
      if (input == ir::kAbsent) continue;
      std::vector<int>& list = consumers[static_cast<std::size_t>(input)];
      if (list.empty() || list.back() != op) list.push_back(op);
    }
    for (const int output : graph.ops[i].outputs) producer[static_cast<std::size_t>(output)] = op;
  }
  for (const int output : graph.outputs) graph_output[static_cast<std::size_t>(output)] = true;
}

bool same_quantization(const ir::Tensor& a, const ir::Tensor& b) {
  return a.type == b.type && a.quant.scale.size() == 1 && a.quant.scale == b.quant.scale &&
         a.quant.zero_point == b.quant.zero_point;
}

int add_tensor(ir::Graph& graph, ir::Tensor tensor) {
  graph.tensors.push_back(std::move(tensor));
  return static_cast<int>(graph.tensors.size()) - 1;
}

void remove_ops(ir::Graph& graph, const std::vector<bool>& remove) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < graph.ops.size(); ++i) {
    if (remove[i]) continue;
    if (kept != i) graph.ops[kept] = std::move(graph.ops[i]);
    ++kept;
  }
  graph.ops.resize(kept);
}

bool has_state(ir::OpKind kind) {
  return kind == ir::OpKind::kAssignVariable || kind == ir::OpKind::kCallOnce ||
         kind == ir::OpKind::kUnidirectionalSequenceLstm;
}

void remove_dead(ir::Graph& graph) {
  std::vector<bool> live(graph.tensors.size());
  for (const int output : graph.outputs) live[static_cast<std::size_t>(output)] = true;
  std::vector<bool> dead(graph.ops.size());
  for (std::size_t i = graph.ops.size(); i-- > 0;) {
    const ir::Op& op = graph.ops[i];
    bool needed = has_state(op.kind);
    for (const int output : op.outputs) needed = needed || live[static_cast<std::size_t>(output)];
    dead[i] = !needed;
    if (!needed) continue;
    for (const int input : op.inputs)
      if (input != ir::kAbsent) live[static_cast<std::size_t>(input)] = true;
    for (const int output : op.outputs)
      live[static_cast<std::size_t>(output)] = true;  // unused parts of a SPLIT
  }
  remove_ops(graph, dead);

  for (const int input : graph.inputs) live[static_cast<std::size_t>(input)] = true;
  std::vector<int> map(graph.tensors.size(), ir::kAbsent);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < graph.tensors.size(); ++i) {
    if (!live[i]) continue;
    map[i] = static_cast<int>(kept);
    if (kept != i) graph.tensors[kept] = std::move(graph.tensors[i]);
    ++kept;
  }
  graph.tensors.resize(kept);
  const auto renumber = [&map](std::vector<int>& list) {
    for (int& index : list)
      if (index != ir::kAbsent) index = map[static_cast<std::size_t>(index)];
  };
  renumber(graph.inputs);
  renumber(graph.outputs);
  for (ir::Op& op : graph.ops) {
    renumber(op.inputs);
    renumber(op.outputs);
  }
}

}  // namespace zynpu::compiler
