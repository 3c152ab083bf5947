// SPDX-License-Identifier: MIT
// Operators that compute, and the choice of the rule for each kind.
#include <algorithm>

#include "compiler/passes/op_rules.h"
#include "compiler/passes/validate.h"

namespace zynpu::compiler {
namespace {

using K = ir::OpKind;
using T = ir::DataType;
using Shape = std::vector<std::int32_t>;

constexpr int kMaxStep =
    1 << 15;  // strides, filters and dilations; larger than any useful, far from overflow

bool is_quantised_type(T type) { return type == T::kInt8 || type == T::kUint8 || type == T::kInt16; }

// The member of ir::Attributes that `kind` carries, by its index.
std::size_t attribute_index(K kind) {
  const auto index = [](const ir::Attributes& a) { return a.index(); };
  switch (kind) {
    case K::kConv2d:
    case K::kDepthwiseConv2d:
      return index(ir::ConvAttributes{});
    case K::kFullyConnected:
      return index(ir::FullyConnectedAttributes{});
    case K::kAveragePool2d:
    case K::kMaxPool2d:
      return index(ir::PoolAttributes{});
    case K::kAdd:
    case K::kSub:
    case K::kMul:
      return index(ir::ArithmeticAttributes{});
    case K::kMean:
      return index(ir::MeanAttributes{});
    case K::kConcatenation:
      return index(ir::ConcatenationAttributes{});
    case K::kSoftmax:
      return index(ir::SoftmaxAttributes{});
    case K::kResizeNearestNeighbor:
    case K::kResizeBilinear:
      return index(ir::ResizeAttributes{});
    case K::kSplit:
      return index(ir::SplitAttributes{});
    case K::kStridedSlice:
      return index(ir::StridedSliceAttributes{});
    case K::kPack:
    case K::kUnpack:
      return index(ir::PackAttributes{});
    case K::kSqueeze:
      return index(ir::SqueezeAttributes{});
    case K::kUnidirectionalSequenceLstm:
      return index(ir::LstmAttributes{});
    case K::kVarHandle:
      return index(ir::VarHandleAttributes{});
    case K::kCallOnce:
      return index(ir::CallOnceAttributes{});
    default:
      return index(std::monostate{});
  }
}

}  // namespace

Status OpRules::input_type(std::size_t i, std::initializer_list<T> types) const {
  if (!has(i) || std::find(types.begin(), types.end(), in(i).type) != types.end()) return {};
  return unsupported("input {}, {}, is {}", i, in_name(i), ir::to_string(in(i).type));
}

Status OpRules::output_type(std::initializer_list<T> types) const {
  for (std::size_t i = 0; i < op_.outputs.size(); ++i) {
    if (std::find(types.begin(), types.end(), out(i).type) == types.end())
      return unsupported("output {}, {}, is {}", i, out_name(i), ir::to_string(out(i).type));
  }
  return {};
}

Status OpRules::same_type() const {
  const T type = in(0).type;
  for (std::size_t i = 1; i < op_.inputs.size(); ++i)
    if (in(i).type != type)
      return bad("input {}, {}, is {}, input 0 is {}", i, in_name(i), ir::to_string(in(i).type),
                 ir::to_string(type));
  return output_type({type});
}

Status OpRules::per_tensor(const ir::Tensor& tensor, const std::string& name) const {
  if (!is_quantised_type(tensor.type)) return {};
  if (!tensor.quant.present()) return bad("{} is {} but has no scale", name, ir::to_string(tensor.type));
  if (tensor.quant.per_channel()) return unsupported("{} is quantised per channel", name);
  return {};
}

Status OpRules::quantised(std::size_t inputs) const {
  for (std::size_t i = 0; i < inputs; ++i) ZYNPU_TRY(per_tensor(in(i), in_name(i)));
  for (std::size_t i = 0; i < op_.outputs.size(); ++i) ZYNPU_TRY(per_tensor(out(i), out_name(i)));
  return {};
}

Status OpRules::rank(const ir::Tensor& tensor, const std::string& name, std::size_t wanted) const {
  if (tensor.shape.size() == wanted) return {};
  return bad("{} has shape {}, {} dimensions are needed", name, describe_shape(tensor.shape), wanted);
}

Status OpRules::output_shape(const Shape& wanted, std::size_t output) const {
  if (out(output).shape == wanted) return {};
  return bad("output {}, {}, has shape {}, the operator makes {}", output, out_name(output),
             describe_shape(out(output).shape), describe_shape(wanted));
}

Status OpRules::step(std::string_view name, int value) const {
  if (value >= 1 && value <= kMaxStep) return {};
  return bad("{} is {}, outside of 1 to {}", name, value, kMaxStep);
}

// How many positions a window of `filter` taps has along one axis.
Result<std::int64_t> OpRules::windows(std::int64_t extent, std::int64_t filter, int stride, int dilation,
                                      ir::Padding padding, std::int64_t explicit_pads,
                                      std::string_view axis) const {
  if (padding == ir::Padding::kSame) return (extent + stride - 1) / stride;
  const std::int64_t reach = (filter - 1) * dilation + 1;
  extent += explicit_pads;
  if (reach > extent) return bad("the filter reaches over {} {}, the input has {}", reach, axis, extent);
  return (extent - reach) / stride + 1;
}

Result<int> OpRules::axis(std::int64_t value, std::size_t rank) const {
  const auto n = static_cast<std::int64_t>(rank);
  if (value < -n || value >= n) return bad("axis is {}, the tensor has {} dimensions", value, rank);
  return static_cast<int>(value < 0 ? value + n : value);
}

// Types and quantisation of input, weights, bias and output of a layer; `axis` is the weights' channel axis.
Status OpRules::weights(int axis) const {
  const T activations = in(0).type;
  ZYNPU_TRY(input_type(0, {T::kInt8, T::kUint8, T::kInt16, T::kFloat32}));
  ZYNPU_TRY(output_type({activations}));
  const T wanted = activations == T::kInt16 ? T::kInt8 : activations;
  if (in(1).type != wanted)
    return unsupported("weights {} are {}, the input is {}", in_name(1), ir::to_string(in(1).type),
                       ir::to_string(activations));
  if (has(2)) {
    const T bias = in(2).type;
    const bool fits = activations == T::kFloat32 ? bias == T::kFloat32
                      : activations == T::kInt16 ? bias == T::kInt64 || bias == T::kInt32
                                                 : bias == T::kInt32;
    if (!fits)
      return unsupported("bias {} is {}, the input is {}", in_name(2), ir::to_string(bias),
                         ir::to_string(activations));
  }
  ZYNPU_TRY(quantised(1));
  if (!is_quantised_type(activations)) return {};
  const ir::Quantization& q = in(1).quant;
  if (!q.present()) return bad("weights {} are {} but have no scale", in_name(1), ir::to_string(wanted));
  if (q.per_channel() && activations == T::kUint8)
    return unsupported("weights {} are uint8 and quantised per channel", in_name(1));
  if (q.per_channel() && q.axis != axis)
    return bad("weights {} are quantised along dimension {}, it must be {}", in_name(1), q.axis, axis);
  return {};
}

Status OpRules::bias(std::int64_t channels) const {
  if (!has(2)) return {};
  if (in(2).elements() != channels)
    return bad("bias {} has {} elements, there are {} output channels", in_name(2), in(2).elements(),
               channels);
  return {};
}

Status OpRules::conv() const {
  const auto& a = attributes<ir::ConvAttributes>();
  const bool depthwise = op_.kind == K::kDepthwiseConv2d;
  ZYNPU_TRY(step("stride_h", a.stride_h));
  ZYNPU_TRY(step("stride_w", a.stride_w));
  ZYNPU_TRY(step("dilation_h", a.dilation_h));
  ZYNPU_TRY(step("dilation_w", a.dilation_w));
  for (const int pad : {a.pad_top, a.pad_bottom, a.pad_left, a.pad_right}) {
    if (pad < 0 || pad > kMaxStep) return bad("explicit padding of {}, outside of 0 to {}", pad, kMaxStep);
    if (pad > 0 && a.padding != ir::Padding::kValid) return bad("explicit padding together with SAME");
  }
  if (a.from_uint8 && (in(0).type != T::kInt8 || in(1).quant.per_channel()))
    return bad("from_uint8 on an operator that is not int8, or per channel");
  ZYNPU_TRY(rank(in(0), in_name(0), 4));
  ZYNPU_TRY(rank(in(1), in_name(1), 4));
  ZYNPU_TRY(rank(out(), out_name(), 4));
  ZYNPU_TRY(weights(depthwise ? 3 : 0));
  const Shape& input = in(0).shape;
  const Shape& filter = in(1).shape;
  std::int32_t channels = filter[0];
  if (depthwise) {
    channels = filter[3];
    if (filter[0] != 1)
      return bad("weights {} have shape {}, the first extent must be 1", in_name(1), describe_shape(filter));
    if (a.depth_multiplier < 1 || std::int64_t{input[3]} * a.depth_multiplier != channels)
      return bad("weights {} have {} channels, the input has {} times multiplier {}", in_name(1), channels,
                 input[3], a.depth_multiplier);
  } else if (input[3] % filter[3] != 0 || channels % (input[3] / filter[3]) != 0) {
    return bad("weights {} have shape {}, the input has {} channels", in_name(1), describe_shape(filter),
               input[3]);
  }
  ZYNPU_TRY(bias(channels));
  ZYNPU_ASSIGN_OR_RETURN(const std::int64_t height,
                         windows(input[1], filter[1], a.stride_h, a.dilation_h, a.padding,
                                 std::int64_t{a.pad_top} + a.pad_bottom, "rows"));
  ZYNPU_ASSIGN_OR_RETURN(const std::int64_t width,
                         windows(input[2], filter[2], a.stride_w, a.dilation_w, a.padding,
                                 std::int64_t{a.pad_left} + a.pad_right, "columns"));
  return output_shape(
      {input[0], static_cast<std::int32_t>(height), static_cast<std::int32_t>(width), channels});
}

Status OpRules::fully_connected() const {
  ZYNPU_TRY(weights(0));
  ZYNPU_TRY(rank(in(1), in_name(1), 2));
  const std::int32_t units = in(1).shape[0], depth = in(1).shape[1];
  if (in(0).elements() % depth != 0)
    return bad("input {} has {} elements, not a multiple of the weights' {}", in_name(0), in(0).elements(),
               depth);
  ZYNPU_TRY(bias(units));
  const std::int64_t batches = in(0).elements() / depth;
  if (attributes<ir::FullyConnectedAttributes>().keep_num_dims) {
    Shape wanted = in(0).shape;
    if (wanted.empty() || wanted.back() != depth)
      return bad("keep_num_dims: input {} has shape {}, its last extent must be {}", in_name(0),
                 describe_shape(wanted), depth);
    wanted.back() = units;
    return output_shape(wanted);
  }
  // Converters also write outputs of other ranks; the elements are what counts.
  if (out().elements() != batches * units || out().shape.empty() || out().shape.back() != units)
    return bad("output {} has shape {}, the operator makes [{}, {}]", out_name(), describe_shape(out().shape),
               batches, units);
  return {};
}

Status OpRules::pool() const {
  const auto& a = attributes<ir::PoolAttributes>();
  ZYNPU_TRY(step("stride_h", a.stride_h));
  ZYNPU_TRY(step("stride_w", a.stride_w));
  ZYNPU_TRY(step("filter_height", a.filter_h));
  ZYNPU_TRY(step("filter_width", a.filter_w));
  ZYNPU_TRY(input_type(0, {T::kInt8, T::kUint8, T::kInt16, T::kFloat32}));
  ZYNPU_TRY(same_type());
  ZYNPU_TRY(quantised(1));
  ZYNPU_TRY(rank(in(0), in_name(0), 4));
  const Shape& input = in(0).shape;
  ZYNPU_ASSIGN_OR_RETURN(const std::int64_t height,
                         windows(input[1], a.filter_h, a.stride_h, 1, a.padding, 0, "rows"));
  ZYNPU_ASSIGN_OR_RETURN(const std::int64_t width,
                         windows(input[2], a.filter_w, a.stride_w, 1, a.padding, 0, "columns"));
  return output_shape(
      {input[0], static_cast<std::int32_t>(height), static_cast<std::int32_t>(width), input[3]});
}

Status OpRules::arithmetic() const {
  ZYNPU_TRY(input_type(0, {T::kInt8, T::kUint8, T::kInt16, T::kInt32, T::kInt64, T::kFloat32}));
  ZYNPU_TRY(same_type());
  ZYNPU_TRY(quantised(2));
  const Shape &a = in(0).shape, &b = in(1).shape;
  Shape wanted(std::max(a.size(), b.size()));
  for (std::size_t i = 0; i < wanted.size(); ++i) {  // from the last dimension
    const std::int32_t x = i < a.size() ? a[a.size() - 1 - i] : 1;
    const std::int32_t y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1)
      return bad("inputs of shapes {} and {} do not broadcast", describe_shape(a), describe_shape(b));
    wanted[wanted.size() - 1 - i] = std::max(x, y);
  }
  return output_shape(wanted);
}

