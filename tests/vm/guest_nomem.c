/* SPDX-License-Identifier: MIT */
/*
 * Every call of the driver, once for each memory allocation that it makes, which
 * is made to fail (fault injection of a debug kernel). A call may then fail with
 * a plain error or succeed; afterwards it must work again, and nothing may be
 * left behind. What the kernel makes of it is for its own checks to say.
 */
#include "guest.h"

static int fd;
static struct guest_job job;

static int fail_nth;

/* The nth allocation from here on in this thread fails; 0: none. */
static void arm(unsigned nth) {
  char text[16];
  int length = snprintf(text, sizeof text, "%u", nth);
  if (pwrite(fail_nth, text, (size_t)length, 0) != length) abort();
}

/* Whether the armed failure has happened. */
static int happened(void) {
  char text[16] = {0};
  if (pread(fail_nth, text, sizeof text - 1, 0) <= 0) abort();
  return atoi(text) == 0;
}

static int plain_error(int error) {
  return error == ENOMEM || error == EAGAIN || error == ENOSPC || error == EFAULT || error == EINTR ||
         error == ENXIO || error == EBUSY;
}

/*
 * `call` returns 0 or -1 with errno; `undo` takes back what it did. Both run
 * with each allocation of `call` failing in turn, until none is left to fail.
 */
static void fails_cleanly(const char* what, int (*call)(void), void (*undo)(void)) {
  unsigned nth, refused = 0;
  for (nth = 1; nth < 2000; nth++) {
    arm(nth);
    errno = 0;
    int result = call();
    int error = errno, hit = happened();
    arm(0);
    if (result == 0 && undo != NULL) undo();
    if (result != 0 && !hit) {
      guest_fail(__FILE__, __LINE__, what, error);
      return;
    }
    if (result != 0 && !plain_error(error)) guest_fail(__FILE__, __LINE__, what, error);
    refused += result != 0;
    if (!hit) break;
  }
  printf("INFO %s: %u allocations, %u times refused\n", what, nth - 1, refused);
}

static int opened;
static int call_open(void) {
  opened = guest_open();
  return opened < 0 ? -1 : 0;
}
static void undo_open(void) { close(opened); }

/* A failure while a file is closed has nobody to be told. */
static int call_close(void) {
  int file = guest_open();
  if (file < 0) return -1;
  struct drm_zynpu_bo_create create = {.size = 8192};
  ioctl(file, DRM_IOCTL_ZYNPU_BO_CREATE, &create);
  close(file);
  return 0;
}

static uint32_t created;
static int call_create(void) {
  struct drm_zynpu_bo_create create = {.size = 20000, .alignment = 65536};
  int result = ioctl(fd, DRM_IOCTL_ZYNPU_BO_CREATE, &create);
  created = create.handle;
  return result;
}
static void undo_create(void) { guest_close_handle(fd, created); }

static void* mapped;
static uint64_t map_offset;
static int call_map(void) {
  mapped = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, (off_t)map_offset);
  return mapped == MAP_FAILED ? -1 : 0;
}
static void undo_map(void) { munmap(mapped, 16384); }

static int exported;
static int call_export(void) {
  struct drm_prime_handle prime = {.handle = job.bo[BO_OUTPUT].handle, .flags = O_RDWR | O_CLOEXEC};
  int result = ioctl(fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime);
  exported = prime.fd;
  return result;
}
static void undo_export(void) { close(exported); }

static int importer, shared;
static struct drm_prime_handle imported;
static int call_import(void) {
  imported = (struct drm_prime_handle){.fd = shared};
  return ioctl(importer, DRM_IOCTL_PRIME_FD_TO_HANDLE, &imported);
}
static void undo_import(void) { guest_close_handle(importer, imported.handle); }

