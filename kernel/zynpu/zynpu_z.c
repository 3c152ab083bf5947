// SPDX-License-Identifier: GPL-2.0-only
/* Z1 and Z2: flat registers, one program at a time. */
#include <linux/bitfield.h>

#include "zynpu_drv.h"
#include "zynpu_regs.h"

static bool zynpu_is_z1(struct zynpu_dev *zdev)
{
	return zdev->id.generation == DRM_ZYNPU_Z1;
}

static int zynpu_z_identify(struct zynpu_dev *zdev)
{
	struct zynpu_identity *id = &zdev->id;

	id->revision = zynpu_read(zdev, Z_REVISION_ID);
	id->isa_version = zynpu_read(zdev, Z_ISA_VERSION);
	id->tpc_feature = zynpu_read(zdev, Z_TPC_FEATURE);
	id->hwa_feature = zynpu_read(zdev, Z_HWA_FEATURE);
	return zynpu_identify_z(id);
}

static int zynpu_z_init(struct zynpu_dev *zdev)
{
	u32 enable = Z_CAUSE_DONE | Z_CAUSE_EXCEP;

	/*
	 * "Queue empty" is not enabled: with one job at a time it says nothing
	 * that "done" does not.
	 */
	if (!zynpu_is_z1(zdev))
		enable |= Z_CAUSE_FAULT;
	zynpu_write(zdev, Z_STAT, Z_CAUSES);
	zynpu_write(zdev, Z_CTRL, enable);
	return 0;
}

static void zynpu_z_quiet(struct zynpu_dev *zdev)
{
	zynpu_write(zdev, Z_CTRL, 0);
}

/*
 * All four address-space extensions are written for every job: a stale base
 * would be another context's memory.
 */
static void zynpu_z_write_windows(struct zynpu_dev *zdev, struct zynpu_vm *vm)
{
	static const u32 access[Z2_ASE_COUNT] = {
		Z2_ASE_READ | Z2_ASE_WRITE,	/* code, data */
		Z2_ASE_READ,			/* weights */
		Z2_ASE_READ | Z2_ASE_WRITE,
		0,
	};
	u32 size = vm->limit ? zynpu_ase_code(vm->limit) : 0;
	unsigned int n;

	for (n = 0; n < Z2_ASE_COUNT; n++) {
		zynpu_write(zdev, Z2_ASE_CTRL(n),
			    access[n] | FIELD_PREP(Z2_ASE_SIZE, size));
		zynpu_write(zdev, Z2_ASE_BASE_HI(n), upper_32_bits(vm->base));
		zynpu_write(zdev, Z2_ASE_BASE_LO(n), lower_32_bits(vm->base));
	}
}

static int zynpu_z_start(struct zynpu_dev *zdev, struct zynpu_job *job)
{
	u32 stat = zynpu_read(zdev, Z_STAT);

	if (stat == ZYNPU_ALL_ONES)
		return -ENODEV;
	if ((stat & Z_STAT_IDLE) != Z_STAT_IDLE)
		return -EBUSY;
	zynpu_write(zdev, Z_DATA_ADDR_0, job->first.parameters);
	zynpu_write(zdev, Z_DATA_ADDR_1, job->first.stack);
	zynpu_write(zdev, Z_INTR_PC, job->first.handler);
	if (!zynpu_is_z1(zdev))
		zynpu_z_write_windows(zdev, job->vm);
	zynpu_write(zdev, Z_START_PC,
		    job->first.text | Z_START_CLEAN_DCACHE | Z_START);
	return 0;
}

static bool zynpu_z_gather(struct zynpu_dev *zdev)
{
	bool z1 = zynpu_is_z1(zdev), mine = false;
	unsigned int i;
	u32 stat;

	/*
	 * Until no cause is left, so that an edge-triggered line rises again.
	 * Bounded: a cause that cannot be cleared must not hang the CPU.
	 */
	for (i = 0; i < 8; i++) {
		stat = zynpu_read(zdev, Z_STAT);
		if (stat != ZYNPU_ALL_ONES && !(stat & Z_CAUSES))
			break;
		mine = true;
		zynpu_events_z(&zdev->events, stat, z1);
		if (zdev->events.lost)
			break;
		if (z1 && (stat & Z_CAUSE_EXCEP)) {
			zdev->events.cause = zynpu_read(zdev, Z1_INTR_CAUSE);
			zdev->events.pc = zynpu_read(zdev, Z1_INTR_BACKUP_PC);
		}
		zynpu_write(zdev, Z_STAT, stat & Z_CAUSES);
	}
	return mine;
}

const struct zynpu_ops zynpu_z_ops = {
	.reg_size = Z2_REG_SIZE,
	.identify = zynpu_z_identify,
	.init = zynpu_z_init,
	.start = zynpu_z_start,
	.gather = zynpu_z_gather,
	.quiet = zynpu_z_quiet,
};
