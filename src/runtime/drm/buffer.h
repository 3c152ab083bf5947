// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "runtime/backend.h"
#include "runtime/drm/device.h"

namespace zynpu::runtime::drm {

// A buffer object of the kernel, mapped.
//
// Memory of another exporter (a camera, udmabuf, a dma-buf heap) stays in the hands of that exporter, also
// for the CPU's caches: the mapping and the synchronisation are those of the dma-buf. Memory of this driver
// is mapped and synchronised through the device, whichever way it came here.
class DrmBuffer final : public Buffer {
 public:
  static Result<std::unique_ptr<DrmBuffer>> create(Device& device, std::uint64_t bytes,
                                                   std::uint64_t alignment);
  // New zeroed memory as a dma-buf, which owns it: the caller closes the descriptor.
  static Result<int> create_shared(Device& device, std::uint64_t bytes);
  // The memory behind a dma-buf, all of it; the descriptor may be closed afterwards. kInvalidArgument: it is
  // no dma-buf. kUnsupported: the NPU cannot reach the memory, with the reason.
  static Result<std::unique_ptr<DrmBuffer>> import(Device& device, int dma_buf);
  ~DrmBuffer() override;

  std::span<std::uint8_t> host() override { return {host_, static_cast<std::size_t>(bytes_)}; }
  std::uint32_t device_address() const override { return device_address_; }
  std::uint64_t bytes() const override { return bytes_; }
  Status sync_for_device() override;
  Status sync_for_cpu() override;

  std::uint32_t handle() const { return handle_; }
  const Device& device() const { return device_; }

 private:
  explicit DrmBuffer(Device& device) : device_(device) {}
  // Takes over `handle` and maps `mapped_bytes` of `fd` from `offset` on.
  Status set_up(std::uint32_t handle, std::uint64_t device_address, int fd, std::uint64_t mapped_bytes,
                std::uint64_t offset);
  // DMA_BUF_SYNC_START or DMA_BUF_SYNC_END, for reading and writing.
  Status sync_dma_buf(std::uint64_t edge);

  Device& device_;
  std::uint64_t bytes_ = 0;
  std::uint64_t mapped_bytes_ = 0;
  std::uint32_t handle_ = 0;
  std::uint32_t device_address_ = 0;
  std::uint8_t* host_ = nullptr;
  int dma_buf_ = -1;  // of memory that another exporter holds; else -1
};

}  // namespace zynpu::runtime::drm
