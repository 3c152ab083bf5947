// SPDX-License-Identifier: MIT
// The device's one interrupt line, delivered as the client has set it up: MSI-X, MSI or INTx (vm-lab.md 5.4).
#pragma once

#include <array>
#include <cstdint>
#include <mutex>

#include "vfio/file_descriptor.h"
#include "vfio/protocol.h"

namespace zynpu::vfio {

// Thread-safe.
class Interrupts {
 public:
  // The level of the device's line.
  void set_level(bool high);
  // The host has acknowledged a cause: if the line is still high, a message-signalled interrupt is sent
  // again, for it stands for one cause only, as the level of a wire does not.
  void acknowledged();
  // One interrupt without a cause.
  void spurious();

  // SET_IRQS: an eventfd (or none) for `index`; taking it away disables the index.
  void attach(std::uint32_t index, FileDescriptor eventfd);
  void set_mask(bool masked);  // of INTx
  void detach_all();

  std::uint64_t sent() const;  // eventfds written since construction

 private:
  void send(std::uint32_t index);
  void raise();

  mutable std::mutex mutex_;
  std::array<FileDescriptor, 3> eventfds_;  // by index: INTx, MSI, MSI-X
  bool high_ = false;
  bool masked_ = false;
  std::uint64_t sent_ = 0;
};

}  // namespace zynpu::vfio
