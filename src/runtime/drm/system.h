// SPDX-License-Identifier: MIT
// The system calls that the back end makes, as a table, so that tests can play the kernel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace zynpu::runtime::drm {

class System {
 public:
  virtual ~System() = default;
  // As the system calls of these names: -1 (mmap: MAP_FAILED) and errno on failure.
  virtual int open(const std::string& path) = 0;  // for reading and writing
  virtual int close(int fd) = 0;
  virtual int duplicate(int fd) = 0;  // dup(), not inherited by programs that this one starts
  virtual int ioctl(int fd, unsigned long request, void* argument) = 0;
  virtual void* mmap(std::size_t bytes, int fd, std::uint64_t offset) = 0;  // shared, read and write
  virtual int munmap(void* address, std::size_t bytes) = 0;
  // The accel device files there are, in order of their numbers.
  virtual std::vector<std::string> device_files() = 0;
};

// The host's own. Thread-safe.
System& host_system();

}  // namespace zynpu::runtime::drm
