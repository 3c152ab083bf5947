/* SPDX-License-Identifier: MIT */
/*
 * What goes wrong, by name: programs that hang, fail or reach too far, devices
 * that lie or leave, processes that die. In each, the jobs of another context
 * stay right. Needs a virtual device and root's rights.
 */
#include "guest_client.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* An address inside the window with no memory behind it in the guests. */
#define NOWHERE 0xa0000000u

static void inject(unsigned bit) {
  FILE* file = fopen("/sys/module/zynpu/parameters/inject", "w");
  if (file == NULL) {
    guest_fail(__FILE__, __LINE__, "no fault injection in this driver", bit);
    return;
  }
  fprintf(file, "%u\n", 1u << bit);
  fclose(file);
}

enum { EXCEPTION, LOST_IRQ, STRAY_DONE, GONE, RESET, BUSY, POWER, MEMORY };

static void program_stores_where_it_is_told(void) {
  struct client one;
  CHECK(client_open(&one, 0) == 0);
  for (uint32_t i = 1; i < 20; i++) CHECK(client_right(&one, i * 0x01010101));
  client_close(&one);
}

/*
 * A context whose job has the outcome `status`, and another whose jobs before,
 * meanwhile and after stay right.
 */
static void one_fails_the_other_does_not(const uint32_t* text, size_t bytes, uint32_t status,
                                         int64_t limit_ns) {
  struct client bad, good;
  struct drm_zynpu_wait wait;
  struct drm_zynpu_context_info before, after;
  CHECK(client_open(&bad, 0) == 0 && client_open(&good, 0) == 0);
  CHECK(client_right(&good, 0x1111));
  CHECK(guest_context_info(good.fd, &before) == 0);
  if (text != NULL)
    guest_load(bad.fd, &bad.job, text, bytes);
  else
    load_store(bad.fd, &bad.job, NOWHERE, 1);
  bad.job.submit.timeout_ns = (uint64_t)limit_ns;
  CHECK(guest_submit(bad.fd, &bad.job) == 0);
  CHECK(client_right(&good, 0x2222));
  CHECK(guest_wait(bad.fd, bad.job.submit.job_id, GUEST_FOREVER, &wait) == 0);
  if (wait.status != status) guest_fail(__FILE__, __LINE__, "status", wait.status);
  if (status == DRM_ZYNPU_STATUS_TIMEOUT) CHECK(wait.run_ns >= (uint64_t)limit_ns);
  CHECK(client_right(&good, 0x3333));
  CHECK(guest_context_info(good.fd, &after) == 0);
  CHECK(after.guilty_resets == 0 && after.jobs_failed == 0);
  CHECK(after.device_resets > before.device_resets);
  CHECK(guest_context_info(bad.fd, &after) == 0);
  CHECK(after.guilty_resets == 1 && after.jobs_failed == 1 && !(after.flags & DRM_ZYNPU_CONTEXT_BANNED));
  /* Once is forgiven. */
  load_store(bad.fd, &bad.job, bad.job.bo[BO_OUTPUT].address, 0);
  bad.job.submit.timeout_ns = 0;
  CHECK(client_right(&bad, 0x4444));
  client_close(&bad);
  client_close(&good);
}

static void never_ending_program_is_stopped(void) {
  one_fails_the_other_does_not(guest_spin, sizeof guest_spin, DRM_ZYNPU_STATUS_TIMEOUT, GUEST_SECOND / 2);
}

static void exception_fails_its_job_only(void) {
  one_fails_the_other_does_not(guest_exception, sizeof guest_exception, DRM_ZYNPU_STATUS_EXCEPTION, 0);
}

static void access_to_no_memory_fails_its_job_only(void) {
  /* Z1 has no cause of its own for it. */
  one_fails_the_other_does_not(
      NULL, 0, info.generation == DRM_ZYNPU_Z1 ? DRM_ZYNPU_STATUS_EXCEPTION : DRM_ZYNPU_STATUS_FAULT, 0);
}

static void failure_says_where(void) {
  struct client bad;
  struct drm_zynpu_wait wait;
  CHECK(client_open(&bad, 0) == 0);
  guest_load(bad.fd, &bad.job, guest_exception, sizeof guest_exception);
  CHECK(guest_submit(bad.fd, &bad.job) == 0);
  CHECK(guest_wait(bad.fd, bad.job.submit.job_id, GUEST_FOREVER, &wait) == 0);
  CHECK(wait.status == DRM_ZYNPU_STATUS_EXCEPTION && wait.cause != 0);
  if (info.generation == DRM_ZYNPU_Z1)
    CHECK(wait.cause == 2 && wait.fault_pc == bad.job.bo[BO_TEXT].address + bad.job.group.text.offset);
  if (info.generation == DRM_ZYNPU_X2) CHECK(wait.fault_task >= 1 && wait.fault_task <= info.tecs_per_core);
  client_close(&bad);
}

