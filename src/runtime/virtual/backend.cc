// SPDX-License-Identifier: MIT
#include "runtime/virtual/backend.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>

#include "runtime/virtual/arena.h"
#include "runtime/virtual/driver.h"
#include "runtime/virtual/tcb.h"

namespace zynpu::runtime {
namespace {

using Clock = std::chrono::steady_clock;

// Bundles between two looks at the cancel flag: a few milliseconds of simulation.
constexpr std::uint64_t kSliceBundles = 1 << 18;
// Waits longer than a year are for ever; it keeps the deadline's arithmetic in range.
constexpr std::int64_t kLongestTimeoutNs = 365LL * 24 * 3600 * 1'000'000'000;
// Every interrupt stands for one event, and a slice has at most this many: more means that clearing has no
// effect.
constexpr int kMaxInterruptsInARow = 1 << 20;

class Machine;

class VirtualJob final : public BackendJob {
 public:
  VirtualJob(Machine& machine, StartRequest request, std::unique_ptr<Buffer> chain,
             std::uint32_t text_address)
      : machine_(machine), request_(request), chain_(std::move(chain)), text_address_(text_address) {
    if (chain_ != nullptr) pristine_.assign(chain_->host().begin(), chain_->host().end());
  }
  ~VirtualJob() override;

  Status submit() override;
  Status wait(std::int64_t timeout_ns) override;
  void cancel() override;
  void set_regions(std::span<const Region> regions) override;
  const JobProfile& profile() const override { return profile_; }
  std::optional<std::uint32_t> fault_address() const override { return fault_address_; }

 private:
  friend class Machine;
  enum class State { kIdle, kQueued, kRunning, kFinished };

  Machine& machine_;
  StartRequest request_;
  std::unique_ptr<Buffer> chain_;  // X2: the TCBs
  std::vector<std::uint8_t>
      pristine_;  // as built; restored before each run, in case a program wrote over them
  std::uint32_t text_address_;
  std::vector<vnpu::Region> regions_;
  JobProfile profile_;
  std::optional<std::uint32_t> fault_address_;
  // Guarded by the machine's mutex:
  State state_ = State::kIdle;
  std::atomic<bool> cancel_{false};
  Status result_;
  VirtualJob* next_ = nullptr;  // in the queue
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
    machine->thread_ = std::thread([raw = machine.get()] { raw->work(); });
    return machine;
  }

  ~Machine() override {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    work_arrived_.notify_all();
    if (thread_.joinable()) thread_.join();
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
    std::lock_guard lock(mutex_);
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

  // The thread: takes jobs from the queue and runs them, one at a time.
  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      work_arrived_.wait(lock, [&] { return stop_ || queue_head_ != nullptr; });
      if (queue_head_ == nullptr) return;
      VirtualJob& job = *queue_head_;
      queue_head_ = job.next_;
      if (queue_head_ == nullptr) queue_tail_ = nullptr;
      job.next_ = nullptr;
      job.state_ = VirtualJob::State::kRunning;
      if (trace_changed_) {
        device_->set_trace(trace_);
        trace_changed_ = false;
      }
      lock.unlock();
      Status result = run(job);
      lock.lock();
      job.result_ = std::move(result);
      job.state_ = VirtualJob::State::kFinished;
      job_finished_.notify_all();
    }
  }

  Status run(VirtualJob& job) {
    if (job.cancel_.load(std::memory_order_acquire)) return cancelled();
    const Clock::time_point begin = Clock::now();
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

  static Status cancelled() { return fail(ErrorCode::kCancelled, "the job was cancelled"); }

  Status execute(VirtualJob& job) {
    ZYNPU_TRY(driver_->start(job.request_));
    for (;;) {
      const bool more = !job.cancel_.load(std::memory_order_acquire) && device_->run(kSliceBundles);
      for (int i = 0; arena_->irq() && i < kMaxInterruptsInARow; ++i) {
        const HostDriver::Outcome outcome = driver_->service_interrupt();
        if (outcome == HostDriver::Outcome::kDone) return {};
        if (outcome == HostDriver::Outcome::kFailed) return device_failure(job, driver_->failure());
      }
      if (arena_->irq())
        return device_failure(job, "the interrupt line stays high although its causes were cleared");
      if (job.cancel_.load(std::memory_order_acquire)) return cancelled();
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

  std::mutex mutex_;
  std::condition_variable work_arrived_, job_finished_;
  VirtualJob* queue_head_ = nullptr;
  VirtualJob* queue_tail_ = nullptr;
  std::function<void(const vnpu::TraceEvent&)> trace_;
  bool trace_changed_ = false;
  bool stop_ = false;
  std::thread thread_;
};

VirtualJob::~VirtualJob() {
  cancel();
  std::unique_lock lock(machine_.mutex_);
  machine_.job_finished_.wait(lock, [&] { return state_ == State::kIdle || state_ == State::kFinished; });
}

Status VirtualJob::submit() {
  {
    std::lock_guard lock(machine_.mutex_);
    if (state_ == State::kQueued || state_ == State::kRunning)
      return fail(ErrorCode::kBusy, "the NPU job is already running");
    state_ = State::kQueued;
    cancel_.store(false, std::memory_order_release);
    next_ = nullptr;
    (machine_.queue_tail_ != nullptr ? machine_.queue_tail_->next_ : machine_.queue_head_) = this;
    machine_.queue_tail_ = this;
  }
  machine_.work_arrived_.notify_one();
  return {};
}

Status VirtualJob::wait(std::int64_t timeout_ns) {
  std::unique_lock lock(machine_.mutex_);
  if (state_ == State::kIdle) return fail(ErrorCode::kInvalidArgument, "the NPU job was never submitted");
  const auto finished = [&] { return state_ == State::kFinished; };
  if (timeout_ns < 0 || timeout_ns > kLongestTimeoutNs)
    machine_.job_finished_.wait(lock, finished);
  else if (!machine_.job_finished_.wait_for(lock, std::chrono::nanoseconds(timeout_ns), finished))
    return fail(ErrorCode::kTimeout, "the NPU job did not finish within {} ns", timeout_ns);
  return result_;
}

void VirtualJob::cancel() { cancel_.store(true, std::memory_order_release); }

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
