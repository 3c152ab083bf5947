/* SPDX-License-Identifier: MIT */
/*
 * guest_stress PROCESSES JOBS: processes share the device; every result is
 * checked, nobody starves, nothing is left behind. guest_stress bench: latency
 * and rate of empty jobs.
 */
#include "guest_client.h"

#include <sys/wait.h>

/* One process: jobs that store ever new values, two of them under way. Exit status 0 if all was right. */
static int work(unsigned process, unsigned jobs, int report) {
  struct guest_job job;
  int fd = guest_open();
  if (fd < 0 || guest_job_create(fd, &job) != 0) return 1;
  load_store(fd, &job, job.bo[BO_OUTPUT].address, 0);
  for (unsigned i = 1; i <= jobs; i++) {
    uint32_t value = process << 24 | i;
    job.bo[BO_PARAMETERS].data[1] = value;
    guest_fini(fd, job.bo[BO_PARAMETERS].handle);
    /* The second finds what the first has left, by the order of the context. */
    if (guest_submit(fd, &job) != 0 || guest_run(fd, &job) != DRM_ZYNPU_STATUS_DONE) return 2;
    guest_prep(fd, job.bo[BO_OUTPUT].handle, DRM_ZYNPU_PREP_READ, GUEST_FOREVER);
    if (*(volatile uint32_t*)job.bo[BO_OUTPUT].data != value) return 3;
    if (report >= 0 && i % 10 == 0 && write(report, &process, 1) != 1) return 4;
  }
  guest_job_free(fd, &job);
  close(fd);
  return 0;
}

static unsigned processes, jobs;

static void processes_share_the_device_fairly(void) {
  int report[2], status;
  unsigned char who;
  unsigned progress[256] = {0}, worst = 0;
  int64_t begin = guest_now();
  CHECK(pipe(report) == 0);
  for (unsigned i = 0; i < processes; i++) {
    pid_t child = fork();
    if (child == 0) _exit(work(i, jobs / 2, report[1]));
    CHECK(child > 0);
  }
  close(report[1]);
  while (read(report[0], &who, 1) == 1) {
    unsigned least = ~0u;
    progress[who] += 20;
    for (unsigned i = 0; i < processes; i++)
      if (progress[i] < least) least = progress[i];
    if (progress[who] - least > worst) worst = progress[who] - least;
  }
  for (unsigned i = 0; i < processes; i++) {
    CHECK(wait(&status) > 0);
    if (status != 0) guest_fail(__FILE__, __LINE__, "a process failed", WEXITSTATUS(status));
  }
  double seconds = (double)(guest_now() - begin) / 1e9;
  printf("INFO %u processes, %u jobs each: %.1f s, %.0f jobs/s, largest lead %u jobs\n", processes, jobs,
         seconds, processes * jobs / seconds, worst);
  /* Nobody is done before the others have done half. */
  CHECK(worst <= jobs / 2 + 40);
  for (int i = 0; i < 100 && guest_status("jobs") > 0; i++) usleep(20000);
  CHECK(guest_status("bo_count") == 0 && guest_status("bo_bytes") == 0 && guest_status("jobs") == 0);
}

static int compare(const void* left, const void* right) {
  int64_t difference = *(const int64_t*)left - *(const int64_t*)right;
  return (difference > 0) - (difference < 0);
}

static int bench(void) {
  enum { ROUNDS = 500 };
  static int64_t submit[ROUNDS], kick[ROUNDS], total[ROUNDS];
  struct guest_job job;
  struct drm_zynpu_wait wait;
  int fd = guest_open();
  if (fd < 0 || guest_job_create(fd, &job) != 0) return 1;
  guest_load(fd, &job, guest_exit, sizeof guest_exit);
  /* As the vendor's driver is used: the next job is handed over when the end of the last was asked for. */
  int64_t first = guest_now();
  for (int i = 0; i < ROUNDS; i++) {
    int64_t begin = guest_now();
    if (guest_submit(fd, &job) != 0) return 1;
    submit[i] = guest_now() - begin;
    if (guest_wait(fd, job.submit.job_id, GUEST_FOREVER, &wait) != 0 || wait.status != 0) return 1;
    total[i] = guest_now() - begin;
    kick[i] = (int64_t)wait.queued_ns;
  }
  double alone = ROUNDS / ((double)(guest_now() - first) / 1e9);
  qsort(submit, ROUNDS, sizeof submit[0], compare);
  qsort(kick, ROUNDS, sizeof kick[0], compare);
  qsort(total, ROUNDS, sizeof total[0], compare);
  printf(
      "INFO empty job, median of %d: submit call %.0f us, submit to kick %.0f us, submit to completion %.0f "
      "us\n",
      ROUNDS, (double)submit[ROUNDS / 2] / 1e3, (double)kick[ROUNDS / 2] / 1e3,
      (double)total[ROUNDS / 2] / 1e3);
  int64_t begin = guest_now();
  for (int i = 0; i < ROUNDS; i++) {
    /* At most 256 are unfinished at a time: the oldest makes room. */
    if (guest_submit(fd, &job) != 0) return 1;
    if (i >= 200 && guest_wait(fd, job.submit.job_id - 200, GUEST_FOREVER, &wait) != 0) return 1;
  }
  if (guest_wait(fd, job.submit.job_id, GUEST_FOREVER, &wait) != 0) return 1;
  printf("INFO empty jobs: one ioctl at a time %.0f jobs/s, queued %.0f jobs/s\n", alone,
         ROUNDS / ((double)(guest_now() - begin) / 1e9));
  guest_job_free(fd, &job);
  close(fd);
  return 0;
}

int main(int argc, char** argv) {
  if (argc == 2 && strcmp(argv[1], "bench") == 0) return bench();
  if (client_setup() != 0) return 1;
  processes = argc > 1 ? (unsigned)atoi(argv[1]) : 2;
  jobs = argc > 2 ? (unsigned)atoi(argv[2]) : 1000;
  RUN(processes_share_the_device_fairly);
  return guest_failures != 0;
}
