// SPDX-License-Identifier: MIT
// How software drives the host registers of an NPU, as the kernel driver does it: identification, bring-up,
// start, interrupt service, recovery. Used by the virtual back end on a vnpu::Device.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "part/part.h"
#include "runtime/virtual/tcb.h"
#include "vnpu/device.h"

namespace zynpu::runtime {

// What is written to the registers to start one job. Device addresses.
struct StartRequest {
  // Z1, Z2
  std::uint32_t start_pc = 0;
  std::uint32_t handler_pc = 0;
  std::uint32_t parameters = 0;  // DATA_ADDR_0
  std::uint32_t stack = 0;       // DATA_ADDR_1
  // X2
  TcbChain chain;
};

// Not thread-safe: called from the thread that runs the device.
class HostDriver {
 public:
  enum class Outcome { kRunning, kDone, kFailed };

  // The driver of the device's host interface; `bus_base` is the bus address of device address 0.
  static std::unique_ptr<HostDriver> create(const part::Part& part, vnpu::Device& device,
                                            std::uint64_t bus_base);
  virtual ~HostDriver() = default;

  // Identifies the device and brings it up; also after a reset. kDeviceFault says which register has which
  // value.
  virtual Status initialise() = 0;
  // Starts a job on the idle device.
  virtual Status start(const StartRequest& request) = 0;
  // Handles the interrupt line being high: reads, clears and judges the causes.
  virtual Outcome service_interrupt() = 0;
  // Releases what start() took, after kDone.
  virtual Status finish() = 0;

  // Why the last service_interrupt returned kFailed: register-level causes, for the error text.
  const std::string& failure() const { return failure_; }

 protected:
  std::string failure_;
};

}  // namespace zynpu::runtime
