// SPDX-License-Identifier: MIT
#include "runtime/aipu/backend.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <mutex>
#include <set>

#include "runtime/aipu/device.h"
#include "runtime/job_queue.h"
#include "runtime/virtual/tcb.h"

namespace zynpu::runtime::aipu {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kOverRead = 0x800;  // X2 reads past the end of weights and feature maps
constexpr int kPollMs = 1000;
constexpr std::chrono::seconds kLostAfter{10};
// The kernel's tags have 16 bits (B23); 0 is left out.
constexpr std::uint64_t kJobIds = 0xFFFF;

constexpr std::uint32_t kFlagGridEnd = 1u << 7, kFlagPreAll = 2u << 4;

class VendorDevice;

class DeviceBuffer final : public Buffer {
 public:
  DeviceBuffer(VendorDevice& owner, const BufferDescription& description, const Mapping& mapping,
               std::uint64_t bytes)
      : owner_(owner), description_(description), mapping_(mapping), bytes_(bytes) {}
  ~DeviceBuffer() override;
  std::span<std::uint8_t> host() override { return {mapping_.host, bytes_}; }
  std::uint32_t device_address() const override;
  std::uint64_t bytes() const override { return bytes_; }
  std::uint64_t bus_address() const override { return description_.pa; }

 private:
  VendorDevice& owner_;
  const BufferDescription description_;
  const Mapping mapping_;
  const std::uint64_t bytes_;
};

class DmaBuffer final : public Buffer {
 public:
  DmaBuffer(VendorDevice& owner, const DmaBuf& buffer, bool attached, const Mapping& mapping)
      : owner_(owner), buffer_(buffer), attached_(attached), mapping_(mapping) {}
  ~DmaBuffer() override;
  std::span<std::uint8_t> host() override { return {mapping_.host, mapping_.bytes}; }
  std::uint32_t device_address() const override;
  std::uint64_t bytes() const override { return mapping_.bytes; }
  std::uint64_t bus_address() const override { return buffer_.pa; }

 private:
  VendorDevice& owner_;
  const DmaBuf buffer_;
  const bool attached_;
  const Mapping mapping_;
};

// The number of a job, which no other job gets while it lives.
class JobNumber {
 public:
  JobNumber(VendorDevice& owner, std::uint64_t value) : owner_(owner), value_(value) {}
  ~JobNumber();
  JobNumber(const JobNumber&) = delete;
  JobNumber& operator=(const JobNumber&) = delete;

 private:
  VendorDevice& owner_;
  const std::uint64_t value_;
};

class VendorJob final : public BackendJob {
 public:
  VendorJob(VendorDevice& owner, const Launch& launch, std::unique_ptr<Buffer> chain);
  Status submit() override { return queued_.submit(); }
  Status wait(std::int64_t timeout_ns) override { return queued_.wait(timeout_ns); }
  void cancel() override { queued_.cancel(); }
  void set_regions(std::span<const Region> regions) override { profile_.regions.assign(regions.size(), {}); }
  const JobProfile& profile() const override { return profile_; }

 private:
  friend class VendorDevice;

  const Launch launch_;
  const JobNumber number_;
  std::unique_ptr<Buffer> chain_;
  std::vector<std::uint8_t> pristine_;  // the kernel links chains by editing them
  JobProfile profile_;
  QueuedJob queued_;  // the last member: a run that is under way uses the others
};

class VendorDevice final : public Backend {
 public:
  static Result<std::unique_ptr<Backend>> create() {
    ZYNPU_ASSIGN_OR_RETURN(std::unique_ptr<Device> device, Device::open(kNode));
    auto backend = std::unique_ptr<VendorDevice>(new VendorDevice(std::move(device)));
    ZYNPU_ASSIGN_OR_RETURN(backend->constant_page_, backend->allocate(kPage, kPage));
    return backend;
  }

  const part::Part& part() const override { return device_->part(); }
  bool is_virtual() const override { return false; }
  std::string description() const override {
    return fmt::format("{} on the vendor's kernel driver {}", device_->part().target, device_->version());
  }

  Result<std::unique_ptr<Buffer>> allocate(std::uint64_t bytes, std::uint64_t alignment) override {
    return allocate(bytes, alignment, DataType::kNone);
  }

  Result<std::unique_ptr<BackendJob>> prepare(const JobDescription& description) override {
    if (description.virtual_profile)
      return fail(ErrorCode::kUnsupported,
                  "the graph was compiled for the virtual {}: silicon must not run its instructions",
                  part().name);
    return part().host_interface == part::HostInterface::kTsm ? prepare_tsm(description)
                                                              : prepare_flat(description);
  }

