// SPDX-License-Identifier: MIT
#include "runtime/drm/backend.h"

#include "runtime/drm/buffer.h"
#include "runtime/drm/device.h"
#include "runtime/drm/job.h"

namespace zynpu::runtime::drm {
namespace {

std::string describe(const Device& device) {
  return fmt::format("{}{}, kernel driver", device.is_virtual() ? "virtual " : "", device.part().description);
}

class DrmBackend final : public Backend {
 public:
  explicit DrmBackend(std::unique_ptr<Device> device) : device_(std::move(device)) {}

  const part::Part& part() const override { return device_->part(); }
  bool is_virtual() const override { return device_->is_virtual(); }
  std::string description() const override { return describe(*device_); }
  Result<std::unique_ptr<Buffer>> allocate(std::uint64_t bytes, std::uint64_t alignment) override {
    return DrmBuffer::create(*device_, bytes, alignment);
  }
  Result<std::unique_ptr<BackendJob>> prepare(const JobDescription& description) override {
    return DrmJob::create(*device_, description);
  }
  Result<int> create_shared(std::uint64_t bytes) override {
    return DrmBuffer::create_shared(*device_, bytes);
  }
  void destroy_shared(int fd) override { device_->system().close(fd); }
  Result<std::unique_ptr<Buffer>> import_shared(int fd) override { return DrmBuffer::import(*device_, fd); }

 private:
  const std::unique_ptr<Device> device_;
};

}  // namespace

std::vector<Node> nodes(System& system) {
  std::vector<Node> found;
  for (std::string& path : system.device_files())
    if (const auto device = Device::open(path, system))
      found.push_back({.path = std::move(path),
                       .part = &(*device)->part(),
                       .is_virtual = (*device)->is_virtual(),
                       .description = describe(**device)});
  return found;
}

Result<std::unique_ptr<Backend>> open(const std::string& path, System& system) {
  ZYNPU_ASSIGN_OR_RETURN(std::unique_ptr<Device> device, Device::open(path, system));
  return std::make_unique<DrmBackend>(std::move(device));
}

}  // namespace zynpu::runtime::drm
