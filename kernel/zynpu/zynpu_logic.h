/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the driver decides, apart from any hardware and any kernel object:
 * identification, windows, task control blocks, timeouts. Tested by KUnit and,
 * compiled for user space, by the project's own test run.
 */
#ifndef _ZYNPU_LOGIC_H_
#define _ZYNPU_LOGIC_H_

#include <linux/types.h>
#include <drm/zynpu_accel.h>

/* Device address windows. Page 0 stays empty: a chain at 0 means "none". */
#define ZYNPU_WINDOW_START	0x1000ull
#define ZYNPU_WINDOW_END	0xc0000000ull
/* Where the windows of X2 lie behind an IOMMU: in the 4 GiB that Sky1's vendor uses. */
#define ZYNPU_X2_IOVA		0x700000000ull
/* What the hardware may read behind the end of a buffer. */
#define ZYNPU_OVERREAD		0x800

#define ZYNPU_TCB_SIZE		128
#define ZYNPU_MAX_GROUPS	8000
#define ZYNPU_PRINTF_SIZE	1024

struct zynpu_identity {
	u32 generation;
	u32 config;
	u32 revision;
	u32 isa_version;
	u32 tpc_feature;
	u32 hwa_feature;
	u32 clusters;
	u32 cores;
	u32 tecs_per_core;
	u32 gm_size;
};

/* Decodes the identity registers in @id; fills generation, config, counts. */
int zynpu_identify_z(struct zynpu_identity *id);
/* Bytes of global memory for a size code of the X2's GM control register. */
u32 zynpu_gm_bytes(u32 code);

/* Size code of an address-space extension of @size bytes (a power of two). */
u32 zynpu_ase_code(u64 size);
/* May a buffer of @size bytes lie at device address @address? */
bool zynpu_window_fits(u64 address, u64 size);

/* A buffer as the device sees it. */
struct zynpu_span {
	u64 address;
	u64 size;
};

/* A group with its places resolved to device addresses. */
struct zynpu_start {
	u32 text;
	u32 handler;
	u32 parameters;
	u32 stack;
	u32 stack_size;
	u32 private_data;
	u32 private_size;
	u32 constants;
	u32 printf_log;
	u32 model_parameters;
	u32 dependency;
};

/*
 * Checks @group against the buffers of its job and resolves it. -EINVAL, with
 * the name of the field that is wrong in @field.
 */
int zynpu_group_resolve(const struct zynpu_identity *id,
			const struct drm_zynpu_group *group,
			const struct zynpu_span *bos, u32 bo_count,
			struct zynpu_start *start, const char **field);

/* Bytes of the chain of task control blocks of @groups groups. */
u32 zynpu_chain_size(const struct zynpu_identity *id, u32 groups);
/*
 * Writes the chain to @chain, which the device sees at device address @head and
 * at bus address @base + @head. @zero_page: device address for groups without
 * constants. Returns the device address of the last task's block.
 */
u32 zynpu_chain_build(const struct zynpu_identity *id, void *chain, u64 base,
		      u32 head, u32 zero_page,
		      const struct zynpu_start *starts, u32 groups);
/* 1 + index of the task whose block is at @tcb, 0 if there is none. */
u32 zynpu_chain_task(const struct zynpu_identity *id, u32 head, u32 groups,
		     u32 tcb);

/* What the last interrupts said. */
struct zynpu_events {
	bool done;		/* the running job's last program ended */
	bool lost;		/* the registers read all ones */
	u32 bad;		/* enum drm_zynpu_status of a failure, or 0 */
	u32 cause;
	u32 pc;
	u32 tcb;
};

void zynpu_events_z(struct zynpu_events *events, u32 stat, bool is_z1);
/* Returns whether the interrupt shows progress of the job. */
bool zynpu_events_x2(struct zynpu_events *events, u32 intr_status, u32 signals,
		     u32 tcb, u32 last_task);

/* Progress of a job, for the decision whether it hangs. All times in ns. */
struct zynpu_watch {
	u64 limit;
	u64 since;		/* of the last progress seen */
	u32 progress;
};

/* True: no progress since the limit. */
bool zynpu_watch_expired(struct zynpu_watch *watch, u64 now, u32 progress);

#endif
