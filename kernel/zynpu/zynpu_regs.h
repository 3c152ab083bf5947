/* SPDX-License-Identifier: GPL-2.0-only */
/* Host registers of Zhouyi NPUs. 32 bits each, little-endian. */
#ifndef _ZYNPU_REGS_H_
#define _ZYNPU_REGS_H_

/* Z1 and Z2 */
#define Z_CTRL				0x00
#define Z_STAT				0x04
#define   Z_CAUSE_QEMPTY		BIT(0)
#define   Z_CAUSE_DONE			BIT(1)
#define   Z_CAUSE_EXCEP			BIT(2)
#define   Z_CAUSE_FAULT			BIT(3)	/* not on Z1 */
#define   Z_CAUSES			GENMASK(3, 0)
#define   Z_STAT_IDLE			GENMASK(18, 16)
#define Z_START_PC			0x08
#define   Z_START			BIT(0)
#define   Z_START_CLEAN_DCACHE		GENMASK(3, 2)
#define Z_INTR_PC			0x0c
#define Z_DATA_ADDR_0			0x14
#define Z_DATA_ADDR_1			0x18
#define Z1_INTR_CAUSE			0x20
#define Z1_INTR_BACKUP_PC		0x2c
#define Z_ISA_VERSION			0x40
#define Z_TPC_FEATURE			0x44
#define   Z_TPC_COUNT			GENMASK(4, 0)
#define Z_HWA_FEATURE			0x4c
#define   Z_HWA_CLASS			GENMASK(3, 0)
#define Z_REVISION_ID			0x50
#define   Z_REVISION_Z1			0x000
#define   Z_REVISION_Z2			0x100
#define Z2_ASE_CTRL(n)			(0xc0 + 0xc * (n))
#define   Z2_ASE_READ			BIT(31)
#define   Z2_ASE_WRITE			BIT(30)
#define   Z2_ASE_SIZE			GENMASK(4, 0)
#define Z2_ASE_BASE_HI(n)		(0xc4 + 0xc * (n))
#define Z2_ASE_BASE_LO(n)		(0xc8 + 0xc * (n))
#define Z2_ASE_COUNT			4
#define Z1_REG_SIZE			0x70
#define Z2_REG_SIZE			0xf0

/* Byte offset of the exception handler in a program's buffer */
#define Z_HANDLER_OFFSET		0x10

/* X2: task scheduler manager */
#define X2_HANDLE			0x00
#define   X2_CMD_CREATE			1
#define   X2_CMD_DESTROY		2
#define   X2_CMD_ABORT			3
#define   X2_CMD_DISPATCH		4
#define   X2_HANDLE_ALL_CLUSTERS	BIT(12)
#define   X2_HANDLE_QOS_FAST		(2 << 8)
#define X2_INFO				0x04
#define X2_ADDR_HI			0x08
#define X2_ADDR_LO			0x0c
#define X2_BUILD_INFO			0x14
#define   X2_BUILD_POOLS		GENMASK(19, 16)
#define X2_TSM_STATUS			0x18
#define   X2_TSM_REFUSED		BIT(31)
#define X2_SOFT_RESET			0x20
#define   X2_RESET_LAUNCH		BIT(0)
#define   X2_RESET_DONE			BIT(1)
#define X2_REVISION			0x50
#define   X2_REVISION_R0P2		0x10000
#define   X2_REVISION_R0P3		0x10003
#define X2_TICK_LO			0x60
#define X2_TICK_HI			0x64
#define X2_TICK_CTRL			0x68
#define   X2_TICK_RUN			0
#define   X2_TICK_CLEAR_STOP		3

/* X2: command pool 0, the only one in use */
#define X2_POOL_CONFIG			0x800
#define X2_POOL_STATUS			0x804
#define   X2_POOL_IDLE			BIT(6)
#define X2_POOL_INTR_CTRL		0x808
#define X2_POOL_INTR_STATUS		0x80c
#define   X2_TYPE_DONE			BIT(0)
#define   X2_TYPE_EXCEPTION		BIT(2)
#define   X2_TYPE_FAULT			BIT(3)
#define   X2_TYPE_ERROR			BIT(4)
#define   X2_TYPE_SIGNAL		BIT(5)
#define   X2_TYPES			0x3d
#define   X2_LEVEL_TEC			BIT(8)
#define   X2_LEVEL_CORE			BIT(9)
#define   X2_LEVEL_CLUSTER		BIT(10)
#define   X2_LEVEL_POOL			BIT(11)
/* What the vendor takes for an interrupt; a signal always carries a level. */
#define   X2_INTR_PRESENT		0xf1f
#define X2_POOL_FIRST_BAD		0x814
#define X2_POOL_SECURE			0x81c
#define   X2_POOL_NON_SECURE		BIT(0)
#define X2_POOL_SIGNAL_FLAG		0x820
#define   X2_SIGNAL_EXCEPTIONS		GENMASK(31, 30)
#define X2_POOL_INTR_TCB		0x824

/* X2: clusters */
#define X2_CLUSTER_CONFIG(n)		(0xc00 + 0x20 * (n))
#define   X2_CLUSTER_PRESENT		BIT(12)
#define   X2_CLUSTER_COUNTS		GENMASK(11, 0)
#define   X2_CLUSTER_CORES		GENMASK(11, 8)
#define   X2_CLUSTER_TECS		GENMASK(3, 0)
#define X2_CLUSTER_CONTROL(n)		(0xc04 + 0x20 * (n))
#define   X2_CLUSTER_ENABLE		BIT(12)
#define X2_CLUSTER_MAX			8

/* X2: debug window, opened at probe to learn the size of the global memory */
#define X2_PAGE_SELECT			0x1f00
#define   X2_PAGE_ENABLE		BIT(12)
#define X2_GM_CONTROL			0x2070
#define   X2_GM_SIZE			GENMASK(19, 16)
#define X2_REG_SIZE			0x3230

#define ZYNPU_ALL_ONES			0xffffffffu

#endif
