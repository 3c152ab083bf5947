// SPDX-License-Identifier: MIT
#include "runtime/drm/system.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace zynpu::runtime::drm {
namespace {

// Minor numbers of accel devices (the kernel has 0 to 63 of them unless it is built for more).
constexpr unsigned kMinors = 64;

class HostSystem final : public System {
 public:
  int open(const std::string& path) override { return ::open(path.c_str(), O_RDWR | O_CLOEXEC); }
  int close(int fd) override { return ::close(fd); }
  int duplicate(int fd) override { return ::fcntl(fd, F_DUPFD_CLOEXEC, 0); }
  int ioctl(int fd, unsigned long request, void* argument) override { return ::ioctl(fd, request, argument); }
  void* mmap(std::size_t bytes, int fd, std::uint64_t offset) override {
    return ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, static_cast<off_t>(offset));
  }
  int munmap(void* address, std::size_t bytes) override { return ::munmap(address, bytes); }
  std::vector<std::string> device_files() override {
    std::vector<std::string> files;
    for (unsigned minor = 0; minor < kMinors; ++minor) {
      std::string path = fmt::format("/dev/accel/accel{}", minor);
      if (::access(path.c_str(), F_OK) == 0) files.push_back(std::move(path));
    }
    return files;
  }
};

}  // namespace

System& host_system() {
  static HostSystem system;
  return system;
}

}  // namespace zynpu::runtime::drm