static void core_dump_is_made(void) {
  struct client bad;
  glob_t found;
  char magic[8] = {0};
  /* The newest dump is the only one; writing to it removes it. */
  if (glob("/sys/class/devcoredump/devcd*/data", 0, NULL, &found) == 0) {
    FILE* old = fopen(found.gl_pathv[0], "w");
    if (old != NULL) {
      fputs("0", old);
      fclose(old);
    }
    globfree(&found);
  }
  CHECK(client_open(&bad, 0) == 0);
  guest_load(bad.fd, &bad.job, guest_exception, sizeof guest_exception);
  CHECK(guest_run(bad.fd, &bad.job) == DRM_ZYNPU_STATUS_EXCEPTION);
  client_close(&bad);
  int found_one = 0;
  for (int i = 0; i < 50 && !found_one; i++) {
    if (glob("/sys/class/devcoredump/devcd*/data", 0, NULL, &found) == 0) {
      FILE* file = fopen(found.gl_pathv[0], "r");
      if (file != NULL) {
        found_one = fread(magic, 1, sizeof magic, file) == sizeof magic;
        fclose(file);
      }
      globfree(&found);
    } else {
      usleep(20000);
    }
  }
  CHECK(found_one && memcmp(magic, "ZYNPUDMP", 8) == 0);
}

static void cancelled_job_is_stopped(void) {
  struct client bad, good;
  struct drm_zynpu_wait wait;
  struct drm_zynpu_context_info context;
  CHECK(client_open(&bad, 0) == 0 && client_open(&good, 0) == 0);
  guest_load(bad.fd, &bad.job, guest_spin, sizeof guest_spin);
  CHECK(guest_submit(bad.fd, &bad.job) == 0);
  uint64_t running = bad.job.submit.job_id;
  CHECK(guest_submit(bad.fd, &bad.job) == 0);
  struct drm_zynpu_cancel cancel = {.job_id = bad.job.submit.job_id};
  CHECK(ioctl(bad.fd, DRM_IOCTL_ZYNPU_CANCEL, &cancel) == 0); /* one that waits */
  REFUSED(guest_wait(bad.fd, running, guest_now() + GUEST_SECOND / 10, &wait), ETIME);
  cancel.job_id = running;
  CHECK(ioctl(bad.fd, DRM_IOCTL_ZYNPU_CANCEL, &cancel) == 0);
  CHECK(guest_wait(bad.fd, running, GUEST_FOREVER, &wait) == 0);
  CHECK(wait.status == DRM_ZYNPU_STATUS_CANCELLED);
  CHECK(guest_wait(bad.fd, running + 1, GUEST_FOREVER, &wait) == 0);
  CHECK(wait.status == DRM_ZYNPU_STATUS_CANCELLED && wait.run_ns == 0);
  CHECK(guest_context_info(bad.fd, &context) == 0 && context.guilty_resets == 0);
  CHECK(client_right(&good, 0x77));
  client_close(&bad);
  client_close(&good);
}

static void job_does_not_run_on_a_failed_dependency(void) {
  struct client bad, good;
  struct drm_syncobj_create sync = {0};
  struct drm_zynpu_wait wait;
  CHECK(client_open(&bad, 0) == 0 && client_open(&good, 0) == 0);
  CHECK(ioctl(bad.fd, DRM_IOCTL_SYNCOBJ_CREATE, &sync) == 0);
  struct drm_syncobj_handle handle = {.handle = sync.handle};
  CHECK(ioctl(bad.fd, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &handle) == 0);
  struct drm_syncobj_handle import = {.fd = handle.fd};
  CHECK(ioctl(good.fd, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &import) == 0);
  close(handle.fd);
  struct drm_zynpu_sync out = {.handle = sync.handle}, in = {.handle = import.handle};
  guest_load(bad.fd, &bad.job, guest_exception, sizeof guest_exception);
  bad.job.submit.out_syncs = (uintptr_t)&out;
  bad.job.submit.out_sync_count = 1;
  bad.job.submit.sync_stride = sizeof out;
  CHECK(guest_submit(bad.fd, &bad.job) == 0);
  good.job.submit.in_syncs = (uintptr_t)&in;
  good.job.submit.in_sync_count = 1;
  good.job.submit.sync_stride = sizeof in;
  CHECK(guest_submit(good.fd, &good.job) == 0);
  CHECK(guest_wait(good.fd, good.job.submit.job_id, GUEST_FOREVER, &wait) == 0);
  CHECK(wait.status == DRM_ZYNPU_STATUS_DEPENDENCY);
  good.job.submit.in_syncs = good.job.submit.in_sync_count = good.job.submit.sync_stride = 0;
  CHECK(client_right(&good, 0x88));
  client_close(&bad);
  client_close(&good);
}

