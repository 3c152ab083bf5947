// SPDX-License-Identifier: MIT
#include "runtime/aipu/device.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace zynpu::runtime::aipu {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::size_t kRecords = 16;  // a query

// The kernel's numbers of a part: instruction set and configuration (graph-format.md 2.3).
struct Identity {
  std::uint32_t version, config;
  const char* part;
};
constexpr Identity kIdentities[] = {{1, 701, "z1"}, {2, 1104, "z2"}, {5, 1204, "x2"}};

std::uint64_t inode_of(int fd) {
  struct stat status {};
  return fstat(fd, &status) == 0 ? static_cast<std::uint64_t>(status.st_ino) : 0;
}

template <class Description>
Description describe(const Launch& launch) {
  Description job{};
  job.arch = kArchZhouyi;
  job.version = launch.version;
  job.config = launch.config;
  job.start_pc = launch.start_pc;
  job.interrupt_handler = launch.interrupt_handler;
  job.data_0 = launch.data_0;
  job.data_1 = launch.data_1;
  job.dtcm_size_kb = launch.dtcm_kib;
  job.exec_flag = launch.exec_flag;
  job.profile_fd = -1;
  job.job_id = launch.job_id;
  job.head_tcb = launch.head;
  job.first_task_tcb = launch.first_task;
  job.last_task_tcb = launch.last_task;
  job.tail_tcb = launch.last_task;
  job.asid0_base = launch.asid0_base;
  return job;
}

}  // namespace

Result<Release> release_of(const std::string& version) {
  unsigned major = 0, minor = 0;
  if (std::sscanf(version.c_str(), "%u.%u", &major, &minor) != 2)
    return fail(ErrorCode::kUnsupported, "the driver calls its version `{}`", version);
  if (major == 6) return minor == 0 ? Release::k41 : Release::k42;
  return fail(ErrorCode::kUnsupported,
              "kernel driver {} is not supported: its requests differ; 6.0 and later 6.x are", version);
}

Result<std::unique_ptr<Device>> Device::open(const std::string& node) {
  const int fd = ::open(node.c_str(), O_RDWR | O_SYNC | O_CLOEXEC);
  if (fd < 0)
    return fail(errno == ENOENT || errno == ENXIO || errno == ENODEV ? ErrorCode::kNotFound : ErrorCode::kIo,
                "{}: {}", node, std::strerror(errno));
  std::unique_ptr<Device> device(new Device(fd));
  ZYNPU_TRY(device->identify());
  return device;
}

Device::~Device() { ::close(fd_); }

Status Device::call(unsigned long request, void* argument, const char* what) const {
  int result = 0;
  do result = ::ioctl(fd_, request, argument);
  while (result < 0 && errno == EINTR);
  if (result == 0) return {};
  // Some failed copies come back as a positive remainder (host-interface.md 7, B7).
  return fail(result < 0 && errno == ENOMEM ? ErrorCode::kOutOfMemory : ErrorCode::kIo, "{}: {} failed: {}",
              kNode, what, result < 0 ? std::strerror(errno) : "the driver could not copy its answer");
}

Status Device::identify() {
  // The driver copies a text of its own length, whatever the request's size says (B4).
  std::array<char, kVersionBytes> text{};
  ZYNPU_TRY(call(kGetDriverVersion, text.data(), "the version query"));
  text.back() = '\0';
  version_ = text.data();
  ZYNPU_ASSIGN_OR_RETURN(release_, release_of(version_));
  Cap cap{};
  ZYNPU_TRY(call(kQueryCap, &cap, "the capability query"));
  if (cap.partition_count == 0 || cap.partition_count > 64)
    return fail(ErrorCode::kIo, "{}: {} partitions", kNode, cap.partition_count);
  PartitionCap partition = cap.partition;
  if (cap.is_homogeneous == 0) {
    // One record for each partition, whatever the request's size says (B3).
    std::vector<PartitionCap> all(cap.partition_count);
    ZYNPU_TRY(call(kQueryPartitionCap, all.data(), "the partition query"));
    partition = all[0];
  }
  kernel_version_ = partition.version;
  config_ = partition.config;
  for (const Identity& identity : kIdentities)
    if (partition.arch == kArchZhouyi && partition.version == identity.version &&
        partition.config == identity.config)
      part_ = part::find(identity.part);
  if (part_ == nullptr)
    return fail(ErrorCode::kUnsupported,
                "{}: architecture {}, instruction set {}, configuration {} is none of {}", kNode,
                partition.arch, partition.version, partition.config, "Z1_0701, Z2_1104, X2_1204");
  if (part_->host_interface == part::HostInterface::kTsm) {
    if (partition.cluster_count == 0 || partition.clusters[0].tecs != part_->tecs_per_core)
      return fail(ErrorCode::kUnsupported, "{}: cluster 0 has {} TECs a core, {} has {}", kNode,
                  partition.clusters[0].tecs, part_->target, part_->tecs_per_core);
  }
  if (part_->host_interface != part::HostInterface::kFlat && cap.asid_count > 0)
    asid0_base_ = cap.asid_base[0];
  return {};
}

// --- memory ---

