// SPDX-License-Identifier: MIT
// What must hold for every byte string that a reader is given: shared by the tests and the fuzzers.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace zynpu::graph {

// Reads `file` as a graph and as a model. A refusal must name what is wrong. What is accepted must be
// writable, must read back the same and give the same bytes again, and its layout must patch only its own
// blocks. Returns what does not hold, or an empty string. `accepted` (may be null) tells whether the graph
// was accepted.
std::string instability(std::span<const std::uint8_t> file, bool* accepted = nullptr);

}  // namespace zynpu::graph