Status OpRules::mean() const {
  ZYNPU_TRY(input_type(0, {T::kInt8, T::kUint8, T::kInt16, T::kInt32, T::kInt64, T::kFloat32}));
  ZYNPU_TRY(input_type(1, {T::kInt32}));
  ZYNPU_TRY(output_type({in(0).type}));
  ZYNPU_TRY(quantised(1));
  const auto axes = ints(1);
  if (!axes) return {};
  std::vector<bool> reduced(in(0).shape.size());
  for (const std::int64_t value : *axes) {
    ZYNPU_ASSIGN_OR_RETURN(const int position, axis(value, in(0).shape.size()));
    reduced[static_cast<std::size_t>(position)] = true;
  }
  Shape wanted;
  for (std::size_t i = 0; i < reduced.size(); ++i) {
    if (!reduced[i]) wanted.push_back(in(0).shape[i]);
    if (reduced[i] && attributes<ir::MeanAttributes>().keep_dims) wanted.push_back(1);
  }
  return output_shape(wanted);
}

Status OpRules::unary(std::initializer_list<T> types) const {
  ZYNPU_TRY(input_type(0, types));
  ZYNPU_TRY(same_type());
  ZYNPU_TRY(quantised(1));
  return output_shape(in(0).shape);
}

Status OpRules::quantize() const {
  ZYNPU_TRY(input_type(0, {T::kFloat32, T::kInt8, T::kUint8, T::kInt16, T::kInt32}));
  ZYNPU_TRY(output_type({T::kInt8, T::kUint8, T::kInt16, T::kInt32}));
  ZYNPU_TRY(quantised(1));
  if (!out().quant.present() || out().quant.per_channel())
    return bad("output {} must have one scale, it has {}", out_name(), out().quant.scale.size());
  if (in(0).type == T::kInt32 && (!in(0).quant.present() || in(0).quant.per_channel()))
    return bad("input {} must have one scale, it has {}", in_name(0), in(0).quant.scale.size());
  return output_shape(in(0).shape);
}

