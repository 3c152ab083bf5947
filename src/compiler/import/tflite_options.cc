// SPDX-License-Identifier: MIT
#include "compiler/import/tflite_options.h"

#include <array>
#include <cmath>
#include <cstring>

namespace zynpu::compiler::tflite {
namespace {

struct TypeRow {
  ElementType file;
  ir::DataType ir;
};
constexpr std::array<TypeRow, 10> kTypes = {{
    {ElementType::FLOAT32, ir::DataType::kFloat32},
    {ElementType::INT32, ir::DataType::kInt32},
    {ElementType::UINT8, ir::DataType::kUint8},
    {ElementType::INT64, ir::DataType::kInt64},
    {ElementType::BOOL, ir::DataType::kBool},
    {ElementType::INT16, ir::DataType::kInt16},
    {ElementType::INT8, ir::DataType::kInt8},
    {ElementType::RESOURCE, ir::DataType::kResource},
    {ElementType::UINT32, ir::DataType::kUint32},
    {ElementType::UINT16, ir::DataType::kUint16},
}};

struct OpRow {
  BuiltinOperator file;
  ir::OpKind ir;
  BuiltinOptions options;  // NONE: the operator has no option that is read
};
using B = BuiltinOperator;
using O = BuiltinOptions;
using K = ir::OpKind;
constexpr std::array<OpRow, static_cast<std::size_t>(K::kCount)> kOps = {{
    {B::CONV_2D, K::kConv2d, O::Conv2DOptions},
    {B::DEPTHWISE_CONV_2D, K::kDepthwiseConv2d, O::DepthwiseConv2DOptions},
    {B::FULLY_CONNECTED, K::kFullyConnected, O::FullyConnectedOptions},
    {B::AVERAGE_POOL_2D, K::kAveragePool2d, O::Pool2DOptions},
    {B::MAX_POOL_2D, K::kMaxPool2d, O::Pool2DOptions},
    {B::ADD, K::kAdd, O::AddOptions},
    {B::SUB, K::kSub, O::SubOptions},
    {B::MUL, K::kMul, O::MulOptions},
    {B::MEAN, K::kMean, O::ReducerOptions},
    {B::PAD, K::kPad, O::NONE},
    {B::RESHAPE, K::kReshape, O::ReshapeOptions},
    {B::CONCATENATION, K::kConcatenation, O::ConcatenationOptions},
    {B::RELU, K::kRelu, O::NONE},
    {B::RELU6, K::kRelu6, O::NONE},
    {B::RELU_N1_TO_1, K::kReluN1To1, O::NONE},
    {B::QUANTIZE, K::kQuantize, O::NONE},
    {B::DEQUANTIZE, K::kDequantize, O::NONE},
    {B::LOGISTIC, K::kLogistic, O::NONE},
    {B::TANH, K::kTanh, O::NONE},
    {B::HARD_SWISH, K::kHardSwish, O::NONE},
    {B::SOFTMAX, K::kSoftmax, O::SoftmaxOptions},
    {B::RESIZE_NEAREST_NEIGHBOR, K::kResizeNearestNeighbor, O::ResizeNearestOptions},
    {B::RESIZE_BILINEAR, K::kResizeBilinear, O::ResizeBilinearOptions},
    {B::TRANSPOSE, K::kTranspose, O::NONE},
    {B::SPLIT, K::kSplit, O::SplitOptions},
    {B::STRIDED_SLICE, K::kStridedSlice, O::StridedSliceOptions},
    {B::SQUEEZE, K::kSqueeze, O::SqueezeOptions},
    {B::EXPAND_DIMS, K::kExpandDims, O::NONE},
    {B::SHAPE, K::kShape, O::ShapeOptions},
    {B::PACK, K::kPack, O::PackOptions},
    {B::UNPACK, K::kUnpack, O::UnpackOptions},
    {B::UNIDIRECTIONAL_SEQUENCE_LSTM, K::kUnidirectionalSequenceLstm, O::LstmOptions},
    {B::VAR_HANDLE, K::kVarHandle, O::VarHandleOptions},
    {B::READ_VARIABLE, K::kReadVariable, O::NONE},
    {B::ASSIGN_VARIABLE, K::kAssignVariable, O::NONE},
    {B::CALL_ONCE, K::kCallOnce, O::CallOnceOptions},
}};

const OpRow& row_of(ir::OpKind kind) {
  std::size_t i = 0;
  while (kOps[i].ir != kind) ++i;
  return kOps[i];
}

Result<ir::Activation> activation(FusedActivation value) {
  switch (value) {
    case FusedActivation::NONE:
      return ir::Activation::kNone;
    case FusedActivation::RELU:
      return ir::Activation::kRelu;
    case FusedActivation::RELU_N1_TO_1:
      return ir::Activation::kReluN1To1;
    case FusedActivation::RELU6:
      return ir::Activation::kRelu6;
    case FusedActivation::TANH:
      return ir::Activation::kTanh;
    case FusedActivation::SIGN_BIT:
      return ir::Activation::kSignBit;
  }
  return fail(ErrorCode::kBadFile, "fused_activation_function is {}, not 0 to 5", static_cast<int>(value));
}

Result<ir::Padding> padding(PaddingMode value) {
  if (value == PaddingMode::SAME) return ir::Padding::kSame;
  if (value == PaddingMode::VALID) return ir::Padding::kValid;
  return fail(ErrorCode::kBadFile, "padding is {}, not 0 (SAME) or 1 (VALID)", static_cast<int>(value));
}

// The option table of the operator, or an empty one (all defaults) if the file has none. The verifier looks
// at the table only if the file says which one it is.
template <class Table>
const Table& table(const Operator& op) {
  // An empty table: its vtable (4 bytes: its own size, the table's size), then the table's offset back to it.
  alignas(4) static constexpr std::array<std::uint8_t, 8> kEmpty = {4, 0, 4, 0, 4, 0, 0, 0};
  const void* options = op.options();
  if (options == nullptr || op.options_type() == BuiltinOptions::NONE) options = kEmpty.data() + 4;
  return *static_cast<const Table*>(options);
}

std::string text(const flatbuffers::String* string) {
  return string == nullptr ? std::string() : string->str();
}

template <class Table>
Result<ir::Attributes> conv(const Operator& op) {
  const auto& o = table<Table>(op);
  ir::ConvAttributes a;
  ZYNPU_ASSIGN_OR_RETURN(a.padding, padding(o.padding()));
  ZYNPU_ASSIGN_OR_RETURN(a.activation, activation(o.activation()));
  a.stride_h = o.stride_h();
  a.stride_w = o.stride_w();
  a.dilation_h = o.dilation_h();
  a.dilation_w = o.dilation_w();
  return a;
}

Result<ir::Attributes> pool(const Operator& op) {
  const auto& o = table<Pool2DOptions>(op);
  ir::PoolAttributes a;
  ZYNPU_ASSIGN_OR_RETURN(a.padding, padding(o.padding()));
  ZYNPU_ASSIGN_OR_RETURN(a.activation, activation(o.activation()));
  a.stride_h = o.stride_h();
  a.stride_w = o.stride_w();
  a.filter_h = o.filter_h();
  a.filter_w = o.filter_w();
  return a;
}

Result<ir::Attributes> fully_connected(const Operator& op) {
  const auto& o = table<FullyConnectedOptions>(op);
  if (o.weights_format() != WeightsFormat::DEFAULT)
    return fail(ErrorCode::kUnsupported, "weights_format {} (shuffled weights)",
                static_cast<int>(o.weights_format()));
  ir::FullyConnectedAttributes a;
  ZYNPU_ASSIGN_OR_RETURN(a.activation, activation(o.activation()));
  a.keep_num_dims = o.keep_num_dims();
  return a;
}

template <class Table>
Result<ir::Attributes> arithmetic(const Operator& op) {
  ir::ArithmeticAttributes a;
  ZYNPU_ASSIGN_OR_RETURN(a.activation, activation(table<Table>(op).activation()));
  return a;
}

Result<ir::Attributes> concatenation(const Operator& op) {
  const auto& o = table<ConcatenationOptions>(op);
  ir::ConcatenationAttributes a;
  a.axis = o.axis();
  ZYNPU_ASSIGN_OR_RETURN(a.activation, activation(o.activation()));
  return a;
}

Result<ir::Attributes> softmax(const Operator& op) {
  const float beta = table<SoftmaxOptions>(op).beta();
  if (!std::isfinite(beta)) return fail(ErrorCode::kBadFile, "beta is not a finite number");
  return ir::SoftmaxAttributes{beta};
}

template <class Table>
Result<ir::Attributes> resize(const Operator& op) {
  const auto& o = table<Table>(op);
  return ir::ResizeAttributes{o.align_corners(), o.half_pixel_centers()};
}

Result<ir::Attributes> strided_slice(const Operator& op) {
  const auto& o = table<StridedSliceOptions>(op);
  if (o.offset()) return fail(ErrorCode::kUnsupported, "offset (end relative to begin)");
  return ir::StridedSliceAttributes{o.begin_mask(), o.end_mask(), o.ellipsis_mask(), o.new_axis_mask(),
                                    o.shrink_axis_mask()};
}

Result<ir::Attributes> squeeze(const Operator& op) {
  ir::SqueezeAttributes a;
  if (const auto* dims = table<SqueezeOptions>(op).dims()) {
    constexpr unsigned kMaxRank = 8;
    if (dims->size() > kMaxRank)
      return fail(ErrorCode::kBadFile, "squeeze_dims has {} entries, the limit is {}", dims->size(),
                  kMaxRank);
    a.dims.assign(dims->begin(), dims->end());
  }
  return a;
}

Result<ir::Attributes> lstm(const Operator& op) {
  const auto& o = table<LstmOptions>(op);
  if (o.diagonal_recurrent_tensors())
    return fail(ErrorCode::kUnsupported, "diagonal_recurrent_tensors (recurrent weights as vectors)");
  ir::LstmAttributes a;
  ZYNPU_ASSIGN_OR_RETURN(a.activation, activation(o.activation()));
  a.cell_clip = o.cell_clip();
  a.projection_clip = o.projection_clip();
  a.time_major = o.time_major();
  if (!std::isfinite(a.cell_clip) || a.cell_clip < 0)
    return fail(ErrorCode::kBadFile, "cell_clip is {}, not a finite number of at least 0", a.cell_clip);
  if (!std::isfinite(a.projection_clip) || a.projection_clip < 0)
    return fail(ErrorCode::kBadFile, "proj_clip is {}, not a finite number of at least 0", a.projection_clip);
  return a;
}

}  // namespace

std::optional<ir::DataType> data_type(ElementType type) {
  for (const TypeRow& row : kTypes)
    if (row.file == type) return row.ir;
  return std::nullopt;
}

std::string type_name(ElementType type) {
  const char* name = EnumNameElementType(type);
  return *name != '\0' ? std::string(name) : fmt::format("type {}", static_cast<int>(type));
}

std::optional<ir::OpKind> op_kind(BuiltinOperator code) {
  for (const OpRow& row : kOps)
    if (row.file == code) return row.ir;
  return std::nullopt;
}

std::string operator_name(BuiltinOperator code) {
  const char* name = EnumNameBuiltinOperator(code);
  return *name != '\0' ? std::string(name) : fmt::format("operator code {}", static_cast<int>(code));
}

Result<ir::Attributes> attributes(ir::OpKind kind, const Operator& op) {
  const BuiltinOptions expected = row_of(kind).options;
  if (expected == O::NONE) return ir::Attributes{};
  // A member outside of this schema's union cannot be the right one either: every operator's own is in it.
  if (op.options_type() != O::NONE && op.options_type() != expected)
    return fail(ErrorCode::kBadFile,
                "builtin_options holds the table of another operator (union member {}, expected {})",
                static_cast<int>(op.options_type()), static_cast<int>(expected));
  switch (kind) {
    case K::kConv2d:
      return conv<Conv2DOptions>(op);
    case K::kDepthwiseConv2d:
      return conv<DepthwiseConv2DOptions>(op);
    case K::kFullyConnected:
      return fully_connected(op);
    case K::kAveragePool2d:
    case K::kMaxPool2d:
      return pool(op);
    case K::kAdd:
      return arithmetic<AddOptions>(op);
    case K::kSub:
      return arithmetic<SubOptions>(op);
    case K::kMul:
      return arithmetic<MulOptions>(op);
    case K::kMean:
      return ir::MeanAttributes{table<ReducerOptions>(op).keep_dims()};
    case K::kConcatenation:
      return concatenation(op);
    case K::kSoftmax:
      return softmax(op);
    case K::kResizeNearestNeighbor:
      return resize<ResizeNearestOptions>(op);
    case K::kResizeBilinear:
      return resize<ResizeBilinearOptions>(op);
    case K::kSplit:
      return ir::SplitAttributes{table<SplitOptions>(op).num_splits()};
    case K::kStridedSlice:
      return strided_slice(op);
    case K::kSqueeze:
      return squeeze(op);
    case K::kPack:
      return ir::PackAttributes{table<PackOptions>(op).axis(), table<PackOptions>(op).count()};
    case K::kUnpack:
      return ir::PackAttributes{table<UnpackOptions>(op).axis(), table<UnpackOptions>(op).count()};
    case K::kUnidirectionalSequenceLstm:
      return lstm(op);
    case K::kVarHandle:
      return ir::VarHandleAttributes{text(table<VarHandleOptions>(op).container()),
                                     text(table<VarHandleOptions>(op).shared_name())};
    case K::kCallOnce:
      return ir::CallOnceAttributes{table<CallOnceOptions>(op).subgraph()};
    default:
      return ir::Attributes{};
  }
}

}  // namespace zynpu::compiler::tflite
