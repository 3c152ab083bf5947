// SPDX-License-Identifier: MIT
// Areas of the 32 KiB local memory of a TEC, planned at compile time.
#pragma once

#include <cstdint>

#include "compiler/codegen/layer.h"
#include "part/part.h"

namespace zynpu::compiler {

// Hands out areas from the bottom up. Addresses are full device addresses.
class LsramPlan {
 public:
  // `bytes` at a multiple of `align` (a power of two). Overflow is remembered, not reported here.
  std::uint32_t take(std::uint64_t bytes, std::uint32_t align = 64) {
    used_ = (used_ + align - 1) / align * align;
    const std::uint64_t at = used_;
    used_ += bytes;
    return static_cast<std::uint32_t>(part::kLsramBase + (fits() ? at : 0));
  }
  std::uint64_t used() const { return used_; }
  bool fits() const { return used_ <= kLsramUsable; }

 private:
  std::uint64_t used_ = 0;
};

}  // namespace zynpu::compiler
