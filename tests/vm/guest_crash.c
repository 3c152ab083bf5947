/* SPDX-License-Identifier: MIT */
/*
 * guest_crash exception|timeout: one job fails in this way, so that the kernel keeps a core dump of it.
 * Prints what the dump must tell, as words of a shell: TEXT, PARAMETERS (device addresses), JOB, PC, TASK (1
 * + index; 0: unknown).
 */
#include "guest.h"

int main(int argc, char** argv) {
  int timeout = argc == 2 && strcmp(argv[1], "timeout") == 0;
  struct guest_job job;
  struct drm_zynpu_wait wait = {0};
  int fd = guest_open();
  if (argc != 2 || fd < 0 || guest_job_create(fd, &job) != 0) {
    fprintf(stderr, "guest_crash: no device, or no kind of failure\n");
    return 1;
  }
  if (timeout)
    guest_load(fd, &job, guest_spin, sizeof guest_spin);
  else
    guest_load(fd, &job, guest_exception, sizeof guest_exception);
  for (uint32_t i = 0; i < 4; i++) job.bo[BO_PARAMETERS].data[i] = 0xfeed0000 + i;
  guest_fini(fd, job.bo[BO_PARAMETERS].handle);
  job.submit.timeout_ns = GUEST_SECOND / 2;
  if (guest_submit(fd, &job) != 0 || guest_wait(fd, job.submit.job_id, GUEST_FOREVER, &wait) != 0 ||
      wait.status != (timeout ? DRM_ZYNPU_STATUS_TIMEOUT : DRM_ZYNPU_STATUS_EXCEPTION)) {
    fprintf(stderr, "guest_crash: the job ended with status %u\n", wait.status);
    return 1;
  }
  printf("TEXT=%#010x PARAMETERS=%#010x JOB=%llu PC=%#010x TASK=%u\n",
         job.bo[BO_TEXT].address + job.group.text.offset, job.bo[BO_PARAMETERS].address,
         (unsigned long long)job.submit.job_id, wait.fault_pc, wait.fault_task);
  guest_job_free(fd, &job);
  return 0;
}
