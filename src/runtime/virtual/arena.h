// SPDX-License-Identifier: MIT
// The memory behind an in-process virtual NPU: a sparse window of host memory that is the device's DDR,
// handed out in page-granular buffers. Addresses outside live buffers are not backed, as behind an IOMMU.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/error.h"
#include "part/part.h"
#include "runtime/backend.h"
#include "vnpu/bus.h"

namespace zynpu::runtime {

// Bus address of device address 0. Z1 translates nothing. For Z2 (ASE) and X2 (ASID) a base above 4 GiB makes
// a missing translation visible; its low half is 0, so that the low half of a TCB's bus address is also its
// ASID0 offset (host-interface.md 2.11 and tec-semantics.md 10 describe `next` in these two ways).
std::uint64_t bus_base(const part::Part& part);

// Thread-safe: buffers may come and go on any thread while the device runs on another.
class Arena final : public vnpu::Bus {
 public:
  // Buffers begin at this device address or above: 0 means "end of chain" in a TCB and stays unmapped.
  static constexpr std::uint32_t kFirstAddress = 0x10000;
  static constexpr std::uint32_t kPageBytes = 4096;
  // X2 may read this far past a buffer (host-interface.md 3.2); the bytes are mapped and belong to nobody.
  static constexpr std::uint32_t kOverreadBytes = 0x800;

  // Reserves the part's device window. kOutOfMemory if the host refuses.
  static Result<std::unique_ptr<Arena>> create(const part::Part& part);
  ~Arena() override;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Zeroed device memory; `alignment` is a power of two. The arena must outlive the buffer.
  Result<std::unique_ptr<Buffer>> allocate(std::uint64_t bytes, std::uint64_t alignment);
  // The memory behind a file descriptor (memfd or dma-buf) as device memory, whole pages of it. A file that
  // could shrink under the device is refused.
  Result<std::unique_ptr<Buffer>> import(int fd);
  // Bytes in live buffers, padding included.
  std::uint64_t allocated_bytes() const;

  bool read(std::uint64_t address, std::span<std::uint8_t> data) override;
  bool write(std::uint64_t address, std::span<const std::uint8_t> data) override;
  std::uint8_t* direct(std::uint64_t address, std::uint64_t bytes) override;
  void set_irq(bool level) override { irq_.store(level, std::memory_order_release); }
  bool irq() const { return irq_.load(std::memory_order_acquire); }

 private:
  class ArenaBuffer;
  Arena(std::uint64_t base, std::uint64_t window, std::uint8_t* memory);
  // A free range, 0 if there is none, and its booking. Both expect mutex_ to be held.
  std::uint64_t find(std::uint64_t mapped, std::uint64_t alignment) const;
  std::unique_ptr<Buffer> book(std::uint64_t address, std::uint64_t bytes, std::uint64_t mapped);
  void release(std::uint32_t address, std::uint32_t bytes);

  const std::uint64_t base_;
  const std::uint64_t window_;
  std::uint8_t* const memory_;
  std::vector<std::atomic<std::uint8_t>> mapped_;  // one entry a page
  std::atomic<bool> irq_{false};
  mutable std::mutex mutex_;
  std::map<std::uint32_t, std::uint32_t> used_;  // device address -> bytes mapped; guarded by mutex_
  std::uint64_t allocated_ = 0;                  // guarded by mutex_
};

}  // namespace zynpu::runtime