static int call_info(void) {
  struct drm_zynpu_device_info info;
  struct drm_zynpu_context_info context;
  struct drm_zynpu_bo_info bo = {.handle = job.bo[0].handle};
  if (guest_device_info(fd, &info) != 0 || guest_context_info(fd, &context) != 0) return -1;
  return ioctl(fd, DRM_IOCTL_ZYNPU_BO_INFO, &bo);
}

static int call_submit(void) { return guest_submit(fd, &job); }
static void undo_submit(void) {
  struct drm_zynpu_wait wait;
  if (guest_wait(fd, job.submit.job_id, GUEST_FOREVER, &wait) != 0 || wait.status != DRM_ZYNPU_STATUS_DONE)
    guest_fail(__FILE__, __LINE__, "a submitted job", wait.status);
}

static int call_prep(void) {
  if (guest_fini(fd, job.bo[BO_OUTPUT].handle) != 0) return -1;
  return guest_prep(fd, job.bo[BO_OUTPUT].handle, DRM_ZYNPU_PREP_WRITE, GUEST_FOREVER);
}

static int window_file;
static int call_window(void) {
  struct drm_zynpu_window window = {.size = 1 << 20};
  return ioctl(window_file, DRM_IOCTL_ZYNPU_WINDOW, &window);
}
static void undo_window(void) {
  close(window_file);
  window_file = guest_open();
}

static void undo_bind(void) { device_unbind(); }

/*
 * Allocations of one function of the kernel are left to succeed, because its caller
 * does not stand its failure. The list of symbols says where it begins and ends.
 */
static int spare(const char* name) {
  unsigned long long address, begin = 0, end = ~0ull;
  char line[512], symbol[256], text[32];
  for (int round = 0; round < 2; round++) {
    FILE* symbols = fopen("/proc/kallsyms", "r");
    if (symbols == NULL) return -1;
    while (fgets(line, sizeof line, symbols) != NULL) {
      if (sscanf(line, "%llx %*c %255s", &address, symbol) != 2) continue;
      if (round == 0 && strcmp(symbol, name) == 0) begin = address;
      if (round == 1 && address > begin && address < end) end = address;
    }
    fclose(symbols);
    if (begin == 0) return -1;
  }
  snprintf(text, sizeof text, "%llu", begin);
  if (write_file("/sys/kernel/debug/failslab/reject-start", text) != 0 ||
      write_file("/sys/kernel/debug/fail_page_alloc/reject-start", text) != 0)
    return -1;
  snprintf(text, sizeof text, "%llu", end);
  return write_file("/sys/kernel/debug/failslab/reject-end", text) != 0 ||
                 write_file("/sys/kernel/debug/fail_page_alloc/reject-end", text) != 0
             ? -1
             : 0;
}

static void open_fails_cleanly(void) { fails_cleanly("open", call_open, undo_open); }
static void close_fails_cleanly(void) { fails_cleanly("open, create and close", call_close, NULL); }
static void create_fails_cleanly(void) { fails_cleanly("BO_CREATE", call_create, undo_create); }
static void mmap_fails_cleanly(void) { fails_cleanly("mmap", call_map, undo_map); }
static void queries_fail_cleanly(void) { fails_cleanly("QUERY, BO_INFO", call_info, NULL); }
static void prep_fails_cleanly(void) { fails_cleanly("BO_FINI, BO_PREP", call_prep, NULL); }
static void export_fails_cleanly(void) { fails_cleanly("export", call_export, undo_export); }

static void import_fails_cleanly(void) {
  CHECK(call_export() == 0);
  shared = exported;
  importer = guest_open();
  CHECK(importer >= 0);
  fails_cleanly("import", call_import, undo_import);
  close(importer);
  close(shared);
}

