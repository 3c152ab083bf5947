// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace zynpu::vnpu {

inline constexpr unsigned kVectorBytes = 32;

// One vector register. Lane 0 is at the lowest address.
struct alignas(kVectorBytes) Vector {
  std::uint8_t byte[kVectorBytes];
};

}  // namespace zynpu::vnpu
