// SPDX-License-Identifier: MIT
// Vector integer arithmetic of slots 0 and 1 (tec-semantics.md 5.2 - 5.4, 5.10).
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

// --- lane by lane

template <class L>
struct Add {
  using Lane = Unsigned<L>;
  static ZYNPU_INLINE Lanes<Lane> of(const Lanes<Lane>& a, const Lanes<Lane>& b) { return a + b; }
};
template <class L>
struct Sub {
  using Lane = Unsigned<L>;
  static ZYNPU_INLINE Lanes<Lane> of(const Lanes<Lane>& a, const Lanes<Lane>& b) { return a - b; }
};
template <class L>
struct Max {
  using Lane = L;
  static ZYNPU_INLINE Lanes<L> of(const Lanes<L>& a, const Lanes<L>& b) { return a > b ? a : b; }
};
template <class L>
struct Min {
  using Lane = L;
  static ZYNPU_INLINE Lanes<L> of(const Lanes<L>& a, const Lanes<L>& b) { return a < b ? a : b; }
};

// td = F(ta, tb)
template <class F>
void reg(TecState& s, const MicroOp& op) {
  using L = typename F::Lane;
  store(s.t[op.d], F::of(load<L>(s.t[op.a]), load<L>(s.t[op.b])));
}
// td = F(ta, tb) where p
template <class F>
void masked(TecState& s, const MicroOp& op) {
  using L = typename F::Lane;
  store_where<L>(s.p[op.p], s.t[op.d], F::of(load<L>(s.t[op.a]), load<L>(s.t[op.b])));
}
// td = F(ta, imm)
template <class F>
void imm(TecState& s, const MicroOp& op) {
  using L = typename F::Lane;
  store(s.t[op.d], F::of(load<L>(s.t[op.a]), splat(static_cast<L>(op.imm))));
}

// pd = p and (ta cond tb), one bit a lane; the other bits 0.
template <class L>
inline constexpr u32 kLaneBits = sizeof(L) == 1   ? 0xFFFFFFFF
                                 : sizeof(L) == 2 ? 0x55555555
                                                  : 0x11111111;

template <class L>
struct Eq {
  using Lane = L;
  static ZYNPU_INLINE Lanes<L> of(const Lanes<L>& a, const Lanes<L>& b) { return a == b; }
};
template <class L>
struct Ne {
  using Lane = L;
  static ZYNPU_INLINE Lanes<L> of(const Lanes<L>& a, const Lanes<L>& b) { return a != b; }
};
template <class L>
struct Ge {
  using Lane = L;
  static ZYNPU_INLINE Lanes<L> of(const Lanes<L>& a, const Lanes<L>& b) { return a >= b; }
};
template <class L>
struct Gt {
  using Lane = L;
  static ZYNPU_INLINE Lanes<L> of(const Lanes<L>& a, const Lanes<L>& b) { return a > b; }
};
template <class L>
struct Le {
  using Lane = L;
  static ZYNPU_INLINE Lanes<L> of(const Lanes<L>& a, const Lanes<L>& b) { return a <= b; }
};
template <class L>
struct Lt {
  using Lane = L;
  static ZYNPU_INLINE Lanes<L> of(const Lanes<L>& a, const Lanes<L>& b) { return a < b; }
};
template <class F>
void compare(TecState& s, const MicroOp& op) {
  using L = typename F::Lane;
  s.p[op.d] = byte_bits(F::of(load<L>(s.t[op.a]), load<L>(s.t[op.b]))) & s.p[op.p] & kLaneBits<L>;
}

// --- dot products

// The eight sums of four byte products. Even and odd bytes of each half, then pairs of halves: 0*2 and 1*3.
ZYNPU_INLINE Lanes<s32> quad_sums(const Lanes<s16>& a, const Lanes<s16>& b) {
  const Lanes<s16> a_even = (a << 8) >> 8, a_odd = a >> 8, b_even = (b << 8) >> 8, b_odd = b >> 8;
#if defined(__AVX2__)
  return reinterpret<Lanes<s32>>(
      _mm256_add_epi32(_mm256_madd_epi16(reinterpret<__m256i>(a_even), reinterpret<__m256i>(b_even)),
                       _mm256_madd_epi16(reinterpret<__m256i>(a_odd), reinterpret<__m256i>(b_odd))));
#else
  const Lanes<s16> pairs_even = a_even * b_even, pairs_odd = a_odd * b_odd;
  // One product fits 16 bits; the sums need 32.
  const auto e = reinterpret<Lanes<s32>>(pairs_even), o = reinterpret<Lanes<s32>>(pairs_odd);
  return ((e << 16) >> 16) + (e >> 16) + ((o << 16) >> 16) + (o >> 16);
#endif
}

