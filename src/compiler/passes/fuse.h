// SPDX-License-Identifier: MIT
#pragma once

#include "ir/graph.h"

namespace zynpu::compiler {

// Merges operators into their neighbours where every byte of the result stays the same:
// - a PAD of rows and columns into the convolutions that read it, as explicit padding;
// - a RELU, RELU6 or RELU_N1_TO_1 into the operator before it, as its fused activation.
// Then removes what is dead. A valid graph stays valid.
void fuse(ir::Graph& graph);

}  // namespace zynpu::compiler
