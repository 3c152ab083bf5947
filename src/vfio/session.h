// SPDX-License-Identifier: MIT
// What the PCI device answers to each request of a vfio-user client.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/error.h"
#include "part/part.h"
#include "vfio/channel.h"
#include "vfio/config_space.h"
#include "vfio/engine.h"
#include "vfio/interrupts.h"
#include "vnpu/device.h"

namespace zynpu::vfio {

struct Reply {
  int error = 0;  // errno; then there is no payload
  std::vector<std::uint8_t> payload;
};

// One client's device, from power-on. Belongs to the thread of the connection. Whatever the client sends, the
// session answers it with a reply or an error, and touches no memory but its own and what the client has
// mapped.
class Session {
 public:
  static Result<std::unique_ptr<Session>> create(const part::Part& part, InterruptKind interrupts,
                                                 const vnpu::Options& options, RemoteMemory& remote);

  Reply handle(Message& request);

  Engine& engine() { return *engine_; }
  const Interrupts& interrupts() const { return interrupts_; }

 private:
  Session(const part::Part& part, InterruptKind kind) : kind_(kind), config_(part, kind) {}

  Reply version(const Message& request);
  Reply dma_map(Message& request);
  Reply dma_unmap(const Message& request);
  Reply get_info(const Message& request);
  Reply get_region_info(const Message& request);
  Reply get_irq_info(const Message& request);
  Reply set_irqs(Message& request);
  Reply region_read(const Message& request);
  Reply region_write(const Message& request);
  Reply reset();

  std::uint32_t irq_count(std::uint32_t index) const;
  int read_bar(std::uint64_t offset, std::span<std::uint8_t> data);
  int write_bar(std::uint64_t offset, std::span<const std::uint8_t> data);

  const InterruptKind kind_;
  ConfigSpace config_;
  Interrupts interrupts_;
  std::unique_ptr<Engine> engine_;
  bool agreed_ = false;  // on a version
};

}  // namespace zynpu::vfio
