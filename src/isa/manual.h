// SPDX-License-Identifier: MIT
// The reference page of the instruction set, written from the instruction table.
#pragma once

#include <string>

namespace zynpu::isa {

// The whole of docs/isa.md. The same on every call.
std::string manual();

}  // namespace zynpu::isa
