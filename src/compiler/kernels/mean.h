// SPDX-License-Identifier: MIT
// Checks of MEAN for the kernel table; empty if the rule holds (kernel.h).
#pragma once

#include <string>

#include "ir/graph.h"

namespace zynpu::compiler {

std::string mean_axes(const ir::Graph& graph, const ir::Op& op);  // over height and width
std::string wide_mean(const ir::Graph& graph, const ir::Op& op);  // too many values for 16-bit sums

}  // namespace zynpu::compiler
