// SPDX-License-Identifier: MIT
// Checks of ADD, SUB and MUL for the kernel table; empty if the rule holds (kernel.h).
#pragma once

#include <string>

#include "ir/graph.h"

namespace zynpu::compiler {

std::string operand_shapes(const ir::Graph& graph, const ir::Op& op);   // equal shapes, or a constant
std::string no_sum_form(const ir::Graph& graph, const ir::Op& op);      // ADD, SUB
std::string no_product_form(const ir::Graph& graph, const ir::Op& op);  // MUL

}  // namespace zynpu::compiler
