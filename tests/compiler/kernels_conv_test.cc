// SPDX-License-Identifier: MIT
// Convolutions on the virtual NPU against the reference, byte by byte.
#include <gtest/gtest.h>

#include "compiler/support/graph_maker.h"
#include "compiler/support/npu_harness.h"

namespace zynpu::compiler::test {
namespace {

class ConvOnEveryPart : public ::testing::TestWithParam<const char*> {
 protected:
  void check(const ConvCase& c, unsigned seed = 1) {
    EXPECT_TRUE(same_as_reference(conv_graph(c, seed), GetParam(), seed));
  }
};
INSTANTIATE_TEST_SUITE_P(Parts, ConvOnEveryPart, ::testing::Values("z1", "z2", "x2"));

TEST_P(ConvOnEveryPart, MultipliesPixelsOneByOne) {
  for (const int depth : {1, 3, 4, 8, 17, 64})
    for (const int channels : {1, 8, 10, 24, 32, 40}) {
      ConvCase c;
      c.filter_h = c.filter_w = 1;
      c.height = 5;
      c.width = 7;
      c.depth = depth;
      c.channels = channels;
      SCOPED_TRACE(fmt::format("depth {} channels {}", depth, channels));
      check(c);
    }
}

TEST_P(ConvOnEveryPart, SlidesWindowsOfEveryShape) {
  for (const auto& [h, w] : {std::pair{3, 3}, {1, 3}, {5, 1}, {2, 2}, {7, 7}, {10, 4}})
    for (const int depth : {1, 3, 8, 20})
      for (const ir::Padding padding : {ir::Padding::kSame, ir::Padding::kValid}) {
        ConvCase c;
        c.height = 13;
        c.width = 11;
        c.filter_h = h;
        c.filter_w = w;
        c.depth = depth;
        c.channels = 12;
        c.attributes.padding = padding;
        SCOPED_TRACE(fmt::format("{} x {} depth {} {}", h, w, depth,
                                 padding == ir::Padding::kSame ? "same" : "valid"));
        check(c);
      }
}

TEST_P(ConvOnEveryPart, StepsAndSpreadsWindows) {
  for (const auto& [stride_h, stride_w] : {std::pair{1, 1}, {2, 2}, {1, 2}, {3, 1}})
    for (const auto& [dilation_h, dilation_w] : {std::pair{1, 1}, {2, 2}, {1, 3}, {2, 1}})
      for (const int filter : {1, 3}) {
        ConvCase c;
        c.height = 15;
        c.width = 14;
        c.filter_h = c.filter_w = filter;
        c.depth = 8;
        c.channels = 16;
        c.attributes.stride_h = stride_h;
        c.attributes.stride_w = stride_w;
        c.attributes.dilation_h = dilation_h;
        c.attributes.dilation_w = dilation_w;
        SCOPED_TRACE(fmt::format("stride {} {} dilation {} {} filter {}", stride_h, stride_w, dilation_h,
                                 dilation_w, filter));
        check(c);
      }
}

TEST_P(ConvOnEveryPart, KeepsBatchesApart) {
  ConvCase c;
  c.batch = 3;
  c.height = c.width = 6;
  check(c);
  c.filter_h = c.filter_w = 1;
  check(c);
}

TEST_P(ConvOnEveryPart, PadsWithTheZeroPoint) {
  for (const int zero_point : {-128, 0, 127}) {
    ConvCase c;
    c.input_zero_point = zero_point;
    c.output_zero_point = -zero_point - 1;
    c.attributes.pad_top = 2;
    c.attributes.pad_left = 1;
    c.attributes.pad_bottom = 1;
    c.attributes.pad_right = 3;
    c.attributes.padding = ir::Padding::kValid;
    check(c);
  }
}

TEST_P(ConvOnEveryPart, ClampsFusedActivations) {
  for (const ir::Activation activation :
       {ir::Activation::kRelu, ir::Activation::kRelu6, ir::Activation::kReluN1To1}) {
    ConvCase c;
    c.attributes.activation = activation;
    check(c);
  }
}

TEST_P(ConvOnEveryPart, StreamsWeightsThatDoNotFit) {
  ConvCase c;
  c.height = c.width = 6;
  c.depth = 64;
  c.channels = 96;
  check(c);
}

TEST_P(ConvOnEveryPart, SumsInChunksWhatDoesNotFitAtOnce) {
  ConvCase c;
  c.height = c.width = 3;
  c.depth = 256;
  c.channels = 20;
  c.filter_h = c.filter_w = 5;
  c.weight_range = 60;
  check(c);
}

TEST_P(ConvOnEveryPart, CutsLargeImagesIntoTiles) {
  ConvCase c;
  c.height = 50;
  c.width = 61;
  c.depth = 16;
  c.channels = 32;
  check(c);
  c.depth = 3;
  c.attributes.stride_h = c.attributes.stride_w = 2;
  check(c);
}

// Scales that are powers of two make ties, which the fp32 form cannot always tell from its neighbours.
TEST_P(ConvOnEveryPart, RoundsTiesAwayFromZero) {
  for (const int shift : {1, 4, 7, 10}) {
    ConvCase c;
    c.filter_h = c.filter_w = 1;
    c.depth = 4;
    c.channels = 32;
    ir::Graph graph = conv_graph(c);
    for (ir::Tensor& t : graph.tensors)
      for (float& scale : t.quant.scale) scale = 1;
    graph.tensors[1].quant.scale[0] = static_cast<float>(1 << shift);
    EXPECT_TRUE(same_as_reference(graph, GetParam())) << "shift " << shift;
  }
}

TEST_P(ConvOnEveryPart, MultipliesUpToFullRange) {
  ConvCase c;
  c.filter_h = c.filter_w = 1;
  c.depth = 2;
  c.output_scale = 0.0001F;
  check(c);
}

TEST_P(ConvOnEveryPart, RunsWithoutBias) {
  ConvCase c;
  c.with_bias = false;
  check(c);
}

TEST_P(ConvOnEveryPart, FiltersChannelsApart) {
  for (const int channels : {2, 8, 32, 40, 96})
    for (const int filter : {1, 3, 5})
      for (const int stride : {1, 2}) {
        ConvCase c;
        c.depthwise = true;
        c.height = 12;
        c.width = 11;
        c.depth = c.channels = channels;
        c.filter_h = c.filter_w = filter;
        c.attributes.stride_h = c.attributes.stride_w = stride;
        SCOPED_TRACE(fmt::format("channels {} filter {} stride {}", channels, filter, stride));
        check(c);
      }
}

TEST_P(ConvOnEveryPart, FiltersDilatedChannels) {
  ConvCase c;
  c.depthwise = true;
  c.depth = c.channels = 33;
  c.attributes.dilation_h = 2;
  c.attributes.dilation_w = 3;
  check(c);
}

TEST_P(ConvOnEveryPart, FiltersManyChannelsOfLargeImages) {
  ConvCase c;
  c.depthwise = true;
  c.height = 40;
  c.width = 37;
  c.depth = c.channels = 200;
  check(c);
}

TEST_P(ConvOnEveryPart, MultipliesOneChannelIntoMany) {
  ConvCase c;
  c.depthwise = true;
  c.height = 49;
  c.width = 40;
  c.depth = 1;
  c.channels = 8;
  c.filter_h = 10;
  c.filter_w = 8;
  c.attributes.stride_h = c.attributes.stride_w = 2;
  check(c);
}

ir::Graph fully_connected_graph(int rows, int depth, int channels, int weight_range,
                                ir::Activation activation) {
  GraphMaker m(fmt::format("fc {}x{}x{}", rows, depth, channels));
  const int x = m.input({rows, depth}, 0.04F, 7);
  const int y = m.activation(
      {rows, channels},
      0.04F * 0.01F * static_cast<float>(weight_range) * std::sqrt(static_cast<float>(depth)) / 1.7F, -11);
  const int w = m.weights({channels, depth}, 0, 0, weight_range);
  const int b = m.bias(channels);
  m.op(ir::OpKind::kFullyConnected, {x, w, b}, {y}, ir::FullyConnectedAttributes{activation, false});
  m.graph.outputs = {y};
  return std::move(m.graph);
}

TEST_P(ConvOnEveryPart, ConnectsFully) {
  for (const int rows : {1, 5})
    for (const int depth : {1, 16, 100, 640})
      for (const int channels : {1, 2, 10, 128})
        EXPECT_TRUE(same_as_reference(
            fully_connected_graph(rows, depth, channels, 127, ir::Activation::kRelu), GetParam()));
}

TEST_P(ConvOnEveryPart, ConnectsDeepLayers) {
  EXPECT_TRUE(same_as_reference(fully_connected_graph(1, 4000, 4, 90, ir::Activation::kNone), GetParam()));
  EXPECT_TRUE(same_as_reference(fully_connected_graph(2, 9000, 12, 40, ir::Activation::kNone), GetParam()));
}

// Two layers with a reshape between: temporaries, aliases, and TECs that wait for each other.
TEST_P(ConvOnEveryPart, FeedsLayersFromEachOther) {
  GraphMaker m("chain");
  const int x = m.input({1, 12, 12, 8});
  int t = x;
  for (int layer = 0; layer < 5; ++layer) {
    const int y = m.activation({1, 12, 12, 8}, 0.2F, layer);
    m.op(ir::OpKind::kConv2d, {t, m.weights({8, 3, 3, 8}, 0, 8), m.bias(8)}, {y}, ir::ConvAttributes{});
    t = y;
  }
  const int flat = m.activation({1, 12 * 12 * 8}, 0.2F, 4);
  m.op(ir::OpKind::kReshape, {t}, {flat});
  const int y = m.activation({1, 10}, 2.0F, 0);
  m.op(ir::OpKind::kFullyConnected, {flat, m.weights({10, 12 * 12 * 8}, 0, 0), m.bias(10)}, {y},
       ir::FullyConnectedAttributes{});
  const int copied = m.activation({10, 1}, 2.0F, 0);
  m.op(ir::OpKind::kReshape, {y}, {copied});
  m.graph.outputs = {y, copied};
  EXPECT_TRUE(same_as_reference(m.graph, GetParam()));
}

}  // namespace
}  // namespace zynpu::compiler::test
