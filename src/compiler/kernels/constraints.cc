// SPDX-License-Identifier: MIT
#include "compiler/kernels/constraints.h"

#include <fmt/format.h>

#include <array>

#include "compiler/kernels/elementwise.h"
#include "compiler/kernels/lowerings.h"
#include "compiler/kernels/mean.h"
#include "compiler/kernels/movement.h"
#include "reference/operators.h"

namespace zynpu::compiler {
namespace {

using Check = std::string (*)(const ir::Graph&, const ir::Op&);

int index_in(const ir::Graph& graph, const ir::Op& op) { return static_cast<int>(&op - graph.ops.data()); }

// Calls `check` for every tensor of the op that is not a constant parameter, inputs first; the first text
// wins.
template <class F>
std::string for_activations(const ir::Graph& graph, const ir::Op& op, F check) {
  for (const auto* list : {&op.inputs, &op.outputs})
    for (const int i : *list) {
      if (i == ir::kAbsent) continue;
      const ir::Tensor& tensor = graph.tensors[i];
      if (tensor.is_constant() &&
          (tensor.type == ir::DataType::kInt32 || tensor.type == ir::DataType::kInt64))
        continue;
      if (std::string text = check(tensor); !text.empty()) return text;
    }
  return {};
}

template <int kInput>
std::string not_constant(const ir::Graph& graph, const ir::Op& op) {
  const ir::Tensor& tensor = graph.tensors[op.inputs[kInput]];
  return tensor.is_constant() ? std::string{} : fmt::format("`{}` is computed", tensor.name);
}

std::string no_unary_table(const ir::Graph& graph, const ir::Op& op) {
  const auto table = reference::unary_table(graph, index_in(graph, op));
  return table ? std::string{} : table.error().message;
}

std::string not_a_movement(const ir::Graph& graph, const ir::Op& op) {
  for (const int input : op.inputs) {
    const ir::Tensor& tensor = graph.tensors[input];
    const bool parameter = tensor.type == ir::DataType::kInt32 || tensor.type == ir::DataType::kInt64;
    if (parameter && !tensor.is_constant()) return fmt::format("`{}` is computed", tensor.name);
  }
  const auto movements = movements_of(graph, index_in(graph, op));
  return movements ? std::string{} : movements.error().message;
}

std::string fused_activation(const ir::Graph&, const ir::Op& op) {
  const auto* a = std::get_if<ir::ConcatenationAttributes>(&op.attributes);
  return a == nullptr || a->activation == ir::Activation::kNone ? std::string{} : "a fused activation is set";
}

std::string no_softmax_parameters(const ir::Graph& graph, const ir::Op& op) {
  const auto p = reference::softmax_parameters(graph, index_in(graph, op));
  return p ? std::string{} : p.error().message;
}

std::string deep_softmax(const ir::Graph& graph, const ir::Op& op) {
  const ir::Tensor& input = graph.tensors[op.inputs[0]];
  if (input.shape.empty()) return fmt::format("`{}` is a scalar", input.name);
  return input.shape.back() < 4096 ? std::string{}
                                   : fmt::format("`{}` has {}", input.name, input.shape.back());
}

std::string no_window(const ir::Graph& graph, const ir::Op& op) {
  const auto window = reference::window_of(graph, index_in(graph, op));
  if (!window) return window.error().message;
  const auto range = reference::activation_range(std::get<ir::PoolAttributes>(op.attributes).activation,
                                                 graph.tensors[op.outputs[0]]);
  return range ? std::string{} : range.error().message;
}

// 16-bit sums, and the input part of one output in LSRAM.
constexpr int kMaxTaps = 255;
std::string wide_window(const ir::Graph& graph, const ir::Op& op) {
  const auto window = reference::window_of(graph, index_in(graph, op));
  if (!window) return window.error().message;
  const int taps = window->filter_h * window->filter_w;
  return taps <= kMaxTaps ? std::string{} : fmt::format("it has {}", taps);
}

std::string no_average_factor(const ir::Graph& graph, const ir::Op& op) {
  const auto window = reference::window_of(graph, index_in(graph, op));
  if (!window) return window.error().message;
  for (int count = 1; count <= window->filter_h * window->filter_w; ++count)
    if (average_factor(count) == 0) return fmt::format("there is none for {} values", count);
  return {};
}

constexpr Constraint kEightBit{"All activations are 8-bit", not_eight_bit};
constexpr Constraint kInt8{"All activations are int8", not_int8};
constexpr Constraint kPerTensor{"Activations have one scale and zero point per tensor",
                                per_channel_activation};
constexpr Constraint kSize{"Every tensor is smaller than 16 MiB", too_large};
constexpr Constraint kMoves{"Shapes and parameters are constant, strides positive, scales whole numbers",
                            not_a_movement};

constexpr std::array kUnary{kEightBit, kPerTensor, kSize,
                            Constraint{"The operator maps one byte to one byte", no_unary_table}};
constexpr std::array kMovement{kEightBit, kPerTensor, kSize, kMoves};
constexpr std::array kConcatenation{kEightBit, kPerTensor, kSize, kMoves,
                                    Constraint{"There is no fused activation", fused_activation}};
constexpr std::array kSoftmax{kInt8, kPerTensor, kSize,
                              Constraint{"Scales are those of the reference kernel", no_softmax_parameters},
                              Constraint{"The last dimension has fewer than 4096 values", deep_softmax}};

constexpr Constraint kWindow{"Shapes and fused activation are those of TFLite's kernel", no_window};
constexpr Constraint kTaps{"The window has at most 255 positions", wide_window};
constexpr std::array kMaxPool{kInt8, kPerTensor, kSize, kWindow, kTaps};
constexpr std::array kAveragePool{
    kInt8,   kPerTensor, kSize,
    kWindow, kTaps,      Constraint{"An exact fp32 factor exists for every count", no_average_factor}};
constexpr std::array kMean{
    kInt8, kPerTensor, kSize,
    Constraint{"The axes are constant, and are height and width of an NHWC tensor", mean_axes},
    Constraint{"At most 255 values make one mean", wide_mean}};
constexpr std::array kBilinear{kInt8, kPerTensor, kSize, Constraint{"The size is constant", not_constant<1>}};
constexpr Constraint kShapes{"Both inputs have the output's shape, or one is constant", operand_shapes};
constexpr std::array kSum{kInt8, kPerTensor, kSize, kShapes,
                          Constraint{"Scales are those of the reference kernel", no_sum_form}};
constexpr std::array kProduct{kInt8, kPerTensor, kSize, kShapes,
                              Constraint{"The multiplier has no overflowing left shift", no_product_form}};

}  // namespace

std::string not_int8(const ir::Graph& graph, const ir::Op& op) {
  return for_activations(graph, op, [](const ir::Tensor& tensor) {
    return tensor.type == ir::DataType::kInt8
               ? std::string{}
               : fmt::format("`{}` is {}", tensor.name, ir::to_string(tensor.type));
  });
}

std::string not_eight_bit(const ir::Graph& graph, const ir::Op& op) {
  return for_activations(graph, op, [](const ir::Tensor& tensor) {
    return tensor.type == ir::DataType::kInt8 || tensor.type == ir::DataType::kUint8
               ? std::string{}
               : fmt::format("`{}` is {}", tensor.name, ir::to_string(tensor.type));
  });
}

std::string per_channel_activation(const ir::Graph& graph, const ir::Op& op) {
  return for_activations(graph, op, [](const ir::Tensor& tensor) {
    return tensor.quant.per_channel()
               ? fmt::format("`{}` has {} scales", tensor.name, tensor.quant.scale.size())
               : std::string{};
  });
}

std::string too_large(const ir::Graph& graph, const ir::Op& op) {
  return for_activations(graph, op, [](const ir::Tensor& tensor) {
    return tensor.bytes() < (std::int64_t{1} << 24)
               ? std::string{}
               : fmt::format("`{}` has {} bytes", tensor.name, tensor.bytes());
  });
}

std::span<const Constraint> unary_constraints() { return kUnary; }
std::span<const Constraint> movement_constraints() { return kMovement; }
std::span<const Constraint> concatenation_constraints() { return kConcatenation; }
std::span<const Constraint> softmax_constraints() { return kSoftmax; }
std::span<const Constraint> max_pool_constraints() { return kMaxPool; }
std::span<const Constraint> average_pool_constraints() { return kAveragePool; }
std::span<const Constraint> mean_constraints() { return kMean; }
std::span<const Constraint> bilinear_constraints() { return kBilinear; }
std::span<const Constraint> sum_constraints() { return kSum; }
std::span<const Constraint> product_constraints() { return kProduct; }

}  // namespace zynpu::compiler
