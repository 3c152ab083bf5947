// SPDX-License-Identifier: MIT
// A compiled model loaded onto a device: what all its jobs share.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "compiler/compiler.h"
#include "graph/layout.h"
#include "graph/plan.h"
#include "ir/graph.h"
#include "runtime/context.h"
#include "runtime/graph_job.h"

namespace zynpu::runtime {

struct LoadOptions {
  compiler::Options compile;   // for models; containers are loaded as they are
  bool keep_model = false;     // keep the imported model, for comparison with the reference
  std::string name = "model";  // in messages
};

// Immutable and thread-safe once loaded. Jobs keep it alive; it keeps the device open.
class Program {
 public:
  // One NPU graph of the plan on the device.
  struct LoadedGraph : runtime::LoadedGraph {
    std::vector<BackendJob::Region> regions;  // the plan's source map of this graph
    std::vector<int> region_ops;              // model op of each region, -1: none
  };

  // Compiles a TFLite model, or reads a container, and loads it. `file` is not used after the call. Errors as
  // of compiler::import_tflite, compiler::compile, graph::read_model and load().
  static Result<std::shared_ptr<const Program>> load_file(std::shared_ptr<Context> context,
                                                          std::span<const std::uint8_t> file,
                                                          const LoadOptions& options);
  // Loads a plan: allocates and fills what its jobs share. kUnsupported if it is for another part, or for the
  // virtual profile and the device is silicon. kBadFile if plan and graphs do not fit each other.
  static Result<std::shared_ptr<const Program>> load(std::shared_ptr<Context> context, graph::HostPlan plan,
                                                     std::shared_ptr<const ir::Graph> imported = nullptr);

  Context& context() const { return *context_; }
  const std::shared_ptr<Context>& shared_context() const { return context_; }
  const graph::HostPlan& plan() const { return plan_; }
  const ir::Graph& model() const { return plan_.model; }
  std::span<const LoadedGraph> graphs() const { return graphs_; }
  // The model as imported; null unless LoadOptions::keep_model.
  const std::shared_ptr<const ir::Graph>& imported() const { return imported_; }

  // Inputs and outputs in the model's order.
  const ir::Tensor& input(std::size_t index) const { return model().tensors[model().inputs[index]]; }
  const ir::Tensor& output(std::size_t index) const { return model().tensors[model().outputs[index]]; }

  // Step that runs model op `op`; -1 if none does. Placement of the op, or -1.
  int step_of(int op) const { return op_step_[op]; }
  int placement_of(int op) const { return op_placement_[op]; }
  // "CONV_2D #3" of model op `op`.
  std::string op_name(int op) const;

 private:
  Program(std::shared_ptr<Context> context, graph::HostPlan plan, std::shared_ptr<const ir::Graph> imported);
  Status index_plan();  // checks the plan's references and fills op_step_ and op_placement_
  Status check_step(std::size_t index) const;
  Result<LoadedGraph> load_graph(int index);

  std::shared_ptr<Context> context_;
  graph::HostPlan plan_;
  std::shared_ptr<const ir::Graph> imported_;
  std::vector<LoadedGraph> graphs_;
  std::vector<int> op_step_, op_placement_;
};

// By model op: whether instructions of the NPU graphs belong to it. False for CPU operators, for those that
// need no instructions, and for those that run an earlier operator's code, for which their costs then count.
std::vector<bool> ops_with_code(const graph::HostPlan& plan);

// True if `file` begins like a container of compiled graphs (AIPU BIN or ELF), false for anything else.
bool is_container(std::span<const std::uint8_t> file);

}  // namespace zynpu::runtime
