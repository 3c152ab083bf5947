// SPDX-License-Identifier: MIT
// Internal to the room: operands of an Instruction by role, and the bits of a field.
#pragma once

#include <cstdint>

#include "isa/table.h"

namespace zynpu::isa::detail {

// The value of a role as the operand stands in `insn`.
inline std::int32_t get(const Instruction& insn, Role role) {
  switch (role) {
    case Role::kD:
      return insn.d;
    case Role::kA:
      return insn.a;
    case Role::kB:
      return insn.b;
    case Role::kC:
      return insn.c;
    case Role::kP:
      return insn.p;
    case Role::kImm:
      return insn.imm;
    case Role::kImm2:
      return insn.imm2;
    case Role::kSize:
      return static_cast<std::int32_t>(insn.size);
    case Role::kUnsigned:
      return insn.unsigned_d ? 1 : 0;
    case Role::kDespCtrl:
      return insn.desp_ctrl;
    case Role::kIntSpace:
      return insn.int_space;
    case Role::kExtSpace:
      return insn.ext_space;
    case Role::kDir:
      return insn.dir;
    case Role::kDataUnit:
      return insn.data_unit;
  }
  return 0;
}

// Stores a value that is within the limits of the role's field.
inline void set(Instruction& insn, Role role, std::int32_t value) {
  const auto byte = static_cast<std::uint8_t>(value);
  switch (role) {
    case Role::kD:
      insn.d = byte;
      break;
    case Role::kA:
      insn.a = byte;
      break;
    case Role::kB:
      insn.b = byte;
      break;
    case Role::kC:
      insn.c = byte;
      break;
    case Role::kP:
      insn.p = byte;
      break;
    case Role::kImm:
      insn.imm = value;
      break;
    case Role::kImm2:
      insn.imm2 = value;
      break;
    case Role::kSize:
      insn.size = static_cast<Size>(byte);
      break;
    case Role::kUnsigned:
      insn.unsigned_d = value != 0;
      break;
    case Role::kDespCtrl:
      insn.desp_ctrl = byte;
      break;
    case Role::kIntSpace:
      insn.int_space = byte;
      break;
    case Role::kExtSpace:
      insn.ext_space = byte;
      break;
    case Role::kDir:
      insn.dir = byte;
      break;
    case Role::kDataUnit:
      insn.data_unit = byte;
      break;
  }
}

// The raw bits of a field, put together from its ranges (the low bits come from the first one).
inline std::uint32_t extract(const Field& field, std::uint64_t words) {
  std::uint32_t value = 0;
  unsigned shift = 0;
  for (unsigned i = 0; i < field.ranges; ++i) {
    const unsigned width = field.range[i].high - field.range[i].low + 1u;
    value |= (static_cast<std::uint32_t>(words >> field.range[i].low) & ((1u << width) - 1)) << shift;
    shift += width;
  }
  return value;
}

// The same bits, spread to their places.
inline std::uint64_t deposit(const Field& field, std::uint32_t value) {
  std::uint64_t words = 0;
  for (unsigned i = 0; i < field.ranges; ++i) {
    const unsigned width = field.range[i].high - field.range[i].low + 1u;
    words |= std::uint64_t{value & ((1u << width) - 1)} << field.range[i].low;
    value >>= width;
  }
  return words;
}

// Bit 17 of the widening multiplies (tec-isa-encoding.md 8.2).
inline constexpr std::uint64_t kSignBit = std::uint64_t{1} << 17;

// The first number of a predicate in a 5-bit register field.
inline constexpr std::uint32_t kPredicateBias = 16;

// The predicate is encoded as 16 + n in this field.
inline bool is_biased(const Field& field) { return field.file == File::kPredicate && field.bits == 5; }

}  // namespace zynpu::isa::detail