Status OpRules::dequantize() const {
  ZYNPU_TRY(input_type(0, {T::kInt8, T::kUint8, T::kInt16}));
  ZYNPU_TRY(output_type({T::kFloat32}));
  ZYNPU_TRY(quantised(1));
  return output_shape(in(0).shape);
}

Status OpRules::softmax() const {
  ZYNPU_TRY(input_type(0, {T::kInt8, T::kUint8, T::kInt16, T::kFloat32}));
  if (in(0).type == T::kInt8)
    ZYNPU_TRY(output_type({T::kInt8, T::kInt16}));
  else
    ZYNPU_TRY(output_type({in(0).type}));
  ZYNPU_TRY(quantised(1));
  if (in(0).shape.empty()) return bad("input {} is a scalar", in_name(0));
  return output_shape(in(0).shape);
}

Status OpRules::resize() const {
  ZYNPU_TRY(input_type(0, {T::kInt8, T::kUint8, T::kInt16, T::kFloat32}));
  ZYNPU_TRY(input_type(1, {T::kInt32}));
  ZYNPU_TRY(output_type({in(0).type}));
  ZYNPU_TRY(quantised(1));
  ZYNPU_TRY(rank(in(0), in_name(0), 4));
  const auto& a = attributes<ir::ResizeAttributes>();
  if (a.align_corners && a.half_pixel_centers)
    return bad("align_corners and half_pixel_centers are both set");
  const auto size = ints(1);
  if (!size) return {};
  if (in(1).shape != Shape{2} || (*size)[0] < 1 || (*size)[1] < 1)
    return bad("size {} must hold two extents of at least 1", in_name(1));
  return output_shape({in(0).shape[0], static_cast<std::int32_t>((*size)[0]),
                       static_cast<std::int32_t>((*size)[1]), in(0).shape[3]});
}

