// SPDX-License-Identifier: MIT
// The requantisation is exact: the fp32 form by its proof, the digits form by computing the product.
#include "compiler/codegen/requant.h"

#include <gtest/gtest.h>

#include <cfenv>
#include <cmath>

#include "compiler/support/code_runner.h"

namespace zynpu::compiler::test {
namespace {

// The fp32 form in the arithmetic of the machine, with the product and the sum of `fma` rounded apart if
// `!fused`.
std::int32_t evaluate(const ChannelRequant& c, const FloatRequant& q, std::int64_t x, bool fused) {
  volatile float value = static_cast<float>(x);
  volatile float product = value * q.scale;
  const float estimate = std::nearbyint(product);
  const auto add_product = [&](float a, float b, float sum) {
    if (fused) return std::fma(a, b, sum);
    volatile float p = a * b;
    volatile float s = p + sum;
    return static_cast<float>(s);
  };
  volatile float remainder = add_product(estimate, q.minus_high, value);
  remainder = add_product(estimate, q.minus_low, remainder);
  volatile float correction = remainder * q.scale;
  correction = correction + std::copysign(q.offset, static_cast<float>(x));
  const int mode = std::fegetround();
  std::fesetround(FE_TONEAREST);  // rint of the NPU is to nearest whatever the mode
  const float steps = std::nearbyint(correction);
  std::fesetround(mode);
  const double result = static_cast<double>(estimate) + steps + c.zero_point;
  return static_cast<std::int32_t>(std::clamp<double>(result, c.range.min, c.range.max));
}

std::vector<std::int64_t> interesting(const ChannelRequant& c, std::mt19937& random) {
  std::vector<std::int64_t> all{c.min, c.max, 0, 1, -1};
  std::uniform_int_distribution<std::int64_t> any(c.min, c.max);
  for (int i = 0; i < 200; ++i) all.push_back(any(random));
  // Both sides of every jump.
  std::int64_t x = c.min;
  while (x < c.max && all.size() < 2000) {
    const std::int32_t now = requantize(c, x);
    if (requantize(c, c.max) == now) break;
    std::int64_t low = x, high = c.max;
    while (high - low > 1) {
      const std::int64_t middle = low + (high - low) / 2;
      (requantize(c, middle) == now ? low : high) = middle;
    }
    all.push_back(low);
    all.push_back(high);
    x = high;
  }
  return all;
}

TEST(Requant, ProvedConstantsGiveTheReferenceUnderAnyRounding) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> exponent(-14, 0.9);
  int proved = 0;
  for (int i = 0; i < 400; ++i) {
    ChannelRequant c;
    c.multiplier = reference::quantize_multiplier(std::exp2(exponent(random)));
    c.zero_point = static_cast<std::int32_t>(random() % 256) - 128;
    c.min = -static_cast<std::int64_t>(random() % 9000000) - 1;
    c.max = static_cast<std::int64_t>(random() % 9000000) + 1;
    if (i % 3 == 0)
      c.range = {-128 + static_cast<std::int32_t>(random() % 100),
                 127 - static_cast<std::int32_t>(random() % 100)};
    const auto q = prove_float_requant(c);
    if (!q) continue;
    ++proved;
    for (const int mode : {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO})
      for (const bool fused : {true, false})
        for (const std::int64_t x : interesting(c, random)) {
          std::fesetround(mode);
          const std::int32_t got = evaluate(c, *q, x, fused);
          std::fesetround(FE_TONEAREST);
          ASSERT_EQ(got, requantize(c, x))
              << "x " << x << " multiplier " << c.multiplier.multiplier << " shift " << c.multiplier.shift
              << " mode " << mode << " fused " << fused;
        }
  }
  EXPECT_GT(proved, 380);
}

TEST(Requant, KnowsChannelsOfOneValue) {
  for (const std::int64_t x :
       {std::int64_t{1} << 30, -(std::int64_t{1} << 30), std::int64_t{0}, std::int64_t{5}}) {
    ChannelRequant c;
    c.multiplier = reference::quantize_multiplier(3e-8);
    c.zero_point = -3;
    c.min = c.max = x;
    const auto q = prove_float_requant(c);
    ASSERT_TRUE(q) << x;
    EXPECT_EQ(evaluate(c, *q, x, true), requantize(c, x));
  }
}

TEST(Requant, DoesNotProveWhatIsNotSo) {
  ChannelRequant c;
  c.multiplier =
      reference::quantize_multiplier(1.0 / 128);  // ties, which the reference rounds away from zero
  c.min = -100000;
  c.max = 100000;
  EXPECT_FALSE(prove_float_requant(c));
  c.multiplier = reference::quantize_multiplier(1e-6);  // accumulators beyond the precision of fp32
  c.min = -300000000;
  c.max = 300000000;
  EXPECT_FALSE(prove_float_requant(c));
}

TEST(Requant, RefusesAccumulatorsThatOverflow) {
  ChannelRequant c;
  c.multiplier = reference::quantize_multiplier(100.0);
  c.min = -100000000;
  c.max = 100000000;
  const auto plan = plan_requant({&c, 1}, PackOrder::kLinear, false);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::kUnsupported);
}

