/* SPDX-License-Identifier: MIT */
/*
 * Helpers of the programs that run in the guest. They are C, static, and need
 * nothing but the kernel's headers. Each test prints one line, PASS or FAIL.
 */
#ifndef ZYNPU_TESTS_VM_GUEST_H
#define ZYNPU_TESTS_VM_GUEST_H

#include <drm/zynpu_accel.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define GUEST_FOREVER INT64_MAX
#define GUEST_SECOND 1000000000ll

static int guest_failures;
static const char* guest_test;

static inline void guest_fail(const char* file, int line, const char* what, long long got) {
  printf("FAIL %s: %s:%d: %s (got %lld, errno %d %s)\n", guest_test, file, line, what, got, errno,
         strerror(errno));
  guest_failures++;
}

/* Checks a condition; false ends the test that it stands in. */
#define CHECK(condition)                             \
  do {                                               \
    if (!(condition)) {                              \
      guest_fail(__FILE__, __LINE__, #condition, 0); \
      return;                                        \
    }                                                \
  } while (0)

/* Checks that a call fails with `error`. */
#define REFUSED(call, error)                                     \
  do {                                                           \
    errno = 0;                                                   \
    long long got_ = (call);                                     \
    if (got_ == 0 || errno != (error)) {                         \
      guest_fail(__FILE__, __LINE__, #call " -> " #error, got_); \
      return;                                                    \
    }                                                            \
  } while (0)

#define RUN(test)                                              \
  do {                                                         \
    int before_ = guest_failures;                              \
    guest_test = #test;                                        \
    test();                                                    \
    if (guest_failures == before_) printf("PASS %s\n", #test); \
    fflush(stdout);                                            \
  } while (0)

static inline int64_t guest_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * GUEST_SECOND + now.tv_nsec;
}

static inline int guest_open(void) { return open("/dev/accel/accel0", O_RDWR | O_CLOEXEC); }

static inline int guest_close_handle(int fd, uint32_t handle) {
  struct drm_gem_close close = {.handle = handle};
  return ioctl(fd, DRM_IOCTL_GEM_CLOSE, &close);
}

static inline int guest_device_info(int fd, struct drm_zynpu_device_info* info) {
  struct drm_zynpu_query query = {
      .type = DRM_ZYNPU_QUERY_DEVICE, .size = sizeof *info, .data = (uintptr_t)info};
  return ioctl(fd, DRM_IOCTL_ZYNPU_QUERY, &query);
}

static inline int guest_context_info(int fd, struct drm_zynpu_context_info* info) {
  struct drm_zynpu_query query = {
      .type = DRM_ZYNPU_QUERY_CONTEXT, .size = sizeof *info, .data = (uintptr_t)info};
  return ioctl(fd, DRM_IOCTL_ZYNPU_QUERY, &query);
}

/* A buffer with its CPU mapping. */
struct guest_bo {
  uint32_t handle;
  uint32_t address;
  size_t size;
  uint32_t* data;
};

static inline int guest_bo_create(int fd, size_t size, struct guest_bo* bo) {
  struct drm_zynpu_bo_create create = {.size = size};
  memset(bo, 0, sizeof *bo);
  if (ioctl(fd, DRM_IOCTL_ZYNPU_BO_CREATE, &create) != 0) return -1;
  bo->handle = create.handle;
  bo->address = (uint32_t)create.device_address;
  bo->size = create.size;
  bo->data = mmap(NULL, bo->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)create.mmap_offset);
  return bo->data == MAP_FAILED ? -1 : 0;
}

static inline void guest_bo_free(int fd, struct guest_bo* bo) {
  munmap(bo->data, bo->size);
  guest_close_handle(fd, bo->handle);
}

static inline int guest_fini(int fd, uint32_t handle) {
  struct drm_zynpu_bo_fini fini = {.handle = handle};
  return ioctl(fd, DRM_IOCTL_ZYNPU_BO_FINI, &fini);
}

static inline int guest_prep(int fd, uint32_t handle, uint32_t flags, int64_t timeout_ns) {
  struct drm_zynpu_bo_prep prep = {.handle = handle, .flags = flags, .timeout_ns = timeout_ns};
  return ioctl(fd, DRM_IOCTL_ZYNPU_BO_PREP, &prep);
}

/* Everything that one job of one group needs. Text, parameters, stack, private data, output. */
enum { BO_TEXT, BO_PARAMETERS, BO_STACK, BO_PRIVATE, BO_OUTPUT, BO_COUNT };

struct guest_job {
  struct drm_zynpu_device_info info;
  struct guest_bo bo[BO_COUNT];
  struct drm_zynpu_job_bo list[BO_COUNT];
  struct drm_zynpu_group group;
  struct drm_zynpu_submit submit;
};

/* A job with an empty text; its fields may be changed before each submission. */
static inline int guest_job_create(int fd, struct guest_job* job) {
  memset(job, 0, sizeof *job);
  if (guest_device_info(fd, &job->info) != 0) return -1;
  for (int i = 0; i < BO_COUNT; i++) {
    if (guest_bo_create(fd, 16384, &job->bo[i]) != 0) return -1;
    job->list[i].handle = job->bo[i].handle;
    job->list[i].flags = DRM_ZYNPU_ACCESS_READ | (i == BO_TEXT ? 0 : DRM_ZYNPU_ACCESS_WRITE);
  }
  job->group.text.bo = 1 + BO_TEXT;
  job->group.parameters.bo = 1 + BO_PARAMETERS;
  job->group.stack.bo = 1 + BO_STACK;
  if (job->info.generation == DRM_ZYNPU_X2) {
    job->group.private_data.bo = 1 + BO_PRIVATE;
    job->group.stack_size = 2048;
    job->group.private_size = 1024;
  } else {
    job->group.text.offset = 32;
  }
  job->submit.bos = (uintptr_t)job->list;
  job->submit.bo_count = BO_COUNT;
  job->submit.bo_stride = sizeof job->list[0];
  job->submit.groups = (uintptr_t)&job->group;
  job->submit.group_count = 1;
  job->submit.group_stride = sizeof job->group;
  return 0;
}

static inline void guest_job_free(int fd, struct guest_job* job) {
  for (int i = 0; i < BO_COUNT; i++) guest_bo_free(fd, &job->bo[i]);
}

static inline int guest_submit(int fd, struct guest_job* job) {
  job->submit.job_id = 0;
  return ioctl(fd, DRM_IOCTL_ZYNPU_SUBMIT, &job->submit);
}

static inline int guest_wait(int fd, uint64_t id, int64_t timeout_ns, struct drm_zynpu_wait* wait) {
  memset(wait, 0, sizeof *wait);
  wait->job_id = id;
  wait->timeout_ns = timeout_ns;
  return ioctl(fd, DRM_IOCTL_ZYNPU_WAIT, wait);
}

/* Submits and waits; the status of the job, or -1 if a call failed. */
static inline int guest_run(int fd, struct guest_job* job) {
  struct drm_zynpu_wait wait;
  if (guest_submit(fd, job) != 0) return -1;
  if (guest_wait(fd, job->submit.job_id, GUEST_FOREVER, &wait) != 0) return -1;
  return (int)wait.status;
}

/* One number of the driver's debugfs page, -1 if it is not there. */
static inline long long guest_status(const char* name) {
  char line[256];
  long long value = -1;
  glob_t found;
  if (glob("/sys/kernel/debug/accel/*/status", 0, NULL, &found) != 0) return -1;
  FILE* file = fopen(found.gl_pathv[0], "r");
  globfree(&found);
  if (file == NULL) return -1;
  size_t length = strlen(name);
  while (fgets(line, sizeof line, file) != NULL)
    if (strncmp(line, name, length) == 0 && line[length] == ' ') value = atoll(line + length);
  fclose(file);
  return value;
}

/* Writes to a file of the kernel; -1 with errno where it refuses. */
static inline int write_file(const char* path, const char* text) {
  int file = open(path, O_WRONLY);
  if (file < 0) return -1;
  ssize_t written = write(file, text, strlen(text));
  int error = errno;
  close(file);
  errno = error;
  return written == (ssize_t)strlen(text) ? 0 : -1;
}

/* Waits for the device file after the driver got, or found, a device. */
static inline int device_appears(void) {
  for (int i = 0; i < 100 && access("/dev/accel/accel0", R_OK) != 0; i++) usleep(20000);
  return access("/dev/accel/accel0", R_OK);
}

static char device_name[64];

/* Takes the driver off the device, and gives it back. */
static inline int device_unbind(void) {
  glob_t found;
  if (glob("/sys/bus/platform/drivers/zynpu/zynpu.*", 0, NULL, &found) != 0) return -1;
  snprintf(device_name, sizeof device_name, "%s", strrchr(found.gl_pathv[0], '/') + 1);
  globfree(&found);
  return write_file("/sys/bus/platform/drivers/zynpu/unbind", device_name);
}

static inline int device_bind(void) {
  return write_file("/sys/bus/platform/drivers/zynpu/bind", device_name);
}

static inline int device_rebind(void) { return device_bind() != 0 ? -1 : device_appears(); }

/*
 * Programs of the TEC instruction set (all virtual parts run it). A bundle is
 * four words; the last carries the end bit.
 */
#define GUEST_NOP 0x400c7fffu
#define GUEST_NOP_END 0xc00c7fffu
#define GUEST_BUNDLE(a, b, c) (a), (b), (c), GUEST_NOP_END

/* Ends at once. */
static const uint32_t guest_exit[] = {GUEST_BUNDLE(0x014f8000, GUEST_NOP, GUEST_NOP)};
/* `l: add r5, r5, 1; b l`: never ends. (A branch to itself is diagnosed by the simulator.) */
static const uint32_t guest_spin[] = {GUEST_BUNDLE(0x404004a5, GUEST_NOP, GUEST_NOP),
                                      GUEST_BUNDLE(0x018ffffe, GUEST_NOP, GUEST_NOP)};

/* `wfe r0, 3`: a mode that does not exist, which is exception 2. */
static const uint32_t guest_exception[] = {GUEST_BUNDLE(0x014c0060, GUEST_NOP, GUEST_NOP)};

static inline void guest_load(int fd, struct guest_job* job, const uint32_t* words, size_t bytes) {
  memcpy((char*)job->bo[BO_TEXT].data + job->group.text.offset, words, bytes);
  guest_fini(fd, job->bo[BO_TEXT].handle);
}

#endif
