// SPDX-License-Identifier: MIT
// How the register tables of the parts are written: one row a register. The same rows serve the simulator's
// register file, its tests and the generated register pages of the documentation.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace zynpu::part {

enum class Access : std::uint8_t {
  kReadOnly,
  kReadWrite,
  kWriteOneClear,  // writing a one clears the bit; bits that are not causes ignore writes
};

// One 32-bit register. `offset` is a byte offset from the base of the register file.
struct Register {
  std::uint32_t offset;
  std::string_view name;
  Access access;
  std::uint32_t reset;  // after power-on
  std::uint32_t
      writable;  // mask of the bits that keep what the host writes (kReadWrite), or that it may clear
  std::string_view meaning;
};

// The row at `offset`, or nullptr.
constexpr const Register* find_register(std::span<const Register> table, std::uint32_t offset) {
  for (const Register& row : table)
    if (row.offset == offset) return &row;
  return nullptr;
}

}  // namespace zynpu::part
