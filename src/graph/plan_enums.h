// SPDX-License-Identifier: MIT
// In-memory enumerations against those of files (plan.fbs). They are kept apart so that reordering the former
// cannot change the meaning of stored files. Internal to the room.
#pragma once

#include <array>
#include <optional>
#include <utility>

#include "ir/graph.h"
#include "plan_generated.h"

namespace zynpu::graph {

template <class Memory, class File, std::size_t n>
using EnumMap = std::array<std::pair<Memory, File>, n>;

inline constexpr EnumMap<ir::DataType, fb::DataType, 10> kDataTypes = {{
    {ir::DataType::kInt8, fb::DataType::kInt8},
    {ir::DataType::kUint8, fb::DataType::kUint8},
    {ir::DataType::kInt16, fb::DataType::kInt16},
    {ir::DataType::kUint16, fb::DataType::kUint16},
    {ir::DataType::kInt32, fb::DataType::kInt32},
    {ir::DataType::kUint32, fb::DataType::kUint32},
    {ir::DataType::kInt64, fb::DataType::kInt64},
    {ir::DataType::kFloat32, fb::DataType::kFloat32},
    {ir::DataType::kBool, fb::DataType::kBool},
    {ir::DataType::kResource, fb::DataType::kResource},
}};

inline constexpr EnumMap<ir::OpKind, fb::OpKind, 36> kOpKinds = {{
    {ir::OpKind::kConv2d, fb::OpKind::kConv2d},
    {ir::OpKind::kDepthwiseConv2d, fb::OpKind::kDepthwiseConv2d},
    {ir::OpKind::kFullyConnected, fb::OpKind::kFullyConnected},
    {ir::OpKind::kAveragePool2d, fb::OpKind::kAveragePool2d},
    {ir::OpKind::kMaxPool2d, fb::OpKind::kMaxPool2d},
    {ir::OpKind::kAdd, fb::OpKind::kAdd},
    {ir::OpKind::kSub, fb::OpKind::kSub},
    {ir::OpKind::kMul, fb::OpKind::kMul},
    {ir::OpKind::kMean, fb::OpKind::kMean},
    {ir::OpKind::kPad, fb::OpKind::kPad},
    {ir::OpKind::kReshape, fb::OpKind::kReshape},
    {ir::OpKind::kConcatenation, fb::OpKind::kConcatenation},
    {ir::OpKind::kRelu, fb::OpKind::kRelu},
    {ir::OpKind::kRelu6, fb::OpKind::kRelu6},
    {ir::OpKind::kReluN1To1, fb::OpKind::kReluN1To1},
    {ir::OpKind::kQuantize, fb::OpKind::kQuantize},
    {ir::OpKind::kDequantize, fb::OpKind::kDequantize},
    {ir::OpKind::kLogistic, fb::OpKind::kLogistic},
    {ir::OpKind::kTanh, fb::OpKind::kTanh},
    {ir::OpKind::kHardSwish, fb::OpKind::kHardSwish},
    {ir::OpKind::kSoftmax, fb::OpKind::kSoftmax},
    {ir::OpKind::kResizeNearestNeighbor, fb::OpKind::kResizeNearestNeighbor},
    {ir::OpKind::kResizeBilinear, fb::OpKind::kResizeBilinear},
    {ir::OpKind::kTranspose, fb::OpKind::kTranspose},
    {ir::OpKind::kSplit, fb::OpKind::kSplit},
    {ir::OpKind::kStridedSlice, fb::OpKind::kStridedSlice},
    {ir::OpKind::kSqueeze, fb::OpKind::kSqueeze},
    {ir::OpKind::kExpandDims, fb::OpKind::kExpandDims},
    {ir::OpKind::kShape, fb::OpKind::kShape},
    {ir::OpKind::kPack, fb::OpKind::kPack},
    {ir::OpKind::kUnpack, fb::OpKind::kUnpack},
    {ir::OpKind::kUnidirectionalSequenceLstm, fb::OpKind::kUnidirectionalSequenceLstm},
    {ir::OpKind::kVarHandle, fb::OpKind::kVarHandle},
    {ir::OpKind::kReadVariable, fb::OpKind::kReadVariable},
    {ir::OpKind::kAssignVariable, fb::OpKind::kAssignVariable},
    {ir::OpKind::kCallOnce, fb::OpKind::kCallOnce},
}};
static_assert(kOpKinds.size() == static_cast<std::size_t>(ir::OpKind::kCount),
              "an operator has no number in files");

inline constexpr EnumMap<ir::Padding, fb::Padding, 2> kPaddings = {{
    {ir::Padding::kSame, fb::Padding::kSame},
    {ir::Padding::kValid, fb::Padding::kValid},
}};

inline constexpr EnumMap<ir::Activation, fb::Activation, 6> kActivations = {{
    {ir::Activation::kNone, fb::Activation::kNone},
    {ir::Activation::kRelu, fb::Activation::kRelu},
    {ir::Activation::kReluN1To1, fb::Activation::kReluN1To1},
    {ir::Activation::kRelu6, fb::Activation::kRelu6},
    {ir::Activation::kTanh, fb::Activation::kTanh},
    {ir::Activation::kSignBit, fb::Activation::kSignBit},
}};

template <class Memory, class File, std::size_t n>
constexpr std::optional<File> to_file(const EnumMap<Memory, File, n>& map, Memory value) {
  for (const auto& [memory, file] : map)
    if (memory == value) return file;
  return std::nullopt;
}
template <class Memory, class File, std::size_t n>
constexpr std::optional<Memory> to_memory(const EnumMap<Memory, File, n>& map, File value) {
  for (const auto& [memory, file] : map)
    if (file == value) return memory;
  return std::nullopt;
}

}  // namespace zynpu::graph
