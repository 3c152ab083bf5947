// SPDX-License-Identifier: MIT
#include "reference/fixed_point.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

namespace zynpu::reference {
namespace {

// The wider type in which sums and products of Raw are exact.
template <class Raw>
using Wide = std::conditional_t<sizeof(Raw) == 2, std::int32_t, std::int64_t>;

template <class Raw>
constexpr int kValueBits = static_cast<int>(8 * sizeof(Raw)) - 1;  // bits beside the sign

template <class Raw>
constexpr Raw kOne = std::numeric_limits<Raw>::max();  // 1.0 without integer bits, as near as it gets

// Two's complement truncation: what an addition of machine integers of that width leaves.
template <class Raw>
Raw wrap(Wide<Raw> x) {
  return static_cast<Raw>(static_cast<std::make_unsigned_t<Raw>>(x));
}

template <class Raw>
Raw saturate(Wide<Raw> x) {
  return static_cast<Raw>(std::clamp<Wide<Raw>>(x, std::numeric_limits<Raw>::min(), kOne<Raw>));
}

// Constants are defined with 31 fraction bits; narrower formats round them.
template <class Raw>
Raw constant(std::int32_t with_31_bits) {
  return static_cast<Raw>(rounding_divide_by_pot(with_31_bits, 31 - kValueBits<Raw>));
}

template <class Raw>
Raw product(Raw a, Raw b) {
  return saturating_rounding_doubling_high_mul(a, b);
}

template <class Raw>
Raw divide_by_pot(Raw x, int exponent) {
  return static_cast<Raw>(rounding_divide_by_pot(x, exponent));
}

template <class Raw>
Raw shift_left_saturating(Raw x, int amount) {
  return saturate<Raw>(static_cast<Wide<Raw>>(x) * (Wide<Raw>{1} << amount));
}

// exp(a) for a in [-1/4, 0): Taylor around -1/8 up to the fourth power.
template <class Raw>
Raw exp_on_last_quarter(Raw a) {
  const Raw exp_minus_eighth = constant<Raw>(1895147668);
  const Raw third = constant<Raw>(715827883);
  const auto x = static_cast<Raw>(a + (Raw{1} << (kValueBits<Raw> - 3)));
  const Raw x2 = product(x, x);
  const Raw x3 = product(x2, x);
  const Raw x4 = product(x2, x2);
  // (x^4/4 + x^3) / 3 + x^2, halved, is x^4/24 + x^3/6 + x^2/2.
  const Raw cubic = product(wrap<Raw>(Wide<Raw>{divide_by_pot(x4, 2)} + x3), third);
  const Raw tail = divide_by_pot(wrap<Raw>(Wide<Raw>{cubic} + x2), 1);
  const Raw scaled = product(exp_minus_eighth, wrap<Raw>(Wide<Raw>{x} + tail));
  const Wide<Raw> sum = Wide<Raw>{exp_minus_eighth} + scaled;
  return sizeof(Raw) == 2 ? saturate<Raw>(sum) : wrap<Raw>(sum);
}

// exp(a) = exp(a modulo 1/4) times exp(-2^k) for every bit 2^k set in the rest.
template <class Raw>
Raw exp_negative(Raw a, int integer_bits) {
  struct Power {
    int exponent;
    std::int32_t value;  // exp(-2^exponent), 31 fraction bits
  };
  static constexpr std::array<Power, 7> kPowers = {{{-2, 1672461947},
                                                    {-1, 1302514674},
                                                    {0, 790015084},
                                                    {1, 290630308},
                                                    {2, 39332535},
                                                    {3, 720401},
                                                    {4, 242}}};
  if (a == 0) return kOne<Raw>;
  const int fraction_bits = kValueBits<Raw> - integer_bits;
  // Below -32 the result is zero; formats up to 5 integer bits cannot say so.
  if (integer_bits > 5 && a < -(Wide<Raw>{1} << (fraction_bits + 5))) return 0;

  const auto quarter = static_cast<Raw>(Raw{1} << (fraction_bits - 2));
  const auto last = static_cast<Raw>((a & (quarter - 1)) - quarter);  // in [-1/4, 0)
  const Raw rest = wrap<Raw>(Wide<Raw>{last} - a);                    // a multiple of 1/4, >= 0
  Raw result = exp_on_last_quarter(shift_left_saturating(last, integer_bits));
  for (const Power& power : kPowers) {
    if (integer_bits > power.exponent && ((rest >> (fraction_bits + power.exponent)) & 1) != 0) {
      result = product(result, constant<Raw>(power.value));
    }
  }
  return result;
}

// 2 / (1 + a) with two integer bits, a in [0, 1): three steps of Newton and Raphson from the linear estimate
// 48/17 - 32/17 d, where d = (1 + a) / 2.
template <class Raw>
Raw two_over_one_plus_x(Raw a) {
  constexpr int kIntegerBits = 2;
  const auto one = static_cast<Raw>(Raw{1} << (kValueBits<Raw> - kIntegerBits));
  const auto d = static_cast<Raw>((Wide<Raw>{a} + kOne<Raw> + 1) / 2);
  Raw x = wrap<Raw>(Wide<Raw>{constant<Raw>(1515870810)} + product(d, constant<Raw>(-1010580540)));
  for (int i = 0; i < 3; ++i) {
    const Raw error = wrap<Raw>(Wide<Raw>{one} - product(d, x));
    const Raw correction =
        shift_left_saturating(product(x, error), kIntegerBits);  // four integer bits to two
    x = wrap<Raw>(Wide<Raw>{x} + correction);
  }
  return x;
}

template <class Raw>
Raw one_over_one_plus(Raw a) {
  return shift_left_saturating(two_over_one_plus_x(a), 1);  // halved, one integer bit to none
}

// (1 - a) / (1 + a) = 2 / (1 + a) - 1.
template <class Raw>
Raw one_minus_x_over_one_plus_x(Raw a) {
  const auto one = static_cast<Raw>(Raw{1} << (kValueBits<Raw> - 2));
  return shift_left_saturating(wrap<Raw>(Wide<Raw>{two_over_one_plus_x(a)} - one), 2);
}

// (a*b + half) / 2^bits, rounded half up, which is what the sign-dependent nudge and truncating division of
// the definition come to; only the most negative square does not fit.
template <class Raw>
Raw high_product(Raw a, Raw b) {
  constexpr Raw kMin = std::numeric_limits<Raw>::min();
  if (a == kMin && b == kMin) return kOne<Raw>;
  const Wide<Raw> ab = static_cast<Wide<Raw>>(a) * b;
  return static_cast<Raw>((ab + (Wide<Raw>{1} << (kValueBits<Raw> - 1))) >> kValueBits<Raw>);
}

}  // namespace

QuantizedMultiplier quantize_multiplier(double real) {
  if (real == 0.0) return {};
  int shift = 0;
  const double mantissa = std::frexp(real, &shift);  // magnitude in [0.5, 1)
  auto fixed = static_cast<std::int64_t>(std::round(mantissa * 2147483648.0));
  if (fixed == (std::int64_t{1} << 31)) {
    fixed /= 2;
    ++shift;
  }
  if (shift < -31) return {};
  return {static_cast<std::int32_t>(fixed), shift};
}

std::int32_t saturating_rounding_doubling_high_mul(std::int32_t a, std::int32_t b) {
  return high_product(a, b);
}

std::int16_t saturating_rounding_doubling_high_mul(std::int16_t a, std::int16_t b) {
  return high_product(a, b);
}

std::int32_t rounding_divide_by_pot(std::int32_t x, int exponent) {
  if (exponent == 0) return x;
  const std::int64_t half = std::int64_t{1} << (exponent - 1);
  return static_cast<std::int32_t>((x + half - (x < 0 ? 1 : 0)) >> exponent);
}

std::int32_t multiply_by_quantized_multiplier(std::int32_t x, QuantizedMultiplier q) {
  const int left = std::max(q.shift, 0);
  const int right = std::max(-q.shift, 0);
  const auto shifted = static_cast<std::int32_t>(static_cast<std::uint32_t>(x) << left);
  return rounding_divide_by_pot(high_product(shifted, q.multiplier), right);
}

std::int32_t exp_on_negative_values(std::int32_t a, int integer_bits) {
  return exp_negative(a, integer_bits);
}
std::int16_t exp_on_negative_values(std::int16_t a, int integer_bits) {
  return exp_negative(a, integer_bits);
}

std::int32_t one_over_one_plus_x(std::int32_t a) { return one_over_one_plus(a); }

std::int16_t logistic(std::int16_t a, int integer_bits) {
  if (a == 0) return std::int16_t{1} << 14;
  const std::int16_t negative = a > 0 ? static_cast<std::int16_t>(-a) : a;
  const std::int16_t of_magnitude = one_over_one_plus(exp_negative(negative, integer_bits));
  return a > 0 ? of_magnitude : static_cast<std::int16_t>(kOne<std::int16_t> - of_magnitude);
}

std::int16_t tanh(std::int16_t a, int integer_bits) {
  if (a == 0) return 0;
  const std::int16_t negative = a > 0 ? static_cast<std::int16_t>(-a) : a;
  // exp(2a): the same bits read with one more integer bit.
  const std::int16_t of_magnitude = one_minus_x_over_one_plus_x(exp_negative(negative, integer_bits + 1));
  return a > 0 ? of_magnitude : static_cast<std::int16_t>(-of_magnitude);
}

Reciprocal reciprocal(std::int32_t x, int integer_bits) {
  const int headroom = std::countl_zero(static_cast<std::uint32_t>(x));  // >= 1: x is positive
  // Shifted so that the leading one falls on bit 31, taken away: x = (1 + fraction) * 2^(integer_bits -
  // headroom).
  const auto fraction =
      static_cast<std::int32_t>((static_cast<std::uint32_t>(x) << headroom) - (std::uint32_t{1} << 31));
  return {one_over_one_plus(fraction), integer_bits - headroom};
}

}  // namespace zynpu::reference
