// SPDX-License-Identifier: MIT
// Memory that the back end for the kernel driver shares as dma-bufs: whose handle, mapping and
// synchronisation, and what is left of each failure.
#include <thread>

#include "runtime/fake_kernel.h"

namespace zynpu::runtime::drm {
namespace {

class DrmSharingTest : public DrmBackendTest {};

TEST_F(DrmSharingTest, SharedMemoryLivesByItsDescriptorAndIsMappedThroughTheDevice) {
  open();
  const std::size_t before = kernel.handles.size();
  const std::size_t handed_over = kernel.count(DRM_IOCTL_ZYNPU_BO_FINI);
  const int fd = backend->create_shared(5000).value();
  EXPECT_EQ(kernel.handles.size(), before);
  EXPECT_EQ(kernel.count(DRM_IOCTL_ZYNPU_BO_FINI), handed_over + 1);
  std::unique_ptr<Buffer> buffer = backend->import_shared(fd).value();
  EXPECT_EQ(kernel.mapped_fd, 42);
  EXPECT_EQ(buffer->bytes(), 8192u);
  EXPECT_EQ(buffer->host().size(), 8192u);
  EXPECT_EQ(buffer->device_address(), 0x50000u);
  backend->destroy_shared(fd);
  EXPECT_TRUE(kernel.dma_bufs.empty());
  EXPECT_TRUE(buffer->sync_for_cpu());
  EXPECT_TRUE(buffer->sync_for_device());
  EXPECT_EQ(kernel.count(DRM_IOCTL_ZYNPU_BO_PREP), 1u);
  EXPECT_EQ(kernel.count(DRM_IOCTL_ZYNPU_BO_FINI), handed_over + 2);
  EXPECT_TRUE(kernel.edges.empty());
  buffer.reset();
  EXPECT_EQ(kernel.handles.size(), before);
  EXPECT_EQ(kernel.mapped, 4);
}

TEST_F(DrmSharingTest, MemoryThatIsImportedTwiceStaysUntilBothAreGone) {
  open();
  const std::size_t before = kernel.handles.size();
  const int fd = backend->create_shared(4096).value();
  std::unique_ptr<Buffer> one = backend->import_shared(fd).value(), two = backend->import_shared(fd).value();
  EXPECT_EQ(one->device_address(), two->device_address());
  EXPECT_EQ(kernel.handles.size(), before + 1);
  one.reset();
  EXPECT_EQ(kernel.handles.size(), before + 1);
  EXPECT_TRUE(two->sync_for_cpu());
  JobDescription both = description();
  one = backend->import_shared(fd).value();
  both.buffers = {one.get(), two.get()};
  const auto job = backend->prepare(both).value();
  ASSERT_TRUE(job->submit());  // the fake requires that it names the handle once
  ASSERT_TRUE(job->wait(-1));
  EXPECT_EQ(kernel.bos.size(), 5u);
  one.reset();
  two.reset();
  EXPECT_EQ(kernel.handles.size(), before);
  EXPECT_TRUE(backend->import_shared(fd));
  backend->destroy_shared(fd);
}

TEST_F(DrmSharingTest, ThreadsImportAndDropTheSameMemory) {
  open();
  const std::size_t before = kernel.handles.size();
  const int fd = backend->create_shared(4096).value();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int round = 0; round < 200; ++round) {
        const auto buffer = backend->import_shared(fd);
        EXPECT_TRUE(buffer && (*buffer)->sync_for_device());
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(kernel.handles.size(), before);
  backend->destroy_shared(fd);
}

TEST_F(DrmSharingTest, MemoryOfAnotherExporterIsMappedAndSynchronisedThroughItsDmaBuf) {
  open();
  const int fd = kernel.foreign(4096);
  std::unique_ptr<Buffer> buffer = backend->import_shared(fd).value();
  EXPECT_EQ(kernel.dma_bufs.size(), 2u);
  kernel.dma_bufs.erase(fd);  // the caller closes its descriptor
  EXPECT_EQ(kernel.mapped_fd, kernel.last_dma_buf);
  const std::uint64_t begin = DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW, end = DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW;
  const std::size_t handed_over = kernel.count(DRM_IOCTL_ZYNPU_BO_FINI);
  EXPECT_TRUE(buffer->sync_for_device());
  EXPECT_TRUE(buffer->sync_for_cpu());
  EXPECT_EQ(kernel.edges, (std::vector<std::uint64_t>{begin, end, begin}));
  EXPECT_EQ(kernel.count(DRM_IOCTL_ZYNPU_BO_PREP), 1u);  // it waits for jobs all the same
  EXPECT_EQ(kernel.count(DRM_IOCTL_ZYNPU_BO_FINI), handed_over);
  kernel.interruptions = 2;
  EXPECT_TRUE(buffer->sync_for_device());
  kernel.errors[DMA_BUF_IOCTL_SYNC] = EINVAL;
  EXPECT_FALSE(buffer->sync_for_device());
  EXPECT_FALSE(buffer->sync_for_cpu());
  buffer.reset();
  EXPECT_TRUE(kernel.dma_bufs.empty());
  EXPECT_EQ(kernel.handles.size(), 4u);
  EXPECT_EQ(kernel.mapped, 4);
}

TEST_F(DrmSharingTest, SharingThatFailsLeavesNothingBehind) {
  open();
  EXPECT_EQ(backend->create_shared(0).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(backend->create_shared(std::uint64_t{1} << 40).error().code, ErrorCode::kInvalidArgument);
  const std::pair<unsigned long, int> steps[] = {{DRM_IOCTL_ZYNPU_BO_CREATE, ENOMEM},
                                                 {DRM_IOCTL_ZYNPU_BO_FINI, ENODEV},
                                                 {DRM_IOCTL_PRIME_HANDLE_TO_FD, EMFILE}};
  for (const auto& [request, number] : steps) {
    kernel.errors = {{request, number}};
    EXPECT_FALSE(backend->create_shared(4096));
    EXPECT_EQ(kernel.handles.size(), 4u);
    EXPECT_TRUE(kernel.dma_bufs.empty());
  }
  kernel.errors.clear();
  const int own = backend->create_shared(4096).value(), foreign = kernel.foreign(4096);
  const auto nothing_is_left = [&](int fd) {
    EXPECT_FALSE(backend->import_shared(fd));
    EXPECT_EQ(kernel.handles.size(), 4u);
    EXPECT_EQ(kernel.dma_bufs.size(), 2u);
    EXPECT_EQ(kernel.mapped, 4);
  };
  for (const unsigned long request : {static_cast<unsigned long>(DRM_IOCTL_PRIME_FD_TO_HANDLE),
                                      static_cast<unsigned long>(DRM_IOCTL_ZYNPU_BO_INFO)}) {
    kernel.errors = {{request, ENOMEM}};
    nothing_is_left(own);
    nothing_is_left(foreign);
  }
  kernel.errors = {{DMA_BUF_IOCTL_SYNC, EIO}};
  nothing_is_left(foreign);
  kernel.errors.clear();
  kernel.mmap_error = ENOTSUP;
  nothing_is_left(own);
  nothing_is_left(foreign);
  kernel.mmap_error = 0;
  kernel.duplicate_error = EMFILE;
  nothing_is_left(foreign);
  kernel.duplicate_error = 0;
  kernel.address_base = 0x100000000;
  nothing_is_left(own);
  nothing_is_left(foreign);
  kernel.address_base = 0;
  EXPECT_TRUE(backend->import_shared(foreign));
}

TEST_F(DrmSharingTest, TellsWhyMemoryCannotBeImported) {
  open();
  EXPECT_EQ(backend->import_shared(7).error().code, ErrorCode::kInvalidArgument);  // EBADF
  const int fd = kernel.foreign(4096);
  struct Refusal {
    int number;
    ErrorCode code;
    const char* text;
  };
  const Refusal refusals[] = {{EINVAL, ErrorCode::kInvalidArgument, "no dma-buf"},
                              {EOPNOTSUPP, ErrorCode::kUnsupported, "in pieces"},
                              {EXDEV, ErrorCode::kUnsupported, "private window"},
                              {ERANGE, ErrorCode::kUnsupported, "address window"},
                              {ENODEV, ErrorCode::kDeviceFault, "gone"},
                              {ENOMEM, ErrorCode::kOutOfMemory, "Cannot allocate"}};
  for (const Refusal& refusal : refusals) {
    kernel.errors[DRM_IOCTL_PRIME_FD_TO_HANDLE] = refusal.number;
    const auto refused = backend->import_shared(fd);
    EXPECT_EQ(refused.error().code, refusal.code) << refusal.number;
    EXPECT_NE(refused.error().message.find(refusal.text), std::string::npos) << refused.error().message;
    EXPECT_NE(refused.error().message.find(kPath), std::string::npos);
  }
}

TEST_F(DrmSharingTest, AJobIsToldOfBuffersThatComeLater) {
  open();
  const auto job = backend->prepare(description()).value();
  const int fd = kernel.foreign(4096);
  const std::unique_ptr<Buffer> one = backend->import_shared(fd).value(),
                                again = backend->import_shared(fd).value(),
                                two = backend->allocate(4096, 4096).value();
  const auto named = [&](const Buffer* const* from, std::size_t count) {
    EXPECT_TRUE(job->set_more_buffers({from, count}));
    EXPECT_TRUE(job->submit());
    EXPECT_TRUE(job->wait(-1));
    return kernel.bos.size();
  };
  const Buffer* const list[] = {one.get(), again.get(), text.get(), two.get()};
  EXPECT_EQ(named(list, 4), 6u);  // each handle once
  EXPECT_EQ(named(list + 3, 1), 5u);
  EXPECT_EQ(kernel.bos.back().handle, kernel.last_handle);
  EXPECT_EQ(named(list, 0), 4u);
}

TEST_F(DrmSharingTest, ARefusedBufferLeavesTheJobAsItWas) {
  kernel.info.max_bos = 5;
  open();
  const auto job = backend->prepare(description()).value();
  const std::unique_ptr<Buffer> one = backend->allocate(4096, 4096).value(),
                                two = backend->allocate(4096, 4096).value();
  FakeKernel second;
  const auto other = drm::open(kPath, second).value();
  const auto foreign = other->allocate(4096, 4096).value();
  const Buffer* const kept[] = {one.get()};
  const Buffer* const too_many[] = {two.get(), one.get()};
  const Buffer* const of_another[] = {two.get(), foreign.get()};
  ASSERT_TRUE(job->set_more_buffers(kept));
  EXPECT_EQ(job->set_more_buffers(too_many).error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(job->set_more_buffers(of_another).error().code, ErrorCode::kInvalidArgument);
  ASSERT_TRUE(job->submit());
  ASSERT_TRUE(job->wait(-1));
  ASSERT_EQ(kernel.bos.size(), 5u);
  EXPECT_EQ(kernel.bos.back().handle, 5u);
}

}  // namespace
}  // namespace zynpu::runtime::drm
