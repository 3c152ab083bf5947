// SPDX-License-Identifier: MIT
#include "compiler/passes/legalise.h"

#include <algorithm>

#include "compiler/passes/constants.h"
#include "compiler/passes/rewrite.h"

namespace zynpu::compiler {
namespace {

using K = ir::OpKind;

// A permutation that keeps the order of all extents above 1.
bool moves_nothing(const std::vector<std::int32_t>& shape, const std::vector<std::int64_t>& order) {
  std::int64_t last = -1;
  for (const std::int64_t value : order) {
    const std::int64_t from = value < 0 ? value + static_cast<std::int64_t>(shape.size()) : value;
    if (shape[static_cast<std::size_t>(from)] == 1) continue;
    if (from < last) return false;
    last = from;
  }
  return true;
}

// Whether `op` copies its data input to its output byte by byte; reference/ moves bytes whatever the
// quantisation of either side says, but for a uint8 CONCATENATION.
bool copies(const ir::Graph& graph, const ir::Op& op) {
  switch (op.kind) {
    case K::kSqueeze:
    case K::kExpandDims:
      return true;
    case K::kTranspose: {
      const auto order = constant_integers(graph, op, 1);
      return order && moves_nothing(tensor_of(graph, op.inputs[0]).shape, *order);
    }
    case K::kPad: {
      const auto pads = constant_integers(graph, op, 1);
      return pads && std::all_of(pads->begin(), pads->end(), [](std::int64_t pad) { return pad == 0; });
    }
    case K::kStridedSlice: {
      // With as many elements as before it must take all of them; only a negative stride can reorder them.
      const auto strides = constant_integers(graph, op, 3);
      return strides && std::all_of(strides->begin(), strides->end(), [](std::int64_t s) { return s > 0; }) &&
             constant_integers(graph, op, 1) && constant_integers(graph, op, 2) &&
             tensor_of(graph, op.inputs[0]).elements() == tensor_of(graph, op.outputs[0]).elements();
    }
    case K::kConcatenation:
      return op.inputs.size() == 1 &&
             std::get<ir::ConcatenationAttributes>(op.attributes).activation == ir::Activation::kNone &&
             same_quantization(tensor_of(graph, op.inputs[0]), tensor_of(graph, op.outputs[0]));
    case K::kPack:
      return op.inputs.size() == 1;
    case K::kUnpack:
      return op.outputs.size() == 1;
    case K::kSplit:
      return op.outputs.size() == 1 && constant_integers(graph, op, 0).has_value();
    case K::kQuantize:  // the same type and quantisation: multiplier 1
      return same_quantization(tensor_of(graph, op.inputs[0]), tensor_of(graph, op.outputs[0]));
    default:
      return false;
  }
}

void copies_to_reshape(ir::Graph& graph) {
  for (ir::Op& op : graph.ops) {
    if (copies(graph, op)) {
      op.inputs = {op.inputs[op.kind == K::kSplit ? 1 : 0]};
      op.kind = K::kReshape;
      op.attributes = std::monostate{};
    } else if (op.kind == K::kReshape && op.inputs.size() == 2 &&
               tensor_of(graph, op.inputs[1]).is_constant()) {
      op.inputs.pop_back();
    }
  }
}

// A RESHAPE of a RESHAPE reads the first one's input; one that changes nothing is left out.
void merge_reshapes(ir::Graph& graph) {
  const Uses uses(graph);
  std::vector<bool> gone(graph.ops.size());
  std::vector<int> instead(graph.tensors.size());  // what to read instead of each tensor
  for (std::size_t i = 0; i < instead.size(); ++i) instead[i] = static_cast<int>(i);
  for (std::size_t i = 0; i < graph.ops.size(); ++i) {
    ir::Op& op = graph.ops[i];
    for (int& input : op.inputs)
      if (input != ir::kAbsent) input = instead[static_cast<std::size_t>(input)];
    if (op.kind != K::kReshape || op.inputs.size() != 1) continue;
    const int maker = uses.producer[static_cast<std::size_t>(op.inputs[0])];
    // A state may change between the copy and its use; the copy must stay then.
    const auto keeps = [&graph](int tensor) { return !tensor_of(graph, tensor).is_variable; };
    if (maker >= 0 && op_of(graph, maker).kind == K::kReshape && op_of(graph, maker).inputs.size() == 1 &&
        keeps(op_of(graph, maker).inputs[0]))
      op.inputs[0] = op_of(graph, maker).inputs[0];
    const ir::Tensor& from = tensor_of(graph, op.inputs[0]);
    const ir::Tensor& to = tensor_of(graph, op.outputs[0]);
    const bool same = from.shape == to.shape && from.quant.scale == to.quant.scale &&
                      from.quant.zero_point == to.quant.zero_point && from.quant.axis == to.quant.axis;
    if (same && keeps(op.inputs[0]) && !uses.graph_output[static_cast<std::size_t>(op.outputs[0])]) {
      instead[static_cast<std::size_t>(op.outputs[0])] = op.inputs[0];
      gone[i] = true;
    }
  }
  remove_ops(graph, gone);
}

// With one input channel every output channel of a DEPTHWISE_CONV_2D sees the whole input, as in a CONV_2D;
// both kernels form the same sum, multipliers and clamp. Weights [1, h, w, c] become [c, h, w, 1].
void depthwise_to_conv(ir::Graph& graph) {
  for (std::size_t i = 0; i < graph.ops.size(); ++i) {
    if (graph.ops[i].kind != K::kDepthwiseConv2d || tensor_of(graph, graph.ops[i].inputs[0]).shape[3] != 1)
      continue;
    ir::Tensor weights = tensor_of(graph, graph.ops[i].inputs[1]);
    if (!weights.is_constant()) continue;
    const auto channels = static_cast<std::size_t>(weights.shape[3]);
    const std::size_t size = ir::size_of(weights.type), taps = weights.data->size() / size / channels;
    ir::Bytes bytes(weights.data->size());
    for (std::size_t tap = 0; tap < taps; ++tap)
      for (std::size_t c = 0; c < channels; ++c)
        std::copy_n(weights.data->begin() + static_cast<std::ptrdiff_t>((tap * channels + c) * size), size,
                    bytes.begin() + static_cast<std::ptrdiff_t>((c * taps + tap) * size));
    weights.shape = {weights.shape[3], weights.shape[1], weights.shape[2], 1};
    weights.quant.axis = 0;
    weights.data = std::make_shared<const ir::Bytes>(std::move(bytes));
    const int index = add_tensor(graph, std::move(weights));
    ir::Op& op = graph.ops[i];
    op.kind = K::kConv2d;
    op.inputs[1] = index;
    std::get<ir::ConvAttributes>(op.attributes).depth_multiplier = 1;
  }
}

}  // namespace

void legalise(ir::Graph& graph) {
  shift_uint8_to_int8(graph);
  copies_to_reshape(graph);
  merge_reshapes(graph);
  depthwise_to_conv(graph);
  remove_dead(graph);
}

}  // namespace zynpu::compiler
