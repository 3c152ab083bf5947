// SPDX-License-Identifier: MIT
#include "isa/encode.h"

#include <utility>

#include "isa/bundle.h"
#include "isa/roles.h"
#include "isa/table.h"

namespace zynpu::isa {
namespace {

using detail::get;

Status check_field(const OpInfo& row, const Field& field, const Instruction& insn) {
  const std::int32_t value = get(insn, field.role);
  std::int32_t low = field.minimum();
  std::int32_t high = field.maximum();
  switch (field.kind) {
    case FieldKind::kRegister:
      high = field.file == File::kPredicate ? 7 : 31;
      if (row.writes_pair() && field.role == Role::kD && value == high)
        return fail(ErrorCode::kInvalidArgument, "{}: register pair {} starts at 31, allowed 0..30",
                    row.mnemonic, field.name);
      break;
    case FieldKind::kSize:
      high = static_cast<std::int32_t>(Size::kW);
      break;
    case FieldKind::kOneHot:
      if (insn.size > Size::kW)
        return fail(ErrorCode::kInvalidArgument, "{}: element size is {}, allowed 0..2", row.mnemonic,
                    static_cast<unsigned>(insn.size));
      high = (8 << static_cast<unsigned>(insn.size)) - 1;
      break;
    case FieldKind::kUnsigned:
    case FieldKind::kSigned:
      break;
  }
  if (value < low || value > high)
    return fail(ErrorCode::kInvalidArgument, "{}: operand {} is {}, allowed {}..{}", row.mnemonic, field.name,
                value, low, high);
  if (value % field.multiple != 0)
    return fail(ErrorCode::kInvalidArgument, "{}: operand {} is {}, must be a multiple of {}", row.mnemonic,
                field.name, value, field.multiple);
  return {};
}

struct NamedMember {
  Role role;
  const char* name;
};

constexpr NamedMember kMembers[] = {
    {Role::kD, "d"},
    {Role::kA, "a"},
    {Role::kB, "b"},
    {Role::kC, "c"},
    {Role::kP, "p"},
    {Role::kImm, "imm"},
    {Role::kImm2, "imm2"},
    {Role::kUnsigned, "unsigned_d"},
    {Role::kDespCtrl, "desp_ctrl"},
    {Role::kIntSpace, "int_space"},
    {Role::kExtSpace, "ext_space"},
    {Role::kDir, "dir"},
    {Role::kDataUnit, "data_unit"},
};

// Checks and packs the fields of an already canonical instruction.
std::uint64_t pack(const OpInfo& row, const Instruction& insn) {
  std::uint64_t words = row.base;
  for (unsigned i = 0; i < row.fields; ++i) {
    const Field& field = row.field[i];
    auto value = static_cast<std::uint32_t>(get(insn, field.role) * field.scale);
    if (detail::is_biased(field)) value += detail::kPredicateBias;
    if (field.kind == FieldKind::kOneHot) value |= 8u << static_cast<unsigned>(insn.size);
    words |= detail::deposit(field, value);
  }
  // Bit 17 of the widening multiplies: set when both sources are unsigned, or when the one that is has the
  // lower number.
  if (row.order == Order::kSign && insn.unsigned_a && (insn.unsigned_b || insn.a < insn.b))
    words |= detail::kSignBit;
  return words;
}

}  // namespace

Status check(const Instruction& insn) {
  if (insn.op >= Op::kCount)
    return fail(ErrorCode::kInvalidArgument, "operation number {} is not in the instruction table",
                static_cast<unsigned>(insn.op));
  const OpInfo& row = info(insn.op);
  for (unsigned i = 0; i < row.fields; ++i) ZYNPU_TRY(check_field(row, row.field[i], insn));
  for (const NamedMember& member : kMembers)
    if (get(insn, member.role) != 0 && !row.has(member.role))
      return fail(ErrorCode::kInvalidArgument, "{}: member {} is {}, but `{}` has no such operand",
                  row.mnemonic, member.name, get(insn, member.role), row.syntax);
  if (row.order != Order::kSign) {
    if (insn.unsigned_a || insn.unsigned_b)
      return fail(ErrorCode::kInvalidArgument, "{}: `{}` has no unsigned source to choose", row.mnemonic,
                  row.syntax);
  } else if (insn.unsigned_a != insn.unsigned_b && insn.a == insn.b) {
    return fail(
        ErrorCode::kInvalidArgument,
        "{}: a product of t{} with itself cannot have one signed and one unsigned source: the encoding tells "
        "them apart by register number",
        row.mnemonic, insn.a);
  }
  return {};
}

Instruction canonical(const Instruction& insn) {
  Instruction result = insn;
  const OpInfo& row = info(insn.op);
  if (!row.sized()) result.size = Size::kB;
  if (insn.op == Op::kAnd && insn.d == kZero && insn.a == kZero && insn.b == kZero) return Instruction{};
  bool swap = false;
  switch (row.order) {
    case Order::kNone:
      break;
    case Order::kLow:
      swap = insn.a > insn.b;
      break;
    case Order::kHigh:
      swap = insn.a < insn.b;
      break;
    case Order::kSign:
      if (insn.unsigned_a != insn.unsigned_b)
        swap = insn.unsigned_b;
      else
        swap = insn.unsigned_a ? insn.a < insn.b : insn.a > insn.b;
      break;
  }
  if (swap) {
    std::swap(result.a, result.b);
    std::swap(result.unsigned_a, result.unsigned_b);
  }
  return result;
}

Result<std::uint32_t> encode(const Instruction& insn, unsigned slot) {
  ZYNPU_TRY(check(insn));
  ZYNPU_TRY(check_slot(insn, slot));
  const OpInfo& row = info(insn.op);
  if (row.two_words())
    return fail(ErrorCode::kInvalidArgument, "{} is a two-word form and has no single word", row.mnemonic);
  return static_cast<std::uint32_t>(pack(row, canonical(insn)));
}

Result<std::array<std::uint32_t, 2>> encode_two_words(const Instruction& insn) {
  ZYNPU_TRY(check(insn));
  const OpInfo& row = info(insn.op);
  if (!row.two_words()) return fail(ErrorCode::kInvalidArgument, "{} is not a two-word form", row.mnemonic);
  const std::uint64_t words = pack(row, insn);
  return std::array{static_cast<std::uint32_t>(words), static_cast<std::uint32_t>(words >> 32)};
}

Result<BundleWords> encode(const Bundle& bundle) {
  ZYNPU_TRY(check(bundle));
  BundleWords words{};
  if (info(bundle.slot[0].op).two_words()) {
    ZYNPU_ASSIGN_OR_RETURN(const auto pair, encode_two_words(bundle.slot[0]));
    return BundleWords{pair[0], pair[1], kNopWord, kNopWord};
  }
  for (unsigned slot = 0; slot < kSlots; ++slot) {
    ZYNPU_ASSIGN_OR_RETURN(words[slot], encode(bundle.slot[slot], slot));
  }
  words[kSlots - 1] |= kEndOfBundle;
  return words;
}

}  // namespace zynpu::isa
