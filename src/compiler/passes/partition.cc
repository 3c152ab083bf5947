// SPDX-License-Identifier: MIT
#include "compiler/passes/partition.h"

#include <algorithm>
#include <map>
#include <set>

#include "compiler/passes/rewrite.h"

namespace zynpu::compiler {
namespace {

using K = ir::OpKind;

// A further NPU step must do at least this much (multiplications and elements written) to be worth starting:
// about what a host's core does in the time that it takes to start a job and to be told of its end.
constexpr std::int64_t kWorthStarting = 16384;

// Which operators must run before which: producers before consumers, and accesses to the same variable in the
// order of the program, but for reads among themselves.
class Order {
 public:
  explicit Order(const ir::Graph& graph);

  const std::vector<int>& after(int op) const { return after_[static_cast<std::size_t>(op)]; }
  const std::vector<int>& waits() const { return waits_; }

 private:
  struct State {
    int writer = -1;
    std::vector<int> readers;  // since that write
  };
  void edge(int before, int op) {
    after_[static_cast<std::size_t>(before)].push_back(op);
    ++waits_[static_cast<std::size_t>(op)];
  }
  void read(State& state, int op) {
    if (state.writer >= 0) edge(state.writer, op);
    state.readers.push_back(op);
  }
  void write(State& state, int op) {
    if (state.writer >= 0) edge(state.writer, op);
    for (const int reader : state.readers)
      if (reader != op) edge(reader, op);
    state.readers.clear();
    state.writer = op;
  }

