/* SPDX-License-Identifier: MIT */
/*
 * Every ioctl, with each field wrong in turn, at its limits and used from two
 * threads. Runs on any device, also on null hardware.
 */
#include "guest.h"

#include <poll.h>
#include <pthread.h>

static int fd;
static struct guest_job job;

#define BO_CREATE(...) ioctl(fd, DRM_IOCTL_ZYNPU_BO_CREATE, &(struct drm_zynpu_bo_create){__VA_ARGS__})
#define BO_INFO(...) ioctl(fd, DRM_IOCTL_ZYNPU_BO_INFO, &(struct drm_zynpu_bo_info){__VA_ARGS__})
#define WAIT(...) ioctl(fd, DRM_IOCTL_ZYNPU_WAIT, &(struct drm_zynpu_wait){__VA_ARGS__})
#define CANCEL(...) ioctl(fd, DRM_IOCTL_ZYNPU_CANCEL, &(struct drm_zynpu_cancel){__VA_ARGS__})
#define WINDOW(...) ioctl(fd, DRM_IOCTL_ZYNPU_WINDOW, &(struct drm_zynpu_window){__VA_ARGS__})
#define QUERY(...) ioctl(fd, DRM_IOCTL_ZYNPU_QUERY, &(struct drm_zynpu_query){__VA_ARGS__})

static void query_tells_what_the_device_is(void) {
  struct drm_zynpu_device_info info;
  CHECK(guest_device_info(fd, &info) == 0);
  CHECK(info.generation >= DRM_ZYNPU_Z1 && info.generation <= DRM_ZYNPU_X2);
  CHECK(info.clusters == 1 && info.cores >= 1 && info.tecs_per_core >= 1);
  CHECK(info.window_start > 0 && info.window_end <= 0x100000000ull);
  CHECK(info.max_timeout_ns >= info.default_timeout_ns && info.default_timeout_ns > 0);
  CHECK(info.pad == 0);
}

static void query_negotiates_the_size(void) {
  unsigned char large[4096], small[8];
  struct drm_zynpu_query query = {.type = DRM_ZYNPU_QUERY_DEVICE};
  CHECK(ioctl(fd, DRM_IOCTL_ZYNPU_QUERY, &query) == 0);
  CHECK(query.size == sizeof(struct drm_zynpu_device_info));
  memset(large, 0xAA, sizeof large);
  query.size = sizeof large;
  query.data = (uintptr_t)large;
  CHECK(ioctl(fd, DRM_IOCTL_ZYNPU_QUERY, &query) == 0);
  for (size_t i = sizeof(struct drm_zynpu_device_info); i < sizeof large; i++) CHECK(large[i] == 0);
  memset(small, 0xAA, sizeof small);
  query.size = 4;
  query.data = (uintptr_t)small;
  CHECK(ioctl(fd, DRM_IOCTL_ZYNPU_QUERY, &query) == 0);
  CHECK(small[0] != 0 && small[4] == 0xAA);
}

static void query_refuses_wrong_fields(void) {
  struct drm_zynpu_device_info info;
  REFUSED(QUERY(.type = 2, .size = sizeof info, .data = (uintptr_t)&info), EINVAL);
  REFUSED(QUERY(.type = ~0u, .size = sizeof info, .data = (uintptr_t)&info), EINVAL);
  REFUSED(QUERY(.type = 0, .size = sizeof info, .data = 8), EFAULT);
  REFUSED(QUERY(.type = 0, .size = ~0u, .data = (uintptr_t)&info), EINVAL);
}

static void buffers_are_zeroed_mapped_and_aligned(void) {
  struct guest_bo bo;
  for (int round = 0; round < 3; round++) {
    CHECK(guest_bo_create(fd, 40000, &bo) == 0);
    CHECK(bo.size == 40960 && bo.address != 0 && bo.address % 4096 == 0);
    for (size_t i = 0; i < bo.size / 4; i++) CHECK(bo.data[i] == 0);
    memset(bo.data, 0xFF, bo.size);
    CHECK(guest_fini(fd, bo.handle) == 0);
    guest_bo_free(fd, &bo);
  }
  for (uint32_t alignment = 4096; alignment <= 1u << 20; alignment *= 2) {
    struct drm_zynpu_bo_create create = {.size = 1, .alignment = alignment};
    CHECK(ioctl(fd, DRM_IOCTL_ZYNPU_BO_CREATE, &create) == 0);
    CHECK(create.device_address % alignment == 0 && create.size == 4096);
    CHECK(guest_close_handle(fd, create.handle) == 0);
  }
}

