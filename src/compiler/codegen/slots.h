// SPDX-License-Identifier: MIT
// What fits into one bundle, for the schedulers. Internal to codegen/.
#pragma once

#include <array>
#include <cstdlib>
#include <span>
#include <vector>

#include "isa/table.h"

namespace zynpu::compiler {

// Two loads whose addresses surely differ in bit 6, if their base register is the same value
// (tec-semantics.md 6.5).
inline bool surely_other_bank(const isa::Instruction& a, const isa::Instruction& b) {
  return a.a == b.a && a.a != isa::kZero && std::abs(a.imm - b.imm) % 128 == 64;
}

// The instructions of one bundle under construction; nops are not kept.
class Row {
 public:
  // Adds `insn` if slots allow it and it costs nothing: a dot product beside a vector operation of slot 2, or
  // an `fma` beside an extract, would take a second cycle (tec-semantics.md 9.2), so they are kept apart.
  // With `two_loads` false a second load is refused unless it surely goes to the other bank.
  bool add(const isa::Instruction& insn, bool two_loads) {
    if (instructions_.size() == isa::kSlots) return false;
    for (const isa::Instruction& other : instructions_) {
      if (clash(insn, other) || clash(other, insn)) return false;
      if (!two_loads && isa::is_load(insn.op) && isa::is_load(other.op) && !surely_other_bank(insn, other))
        return false;
    }
    instructions_.push_back(insn);
    if (assignable(0, 0)) return true;
    instructions_.pop_back();
    return false;
  }

  void remove(std::size_t index) {
    instructions_.erase(instructions_.begin() + static_cast<std::ptrdiff_t>(index));
  }
  std::span<const isa::Instruction> instructions() const { return instructions_; }

 private:
  static bool clash(const isa::Instruction& a, const isa::Instruction& b) {
    const isa::OpInfo& ia = isa::info(a.op);
    const isa::OpInfo& ib = isa::info(b.op);
    if (ia.two_words()) return true;
    const bool dot = ia.kind == isa::Kind::kDot || ia.kind == isa::Kind::kDotAccumulate;
    if (dot && isa::is_vector_move(ib.kind)) return true;
    return a.op == isa::Op::kFma && (ib.kind == isa::Kind::kExtract || ib.kind == isa::Kind::kSelect);
  }

  bool assignable(std::size_t index, unsigned used) const {
    if (index == instructions_.size()) return true;
    unsigned free = isa::slot_mask(isa::info(instructions_[index].op).slot_class) & ~used;
    if (isa::info(instructions_[index].op).two_words()) return instructions_.size() == 1;
    for (; free != 0; free &= free - 1)
      if (assignable(index + 1, used | (free & (~free + 1)))) return true;
    return false;
  }

  std::vector<isa::Instruction> instructions_;
};

}  // namespace zynpu::compiler