  std::vector<std::vector<int>> after_;
  std::vector<int> waits_;  // how many operators each one waits for
};

Order::Order(const ir::Graph& graph) : after_(graph.ops.size()), waits_(graph.ops.size()) {
  const Uses uses(graph);
  std::map<int, std::pair<std::string, std::string>> handles;      // resource tensor -> variable
  std::map<std::pair<std::string, std::string>, State> resources;  // by container and name
  std::map<int, State> tensors;                                    // is_variable tensors
  State all;                                                       // a CALL_ONCE may assign any resource
  for (std::size_t i = 0; i < graph.ops.size(); ++i) {
    const ir::Op& op = graph.ops[i];
    const int index = static_cast<int>(i);
    std::set<int> seen;
    for (const int input : op.inputs) {
      if (input == ir::kAbsent || !seen.insert(input).second) continue;
      if (tensor_of(graph, input).is_variable) {
        State& state = tensors[input];
        if (has_state(op.kind))
          write(state, index);
        else
          read(state, index);
      } else if (const int maker = uses.producer[static_cast<std::size_t>(input)]; maker >= 0) {
        edge(maker, index);
      }
    }
    if (op.kind == K::kVarHandle) {
      const auto& a = std::get<ir::VarHandleAttributes>(op.attributes);
      handles[op.outputs[0]] = {a.container, a.shared_name};
    } else if (op.kind == K::kReadVariable) {
      read(all, index);
      read(resources[handles[op.inputs[0]]], index);
    } else if (op.kind == K::kAssignVariable) {
      read(all, index);
      write(resources[handles[op.inputs[0]]], index);
    } else if (op.kind == K::kCallOnce) {
      write(all, index);
    }
  }
}

struct Phase {
  bool npu = false;
  std::vector<int> ops;  // ascending
};

// Alternates between the CPU and the NPU, each time running everything that is ready for it. For a given
// start no schedule has fewer phases: by induction, after each phase this one has done all that any other one
// has.
std::vector<Phase> schedule(const Order& order, const std::vector<bool>& npu, bool npu_first) {
  std::vector<int> waits = order.waits();
  std::vector<int> ready[2];
  for (std::size_t i = 0; i < npu.size(); ++i)
    if (waits[i] == 0) ready[npu[i] ? 1 : 0].push_back(static_cast<int>(i));
  std::vector<Phase> phases;
  for (bool turn = npu_first; !ready[0].empty() || !ready[1].empty(); turn = !turn) {
    Phase phase{turn, {}};
    std::vector<int>& mine = ready[turn ? 1 : 0];
    while (!mine.empty()) {
      const int op = mine.back();
      mine.pop_back();
      phase.ops.push_back(op);
      for (const int next : order.after(op))
        if (--waits[static_cast<std::size_t>(next)] == 0)
          ready[npu[static_cast<std::size_t>(next)] ? 1 : 0].push_back(next);
    }
    if (phase.ops.empty()) continue;
    std::sort(phase.ops.begin(), phase.ops.end());
    phases.push_back(std::move(phase));
  }
  return phases;
}

std::vector<Phase> best_schedule(const Order& order, const std::vector<bool>& npu) {
  const auto npu_phases = [](const std::vector<Phase>& phases) {
    return std::count_if(phases.begin(), phases.end(), [](const Phase& p) { return p.npu; });
  };
  std::vector<Phase> cpu_first = schedule(order, npu, false), npu_first = schedule(order, npu, true);
  const auto cost = [&](const std::vector<Phase>& p) { return std::pair(npu_phases(p), p.size()); };
  return cost(npu_first) < cost(cpu_first) ? npu_first : cpu_first;
}

// What enters and what leaves the operators of one phase.
graph::Step step_of(const ir::Graph& graph, const Uses& uses, const Phase& phase,
                    const std::vector<int>& phase_of, int number) {
  graph::Step step;
  step.npu = phase.npu;
  step.ops = phase.ops;
  if (!phase.npu) return step;
  std::set<int> entered;
  for (const int index : phase.ops) {
    for (const int input : op_of(graph, index).inputs) {
      if (input == ir::kAbsent || tensor_of(graph, input).is_constant()) continue;
      const int maker = uses.producer[static_cast<std::size_t>(input)];
      if (maker >= 0 && phase_of[static_cast<std::size_t>(maker)] == number) continue;
      if (entered.insert(input).second) step.inputs.push_back(input);
    }
    for (const int output : op_of(graph, index).outputs) {
      const auto& consumers = uses.consumers[static_cast<std::size_t>(output)];
      const bool leaves = uses.graph_output[static_cast<std::size_t>(output)] ||
                          std::any_of(consumers.begin(), consumers.end(), [&](int consumer) {
                            return phase_of[static_cast<std::size_t>(consumer)] != number;
                          });
      if (leaves) step.outputs.push_back(output);
    }
  }
  return step;
}

class Partitioner {
 public:
  Partitioner(const ir::Graph& graph, const UnsupportedReason& unsupported)
      : graph_(graph), uses_(graph), order_(graph), phase_of_(graph.ops.size()) {
    for (const ir::Op& op : graph.ops) reasons_.push_back(reason(op, unsupported));
  }

  Partition run();

 private:
  std::string reason(const ir::Op& op, const UnsupportedReason& unsupported) const;
  std::vector<Phase> phases();
  std::int64_t work(const Phase& phase) const;
  bool demote_renames(const std::vector<Phase>& phases);
  bool demote_small_steps(const std::vector<Phase>& phases);

