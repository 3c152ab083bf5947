/* SPDX-License-Identifier: MIT */
/*
 * The system is suspended, as far as the devices, while a job runs and others
 * wait: the running one ends first, no other starts, and all that waited run
 * after the resume.
 */
#include "guest.h"

enum { WAITING = 30 };

/* Down to the devices and back again after some seconds. */
static int suspend(void) {
  if (write_file("/sys/power/pm_test", "devices\n") != 0) return -1;
  return write_file("/sys/power/state", "freeze\n");
}

static void system_sleeps_between_two_jobs(void) {
  struct guest_job last, next;
  struct drm_zynpu_wait wait;
  int64_t submitted[WAITING], resumed;
  int fd = guest_open();
  CHECK(fd >= 0 && guest_job_create(fd, &last) == 0 && guest_job_create(fd, &next) == 0);
  guest_load(fd, &last, guest_spin, sizeof guest_spin);
  guest_load(fd, &next, guest_exit, sizeof guest_exit);
  last.submit.timeout_ns = 6 * GUEST_SECOND;
  next.submit.timeout_ns = GUEST_SECOND;
  CHECK(guest_submit(fd, &last) == 0);
  for (int i = 0; i < WAITING; i++) {
    submitted[i] = guest_now();
    CHECK(guest_submit(fd, &next) == 0);
  }
  /* The running job is there before the scheduler is stopped. */
  REFUSED(guest_wait(fd, last.submit.job_id, guest_now() + GUEST_SECOND / 2, &wait), ETIME);
  CHECK(suspend() == 0);
  resumed = guest_now();
  CHECK(guest_wait(fd, last.submit.job_id, GUEST_FOREVER, &wait) == 0);
  CHECK(wait.status == DRM_ZYNPU_STATUS_TIMEOUT);
  for (int i = 0; i < WAITING; i++) {
    CHECK(guest_wait(fd, last.submit.job_id + 1 + (uint64_t)i, GUEST_FOREVER, &wait) == 0);
    CHECK(wait.status == DRM_ZYNPU_STATUS_DONE);
    /* None started before the sleep, which lasts five seconds. */
    CHECK(submitted[i] + (int64_t)wait.queued_ns > resumed - 4 * GUEST_SECOND);
  }
  guest_job_free(fd, &last);
  guest_job_free(fd, &next);
  close(fd);
}

static void idle_device_sleeps_and_wakes(void) {
  struct guest_job job;
  int fd = guest_open();
  CHECK(fd >= 0 && guest_job_create(fd, &job) == 0);
  guest_load(fd, &job, guest_exit, sizeof guest_exit);
  CHECK(guest_run(fd, &job) == DRM_ZYNPU_STATUS_DONE);
  usleep(500000); /* it is off then */
  CHECK(suspend() == 0);
  for (int i = 0; i < 20; i++) CHECK(guest_run(fd, &job) == DRM_ZYNPU_STATUS_DONE);
  guest_job_free(fd, &job);
  close(fd);
}

int main(void) {
  RUN(system_sleeps_between_two_jobs);
  RUN(idle_device_sleeps_and_wakes);
  return guest_failures != 0;
}
