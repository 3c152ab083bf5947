// SPDX-License-Identifier: MIT
// The table of operators that the NPU takes: constraint sentences (they are the documentation and the
// message) and the function that turns one operator into a layer program. docs/operators.md is generated from
// it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "ir/graph.h"
#include "part/part.h"

namespace zynpu::compiler {

struct LayerProgram;  // codegen/layer.h

struct LoweringContext {
  const ir::Graph& graph;
  const part::Part& part;
  unsigned workers;  // TECs that share the layer; worker index = core * tecs_per_core + TEC
};

struct Constraint {
  std::string_view sentence;  // states what must hold: "Weights must be constant"
  // Empty if it holds, else the detail with tensor, value and limit: "weights `w` come from operator ADD #3".
  std::string (*violation)(const ir::Graph& graph, const ir::Op& op);
};

struct Kernel {
  ir::OpKind kind;
  std::string_view summary;  // how it is mapped, one line for docs/operators.md
  std::span<const Constraint> constraints;
  Result<LayerProgram> (*lower)(const LoweringContext& context,
                                const ir::Op& op);  // nullptr: an alias, no code
};

// All kernels, one entry per OpKind at most, in OpKind order.
std::span<const Kernel> kernels();

// Why `op` cannot run on the NPU, one English sentence; empty if it can. Requires a legalised graph
// (passes/legalise.h).
std::string unsupported_reason(const ir::Graph& graph, const ir::Op& op);

}  // namespace zynpu::compiler
