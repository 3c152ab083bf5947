// SPDX-License-Identifier: MIT
#include "ir/graph.h"

#include <gtest/gtest.h>

#include <set>

namespace zynpu::ir {
namespace {

Tensor tensor(DataType type, std::vector<std::int32_t> shape) {
  Tensor t;
  t.type = type;
  t.shape = std::move(shape);
  return t;
}

TEST(DataTypes, HaveTheirSizeAndName) {
  EXPECT_EQ(size_of(DataType::kInt8), 1u);
  EXPECT_EQ(size_of(DataType::kUint8), 1u);
  EXPECT_EQ(size_of(DataType::kInt16), 2u);
  EXPECT_EQ(size_of(DataType::kUint16), 2u);
  EXPECT_EQ(size_of(DataType::kInt32), 4u);
  EXPECT_EQ(size_of(DataType::kUint32), 4u);
  EXPECT_EQ(size_of(DataType::kInt64), 8u);
  EXPECT_EQ(size_of(DataType::kFloat32), 4u);
  EXPECT_EQ(size_of(DataType::kBool), 1u);
  EXPECT_EQ(size_of(DataType::kResource), 4u);
  EXPECT_EQ(to_string(DataType::kInt8), "int8");
  EXPECT_EQ(to_string(DataType::kFloat32), "float32");
  EXPECT_EQ(to_string(DataType::kResource), "resource");
}

TEST(OpKinds, HaveDistinctNamesInTheOrderOfTheEnumeration) {
  std::set<std::string_view> names;
  for (int i = 0; i < static_cast<int>(OpKind::kCount); ++i) names.insert(to_string(static_cast<OpKind>(i)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(OpKind::kCount));
  EXPECT_EQ(to_string(OpKind::kConv2d), "CONV_2D");
  EXPECT_EQ(to_string(OpKind::kRelu6), "RELU6");
  EXPECT_EQ(to_string(OpKind::kSoftmax), "SOFTMAX");
  EXPECT_EQ(to_string(OpKind::kStridedSlice), "STRIDED_SLICE");
  EXPECT_EQ(to_string(OpKind::kUnpack), "UNPACK");
  EXPECT_EQ(to_string(OpKind::kCallOnce), "CALL_ONCE");
  EXPECT_EQ(to_string(OpKind::kCount), "UNKNOWN");
}

TEST(Tensors, CountElementsAndBytes) {
  EXPECT_EQ(tensor(DataType::kInt8, {}).elements(), 1);
  EXPECT_EQ(tensor(DataType::kInt32, {1, 3, 5, 2}).elements(), 30);
  EXPECT_EQ(tensor(DataType::kInt32, {1, 3, 5, 2}).bytes(), 120);
  EXPECT_EQ(tensor(DataType::kInt8, {65536, 65536}).elements(), std::int64_t{1} << 32);
  EXPECT_EQ(tensor(DataType::kInt8, {3, 0, 5}).elements(), 0);
  EXPECT_EQ(tensor(DataType::kInt8, {-3, -5}).elements(), 0);
}

TEST(Tensors, SaturateInsteadOfOverflowing) {
  const Tensor huge = tensor(DataType::kInt64, {2147483647, 2147483647, 2147483647, 2147483647});
  EXPECT_GT(huge.elements(), std::int64_t{1} << 59);
  EXPECT_EQ(huge.bytes(), huge.elements() * 8);
  EXPECT_GT(huge.bytes(), 0);
}

TEST(Macs, CountWhatEachOperatorMultiplies) {
  Graph g;
  g.tensors = {tensor(DataType::kInt8, {1, 8, 8, 3}),  tensor(DataType::kInt8, {16, 3, 5, 3}),
               tensor(DataType::kInt8, {1, 8, 8, 16}), tensor(DataType::kInt8, {1, 3, 3, 16}),
               tensor(DataType::kInt8, {10, 1024}),    tensor(DataType::kInt8, {2, 10})};
  Op op;
  op.kind = OpKind::kConv2d;
  op.inputs = {0, 1, kAbsent};
  op.outputs = {2};
  EXPECT_EQ(macs(g, op), 64 * 16 * 3 * 5 * 3);
  op.kind = OpKind::kDepthwiseConv2d;
  op.inputs = {2, 3, kAbsent};
  EXPECT_EQ(macs(g, op), 64 * 16 * 9);
  op.kind = OpKind::kFullyConnected;
  op.inputs = {2, 4, kAbsent};
  op.outputs = {5};
  EXPECT_EQ(macs(g, op), 2 * 10 * 1024);
  op.kind = OpKind::kAdd;
  EXPECT_EQ(macs(g, op), 0);
}

TEST(Macs, CountEveryGateOfAnLstmForEveryStep) {
  Graph g;
  g.tensors = {tensor(DataType::kInt8, {1, 28, 28}), tensor(DataType::kInt8, {20, 28}),
               tensor(DataType::kInt8, {20, 20})};
  Op op;
  op.kind = OpKind::kUnidirectionalSequenceLstm;
  op.inputs = {0, 1, 1, 1, 1, 2, 2, 2, 2};
  EXPECT_EQ(macs(g, op), 28 * 4 * (20 * 28 + 20 * 20));
  op.inputs[1] = kAbsent;  // coupled input and forget gate
  EXPECT_EQ(macs(g, op), 28 * (3 * 20 * 28 + 4 * 20 * 20));
}

TEST(Macs, AreZeroForAnOpWithoutWeights) {
  Graph g;
  Op op;
  op.kind = OpKind::kConv2d;
  EXPECT_EQ(macs(g, op), 0);
}

}  // namespace
}  // namespace zynpu::ir
