// SPDX-License-Identifier: MIT
// The back end for the kernel driver against a kernel that a test plays: what it asks for, and what it makes
// of every answer. With the real driver it runs in the guests of the lab (tests/vm).
#include "runtime/drm/backend.h"

#include <drm/zynpu_accel.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <set>

namespace zynpu::runtime::drm {
namespace {

template <class T>
T& as(void* argument) {
  return *static_cast<T*>(argument);
}

class FakeKernel final : public System {
 public:
  FakeKernel() {
    info.generation = DRM_ZYNPU_X2;
    info.flags = DRM_ZYNPU_DEVICE_VIRTUAL;
    info.clusters = 1;
    info.cores = 3;
    info.tecs_per_core = 4;
    info.max_timeout_ns = 77;
    info.max_bos = 8;
    info.max_groups = 2;
  }

  int open(const std::string& path) override {
    if (open_error != 0 || path != "/dev/accel/accel3")
      return errno = open_error != 0 ? open_error : ENOENT, -1;
    ++opened;
    return 42;
  }
  int close(int fd) override {
    EXPECT_EQ(fd, 42);
    --opened;
    return 0;
  }
  void* mmap(std::size_t bytes, int fd, std::uint64_t offset) override {
    EXPECT_EQ(fd, 42);
    if (mmap_error != 0) return errno = mmap_error, MAP_FAILED;
    EXPECT_TRUE(offsets.contains(offset));
    ++mapped;
    return std::calloc(1, bytes);
  }
  int munmap(void* address, std::size_t) override {
    std::free(address);
    --mapped;
    return 0;
  }
  std::vector<std::string> device_files() override { return {"/dev/accel/accel0", "/dev/accel/accel3"}; }

  int ioctl(int fd, unsigned long request, void* argument) override {
    EXPECT_EQ(fd, 42);
    calls.push_back(request);
    if (interruptions > 0) return --interruptions, errno = EINTR, -1;
    if (const auto error = errors.find(request); error != errors.end()) return errno = error->second, -1;
    switch (request) {
      case DRM_IOCTL_VERSION:
        std::strncpy(as<drm_version>(argument).name, driver.c_str(), as<drm_version>(argument).name_len);
        return 0;
      case DRM_IOCTL_ZYNPU_QUERY:
        EXPECT_EQ(as<drm_zynpu_query>(argument).size, sizeof info);
        std::memcpy(reinterpret_cast<void*>(as<drm_zynpu_query>(argument).data), &info, sizeof info);
        return 0;
      case DRM_IOCTL_ZYNPU_BO_CREATE:
        return create(as<drm_zynpu_bo_create>(argument));
      case DRM_IOCTL_GEM_CLOSE:
        EXPECT_EQ(handles.erase(as<drm_gem_close>(argument).handle), 1u);
        return 0;
      case DRM_IOCTL_ZYNPU_SUBMIT:
        return submitted(as<drm_zynpu_submit>(argument));
      case DRM_IOCTL_ZYNPU_WAIT: {
        auto& wait = as<drm_zynpu_wait>(argument);
        EXPECT_EQ(wait.job_id, job);
        wait_deadline = wait.timeout_ns;
        const drm_zynpu_wait asked = wait;
        wait = outcome;
        wait.job_id = asked.job_id;
        return 0;
      }
      default:
        return 0;
    }
  }

  int create(drm_zynpu_bo_create& bo) {
    EXPECT_EQ(bo.flags, 0u);
    EXPECT_EQ(bo.pad, 0u);
    bo.size = (bo.size + 4095) / 4096 * 4096;
    bo.handle = ++last_handle;
    bo.device_address = address_base + 0x10000 * bo.handle;
    bo.mmap_offset = 0x100000000 + 0x1000 * bo.handle;
    handles.insert(bo.handle);
    offsets.insert(bo.mmap_offset);
    return 0;
  }
  int submitted(drm_zynpu_submit& submit) {
    last_submit = submit;
    EXPECT_EQ(submit.bo_stride, sizeof(drm_zynpu_job_bo));
    EXPECT_EQ(submit.group_stride, sizeof(drm_zynpu_group));
    const auto* bos_at = reinterpret_cast<const drm_zynpu_job_bo*>(submit.bos);
    const auto* groups_at = reinterpret_cast<const drm_zynpu_group*>(submit.groups);
    bos.assign(bos_at, bos_at + submit.bo_count);
    groups.assign(groups_at, groups_at + submit.group_count);
    std::set<std::uint32_t> once;
    for (const drm_zynpu_job_bo& bo : bos) {
      EXPECT_TRUE(handles.contains(bo.handle));
      EXPECT_TRUE(once.insert(bo.handle).second) << "a handle occurs twice";
    }
    submit.job_id = ++job;
    return 0;
  }
  std::size_t count(unsigned long request) const {
    return static_cast<std::size_t>(std::count(calls.begin(), calls.end(), request));
  }

  drm_zynpu_device_info info{};
  std::string driver = "zynpu";
  int open_error = 0, mmap_error = 0, opened = 0, mapped = 0, interruptions = 0;
  std::uint64_t address_base = 0;
  std::map<unsigned long, int> errors;
  std::vector<unsigned long> calls;
  std::set<std::uint32_t> handles;
  std::set<std::uint64_t> offsets;
  std::uint32_t last_handle = 0;
  std::uint64_t job = 0;
  std::int64_t wait_deadline = 0;
  drm_zynpu_submit last_submit{};
  drm_zynpu_wait outcome{};
  std::vector<drm_zynpu_job_bo> bos;
  std::vector<drm_zynpu_group> groups;
};

constexpr const char* kPath = "/dev/accel/accel3";

class DrmBackendTest : public ::testing::Test {
 protected:
  void open() {
    auto opened = drm::open(kPath, kernel);
    ASSERT_TRUE(opened) << opened.error().message;
    backend = std::move(*opened);
    for (auto* buffer : {&text, &parameters, &stack, &data}) *buffer = backend->allocate(8192, 4096).value();
  }
  JobDescription description(std::size_t groups = 1) {
    JobDescription made;
    made.text = text.get();
    made.parameters = parameters.get();
    made.stack = stack.get();
    made.entry = 32;
    made.buffers = {text.get(), parameters.get(), text.get()};
    GroupDescription group;
    group.text = text.get();
    group.text_offset = 64;
    group.parameters = parameters.get();
    group.parameter_offset = 4;
    group.stack = stack.get();
    group.stack_bytes = 2048;
    group.private_data = data.get();
    group.private_bytes = 1024;
    group.dependency = GroupDescription::Dependency::kAll;
    made.groups.assign(groups, group);
    return made;
  }
  Status run() {
    ZYNPU_ASSIGN_OR_RETURN(const auto job, backend->prepare(description()));
    ZYNPU_TRY(job->submit());
    return job->wait(-1);
  }

  FakeKernel kernel;
  std::unique_ptr<Backend> backend;
  std::unique_ptr<Buffer> text, parameters, stack, data;
};

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
