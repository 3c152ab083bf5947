// SPDX-License-Identifier: MIT
// A kernel that a test plays for the back end `drm`: device, buffers, dma-bufs, jobs. It requires of every
// call what the driver requires.
#pragma once

#include <drm/zynpu_accel.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/dma-buf.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "runtime/drm/backend.h"

namespace zynpu::runtime::drm {

// The argument of a call.
template <class T>
T& as(void* argument) {
  return *static_cast<T*>(argument);
}

// What a structure of the interface points to: there, pointers are numbers of 64 bits.
template <class T>
T* pointer(std::uint64_t address) {
  return reinterpret_cast<T*>(address);  // NOLINT(performance-no-int-to-ptr): see above
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
    if (fd != 42) {
      EXPECT_EQ(dma_bufs.erase(fd), 1u) << fd << " is not open";
      return 0;
    }
    --opened;
    return 0;
  }
  int duplicate(int fd) override {
    if (duplicate_error != 0) return errno = duplicate_error, -1;
    EXPECT_TRUE(dma_bufs.contains(fd));
    dma_bufs[++last_dma_buf] = dma_bufs[fd];
    return last_dma_buf;
  }
  void* mmap(std::size_t bytes, int fd, std::uint64_t offset) override {
    if (mmap_error != 0) return errno = mmap_error, MAP_FAILED;
    if (fd == 42) {
      EXPECT_TRUE(offsets.contains(offset));
    } else {
      EXPECT_TRUE(dma_bufs.contains(fd));
      EXPECT_EQ(offset, 0u);
    }
    ++mapped;
    mapped_fd = fd;
    return std::calloc(1, bytes);
  }
  int munmap(void* address, std::size_t) override {
    std::free(address);
    --mapped;
    return 0;
  }
  std::vector<std::string> device_files() override { return {"/dev/accel/accel0", "/dev/accel/accel3"}; }

  int ioctl(int fd, unsigned long request, void* argument) override {
    std::lock_guard lock(mutex);
    EXPECT_EQ(fd == 42, request != DMA_BUF_IOCTL_SYNC);
    calls.push_back(request);
    if (interruptions > 0) return --interruptions, errno = EINTR, -1;
    if (const auto error = errors.find(request); error != errors.end()) return errno = error->second, -1;
    switch (request) {
      case DRM_IOCTL_VERSION:
        std::strncpy(as<drm_version>(argument).name, driver.c_str(), as<drm_version>(argument).name_len);
        return 0;
      case DRM_IOCTL_ZYNPU_QUERY:
        EXPECT_EQ(as<drm_zynpu_query>(argument).size, sizeof info);
        std::memcpy(pointer<void>(as<drm_zynpu_query>(argument).data), &info, sizeof info);
        return 0;
      case DRM_IOCTL_ZYNPU_BO_CREATE:
        return create(as<drm_zynpu_bo_create>(argument));
      case DRM_IOCTL_GEM_CLOSE:
        EXPECT_EQ(handles.erase(as<drm_gem_close>(argument).handle), 1u);
        return 0;
      case DRM_IOCTL_PRIME_HANDLE_TO_FD: {
        auto& prime = as<drm_prime_handle>(argument);
        EXPECT_EQ(prime.flags, static_cast<std::uint32_t>(O_RDWR | O_CLOEXEC));
        EXPECT_TRUE(handles.contains(prime.handle));
        dma_bufs[prime.fd = ++last_dma_buf] = handles[prime.handle];
        return 0;
      }
      case DRM_IOCTL_PRIME_FD_TO_HANDLE:
        return imported(as<drm_prime_handle>(argument));
      case DRM_IOCTL_ZYNPU_BO_INFO:
        return described(as<drm_zynpu_bo_info>(argument));
      case DRM_IOCTL_ZYNPU_BO_PREP:
        EXPECT_TRUE(handles.contains(as<drm_zynpu_bo_prep>(argument).handle));
        return 0;
      case DRM_IOCTL_ZYNPU_BO_FINI:
        EXPECT_TRUE(handles.contains(as<drm_zynpu_bo_fini>(argument).handle));
        return 0;
      case DMA_BUF_IOCTL_SYNC:
        EXPECT_TRUE(dma_bufs.contains(fd));
        edges.push_back(as<dma_buf_sync>(argument).flags);
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
    handles[bo.handle] = {.id = bo.handle, .size = bo.size, .foreign = false};
    offsets.insert(bo.mmap_offset);
    return 0;
  }
  // As the kernel does it: an object that has a handle in this file is that handle.
  int imported(drm_prime_handle& prime) {
    const auto found = dma_bufs.find(prime.fd);
    if (found == dma_bufs.end()) return errno = EBADF, -1;
    for (const auto& [handle, object] : handles)
      if (object.id == found->second.id) return prime.handle = handle, 0;
    handles[prime.handle = ++last_handle] = found->second;
    return 0;
  }
  int described(drm_zynpu_bo_info& bo) {
    EXPECT_EQ(bo.flags, 0u);
    const Object& object = handles.at(bo.handle);
    bo.size = object.size;
    bo.device_address = address_base + 0x10000 * object.id;
    if (object.foreign)
      bo.flags = DRM_ZYNPU_BO_IMPORTED;
    else
      bo.mmap_offset = 0x100000000 + 0x1000 * object.id;
    return 0;
  }
  // A dma-buf of another exporter.
  int foreign(std::uint64_t bytes) {
    dma_bufs[++last_dma_buf] = {
        .id = 1000u + static_cast<unsigned>(last_dma_buf), .size = bytes, .foreign = true};
    return last_dma_buf;
  }
  int submitted(drm_zynpu_submit& submit) {
    last_submit = submit;
    EXPECT_EQ(submit.bo_stride, sizeof(drm_zynpu_job_bo));
    EXPECT_EQ(submit.group_stride, sizeof(drm_zynpu_group));
    const auto* bos_at = pointer<const drm_zynpu_job_bo>(submit.bos);
    const auto* groups_at = pointer<const drm_zynpu_group>(submit.groups);
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
  struct Object {
    unsigned id = 0;
    std::uint64_t size = 0;
    bool foreign = false;
  };
  int open_error = 0, mmap_error = 0, duplicate_error = 0, opened = 0, interruptions = 0;
  std::atomic<int> mapped = 0;
  std::atomic<int> mapped_fd = 0;  // of the last mapping
  std::uint64_t address_base = 0;
  std::map<unsigned long, int> errors;
  std::vector<unsigned long> calls;
  std::map<std::uint32_t, Object> handles;
  std::map<int, Object> dma_bufs;  // open descriptors
  int last_dma_buf = 100;
  std::vector<std::uint64_t> edges;  // flags of DMA_BUF_IOCTL_SYNC
  std::mutex mutex;
  std::set<std::uint64_t> offsets;
  std::uint32_t last_handle = 0;
  std::uint64_t job = 0;
  std::int64_t wait_deadline = 0;
  drm_zynpu_submit last_submit{};
  drm_zynpu_wait outcome{};
  std::vector<drm_zynpu_job_bo> bos;
  std::vector<drm_zynpu_group> groups;
};

inline constexpr const char* kPath = "/dev/accel/accel3";

// An open device with the buffers of a job.
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

}  // namespace zynpu::runtime::drm
