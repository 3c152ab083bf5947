// SPDX-License-Identifier: MIT
#include "runtime/drm/buffer.h"

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <sys/mman.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <limits>

namespace zynpu::runtime::drm {
namespace {

constexpr std::uint64_t kMaxAlignment = 1 << 20;  // of the driver's interface
constexpr std::uint64_t kAddressSpace = std::uint64_t{1} << 32;

Result<drm_zynpu_bo_create> create_object(Device& device, std::uint64_t bytes, std::uint64_t alignment) {
  if (bytes == 0) return fail(ErrorCode::kInvalidArgument, "a buffer of 0 bytes");
  if (!std::has_single_bit(alignment) || alignment > kMaxAlignment)
    return fail(ErrorCode::kInvalidArgument, "buffer alignment {} is not a power of two up to {}", alignment,
                kMaxAlignment);
  if (bytes > device.part().window_bytes)
    return fail(ErrorCode::kOutOfMemory, "device buffer of {} bytes: the window has {}", bytes,
                device.part().window_bytes);
  drm_zynpu_bo_create create{};
  create.size = bytes;
  create.alignment = static_cast<std::uint32_t>(alignment);
  ZYNPU_TRY(device.call(DRM_IOCTL_ZYNPU_BO_CREATE, &create, fmt::format("allocate {} bytes", bytes)));
  device.hold(create.handle);
  if (create.size < bytes) {
    device.release(create.handle);
    return fail(ErrorCode::kInternal, "{}: the kernel gave {} bytes for {}", device.path(), create.size,
                bytes);
  }
  return create;
}

Status hand_over(Device& device, std::uint32_t handle) {
  drm_zynpu_bo_fini fini{};
  fini.handle = handle;
  return device.call(DRM_IOCTL_ZYNPU_BO_FINI, &fini, "hand a buffer to the NPU");
}

}  // namespace

Result<std::unique_ptr<DrmBuffer>> DrmBuffer::create(Device& device, std::uint64_t bytes,
                                                     std::uint64_t alignment) {
  ZYNPU_ASSIGN_OR_RETURN(const drm_zynpu_bo_create object, create_object(device, bytes, alignment));
  std::unique_ptr<DrmBuffer> buffer(new DrmBuffer(device));
  ZYNPU_TRY(
      buffer->set_up(object.handle, object.device_address, device.fd(), object.size, object.mmap_offset));
  buffer->bytes_ = bytes;
  ZYNPU_TRY(buffer->sync_for_device());
  return buffer;
}

Result<int> DrmBuffer::create_shared(Device& device, std::uint64_t bytes) {
  if (bytes == 0 || bytes > device.part().window_bytes)
    return fail(ErrorCode::kInvalidArgument, "shared memory of {} bytes; the window has {}", bytes,
                device.part().window_bytes);
  ZYNPU_ASSIGN_OR_RETURN(const drm_zynpu_bo_create object, create_object(device, bytes, 1));
  drm_prime_handle prime{};
  prime.handle = object.handle;
  prime.flags = O_RDWR | O_CLOEXEC;
  Status shared = hand_over(device, object.handle);
  if (shared)
    shared = device.call(DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime, fmt::format("share {} bytes", bytes));
  // From here on the descriptor alone keeps the memory.
  device.release(object.handle);
  if (!shared) return tl::unexpected<Error>(shared.error());
  return prime.fd;
}

Result<std::unique_ptr<DrmBuffer>> DrmBuffer::import(Device& device, int dma_buf) {
  ZYNPU_ASSIGN_OR_RETURN(const std::uint32_t handle, device.import(dma_buf));
  std::unique_ptr<DrmBuffer> buffer(new DrmBuffer(device));
  buffer->handle_ = handle;
  drm_zynpu_bo_info object{};
  object.handle = handle;
  ZYNPU_TRY(device.call(DRM_IOCTL_ZYNPU_BO_INFO, &object, "ask for an imported buffer"));
  if ((object.flags & DRM_ZYNPU_BO_IMPORTED) == 0) {
    ZYNPU_TRY(buffer->set_up(handle, object.device_address, device.fd(), object.size, object.mmap_offset));
    return buffer;
  }
  buffer->dma_buf_ = device.system().duplicate(dma_buf);
  if (buffer->dma_buf_ < 0)
    return tl::unexpected<Error>(
        error_of(errno, device.path(), fmt::format("keep file descriptor {}", dma_buf)));
  ZYNPU_TRY(buffer->set_up(handle, object.device_address, buffer->dma_buf_, object.size, 0));
  // Some exporters refuse an end of an access that never began, and the first user may only write.
  ZYNPU_TRY(buffer->sync_dma_buf(DMA_BUF_SYNC_START));
  return buffer;
}

Status DrmBuffer::set_up(std::uint32_t handle, std::uint64_t device_address, int fd,
                         std::uint64_t mapped_bytes, std::uint64_t offset) {
  handle_ = handle;
  if (mapped_bytes == 0 || mapped_bytes > kAddressSpace || device_address > kAddressSpace - mapped_bytes)
    return fail(ErrorCode::kInternal, "{}: the kernel put {} bytes at device address {:#x}", device_.path(),
                mapped_bytes, device_address);
  device_address_ = static_cast<std::uint32_t>(device_address);
  void* host = device_.system().mmap(mapped_bytes, fd, offset);
  if (host == MAP_FAILED)
    return tl::unexpected<Error>(error_of(errno, device_.path(), fmt::format("map {} bytes", mapped_bytes)));
  host_ = static_cast<std::uint8_t*>(host);
  bytes_ = mapped_bytes_ = mapped_bytes;
  return {};
}

DrmBuffer::~DrmBuffer() {
  if (host_ != nullptr) device_.system().munmap(host_, mapped_bytes_);
  if (dma_buf_ >= 0) device_.system().close(dma_buf_);
  if (handle_ != 0) device_.release(handle_);
}

Status DrmBuffer::sync_for_device() {
  // An access that is over may be ended again: callers synchronise before every job, written or not.
  return dma_buf_ >= 0 ? sync_dma_buf(DMA_BUF_SYNC_END) : hand_over(device_, handle_);
}

Status DrmBuffer::sync_for_cpu() {
  drm_zynpu_bo_prep prep{};
  prep.handle = handle_;
  prep.flags = DRM_ZYNPU_PREP_READ | DRM_ZYNPU_PREP_WRITE;
  prep.timeout_ns = std::numeric_limits<std::int64_t>::max();
  ZYNPU_TRY(device_.call(DRM_IOCTL_ZYNPU_BO_PREP, &prep, "take a buffer back from the NPU"));
  return dma_buf_ >= 0 ? sync_dma_buf(DMA_BUF_SYNC_START) : Status{};
}

Status DrmBuffer::sync_dma_buf(std::uint64_t edge) {
  dma_buf_sync sync{};
  sync.flags = edge | DMA_BUF_SYNC_RW;
  for (;;) {
    if (device_.system().ioctl(dma_buf_, DMA_BUF_IOCTL_SYNC, &sync) == 0) return {};
    // The interface asks for another try after either.
    if (errno != EINTR && errno != EAGAIN)
      return tl::unexpected<Error>(error_of(errno, device_.path(), "synchronise an imported buffer"));
  }
}

}  // namespace zynpu::runtime::drm
