// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "runtime/backend.h"
#include "runtime/drm/device.h"

namespace zynpu::runtime::drm {

// A buffer object of the kernel, mapped.
class DrmBuffer final : public Buffer {
 public:
  static Result<std::unique_ptr<DrmBuffer>> create(Device& device, std::uint64_t bytes,
                                                   std::uint64_t alignment);
  ~DrmBuffer() override;

  std::span<std::uint8_t> host() override { return {host_, static_cast<std::size_t>(bytes_)}; }
  std::uint32_t device_address() const override { return device_address_; }
  std::uint64_t bytes() const override { return bytes_; }
  Status sync_for_device() override;
  Status sync_for_cpu() override;

  std::uint32_t handle() const { return handle_; }
  const Device& device() const { return device_; }

 private:
  DrmBuffer(Device& device, std::uint64_t bytes) : device_(device), bytes_(bytes) {}

  Device& device_;
  const std::uint64_t bytes_;
  std::uint64_t mapped_bytes_ = 0;
  std::uint32_t handle_ = 0;
  std::uint32_t device_address_ = 0;
  std::uint8_t* host_ = nullptr;
};

}  // namespace zynpu::runtime::drm
