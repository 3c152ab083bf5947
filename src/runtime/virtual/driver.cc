// SPDX-License-Identifier: MIT
#include "runtime/virtual/driver.h"

#include "runtime/virtual/driver_flat.h"
#include "runtime/virtual/driver_tsm.h"

namespace zynpu::runtime {

std::unique_ptr<HostDriver> HostDriver::create(const part::Part& part, vnpu::Device& device,
                                               std::uint64_t bus_base) {
  if (part.host_interface == part::HostInterface::kTsm)
    return std::make_unique<TsmDriver>(part, device, bus_base);
  return std::make_unique<FlatDriver>(part, device, bus_base);
}

}  // namespace zynpu::runtime
