// SPDX-License-Identifier: MIT
// Task control blocks of X2 (tec-semantics.md 10, host-interface.md 2.11, graph-format.md 8.3).
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

namespace zynpu::vnpu {

inline constexpr unsigned kTcbBytes = 128;

enum class TcbType : std::uint8_t { kInit = 0, kTask = 1, kLoop = 2 };
enum class Dependency : std::uint8_t { kNone = 0, kImmediate = 1, kAll = 2 };

// The bytes of one block, with its fields by name.
struct Tcb {
  std::uint64_t address = 0;  // bus address it was read from
  std::array<std::uint8_t, kTcbBytes> bytes{};

  std::uint32_t word(unsigned offset) const {
    std::uint32_t value;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
  }
  std::uint16_t half(unsigned offset) const {
    std::uint16_t value;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
  }
  std::uint64_t quad(unsigned offset) const { return word(offset) | std::uint64_t{word(offset + 4)} << 32; }

  std::uint32_t flags() const { return word(0); }
  unsigned type() const { return flags() & 0xF; }
  unsigned dependency() const { return flags() >> 4 & 3; }
  bool group_end() const { return (flags() & 1u << 6) != 0; }
  bool grid_end() const { return (flags() & 1u << 7) != 0; }
  bool end_with_destroy() const { return (flags() & 1u << 8) != 0; }
  unsigned segment_mmu_mask() const { return flags() >> 16 & 0x1F; }
  std::uint32_t next() const { return word(4); }

  // Task TCB.
  std::uint32_t start_pc() const { return word(12); }
  std::uint32_t interrupts() const { return word(16); }
  std::uint16_t task_id() const { return half(26); }
  std::uint32_t own_address() const { return word(108); }

  // Init TCB.
  std::uint32_t gm_control() const { return word(16); }
  std::uint32_t gm_region_control(unsigned region) const { return word(24 + 4 * region); }
  std::uint64_t gm_region_base(unsigned region) const { return quad(32 + 8 * region); }
  std::uint64_t asid(unsigned n) const { return quad(48 + 8 * n); }

  // Segment-MMU TCB: one block for each of two cores.
  std::uint32_t segment_control(unsigned which) const { return word(which == 0 ? 24 : 88); }
  std::uint32_t segment_word(unsigned which, unsigned n) const {
    return word((which == 0 ? 32 : 96) + 4 * n);
  }
};

}  // namespace zynpu::vnpu
