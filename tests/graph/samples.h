// SPDX-License-Identifier: MIT
// Graphs and plans that tests and fuzzers start from.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/plan.h"

namespace zynpu::graph::samples {

struct Sample {
  std::string name;
  Graph graph;
};

// The graph of graph-format.md 4: 32 bytes of text, 64 of parameters, one input, one output.
Graph minimal_bin();
// The graph of graph-format.md 9: the same with one sub-graph, for the X2.
Graph minimal_elf();

// An AIPU BIN with every feature that the container has.
Graph full_bin();
// An X2 graph with two BSS, four sub-graphs, private buffers, remap entries and every optional note.
Graph full_elf();

// All of the above and some between.
std::vector<Sample> graphs();

// Every operator kind, every attribute, constants, per-channel quantisation; `graphs` NPU graphs (0, 1 or 2).
HostPlan plan(std::size_t graphs);

}  // namespace zynpu::graph::samples
