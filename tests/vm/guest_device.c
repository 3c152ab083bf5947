/* SPDX-License-Identifier: MIT */
/*
 * A device that misbehaves, by name: the virtual NPU is told to, through the
 * vendor-specific capability of its PCI function (docs/lab.md). Needs root's
 * rights.
 */
#include "guest_client.h"

static char config_path[128];

static int find_function(void) {
  glob_t found;
  int missing = -1;
  if (glob("/sys/bus/pci/devices/*", 0, NULL, &found) != 0) return -1;
  for (size_t i = 0; i < found.gl_pathc && missing != 0; i++) {
    uint32_t identity = 0;
    snprintf(config_path, sizeof config_path, "%s/config", found.gl_pathv[i]);
    int config = open(config_path, O_RDONLY);
    if (config < 0) continue;
    if (pread(config, &identity, 4, 0) == 4 && identity == 0x10f71b36) missing = 0;
    close(config);
  }
  globfree(&found);
  return missing;
}

enum { ALL_WELL, SPURIOUS, GONE, GATED, HOLD, REPORT };

static int tell(uint32_t command, uint32_t argument) {
  int config = open(config_path, O_WRONLY);
  if (config < 0) return -1;
  int told = pwrite(config, &argument, 4, 0x68) == 4 && pwrite(config, &command, 4, 0x64) == 4;
  close(config);
  return told ? 0 : -1;
}

/* The bits of STAT, and of a pool's INTR_STATUS. */
enum { DONE_FLAT = 2, EXCEPTION_FLAT = 4, FAULT_FLAT = 8, DONE_X2 = 1, EXCEPTION_X2 = 4, FAULT_X2 = 8 };

static int is_x2(void) { return info.generation == DRM_ZYNPU_X2; }

/* Starts a program that never ends, and leaves it the time to run. */
static int start_spinning(struct client* client, int64_t limit_ns) {
  guest_load(client->fd, &client->job, guest_spin, sizeof guest_spin);
  client->job.submit.timeout_ns = (uint64_t)limit_ns;
  int result = guest_submit(client->fd, &client->job);
  usleep(100000);
  return result;
}

static void interrupt_without_a_cause_is_nobodys(void) {
  struct client one;
  CHECK(client_open(&one, 0) == 0);
  for (uint32_t i = 1; i <= 20; i++) {
    CHECK(tell(SPURIOUS, 0) == 0);
    CHECK(client_right(&one, i));
  }
  /* While a job runs, and while the device sleeps. */
  CHECK(start_spinning(&one, GUEST_SECOND / 2) == 0);
  CHECK(tell(SPURIOUS, 0) == 0);
  struct drm_zynpu_wait wait;
  CHECK(guest_wait(one.fd, one.job.submit.job_id, GUEST_FOREVER, &wait) == 0);
  CHECK(wait.status == DRM_ZYNPU_STATUS_TIMEOUT);
  one.job.submit.timeout_ns = 0;
  load_store(one.fd, &one.job, one.job.bo[BO_OUTPUT].address, 0);
  usleep(800000);
  CHECK(tell(SPURIOUS, 0) == 0);
  CHECK(client_right(&one, 0x21));
  client_close(&one);
}

/* The next end shows `cause` in place of "done": the job has the outcome `status`, and nobody else's suffers.
 */
static void end_shows(uint32_t cause, int status) {
  struct client bad, good;
  CHECK(client_open(&bad, 0) == 0 && client_open(&good, 0) == 0);
  CHECK(client_right(&good, 0x31));
  CHECK(tell(REPORT, cause) == 0);
  CHECK(guest_submit(bad.fd, &bad.job) == 0);
  CHECK(client_right(&good, 0x32));
  struct drm_zynpu_wait wait;
  CHECK(guest_wait(bad.fd, bad.job.submit.job_id, GUEST_FOREVER, &wait) == 0);
  if ((int)wait.status != status) guest_fail(__FILE__, __LINE__, "status", wait.status);
  CHECK(client_right(&good, 0x33) && client_right(&bad, 0x34));
  CHECK(tell(ALL_WELL, 0) == 0);
  client_close(&bad);
  client_close(&good);
}

static void exception_and_end_together_fail_one_job(void) {
  end_shows(is_x2() ? DONE_X2 | EXCEPTION_X2 : DONE_FLAT | EXCEPTION_FLAT, DRM_ZYNPU_STATUS_EXCEPTION);
}

static void fault_alone_ends_the_job(void) {
  end_shows(is_x2() ? FAULT_X2 : FAULT_FLAT, DRM_ZYNPU_STATUS_FAULT);
}