  const ir::Graph& graph_;
  const Uses uses_;
  const Order order_;
  std::vector<std::string> reasons_;
  std::vector<int> phase_of_;
};

std::string Partitioner::reason(const ir::Op& op, const UnsupportedReason& unsupported) const {
  const auto stateful = [this](int t) {
    return t != ir::kAbsent &&
           (tensor_of(graph_, t).is_variable || tensor_of(graph_, t).type == ir::DataType::kResource);
  };
  if (has_state(op.kind) || std::any_of(op.inputs.begin(), op.inputs.end(), stateful) ||
      std::any_of(op.outputs.begin(), op.outputs.end(), stateful))
    return "It works on a variable, which the host keeps between runs";
  return unsupported(graph_, op);
}

std::vector<Phase> Partitioner::phases() {
  std::vector<bool> npu;
  for (const std::string& why : reasons_) npu.push_back(why.empty());
  std::vector<Phase> phases = best_schedule(order_, npu);
  for (std::size_t p = 0; p < phases.size(); ++p)
    for (const int op : phases[p].ops) phase_of_[static_cast<std::size_t>(op)] = static_cast<int>(p);
  return phases;
}

std::int64_t Partitioner::work(const Phase& phase) const {
  std::int64_t sum = 0;
  for (const int index : phase.ops) {
    const ir::Op& op = op_of(graph_, index);
    if (op.kind == K::kReshape) continue;
    sum += ir::macs(graph_, op);
    for (const int output : op.outputs) sum += tensor_of(graph_, output).elements();
  }
  return sum;
}

// A RESHAPE is no work on the NPU, only another name for the same memory. Where the memory enters the step,
// or leaves it under a first name, a second name that only others read would cost a copy there; on the CPU it
// costs no more.
bool Partitioner::demote_renames(const std::vector<Phase>& phases) {
  bool changed = false;
  for (std::size_t p = 0; p < phases.size(); ++p) {
    if (!phases[p].npu) continue;
    const graph::Step step = step_of(graph_, uses_, phases[p], phase_of_, static_cast<int>(p));
    const std::set<int> outputs(step.outputs.begin(), step.outputs.end());
    std::set<int> taken(step.inputs.begin(), step.inputs.end());  // roots that lie outside under some name
    std::map<int, int> root;                                      // of renamed tensors
    for (const int output : step.outputs) {
      const int maker = uses_.producer[static_cast<std::size_t>(output)];
      if (op_of(graph_, maker).kind != K::kReshape) taken.insert(output);
    }
    for (const int index : phases[p].ops) {
      const ir::Op& op = op_of(graph_, index);
      if (op.kind != K::kReshape) continue;
      const int output = op.outputs[0];
      const auto known = root.find(op.inputs[0]);
      const int of = known == root.end() ? op.inputs[0] : known->second;
      root[output] = of;
      if (!outputs.contains(output)) continue;
      const auto& consumers = uses_.consumers[static_cast<std::size_t>(output)];
      const bool read_inside = std::any_of(consumers.begin(), consumers.end(), [&](int consumer) {
        return phase_of_[static_cast<std::size_t>(consumer)] == static_cast<int>(p);
      });
      if (!taken.insert(of).second && !read_inside) {
        reasons_[static_cast<std::size_t>(index)] =
            "It only renames memory that the NPU step already shares with the host under another name";
        changed = true;
      }
    }
  }
  return changed;
}

bool Partitioner::demote_small_steps(const std::vector<Phase>& phases) {
  std::size_t largest = phases.size();
  std::vector<std::int64_t> works;
  for (std::size_t p = 0; p < phases.size(); ++p) {
    works.push_back(phases[p].npu ? work(phases[p]) : 0);
    if (phases[p].npu && (largest == phases.size() || works[p] > works[largest])) largest = p;
  }
  bool changed = false;
  for (std::size_t p = 0; p < phases.size(); ++p) {
    // A model's only real step stays, however small the model is.
    if (!phases[p].npu || (p == largest && works[p] > 0) || works[p] >= kWorthStarting) continue;
    for (const int op : phases[p].ops)
      reasons_[static_cast<std::size_t>(op)] =
          "It would be part of an NPU step of its own that is too small to be worth starting";
    changed = true;
  }
  return changed;
}

Partition Partitioner::run() {
  // Each round but the last moves at least one operator to the CPU for good.
  std::vector<Phase> now = phases();
  while (demote_renames(now) || demote_small_steps(now)) now = phases();
  Partition out;
  int graphs = 0;
  for (std::size_t p = 0; p < now.size(); ++p) {
    out.steps.push_back(step_of(graph_, uses_, now[p], phase_of_, static_cast<int>(p)));
    if (now[p].npu) out.steps.back().graph = graphs++;
  }
  out.reasons = std::move(reasons_);
  return out;
}

}  // namespace

Partition partition(const ir::Graph& graph, const UnsupportedReason& unsupported) {
  return Partitioner(graph, unsupported).run();
}

}  // namespace zynpu::compiler
