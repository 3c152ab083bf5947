// SPDX-License-Identifier: MIT
// Iterative modulo scheduling: operations of several trips share the bundles of the loop. Registers are
// physical, so the write of a register in one trip waits for the reads of the trip before; no code is
// duplicated to rename them.
#include <algorithm>
#include <climits>
#include <numeric>

#include "compiler/codegen/latency.h"
#include "compiler/codegen/rename.h"
#include "compiler/codegen/schedule.h"
#include "compiler/codegen/slots.h"
#include "isa/bundle.h"

namespace zynpu::compiler {
namespace {

class LoopScheduler {
 public:
  // `rows` bundles a trip; the row after the last is loopend's.
  LoopScheduler(std::span<const Node> nodes, std::span<const Dependence> edges, int rows, bool two_loads,
                int attempt)
      : nodes_(nodes),
        edges_(edges),
        rows_(rows),
        period_(rows + 1),
        two_loads_(two_loads),
        attempt_(attempt) {}

  bool run() {
    if (!compute_heights()) return false;
    const std::size_t count = nodes_.size();
    time_.assign(count, kUnplaced);
    last_time_.assign(count, -1);
    row_members_.assign(static_cast<std::size_t>(rows_), {});
    int budget = static_cast<int>(count) * 12 + 64;
    while (true) {
      const int node = most_urgent();
      if (node < 0) {
        sink();
        return true;
      }
      if (--budget < 0) return false;
      place(node);
    }
  }

  const std::vector<int>& times() const { return time_; }
  const std::vector<std::vector<int>>& rows() const { return row_members_; }

 private:
  static constexpr int kUnplaced = INT_MIN;

  // Longest path to any end under this period; false if a cycle of dependences cannot be met.
  bool compute_heights() {
    const std::size_t count = nodes_.size();
    height_.assign(count, 0);
    for (std::size_t round = 0; round <= count; ++round) {
      bool changed = false;
      for (const Dependence& e : edges_) {
        int& from = height_[static_cast<std::size_t>(e.from)];
        const int through = height_[static_cast<std::size_t>(e.to)] + e.latency - e.distance * period_;
        if (through > from) {
          from = through;
          changed = true;
        }
      }
      if (!changed) return true;
    }
    return false;
  }

  int most_urgent() const {
    int best = -1;
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      if (time_[i] == kUnplaced && (best < 0 || more_urgent(i, static_cast<std::size_t>(best))))
        best = static_cast<int>(i);
    return best;
  }

  // The order of equals differs from attempt to attempt: a dead end of one is often none of another.
  bool more_urgent(std::size_t a, std::size_t b) const {
    if (height_[a] != height_[b]) return height_[a] > height_[b];
    if (attempt_ == 0) return a < b;
    if (attempt_ == 1) return a > b;
    const auto mixed = [this](std::size_t i) {
      return (i * 2654435761U + static_cast<std::size_t>(attempt_) * 40503U) % 1021;
    };
    return mixed(a) < mixed(b);
  }

  // Moves what has few sources as late as it may be, loads above all: values then live shorter, and need
  // fewer registers.
  void sink() {
    std::vector<int> order(nodes_.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
      return time_[static_cast<std::size_t>(a)] > time_[static_cast<std::size_t>(b)];
    });
    for (const int node : order) {
      if (value_sources(node) > 1) continue;
      int& time = time_[static_cast<std::size_t>(node)];
      int latest = time + 2 * period_;
      bool bounded = false;
      for (const Dependence& e : edges_) {
        if (e.from != node || e.to == node) continue;
        latest = std::min(latest, time_[static_cast<std::size_t>(e.to)] + e.distance * period_ - e.latency);
        bounded = true;
      }
      for (int later = latest; bounded && later > time; --later) {
        if (row_of(later) == rows_ || row_of(later) == row_of(time) || !fits(row_of(later), node, nullptr))
          continue;
        auto& members = row_members_[static_cast<std::size_t>(row_of(time))];
        members.erase(std::find(members.begin(), members.end(), node));
        row_members_[static_cast<std::size_t>(row_of(later))].push_back(node);
        time = later;
        break;
      }
    }
  }

