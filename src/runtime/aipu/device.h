// SPDX-License-Identifier: MIT
// One open of /dev/aipu: identity, memory and finished jobs, with the known faults of the vendor's driver
// kept out of the way (host-interface.md 7).
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "part/part.h"
#include "runtime/aipu/uapi.h"

namespace zynpu::runtime::aipu {

inline constexpr const char* kNode = "/dev/aipu";

enum class Release { k41, k42 };

// The release of a kernel driver's version text ("6.1.0"). 4.1 is driver 6.0, 4.2 driver 6.1; later 6.x are
// taken to have kept 4.2's layouts (docs/assumptions.md). kUnsupported names older ones.
Result<Release> release_of(const std::string& version);

// A job as both releases describe it.
struct Launch {
  std::uint64_t job_id = 0;
  std::uint32_t version = 0, config = 0;  // of the part
  std::uint32_t start_pc = 0, interrupt_handler = 0, data_0 = 0, data_1 = 0, dtcm_kib = 0;
  std::uint32_t exec_flag = 0;
  std::uint64_t head = 0, first_task = 0, last_task = 0;  // X2: bus addresses; the last task is the tail
  std::uint64_t asid0_base = 0;
};

struct Mapping {
  std::uint8_t* host = nullptr;
  std::uint64_t bytes = 0;
};

// Thread-safe, except submit() and finished(), which one thread uses.
class Device {
 public:
  // kNotFound: there is no such node; kIo: it cannot be opened or used; kUnsupported: another release or
  // part.
  static Result<std::unique_ptr<Device>> open(const std::string& node);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  const part::Part& part() const { return *part_; }
  Release release() const { return release_; }
  const std::string& version() const { return version_; }
  std::uint64_t asid0_base() const { return asid0_base_; }
  std::uint32_t kernel_version() const { return kernel_version_; }
  std::uint32_t config() const { return config_; }

  // Memory and its CPU view; released by free().
  Result<BufferDescription> allocate(std::uint64_t bytes, std::uint64_t alignment, DataType type,
                                     Mapping* mapping);
  void free(const BufferDescription& description, const Mapping& mapping);

  Result<int> create_dma_buf(std::uint64_t bytes);
  void free_dma_buf(int fd);
  // A dma-buf of this device or, attached, of another one.
  Result<DmaBuf> open_dma_buf(int fd, bool* attached, Mapping* mapping);
  void close_dma_buf(const DmaBuf& buffer, bool attached, const Mapping& mapping);

  Status submit(const Launch& launch);
  // Waits up to `timeout_ms` for finished jobs of this thread; false: none came. kIo if the driver fails.
  Result<bool> finished(int timeout_ms, std::vector<StatusRecord>* records);

 private:
  explicit Device(int fd) : fd_(fd) {}
  Status identify();
  Status call(unsigned long request, void* argument, const char* what) const;

  const int fd_;
  Release release_ = Release::k42;
  std::string version_;
  const part::Part* part_ = nullptr;
  std::uint64_t asid0_base_ = 0;
  std::uint32_t kernel_version_ = 0, config_ = 0;
  std::mutex mutex_;
  std::set<std::uint64_t> own_dma_bufs_;  // inodes
};

}  // namespace zynpu::runtime::aipu
