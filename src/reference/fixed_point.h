// SPDX-License-Identifier: MIT
// gemmlowp / TFLite fixed-point arithmetic, exactly as the reference kernels define it (double rounding).
// Everything here is pure, total on the stated domains and thread-safe.
#pragma once

#include <cstdint>

namespace zynpu::reference {

// real = m * 2^(shift - 31), m in [2^30, 2^31) or 0. TFLite's QuantizeMultiplier.
struct QuantizedMultiplier {
  std::int32_t multiplier = 0;
  int shift = 0;  // > 0: left shift before, < 0: rounding right shift after
  friend bool operator==(const QuantizedMultiplier&, const QuantizedMultiplier&) = default;
};

// The multiplier nearest to `real` (finite). |real| < 2^-32 or so becomes 0; the shift is never below -31. A
// negative `real` gives a negative multiplier.
QuantizedMultiplier quantize_multiplier(double real);

// A left shift above this moves every bit of an 8-bit operand out of 32 bits; operators refuse such a
// multiplier.
inline constexpr int kMaxLeftShift = 30;

// floor((a*b + 2^30) / 2^31), saturating for a = b = INT32_MIN.
std::int32_t saturating_rounding_doubling_high_mul(std::int32_t a, std::int32_t b);
// The same for 16 bits: floor((a*b + 2^14) / 2^15), saturating for a = b = INT16_MIN.
std::int16_t saturating_rounding_doubling_high_mul(std::int16_t a, std::int16_t b);

// x / 2^exponent, rounded half away from zero; 0 <= exponent <= 62.
std::int32_t rounding_divide_by_pot(std::int32_t x, int exponent);

// The requantisation step of every int8 kernel: x * 2^max(shift, 0) modulo 2^32, then the high product, then
// the rounding right shift. -31 <= shift <= kMaxLeftShift.
std::int32_t multiply_by_quantized_multiplier(std::int32_t x, QuantizedMultiplier q);

// exp(a) for a <= 0. `a` has `integer_bits` bits before the point (of 31, respectively 15, bits beside the
// sign), so one unit is 2^(integer_bits - 31), respectively 2^(integer_bits - 15). The result has none: 1.0
// is INT32_MAX. 0 <= integer_bits <= 7 (16 bits), <= 12 (32 bits).
std::int32_t exp_on_negative_values(std::int32_t a, int integer_bits);
std::int16_t exp_on_negative_values(std::int16_t a, int integer_bits);

// 1 / (1 + a) for a in [0, 1), neither number with integer bits.
std::int32_t one_over_one_plus_x(std::int32_t a);

// 1 / (1 + exp(-a)) and tanh(a); `integer_bits` as above (tanh: one less than above); result without integer
// bits.
std::int16_t logistic(std::int16_t a, int integer_bits);
std::int16_t tanh(std::int16_t a, int integer_bits);

// 1/x of a positive fixed-point number with `integer_bits` integer bits: real 1/x = mantissa / 2^31 *
// 2^-exponent, mantissa in [2^30, 2^31).
struct Reciprocal {
  std::int32_t mantissa = 0;
  int exponent = 0;
};
Reciprocal reciprocal(std::int32_t x, int integer_bits);

}  // namespace zynpu::reference
