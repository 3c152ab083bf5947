// SPDX-License-Identifier: GPL-2.0-only
#include <linux/bitfield.h>
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "zynpu_logic.h"
#include "zynpu_regs.h"

int zynpu_identify_z(struct zynpu_identity *id)
{
	u32 tecs = FIELD_GET(Z_TPC_COUNT, id->tpc_feature);
	u32 class = FIELD_GET(Z_HWA_CLASS, id->hwa_feature);

	/*
	 * A block without clock, or in reset, reads zeros, which would decode
	 * to a Z1 of configuration 0600.
	 */
	if (!id->tpc_feature && !id->hwa_feature)
		return -ENXIO;
	if (!tecs)
		return -ENODEV;

	if (id->isa_version == 0 && id->revision == Z_REVISION_Z1) {
		id->generation = DRM_ZYNPU_Z1;
		id->config = 100 * (class + 6) + tecs;
	} else if (id->isa_version == 1 && id->revision == Z_REVISION_Z2) {
		id->generation = DRM_ZYNPU_Z2;
		id->config = 100 * (class + 8) + tecs;
	} else {
		return -ENODEV;
	}
	id->clusters = 1;
	id->cores = 1;
	id->tecs_per_core = tecs;
	return 0;
}

u32 zynpu_gm_bytes(u32 code)
{
	if (code == 0)
		return SZ_512K;
	if (code > 7 || code == 6)
		return 0;
	return SZ_1M << (code - 1);
}

u32 zynpu_ase_code(u64 size)
{
	return ilog2(size >> 12) + 1;
}

bool zynpu_window_fits(u64 address, u64 size)
{
	return size && address >= ZYNPU_WINDOW_START &&
	       address < ZYNPU_WINDOW_END && size <= ZYNPU_WINDOW_END - address;
}

/* Resolves @ref to an address with at least @size bytes of buffer behind it. */
static bool resolve(const struct drm_zynpu_ref *ref,
		    const struct zynpu_span *bos, u32 bo_count, u64 size,
		    u32 alignment, u32 *address)
{
	const struct zynpu_span *bo;

	if (!ref->bo || ref->bo > bo_count)
		return false;
	bo = &bos[ref->bo - 1];
	if (ref->offset > bo->size || size > bo->size - ref->offset)
		return false;
	*address = bo->address + ref->offset;
	return *address % alignment == 0;
}

/* As resolve(), for a place that a group can do without: then 0. */
static bool resolve_optional(const struct drm_zynpu_ref *ref,
			     const struct zynpu_span *bos, u32 bo_count,
			     u64 size, u32 *address)
{
	*address = 0;
	if (!ref->bo)
		return ref->offset == 0;
	return resolve(ref, bos, bo_count, size, 4, address);
}

static bool is_zero(const struct drm_zynpu_ref *ref)
{
	return !ref->bo && !ref->offset;
}

int zynpu_group_resolve(const struct zynpu_identity *id,
			const struct drm_zynpu_group *group,
			const struct zynpu_span *bos, u32 bo_count,
			struct zynpu_start *start, const char **field)
{
	bool flat = id->generation != DRM_ZYNPU_X2;
	u64 tasks = id->tecs_per_core;

	memset(start, 0, sizeof(*start));
	*field = "pad";
	if (group->pad)
		return -EINVAL;
	*field = "text";
	if (!resolve(&group->text, bos, bo_count, 16, 16, &start->text))
		return -EINVAL;
	*field = "parameters";
	if (!resolve(&group->parameters, bos, bo_count, 4, 4, &start->parameters))
		return -EINVAL;

	if (flat) {
		*field = "text: no room for the exception handler";
		if (bos[group->text.bo - 1].size < Z_HANDLER_OFFSET + 16)
			return -EINVAL;
		start->handler = bos[group->text.bo - 1].address + Z_HANDLER_OFFSET;
		*field = "stack";
		if (!resolve(&group->stack, bos, bo_count, 4, 4, &start->stack))
			return -EINVAL;
		*field = "a field that only X2 has";
		if (!is_zero(&group->private_data) || !is_zero(&group->constants) ||
		    !is_zero(&group->printf_log) ||
		    !is_zero(&group->model_parameters) || group->stack_size ||
		    group->private_size || group->dependency)
			return -EINVAL;
		return 0;
	}

	*field = "stack_size";
	if (!group->stack_size || group->stack_size % 4)
		return -EINVAL;
	*field = "stack";
	if (!resolve(&group->stack, bos, bo_count, tasks * group->stack_size, 4,
		     &start->stack))
		return -EINVAL;
	*field = "private_size";
	if (!group->private_size || group->private_size % 4)
		return -EINVAL;
	*field = "private_data";
	if (!resolve(&group->private_data, bos, bo_count,
		     tasks * group->private_size, 4, &start->private_data))
		return -EINVAL;
	*field = "constants";
	if (!resolve_optional(&group->constants, bos, bo_count, 4, &start->constants))
		return -EINVAL;
	*field = "printf_log";
	if (!resolve_optional(&group->printf_log, bos, bo_count,
			      tasks * ZYNPU_PRINTF_SIZE, &start->printf_log))
		return -EINVAL;
	*field = "model_parameters";
	if (!resolve_optional(&group->model_parameters, bos, bo_count, 4,
			      &start->model_parameters))
		return -EINVAL;
	*field = "dependency";
	if (group->dependency > DRM_ZYNPU_DEPENDENCY_ALL)
		return -EINVAL;
	start->stack_size = group->stack_size;
	start->private_size = group->private_size;
	start->dependency = group->dependency;
	return 0;
}

