// SPDX-License-Identifier: MIT
// PCI configuration space of the virtual NPU, and its identity: the one place where that is written down.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "part/part.h"

namespace zynpu::vfio {

inline constexpr std::uint16_t kVendorId = 0x1B36, kDeviceId = 0x10F7;
inline constexpr std::uint8_t kClassCode = 0x12;  // processing accelerator
inline constexpr std::uint32_t kBarBytes = 0x10000;
// BAR 0: the NPU's registers, then the MSI-X table and its pending bits.
inline constexpr std::uint32_t kRegisterAreaBytes = 0x8000, kMsixTable = 0x8000, kMsixPending = 0x9000;

// Behind them, what a SoC has around an NPU: its reset line. Bit 0 asserts it: the NPU is in its power-on
// state, its registers read 0 and ignore writes, until the bit is cleared.
inline constexpr std::uint32_t kSocReset = 0xA000, kSocMagic = 0xA004;
inline constexpr std::uint32_t kSocMagicValue = 0x5A4E5055;  // "ZNPU"

// The subsystem device id tells drivers the part: 1, 2, 3 for z1, z2, x2.
std::uint16_t subsystem_id(const part::Part& part);

// How the device can interrupt, besides by INTx.
enum class InterruptKind { kMsix, kMsi, kIntx };

// Faults for tests of drivers, written by the guest to the vendor-specific capability (docs/lab.md).
enum class Injection : std::uint32_t {
  kNone = 0,      // ends all others
  kSpurious = 1,  // one interrupt without a cause, now
  kGone = 2,      // registers read all ones, writes vanish, no interrupts
  kGated = 3,     // registers read 0, writes vanish
  kHold = 4,      // started work does not proceed: never-ending, or late if ended by kNone
  kReport = 5,    // the next completion shows the argument's status bits in place of DONE
};

class ConfigSpace {
 public:
  static constexpr std::uint32_t kBytes = 256;
  static constexpr std::uint8_t kInterruptCapability = 0x40, kVendorCapability = 0x60;
  static constexpr std::uint8_t kInjectionCommand = kVendorCapability + 4,
                                kInjectionArgument = kVendorCapability + 8;

  ConfigSpace(const part::Part& part, InterruptKind kind);

  // Both need offset + data.size() <= kBytes. Bits that PCI makes read-only ignore writes.
  void read(std::uint32_t offset, std::span<std::uint8_t> data) const;
  void write(std::uint32_t offset, std::span<const std::uint8_t> data);
  // A write touched the injection command: what it and its argument now are.
  static bool injects(std::uint32_t offset, std::size_t bytes);
  std::uint32_t injection_command() const { return word(kInjectionCommand); }
  std::uint32_t injection_argument() const { return word(kInjectionArgument); }
  void reset();

 private:
  std::uint32_t word(std::uint32_t offset) const;
  void put(std::uint32_t offset, std::uint32_t value, unsigned bytes);
  void writable(std::uint32_t offset, std::uint32_t mask, unsigned bytes);

  std::array<std::uint8_t, kBytes> values_{}, start_{}, mask_{};
};

}  // namespace zynpu::vfio
