// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/virtual/driver.h"

namespace zynpu::runtime {

// Host driver of Z1 and Z2.
class FlatDriver final : public HostDriver {
 public:
  FlatDriver(const part::Part& part, vnpu::Device& device, std::uint64_t bus_base);
  Status initialise() override;
  Status start(const StartRequest& request) override;
  Outcome service_interrupt() override;
  Status finish() override { return {}; }

 private:
  bool has_ase() const;

  const part::Part& part_;
  vnpu::Device& device_;
  const std::uint64_t bus_base_;
};

}  // namespace zynpu::runtime
