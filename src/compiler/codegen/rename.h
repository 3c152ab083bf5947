// SPDX-License-Identifier: MIT
// Values instead of registers, for loops that are software-pipelined. Internal to codegen/.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "compiler/codegen/schedule.h"

namespace zynpu::compiler {

// A loop body whose values that live within one trip have numbers of their own, from 32 on in each register
// file.
inline constexpr unsigned kFirstValue = 32;
struct Values {
  std::vector<Node> nodes;
  unsigned gprs = 0, vectors = 0;  // how many there are
};

// Only registers of `free` that are written before they are read become values.
Values split_values(std::span<const Node> nodes, const FreeRegisters& free);

// Gives every value a register of `free`, so that no two values need one register in the same row of the
// schedule. Nothing if there are not enough.
std::optional<std::vector<Node>> assign_registers(const Values& values, std::span<const int> time, int period,
                                                  const FreeRegisters& free);

}  // namespace zynpu::compiler
