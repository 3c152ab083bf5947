// SPDX-License-Identifier: MIT
#include "runtime/virtual/backend.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <mutex>
#include <utility>

#include "runtime/job_queue.h"
#include "runtime/virtual/arena.h"
#include "runtime/virtual/driver.h"
#include "runtime/virtual/tcb.h"

namespace zynpu::runtime {
namespace {

using Clock = std::chrono::steady_clock;

// Bundles between two looks at the cancel flag: a few milliseconds of simulation.
constexpr std::uint64_t kSliceBundles = 1 << 18;
// Every interrupt stands for one event, and a slice has at most this many: more means that clearing has no
// effect.
constexpr int kMaxInterruptsInARow = 1 << 20;

class Machine;

class VirtualJob final : public BackendJob {
 public:
  VirtualJob(Machine& machine, const StartRequest& request, std::unique_ptr<Buffer> chain,
             std::uint32_t text_address);

  Status submit() override { return queued_.submit(); }
  Status wait(std::int64_t timeout_ns) override { return queued_.wait(timeout_ns); }
  void cancel() override { queued_.cancel(); }
  void set_regions(std::span<const Region> regions) override;
  const JobProfile& profile() const override { return profile_; }
  std::optional<std::uint32_t> fault_address() const override { return fault_address_; }

 private:
  friend class Machine;

  StartRequest request_;
  std::unique_ptr<Buffer> chain_;  // X2: the TCBs
  std::vector<std::uint8_t>
      pristine_;  // as built; restored before each run, in case a program wrote over them
  std::uint32_t text_address_;
  std::vector<vnpu::Region> regions_;
  JobProfile profile_;
  std::optional<std::uint32_t> fault_address_;
  QueuedJob queued_;  // the last member: a run that is under way uses the others
};

// The device with its memory, its driver and the thread that runs them.
class Machine final : public VirtualBackend {
 public:
  static Result<std::unique_ptr<VirtualBackend>> create(const part::Part& part,
                                                        const vnpu::Options& options) {
    ZYNPU_ASSIGN_OR_RETURN(auto arena, Arena::create(part));
    ZYNPU_ASSIGN_OR_RETURN(auto device, vnpu::Device::create(part, *arena, options));
    auto machine = std::unique_ptr<Machine>(new Machine(part, std::move(arena), std::move(device)));
    ZYNPU_TRY(machine->driver_->initialise());
    ZYNPU_ASSIGN_OR_RETURN(machine->constant_page_,
                           machine->arena_->allocate(Arena::kPageBytes, Arena::kPageBytes));
    return machine;
  }

  const part::Part& part() const override { return part_; }
  bool is_virtual() const override { return true; }
  std::string description() const override {
    return fmt::format("virtual {}, in process", part_.description);
  }

  Result<std::unique_ptr<Buffer>> allocate(std::uint64_t bytes, std::uint64_t alignment) override {
    return arena_->allocate(bytes, alignment);
  }

