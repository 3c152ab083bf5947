/* SPDX-License-Identifier: MIT */
/*
 * Random calls of the driver's ioctls: arguments half valid, half not, on
 * several files at once. guest_fuzz [CALLS [SEED]]. The kernel's log and its
 * panic_on_warn are the judges; this program only has to end.
 */
#include "guest.h"

enum { FILES = 4, HANDLES = 24, SYNCS = 8, JOBS = 32 };

struct context {
  int fd;
  uint32_t handles[HANDLES];
  uint32_t syncs[SYNCS];
  uint64_t jobs[JOBS];
  struct guest_job job;
  int has_job;
};

static struct context contexts[FILES];
static uint64_t state = 1;
static int shared_fd = -1;

static uint64_t next(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

static uint64_t below(uint64_t limit) { return next() % limit; }
static int rarely(void) { return below(8) == 0; }

/* A number of the kind that breaks arithmetic, or a small one. */
static uint64_t number(void) {
  static const uint64_t edges[] = {
      0,          1,          2,          3,          4,           7,         8,          15,
      16,         4095,       4096,       4097,       65536,       1 << 20,   0x7fffffff, 0x80000000,
      0xbffff000, 0xc0000000, 0xfffffff0, 0xffffffff, 0x100000000, INT64_MAX, 1ull << 63, UINT64_MAX - 4095,
      UINT64_MAX};
  return rarely() ? next() : edges[below(sizeof edges / sizeof edges[0])];
}

static uint32_t some_handle(struct context* context) {
  return rarely() ? (uint32_t)number() : context->handles[below(HANDLES)];
}

static uint64_t some_pointer(void* good, size_t size) {
  if (!rarely()) return (uintptr_t)good;
  return below(2) ? number() : (uintptr_t)good + size - below(64);
}

/* Flips some of the bytes of an argument. */
static void damage(void* argument, size_t size) {
  if (below(3) != 0) return;
  for (uint64_t i = 1 + below(3); i > 0; i--) {
    size_t word = (size_t)below(size / 4) * 4;
    uint32_t value = (uint32_t)number();
    memcpy((char*)argument + word, &value, 4);
  }
}

static void call(struct context* context, unsigned long request, void* argument) {
  ioctl(context->fd, request, argument);
}

static void query(struct context* context) {
  static char out[4096];
  struct drm_zynpu_query query = {
      .type = (uint32_t)below(3), .size = (uint32_t)below(400), .data = some_pointer(out, sizeof out)};
  damage(&query, sizeof query);
  if (query.data == (uintptr_t)out && query.size > sizeof out) query.size = sizeof out;
  call(context, DRM_IOCTL_ZYNPU_QUERY, &query);
}

static void create(struct context* context) {
  struct drm_zynpu_bo_create create = {.size = 1 + below(200000)};
  if (rarely()) create.alignment = 1u << below(22);
  damage(&create, sizeof create);
  uint32_t* slot = &context->handles[below(HANDLES)];
  if (ioctl(context->fd, DRM_IOCTL_ZYNPU_BO_CREATE, &create) != 0) return;
  if (*slot != 0) guest_close_handle(context->fd, *slot);
  *slot = create.handle;
  char* data = mmap(NULL, create.size, PROT_READ | PROT_WRITE, below(8) ? MAP_SHARED : MAP_PRIVATE,
                    context->fd, (off_t)create.mmap_offset);
  if (data == MAP_FAILED) return;
  data[below(create.size)] = (char)next();
  munmap(data, create.size);
}

static void buffer_calls(struct context* context) {
  struct drm_zynpu_bo_info info = {.handle = some_handle(context)};
  struct drm_zynpu_bo_prep prep = {.handle = some_handle(context), .flags = (uint32_t)below(5)};
  struct drm_zynpu_bo_fini fini = {.handle = some_handle(context)};
  switch (below(4)) {
    case 0:
      damage(&info, sizeof info);
      call(context, DRM_IOCTL_ZYNPU_BO_INFO, &info);
      break;
    case 1:
      prep.timeout_ns = guest_now() + (int64_t)below(1000000);
      call(context, DRM_IOCTL_ZYNPU_BO_PREP, &prep);
      break;
    case 2:
      damage(&fini, sizeof fini);
      call(context, DRM_IOCTL_ZYNPU_BO_FINI, &fini);
      break;
    default:
      guest_close_handle(context->fd, some_handle(context));
      break;
  }
}

static void share(struct context* context) {
  if (shared_fd < 0 || rarely()) {
    struct drm_prime_handle prime = {.handle = some_handle(context), .flags = O_CLOEXEC | O_RDWR};
    if (ioctl(context->fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime) != 0) return;
    if (shared_fd >= 0) close(shared_fd);
    shared_fd = prime.fd;
  } else {
    struct drm_prime_handle prime = {.fd = shared_fd};
    if (ioctl(context->fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime) == 0)
      context->handles[below(HANDLES)] = prime.handle;
  }
}

static void sync_calls(struct context* context) {
  uint32_t* slot = &context->syncs[below(SYNCS)];
  if (*slot != 0 && below(4) == 0) {
    struct drm_syncobj_destroy destroy = {.handle = *slot};
    call(context, DRM_IOCTL_SYNCOBJ_DESTROY, &destroy);
    *slot = 0;
  } else if (*slot == 0) {
    struct drm_syncobj_create create = {.flags = (uint32_t)below(2)};
    if (ioctl(context->fd, DRM_IOCTL_SYNCOBJ_CREATE, &create) == 0) *slot = create.handle;
  }
}

static void fill_syncs(struct context* context, struct drm_zynpu_sync* syncs, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    syncs[i] = (struct drm_zynpu_sync){.handle = context->syncs[below(SYNCS)], .point = below(3)};
    if (rarely()) damage(&syncs[i], sizeof syncs[i]);
  }
}

