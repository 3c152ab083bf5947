// SPDX-License-Identifier: MIT
#include "compiler/kernels/sum_form.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace zynpu::compiler {
namespace {

// Three operations on numbers below 1 and two products below 2^-10: less than 2^-23 in all.
constexpr double kMargin = 0x1p-22;

double real(const reference::QuantizedMultiplier& q) { return std::ldexp(q.multiplier, q.shift - 31); }

bool is_exact(const SumForm& form, const reference::AddParameters& p, bool subtract,
              const std::array<std::array<std::int32_t, 256>, 2>& operands) {
  for (int i = 0; i < 256; ++i) {
    const auto x = static_cast<float>(i - 128 + p.offset[0]);
    for (int j = 0; j < 256; ++j) {
      const auto y = static_cast<float>(j - 128 + p.offset[1]);
      const float high = std::fma(y, form.b_high, x * form.a_high);
      const float n = std::nearbyint(high);
      const float rest = std::fma(y, form.b_low, std::fma(x, form.a_low, high - n));
      const float rounded = std::nearbyint(rest);
      // Where the clamp decides, the last bit of the sum does not matter.
      const auto result = static_cast<std::int32_t>(n + rounded) + p.output_offset;
      const std::int32_t sum = subtract ? operands[0][i] - operands[1][j] : operands[0][i] + operands[1][j];
      if (std::clamp(result, p.range.min, p.range.max) != reference::add_result(p, sum)) return false;
      const bool clamped = result < p.range.min || result > p.range.max;
      if (!clamped && std::fabs(std::fabs(static_cast<double>(rest) - rounded) - 0.5) < kMargin) return false;
    }
  }
  return true;
}

}  // namespace

std::optional<SumForm> prove_sum(const reference::AddParameters& p, bool subtract) {
  std::array<std::array<std::int32_t, 256>, 2> operands{};
  for (int side = 0; side < 2; ++side)
    for (int q = -128; q < 128; ++q) operands[side][q + 128] = reference::add_operand(p, side, q);

  const double output = std::ldexp(real(p.output), reference::AddParameters::kLeftShift);
  const double a = real(p.input[0]) * output, b = real(p.input[1]) * output * (subtract ? -1 : 1);
  // 24 bits hold every sum of the high parts: 256 (|a| + |b|) < 2^24 grid.
  const double grid = std::exp2(std::ceil(std::log2(256 * (std::fabs(a) + std::fabs(b)))) - 23);
  // A stretch a little above 1 moves ties away from zero, as the reference's last rounding does; a little
  // below 1, towards it, where the rounding of the multipliers pulls them there. A tilt moves a pair that
  // lies too close to a tie by chance.
  for (const double tilt : {0.0, 0x1p-24, -0x1p-24, 0x1p-22, -0x1p-22, 0x1p-21, -0x1p-21}) {
    for (const double stretch :
         {0.0, 0x1p-18, 0x1p-16, 0x1p-14, -0x1p-18, 0x1p-20, -0x1p-20, 0x1p-22, -0x1p-22, -0x1p-16}) {
      const double a_all = a * (1 + stretch + tilt), b_all = b * (1 + stretch - tilt);
      SumForm form;
      form.a_high = static_cast<float>(std::nearbyint(a_all / grid) * grid);
      form.b_high = static_cast<float>(std::nearbyint(b_all / grid) * grid);
      form.a_low = static_cast<float>(a_all - static_cast<double>(form.a_high));
      form.b_low = static_cast<float>(b_all - static_cast<double>(form.b_high));
      if (is_exact(form, p, subtract, operands)) return form;
    }
  }
  return std::nullopt;
}

}  // namespace zynpu::compiler
