// SPDX-License-Identifier: MIT
#include "compiler/passes/legalise.h"

#include <algorithm>

#include "reference/operators.h"

#include "small_graph.h"

namespace zynpu::compiler {
namespace {

using test::checked;
using test::kinds;
using test::SmallGraph;
using K = ir::OpKind;

bool has_uint8(const ir::Graph& graph, const std::vector<int>& list) {
  return std::any_of(list.begin(), list.end(), [&](int t) {
    return t >= 0 && graph.tensors[static_cast<std::size_t>(t)].type == ir::DataType::kUint8;
  });
}

// After the shift, uint8 tensors are touched only by QUANTIZE: the operator itself is int8.
void expect_shifted(const ir::Graph& graph) {
  for (const ir::Op& op : graph.ops) {
    const bool touches = has_uint8(graph, op.inputs) || has_uint8(graph, op.outputs);
    EXPECT_TRUE(op.kind == K::kQuantize || !touches) << to_string(op.kind);
  }
}

ir::ConvAttributes conv_attributes(ir::Padding padding, int stride, ir::Activation activation) {
  ir::ConvAttributes a;
  a.padding = padding;
  a.stride_h = a.stride_w = stride;
  a.activation = activation;
  return a;
}

TEST(ShiftUint8, KeepsConvolutionsExact) {
  for (const auto activation : {ir::Activation::kNone, ir::Activation::kRelu6}) {
    for (const auto padding : {ir::Padding::kSame, ir::Padding::kValid}) {
      SmallGraph g;
      const int x = g.input(g.u8({2, 9, 8, 5}, 0.037f, 113));
      const int y = g.conv(x, 7, 3, conv_attributes(padding, 2, activation), 0.0713f);
      g.output(g.depthwise(y, 2, 3, conv_attributes(padding, 1, activation), 0.0331f));
      const ir::Graph after = checked(g.graph, shift_uint8_to_int8);
      expect_shifted(after);
      EXPECT_EQ(kinds(after), (std::vector<K>{K::kQuantize, K::kConv2d, K::kDepthwiseConv2d, K::kQuantize}));
      EXPECT_TRUE(std::get<ir::ConvAttributes>(after.ops[1].attributes).from_uint8);
    }
  }
}

// The product of these scales is rounded so that the multiplier in float differs from the one in double by
// enough to show in the 31 bits: without from_uint8 a shifted convolution would not be exact.
TEST(ShiftUint8, NeedsTheRoundedScaleProduct) {
  int differing = 0;
  for (int i = 0; i < 60; ++i) {
    SmallGraph g;
    const int x = g.input(g.u8({1, 8, 8, 64}, 0.0301f + 0.00137f * static_cast<float>(i), 113));
    const int y = g.conv(x, 16, 1, conv_attributes(ir::Padding::kSame, 1, ir::Activation::kNone), 0.0005f);
    g.output(y);
    ir::Graph after = checked(g.graph, shift_uint8_to_int8);
    std::get<ir::ConvAttributes>(after.ops[1].attributes).from_uint8 = false;
    for (ir::Tensor& t : after.tensors)
      if (t.is_constant() && t.type == ir::DataType::kInt8) t.quant.zero_point = {0};
    // Only the multipliers are compared: int8 weights without the mark have no zero point.
    const auto with = reference::output_multipliers(g.graph, 0),
               without = reference::output_multipliers(after, 1);
    ASSERT_TRUE(with && without);
    if (with->front() != without->front()) ++differing;
  }
  EXPECT_GT(differing, 0);
}

TEST(ShiftUint8, KeepsFullyConnectedExact) {
  SmallGraph g;
  const int x = g.input(g.u8({3, 20}, 0.04f, 100));
  const int w = g.random_constant(g.u8({6, 20}, 0.03f, 140));
  const int b = g.random_constant(g.tensor(ir::DataType::kInt32, {6}));
  g.output(g.op(K::kFullyConnected, {x, w, b}, g.u8({3, 6}, 0.2f, 90), ir::FullyConnectedAttributes{}));
  expect_shifted(checked(g.graph, shift_uint8_to_int8));
}

TEST(ShiftUint8, KeepsArithmeticExact) {
  for (const K kind : {K::kAdd, K::kSub, K::kMul}) {
    SmallGraph g;
    const int x = g.input(g.u8({4, 64}, 0.04f, 100)), y = g.input(g.u8({64}, 0.07f, 31));
    g.output(g.op(kind, {x, y}, g.u8({4, 64}, 0.05f, 140), ir::ArithmeticAttributes{ir::Activation::kRelu}));
    expect_shifted(checked(g.graph, shift_uint8_to_int8));
  }
}

// Every value of a byte, for every operator that maps one to one.
TEST(ShiftUint8, KeepsFunctionsOfAByteExact) {
  struct Case {
    K kind;
    float scale;
    std::int32_t zero_point;
  };
  for (const Case& c :
       {Case{K::kRelu, 0.03f, 20}, Case{K::kRelu6, 0.03f, 20}, Case{K::kReluN1To1, 0.01f, 128},
        Case{K::kLogistic, 1.0f / 256, 0}, Case{K::kTanh, 1.0f / 128, 128}, Case{K::kHardSwish, 0.05f, 10}}) {
    for (const std::int32_t zero_point : {0, 97, 128, 255}) {
      SmallGraph g;
      const int x = g.input(g.u8({4096}, 0.047f, zero_point));
      g.output(g.op(c.kind, {x}, g.u8({4096}, c.scale, c.zero_point)));
      expect_shifted(checked(g.graph, shift_uint8_to_int8));
    }
  }
}

TEST(ShiftUint8, KeepsSoftmaxAndMeanExact) {
  SmallGraph g;
  const int x = g.input(g.u8({2, 6, 5, 12}, 0.11f, 100));
  const int mean = g.op(K::kMean, {x, g.integers({1, 2})}, g.u8({2, 12}, 0.09f, 110), ir::MeanAttributes{});
  g.output(mean);
  g.output(g.op(K::kSoftmax, {mean}, g.u8({2, 12}, 1.0f / 256, 0), ir::SoftmaxAttributes{1.0f}));
  expect_shifted(checked(g.graph, shift_uint8_to_int8));
}

TEST(ShiftUint8, KeepsMovementsExact) {
  SmallGraph g;
  const int x = g.input(g.u8({2, 4, 6, 3}, 0.1f, 77)), y = g.input(g.u8({2, 4, 6, 3}, 0.1f, 77));
  const int joined =
      g.op(K::kConcatenation, {x, y}, g.u8({2, 4, 6, 6}, 0.1f, 77), ir::ConcatenationAttributes{3});
  const int wide =
      g.op(K::kPad, {joined, g.integers({0, 0, 1, 2, 0, 3, 1, 0}, {4, 2})}, g.u8({2, 7, 9, 7}, 0.1f, 77));
  const int turned = g.op(K::kTranspose, {wide, g.integers({0, 2, 1, 3})}, g.u8({2, 9, 7, 7}, 0.1f, 77));
  const int bigger = g.op(K::kResizeNearestNeighbor, {turned, g.integers({18, 13})},
                          g.u8({2, 18, 13, 7}, 0.1f, 77), ir::ResizeAttributes{});
  ir::PoolAttributes pool;
  pool.filter_h = pool.filter_w = pool.stride_h = pool.stride_w = 2;
  g.output(g.op(K::kMaxPool2d, {bigger}, g.u8({2, 9, 7, 7}, 0.1f, 77), pool));
  const int half = g.u8({2, 4, 6, 3}, 0.1f, 77);
  g.output(g.op(K::kSplit, {g.integers({3}, {}), joined}, half, ir::SplitAttributes{2}));
  g.graph.ops.back().outputs.push_back(g.output(g.u8({2, 4, 6, 3}, 0.1f, 77)));
  expect_shifted(checked(g.graph, shift_uint8_to_int8));
}

ir::Graph average(int filter, int stride, ir::Padding padding, std::int32_t extent) {
  SmallGraph g;
  ir::PoolAttributes pool;
  pool.padding = padding;
  pool.filter_h = pool.filter_w = filter;
  pool.stride_h = pool.stride_w = stride;
  const int x = g.input(g.u8({2, extent, extent, 8}, 0.1f, 77));
  const std::int32_t out =
      padding == ir::Padding::kSame ? (extent + stride - 1) / stride : (extent - filter) / stride + 1;
  g.output(g.op(K::kAveragePool2d, {x}, g.u8({2, out, out, 8}, 0.1f, 77), pool));
  return g.graph;
}

TEST(ShiftUint8, ShiftsAveragesOfAnOddNumberOnly) {
  expect_shifted(checked(average(7, 7, ir::Padding::kValid, 7), shift_uint8_to_int8));
  expect_shifted(checked(average(3, 2, ir::Padding::kValid, 9), shift_uint8_to_int8));
  for (const ir::Graph& even : {average(2, 2, ir::Padding::kValid, 8),    // four values
                                average(3, 1, ir::Padding::kSame, 8)}) {  // six, and four in the corners
    const ir::Graph after = checked(even, shift_uint8_to_int8);
    EXPECT_EQ(kinds(after), (std::vector<K>{K::kAveragePool2d}));
    EXPECT_TRUE(has_uint8(after, after.ops[0].inputs));
  }
}

TEST(ShiftUint8, LeavesRescalingConcatenationsAndBilinearResizes) {
  SmallGraph g;
  const int x = g.input(g.u8({1, 4, 4, 3}, 0.1f, 77)), y = g.input(g.u8({1, 4, 4, 3}, 0.2f, 70));
  const int joined =
      g.op(K::kConcatenation, {x, y}, g.u8({1, 4, 4, 6}, 0.15f, 80), ir::ConcatenationAttributes{3});
  g.output(g.op(K::kResizeBilinear, {joined, g.integers({7, 9})}, g.u8({1, 7, 9, 6}, 0.15f, 80),
                ir::ResizeAttributes{}));
  EXPECT_EQ(kinds(checked(g.graph, shift_uint8_to_int8)),
            (std::vector<K>{K::kConcatenation, K::kResizeBilinear}));
}

TEST(ShiftUint8, ConvertsOnceAroundAnOperatorThatStays) {
  SmallGraph g;
  const int x = g.input(g.u8({1, 8, 8, 3}, 0.1f, 77));
  const int y = g.conv(x, 4, 3, conv_attributes(ir::Padding::kSame, 1, ir::Activation::kNone));
  ir::PoolAttributes pool;
  pool.filter_h = pool.filter_w = pool.stride_h = pool.stride_w = 2;
  const int z = g.op(K::kAveragePool2d, {y}, g.u8({1, 4, 4, 4}, 0.8f, 120), pool);
  g.output(g.conv(z, 4, 3, conv_attributes(ir::Padding::kSame, 1, ir::Activation::kNone)));
  g.output(y);
  EXPECT_EQ(kinds(checked(g.graph, shift_uint8_to_int8)),
            (std::vector<K>{K::kQuantize, K::kConv2d, K::kQuantize, K::kAveragePool2d, K::kQuantize,
                            K::kConv2d, K::kQuantize}));
}

TEST(ShiftUint8, TakesQuantizeAndDequantizeInEitherForm) {
  SmallGraph g;
  const int real = g.input(g.tensor(ir::DataType::kFloat32, {1, 6, 6, 3}));
  const int x = g.op(K::kQuantize, {real}, g.u8({1, 6, 6, 3}, 0.7f, 77));
  const int y = g.conv(x, 4, 3, conv_attributes(ir::Padding::kSame, 1, ir::Activation::kNone), 0.3f);
  const int z = g.op(K::kQuantize, {y}, g.u8({1, 6, 6, 4}, 0.4f, 60));
  g.output(g.op(K::kDequantize, {z}, g.tensor(ir::DataType::kFloat32, {1, 6, 6, 4})));
  g.output(g.op(K::kDequantize, {y}, g.tensor(ir::DataType::kFloat32, {1, 6, 6, 4})));
  // No operator is added: the quantisations at the edges make and take int8 themselves.
  EXPECT_EQ(kinds(checked(g.graph, shift_uint8_to_int8)),
            (std::vector<K>{K::kQuantize, K::kConv2d, K::kQuantize, K::kDequantize, K::kDequantize}));
}

TEST(ShiftUint8, LeavesInt8GraphsAlone) {
  SmallGraph g;
  const int x = g.input(g.s8({1, 6, 6, 3}));
  const int y = g.conv(x, 4, 3, conv_attributes(ir::Padding::kSame, 1, ir::Activation::kNone));
  g.output(g.op(K::kQuantize, {y}, g.u8({1, 6, 6, 4}, 0.4f, 60)));
  const ir::Graph after = checked(g.graph, shift_uint8_to_int8);
  EXPECT_EQ(kinds(after), (std::vector<K>{K::kConv2d, K::kQuantize}));
  EXPECT_FALSE(std::get<ir::ConvAttributes>(after.ops[0].attributes).from_uint8);
}

TEST(ShiftUint8, LeavesTensorsWithoutAScale) {
  SmallGraph g;
  const int x = g.input(g.tensor(ir::DataType::kUint8, {4, 3}));
  g.output(g.op(K::kTranspose, {x, g.integers({1, 0})}, g.tensor(ir::DataType::kUint8, {3, 4})));
  EXPECT_EQ(kinds(checked(g.graph, shift_uint8_to_int8)), (std::vector<K>{K::kTranspose}));
}

TEST(Legalise, TurnsADepthwiseOfOneChannelIntoAConvolution) {
  for (const bool per_channel : {false, true}) {
    for (const int multiplier : {1, 8}) {
      SmallGraph g;
      const int x = g.input(g.s8({1, 9, 7, 1}, 0.5f, -3));
      g.output(g.depthwise(x, multiplier, 3, conv_attributes(ir::Padding::kSame, 2, ir::Activation::kRelu)));
      if (per_channel) {
        ir::Quantization q;
        for (int i = 0; i < multiplier; ++i) q.scale.push_back(0.01f * static_cast<float>(i + 1));
        q.zero_point.assign(q.scale.size(), 0);
        q.axis = 3;
        g.at(g.graph.ops[0].inputs[1]).quant = q;
      }
      const ir::Graph after = checked(g.graph, legalise);
      ASSERT_EQ(kinds(after), (std::vector<K>{K::kConv2d}));
      EXPECT_EQ(std::get<ir::ConvAttributes>(after.ops[0].attributes).depth_multiplier, 1);
    }
  }
}

TEST(Legalise, KeepsADepthwiseOfSeveralChannels) {
  SmallGraph g;
  const int x = g.input(g.s8({1, 9, 7, 2}, 0.5f, -3));
  g.output(g.depthwise(x, 1, 3, conv_attributes(ir::Padding::kSame, 2, ir::Activation::kRelu)));
  EXPECT_EQ(kinds(checked(g.graph, legalise)), (std::vector<K>{K::kDepthwiseConv2d}));
}

TEST(Legalise, SpellsEveryCopyAsReshape) {
  SmallGraph g;
  const int x = g.input(g.s8({1, 4, 1, 3}));
  ir::StridedSliceAttributes all;
  all.end_mask = 0xF;
  g.output(g.op(K::kSqueeze, {x}, g.s8({4, 3}), ir::SqueezeAttributes{}));
  g.output(g.op(K::kExpandDims, {x, g.integers({0})}, g.s8({1, 1, 4, 1, 3})));
  g.output(g.op(K::kTranspose, {x, g.integers({2, 0, 1, 3})}, g.s8({1, 1, 4, 3})));
  g.output(g.op(K::kPad, {x, g.integers(std::vector<std::int32_t>(8), {4, 2})}, g.s8({1, 4, 1, 3})));
  g.output(g.op(K::kStridedSlice,
                {x, g.integers({0, 0, 0, 0}), g.integers({0, 0, 0, 0}), g.integers({1, 1, 1, 1})},
                g.s8({1, 4, 1, 3}), all));
  g.output(g.op(K::kConcatenation, {x}, g.s8({1, 4, 1, 3}), ir::ConcatenationAttributes{3}));
  g.output(g.op(K::kPack, {x}, g.s8({1, 1, 4, 1, 3}), ir::PackAttributes{0, 1}));
  g.output(g.op(K::kUnpack, {x}, g.s8({4, 1, 3}), ir::PackAttributes{0, 1}));
  g.output(g.op(K::kSplit, {g.integers({1}, {}), x}, g.s8({1, 4, 1, 3}), ir::SplitAttributes{1}));
  g.output(g.op(K::kQuantize, {x}, g.s8({1, 4, 1, 3})));
  const ir::Graph after = checked(g.graph, legalise);
  EXPECT_EQ(kinds(after), std::vector<K>(10, K::kReshape));
  for (const ir::Op& op : after.ops) EXPECT_EQ(op.inputs.size(), 1u);
}

TEST(Legalise, KeepsWhatMovesOrRescales) {
  SmallGraph g;
  const int x = g.input(g.s8({1, 4, 2, 3}));
  g.output(g.op(K::kTranspose, {x, g.integers({0, 2, 1, 3})}, g.s8({1, 2, 4, 3})));
  const int backwards = g.s8({1, 4, 2, 3});
  g.output(g.op(K::kStridedSlice, {x, g.integers({0, 3}), g.integers({1, -5}), g.integers({1, -1})},
                backwards, ir::StridedSliceAttributes{}));
  g.output(g.op(K::kQuantize, {x}, g.s8({1, 4, 2, 3}, 0.25f)));
  EXPECT_EQ(kinds(checked(g.graph, legalise)),
            (std::vector<K>{K::kTranspose, K::kStridedSlice, K::kQuantize}));
}

TEST(Legalise, JoinsReshapesInARow) {
  SmallGraph g;
  const int x = g.input(g.s8({2, 12}));
  const int a = g.op(K::kReshape, {x, g.integers({4, 6})}, g.s8({4, 6}));
  const int b = g.op(K::kExpandDims, {a, g.integers({0})}, g.s8({1, 4, 6}));
  const int c = g.op(K::kReshape, {b, g.integers({2, 12})}, g.s8({2, 12}));  // as x was
  g.output(g.op(K::kRelu, {c}, g.s8({2, 12})));
  EXPECT_EQ(kinds(checked(g.graph, legalise)), (std::vector<K>{K::kRelu}));
}

TEST(Legalise, KeepsAReshapeThatChangesTheScaleOnly) {
  SmallGraph g;
  const int x = g.input(g.s8({2, 12}, 0.5f));
  const int a = g.op(K::kReshape, {x, g.integers({2, 12})}, g.s8({2, 12}, 0.25f));
  g.output(g.op(K::kRelu6, {a}, g.s8({2, 12}, 0.25f)));
  EXPECT_EQ(kinds(checked(g.graph, legalise)), (std::vector<K>{K::kReshape, K::kRelu6}));
}

TEST(Legalise, KeepsTheCopyOfAStateThatChanges) {
  SmallGraph g;
  const int state = g.s8({1, 4});
  g.at(state).is_variable = true;
  const int copy = g.op(K::kReshape, {state, g.integers({1, 4})}, g.s8({1, 4}));
  g.output(g.op(K::kRelu, {copy}, g.s8({1, 4})));
  EXPECT_EQ(kinds(checked(g.graph, legalise)), (std::vector<K>{K::kReshape, K::kRelu}));
}

}  // namespace
}  // namespace zynpu::compiler
