// SPDX-License-Identifier: MIT
// Everything outside the cores: the bus behind the part's address translation, and the cluster scratchpad
// (GM).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "part/part.h"
#include "vnpu/bus.h"

namespace zynpu::vnpu {

inline constexpr unsigned kSpaces = 4;  // ASID0..3 on X2, ASE0..3 on Z2; Z1 has one

enum class Fault : std::uint8_t {
  kNone,
  kOutside,      // not an address of the window
  kNotReadable,  // the window's read enable is clear
  kNotWritable,
  kUnmapped,  // nothing behind the bus address
};
std::string_view fault_reason(Fault fault);

// How a space maps device addresses to the bus: bus = base + address for address < bytes.
struct Window {
  std::uint64_t base = 0;
  std::uint64_t bytes = 0;  // 0: the space is not configured
  bool readable = false, writable = false;
};

// GM in place of DDR for the bus addresses [base, base + bytes).
struct GmRemap {
  std::uint64_t base = 0, bytes = 0;
  std::uint32_t offset = 0;  // in GM
};

class SystemMemory {
 public:
  SystemMemory(Bus& bus, std::uint32_t gm_bytes);

  // New translation; also drops host pointers of earlier mappings. Call refresh() before each start.
  void set_window(unsigned space, const Window& window);
  const Window& window(unsigned space) const { return windows_[space]; }
  void set_gm(std::span<const GmRemap> remaps);
  bool gm_on() const { return !remaps_.empty(); }
  void refresh();
  void poison_gm();

  // The bus address of [address, address + bytes) in `space`, if it may be accessed that way.
  Fault translate(unsigned space, std::uint32_t address, std::uint64_t bytes, bool write,
                  std::uint64_t& bus) const;
  bool in_gm(std::uint64_t bus) const { return gm_on() && find_remap(bus) != nullptr; }

  // Access by bus address, through the remap. False if some byte is not mapped.
  bool read(std::uint64_t bus, std::span<std::uint8_t> data);
  bool write(std::uint64_t bus, std::span<const std::uint8_t> data);
  // Host memory behind the range, or nullptr: then use read and write. Valid until the next refresh() or
  // change.
  std::uint8_t* direct(std::uint64_t bus, std::uint64_t bytes);

  // Straight to and from GM, for the grid's synchronisation commands.
  std::span<std::uint8_t> gm() { return gm_; }
  Bus& bus() { return bus_; }

 private:
  const GmRemap* find_remap(std::uint64_t bus) const;
  std::uint8_t* page(std::uint64_t bus);  // of the 4-KiB page that holds `bus`, or nullptr

  struct CachedPage {
    std::uint64_t number = ~std::uint64_t{0};
    std::uint8_t* host = nullptr;
  };

  Bus& bus_;
  std::array<Window, kSpaces> windows_{};
  std::vector<GmRemap> remaps_;
  std::vector<std::uint8_t> gm_;
  std::array<CachedPage, 1024> pages_{};
};

}  // namespace zynpu::vnpu
