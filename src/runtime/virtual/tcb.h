// SPDX-License-Identifier: MIT
// The X2 TCB chain of a job (tec-semantics.md 10, graph-format.md 8.3), built from a job description as a
// kernel driver builds it: users never write a TCB.
#pragma once

#include <cstdint>
#include <span>

#include "base/error.h"
#include "part/part.h"
#include "runtime/backend.h"

namespace zynpu::runtime {

inline constexpr std::uint32_t kTcbBytes = 128;

// Where the interesting TCBs of a chain stand, as device addresses (ASID0 offsets).
struct TcbChain {
  std::uint32_t head = 0;
  std::uint32_t first_task = 0;
  std::uint32_t last_task = 0;
};

// Bytes of the chain of `groups` groups on `part`.
std::uint64_t chain_bytes(const part::Part& part, std::size_t groups);

// Writes the chain into `memory`, which the device sees at device address `head` (4 KiB aligned, not 0) and
// bus address `bus_base` + head. `constant_page`: a readable page for groups without constants, whose pointer
// must still be valid (tec-semantics.md 3.3). kInvalidArgument names the group and the field that is wrong.
Result<TcbChain> build_chain(const part::Part& part, std::span<const GroupDescription> groups,
                             std::uint64_t bus_base, std::uint32_t head, std::uint32_t constant_page,
                             std::span<std::uint8_t> memory);

}  // namespace zynpu::runtime
