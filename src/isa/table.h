// SPDX-License-Identifier: MIT
// The instruction table: what is known about each operation. Everything else in this room, and the
// documentation of the instruction set, is derived from it. Immutable, static lifetime: safe from any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "isa/instruction.h"
#include "isa/op.h"

namespace zynpu::isa {

// Register files.
enum class File : std::uint8_t { kGpr, kVector, kPredicate };

// Which slots take an operation (tec-isa-encoding.md 1.1).
enum class SlotClass : std::uint8_t {
  kAny,  // nop
  kA,    // 0 and 1: scalar and vector arithmetic
  kB,    // 1: scalar shifts and logic
  kC,    // 0: control
  kM,    // 2 and 3: scalar memory accesses, vector loads
  kS2,   // 2: vector stores, shifts, logic and lane moves, GPR moves
  kS3,   // 3: predicate moves, broadcasts
  kW,    // 0 and 1 together, alone in the bundle
};

// How the order of the two sources belongs to the encoding (tec-isa-encoding.md 8.2).
enum class Order : std::uint8_t {
  kNone,  // fields are as written
  kLow,   // the lower-numbered source stands in the first field
  kHigh,  // the higher-numbered source stands in the first field
  kSign,  // order and bit 17 say which sources are unsigned
};

// How well the encoding is known.
enum class Evidence : std::uint8_t {
  kVerified,  // V: a literal word of this form is public
  kEncoder,   // E: from an encoder that was checked against the vendor's assembler
  kInferred,  // I: follows from the pattern of the others; never seen
};

// How well the effect is known.
enum class Meaning : std::uint8_t {
  kSettled,
  kDisputed,  // the sources contradict each other
  kUnclear,   // not described, or only assumed
};

// What an operation is, for timing, simulation and documentation.
enum class Kind : std::uint8_t {
  kNop,
  kScalar,  // integer arithmetic, logic, moves on GPRs
  kPredicateMove,
  kBranch,
  kLoop,
  kSystem,        // wfe, exit, irtn, break
  kControlRead,   // mfctrl*
  kControlWrite,  // mtctrl*
  kScalarLoad,
  kScalarStore,
  kVectorLoad,
  kVectorStore,
  kCacheOp,
  kDotAccumulate,  // qdpa, dpa
  kDot,            // qdot, dot
  kVectorMultiply,
  kVectorInteger,
  kVectorCompare,
  kFloatAdd,       // fp add, sub, max, min, rint, scal2, cvt
  kFloatMultiply,  // fp mul, fma, fmae, fmao
  kMatrix,         // mml, mma
  kLaneMove,       // zip, perm, replic, shfl, sld, insert
  kExtract,        // ext*
  kSelect,
  kVectorLogic,
  kVectorShift,
  kWiden,
  kNarrow,
  kVectorImmediate,  // mov4, movf, bcast
  kDma,
  kAiff,
};

// What happens to the register of role d.
enum class Dest : std::uint8_t {
  kNone,        // there is none
  kSource,      // only read
  kWrite,       // replaced
  kMerge,       // replaced where the governing predicate is set, else kept
  kUpdate,      // read and written: accumulators, partial writes, in-place forms
  kWritePair,   // d and d + 1 replaced
  kUpdatePair,  // d and d + 1 read and written
};

// The member of Instruction that a field carries.
enum class Role : std::uint8_t {
  kD,
  kA,
  kB,
  kC,
  kP,
  kImm,
  kImm2,
  kSize,
  kUnsigned,
  kDespCtrl,
  kIntSpace,
  kExtSpace,
  kDir,
  kDataUnit,
};

// How a field carries it.
enum class FieldKind : std::uint8_t {
  kRegister,  // a register number; of a predicate, if the field has 5 bits, as 16 + n
  kUnsigned,
  kSigned,
  kOneHot,  // 8 << size | count
  kSize,    // 0, 1, 2
};

// A range of bits, ends included. Bits 32..63 are those of the second word of a two-word form.
struct BitRange {
  std::uint8_t high = 0, low = 0;
};

struct Field {
  std::string_view name;  // as in the syntax: "rd", "imm", ...
  Role role = Role::kD;
  FieldKind kind = FieldKind::kRegister;
  File file = File::kGpr;           // of a register field
  std::uint8_t bits = 0;            // sum of the ranges
  std::uint8_t ranges = 0;          // used entries of `range`
  std::array<BitRange, 3> range{};  // low bits of the value first
  std::int32_t scale = 1;           // the field holds operand * scale
  std::int32_t multiple = 1;        // the operand is a multiple of this

  // Limits of the operand (not of the field). A one-hot count is limited by the element size instead.
  constexpr std::int32_t minimum() const {
    return kind == FieldKind::kSigned ? -(std::int32_t{1} << (bits - 1)) / scale : 0;
  }
  constexpr std::int32_t maximum() const {
    const int value_bits = kind == FieldKind::kSigned ? bits - 1 : bits;
    return ((std::int32_t{1} << value_bits) - 1) / scale / multiple * multiple;
  }
};

struct OpInfo {
  Op op = Op::kNop;
  std::string_view id;        // the row's name in the encoding tables
  std::string_view mnemonic;  // first word of the syntax
  std::string_view syntax;
  std::string_view summary;
  SlotClass slot_class = SlotClass::kAny;
  std::uint64_t base = 0;   // the bits that are not in fields; the second word in bits 32..63
  std::uint64_t fixed = 0;  // mask of the bits that must equal `base`
  std::array<Field, 10> field{};
  std::uint8_t fields = 0;
  Order order = Order::kNone;
  Evidence evidence = Evidence::kVerified;
  Kind kind = Kind::kNop;
  Dest dest = Dest::kNone;
  Meaning meaning = Meaning::kSettled;