static void bo_create_refuses_wrong_fields(void) {
  REFUSED(BO_CREATE(.size = 0), EINVAL);
  REFUSED(BO_CREATE(.size = 1ull << 32), EINVAL);
  REFUSED(BO_CREATE(.size = UINT64_MAX), EINVAL);
  REFUSED(BO_CREATE(.size = UINT64_MAX - 4095), EINVAL);
  REFUSED(BO_CREATE(.size = 4096, .flags = 1), EINVAL);
  REFUSED(BO_CREATE(.size = 4096, .pad = 1), EINVAL);
  REFUSED(BO_CREATE(.size = 4096, .alignment = 3), EINVAL);
  REFUSED(BO_CREATE(.size = 4096, .alignment = 1u << 21), EINVAL);
  REFUSED(BO_CREATE(.size = 4096, .handle = 1), EINVAL);
  REFUSED(BO_CREATE(.size = 4096, .device_address = 1), EINVAL);
  REFUSED(BO_CREATE(.size = 4096, .mmap_offset = 1), EINVAL);
  REFUSED(BO_CREATE(.size = 0xb0000000), ENOMEM);
}

static void bo_info_repeats_what_create_said(void) {
  struct drm_zynpu_bo_info info = {.handle = job.bo[0].handle};
  CHECK(ioctl(fd, DRM_IOCTL_ZYNPU_BO_INFO, &info) == 0);
  CHECK(info.size == job.bo[0].size && info.device_address == job.bo[0].address && info.flags == 0);
  REFUSED(BO_INFO(.handle = 0), ENOENT);
  REFUSED(BO_INFO(.handle = 12345), ENOENT);
  REFUSED(BO_INFO(.handle = job.bo[0].handle, .flags = 1), EINVAL);
  REFUSED(BO_INFO(.handle = job.bo[0].handle, .size = 1), EINVAL);
}

static void mmap_is_bounded_and_shared(void) {
  struct drm_zynpu_bo_info info = {.handle = job.bo[0].handle};
  CHECK(ioctl(fd, DRM_IOCTL_ZYNPU_BO_INFO, &info) == 0);
  off_t offset = (off_t)info.mmap_offset;
  CHECK(mmap(NULL, info.size + 4096, PROT_READ, MAP_SHARED, fd, offset) == MAP_FAILED);
  CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, offset) == MAP_FAILED);
  CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, offset + (off_t)info.size + (1 << 20)) == MAP_FAILED);
  int other = guest_open();
  CHECK(other >= 0);
  /* Another file has no right to this offset. */
  CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, other, offset) == MAP_FAILED);
  close(other);
}

static void prep_and_fini_refuse_wrong_fields(void) {
  REFUSED(guest_prep(fd, job.bo[0].handle, 0, 0), EINVAL);
  REFUSED(guest_prep(fd, job.bo[0].handle, 4, 0), EINVAL);
  REFUSED(guest_prep(fd, 0, DRM_ZYNPU_PREP_READ, 0), ENOENT);
  REFUSED(guest_fini(fd, 0), ENOENT);
  struct drm_zynpu_bo_fini fini = {.handle = job.bo[0].handle, .flags = 1};
  REFUSED(ioctl(fd, DRM_IOCTL_ZYNPU_BO_FINI, &fini), EINVAL);
  CHECK(guest_prep(fd, job.bo[0].handle, DRM_ZYNPU_PREP_READ | DRM_ZYNPU_PREP_WRITE, 0) == 0);
}

