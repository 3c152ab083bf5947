// SPDX-License-Identifier: MIT
// The text that a v1/v2 program printed, from a copy of its printf tensor (standard-api.md 7, aipu_printf).
#pragma once

#include <cstdint>

namespace zynpu::compat {

// `base`: {i32 overwritten, i32 write_offset}, then a ring of `bytes` - 8 characters. Written to `file`,
// which is created but not truncated, or behind "LOG DUMP:" to the standard output if it is null. False: it
// cannot be.
bool print_log(const char* base, std::uint32_t bytes, const char* file);

}  // namespace zynpu::compat