/*
 * Task control blocks. A chain is one grid block, the segment-MMU blocks, which
 * the hardware takes by position, and the task blocks, group after group.
 */
struct zynpu_tcb_grid {
	__le32 flags;
	__le32 next;
	__le32 reserved0[2];
	__le32 gm_control;
	__le32 grid_id;
	__le32 gm_region_control[2];
	__le64 gm_region[2];
	__le64 asid[4];
	__le64 dtcm;
	__le32 reserved1[10];
};

struct zynpu_tcb_segments {
	__le32 reserved0[6];
	__le32 control0;
	__le32 reserved1[15];
	__le32 control1;
	__le32 reserved2[9];
};

struct zynpu_tcb_task {
	__le32 flags;
	__le32 next;
	__le32 loop_count;
	__le32 start_pc;
	__le32 interrupts;
	__le16 group_number;
	__le16 grid_number;
	__le16 reserved0;
	__le16 task_number;
	__le16 grid_dim[3];
	__le16 group_dim[3];
	__le16 group_id[3];
	__le16 task_id[3];
	__le32 stack;
	__le32 parameters;
	__le32 private_data;
	__le32 constants;
	__le32 printf_log;
	__le32 profiler;
	__le16 core_id;
	__le16 cluster_id;
	__le16 reserved1;
	__le16 tec_id;
	__le32 opaque[5];
	__le32 data_size;
	__le32 own_address;
	__le32 model_parameters;
	__le32 reserved2[3];
};

static_assert(sizeof(struct zynpu_tcb_grid) == ZYNPU_TCB_SIZE);
static_assert(sizeof(struct zynpu_tcb_segments) == ZYNPU_TCB_SIZE);
static_assert(sizeof(struct zynpu_tcb_task) == ZYNPU_TCB_SIZE);

#define TCB_TASK		1
#define TCB_DEPENDENCY		GENMASK(5, 4)
#define TCB_GROUP_END		BIT(6)
#define TCB_GRID_END		BIT(7)
#define TCB_SEGMENTS		GENMASK(20, 16)
#define TCB_SEGMENT_IDENTITY	0x31
#define TCB_ASID_READ_WRITE	0x60
/* All types at TEC, core and cluster level: without the TEC level X2 hangs. */
#define TCB_INTERRUPTS \
	(X2_TYPES | X2_LEVEL_TEC | X2_LEVEL_CORE | X2_LEVEL_CLUSTER)

static u32 segment_tcbs(const struct zynpu_identity *id)
{
	return (id->cores + 1) / 2;
}

u32 zynpu_chain_size(const struct zynpu_identity *id, u32 groups)
{
	return (1 + segment_tcbs(id) + groups * id->tecs_per_core) * ZYNPU_TCB_SIZE;
}

static void build_task(const struct zynpu_identity *id,
		       struct zynpu_tcb_task *tcb, const struct zynpu_start *start,
		       u32 group, u32 task, u32 zero_page)
{
	u32 flags = TCB_TASK;

	if (!task)
		flags |= FIELD_PREP(TCB_DEPENDENCY, start->dependency);
	if (task + 1 == id->tecs_per_core)
		flags |= TCB_GROUP_END;
	tcb->flags = cpu_to_le32(flags);
	tcb->start_pc = cpu_to_le32(start->text);
	tcb->interrupts = cpu_to_le32(TCB_INTERRUPTS);
	tcb->group_number = cpu_to_le16(group % id->cores);
	tcb->task_number = cpu_to_le16(task);
	tcb->grid_dim[0] = cpu_to_le16(1);
	tcb->grid_dim[1] = cpu_to_le16(1);
	tcb->grid_dim[2] = cpu_to_le16(1);
	tcb->group_dim[0] = cpu_to_le16(id->tecs_per_core);
	tcb->group_dim[1] = cpu_to_le16(1);
	tcb->group_dim[2] = cpu_to_le16(1);
	tcb->group_id[0] = cpu_to_le16(1);
	tcb->task_id[0] = cpu_to_le16(task);
	/* The stack grows downwards from the end of the task's part. */
	tcb->stack = cpu_to_le32(start->stack + (task + 1) * start->stack_size);
	tcb->parameters = cpu_to_le32(start->parameters);
	tcb->private_data = cpu_to_le32(start->private_data +
					task * start->private_size);
	tcb->constants = cpu_to_le32(start->constants ?: zero_page);
	if (start->printf_log)
		tcb->printf_log = cpu_to_le32(start->printf_log +
					      task * ZYNPU_PRINTF_SIZE);
	tcb->model_parameters = cpu_to_le32(start->model_parameters);
}

