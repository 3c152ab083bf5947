// SPDX-License-Identifier: MIT
// Which operators run on the NPU, and in how few steps.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "graph/plan.h"
#include "ir/graph.h"

namespace zynpu::compiler {

// Why an operator cannot run on the NPU, one English sentence; empty if it can (kernels/kernel.h).
using UnsupportedReason = std::function<std::string(const ir::Graph& graph, const ir::Op& op)>;

struct Partition {
  std::vector<graph::Step> steps;    // Step::graph numbers the NPU steps from 0
  std::vector<std::string> reasons;  // of each operator; empty: it is in an NPU step
};

// Gathers the operators of a valid, legalised `graph` into steps. Operators move as far as data and the order
// of accesses to variables allow, so that there are as few NPU steps as can be: what reads variables goes to
// the front, what assigns them to the end. Operators stay on the CPU if `unsupported` says so, if they keep
// state between runs, and if they could but would make a step that is not worth starting. Within a step
// operators keep the graph's order. Deterministic.
Partition partition(const ir::Graph& graph, const UnsupportedReason& unsupported);

}  // namespace zynpu::compiler
