// SPDX-License-Identifier: MIT
// Scalar instructions and register moves (tec-semantics.md 5.1).
#include "vnpu/exec/level.h"
#include "vnpu/exec/simd.h"

namespace zynpu::vnpu::ZYNPU_VNPU_LEVEL {
namespace {

using u32 = std::uint32_t;
using s32 = std::int32_t;

// rd = F(ra, rb)
template <u32 (*F)(u32, u32)>
void reg(TecState& s, const MicroOp& op) {
  s.r[op.d] = F(s.r[op.a], s.r[op.b]);
}
// rd = F(ra, imm)
template <u32 (*F)(u32, u32)>
void imm(TecState& s, const MicroOp& op) {
  s.r[op.d] = F(s.r[op.a], static_cast<u32>(op.imm));
}

u32 add(u32 a, u32 b) { return a + b; }
u32 sub(u32 a, u32 b) { return a - b; }
u32 max(u32 a, u32 b) { return static_cast<s32>(a) > static_cast<s32>(b) ? a : b; }
u32 min(u32 a, u32 b) { return static_cast<s32>(a) < static_cast<s32>(b) ? a : b; }
u32 mul(u32 a, u32 b) { return a * b; }
u32 mulh(u32 a, u32 b) {
  return static_cast<u32>((std::int64_t{static_cast<s32>(a)} * static_cast<s32>(b)) >> 32);
}
u32 bit_and(u32 a, u32 b) { return a & b; }
u32 bit_or(u32 a, u32 b) { return a | b; }
u32 bit_xor(u32 a, u32 b) { return a ^ b; }
u32 asr(u32 a, u32 b) { return static_cast<u32>(static_cast<s32>(a) >> (b > 31 ? 31 : b)); }
u32 lsr(u32 a, u32 b) { return b > 31 ? 0 : a >> b; }
u32 lsl(u32 a, u32 b) { return b > 31 ? 0 : a << b; }
u32 less(u32 a, u32 b) { return static_cast<s32>(a) < static_cast<s32>(b) ? 1 : 0; }
u32 second(u32, u32 b) { return b; }
u32 first(u32 a, u32) { return a; }

// Bits p1 .. p1 + p2 set; bits beyond 31 do not exist. p2 stands in op.b.
void bfs(TecState& s, const MicroOp& op) {
  const std::uint64_t ones = (std::uint64_t{2} << op.b) - 1;
  s.r[op.d] = s.r[op.a] | static_cast<u32>(ones << op.imm);
}
void movh(TecState& s, const MicroOp& op) {
  s.r[op.d] = static_cast<u32>(op.imm) << 16 | (s.r[op.d] & 0xFFFF);
}
// Only immediate 0 is known (tec-semantics.md 2.2); others are not selected.
void all_lanes(TecState& s, const MicroOp& op) { s.p[op.d] = kAllLanes; }

}  // namespace

OpFunction select_scalar(const isa::Instruction& i) {
  using isa::Op;
  switch (i.op) {
    case Op::kAdd:
      return reg<add>;
    case Op::kAddi:
      return imm<add>;
    case Op::kSub:
      return reg<sub>;
    case Op::kSubi:
      return imm<sub>;
    case Op::kMax:
      return reg<max>;
    case Op::kMin:
      return reg<min>;
    case Op::kMul:
      return reg<mul>;
    case Op::kMulh:
      return reg<mulh>;
    case Op::kAnd:
      return reg<bit_and>;
    case Op::kOr:
      return reg<bit_or>;
    case Op::kXor:
      return reg<bit_xor>;
    case Op::kAsr:
      return reg<asr>;
    case Op::kLsr:
      return reg<lsr>;
    case Op::kLsl:
      return reg<lsl>;
    case Op::kLsli:
      return imm<lsl>;
    case Op::kAndl:
      return imm<bit_and>;
    case Op::kOrl:
      return imm<bit_or>;
    case Op::kBfs:
      return bfs;
    case Op::kCmplt:
      return reg<less>;
    case Op::kCmplti:
      return imm<less>;
    case Op::kMov:
      return imm<second>;
    case Op::kMovh:
      return movh;
    case Op::kMovpre:
      return imm<first>;
    case Op::kMovhp:
      return i.imm == 0 ? all_lanes : nullptr;
    default:
      return nullptr;
  }
}

}  // namespace zynpu::vnpu::ZYNPU_VNPU_LEVEL
