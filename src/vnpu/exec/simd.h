// SPDX-License-Identifier: MIT
// Lanes of vector registers as compiler vectors. The files of this folder are compiled once for every host
// instruction set that is worth it, each time with another ZYNPU_VNPU_LEVEL; everything here has internal
// linkage so that the linker never mixes the copies.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "vnpu/micro_op.h"

#if defined(__AVX2__)
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace zynpu::vnpu {
namespace {

template <class L>
struct LanesOf {
  typedef L type __attribute__((vector_size(kVectorBytes)));
};
// All lanes of a register, as elements of type L.
template <class L>
using Lanes = typename LanesOf<L>::type;

template <class L>
inline constexpr unsigned kLanes = kVectorBytes / sizeof(L);

#define ZYNPU_INLINE inline __attribute__((always_inline))

template <class L>
ZYNPU_INLINE Lanes<L> load(const Vector& v) {
  Lanes<L> x;
  std::memcpy(&x, v.byte, sizeof x);
  return x;
}

template <class V>
ZYNPU_INLINE void store(Vector& v, const V& x) {
  static_assert(sizeof(V) == kVectorBytes);
  std::memcpy(v.byte, &x, sizeof x);
}

template <class L>
ZYNPU_INLINE Lanes<L> splat(L x) {
  return x - Lanes<L>{};
}

// The same 32 bytes as lanes of another type.
template <class To, class From>
ZYNPU_INLINE To reinterpret(const From& from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

template <class L>
using Signed = std::conditional_t<sizeof(L) == 1, std::int8_t,
                                  std::conditional_t<sizeof(L) == 2, std::int16_t, std::int32_t>>;
template <class L>
using Unsigned = std::make_unsigned_t<Signed<L>>;

inline constexpr std::uint32_t kAllLanes = 0xFFFFFFFF;

// All-ones in the lanes whose governing bit (bit i * sizeof(L)) is set (tec-semantics.md 2.2).
template <class L>
ZYNPU_INLINE Lanes<Signed<L>> lane_mask(std::uint32_t predicate) {
  Lanes<Signed<L>> mask;
  for (unsigned i = 0; i < kLanes<L>; ++i)
    mask[i] = static_cast<Signed<L>>((predicate >> (i * sizeof(L)) & 1) != 0 ? -1 : 0);
  return mask;
}

// d = x where the predicate is set, else unchanged.
template <class L>
ZYNPU_INLINE void store_where(std::uint32_t predicate, Vector& d, const Lanes<L>& x) {
  if (predicate == kAllLanes) {
    store(d, x);
    return;
  }
  using M = Lanes<Signed<L>>;
  const M mask = lane_mask<L>(predicate);
  store(d, (reinterpret<M>(x) & mask) | (load<Signed<L>>(d) & ~mask));
}

// One bit a byte: the top bit of each byte of `x`.
template <class V>
ZYNPU_INLINE std::uint32_t byte_bits(const V& x) {
#if defined(__AVX2__)
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(reinterpret<__m256i>(x)));
#elif defined(__SSE2__)
  __m128i half[2];
  std::memcpy(half, &x, sizeof half);
  return static_cast<std::uint32_t>(_mm_movemask_epi8(half[0])) |
         static_cast<std::uint32_t>(_mm_movemask_epi8(half[1])) << 16;
#else
  std::uint8_t byte[kVectorBytes];
  std::memcpy(byte, &x, sizeof byte);
  std::uint32_t bits = 0;
  for (unsigned i = 0; i < kVectorBytes; ++i) bits |= static_cast<std::uint32_t>(byte[i] >> 7) << i;
  return bits;
#endif
}

// Lane i of the result is lane F(i) of the 2 * kLanes lanes of a, then b.
template <class L, unsigned (*F)(unsigned, unsigned), std::size_t... I>
ZYNPU_INLINE Lanes<L> pick(const Lanes<L>& a, const Lanes<L>& b, std::index_sequence<I...>) {
  return __builtin_shufflevector(a, b, static_cast<int>(F(I, kLanes<L>))...);
}

}  // namespace
}  // namespace zynpu::vnpu
