// SPDX-License-Identifier: MIT
#include "compiler/codegen/schedule.h"

#include <algorithm>
#include <numeric>

#include "compiler/codegen/latency.h"
#include "compiler/codegen/slots.h"
#include "isa/bundle.h"

namespace zynpu::compiler {

double issue_cycles(const isa::Bundle& bundle) {
  bool dot = false, move = false, fma = false, extract = false;
  int loads = 0;
  const isa::Instruction* first_load = nullptr;
  bool banks_differ = true;
  for (const isa::Instruction& insn : bundle.slot) {
    const isa::Kind kind = isa::info(insn.op).kind;
    dot |= kind == isa::Kind::kDot || kind == isa::Kind::kDotAccumulate;
    move |= isa::is_vector_move(kind);
    fma |= insn.op == isa::Op::kFma;
    extract |= kind == isa::Kind::kExtract || kind == isa::Kind::kSelect;
    if (isa::is_load(kind)) {
      if (first_load != nullptr) banks_differ = surely_other_bank(*first_load, insn);
      first_load = &insn;
      ++loads;
    }
  }
  if ((dot && move) || (fma && extract)) return 2;
  return loads == 2 && !banks_differ ? 1.5 : 1;
}

namespace {

// List scheduling, greedy by the length of the longest path that starts at a node.
class BlockScheduler {
 public:
  BlockScheduler(std::span<const Node> nodes, const Pending& pending) : nodes_(nodes) {
    const std::size_t count = nodes.size();
    earliest_.resize(count);
    waits_for_.resize(count);
    height_.resize(count);
    time_.assign(count, -1);
    successors_.resize(count);
    for (const Dependence& d : find_dependences(nodes, false)) {
      successors_[static_cast<std::size_t>(d.from)].push_back(d);
      ++waits_for_[static_cast<std::size_t>(d.to)];
    }
    for (std::size_t i = count; i-- > 0;) {
      height_[i] = longest_latency(nodes[i].insn);
      for (const Dependence& d : successors_[i])
        height_[i] = std::max(height_[i], d.latency + height_[static_cast<std::size_t>(d.to)]);
      earliest_[i] = pending_wait(nodes[i].insn, pending);
    }
  }

  static int pending_wait(const isa::Instruction& insn, const Pending& pending) {
    int wait = 0;
    const auto look = [&](isa::File file, std::uint8_t reg) {
      wait = std::max(wait, pending.ready[static_cast<std::size_t>(file)][reg]);
    };
    isa::for_each_read(insn, look);
    isa::for_each_write(insn, look);
    return wait;
  }

  void run() {
    std::vector<int> ready;
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      if (waits_for_[i] == 0) ready.push_back(static_cast<int>(i));
    std::size_t placed = 0;
    for (int cycle = 0; placed < nodes_.size(); ++cycle) {
      rows_.emplace_back();
      // A placed node may make others ready in the same cycle (a write after a read): repeat until nothing
      // fits.
      for (bool again = true; again;) {
        again = false;
        std::stable_sort(ready.begin(), ready.end(), [&](int a, int b) {
          const int ha = height_[static_cast<std::size_t>(a)], hb = height_[static_cast<std::size_t>(b)];
          return ha != hb ? ha > hb : a < b;
        });
        for (std::size_t k = 0; k < ready.size(); ++k) {
          const int i = ready[k];
          if (earliest_[static_cast<std::size_t>(i)] > cycle ||
              !rows_.back().add(nodes_[static_cast<std::size_t>(i)].insn, true))
            continue;
          time_[static_cast<std::size_t>(i)] = cycle;
          ++placed;
          ready.erase(ready.begin() + static_cast<std::ptrdiff_t>(k));
          release(i, cycle, ready);
          again = true;
          break;
        }
      }
    }
  }

  // Puts the instruction that ends the block into the last row that may hold it, adding rows as needed.
  void place_control(const Node& control, const Pending& pending) {
    int at = std::max(0, static_cast<int>(rows_.size()) - 1);
    at = std::max(at, pending_wait(control.insn, pending));
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      isa::for_each_write(nodes_[i].insn, [&](isa::File file, std::uint8_t written) {
        isa::for_each_read(control.insn, [&](isa::File f, std::uint8_t read) {
          if (f == file && read == written)
            at = std::max(at, time_[i] + result_latency(nodes_[i].insn, control.insn, file, read));
        });
      });
    }
    at = std::max(at, drained_rows() - 1);
    while (true) {
      while (static_cast<int>(rows_.size()) <= at) rows_.emplace_back();
      if (rows_[static_cast<std::size_t>(at)].add(control.insn, true)) return;
      ++at;
    }
  }

  // Rows needed so that every result is ready after the last of them.
  int drained_rows() const {
    int rows = 0;
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      rows = std::max(rows, time_[i] + produced(nodes_[i].insn));
    return rows;
  }
  void drain(const Pending& pending) {
    int rows = drained_rows();
    for (const auto& file : pending.ready)
      for (const int cycles : file) rows = std::max(rows, cycles);
    while (static_cast<int>(rows_.size()) < rows) rows_.emplace_back();
  }

  Pending left_pending(const Pending& before) const {
    Pending after;
    const int end = static_cast<int>(rows_.size());
    for (std::size_t f = 0; f < 3; ++f)
      for (std::size_t r = 0; r < 32; ++r) after.ready[f][r] = std::max(0, before.ready[f][r] - end);
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      isa::for_each_write(nodes_[i].insn, [&](isa::File file, std::uint8_t reg) {
        int& ready = after.ready[static_cast<std::size_t>(file)][reg];
        ready = std::max(ready, time_[i] + longest_latency(nodes_[i].insn) - end);
      });
    return after;
  }

  Result<std::vector<isa::Bundle>> bundles() const {
    std::vector<isa::Bundle> out;
    for (const Row& row : rows_) {
      ZYNPU_ASSIGN_OR_RETURN(isa::Bundle bundle, isa::pack(row.instructions()));
      out.push_back(bundle);
    }
    return out;
  }

 private:
  static int produced(const isa::Instruction& insn) {
    int latency = 0;
    isa::for_each_write(insn, [&](isa::File, std::uint8_t) { latency = longest_latency(insn); });
    return latency;
  }

  void release(int node, int cycle, std::vector<int>& ready) {
    for (const Dependence& d : successors_[static_cast<std::size_t>(node)]) {
      const auto to = static_cast<std::size_t>(d.to);
      earliest_[to] = std::max(earliest_[to], cycle + d.latency);
      if (--waits_for_[to] == 0) ready.push_back(d.to);
    }
  }

  std::span<const Node> nodes_;
  std::vector<int> earliest_, waits_for_, height_, time_;
  std::vector<std::vector<Dependence>> successors_;
  std::vector<Row> rows_;
};

}  // namespace

Result<std::vector<isa::Bundle>> schedule_block(std::span<const Node> nodes, const Node* control, bool drain,
                                                Pending& pending) {
  BlockScheduler scheduler(nodes, pending);
  scheduler.run();
  if (drain || control != nullptr) scheduler.drain(pending);
  if (control != nullptr) scheduler.place_control(*control, pending);
  pending = scheduler.left_pending(pending);
  return scheduler.bundles();
}

}  // namespace zynpu::compiler