static void process_killed_in_its_job_leaves_nothing(void) {
  struct client good;
  int ready[2];
  char byte;
  CHECK(pipe(ready) == 0);
  pid_t child = fork();
  if (child == 0) {
    struct client bad;
    if (client_open(&bad, 0) != 0) _exit(1);
    guest_load(bad.fd, &bad.job, guest_spin, sizeof guest_spin);
    bad.job.submit.timeout_ns = GUEST_SECOND;
    for (int i = 0; i < 3; i++) guest_submit(bad.fd, &bad.job);
    if (write(ready[1], "x", 1) != 1) _exit(1);
    pause();
  }
  CHECK(read(ready[0], &byte, 1) == 1);
  CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
  close(ready[0]);
  close(ready[1]);
  CHECK(client_open(&good, 0) == 0);
  CHECK(client_right(&good, 0x55));
  client_close(&good);
  for (int i = 0; i < 200 && guest_status("jobs") != 0; i++) usleep(20000);
  CHECK(guest_status("bo_count") == 0 && guest_status("jobs") == 0);
}

static void file_closed_in_its_job_leaves_nothing(void) {
  struct client bad, good;
  CHECK(client_open(&bad, 0) == 0 && client_open(&good, 0) == 0);
  guest_load(bad.fd, &bad.job, guest_spin, sizeof guest_spin);
  bad.job.submit.timeout_ns = GUEST_SECOND / 2;
  for (int i = 0; i < 3; i++) CHECK(guest_submit(bad.fd, &bad.job) == 0);
  client_close(&bad);
  CHECK(client_right(&good, 0x66));
  client_close(&good);
  for (int i = 0; i < 200 && guest_status("jobs") != 0; i++) usleep(20000);
  CHECK(guest_status("bo_count") == 0 && guest_status("jobs") == 0);
}

static void context_that_keeps_failing_is_banned(void) {
  struct client bad, good;
  struct drm_zynpu_context_info context;
  int failures = 0;
  CHECK(client_open(&bad, 0) == 0 && client_open(&good, 0) == 0);
  guest_load(bad.fd, &bad.job, guest_exception, sizeof guest_exception);
  while (failures < 100 && guest_run(bad.fd, &bad.job) == DRM_ZYNPU_STATUS_EXCEPTION) failures++;
  CHECK(failures == 8 && errno == EIO);
  CHECK(guest_context_info(bad.fd, &context) == 0);
  CHECK((context.flags & DRM_ZYNPU_CONTEXT_BANNED) && context.guilty_resets == 8);
  CHECK(client_right(&good, 0x99));
  client_close(&bad);
  client_close(&good);
}

static void exception_together_with_the_end_fails_one_job(void) {
  struct client one;
  CHECK(client_open(&one, 0) == 0);
  inject(EXCEPTION);
  CHECK(guest_run(one.fd, &one.job) == DRM_ZYNPU_STATUS_EXCEPTION);
  CHECK(client_right(&one, 0x12));
  client_close(&one);
}

static void end_that_was_not_noticed_is_a_timeout(void) {
  struct client one;
  CHECK(client_open(&one, 0) == 0);
  inject(LOST_IRQ);
  one.job.submit.timeout_ns = GUEST_SECOND / 2;
  CHECK(guest_run(one.fd, &one.job) == DRM_ZYNPU_STATUS_TIMEOUT);
  CHECK(client_right(&one, 0x13));
  client_close(&one);
}

static void late_end_belongs_to_nobody(void) {
  struct client one;
  long long before = guest_status("spurious_events");
  CHECK(client_open(&one, 0) == 0);
  inject(STRAY_DONE);
  CHECK(client_right(&one, 0x14));
  CHECK(guest_status("spurious_events") == before + 1);
  client_close(&one);
}

static void busy_device_is_reset_before_a_start(void) {
  struct client one;
  long long before = guest_status("resets");
  CHECK(client_open(&one, 0) == 0);
  inject(BUSY);
  CHECK(client_right(&one, 0x15));
  CHECK(guest_status("resets") == before + 1);
  client_close(&one);
}

static void missing_memory_is_an_error(void) {
  struct client one;
  struct drm_zynpu_bo_create create = {.size = 4096};
  CHECK(client_open(&one, 0) == 0);
  inject(MEMORY);
  REFUSED(ioctl(one.fd, DRM_IOCTL_ZYNPU_BO_CREATE, &create), ENOMEM);
  CHECK(client_right(&one, 0x16));
  client_close(&one);
}