static void job_runs_and_is_recorded(void) {
  struct drm_zynpu_wait wait;
  CHECK(guest_run(fd, &job) == DRM_ZYNPU_STATUS_DONE);
  CHECK(guest_wait(fd, job.submit.job_id, 0, &wait) == 0);
  CHECK(wait.status == DRM_ZYNPU_STATUS_DONE && wait.run_ns > 0);
  for (int i = 0; i < 300; i++) CHECK(guest_run(fd, &job) == DRM_ZYNPU_STATUS_DONE);
  CHECK(guest_wait(fd, job.submit.job_id - 200, 0, &wait) == 0);
  REFUSED(guest_wait(fd, job.submit.job_id - 300, 0, &wait), ENOENT);
  REFUSED(guest_wait(fd, job.submit.job_id + 1, 0, &wait), ENOENT);
}

/* Submits after one change of the request, which is undone. */
#define SUBMIT_REFUSED(field, value, error) \
  do {                                      \
    struct guest_job saved_ = job;          \
    job.field = (value);                    \
    REFUSED(guest_submit(fd, &job), error); \
    job = saved_;                           \
  } while (0)

static void submit_refuses_wrong_fields(void) {
  SUBMIT_REFUSED(submit.flags, 1, EINVAL);
  SUBMIT_REFUSED(submit.pad, 1, EINVAL);
  SUBMIT_REFUSED(submit.pad2, 1, EINVAL);
  SUBMIT_REFUSED(submit.bos, 8, EFAULT);
  SUBMIT_REFUSED(submit.bo_count, 0, EINVAL);
  SUBMIT_REFUSED(submit.bo_count, ~0u, EINVAL);
  SUBMIT_REFUSED(submit.bo_stride, 0, EINVAL);
  SUBMIT_REFUSED(submit.bo_stride, 4, EINVAL);
  SUBMIT_REFUSED(submit.bo_stride, 0x80000000u, EINVAL);
  SUBMIT_REFUSED(submit.groups, 8, EFAULT);
  SUBMIT_REFUSED(submit.group_count, 0, EINVAL);
  SUBMIT_REFUSED(submit.group_count, ~0u, EINVAL);
  SUBMIT_REFUSED(submit.group_stride, 0, EINVAL);
  SUBMIT_REFUSED(submit.group_stride, sizeof job.group - 8, EINVAL);
  SUBMIT_REFUSED(submit.in_syncs, 8, EINVAL);
  SUBMIT_REFUSED(submit.out_syncs, 8, EINVAL);
  SUBMIT_REFUSED(submit.in_sync_count, ~0u, EINVAL);
  SUBMIT_REFUSED(submit.out_sync_count, ~0u, EINVAL);
  SUBMIT_REFUSED(submit.sync_stride, 16, EINVAL);
  SUBMIT_REFUSED(submit.timeout_ns, UINT64_MAX, EINVAL);
  SUBMIT_REFUSED(submit.timeout_ns, job.info.max_timeout_ns + 1, EINVAL);
  struct drm_zynpu_submit again = job.submit;
  again.job_id = 1;
  REFUSED(ioctl(fd, DRM_IOCTL_ZYNPU_SUBMIT, &again), EINVAL);
  CHECK(guest_run(fd, &job) == DRM_ZYNPU_STATUS_DONE);
}

static void submit_refuses_wrong_buffers(void) {
  SUBMIT_REFUSED(list[0].handle, 0, ENOENT);
  SUBMIT_REFUSED(list[0].handle, 99999, ENOENT);
  SUBMIT_REFUSED(list[0].flags, 0, EINVAL);
  SUBMIT_REFUSED(list[0].flags, 4, EINVAL);
  SUBMIT_REFUSED(list[0].handle, job.list[1].handle, EINVAL);
}