Status OpRules::lstm() const {
  ZYNPU_TRY(input_type(0, {T::kInt8, T::kFloat32}));
  ZYNPU_TRY(output_type({in(0).type}));
  ZYNPU_TRY(quantised(1));
  ZYNPU_TRY(rank(in(0), in_name(0), 3));
  const auto& a = attributes<ir::LstmAttributes>();
  const std::int32_t batches = in(0).shape[a.time_major ? 1 : 0], depth = in(0).shape[2];
  ZYNPU_TRY(rank(in(2), in_name(2), 2));
  ZYNPU_TRY(rank(in(6), in_name(6), 2));
  const std::int32_t cells = in(2).shape[0], units = in(6).shape[1];
  const auto shaped = [this](std::size_t i, const Shape& wanted) -> Status {
    if (!has(i) || in(i).shape == wanted) return {};
    return bad("input {}, {}, has shape {}, it must be {}", i, in_name(i), describe_shape(in(i).shape),
               describe_shape(wanted));
  };
  const bool gate = has(1);
  if (gate != has(5) || gate != has(12)) return bad("the input gate has only some of its weights and bias");
  for (std::size_t i = 1; i <= 4; ++i) ZYNPU_TRY(shaped(i, {cells, depth}));
  for (std::size_t i = 5; i <= 8; ++i) ZYNPU_TRY(shaped(i, {cells, units}));
  for (std::size_t i = 9; i <= 15; ++i) ZYNPU_TRY(shaped(i, {cells}));
  ZYNPU_TRY(shaped(16, {units, cells}));
  ZYNPU_TRY(shaped(17, {units}));
  if (!has(16) && units != cells) return bad("{} cells and {} units without a projection", cells, units);
  ZYNPU_TRY(shaped(18, {batches, units}));
  ZYNPU_TRY(shaped(19, {batches, cells}));
  for (const std::size_t i : {std::size_t{18}, std::size_t{19}})
    if (!in(i).is_variable) return bad("state {} is not a variable", in_name(i));
  for (std::size_t i = 20; i <= 23; ++i) ZYNPU_TRY(shaped(i, {cells}));
  if (in(0).type == T::kInt8) {
    ZYNPU_TRY(input_type(18, {T::kInt8}));
    ZYNPU_TRY(input_type(19, {T::kInt16}));
    for (const std::size_t i : {std::size_t{18}, std::size_t{19}}) ZYNPU_TRY(per_tensor(in(i), in_name(i)));
    for (std::size_t i = 1; i <= 8; ++i) {
      ZYNPU_TRY(input_type(i, {T::kInt8}));
      if (has(i)) ZYNPU_TRY(per_tensor(in(i), in_name(i)));
    }
    for (std::size_t i = 12; i <= 15; ++i) ZYNPU_TRY(input_type(i, {T::kInt32}));
  }
  return output_shape({in(0).shape[0], in(0).shape[1], units});
}

