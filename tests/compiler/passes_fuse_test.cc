// SPDX-License-Identifier: MIT
#include "compiler/passes/fuse.h"

#include "small_graph.h"

namespace zynpu::compiler {
namespace {

using test::checked;
using test::kinds;
using test::SmallGraph;
using K = ir::OpKind;

const ir::ConvAttributes& conv_of(const ir::Graph& graph, std::size_t op = 0) {
  return std::get<ir::ConvAttributes>(graph.ops[op].attributes);
}

ir::ConvAttributes valid(int stride = 1) {
  ir::ConvAttributes a;
  a.padding = ir::Padding::kValid;
  a.stride_h = a.stride_w = stride;
  return a;
}

// PAD {top, bottom, left, right} of a 7 x 6 x 3 input.
int padded(SmallGraph& g, int x, std::vector<std::int32_t> p) {
  const ir::Tensor in = g.at(x);
  ir::Tensor out = in;
  out.name = "padded";
  out.shape[1] += p[0] + p[1];
  out.shape[2] += p[2] + p[3];
  g.graph.tensors.push_back(out);
  const int y = static_cast<int>(g.graph.tensors.size()) - 1;
  return g.op(K::kPad, {x, g.integers({0, 0, p[0], p[1], p[2], p[3], 0, 0}, {4, 2})}, y);
}

TEST(Fuse, MergesAPadIntoAConvolution) {
  for (const int stride : {1, 2}) {
    SmallGraph g;
    const int x = g.input(g.s8({2, 7, 6, 3}, 0.5f, -9));
    g.output(g.conv(padded(g, x, {0, 1, 2, 3}), 4, 3, valid(stride)));
    const ir::Graph after = checked(g.graph, fuse);
    ASSERT_EQ(kinds(after), (std::vector<K>{K::kConv2d}));
    EXPECT_EQ(conv_of(after).padding, ir::Padding::kValid);
    EXPECT_EQ(conv_of(after).pad_top, 0);
    EXPECT_EQ(conv_of(after).pad_bottom, 1);
    EXPECT_EQ(conv_of(after).pad_left, 2);
    EXPECT_EQ(conv_of(after).pad_right, 3);
  }
}

TEST(Fuse, MergesAPadIntoADepthwiseConvolution) {
  SmallGraph g;
  const int x = g.input(g.u8({1, 7, 6, 3}, 0.5f, 77));
  g.output(g.depthwise(padded(g, x, {1, 0, 1, 0}), 2, 3, valid(2)));
  EXPECT_EQ(kinds(checked(g.graph, fuse)), (std::vector<K>{K::kDepthwiseConv2d}));
}

TEST(Fuse, AddsAPadToTheMarginsOfSame) {
  for (const int stride : {1, 2, 3}) {
    for (const int dilation : {1, 2}) {
      SmallGraph g;
      const int x = g.input(g.s8({1, 7, 6, 3}, 0.5f, 11));
      ir::ConvAttributes same;
      same.stride_h = same.stride_w = stride;
      same.dilation_h = dilation;
      g.output(g.conv(padded(g, x, {1, 2, 0, 1}), 4, 4, same));
      EXPECT_EQ(kinds(checked(g.graph, fuse)), (std::vector<K>{K::kConv2d})) << stride << " " << dilation;
    }
  }
}

TEST(Fuse, MergesAPadIntoAllItsConvolutionsOrNone) {
  SmallGraph both, mixed;
  for (SmallGraph* g : {&both, &mixed}) {
    const int x = g->input(g->s8({1, 7, 6, 3}, 0.5f, 11));
    const int p = padded(*g, x, {1, 1, 1, 1});
    g->output(g->conv(p, 4, 3, valid()));
    g->output(g == &both ? g->conv(p, 2, 1, valid(2)) : g->op(K::kRelu, {p}, g->s8({1, 9, 8, 3}, 0.5f, 11)));
  }
  EXPECT_EQ(kinds(checked(both.graph, fuse)), (std::vector<K>{K::kConv2d, K::kConv2d}));
  EXPECT_EQ(kinds(checked(mixed.graph, fuse)), (std::vector<K>{K::kPad, K::kConv2d, K::kRelu}));
}

TEST(Fuse, KeepsAPadThatIsAGraphOutput) {
  SmallGraph g;
  const int p = g.output(padded(g, g.input(g.s8({1, 7, 6, 3})), {1, 1, 1, 1}));
  g.output(g.conv(p, 4, 3, valid()));
  EXPECT_EQ(kinds(checked(g.graph, fuse)), (std::vector<K>{K::kPad, K::kConv2d}));
}

TEST(Fuse, KeepsAPadOfChannelsOrBatches) {
  for (const std::vector<std::int32_t>& p : {std::vector<std::int32_t>{0, 1, 0, 0, 0, 0, 0, 0},
                                             std::vector<std::int32_t>{0, 0, 1, 1, 1, 1, 0, 2}}) {
    SmallGraph g;
    const int x = g.input(g.s8({1, 7, 6, 3}));
    const int y = g.s8({1 + p[0] + p[1], 7 + p[2] + p[3], 6 + p[4] + p[5], 3 + p[6] + p[7]});
    g.output(g.conv(g.op(K::kPad, {x, g.integers(p, {4, 2})}, y), 4, 3, valid()));
    EXPECT_EQ(kinds(checked(g.graph, fuse)), (std::vector<K>{K::kPad, K::kConv2d}));
  }
}

TEST(Fuse, KeepsAPadWithAnotherZeroPoint) {
  SmallGraph g;
  const int p = padded(g, g.input(g.s8({1, 7, 6, 3}, 0.5f, 1)), {1, 1, 1, 1});
  g.at(p).quant.zero_point[0] = 2;
  g.output(g.conv(p, 4, 3, valid()));
  // The reference may refuse such a PAD; what counts is that it stays.
  fuse(g.graph);
  EXPECT_EQ(kinds(g.graph), (std::vector<K>{K::kPad, K::kConv2d}));
}

TEST(Fuse, MergesReluIntoItsProducer) {
  const std::vector<std::pair<K, ir::Activation>> kinds_of = {{K::kRelu, ir::Activation::kRelu},
                                                              {K::kRelu6, ir::Activation::kRelu6},
                                                              {K::kReluN1To1, ir::Activation::kReluN1To1}};
  for (const auto& [kind, activation] : kinds_of) {
    for (const float scale : {0.8f, 0.02f}) {
      SmallGraph g;
      const int x = g.input(g.s8({1, 5, 5, 3}, 0.5f, -9));
      const int y = g.conv(x, 4, 3, valid(), scale);
      g.output(g.op(kind, {y}, g.s8({1, 3, 3, 4}, scale, 5)));
      const ir::Graph after = checked(g.graph, fuse);
      ASSERT_EQ(test::kinds(after), (std::vector<K>{K::kConv2d}));
      EXPECT_EQ(conv_of(after).activation, activation);
    }
  }
}

TEST(Fuse, MergesReluIntoArithmetic) {
  SmallGraph g;
  const int x = g.input(g.u8({4, 8}, 0.1f, 99)), y = g.input(g.u8({8}, 0.05f, 3));
  const int sum = g.op(K::kSub, {x, y}, g.u8({4, 8}, 0.07f, 100), ir::ArithmeticAttributes{});
  g.output(g.op(K::kRelu6, {sum}, g.u8({4, 8}, 0.07f, 100)));
  EXPECT_EQ(kinds(checked(g.graph, fuse)), (std::vector<K>{K::kSub}));
}

TEST(Fuse, NarrowsAReluToRelu6ButNeverWidens) {
  for (const bool narrow : {true, false}) {
    SmallGraph g;
    ir::ConvAttributes a = valid();
    a.activation = narrow ? ir::Activation::kRelu : ir::Activation::kReluN1To1;
    const int y = g.conv(g.input(g.s8({1, 5, 5, 3})), 4, 3, a, 0.05f);
    g.output(g.op(narrow ? K::kRelu6 : K::kRelu, {y}, g.s8({1, 3, 3, 4}, 0.05f, 5)));
    EXPECT_EQ(kinds(checked(g.graph, fuse)).size(), narrow ? 1u : 2u);
  }
}

TEST(Fuse, KeepsAReluThatRescales) {
  SmallGraph g;
  const int y = g.conv(g.input(g.s8({1, 5, 5, 3})), 4, 3, valid());
  g.output(g.op(K::kRelu, {y}, g.s8({1, 3, 3, 4}, 0.4f, 5)));
  EXPECT_EQ(kinds(checked(g.graph, fuse)), (std::vector<K>{K::kConv2d, K::kRelu}));
}

TEST(Fuse, KeepsAReluWhoseInputIsReadElsewhere) {
  SmallGraph g;
  const int y = g.conv(g.input(g.s8({1, 5, 5, 3})), 4, 3, valid());
  g.output(g.op(K::kRelu, {y}, g.s8({1, 3, 3, 4}, 0.8f, 5)));
  g.output(y);
  EXPECT_EQ(kinds(checked(g.graph, fuse)), (std::vector<K>{K::kConv2d, K::kRelu}));
}

TEST(Fuse, RemovesDeadOperatorsAndTensors) {
  SmallGraph g;
  const int x = g.input(g.s8({1, 5, 5, 3}));
  g.input(g.s8({3}));  // an unused input stays an input
  g.op(K::kRelu, {g.op(K::kRelu, {x}, g.s8({1, 5, 5, 3}))}, g.s8({1, 5, 5, 3}));
  g.output(g.conv(x, 4, 3, valid()));
  const ir::Graph after = checked(g.graph, fuse);
  EXPECT_EQ(kinds(after), (std::vector<K>{K::kConv2d}));
  EXPECT_EQ(after.inputs.size(), 2u);
  EXPECT_EQ(after.tensors.size(), 5u);
}

}  // namespace
}  // namespace zynpu::compiler
