/* SPDX-License-Identifier: MIT */
/*
 * What keeps the programs of one context away from the memory of another: a
 * private window, an IOMMU, or the administrator alone. Needs a virtual device
 * and root's rights.
 */
#include "guest_client.h"

#include <linux/udmabuf.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static int behind_an_iommu(void) { return info.isolation == DRM_ZYNPU_ISOLATION_IOMMU; }

/* The status of a job that reaches where nothing is: Z1 has no cause of its own for it. */
static int out_of_reach(void) {
  return info.generation == DRM_ZYNPU_Z1 ? DRM_ZYNPU_STATUS_EXCEPTION : DRM_ZYNPU_STATUS_FAULT;
}

static void private_window_keeps_programs_in(void) {
  struct client inside, outside;
  CHECK(client_open(&outside, 0) == 0);
  outside.job.bo[BO_OUTPUT].data[0] = 0x600d;
  guest_fini(outside.fd, outside.job.bo[BO_OUTPUT].handle);
  inside.fd = guest_open();
  struct drm_zynpu_window window = {.size = 1 << 20};
  CHECK(ioctl(inside.fd, DRM_IOCTL_ZYNPU_WINDOW, &window) == 0);
  CHECK(guest_job_create(inside.fd, &inside.job) == 0);
  load_store(inside.fd, &inside.job, inside.job.bo[BO_OUTPUT].address, 0);
  CHECK(client_right(&inside, 0x21));
  load_store(inside.fd, &inside.job, outside.job.bo[BO_OUTPUT].address, 0xbad);
  CHECK(guest_run(inside.fd, &inside.job) == DRM_ZYNPU_STATUS_FAULT);
  load_store(inside.fd, &inside.job, 1 << 20, 0xbad);
  CHECK(guest_run(inside.fd, &inside.job) == DRM_ZYNPU_STATUS_FAULT);
  CHECK(result_of(outside.fd, &outside.job) == 0x600d);
  /* The windows of one context are not those of the next. */
  CHECK(client_right(&outside, 0x22));
  client_close(&inside);
  client_close(&outside);
}

/* What a process of another user finds, as its exit status; 0: what is meant to be. */
static int other_users_process(int prime_fd, uint32_t foreign_address) {
  struct guest_job job;
  struct drm_zynpu_context_info context;
  struct drm_prime_handle import = {.fd = prime_fd};
  if (setuid(65534) != 0) return 1;
  int fd = guest_open();
  if (info.generation != DRM_ZYNPU_Z2 && !behind_an_iommu()) return fd < 0 && errno == EACCES ? 0 : 2;
  if (fd < 0) return 3;
  if (behind_an_iommu()) {
    /* It is given the buffer, so it may have it. */
    if (ioctl(fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &import) != 0) return 4;
    guest_close_handle(fd, import.handle);
    if (guest_job_create(fd, &job) != 0) return 5;
    load_store(fd, &job, foreign_address, 0xbad);
    if (guest_run(fd, &job) != out_of_reach()) return 6;
  } else {
    /* A buffer from outside must not be a way around the window, neither before it exists nor after. */
    if (ioctl(fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &import) == 0 || errno != EXDEV) return 7;
    if (guest_job_create(fd, &job) != 0) return 8;
    if (guest_context_info(fd, &context) != 0 || !(context.flags & DRM_ZYNPU_CONTEXT_WINDOW)) return 9;
    if (ioctl(fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &import) == 0 || errno != EXDEV) return 10;
    load_store(fd, &job, foreign_address, 0xbad);
    if (guest_run(fd, &job) == DRM_ZYNPU_STATUS_DONE) return 11;
  }
  guest_load(fd, &job, guest_exit, sizeof guest_exit);
  return guest_run(fd, &job) == DRM_ZYNPU_STATUS_DONE ? 0 : 12;
}

static void everybody_gets_what_isolation_allows(void) {
  struct client root;
  struct guest_bo foreign;
  int status;
  CHECK(client_open(&root, 0) == 0);
  /* Farther up than anything that the other process has. */
  CHECK(guest_bo_create(root.fd, 1 << 20, &foreign) == 0);
  uint32_t address = foreign.address + (1 << 20) - 64;
  struct drm_prime_handle prime = {.handle = root.job.bo[BO_OUTPUT].handle, .flags = O_RDWR};
  CHECK(ioctl(root.fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime) == 0);
  chmod("/dev/accel/accel0", 0666);
  pid_t child = fork();
  if (child == 0) _exit(other_users_process(prime.fd, address));
  CHECK(waitpid(child, &status, 0) == child);
  if (status != 0) guest_fail(__FILE__, __LINE__, "the other user's process", WEXITSTATUS(status));
  guest_prep(root.fd, foreign.handle, DRM_ZYNPU_PREP_READ, GUEST_FOREVER);
  for (size_t i = 0; i < foreign.size / 4; i++) CHECK(foreign.data[i] == 0);
  close(prime.fd);
  guest_bo_free(root.fd, &foreign);
  client_close(&root);
}

static void contexts_have_the_same_addresses_for_different_memory(void) {
  struct client one, two;
  CHECK(client_open(&one, 0) == 0 && client_open(&two, 0) == 0);
  CHECK(one.job.bo[BO_OUTPUT].address == two.job.bo[BO_OUTPUT].address);
  for (uint32_t i = 1; i < 10; i++) {
    CHECK(client_right(&one, i) && client_right(&two, i << 16));
    CHECK(result_of(one.fd, &one.job) == i);
  }
  client_close(&one);
  client_close(&two);
}

