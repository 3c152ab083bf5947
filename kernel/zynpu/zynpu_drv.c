// SPDX-License-Identifier: GPL-2.0-only
/* Binding, files, queries and power management. */
#include <linux/capability.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/pm_runtime.h>
#include <linux/wait_bit.h>

#include <drm/drm_accel.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_managed.h>

#include "zynpu_compat.h"
#include "zynpu_drv.h"
#include "zynpu_platform.h"

#define ZYNPU_AUTOSUSPEND_MS	200
#define ZYNPU_SUSPEND_WAIT_MS	10000

uint zynpu_job_timeout_ms = 10000;
module_param_named(job_timeout_ms, zynpu_job_timeout_ms, uint, 0644);
MODULE_PARM_DESC(job_timeout_ms, "time without progress after which a job is stopped, if it asks for none (default 10000)");

uint zynpu_ban_after = 8;
module_param_named(ban_after, zynpu_ban_after, uint, 0644);
MODULE_PARM_DESC(ban_after, "resets that a context may cause before its jobs are refused, 0: never refused (default 8)");

uint zynpu_window_mib = 32;
module_param_named(window_mib, zynpu_window_mib, uint, 0644);
MODULE_PARM_DESC(window_mib, "size of the private window of a context without CAP_SYS_ADMIN on Z2, a power of two (default 32)");

static bool zynpu_allow_unisolated;
module_param_named(allow_unisolated, zynpu_allow_unisolated, bool, 0644);
MODULE_PARM_DESC(allow_unisolated, "let everybody open devices whose programs reach all memory (default N)");

ulong zynpu_inject_mask;
#if IS_ENABLED(CONFIG_DRM_ACCEL_ZYNPU_INJECT)
module_param_named(inject, zynpu_inject_mask, ulong, 0600);
MODULE_PARM_DESC(inject, "mask of failures to inject, each once; see Documentation/accel/zynpu.rst (default 0)");
#endif

static char *zynpu_null_hw;
module_param_named(null_hw, zynpu_null_hw, charp, 0444);
MODULE_PARM_DESC(null_hw, "make a device without hardware: z1, z2 or x2 (default none)");

static u32 zynpu_isolation(struct zynpu_dev *zdev, struct zynpu_vm *vm)
{
	if (vm->domain)
		return DRM_ZYNPU_ISOLATION_IOMMU;
	if (READ_ONCE(vm->heap))
		return DRM_ZYNPU_ISOLATION_WINDOW;
	return DRM_ZYNPU_ISOLATION_NONE;
}

static void zynpu_query_device(struct zynpu_ctx *ctx, struct drm_zynpu_device_info *info)
{
	struct zynpu_dev *zdev = ctx->zdev;
	const struct zynpu_identity *id = &zdev->id;

	info->generation = id->generation;
	info->flags = zdev->flags;
	info->config = id->config;
	info->revision = id->revision;
	info->isa_version = id->isa_version;
	info->tpc_feature = id->tpc_feature;
	info->hwa_feature = id->hwa_feature;
	info->clusters = id->clusters;
	info->cores = id->cores;
	info->tecs_per_core = id->tecs_per_core;
	info->gm_size = id->gm_size;
	info->isolation = ctx->needs_window ? DRM_ZYNPU_ISOLATION_WINDOW :
					      zynpu_isolation(zdev, ctx->vm);
	info->window_start = ZYNPU_WINDOW_START;
	info->window_end = ZYNPU_WINDOW_END;
	info->default_timeout_ns = (u64)zynpu_job_timeout_ms * NSEC_PER_MSEC;
	info->max_timeout_ns = ZYNPU_MAX_TIMEOUT_NS;
	info->max_bos = ZYNPU_MAX_BOS;
	info->max_groups = id->generation == DRM_ZYNPU_X2 ? ZYNPU_MAX_GROUPS : 1;
	info->max_jobs = ZYNPU_MAX_JOBS;
}

