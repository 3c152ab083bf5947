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

// x / scale to 15 bits: times an estimate of up to nine bits it is exact in fp32.
float rounded_high(double reciprocal) {
  int exponent = 0;
  const double mantissa = std::frexp(reciprocal, &exponent);
  return static_cast<float>(std::ldexp(std::nearbyint(std::ldexp(mantissa, 15)), exponent - 15));
}

// The sum q0 + r * scale that rint() decides on, but for the offset and the rounding of fp32, and a bound of
// that rounding: each operation errs by at most 2^-23 of its result, whatever the rounding mode. `q0 * high`
// and the first difference are exact: both are multiples of the last of high's 15 bits, and small.
constexpr double kMostOffset = 2;  // of the offset, in units of the scale
struct Decision {
  double value, error;
};
Decision decide(const FloatRequant& q, double nominal, double x) {
  constexpr double kUlp = 0x1p-23;
  const double high = -static_cast<double>(q.minus_high), low = -static_cast<double>(q.minus_low);
  const double scale = q.scale, estimate = std::nearbyint(x * nominal);
  const double remainder = x - estimate * high - estimate * low;
  // Halfway between two estimates either may be taken: the sum then moves by what high + low is off 1 /
  // scale.
  const double distance = 0.5 - std::abs(x * nominal - estimate);
  const bool either = distance <= 3 * kUlp * (std::abs(x * nominal) + 1);
  const double mismatch = either ? std::abs(1 - (high + low) * scale) : 0;
  const double largest = std::abs(remainder) + 2;
  const double remainder_error = kUlp * (largest + std::abs(estimate * low) + std::abs(low));
  return {estimate + remainder * scale,
          scale * remainder_error + kUlp * (2 * largest * scale + kMostOffset * scale) + mismatch};
}

// x is the first accumulator whose result is t.
struct Jump {
  double t, x;
};

std::optional<FloatRequant> with_reciprocal(const ChannelRequant& c, const std::vector<Jump>& jumps,
                                            double nominal, double reciprocal, std::int32_t lowest,
                                            std::int32_t highest) {
  FloatRequant q;
  q.scale = static_cast<float>(nominal);
  q.minus_high = -rounded_high(reciprocal);
  q.minus_low = -static_cast<float>(reciprocal + q.minus_high);
  // Offsets that put every jump between the right two accumulators.
  constexpr double kFar = 0x1p24;  // above, conversion to fp32 rounds
  double low = -1, high = 1;
  const auto require = [&](double x, double limit, bool above) {
    const Decision d = decide(q, nominal, x);
    const double sign = x < 0 ? -1 : 1;
    const double needed = sign * (limit - c.zero_point - d.value);
    if (above == (x >= 0))
      low = std::max(low, needed + d.error);
    else
      high = std::min(high, needed - d.error);
    if (std::abs(x) >= kFar) high = -2;
  };
  for (const Jump& j : jumps) {
    require(j.x, j.t - 0.5, true);
    require(j.x - 1, j.t - 0.5, false);
    if (low >= high) return std::nullopt;
  }
  // Beyond the last jumps nothing clamps unless the range ends there.
  if (lowest > c.range.min) require(static_cast<double>(c.min), lowest - 0.5, true);
  if (highest < c.range.max) require(static_cast<double>(c.max), highest + 0.5, false);
  q.offset =
      static_cast<float>(std::clamp((low + high) / 2, 0.0, kMostOffset * nominal));  // its sign is that of x
  if (!(q.offset > low && q.offset < high)) return std::nullopt;
  return q;
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
  std::vector<Jump> jumps;
  const std::int32_t lowest = requantize(c, c.min), highest = requantize(c, c.max);
  for (std::int32_t t = lowest + 1; t <= highest; ++t) {
    const double guess = (t - 0.5 - c.zero_point) / nominal;
    const double bounded = std::clamp(guess, static_cast<double>(c.min), static_cast<double>(c.max));
    jumps.push_back({static_cast<double>(t),
                     static_cast<double>(first_reaching(c, t, static_cast<std::int64_t>(bounded)))});
  }
  if (lowest == highest) {  // one value: without a remainder, the offset alone
    const std::int32_t result = lowest - c.zero_point;
    const bool reached = result == 0 || (result > 0 ? c.min >= 0 : c.max < 0);
    if (reached) return FloatRequant{0, 0, 0, static_cast<float>(std::abs(result))};
  }
  // Turning the reciprocal by a hair gives a second degree of freedom where the jumps leave little room.
  for (int turn = 0; turn <= 16; ++turn) {
    const int steps = (turn + 1) / 2;
    const double tilt = (turn % 2 == 0 ? steps : -steps) * nominal / 8192;
    if (const auto q = with_reciprocal(c, jumps, nominal, (1 + tilt) / nominal, lowest, highest)) return q;
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
