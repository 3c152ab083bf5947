// SPDX-License-Identifier: MIT
#include "compiler/passes/driver.h"

#include <algorithm>
#include <array>
#include <ostream>
#include <utility>

#include "compiler/passes/describe.h"
#include "compiler/passes/dump.h"
#include "compiler/passes/fold.h"
#include "compiler/passes/fuse.h"
#include "compiler/passes/legalise.h"
#include "compiler/passes/rewrite.h"
#include "compiler/passes/validate.h"
#include "reference/reference.h"

namespace zynpu::compiler {
namespace {

// In the order of the work; the last three are the code generator's.
constexpr std::array<std::string_view, 8> kStages = {"import",    "fold", "fuse",  "legalise",
                                                     "partition", "tile", "place", "emit"};

class Driver {
 public:
  Driver(const Generator& generator, const part::Part& part, const Options& options, ir::Graph graph)
      : generator_(generator), part_(part), options_(options), graph_(std::move(graph)) {}

  Result<graph::HostPlan> run();

 private:
  void dump_graph(std::string_view stage) const {
    if (options_.dump != nullptr && options_.dump_after == stage) *options_.dump << dump(graph_);
  }
  Status rewrite();
  Status require_static_shapes() const;
  std::string reason(const ir::Op& op) const;
  Status build();
  bool demote_unbuildable(const graph::Step& step);
  Status check_cpu() const;
  graph::HostPlan plan() &&;

