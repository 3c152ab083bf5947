// SPDX-License-Identifier: GPL-2.0-only
/* No hardware: jobs end at once. Measures the driver, and tests what is above it. */
#include "zynpu_drv.h"

static int zynpu_null_identify(struct zynpu_dev *zdev)
{
	struct zynpu_identity *id = &zdev->id;

	id->clusters = 1;
	id->cores = 1;
	switch (id->generation) {
	case DRM_ZYNPU_Z1:
		id->config = 701;
		id->tecs_per_core = 1;
		break;
	case DRM_ZYNPU_Z2:
		id->config = 1104;
		id->tecs_per_core = 4;
		break;
	default:
		id->config = 1204;
		id->cores = 3;
		id->tecs_per_core = 4;
		break;
	}
	return 0;
}

static int zynpu_null_init(struct zynpu_dev *zdev)
{
	return 0;
}

void zynpu_null_work(struct work_struct *work)
{
	struct zynpu_dev *zdev = container_of(work, struct zynpu_dev, null_work);

	scoped_guard(spinlock_irq, &zdev->lock)
		zdev->events.done = true;
	zynpu_handle_events(zdev);
}

static int zynpu_null_start(struct zynpu_dev *zdev, struct zynpu_job *job)
{
	queue_work(system_highpri_wq, &zdev->null_work);
	return 0;
}

static bool zynpu_null_gather(struct zynpu_dev *zdev)
{
	return false;
}

static void zynpu_null_quiet(struct zynpu_dev *zdev)
{
}

static int zynpu_null_reset(struct zynpu_dev *zdev)
{
	return 0;
}

const struct zynpu_ops zynpu_null_ops = {
	.identify = zynpu_null_identify,
	.init = zynpu_null_init,
	.start = zynpu_null_start,
	.gather = zynpu_null_gather,
	.quiet = zynpu_null_quiet,
	.soft_reset = zynpu_null_reset,
};
