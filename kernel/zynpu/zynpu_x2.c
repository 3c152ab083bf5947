// SPDX-License-Identifier: GPL-2.0-only
/*
 * X2: the task scheduler. One chain of task control blocks a job, in command
 * pool 0: create, dispatch, done, destroy. Chains are never linked, so no
 * interrupt can be about another job than the one that runs.
 */
#include <linux/bitfield.h>
#include <linux/iopoll.h>

#include "zynpu_drv.h"
#include "zynpu_regs.h"

#define X2_RESET_TIMEOUT_US	100000
#define X2_DESTROY_TIMEOUT_US	20000

static int zynpu_x2_soft_reset(struct zynpu_dev *zdev)
{
	u32 value;

	zynpu_write(zdev, X2_SOFT_RESET, X2_RESET_LAUNCH);
	return readl_poll_timeout(zdev->regs + X2_SOFT_RESET, value,
				  value == X2_RESET_DONE, 50, X2_RESET_TIMEOUT_US);
}

static int zynpu_x2_identify(struct zynpu_dev *zdev)
{
	struct zynpu_identity *id = &zdev->id;
	unsigned int n;
	u32 config;

	id->revision = zynpu_read(zdev, X2_REVISION);
	if (!id->revision)
		return -ENXIO;
	if (id->revision != X2_REVISION_R0P2 && id->revision != X2_REVISION_R0P3)
		return -ENODEV;
	if (!FIELD_GET(X2_BUILD_POOLS, zynpu_read(zdev, X2_BUILD_INFO)))
		return -ENODEV;

	id->generation = DRM_ZYNPU_X2;
	id->config = 1204;
	id->clusters = 0;
	for (n = 0; n < X2_CLUSTER_MAX; n++) {
		config = zynpu_read(zdev, X2_CLUSTER_CONFIG(n));
		if (!(config & X2_CLUSTER_PRESENT))
			continue;
		/* A chain's blocks are laid out for one kind of cluster. */
		if (!id->clusters) {
			id->cores = FIELD_GET(X2_CLUSTER_CORES, config);
			id->tecs_per_core = FIELD_GET(X2_CLUSTER_TECS, config);
		}
		id->clusters++;
	}
	if (!id->clusters || !id->cores || !id->tecs_per_core)
		return -ENODEV;

	zynpu_write(zdev, X2_PAGE_SELECT, X2_PAGE_ENABLE);
	id->gm_size = zynpu_gm_bytes(FIELD_GET(X2_GM_SIZE,
					       zynpu_read(zdev, X2_GM_CONTROL)));
	zynpu_write(zdev, X2_PAGE_SELECT, 0);
	return 0;
}

static int zynpu_x2_init(struct zynpu_dev *zdev)
{
	unsigned int n;
	u32 config;

	for (n = 0; n < X2_CLUSTER_MAX; n++) {
		config = zynpu_read(zdev, X2_CLUSTER_CONFIG(n));
		if (config & X2_CLUSTER_PRESENT)
			zynpu_write(zdev, X2_CLUSTER_CONTROL(n),
				    (config & X2_CLUSTER_COUNTS) |
				    X2_CLUSTER_ENABLE);
	}
	zynpu_write(zdev, X2_POOL_CONFIG, 0);
	zynpu_write(zdev, X2_POOL_SECURE, X2_POOL_NON_SECURE);
	/* Without the TEC level: the end of a group is enough to see progress. */
	zynpu_write(zdev, X2_POOL_INTR_CTRL,
		    X2_LEVEL_CORE | X2_LEVEL_CLUSTER | X2_TYPES);
	zynpu_write(zdev, X2_TICK_CTRL, X2_TICK_CLEAR_STOP);
	zynpu_write(zdev, X2_TICK_CTRL, X2_TICK_RUN);
	return 0;
}

static void zynpu_x2_quiet(struct zynpu_dev *zdev)
{
	zynpu_write(zdev, X2_POOL_INTR_CTRL, 0);
}

/* Gives the scheduler a command; false: it refused. */
static bool zynpu_x2_command(struct zynpu_dev *zdev, u32 command)
{
	u32 status;

	zynpu_write(zdev, X2_HANDLE, command);
	status = zynpu_read(zdev, X2_TSM_STATUS);
	if (!(status & X2_TSM_REFUSED))
		return true;
	zynpu_write(zdev, X2_TSM_STATUS, status & ~X2_TSM_REFUSED);
	return false;
}

static bool zynpu_x2_destroy(struct zynpu_dev *zdev)
{
	zynpu_write(zdev, X2_ADDR_HI, 0);
	zynpu_write(zdev, X2_ADDR_LO, 0);
	zynpu_write(zdev, X2_INFO, 0);
	return zynpu_x2_command(zdev, X2_CMD_DESTROY);
}

