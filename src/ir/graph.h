// SPDX-License-Identifier: MIT
// The operator graph that importers make, passes rewrite and reference/ executes. Shapes and semantics are
// TFLite's: NHWC activations; CONV_2D weights OHWI; DEPTHWISE_CONV_2D weights 1HWC; FULLY_CONNECTED weights
// [out, in].
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace zynpu::ir {

enum class DataType : std::uint8_t {
  kInt8,
  kUint8,
  kInt16,
  kUint16,
  kInt32,
  kUint32,
  kInt64,
  kFloat32,
  kBool,
  kResource,
};
std::size_t size_of(DataType type);         // bytes of one element; kResource: 4
std::string_view to_string(DataType type);  // "int8", "float32", ...

// real = scale * (q - zero_point). Empty scale: not quantised. One entry: per tensor. n entries: per channel
// on `axis`.
struct Quantization {
  std::vector<float> scale;
  std::vector<std::int32_t> zero_point;
  int axis = 0;
  bool present() const { return !scale.empty(); }
  bool per_channel() const { return scale.size() > 1; }
};

using Bytes = std::vector<std::uint8_t>;

struct Tensor {
  std::string name;
  DataType type = DataType::kInt8;
  std::vector<std::int32_t> shape;  // empty = scalar; every extent >= 1 after import
  Quantization quant;
  std::shared_ptr<const Bytes>
      data;                  // constants only: little-endian, dense, elements() * size_of(type) bytes
  bool is_variable = false;  // TFLite "is_variable": state kept between runs (LSTM); starts as zero point

  // Product of the extents; 0 if one is below 1; saturates far below overflow of bytes().
  std::int64_t elements() const;
  std::int64_t bytes() const { return elements() * static_cast<std::int64_t>(size_of(type)); }
  bool is_constant() const { return data != nullptr; }
};

enum class OpKind : std::uint8_t {
  kConv2d,
  kDepthwiseConv2d,
  kFullyConnected,
  kAveragePool2d,
  kMaxPool2d,
  kAdd,
  kSub,
  kMul,
  kMean,
  kPad,
  kReshape,
  kConcatenation,
  kRelu,
  kRelu6,
  kReluN1To1,
  kQuantize,
  kDequantize,
  kLogistic,
  kTanh,
  kHardSwish,
  kSoftmax,
  kResizeNearestNeighbor,
  kResizeBilinear,
  kTranspose,
  kSplit,
  kStridedSlice,
  kSqueeze,
  kExpandDims,
  kShape,
  kPack,
  kUnpack,
  kUnidirectionalSequenceLstm,
  kVarHandle,
  kReadVariable,
  kAssignVariable,
  kCallOnce,
  kCount,
};
std::string_view to_string(OpKind kind);  // TFLite's name: "CONV_2D", ...

enum class Padding : std::uint8_t { kSame, kValid };
enum class Activation : std::uint8_t { kNone, kRelu, kReluN1To1, kRelu6, kTanh, kSignBit };

struct ConvAttributes {  // kConv2d, kDepthwiseConv2d
  Padding padding = Padding::kSame;
  int stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  int depth_multiplier = 1;  // depthwise only
  Activation activation = Activation::kNone;
  // Explicit padding before the first row/column, added to what `padding` gives; set by the pad-fusion pass
  // together with padding == kValid, never by an importer.
  int pad_top = 0, pad_bottom = 0, pad_left = 0, pad_right = 0;
  // An int8 operator that stands for a uint8 one, all of whose values the legaliser shifted by 128. It keeps
  // two habits of TFLite's uint8 kernels: the multiplier comes from the product of both scales rounded to
  // float, and the weights may have a zero point (one for all channels). Never set by an importer.
  bool from_uint8 = false;
};
struct PoolAttributes {  // kAveragePool2d, kMaxPool2d
  Padding padding = Padding::kSame;
  int stride_h = 1, stride_w = 1, filter_h = 1, filter_w = 1;
  Activation activation = Activation::kNone;
};
struct FullyConnectedAttributes {
  Activation activation = Activation::kNone;
  bool keep_num_dims = false;
};
struct ArithmeticAttributes {
  Activation activation = Activation::kNone;
};  // kAdd, kSub, kMul
struct MeanAttributes {
  bool keep_dims = false;
};  // axes: constant input 1
struct ConcatenationAttributes {
  int axis = 0;
  Activation activation = Activation::kNone;
};
struct SoftmaxAttributes {
  float beta = 1.0f;
};
struct ResizeAttributes {
  bool align_corners = false, half_pixel_centers = false;
};  // size: constant input 1
struct SplitAttributes {
  int num_splits = 1;
};                               // axis: constant input 0
struct StridedSliceAttributes {  // begin, end, strides: inputs 1..3
  int begin_mask = 0, end_mask = 0, ellipsis_mask = 0, new_axis_mask = 0, shrink_axis_mask = 0;
};
struct PackAttributes {
  int axis = 0;
  int count = 1;
};  // kPack, kUnpack
struct SqueezeAttributes {
  std::vector<int> dims;
};
struct LstmAttributes {
  Activation activation = Activation::kTanh;
  float cell_clip = 0, projection_clip = 0;
  bool time_major = false;
  // int8 LSTM: quantisation of output gate * tanh(cell), the value before the projection (TFLite's fifth
  // "intermediate" tensor). Scale 0: the file gives none.
  float hidden_scale = 0;
  std::int32_t hidden_zero_point = 0;
};
struct VarHandleAttributes {
  std::string container, shared_name;
};
struct CallOnceAttributes {
  int subgraph = 0;
};  // index into Graph::subgraphs

using Attributes =
    std::variant<std::monostate, ConvAttributes, PoolAttributes, FullyConnectedAttributes,
                 ArithmeticAttributes, MeanAttributes, ConcatenationAttributes, SoftmaxAttributes,
                 ResizeAttributes, SplitAttributes, StridedSliceAttributes, PackAttributes, SqueezeAttributes,
                 LstmAttributes, VarHandleAttributes, CallOnceAttributes>;

inline constexpr int kAbsent = -1;  // an optional input that is not given

struct Op {
  OpKind kind = OpKind::kReshape;
  std::vector<int> inputs;   // tensor indices or kAbsent
  std::vector<int> outputs;  // tensor indices
  Attributes attributes;
  int source = -1;  // index of the operator in the imported model that this one came from; -1: made by a pass
};

// A graph in execution order: every op stands after the producers of its inputs.
struct Graph {
  std::string name;
  std::vector<Tensor> tensors;
  std::vector<Op> ops;
  std::vector<int> inputs;       // graph inputs, in the model's order
  std::vector<int> outputs;      // graph outputs, in the model's order
  std::vector<Graph> subgraphs;  // bodies of CALL_ONCE; index = the model's subgraph number - 1
};

// Multiply-accumulates of one op (convolutions, fully connected, LSTM gates); 0 for all others.
std::int64_t macs(const Graph& graph, const Op& op);

}  // namespace zynpu::ir
