// SPDX-License-Identifier: MIT
// SHA-256 (FIPS 180-4). Own code, because libaipudrv may need nothing beside the C and C++ run-time libraries
// (standard-api.md 1).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace zynpu::compat {

std::array<std::uint8_t, 32> sha256(std::span<const std::uint8_t> bytes);
// Lower-case hexadecimal digits of it.
std::string sha256_hex(std::span<const std::uint8_t> bytes);

}  // namespace zynpu::compat
