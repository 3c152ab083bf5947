// SPDX-License-Identifier: MIT
#pragma once

#include "compiler/codegen/layer.h"
#include "compiler/kernels/kernel.h"

namespace zynpu::compiler {

// Copies tensor `from` to `to`, which has as many bytes: an alias whose both ends lie in memory of the
// caller.
Result<LayerProgram> lower_copy(const LoweringContext& context, int from, int to);

}  // namespace zynpu::compiler
