// SPDX-License-Identifier: GPL-2.0-only
/* Power, identification, interrupts and reset: what all generations share. */
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/of_reserved_mem.h>
#include <linux/pm_runtime.h>
#include <linux/property.h>

#include "zynpu_compat.h"
#include "zynpu_drv.h"
#include "zynpu_platform.h"
#include "zynpu_regs.h"

#define ZYNPU_RESET_US		10

static const char * const zynpu_domains[] = {
	"perf", "core0", "core1", "core2",
};

static int zynpu_set_reset(struct zynpu_dev *zdev, bool assert)
{
	if (zdev->set_reset)
		return zdev->set_reset(zdev->dev->parent, assert);
	return assert ? reset_control_assert(zdev->reset) :
			reset_control_deassert(zdev->reset);
}

static bool zynpu_has_reset_line(struct zynpu_dev *zdev)
{
	return zdev->set_reset || zdev->reset;
}

bool zynpu_is_lost(struct zynpu_dev *zdev)
{
	guard(spinlock_irqsave)(&zdev->lock);
	return zdev->lost;
}

/*
 * The registers are read and written by the interrupt handler only between
 * zynpu_irq_resume() and zynpu_irq_pause(): on a shared line it is called at
 * any time.
 */
void zynpu_irq_resume(struct zynpu_dev *zdev)
{
	guard(spinlock_irq)(&zdev->lock);
	zdev->irq_on = true;
}

void zynpu_irq_pause(struct zynpu_dev *zdev)
{
	scoped_guard(spinlock_irq, &zdev->lock) {
		if (zdev->irq_on)
			zdev->ops->quiet(zdev);
		zdev->irq_on = false;
	}
	if (zdev->irq > 0)
		synchronize_irq(zdev->irq);
}

/* Judges what the interrupts said, and completes at most one job. */
void zynpu_handle_events(struct zynpu_dev *zdev)
{
	struct zynpu_job *job = NULL;
	struct zynpu_events events;

	scoped_guard(spinlock_irq, &zdev->lock) {
		events = zdev->events;
		if (events.lost)
			zdev->lost = true;
		if (!zdev->running) {
			if (events.done || events.bad)
				atomic64_inc(&zdev->spurious);
			memset(&zdev->events, 0, sizeof(zdev->events));
		} else if (events.bad || zdev->lost) {
			queue_work(zdev->wq, &zdev->fault_work);
		} else if (events.done) {
			job = zdev->running;
			zdev->running = NULL;
			memset(&zdev->events, 0, sizeof(zdev->events));
		}
	}
	if (!job)
		return;
	if (zdev->ops->finish && zdev->ops->finish(zdev, job)) {
		/* It ended, but the device does not let go of it. */
		scoped_guard(spinlock_irq, &zdev->lock) {
			zdev->running = job;
			zdev->events.bad = DRM_ZYNPU_STATUS_ERROR;
		}
		queue_work(zdev->wq, &zdev->fault_work);
		return;
	}
	zynpu_job_complete(job, DRM_ZYNPU_STATUS_DONE, &events);
}

/* Reads and clears what the device has to say, under zdev->lock. */
static bool zynpu_gather(struct zynpu_dev *zdev)
{
	struct zynpu_events *events = &zdev->events;
	bool found = zdev->ops->gather(zdev);

	if (zynpu_inject(ZYNPU_INJECT_GONE)) {
		events->lost = true;
		return true;
	}
	if (events->done && zynpu_inject(ZYNPU_INJECT_EXCEPTION))
		events->bad = DRM_ZYNPU_STATUS_EXCEPTION;
	if (events->done && zynpu_inject(ZYNPU_INJECT_LOST_IRQ))
		events->done = false;
	return found;
}

static irqreturn_t zynpu_irq(int irq, void *data)
{
	struct zynpu_dev *zdev = data;

	guard(spinlock_irqsave)(&zdev->lock);
	if (!zdev->irq_on || !zynpu_gather(zdev))
		return IRQ_NONE;
	return IRQ_WAKE_THREAD;
}

static irqreturn_t zynpu_irq_thread(int irq, void *data)
{
	zynpu_handle_events(data);
	return IRQ_HANDLED;
}

/* Looks at the device as an interrupt would: for one that was lost. */
void zynpu_poll(struct zynpu_dev *zdev)
{
	bool found = false;

	scoped_guard(spinlock_irq, &zdev->lock) {
		if (zdev->irq_on)
			found = zynpu_gather(zdev);
	}
	if (found)
		zynpu_handle_events(zdev);
}

/*
 * Stops whatever runs and makes the device ready again; hw_lock held,
 * interrupts paused. After an error the engine may still be running.
 */
