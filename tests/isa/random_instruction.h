// SPDX-License-Identifier: MIT
// Random legal instructions, for the property tests.
#pragma once

#include <cstdint>
#include <random>

#include "isa/roles.h"
#include "isa/table.h"

namespace zynpu::isa::testing {

using Random = std::mt19937_64;

inline std::int32_t between(Random& random, std::int32_t low, std::int32_t high) {
  return std::uniform_int_distribution<std::int32_t>(low, high)(random);
}

// Limits of a field's operand in `insn`, whose element size is already set.
struct Limits {
  std::int32_t low, high;
};

inline Limits limits(const OpInfo& row, const Field& field, Size size) {
  switch (field.kind) {
    case FieldKind::kRegister:
      return {0, field.file == File::kPredicate ? 7 : row.writes_pair() && field.role == Role::kD ? 30 : 31};
    case FieldKind::kSize:
      return {0, 2};
    case FieldKind::kOneHot:
      return {0, (8 << static_cast<int>(size)) - 1};
    case FieldKind::kUnsigned:
    case FieldKind::kSigned:
      break;
  }
  return {field.minimum(), field.maximum()};
}

// An instruction of form `op` that check() accepts, with every operand drawn from its whole range.
inline Instruction random_instruction(Random& random, Op op) {
  const OpInfo& row = info(op);
  Instruction insn;
  insn.op = op;
  if (row.sized()) insn.size = static_cast<Size>(between(random, 0, 2));
  for (unsigned i = 0; i < row.fields; ++i) {
    const Field& field = row.field[i];
    if (field.kind == FieldKind::kSize) continue;
    const Limits range = limits(row, field, insn.size);
    detail::set(insn, field.role,
                between(random, range.low / field.multiple, range.high / field.multiple) * field.multiple);
  }
  if (row.order == Order::kSign) {
    insn.unsigned_a = between(random, 0, 1) != 0;
    insn.unsigned_b = insn.a == insn.b ? insn.unsigned_a : between(random, 0, 1) != 0;
  }
  return insn;
}

inline Op random_op(Random& random) {
  return static_cast<Op>(between(random, 0, static_cast<std::int32_t>(kOpCount) - 1));
}

}  // namespace zynpu::isa::testing
