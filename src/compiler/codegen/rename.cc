// SPDX-License-Identifier: MIT
#include "compiler/codegen/rename.h"

#include <algorithm>
#include <array>

#include "compiler/codegen/latency.h"

namespace zynpu::compiler {
namespace {

constexpr unsigned kMost = 256 - kFirstValue;

// Calls f(file, number&, is_read, is_write) for each register operand of `insn`; an accumulator is both.
template <class F>
void for_each_operand(isa::Instruction& insn, F&& f) {
  const isa::OpInfo& row = isa::info(insn.op);
  for (unsigned i = 0; i < row.fields; ++i) {
    const isa::Field& field = row.field[i];
    if (field.kind != isa::FieldKind::kRegister) continue;
    switch (field.role) {
      case isa::Role::kA:
        f(field.file, insn.a, true, false);
        break;
      case isa::Role::kB:
        f(field.file, insn.b, true, false);
        break;
      case isa::Role::kC:
        f(field.file, insn.c, true, false);
        break;
      default:
        break;  // predicates keep their registers
    }
  }
  const isa::Field* d = row.find(isa::Role::kD);
  if (d == nullptr) return;
  const bool merges = row.dest == isa::Dest::kMerge && insn.p != isa::kP7;
  const bool reads = merges || row.dest == isa::Dest::kSource || row.dest == isa::Dest::kUpdate ||
                     row.dest == isa::Dest::kUpdatePair;
  f(d->file, insn.d, reads, row.dest != isa::Dest::kSource && row.dest != isa::Dest::kNone);
}

bool uses_pair(std::span<const Node> nodes) {
  return std::any_of(nodes.begin(), nodes.end(),
                     [](const Node& n) { return isa::info(n.insn.op).writes_pair(); });
}

struct FileMasks {
  std::uint32_t& of(isa::File file) { return file == isa::File::kGpr ? gprs : vectors; }
  std::uint32_t gprs = 0, vectors = 0;
};

// Registers of `free` that every trip writes before it reads them.
FileMasks trip_local(std::span<const Node> nodes, const FreeRegisters& free) {
  FileMasks local{free.gprs, free.vectors}, written;
  for (const Node& node : nodes) {
    isa::Instruction insn = node.insn;
    for_each_operand(insn, [&](isa::File file, std::uint8_t& number, bool reads, bool) {
      if (file != isa::File::kPredicate && reads && (written.of(file) >> number & 1U) == 0)
        local.of(file) &= ~(1U << number);
    });
    for_each_operand(insn, [&](isa::File file, std::uint8_t& number, bool, bool writes) {
      if (file != isa::File::kPredicate && writes) written.of(file) |= 1U << number;
    });
  }
  return local;
}

// When a value occupies its register: after `from` up to and including `to`.
struct Life {
  int from = -1, to = -1;
};

}  // namespace

Values split_values(std::span<const Node> nodes, const FreeRegisters& free) {
  Values values;
  values.nodes.assign(nodes.begin(), nodes.end());
  if (uses_pair(nodes)) return values;
  FileMasks local = trip_local(nodes, free);
  std::array<std::array<std::uint8_t, 32>, 3> current{};
  for (Node& node : values.nodes) {
    // Sources first: a result that takes the register of a source is another value.
    std::uint8_t* target = nullptr;
    isa::File target_file = isa::File::kGpr;
    for_each_operand(node.insn, [&](isa::File file, std::uint8_t& number, bool reads, bool writes) {
      if (file == isa::File::kPredicate || (local.of(file) >> number & 1U) == 0) return;
      if (reads) {
        number = current[static_cast<std::size_t>(file)][number];
      } else if (writes) {
        target = &number;
        target_file = file;
      }
    });
    if (target == nullptr) continue;
    unsigned& count = target_file == isa::File::kGpr ? values.gprs : values.vectors;
    if (count == kMost) return {std::vector<Node>(nodes.begin(), nodes.end()), 0, 0};
    const auto number = static_cast<std::uint8_t>(kFirstValue + count++);
    current[static_cast<std::size_t>(target_file)][*target] = number;
    *target = number;
  }
  return values;
}

std::optional<std::vector<Node>> assign_registers(const Values& values, std::span<const int> time, int period,
                                                  const FreeRegisters& free) {
  std::vector<Node> nodes = values.nodes;
  // Registers that the body uses as they are belong to it.
  FileMasks available{free.gprs, free.vectors};
  std::array<std::vector<Life>, 2> lives{std::vector<Life>(values.gprs), std::vector<Life>(values.vectors)};
  for (std::size_t i = 0; i < nodes.size(); ++i)
    for_each_operand(nodes[i].insn, [&](isa::File file, std::uint8_t& number, bool reads, bool writes) {
      if (file == isa::File::kPredicate) return;
      if (number < kFirstValue) {
        available.of(file) &= ~(1U << number);
        return;
      }
      Life& life = lives[file == isa::File::kGpr ? 0 : 1][number - kFirstValue];
      if (writes && (life.from < 0 || time[i] < life.from)) life.from = time[i];
      const int until = reads ? time[i] : time[i] + longest_latency(nodes[i].insn);
      life.to = std::max(life.to, until);
    });
  std::array<std::vector<std::uint8_t>, 2> assigned;
  for (std::size_t f = 0; f < 2; ++f) {
    assigned[f].assign(lives[f].size(), 0);
    std::vector<std::size_t> order(lives[f].size());
    for (std::size_t v = 0; v < order.size(); ++v) order[v] = v;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return lives[f][a].to - lives[f][a].from > lives[f][b].to - lives[f][b].from;
    });
    std::array<std::uint64_t, 32> busy{};  // rows, by register; a period has at most 32 rows
    for (const std::size_t v : order) {
      std::uint64_t rows = 0;
      for (int t = lives[f][v].from + 1; t <= lives[f][v].to; ++t) rows |= std::uint64_t{1} << t % period;
      std::uint32_t candidates = f == 0 ? available.gprs : available.vectors;
      while (candidates != 0 && (busy[static_cast<std::size_t>(__builtin_ctz(candidates))] & rows) != 0)
        candidates &= candidates - 1;
      if (candidates == 0) return std::nullopt;
      const auto reg = static_cast<std::size_t>(__builtin_ctz(candidates));
      busy[reg] |= rows;
      assigned[f][v] = static_cast<std::uint8_t>(reg);
    }
  }
  for (Node& node : nodes)
    for_each_operand(node.insn, [&](isa::File file, std::uint8_t& number, bool, bool) {
      if (file != isa::File::kPredicate && number >= kFirstValue)
        number = assigned[file == isa::File::kGpr ? 0 : 1][number - kFirstValue];
    });
  return nodes;
}

}  // namespace zynpu::compiler
