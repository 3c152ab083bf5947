// SPDX-License-Identifier: MIT
#pragma once

#include "ir/graph.h"

namespace zynpu::compiler {

// Computes what does not depend on the graph's inputs: SHAPE of any tensor, and every stateless operator
// whose inputs are all constant (so also the SHAPE, STRIDED_SLICE, PACK chain behind a RESHAPE). reference/
// computes the values. What reference/ cannot compute, what a graph output needs and what would take much
// memory stays. Then removes what is dead. The result is valid if `graph` is valid, but for shapes that turn
// out not to be what they said: validate() again.
void fold_constants(ir::Graph& graph);

}  // namespace zynpu::compiler
