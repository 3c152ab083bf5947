// SPDX-License-Identifier: MIT
// One lowering per operator family. Each may assume that every constraint of its kernel table entry holds.
#pragma once

#include "compiler/codegen/layer.h"
#include "compiler/kernels/kernel.h"

namespace zynpu::compiler {

Result<LayerProgram> lower_unary(const LoweringContext& context, const ir::Op& op);
Result<LayerProgram> lower_movement(const LoweringContext& context, const ir::Op& op);
Result<LayerProgram> lower_mean(const LoweringContext& context, const ir::Op& op);
Result<LayerProgram> lower_pool(const LoweringContext& context, const ir::Op& op);
Result<LayerProgram> lower_elementwise(const LoweringContext& context, const ir::Op& op);
Result<LayerProgram> lower_softmax(const LoweringContext& context, const ir::Op& op);
Result<LayerProgram> lower_resize_bilinear(const LoweringContext& context, const ir::Op& op);

// The fp32 factor of an average over `count` values, as bits: rint(sum * factor) is the reference's result
// for every sum of `count` int8 values, which is checked here; 0 if the factor tried is not exact.
std::uint32_t average_factor(int count);

}  // namespace zynpu::compiler
