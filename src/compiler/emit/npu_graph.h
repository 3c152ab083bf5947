// SPDX-License-Identifier: MIT
// From the operators of one NPU step to a loadable graph: lowering, sharing work over TECs and cores, memory,
// programs, parameters.
//
// x2: a list of sub-graphs, each a group of four tasks on one core. An operator is one group of four workers,
// or three groups of twelve between barriers, or part of a run of small operators that one worker computes
// one after the other; whichever the cost model finds cheapest, a boundary between groups costing some 24000
// cycles (tec-semantics.md 9.6). z1, z2: one program for everything, started directly
// (docs/virtual-profile.md); the TECs of z2 meet between operators at words in GSRAM (program.h).
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "compiler/compiler.h"
#include "graph/plan.h"
#include "ir/graph.h"
#include "part/part.h"

namespace zynpu::compiler {

struct NpuGraph {
  graph::Graph graph;
  // Ascending and disjoint. In a program of several operators equal code exists once and is named after the
  // first.
  std::vector<graph::SourceRange> source_map;
  std::vector<std::uint64_t> predicted_cycles;  // of each operator of the step, in the step's order
};

// `step` is an NPU step of `model`: its operators in execution order, its inputs and outputs. Deterministic
// and thread-safe. kUnsupported or kOutOfMemory if an operator cannot be built after all, with its name.
Result<NpuGraph> build_npu_graph(const ir::Graph& model, const graph::Step& step, const part::Part& part,
                                 const Options& options);

}  // namespace zynpu::compiler