static void submit_refuses_wrong_groups(void) {
  uint32_t size = (uint32_t)job.bo[0].size;
  SUBMIT_REFUSED(group.pad, 1, EINVAL);
  SUBMIT_REFUSED(group.text.bo, 0, EINVAL);
  SUBMIT_REFUSED(group.text.bo, BO_COUNT + 1, EINVAL);
  SUBMIT_REFUSED(group.text.bo, ~0u, EINVAL);
  SUBMIT_REFUSED(group.text.offset, 8, EINVAL);
  SUBMIT_REFUSED(group.text.offset, size, EINVAL);
  SUBMIT_REFUSED(group.text.offset, 0xfffffff0u, EINVAL);
  SUBMIT_REFUSED(group.parameters.bo, 0, EINVAL);
  SUBMIT_REFUSED(group.parameters.offset, 2, EINVAL);
  SUBMIT_REFUSED(group.parameters.offset, size, EINVAL);
  SUBMIT_REFUSED(group.stack.bo, 0, EINVAL);
  SUBMIT_REFUSED(group.stack.offset, size, EINVAL);
  if (job.info.generation == DRM_ZYNPU_X2) {
    SUBMIT_REFUSED(group.stack_size, 0, EINVAL);
    SUBMIT_REFUSED(group.stack_size, size, EINVAL);
    SUBMIT_REFUSED(group.stack_size, 0xfffffffcu, EINVAL);
    SUBMIT_REFUSED(group.private_size, 0, EINVAL);
    SUBMIT_REFUSED(group.private_size, 0xfffffffcu, EINVAL);
    SUBMIT_REFUSED(group.private_data.bo, 0, EINVAL);
    SUBMIT_REFUSED(group.constants.offset, 4, EINVAL);
    SUBMIT_REFUSED(group.constants.bo, 77, EINVAL);
    SUBMIT_REFUSED(group.printf_log.bo, 77, EINVAL);
    SUBMIT_REFUSED(group.model_parameters.bo, 77, EINVAL);
    SUBMIT_REFUSED(group.dependency, 3, EINVAL);
  } else {
    SUBMIT_REFUSED(group.stack_size, 4, EINVAL);
    SUBMIT_REFUSED(group.private_size, 4, EINVAL);
    SUBMIT_REFUSED(group.private_data.bo, 1, EINVAL);
    SUBMIT_REFUSED(group.constants.bo, 1, EINVAL);
    SUBMIT_REFUSED(group.dependency, 1, EINVAL);
    SUBMIT_REFUSED(submit.group_count, 2, EINVAL);
  }
}

static void submit_takes_larger_elements_of_a_newer_program(void) {
  struct {
    struct drm_zynpu_group group;
    uint64_t newer;
  } large = {.group = job.group};
  struct guest_job saved = job;
  job.submit.groups = (uintptr_t)&large;
  job.submit.group_stride = sizeof large;
  CHECK(guest_run(fd, &job) == DRM_ZYNPU_STATUS_DONE);
  large.newer = 1;
  REFUSED(guest_submit(fd, &job), E2BIG);
  job = saved;
}

static void wait_and_cancel_refuse_wrong_fields(void) {
  CHECK(guest_run(fd, &job) == DRM_ZYNPU_STATUS_DONE);
  uint64_t id = job.submit.job_id;
  REFUSED(WAIT(.job_id = 0), ENOENT);
  REFUSED(WAIT(.job_id = UINT64_MAX), ENOENT);
  REFUSED(WAIT(.job_id = id, .pad = 1), EINVAL);
  REFUSED(WAIT(.job_id = id, .status = 1), EINVAL);
  REFUSED(CANCEL(.job_id = 0), ENOENT);
  REFUSED(CANCEL(.job_id = id, .flags = 1), EINVAL);
  REFUSED(CANCEL(.job_id = id, .pad = 1), EINVAL);
  CHECK(CANCEL(.job_id = id) == 0);
  struct drm_zynpu_wait wait;
  CHECK(guest_wait(fd, id, 0, &wait) == 0 && wait.status == DRM_ZYNPU_STATUS_DONE);
}

static uint32_t create_syncobj(uint32_t flags) {
  struct drm_syncobj_create create = {.flags = flags};
  return ioctl(fd, DRM_IOCTL_SYNCOBJ_CREATE, &create) == 0 ? create.handle : 0;
}

