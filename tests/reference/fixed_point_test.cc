// SPDX-License-Identifier: MIT
// Fixed-point arithmetic against its definition in exact arithmetic, on random values and at the ends.
#include "reference/fixed_point.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace zynpu::reference {
namespace {

__extension__ using Wide = __int128;
constexpr std::int32_t kMin = std::numeric_limits<std::int32_t>::min();
constexpr std::int32_t kMax = std::numeric_limits<std::int32_t>::max();

// floor(a / b), b > 0.
Wide floor_divide(Wide a, Wide b) {
  const Wide quotient = a / b;
  return a % b < 0 ? quotient - 1 : quotient;
}

std::int32_t defined_high_product(std::int32_t a, std::int32_t b) {
  const Wide rounded = floor_divide(Wide{a} * b + (Wide{1} << 30), Wide{1} << 31);
  return rounded > kMax ? kMax : static_cast<std::int32_t>(rounded);
}

// Half away from zero.
std::int32_t defined_division(std::int32_t x, int exponent) {
  const Wide magnitude = x < 0 ? -Wide{x} : Wide{x};
  const Wide rounded = (magnitude * 2 + (Wide{1} << exponent)) / (Wide{2} << exponent);
  return static_cast<std::int32_t>(x < 0 ? -rounded : rounded);
}

std::vector<std::int32_t> interesting() {
  std::vector<std::int32_t> values = {0,    1,        -1,   2,        -2,      3,         -3,
                                      kMin, kMin + 1, kMax, kMax - 1, 1 << 30, -(1 << 30)};
  for (int bit = 2; bit < 31; ++bit) {
    for (const std::int32_t d : {-1, 0, 1}) {
      values.push_back((1 << bit) + d);
      values.push_back(-(1 << bit) + d);
    }
  }
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    values.push_back(static_cast<std::int32_t>(random()) >> (random() % 32));
  }
  return values;
}

TEST(HighProduct, IsTheRoundedProductOver2To31) {
  const auto values = interesting();
  for (const std::int32_t a : values) {
    for (std::size_t i = 0; i < 130; ++i) {
      const std::int32_t b = values[i];
      ASSERT_EQ(saturating_rounding_doubling_high_mul(a, b), defined_high_product(a, b)) << a << " " << b;
    }
  }
  EXPECT_EQ(saturating_rounding_doubling_high_mul(kMin, kMin), kMax);
  EXPECT_EQ(saturating_rounding_doubling_high_mul(kMin, kMax), -kMax);
}

TEST(HighProduct, Of16BitsIsTheRoundedProductOver2To15) {
  for (int a = -32768; a <= 32767; a += 37) {
    for (int b = -32768; b <= 32767; b += 41) {
      const Wide rounded = floor_divide(Wide{a} * b + (1 << 14), 1 << 15);
      const auto got =
          saturating_rounding_doubling_high_mul(static_cast<std::int16_t>(a), static_cast<std::int16_t>(b));
      ASSERT_EQ(got, static_cast<int>(rounded > 32767 ? 32767 : rounded)) << a << " " << b;
    }
  }
  EXPECT_EQ(saturating_rounding_doubling_high_mul(std::int16_t{-32768}, std::int16_t{-32768}), 32767);
}

TEST(RoundingDivision, RoundsHalvesAwayFromZero) {
  EXPECT_EQ(rounding_divide_by_pot(5, 1), 3);
  EXPECT_EQ(rounding_divide_by_pot(-5, 1), -3);
  EXPECT_EQ(rounding_divide_by_pot(-6, 2), -2);
  EXPECT_EQ(rounding_divide_by_pot(6, 2), 2);
  EXPECT_EQ(rounding_divide_by_pot(kMin, 0), kMin);
  for (const std::int32_t x : interesting()) {
    for (int exponent = 0; exponent <= 40; ++exponent) {
      ASSERT_EQ(rounding_divide_by_pot(x, exponent), defined_division(x, exponent))
          << x << " >> " << exponent;
    }
  }
}

TEST(Requantisation, IsTheProductRoundedTwice) {
  std::mt19937 random(2);
  for (int i = 0; i < 200000; ++i) {
    const QuantizedMultiplier q{static_cast<std::int32_t>((1u << 30) + random() % (1u << 30)),
                                static_cast<int>(random() % 62) - 31};
    std::int32_t x = static_cast<std::int32_t>(random()) >> (random() % 32);
    if (q.shift > 0) x >>= q.shift;  // the left shift keeps the value
    const auto shifted = static_cast<std::int32_t>(Wide{x} << (q.shift > 0 ? q.shift : 0));
    const std::int32_t expected =
        defined_division(defined_high_product(shifted, q.multiplier), q.shift < 0 ? -q.shift : 0);
    ASSERT_EQ(multiply_by_quantized_multiplier(x, q), expected) << x << " " << q.multiplier << " " << q.shift;
  }
}

TEST(Requantisation, DropsBitsThatALeftShiftPushesOut) {
  // 3 << 30 keeps only the bit of 2^30 and the sign: 0xC0000000.
  EXPECT_EQ(multiply_by_quantized_multiplier(3, {1 << 30, 30}), -(1 << 29));
  EXPECT_EQ(multiply_by_quantized_multiplier(4, {1 << 30, 30}), 0);
}