  int value_sources(int node) const {
    int count = 0;
    isa::for_each_read(insn(node),
                       [&](isa::File, std::uint8_t number) { count += number >= kFirstValue ? 1 : 0; });
    return count;
  }

  int row_of(int time) const { return time % period_; }

  bool fits(int row, int node, std::vector<int>* evicted) const {
    Row bundle;
    if (!bundle.add(insn(node), two_loads_)) return false;
    for (const int other : row_members_[static_cast<std::size_t>(row)])
      if (!bundle.add(insn(other), two_loads_)) {
        if (evicted == nullptr) return false;
        evicted->push_back(other);
      }
    return true;
  }

  void place(int node) {
    int start = 0;
    for (const Dependence& e : edges_)
      if (e.to == node && e.from != node && time_[static_cast<std::size_t>(e.from)] != kUnplaced)
        start = std::max(start, time_[static_cast<std::size_t>(e.from)] + e.latency - e.distance * period_);
    for (int time = start; time < start + period_; ++time) {
      if (row_of(time) == rows_ || !fits(row_of(time), node, nullptr)) continue;
      put(node, time);
      return;
    }
    // No row is free: take one by force, later than last time so that the search moves on.
    int time = std::max(start, last_time_[static_cast<std::size_t>(node)] + 1);
    if (row_of(time) == rows_) ++time;
    std::vector<int> evicted;
    fits(row_of(time), node, &evicted);
    for (const int other : evicted) take_out(other);
    put(node, time);
  }

  void put(int node, int time) {
    time_[static_cast<std::size_t>(node)] = time;
    last_time_[static_cast<std::size_t>(node)] = time;
    row_members_[static_cast<std::size_t>(row_of(time))].push_back(node);
    for (const Dependence& e : edges_) {
      if (e.from == e.to) continue;
      const int other = e.from == node ? e.to : e.to == node ? e.from : -1;
      if (other < 0 || time_[static_cast<std::size_t>(other)] == kUnplaced) continue;
      if (time_[static_cast<std::size_t>(e.to)] + e.distance * period_ <
          time_[static_cast<std::size_t>(e.from)] + e.latency)
        take_out(other);
    }
  }

  void take_out(int node) {
    auto& members = row_members_[static_cast<std::size_t>(row_of(time_[static_cast<std::size_t>(node)]))];
    members.erase(std::find(members.begin(), members.end(), node));
    time_[static_cast<std::size_t>(node)] = kUnplaced;
  }

  const isa::Instruction& insn(int node) const { return nodes_[static_cast<std::size_t>(node)].insn; }

  std::span<const Node> nodes_;
  std::span<const Dependence> edges_;
  int rows_, period_;
  bool two_loads_;
  int attempt_;
  std::vector<int> height_, time_, last_time_;
  std::vector<std::vector<int>> row_members_;
};

// Fewest rows that the slots allow, whatever the dependences.
int least_rows(std::span<const Node> nodes) {
  std::array<int, 16> by_mask{};
  for (const Node& node : nodes) {
    const isa::OpInfo& row = isa::info(node.insn.op);
    if (row.op != isa::Op::kNop) ++by_mask[isa::slot_mask(row.slot_class)];
  }
  int rows = 1;
  for (unsigned set = 1; set < 16; ++set) {  // operations that must stand in the slots of `set`
    int operations = 0;
    for (unsigned mask = 1; mask < 16; ++mask)
      if ((mask & ~set) == 0) operations += by_mask[mask];
    const int slots = __builtin_popcount(set);
    rows = std::max(rows, (operations + slots - 1) / slots);
  }
  return rows;
}

std::optional<Pipelined> try_rows(const Values& values, std::span<const Dependence> edges,
                                  const FreeRegisters& free, int rows, bool two_loads, int attempt,
                                  int max_stages) {
  LoopScheduler scheduler(values.nodes, edges, rows, two_loads, attempt);
  if (!scheduler.run()) return std::nullopt;
  Pipelined loop;
  loop.time = scheduler.times();
  const int first = *std::min_element(loop.time.begin(), loop.time.end()) / (rows + 1) * (rows + 1);
  for (int& time : loop.time) time -= first;
  loop.stages = *std::max_element(loop.time.begin(), loop.time.end()) / (rows + 1) + 1;
  if (loop.stages > max_stages) return std::nullopt;
  auto named = assign_registers(values, loop.time, rows + 1, free);
  if (!named) return std::nullopt;
  loop.nodes = std::move(*named);
  loop.cycles = 1;  // loopend
  for (const auto& members : scheduler.rows()) {
    std::vector<isa::Instruction> instructions;
    for (const int node : members) instructions.push_back(loop.nodes[static_cast<std::size_t>(node)].insn);
    auto bundle = isa::pack(instructions);
    if (!bundle) return std::nullopt;
    loop.bundles.push_back(*bundle);
    loop.cycles += issue_cycles(*bundle);
  }
  return loop;
}

bool is_memory_write(const isa::Instruction& insn) { return isa::is_store(insn.op); }

// Whether `a` must stand before `b` when both share a bundle: it reads what `b` writes.
bool reads_what_is_written(const Node& a, const Node& b) {
  bool found = isa::is_load(a.insn.op) && is_memory_write(b.insn);
  isa::for_each_write(b.insn, [&](isa::File file, std::uint8_t written) {
    isa::for_each_read(
        a.insn, [&](isa::File f, std::uint8_t read) { found |= f == file && read == written; },
        isa::KeptLanes::kIgnoredUnderP7);
  });
  return found;
}

}  // namespace