ZYNPU_INLINE Lanes<s32> saturating_add(const Lanes<s32>& a, const Lanes<s32>& b) {
  const auto sum = reinterpret<Lanes<s32>>(reinterpret<Lanes<u32>>(a) + reinterpret<Lanes<u32>>(b));
  // Overflow: the sum's sign differs from both operands'.
  const Lanes<s32> overflow = ((a ^ sum) & (b ^ sum)) >> 31;
  const Lanes<s32> limit = (a >> 31) ^ 0x7FFFFFFF;
  return (sum & ~overflow) | (limit & overflow);
}

ZYNPU_INLINE Lanes<s16> active_bytes(const Vector& v, u32 predicate) {
  if (predicate == kAllLanes) return load<s16>(v);
  return load<s16>(v) & reinterpret<Lanes<s16>>(lane_mask<u8>(predicate));
}

ZYNPU_INLINE void accumulate(TecState& s, unsigned d, unsigned a, unsigned b, unsigned p) {
  const Lanes<s32> sums = quad_sums(active_bytes(s.t[a], s.p[p]), load<s16>(s.t[b]));
  store(s.t[d], saturating_add(load<s32>(s.t[d]), sums));
}
void qdpa(TecState& s, const MicroOp& op) { accumulate(s, op.d, op.a, op.b, op.p); }
// One after the other; the operands of the second stand in the bytes of imm.
void qdpa_pair(TecState& s, const MicroOp& op) {
  accumulate(s, op.d, op.a, op.b, op.p);
  const auto second = static_cast<u32>(op.imm);
  accumulate(s, second & 0xFF, second >> 8 & 0xFF, second >> 16 & 0xFF, second >> 24);
}
void qdot(TecState& s, const MicroOp& op) {
  store(s.t[op.d], quad_sums(active_bytes(s.t[op.a], s.p[op.p]), load<s16>(s.t[op.b])));
}

template <bool kAccumulate>
void pair_dot(TecState& s, const MicroOp& op) {
  const Lanes<s16> a = active_bytes(s.t[op.a], s.p[op.p]), b = load<s16>(s.t[op.b]);
  const Lanes<s16> even = ((a << 8) >> 8) * ((b << 8) >> 8), odd = (a >> 8) * (b >> 8);
  const Lanes<s16> old = kAccumulate ? load<s16>(s.t[op.d]) : Lanes<s16>{};
  Lanes<s16> sum;
  for (unsigned i = 0; i < kLanes<s16>; ++i) {
    const s32 exact = s32{old[i]} + even[i] + odd[i];
    sum[i] = static_cast<s16>(exact > 32767 ? 32767 : exact < -32768 ? -32768 : exact);
  }
  store(s.t[op.d], sum);
}

// --- widening products

// Exact products of half of the lanes, low or high; one predicate bit a source lane.
template <class Wide, class A, class B, bool kHigh>
void widening(TecState& s, const MicroOp& op) {
  constexpr unsigned n = kLanes<Wide>, from = kHigh ? n : 0;
  const Lanes<A> a = load<A>(s.t[op.a]);
  const Lanes<B> b = load<B>(s.t[op.b]);
  Lanes<Wide> d = load<Wide>(s.t[op.d]);
  const u32 p = s.p[op.p];
  using Product =
      std::conditional_t<sizeof(Wide) == 8, std::uint64_t, u32>;  // wraps, so that no mix overflows
  for (unsigned i = 0; i < n; ++i) {
    const auto product = static_cast<Wide>(static_cast<Product>(static_cast<Wide>(a[from + i])) *
                                           static_cast<Product>(static_cast<Wide>(b[from + i])));
    if ((p >> ((from + i) * sizeof(A)) & 1) != 0) d[i] = product;
  }
  store(s.t[op.d], d);
}
template <class WideSigned, class S, bool kHigh>
OpFunction widening_by_sign(const isa::Instruction& i) {
  using U = Unsigned<S>;
  if (i.unsigned_a)
    return i.unsigned_b ? widening<WideSigned, U, U, kHigh> : widening<WideSigned, U, S, kHigh>;
  return i.unsigned_b ? widening<WideSigned, S, U, kHigh> : widening<WideSigned, S, S, kHigh>;
}

// d[0] = wrapping sum of the active word lanes. The others are undefined: a pattern that no program takes for
// data.
void rpadd(TecState& s, const MicroOp& op) {
  const Lanes<u32> a = load<u32>(s.t[op.a]);
  Lanes<u32> d = splat(u32{0xDEADBEEF});
  u32 sum = 0;
  for (unsigned i = 0; i < kLanes<u32>; ++i)
    if ((s.p[op.p] >> (4 * i) & 1) != 0) sum += a[i];
  d[0] = sum;
  store(s.t[op.d], d);
}

