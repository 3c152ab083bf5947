// SPDX-License-Identifier: MIT
// The host's half of a compiled model: which operators run where, in which order, and what each tensor is.
// Travels inside the vendor container (Graph::plan), where the vendor's own loaders do not look.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "graph/graph.h"
#include "ir/graph.h"

namespace zynpu::graph {

// One stage of a run. An NPU step starts graphs[graph]; its graph inputs/outputs (by id) are model tensors.
struct Step {
  bool npu = false;
  int graph = -1;            // NPU: index into HostPlan::graphs
  std::vector<int> ops;      // indices into HostPlan::model.ops, in execution order
  std::vector<int> inputs;   // NPU: model tensor of graph input id 0, 1, ...
  std::vector<int> outputs;  // NPU: model tensor of graph output id 0, 1, ...
};

// Which instructions of graphs[graph].text belong to one model op; ranges are byte offsets, ascending,
// disjoint.
struct SourceRange {
  int graph = 0;
  std::uint32_t begin = 0, end = 0;
  int op = 0;  // index into HostPlan::model.ops; -1: prologue, epilogue, barriers
};

// What users see of one operator of the imported model (`zynpu info`, `zynpu run --json`).
struct Placement {
  int op = 0;        // index into HostPlan::model.ops
  std::string name;  // "CONV_2D #3"
  bool npu = false;
  std::string reason;  // why it is on the CPU, one English sentence; empty on the NPU
  std::int64_t macs = 0;
  std::uint64_t predicted_cycles = 0;  // the compiler's cost model; 0 on the CPU
};

struct HostPlan {
  ir::Graph model;  // after the passes; constants that only NPU steps use have no data
  std::vector<Step> steps;
  std::vector<SourceRange> source_map;
  std::vector<Placement> placements;
  // In memory: all NPU graphs (their own `plan` is empty). In a file, graphs[0] is the container itself and
  // the others are nested in its plan. May be empty: a model with nothing for the NPU has no container and
  // cannot be written.
  std::vector<Graph> graphs;
};

// The container of a whole compiled model, and back. A container without a plan (from another compiler) gives
// a HostPlan with one NPU step whose model has only the input and output tensors. Hostile input is refused
// with kBadFile.
Result<Bytes> write_model(const HostPlan& plan);
Result<HostPlan> read_model(std::span<const std::uint8_t> file);
// The same for a container that has been read.
Result<HostPlan> model_of(Graph container);

}  // namespace zynpu::graph
