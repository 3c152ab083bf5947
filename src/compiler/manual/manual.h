// SPDX-License-Identifier: MIT
// The page of operators, written from the kernel table.
#pragma once

#include <string>

namespace zynpu::compiler {

// The whole of docs/operators.md. The same on every call.
std::string operators_manual();

}  // namespace zynpu::compiler
