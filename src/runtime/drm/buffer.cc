// SPDX-License-Identifier: MIT
#include "runtime/drm/buffer.h"

#include <sys/mman.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <limits>

namespace zynpu::runtime::drm {
namespace {

constexpr std::uint64_t kMaxAlignment = 1 << 20;  // of the driver's interface

}  // namespace

Result<std::unique_ptr<DrmBuffer>> DrmBuffer::create(Device& device, std::uint64_t bytes,
                                                     std::uint64_t alignment) {
  if (bytes == 0) return fail(ErrorCode::kInvalidArgument, "a buffer of 0 bytes");
  if (!std::has_single_bit(alignment) || alignment > kMaxAlignment)
    return fail(ErrorCode::kInvalidArgument, "buffer alignment {} is not a power of two up to {}", alignment,
                kMaxAlignment);
  auto buffer = std::unique_ptr<DrmBuffer>(new DrmBuffer(device, bytes));
  drm_zynpu_bo_create create{};
  create.size = bytes;
  create.alignment = static_cast<std::uint32_t>(alignment);
  ZYNPU_TRY(device.call(DRM_IOCTL_ZYNPU_BO_CREATE, &create, fmt::format("allocate {} bytes", bytes)));
  buffer->handle_ = create.handle;
  if (create.device_address > std::numeric_limits<std::uint32_t>::max() || create.size < bytes)
    return fail(ErrorCode::kInternal, "{}: the kernel gave {} bytes at device address {:#x} for {}",
                device.path(), create.size, create.device_address, bytes);
  buffer->device_address_ = static_cast<std::uint32_t>(create.device_address);
  void* host = device.system().mmap(create.size, device.fd(), create.mmap_offset);
  if (host == MAP_FAILED)
    return tl::unexpected<Error>(error_of(errno, device.path(), fmt::format("map {} bytes", create.size)));
  buffer->host_ = static_cast<std::uint8_t*>(host);
  buffer->mapped_bytes_ = create.size;
  ZYNPU_TRY(buffer->sync_for_device());
  return buffer;
}

DrmBuffer::~DrmBuffer() {
  if (host_ != nullptr) device_.system().munmap(host_, mapped_bytes_);
  if (handle_ == 0) return;
  drm_gem_close close{};
  close.handle = handle_;
  device_.call(DRM_IOCTL_GEM_CLOSE, &close);
}

Status DrmBuffer::sync_for_device() {
  drm_zynpu_bo_fini fini{};
  fini.handle = handle_;
  return device_.call(DRM_IOCTL_ZYNPU_BO_FINI, &fini, "hand a buffer to the NPU");
}

Status DrmBuffer::sync_for_cpu() {
  drm_zynpu_bo_prep prep{};
  prep.handle = handle_;
  prep.flags = DRM_ZYNPU_PREP_READ | DRM_ZYNPU_PREP_WRITE;
  prep.timeout_ns = std::numeric_limits<std::int64_t>::max();
  return device_.call(DRM_IOCTL_ZYNPU_BO_PREP, &prep, "take a buffer back from the NPU");
}

}  // namespace zynpu::runtime::drm
