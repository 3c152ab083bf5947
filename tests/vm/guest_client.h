/* SPDX-License-Identifier: MIT */
/*
 * A context whose jobs store one word where they are told: what the programs of
 * the guests share that look at jobs of several contexts.
 */
#ifndef ZYNPU_TESTS_VM_GUEST_CLIENT_H
#define ZYNPU_TESTS_VM_GUEST_CLIENT_H

#include "guest.h"

/* Of the device; filled in by client_setup(). */
static struct drm_zynpu_device_info info;

/* Stores word 1 of the parameter block at the address in word 0, and writes the cache back. */
#define STORE_BODY                                                                                    \
  GUEST_BUNDLE(GUEST_NOP, GUEST_NOP, 0x70100080), GUEST_BUNDLE(GUEST_NOP, GUEST_NOP, 0x70101081),     \
      GUEST_BUNDLE(GUEST_NOP, GUEST_NOP, 0x30100001), GUEST_BUNDLE(0x01041042, GUEST_NOP, GUEST_NOP), \
      GUEST_BUNDLE(GUEST_NOP, 0x40109042, GUEST_NOP), GUEST_BUNDLE(0x01001042, GUEST_NOP, GUEST_NOP), \
      GUEST_BUNDLE(0x01041042, GUEST_NOP, GUEST_NOP), GUEST_BUNDLE(GUEST_NOP, 0x40101042, GUEST_NOP), \
      GUEST_BUNDLE(0x017fff82, GUEST_NOP, GUEST_NOP), GUEST_BUNDLE(0x014c0000, GUEST_NOP, GUEST_NOP), \
      GUEST_BUNDLE(0x014f8000, GUEST_NOP, GUEST_NOP)
static const uint32_t store_x2[] = {GUEST_BUNDLE(0x01040298, GUEST_NOP, GUEST_NOP),
                                    GUEST_BUNDLE(GUEST_NOP, GUEST_NOP, 0x7010e304), STORE_BODY};
static const uint32_t store_flat[] = {GUEST_BUNDLE(0x01040284, GUEST_NOP, GUEST_NOP), STORE_BODY};

static inline void load_store(int fd, struct guest_job* job, uint32_t address, uint32_t value) {
  if (info.generation == DRM_ZYNPU_X2)
    guest_load(fd, job, store_x2, sizeof store_x2);
  else
    guest_load(fd, job, store_flat, sizeof store_flat);
  job->bo[BO_PARAMETERS].data[0] = address;
  job->bo[BO_PARAMETERS].data[1] = value;
  guest_fini(fd, job->bo[BO_PARAMETERS].handle);
}

static inline uint32_t result_of(int fd, struct guest_job* job) {
  guest_prep(fd, job->bo[BO_OUTPUT].handle, DRM_ZYNPU_PREP_READ, GUEST_FOREVER);
  return *(volatile uint32_t*)job->bo[BO_OUTPUT].data;
}

/* A context with a job that stores `value` into its output. */
struct client {
  int fd;
  struct guest_job job;
};

static inline int client_open(struct client* client, uint32_t value) {
  client->fd = guest_open();
  if (client->fd < 0 || guest_job_create(client->fd, &client->job) != 0) return -1;
  load_store(client->fd, &client->job, client->job.bo[BO_OUTPUT].address, value);
  return 0;
}

static inline void client_close(struct client* client) {
  guest_job_free(client->fd, &client->job);
  close(client->fd);
}

static inline int client_right(struct client* client, uint32_t value) {
  client->job.bo[BO_OUTPUT].data[0] = 0;
  guest_fini(client->fd, client->job.bo[BO_OUTPUT].handle);
  client->job.bo[BO_PARAMETERS].data[1] = value;
  guest_fini(client->fd, client->job.bo[BO_PARAMETERS].handle);
  return guest_run(client->fd, &client->job) == DRM_ZYNPU_STATUS_DONE &&
         result_of(client->fd, &client->job) == value;
}

static inline int client_setup(void) {
  int fd = guest_open();
  guest_test = "setup";
  if (fd < 0 || guest_device_info(fd, &info) != 0) {
    guest_fail(__FILE__, __LINE__, "no device", fd);
    return -1;
  }
  close(fd);
  return 0;
}

#endif
