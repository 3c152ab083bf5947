// SPDX-License-Identifier: MIT
// What a device back end offers to libzynpu: buffers, jobs, fences. Implementations: virtual (in process),
// drm (the kernel driver's /dev/accel), aipu (the vendor's /dev/aipu). Addresses never leave a back end:
// callers name buffers.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "part/part.h"

namespace zynpu::runtime {

// Device memory. Freed by the destructor, which must run before the back end's. `device_address` is what
// programs see (relative to ASID0/ASE0); needed to patch parameter blocks.
class Buffer {
 public:
  virtual ~Buffer() = default;
  virtual std::span<std::uint8_t> host() = 0;  // CPU view, valid for the buffer's life
  virtual std::uint32_t device_address() const = 0;
  virtual std::uint64_t bytes() const = 0;
  // Where the memory stands on the device's bus, for interfaces that show users such addresses. Programs do
  // not see it.
  virtual std::uint64_t bus_address() const { return device_address(); }
  virtual Status sync_for_device() { return {}; }  // CPU writes become visible to the NPU
  virtual Status sync_for_cpu() { return {}; }     // NPU writes become visible to the CPU
};

// One group of tasks on one core (X2): the kernel or back end builds TCBs from it.
struct GroupDescription {
  const Buffer* text = nullptr;
  std::uint32_t text_offset = 0;  // image base
  const Buffer* parameters = nullptr;
  std::uint32_t parameter_offset = 0;
  const Buffer* stack = nullptr;  // tasks * stack_bytes; task t gets [t*stack_bytes, (t+1)*stack_bytes)
  std::uint32_t stack_bytes = 0;
  const Buffer* private_data = nullptr;  // tasks * private_bytes
  std::uint32_t private_bytes = 0;
  const Buffer* constants = nullptr;   // cp; may be null
  const Buffer* printf_log = nullptr;  // may be null; task t of the group logs at printf_offset + 1024 * t
  std::uint32_t printf_offset = 0;
  const Buffer* model_parameters = nullptr;  // dynamic shape; may be null
  enum class Dependency { kNone, kImmediate, kAll } dependency = Dependency::kNone;
};

struct JobDescription {
  // Z1, Z2: one program
  const Buffer* text = nullptr;
  std::uint32_t entry = 0;  // byte offset of the first instruction; the handler is at text + 0x10
  const Buffer* parameters = nullptr;
  const Buffer* stack = nullptr;
  // X2: groups in chain order (tasks per group = tecs_per_core)
  std::vector<GroupDescription> groups;
  std::vector<const Buffer*> buffers;  // everything the job may touch
  bool virtual_profile = false;        // programs for the virtual z1/z2; silicon back ends refuse
};

// Modelled or measured cost of the last completed run of a job.
struct JobProfile {
  bool modelled = false;  // cycles come from the virtual NPU's timing model
  std::uint64_t cycles = 0;
  std::uint64_t bundles = 0;
  std::uint64_t macs = 0;
  std::uint64_t dma_bytes = 0;
  double host_ms = 0;
  struct Region {
    std::uint64_t cycles = 0, bundles = 0, macs = 0, dma_bytes = 0;
  };
  std::vector<Region> regions;  // as given to BackendJob::set_regions
};

// A prepared, reusable job. submit/wait pairs from one thread at a time; nothing is allocated between them.
class BackendJob {
 public:
  virtual ~BackendJob() = default;
  virtual Status submit() = 0;                       // starts asynchronously
  virtual Status wait(std::int64_t timeout_ns) = 0;  // < 0: for ever. kTimeout leaves the job running
  // Stops a submitted job; its wait then fails with kCancelled. No effect otherwise. From any thread.
  virtual void cancel() = 0;
  // Device address of the instruction that failed the last run, if the back end knows it.
  virtual std::optional<std::uint32_t> fault_address() const { return std::nullopt; }
  struct Region {
    std::uint32_t begin, end;
  };  // byte ranges of the text buffer
  virtual void set_regions(std::span<const Region> regions) = 0;
  // What the runs from now on may touch beside the buffers of the description; takes the place of the list
  // before. The buffers must live until the next list, or the job's end. Not while a run is under way.
  // kInvalidArgument: a buffer of another device. kUnsupported: more than the device takes.
  virtual Status set_more_buffers(std::span<const Buffer* const> buffers) {
    static_cast<void>(buffers);  // where a device reaches all of its memory, there is nothing to tell it
    return {};
  }
  virtual const JobProfile& profile() const = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual const part::Part& part() const = 0;
  virtual bool is_virtual() const = 0;
  virtual std::string description() const = 0;
  virtual Result<std::unique_ptr<Buffer>> allocate(std::uint64_t bytes, std::uint64_t alignment) = 0;
  virtual Result<std::unique_ptr<BackendJob>> prepare(const JobDescription& description) = 0;

  // Sharing memory by file descriptors; thread-safe.
  //
  // New zeroed memory of at least `bytes`, in whole pages, as a descriptor that others can import: a dma-buf
  // where there is one. The caller owns the descriptor and gives it to destroy_shared(); buffers that were
  // imported from it keep the memory. kInvalidArgument: a size of 0 or beyond the device's window.
  // kOutOfMemory: the memory is not to be had.
  virtual Result<int> create_shared(std::uint64_t bytes) {
    return fail(ErrorCode::kUnsupported, "{} cannot share {} bytes of memory by a file descriptor",
                description(), bytes);
  }
  virtual void destroy_shared(int fd) { ::close(fd); }
  // The memory behind such a descriptor, of this back end or of another exporter, as a buffer of the size
  // that the descriptor has. The descriptor stays the caller's and may be closed afterwards. Importing it
  // again gives another buffer of the same memory. kInvalidArgument: it is no shared memory. kUnsupported:
  // the device cannot reach the memory, with the reason.
  virtual Result<std::unique_ptr<Buffer>> import_shared(int fd) {
    return fail(ErrorCode::kUnsupported, "{} cannot import file descriptor {}", description(), fd);
  }
};

}  // namespace zynpu::runtime
