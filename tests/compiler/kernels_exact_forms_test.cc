// SPDX-License-Identifier: MIT
// What the kernels prove at compile time: the fp32 forms of sums and averages, and what happens where none
// exists.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>

#include "compiler/kernels/kernel.h"
#include "compiler/kernels/lowerings.h"
#include "compiler/kernels/sum_form.h"
#include "compiler/small_graph.h"
#include "compiler/support/npu_harness.h"

namespace zynpu::compiler::test {
namespace {

using zynpu::test::SmallGraph;
using K = ir::OpKind;

struct Scales {
  float left, right, output;
};

ir::Graph sum_graph(K kind, const Scales& scales, std::int32_t elements, ir::Activation activation) {
  SmallGraph g;
  const ir::ArithmeticAttributes attributes{activation};
  const int left = g.input(g.s8({1, elements}, scales.left, -3)),
            right = g.input(g.s8({1, elements}, scales.right, 7));
  g.output(g.op(kind, {left, right}, g.s8({1, elements}, scales.output, -11), attributes));
  return std::move(g.graph);
}

std::optional<SumForm> form_of(const ir::Graph& graph) {
  const auto p = reference::add_parameters(graph, 0);
  EXPECT_TRUE(p) << p.error().message;
  return prove_sum(*p, graph.ops[0].kind == K::kSub);
}

// The first scales of a fixed sequence for which no fp32 form is exact.
std::optional<Scales> scales_without_form(K kind) {
  std::mt19937 random(5);
  std::uniform_real_distribution<float> exponent(-6.0f, 0.0f);
  for (int i = 0; i < 6000; ++i) {
    const float left = std::exp2(exponent(random)), right = std::exp2(exponent(random));
    const Scales scales{left, right, (left + right) * std::exp2(exponent(random) / 6)};
    if (!form_of(sum_graph(kind, scales, 1, ir::Activation::kNone))) return scales;
  }
  return std::nullopt;
}

TEST(SumForm, GivesTheReferenceForEveryPairOfOperands) {
  const ir::Graph graph = sum_graph(K::kAdd, {0.02f, 0.031f, 0.043f}, 1, ir::Activation::kNone);
  const auto form = form_of(graph);
  ASSERT_TRUE(form);
  const auto p = *reference::add_parameters(graph, 0);
  for (int x = -128; x < 128; ++x)
    for (int y = -128; y < 128; ++y) {
      const auto a = static_cast<float>(x + p.offset[0]), b = static_cast<float>(y + p.offset[1]);
      const float high = std::fma(b, form->b_high, a * form->a_high), n = std::nearbyint(high);
      const float rest = std::fma(b, form->b_low, std::fma(a, form->a_low, high - n));
      const int sum = static_cast<int>(n + std::nearbyint(rest)) + p.output_offset;
      ASSERT_EQ(std::clamp(sum, p.range.min, p.range.max),
                reference::add_result(p, reference::add_operand(p, 0, x) + reference::add_operand(p, 1, y)))
          << x << " + " << y;
    }
}

class SumWithoutForm : public ::testing::TestWithParam<K> {};
INSTANTIATE_TEST_SUITE_P(Kinds, SumWithoutForm, ::testing::Values(K::kAdd, K::kSub),
                         [](const auto& kind) { return std::string(ir::to_string(kind.param)); });

TEST_P(SumWithoutForm, IsComputedInFixedPointOnTheNpu) {
  const auto scales = scales_without_form(GetParam());
  ASSERT_TRUE(scales) << "the sequence holds no such scales: the proof has become stronger; lengthen it";
  for (const char* part : {"z1", "z2", "x2"})
    for (const std::int32_t elements : {1, 31, 33, 64, 2048, 7000})
      for (const ir::Activation activation : {ir::Activation::kNone, ir::Activation::kRelu6}) {
        const ir::Graph graph = sum_graph(GetParam(), *scales, elements, activation);
        EXPECT_EQ(unsupported_reason(graph, graph.ops[0]), "");
        EXPECT_TRUE(same_as_reference(graph, part, static_cast<unsigned>(elements)))
            << part << ", " << elements << " elements";
      }
}

TEST(AverageFactor, IsExactForEverySumOfUpTo255Values) {
  for (int count = 1; count <= 255; ++count) {
    const auto factor = std::bit_cast<float>(average_factor(count));
    ASSERT_GT(factor, 0.0f) << count;
    for (int sum = -128 * count; sum <= 127 * count; ++sum)
      ASSERT_EQ(static_cast<int>(std::nearbyint(static_cast<float>(sum) * factor)),
                reference::rounded_average(sum, count))
          << sum << " / " << count;
  }
}

ir::Graph bilinear_graph(const zynpu::test::Shape& shape, int height, int width,
                         ir::ResizeAttributes attributes) {
  SmallGraph g;
  const int input = g.input(g.s8(shape, 0.1f, 3));
  g.output(g.op(K::kResizeBilinear, {input, g.integers({height, width})},
                g.s8({shape[0], height, width, shape[3]}, 0.1f, 3), attributes));
  return std::move(g.graph);
}

TEST(ResizeBilinear, EqualsTheReferenceAtEveryEdgeOfItsTiles) {
  struct Case {
    zynpu::test::Shape shape;
    int height, width;
  };
  // Channels around a vector and around a tile's 512, rows longer than a tile, one pixel, shrinking far.
  const Case cases[] = {{{1, 1, 1, 1}, 1, 1},    {{1, 1, 1, 1}, 5, 7},      {{1, 4, 4, 31}, 8, 8},
                        {{1, 4, 4, 32}, 8, 8},   {{1, 4, 4, 33}, 7, 9},     {{2, 3, 5, 513}, 6, 10},
                        {{1, 2, 3, 1030}, 4, 6}, {{1, 3, 150, 3}, 2, 301},  {{1, 200, 140, 4}, 3, 3},
                        {{1, 9, 9, 16}, 1, 2},   {{1, 40, 40, 64}, 80, 80}, {{1, 2, 2, 5}, 64, 65}};
  for (const Case& c : cases)
    for (const ir::ResizeAttributes attributes :
         {ir::ResizeAttributes{}, ir::ResizeAttributes{.align_corners = true},
          ir::ResizeAttributes{.half_pixel_centers = true}}) {
      const ir::Graph graph = bilinear_graph(c.shape, c.height, c.width, attributes);
      EXPECT_EQ(unsupported_reason(graph, graph.ops[0]), "");
      EXPECT_TRUE(same_as_reference(graph, "x2"))
          << fmt::format("{} to {} x {}", fmt::join(c.shape, "x"), c.height, c.width);
    }
}

TEST(ResizeBilinear, LeavesUint8ToTheCpuWhoseKernelIsAnotherOne) {
  SmallGraph g;
  const int input = g.input(g.u8({1, 4, 4, 8}));
  g.output(g.op(K::kResizeBilinear, {input, g.integers({8, 8})}, g.u8({1, 8, 8, 8}), ir::ResizeAttributes{}));
  EXPECT_NE(unsupported_reason(g.graph, g.graph.ops[0]).find("All activations are int8"), std::string::npos);
}

}  // namespace
}  // namespace zynpu::compiler::test