int zynpu_hw_reset(struct zynpu_dev *zdev)
{
	struct zynpu_identity before = zdev->id;
	int ret = -EOPNOTSUPP;

	atomic64_inc(&zdev->resets);
	if (zynpu_inject(ZYNPU_INJECT_RESET))
		return -EIO;
	if (zdev->ops->soft_reset)
		ret = zdev->ops->soft_reset(zdev);
	if (ret && zynpu_has_reset_line(zdev)) {
		ret = zynpu_set_reset(zdev, true);
		usleep_range(ZYNPU_RESET_US, 10 * ZYNPU_RESET_US);
		if (!ret)
			ret = zynpu_set_reset(zdev, false);
		usleep_range(ZYNPU_RESET_US, 10 * ZYNPU_RESET_US);
	}
	if (ret)
		return ret;

	ret = zdev->ops->identify(zdev);
	if (!ret && (before.generation != zdev->id.generation ||
		     before.revision != zdev->id.revision))
		ret = -ENODEV;
	zdev->id = before;
	return ret ?: zdev->ops->init(zdev);
}

static int zynpu_clocks_on(struct zynpu_dev *zdev)
{
	int ret;

	/* Reset, bus, memory bus, core: in this order, and off in reverse. */
	ret = zynpu_set_reset(zdev, false);
	if (ret)
		return ret;
	ret = clk_bulk_prepare_enable(ARRAY_SIZE(zdev->clks), zdev->clks);
	if (ret)
		zynpu_set_reset(zdev, true);
	return ret;
}

static void zynpu_clocks_off(struct zynpu_dev *zdev)
{
	clk_bulk_disable_unprepare(ARRAY_SIZE(zdev->clks), zdev->clks);
	zynpu_set_reset(zdev, true);
}

/* The device holds no state while it is off: everything is written again. */
int zynpu_power_on(struct zynpu_dev *zdev)
{
	int ret;

	if (zynpu_inject(ZYNPU_INJECT_POWER))
		return -EIO;
	ret = zynpu_clocks_on(zdev);
	if (ret)
		return ret;
	guard(mutex)(&zdev->hw_lock);
	if (zdev->ops->soft_reset)
		ret = zdev->ops->soft_reset(zdev);
	if (!ret)
		ret = zdev->ops->init(zdev);
	if (ret) {
		zynpu_clocks_off(zdev);
		return ret;
	}
	zynpu_irq_resume(zdev);
	return 0;
}

void zynpu_power_off(struct zynpu_dev *zdev)
{
	zynpu_irq_pause(zdev);
	zynpu_clocks_off(zdev);
}

static void zynpu_clocks_off_action(void *data)
{
	struct zynpu_dev *zdev = data;

	/* Balanced with the runtime PM state at this moment. */
	if (!pm_runtime_status_suspended(zdev->dev))
		zynpu_clocks_off(zdev);
}

static int zynpu_identify(struct zynpu_dev *zdev, u32 promised)
{
	struct device *dev = zdev->dev;
	int ret;

	ret = zdev->ops->identify(zdev);
	if (ret == -ENXIO)
		return dev_err_probe(dev, ret,
				     "identity registers read 0: no clock, or in reset\n");
	if (ret)
		return dev_err_probe(dev, ret,
				     "unknown device: revision %#x, ISA %#x, TPC %#x, HWA %#x\n",
				     zdev->id.revision, zdev->id.isa_version,
				     zdev->id.tpc_feature, zdev->id.hwa_feature);
	if (zdev->id.generation != promised)
		return dev_err_probe(dev, -ENODEV,
				     "registers are of generation %u, described as %u\n",
				     zdev->id.generation, promised);
	return 0;
}

static int zynpu_get_resources(struct zynpu_dev *zdev, struct platform_device *pdev)
{
	const struct dev_pm_domain_attach_data domains = {
		.pd_names = zynpu_domains,
		.num_pd_names = ARRAY_SIZE(zynpu_domains),
		.pd_flags = PD_FLAG_DEV_LINK_ON,
	};
	struct device *dev = zdev->dev;
	struct resource *res;
	int ret;

	zdev->regs = devm_platform_get_and_ioremap_resource(pdev, 0, &res);
	if (IS_ERR(zdev->regs))
		return PTR_ERR(zdev->regs);
	if (resource_size(res) < zdev->ops->reg_size)
		return dev_err_probe(dev, -EINVAL, "register window of %pa bytes, needs %#x\n",
				     &(resource_size_t){ resource_size(res) },
				     zdev->ops->reg_size);
	zdev->irq = platform_get_irq(pdev, 0);
	if (zdev->irq < 0)
		return zdev->irq;

	zdev->clks[0].id = "bus";
	zdev->clks[1].id = "mbus";
	zdev->clks[2].id = "core";
	ret = devm_clk_bulk_get_optional(dev, ARRAY_SIZE(zdev->clks), zdev->clks);
	if (ret)
		return dev_err_probe(dev, ret, "clocks\n");
	zdev->reset = devm_reset_control_array_get_optional_exclusive(dev);
	if (IS_ERR(zdev->reset))
		return dev_err_probe(dev, PTR_ERR(zdev->reset), "reset\n");

	/* One power domain is attached by the core; several are ours. */
	if (of_count_phandle_with_args(dev->of_node, "power-domains",
				       "#power-domain-cells") > 1) {
		ret = devm_pm_domain_attach_list(dev, &domains, &zdev->domains);
		if (ret < 0)
			return dev_err_probe(dev, ret, "power domains\n");
	}
	return 0;
}

