// SPDX-License-Identifier: MIT
// Small cases of each operator that can be checked by hand.
#include "reference/operators.h"

#include <algorithm>
#include <numeric>

#include "one_op.h"
#include "support/op_cases.h"

namespace zynpu::reference {
namespace {

using ir::DataType;
using ir::OpKind;
constexpr DataType kI8 = DataType::kInt8;
constexpr DataType kU8 = DataType::kUint8;
constexpr DataType kI32 = DataType::kInt32;
constexpr Quant kUnit{1.0f, 0};

// x [1, 3, 3, 1], one 2x2 filter {1, 2, 3, 4}.
OneOp small_conv(ir::ConvAttributes a, std::vector<std::int32_t> output, Quant in = kUnit,
                 Quant out = kUnit) {
  OneOp o(OpKind::kConv2d, a);
  o.input(kI8, {1, 3, 3, 1}, in);
  o.constant<std::int8_t>("weights", kI8, {1, 2, 2, 1}, {1, 2, 3, 4}, kUnit);
  o.output(kI8, std::move(output), out);
  return o;
}
const Int8s kOneToNine = {1, 2, 3, 4, 5, 6, 7, 8, 9};

TEST(Conv2d, SumsProductsOfTheWindow) {
  ir::ConvAttributes a;
  a.padding = ir::Padding::kValid;
  EXPECT_EQ(small_conv(a, {1, 2, 2, 1}).run<std::int8_t>({kOneToNine}), (Int8s{37, 47, 67, 77}));
}

TEST(Conv2d, PadsSameWithNothingAndMoreAtTheEnd) {
  EXPECT_EQ(small_conv({}, {1, 3, 3, 1}).run<std::int8_t>({kOneToNine}),
            (Int8s{37, 47, 21, 67, 77, 33, 23, 26, 9}));
}

TEST(Conv2d, StridesAndDilates) {
  ir::ConvAttributes a;
  a.padding = ir::Padding::kValid;
  a.dilation_h = a.dilation_w = 2;
  EXPECT_EQ(small_conv(a, {1, 1, 1, 1}).run<std::int8_t>({kOneToNine}), (Int8s{1 + 6 + 21 + 36}));
  a = {};
  a.stride_h = a.stride_w = 2;
  EXPECT_EQ(small_conv(a, {1, 2, 2, 1}).run<std::int8_t>({kOneToNine}), (Int8s{37, 21, 23, 9}));
}

TEST(Conv2d, TakesZeroPointsScalesAndActivationIntoAccount) {
  ir::ConvAttributes a;
  a.padding = ir::Padding::kValid;
  a.activation = ir::Activation::kRelu6;
  // real values 0.5 * (x - 1), weights as they are, output steps of 1/8 from -100: 6.0 is 48 steps above.
  const Int8s got =
      small_conv(a, {1, 2, 2, 1}, {0.5f, 1}, {0.125f, -100}).run<std::int8_t>({{-1, 1, 1, 1, 2, 1, 3, 1, 5}});
  // real sums: -1 + 4*0.5 = 1; 3*0.5 = 1.5; 2*0.5 + 3*1 = 4; 1*0.5 + 4*2 = 8.5, cut to 6
  EXPECT_EQ(got, (Int8s{-92, -88, -68, -52}));
}

TEST(Conv2d, PaddingMeansRealZeroWhateverTheZeroPoint) {
  EXPECT_EQ(small_conv({}, {1, 3, 3, 1}, {1.0f, 10}).run<std::int8_t>({Int8s(9, 10)}), Int8s(9, 0));
}

TEST(Conv2d, ScalesEachChannelAndAddsItsBias) {
  OneOp o(OpKind::kConv2d, ir::ConvAttributes{});
  o.input(kI8, {1, 1, 1, 2}, kUnit);
  const int w = o.constant<std::int8_t>("weights", kI8, {2, 1, 1, 2}, {1, 1, 1, 1}, kUnit);
  o.tensor(w).quant.scale = {1.0f, 0.25f};
  o.tensor(w).quant.zero_point = {0, 0};
  o.constant<std::int32_t>("bias", kI32, {2}, {5, 6});
  o.output(kI8, {1, 1, 1, 2}, kUnit);
  EXPECT_EQ(o.run<std::int8_t>({{10, 20}}), (Int8s{35, 9}));
  const auto multipliers = output_multipliers(o.graph, 0);
  ASSERT_TRUE(multipliers);
  EXPECT_EQ((*multipliers)[0], (QuantizedMultiplier{1 << 30, 1}));
  EXPECT_EQ((*multipliers)[1], (QuantizedMultiplier{1 << 30, -1}));
}

TEST(Conv2d, OfGroupsSeesOnlyItsChannels) {
  OneOp o(OpKind::kConv2d, ir::ConvAttributes{});
  o.input(kI8, {1, 1, 1, 4}, kUnit);
  o.constant<std::int8_t>("weights", kI8, {2, 1, 1, 2}, {1, 2, 3, 4}, kUnit);
  o.output(kI8, {1, 1, 1, 2}, kUnit);
  EXPECT_EQ(o.run<std::int8_t>({{1, 10, 2, 5}}), (Int8s{21, 26}));
}

TEST(Conv2d, OfUint8HasAWeightZeroPoint) {
  OneOp o(OpKind::kConv2d, ir::ConvAttributes{});
  o.input(kU8, {1, 1, 1, 2}, {1.0f, 128});
  o.constant<std::uint8_t>("weights", kU8, {1, 1, 1, 2}, {3, 0}, {1.0f, 1});
  o.output(kU8, {1, 1, 1, 1}, {1.0f, 100});
  EXPECT_EQ(o.run<std::uint8_t>({{130, 121}}), (Uint8s{100 + 2 * 2 + 7}));
}

TEST(Conv2d, LooksBeforeTheInputByExplicitPadding) {
  ir::ConvAttributes a;
  a.padding = ir::Padding::kValid;
  a.pad_top = 1;
  a.pad_right = 2;
  EXPECT_EQ(small_conv(a, {1, 3, 4, 1}).run<std::int8_t>({kOneToNine}),
            (Int8s{3 + 8, 6 + 12, 9, 0, 37, 47, 21, 0, 67, 77, 33, 0}));
  const auto window = window_of(small_conv(a, {1, 3, 4, 1}).graph, 0);
  ASSERT_TRUE(window);
  EXPECT_EQ(window->pad_top, 1);
  EXPECT_EQ(window->pad_left, 0);
  EXPECT_EQ(window->output_w, 4);
}

// A convolution with explicit paddings is PAD and then the convolution without.
TEST(Conv2d, WithExplicitPaddingEqualsPadAndConvolution) {
  for (const std::string& name : test::npu_op_case_names()) {
    if (name.find("_PADDED_") == std::string::npos) continue;
    test::OpCase c = test::make_op_case(name);
    const auto inputs = test::op_case_inputs(c);
    OneOp whole(OpKind::kConv2d);
    whole.graph = c.graph;
    const Int8s want = whole.run<std::int8_t>({Int8s(inputs[0].begin(), inputs[0].end())});

    auto& a = std::get<ir::ConvAttributes>(whole.op().attributes);
    const ir::Tensor input = whole.tensor(whole.graph.inputs[0]);
    const int padded = whole.add("padded", input.type, input.shape);
    whole.tensor(padded).quant = input.quant;
    whole.tensor(padded).shape[1] += a.pad_top + a.pad_bottom;
    whole.tensor(padded).shape[2] += a.pad_left + a.pad_right;
    const Int32s pads = {0, 0, a.pad_top, a.pad_bottom, a.pad_left, a.pad_right, 0, 0};
    const int paddings = whole.constant("paddings", kI32, {4, 2}, pads);
    whole.op().inputs.pop_back();
    a.pad_top = a.pad_bottom = a.pad_left = a.pad_right = 0;
    whole.op().inputs[0] = padded;
    ir::Op pad;
    pad.kind = OpKind::kPad;
    pad.inputs = {whole.graph.inputs[0], paddings};
    pad.outputs = {padded};
    whole.graph.ops.insert(whole.graph.ops.begin(), pad);
    EXPECT_EQ(whole.run<std::int8_t>({Int8s(inputs[0].begin(), inputs[0].end())}), want) << c.description;
  }
}

TEST(DepthwiseConv2d, KeepsChannelsApartAndMultipliesThem) {
  OneOp o(OpKind::kDepthwiseConv2d, ir::ConvAttributes{});
  o.input(kI8, {1, 1, 2, 2}, kUnit);
  // [1, 1, 2, 4]: taps for outputs 0..3, of which 0 and 1 see input channel 0.
  o.constant<std::int8_t>("weights", kI8, {1, 1, 2, 4}, {1, 2, 3, 4, 5, 6, 7, 8}, kUnit);
  o.output(kI8, {1, 1, 2, 4}, kUnit);
  EXPECT_EQ(o.run<std::int8_t>({{1, 2, 3, -1}}), (Int8s{1 + 15, 2 + 18, 6 - 7, 8 - 8, 3, 6, -3, -4}));
}

TEST(FullyConnected, MultipliesEachRowAndAcceptsAnAbsentBias) {
  OneOp o(OpKind::kFullyConnected, ir::FullyConnectedAttributes{});
  o.input(kI8, {2, 3}, kUnit);
  o.constant<std::int8_t>("weights", kI8, {2, 3}, {1, 2, 3, -1, 0, 1}, kUnit);
  o.op().inputs.push_back(ir::kAbsent);
  o.output(kI8, {2, 2}, {2.0f, 1});
  // 14 and 2; 32 and 2, halved, above zero point 1.
  EXPECT_EQ(o.run<std::int8_t>({{1, 2, 3, 4, 5, 6}}), (Int8s{8, 2, 17, 2}));
}

// Twice: halves up in the product with the multiplier, halves away from zero in the shift.
TEST(Requantisation, RoundsTwice) {
  for (const auto& [scale, expected] :
       {std::pair{2.0f, Int8s{1, 0, 1, -1, 2, -1}}, {4.0f, Int8s{1, 0, 1, -1, 1, -1}}}) {
    OneOp o(OpKind::kFullyConnected, ir::FullyConnectedAttributes{});
    o.input(kI8, {6, 1}, kUnit);
    o.constant<std::int8_t>("weights", kI8, {1, 1}, {1}, kUnit);
    o.output(kI8, {6, 1}, {scale, 0});
    EXPECT_EQ(o.run<std::int8_t>({{1, -1, 2, -2, 3, -3}}), expected) << scale;
  }
}

TEST(Pools, AverageAndMaximumLeavePaddingOut) {
  ir::PoolAttributes a;
  a.filter_h = a.filter_w = 2;
  OneOp average(OpKind::kAveragePool2d, a);
  average.input(kI8, {1, 2, 3, 1}, {0.5f, -20});
  average.output(kI8, {1, 2, 3, 1}, {0.5f, -20});
  // -10/4 = -2.5 and 2.5 round away from zero; the last column averages two, the corner one.
  EXPECT_EQ(average.run<std::int8_t>({{-1, -2, 7, -3, -4, 9}}), (Int8s{-3, 3, 8, -4, 3, 9}));
  OneOp maximum(OpKind::kMaxPool2d, a);
  maximum.graph = average.graph;
  maximum.op().kind = OpKind::kMaxPool2d;
  EXPECT_EQ(maximum.run<std::int8_t>({{-1, -2, -7, -3, -4, -9}}), (Int8s{-1, -2, -7, -3, -4, -9}));
}

TEST(Pools, RoundAveragesAwayFromZero) {
  EXPECT_EQ(rounded_average(5, 2), 3);
  EXPECT_EQ(rounded_average(-5, 2), -3);
  EXPECT_EQ(rounded_average(4, 3), 1);
  EXPECT_EQ(rounded_average(-4, 3), -1);
  EXPECT_EQ(rounded_average(0, 7), 0);
}

OneOp binary(OpKind kind, std::vector<std::int32_t> a, std::vector<std::int32_t> b,
             std::vector<std::int32_t> out, Quant qa = kUnit, Quant qb = kUnit, Quant qo = kUnit) {
  OneOp o(kind, ir::ArithmeticAttributes{});
  o.input(kI8, std::move(a), qa);
  o.input(kI8, std::move(b), qb);
  o.output(kI8, std::move(out), qo);
  return o;
}

TEST(Arithmetic, RescalesBothOperands) {
  // (a - 1) * 0.5 + (b + 2) * 0.25, steps of 0.25 from 3.
  OneOp add = binary(OpKind::kAdd, {4}, {4}, {4}, {0.5f, 1}, {0.25f, -2}, {0.25f, 3});
  EXPECT_EQ(add.run<std::int8_t>({{1, 3, -1, 127}, {-2, 0, 2, 127}}), (Int8s{3, 3 + 4 + 2, 3 - 4 + 4, 127}));
  OneOp sub = binary(OpKind::kSub, {4}, {4}, {4}, {0.5f, 1}, {0.25f, -2}, {0.25f, 3});
  EXPECT_EQ(sub.run<std::int8_t>({{1, 3, -1, -128}, {-2, 0, 2, 127}}),
            (Int8s{3, 3 + 4 - 2, 3 - 4 - 4, -128}));
  OneOp mul = binary(OpKind::kMul, {3}, {3}, {3}, {0.5f, 1}, {0.25f, -2}, {0.25f, 3});
  // 1 * 1 = 4 steps; 0.5 * 0.25 = half a step, rounded up, as is minus half a step.
  EXPECT_EQ(mul.run<std::int8_t>({{3, 2, 0}, {2, -1, -1}}), (Int8s{7, 4, 3}));
}

TEST(Arithmetic, BroadcastsExtentsOfOne) {
  EXPECT_EQ(binary(OpKind::kAdd, {2, 3}, {3}, {2, 3}).run<std::int8_t>({{1, 2, 3, 4, 5, 6}, {10, 20, 30}}),
            (Int8s{11, 22, 33, 14, 25, 36}));
  EXPECT_EQ(binary(OpKind::kSub, {2, 1}, {1, 3}, {2, 3}).run<std::int8_t>({{10, 20}, {1, 2, 3}}),
            (Int8s{9, 8, 7, 19, 18, 17}));
  EXPECT_EQ(binary(OpKind::kMul, {}, {2, 2}, {2, 2}).run<std::int8_t>({{3}, {1, 2, 3, 4}}),
            (Int8s{3, 6, 9, 12}));
}

TEST(Arithmetic, AddsATensorToItself) {
  OneOp o(OpKind::kAdd, ir::ArithmeticAttributes{});
  o.input(kI8, {2, 2}, kUnit);
  o.op().inputs.push_back(o.graph.inputs[0]);
  o.output(kI8, {2, 2}, kUnit);
  EXPECT_EQ(o.run<std::int8_t>({{1, -2, 3, 100}}), (Int8s{2, -4, 6, 127}));
}

TEST(Mean, AveragesItsAxesAndRescales) {
  OneOp o(OpKind::kMean, ir::MeanAttributes{});
  o.input(kI8, {1, 2, 2, 2}, {1.0f, 2});
  o.integers("axes", {1, 2});
  o.output(kI8, {1, 2}, {0.5f, -3});
  // means above the zero point: 1.5 and -3; twice as many steps.
  EXPECT_EQ(o.run<std::int8_t>({{2, -1, 3, 0, 4, -2, 5, -1}}), (Int8s{0, -9}));
}

TEST(Mean, OfNegativeAxesKeepsDimensionsWhenAsked) {
  ir::MeanAttributes a;
  a.keep_dims = true;
  OneOp o(OpKind::kMean, a);
  o.input(kI8, {2, 3}, kUnit);
  o.integers("axes", {-1, 1});
  o.output(kI8, {2, 1}, kUnit);
  EXPECT_EQ(o.run<std::int8_t>({{1, 2, 3, -4, -5, -6}}), (Int8s{2, -5}));
}

TEST(Activations, ClampInRealNumbers) {
  ir::Tensor output;
  output.type = kI8;
  output.quant = {{0.1f}, {-10}, 0};
  EXPECT_EQ(*activation_range(ir::Activation::kNone, output), (ActivationRange{-128, 127}));
  EXPECT_EQ(*activation_range(ir::Activation::kRelu, output), (ActivationRange{-10, 127}));
  EXPECT_EQ(*activation_range(ir::Activation::kRelu6, output), (ActivationRange{-10, 50}));
  EXPECT_EQ(*activation_range(ir::Activation::kReluN1To1, output), (ActivationRange{-20, 0}));
  EXPECT_FALSE(activation_range(ir::Activation::kTanh, output));
  output.type = kU8;
  output.quant.zero_point = {3};
  EXPECT_EQ(*activation_range(ir::Activation::kRelu6, output), (ActivationRange{3, 63}));
  EXPECT_EQ(*activation_range(ir::Activation::kReluN1To1, output), (ActivationRange{0, 13}));
}

TEST(Activations, AreTablesOfOneByte) {
  OneOp relu(OpKind::kRelu6);
  relu.input(kI8, {4}, {0.5f, 0});
  relu.output(kI8, {4}, {0.25f, -128});
  EXPECT_EQ(relu.run<std::int8_t>({{-5, 0, 4, 100}}), (Int8s{-128, -128, -120, -104}));
  const auto table = unary_table(relu.graph, 0);
  ASSERT_TRUE(table);
  EXPECT_EQ((*table)[0xFB], 0x80);
  EXPECT_EQ((*table)[4], static_cast<std::uint8_t>(-120));

  OneOp logistic(OpKind::kLogistic);
  logistic.input(kI8, {3}, {0.1f, 0});
  logistic.output(kI8, {3}, {1.0f / 256, -128});
  EXPECT_EQ(logistic.run<std::int8_t>({{0, 127, -128}}), (Int8s{0, 127, -128}));

  OneOp swish(OpKind::kHardSwish);
  swish.input(kI8, {4}, {0.0625f, 0});
  swish.output(kI8, {4}, {0.0625f, 0});
  // -3 and below give 0, 3 and above themselves, 0 gives 0.
  EXPECT_EQ(swish.run<std::int8_t>({{-48, 48, 0, 100}}), (Int8s{0, 48, 0, 100}));
}

TEST(Softmax, SharesOneOverEqualInputsAndSaturatesAtOne) {
  OneOp o(OpKind::kSoftmax, ir::SoftmaxAttributes{});
  o.input(kI8, {2, 4}, {0.5f, 0});
  o.output(kI8, {2, 4}, {1.0f / 256, -128});
  EXPECT_EQ(o.run<std::int8_t>({{5, 5, 5, 5, 100, -100, 0, 3}}),
            (Int8s{-64, -64, -64, -64, 127, -128, -128, -128}));
}

TEST(Softmax, GivesNothingToAThousandEqualTerms) {
  OneOp o(OpKind::kSoftmax, ir::SoftmaxAttributes{});
  o.input(kI8, {1, 1000}, {0.5f, 0});
  o.output(kI8, {1, 1000}, {1.0f / 256, -128});
  EXPECT_EQ(o.run<std::int8_t>({Int8s(1000, 7)}), Int8s(1000, -128));
}

TEST(Softmax, ReportsASumThatItsFormatCannotHold) {
  OneOp o(OpKind::kSoftmax, ir::SoftmaxAttributes{});
  o.input(kI8, {1, 4096}, {0.5f, 0});
  o.output(kI8, {1, 4096}, {1.0f / 256, -128});
  auto interpreter = Interpreter::create(o.graph);
  ASSERT_TRUE(interpreter);
  const Status status = (*interpreter)->run();  // all inputs zero: 4096 terms of one
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("SOFTMAX #0"), std::string::npos);
}

TEST(Quantize, ConvertsBetweenFloatAndBothBytes) {
  OneOp q(OpKind::kQuantize);
  q.input(DataType::kFloat32, {6});
  q.output(kI8, {6}, {0.5f, 10});
  EXPECT_EQ((q.run<float, std::int8_t>({{0, 0.25f, -0.25f, 1e30f, -1e30f, 3}})),
            (Int8s{10, 11, 9, 127, -128, 16}));
  OneOp r(OpKind::kQuantize);
  r.input(kU8, {3}, {0.5f, 128});
  r.output(kI8, {3}, {0.5f, 0});
  EXPECT_EQ((r.run<std::uint8_t, std::int8_t>({{0, 128, 255}})), (Int8s{-128, 0, 127}));
  OneOp d(OpKind::kDequantize);
  d.input(kI8, {3}, {0.5f, 10});
  d.output(DataType::kFloat32, {3});
  EXPECT_EQ((d.run<std::int8_t, float>({{10, 11, -128}})), (std::vector<float>{0, 0.5f, -69}));
}

TEST(Dequantize, ScalesEachChannel) {
  OneOp d(OpKind::kDequantize);
  const int input = d.input(kI8, {2, 2}, kUnit);
  d.tensor(input).quant = {{1.0f, 10.0f}, {0, 1}, 1};
  d.output(DataType::kFloat32, {2, 2});
  EXPECT_EQ((d.run<std::int8_t, float>({{1, 1, 2, 3}})), (std::vector<float>{1, 0, 2, 20}));
}

TEST(Resize, CopiesTheNearestPixel) {
  OneOp o(OpKind::kResizeNearestNeighbor, ir::ResizeAttributes{});
  o.input(kI32, {1, 2, 2, 1});
  o.integers("size", {3, 4});
  o.output(kI32, {1, 3, 4, 1});
  EXPECT_EQ(o.run<std::int32_t>({{1, 2, 3, 4}}), (Int32s{1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4}));
  EXPECT_EQ(nearest_source(2, 2, 3, {true, false}), 1);
  EXPECT_EQ(nearest_source(1, 4, 2, {false, true}), 3);
}

TEST(Resize, BlendsFourPixels) {
  OneOp o(OpKind::kResizeBilinear, ir::ResizeAttributes{});
  o.input(kI8, {1, 2, 2, 1}, kUnit);
  o.integers("size", {4, 4});
  o.output(kI8, {1, 4, 4, 1}, kUnit);
  EXPECT_EQ(o.run<std::int8_t>({{0, 10, 20, 31}}),
            (Int8s{0, 5, 10, 10, 10, 15, 21, 21, 20, 26, 31, 31, 20, 26, 31, 31}));
}

// Steps are rounded to 1/1024, which can lead past the last pixel; that pixel then stands for what is beyond.
TEST(Resize, StaysInsideTheInputWhenStepsRoundUp) {
  for (int output = 0; output < 650; ++output) {
    const BilinearTap tap = bilinear_tap(output, 1, 650, {});
    ASSERT_EQ(tap.lower, 0);
    ASSERT_EQ(tap.upper, 0);
  }
}

TEST(DataMovement, PadsWithRealZero) {
  OneOp o(OpKind::kPad);
  o.input(kI8, {1, 2}, {1.0f, 7});
  o.constant<std::int32_t>("paddings", kI32, {2, 2}, {1, 0, 0, 2});
  o.output(kI8, {2, 4}, {1.0f, 7});
  EXPECT_EQ(o.run<std::int8_t>({{1, 2}}), (Int8s{7, 7, 7, 7, 1, 2, 7, 7}));
}

TEST(DataMovement, JoinsAndDividesAlongAnAxis) {
  ir::ConcatenationAttributes c;
  c.axis = -1;
  OneOp join(OpKind::kConcatenation, c);
  join.input(kI32, {2, 1});
  join.input(kI32, {2, 2});
  join.output(kI32, {2, 3});
  EXPECT_EQ(join.run<std::int32_t>({{1, 4}, {2, 3, 5, 6}}), (Int32s{1, 2, 3, 4, 5, 6}));

  OneOp split(OpKind::kSplit, ir::SplitAttributes{2});
  split.integers("axis", {1});
  split.input(kI32, {2, 4});
  split.output(kI32, {2, 2});
  split.output(kI32, {2, 2});
  EXPECT_EQ(split.run<std::int32_t>({{1, 2, 3, 4, 5, 6, 7, 8}}, 1), (Int32s{3, 4, 7, 8}));

  OneOp pack(OpKind::kPack, ir::PackAttributes{1, 2});
  pack.input(kI32, {2});
  pack.input(kI32, {2});
  pack.output(kI32, {2, 2});
  EXPECT_EQ(pack.run<std::int32_t>({{1, 2}, {3, 4}}), (Int32s{1, 3, 2, 4}));

  OneOp unpack(OpKind::kUnpack, ir::PackAttributes{0, 2});
  unpack.input(kI32, {2, 2});
  unpack.output(kI32, {2});
  unpack.output(kI32, {2});
  EXPECT_EQ(unpack.run<std::int32_t>({{1, 2, 3, 4}}, 1), (Int32s{3, 4}));
}

TEST(DataMovement, RescalesInAUint8ConcatenationOnly) {
  OneOp o(OpKind::kConcatenation, ir::ConcatenationAttributes{});
  o.input(kU8, {2}, {0.5f, 10});
  o.input(kU8, {1}, {1.0f, 0});
  o.output(kU8, {3}, {1.0f, 0});
  EXPECT_EQ(o.run<std::uint8_t>({{13, 0}, {200}}), (Uint8s{2, 0, 200}));
  for (ir::Tensor& t : o.graph.tensors) t.type = kI8;
  EXPECT_NE(o.refusal().find("'in0'"), std::string::npos);
}

TEST(DataMovement, TransposesAndSlices) {
  OneOp t(OpKind::kTranspose);
  t.input(kI32, {2, 3});
  t.integers("order", {1, 0});
  t.output(kI32, {3, 2});
  EXPECT_EQ(t.run<std::int32_t>({{1, 2, 3, 4, 5, 6}}), (Int32s{1, 4, 2, 5, 3, 6}));

  ir::StridedSliceAttributes a;
  a.shrink_axis_mask = 1;
  a.end_mask = 2;
  OneOp s(OpKind::kStridedSlice, a);
  s.input(kI32, {2, 4});
  s.integers("begin", {-1, -1});
  s.integers("end", {0, 0});
  s.integers("strides", {1, -2});
  s.output(kI32, {2});
  EXPECT_EQ(s.run<std::int32_t>({{1, 2, 3, 4, 5, 6, 7, 8}}), (Int32s{8, 6}));
}

TEST(DataMovement, SlicesWithEllipsisAndNewAxis) {
  ir::StridedSliceAttributes a;
  a.ellipsis_mask = 1;
  a.new_axis_mask = 4;
  OneOp s(OpKind::kStridedSlice, a);
  s.input(kI32, {2, 2, 3});
  s.integers("begin", {0, 1, 0});
  s.integers("end", {0, 3, 0});
  s.integers("strides", {1, 1, 1});
  s.output(kI32, {2, 2, 2, 1});
  Int32s values(12);
  std::iota(values.begin(), values.end(), 0);
  EXPECT_EQ(s.run<std::int32_t>({values}), (Int32s{1, 2, 4, 5, 7, 8, 10, 11}));
}

TEST(DataMovement, TellsAShape) {
  OneOp o(OpKind::kShape);
  o.input(kI8, {3, 1, 5}, kUnit);
  o.output(DataType::kInt64, {3});
  EXPECT_EQ((o.run<std::int8_t, std::int64_t>({Int8s(15)})), (std::vector<std::int64_t>{3, 1, 5}));
}

// What a pass may rely on that turns uint8 graphs into int8 ones: these operators give the same results with
// every value and zero point 128 lower. Not so AVERAGE_POOL_2D (the kernels round halves of other signs),
// RESIZE_BILINEAR (floating point against integers) and CONCATENATION (which rescales only uint8).
TEST(Uint8Operators, EqualTheirInt8FormShiftedBy128) {
  const std::string families[] = {"CONV_2D_U8_",
                                  "DEPTHWISE_CONV_2D_U8_",
                                  "FULLY_CONNECTED_U8_",
                                  "MAX_POOL_2D_U8_",
                                  "ADD_U8_",
                                  "SUB_U8_",
                                  "MUL_U8_",
                                  "MEAN_U8_",
                                  "RELU_U8_",
                                  "RELU6_U8_",
                                  "RELU_N1_TO_1_U8_",
                                  "LOGISTIC_U8_",
                                  "TANH_U8_",
                                  "HARD_SWISH_U8_",
                                  "SOFTMAX_U8_",
                                  "PAD_U8_",
                                  "QUANTIZE_U8_",
                                  "RESIZE_NEAREST_NEIGHBOR_U8_"};
  int compared = 0;
  for (const std::string& name : test::op_case_names()) {
    const auto begins = [&](const std::string& family) {
      return name.rfind(family, 0) == 0 && name.find("_TO_I8") == std::string::npos;
    };
    if (std::none_of(std::begin(families), std::end(families), begins)) continue;
    const test::OpCase c = test::make_op_case(name);
    auto inputs = test::op_case_inputs(c);
    OneOp o(OpKind::kConv2d);
    o.graph = c.graph;
    Uint8s want = o.run<std::uint8_t>(inputs);
    for (ir::Tensor& t : o.graph.tensors) {
      if (t.type != kU8) continue;
      t.type = kI8;
      t.quant.zero_point[0] -= 128;
      if (!t.is_constant()) continue;
      ir::Bytes shifted = *t.data;
      for (std::uint8_t& b : shifted) b ^= 0x80;
      t.data = std::make_shared<const ir::Bytes>(std::move(shifted));
    }
    if (auto* a = std::get_if<ir::ConvAttributes>(&o.op().attributes)) a->from_uint8 = true;
    for (auto& input : inputs) {
      for (std::uint8_t& b : input) b ^= 0x80;
    }
    for (std::uint8_t& b : want) b ^= 0x80;
    EXPECT_EQ(o.run<std::uint8_t>(inputs), want) << c.description;
    ++compared;
  }
  EXPECT_GT(compared, 350);
}

}  // namespace
}  // namespace zynpu::reference