u32 zynpu_chain_build(const struct zynpu_identity *id, void *chain, u64 base,
		      u32 head, u32 zero_page,
		      const struct zynpu_start *starts, u32 groups)
{
	u32 segments = segment_tcbs(id), tasks = id->tecs_per_core;
	u32 address = head + (1 + segments) * ZYNPU_TCB_SIZE, last = 0;
	struct zynpu_tcb_segments *segment = chain + ZYNPU_TCB_SIZE;
	struct zynpu_tcb_task *tcb = chain + (1 + segments) * ZYNPU_TCB_SIZE;
	struct zynpu_tcb_grid *grid = chain;
	u32 i, g, t;

	memset(chain, 0, zynpu_chain_size(id, groups));
	grid->flags = cpu_to_le32(FIELD_PREP(TCB_SEGMENTS, BIT(segments) - 1));
	grid->next = cpu_to_le32((u32)(base + address));
	/*
	 * ASID 1 holds weights where they have a window of their own; it must
	 * never be 0. Spaces 2 and 3 stay closed.
	 */
	grid->asid[0] = cpu_to_le64(base | TCB_ASID_READ_WRITE);
	grid->asid[1] = cpu_to_le64(base | TCB_ASID_READ_WRITE);

	for (i = 0; i < segments; i++) {
		segment[i].control0 = cpu_to_le32(TCB_SEGMENT_IDENTITY);
		segment[i].control1 = cpu_to_le32(TCB_SEGMENT_IDENTITY);
	}

	for (g = 0; g < groups; g++) {
		for (t = 0; t < tasks; t++, tcb++, address += ZYNPU_TCB_SIZE) {
			build_task(id, tcb, &starts[g], g, t, zero_page);
			tcb->own_address = cpu_to_le32(address);
			tcb->next = cpu_to_le32((u32)(base + address +
						      ZYNPU_TCB_SIZE));
			last = address;
		}
	}
	tcb--;
	tcb->flags |= cpu_to_le32(TCB_GRID_END);
	tcb->next = 0;
	return last;
}

u32 zynpu_chain_task(const struct zynpu_identity *id, u32 head, u32 groups,
		     u32 tcb)
{
	u32 first = head + (1 + segment_tcbs(id)) * ZYNPU_TCB_SIZE;
	u32 end = head + zynpu_chain_size(id, groups);

	if (tcb < first || tcb >= end || (tcb - first) % ZYNPU_TCB_SIZE)
		return 0;
	return (tcb - first) / ZYNPU_TCB_SIZE + 1;
}

void zynpu_events_z(struct zynpu_events *events, u32 stat, bool is_z1)
{
	u32 causes = stat & (is_z1 ? Z_CAUSES & ~Z_CAUSE_FAULT : Z_CAUSES);

	if (stat == ZYNPU_ALL_ONES) {
		events->lost = true;
		return;
	}
	/* A fault outranks an exception, and either outranks the end. */
	if (causes & Z_CAUSE_FAULT)
		events->bad = DRM_ZYNPU_STATUS_FAULT;
	else if ((causes & Z_CAUSE_EXCEP) && !events->bad)
		events->bad = DRM_ZYNPU_STATUS_EXCEPTION;
	if (causes & Z_CAUSE_DONE)
		events->done = true;
	if (causes & (Z_CAUSE_FAULT | Z_CAUSE_EXCEP))
		events->cause = stat;
}

bool zynpu_events_x2(struct zynpu_events *events, u32 intr_status, u32 signals,
		     u32 tcb, u32 last_task)
{
	u32 bad = 0;

	if (intr_status == ZYNPU_ALL_ONES) {
		events->lost = true;
		return false;
	}
	if (intr_status & X2_TYPE_FAULT)
		bad = DRM_ZYNPU_STATUS_FAULT;
	else if (intr_status & X2_TYPE_EXCEPTION)
		bad = DRM_ZYNPU_STATUS_EXCEPTION;
	else if (intr_status & X2_TYPE_ERROR)
		bad = DRM_ZYNPU_STATUS_ERROR;
	else if ((intr_status & X2_TYPE_SIGNAL) && (signals & X2_SIGNAL_EXCEPTIONS))
		bad = DRM_ZYNPU_STATUS_EXCEPTION;

	if (bad && !events->bad) {
		events->bad = bad;
		events->cause = intr_status;
		events->tcb = tcb;
	}
	/* The job ends with its last block; a fault raises "done" too. */
	if (!bad && (intr_status & X2_TYPE_DONE) && tcb == last_task &&
	    (intr_status & (X2_LEVEL_CORE | X2_LEVEL_CLUSTER | X2_LEVEL_POOL)))
		events->done = true;
	return intr_status & X2_TYPE_DONE;
}

bool zynpu_watch_expired(struct zynpu_watch *watch, u64 now, u32 progress)
{
	if (watch->progress != progress) {
		watch->progress = progress;
		watch->since = now;
		return false;
	}
	return now >= watch->since && now - watch->since >= watch->limit;
}
