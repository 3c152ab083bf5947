// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "runtime/backend.h"
#include "runtime/drm/device.h"

namespace zynpu::runtime::drm {

// A job as the kernel takes it: lists of buffers and program starts, which stay as they are from run to run.
class DrmJob final : public BackendJob {
 public:
  // kInvalidArgument names what the description lacks.
  static Result<std::unique_ptr<DrmJob>> create(Device& device, const JobDescription& description);
  ~DrmJob() override;

  Status submit() override;
  Status wait(std::int64_t timeout_ns) override;
  void cancel() override;
  std::optional<std::uint32_t> fault_address() const override { return fault_address_; }
  Status set_more_buffers(std::span<const Buffer* const> buffers) override;
  void set_regions(std::span<const Region> regions) override;
  const JobProfile& profile() const override { return profile_; }

 private:
  explicit DrmJob(Device& device) : device_(device) {}
  Status add_groups(const JobDescription& description);
  Result<drm_zynpu_ref> place(const Buffer* buffer, std::uint64_t offset, const char* what);
  Status check_count() const;
  Status outcome(const drm_zynpu_wait& wait);

  Device& device_;
  std::vector<drm_zynpu_job_bo> bos_;
  std::size_t described_bos_ = 0;  // so many of them are of the description
  std::vector<drm_zynpu_group> groups_;
  JobProfile profile_;
  std::optional<std::uint32_t> fault_address_;
  std::atomic<std::uint64_t> id_{0};  // of the run that was submitted last
  bool running_ = false;              // submitted, and no wait() has seen its end
};

}  // namespace zynpu::runtime::drm