  Result<int> create_shared(std::uint64_t bytes) override {
    if (bytes == 0 || bytes > part().window_bytes)
      return fail(ErrorCode::kInvalidArgument, "shared memory of {} bytes; the window has {}", bytes,
                  part().window_bytes);
    return device_->create_dma_buf(bytes);
  }
  void destroy_shared(int fd) override { device_->free_dma_buf(fd); }
  Result<std::unique_ptr<Buffer>> import_shared(int fd) override {
    bool attached = false;
    Mapping mapping;
    ZYNPU_ASSIGN_OR_RETURN(const DmaBuf buffer, device_->open_dma_buf(fd, &attached, &mapping));
    return std::make_unique<DmaBuffer>(*this, buffer, attached, mapping);
  }

  Device& device() { return *device_; }
  bool lost() const { return lost_; }
  void forget(std::uint64_t job_id) {
    std::lock_guard lock(ids_mutex_);
    ids_.erase(job_id);
  }

 private:
  friend class VendorJob;
  explicit VendorDevice(std::unique_ptr<Device> device) : device_(std::move(device)) {}

  Result<std::unique_ptr<Buffer>> allocate(std::uint64_t bytes, std::uint64_t alignment, DataType type) {
    if (bytes == 0) return fail(ErrorCode::kInvalidArgument, "device buffer of 0 bytes");
    const bool x2 = part().host_interface == part::HostInterface::kTsm;
    Mapping mapping;
    ZYNPU_ASSIGN_OR_RETURN(const BufferDescription description,
                           device_->allocate(bytes + (x2 ? kOverRead : 0), alignment, type, &mapping));
    std::memset(mapping.host, 0, mapping.bytes);
    return std::make_unique<DeviceBuffer>(*this, description, mapping, bytes);
  }

  Launch launch() {
    Launch launch;
    launch.job_id = next_job_id();
    launch.version = device_->kernel_version();
    launch.config = device_->config();
    launch.asid0_base = device_->asid0_base();
    return launch;
  }

  std::uint64_t next_job_id() {
    std::lock_guard lock(ids_mutex_);
    do next_id_ = next_id_ % kJobIds + 1;
    while (ids_.contains(next_id_));
    ids_.insert(next_id_);
    return next_id_;
  }

  Result<std::unique_ptr<BackendJob>> prepare_flat(const JobDescription& description) {
    if (description.text == nullptr || description.parameters == nullptr || description.stack == nullptr)
      return fail(ErrorCode::kInvalidArgument, "a job for {} needs text, parameters and a stack",
                  part().name);
    if (description.entry % 16 != 0 || std::uint64_t{description.entry} + 4 > description.text->bytes())
      return fail(ErrorCode::kInvalidArgument, "entry {:#x} is outside the program's {} bytes",
                  description.entry, description.text->bytes());
    Launch job = launch();
    const std::uint32_t text = description.text->device_address();
    job.start_pc = text + description.entry;
    job.interrupt_handler = text + 0x10;
    job.data_0 = description.parameters->device_address();
    job.data_1 = description.stack->device_address();
    return std::make_unique<VendorJob>(*this, job, nullptr);
  }

  Result<std::unique_ptr<BackendJob>> prepare_tsm(const JobDescription& description) {
    const std::uint64_t bytes = chain_bytes(part(), description.groups.size());
    ZYNPU_ASSIGN_OR_RETURN(std::unique_ptr<Buffer> chain, allocate(bytes, kPage, DataType::kTcb));
    if (chain->device_address() == 0) {
      // Address 0 means "end of chain" (graph-format.md 8.2): the next buffer lies elsewhere.
      ZYNPU_ASSIGN_OR_RETURN(std::unique_ptr<Buffer> other, allocate(bytes, kPage, DataType::kTcb));
      chain = std::move(other);
    }
    const std::uint64_t base = device_->asid0_base();
    ZYNPU_ASSIGN_OR_RETURN(const TcbChain places,
                           build_chain(part(), description.groups, base, chain->device_address(),
                                       constant_page_->device_address(), chain->host()));
    const bool single = description.groups.size() == 1;
    if (single) clear_flags(chain->host().subspan(places.last_task - places.head), places);
    Launch job = launch();
    job.head = base + places.head;
    job.first_task = base + places.first_task;
    job.last_task = base + places.last_task;
    job.exec_flag = kQosSlow | (single ? kSingleGroup : kMultiGroup);
    return std::make_unique<VendorJob>(*this, job, std::move(chain));
  }