Result<BufferDescription> Device::allocate(std::uint64_t bytes, std::uint64_t alignment, DataType type,
                                           Mapping* mapping) {
  BufferRequest request{};
  request.bytes = (bytes + kPage - 1) / kPage * kPage;
  request.align_in_page = static_cast<std::uint32_t>((alignment + kPage - 1) / kPage);
  request.data_type = type;
  ZYNPU_TRY(call(kReqBuf, &request, "an allocation"));
  const BufferDescription& description = request.description;
  const auto refuse = [&](std::string_view why) {
    call(kFreeBuf, &request.description, "a release").map([] {});
    return fail(ErrorCode::kIo, "{}: buffer of {} bytes at {:#x}: {}", kNode, bytes, description.pa, why);
  };
  if (description.bytes < bytes) return refuse("it is too small");
  const std::uint64_t end = description.pa - asid0_base_ + description.bytes;
  if (description.pa < asid0_base_ || end > part_->window_bytes || end < description.bytes)
    return refuse("it lies outside the address window");
  void* host = ::mmap(nullptr, description.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_,
                      static_cast<off_t>(description.dev_offset));
  if (host == MAP_FAILED) return refuse(std::strerror(errno));
  *mapping = {static_cast<std::uint8_t*>(host), description.bytes};
  return description;
}

void Device::free(const BufferDescription& description, const Mapping& mapping) {
  ::munmap(mapping.host, mapping.bytes);
  BufferDescription copy = description;
  // Nobody can act on a failed release; the driver frees everything when the file closes.
  call(kFreeBuf, &copy, "a release").map([] {});
}

Result<int> Device::create_dma_buf(std::uint64_t bytes) {
  DmaBufRequest request{};
  request.fd = -1;
  request.bytes = (bytes + kPage - 1) / kPage * kPage;
  ZYNPU_TRY(call(kAllocDmaBuf, &request, "a dma-buf allocation"));
  if (request.fd < 0) return fail(ErrorCode::kIo, "{}: the dma-buf has no file descriptor", kNode);
  std::lock_guard lock(mutex_);
  own_dma_bufs_.insert(inode_of(request.fd));
  return request.fd;
}

void Device::free_dma_buf(int fd) {
  bool own = false;
  {
    std::lock_guard lock(mutex_);
    own = own_dma_bufs_.erase(inode_of(fd)) != 0;
  }
  // Closing alone does not free it (B15).
  if (own) call(kFreeDmaBuf, &fd, "a dma-buf release").map([] {});
  ::close(fd);
}

Result<DmaBuf> Device::open_dma_buf(int fd, bool* attached, Mapping* mapping) {
  DmaBuf buffer{};
  buffer.fd = fd;
  {
    // The driver takes every dma-buf that it is asked about for one of its own (B15), so it is asked about
    // those only.
    std::lock_guard lock(mutex_);
    *attached = !own_dma_bufs_.contains(inode_of(fd));
  }
  if (*attached)
    ZYNPU_TRY(call(kAttachDmaBuf, &buffer, "attaching a dma-buf"));
  else
    ZYNPU_TRY(call(kGetDmaBufInfo, &buffer, "the dma-buf query"));
  const auto refuse = [&](std::string_view why) {
    if (*attached) call(kDetachDmaBuf, &fd, "detaching a dma-buf").map([] {});
    return fail(ErrorCode::kIo, "{}: dma-buf of {} bytes at {:#x}: {}", kNode, buffer.bytes, buffer.pa, why);
  };
  const std::uint64_t end = buffer.pa - asid0_base_ + buffer.bytes;
  if (buffer.bytes == 0 || buffer.pa < asid0_base_ || end > part_->window_bytes || end < buffer.bytes)
    return refuse("it lies outside the address window");
  void* host = ::mmap(nullptr, buffer.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (host == MAP_FAILED) return refuse(std::strerror(errno));
  *mapping = {static_cast<std::uint8_t*>(host), buffer.bytes};
  if (*attached) {
    // Detaching later needs the file, which the caller may close.
    buffer.fd = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (buffer.fd < 0) {
      ::munmap(host, buffer.bytes);
      return refuse(std::strerror(errno));
    }
  }
  return buffer;
}

void Device::close_dma_buf(const DmaBuf& buffer, bool attached, const Mapping& mapping) {
  ::munmap(mapping.host, mapping.bytes);
  if (!attached) return;
  int fd = buffer.fd;
  call(kDetachDmaBuf, &fd, "detaching a dma-buf").map([] {});
  ::close(fd);
}

// --- jobs ---

Status Device::submit(const Launch& launch) {
  // The CPU's writes to write-combined memory must have left before the doorbell.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (release_ == Release::k41) {
    auto job = describe<JobDescription41>(launch);
    return call(kScheduleJob, &job, "scheduling a job");
  }
  auto job = describe<JobDescription42>(launch);
  return call(kScheduleJob, &job, "scheduling a job");
}

Result<bool> Device::finished(int timeout_ms, std::vector<StatusRecord>* records) {
  records->clear();
  struct pollfd wait = {fd_, POLLIN | POLLPRI, 0};
  const int ready = ::poll(&wait, 1, timeout_ms);
  if (ready < 0 && errno != EINTR) return fail(ErrorCode::kIo, "{}: poll: {}", kNode, std::strerror(errno));
  if (ready <= 0) return false;
  records->resize(kRecords);
  StatusQuery query{};
  query.max_count = kRecords;
  query.of_this_thread = 1;
  query.records = records->data();
  ZYNPU_TRY(call(kQueryStatus, &query, "the status query"));
  if (query.count > kRecords)
    return fail(ErrorCode::kIo, "{}: {} finished jobs reported for {} records", kNode, query.count, kRecords);
  records->resize(query.count);
  return query.count > 0;
}

}  // namespace zynpu::runtime::aipu