// Both forms on the virtual NPU, every lane another channel.
void check_pass(const std::vector<ChannelRequant>& channels, PackOrder order, bool flip, unsigned least,
                bool force_exact) {
  constexpr unsigned kBlocks = 7;
  auto plan = plan_requant(channels, order, flip);
  ASSERT_TRUE(plan) << plan.error().message;
  if (force_exact) plan->exact_product = true;
  std::array<const ChannelRequant*, 32> lanes{};
  for (unsigned v = 0; v < 4; ++v)
    for (unsigned l = 0; l < 8; ++l)
      lanes[8 * v + l] = &channels[order == PackOrder::kLinear ? 8 * v + l : 4 * l + v];
  std::vector<std::uint8_t> constants;
  ASSERT_TRUE(put_requant_block(*plan, lanes, constants));
  ASSERT_EQ(constants.size(), requant_block_bytes(*plan));
  std::mt19937 random(9);
  std::vector<std::uint8_t> input = constants;
  std::vector<std::int32_t> sums;
  for (unsigned i = 0; i < kBlocks * 32; ++i) {
    const ChannelRequant& c = *lanes[i % 32];
    std::uniform_int_distribution<std::int64_t> any(c.min, c.max);
    sums.push_back(static_cast<std::int32_t>(any(random)));
    for (unsigned byte = 0; byte < 4; ++byte)
      input.push_back(static_cast<std::uint8_t>(static_cast<std::uint32_t>(sums.back()) >> 8 * byte));
  }
  const auto run = run_code(input, kBlocks * 32, [&](Builder& b, R in, R out) {
    Gpr from = b.gpr(), count = b.gpr(), bytes = b.gpr();
    b.constant(bytes, static_cast<std::uint32_t>(constants.size()));
    b.add(from, in, bytes);
    b.constant(count, kBlocks - 1);
    emit_requant(b, *plan, from, out, count, in, Area{1}, Area{2}, least);
  });
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(early_read(run->code), "");
  for (unsigned block = 0; block < kBlocks; ++block)
    for (unsigned i = 0; i < 32; ++i) {
      const unsigned channel = i;  // in memory order
      const unsigned lane = order == PackOrder::kLinear ? i : 8 * (i % 4) + i / 4;
      const std::int32_t want = requantize(channels[channel], sums[block * 32 + lane]) + (flip ? 128 : 0);
      const std::uint8_t got = run->output[block * 32 + i];
      ASSERT_EQ(flip ? int{got} : int{static_cast<std::int8_t>(got)}, want)
          << "block " << block << " output " << i;
    }
}

std::vector<ChannelRequant> random_channels(double low, double high) {
  std::mt19937 random(4);
  std::uniform_real_distribution<double> scale(low, high);
  std::vector<ChannelRequant> channels(32);
  for (ChannelRequant& c : channels) {
    c.multiplier = reference::quantize_multiplier(scale(random));
    c.zero_point = -7;
    c.min = -50000;
    c.max = 60000;
  }
  return channels;
}

TEST(Requant, PassesAreExact) {
  for (const PackOrder order : {PackOrder::kLinear, PackOrder::kInterleaved})
    for (const unsigned least : {1U, kPipelinedBlocks})
      for (const bool exact : {false, true})
        for (const bool flip : {false, true})
          check_pass(random_channels(0.001, 0.01), order, flip, least, exact);
}

TEST(Requant, PassesClamp) {
  auto channels = random_channels(0.001, 0.01);
  for (ChannelRequant& c : channels) c.range = {-20, 77};
  check_pass(channels, PackOrder::kLinear, false, kPipelinedBlocks, false);
  check_pass(channels, PackOrder::kLinear, false, 1, true);
}

TEST(Requant, DigitsTakeEveryShift) {
  auto channels = random_channels(0.001, 0.01);
  for (std::size_t i = 0; i < channels.size(); ++i) {
    channels[i].multiplier =
        reference::quantize_multiplier(std::ldexp(i % 2 == 0 ? 1.0 : 0.61, 4 - static_cast<int>(i)));
    const std::int64_t most = 1000000 >> (i < 5 ? 4 : 0);
    channels[i].min = -most;
    channels[i].max = most;
  }
  check_pass(channels, PackOrder::kLinear, false, kPipelinedBlocks, true);
}

}  // namespace
}  // namespace zynpu::compiler::test