  // The field of a role, or nullptr.
  constexpr const Field* find(Role role) const {
    for (unsigned i = 0; i < fields; ++i)
      if (field[i].role == role) return &field[i];
    return nullptr;
  }
  constexpr bool has(Role role) const { return find(role) != nullptr; }
  constexpr bool two_words() const { return slot_class == SlotClass::kW; }
  // The form has an element size ({sz} in its syntax).
  constexpr bool sized() const {
    if (has(Role::kSize)) return true;
    const Field* imm = find(Role::kImm);
    return imm != nullptr && imm->kind == FieldKind::kOneHot;
  }
  constexpr bool writes_pair() const { return dest == Dest::kWritePair || dest == Dest::kUpdatePair; }
};

namespace detail {
extern const std::array<OpInfo, kOpCount> kTable;
}

// The row of `op`, which must be a real operation (not kCount).
inline const OpInfo& info(Op op) { return detail::kTable[static_cast<std::size_t>(op)]; }

// All rows, in the order of Op.
inline const std::array<OpInfo, kOpCount>& table() { return detail::kTable; }

// Bit n set: slot n takes the class. For the two-word forms the slots they fill.
constexpr unsigned slot_mask(SlotClass slot_class) {
  switch (slot_class) {
    case SlotClass::kAny:
      return 0b1111;
    case SlotClass::kA:
      return 0b0011;
    case SlotClass::kB:
      return 0b0010;
    case SlotClass::kC:
      return 0b0001;
    case SlotClass::kM:
      return 0b1100;
    case SlotClass::kS2:
      return 0b0100;
    case SlotClass::kS3:
      return 0b1000;
    case SlotClass::kW:
      return 0b0011;
  }
  return 0;
}

// A code generator may rely on the operation: its encoding was seen and its effect is not in doubt.
inline bool dependable(Op op) {
  return info(op).evidence != Evidence::kInferred && info(op).meaning == Meaning::kSettled;
}

constexpr bool is_load(Kind kind) { return kind == Kind::kScalarLoad || kind == Kind::kVectorLoad; }
constexpr bool is_store(Kind kind) { return kind == Kind::kScalarStore || kind == Kind::kVectorStore; }
constexpr bool is_matrix(Kind kind) { return kind == Kind::kMatrix; }
// Branches, loops, wfe, exit, irtn, break: what ends or redirects straight execution.
constexpr bool is_control(Kind kind) {
  return kind == Kind::kBranch || kind == Kind::kLoop || kind == Kind::kSystem;
}
// The vector and matrix units of slots 0 and 1, which trap unless both enables are set (tec-semantics.md 3.5,
// 13).
constexpr bool is_vector_arithmetic(Kind kind) {
  return kind >= Kind::kDotAccumulate && kind <= Kind::kMatrix;
}
// The vector unit of slot 2: shifts, logic, lane moves, widening, narrowing.
constexpr bool is_vector_move(Kind kind) { return kind >= Kind::kLaneMove && kind <= Kind::kNarrow; }

inline bool is_load(Op op) { return is_load(info(op).kind); }
inline bool is_store(Op op) { return is_store(info(op).kind); }
inline bool is_control(Op op) { return is_control(info(op).kind); }
inline bool is_vector_arithmetic(Op op) { return is_vector_arithmetic(info(op).kind); }

// How for_each_read treats the old value of a predicated destination.
enum class KeptLanes : std::uint8_t {
  kRead,            // a predicated form reads its destination, whatever the predicate: always right
  kIgnoredUnderP7,  // not if the predicate is p7: right in programs that keep p7 all-true
};

// Calls f(File, register number) for each register that `insn` reads. `zero` is left out: it is a constant.
// A register that plays two roles is reported twice.
template <class F>
void for_each_read(const Instruction& insn, F&& f, KeptLanes kept = KeptLanes::kRead) {
  const OpInfo& row = info(insn.op);
  for (unsigned i = 0; i < row.fields; ++i) {
    const Field& field = row.field[i];
    if (field.kind != FieldKind::kRegister) continue;
    std::uint8_t reg = 0;
    switch (field.role) {
      case Role::kA:
        reg = insn.a;
        break;
      case Role::kB:
        reg = insn.b;
        break;
      case Role::kC:
        reg = insn.c;
        break;
      case Role::kP:
        reg = insn.p;
        break;
      default: {
        reg = insn.d;
        if (row.dest == Dest::kNone || row.dest == Dest::kWrite || row.dest == Dest::kWritePair) continue;
        if (row.dest == Dest::kMerge && kept == KeptLanes::kIgnoredUnderP7 && insn.p == kP7) continue;
        if (row.dest == Dest::kUpdatePair) f(field.file, static_cast<std::uint8_t>(reg + 1));
        break;
      }
    }
    if (field.file != File::kGpr || reg != kZero) f(field.file, reg);
  }
}

// Calls f(File, register number) for each register that `insn` writes. Writes to `zero` are dropped and left
// out.
template <class F>
void for_each_write(const Instruction& insn, F&& f) {
  const OpInfo& row = info(insn.op);
  if (row.dest == Dest::kNone || row.dest == Dest::kSource) return;
  const File file = row.find(Role::kD)->file;
  if (file == File::kGpr && insn.d == kZero) return;
  f(file, insn.d);
  if (row.writes_pair()) f(file, static_cast<std::uint8_t>(insn.d + 1));
}

}  // namespace zynpu::isa