std::vector<int> Pipelined::in_order(int first, int last, int begin, int end) const {
  const int period = static_cast<int>(bundles.size()) + 1;
  std::vector<int> order;
  for (int now = begin; now < end; ++now) {
    std::vector<int> bundle;
    for (int trip = first; trip <= last; ++trip)
      for (std::size_t i = 0; i < nodes.size(); ++i)
        if (time[i] + trip * period == now) bundle.push_back(static_cast<int>(i));
    // Readers before writers. schedule_loop() accepts no bundle in which two exchange registers.
    while (!bundle.empty()) {
      auto next = std::find_if(bundle.begin(), bundle.end(), [&](int candidate) {
        return std::none_of(bundle.begin(), bundle.end(), [&](int other) {
          return other != candidate && reads_what_is_written(nodes[static_cast<std::size_t>(other)],
                                                             nodes[static_cast<std::size_t>(candidate)]);
        });
      });
      if (next == bundle.end()) next = bundle.begin();
      order.push_back(*next);
      bundle.erase(next);
    }
  }
  return order;
}

namespace {

constexpr int kAttempts = 12;

// Two or more operations of one bundle that each read what another writes have no sequential order.
bool has_order(const Pipelined& loop) {
  const int period = static_cast<int>(loop.bundles.size()) + 1;
  for (int row = 0; row < period; ++row) {
    std::vector<const Node*> rest;
    for (std::size_t i = 0; i < loop.nodes.size(); ++i)
      if (loop.time[i] % period == row) rest.push_back(&loop.nodes[i]);
    for (bool progress = true; progress && !rest.empty();) {
      progress = false;
      for (std::size_t k = 0; k < rest.size(); ++k) {
        const bool last = std::any_of(rest.begin(), rest.end(), [&](const Node* other) {
          return other != rest[k] && reads_what_is_written(*other, *rest[k]);
        });
        if (last) continue;
        rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(k));
        progress = true;
        break;
      }
    }
    if (!rest.empty()) return false;
  }
  return true;
}

}  // namespace

std::optional<Pipelined> schedule_loop(std::span<const Node> nodes, const FreeRegisters& free,
                                       int max_bundles, int max_stages) {
  const Values values = split_values(nodes, free);
  const std::vector<Dependence> edges = find_dependences(values.nodes, true);
  std::optional<Pipelined> best;
  for (int rows = least_rows(nodes); rows <= max_bundles; ++rows) {
    if (best && best->cycles <= rows + 1) break;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      const bool two_loads = attempt % 2 == 1;
      auto loop = try_rows(values, edges, free, rows, two_loads, attempt / 2, max_stages);
      if (loop && has_order(*loop) && (!best || loop->cycles < best->cycles)) best = std::move(loop);
      if (best && best->cycles <= rows + 1) break;
    }
  }
  return best;
}

}  // namespace zynpu::compiler
