// SPDX-License-Identifier: MIT
// The one list of operators that the NPU takes.
#include <algorithm>
#include <array>

#include "compiler/kernels/constraints.h"
#include "compiler/kernels/conv.h"
#include "compiler/kernels/kernel.h"
#include "compiler/kernels/lowerings.h"

namespace zynpu::compiler {
namespace {

using ir::OpKind;

constexpr std::string_view kTable =
    "Table of all 256 results, or a vector clamp or sign flip where the table is one";
constexpr std::string_view kMoves = "Strided copies by DMA";
constexpr std::string_view kSums =
    "Two-part fp32 where proven exact for every pair of operands, else fixed point by digits";

// In OpKind order.
const std::array kKernels{
    Kernel{OpKind::kConv2d,
           "Windows times packed weights by four-way dot products, several pixels and channels at once",
           conv_constraints(), lower_conv},
    Kernel{OpKind::kDepthwiseConv2d, "As CONV_2D, with weights that pick one channel of each lane",
           depthwise_constraints(), lower_conv},
    Kernel{OpKind::kFullyConnected, "As a CONV_2D of one pixel a row", fully_connected_constraints(),
           lower_conv},
    Kernel{OpKind::kAveragePool2d, "Sums by dpa, scaled in fp32 by a factor proven exact",
           average_pool_constraints(), lower_pool},
    Kernel{OpKind::kMaxPool2d, "Vector maxima over the window", max_pool_constraints(), lower_pool},
    Kernel{OpKind::kAdd, kSums, sum_constraints(), lower_elementwise},
    Kernel{OpKind::kSub, kSums, sum_constraints(), lower_elementwise},
    Kernel{OpKind::kMul, "Exact products in fp32, requantised like a convolution", product_constraints(),
           lower_elementwise},
    Kernel{OpKind::kMean, "Sums by dpa, requantised like a convolution", mean_constraints(), lower_mean},
    Kernel{OpKind::kPad, kMoves, movement_constraints(), lower_movement},
    Kernel{OpKind::kReshape, "The output is the input's memory", {}, nullptr},
    Kernel{OpKind::kConcatenation, kMoves, concatenation_constraints(), lower_movement},
    Kernel{OpKind::kRelu, kTable, unary_constraints(), lower_unary},
    Kernel{OpKind::kRelu6, kTable, unary_constraints(), lower_unary},
    Kernel{OpKind::kReluN1To1, kTable, unary_constraints(), lower_unary},
    Kernel{OpKind::kQuantize, kTable, unary_constraints(), lower_unary},
    Kernel{OpKind::kLogistic, kTable, unary_constraints(), lower_unary},
    Kernel{OpKind::kTanh, kTable, unary_constraints(), lower_unary},
    Kernel{OpKind::kHardSwish, kTable, unary_constraints(), lower_unary},
    Kernel{OpKind::kSoftmax, "Scalar fixed point with tables of the exponentials", softmax_constraints(),
           lower_softmax},
    Kernel{OpKind::kResizeNearestNeighbor, kMoves, movement_constraints(), lower_movement},
    Kernel{OpKind::kResizeBilinear, "Four neighbours times weights of three digits by four-way dot products",
           bilinear_constraints(), lower_resize_bilinear},
    Kernel{OpKind::kTranspose, kMoves, movement_constraints(), lower_movement},
    Kernel{OpKind::kSplit, kMoves, movement_constraints(), lower_movement},
    Kernel{OpKind::kStridedSlice, kMoves, movement_constraints(), lower_movement},
    Kernel{OpKind::kPack, kMoves, movement_constraints(), lower_movement},
    Kernel{OpKind::kUnpack, kMoves, movement_constraints(), lower_movement},
};

const Kernel* find(ir::OpKind kind) {
  const auto at =
      std::find_if(kKernels.begin(), kKernels.end(), [&](const Kernel& k) { return k.kind == kind; });
  return at == kKernels.end() ? nullptr : &*at;
}

}  // namespace

std::span<const Kernel> kernels() { return kKernels; }

std::string unsupported_reason(const ir::Graph& graph, const ir::Op& op) {
  const Kernel* kernel = find(op.kind);
  if (kernel == nullptr) return fmt::format("{} has no NPU kernel", ir::to_string(op.kind));
  for (const Constraint& constraint : kernel->constraints) {
    const std::string violation = constraint.violation(graph, op);
    if (!violation.empty()) return fmt::format("{}: {}", constraint.sentence, violation);
  }
  return {};
}

}  // namespace zynpu::compiler