static void syncobjs_order_jobs(void) {
  uint32_t binary = create_syncobj(0), timeline = create_syncobj(0);
  CHECK(binary != 0 && timeline != 0);
  struct drm_zynpu_sync out[2] = {{.handle = binary}, {.handle = timeline, .point = 7}};
  struct guest_job saved = job;
  job.submit.out_syncs = (uintptr_t)out;
  job.submit.out_sync_count = 2;
  job.submit.sync_stride = sizeof out[0];
  CHECK(guest_submit(fd, &job) == 0);
  struct drm_syncobj_wait wait = {
      .handles = (uintptr_t)&binary, .count_handles = 1, .timeout_nsec = INT64_MAX};
  CHECK(ioctl(fd, DRM_IOCTL_SYNCOBJ_WAIT, &wait) == 0);
  job.submit.out_sync_count = 0;
  job.submit.out_syncs = 0;
  job.submit.in_syncs = (uintptr_t)out;
  job.submit.in_sync_count = 2;
  CHECK(guest_run(fd, &job) == DRM_ZYNPU_STATUS_DONE);
  out[1].point = 8; /* nobody has promised it */
  REFUSED(guest_submit(fd, &job), EINVAL);
  out[1].point = 7;
  out[0].pad = 1;
  REFUSED(guest_submit(fd, &job), EINVAL);
  out[0].pad = 0;
  out[0].handle = 4711;
  REFUSED(guest_submit(fd, &job), ENOENT);
  job.submit.in_sync_count = 0;
  job.submit.in_syncs = 0;
  job.submit.out_syncs = (uintptr_t)out;
  job.submit.out_sync_count = 1;
  REFUSED(guest_submit(fd, &job), ENOENT);
  job = saved;
}

static void buffers_travel_between_files(void) {
  int other = guest_open();
  CHECK(other >= 0);
  struct drm_prime_handle prime = {.handle = job.bo[BO_OUTPUT].handle, .flags = O_RDWR | O_CLOEXEC};
  CHECK(ioctl(fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime) == 0);
  job.bo[BO_OUTPUT].data[5] = 0x12345678;
  struct drm_prime_handle import = {.fd = prime.fd};
  CHECK(ioctl(other, DRM_IOCTL_PRIME_FD_TO_HANDLE, &import) == 0);
  struct drm_zynpu_bo_info info = {.handle = import.handle};
  CHECK(ioctl(other, DRM_IOCTL_ZYNPU_BO_INFO, &info) == 0);
  CHECK(info.size == job.bo[BO_OUTPUT].size && info.device_address != 0);
  uint32_t* data = mmap(NULL, info.size, PROT_READ, MAP_SHARED, other, (off_t)info.mmap_offset);
  CHECK(data != MAP_FAILED && data[5] == 0x12345678);
  munmap(data, info.size);
  data = mmap(NULL, info.size, PROT_READ, MAP_SHARED, prime.fd, 0);
  CHECK(data != MAP_FAILED && data[5] == 0x12345678);
  munmap(data, info.size);
  /* A second import is the same handle. */
  struct drm_prime_handle again = {.fd = prime.fd};
  CHECK(ioctl(other, DRM_IOCTL_PRIME_FD_TO_HANDLE, &again) == 0 && again.handle == import.handle);
  close(prime.fd);
  close(other);
}

static void buffers_outlive_their_handles_while_jobs_use_them(void) {
  for (int i = 0; i < 50; i++) {
    struct guest_job mine;
    CHECK(guest_job_create(fd, &mine) == 0);
    guest_load(fd, &mine, guest_exit, sizeof guest_exit);
    CHECK(guest_submit(fd, &mine) == 0);
    guest_job_free(fd, &mine);
    struct drm_zynpu_wait wait;
    CHECK(guest_wait(fd, mine.submit.job_id, GUEST_FOREVER, &wait) == 0);
    CHECK(wait.status == DRM_ZYNPU_STATUS_DONE);
  }
}

static volatile int racing;

static void* close_handles(void* unused) {
  (void)unused;
  for (uint32_t handle = 1; racing; handle = handle % 32 + 1)
    if (handle > BO_COUNT) guest_close_handle(fd, handle);
  return NULL;
}