static void another_contexts_buffer_is_out_of_reach(void) {
  struct client bad, good;
  struct guest_bo secret;
  CHECK(client_open(&bad, 0) == 0 && client_open(&good, 0) == 0);
  CHECK(guest_bo_create(good.fd, 1 << 20, &secret) == 0);
  for (size_t i = 0; i < secret.size / 4; i++) secret.data[i] = 0x5ec7e7;
  CHECK(guest_fini(good.fd, secret.handle) == 0);
  uint32_t address = secret.address + (1 << 20) - 64;
  for (int i = 0; i < BO_COUNT; i++)
    CHECK(address < bad.job.bo[i].address || address >= bad.job.bo[i].address + bad.job.bo[i].size);
  load_store(bad.fd, &bad.job, address, 0xbad);
  CHECK(guest_run(bad.fd, &bad.job) == out_of_reach());
  CHECK(guest_prep(good.fd, secret.handle, DRM_ZYNPU_PREP_READ, GUEST_FOREVER) == 0);
  for (size_t i = 0; i < secret.size / 4; i++) CHECK(secret.data[i] == 0x5ec7e7);
  CHECK(client_right(&good, 0x51));
  guest_bo_free(good.fd, &secret);
  client_close(&bad);
  client_close(&good);
}

static void freed_buffer_is_out_of_reach(void) {
  struct client one;
  struct guest_bo gone;
  CHECK(client_open(&one, 0) == 0 && guest_bo_create(one.fd, 1 << 20, &gone) == 0);
  /* At its end, for the kernel may use the beginning of the gap for a chain of its own. */
  uint32_t end = (1 << 20) - 64;
  load_store(one.fd, &one.job, gone.address + end, 0x61);
  CHECK(guest_run(one.fd, &one.job) == DRM_ZYNPU_STATUS_DONE);
  CHECK(gone.data[end / 4] == 0x61);
  guest_bo_free(one.fd, &gone);
  CHECK(guest_run(one.fd, &one.job) == out_of_reach());
  client_close(&one);
}

/* Pages of a file in memory, in reverse order. */
static void scattered_memory_is_one_buffer(void) {
  enum { PAGES = 64 };
  struct client one;
  struct udmabuf_create_list* list = calloc(1, sizeof *list + PAGES * sizeof list->list[0]);
  int memory = (int)syscall(SYS_memfd_create, "scattered", 2 /* MFD_ALLOW_SEALING */);
  int maker = open("/dev/udmabuf", O_RDWR);
  CHECK(list != NULL && memory >= 0 && maker >= 0 && ftruncate(memory, PAGES * 4096) == 0);
  CHECK(fcntl(memory, 1033 /* F_ADD_SEALS */, 2 /* F_SEAL_SHRINK */) == 0);
  uint32_t* data = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  CHECK(data != MAP_FAILED);
  list->count = PAGES;
  for (int i = 0; i < PAGES; i++) {
    list->list[i].memfd = (uint32_t)memory;
    list->list[i].offset = (uint64_t)(PAGES - 1 - i) * 4096;
    list->list[i].size = 4096;
  }
  int buffer = ioctl(maker, UDMABUF_CREATE_LIST, list);
  CHECK(buffer >= 0 && client_open(&one, 0) == 0);
  struct drm_prime_handle import = {.fd = buffer};
  errno = 0;
  if (ioctl(one.fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &import) != 0) {
    CHECK(!behind_an_iommu() && errno == EOPNOTSUPP);
  } else {
    /* Bounce buffers, too, may make one piece of it. */
    struct drm_zynpu_bo_info bo = {.handle = import.handle};
    CHECK(ioctl(one.fd, DRM_IOCTL_ZYNPU_BO_INFO, &bo) == 0);
    CHECK((bo.flags & DRM_ZYNPU_BO_IMPORTED) && bo.size == PAGES * 4096);
    one.job.list[BO_OUTPUT].handle = import.handle;
    for (uint32_t i = 0; i < PAGES; i += 7) {
      load_store(one.fd, &one.job, (uint32_t)bo.device_address + i * 4096 + 8, 0x900d0000 | i);
      CHECK(guest_run(one.fd, &one.job) == DRM_ZYNPU_STATUS_DONE);
      CHECK(data[(PAGES - 1 - i) * 1024 + 2] == (0x900d0000 | i));
    }
    if (behind_an_iommu()) {
      /* What the hardware may read past the end is there, but not to be written. */
      load_store(one.fd, &one.job, (uint32_t)bo.device_address + PAGES * 4096, 0xbad);
      CHECK(guest_run(one.fd, &one.job) == out_of_reach());
    }
    one.job.list[BO_OUTPUT].handle = one.job.bo[BO_OUTPUT].handle;
  }
  client_close(&one);
  munmap(data, PAGES * 4096);
  close(buffer);
  close(maker);
  close(memory);
  free(list);
}

int main(void) {
  if (client_setup() != 0) return 1;
  if (info.generation == DRM_ZYNPU_Z2 && !behind_an_iommu()) RUN(private_window_keeps_programs_in);
  RUN(everybody_gets_what_isolation_allows);
  RUN(scattered_memory_is_one_buffer);
  if (behind_an_iommu()) {
    RUN(contexts_have_the_same_addresses_for_different_memory);
    RUN(another_contexts_buffer_is_out_of_reach);
    RUN(freed_buffer_is_out_of_reach);
  }
  return guest_failures != 0;
}
