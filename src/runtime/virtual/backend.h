// SPDX-License-Identifier: MIT
// The back end that needs no hardware: an in-process vnpu::Device with its own memory, driven through its
// host registers by a thread that plays the kernel driver.
#pragma once

#include <functional>
#include <memory>

#include "runtime/backend.h"
#include "vnpu/device.h"

namespace zynpu::runtime {

// Thread-safe, except that buffers and jobs must be gone before the back end. Jobs run one after the other in
// the order of their submission; a job that fails is followed by a reset and harms no other.
class VirtualBackend : public Backend {
 public:
  static Result<std::unique_ptr<VirtualBackend>> create(const part::Part& part,
                                                        const vnpu::Options& options = {});

  // Called on the device's thread for every retired bundle of the jobs that start from now on; empty: none.
  virtual void set_trace(std::function<void(const vnpu::TraceEvent&)> trace) = 0;
};

}  // namespace zynpu::runtime
