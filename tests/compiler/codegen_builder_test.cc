// SPDX-License-Identifier: MIT
// The builder: what it refuses, what it schedules, and that scheduled code does what was written.
#include "compiler/codegen/builder.h"

#include <gtest/gtest.h>

#include "compiler/kernels/conv_plan.h"
#include "compiler/support/code_runner.h"
#include "isa/timing.h"

namespace zynpu::compiler::test {
namespace {

std::vector<std::uint8_t> random_bytes(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::uint8_t> bytes(count);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

std::string error_of(const std::function<void(Builder&)>& write) {
  Builder b("bad");
  write(b);
  const auto code = std::move(b).finish();
  return code ? std::string{} : code.error().message;
}

TEST(Builder, HandsRegistersOutInTurnAndTakesThemBack) {
  Builder b("registers");
  std::uint8_t first = 0;
  {
    const Gpr a = b.gpr();
    first = a.name().n;
  }
  EXPECT_NE(b.gpr().name().n, first);
  EXPECT_EQ(b.free_gprs(), 25U);
  std::vector<Gpr> all;
  for (int i = 0; i < 25; ++i) all.push_back(b.gpr());
  EXPECT_EQ(b.free_gprs(), 0U);
  for (const Gpr& r : all)
    EXPECT_TRUE(r.name().n < 20 || r.name().n > 25) << "r" << int{r.name().n} << " is reserved";
}

TEST(Builder, NamesTheMistakeOfTheAuthor) {
  EXPECT_NE(error_of([](Builder& b) {
              std::vector<Vec> all;
              for (int i = 0; i < 33; ++i) all.push_back(b.vec());
            }).find("no vector register"),
            std::string::npos);
  EXPECT_NE(error_of([](Builder& b) { b.add(R{1}, R{2}, 1024); }).find("1023"), std::string::npos);
  EXPECT_NE(error_of([](Builder& b) { b.vld(V{1}, R{2}, 512); }).find("511"), std::string::npos);
  EXPECT_NE(error_of([](Builder& b) { b.ld(R{1}, R{2}, 6); }), "");
  EXPECT_NE(error_of([](Builder& b) { b.branch(b.label()); }).find("not bound"), std::string::npos);
  EXPECT_NE(error_of([](Builder& b) { b.loop(0, [&] { b.add(R{1}, R{1}, 1); }); }).find("no trips"),
            std::string::npos);
  EXPECT_NE(error_of([](Builder& b) { b.loop(3, [&] { b.loop(3, [] {}); }); }), "");
  EXPECT_NE(error_of([](Builder& b) { b.loop(3, [&] { b.bind(b.label()); }); }), "");
}

TEST(Builder, RefusesWhatNobodyKnowsForSure) {
  for (const isa::Op op : {isa::Op::kVmulw, isa::Op::kVasrr, isa::Op::kPerm, isa::Op::kLsli,
                           isa::Op::kVmulh16, isa::Op::kCmplt}) {
    if (isa::dependable(op)) continue;
    EXPECT_NE(error_of([&](Builder& b) { b.emit({.op = op, .p = 7}); }), "") << isa::info(op).id;
  }
}

TEST(Builder, FillsBundles) {
  Builder b("parallel");
  b.add(R{1}, R{2}, 1);
  b.add(R{3}, R{4}, 1);
  b.ld(R{5}, R{6}, 0);
  b.ld(R{7}, R{8}, 0);
  const auto code = std::move(b).finish();
  ASSERT_TRUE(code);
  EXPECT_EQ(code->bundles.size(), 3U);  // one, and two until the loads have arrived
}

TEST(Builder, DoublesBytesInAPipelinedLoop) {
  const auto input = random_bytes(32 * 40, 1);
  const auto run = run_code(input, 32 * 40, [](Builder& b, R in, R out) {
    b.loop(40, [&] {
      Vec x = b.vec();
      b.vld(x, in, 0, Area{1});
      b.vadd(Size::kB, x, x, x);
      b.vst(x, out, 0, Area{2});
      b.add(in, in, 32);
      b.add(out, out, 32);
    });
  });
  ASSERT_TRUE(run) << run.error().message;
  for (std::size_t i = 0; i < input.size(); ++i)
    ASSERT_EQ(run->output[i], static_cast<std::uint8_t>(2 * input[i])) << "byte " << i;
  ASSERT_EQ(run->code.loops.size(), 1U);
  EXPECT_GT(run->code.loops[0].stages, 1U);
  EXPECT_LE(run->code.loops[0].bundles, 3U);
  EXPECT_EQ(early_read(run->code), "");
}

// Many values in flight: registers are exchanged, and the result stays.
TEST(Builder, KeepsResultsWhenRegistersAreExchanged) {
  constexpr int kTrips = 23;
  const auto input = random_bytes(std::size_t{kTrips} * 256, 2);
  for (const bool pipeline : {false, true}) {
    const auto run = run_code(input, kTrips * 256, [&](Builder& b, R in, R out) {
      b.loop(kTrips,
             [&] {
               for (int v = 0; v < 8; ++v) {
                 Vec x = b.vec(), y = b.vec();
                 b.vld(x, in, 32 * v, Area{1});
                 b.vaddi(Size::kB, y, x, 7);
                 b.vxor(x, x, y);
                 b.vsub(Size::kB, x, x, y);
                 b.vmaxi(Size::kB, x, x, -100);
                 b.vst(x, out, 32 * v, Area{2});
               }
               b.add(in, in, 256);
               b.add(out, out, 256);
             },
             {"many", pipeline});
    });
    ASSERT_TRUE(run) << run.error().message;
    for (std::size_t i = 0; i < input.size(); ++i) {
      const auto y = static_cast<std::uint8_t>(input[i] + 7);
      const auto z = static_cast<std::int8_t>(static_cast<std::uint8_t>((input[i] ^ y) - y));
      ASSERT_EQ(static_cast<std::int8_t>(run->output[i]), std::max<int>(z, -100)) << "byte " << i;
    }
    EXPECT_EQ(early_read(run->code), "");
  }
}

TEST(Builder, KeepsAccumulatorsThroughLoops) {
  const auto input = random_bytes(32 * 30, 3);
  const auto run = run_code(input, 32, [](Builder& b, R in, R out) {
    Vec sum = b.vec(), ones = b.vec();
    b.zero(sum);
    b.splat_b(ones, 1);
    Gpr trips = b.gpr();
    b.constant(trips, 29);
    b.loop(trips, 3, [&] {
      Vec x = b.vec();
      b.vld(x, in, 0, Area{1});
      b.qdpa(sum, x, ones);
      b.add(in, in, 32);
    });
    b.vst(sum, out, 0);
  });
  ASSERT_TRUE(run) << run.error().message;
  for (int lane = 0; lane < 8; ++lane) {
    std::int32_t want = 0, got = 0;
    for (int row = 0; row < 30; ++row)
      for (int k = 0; k < 4; ++k)
        want += static_cast<std::int8_t>(input[static_cast<std::size_t>(32 * row + 4 * lane + k)]);
    std::memcpy(&got, run->output.data() + 4 * lane, 4);
    EXPECT_EQ(got, want) << "lane " << lane;
  }
}

TEST(Builder, OrdersStoresAndLoadsOfOneArea) {
  const auto input = random_bytes(32, 4);
  const auto run = run_code(input, 64, [](Builder& b, R in, R out) {
    Vec x = b.vec(), y = b.vec();
    b.vld(x, in, 0);
    b.vst(x, out, 0);
    b.vld(y, out, 0);
    b.vaddi(Size::kB, y, y, 1);
    b.vst(y, out, 32);
    b.vst(y, out, 0);
  });
  ASSERT_TRUE(run) << run.error().message;
  for (std::size_t i = 0; i < 32; ++i) {
    EXPECT_EQ(run->output[i], static_cast<std::uint8_t>(input[i] + 1));
    EXPECT_EQ(run->output[32 + i], static_cast<std::uint8_t>(input[i] + 1));
  }
}

TEST(Builder, ClosesLongLoopsByABranch) {
  const auto input = random_bytes(std::size_t{32} * 5, 5);
  const auto run = run_code(input, 32 * 5, [](Builder& b, R in, R out) {
    b.loop(5, [&] {
      Vec x = b.vec();
      b.vld(x, in, 0, Area{1});
      for (int i = 0; i < 140; ++i) b.vaddi(Size::kB, x, x, 3);
      b.vst(x, out, 0, Area{2});
      b.add(in, in, 32);
      b.add(out, out, 32);
    });
  });
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_FALSE(run->code.loops[0].hardware);
  for (std::size_t i = 0; i < input.size(); ++i)
    ASSERT_EQ(run->output[i], static_cast<std::uint8_t>(input[i] + 420));
}

TEST(Builder, RunsBranchesAndCounters) {
  const auto run = run_code(random_bytes(32, 6), 32, [](Builder& b, R, R out) {
    Gpr counter = b.gpr(), sum = b.gpr(), by = b.gpr(), zero = b.gpr();
    b.constant(counter, 7);
    b.constant(sum, 0x12345678);
    b.repeat(counter, [&] { b.add(sum, sum, counter); });
    b.if_nonzero(sum, [&] { b.add(sum, sum, 1000); });
    b.constant(zero, 0);
    b.if_nonzero(zero, [&] { b.add(sum, sum, 1000); });
    b.scale(by, sum, 13);
    b.st(sum, out, 0);
    b.st(by, out, 4);
  });
  ASSERT_TRUE(run) << run.error().message;
  std::uint32_t words[2];
  std::memcpy(words, run->output.data(), 8);
  EXPECT_EQ(words[0], 0x12345678U + 28 + 1000);
  EXPECT_EQ(words[1], words[0] * 13);
}

TEST(Builder, KeepsLatenciesInEveryFormOfConvolution) {
  for (const bool depthwise : {false, true})
    for (const unsigned least : {1U, kPipelinedBlocks})
      for (const bool exact : {false, true}) {
        ConvCode code;
        code.depthwise = depthwise;
        code.unroll = depthwise ? 1 : 2;
        code.pass_least = least;
        code.requant.exact_product = exact;
        const auto fragment = emit_conv(code);
        ASSERT_TRUE(fragment) << fragment.error().message;
        EXPECT_EQ(early_read(*fragment), "");
      }
}

// What the kernels' speed rests on.
TEST(Builder, PipelinesTheConvolutionTightly) {
  ConvCode code;
  code.pass_least = kPipelinedBlocks;
  const auto fragment = emit_conv(code);
  ASSERT_TRUE(fragment);
  for (const LoopShape& loop : fragment->loops) {
    EXPECT_TRUE(loop.hardware) << loop.name;
    // 32 products of 32 MACs a trip, and 32 outputs.
    const unsigned most = loop.name == "walk" ? 19 : 26;
    EXPECT_LE(loop.bundles, most) << loop.name;
  }
}

TEST(Builder, MakesTheSameCodeEveryTime) {
  ConvCode code;
  code.pass_least = kPipelinedBlocks;
  const auto a = emit_conv(code), b = emit_conv(code);
  ASSERT_TRUE(a && b);
  EXPECT_EQ(a->bundles, b->bundles);
}

}  // namespace
}  // namespace zynpu::compiler::test