static void zynpu_query_context(struct zynpu_ctx *ctx, struct drm_zynpu_context_info *info)
{
	guard(spinlock)(&ctx->lock);
	if (ctx->banned)
		info->flags |= DRM_ZYNPU_CONTEXT_BANNED;
	if (READ_ONCE(ctx->vm->heap))
		info->flags |= DRM_ZYNPU_CONTEXT_WINDOW;
	info->device_resets = atomic64_read(&ctx->zdev->resets);
	info->guilty_resets = ctx->guilty_resets;
	info->jobs_submitted = ctx->last_id;
	info->jobs_failed = ctx->jobs_failed;
	info->busy_ns = ctx->busy_ns;
	info->bo_bytes = ctx->bo_bytes;
	info->bo_count = ctx->bo_count;
}

static int zynpu_ioctl_query(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_zynpu_query *args = data;
	struct zynpu_ctx *ctx = file->driver_priv;
	union {
		struct drm_zynpu_device_info device;
		struct drm_zynpu_context_info context;
	} info;
	u32 given = args->size, size;

	memset(&info, 0, sizeof(info));
	switch (args->type) {
	case DRM_ZYNPU_QUERY_DEVICE:
		zynpu_query_device(ctx, &info.device);
		size = sizeof(info.device);
		break;
	case DRM_ZYNPU_QUERY_CONTEXT:
		zynpu_query_context(ctx, &info.context);
		size = sizeof(info.context);
		break;
	default:
		return -EINVAL;
	}
	args->size = size;
	if (!args->data)
		return 0;
	if (given > PAGE_SIZE)
		return -EINVAL;
	return copy_struct_to_user(u64_to_user_ptr(args->data), given, &info, size, NULL);
}

#define ZYNPU_IOCTL(name, function) DRM_IOCTL_DEF_DRV(ZYNPU_##name, zynpu_ioctl_##function, 0)

static const struct drm_ioctl_desc zynpu_ioctls[] = {
	ZYNPU_IOCTL(QUERY, query),
	ZYNPU_IOCTL(BO_CREATE, bo_create),
	ZYNPU_IOCTL(BO_INFO, bo_info),
	ZYNPU_IOCTL(BO_PREP, bo_prep),
	ZYNPU_IOCTL(BO_FINI, bo_fini),
	ZYNPU_IOCTL(SUBMIT, submit),
	ZYNPU_IOCTL(WAIT, wait),
	ZYNPU_IOCTL(CANCEL, cancel),
	ZYNPU_IOCTL(WINDOW, window),
};

static void zynpu_ctx_release(struct kref *kref)
{
	struct zynpu_ctx *ctx = container_of(kref, struct zynpu_ctx, refcount);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ctx->records); i++)
		dma_fence_put(ctx->records[i].fence);
	mutex_destroy(&ctx->submit_lock);
	kvfree(ctx);
}

void zynpu_ctx_put(struct zynpu_ctx *ctx)
{
	kref_put(&ctx->refcount, zynpu_ctx_release);
}

static int zynpu_open(struct drm_device *drm, struct drm_file *file)
{
	struct zynpu_dev *zdev = to_zynpu_dev(drm);
	struct drm_gpu_scheduler *sched = &zdev->sched;
	struct zynpu_ctx *ctx;
	bool trusted = capable(CAP_SYS_ADMIN) || zynpu_allow_unisolated;
	int ret;

	/*
	 * Programs reach whatever the device reaches. What keeps them in is an
	 * IOMMU or, on Z2, a private window.
	 */
	if (!trusted && !zdev->iommu && zdev->id.generation != DRM_ZYNPU_Z2)
		return -EACCES;
	ctx = kvzalloc(sizeof(*ctx), GFP_KERNEL);
	if (!ctx)
		return -ENOMEM;
	kref_init(&ctx->refcount);
	mutex_init(&ctx->submit_lock);
	spin_lock_init(&ctx->lock);
	ctx->zdev = zdev;
	ctx->client_id = file->client_id;
	ctx->needs_window = !trusted && !zdev->iommu;
	ctx->vm = zynpu_vm_create(zdev);
	if (IS_ERR(ctx->vm)) {
		ret = PTR_ERR(ctx->vm);
		goto put;
	}
	ret = drm_sched_entity_init(&ctx->entity, DRM_SCHED_PRIORITY_NORMAL, &sched, 1, NULL);
	if (ret)
		goto put_vm;
	file->driver_priv = ctx;
	return 0;

put_vm:
	zynpu_vm_put(ctx->vm);
put:
	zynpu_ctx_put(ctx);
	return ret;
}

