// SPDX-License-Identifier: MIT
// The requests of the vendor's /dev/aipu and their structures (host-interface.md 5), releases 4.1 and 4.2.
// Own declarations from the tabulated offsets.
#pragma once

#include <cstddef>
#include <cstdint>

namespace zynpu::runtime::aipu {

// Request words (host-interface.md 5.1).
inline constexpr unsigned long kQueryCap = 0x80C84100, kQueryPartitionCap = 0x80804101, kReqBuf = 0xC0504102,
                               kFreeBuf = 0x40284103, kScheduleJob = 0x40904106, kQueryStatus = 0xC0184107,
                               kAllocDmaBuf = 0x8018410F, kFreeDmaBuf = 0x40044110,
                               kGetDmaBufInfo = 0xC0204111, kGetDriverVersion = 0x80084112,
                               kAttachDmaBuf = 0xC0204113, kDetachDmaBuf = 0x40044114;

struct Cluster {
  std::uint32_t cores, enabled_cores, tecs;
};

struct PartitionCap {
  std::uint32_t id, arch, version, config;
  std::uint64_t reg_base;
  std::uint32_t cluster_count;
  Cluster clusters[8];
  std::uint32_t reserved;
};
static_assert(sizeof(PartitionCap) == 128 && offsetof(PartitionCap, clusters) == 28);

struct Cap {
  std::uint32_t partition_count, asid_count;
  std::uint64_t asid_base[4];
  std::uint32_t is_homogeneous;
  std::uint32_t reserved;
  std::uint64_t dtcm_base;
  std::uint32_t dtcm_size, gm0_size, gm1_size;
  std::uint32_t reserved2;
  PartitionCap partition;  // valid if homogeneous
};
static_assert(offsetof(Cap, asid_base) == 8 && offsetof(Cap, is_homogeneous) == 40 &&
              offsetof(Cap, dtcm_base) == 48 && offsetof(Cap, gm1_size) == 64 &&
              offsetof(Cap, partition) == 72 && sizeof(Cap) == 200);

struct BufferDescription {
  std::uint64_t pa, dev_offset, bytes, exec_id;
  std::uint8_t region, asid;
  std::uint32_t mode;  // 4.1: reserved
};
static_assert(sizeof(BufferDescription) == 40 && offsetof(BufferDescription, mode) == 36);

enum class DataType : std::uint32_t { kNone, kText, kRodata, kStack, kStatic, kReuse, kTcb, kWeight };

struct BufferRequest {
  std::uint64_t bytes, exec_id, reserve_iova_size;
  std::uint32_t align_in_page;
  DataType data_type;
  std::uint8_t region, asid, alloc_mode;
  BufferDescription description;  // out
};
static_assert(sizeof(BufferRequest) == 80 && offsetof(BufferRequest, description) == 40);

inline constexpr std::uint32_t kSramMutex = 1, kQosSlow = 2, kQosFast = 4, kSingleGroup = 8,
                               kMultiGroup = 0x10;

// Release 4.2 (kernel driver 6.1 and later).
struct JobDescription42 {
  std::uint32_t is_defer_run, version_compatible, core_id, partition_id, do_trigger, arch, version, config;
  std::uint32_t start_pc, interrupt_handler, data_0, data_1;
  std::uint32_t enable_prof, enable_poll_opt, exec_flag, dtcm_size_kb, is_coredump_en, group_id, profile_sz;
  std::int64_t profile_fd;
  std::uint64_t profile_pa, job_id, head_tcb, first_task_tcb, last_task_tcb, tail_tcb, asid0_base;
};
static_assert(sizeof(JobDescription42) == 144 && offsetof(JobDescription42, data_1) == 44 &&
              offsetof(JobDescription42, exec_flag) == 56 && offsetof(JobDescription42, profile_fd) == 80 &&
              offsetof(JobDescription42, job_id) == 96 && offsetof(JobDescription42, asid0_base) == 136);

// Release 4.1 (kernel driver 6.0): the same size and request word, another order.
struct JobDescription41 {
  std::uint32_t is_defer_run, version_compatible, core_id, partition_id, do_trigger, arch, version, config;
  std::uint32_t start_pc, interrupt_handler, data_0, data_1;
  std::uint64_t job_id;
  std::uint32_t enable_prof;
  std::int64_t profile_fd;
  std::uint64_t profile_pa;
  std::uint32_t profile_sz, enable_poll_opt, exec_flag, dtcm_size_kb;
  std::uint64_t head_tcb, first_task_tcb, last_task_tcb, tail_tcb;
  std::uint32_t is_coredump_en;
  std::uint64_t asid0_base;
};
static_assert(sizeof(JobDescription41) == 144 && offsetof(JobDescription41, job_id) == 48 &&
              offsetof(JobDescription41, head_tcb) == 96 && offsetof(JobDescription41, asid0_base) == 136);

enum class JobState : std::uint32_t { kNone, kDone, kException, kCoredump };

struct StatusRecord {
  std::uint64_t job_id;
  std::uint32_t thread_id;
  JobState state;
  std::uint64_t tick;
  std::int64_t execution_ns;
  std::uint32_t counters[6];
};
static_assert(sizeof(StatusRecord) == 56 && offsetof(StatusRecord, state) == 12);

struct StatusQuery {
  std::uint32_t max_count, of_this_thread;
  StatusRecord* records;
  std::uint32_t count;  // out
};
static_assert(sizeof(StatusQuery) == 24 && offsetof(StatusQuery, count) == 16);

// What the kernel reads and writes; the vendor's public structures are 8 bytes shorter (standard-api.md 8).
struct DmaBufRequest {
  std::int32_t fd;
  std::uint64_t bytes, exec_id;
};
static_assert(sizeof(DmaBufRequest) == 24);

struct DmaBuf {
  std::int32_t fd;
  std::uint64_t pa, bytes, exec_id;
};
static_assert(sizeof(DmaBuf) == 32);

// The argument of the version request is a text of unstated length; nobody's is longer than this.
inline constexpr std::size_t kVersionBytes = 256;

// The kernel's numbers of the parts (graph-format.md 2.3).
inline constexpr std::uint32_t kArchZhouyi = 0;

}  // namespace zynpu::runtime::aipu
