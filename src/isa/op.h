// SPDX-License-Identifier: MIT
// The operations of the TEC instruction set. The enumerators come from the one instruction table (ops.inc).
#pragma once

#include <cstddef>
#include <cstdint>

namespace zynpu::isa {

// One enumerator per form of the encoding tables: k + id (add is kAdd, add with an immediate is kAddi, the
// vector form is kVadd ...). kNop comes first, the two-word forms kDma and kAiff last; kCount is their
// number.
enum class Op : std::uint8_t {
#define ZYNPU_OP(name, ...) k##name,
#include "isa/ops.inc"
#undef ZYNPU_OP
  kCount
};

inline constexpr std::size_t kOpCount = static_cast<std::size_t>(Op::kCount);

}  // namespace zynpu::isa
