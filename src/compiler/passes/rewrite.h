// SPDX-License-Identifier: MIT
// Small tools that the passes share. All of them leave a valid graph valid.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"

namespace zynpu::compiler {

inline ir::Tensor& tensor_of(ir::Graph& graph, int index) {
  return graph.tensors[static_cast<std::size_t>(index)];
}
inline const ir::Tensor& tensor_of(const ir::Graph& graph, int index) {
  return graph.tensors[static_cast<std::size_t>(index)];
}
inline ir::Op& op_of(ir::Graph& graph, int index) { return graph.ops[static_cast<std::size_t>(index)]; }
inline const ir::Op& op_of(const ir::Graph& graph, int index) {
  return graph.ops[static_cast<std::size_t>(index)];
}

// Who makes and who reads each tensor.
struct Uses {
  explicit Uses(const ir::Graph& graph);
  std::vector<int> producer;                // op, -1: none
  std::vector<std::vector<int>> consumers;  // ops, each once, in order
  std::vector<bool> graph_output;
};

// Both are quantised with the same scale and zero point, per tensor, and have the same type.
bool same_quantization(const ir::Tensor& a, const ir::Tensor& b);

// Appends `tensor` and returns its index.
int add_tensor(ir::Graph& graph, ir::Tensor tensor);

// Removes the operators of `graph` that `remove` marks.
void remove_ops(ir::Graph& graph, const std::vector<bool>& remove);

// Removes operators whose results nobody reads and that change no state, then tensors that nothing names.
// Graph inputs and outputs stay.
void remove_dead(ir::Graph& graph);

// Whether `kind` may change what a later run, or a later operator, sees other than by its outputs.
bool has_state(ir::OpKind kind);

}  // namespace zynpu::compiler
