// SPDX-License-Identifier: MIT
// Vector shifts and narrowing (tec-semantics.md 5.8). Amounts are unsigned; at and beyond the lane width the
// result is 0, or the sign.
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
using s64 = std::int64_t;

template <class L>
inline constexpr unsigned kWidth = 8 * sizeof(L);

// a / 2^n to the nearest integer, 0 < n < 64. Ties: the sources disagree (tec-semantics.md 5.8).
template <bool kHalfUp>
ZYNPU_INLINE s64 round_shift(s64 a, unsigned n) {
  if (kHalfUp) return (a + (s64{1} << (n - 1))) >> n;
  const s64 down = a >> n, rest = a - (down << n), half = s64{1} << (n - 1);
  return down + (rest > half || (rest == half && (down & 1) != 0) ? 1 : 0);
}

// One lane by n: L signed shifts arithmetically, unsigned logically.
template <class L>
struct Left {
  static ZYNPU_INLINE L of(L a, u32 n) { return n < kWidth<L> ? static_cast<L>(a << n) : L{0}; }
};
template <class L>
struct Right {
  static ZYNPU_INLINE L of(L a, u32 n) {
    if (n >= kWidth<L>) return std::is_signed_v<L> && a < 0 ? static_cast<L>(-1) : L{0};
    return static_cast<L>(a >> n);
  }
};
template <class L>
using Plain = Right<L>;
template <bool kHalfUp>
struct Rounding {
  template <class L>
  struct Right {
    static ZYNPU_INLINE L of(L a, u32 n) {
      if (n == 0 || n >= kWidth<L>) return Plain<L>::of(a, n);
      return static_cast<L>(round_shift<kHalfUp>(a, n));
    }
  };
};

// td = ta shifted by tb
template <class F, class L>
void reg(TecState& s, const MicroOp& op) {
  const Lanes<L> a = load<L>(s.t[op.a]);
  const Lanes<Unsigned<L>> n = load<Unsigned<L>>(s.t[op.b]);
  Lanes<L> d;
  for (unsigned i = 0; i < kLanes<L>; ++i) d[i] = F::of(a[i], n[i]);
  store(s.t[op.d], d);
}
// td = ta shifted by imm
template <class F, class L>
void imm(TecState& s, const MicroOp& op) {
  const Lanes<L> a = load<L>(s.t[op.a]);
  const auto n = static_cast<u32>(op.imm);
  Lanes<L> d;
  for (unsigned i = 0; i < kLanes<L>; ++i) d[i] = F::of(a[i], n);
  store(s.t[op.d], d);
}
// In place: each lane >> imm, saturated to or cut to Narrow, in the low part of the lane; the rest of the
// lane 0.
template <template <class> class F, class L, class Narrow, bool kSaturate>
void narrow(TecState& s, const MicroOp& op) {
  constexpr s32 low = -(1 << (8 * sizeof(Narrow) - 1)), high = -(low + 1);
  const auto n = static_cast<u32>(op.imm);
  const Lanes<L> a = load<L>(s.t[op.d]);
  Lanes<Unsigned<L>> d;
  for (unsigned i = 0; i < kLanes<L>; ++i) {
    auto x = static_cast<s32>(F<L>::of(a[i], n));
    if (kSaturate) x = x < low ? low : x > high ? high : x;
    d[i] = static_cast<Unsigned<Narrow>>(x);
  }
  store(s.t[op.d], d);
}

template <template <class> class F, class B, class H, class W>
constexpr OpFunction by_reg(isa::Size size) {
  return size == isa::Size::kB ? reg<F<B>, B> : size == isa::Size::kH ? reg<F<H>, H> : reg<F<W>, W>;
}
template <template <class> class F, class B, class H, class W>
constexpr OpFunction by_imm(isa::Size size) {
  return size == isa::Size::kB ? imm<F<B>, B> : size == isa::Size::kH ? imm<F<H>, H> : imm<F<W>, W>;
}

template <bool kHalfUp>
OpFunction select(const isa::Instruction& i) {
  using isa::Op;
  switch (i.op) {
    case Op::kVlsl:
      return by_reg<Left, u8, u16, u32>(i.size);
    case Op::kVlsr:
      return by_reg<Right, u8, u16, u32>(i.size);
    case Op::kVasr:
      return by_reg<Right, s8, s16, s32>(i.size);
    case Op::kVlsrr:
      return by_reg<Rounding<kHalfUp>::template Right, u8, u16, u32>(i.size);
    case Op::kVasrr:
      return by_reg<Rounding<kHalfUp>::template Right, s8, s16, s32>(i.size);
    case Op::kVlsli:
      return by_imm<Left, u8, u16, u32>(i.size);
    case Op::kVlsri:
      return by_imm<Right, u8, u16, u32>(i.size);
    case Op::kVasri:
      return by_imm<Right, s8, s16, s32>(i.size);
    case Op::kVlsrri:
      return by_imm<Rounding<kHalfUp>::template Right, u8, u16, u32>(i.size);
    case Op::kVasrri:
      return by_imm<Rounding<kHalfUp>::template Right, s8, s16, s32>(i.size);
    case Op::kNsrasbw:
      return narrow<Right, s32, s8, true>;
    case Op::kNsrasrbw:
      return narrow<Rounding<kHalfUp>::template Right, s32, s8, true>;
    case Op::kNsrabw:
      return narrow<Right, s32, s8, false>;
    case Op::kNsrlbw:
      return narrow<Right, u32, s8, false>;
    case Op::kNsrashw:
      return narrow<Right, s32, s16, true>;
    case Op::kNsrasbh:
      return narrow<Right, s16, s8, true>;
    default:
      return nullptr;
  }
}

}  // namespace

OpFunction select_shift(const isa::Instruction& i, bool half_up) {
  return half_up ? select<true>(i) : select<false>(i);
}

}  // namespace zynpu::vnpu::ZYNPU_VNPU_LEVEL
