// SPDX-License-Identifier: MIT
// The write-back data cache of a core, as far as programs can tell it is there (tec-semantics.md 6.3, 6.4):
// stores stay in it until written back, loads keep seeing what they first saw. Fully associative, oldest line
// out first, so that what a program gets away with does not depend on its addresses.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "part/part.h"
#include "vnpu/memory.h"

namespace zynpu::vnpu {

inline constexpr unsigned kLineBytes = part::kCacheLineBytes;
inline constexpr unsigned kCacheLines = 1024;  // 64 KiB

class DataCache {
 public:
  struct Line {
    std::uint64_t address = 0;  // bus address, a multiple of the line size
    std::array<std::uint8_t, kLineBytes> data;
    bool valid = false, dirty = false;
    bool stale = false;      // memory behind it changed since it was filled
    std::uint8_t tec = 0;    // last TEC that stored into it
    std::uint32_t pc = 0;    // and where
    std::int16_t next = -1;  // in its hash chain
  };

  explicit DataCache(SystemMemory& memory);

  // Empties the cache; dirty lines are lost.
  void clear();

  // The line of `address`, filled from memory if need be; nullptr if memory is not mapped there. Valid until
  // the next call.
  Line* get(std::uint64_t address);
  // The line if it is cached, else nullptr.
  Line* find(std::uint64_t address);

  // Writes all dirty lines to memory; returns how many there were.
  unsigned write_back();
  // Bus address of the first line that memory has refused to take since the last call, evicted or written
  // back: nothing is there any more, or it cannot be written.
  std::optional<std::uint64_t> take_refused() { return std::exchange(refused_, std::nullopt); }
  // A dirty line, or nullptr.
  const Line* any_dirty() const;
  const Line* any_dirty(std::uint8_t tec) const;

  // Could a line of [address, address + bytes) be cached? Cheap, may say yes too often.
  bool may_hold(std::uint64_t address, std::uint64_t bytes) const;

 private:
  static constexpr unsigned kChains = 2048, kFilter = 4096;

  static unsigned chain(std::uint64_t address) {
    return static_cast<unsigned>(address / kLineBytes % kChains);
  }
  static unsigned filter(std::uint64_t address) { return static_cast<unsigned>(address / 4096 % kFilter); }
  void drop(Line& line);
  void put(Line& line);

  SystemMemory& memory_;
  std::vector<Line> lines_;
  std::array<std::int16_t, kChains> chains_;
  std::array<std::uint16_t, kFilter> pages_;  // cached lines of all pages with this hash
  unsigned oldest_ = 0;
  Line* last_ = nullptr;
  std::optional<std::uint64_t> refused_;
};

// Which core stored into which line of DDR since the last store barrier (tec-semantics.md 6.4, rule 4).
// Shared by the cores of a device.
class LineOwners {
 public:
  // A barrier: everything before is visible to everything after.
  void barrier() { ++epoch_; }

  // Core `core` stores into, or its DMA writes, the line. Returns a core whose bytes may be lost, or -1: a
  // cached store of two cores, or a cached store of one and a DMA of another.
  int store(std::uint64_t line_address, unsigned core) { return note(line_address, core, true); }
  int dma(std::uint64_t line_address, unsigned core) { return note(line_address, core, false); }

 private:
  struct Lines {
    std::uint64_t epoch = 0;
    std::array<std::uint8_t, 4096 / kLineBytes> stored{}, moved{};  // bit c: core c
  };
  int note(std::uint64_t line_address, unsigned core, bool cached);

  std::unordered_map<std::uint64_t, Lines> pages_;
  Lines* last_ = nullptr;
  std::uint64_t last_page_ = ~std::uint64_t{0};
  std::uint64_t epoch_ = 1;
};

}  // namespace zynpu::vnpu