TEST(QuantizeMultiplier, FindsTheNearestMantissaAndShift) {
  EXPECT_EQ(quantize_multiplier(0), (QuantizedMultiplier{0, 0}));
  EXPECT_EQ(quantize_multiplier(1), (QuantizedMultiplier{1 << 30, 1}));
  EXPECT_EQ(quantize_multiplier(0.5), (QuantizedMultiplier{1 << 30, 0}));
  EXPECT_EQ(quantize_multiplier(0.75), (QuantizedMultiplier{3 << 29, 0}));
  EXPECT_EQ(quantize_multiplier(-0.75), (QuantizedMultiplier{-(3 << 29), 0}));
  EXPECT_EQ(quantize_multiplier(6), (QuantizedMultiplier{3 << 29, 3}));
  // A mantissa that rounds up to one moves to the next power.
  EXPECT_EQ(quantize_multiplier(1 - 1e-12), (QuantizedMultiplier{1 << 30, 1}));
  // The smallest that is not flushed to zero, and the next below.
  EXPECT_EQ(quantize_multiplier(std::ldexp(1.0, -32)), (QuantizedMultiplier{1 << 30, -31}));
  EXPECT_EQ(quantize_multiplier(std::ldexp(1.0, -33)), (QuantizedMultiplier{0, 0}));
  std::mt19937_64 random(3);
  for (int i = 0; i < 100000; ++i) {
    const double real = std::ldexp(1 + static_cast<double>(random() >> 11) * std::ldexp(1.0, -53),
                                   static_cast<int>(random() % 60) - 31);
    const QuantizedMultiplier q = quantize_multiplier(real);
    ASSERT_GE(q.multiplier, 1 << 30);
    const double back = std::ldexp(static_cast<double>(q.multiplier), q.shift - 31);
    ASSERT_LE(std::abs(back - real), std::ldexp(0.5, q.shift - 31)) << real;
  }
}

TEST(Exponential, IsCloseToTheRealOneAndNeverRises) {
  EXPECT_EQ(exp_on_negative_values(std::int32_t{0}, 5), kMax);
  std::int32_t before = kMax;
  for (std::int64_t a = -1; a > kMin; a -= 65537) {
    const auto raw = static_cast<std::int32_t>(a);
    const std::int32_t got = exp_on_negative_values(raw, 5);
    const double real = std::exp(std::ldexp(static_cast<double>(raw), 5 - 31));
    ASSERT_NEAR(std::ldexp(static_cast<double>(got), -31), real, 3e-7) << raw;
    ASSERT_LE(got, before);
    before = got;
  }
}

TEST(Exponential, IsZeroBelowMinus32WhereTheFormatReachesSoFar) {
  const std::int32_t minus_32 = -(1 << 30);  // six integer bits
  EXPECT_EQ(exp_on_negative_values(minus_32 - 1, 6), 0);
  EXPECT_EQ(exp_on_negative_values(kMin, 6), 0);
  EXPECT_EQ(exp_on_negative_values(std::int16_t{-16385}, 6), 0);
}

TEST(Exponential, Of16BitsIsCloseToTheRealOne) {
  for (int integer_bits = 0; integer_bits <= 7; ++integer_bits) {
    EXPECT_EQ(exp_on_negative_values(std::int16_t{0}, integer_bits), 32767);
    for (int a = -32768; a < 0; a += 7) {
      const double real = std::exp(std::ldexp(a, integer_bits - 15));
      const double got = std::ldexp(exp_on_negative_values(static_cast<std::int16_t>(a), integer_bits), -15);
      ASSERT_NEAR(got, real, 1.5e-4) << a << " with " << integer_bits;
    }
  }
}

TEST(Reciprocals, AreCloseToTheRealOnes) {
  for (std::int64_t a = 0; a <= kMax; a += 1000003) {
    const double x = std::ldexp(static_cast<double>(a), -31);
    ASSERT_NEAR(std::ldexp(one_over_one_plus_x(static_cast<std::int32_t>(a)), -31), 1 / (1 + x), 1e-8) << a;
  }
  for (std::int64_t x = 1; x <= kMax; x = x * 3 / 2 + 1) {
    const Reciprocal r = reciprocal(static_cast<std::int32_t>(x), 12);
    const double real = std::ldexp(1.0 / static_cast<double>(x), 31 - 12);
    ASSERT_NEAR(std::ldexp(static_cast<double>(r.mantissa), -31 - r.exponent) / real, 1, 1e-7) << x;
    ASSERT_GE(r.mantissa, (1 << 30) - 2);
  }
}

TEST(Sigmoids, AreCloseToTheRealOnesAndSymmetric) {
  for (int integer_bits = 0; integer_bits <= 6; ++integer_bits) {
    EXPECT_EQ(logistic(std::int16_t{0}, integer_bits), 1 << 14);
    EXPECT_EQ(tanh(std::int16_t{0}, integer_bits), 0);
    for (int a = -32768; a <= 32767; a += 3) {
      const auto raw = static_cast<std::int16_t>(a);
      const double x = std::ldexp(a, integer_bits - 15);
      ASSERT_NEAR(std::ldexp(logistic(raw, integer_bits), -15), 1 / (1 + std::exp(-x)), 3e-4) << a;
      ASSERT_NEAR(std::ldexp(tanh(raw, integer_bits), -15), std::tanh(x), 6e-4) << a;
      if (a > -32768) {
        ASSERT_EQ(tanh(static_cast<std::int16_t>(-a), integer_bits), -tanh(raw, integer_bits));
      }
    }
  }
}

}  // namespace
}  // namespace zynpu::reference
