// SPDX-License-Identifier: MIT
// Floating point and the matrix unit (tec-semantics.md 5.5 - 5.7). Everything rounds to nearest, ties to
// even.
#include "vnpu/exec/level.h"
#include "vnpu/exec/simd.h"

namespace zynpu::vnpu::ZYNPU_VNPU_LEVEL {
namespace {

using u16 = std::uint16_t;
using s32 = std::int32_t;
using u32 = std::uint32_t;

// Not std::bit_cast: an inline function of the library could be shared between the copies of this file.
template <class To, class From>
ZYNPU_INLINE To bits_as(const From& from) {
  return __builtin_bit_cast(To, from);
}

// --- formats

struct Half {
  // Exact. Subnormals are scaled by a multiplication, which is exact too.
  static ZYNPU_INLINE float widen(u16 h) {
    const u32 sign = static_cast<u32>(h & 0x8000) << 16, rest = static_cast<u32>(h & 0x7FFF);
    const u32 bits = rest >= 0x7C00 ? rest << 13 | 0x7F800000 : rest << 13;
    const float magnitude = rest >= 0x7C00 ? bits_as<float>(bits) : bits_as<float>(bits) * 0x1p112f;
    return bits_as<float>(bits_as<u32>(magnitude) | sign);
  }
  static ZYNPU_INLINE u16 narrow(float f) {
    const u32 bits = bits_as<u32>(f), sign = bits >> 16 & 0x8000, rest = bits & 0x7FFFFFFF;
    if (rest > 0x7F800000) return 0x7E00;
    if (rest >= 0x477FF000) return static_cast<u16>(sign | 0x7C00);  // rounds to 2^16 or more
    if (rest <
        0x38800000) {  // below the smallest normal: adding 0.5 leaves the rounded subnormal in the low bits
      const u32 scaled = bits_as<u32>(bits_as<float>(rest) + 0.5f);
      return static_cast<u16>(sign | (scaled - 0x3F000000));
    }
    const u32 rounded = rest + 0xFFF + (rest >> 13 & 1);
    return static_cast<u16>(sign | ((rounded - 0x38000000) >> 13));
  }
};
struct Brain {
  static ZYNPU_INLINE float widen(u16 h) { return bits_as<float>(static_cast<u32>(h) << 16); }
};

// --- lane by lane

// Which NaN an operation gives depends on the host; here it is always the same.
ZYNPU_INLINE float canonical(float x) { return x != x ? bits_as<float>(u32{0x7FC00000}) : x; }

float add(float a, float b) { return a + b; }
float sub(float a, float b) { return a - b; }
float mul(float a, float b) { return a * b; }
// If exactly one operand is NaN the result is the other one.
float max(float a, float b) { return a > b || b != b ? a : b; }
float min(float a, float b) { return a < b || b != b ? a : b; }

// td = F(ta, tb) where p, fp32
template <float (*F)(float, float)>
void single(TecState& s, const MicroOp& op) {
  const Lanes<float> a = load<float>(s.t[op.a]), b = load<float>(s.t[op.b]);
  Lanes<float> d;
  for (unsigned i = 0; i < kLanes<float>; ++i) d[i] = canonical(F(a[i], b[i]));
  store_where<float>(s.p[op.p], s.t[op.d], d);
}
// The same in fp16: fp32 carries twice the digits and two more, so rounding twice is rounding once.
template <float (*F)(float, float)>
void half(TecState& s, const MicroOp& op) {
  const Lanes<u16> a = load<u16>(s.t[op.a]), b = load<u16>(s.t[op.b]);
  Lanes<u16> d;
  for (unsigned i = 0; i < kLanes<u16>; ++i) d[i] = Half::narrow(F(Half::widen(a[i]), Half::widen(b[i])));
  store_where<u16>(s.p[op.p], s.t[op.d], d);
}
// td += ta * tb where p, one rounding
void fma(TecState& s, const MicroOp& op) {
  const Lanes<float> a = load<float>(s.t[op.a]), b = load<float>(s.t[op.b]), c = load<float>(s.t[op.d]);
  Lanes<float> d;
  for (unsigned i = 0; i < kLanes<float>; ++i) d[i] = canonical(__builtin_fmaf(a[i], b[i], c[i]));
  store_where<float>(s.p[op.p], s.t[op.d], d);
}
// td.fp32[i] += ta.fp16[2i + odd] * tb.fp16[2i + odd]; the predicate is that of the fp16 lane.
template <unsigned kOdd>
void fma_half(TecState& s, const MicroOp& op) {
  const Lanes<u16> a = load<u16>(s.t[op.a]), b = load<u16>(s.t[op.b]);
  Lanes<float> d = load<float>(s.t[op.d]);
  for (unsigned i = 0; i < kLanes<float>; ++i) {
    const unsigned lane = 2 * i + kOdd;
    if ((s.p[op.p] >> (2 * lane) & 1) != 0)
      d[i] = canonical(d[i] + Half::widen(a[lane]) * Half::widen(b[lane]));
  }
  store(s.t[op.d], d);
}
void rint(TecState& s, const MicroOp& op) {
  const Lanes<float> a = load<float>(s.t[op.a]);
  Lanes<float> d;
  for (unsigned i = 0; i < kLanes<float>; ++i) d[i] = canonical(__builtin_nearbyintf(a[i]));
  store_where<float>(s.p[op.p], s.t[op.d], d);
}
// td = ta * 2^tb
void scal2(TecState& s, const MicroOp& op) {
  const Lanes<float> a = load<float>(s.t[op.a]);
  const Lanes<s32> b = load<s32>(s.t[op.b]);
  Lanes<float> d;
  for (unsigned i = 0; i < kLanes<float>; ++i) {
    const s32 n = b[i] < -400 ? -400 : b[i] > 400 ? 400 : b[i];  // beyond, the result no longer changes
    d[i] = canonical(__builtin_ldexpf(a[i], n));
  }
  store_where<float>(s.p[op.p], s.t[op.d], d);
}

// --- conversions

// Saturating; NaN gives 0.
void to_int(TecState& s, const MicroOp& op) {
  const Lanes<float> a = load<float>(s.t[op.a]);
  Lanes<s32> d;
  for (unsigned i = 0; i < kLanes<float>; ++i) {
    const float x = __builtin_nearbyintf(a[i]);
    d[i] = x != x ? 0 : x >= 0x1p31f ? INT32_MAX : x < -0x1p31f ? INT32_MIN : static_cast<s32>(x);
  }
  store(s.t[op.d], d);
}
void from_int(TecState& s, const MicroOp& op) {
  const Lanes<s32> a = load<s32>(s.t[op.a]);
  Lanes<float> d;
  for (unsigned i = 0; i < kLanes<float>; ++i) d[i] = static_cast<float>(a[i]);
  store(s.t[op.d], d);
}
// fp16 lanes 0..7 from ta, 8..15 from tb
void narrow(TecState& s, const MicroOp& op) {
  const Lanes<float> a = load<float>(s.t[op.a]), b = load<float>(s.t[op.b]);
  Lanes<u16> d;
  for (unsigned i = 0; i < kLanes<float>; ++i) {
    d[i] = Half::narrow(a[i]);
    d[kLanes<float> + i] = Half::narrow(b[i]);
  }
  store(s.t[op.d], d);
}

// --- matrix unit

// C[m][n] (+)= sum over k of X[m][k] * Y[n][k], row-major C in {td, td + 1}. Exact products, one sum in fp64,
// one rounding: the unit's own order is not published (tec-semantics.md 5.5).
template <class Format, bool kAccumulate>
void matrix(TecState& s, const MicroOp& op) {
  const Lanes<u16> a = load<u16>(s.t[op.a]), b = load<u16>(s.t[op.b]);
  double x[16], y[16];
  for (unsigned i = 0; i < 16; ++i) {
    x[i] = static_cast<double>(Format::widen(a[i]));
    y[i] = static_cast<double>(Format::widen(b[i]));
  }
  float c[16];
  std::memcpy(c, s.t[op.d].byte, kVectorBytes);
  std::memcpy(c + 8, s.t[op.d + 1].byte, kVectorBytes);
  for (unsigned m = 0; m < 4; ++m)
    for (unsigned n = 0; n < 4; ++n) {
      double sum = kAccumulate ? static_cast<double>(c[4 * m + n]) : 0;
      for (unsigned k = 0; k < 4; ++k) sum += x[4 * m + k] * y[4 * n + k];
      c[4 * m + n] = canonical(static_cast<float>(sum));
    }
  std::memcpy(s.t[op.d].byte, c, kVectorBytes);
  std::memcpy(s.t[op.d + 1].byte, c + 8, kVectorBytes);
}

}  // namespace

OpFunction select_float(const isa::Instruction& i) {
  using isa::Op;
  switch (i.op) {
    case Op::kFadd:
      return single<add>;
    case Op::kFsub:
      return single<sub>;
    case Op::kFmul:
      return single<mul>;
    case Op::kFmax:
      return single<max>;
    case Op::kFmin:
      return single<min>;
    case Op::kFma:
      return fma;
    case Op::kHadd:
      return half<add>;
    case Op::kHsub:
      return half<sub>;
    case Op::kHmul:
      return half<mul>;
    case Op::kFmae:
      return fma_half<0>;
    case Op::kFmao:
      return fma_half<1>;
    case Op::kRint:
      return rint;
    case Op::kScal2:
      return scal2;
    case Op::kCvtwf:
      return to_int;
    case Op::kCvtfw:
      return from_int;
    case Op::kCvtd:
      return narrow;
    case Op::kMmlh:
      return matrix<Half, false>;
    case Op::kMmlb:
      return matrix<Brain, false>;
    case Op::kMmah:
      return matrix<Half, true>;
    case Op::kMmab:
      return matrix<Brain, true>;
    default:
      return nullptr;
  }
}

}  // namespace zynpu::vnpu::ZYNPU_VNPU_LEVEL
