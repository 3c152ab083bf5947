// SPDX-License-Identifier: MIT
// Floating point and the matrix unit (tec-semantics.md 5.5 - 5.7) against formulas in double precision.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "vnpu/model.h"

namespace zynpu::vnpu {
namespace {

double half_value(std::uint16_t h) {
  const int exponent = h >> 10 & 31, fraction = h & 1023;
  const double sign = (h & 0x8000) != 0 ? -1 : 1;
  if (exponent == 31) return fraction != 0 ? std::numeric_limits<double>::quiet_NaN() : sign * INFINITY;
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  return sign * std::ldexp(1024 + fraction, exponent - 25);
}
double brain_value(std::uint16_t h) {
  const std::uint32_t bits = static_cast<std::uint32_t>(h) << 16;
  float f;
  std::memcpy(&f, &bits, 4);
  return static_cast<double>(f);
}

// The nearest fp16 of an exact value, ties to even, by search in the ordered list of magnitudes.
std::uint16_t nearest_half(double x) {
  if (std::isnan(x)) return 0x7E00;
  const std::uint16_t sign = std::signbit(x) ? 0x8000 : 0;
  const double magnitude = std::fabs(x);
  if (magnitude >= 65520) return static_cast<std::uint16_t>(sign | 0x7C00);
  unsigned low = 0, high = 0x7BFF;  // largest with value <= magnitude
  while (low < high) {
    const unsigned middle = (low + high + 1) / 2;
    if (half_value(static_cast<std::uint16_t>(middle)) <= magnitude)
      low = middle;
    else
      high = middle - 1;
  }
  const double below = half_value(static_cast<std::uint16_t>(low));
  const double above = low == 0x7BFF ? 65536 : half_value(static_cast<std::uint16_t>(low + 1));
  const double down = magnitude - below, up = above - magnitude;
  const bool rounds_up = up < down || (up == down && low % 2 != 0);
  return static_cast<std::uint16_t>(sign | (low + (rounds_up ? 1 : 0)));
}

bool same(float a, float b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return a == b && std::signbit(a) == std::signbit(b);
}
bool same_half(std::uint16_t a, std::uint16_t b) {
  if (std::isnan(half_value(a)) || std::isnan(half_value(b)))
    return std::isnan(half_value(a)) && std::isnan(half_value(b));
  return a == b;
}

// Lanes with all sorts of magnitudes, specials included.
void randomise_floats(Model& m, std::mt19937& random) {
  constexpr float kSpecial[] = {
      0.0f,  -0.0f, 1.0f,          -1.0f, 0.5f,       -2.5f,       INFINITY, -INFINITY,      NAN,   1e-42f,
      65504, 65520, 2147483648.0f, 3e38f, 8388609.0f, 0.49999997f, 1e-45f,   -2147483648.0f, 6e-8f, 6.1e-5f};
  for (const unsigned reg : {3u, 5u, 9u})
    for (unsigned i = 0; i < 8; ++i) {
      const float ordinary =
          std::ldexp(static_cast<float>(static_cast<int>(random() % 2000001) - 1000000) / 1000000.0f,
                     static_cast<int>(random() % 60) - 30);
      m.set<float>(reg, i, random() % 4 == 0 ? kSpecial[random() % std::size(kSpecial)] : ordinary);
    }
}

void check_single(const char* text, unsigned p, const std::function<float(float, float, float)>& f) {
  std::mt19937 random(11);
  const DecodedBundle decoded = decode_bundle(text);
  for (int round = 0; round < 500; ++round) {
    Model before = random_model(random);
    randomise_floats(before, random);
    Model after = before;
    execute(decoded, after);
    for (unsigned i = 0; i < 8; ++i) {
      const float d = before.get<float>(3, i), a = before.get<float>(5, i), b = before.get<float>(9, i);
      const float expected = before.active(p, i, 4) ? f(d, a, b) : d;
      ASSERT_TRUE(same(after.get<float>(3, i), expected))
          << text << ": " << d << ", " << a << ", " << b << " gave " << after.get<float>(3, i) << " not "
          << expected;
    }
  }
}

TEST(Float, SinglePrecisionFormsFollowIeee) {
  check_single("add t3.fp32, t5.fp32, t9.fp32, p2.w", 2, [](float, float a, float b) { return a + b; });
  check_single("sub t3.fp32, t5.fp32, t9.fp32, p7.w", 7, [](float, float a, float b) { return a - b; });
  check_single("mul t3.fp32, t5.fp32, t9.fp32, p2.w", 2, [](float, float a, float b) { return a * b; });
  check_single("fma t3.fp32, t5.fp32, t9.fp32, p2.w", 2,
               [](float d, float a, float b) { return std::fmaf(a, b, d); });
  check_single("rint t3.fp32, t5.fp32, p2.w", 2, [](float, float a, float) { return std::nearbyintf(a); });
}

TEST(Float, MaxAndMinPreferTheNumber) {
  const auto value = [](float a, float b, bool max) {
    if (std::isnan(a)) return b;
    if (std::isnan(b)) return a;
    return max == (a > b) ? a : b;
  };
  std::mt19937 random(5);
  for (const bool max : {true, false}) {
    const DecodedBundle decoded =
        decode_bundle(max ? "max t3.fp32, t5.fp32, t9.fp32, p7.w" : "min t3.fp32, t5.fp32, t9.fp32, p7.w");
    for (int round = 0; round < 500; ++round) {
      Model m = random_model(random);
      randomise_floats(m, random);
      const Model before = m;
      execute(decoded, m);
      for (unsigned i = 0; i < 8; ++i) {
        const float a = before.get<float>(5, i), b = before.get<float>(9, i), got = m.get<float>(3, i);
        const float expected = value(a, b, max);
        ASSERT_TRUE(std::isnan(expected) ? std::isnan(got) : got == expected) << a << ", " << b;
      }
    }
  }
}

TEST(Float, Scal2MultipliesByAPowerOfTwo) {
  std::mt19937 random(3);
  const DecodedBundle decoded = decode_bundle("scal2 t3.fp32, t5.fp32, t9.w, p7.w");
  constexpr std::int32_t kPowers[] = {0, 1, -1, 20, -20, 127, -149, 300, -300, INT32_MAX, INT32_MIN};
  for (int round = 0; round < 300; ++round) {
    Model m = random_model(random);
    randomise_floats(m, random);
    for (unsigned i = 0; i < 8; ++i) m.set<std::int32_t>(9, i, kPowers[random() % std::size(kPowers)]);
    const Model before = m;
    execute(decoded, m);
    for (unsigned i = 0; i < 8; ++i) {
      const double exact = std::ldexp(static_cast<double>(before.get<float>(5, i)),
                                      std::clamp(before.get<std::int32_t>(9, i), -500, 500));
      ASSERT_TRUE(same(m.get<float>(3, i), static_cast<float>(exact)));
    }
  }
}

TEST(Float, ConversionsSaturateAndRoundToEven) {
  std::mt19937 random(9);
  const DecodedBundle to_int = decode_bundle("cvt t3.w, t5.fp32"),
                      from_int = decode_bundle("cvt t3.fp32, t5.w");
  for (int round = 0; round < 500; ++round) {
    Model m = random_model(random);
    randomise_floats(m, random);
    Model before = m;
    execute(to_int, m);
    for (unsigned i = 0; i < 8; ++i) {
      const double x = static_cast<double>(before.get<float>(5, i));
      double rounded = std::floor(x);
      if (x - rounded > 0.5 || (x - rounded == 0.5 && std::fmod(rounded, 2) != 0)) rounded += 1;
      const std::int32_t expected = std::isnan(x)              ? 0
                                    : rounded >= 2147483647    ? INT32_MAX
                                    : rounded <= -2147483648.0 ? INT32_MIN
                                                               : static_cast<std::int32_t>(rounded);
      ASSERT_EQ(m.get<std::int32_t>(3, i), expected) << x;
    }
    before = m = random_model(random);
    execute(from_int, m);
    for (unsigned i = 0; i < 8; ++i)
      ASSERT_EQ(m.get<float>(3, i), static_cast<float>(static_cast<double>(before.get<std::int32_t>(5, i))));
  }
}

TEST(Float, NarrowsToHalfLikeTheNearestOfAllHalves) {
  std::mt19937 random(13);
  const DecodedBundle decoded = decode_bundle("cvt.d t3.fp16, t5.fp32, t9.fp32");
  for (int round = 0; round < 2000; ++round) {
    Model m = random_model(random);
    if (round % 2 == 0) randomise_floats(m, random);
    const Model before = m;
    execute(decoded, m);
    for (unsigned i = 0; i < 16; ++i) {
      const float x = before.get<float>(i < 8 ? 5 : 9, i % 8);
      ASSERT_TRUE(same_half(m.get<std::uint16_t>(3, i), nearest_half(static_cast<double>(x))))
          << x << " gave " << m.get<std::uint16_t>(3, i);
    }
  }
}

TEST(Float, EveryHalfSurvivesMultiplicationByOne) {
  const DecodedBundle decoded = decode_bundle("mul t3.fp16, t5.fp16, t9.fp16, p7.h");
  std::mt19937 random(1);
  Model m = random_model(random);
  for (unsigned i = 0; i < 16; ++i) m.set<std::uint16_t>(9, i, 0x3C00);
  for (std::uint32_t h = 0; h < 0x10000; h += 16) {
    for (unsigned i = 0; i < 16; ++i) m.set<std::uint16_t>(5, i, static_cast<std::uint16_t>(h + i));
    execute(decoded, m);
    for (unsigned i = 0; i < 16; ++i)
      ASSERT_TRUE(same_half(m.get<std::uint16_t>(3, i), static_cast<std::uint16_t>(h + i))) << h + i;
  }
}

TEST(Float, HalfPrecisionRoundsOnce) {
  struct Form {
    const char* text;
    double (*f)(double, double);
  };
  constexpr Form kForms[] = {
      {"add t3.fp16, t5.fp16, t9.fp16, p2.h", [](double a, double b) { return a + b; }},
      {"sub t3.fp16, t5.fp16, t9.fp16, p2.h", [](double a, double b) { return a - b; }},
      {"mul t3.fp16, t5.fp16, t9.fp16, p2.h", [](double a, double b) { return a * b; }}};
  std::mt19937 random(17);
  for (const Form& form : kForms) {
    const DecodedBundle decoded = decode_bundle(form.text);
    for (int round = 0; round < 1000; ++round) {
      const Model before = random_model(random);
      Model after = before;
      execute(decoded, after);
      for (unsigned i = 0; i < 16; ++i) {
        const double exact =
            form.f(half_value(before.get<std::uint16_t>(5, i)), half_value(before.get<std::uint16_t>(9, i)));
        const std::uint16_t expected =
            before.active(2, i, 2) ? nearest_half(exact) : before.get<std::uint16_t>(3, i);
        if (before.active(2, i, 2)) {
          ASSERT_TRUE(same_half(after.get<std::uint16_t>(3, i), expected)) << form.text << " lane " << i;
        } else {
          ASSERT_EQ(after.get<std::uint16_t>(3, i), expected);
        }
      }
    }
  }
}

TEST(Float, FmaeAndFmaoTakeEvenAndOddLanes) {
  std::mt19937 random(19);
  for (const unsigned odd : {0u, 1u}) {
    const DecodedBundle decoded = decode_bundle(odd == 0 ? "fmae t3.fp32, t5.fp16, t9.fp16, p2.h"
                                                         : "fmao t3.fp32, t5.fp16, t9.fp16, p2.h");
    for (int round = 0; round < 500; ++round) {
      Model before = random_model(random);
      for (unsigned i = 0; i < 8; ++i) before.set<float>(3, i, static_cast<float>(random() % 1000));
      Model after = before;
      execute(decoded, after);
      for (unsigned i = 0; i < 8; ++i) {
        const unsigned lane = 2 * i + odd;
        const double product =
            half_value(before.get<std::uint16_t>(5, lane)) * half_value(before.get<std::uint16_t>(9, lane));
        const float old = before.get<float>(3, i);
        const float expected =
            before.active(2, lane, 2) ? static_cast<float>(static_cast<double>(old) + product) : old;
        ASSERT_TRUE(same(after.get<float>(3, i), expected));
      }
    }
  }
}

// Integer-valued inputs with sums below 2^24 are exact on the part, whatever its order.
TEST(Float, MatrixProductsOfIntegersAreExact) {
  std::mt19937 random(23);
  for (const bool brain : {false, true})
    for (const bool accumulate : {false, true}) {
      const std::string type = brain ? "bf16" : "fp16";
      const DecodedBundle decoded = decode_bundle(std::string(accumulate ? "mma" : "mml") +
                                                  " t6.fp32, t7.fp32, t5." + type + ", t9." + type);
      for (int round = 0; round < 200; ++round) {
        Model before = random_model(random);
        double x[16], y[16], c[16];
        for (unsigned i = 0; i < 16; ++i) {
          const auto small = [&] { return static_cast<int>(random() % 255) - 127; };
          const int a = small(), b = small(), sum = static_cast<int>(random() % 100000);
          const auto encode = [&](int v) {
            const float f = static_cast<float>(v);
            std::uint32_t bits;
            std::memcpy(&bits, &f, 4);
            return brain ? static_cast<std::uint16_t>(bits >> 16) : nearest_half(v);
          };
          before.set<std::uint16_t>(5, i, encode(a));
          before.set<std::uint16_t>(9, i, encode(b));
          before.set<float>(6 + i / 8, i % 8, static_cast<float>(sum));
          x[i] = brain ? brain_value(before.get<std::uint16_t>(5, i))
                       : half_value(before.get<std::uint16_t>(5, i));
          y[i] = brain ? brain_value(before.get<std::uint16_t>(9, i))
                       : half_value(before.get<std::uint16_t>(9, i));
          c[i] = sum;
        }
        Model after = before;
        execute(decoded, after);
        for (unsigned m = 0; m < 4; ++m)
          for (unsigned n = 0; n < 4; ++n) {
            double expected = accumulate ? c[4 * m + n] : 0;
            for (unsigned k = 0; k < 4; ++k) expected += x[4 * m + k] * y[4 * n + k];
            ASSERT_EQ(static_cast<double>(after.get<float>(6 + m / 2, 4 * (m % 2) + n)), expected);
          }
      }
    }
}

}  // namespace
}  // namespace zynpu::vnpu