static void submit(struct context* context) {
  struct drm_zynpu_job_bo bos[BO_COUNT + 4];
  struct drm_zynpu_group groups[4];
  struct drm_zynpu_sync in[3], out[3];
  if (!context->has_job) return;
  struct drm_zynpu_submit submit = context->job.submit;
  memcpy(bos, context->job.list, sizeof context->job.list);
  for (int i = BO_COUNT; i < BO_COUNT + 4; i++)
    bos[i] = (struct drm_zynpu_job_bo){some_handle(context), 1 + (uint32_t)below(3)};
  for (int i = 0; i < 4; i++) {
    groups[i] = context->job.group;
    groups[i].dependency = context->job.info.generation == DRM_ZYNPU_X2 ? (uint32_t)below(3) : 0;
    if (rarely()) damage(&groups[i], sizeof groups[i]);
  }
  submit.bo_count = BO_COUNT + (rarely() ? (uint32_t)below(5) : 0);
  submit.bos = some_pointer(bos, sizeof bos);
  submit.groups = some_pointer(groups, sizeof groups);
  submit.group_count = context->job.info.generation == DRM_ZYNPU_X2 ? 1 + (uint32_t)below(4) : 1;
  submit.timeout_ns = 1 + below(300000000);
  if (below(3) == 0) {
    submit.in_sync_count = (uint32_t)below(3);
    submit.out_sync_count = (uint32_t)below(3);
    fill_syncs(context, in, 3);
    fill_syncs(context, out, 3);
    submit.in_syncs = submit.in_sync_count ? some_pointer(in, sizeof in) : 0;
    submit.out_syncs = submit.out_sync_count ? some_pointer(out, sizeof out) : 0;
    submit.sync_stride = submit.in_sync_count + submit.out_sync_count ? sizeof in[0] : 0;
  }
  damage(&submit, sizeof submit);
  if (ioctl(context->fd, DRM_IOCTL_ZYNPU_SUBMIT, &submit) == 0) context->jobs[below(JOBS)] = submit.job_id;
}

static void job_calls(struct context* context) {
  uint64_t id = rarely() ? number() : context->jobs[below(JOBS)];
  if (below(4) == 0) {
    struct drm_zynpu_cancel cancel = {.job_id = id};
    damage(&cancel, sizeof cancel);
    call(context, DRM_IOCTL_ZYNPU_CANCEL, &cancel);
  } else {
    struct drm_zynpu_wait wait = {.job_id = id, .timeout_ns = guest_now() + (int64_t)below(1000000)};
    if (rarely()) wait.pad = number();
    call(context, DRM_IOCTL_ZYNPU_WAIT, &wait);
  }
}

static void reopen(struct context* context) {
  if (context->fd > 0) {
    if (context->has_job)
      for (int i = 0; i < BO_COUNT; i++) munmap(context->job.bo[i].data, context->job.bo[i].size);
    close(context->fd);
  }
  memset(context, 0, sizeof *context);
  context->fd = guest_open();
  if (rarely()) {
    struct drm_zynpu_window window = {.size = 1u << (16 + below(6))};
    damage(&window, sizeof window);
    call(context, DRM_IOCTL_ZYNPU_WINDOW, &window);
  }
  if (guest_job_create(context->fd, &context->job) == 0) {
    guest_load(context->fd, &context->job, guest_exit, sizeof guest_exit);
    context->has_job = 1;
  }
}

int main(int argc, char** argv) {
  unsigned long calls = argc > 1 ? strtoul(argv[1], NULL, 0) : 100000;
  if (argc > 2) state = strtoull(argv[2], NULL, 0) * 2 + 1;
  guest_test = "the_ioctls_survive_random_calls";
  int64_t begin = guest_now();
  for (unsigned long i = 0; i < calls; i++) {
    struct context* context = &contexts[below(FILES)];
    struct drm_zynpu_context_info info = {0};
    if (context->fd <= 0 || below(2000) == 0) reopen(context);
    if (context->fd < 0) {
      guest_fail(__FILE__, __LINE__, "the device cannot be opened", (long long)i);
      return 1;
    }
    switch (below(16)) {
      case 0:
        query(context);
        break;
      case 1:
      case 2:
        create(context);
        break;
      case 3:
      case 4:
      case 5:
        buffer_calls(context);
        break;
      case 6:
        share(context);
        break;
      case 7:
      case 8:
        sync_calls(context);
        break;
      case 9:
      case 10:
      case 11:
      case 12:
        submit(context);
        break;
      default:
        job_calls(context);
        break;
    }
    if (i % 64 == 0 && guest_context_info(context->fd, &info) == 0 && (info.flags & DRM_ZYNPU_CONTEXT_BANNED))
      reopen(context);
  }
  printf("PASS %s: %lu calls, %.1f s\n", guest_test, calls, (double)(guest_now() - begin) / 1e9);
  return 0;
}
