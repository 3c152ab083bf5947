// SPDX-License-Identifier: MIT
// Vector data movement and logic (tec-semantics.md 5.8, 5.9): slot 2, and the immediates of slot 3.
#include "vnpu/exec/level.h"
#include "vnpu/exec/simd.h"

namespace zynpu::vnpu::ZYNPU_VNPU_LEVEL {
namespace {

using s8 = std::int8_t;
using u8 = std::uint8_t;
using s16 = std::int16_t;
using u16 = std::uint16_t;
using s32 = std::int32_t;
using u32 = std::uint32_t;

// Source lane of result lane i, out of the n lanes of a (0 ..) and of b (n ..).
constexpr unsigned zipl(unsigned i, unsigned n) { return i / 2 + (i % 2) * n; }
constexpr unsigned ziph(unsigned i, unsigned n) { return n / 2 + i / 2 + (i % 2) * n; }
constexpr unsigned zipe(unsigned i, unsigned n) { return i / 2 * 2 + (i % 2) * n; }
constexpr unsigned zipo(unsigned i, unsigned n) { return i / 2 * 2 + 1 + (i % 2) * n; }
constexpr unsigned extl(unsigned i, unsigned n) { return i < n / 2 ? i : n + i - n / 2; }
constexpr unsigned exth(unsigned i, unsigned n) { return i < n / 2 ? n / 2 + i : n + i; }
constexpr unsigned exte(unsigned i, unsigned) { return 2 * i; }
constexpr unsigned exto(unsigned i, unsigned) { return 2 * i + 1; }

// td = the picked lanes of ta, tb
template <class L, unsigned (*F)(unsigned, unsigned)>
void lanes(TecState& s, const MicroOp& op) {
  store(s.t[op.d], pick<L, F>(load<L>(s.t[op.a]), load<L>(s.t[op.b]), std::make_index_sequence<kLanes<L>>()));
}

// Bitwise forms do not depend on the element size.
void bit_and(TecState& s, const MicroOp& op) {
  store(s.t[op.d], load<u32>(s.t[op.a]) & load<u32>(s.t[op.b]));
}
void bit_or(TecState& s, const MicroOp& op) { store(s.t[op.d], load<u32>(s.t[op.a]) | load<u32>(s.t[op.b])); }
void bit_xor(TecState& s, const MicroOp& op) {
  store(s.t[op.d], load<u32>(s.t[op.a]) ^ load<u32>(s.t[op.b]));
}
void andl(TecState& s, const MicroOp& op) {
  store(s.t[op.d], load<u32>(s.t[op.a]) & splat(static_cast<u32>(op.imm)));
}
void orl(TecState& s, const MicroOp& op) {
  store(s.t[op.d], load<u32>(s.t[op.a]) | splat(static_cast<u32>(op.imm)));
}

// td[i] = p[i] ? ta[i] : tb[i]
template <class L>
void sel(TecState& s, const MicroOp& op) {
  Vector result = s.t[op.b];
  store_where<L>(s.p[op.p], result, load<L>(s.t[op.a]));
  s.t[op.d] = result;
}

// td[i] = ta[rb mod lanes]; beyond the last lane the index is assumed to wrap.
template <class L>
void replic(TecState& s, const MicroOp& op) {
  L lane;
  std::memcpy(&lane, s.t[op.a].byte + (s.r[op.b] % kLanes<L>)*sizeof(L), sizeof lane);
  store(s.t[op.d], splat(lane));
}

// td[i] = ta[tb[i] mod 32]; which source is the index is assumed (tec-semantics.md 5.9).
void perm(TecState& s, const MicroOp& op) {
  const Vector a = s.t[op.a], b = s.t[op.b];
  for (unsigned i = 0; i < kVectorBytes; ++i) s.t[op.d].byte[i] = a.byte[b.byte[i] % kVectorBytes];
}
// td[i] = ta[(i + imm) mod 32]
void shfl(TecState& s, const MicroOp& op) {
  const Vector a = s.t[op.a];
  const auto n = static_cast<unsigned>(op.imm);
  for (unsigned i = 0; i < kVectorBytes; ++i) s.t[op.d].byte[i] = a.byte[(i + n) % kVectorBytes];
}
// td = (old td)[imm .. 31], then ta[0 .. imm - 1]
void sldl(TecState& s, const MicroOp& op) {
  const Vector a = s.t[op.a], d = s.t[op.d];
  const auto n = static_cast<unsigned>(op.imm);
  for (unsigned i = 0; i < kVectorBytes; ++i)
    s.t[op.d].byte[i] = i + n < kVectorBytes ? d.byte[i + n] : a.byte[i + n - kVectorBytes];
}

// td = half of the lanes of ta, widened; the sign follows from the type.
template <class Wide, class L, bool kHigh>
void widen(TecState& s, const MicroOp& op) {
  constexpr unsigned n = kLanes<Wide>, from = kHigh ? n : 0;
  const Lanes<L> a = load<L>(s.t[op.a]);
  Lanes<Wide> d;
  for (unsigned i = 0; i < n; ++i) d[i] = static_cast<Wide>(a[from + i]);
  store(s.t[op.d], d);
}

// td[imm] = low bits of rb
template <class L>
void insert(TecState& s, const MicroOp& op) {
  const auto lane = static_cast<L>(s.r[op.b]);
  std::memcpy(s.t[op.d].byte + static_cast<unsigned>(op.imm) * sizeof(L), &lane, sizeof lane);
}

void mov4(TecState& s, const MicroOp& op) { store(s.t[op.d], splat(static_cast<u8>(op.imm))); }
void movf(TecState& s, const MicroOp& op) {
  store_where<u32>(s.p[op.p], s.t[op.d], splat(static_cast<u32>(op.imm)));
}
void bcast(TecState& s, const MicroOp& op) { store(s.t[op.d], splat(s.r[op.b])); }

template <unsigned (*F)(unsigned, unsigned)>
constexpr OpFunction lanes_by_size(isa::Size size) {
  return size == isa::Size::kB ? lanes<u8, F> : size == isa::Size::kH ? lanes<u16, F> : lanes<u32, F>;
}

}  // namespace

OpFunction select_move(const isa::Instruction& i) {
  using isa::Op;
  using isa::Size;
  switch (i.op) {
    case Op::kZipl:
      return lanes_by_size<zipl>(i.size);
    case Op::kZiph:
      return lanes_by_size<ziph>(i.size);
    case Op::kZipe:
      return lanes_by_size<zipe>(i.size);
    case Op::kZipo:
      return lanes_by_size<zipo>(i.size);
    case Op::kExtl:
      return lanes_by_size<extl>(i.size);
    case Op::kExth:
      return lanes_by_size<exth>(i.size);
    case Op::kExte:
      return lanes_by_size<exte>(i.size);
    case Op::kExto:
      return lanes_by_size<exto>(i.size);
    case Op::kVand:
      return bit_and;
    case Op::kVor:
      return bit_or;
    case Op::kVxor:
      return bit_xor;
    case Op::kVandl:
      return andl;
    case Op::kVorl:
      return orl;
    case Op::kSel:
      return i.size == Size::kB ? sel<u8> : i.size == Size::kH ? sel<u16> : sel<u32>;
    case Op::kReplic:
      return i.size == Size::kB ? replic<u8> : i.size == Size::kH ? replic<u16> : replic<u32>;
    case Op::kPerm:
      return perm;
    case Op::kShfl:
      return shfl;
    case Op::kSldl:
      return sldl;
    case Op::kSxtlhb:
      return widen<s16, s8, false>;
    case Op::kSxthhb:
      return widen<s16, s8, true>;
    case Op::kUxtlhb:
      return widen<s16, u8, false>;
    case Op::kUxthhb:
      return widen<s16, u8, true>;
    case Op::kSxtlwh:
      return widen<s32, s16, false>;
    case Op::kSxthwh:
      return widen<s32, s16, true>;
    case Op::kUxtlwh:
      return widen<s32, u16, false>;
    case Op::kUxthwh:
      return widen<s32, u16, true>;
    case Op::kInsertb:
      return insert<u8>;
    case Op::kInsertw:
      return insert<u32>;
    case Op::kMov4:
      return mov4;
    case Op::kMovf:
      return movf;
    case Op::kBcast:
      return bcast;
    default:
      return nullptr;
  }
}

}  // namespace zynpu::vnpu::ZYNPU_VNPU_LEVEL