// --- selection

constexpr OpFunction by_size(isa::Size size, OpFunction b, OpFunction h, OpFunction w) {
  return size == isa::Size::kB ? b : size == isa::Size::kH ? h : w;
}

}  // namespace

bool fuse_integer(const MicroOp& first, const MicroOp& second, MicroOp& pair) {
  if (first.function != qdpa || second.function != qdpa) return false;
  pair = first;
  pair.function = qdpa_pair;
  pair.imm = static_cast<s32>(static_cast<u32>(second.d) | static_cast<u32>(second.a) << 8 |
                              static_cast<u32>(second.b) << 16 | static_cast<u32>(second.p) << 24);
  return true;
}

OpFunction select_integer(const isa::Instruction& i) {
  using isa::Op;
  const isa::Size z = i.size;
  switch (i.op) {
    case Op::kQdpa:
      return qdpa;
    case Op::kQdot:
      return qdot;
    case Op::kDpa:
      return pair_dot<true>;
    case Op::kDot:
      return pair_dot<false>;
    case Op::kVmulb:
      return widening_by_sign<s16, s8, false>(i);
    case Op::kVmulhb:
      return widening_by_sign<s16, s8, true>(i);
    case Op::kVmulh16:
      return widening_by_sign<s32, s16, false>(i);
    case Op::kVmulhh16:
      return widening_by_sign<s32, s16, true>(i);
    // Disputed; the vendor model's reading: four 64-bit products (tec-semantics.md 5.3).
    case Op::kVmulw:
      return widening<std::int64_t, s32, s32, false>;
    case Op::kVmulhw:
      return widening<std::int64_t, s32, s32, true>;
    case Op::kVmuluw:
      return widening<std::uint64_t, u32, u32, false>;
    case Op::kVmulhuw:
      return widening<std::uint64_t, u32, u32, true>;
    case Op::kVadd:
      return by_size(z, reg<Add<u8>>, reg<Add<u16>>, reg<Add<u32>>);
    case Op::kVsub:
      return by_size(z, reg<Sub<u8>>, reg<Sub<u16>>, reg<Sub<u32>>);
    case Op::kVaddp:
      return by_size(z, masked<Add<u8>>, masked<Add<u16>>, masked<Add<u32>>);
    case Op::kVaddi:
      return by_size(z, imm<Add<u8>>, imm<Add<u16>>, imm<Add<u32>>);
    case Op::kVsubi:
      return by_size(z, imm<Sub<u8>>, imm<Sub<u16>>, imm<Sub<u32>>);
    case Op::kVmax:
      return i.unsigned_d ? by_size(z, masked<Max<u8>>, masked<Max<u16>>, masked<Max<u32>>)
                          : by_size(z, masked<Max<s8>>, masked<Max<s16>>, masked<Max<s32>>);
    case Op::kVmin:
      return i.unsigned_d ? by_size(z, masked<Min<u8>>, masked<Min<u16>>, masked<Min<u32>>)
                          : by_size(z, masked<Min<s8>>, masked<Min<s16>>, masked<Min<s32>>);
    case Op::kVmaxi:
      return by_size(z, imm<Max<s8>>, imm<Max<s16>>, imm<Max<s32>>);
    case Op::kVmini:
      return by_size(z, imm<Min<s8>>, imm<Min<s16>>, imm<Min<s32>>);
    case Op::kVmaxui:
      return by_size(z, imm<Max<u8>>, imm<Max<u16>>, imm<Max<u32>>);
    case Op::kVminui:
      return by_size(z, imm<Min<u8>>, imm<Min<u16>>, imm<Min<u32>>);
    case Op::kRpadd:
      return rpadd;
    case Op::kVcmpeq:
      return by_size(z, compare<Eq<s8>>, compare<Eq<s16>>, compare<Eq<s32>>);
    case Op::kVcmpne:
      return by_size(z, compare<Ne<s8>>, compare<Ne<s16>>, compare<Ne<s32>>);
    case Op::kVcmpge:
      return by_size(z, compare<Ge<s8>>, compare<Ge<s16>>, compare<Ge<s32>>);
    case Op::kVcmpgt:
      return by_size(z, compare<Gt<s8>>, compare<Gt<s16>>, compare<Gt<s32>>);
    case Op::kVcmple:
      return by_size(z, compare<Le<s8>>, compare<Le<s16>>, compare<Le<s32>>);
    case Op::kVcmplt:
      return by_size(z, compare<Lt<s8>>, compare<Lt<s16>>, compare<Lt<s32>>);
    default:
      return nullptr;
  }
}

}  // namespace zynpu::vnpu::ZYNPU_VNPU_LEVEL
