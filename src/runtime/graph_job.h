// SPDX-License-Identifier: MIT
// One NPU graph on a device, below the level of models: the buffers that its jobs share, and jobs with
// buffers of their own. What graph-format.md 3 and 8 call preparation; Job (job.h) makes its NPU steps of it,
// and front ends that show users the graph itself (compat/) use it directly.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "graph/graph.h"
#include "graph/layout.h"
#include "runtime/backend.h"

namespace zynpu::runtime {

// Immutable once made. The graph and the back end must outlive it.
struct LoadedGraph {
  graph::Layout layout;
  // By index of Layout::buffers; null where it belongs to a job.
  std::vector<std::unique_ptr<Buffer>> buffers;
  bool text_per_job = false;  // jobs patch addresses into the code
};

// Allocates and fills what the jobs of `graph` share. kUnsupported if it is for another part, or for the
// virtual profile and the device is silicon; `device` is the device's name in messages.
Result<LoadedGraph> load_graph(Backend& backend, const graph::Graph& graph, std::string_view device);

// Buffers of one job, prepared: parameters patched, ready to start any number of times. One thread at a time.
class GraphJob {
 public:
  // The arguments must outlive the job. `shapes`: dynamic shape, the extents of every input in id order;
  // empty: the smallest ones. kInvalidArgument if a shape breaks the graph's constraints.
  static Result<std::unique_ptr<GraphJob>> create(Backend& backend, const graph::Graph& graph,
                                                  const LoadedGraph& loaded,
                                                  std::span<const std::vector<std::uint32_t>> shapes = {});

  // CPU view of a tensor-like piece, or of any place of the layout. Valid until the job is destroyed or the
  // piece's section is replaced.
  std::span<std::uint8_t> memory(const graph::TensorPlace& tensor) const;
  std::span<std::uint8_t> memory(const graph::Place& place) const;
  // By Layout::buffers.
  Buffer& buffer(unsigned index) const { return *all_[index]; }

  // Moves a whole reuse section, with everything in it, to `memory` + `offset`, and writes every address of
  // it again. The memory must hold the section; it stays alive with the job. Not while a run is under way.
  Status replace_section(unsigned section, std::shared_ptr<Buffer> memory, std::uint64_t offset);
  // Dynamic shape: other extents for the runs to come. As `shapes` of create().
  Status set_shapes(std::span<const std::vector<std::uint32_t>> shapes);

  // Null: the graph has no sub-graphs; it is legal and a run does nothing.
  BackendJob* backend_job() const { return job_.get(); }
  // Before a start: clears what a run must find clear, makes the CPU's writes visible to the NPU.
  Status begin_run();
  // After a successful end: makes the NPU's writes visible to the CPU.
  Status end_run();
  // What the program left in the first error-code piece that is not 0 (low 16 bits); 0: none.
  std::uint32_t error_code() const;

 private:
  GraphJob(const graph::Graph& graph, const LoadedGraph& loaded) : graph_(graph), loaded_(loaded) {}
  Status allocate(Backend& backend);
  Status patch(Backend& backend);
  Result<JobDescription> describe(const part::Part& part) const;

  struct Replacement {
    std::shared_ptr<Buffer> memory;
    std::uint64_t offset = 0;
  };

  const graph::Graph& graph_;
  const LoadedGraph& loaded_;
  std::vector<std::unique_ptr<Buffer>> buffers_;  // by Layout::buffers; null where LoadedGraph owns it
  std::vector<Buffer*> all_;                      // by Layout::buffers
  std::map<unsigned, Replacement> replacements_;  // by reuse section
  graph::Blocks blocks_;
  std::vector<std::span<std::uint8_t>> zeroed_;  // before each run
  std::unique_ptr<BackendJob> job_;
};

}  // namespace zynpu::runtime
