// SPDX-License-Identifier: MIT
#include <algorithm>

#include "compiler/codegen/latency.h"
#include "compiler/codegen/schedule.h"

namespace zynpu::compiler {
namespace {

using isa::File;
using isa::Kind;

enum class MemoryUse : std::uint8_t { kNone, kLoad, kStore, kFence };

MemoryUse memory_use(const Node& node) {
  const Kind kind = isa::info(node.insn.op).kind;
  if (isa::is_load(kind)) return MemoryUse::kLoad;
  if (isa::is_store(kind)) return MemoryUse::kStore;
  switch (kind) {
    case Kind::kCacheOp:
    case Kind::kDma:
    case Kind::kAiff:
    case Kind::kSystem:
    case Kind::kControlRead:
    case Kind::kControlWrite:
      return MemoryUse::kFence;
    default:
      return MemoryUse::kNone;
  }
}

bool may_overlap(Area a, Area b) { return a.id == 0 || b.id == 0 || a.id == b.id; }

// Last uses of one register while walking the trips of a loop.
struct RegisterState {
  int writer = -1;  // position in the walk; trip = position / nodes
  bool written = false;
  std::vector<int> readers;  // since the last write
};

class Finder {
 public:
  Finder(std::span<const Node> nodes, bool looped) : nodes_(nodes), looped_(looped) {}

  std::vector<Dependence> run() {
    const int count = static_cast<int>(nodes_.size());
    for (int position = 0; position < count * (looped_ ? 2 : 1); ++position) visit(position);
    return std::move(edges_);
  }

 private:
  int trip(int position) const { return position / static_cast<int>(nodes_.size()); }
  int index(int position) const { return position % static_cast<int>(nodes_.size()); }
  const Node& node(int position) const { return nodes_[static_cast<std::size_t>(index(position))]; }

  // Edges inside the second trip repeat those of the first.
  void edge(int from, int to, int latency) {
    if (trip(from) == 1) return;
    edges_.push_back({index(from), index(to), latency, trip(to) - trip(from)});
  }

  void visit(int position) {
    const isa::Instruction& insn = node(position).insn;
    isa::for_each_read(
        insn,
        [&](File file, std::uint8_t reg) {
          RegisterState& state = state_of(file, reg);
          if (state.written) {
            const isa::Instruction& producer = node(state.writer).insn;
            edge(state.writer, position, result_latency(producer, insn, file, reg));
          }
          state.readers.push_back(position);
        },
        isa::KeptLanes::kIgnoredUnderP7);
    isa::for_each_write(insn, [&](File file, std::uint8_t reg) {
      RegisterState& state = state_of(file, reg);
      // Operands are read before any result of the same bundle is written (tec-semantics.md 4.2).
      for (const int reader : state.readers)
        if (reader != position) edge(reader, position, 0);
      if (state.written) {
        const int longer = longest_latency(node(state.writer).insn) - longest_latency(insn) + 1;
        edge(state.writer, position, std::max(1, longer));
      }
      state.written = true;
      state.writer = position;
      state.readers.clear();
    });
    visit_memory(position);
  }

  void visit_memory(int position) {
    const MemoryUse use = memory_use(node(position));
    if (use == MemoryUse::kNone) return;
    for (const int earlier : memory_) {
      const MemoryUse before = memory_use(node(earlier));
      const bool fence = use == MemoryUse::kFence || before == MemoryUse::kFence;
      if (use == MemoryUse::kLoad && before == MemoryUse::kLoad) continue;
      if (!fence && !may_overlap(node(earlier).area, node(position).area)) continue;
      const bool load_then_store = before == MemoryUse::kLoad && use == MemoryUse::kStore;
      edge(earlier, position, load_then_store ? 0 : 1);
    }
    memory_.push_back(position);
  }

  RegisterState& state_of(File file, std::uint8_t reg) { return state_[static_cast<std::size_t>(file)][reg]; }

  std::span<const Node> nodes_;
  bool looped_;
  std::array<std::array<RegisterState, 256>, 3> state_;  // renamed values count from 32
  std::vector<int> memory_;
  std::vector<Dependence> edges_;
};

}  // namespace

std::vector<Dependence> find_dependences(std::span<const Node> nodes, bool looped) {
  return Finder(nodes, looped).run();
}

bool Pending::empty() const {
  for (const auto& file : ready)
    for (const int cycles : file)
      if (cycles > 0) return false;
  return true;
}

}  // namespace zynpu::compiler
