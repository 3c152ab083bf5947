// SPDX-License-Identifier: MIT
// The back end for the kernel driver against a kernel that a test plays: what it asks for, and what it makes
// of every answer. With the real driver it runs in the guests of the lab (tests/vm).
#include "runtime/drm/backend.h"

#include <functional>

#include "runtime/fake_kernel.h"

namespace zynpu::runtime::drm {
namespace {

TEST_F(DrmBackendTest, ListsTheDevicesThatCanBeOpened) {
  const std::vector<Node> found = nodes(kernel);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].path, kPath);
  EXPECT_EQ(found[0].part->name, "x2");
  EXPECT_TRUE(found[0].is_virtual);
  EXPECT_EQ(kernel.opened, 0);
}

TEST_F(DrmBackendTest, TellsWhyADeviceDoesNotOpen) {
  EXPECT_EQ(drm::open("/dev/accel/accel0", kernel).error().code, ErrorCode::kNotFound);
  kernel.open_error = EACCES;
  EXPECT_NE(drm::open(kPath, kernel).error().message.find("Permission denied"), std::string::npos);
  kernel.open_error = EPERM;
  EXPECT_NE(drm::open(kPath, kernel).error().message.find("allow_unisolated"), std::string::npos);
}

TEST_F(DrmBackendTest, RefusesOtherDriversAndUnknownParts) {
  kernel.driver = "ivpu";
  const auto other = drm::open(kPath, kernel);
  EXPECT_EQ(other.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(other.error().message.find("ivpu"), std::string::npos);
  kernel.driver = "zynpu";
  kernel.info.generation = 9;
  EXPECT_EQ(drm::open(kPath, kernel).error().code, ErrorCode::kUnsupported);
  kernel.info.generation = DRM_ZYNPU_X2;
  kernel.info.cores = 2;
  EXPECT_EQ(drm::open(kPath, kernel).error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(kernel.opened, 0);
}

TEST_F(DrmBackendTest, BuffersAreMappedHandedOverAndFreed) {
  open();
  EXPECT_EQ(text->bytes(), 8192u);
  EXPECT_EQ(text->device_address(), 0x10000u);
  EXPECT_EQ(kernel.count(DRM_IOCTL_ZYNPU_BO_FINI), 4u);  // each once before its first job
  EXPECT_TRUE(text->sync_for_cpu());
  EXPECT_TRUE(text->sync_for_device());
  EXPECT_EQ(kernel.count(DRM_IOCTL_ZYNPU_BO_PREP), 1u);
  for (auto* buffer : {&text, &parameters, &stack, &data}) buffer->reset();
  EXPECT_TRUE(kernel.handles.empty());
  EXPECT_EQ(kernel.mapped, 0);
  backend.reset();
  EXPECT_EQ(kernel.opened, 0);
}

TEST_F(DrmBackendTest, BuffersThatCannotBeLeaveNothingBehind) {
  open();
  EXPECT_EQ(backend->allocate(0, 4096).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(backend->allocate(1, 3).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(backend->allocate(1, 0).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(backend->allocate(1, 2 << 20).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(backend->allocate(backend->part().window_bytes + 1, 4096).error().code, ErrorCode::kOutOfMemory);
  const std::size_t before = kernel.handles.size();
  kernel.mmap_error = EAGAIN;
  EXPECT_FALSE(backend->allocate(1, 4096));
  kernel.mmap_error = 0;
  kernel.address_base = 0x100000000;
  EXPECT_EQ(backend->allocate(1, 4096).error().code, ErrorCode::kInternal);
  kernel.errors[DRM_IOCTL_ZYNPU_BO_CREATE] = ENOMEM;
  EXPECT_EQ(backend->allocate(1, 4096).error().code, ErrorCode::kOutOfMemory);
  EXPECT_EQ(kernel.handles.size(), before);
}

TEST_F(DrmBackendTest, AnX2JobNamesItsBuffersOnceAndItsGroupsByThem) {
  open();
  const auto job = backend->prepare(description(2)).value();
  ASSERT_TRUE(job->submit());
  ASSERT_TRUE(job->wait(-1));
  EXPECT_EQ(kernel.bos.size(), 4u);
  ASSERT_EQ(kernel.groups.size(), 2u);
  const drm_zynpu_group& group = kernel.groups[1];
  EXPECT_EQ(kernel.bos[group.text.bo - 1].handle, 1u);
  EXPECT_EQ(group.text.offset, 64u);
  EXPECT_EQ(kernel.bos[group.parameters.bo - 1].handle, 2u);
  EXPECT_EQ(group.parameters.offset, 4u);
  EXPECT_EQ(kernel.bos[group.private_data.bo - 1].handle, 4u);
  EXPECT_EQ(group.constants.bo, 0u);
  EXPECT_EQ(group.stack_size, 2048u);
  EXPECT_EQ(group.private_size, 1024u);
  EXPECT_EQ(group.dependency, static_cast<std::uint32_t>(DRM_ZYNPU_DEPENDENCY_ALL));
  EXPECT_EQ(kernel.last_submit.timeout_ns, 77u);  // the simulator is slow
  EXPECT_EQ(kernel.wait_deadline, INT64_MAX);
}

TEST_F(DrmBackendTest, AZ1JobIsOneProgramAndKeepsTheDriversTimeLimit) {
  kernel.info.generation = DRM_ZYNPU_Z1;
  kernel.info.flags = 0;
  kernel.info.cores = 1;
  kernel.info.tecs_per_core = 1;
  open();
  ASSERT_TRUE(run());
  ASSERT_EQ(kernel.groups.size(), 1u);
  EXPECT_EQ(kernel.groups[0].text.offset, 32u);
  EXPECT_EQ(kernel.groups[0].private_data.bo, 0u);
  EXPECT_EQ(kernel.groups[0].stack_size, 0u);
  EXPECT_EQ(kernel.last_submit.timeout_ns, 0u);
}

TEST_F(DrmBackendTest, SiliconRefusesTheVirtualProfile) {
  kernel.info.flags = 0;
  open();
  JobDescription job = description();
  job.virtual_profile = true;
  EXPECT_EQ(backend->prepare(job).error().code, ErrorCode::kUnsupported);
}

TEST_F(DrmBackendTest, RefusesDescriptionsThatLackSomething) {
  open();
  EXPECT_EQ(backend->prepare({}).error().code, ErrorCode::kInvalidArgument);
  const std::function<void(GroupDescription&)> mistakes[] = {
      [](GroupDescription& g) { g.text = nullptr; },
      [](GroupDescription& g) { g.parameters = nullptr; },
      [](GroupDescription& g) { g.stack = nullptr; },
      [](GroupDescription& g) { g.private_data = nullptr; },
      [](GroupDescription& g) { g.stack_bytes = 0; },
      [](GroupDescription& g) { g.private_bytes = 0; },
      [](GroupDescription& g) { g.text_offset = 8192; },
      [](GroupDescription& g) { g.parameter_offset = 9000; },
  };
  for (const auto& mistake : mistakes) {
    JobDescription job = description();
    mistake(job.groups[0]);
    EXPECT_EQ(backend->prepare(job).error().code, ErrorCode::kInvalidArgument);
  }
  EXPECT_EQ(backend->prepare(description(3)).error().code, ErrorCode::kUnsupported);  // max_groups
  kernel.info.max_bos = 3;
  FakeKernel second;
  const auto other = drm::open(kPath, second).value();
  const auto foreign = other->allocate(4096, 4096).value();
  JobDescription job = description();
  job.groups[0].constants = foreign.get();
  EXPECT_EQ(backend->prepare(job).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(DrmBackendTest, EveryOutcomeHasItsError) {
  open();
  const std::pair<std::uint32_t, ErrorCode> outcomes[] = {
      {DRM_ZYNPU_STATUS_EXCEPTION, ErrorCode::kDeviceFault},
      {DRM_ZYNPU_STATUS_FAULT, ErrorCode::kDeviceFault},
      {DRM_ZYNPU_STATUS_ERROR, ErrorCode::kDeviceFault},
      {DRM_ZYNPU_STATUS_TIMEOUT, ErrorCode::kTimeout},
      {DRM_ZYNPU_STATUS_CANCELLED, ErrorCode::kCancelled},
      {DRM_ZYNPU_STATUS_DEVICE_LOST, ErrorCode::kDeviceFault},
      {DRM_ZYNPU_STATUS_DEPENDENCY, ErrorCode::kDeviceFault},
      {99, ErrorCode::kDeviceFault}};
  for (const auto& [status, code] : outcomes) {
    kernel.outcome.status = status;
    EXPECT_EQ(run().error().code, code) << status;
  }
  kernel.outcome.status = DRM_ZYNPU_STATUS_DONE;
  EXPECT_TRUE(run());
}

TEST_F(DrmBackendTest, TellsWhereAProgramFailedAndWhatARunCost) {
  open();
  const auto job = backend->prepare(description()).value();
  kernel.outcome.status = DRM_ZYNPU_STATUS_EXCEPTION;
  kernel.outcome.fault_pc = 0x10040;
  ASSERT_TRUE(job->submit());
  EXPECT_FALSE(job->wait(-1));
  EXPECT_EQ(job->fault_address(), 0x10040u);
  kernel.outcome = {};
  kernel.outcome.ticks = 1234;
  kernel.outcome.run_ns = 2'500'000;
  ASSERT_TRUE(job->submit());
  EXPECT_TRUE(job->wait(-1));
  EXPECT_EQ(job->fault_address(), std::nullopt);
  EXPECT_EQ(job->profile().cycles, 1234u);
  EXPECT_DOUBLE_EQ(job->profile().host_ms, 2.5);
}

TEST_F(DrmBackendTest, AWaitThatEndsEarlyLeavesTheJobRunning) {
  open();
  const auto job = backend->prepare(description()).value();
  EXPECT_EQ(job->wait(0).error().code, ErrorCode::kInvalidArgument);
  ASSERT_TRUE(job->submit());
  kernel.errors[DRM_IOCTL_ZYNPU_WAIT] = ETIME;
  EXPECT_EQ(job->wait(1000).error().code, ErrorCode::kTimeout);
  EXPECT_EQ(job->submit().error().code, ErrorCode::kBusy);
  kernel.errors.clear();
  EXPECT_TRUE(job->wait(INT64_MAX));
  EXPECT_EQ(kernel.wait_deadline, INT64_MAX);  // no overflow
  EXPECT_TRUE(job->submit());
  EXPECT_TRUE(job->wait(1000));
}

TEST_F(DrmBackendTest, AJobThatGoesWhileItRunsIsCancelledAndWaitedFor) {
  open();
  auto job = backend->prepare(description()).value();
  job->cancel();
  EXPECT_EQ(kernel.count(DRM_IOCTL_ZYNPU_CANCEL), 0u);
  ASSERT_TRUE(job->submit());
  job.reset();
  EXPECT_EQ(kernel.count(DRM_IOCTL_ZYNPU_CANCEL), 1u);
  EXPECT_EQ(kernel.count(DRM_IOCTL_ZYNPU_WAIT), 1u);
}

TEST_F(DrmBackendTest, ErrorsOfTheKernelAreInWords) {
  open();
  const std::pair<int, ErrorCode> refusals[] = {
      {ENODEV, ErrorCode::kDeviceFault}, {EIO, ErrorCode::kDeviceFault}, {EAGAIN, ErrorCode::kBusy},
      {ENOMEM, ErrorCode::kOutOfMemory}, {EINVAL, ErrorCode::kInternal}, {EBADF, ErrorCode::kIo}};
  for (const auto& [number, code] : refusals) {
    kernel.errors[DRM_IOCTL_ZYNPU_SUBMIT] = number;
    EXPECT_EQ(run().error().code, code) << number;
  }
}

TEST_F(DrmBackendTest, CallsThatASignalBreaksOffAreRepeated) {
  open();
  kernel.interruptions = 3;
  EXPECT_TRUE(run());
}

}  // namespace
}  // namespace zynpu::runtime::drm