static void submit_fails_cleanly(void) {
  struct drm_syncobj_create binary = {.flags = DRM_SYNCOBJ_CREATE_SIGNALED}, out = {0};
  struct drm_zynpu_sync in_sync = {0}, out_syncs[2] = {{0}, {0}};
  struct guest_job saved = job;
  fails_cleanly("SUBMIT", call_submit, undo_submit);
  CHECK(ioctl(fd, DRM_IOCTL_SYNCOBJ_CREATE, &binary) == 0 && ioctl(fd, DRM_IOCTL_SYNCOBJ_CREATE, &out) == 0);
  in_sync.handle = out_syncs[0].handle = binary.handle;
  out_syncs[1] = (struct drm_zynpu_sync){.handle = out.handle, .point = 5};
  job.submit.in_syncs = (uintptr_t)&in_sync;
  job.submit.in_sync_count = 1;
  job.submit.out_syncs = (uintptr_t)out_syncs;
  job.submit.out_sync_count = 2;
  job.submit.sync_stride = sizeof in_sync;
  fails_cleanly("SUBMIT with syncobjs", call_submit, undo_submit);
  job = saved;
}

static void window_fails_cleanly(void) {
  if (job.info.generation != DRM_ZYNPU_Z2) return;
  window_file = guest_open();
  CHECK(window_file >= 0);
  fails_cleanly("WINDOW", call_window, undo_window);
  close(window_file);
}

static void nothing_is_left_behind(void) {
  guest_job_free(fd, &job);
  close(fd);
  for (int i = 0; i < 200 && (guest_status("bo_count") > 0 || guest_status("jobs") > 0); i++) usleep(20000);
  CHECK(guest_status("bo_count") == 0 && guest_status("bo_bytes") == 0 && guest_status("jobs") == 0);
}

static void binding_fails_cleanly(void) {
  CHECK(device_unbind() == 0);
  /* Linux 7.3: where it fails, drm_minor_alloc() leaves an error pointer to be released as a device. */
  CHECK(spare("drm_sysfs_minor_alloc") == 0);
  fails_cleanly("bind", device_bind, undo_bind);
  CHECK(device_rebind() == 0);
  CHECK(guest_job_create(fd = guest_open(), &job) == 0);
  guest_load(fd, &job, guest_exit, sizeof guest_exit);
  CHECK(guest_run(fd, &job) == DRM_ZYNPU_STATUS_DONE);
  guest_job_free(fd, &job);
  close(fd);
}

int main(void) {
  guest_test = "setup";
  /* Also what may sleep, and single pages; not without being armed, and without a stack in the log each time.
   */
  const char* settings[][2] = {
      {"failslab/ignore-gfp-wait", "N"},        {"failslab/verbose", "0"},
      {"fail_page_alloc/ignore-gfp-wait", "N"}, {"fail_page_alloc/ignore-gfp-highmem", "N"},
      {"fail_page_alloc/min-order", "0"},       {"fail_page_alloc/verbose", "0"}};
  for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
    char path[128];
    snprintf(path, sizeof path, "/sys/kernel/debug/%s", settings[i][0]);
    if (write_file(path, settings[i][1]) != 0) {
      guest_fail(__FILE__, __LINE__, "no fault injection in this kernel", (long long)i);
      return 1;
    }
  }
  fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
  fd = guest_open();
  if (fail_nth < 0 || fd < 0 || guest_job_create(fd, &job) != 0) {
    guest_fail(__FILE__, __LINE__, "no device or no buffers", fd);
    return 1;
  }
  guest_load(fd, &job, guest_exit, sizeof guest_exit);
  struct drm_zynpu_bo_info info = {.handle = job.bo[0].handle};
  ioctl(fd, DRM_IOCTL_ZYNPU_BO_INFO, &info);
  map_offset = info.mmap_offset;
  RUN(open_fails_cleanly);
  RUN(close_fails_cleanly);
  RUN(create_fails_cleanly);
  RUN(mmap_fails_cleanly);
  RUN(queries_fail_cleanly);
  RUN(prep_fails_cleanly);
  RUN(export_fails_cleanly);
  RUN(import_fails_cleanly);
  RUN(submit_fails_cleanly);
  RUN(window_fails_cleanly);
  RUN(nothing_is_left_behind);
  RUN(binding_fails_cleanly);
  return guest_failures != 0;
}
