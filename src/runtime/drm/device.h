// SPDX-License-Identifier: MIT
// An open device file of the zynpu driver: calls with their errors in words.
#pragma once

#include <drm/zynpu_accel.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/error.h"
#include "part/part.h"
#include "runtime/drm/system.h"

namespace zynpu::runtime::drm {

// Thread-safe.
class Device {
 public:
  static Result<std::unique_ptr<Device>> open(const std::string& path, System& system);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  // Repeats calls that a signal broke off. 0, or the errno.
  int call(unsigned long request, void* argument);
  // The same, with `what` ("allocate 4096 bytes") in the error.
  Status call(unsigned long request, void* argument, const std::string& what);

  // Buffers by GEM handle. The kernel knows a buffer by one handle in a file, however often it is imported,
  // and one GEM_CLOSE takes it from all who have it: these count the uses, and the last release closes it.
  // hold() is the first use, of a handle that BO_CREATE gave; import() one more, of the buffer behind a
  // dma-buf.
  void hold(std::uint32_t handle);
  // kInvalidArgument: `dma_buf` is no dma-buf. kUnsupported: the NPU cannot reach its memory, with the
  // reason.
  Result<std::uint32_t> import(int dma_buf);
  void release(std::uint32_t handle);

  const std::string& path() const { return path_; }
  const part::Part& part() const { return *part_; }
  const drm_zynpu_device_info& info() const { return info_; }
  bool is_virtual() const { return (info_.flags & DRM_ZYNPU_DEVICE_VIRTUAL) != 0; }
  System& system() { return system_; }
  int fd() const { return fd_; }

 private:
  Device(std::string path, int fd, System& system) : system_(system), path_(std::move(path)), fd_(fd) {}
  Status identify();

  System& system_;
  const std::string path_;
  const int fd_;
  const part::Part* part_ = nullptr;
  drm_zynpu_device_info info_{};
  // Held over the calls that make and close handles: a number that is closed may be given anew at once.
  std::mutex handles_mutex_;
  std::map<std::uint32_t, unsigned> handles_;  // uses of each
};

// The error for an errno of the driver, in the words of its interface.
Error error_of(int number, const std::string& path, const std::string& what);

}  // namespace zynpu::runtime::drm
