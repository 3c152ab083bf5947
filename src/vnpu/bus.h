// SPDX-License-Identifier: MIT
// What a virtual NPU sees of the outside: memory behind it and an interrupt line.
#pragma once

#include <cstdint>
#include <span>

namespace zynpu::vnpu {

// Implemented by in-process memory (runtime) and by the PCI device of QEMU (vfio). All addresses are bus
// addresses: what remains after the part's own translation (none on Z1, ASE on Z2, ASID on X2). Called from
// the thread that runs the device; implementations used from several threads synchronise themselves.
class Bus {
 public:
  virtual ~Bus() = default;

  // Copies; false if any byte of the range is not backed by memory (then nothing is guaranteed about `data`).
  virtual bool read(std::uint64_t address, std::span<std::uint8_t> data) = 0;
  virtual bool write(std::uint64_t address, std::span<const std::uint8_t> data) = 0;

  // Fast path: host memory behind [address, address + bytes), or nullptr if the range is not contiguous host
  // memory. Valid until the mapping changes; the device calls it again after each start.
  virtual std::uint8_t* direct(std::uint64_t address, std::uint64_t bytes) = 0;

  // Level of the interrupt line after a change.
  virtual void set_irq(bool level) = 0;
};

}  // namespace zynpu::vnpu
