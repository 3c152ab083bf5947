// SPDX-License-Identifier: MIT
// CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED.
#pragma once

#include <span>

#include "compiler/codegen/layer.h"
#include "compiler/kernels/kernel.h"

namespace zynpu::compiler {

std::span<const Constraint> conv_constraints();
std::span<const Constraint> depthwise_constraints();
std::span<const Constraint> fully_connected_constraints();

Result<LayerProgram> lower_conv(const LoweringContext& context, const ir::Op& op);

}  // namespace zynpu::compiler
