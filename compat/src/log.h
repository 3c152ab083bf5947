// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace zynpu::compat {

// Writes one line to the error output unless UMD_LOG_LEVEL says 6 (CLOSE); standard-api.md 9.
void log(const std::string& line);

}  // namespace zynpu::compat