Status OpRules::variable() const {
  if (op_.kind == K::kVarHandle) return output_type({T::kResource});
  ZYNPU_TRY(input_type(0, {T::kResource}));
  const ir::Tensor& value = op_.kind == K::kReadVariable ? out() : in(1);
  if (value.type == T::kResource) return bad("the value is itself a resource");
  return {};
}

Status OpRules::check() const {
  if (const std::size_t wanted = attribute_index(op_.kind); op_.attributes.index() != wanted)
    return bad("has the attributes of another operator (kind {}, not {})", op_.attributes.index(), wanted);
  switch (op_.kind) {
    case K::kConv2d:
    case K::kDepthwiseConv2d:
      return conv();
    case K::kFullyConnected:
      return fully_connected();
    case K::kAveragePool2d:
    case K::kMaxPool2d:
      return pool();
    case K::kAdd:
    case K::kSub:
    case K::kMul:
      return arithmetic();
    case K::kMean:
      return mean();
    case K::kPad:
      return pad();
    case K::kReshape:
      return reshape();
    case K::kConcatenation:
      return concatenation();
    case K::kRelu:
    case K::kRelu6:
    case K::kReluN1To1:
    case K::kLogistic:
    case K::kTanh:
    case K::kHardSwish:
      return unary({T::kInt8, T::kUint8, T::kInt16, T::kFloat32});
    case K::kQuantize:
      return quantize();
    case K::kDequantize:
      return dequantize();
    case K::kSoftmax:
      return softmax();
    case K::kResizeNearestNeighbor:
    case K::kResizeBilinear:
      return resize();
    case K::kTranspose:
      return transpose();
    case K::kSplit:
      return split();
    case K::kStridedSlice:
      return strided_slice();
    case K::kSqueeze:
      return squeeze();
    case K::kExpandDims:
      return expand_dims();
    case K::kShape:
      return shape();
    case K::kPack:
      return pack();
    case K::kUnpack:
      return unpack();
    case K::kUnidirectionalSequenceLstm:
      return lstm();
    case K::kVarHandle:
    case K::kReadVariable:
    case K::kAssignVariable:
      return variable();
    case K::kCallOnce:
      if (const int body = attributes<ir::CallOnceAttributes>().subgraph;
          body < 0 || static_cast<std::size_t>(body) >= graph_.subgraphs.size())
        return bad("calls subgraph {} of {}", body, graph_.subgraphs.size());
      return {};
    case K::kCount:
      break;
  }
  return bad("unknown operator");
}

Status validate_op(const ir::Graph& graph, int op) { return OpRules(graph, op).check(); }

}  // namespace zynpu::compiler
