// SPDX-License-Identifier: MIT
// Little-endian words in byte vectors.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

namespace zynpu::compiler {

inline void put_word(std::vector<std::uint8_t>& out, std::uint32_t word) {
  for (unsigned byte = 0; byte < 4; ++byte) out.push_back(static_cast<std::uint8_t>(word >> 8 * byte));
}

inline void put_float(std::vector<std::uint8_t>& out, float value) {
  put_word(out, std::bit_cast<std::uint32_t>(value));
}

// Overwrites the word at `offset`, which must lie inside.
inline void set_word(std::vector<std::uint8_t>& out, std::size_t offset, std::uint32_t word) {
  for (unsigned byte = 0; byte < 4; ++byte)
    out.at(offset + byte) = static_cast<std::uint8_t>(word >> 8 * byte);
}

}  // namespace zynpu::compiler