/*
 * Waiting jobs get a second to start, none if the process is killed; the rest
 * are dropped. The one that runs is left to end, or to be stopped by its time
 * limit: it holds all that it uses.
 */
static void zynpu_postclose(struct drm_device *drm, struct drm_file *file)
{
	struct zynpu_ctx *ctx = file->driver_priv;

	drm_sched_entity_destroy(&ctx->entity);
	zynpu_chains_drop(ctx);
	zynpu_vm_put(ctx->vm);
	zynpu_ctx_put(ctx);
}

/* Those of DEFINE_DRM_ACCEL_FOPS(), and fdinfo. */
static const struct file_operations zynpu_fops = {
	.owner = THIS_MODULE,
	DRM_ACCEL_FOPS,
	.show_fdinfo = drm_show_fdinfo,
};

const struct drm_driver zynpu_driver = {
	.driver_features = DRIVER_COMPUTE_ACCEL | DRIVER_GEM | DRIVER_SYNCOBJ |
			   DRIVER_SYNCOBJ_TIMELINE,
	.open = zynpu_open,
	.postclose = zynpu_postclose,
	.gem_prime_import = zynpu_gem_import,
	.gem_prime_import_sg_table = zynpu_gem_import_sg_table,
	.show_fdinfo = zynpu_show_fdinfo,
	.ioctls = zynpu_ioctls,
	.num_ioctls = ARRAY_SIZE(zynpu_ioctls),
	.fops = &zynpu_fops,
	.name = "zynpu",
	.desc = "Arm China Zhouyi NPU",
	.major = 1,
	.minor = 0,
};

/* After the last file is closed: every job is, or is about to be, freed. */
static void zynpu_sched_release(struct drm_device *drm, void *data)
{
	struct zynpu_dev *zdev = to_zynpu_dev(drm);

	wait_var_event(&zdev->job_count, !atomic_read(&zdev->job_count));
	drm_sched_fini(&zdev->sched);
	destroy_workqueue(zdev->wq);
}

static void zynpu_dump_release(struct drm_device *drm, void *data)
{
	destroy_workqueue(to_zynpu_dev(drm)->dump_wq);
}

static int zynpu_sched_setup(struct zynpu_dev *zdev)
{
	int ret;

	zdev->fence_context = dma_fence_context_alloc(1);
	zdev->dump_wq = alloc_ordered_workqueue("zynpu-dump", 0);
	if (!zdev->dump_wq)
		return -ENOMEM;
	ret = drmm_add_action_or_reset(&zdev->drm, zynpu_dump_release, NULL);
	if (ret)
		return ret;
	zdev->wq = alloc_ordered_workqueue("zynpu", WQ_MEM_RECLAIM);
	if (!zdev->wq)
		return -ENOMEM;
	ret = zynpu_sched_init(&zdev->sched, &zynpu_sched_ops, zdev->wq,
			       msecs_to_jiffies(ZYNPU_TICK_MS), zdev->dev);
	if (ret) {
		destroy_workqueue(zdev->wq);
		return ret;
	}
	return drmm_add_action_or_reset(&zdev->drm, zynpu_sched_release, NULL);
}

static void zynpu_put_dma_dev(struct drm_device *drm, void *dma_dev)
{
	put_device(dma_dev);
}

