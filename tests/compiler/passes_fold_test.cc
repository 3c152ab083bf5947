// SPDX-License-Identifier: MIT
#include "compiler/passes/fold.h"

#include "compiler/passes/constants.h"
#include "small_graph.h"

namespace zynpu::compiler {
namespace {

using test::checked;
using test::kinds;
using test::SmallGraph;
using K = ir::OpKind;

// x [2, 3, 4] -> SHAPE -> STRIDED_SLICE [0:1] -> PACK with 12 -> RESHAPE of x
SmallGraph shape_chain() {
  SmallGraph g;
  const int x = g.input(g.s8({2, 3, 4}));
  const int shape = g.op(K::kShape, {x}, g.tensor(ir::DataType::kInt32, {3}));
  ir::StridedSliceAttributes slice;
  slice.shrink_axis_mask = 1;
  const int first = g.op(K::kStridedSlice, {shape, g.integers({0}), g.integers({1}), g.integers({1})},
                         g.tensor(ir::DataType::kInt32, {}), slice);
  const int packed = g.op(K::kPack, {first, g.integers({12}, {})}, g.tensor(ir::DataType::kInt32, {2}),
                          ir::PackAttributes{0, 2});
  g.output(g.op(K::kReshape, {x, packed}, g.s8({2, 12})));
  return g;
}

TEST(Fold, ComputesTheShapeBehindAReshape) {
  const ir::Graph after = checked(shape_chain().graph, fold_constants);
  ASSERT_EQ(kinds(after), (std::vector<K>{K::kReshape}));
  EXPECT_EQ(constant_integers(after, after.ops[0], 1), (std::vector<std::int64_t>{2, 12}));
  EXPECT_EQ(after.tensors.size(), 3u);  // input, shape, output
}

TEST(Fold, LeavesAShapeThatContradictsTheFileToValidation) {
  SmallGraph g = shape_chain();
  g.at(g.graph.outputs[0]).shape = {3, 8};
  ASSERT_TRUE(validate(g.graph));  // nobody knows yet
  fold_constants(g.graph);
  const auto status = validate(g.graph);
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("RESHAPE #3"), std::string::npos) << status.error().message;
}

TEST(Fold, GivesShapesAsInt64Too) {
  SmallGraph g;
  const int x = g.input(g.s8({2, 3}));
  const int shape = g.op(K::kShape, {x}, g.tensor(ir::DataType::kInt64, {2}));
  g.output(g.op(K::kConcatenation, {shape, shape}, g.tensor(ir::DataType::kInt64, {4}),
                ir::ConcatenationAttributes{}));
  ir::Graph after = checked(g.graph, fold_constants);
  EXPECT_EQ(constant_integers(after, after.ops[0], 1), (std::vector<std::int64_t>{2, 3}));
}

TEST(Fold, QuantisesTransposesAndReshapesConstants) {
  SmallGraph g;
  const int real = g.tensor(ir::DataType::kFloat32, {2, 3});
  const std::vector<float> values = {-1, 0, 0.25f, 100, -100, 3};
  auto bytes = std::make_shared<ir::Bytes>(24);
  std::memcpy(bytes->data(), values.data(), 24);
  g.at(real).data = bytes;
  const int q = g.op(K::kQuantize, {real}, g.s8({2, 3}, 0.5f, 3));
  const int turned = g.op(K::kTranspose, {q, g.integers({1, 0})}, g.s8({3, 2}, 0.5f, 3));
  const int flat = g.op(K::kReshape, {turned, g.integers({6})}, g.s8({6}, 0.5f, 3));
  const int x = g.input(g.s8({4, 6}, 0.5f, 3));
  g.output(g.op(K::kAdd, {x, flat}, g.s8({4, 6}, 0.5f, 3), ir::ArithmeticAttributes{}));
  const ir::Graph after = checked(g.graph, fold_constants);
  ASSERT_EQ(kinds(after), (std::vector<K>{K::kAdd}));
  const ir::Tensor& constant = after.tensors[static_cast<std::size_t>(after.ops[0].inputs[1])];
  ASSERT_TRUE(constant.is_constant());
  const auto expected = std::vector<int>{1, 127, 3, -128, 4, 9};
  for (std::size_t i = 0; i < 6; ++i)
    EXPECT_EQ(static_cast<std::int8_t>((*constant.data)[i]), expected[i]) << i;
}

TEST(Fold, KeepsWhatAGraphOutputNeeds) {
  SmallGraph g;
  const int x = g.input(g.s8({2, 3}));
  g.output(g.op(K::kShape, {x}, g.tensor(ir::DataType::kInt32, {2})));
  EXPECT_EQ(kinds(checked(g.graph, fold_constants)), (std::vector<K>{K::kShape}));
}

TEST(Fold, DoesNotBlowUpConstants) {
  SmallGraph g;
  const int seed = g.random_constant(g.s8({1, 1}));
  const int big = g.op(K::kPad, {seed, g.integers({0, 4095, 0, 4096}, {2, 2})}, g.s8({4096, 4097}));
  const int small = g.op(K::kPad, {seed, g.integers({0, 1, 0, 1}, {2, 2})}, g.s8({2, 2}));
  g.output(g.op(K::kReshape, {big}, g.s8({4096 * 4097})));
  g.output(g.op(K::kReshape, {small}, g.s8({4})));
  fold_constants(g.graph);
  EXPECT_TRUE(validate(g.graph));
  EXPECT_EQ(kinds(g.graph), (std::vector<K>{K::kPad, K::kReshape, K::kReshape}));
}

TEST(Fold, KeepsWhatTheReferenceCannotCompute) {
  SmallGraph g;
  const int a = g.random_constant(g.tensor(ir::DataType::kInt16, {4}, test::quant(1, 0)));
  const int sum = g.op(K::kAdd, {a, a}, g.tensor(ir::DataType::kInt16, {4}, test::quant(1, 0)),
                       ir::ArithmeticAttributes{});
  g.output(g.op(K::kReshape, {sum}, g.tensor(ir::DataType::kInt16, {2, 2}, test::quant(1, 0))));
  fold_constants(g.graph);
  EXPECT_EQ(kinds(g.graph), (std::vector<K>{K::kAdd, K::kReshape}));
}

TEST(Fold, DoesNotFoldState) {
  SmallGraph g;
  const int handle =
      g.op(K::kVarHandle, {}, g.tensor(ir::DataType::kResource, {1}), ir::VarHandleAttributes{"", "v"});
  const int value = g.random_constant(g.s8({4}));
  g.op(K::kAssignVariable, {handle, value}, -1);
  g.output(g.op(K::kReadVariable, {handle}, g.s8({4})));
  EXPECT_EQ(kinds(checked(g.graph, fold_constants)),
            (std::vector<K>{K::kVarHandle, K::kAssignVariable, K::kReadVariable}));
}

}  // namespace
}  // namespace zynpu::compiler
