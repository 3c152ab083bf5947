// SPDX-License-Identifier: MIT
// A graph of the R329's library: containers v0.3 and v0.4 with the shapes that later ones do not have.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "graph/graph.h"
#include "machines.h"
#include "r329.h"
#include "runtime/graph_job.h"

namespace zynpu::compat::v4 {

using Status4 = ::aipu_status_t;

class Graph {
 public:
  // `machine` null: the virtual part that the graph is for.
  static Status4 load(Machine machine, std::span<const std::uint8_t> file, std::shared_ptr<Graph>* out);

  // Fills all but the id.
  void describe(graph_desc* desc) const;
  const Machine& machine() const { return machine_; }
  const graph::Graph& npu() const { return npu_; }
  const runtime::LoadedGraph& loaded() const { return loaded_; }

 private:
  void read_shapes(std::span<const std::uint8_t> file);

  Machine machine_;
  graph::Graph npu_;
  runtime::LoadedGraph loaded_;
  std::uint32_t version_ = 0;
  std::vector<aipu_r329_tensor_desc> inputs_, outputs_, dumps_;
};

}  // namespace zynpu::compat::v4