static void handles_may_vanish_during_a_submission(void) {
  pthread_t thread;
  racing = 1;
  CHECK(pthread_create(&thread, NULL, close_handles, NULL) == 0);
  for (int i = 0; i < 300; i++) {
    struct drm_zynpu_bo_create create = {.size = 4096};
    struct guest_job saved = job;
    if (ioctl(fd, DRM_IOCTL_ZYNPU_BO_CREATE, &create) != 0) continue;
    job.list[BO_OUTPUT].handle = create.handle;
    if (guest_submit(fd, &job) != 0 && errno != ENOENT && errno != EAGAIN)
      guest_fail(__FILE__, __LINE__, "submit", i);
    job = saved;
  }
  racing = 0;
  pthread_join(thread, NULL);
  /* As many jobs as a context may have can still be unfinished. */
  int status = -1;
  for (int i = 0; i < 1000 && status < 0; i++) {
    status = guest_run(fd, &job);
    if (status < 0) {
      CHECK(errno == EAGAIN);
      usleep(10000);
    }
  }
  CHECK(status == DRM_ZYNPU_STATUS_DONE);
}

static void* submit_many(void* unused) {
  (void)unused;
  struct guest_job mine = job;
  for (int i = 0; i < 200; i++)
    if (guest_run(fd, &mine) != DRM_ZYNPU_STATUS_DONE) return (void*)1;
  return NULL;
}

static void two_threads_submit_to_one_context(void) {
  pthread_t thread;
  void* result;
  CHECK(pthread_create(&thread, NULL, submit_many, NULL) == 0);
  CHECK(submit_many(NULL) == NULL);
  CHECK(pthread_join(thread, &result) == 0 && result == NULL);
}

static void window_is_checked(void) {
  REFUSED(WINDOW(.size = 1 << 20, .flags = 1), EINVAL);
  REFUSED(WINDOW(.size = 1 << 20, .pad = 1), EINVAL);
  if (job.info.generation != DRM_ZYNPU_Z2 || job.info.isolation == DRM_ZYNPU_ISOLATION_IOMMU) {
    REFUSED(WINDOW(.size = 1 << 20), EOPNOTSUPP);
    return;
  }
  REFUSED(WINDOW(.size = 1 << 20), EBUSY); /* there are buffers already */
  int saved = fd;
  fd = guest_open();
  CHECK(fd >= 0);
  REFUSED(WINDOW(.size = 0), EINVAL);
  REFUSED(WINDOW(.size = 3 << 20), EINVAL);
  REFUSED(WINDOW(.size = 1ull << 33), EINVAL);
  CHECK(WINDOW(.size = 1 << 20) == 0);
  struct guest_job mine;
  CHECK(guest_job_create(fd, &mine) == 0);
  CHECK(mine.info.isolation == DRM_ZYNPU_ISOLATION_WINDOW);
  for (int i = 0; i < BO_COUNT; i++) CHECK(mine.bo[i].address >= 4096 && mine.bo[i].address < 1 << 20);
  guest_load(fd, &mine, guest_exit, sizeof guest_exit);
  CHECK(guest_run(fd, &mine) == DRM_ZYNPU_STATUS_DONE);
  struct drm_zynpu_bo_create large = {.size = 1 << 20};
  REFUSED(ioctl(fd, DRM_IOCTL_ZYNPU_BO_CREATE, &large), ENOMEM);
  /* A buffer from outside has no place in it. */
  struct drm_prime_handle prime = {.handle = job.bo[0].handle, .flags = O_CLOEXEC};
  CHECK(ioctl(saved, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime) == 0);
  struct drm_prime_handle import = {.fd = prime.fd};
  REFUSED(ioctl(fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &import), EXDEV);
  close(prime.fd);
  guest_job_free(fd, &mine);
  close(fd);
  fd = saved;
}

static void unknown_ioctls_are_refused(void) {
  char argument[256] = {0};
  for (unsigned number = 9; number < 32; number++) {
    errno = 0;
    CHECK(ioctl(fd, _IOWR('d', DRM_COMMAND_BASE + number, char[64]), argument) != 0);
    CHECK(errno == EINVAL || errno == ENOTTY);
  }
}