static void held_job_ends_when_it_is_let_go(void) {
  struct client one;
  struct drm_zynpu_wait wait;
  CHECK(client_open(&one, 0x41) == 0);
  CHECK(tell(HOLD, 0) == 0);
  CHECK(guest_submit(one.fd, &one.job) == 0);
  REFUSED(guest_wait(one.fd, one.job.submit.job_id, guest_now() + GUEST_SECOND / 2, &wait), ETIME);
  CHECK(tell(ALL_WELL, 0) == 0);
  CHECK(guest_wait(one.fd, one.job.submit.job_id, GUEST_FOREVER, &wait) == 0);
  CHECK(wait.status == DRM_ZYNPU_STATUS_DONE && result_of(one.fd, &one.job) == 0x41);
  client_close(&one);
}

static void held_job_that_was_given_up_does_not_end_later(void) {
  struct client bad, good;
  CHECK(client_open(&bad, 0xbad) == 0 && client_open(&good, 0) == 0);
  CHECK(tell(HOLD, 0) == 0);
  bad.job.submit.timeout_ns = GUEST_SECOND / 4;
  CHECK(guest_run(bad.fd, &bad.job) == DRM_ZYNPU_STATUS_TIMEOUT);
  CHECK(tell(ALL_WELL, 0) == 0);
  CHECK(client_right(&good, 0x51));
  CHECK(result_of(bad.fd, &bad.job) == 0);
  client_close(&bad);
  client_close(&good);
}

/* The device does not answer any more as a device: the job that runs, and all later ones, are told. */
static void device_stops_answering(uint32_t command) {
  struct client one;
  CHECK(client_open(&one, 0) == 0);
  CHECK(start_spinning(&one, GUEST_SECOND / 2) == 0);
  CHECK(tell(command, 0) == 0);
  struct drm_zynpu_wait wait;
  CHECK(guest_wait(one.fd, one.job.submit.job_id, guest_now() + 20 * GUEST_SECOND, &wait) == 0);
  CHECK(wait.status == DRM_ZYNPU_STATUS_DEVICE_LOST || wait.status == DRM_ZYNPU_STATUS_TIMEOUT);
  REFUSED(guest_submit(one.fd, &one.job), ENODEV);
  CHECK(guest_status("lost") == 1);
  client_close(&one);
  CHECK(device_unbind() == 0);
  CHECK(tell(ALL_WELL, 0) == 0);
  CHECK(device_rebind() == 0);
  CHECK(client_open(&one, 0) == 0);
  CHECK(client_right(&one, 0x61));
  client_close(&one);
}

static void device_that_reads_all_ones_is_gone(void) { device_stops_answering(GONE); }
static void device_without_a_clock_is_gone(void) { device_stops_answering(GATED); }

static void function_may_go_before_the_last_file(void) {
  struct client one;
  char path[160];
  struct drm_zynpu_bo_create create = {.size = 4096};
  CHECK(client_open(&one, 0) == 0);
  CHECK(start_spinning(&one, 0) == 0);
  snprintf(path, sizeof path, "%.*sremove", (int)(strrchr(config_path, '/') + 1 - config_path), config_path);
  CHECK(write_file(path, "1") == 0);
  CHECK(access(config_path, F_OK) != 0);
  errno = 0;
  CHECK(ioctl(one.fd, DRM_IOCTL_ZYNPU_BO_CREATE, &create) != 0 && errno == ENODEV);
  client_close(&one);
  CHECK(write_file("/sys/bus/pci/rescan", "1") == 0);
  CHECK(device_appears() == 0);
  CHECK(client_open(&one, 0) == 0);
  CHECK(client_right(&one, 0x71));
  client_close(&one);
}

int main(void) {
  if (client_setup() != 0) return 1;
  guest_test = "setup";
  if (find_function() != 0) {
    guest_fail(__FILE__, __LINE__, "no virtual NPU on the PCI bus", 0);
    return 1;
  }
  RUN(interrupt_without_a_cause_is_nobodys);
  RUN(exception_and_end_together_fail_one_job);
  /* Z1 has no such cause. */
  if (info.generation != DRM_ZYNPU_Z1) RUN(fault_alone_ends_the_job);
  RUN(held_job_ends_when_it_is_let_go);
  RUN(held_job_that_was_given_up_does_not_end_later);
  RUN(device_that_reads_all_ones_is_gone);
  RUN(device_without_a_clock_is_gone);
  /* A kernel with DMA_API_DEBUG warns of the memory of open files. */
  if (getenv("LAB_SLOW") == NULL || *getenv("LAB_SLOW") == 0) RUN(function_may_go_before_the_last_file);
  return guest_failures != 0;
}