  // A single group carries neither grid end nor a dependency on hardware (graph-format.md 8.3).
  static void clear_flags(std::span<std::uint8_t> last_task, const TcbChain& places) {
    const auto clear = [](std::uint8_t* word, std::uint32_t bits) {
      std::uint32_t value = 0;
      std::memcpy(&value, word, sizeof value);
      value &= ~bits;
      std::memcpy(word, &value, sizeof value);
    };
    clear(last_task.data(), kFlagGridEnd);
    clear(last_task.data() - (places.last_task - places.first_task), kFlagPreAll);
  }

  // On the queue's thread: starts the job and waits for its record.
  Status run(VendorJob& job) {
    if (lost()) return fail(ErrorCode::kDeviceFault, "an earlier job never ended: the device is lost");
    const Clock::time_point begin = Clock::now();
    if (job.chain_ != nullptr)
      std::copy(job.pristine_.begin(), job.pristine_.end(), job.chain_->host().begin());
    ZYNPU_TRY(device_->submit(job.launch_));
    std::optional<Clock::time_point> give_up;
    std::vector<StatusRecord> records;
    for (;;) {
      ZYNPU_ASSIGN_OR_RETURN(const bool any, device_->finished(give_up ? 100 : kPollMs, &records));
      // Records of other jobs are late ones of jobs that were given up.
      const auto record = std::find_if(records.begin(), records.end(), [&](const StatusRecord& one) {
        return one.job_id == job.launch_.job_id && one.state != JobState::kNone;
      });
      if (any && record != records.end()) return judge(job, *record, begin);
      if (!job.queued_.cancelled()) continue;
      if (!give_up) give_up = Clock::now() + kLostAfter;
      if (Clock::now() < *give_up) continue;
      lost_ = true;
      return fail(ErrorCode::kCancelled, "the job was cancelled and does not end: the device is lost");
    }
  }

  Status judge(VendorJob& job, const StatusRecord& record, Clock::time_point begin) {
    // The kernel's own measurement where it made one.
    job.profile_.host_ms = record.execution_ns > 0
                               ? static_cast<double>(record.execution_ns) / 1e6
                               : std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
    if (job.queued_.cancelled()) return QueuedJob::cancelled_status();
    if (record.state == JobState::kDone) return {};
    return fail(ErrorCode::kDeviceFault, "the NPU failed: the driver reports {}",
                record.state == JobState::kException ? "an exception" : "a core dump");
  }

  std::unique_ptr<Device> device_;
  std::atomic<bool> lost_{false};
  std::unique_ptr<Buffer> constant_page_;  // its destructor asks for the two above
  std::mutex ids_mutex_;
  std::uint64_t next_id_ = 0;
  std::set<std::uint64_t> ids_;  // of live jobs
  JobQueue queue_;               // the last member: its thread uses the others
};

DeviceBuffer::~DeviceBuffer() {
  // A lost device may still write to it.
  if (!owner_.lost()) owner_.device().free(description_, mapping_);
}

std::uint32_t DeviceBuffer::device_address() const {
  return static_cast<std::uint32_t>(description_.pa - owner_.device().asid0_base());
}

DmaBuffer::~DmaBuffer() {
  if (!owner_.lost()) owner_.device().close_dma_buf(buffer_, attached_, mapping_);
}

std::uint32_t DmaBuffer::device_address() const {
  return static_cast<std::uint32_t>(buffer_.pa - owner_.device().asid0_base());
}

JobNumber::~JobNumber() { owner_.forget(value_); }

VendorJob::VendorJob(VendorDevice& owner, const Launch& launch, std::unique_ptr<Buffer> chain)
    : launch_(launch),
      number_(owner, launch.job_id),
      chain_(std::move(chain)),
      queued_(owner.queue_, [this, &owner] { return owner.run(*this); }) {
  if (chain_ != nullptr) pristine_.assign(chain_->host().begin(), chain_->host().end());
}

}  // namespace

Result<std::unique_ptr<Backend>> open() { return VendorDevice::create(); }

std::optional<Found> find() {
  const auto device = Device::open(kNode);
  if (device)
    return Found{&(*device)->part(), fmt::format("{} on the vendor's kernel driver {}",
                                                 (*device)->part().target, (*device)->version())};
  if (device.error().code == ErrorCode::kNotFound) return std::nullopt;
  return Found{nullptr, device.error().message};
}

}  // namespace zynpu::runtime::aipu
