// SPDX-License-Identifier: MIT
#include "compiler/codegen/requant.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace zynpu::compiler {
namespace {

// Smallest x in [min, max] whose result is at least `t`, or max + 1. `guess` is where to look first.
std::int64_t first_reaching(const ChannelRequant& c, std::int32_t t, std::int64_t guess) {
  std::int64_t low = c.min - 1, high = c.max + 1;  // result(low) < t <= result(high)
  for (std::int64_t step = 1; high - low > 1;) {
    const std::int64_t at = guess > low && guess < high ? guess : low + (high - low) / 2;
    if (requantize(c, at) >= t) {
      high = at;
      guess = at - step;
    } else {
      low = at;
      guess = at + step;
    }
    step *= 4;
  }
  return high;
}

// Bound on |computed - real| before rint: conversion, product and sum, each within 2^-23 of its result's
// magnitude whatever the rounding mode, plus the smallest normal number for underflow.
double error_bound(double x, double scale, double sum) {
  constexpr double kUlp = 0x1p-23;
  return (2.01 * std::abs(x * scale) + std::abs(sum) + 0x1p-100) * kUlp;
}

}  // namespace

std::int32_t requantize(const ChannelRequant& channel, std::int64_t x) {
  const std::int32_t scaled =
      reference::multiply_by_quantized_multiplier(static_cast<std::int32_t>(x), channel.multiplier);
  const std::int64_t value = std::int64_t{scaled} + channel.zero_point;
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(value, channel.range.min, channel.range.max));
}

std::optional<FloatRequant> prove_float_requant(const ChannelRequant& c) {
  const double nominal = std::ldexp(static_cast<double>(c.multiplier.multiplier), c.multiplier.shift - 31);
  if (c.multiplier.multiplier < 0 || !(nominal < 0x1p30)) return std::nullopt;
  struct Jump {
    double t, x;
  };
  std::vector<Jump> jumps;
  const std::int32_t lowest = requantize(c, c.min), highest = requantize(c, c.max);
  for (std::int32_t t = lowest + 1; t <= highest; ++t) {
    const double guess = (t - 0.5 - c.zero_point) / nominal;
    const double bounded = std::clamp(guess, static_cast<double>(c.min), static_cast<double>(c.max));
    jumps.push_back({static_cast<double>(t),
                     static_cast<double>(first_reaching(c, t, static_cast<std::int64_t>(bounded)))});
  }
  // A slightly larger scale moves ties away from zero on both sides, as the reference rounds them.
  for (const double tilt : {0.0, 1.0 / 512, 1.0 / 2048}) {
    const auto scale = static_cast<float>(nominal * (1 + tilt * nominal));
    double low = -1e30, high = 1e30;
    for (const Jump& j : jumps) {
      const double real = j.t - 0.5;
      low = std::max(low, real - j.x * scale + error_bound(j.x, scale, real + scale));
      high = std::min(high, real - (j.x - 1) * scale - error_bound(j.x - 1, scale, std::abs(real) + scale));
    }
    // Beyond the last jumps nothing clamps unless the range ends there.
    const auto x_min = static_cast<double>(c.min), x_max = static_cast<double>(c.max);
    if (lowest > c.range.min)
      low = std::max(low, lowest - 0.5 - x_min * scale + error_bound(x_min, scale, lowest));
    if (highest < c.range.max)
      high = std::min(high, highest + 0.5 - x_max * scale - error_bound(x_max, scale, highest + 1.0));
    FloatRequant q;
    q.scale = scale;
    if (jumps.empty()) {
      q.scale = 0;
      q.offset = static_cast<float>(lowest);
      return q;
    }
    q.offset = static_cast<float>((low + high) / 2);
    if (q.offset >= low && q.offset <= high) return q;
  }
  return std::nullopt;
}

Result<RequantPlan> plan_requant(std::span<const ChannelRequant> channels, PackOrder order,
                                 bool unsigned_output) {
  RequantPlan plan;
  plan.order = order;
  plan.flip = unsigned_output;
  constexpr std::int64_t kDigitLimit = std::int64_t{0x7FFFFFFF} - 0x808080;  // requantisation.md
  for (const ChannelRequant& c : channels) {
    plan.clamp |= c.range.min > -128 || c.range.max < 127;
    const std::int64_t factor = std::int64_t{1} << std::max(c.multiplier.shift, 0);
    if (std::max(std::abs(c.min), std::abs(c.max)) > kDigitLimit / factor)
      return fail(ErrorCode::kUnsupported,
                  "an accumulator up to {} with a left shift of {} may overflow 32 bits",
                  std::max(std::abs(c.min), std::abs(c.max)), std::max(c.multiplier.shift, 0));
    if (!plan.exact_product && !prove_float_requant(c)) plan.exact_product = true;
  }
  return plan;
}

}  // namespace zynpu::compiler