static void missing_power_fails_the_job(void) {
  struct client one;
  CHECK(client_open(&one, 0) == 0);
  usleep(800000); /* the device is suspended after 200 ms */
  inject(POWER);
  CHECK(guest_run(one.fd, &one.job) == DRM_ZYNPU_STATUS_DEVICE_LOST);
  client_close(&one);
}

static void module_in_use_is_not_unloaded(void) {
  struct client one;
  CHECK(client_open(&one, 0) == 0);
  REFUSED(syscall(SYS_delete_module, "zynpu", O_NONBLOCK), EAGAIN);
  CHECK(client_right(&one, 0x31));
  client_close(&one);
}

static void device_unbound_in_a_job_ends_it(void) {
  struct client one;
  struct drm_zynpu_wait wait;
  struct drm_zynpu_bo_create create = {.size = 4096};
  CHECK(client_open(&one, 0) == 0);
  guest_load(one.fd, &one.job, guest_spin, sizeof guest_spin);
  CHECK(guest_submit(one.fd, &one.job) == 0);
  CHECK(guest_submit(one.fd, &one.job) == 0);
  usleep(100000);
  CHECK(device_unbind() == 0);
  errno = 0;
  CHECK(guest_submit(one.fd, &one.job) != 0 && errno == ENODEV);
  CHECK(ioctl(one.fd, DRM_IOCTL_ZYNPU_BO_CREATE, &create) != 0 && errno == ENODEV);
  CHECK(guest_wait(one.fd, 1, 0, &wait) != 0 && errno == ENODEV);
  client_close(&one);
  CHECK(device_rebind() == 0);
  CHECK(client_open(&one, 0) == 0);
  CHECK(client_right(&one, 0x41));
  client_close(&one);
}

static void device_that_is_gone_refuses_jobs(void) {
  struct client one;
  CHECK(client_open(&one, 0) == 0);
  inject(GONE);
  CHECK(guest_run(one.fd, &one.job) == DRM_ZYNPU_STATUS_DEVICE_LOST);
  REFUSED(guest_submit(one.fd, &one.job), ENODEV);
  client_close(&one);
  CHECK(guest_status("lost") == 1);
  CHECK(device_unbind() == 0);
  CHECK(device_rebind() == 0);
  CHECK(client_open(&one, 0) == 0);
  CHECK(client_right(&one, 0x42));
  client_close(&one);
}

static void device_that_cannot_be_reset_keeps_the_memory(void) {
  struct client one;
  CHECK(client_open(&one, 0) == 0);
  guest_load(one.fd, &one.job, guest_spin, sizeof guest_spin);
  one.job.submit.timeout_ns = GUEST_SECOND / 4;
  inject(RESET);
  CHECK(guest_run(one.fd, &one.job) == DRM_ZYNPU_STATUS_TIMEOUT);
  REFUSED(guest_submit(one.fd, &one.job), ENODEV);
  client_close(&one);
  CHECK(guest_status("lost") == 1);
  CHECK(guest_status("bo_count") >= BO_COUNT); /* the engine may still write there */
  CHECK(device_unbind() == 0);
  CHECK(device_rebind() == 0);
  CHECK(client_open(&one, 0) == 0);
  CHECK(client_right(&one, 0x43));
  client_close(&one);
}

/* guest_faults [wedge]: with the argument only what leaves the memory of a job behind for ever. */
int main(int argc, char** argv) {
  if (client_setup() != 0) return 1;
  if (argc == 2 && strcmp(argv[1], "wedge") == 0) {
    RUN(device_that_cannot_be_reset_keeps_the_memory);
    return guest_failures != 0;
  }
  RUN(program_stores_where_it_is_told);
  RUN(never_ending_program_is_stopped);
  RUN(exception_fails_its_job_only);
  RUN(access_to_no_memory_fails_its_job_only);
  RUN(failure_says_where);
  RUN(core_dump_is_made);
  RUN(cancelled_job_is_stopped);
  RUN(job_does_not_run_on_a_failed_dependency);
  RUN(process_killed_in_its_job_leaves_nothing);
  RUN(file_closed_in_its_job_leaves_nothing);
  RUN(context_that_keeps_failing_is_banned);
  RUN(exception_together_with_the_end_fails_one_job);
  RUN(end_that_was_not_noticed_is_a_timeout);
  RUN(late_end_belongs_to_nobody);
  RUN(busy_device_is_reset_before_a_start);
  RUN(missing_memory_is_an_error);
  RUN(missing_power_fails_the_job);
  RUN(module_in_use_is_not_unloaded);
  RUN(device_unbound_in_a_job_ends_it);
  RUN(device_that_is_gone_refuses_jobs);
  return guest_failures != 0;
}
