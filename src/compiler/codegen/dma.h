// SPDX-License-Identifier: MIT
// DMA descriptors (tec-semantics.md 7.2, 7.3): direct mode only, repeat count 1. They hold strides and sizes,
// no addresses, so they are constants of a layer.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "base/error.h"

namespace zynpu::compiler {

inline constexpr std::uint32_t kDescriptorSlot = 64;  // bytes; the engine fetches whole lines

// One direct transfer: `count` chunks of `width` bytes; chunk c is at c * ddr_stride and c * lsram_stride.
struct Transfer {
  std::uint32_t width = 0;
  std::uint32_t count = 1;
  std::uint32_t ddr_stride = 0;
  std::uint32_t lsram_stride = 0;

  // `bytes` contiguous bytes on both sides.
  static Transfer contiguous(std::uint32_t bytes) { return {bytes, 1, bytes, bytes}; }
  std::uint64_t bytes() const { return std::uint64_t{width} * count; }
  friend auto operator<=>(const Transfer&, const Transfer&) = default;
};

using DescriptorWords = std::array<std::uint32_t, 6>;

// The descriptor of a transfer. Chunks that touch on both sides are merged. kInvalidArgument if a width,
// stride or size is zero or beyond the hardware's limits (width 65535, stride and size below 2^24).
Result<DescriptorWords> describe(const Transfer& transfer);

// Descriptors of one layer, equal ones shared, in 64-byte slots.
class DescriptorTable {
 public:
  // Byte offset of the descriptor in the table.
  Result<std::uint32_t> add(const Transfer& transfer);
  const std::vector<std::uint8_t>& bytes() const { return bytes_; }

 private:
  std::map<DescriptorWords, std::uint32_t> offsets_;
  std::vector<std::uint8_t> bytes_;
};

}  // namespace zynpu::compiler
