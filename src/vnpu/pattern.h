// SPDX-License-Identifier: MIT
// The bytes that one end of a DMA request touches.
#pragma once

#include <algorithm>
#include <cstdint>

namespace zynpu::vnpu {

// The bytes [base + o * outer_stride + i * stride, + width) for o < outer, i < count. Addresses of one space.
struct Pattern {
  std::uint64_t base = 0;
  std::uint64_t width = 0;
  std::uint64_t count = 1, stride = 0;
  std::uint64_t outer = 1, outer_stride = 0;

  // One chunk past the last byte; base is the first. Counts and width are at least 1.
  std::uint64_t end() const { return base + (outer - 1) * outer_stride + (count - 1) * stride + width; }
  std::uint64_t bytes() const { return width * count * outer; }
  std::uint64_t chunk(std::uint64_t o, std::uint64_t i) const { return base + o * outer_stride + i * stride; }

  // The same bytes with as few chunks as possible.
  Pattern joined() const {
    Pattern p = *this;
    if (p.stride == p.width) p.width *= p.count, p.count = 1;
    if (p.count == 1 && p.outer > 1 && p.outer_stride == p.width) p.width *= p.outer, p.outer = 1;
    if (p.count == 1 && p.outer > 1) p.count = p.outer, p.stride = p.outer_stride, p.outer = 1;
    return p;
  }

  // Does some byte lie in [address, address + length)?
  bool touches(std::uint64_t address, std::uint64_t length) const {
    if (address >= end() || address + length <= base) return false;
    for (std::uint64_t o = 0; o < outer; ++o) {
      const std::uint64_t row = base + o * outer_stride;
      if (address + length <= row) continue;
      // The last chunk that begins before the end of the range reaches farthest into it.
      const std::uint64_t last = stride == 0 ? 0 : std::min((address + length - 1 - row) / stride, count - 1);
      if (row + last * stride + width > address) return true;
    }
    return false;
  }

  bool touches(const Pattern& other) const {
    if (other.base >= end() || other.end() <= base) return false;
    const bool mine = count * outer <= other.count * other.outer;
    const Pattern& few = mine ? *this : other;
    const Pattern& many = mine ? other : *this;
    for (std::uint64_t o = 0; o < few.outer; ++o)
      for (std::uint64_t i = 0; i < few.count; ++i)
        if (many.touches(few.chunk(o, i), few.width)) return true;
    return false;
  }
};

}  // namespace zynpu::vnpu
