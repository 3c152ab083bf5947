// SPDX-License-Identifier: MIT
// What the graph fuzzers do with one input; also called by the program that makes their seeds, which tries
// them out.
#pragma once

#include <cstdint>
#include <span>

namespace zynpu::graph {

// Each puts right what a random input would be refused for at once (magic, file_size, the container around a
// plan), reads, and aborts with a message if the reader accepted something unstable (tests/graph/stable.h).
void fuzz_bin(std::span<const std::uint8_t> data);
void fuzz_elf(std::span<const std::uint8_t> data);
void fuzz_plan(std::span<const std::uint8_t> data);

}  // namespace zynpu::graph
