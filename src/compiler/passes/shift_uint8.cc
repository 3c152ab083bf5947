// SPDX-License-Identifier: MIT
#include <algorithm>

#include "compiler/passes/legalise.h"
#include "compiler/passes/rewrite.h"
#include "reference/operators.h"

namespace zynpu::compiler {
namespace {

using K = ir::OpKind;

bool is_uint8(const ir::Graph& graph, int index) {
  return index != ir::kAbsent && tensor_of(graph, index).type == ir::DataType::kUint8;
}

// Whether the taps that fall inside the input are an odd number at every position along one axis.
bool odd_taps(int outputs, int stride, int pad, int filter, int extent) {
  for (int i = 0; i < outputs; ++i) {
    const int first = i * stride - pad;
    const int taps = std::min(first + filter, extent) - std::max(first, 0);
    if (taps % 2 == 0) return false;
  }
  return true;
}

// Whether the int8 form of uint8 operator `index` gives the uint8 bytes minus 128. Let q' = q - 128 and z' =
// z - 128.
// - Kernels that use their inputs only as q - z see the same numbers, because q' - z' = q - z, and add the
// output's zero
//   point last, before they clamp to a range that is itself shifted (type limits and zero point + round(bound
//   / scale)): CONV_2D, DEPTHWISE_CONV_2D (with from_uint8 for multiplier and weights), FULLY_CONNECTED, ADD,
//   SUB, MUL, MEAN, the RELU family, LOGISTIC, TANH, HARD_SWISH. SOFTMAX sees differences of inputs only, and
//   its output's zero point is the type's minimum in both forms.
// - Kernels that only move bytes, or compare them: MAX_POOL_2D, PAD (which writes the zero point), and the
// movements.
// - AVERAGE_POOL_2D rounds sum / count half away from zero: upwards for uint8, whose sums are positive, but
// downwards for
//   an int8 sum below zero. With an odd count there is no half to round.
// - CONCATENATION rescales inputs of another quantisation in uint8 and refuses them in int8.
// - RESIZE_BILINEAR computes in floating point in uint8, in integers in int8: never.
// - Variables keep their bytes between runs, and subgraphs fill them: they stay as they are.
bool shifts_exactly(const ir::Graph& graph, int index) {
  const ir::Op& op = op_of(graph, index);
  const auto quantised = [&graph](const std::vector<int>& list) {
    return std::all_of(list.begin(), list.end(), [&graph](int t) {
      return !is_uint8(graph, t) || tensor_of(graph, t).quant.scale.size() == 1;
    });
  };
  if (!quantised(op.inputs) || !quantised(op.outputs)) return false;
  switch (op.kind) {
    case K::kConv2d:
    case K::kDepthwiseConv2d:
      return tensor_of(graph, op.inputs[1]).is_constant();
    case K::kFullyConnected:
    case K::kAdd:
    case K::kSub:
    case K::kMul:
    case K::kMean:
    case K::kRelu:
    case K::kRelu6:
    case K::kReluN1To1:
    case K::kLogistic:
    case K::kTanh:
    case K::kHardSwish:
    case K::kSoftmax:
    case K::kMaxPool2d:
    case K::kPad:
    case K::kReshape:
    case K::kTranspose:
    case K::kSplit:
    case K::kStridedSlice:
    case K::kSqueeze:
    case K::kExpandDims:
    case K::kPack:
    case K::kUnpack:
    case K::kResizeNearestNeighbor:
      return true;
    case K::kAveragePool2d: {
      const auto window = reference::window_of(graph, index);
      return window &&
             odd_taps(window->output_h, window->stride_h, window->pad_top, window->filter_h,
                      window->input_h) &&
             odd_taps(window->output_w, window->stride_w, window->pad_left, window->filter_w,
                      window->input_w);
    }
    case K::kConcatenation:
      return std::all_of(op.inputs.begin(), op.inputs.end(), [&](int t) {
        return same_quantization(tensor_of(graph, t), tensor_of(graph, op.outputs[0]));
      });
    default:
      return false;
  }
}

class Shifter {
 public:
  explicit Shifter(ir::Graph& graph)
      : graph_(graph), twin_(graph.tensors.size(), ir::kAbsent), has_uint8_(graph.tensors.size(), true) {}

  void run();