static int zynpu_probe(struct platform_device *pdev)
{
	const struct zynpu_platform_data *pdata = dev_get_platdata(&pdev->dev);
	const struct zynpu_match *match = device_get_match_data(&pdev->dev);
	struct device *dev = &pdev->dev;
	struct zynpu_dev *zdev;
	int ret;

	if (!match && !pdata)
		return -ENODEV;
	zdev = devm_drm_dev_alloc(dev, &zynpu_driver, struct zynpu_dev, drm);
	if (IS_ERR(zdev))
		return PTR_ERR(zdev);
	zdev->dev = dev;
	/* It may go before the last file: buffers are freed through it. */
	zdev->dma_dev = get_device(pdata && pdata->dma_dev ? pdata->dma_dev : dev);
	ret = drmm_add_action_or_reset(&zdev->drm, zynpu_put_dma_dev, zdev->dma_dev);
	if (ret)
		return ret;
	zdev->id.generation = match ? match->generation : pdata->generation;
	if (pdata && pdata->null_hw)
		zdev->ops = &zynpu_null_ops;
	else
		zdev->ops = zdev->id.generation == DRM_ZYNPU_X2 ? &zynpu_x2_ops : &zynpu_z_ops;
	spin_lock_init(&zdev->lock);
	spin_lock_init(&zdev->fence_lock);
	mutex_init(&zdev->hw_lock);
	INIT_WORK(&zdev->fault_work, zynpu_fault_work);
	INIT_WORK(&zdev->null_work, zynpu_null_work);
	platform_set_drvdata(pdev, zdev);

	ret = zynpu_sched_setup(zdev);
	if (ret)
		return ret;
	ret = zynpu_hw_setup(zdev, pdev);
	if (ret)
		return ret;

	pm_runtime_get_noresume(dev);
	pm_runtime_set_active(dev);
	pm_runtime_set_autosuspend_delay(dev, ZYNPU_AUTOSUSPEND_MS);
	pm_runtime_use_autosuspend(dev);
	pm_runtime_enable(dev);
	zynpu_debugfs_init(zdev);
	ret = drm_dev_register(&zdev->drm, 0);
	if (ret) {
		zynpu_irq_pause(zdev);
		pm_runtime_disable(dev);
		pm_runtime_put_noidle(dev);
		return ret;
	}
	drm_info(&zdev->drm, "%s_%04u, revision %#x, %u x %u x %u engines, %s%s\n",
		 zdev->id.generation == DRM_ZYNPU_X2 ? "X2" :
		 zdev->id.generation == DRM_ZYNPU_Z2 ? "Z2" : "Z1",
		 zdev->id.config, zdev->id.revision, zdev->id.clusters, zdev->id.cores,
		 zdev->id.tecs_per_core, zdev->iommu ? "IOMMU" : "no IOMMU",
		 zdev->flags & DRM_ZYNPU_DEVICE_CAN_RESET ? "" : ", no reset");
	pm_runtime_put_autosuspend(dev);
	return 0;
}

/*
 * The files stay, without a device: nothing touches the registers after this.
 * A job that runs is stopped, and ends as lost.
 */
static void zynpu_remove(struct platform_device *pdev)
{
	struct zynpu_dev *zdev = platform_get_drvdata(pdev);
	struct device *dev = &pdev->dev;
	bool powered;

	drm_dev_unplug(&zdev->drm);
	powered = pm_runtime_resume_and_get(dev) == 0;
	scoped_guard(spinlock_irq, &zdev->lock)
		zdev->lost = true;
	queue_work(zdev->wq, &zdev->fault_work);
	flush_work(&zdev->fault_work);
	flush_workqueue(zdev->dump_wq);
	cancel_work_sync(&zdev->null_work);
	if (powered)
		zynpu_irq_pause(zdev);
	scoped_guard(mutex, &zdev->hw_lock) {
		zynpu_vm_detach(zdev);
		zdev->removed = true;
	}
	pm_runtime_dont_use_autosuspend(dev);
	pm_runtime_disable(dev);
	if (powered)
		pm_runtime_put_noidle(dev);
}

static int zynpu_runtime_suspend(struct device *dev)
{
	zynpu_power_off(dev_get_drvdata(dev));
	return 0;
}

static int zynpu_runtime_resume(struct device *dev)
{
	return zynpu_power_on(dev_get_drvdata(dev));
}

