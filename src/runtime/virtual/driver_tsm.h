// SPDX-License-Identifier: MIT
#pragma once

#include "part/registers_x2.h"
#include "runtime/virtual/driver.h"

namespace zynpu::runtime {

// Host driver of X2: command pool 0, one chain at a time (create, dispatch, wait, destroy;
// host-interface.md 2.9).
class TsmDriver final : public HostDriver {
 public:
  TsmDriver(const part::Part& part, vnpu::Device& device, std::uint64_t bus_base);
  Status initialise() override;
  Status start(const StartRequest& request) override;
  Outcome service_interrupt() override;
  Status finish() override;

 private:
  // Issues a command for pool 0; false if the scheduler refused it.
  bool command(part::x2::Command command, std::uint32_t flags = 0);
  void destroy_pool();

  const part::Part& part_;
  vnpu::Device& device_;
  const std::uint64_t bus_base_;
  TcbChain chain_;
  std::uint16_t tag_ = 0;
};

}  // namespace zynpu::runtime
