// SPDX-License-Identifier: MIT
#include "ir/graph.h"

#include <array>
#include <limits>

namespace zynpu::ir {
namespace {

struct TypeRow {
  std::string_view name;
  std::size_t size;
};

// In the order of DataType.
constexpr std::array<TypeRow, 10> kTypes = {{
    {"int8", 1},
    {"uint8", 1},
    {"int16", 2},
    {"uint16", 2},
    {"int32", 4},
    {"uint32", 4},
    {"int64", 8},
    {"float32", 4},
    {"bool", 1},
    {"resource", 4},
}};
static_assert(static_cast<std::size_t>(DataType::kResource) + 1 == kTypes.size());

// In the order of OpKind.
constexpr std::array<std::string_view, 36> kOpNames = {
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "FULLY_CONNECTED",
    "AVERAGE_POOL_2D",
    "MAX_POOL_2D",
    "ADD",
    "SUB",
    "MUL",
    "MEAN",
    "PAD",
    "RESHAPE",
    "CONCATENATION",
    "RELU",
    "RELU6",
    "RELU_N1_TO_1",
    "QUANTIZE",
    "DEQUANTIZE",
    "LOGISTIC",
    "TANH",
    "HARD_SWISH",
    "SOFTMAX",
    "RESIZE_NEAREST_NEIGHBOR",
    "RESIZE_BILINEAR",
    "TRANSPOSE",
    "SPLIT",
    "STRIDED_SLICE",
    "SQUEEZE",
    "EXPAND_DIMS",
    "SHAPE",
    "PACK",
    "UNPACK",
    "UNIDIRECTIONAL_SEQUENCE_LSTM",
    "VAR_HANDLE",
    "READ_VARIABLE",
    "ASSIGN_VARIABLE",
    "CALL_ONCE",
};
static_assert(static_cast<std::size_t>(OpKind::kCount) == kOpNames.size());

// The tensor behind position `position` of `slots`, or null if the op has no such position or leaves it out.
const Tensor* tensor_at(const Graph& graph, const std::vector<int>& slots, std::size_t position) {
  if (position >= slots.size()) return nullptr;
  const int index = slots[position];
  if (index < 0 || static_cast<std::size_t>(index) >= graph.tensors.size()) return nullptr;
  return &graph.tensors[static_cast<std::size_t>(index)];
}

// Every step of an LSTM multiplies each row of each gate's weights with the input, respectively the former
// output.
std::int64_t lstm_macs(const Graph& graph, const Op& op) {
  constexpr std::size_t kFirstWeights = 1, kLastWeights = 8, kProjection = 16;
  const Tensor* input = tensor_at(graph, op.inputs, 0);
  if (input == nullptr || input->shape.size() < 2) return 0;
  std::int64_t weights = 0;
  for (std::size_t i = kFirstWeights; i <= kLastWeights; ++i) {
    if (const Tensor* t = tensor_at(graph, op.inputs, i)) weights += t->elements();
  }
  if (const Tensor* t = tensor_at(graph, op.inputs, kProjection)) weights += t->elements();
  return weights * input->shape[0] * input->shape[1];  // batches x steps, in either order
}

}  // namespace

std::size_t size_of(DataType type) { return kTypes[static_cast<std::size_t>(type)].size; }

std::string_view to_string(DataType type) { return kTypes[static_cast<std::size_t>(type)].name; }

std::string_view to_string(OpKind kind) {
  const auto index = static_cast<std::size_t>(kind);
  return index < kOpNames.size() ? kOpNames[index] : std::string_view("UNKNOWN");
}

std::int64_t Tensor::elements() const {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max() / 8;  // largest element: 8 bytes
  std::int64_t count = 1;
  for (const std::int32_t extent : shape) {
    if (extent < 1) return 0;
    count = count > kMost / extent ? kMost : count * extent;
  }
  return count;
}

std::int64_t macs(const Graph& graph, const Op& op) {
  const Tensor* output = tensor_at(graph, op.outputs, 0);
  const Tensor* weights = tensor_at(graph, op.inputs, 1);
  switch (op.kind) {
    case OpKind::kConv2d:
      if (output == nullptr || weights == nullptr || weights->shape.empty() || weights->shape[0] == 0)
        return 0;
      return output->elements() * (weights->elements() / weights->shape[0]);
    case OpKind::kDepthwiseConv2d:
      if (output == nullptr || weights == nullptr || weights->shape.size() != 4) return 0;
      return output->elements() * weights->shape[1] * weights->shape[2];
    case OpKind::kFullyConnected:
      if (output == nullptr || weights == nullptr || weights->shape.size() != 2) return 0;
      return output->elements() * weights->shape[1];
    case OpKind::kUnidirectionalSequenceLstm:
      return lstm_macs(graph, op);
    default:
      return 0;
  }
}

}  // namespace zynpu::ir