static void zynpu_reserved_mem_release(void *dev)
{
	of_reserved_mem_device_release(dev);
}

static int zynpu_setup_iommu(struct zynpu_dev *zdev)
{
	u64 end;

	if (!zynpu_iommu_usable(zdev->dma_dev))
		return dev_err_probe(zdev->dev, -EOPNOTSUPP,
				     "this kernel's driver of the IOMMU makes no domain before an attachment\n");
	/* An address space of X2 must not begin at 0; on silicon this one is known to work. */
	zdev->base = zdev->id.generation == DRM_ZYNPU_X2 ? ZYNPU_X2_IOVA : 0;
	zdev->dma_domain = iommu_get_domain_for_dev(zdev->dma_dev);
	end = zdev->base + ZYNPU_WINDOW_END - 1;
	if (zdev->dma_domain->geometry.force_aperture &&
	    zdev->dma_domain->geometry.aperture_end < end)
		return dev_err_probe(zdev->dev, -ERANGE, "the IOMMU does not reach %#llx\n", end);
	zdev->iommu_prot = IOMMU_READ | IOMMU_WRITE;
	if (device_get_dma_attr(zdev->dma_dev) == DEV_DMA_COHERENT)
		zdev->iommu_prot |= IOMMU_CACHE;
	return 0;
}

static int zynpu_setup_memory(struct zynpu_dev *zdev)
{
	struct device *dev = zdev->dev;
	struct device_node *node __free(device_node) =
		of_parse_phandle(dev->of_node, "memory-region", 0);
	struct reserved_mem *region = node ? of_reserved_mem_lookup(node) : NULL;
	u64 mask = DMA_BIT_MASK(32);
	int ret;

	if (node) {
		ret = of_reserved_mem_device_init(dev);
		if (ret)
			return dev_err_probe(dev, ret, "memory-region\n");
		ret = devm_add_action_or_reset(dev, zynpu_reserved_mem_release, dev);
		if (ret)
			return ret;
	}
	/* Z2 and X2 reach memory above 4 GiB, if all of it has one base. */
	if (region && zdev->id.generation != DRM_ZYNPU_Z1) {
		zdev->base = region->base & ~GENMASK_ULL(31, 0);
		mask = DMA_BIT_MASK(64);
	}
	zdev->iommu = device_iommu_mapped(zdev->dma_dev);
	if (zdev->iommu) {
		ret = zynpu_setup_iommu(zdev);
		if (ret)
			return ret;
		mask = DMA_BIT_MASK(64);
	}
	dma_set_max_seg_size(zdev->dma_dev, UINT_MAX);
	ret = dma_set_mask_and_coherent(zdev->dma_dev, mask);
	return ret ? dev_err_probe(dev, ret, "DMA mask\n") : 0;
}

/* Finds, powers and identifies the device. Leaves it powered, as PM active. */
int zynpu_hw_setup(struct zynpu_dev *zdev, struct platform_device *pdev)
{
	const struct zynpu_platform_data *pdata = dev_get_platdata(zdev->dev);
	u32 promised = zdev->id.generation;
	struct device *dev = zdev->dev;
	int ret;

	if (pdata && pdata->null_hw) {
		zdev->flags |= DRM_ZYNPU_DEVICE_NULL | DRM_ZYNPU_DEVICE_CAN_RESET;
		zdev->ops->identify(zdev);
		return zynpu_setup_memory(zdev);
	}
	if (pdata) {
		zdev->set_reset = pdata->set_reset;
		if (pdata->is_virtual)
			zdev->flags |= DRM_ZYNPU_DEVICE_VIRTUAL;
	}

	ret = zynpu_get_resources(zdev, pdev);
	if (ret)
		return ret;
	ret = zynpu_clocks_on(zdev);
	if (ret)
		return dev_err_probe(dev, ret, "power\n");
	ret = devm_add_action_or_reset(dev, zynpu_clocks_off_action, zdev);
	if (ret)
		return ret;
	if (zdev->ops->soft_reset || zynpu_has_reset_line(zdev))
		zdev->flags |= DRM_ZYNPU_DEVICE_CAN_RESET;
	ret = zynpu_identify(zdev, promised);
	if (ret)
		return ret;
	ret = zynpu_setup_memory(zdev);
	if (ret)
		return ret;
	if (zdev->ops->soft_reset) {
		ret = zdev->ops->soft_reset(zdev);
		if (ret)
			return dev_err_probe(dev, ret, "soft reset\n");
	}

	/* Everything that the handler uses is valid from here on. */
	ret = devm_request_threaded_irq(dev, zdev->irq, zynpu_irq, zynpu_irq_thread,
					IRQF_SHARED, dev_name(dev), zdev);
	if (ret)
		return dev_err_probe(dev, ret, "interrupt\n");
	ret = zdev->ops->init(zdev);
	if (ret)
		return dev_err_probe(dev, ret, "initialisation\n");
	zynpu_irq_resume(zdev);
	return 0;
}