static void context_counts_its_jobs_and_buffers(void) {
  struct drm_zynpu_context_info before, after;
  struct guest_job mine;
  int other = guest_open();
  CHECK(other >= 0 && guest_job_create(other, &mine) == 0);
  guest_load(other, &mine, guest_exit, sizeof guest_exit);
  CHECK(guest_context_info(other, &before) == 0);
  CHECK(before.bo_count == BO_COUNT && before.bo_bytes == BO_COUNT * mine.bo[0].size);
  CHECK(guest_run(other, &mine) == DRM_ZYNPU_STATUS_DONE);
  CHECK(guest_context_info(other, &after) == 0);
  CHECK(after.jobs_submitted == before.jobs_submitted + 1);
  CHECK(after.busy_ns > before.busy_ns && after.flags == 0);
  guest_job_free(other, &mine);
  CHECK(guest_context_info(other, &after) == 0 && after.bo_count == 0 && after.bo_bytes == 0);
  close(other);
}

/* A number of /proc/self/fdinfo, -1 if it is not there. */
static long long fdinfo(int file, const char* key) {
  char path[64], line[256];
  long long value = -1;
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", file);
  FILE* info = fopen(path, "r");
  if (info == NULL) return -1;
  size_t length = strlen(key);
  while (fgets(line, sizeof line, info) != NULL)
    if (strncmp(line, key, length) == 0 && line[length] == ':') value = atoll(line + length + 1);
  fclose(info);
  return value;
}

static void fdinfo_tells_engine_time_and_memory(void) {
  struct drm_zynpu_context_info context;
  struct guest_job mine;
  int other = guest_open();
  CHECK(other >= 0 && guest_job_create(other, &mine) == 0);
  CHECK(fdinfo(other, "drm-engine-npu") == 0 && fdinfo(other, "zynpu-guilty-resets") == 0);
  CHECK(fdinfo(other, "drm-total-memory") == BO_COUNT * (long long)mine.bo[0].size / 1024);
  guest_load(other, &mine, guest_exit, sizeof guest_exit);
  CHECK(guest_run(other, &mine) == DRM_ZYNPU_STATUS_DONE);
  CHECK(guest_context_info(other, &context) == 0);
  CHECK(fdinfo(other, "drm-engine-npu") == (long long)context.busy_ns);
  guest_job_free(other, &mine);
  CHECK(fdinfo(other, "drm-total-memory") == 0);
  close(other);
}

static void nothing_is_left_behind(void) {
  guest_job_free(fd, &job);
  close(fd);
  for (int i = 0; i < 100 && (guest_status("bo_count") > 0 || guest_status("jobs") > 0); i++) usleep(20000);
  CHECK(guest_status("bo_count") == 0);
  CHECK(guest_status("bo_bytes") == 0);
  CHECK(guest_status("jobs") == 0);
}

int main(void) {
  fd = guest_open();
  guest_test = "setup";
  if (fd < 0 || guest_job_create(fd, &job) != 0) {
    guest_fail(__FILE__, __LINE__, "no device or no buffers", fd);
    return 1;
  }
  guest_load(fd, &job, guest_exit, sizeof guest_exit);
  RUN(query_tells_what_the_device_is);
  RUN(query_negotiates_the_size);
  RUN(query_refuses_wrong_fields);
  RUN(buffers_are_zeroed_mapped_and_aligned);
  RUN(bo_create_refuses_wrong_fields);
  RUN(bo_info_repeats_what_create_said);
  RUN(mmap_is_bounded_and_shared);
  RUN(prep_and_fini_refuse_wrong_fields);
  RUN(job_runs_and_is_recorded);
  RUN(submit_refuses_wrong_fields);
  RUN(submit_refuses_wrong_buffers);
  RUN(submit_refuses_wrong_groups);
  RUN(submit_takes_larger_elements_of_a_newer_program);
  RUN(wait_and_cancel_refuse_wrong_fields);
  RUN(syncobjs_order_jobs);
  RUN(buffers_travel_between_files);
  RUN(buffers_outlive_their_handles_while_jobs_use_them);
  RUN(handles_may_vanish_during_a_submission);
  RUN(two_threads_submit_to_one_context);
  RUN(window_is_checked);
  RUN(unknown_ioctls_are_refused);
  RUN(context_counts_its_jobs_and_buffers);
  RUN(fdinfo_tells_engine_time_and_memory);
  RUN(nothing_is_left_behind);
  return guest_failures != 0;
}