  // A memfd plays the dma-buf: its pages become device memory when it is imported.
  Result<int> create_shared(std::uint64_t bytes) override {
    if (bytes == 0 || bytes > part_.window_bytes)
      return fail(ErrorCode::kInvalidArgument, "shared memory of {} bytes; the window has {}", bytes,
                  part_.window_bytes);
    const int fd = memfd_create("zynpu shared buffer", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return fail(ErrorCode::kIo, "cannot create shared memory: {}", std::strerror(errno));
    const std::uint64_t pages = (bytes + Arena::kPageBytes - 1) / Arena::kPageBytes * Arena::kPageBytes;
    if (ftruncate(fd, static_cast<off_t>(pages)) != 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0) {
      const std::string reason = std::strerror(errno);
      close(fd);
      return fail(ErrorCode::kOutOfMemory, "cannot make {} bytes of shared memory: {}", pages, reason);
    }
    return fd;
  }

  Result<std::unique_ptr<Buffer>> import_shared(int fd) override { return arena_->import(fd); }

  Result<std::unique_ptr<BackendJob>> prepare(const JobDescription& description) override {
    return part_.host_interface == part::HostInterface::kTsm ? prepare_tsm(description)
                                                             : prepare_flat(description);
  }

  void set_trace(std::function<void(const vnpu::TraceEvent&)> trace) override {
    std::lock_guard lock(trace_mutex_);
    trace_ = std::move(trace);
    trace_changed_ = true;
  }

 private:
  friend class VirtualJob;

  Machine(const part::Part& part, std::unique_ptr<Arena> arena, std::unique_ptr<vnpu::Device> device)
      : part_(part),
        arena_(std::move(arena)),
        device_(std::move(device)),
        driver_(HostDriver::create(part, *device_, bus_base(part))) {}

  Result<std::unique_ptr<BackendJob>> prepare_tsm(const JobDescription& description) {
    const std::uint64_t bytes = chain_bytes(part_, description.groups.size());
    ZYNPU_ASSIGN_OR_RETURN(std::unique_ptr<Buffer> chain, arena_->allocate(bytes, Arena::kPageBytes));
    StartRequest request;
    ZYNPU_ASSIGN_OR_RETURN(request.chain,
                           build_chain(part_, description.groups, bus_base(part_), chain->device_address(),
                                       constant_page_->device_address(), chain->host()));
    const Buffer* text = description.groups.front().text;
    return std::make_unique<VirtualJob>(*this, request, std::move(chain), text->device_address());
  }

  Result<std::unique_ptr<BackendJob>> prepare_flat(const JobDescription& description) {
    if (description.text == nullptr || description.parameters == nullptr || description.stack == nullptr)
      return fail(ErrorCode::kInvalidArgument, "a job for {} needs text, parameters and a stack", part_.name);
    const std::uint64_t text_bytes = description.text->bytes();
    if (description.entry % 16 != 0 || std::uint64_t{description.entry} + 16 > text_bytes)
      return fail(ErrorCode::kInvalidArgument, "entry {:#x} is not a bundle of the program's {} bytes",
                  description.entry, text_bytes);
    const std::uint32_t text = description.text->device_address();
    return std::make_unique<VirtualJob>(*this,
                                        StartRequest{.start_pc = text + description.entry,
                                                     .handler_pc = text + 0x10,
                                                     .parameters = description.parameters->device_address(),
                                                     .stack = description.stack->device_address(),
                                                     .chain = {}},
                                        nullptr, text);
  }

  // On the queue's thread, as everything below.
  Status run(VirtualJob& job) {
    const Clock::time_point begin = Clock::now();
    {
      std::lock_guard lock(trace_mutex_);
      if (std::exchange(trace_changed_, false)) device_->set_trace(trace_);
    }
    job.fault_address_.reset();
    if (job.chain_ != nullptr)
      std::copy(job.pristine_.begin(), job.pristine_.end(), job.chain_->host().begin());
    device_->reset_counters();
    device_->set_regions(job.regions_);
    Status result = execute(job);
    if (result) {
      // The scheduler may still have to walk to the end of its chain after the last task's interrupt.
      while (device_->busy() && device_->run(kSliceBundles)) {
      }
      result = driver_->finish();
    }
    fill_profile(job, std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
    if (!result) {
      device_->reset();
      arena_->set_irq(false);
      if (Status recovered = driver_->initialise(); !recovered)
        result.error().message +=
            fmt::format("; and the device did not recover: {}", recovered.error().message);
    }
    return result;
  }

  Status execute(VirtualJob& job) {
    ZYNPU_TRY(driver_->start(job.request_));
    for (;;) {
      const bool more = !job.queued_.cancelled() && device_->run(kSliceBundles);
      for (int i = 0; arena_->irq() && i < kMaxInterruptsInARow; ++i) {
        const HostDriver::Outcome outcome = driver_->service_interrupt();
        if (outcome == HostDriver::Outcome::kDone) return {};
        if (outcome == HostDriver::Outcome::kFailed) return device_failure(job, driver_->failure());
      }
      if (arena_->irq())
        return device_failure(job, "the interrupt line stays high although its causes were cleared");
      if (job.queued_.cancelled()) return QueuedJob::cancelled_status();
      if (!more) return device_failure(job, "the device went idle without a completion interrupt");
    }
  }

  Status device_failure(VirtualJob& job, const std::string& cause) {
    const vnpu::Diagnostic& diagnostic = device_->diagnostic();
    if (diagnostic.message.empty()) return fail(ErrorCode::kDeviceFault, "the NPU failed: {}", cause);
    job.fault_address_ = diagnostic.pc;
    return fail(ErrorCode::kDeviceFault, "the NPU failed: {} ({})", diagnostic.message, cause);
  }

  void fill_profile(VirtualJob& job, double host_ms) {
    const vnpu::Counters& counters = device_->counters();
    job.profile_.modelled = true;
    job.profile_.cycles = counters.cycles;
    job.profile_.bundles = counters.bundles;
    job.profile_.macs = counters.macs;
    job.profile_.dma_bytes = counters.dma_bytes;
    job.profile_.host_ms = host_ms;
    const std::span<const vnpu::Counters> regions = device_->region_counters();
    for (std::size_t i = 0; i < job.profile_.regions.size() && i < regions.size(); ++i)
      job.profile_.regions[i] = {regions[i].cycles, regions[i].bundles, regions[i].macs,
                                 regions[i].dma_bytes};
  }

  const part::Part& part_;
  std::unique_ptr<Arena> arena_;
  std::unique_ptr<vnpu::Device> device_;
  std::unique_ptr<HostDriver> driver_;
  std::unique_ptr<Buffer> constant_page_;

  std::mutex trace_mutex_;
  std::function<void(const vnpu::TraceEvent&)> trace_;
  bool trace_changed_ = false;
  JobQueue queue_;  // the last member: its thread uses the others
};

VirtualJob::VirtualJob(Machine& machine, const StartRequest& request, std::unique_ptr<Buffer> chain,
                       std::uint32_t text_address)
    : request_(request),
      chain_(std::move(chain)),
      text_address_(text_address),
      queued_(machine.queue_, [this, &machine] { return machine.run(*this); }) {
  if (chain_ != nullptr) pristine_.assign(chain_->host().begin(), chain_->host().end());
}

void VirtualJob::set_regions(std::span<const Region> regions) {
  regions_.clear();
  for (const Region& region : regions)
    regions_.push_back({text_address_ + region.begin, text_address_ + region.end});
  profile_.regions.assign(regions_.size(), {});
}

}  // namespace

Result<std::unique_ptr<VirtualBackend>> VirtualBackend::create(const part::Part& part,
                                                               const vnpu::Options& options) {
  return Machine::create(part, options);
}

}  // namespace zynpu::runtime