 private:
  // The int8 form of uint8 tensor `t`, made if it does not exist yet. Appends at most one operator.
  int int8_form(int t);
  // `t` itself, made from its int8 form if that is all there is.
  int uint8_form(int t);
  int declare_twin(int t);
  // Whichever form exists; for operators that take both.
  int any_form(int t) const {
    return has_uint8_[static_cast<std::size_t>(t)] ? t : twin_[static_cast<std::size_t>(t)];
  }
  // The output `t` is made in its int8 form.
  int shifted_output(int t) {
    has_uint8_[static_cast<std::size_t>(t)] = false;
    return declare_twin(t);
  }
  void convert_form(int from, int to);
  // QUANTIZE and DEQUANTIZE take either form on either side.
  void convert_quantize(ir::Op& op, const std::vector<bool>& wants_int8);

  ir::Graph& graph_;
  std::vector<int> twin_;        // of each tensor of the original graph
  std::vector<bool> has_uint8_;  // its uint8 form exists at this point of the program
  std::vector<ir::Op> ops_;      // the new program
};

int Shifter::declare_twin(int t) {
  int& twin = twin_[static_cast<std::size_t>(t)];
  if (twin != ir::kAbsent) return twin;
  ir::Tensor shifted = tensor_of(graph_, t);
  shifted.name += " (int8)";
  shifted.type = ir::DataType::kInt8;
  for (std::int32_t& zero_point : shifted.quant.zero_point) zero_point -= 128;
  if (shifted.data != nullptr) {
    ir::Bytes bytes = *shifted.data;
    for (std::uint8_t& byte : bytes) byte ^= 0x80;
    shifted.data = std::make_shared<const ir::Bytes>(std::move(bytes));
  }
  twin = add_tensor(graph_, std::move(shifted));
  return twin;
}

void Shifter::convert_form(int from, int to) {
  ir::Op op;
  op.kind = K::kQuantize;
  op.inputs = {from};
  op.outputs = {to};
  ops_.push_back(std::move(op));
}

int Shifter::int8_form(int t) {
  if (twin_[static_cast<std::size_t>(t)] != ir::kAbsent) return twin_[static_cast<std::size_t>(t)];
  const int twin = declare_twin(t);
  if (!tensor_of(graph_, t).is_constant()) convert_form(t, twin);
  return twin;
}

int Shifter::uint8_form(int t) {
  if (!has_uint8_[static_cast<std::size_t>(t)]) {
    convert_form(twin_[static_cast<std::size_t>(t)], t);
    has_uint8_[static_cast<std::size_t>(t)] = true;
  }
  return t;
}

void Shifter::convert_quantize(ir::Op& op, const std::vector<bool>& wants_int8) {
  if (is_uint8(graph_, op.inputs[0])) op.inputs[0] = any_form(op.inputs[0]);
  const int output = op.outputs[0];
  if (is_uint8(graph_, output) && wants_int8[static_cast<std::size_t>(output)])
    op.outputs[0] = shifted_output(output);
}

void Shifter::run() {
  std::vector<bool> shifts(graph_.ops.size());
  std::vector<bool> wants_int8(graph_.tensors.size());  // some converted operator reads it
  for (std::size_t i = 0; i < graph_.ops.size(); ++i) {
    shifts[i] = shifts_exactly(graph_, static_cast<int>(i));
    if (!shifts[i]) continue;
    for (const int input : graph_.ops[i].inputs)
      if (input != ir::kAbsent) wants_int8[static_cast<std::size_t>(input)] = true;
  }
  for (std::size_t i = 0; i < graph_.ops.size(); ++i) {
    ir::Op op = std::move(graph_.ops[i]);
    const auto touches = [this](const std::vector<int>& list) {
      return std::any_of(list.begin(), list.end(), [this](int t) { return is_uint8(graph_, t); });
    };
    if (!touches(op.inputs) && !touches(op.outputs)) {
      ops_.push_back(std::move(op));
      continue;
    }
    if (op.kind == K::kQuantize || op.kind == K::kDequantize) {
      convert_quantize(op, wants_int8);
    } else {
      for (int& input : op.inputs)
        if (is_uint8(graph_, input)) input = shifts[i] ? int8_form(input) : uint8_form(input);
      if (shifts[i]) {
        for (int& output : op.outputs)
          if (is_uint8(graph_, output)) output = shifted_output(output);
        if (auto* conv = std::get_if<ir::ConvAttributes>(&op.attributes)) conv->from_uint8 = true;
      }
    }
    ops_.push_back(std::move(op));
  }
  for (const int output : graph_.outputs)
    if (is_uint8(graph_, output)) uint8_form(output);
  graph_.ops = std::move(ops_);
}

}  // namespace

void shift_uint8_to_int8(ir::Graph& graph) {
  Shifter(graph).run();
  remove_dead(graph);
}

}  // namespace zynpu::compiler
