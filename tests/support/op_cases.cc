// SPDX-License-Identifier: MIT
#include "support/op_cases.h"

#include <cstdio>
#include <cstdlib>

#include "support/case_builder.h"

namespace zynpu::test {
namespace {

using ir::DataType;
using ir::OpKind;

struct Recipe {
  OpFamily family;
  OpKind kind;
  DataType type;
  void (*make)(CaseBuilder&);
};

void make_plain_convolution(CaseBuilder& b) { make_convolution(b, false); }
void make_padded_convolution(CaseBuilder& b) { make_convolution(b, true); }
template <DataType kFrom, DataType kTo>
void make_quantize_between(CaseBuilder& b) {
  make_quantize(b, kFrom, kTo);
}

const std::vector<Recipe>& recipes() {
  constexpr DataType kI8 = DataType::kInt8, kU8 = DataType::kUint8, kI16 = DataType::kInt16,
                     kI32 = DataType::kInt32, kI64 = DataType::kInt64, kF32 = DataType::kFloat32;
  const auto npu = [](const char* name, int count) { return OpFamily{name, count, true, true}; };
  const auto host = [](const char* name, int count) { return OpFamily{name, count, false, true}; };
  static const std::vector<Recipe> kRecipes = {
      {npu("CONV_2D", 260), OpKind::kConv2d, kI8, make_plain_convolution},
      {npu("DEPTHWISE_CONV_2D", 160), OpKind::kDepthwiseConv2d, kI8, make_plain_convolution},
      {{"CONV_2D_PADDED", 40, true, false}, OpKind::kConv2d, kI8, make_padded_convolution},
      {{"DEPTHWISE_CONV_2D_PADDED", 40, true, false}, OpKind::kDepthwiseConv2d, kI8, make_padded_convolution},
      {npu("FULLY_CONNECTED", 90), OpKind::kFullyConnected, kI8, make_fully_connected},
      {npu("AVERAGE_POOL_2D", 60), OpKind::kAveragePool2d, kI8, make_pool},
      {npu("MAX_POOL_2D", 60), OpKind::kMaxPool2d, kI8, make_pool},
      {npu("ADD", 60), OpKind::kAdd, kI8, make_arithmetic},
      {npu("SUB", 40), OpKind::kSub, kI8, make_arithmetic},
      {npu("MUL", 50), OpKind::kMul, kI8, make_arithmetic},
      {npu("MEAN", 50), OpKind::kMean, kI8, make_mean},
      {npu("RELU", 14), OpKind::kRelu, kI8, make_activation},
      {npu("RELU6", 14), OpKind::kRelu6, kI8, make_activation},
      {npu("RELU_N1_TO_1", 14), OpKind::kReluN1To1, kI8, make_activation},
      {npu("LOGISTIC", 20), OpKind::kLogistic, kI8, make_activation},
      {npu("TANH", 20), OpKind::kTanh, kI8, make_activation},
      {npu("HARD_SWISH", 30), OpKind::kHardSwish, kI8, make_activation},
      {npu("SOFTMAX", 50), OpKind::kSoftmax, kI8, make_softmax},
      {npu("QUANTIZE", 30), OpKind::kQuantize, kI8, make_quantize_between<kI8, kI8>},
      {npu("RESIZE_NEAREST_NEIGHBOR", 40), OpKind::kResizeNearestNeighbor, kI8, make_resize},
      {npu("RESIZE_BILINEAR", 50), OpKind::kResizeBilinear, kI8, make_resize},
      {npu("PAD", 40), OpKind::kPad, kI8, make_pad},
      {npu("CONCATENATION", 40), OpKind::kConcatenation, kI8, make_concatenation},
      {npu("TRANSPOSE", 40), OpKind::kTranspose, kI8, make_transpose},
      {npu("SPLIT", 30), OpKind::kSplit, kI8, make_split},
      {npu("STRIDED_SLICE", 40), OpKind::kStridedSlice, kI8, make_strided_slice},
      {npu("RESHAPE", 10), OpKind::kReshape, kI8, make_reshape},

      {host("CONV_2D_U8", 80), OpKind::kConv2d, kU8, make_plain_convolution},
      {host("DEPTHWISE_CONV_2D_U8", 60), OpKind::kDepthwiseConv2d, kU8, make_plain_convolution},
      {host("FULLY_CONNECTED_U8", 40), OpKind::kFullyConnected, kU8, make_fully_connected},
      {host("AVERAGE_POOL_2D_U8", 30), OpKind::kAveragePool2d, kU8, make_pool},
      {host("MAX_POOL_2D_U8", 20), OpKind::kMaxPool2d, kU8, make_pool},
      {host("ADD_U8", 30), OpKind::kAdd, kU8, make_arithmetic},
      {host("SUB_U8", 20), OpKind::kSub, kU8, make_arithmetic},
      {host("MUL_U8", 30), OpKind::kMul, kU8, make_arithmetic},
      {host("MEAN_U8", 30), OpKind::kMean, kU8, make_mean},
      {host("RELU_U8", 6), OpKind::kRelu, kU8, make_activation},
      {host("RELU6_U8", 6), OpKind::kRelu6, kU8, make_activation},
      {host("RELU_N1_TO_1_U8", 6), OpKind::kReluN1To1, kU8, make_activation},
      {host("LOGISTIC_U8", 10), OpKind::kLogistic, kU8, make_activation},
      {host("TANH_U8", 10), OpKind::kTanh, kU8, make_activation},
      {host("HARD_SWISH_U8", 20), OpKind::kHardSwish, kU8, make_activation},
      {host("SOFTMAX_U8", 20), OpKind::kSoftmax, kU8, make_softmax},
      {host("RESIZE_NEAREST_NEIGHBOR_U8", 10), OpKind::kResizeNearestNeighbor, kU8, make_resize},
      {host("RESIZE_BILINEAR_U8", 30), OpKind::kResizeBilinear, kU8, make_resize},
      {host("CONCATENATION_U8", 30), OpKind::kConcatenation, kU8, make_concatenation},
      {host("PAD_U8", 10), OpKind::kPad, kU8, make_pad},
      {host("QUANTIZE_U8", 20), OpKind::kQuantize, kU8, make_quantize_between<kU8, kU8>},
      {host("QUANTIZE_U8_TO_I8", 20), OpKind::kQuantize, kI8, make_quantize_between<kU8, kI8>},
      {host("QUANTIZE_I8_TO_U8", 20), OpKind::kQuantize, kU8, make_quantize_between<kI8, kU8>},
      {host("QUANTIZE_F32_TO_I8", 20), OpKind::kQuantize, kI8, make_quantize_between<kF32, kI8>},
      {host("QUANTIZE_F32_TO_U8", 20), OpKind::kQuantize, kU8, make_quantize_between<kF32, kU8>},
      {host("DEQUANTIZE", 20), OpKind::kDequantize, kI8, make_quantize_between<kI8, kF32>},
      {host("DEQUANTIZE_U8", 10), OpKind::kDequantize, kU8, make_quantize_between<kU8, kF32>},
      {host("DEQUANTIZE_I16", 10), OpKind::kDequantize, kI16, make_quantize_between<kI16, kF32>},
      {host("PAD_INT32", 6), OpKind::kPad, kI32, make_pad},
      {host("PAD_FLOAT32", 6), OpKind::kPad, kF32, make_pad},
      {host("CONCATENATION_INT32", 6), OpKind::kConcatenation, kI32, make_concatenation},
      {host("CONCATENATION_FLOAT32", 6), OpKind::kConcatenation, kF32, make_concatenation},
      {host("TRANSPOSE_INT64", 6), OpKind::kTranspose, kI64, make_transpose},
      {host("TRANSPOSE_FLOAT32", 6), OpKind::kTranspose, kF32, make_transpose},
      {host("SPLIT_INT32", 6), OpKind::kSplit, kI32, make_split},
      {host("STRIDED_SLICE_INT32", 20), OpKind::kStridedSlice, kI32, make_strided_slice},
      {host("STRIDED_SLICE_FLOAT32", 10), OpKind::kStridedSlice, kF32, make_strided_slice},
      {host("RESIZE_NEAREST_NEIGHBOR_FLOAT32", 6), OpKind::kResizeNearestNeighbor, kF32, make_resize},
      {host("RESHAPE_FLOAT32", 6), OpKind::kReshape, kF32, make_reshape},
      {host("SQUEEZE", 6), OpKind::kSqueeze, kI8, make_reshape},
      {host("EXPAND_DIMS", 6), OpKind::kExpandDims, kI8, make_reshape},
      {host("PACK", 12), OpKind::kPack, kI8, make_pack},
      {host("PACK_INT32", 6), OpKind::kPack, kI32, make_pack},
      {host("UNPACK", 12), OpKind::kUnpack, kI8, make_pack},
      {host("UNPACK_FLOAT32", 6), OpKind::kUnpack, kF32, make_pack},
      {host("SHAPE", 8), OpKind::kShape, kI8, make_shape},
      {host("UNIDIRECTIONAL_SEQUENCE_LSTM", 60), OpKind::kUnidirectionalSequenceLstm, kI8, make_lstm},
  };
  return kRecipes;
}

std::uint64_t hash(std::string_view text) {
  std::uint64_t h = 0xCBF29CE484222325u;  // FNV-1a
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return h;
}

std::vector<std::string> names(bool npu_only) {
  std::vector<std::string> out;
  for (const OpFamily& family : op_families()) {
    if (npu_only && !family.npu) continue;
    for (int i = 0; i < family.count; ++i) out.push_back(family.name + "_" + std::to_string(i));
  }
  return out;
}

// Values of one graph input: over the whole range, near the ends, near zero, or all the same.
void fill_input(const ir::Tensor& tensor, bool varied, Random& random, std::vector<std::uint8_t>& bytes) {
  const int style = varied ? 0 : random.between(0, 9);
  if (tensor.type == DataType::kFloat32) {
    for (std::size_t i = 0; i + 4 <= bytes.size(); i += 4) {
      auto value = static_cast<float>(random.real(-10, 10));
      if (style < 4) value = static_cast<float>(random.real(-1, 1));
      if (style == 9) value *= 1000;
      std::memcpy(bytes.data() + i, &value, 4);
    }
    return;
  }
  const auto zero =
      static_cast<std::uint8_t>(tensor.quant.zero_point.empty() ? 0 : tensor.quant.zero_point[0]);
  const auto same = static_cast<std::uint8_t>(random.bits());
  const std::uint8_t low = tensor.type == DataType::kUint8 ? 0 : 0x80,
                     high = tensor.type == DataType::kUint8 ? 255 : 0x7F;
  for (std::uint8_t& byte : bytes) {
    if (style < 6) {
      byte = static_cast<std::uint8_t>(random.bits());
    } else if (style == 6) {
      byte = random.chance(50) ? low : high;
    } else if (style == 7) {
      byte = static_cast<std::uint8_t>(zero + random.between(-8, 8));
    } else if (style == 8) {
      byte = same;
    } else {
      byte = random.chance(80) ? zero : static_cast<std::uint8_t>(random.bits());
    }
  }
}

}  // namespace

const std::vector<OpFamily>& op_families() {
  static const std::vector<OpFamily> kFamilies = [] {
    std::vector<OpFamily> families;
    for (const Recipe& recipe : recipes()) families.push_back(recipe.family);
    return families;
  }();
  return kFamilies;
}

OpCase make_op_case(std::string_view name) {
  const std::size_t underscore = name.rfind('_');
  if (underscore != std::string_view::npos) {
    const int number = std::atoi(std::string(name.substr(underscore + 1)).c_str());
    for (const Recipe& recipe : recipes()) {
      if (recipe.family.name != name.substr(0, underscore) || number < 0 || number >= recipe.family.count)
        continue;
      OpCase c;
      c.name = name;
      c.graph.name = name;
      c.graph.ops.emplace_back();
      c.graph.ops[0].kind = recipe.kind;
      c.graph.ops[0].source = 0;
      Random random(hash(name));
      CaseBuilder builder{c, random, recipe.type};
      recipe.make(builder);
      c.description = c.name + ": " + c.description;
      return c;
    }
  }
  std::fprintf(stderr, "no op case is named %.*s\n", static_cast<int>(name.size()), name.data());
  std::abort();
}

std::vector<std::string> op_case_names() { return names(false); }
std::vector<std::string> npu_op_case_names() { return names(true); }

std::vector<std::vector<std::uint8_t>> op_case_inputs(const OpCase& c, int run) {
  std::vector<std::vector<std::uint8_t>> inputs;
  Random random(hash(c.name + " input " + std::to_string(run)));
  for (const int index : c.graph.inputs) {
    const ir::Tensor& tensor = c.graph.tensors[static_cast<std::size_t>(index)];
    inputs.emplace_back(static_cast<std::size_t>(tensor.bytes()));
    fill_input(tensor, c.varied_inputs, random, inputs.back());
  }
  return inputs;
}

}  // namespace zynpu::test
