// SPDX-License-Identifier: MIT
// A loaded graph as the vendor's API shows it: lists of tensors, configuration, notes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "graph/graph.h"
#include "graph/layout.h"
#include "machines.h"
#include "runtime/graph_job.h"
#include "runtime/program.h"
#include "status.h"
#include "weights.h"

namespace zynpu::compat {

// One entry of a list: an end of the model, or a piece of the NPU graph.
struct Tensor {
  std::uint32_t bytes = 0;
  float scale = 0;
  std::int32_t zero_point = 0;
  std::uint32_t data_type = 0;
  graph::TensorPlace place;  // unused where a host plan runs
};

// Immutable once loaded; jobs keep it alive.
class Graph {
 public:
  // 0x7..0xA as the vendor's parser answers; every check of graph-format.md 5.2 and 10 besides (0x9).
  // `machine` null: the virtual part that the graph is for.
  // `bundled`: the entry of a bundle and its pool, null for a file of its own.
  struct Source {
    std::span<const std::uint8_t> file;
    const BundleGraph* bundled = nullptr;
    std::span<const std::uint8_t> pool;
  };
  static Code load(Machine machine, const Source& source, const aipu_load_graph_cfg_t* config,
                   bool version_check, std::shared_ptr<const Graph>* out);

  const Machine& machine() const { return machine_; }
  // True if operators run on the CPU, or several NPU graphs do: then jobs are runtime::Job, and the lists
  // hold the model's inputs and outputs only. False: a single NPU graph, every list is there.
  bool has_plan() const { return program_ != nullptr; }
  const std::shared_ptr<const runtime::Program>& program() const { return program_; }
  const graph::Graph& npu() const { return has_plan() ? program_->plan().graphs.front() : npu_; }
  const runtime::LoadedGraph& loaded() const { return loaded_; }
  bool is_x2() const { return machine_->part().host_interface == part::HostInterface::kTsm; }

  // Null: the list is not available for this type on this part (standard-api.md 3).
  const std::vector<Tensor>* countable(aipu_tensor_type_t type) const;
  // What aipu_get_tensor reads; never null for a type of the enumeration.
  const std::vector<Tensor>* readable(aipu_tensor_type_t type) const;

  // Dynamic shape: empty for graphs of fixed shapes.
  const std::vector<graph::ShapeRange>& shapes() const { return shapes_; }
  bool is_dynamic() const { return !shapes_.empty(); }

  // Bytes of a note of an ELF graph; nullopt if it has none of the name.
  std::optional<graph::Bytes> note(std::string_view name) const;

 private:
  Code accept(graph::HostPlan plan);
  void list_tensors();

  Machine machine_;
  std::shared_ptr<const runtime::Program> program_;
  graph::Graph npu_;
  runtime::LoadedGraph loaded_;  // after machine_ and npu_, which it uses
  std::vector<Tensor> lists_[8];
  std::vector<graph::ShapeRange> shapes_;
};

// Bytes of one element of a data type; 1 for the types that are narrower.
std::uint32_t element_bytes(std::uint32_t data_type);

}  // namespace zynpu::compat