  const Generator& generator_;
  const part::Part& part_;
  const Options& options_;
  ir::Graph graph_;
  std::vector<std::string>
      unbuildable_;  // of each operator: why the code generator failed; empty: it did not
  Partition partition_;
  std::vector<NpuGraph> npu_graphs_;
};

// A shape that is only known at run time may come out otherwise than the file's tensors say.
Status Driver::require_static_shapes() const {
  for (std::size_t i = 0; i < graph_.ops.size(); ++i) {
    const ir::Op& op = graph_.ops[i];
    if (op.kind == ir::OpKind::kReshape && op.inputs.size() == 2 &&
        !tensor_of(graph_, op.inputs[1]).is_constant())
      return fail(ErrorCode::kUnsupported, "{}: {}: its shape, {}, is computed at run time", graph_.name,
                  describe_op(graph_, static_cast<int>(i)), describe_tensor(graph_, op.inputs[1]));
  }
  return {};
}

Status Driver::rewrite() {
  dump_graph("import");
  fold_constants(graph_);
  ZYNPU_TRY(validate(graph_));  // shapes that came out of folding may contradict the file
  ZYNPU_TRY(require_static_shapes());
  dump_graph("fold");
  fuse(graph_);
  dump_graph("fuse");
  legalise(graph_);
  dump_graph("legalise");
  if (const Status status = validate(graph_); !status)
    return fail(ErrorCode::kInternal, "the passes broke the graph: {}", status.error().message);
  return {};
}

std::string Driver::reason(const ir::Op& op) const {
  if (options_.cpu_only) return "The caller asked for the CPU only";
  const auto index = static_cast<std::size_t>(&op - graph_.ops.data());
  if (!unbuildable_[index].empty()) return unbuildable_[index];
  return generator_.unsupported_reason(graph_, op);
}

// Finds the operators of a step that failed to build, by building each one alone. False if each alone
// succeeds.
bool Driver::demote_unbuildable(const graph::Step& step) {
  bool found = false;
  for (const int index : step.ops) {
    const ir::Op& op = op_of(graph_, index);
    graph::Step alone;
    alone.npu = true;
    alone.graph = 0;
    alone.ops = {index};
    alone.outputs = op.outputs;
    for (const int input : op.inputs) {
      if (input != ir::kAbsent && !tensor_of(graph_, input).is_constant() &&
          std::find(alone.inputs.begin(), alone.inputs.end(), input) == alone.inputs.end())
        alone.inputs.push_back(input);
    }
    const auto built = generator_.build_npu_graph(graph_, alone, part_, Options{});
    if (built) continue;
    unbuildable_[static_cast<std::size_t>(index)] = built.error().message;
    found = true;
  }
  return found;
}

Status Driver::build() {
  unbuildable_.assign(graph_.ops.size(), {});
  for (;;) {
    partition_ = partition(graph_, [this](const ir::Graph&, const ir::Op& op) { return reason(op); });
    npu_graphs_.clear();
    const graph::Step* failed = nullptr;
    Error error;
    for (const graph::Step& step : partition_.steps) {
      if (!step.npu) continue;
      auto built = generator_.build_npu_graph(graph_, step, part_, options_);
      if (!built) {
        failed = &step;
        error = std::move(built).error();
        break;
      }
      npu_graphs_.push_back(std::move(*built));
    }
    if (failed == nullptr) break;
    const bool may_fall_back = error.code == ErrorCode::kUnsupported || error.code == ErrorCode::kOutOfMemory;
    // Each round moves at least one operator to the CPU for good.
    if (!may_fall_back || !demote_unbuildable(*failed)) return tl::unexpected<Error>(std::move(error));
  }
  if (options_.dump != nullptr && options_.dump_after == "partition")
    *options_.dump << dump(graph_) << dump(graph_, partition_.steps, partition_.reasons);
  return {};
}

// What the NPU does not take, the reference must.
Status Driver::check_cpu() const {
  std::vector<int> ops;
  for (const graph::Step& step : partition_.steps)
    if (!step.npu) ops.insert(ops.end(), step.ops.begin(), step.ops.end());
  if (ops.empty()) return {};
  const auto all = reference::Interpreter::create(graph_, ops);
  if (all) return {};
  if (all.error().code == ErrorCode::kUnsupported) {
    for (const int op : ops) {
      const auto one = reference::Interpreter::create(graph_, std::span(&op, 1));
      if (one) continue;
      return fail(ErrorCode::kUnsupported, "{}: {} can run neither on the NPU ({}) nor on the CPU ({})",
                  graph_.name, describe_op(graph_, op), partition_.reasons[static_cast<std::size_t>(op)],
                  one.error().message);
    }
  }
  return tl::unexpected<Error>(all.error());
}

graph::HostPlan Driver::plan() && {
  graph::HostPlan plan;
  plan.placements.resize(graph_.ops.size());
  for (std::size_t i = 0; i < graph_.ops.size(); ++i) {
    graph::Placement& placement = plan.placements[i];
    placement.op = static_cast<int>(i);
    placement.name = describe_op(graph_, static_cast<int>(i));
    placement.npu = partition_.reasons[i].empty();
    placement.reason = std::move(partition_.reasons[i]);
    placement.macs = ir::macs(graph_, graph_.ops[i]);
  }
  // Constants that only the NPU reads are in its graphs.
  std::vector<bool> host_reads(graph_.tensors.size());
  for (const int output : graph_.outputs) host_reads[static_cast<std::size_t>(output)] = true;
  for (const graph::Step& step : partition_.steps) {
    for (std::size_t i = 0; i < step.ops.size(); ++i) {
      const int op = step.ops[i];
      if (step.npu) {
        const auto& cycles = npu_graphs_[static_cast<std::size_t>(step.graph)].predicted_cycles;
        plan.placements[static_cast<std::size_t>(op)].predicted_cycles = i < cycles.size() ? cycles[i] : 0;
        continue;
      }
      for (const int input : op_of(graph_, op).inputs)
        if (input != ir::kAbsent) host_reads[static_cast<std::size_t>(input)] = true;
    }
  }
  for (std::size_t i = 0; i < graph_.tensors.size(); ++i)
    if (!host_reads[i]) graph_.tensors[i].data.reset();
  int number = 0;
  for (NpuGraph& npu : npu_graphs_) {
    for (graph::SourceRange range : npu.source_map) {
      range.graph = number;
      plan.source_map.push_back(range);
    }
    plan.graphs.push_back(std::move(npu.graph));
    ++number;
  }
  plan.steps = std::move(partition_.steps);
  plan.model = std::move(graph_);
  return plan;
}

Result<graph::HostPlan> Driver::run() {
  if (!options_.dump_after.empty() &&
      std::find(kStages.begin(), kStages.end(), options_.dump_after) == kStages.end())
    return fail(ErrorCode::kInvalidArgument,
                "no stage is called `{}`; the stages are import, fold, fuse, legalise, "
                "partition, tile, place, emit",
                options_.dump_after);
  ZYNPU_TRY(validate(graph_));
  ZYNPU_TRY(rewrite());
  ZYNPU_TRY(build());
  ZYNPU_TRY(check_cpu());
  return std::move(*this).plan();
}

}  // namespace

Result<graph::HostPlan> compile_with(const Generator& generator, const ir::Graph& model,
                                     const part::Part& part, const Options& options) {
  return Driver(generator, part, options, model).run();
}

}  // namespace zynpu::compiler
