/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR MIT */
/*
 * User-space interface of the zynpu driver: Arm China Zhouyi NPUs (Z1, Z2, X2).
 *
 * One open file of /dev/accel/accelN is one *context*: it has its own buffer
 * handles, its own queue of jobs, its own reset counts and, where the hardware
 * can do it, its own device address space.
 *
 * Rules that hold for every ioctl:
 *  - Reserved fields, pads and unknown flag bits must be zero, or it fails
 *    with EINVAL.
 *  - Arrays are passed as pointer, count and size of one element (stride). A
 *    stride larger than the kernel's element is accepted if what the kernel
 *    does not know is zero (else E2BIG), a smaller one is filled up with zeros
 *    down to the size of the first version.
 *  - Timeouts are absolute, in nanoseconds of CLOCK_MONOTONIC.
 *  - ENODEV: the device is gone (unbound, or it reads all ones) or wedged (it
 *    could not be reset). CPU mappings of an unbound device's buffers are gone
 *    (SIGBUS); handles can still be closed.
 */
#ifndef _UAPI_ZYNPU_ACCEL_H_
#define _UAPI_ZYNPU_ACCEL_H_

#include "drm.h"

#if defined(__cplusplus)
extern "C" {
#endif

/*
 * ioctl numbers, relative to DRM_COMMAND_BASE. New ones are appended; a number
 * is never used again for something else.
 */
#define DRM_ZYNPU_QUERY			0x00
#define DRM_ZYNPU_BO_CREATE		0x01
#define DRM_ZYNPU_BO_INFO		0x02
#define DRM_ZYNPU_BO_PREP		0x03
#define DRM_ZYNPU_BO_FINI		0x04
#define DRM_ZYNPU_SUBMIT		0x05
#define DRM_ZYNPU_WAIT			0x06
#define DRM_ZYNPU_CANCEL		0x07
#define DRM_ZYNPU_WINDOW		0x08

#define DRM_IOCTL_ZYNPU_QUERY		DRM_IOWR(DRM_COMMAND_BASE + DRM_ZYNPU_QUERY, struct drm_zynpu_query)
#define DRM_IOCTL_ZYNPU_BO_CREATE	DRM_IOWR(DRM_COMMAND_BASE + DRM_ZYNPU_BO_CREATE, struct drm_zynpu_bo_create)
#define DRM_IOCTL_ZYNPU_BO_INFO		DRM_IOWR(DRM_COMMAND_BASE + DRM_ZYNPU_BO_INFO, struct drm_zynpu_bo_info)
#define DRM_IOCTL_ZYNPU_BO_PREP		DRM_IOW(DRM_COMMAND_BASE + DRM_ZYNPU_BO_PREP, struct drm_zynpu_bo_prep)
#define DRM_IOCTL_ZYNPU_BO_FINI		DRM_IOW(DRM_COMMAND_BASE + DRM_ZYNPU_BO_FINI, struct drm_zynpu_bo_fini)
#define DRM_IOCTL_ZYNPU_SUBMIT		DRM_IOWR(DRM_COMMAND_BASE + DRM_ZYNPU_SUBMIT, struct drm_zynpu_submit)
#define DRM_IOCTL_ZYNPU_WAIT		DRM_IOWR(DRM_COMMAND_BASE + DRM_ZYNPU_WAIT, struct drm_zynpu_wait)
#define DRM_IOCTL_ZYNPU_CANCEL		DRM_IOW(DRM_COMMAND_BASE + DRM_ZYNPU_CANCEL, struct drm_zynpu_cancel)
#define DRM_IOCTL_ZYNPU_WINDOW		DRM_IOW(DRM_COMMAND_BASE + DRM_ZYNPU_WINDOW, struct drm_zynpu_window)

/**
 * enum drm_zynpu_generation - host interface of the device
 */
enum drm_zynpu_generation {
	/** @DRM_ZYNPU_Z1: flat registers, no address translation */
	DRM_ZYNPU_Z1 = 1,
	/** @DRM_ZYNPU_Z2: flat registers, four address-space extensions (ASE) */
	DRM_ZYNPU_Z2 = 2,
	/** @DRM_ZYNPU_X2: task scheduler, chains of task control blocks */
	DRM_ZYNPU_X2 = 3,
};

/**
 * enum drm_zynpu_isolation - what keeps a program inside its context's buffers
 */
enum drm_zynpu_isolation {
	/**
	 * @DRM_ZYNPU_ISOLATION_NONE: nothing. A program reaches all memory that
	 * the device reaches. Opening the device needs CAP_SYS_ADMIN unless the
	 * administrator set the module parameter allow_unisolated.
	 */
	DRM_ZYNPU_ISOLATION_NONE = 0,
	/**
	 * @DRM_ZYNPU_ISOLATION_WINDOW: the device's own base and limit
	 * registers. See &DRM_IOCTL_ZYNPU_WINDOW.
	 */
	DRM_ZYNPU_ISOLATION_WINDOW = 1,
	/** @DRM_ZYNPU_ISOLATION_IOMMU: an IOMMU domain of the context's own */
	DRM_ZYNPU_ISOLATION_IOMMU = 2,
};

/** DRM_ZYNPU_DEVICE_VIRTUAL - programs of the virtual profile run here: no silicon */
#define DRM_ZYNPU_DEVICE_VIRTUAL	(1u << 0)
/** DRM_ZYNPU_DEVICE_NULL - no hardware at all: jobs end at once and do nothing */
#define DRM_ZYNPU_DEVICE_NULL		(1u << 1)
/** DRM_ZYNPU_DEVICE_CAN_RESET - a hung program can be stopped */
#define DRM_ZYNPU_DEVICE_CAN_RESET	(1u << 2)

/**
 * struct drm_zynpu_device_info - what %DRM_ZYNPU_QUERY_DEVICE returns
 *
 * Constant from the first open to the unbinding of the device.
 */
struct drm_zynpu_device_info {
	/** @generation: one of &enum drm_zynpu_generation */
	__u32 generation;
	/** @flags: DRM_ZYNPU_DEVICE_* */
	__u32 flags;
	/** @config: configuration number as in target names: 701, 1104, 1204 */
	__u32 config;
	/** @revision: the REVISION_ID register (X2: REVISION) */
	__u32 revision;
	/** @isa_version: the ISA_VERSION register; 0 on X2 */
	__u32 isa_version;
	/** @tpc_feature: the TPC_FEATURE register; 0 on X2 */
	__u32 tpc_feature;
	/** @hwa_feature: the HWA_FEATURE register; 0 on X2 */
	__u32 hwa_feature;
	/** @clusters: clusters in use */
	__u32 clusters;
	/** @cores: cores of one cluster */
	__u32 cores;
	/** @tecs_per_core: engines of one core; the tasks of one group on X2 */
	__u32 tecs_per_core;
	/** @gm_size: bytes of the cluster's global memory, 0 if there is none */
	__u32 gm_size;
	/** @isolation: one of &enum drm_zynpu_isolation, of this context */
	__u32 isolation;
	/** @window_start: lowest device address that a buffer may have */
	__u64 window_start;
	/** @window_end: device address behind the highest that a buffer may have */
	__u64 window_end;
	/** @default_timeout_ns: run time limit of a job that asks for none */
	__u64 default_timeout_ns;
	/** @max_timeout_ns: largest run time limit that a job may ask for */
	__u64 max_timeout_ns;
	/** @max_bos: largest number of buffers of one job */
	__u32 max_bos;
	/** @max_groups: largest number of groups of one job; 1 on Z1 and Z2 */
	__u32 max_groups;
	/** @max_jobs: largest number of unfinished jobs of one context */
	__u32 max_jobs;
	/** @pad: zero */
	__u32 pad;
};

/** DRM_ZYNPU_CONTEXT_BANNED - jobs are refused: too many of the context's hung or failed */
#define DRM_ZYNPU_CONTEXT_BANNED	(1u << 0)
/** DRM_ZYNPU_CONTEXT_WINDOW - the context has a private window (&DRM_IOCTL_ZYNPU_WINDOW) */
#define DRM_ZYNPU_CONTEXT_WINDOW	(1u << 1)

/**
 * struct drm_zynpu_context_info - what %DRM_ZYNPU_QUERY_CONTEXT returns
 */
struct drm_zynpu_context_info {
	/** @flags: DRM_ZYNPU_CONTEXT_* */
	__u32 flags;
	/** @pad: zero */
	__u32 pad;
	/** @device_resets: resets of the device since it was bound, whoever caused them */
	__u64 device_resets;
	/** @guilty_resets: resets that jobs of this context caused */
	__u64 guilty_resets;
	/** @jobs_submitted: jobs accepted from this context */
	__u64 jobs_submitted;
	/** @jobs_failed: of those, jobs that ended with an error */
	__u64 jobs_failed;
	/** @busy_ns: time that this context's jobs have occupied the device */
	__u64 busy_ns;
	/** @bo_bytes: bytes of buffers that this context has handles of */
	__u64 bo_bytes;
	/** @bo_count: number of buffers that this context has handles of */
	__u64 bo_count;
};

/**
 * enum drm_zynpu_query_type - what to ask for
 */
enum drm_zynpu_query_type {
	/** @DRM_ZYNPU_QUERY_DEVICE: &struct drm_zynpu_device_info */
	DRM_ZYNPU_QUERY_DEVICE = 0,
	/** @DRM_ZYNPU_QUERY_CONTEXT: &struct drm_zynpu_context_info */
	DRM_ZYNPU_QUERY_CONTEXT = 1,
};

/**
 * struct drm_zynpu_query - argument of DRM_IOCTL_ZYNPU_QUERY
 *
 * The kernel copies as much as both sides know and fills the rest of the
 * caller's structure with zeros.
 */
struct drm_zynpu_query {
	/** @type: in: one of &enum drm_zynpu_query_type */
	__u32 type;
	/** @size: in: bytes at @data; out: bytes of the kernel's structure */
	__u32 size;
	/** @data: in: pointer to the structure to fill; 0: only tell the size */
	__u64 data;
};

/**
 * struct drm_zynpu_bo_create - argument of DRM_IOCTL_ZYNPU_BO_CREATE
 *
 * Makes a zeroed buffer. The kernel rounds the size up to pages and adds what
 * the hardware may read past the end; the padding is not part of the buffer.
 * Freed with DRM_IOCTL_GEM_CLOSE, when no job and no exported dma-buf uses it
 * any more. CPU mappings are cached: see DRM_IOCTL_ZYNPU_BO_PREP.
 *
 * ENOMEM: no contiguous memory of this size inside the device's window.
 */
struct drm_zynpu_bo_create {
	/** @size: in: bytes, not 0; out: rounded up to whole pages */
	__u64 size;
	/** @alignment: in: of the device address, a power of two up to 1 MiB; 0: a page */
	__u32 alignment;
	/** @flags: in: zero */
	__u32 flags;
	/** @handle: out: GEM handle, not 0 */
	__u32 handle;
	/** @pad: in: zero */
	__u32 pad;
	/**
	 * @device_address: out: where programs of this context see the buffer;
	 * below 4 GiB, never 0, constant while the context has the handle.
	 * Another context may see the same buffer elsewhere. It is not an
	 * address that the kernel accepts anywhere.
	 */
	__u64 device_address;
	/** @mmap_offset: out: offset to pass to mmap() of the device file */
	__u64 mmap_offset;
};

/** DRM_ZYNPU_BO_IMPORTED - the buffer is another device's dma-buf; it cannot be mmapped here */
#define DRM_ZYNPU_BO_IMPORTED		(1u << 0)

/**
 * struct drm_zynpu_bo_info - argument of DRM_IOCTL_ZYNPU_BO_INFO
 *
 * Also the way to the device address of an imported buffer.
 */
struct drm_zynpu_bo_info {
	/** @handle: in: GEM handle */
	__u32 handle;
	/** @flags: in: zero; out: DRM_ZYNPU_BO_* */
	__u32 flags;
	/** @size: out: bytes */
	__u64 size;
	/** @device_address: out: as in &struct drm_zynpu_bo_create */
	__u64 device_address;
	/** @mmap_offset: out: offset for mmap(); 0 for an imported buffer */
	__u64 mmap_offset;
};

/** DRM_ZYNPU_PREP_READ - the CPU is going to read: wait for jobs that write the buffer */
#define DRM_ZYNPU_PREP_READ		(1u << 0)
/** DRM_ZYNPU_PREP_WRITE - the CPU is going to write: wait for all jobs that use the buffer */
#define DRM_ZYNPU_PREP_WRITE		(1u << 1)

/**
 * struct drm_zynpu_bo_prep - argument of DRM_IOCTL_ZYNPU_BO_PREP
 *
 * Begins an access of the CPU: waits for the jobs that are in its way and makes
 * what the device wrote visible. EBUSY: @timeout_ns passed.
 */
struct drm_zynpu_bo_prep {
	/** @handle: in: GEM handle */
	__u32 handle;
	/** @flags: in: DRM_ZYNPU_PREP_READ, DRM_ZYNPU_PREP_WRITE or both */
	__u32 flags;
	/** @timeout_ns: in: absolute; 0: do not wait; S64_MAX: for ever */
	__s64 timeout_ns;
};

/**
 * struct drm_zynpu_bo_fini - argument of DRM_IOCTL_ZYNPU_BO_FINI
 *
 * Ends an access of the CPU: makes what it wrote visible to the device. A new
 * buffer needs one FINI, without a PREP, before its first job.
 */
struct drm_zynpu_bo_fini {
	/** @handle: in: GEM handle */
	__u32 handle;
	/** @flags: in: zero */
	__u32 flags;
};

/** DRM_ZYNPU_ACCESS_READ - the job reads the buffer */
#define DRM_ZYNPU_ACCESS_READ		(1u << 0)
/** DRM_ZYNPU_ACCESS_WRITE - the job writes the buffer: it waits for readers too */
#define DRM_ZYNPU_ACCESS_WRITE		(1u << 1)

/**
 * struct drm_zynpu_job_bo - one buffer of a job
 *
 * Every buffer that the programs of the job may touch must be in the list: the
 * kernel keeps those alive until the job has ended, and no others.
 */
struct drm_zynpu_job_bo {
	/** @handle: in: GEM handle; each may occur once */
	__u32 handle;
	/** @flags: in: DRM_ZYNPU_ACCESS_READ, DRM_ZYNPU_ACCESS_WRITE or both */
	__u32 flags;
};

/**
 * struct drm_zynpu_ref - a place in a buffer of the job
 */
struct drm_zynpu_ref {
	/** @bo: in: 1 + index into the job's buffers; 0: none (then @offset must be 0) */
	__u32 bo;
	/** @offset: in: bytes */
	__u32 offset;
};

/**
 * enum drm_zynpu_dependency - what a group waits for (X2)
 */
enum drm_zynpu_dependency {
	/** @DRM_ZYNPU_DEPENDENCY_NONE: nothing: it may run beside earlier groups */
	DRM_ZYNPU_DEPENDENCY_NONE = 0,
	/** @DRM_ZYNPU_DEPENDENCY_IMMEDIATE: the end of the previous group; not a store barrier */
	DRM_ZYNPU_DEPENDENCY_IMMEDIATE = 1,
	/** @DRM_ZYNPU_DEPENDENCY_ALL: the end of all earlier groups; a store barrier */
	DRM_ZYNPU_DEPENDENCY_ALL = 2,
};

/**
 * struct drm_zynpu_group - one program start
 *
 * X2: the tasks of one group, one on each engine of one core. A job has as many
 * groups as it needs, in the order in which the scheduler takes them; the job
 * ends with its last group. The kernel builds the task control blocks.
 *
 * Z1 and Z2: a job has exactly one, of which only @text, @parameters and @stack
 * are used; the others must be zero.
 */
struct drm_zynpu_group {
	/**
	 * @text: in: first instruction, 16-byte aligned. Z1 and Z2: the
	 * exception handler is at byte 16 of the buffer.
	 */
	struct drm_zynpu_ref text;
	/** @parameters: in: parameter block (Z1, Z2: DATA_ADDR_0), 4-byte aligned */
	struct drm_zynpu_ref parameters;
	/**
	 * @stack: in: lowest byte of the stacks, 4-byte aligned. X2: task t
	 * uses @stack_size bytes from t * @stack_size, from the top downwards.
	 * Z1, Z2: DATA_ADDR_1.
	 */
	struct drm_zynpu_ref stack;
	/** @private_data: in: X2: task t uses @private_size bytes from t * @private_size */
	struct drm_zynpu_ref private_data;
	/** @constants: in: X2: constant pool, or none: then the kernel gives a zeroed page */
	struct drm_zynpu_ref constants;
	/** @printf_log: in: X2: 1 KiB for each task, or none */
	struct drm_zynpu_ref printf_log;
	/** @model_parameters: in: X2: block of dynamic shapes, or none */
	struct drm_zynpu_ref model_parameters;
	/** @stack_size: in: X2: bytes of one task's stack, not 0 */
	__u32 stack_size;
	/** @private_size: in: X2: bytes of one task's private data, not 0 */
	__u32 private_size;
	/** @dependency: in: X2: one of &enum drm_zynpu_dependency */
	__u32 dependency;
	/** @pad: in: zero */
	__u32 pad;
};

/**
 * struct drm_zynpu_sync - a syncobj, or a point of its timeline
 */
struct drm_zynpu_sync {
	/** @handle: in: syncobj handle */
	__u32 handle;
	/** @pad: in: zero */
	__u32 pad;
	/** @point: in: point of the timeline, 0: the binary syncobj itself */
	__u64 point;
};

/**
 * struct drm_zynpu_submit - argument of DRM_IOCTL_ZYNPU_SUBMIT
 *
 * Queues one job. Jobs of a context run in the order of submission; contexts
 * take turns. The job waits for @in_syncs and, by the declared accesses, for
 * earlier jobs (and other devices) on its buffers. Its end signals @out_syncs
 * and lets go of the buffers; a failed job signals them with an error.
 *
 * Either the job is queued whole, or nothing has happened. EAGAIN: the context
 * has @max_jobs unfinished jobs. EIO: the context is banned. ENOENT: a handle
 * does not exist.
 */
struct drm_zynpu_submit {
	/** @flags: in: zero */
	__u32 flags;
	/** @pad: in: zero */
	__u32 pad;
	/** @bos: in: pointer to an array of &struct drm_zynpu_job_bo */
	__u64 bos;
	/** @bo_count: in: elements at @bos, not 0 */
	__u32 bo_count;
	/** @bo_stride: in: bytes of one element at @bos */
	__u32 bo_stride;
	/** @groups: in: pointer to an array of &struct drm_zynpu_group */
	__u64 groups;
	/** @group_count: in: elements at @groups, not 0 */
	__u32 group_count;
	/** @group_stride: in: bytes of one element at @groups */
	__u32 group_stride;
	/** @in_syncs: in: pointer to an array of &struct drm_zynpu_sync to wait for */
	__u64 in_syncs;
	/** @out_syncs: in: pointer to an array of &struct drm_zynpu_sync to signal */
	__u64 out_syncs;
	/** @in_sync_count: in: elements at @in_syncs */
	__u32 in_sync_count;
	/** @out_sync_count: in: elements at @out_syncs */
	__u32 out_sync_count;
	/** @sync_stride: in: bytes of one element of both arrays; 0 if both are empty */
	__u32 sync_stride;
	/** @pad2: in: zero */
	__u32 pad2;
	/**
	 * @timeout_ns: in: longest time without progress on the device, from
	 * the start of the job; 0: the default. Where the device shows no
	 * progress (Z1, Z2) it is the longest run time.
	 */
	__u64 timeout_ns;
	/** @job_id: out: names the job in this context; counts from 1 */
	__u64 job_id;
};

/**
 * enum drm_zynpu_status - how a job ended
 */
enum drm_zynpu_status {
	/** @DRM_ZYNPU_STATUS_DONE: the program ended */
	DRM_ZYNPU_STATUS_DONE = 0,
	/** @DRM_ZYNPU_STATUS_EXCEPTION: the program raised an exception */
	DRM_ZYNPU_STATUS_EXCEPTION = 1,
	/** @DRM_ZYNPU_STATUS_FAULT: an access outside the device's windows or the memory */
	DRM_ZYNPU_STATUS_FAULT = 2,
	/** @DRM_ZYNPU_STATUS_ERROR: the device refused the job or reported an error of its own */
	DRM_ZYNPU_STATUS_ERROR = 3,
	/** @DRM_ZYNPU_STATUS_TIMEOUT: it made no progress for its time limit and was stopped */
	DRM_ZYNPU_STATUS_TIMEOUT = 4,
	/** @DRM_ZYNPU_STATUS_CANCELLED: by DRM_IOCTL_ZYNPU_CANCEL, or with its context's ban */
	DRM_ZYNPU_STATUS_CANCELLED = 5,
	/** @DRM_ZYNPU_STATUS_DEVICE_LOST: the device went away or could not be reset */
	DRM_ZYNPU_STATUS_DEVICE_LOST = 6,
	/** @DRM_ZYNPU_STATUS_DEPENDENCY: what the job waited for failed; it did not run */
	DRM_ZYNPU_STATUS_DEPENDENCY = 7,
};

/**
 * struct drm_zynpu_wait - argument of DRM_IOCTL_ZYNPU_WAIT
 *
 * Waits for the end of a job and tells how it ended. ETIME: @timeout_ns passed,
 * the job goes on. ENOENT: no such job, or so many were submitted since that
 * its record is gone (at least @max_jobs are kept). Success says that the job
 * has ended, not that it ended well: see @status.
 */
struct drm_zynpu_wait {
	/** @job_id: in: from &struct drm_zynpu_submit */
	__u64 job_id;
	/** @timeout_ns: in: absolute; 0: only look; S64_MAX: for ever */
	__s64 timeout_ns;
	/** @status: out: one of &enum drm_zynpu_status */
	__u32 status;
	/** @cause: out: of an exception: INTR_CAUSE (Z1), pool INTR_STATUS (X2), else STAT */
	__u32 cause;
	/** @fault_pc: out: device address of the failing instruction (Z1), else 0 */
	__u32 fault_pc;
	/** @fault_task: out: X2: 1 + index of the failing task (group * tasks + task), else 0 */
	__u32 fault_task;
	/** @queued_ns: out: from submission to the start on the device */
	__u64 queued_ns;
	/** @run_ns: out: from the start on the device to the end */
	__u64 run_ns;
	/** @ticks: out: X2: the device's tick counter over the job; else 0 */
	__u64 ticks;
	/** @pad: in: zero */
	__u64 pad;
};

/**
 * struct drm_zynpu_cancel - argument of DRM_IOCTL_ZYNPU_CANCEL
 *
 * A job that waits is dropped, a job that runs is stopped by a reset of the
 * device; it ends with %DRM_ZYNPU_STATUS_CANCELLED. No effect on a job that has
 * ended. Does not wait. ENOENT: no such job.
 */
struct drm_zynpu_cancel {
	/** @job_id: in: from &struct drm_zynpu_submit */
	__u64 job_id;
	/** @flags: in: zero */
	__u32 flags;
	/** @pad: in: zero */
	__u32 pad;
};

/**
 * struct drm_zynpu_window - argument of DRM_IOCTL_ZYNPU_WINDOW
 *
 * Z2 without an IOMMU: gives the context a private piece of contiguous memory
 * in which all of its buffers are made, and lets its jobs reach that piece
 * only. Possible once, before the first buffer. A context without CAP_SYS_ADMIN
 * gets one by itself with its first buffer, of the size in the module parameter
 * window_mib, or of a smaller one if there is no such piece. Buffers of other
 * contexts and devices cannot be imported into such a context.
 *
 * EOPNOTSUPP: this device has no windows. EBUSY: it is too late. ENOMEM: no
 * contiguous memory of this size.
 */
struct drm_zynpu_window {
	/** @size: in: bytes, a power of two from 64 KiB to 1 GiB */
	__u64 size;
	/** @flags: in: zero */
	__u32 flags;
	/** @pad: in: zero */
	__u32 pad;
};

#if defined(__cplusplus)
}
#endif

#endif /* _UAPI_ZYNPU_ACCEL_H_ */
