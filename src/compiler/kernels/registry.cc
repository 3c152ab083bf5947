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

// In OpKind order.
const std::array kKernels{
    Kernel{OpKind::kConv2d,
           "Windows times packed weights by four-way dot products, several pixels and channels at once",
           conv_constraints(), lower_conv},
    Kernel{OpKind::kDepthwiseConv2d, "As CONV_2D, with weights that pick one channel of each lane",
           depthwise_constraints(), lower_conv},
    Kernel{OpKind::kFullyConnected, "As a CONV_2D of one pixel a row", fully_connected_constraints(),
           lower_conv},
    Kernel{OpKind::kReshape, "The output is the input's memory", {}, nullptr},
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