static u64 zynpu_x2_ticks(struct zynpu_dev *zdev)
{
	u32 high = zynpu_read(zdev, X2_TICK_HI), low, again;

	low = zynpu_read(zdev, X2_TICK_LO);
	again = zynpu_read(zdev, X2_TICK_HI);
	if (again != high)
		low = zynpu_read(zdev, X2_TICK_LO);
	return (u64)again << 32 | low;
}

static int zynpu_x2_start(struct zynpu_dev *zdev, struct zynpu_job *job)
{
	u64 head = job->vm->base + job->chain->address;
	u32 status = zynpu_read(zdev, X2_POOL_STATUS);

	if (status == ZYNPU_ALL_ONES)
		return -ENODEV;
	if (!(status & X2_POOL_IDLE))
		return -EBUSY;
	if (!zynpu_x2_command(zdev, X2_CMD_CREATE | X2_HANDLE_ALL_CLUSTERS)) {
		zynpu_x2_destroy(zdev);
		if (!zynpu_x2_command(zdev, X2_CMD_CREATE | X2_HANDLE_ALL_CLUSTERS))
			return -EBUSY;
	}
	job->tick_start = zynpu_x2_ticks(zdev);
	zynpu_write(zdev, X2_ADDR_HI, upper_32_bits(head));
	zynpu_write(zdev, X2_ADDR_LO, lower_32_bits(head));
	zynpu_write(zdev, X2_INFO, job->id & 0xffff);
	if (!zynpu_x2_command(zdev, X2_CMD_DISPATCH | X2_HANDLE_QOS_FAST))
		return -EBUSY;
	return 0;
}

static int zynpu_x2_finish(struct zynpu_dev *zdev, struct zynpu_job *job)
{
	bool destroyed;

	job->ticks = zynpu_x2_ticks(zdev) - job->tick_start;
	/* The scheduler may still be walking to the end of the chain. */
	return read_poll_timeout(zynpu_x2_destroy, destroyed, destroyed, 20,
				 X2_DESTROY_TIMEOUT_US, false, zdev);
}

static bool zynpu_x2_gather(struct zynpu_dev *zdev)
{
	/* In the order in which the pool takes them back; signal last. */
	static const u32 order[] = {
		X2_TYPE_FAULT, X2_TYPE_DONE, X2_TYPE_ERROR, X2_TYPE_EXCEPTION,
		X2_TYPE_SIGNAL,
	};
	u32 status, tcb, signals, last;
	bool mine = false;
	unsigned int i, n;

	for (n = 0; n < 64; n++) {
		status = zynpu_read(zdev, X2_POOL_INTR_STATUS);
		if (!(status & X2_INTR_PRESENT))
			break;
		mine = true;
		tcb = zynpu_read(zdev, X2_POOL_INTR_TCB);
		signals = 0;
		if (status & X2_TYPE_SIGNAL)
			signals = zynpu_read(zdev, X2_POOL_SIGNAL_FLAG);
		last = zdev->running ? zdev->running->last_task : 0;
		if (zynpu_events_x2(&zdev->events, status, signals, tcb, last))
			zdev->progress++;
		if (zdev->events.lost)
			break;
		if (status & (X2_TYPE_FAULT | X2_TYPE_ERROR | X2_TYPE_EXCEPTION)) {
			zynpu_read(zdev, X2_POOL_FIRST_BAD);
			zynpu_write(zdev, X2_POOL_FIRST_BAD, 0);
		}
		for (i = 0; i < ARRAY_SIZE(order); i++)
			if (status & order[i])
				zynpu_write(zdev, X2_POOL_STATUS, order[i]);
	}
	return mine;
}

/*
 * The pool's abort loses every chain and the pool itself, so the soft reset of
 * the whole device, which needs no state to be right, always follows.
 */
static int zynpu_x2_reset(struct zynpu_dev *zdev)
{
	zynpu_write(zdev, X2_HANDLE, X2_CMD_ABORT);
	usleep_range(50, 100);
	return zynpu_x2_soft_reset(zdev);
}

const struct zynpu_ops zynpu_x2_ops = {
	.reg_size = X2_REG_SIZE,
	.identify = zynpu_x2_identify,
	.init = zynpu_x2_init,
	.start = zynpu_x2_start,
	.finish = zynpu_x2_finish,
	.gather = zynpu_x2_gather,
	.quiet = zynpu_x2_quiet,
	.soft_reset = zynpu_x2_reset,
};
