// SPDX-License-Identifier: MIT
// The rules of each operator: a good one, and each rule broken in turn.
#include "compiler/passes/validate.h"

#include <functional>

#include "small_graph.h"

namespace zynpu::compiler {
namespace {

using test::Shape;
using test::SmallGraph;
using K = ir::OpKind;
using T = ir::DataType;

ir::Quantization channels(std::size_t n, int axis) {
  return {std::vector<float>(n, 0.1f), std::vector<std::int32_t>(n, 0), axis};
}

SmallGraph conv() {
  SmallGraph g;
  ir::ConvAttributes a;
  a.padding = ir::Padding::kValid;
  a.pad_top = 1;
  g.output(g.conv(g.input(g.s8({1, 6, 6, 4})), 8, 3, a));
  return g;
}
SmallGraph depthwise() {
  SmallGraph g;
  g.output(g.depthwise(g.input(g.s8({1, 6, 6, 4})), 2, 3, {}));
  return g;
}
SmallGraph fully_connected() {
  SmallGraph g;
  const int x = g.input(g.s8({2, 3, 8}));
  const int w = g.random_constant(g.s8({5, 8}));
  g.output(g.op(K::kFullyConnected, {x, w, ir::kAbsent}, g.s8({6, 5}), ir::FullyConnectedAttributes{}));
  return g;
}
SmallGraph pool() {
  SmallGraph g;
  ir::PoolAttributes a;
  a.filter_h = 2, a.filter_w = 3, a.stride_h = 2;
  a.padding = ir::Padding::kValid;
  g.output(g.op(K::kAveragePool2d, {g.input(g.s8({1, 6, 6, 4}))}, g.s8({1, 3, 4, 4}), a));
  return g;
}
SmallGraph add() {
  SmallGraph g;
  const int x = g.input(g.s8({2, 1, 4})), y = g.input(g.s8({3, 1}));
  g.output(g.op(K::kAdd, {x, y}, g.s8({2, 3, 4}), ir::ArithmeticAttributes{}));
  return g;
}
SmallGraph mean() {
  SmallGraph g;
  const int x = g.input(g.s8({2, 5, 6, 4}));
  g.output(g.op(K::kMean, {x, g.integers({1, -2})}, g.s8({2, 4}), ir::MeanAttributes{}));
  return g;
}
SmallGraph pad() {
  SmallGraph g;
  g.output(g.op(K::kPad, {g.input(g.s8({2, 3})), g.integers({0, 1, 2, 0}, {2, 2})}, g.s8({3, 5})));
  return g;
}
SmallGraph concatenation() {
  SmallGraph g;
  const int x = g.input(g.s8({2, 3})), y = g.input(g.s8({2, 4}));
  g.output(g.op(K::kConcatenation, {x, y}, g.s8({2, 7}), ir::ConcatenationAttributes{-1}));
  return g;
}
SmallGraph relu() {
  SmallGraph g;
  g.output(g.op(K::kRelu, {g.input(g.s8({2, 3}))}, g.s8({2, 3})));
  return g;
}
SmallGraph quantize() {
  SmallGraph g;
  const int x = g.input(g.tensor(T::kFloat32, {2, 3}));
  g.output(g.op(K::kDequantize, {g.op(K::kQuantize, {x}, g.s8({2, 3}))}, g.tensor(T::kFloat32, {2, 3})));
  return g;
}
SmallGraph softmax() {
  SmallGraph g;
  g.output(g.op(K::kSoftmax, {g.input(g.s8({2, 3}))}, g.s8({2, 3}), ir::SoftmaxAttributes{}));
  return g;
}
SmallGraph resize() {
  SmallGraph g;
  const int x = g.input(g.s8({1, 3, 4, 2}));
  g.output(g.op(K::kResizeBilinear, {x, g.integers({6, 8})}, g.s8({1, 6, 8, 2}), ir::ResizeAttributes{}));
  return g;
}
SmallGraph transpose() {
  SmallGraph g;
  g.output(g.op(K::kTranspose, {g.input(g.s8({2, 3, 4})), g.integers({2, 0, -2})}, g.s8({4, 2, 3})));
  return g;
}
SmallGraph split() {
  SmallGraph g;
  const int x = g.input(g.s8({2, 6}));
  g.output(g.op(K::kSplit, {g.integers({-1}, {}), x}, g.s8({2, 3}), ir::SplitAttributes{2}));
  g.graph.ops[0].outputs.push_back(g.s8({2, 3}));
  return g;
}
SmallGraph slice() {
  SmallGraph g;
  const int x = g.input(g.s8({4, 6}));
  g.output(g.op(K::kStridedSlice, {x, g.integers({1, -1}), g.integers({4, -7}), g.integers({2, -2})},
                g.s8({2, 3}), ir::StridedSliceAttributes{}));
  return g;
}
SmallGraph squeeze() {
  SmallGraph g;
  g.output(g.op(K::kSqueeze, {g.input(g.s8({1, 4, 1}))}, g.s8({4, 1}), ir::SqueezeAttributes{{-3}}));
  return g;
}
SmallGraph expand_dims() {
  SmallGraph g;
  g.output(g.op(K::kExpandDims, {g.input(g.s8({4, 2})), g.integers({-1})}, g.s8({4, 2, 1})));
  return g;
}
SmallGraph shape() {
  SmallGraph g;
  g.output(g.op(K::kShape, {g.input(g.s8({4, 2}))}, g.tensor(T::kInt32, {2})));
  return g;
}
SmallGraph pack() {
  SmallGraph g;
  const int x = g.input(g.s8({4, 2})), y = g.input(g.s8({4, 2}));
  g.output(g.op(K::kPack, {x, y}, g.s8({4, 2, 2}), ir::PackAttributes{1, 2}));
  return g;
}
SmallGraph unpack() {
  SmallGraph g;
  g.output(g.op(K::kUnpack, {g.input(g.s8({4, 2}))}, g.s8({4}), ir::PackAttributes{1, 2}));
  g.graph.ops[0].outputs.push_back(g.s8({4}));
  return g;
}
SmallGraph lstm() {
  SmallGraph g;
  std::vector<int> in(24, ir::kAbsent);
  in[0] = g.input(g.s8({1, 5, 3}));
  for (std::size_t i = 1; i <= 4; ++i) in[i] = g.random_constant(g.s8({4, 3}));
  for (std::size_t i = 5; i <= 8; ++i) in[i] = g.random_constant(g.s8({4, 4}));
  for (std::size_t i = 12; i <= 15; ++i) in[i] = g.random_constant(g.tensor(T::kInt32, {4}));
  in[18] = g.s8({1, 4});
  in[19] = g.tensor(T::kInt16, {1, 4}, test::quant(1.0f / 2048, 0));
  g.at(in[18]).is_variable = g.at(in[19]).is_variable = true;
  g.output(g.op(K::kUnidirectionalSequenceLstm, in, g.s8({1, 5, 4}), ir::LstmAttributes{}));
  return g;
}
SmallGraph variable() {
  SmallGraph g;
  const int h = g.op(K::kVarHandle, {}, g.tensor(T::kResource, {1}), ir::VarHandleAttributes{"", "v"});
  g.op(K::kAssignVariable, {h, g.input(g.s8({4}))}, -1);
  g.output(g.op(K::kReadVariable, {h}, g.s8({4})));
  return g;
}
SmallGraph call_once() {
  SmallGraph g = variable();
  SmallGraph body = variable();
  body.graph.inputs.clear();
  body.graph.outputs.clear();
  body.random_constant(body.graph.ops[1].inputs[1]);
  g.graph.subgraphs = {body.graph};
  g.op(K::kCallOnce, {}, -1, ir::CallOnceAttributes{0});
  return g;
}

ir::Op& op(SmallGraph& g, std::size_t i = 0) { return g.graph.ops[i]; }
ir::Tensor& in(SmallGraph& g, std::size_t i, std::size_t o = 0) { return g.at(op(g, o).inputs[i]); }
ir::Tensor& out(SmallGraph& g, std::size_t i = 0, std::size_t o = 0) { return g.at(op(g, o).outputs[i]); }
void ints(SmallGraph& g, std::size_t i, std::vector<std::int32_t> values) {
  op(g).inputs[i] = g.integers(std::move(values));
}
template <class A>
A& attributes(SmallGraph& g, std::size_t o = 0) {
  return std::get<A>(op(g, o).attributes);
}

struct Rule {
  const char* name;
  SmallGraph (*good)();
  std::function<void(SmallGraph&)> broken;
  std::vector<std::string> names;  // in the message
};

const std::vector<Rule>& rules() {
  static const std::vector<Rule> kRules = {
      {"ConvGroups", conv, [](auto& g) { in(g, 0).shape[3] = 6; }, {"CONV_2D #0", "6 channels"}},
      {"ConvExplicitPadsWithSame",
       conv,
       [](auto& g) { attributes<ir::ConvAttributes>(g).padding = ir::Padding::kSame; },
       {"explicit padding"}},
      {"ConvNegativePad", conv, [](auto& g) { attributes<ir::ConvAttributes>(g).pad_left = -1; }, {"-1"}},
      {"ConvFromUint8PerChannel",
       conv,
       [](auto& g) {
         attributes<ir::ConvAttributes>(g).from_uint8 = true;
         in(g, 1).quant = channels(8, 0);
       },
       {"from_uint8"}},
      {"ConvUint8PerChannel",
       conv,
       [](auto& g) {
         for (const std::size_t i : {0u, 1u}) in(g, i).type = T::kUint8;
         out(g).type = T::kUint8;
         in(g, 1).quant = channels(8, 0);
       },
       {"uint8", "per channel"}},
      {"ConvFloatWithInt8Weights",
       conv,
       [](auto& g) {
         in(g, 0).type = T::kFloat32;
         out(g).type = T::kFloat32;
       },
       {"weights", "int8", "float32"}},
      {"ConvAttributesOfAnother",
       conv,
       [](auto& g) { op(g).attributes = ir::PoolAttributes{}; },
       {"attributes"}},
      {"DepthwiseFirstExtent",
       depthwise,
       [](auto& g) {
         in(g, 1).shape = {3, 1, 3, 8};
       },
       {"first extent"}},
      {"DepthwiseMultiplier",
       depthwise,
       [](auto& g) { attributes<ir::ConvAttributes>(g).depth_multiplier = 3; },
       {"multiplier 3"}},
      {"DepthwiseChannelAxis", depthwise, [](auto& g) { in(g, 1).quant = channels(3, 1); }, {"dimension 1"}},
      {"FullyConnectedDepth",
       fully_connected,
       [](auto& g) {
         in(g, 0).shape = {2, 3, 7};
       },
       {"42", "multiple"}},
      {"FullyConnectedRank",
       fully_connected,
       [](auto& g) {
         in(g, 1).shape = {5, 4, 2};
       },
       {"2 dimensions"}},
      {"FullyConnectedOutput",
       fully_connected,
       [](auto& g) {
         out(g).shape = {5, 6};
       },
       {"[6, 5]"}},
      {"FullyConnectedKeepDims",
       fully_connected,
       [](auto& g) { attributes<ir::FullyConnectedAttributes>(g).keep_num_dims = true; },
       {"[2, 3, 5]"}},
      {"PoolStride",
       pool,
       [](auto& g) { attributes<ir::PoolAttributes>(g).stride_w = 0; },
       {"stride_w is 0"}},
      {"PoolFilter",
       pool,
       [](auto& g) { attributes<ir::PoolAttributes>(g).filter_h = 0; },
       {"filter_height is 0"}},
      {"PoolFilterTooTall",
       pool,
       [](auto& g) { attributes<ir::PoolAttributes>(g).filter_h = 7; },
       {"7 rows"}},
      {"PoolRank",
       pool,
       [](auto& g) {
         in(g, 0).shape = {6, 6, 4};
       },
       {"4 dimensions"}},
      {"PoolTypes", pool, [](auto& g) { out(g).type = T::kUint8; }, {"uint8"}},
      {"AddBroadcast",
       add,
       [](auto& g) {
         in(g, 1).shape = {3, 3};
       },
       {"broadcast"}},
      {"AddOutput",
       add,
       [](auto& g) {
         out(g).shape = {2, 3, 1};
       },
       {"[2, 3, 4]"}},
      {"AddTypes", add, [](auto& g) { in(g, 1).type = T::kUint8; }, {"input 1", "uint8"}},
      {"AddScale", add, [](auto& g) { in(g, 1).quant = {}; }, {"no scale"}},
      {"AddPerChannel", add, [](auto& g) { in(g, 0).quant = channels(4, 2); }, {"per channel"}},
      {"MeanAxis", mean, [](auto& g) { ints(g, 1, {4}); }, {"axis is 4"}},
      {"MeanKeepDims",
       mean,
       [](auto& g) { attributes<ir::MeanAttributes>(g).keep_dims = true; },
       {"[2, 1, 1, 4]"}},
      {"MeanAxesType", mean, [](auto& g) { in(g, 1).type = T::kUint32; }, {"uint32"}},
      {"PadShape",
       pad,
       [](auto& g) {
         in(g, 1).shape = {4, 1};
       },
       {"[4, 1]"}},
      {"PadNegative",
       pad,
       [](auto& g) {
         op(g).inputs[1] = g.integers({0, 1, -1, 3}, {2, 2});
       },
       {"-1", "dimension 1"}},
      {"PadOverflow",
       pad,
       [](auto& g) {
         op(g).inputs[1] = g.integers({0, 0x7FFFFFFF, 2, 0}, {2, 2});
       },
       {"dimension 0"}},
      {"ConcatenationAxis",
       concatenation,
       [](auto& g) { attributes<ir::ConcatenationAttributes>(g).axis = 2; },
       {"axis is 2"}},
      {"ConcatenationShape",
       concatenation,
       [](auto& g) {
         in(g, 1).shape = {4, 2};
       },
       {"input 1", "[4, 2]"}},
      {"ConcatenationRank", concatenation, [](auto& g) { in(g, 1).shape = {8}; }, {"input 1", "[8]"}},
      {"ConcatenationSum",
       concatenation,
       [](auto& g) {
         out(g).shape = {2, 8};
       },
       {"[2, 7]"}},
      {"ReluShape",
       relu,
       [](auto& g) {
         out(g).shape = {3, 2};
       },
       {"RELU #0", "[3, 2]"}},
      {"ReluType", relu, [](auto& g) { in(g, 0).type = out(g).type = T::kInt32; }, {"int32"}},
      {"QuantizeScale", quantize, [](auto& g) { out(g).quant = {}; }, {"QUANTIZE #0", "scale"}},
      {"QuantizeType", quantize, [](auto& g) { in(g, 0).type = T::kBool; }, {"bool"}},
      {"DequantizeOutput",
       quantize,
       [](auto& g) { out(g, 0, 1).type = T::kInt32; },
       {"DEQUANTIZE #1", "int32"}},
      {"SoftmaxScalar",
       softmax,
       [](auto& g) { in(g, 0).shape = out(g).shape = {}; },
       {"SOFTMAX #0", "scalar"}},
      {"ResizeSize",
       resize,
       [](auto& g) {
         ints(g, 1, {6, 0});
       },
       {"at least 1"}},
      {"ResizeOutput",
       resize,
       [](auto& g) {
         ints(g, 1, {6, 9});
       },
       {"[1, 6, 9, 2]"}},
      {"ResizeModes",
       resize,
       [](auto& g) {
         op(g).attributes = ir::ResizeAttributes{true, true};
       },
       {"both set"}},
      {"TransposeTwice",
       transpose,
       [](auto& g) {
         ints(g, 1, {2, 0, 0});
       },
       {"dimension 0 twice"}},
      {"TransposeShort",
       transpose,
       [](auto& g) {
         ints(g, 1, {1, 0});
       },
       {"2 entries"}},
      {"TransposeRange",
       transpose,
       [](auto& g) {
         ints(g, 1, {2, 0, 3});
       },
       {"axis is 3"}},
      {"SplitCount",
       split,
       [](auto& g) { attributes<ir::SplitAttributes>(g).num_splits = 3; },
       {"num_splits is 3"}},
      {"SplitExtent",
       split,
       [](auto& g) {
         in(g, 1).shape = {2, 7};
       },
       {"does not divide"}},
      {"SplitAxis", split, [](auto& g) { op(g).inputs[0] = g.integers({2}, {}); }, {"axis is 2"}},
      {"SliceStride",
       slice,
       [](auto& g) {
         ints(g, 3, {2, 0});
       },
       {"strides[1] is 0"}},
      {"SliceCounts", slice, [](auto& g) { ints(g, 1, {1}); }, {"1, 2 and 2 entries"}},
      {"SliceTooMany",
       slice,
       [](auto& g) {
         for (const std::size_t i : {1u, 2u, 3u}) ints(g, i, {1, 1, 1});
       },
       {"3 entries for the 2 dimensions"}},
      {"SliceEmpty",
       slice,
       [](auto& g) {
         ints(g, 1, {4, -1});
       },
       {"[0, 3]"}},
      {"SliceIndex",
       slice,
       [](auto& g) {
         attributes<ir::StridedSliceAttributes>(g).shrink_axis_mask = 1;
         ints(g, 1, {4, -1});
       },
       {"index 4"}},
      {"SliceEllipses",
       slice,
       [](auto& g) { attributes<ir::StridedSliceAttributes>(g).ellipsis_mask = 3; },
       {"ellipsis"}},
      {"SqueezeExtent",
       squeeze,
       [](auto& g) { attributes<ir::SqueezeAttributes>(g).dims = {1}; },
       {"dimension 1"}},
      {"SqueezeAll", squeeze, [](auto& g) { attributes<ir::SqueezeAttributes>(g).dims = {}; }, {"makes [4]"}},
      {"ExpandDimsAxis", expand_dims, [](auto& g) { ints(g, 1, {3}); }, {"axis is 3"}},
      {"ExpandDimsElements",
       expand_dims,
       [](auto& g) {
         out(g).shape = {4, 3, 1};
       },
       {"12"}},
      {"ShapeRank", shape, [](auto& g) { out(g).shape = {3}; }, {"makes [2]"}},
      {"ShapeType", shape, [](auto& g) { out(g).type = T::kFloat32; }, {"float32"}},
      {"PackCount",
       pack,
       [](auto& g) { attributes<ir::PackAttributes>(g).count = 3; },
       {"values_count is 3"}},
      {"PackShapes",
       pack,
       [](auto& g) {
         in(g, 1).shape = {2, 4};
       },
       {"[2, 4]"}},
      {"PackAxis", pack, [](auto& g) { attributes<ir::PackAttributes>(g).axis = 3; }, {"axis is 3"}},
      {"UnpackCount", unpack, [](auto& g) { attributes<ir::PackAttributes>(g).count = 1; }, {"num is 1"}},
      {"UnpackExtent", unpack, [](auto& g) { attributes<ir::PackAttributes>(g).axis = 0; }, {"extent 4"}},
      {"LstmGate", lstm, [](auto& g) { op(g).inputs[5] = ir::kAbsent; }, {"input gate"}},
      {"LstmWeights",
       lstm,
       [](auto& g) {
         in(g, 3).shape = {3, 4};
       },
       {"input 3", "[4, 3]"}},
      {"LstmState", lstm, [](auto& g) { in(g, 18).is_variable = false; }, {"input 18", "no value"}},
      {"LstmStateShape",
       lstm,
       [](auto& g) {
         in(g, 19).shape = {2, 4};
       },
       {"input 19", "[1, 4]"}},
      {"LstmCellType", lstm, [](auto& g) { in(g, 19).type = T::kInt32; }, {"input 19", "int32"}},
      {"LstmOutput",
       lstm,
       [](auto& g) {
         out(g).shape = {5, 1, 4};
       },
       {"[1, 5, 4]"}},
      {"LstmInputs", lstm, [](auto& g) { op(g).inputs.resize(19); }, {"19 inputs"}},
      {"LstmAbsentState", lstm, [](auto& g) { op(g).inputs[18] = ir::kAbsent; }, {"input 18 is absent"}},
      {"VariableHandleType", variable, [](auto& g) { out(g).type = T::kInt32; }, {"VAR_HANDLE #0"}},
      {"VariableShapes", variable, [](auto& g) { out(g, 0, 2).shape = {5}; }, {"`v`", "[4]", "[5]"}},
      {"VariableHandle",
       variable,
       [](auto& g) { op(g, 1).inputs[0] = g.input(g.tensor(T::kResource, {1})); },
       {"VAR_HANDLE"}},
      {"CallOnceIndex",
       call_once,
       [](auto& g) { attributes<ir::CallOnceAttributes>(g, 3).subgraph = 1; },
       {"subgraph 1 of 1"}},
      {"CallOnceShapes",
       call_once,
       [](auto& g) {
         g.graph.subgraphs[0].tensors[1].shape = {2, 2};
       },
       {"`v`"}},
      {"CallOnceInside",
       call_once,
       [](auto& g) {
         g.graph.subgraphs[0].subgraphs.resize(1);
         ir::Op call;
         call.kind = K::kCallOnce;
         call.attributes = ir::CallOnceAttributes{0};
         g.graph.subgraphs[0].ops.push_back(call);
       },
       {"inside the body"}},
      {"KindOutOfRange", relu, [](auto& g) { op(g).kind = static_cast<K>(200); }, {"unknown kind 200"}},
      {"TypeOutOfRange", relu, [](auto& g) { in(g, 0).type = static_cast<T>(77); }, {"element type 77"}},
      {"TensorTooLarge",
       relu,
       [](auto& g) {
         in(g, 0).shape = {65536, 65536};
       },
       {"more than"}},
      {"TensorRank", relu, [](auto& g) { in(g, 0).shape = Shape(9, 1); }, {"9 dimensions"}},
      {"TensorExtent",
       relu,
       [](auto& g) {
         in(g, 0).shape = {2, 0};
       },
       {"below 1"}},
      {"TensorData",
       add,
       [](auto& g) {
         g.random_constant(0), g.at(0).shape = {2, 1, 5}, g.graph.inputs = {1};
       },
       {"8 bytes of data"}},
      {"TensorZeroPoints",
       relu,
       [](auto& g) { in(g, 0).quant.zero_point.clear(); },
       {"1 scales and 0 zero points"}},
      {"TensorScale", relu, [](auto& g) { in(g, 0).quant.scale = {0}; }, {"scale 0"}},
      {"GraphOutput", relu, [](auto& g) { g.graph.outputs = {7}; }, {"graph output is tensor 7"}},
  };
  return kRules;
}

class OperatorRules : public testing::TestWithParam<Rule> {};

TEST_P(OperatorRules, AreCheckedByName) {
  SmallGraph g = GetParam().good();
  g.graph.name = "model";
  auto status = validate(g.graph);
  ASSERT_TRUE(status) << status.error().message;
  GetParam().broken(g);
  status = validate(g.graph);
  ASSERT_FALSE(status);
  EXPECT_TRUE(status.error().code == ErrorCode::kBadFile || status.error().code == ErrorCode::kUnsupported);
  EXPECT_TRUE(status.error().message.starts_with("model: ")) << status.error().message;
  for (const std::string& name : GetParam().names)
    EXPECT_NE(status.error().message.find(name), std::string::npos)
        << name << " in: " << status.error().message;
}

INSTANTIATE_TEST_SUITE_P(All, OperatorRules, testing::ValuesIn(rules()),
                         [](const auto& instance) { return instance.param.name; });

TEST(Validate, LeavesWhatIsComputedLaterUnchecked) {
  for (SmallGraph g : {mean(), pad(), resize(), transpose(), slice(), expand_dims()}) {
    const std::size_t last = op(g).inputs.size() - 1;
    g.graph.inputs.push_back(op(g).inputs[last]);
    in(g, last).data.reset();
    const auto status = validate(g.graph);
    EXPECT_TRUE(status) << status.error().message;
  }
}

struct Slice {
  Shape shape, begin, end, strides;
  ir::StridedSliceAttributes masks;
  Shape result;
};

// Against the numpy rules, which TFLite's are.
TEST(StridedSliceShape, FollowsNumpy) {
  const std::vector<Slice> slices = {
      {{10}, {2}, {7}, {1}, {}, {5}},
      {{10}, {2}, {7}, {2}, {}, {3}},
      {{10}, {-3}, {100}, {1}, {}, {3}},
      {{10}, {-100}, {-8}, {1}, {}, {2}},
      {{10}, {7}, {2}, {-2}, {}, {3}},
      {{10}, {100}, {-100}, {-1}, {}, {10}},
      {{10}, {5}, {5}, {1}, {}, {0}},
      {{10}, {3}, {0}, {4}, {1, 1}, {3}},
      {{10}, {3}, {0}, {-4}, {1, 1}, {3}},
      {{4, 5}, {1}, {3}, {1}, {}, {2, 5}},
      {{4, 5}, {1, 2}, {2, 5}, {1, 1}, {0, 0, 0, 0, 1}, {3}},
      {{4, 5}, {-1, 2}, {0, 5}, {1, 1}, {0, 0, 0, 0, 1}, {3}},
      {{4, 5, 6}, {0, 1}, {0, 3}, {1, 1}, {0, 0, 1}, {4, 5, 2}},
      {{4, 5}, {0, 1}, {0, 3}, {1, 1}, {0, 0, 0, 1}, {1, 2, 5}},
  };
  for (const Slice& s : slices) {
    const auto wide = [](const Shape& v) { return std::vector<std::int64_t>(v.begin(), v.end()); };
    const auto shape = strided_slice_shape(s.shape, wide(s.begin), wide(s.end), wide(s.strides), s.masks);
    ASSERT_TRUE(shape) << shape.error().message;
    EXPECT_EQ(*shape, s.result);
  }
}

}  // namespace
}  // namespace zynpu::compiler
