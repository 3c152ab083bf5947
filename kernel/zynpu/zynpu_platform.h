/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ZYNPU_PLATFORM_H_
#define _ZYNPU_PLATFORM_H_

#include <linux/types.h>

struct device;

/*
 * For a platform device that no device tree describes: made by zynpu_pci.c, or
 * by the driver itself for null hardware.
 */
struct zynpu_platform_data {
	u32 generation;		/* enum drm_zynpu_generation */
	bool is_virtual;	/* runs programs of the virtual profile */
	bool null_hw;		/* no registers, no interrupt */
	/* The device on the bus, as DMA API and IOMMU know it, if it is another. */
	struct device *dma_dev;
	/* Drives the reset line, or NULL. @parent: the device's parent. */
	int (*set_reset)(struct device *parent, bool assert);
};

#endif
