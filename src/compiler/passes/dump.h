// SPDX-License-Identifier: MIT
// Readable text of what the compiler works on, for --dump-after and for people who debug a model.
#pragma once

#include <span>
#include <string>

#include "graph/plan.h"
#include "ir/graph.h"

namespace zynpu::compiler {

// Every tensor (index, name, type, shape, quantisation, where its value comes from), then every operator
// (kind, inputs, outputs, attributes) and subgraph. Lines end with a newline. For people: the form may
// change.
std::string dump(const ir::Graph& graph);

// The steps of a partition, with the reason of every operator on the CPU.
std::string dump(const ir::Graph& graph, std::span<const graph::Step> steps,
                 std::span<const std::string> reasons);

}  // namespace zynpu::compiler
