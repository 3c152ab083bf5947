// SPDX-License-Identifier: MIT
#include "runtime/drm/job.h"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <limits>

#include "runtime/drm/buffer.h"

namespace zynpu::runtime::drm {
namespace {

constexpr std::int64_t kForEver = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kSecondNs = 1'000'000'000;

// The kernel's timeouts are points in time.
std::int64_t deadline(std::int64_t timeout_ns) {
  if (timeout_ns < 0) return kForEver;
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const std::int64_t now_ns = now.tv_sec * kSecondNs + now.tv_nsec;
  return timeout_ns > kForEver - now_ns ? kForEver : now_ns + timeout_ns;
}

const char* text_of(std::uint32_t status) {
  switch (status) {
    case DRM_ZYNPU_STATUS_EXCEPTION:
      return "the program raised an exception";
    case DRM_ZYNPU_STATUS_FAULT:
      return "an access outside the job's address windows, or outside the memory";
    case DRM_ZYNPU_STATUS_ERROR:
      return "the device refused the job or reported an error of its own";
    case DRM_ZYNPU_STATUS_DEVICE_LOST:
      return "the device went away or could not be reset";
    case DRM_ZYNPU_STATUS_DEPENDENCY:
      return "an earlier job, on whose results this one rests, failed";
    default:
      return "a status that this library does not know";
  }
}

}  // namespace

Result<std::unique_ptr<DrmJob>> DrmJob::create(Device& device, const JobDescription& description) {
  if (description.virtual_profile && !device.is_virtual())
    return fail(ErrorCode::kUnsupported,
                "{}: the graph is of the virtual profile of {}, which silicon does not execute",
                device.path(), device.part().name);
  std::unique_ptr<DrmJob> job(new DrmJob(device));
  for (const Buffer* buffer : description.buffers) {
    ZYNPU_TRY(job->place(buffer, 0, "a buffer"));
  }
  ZYNPU_TRY(job->add_groups(description));
  ZYNPU_TRY(job->check_count());
  job->described_bos_ = job->bos_.size();
  return job;
}

Status DrmJob::check_count() const {
  if (bos_.size() > device_.info().max_bos)
    return fail(ErrorCode::kUnsupported, "{}: a job with {} buffers; the kernel takes {}", device_.path(),
                bos_.size(), device_.info().max_bos);
  return {};
}

Status DrmJob::set_more_buffers(std::span<const Buffer* const> buffers) {
  const std::vector<drm_zynpu_job_bo> before = bos_;
  bos_.resize(described_bos_);
  const auto add = [&]() -> Status {
    for (const Buffer* buffer : buffers) {
      ZYNPU_TRY(place(buffer, 0, "a buffer"));
    }
    return check_count();
  };
  Status added = add();
  if (!added) bos_ = before;
  return added;
}

// Where `buffer` stands in the job's list, to which it is added if it is not there. A null buffer is none.
Result<drm_zynpu_ref> DrmJob::place(const Buffer* buffer, std::uint64_t offset, const char* what) {
  if (buffer == nullptr) return drm_zynpu_ref{};
  const auto* mine = dynamic_cast<const DrmBuffer*>(buffer);
  if (mine == nullptr || &mine->device() != &device_)
    return fail(ErrorCode::kInvalidArgument, "{} of the job is not a buffer of {}", what, device_.path());
  if (offset >= mine->bytes())
    return fail(ErrorCode::kInvalidArgument, "{} of the job begins at byte {} of a buffer of {}", what,
                offset, mine->bytes());
  const auto same = [&](const drm_zynpu_job_bo& bo) { return bo.handle == mine->handle(); };
  auto found = std::find_if(bos_.begin(), bos_.end(), same);
  if (found == bos_.end()) {
    drm_zynpu_job_bo bo{};
    bo.handle = mine->handle();
    bo.flags = DRM_ZYNPU_ACCESS_READ | DRM_ZYNPU_ACCESS_WRITE;
    found = bos_.insert(bos_.end(), bo);
  }
  drm_zynpu_ref ref{};
  ref.bo = static_cast<std::uint32_t>(found - bos_.begin()) + 1;
  ref.offset = static_cast<std::uint32_t>(offset);
  return ref;
}

Status DrmJob::add_groups(const JobDescription& description) {
  const bool tsm = device_.part().host_interface == part::HostInterface::kTsm;
  std::vector<GroupDescription> groups = description.groups;
  if (!tsm) {
    GroupDescription only;
    only.text = description.text;
    only.text_offset = description.entry;
    only.parameters = description.parameters;
    only.stack = description.stack;
    groups = {only};
  }
  if (groups.empty())
    return fail(ErrorCode::kInvalidArgument, "a job for {} needs at least one group", device_.part().name);
  if (groups.size() > device_.info().max_groups)
    return fail(ErrorCode::kUnsupported, "{}: a job of {} groups; the kernel takes {}", device_.path(),
                groups.size(), device_.info().max_groups);
  for (const GroupDescription& from : groups) {
    if (from.text == nullptr || from.parameters == nullptr || from.stack == nullptr)
      return fail(ErrorCode::kInvalidArgument, "a job for {} needs text, parameters and a stack",
                  device_.part().name);
    if (tsm && (from.private_data == nullptr || from.private_bytes == 0 || from.stack_bytes == 0))
      return fail(ErrorCode::kInvalidArgument, "a group for {} needs private data and a stack for each task",
                  device_.part().name);
    drm_zynpu_group group{};
    ZYNPU_ASSIGN_OR_RETURN(group.text, place(from.text, from.text_offset, "the program"));
    ZYNPU_ASSIGN_OR_RETURN(group.parameters,
                           place(from.parameters, from.parameter_offset, "the parameter block"));
    ZYNPU_ASSIGN_OR_RETURN(group.stack, place(from.stack, 0, "the stack"));
    ZYNPU_ASSIGN_OR_RETURN(group.private_data, place(from.private_data, 0, "the private data"));
    ZYNPU_ASSIGN_OR_RETURN(group.constants, place(from.constants, 0, "the constant pool"));
    ZYNPU_ASSIGN_OR_RETURN(group.printf_log, place(from.printf_log, from.printf_offset, "the printf log"));
    ZYNPU_ASSIGN_OR_RETURN(group.model_parameters, place(from.model_parameters, 0, "the model parameters"));
    group.stack_size = from.stack_bytes;
    group.private_size = from.private_bytes;
    switch (from.dependency) {
      case GroupDescription::Dependency::kNone:
        group.dependency = DRM_ZYNPU_DEPENDENCY_NONE;
        break;
      case GroupDescription::Dependency::kImmediate:
        group.dependency = DRM_ZYNPU_DEPENDENCY_IMMEDIATE;
        break;
      case GroupDescription::Dependency::kAll:
        group.dependency = DRM_ZYNPU_DEPENDENCY_ALL;
        break;
    }
    groups_.push_back(group);
  }
  return {};
}

DrmJob::~DrmJob() {
  if (!running_) return;
  cancel();
  // Its buffers may be freed next; the kernel keeps them until the job has ended, so an error here harms
  // nobody.
  static_cast<void>(wait(-1));
}

Status DrmJob::submit() {
  if (running_) return fail(ErrorCode::kBusy, "the NPU job is already running");
  drm_zynpu_submit submit{};
  submit.bos = reinterpret_cast<std::uintptr_t>(bos_.data());
  submit.bo_count = static_cast<std::uint32_t>(bos_.size());
  submit.bo_stride = sizeof(drm_zynpu_job_bo);
  submit.groups = reinterpret_cast<std::uintptr_t>(groups_.data());
  submit.group_count = static_cast<std::uint32_t>(groups_.size());
  submit.group_stride = sizeof(drm_zynpu_group);
  // The simulator is far slower than the silicon for which the driver's own limit is chosen.
  if (device_.is_virtual()) submit.timeout_ns = device_.info().max_timeout_ns;
  ZYNPU_TRY(device_.call(DRM_IOCTL_ZYNPU_SUBMIT, &submit, "submit a job"));
  id_.store(submit.job_id, std::memory_order_release);
  running_ = true;
  return {};
}

Status DrmJob::wait(std::int64_t timeout_ns) {
  const std::uint64_t id = id_.load(std::memory_order_acquire);
  if (id == 0) return fail(ErrorCode::kInvalidArgument, "the NPU job was never submitted");
  drm_zynpu_wait wait{};
  wait.job_id = id;
  wait.timeout_ns = deadline(timeout_ns);
  const int number = device_.call(DRM_IOCTL_ZYNPU_WAIT, &wait);
  if (number == ETIME)
    return fail(ErrorCode::kTimeout, "the NPU job did not finish within {} ns", timeout_ns);
  if (number != 0) return tl::unexpected<Error>(error_of(number, device_.path(), "wait for a job"));
  running_ = false;
  profile_.modelled = device_.is_virtual() && wait.ticks != 0;
  profile_.cycles = wait.ticks;
  profile_.host_ms = static_cast<double>(wait.run_ns) / 1e6;
  return outcome(wait);
}

Status DrmJob::outcome(const drm_zynpu_wait& wait) {
  fault_address_.reset();
  switch (wait.status) {
    case DRM_ZYNPU_STATUS_DONE:
      return {};
    case DRM_ZYNPU_STATUS_CANCELLED:
      return fail(ErrorCode::kCancelled, "the job was cancelled");
    case DRM_ZYNPU_STATUS_TIMEOUT:
      return fail(ErrorCode::kTimeout,
                  "the NPU made no progress for the job's time limit; the kernel stopped it");
    default:
      break;
  }
  if (wait.fault_pc != 0) fault_address_ = wait.fault_pc;
  std::string place;
  if (wait.fault_pc != 0) place += fmt::format(", pc {:#x}", wait.fault_pc);
  if (wait.fault_task != 0) place += fmt::format(", task {}", wait.fault_task - 1);
  return fail(ErrorCode::kDeviceFault, "the NPU failed: {} (cause {:#x}{})", text_of(wait.status), wait.cause,
              place);
}

void DrmJob::cancel() {
  drm_zynpu_cancel cancel{};
  cancel.job_id = id_.load(std::memory_order_acquire);
  if (cancel.job_id != 0) device_.call(DRM_IOCTL_ZYNPU_CANCEL, &cancel);
}

void DrmJob::set_regions(std::span<const Region> regions) { profile_.regions.assign(regions.size(), {}); }

}  // namespace zynpu::runtime::drm