static bool zynpu_idle(struct zynpu_dev *zdev)
{
	guard(spinlock_irq)(&zdev->lock);
	return !zdev->running;
}

/* Lets the running job end, and takes no other. */
static int zynpu_suspend(struct device *dev)
{
	struct zynpu_dev *zdev = dev_get_drvdata(dev);
	int ret = -EBUSY;

	drm_sched_wqueue_stop(&zdev->sched);
	if (wait_var_event_timeout(&zdev->running, zynpu_idle(zdev),
				   msecs_to_jiffies(ZYNPU_SUSPEND_WAIT_MS)))
		ret = pm_runtime_force_suspend(dev);
	if (ret)
		drm_sched_wqueue_start(&zdev->sched);
	return ret;
}

static int zynpu_resume(struct device *dev)
{
	struct zynpu_dev *zdev = dev_get_drvdata(dev);
	int ret = pm_runtime_force_resume(dev);

	drm_sched_wqueue_start(&zdev->sched);
	return ret;
}

static const struct dev_pm_ops zynpu_pm_ops = {
	RUNTIME_PM_OPS(zynpu_runtime_suspend, zynpu_runtime_resume, NULL)
	SYSTEM_SLEEP_PM_OPS(zynpu_suspend, zynpu_resume)
};

static const struct zynpu_match zynpu_z1 = { DRM_ZYNPU_Z1 };
static const struct zynpu_match zynpu_z2 = { DRM_ZYNPU_Z2 };
static const struct zynpu_match zynpu_x2 = { DRM_ZYNPU_X2 };

static const struct of_device_id zynpu_of_match[] = {
	{ .compatible = "allwinner,sun50i-r329-npu", .data = &zynpu_z1 },
	{ .compatible = "cix,sky1-npu", .data = &zynpu_x2 },
	{ .compatible = "armchina,zhouyi-z1", .data = &zynpu_z1 },
	{ .compatible = "armchina,zhouyi-z2", .data = &zynpu_z2 },
	{ .compatible = "armchina,zhouyi-x2", .data = &zynpu_x2 },
	{ }
};
MODULE_DEVICE_TABLE(of, zynpu_of_match);

static struct platform_driver zynpu_platform_driver = {
	.probe = zynpu_probe,
	.remove = zynpu_remove,
	.driver = {
		.name = "zynpu",
		.of_match_table = zynpu_of_match,
		.pm = pm_ptr(&zynpu_pm_ops),
	},
};

static struct platform_device *zynpu_null_device;

static int zynpu_null_create(void)
{
	struct zynpu_platform_data pdata = { .null_hw = true };
	struct platform_device_info info = {
		.name = "zynpu",
		.id = PLATFORM_DEVID_AUTO,
		.data = &pdata,
		.size_data = sizeof(pdata),
		.dma_mask = DMA_BIT_MASK(32),
	};
	static const char * const names[] = { "z1", "z2", "x2" };
	int index;

	if (!zynpu_null_hw)
		return 0;
	index = match_string(names, ARRAY_SIZE(names), zynpu_null_hw);
	if (index < 0)
		return -EINVAL;
	pdata.generation = DRM_ZYNPU_Z1 + index;
	zynpu_null_device = platform_device_register_full(&info);
	return PTR_ERR_OR_ZERO(zynpu_null_device);
}

static int __init zynpu_module_init(void)
{
	int ret;

	ret = platform_driver_register(&zynpu_platform_driver);
	if (ret)
		return ret;
	ret = zynpu_null_create();
	if (ret)
		platform_driver_unregister(&zynpu_platform_driver);
	return ret;
}
module_init(zynpu_module_init);

static void __exit zynpu_module_exit(void)
{
	platform_device_unregister(zynpu_null_device);
	platform_driver_unregister(&zynpu_platform_driver);
}
module_exit(zynpu_module_exit);

MODULE_ALIAS("platform:zynpu");
MODULE_DESCRIPTION("DRM accel driver for Arm China Zhouyi NPUs");
MODULE_IMPORT_NS(ZYNPU_DMA_BUF_NS);
MODULE_LICENSE("GPL");
