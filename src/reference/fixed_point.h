// SPDX-License-Identifier: MIT
// gemmlowp / TFLite fixed-point arithmetic, exactly as the reference kernels define it (double rounding).
#pragma once

#include <cstdint>

namespace zynpu::reference {

// real = m * 2^(shift - 31), m in [2^30, 2^31) or 0. TFLite's QuantizeMultiplier.
struct QuantizedMultiplier {
  std::int32_t multiplier = 0;
  int shift = 0;  // > 0: left shift before, < 0: rounding right shift after
};
QuantizedMultiplier quantize_multiplier(double real);

// floor((a*b + 2^30) / 2^31), saturating for a = b = INT32_MIN.
std::int32_t saturating_rounding_doubling_high_mul(std::int32_t a, std::int32_t b);
// x / 2^exponent, rounded half away from zero; 0 <= exponent <= 31.
std::int32_t rounding_divide_by_pot(std::int32_t x, int exponent);
// The requantisation step of every int8 kernel.
std::int32_t multiply_by_quantized_multiplier(std::int32_t x, QuantizedMultiplier q);

}  // namespace zynpu::reference
