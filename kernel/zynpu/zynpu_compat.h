/* SPDX-License-Identifier: GPL-2.0-only */
/* What differs between the kernels that the driver is built for out of tree. */
#ifndef _ZYNPU_COMPAT_H_
#define _ZYNPU_COMPAT_H_

#include <linux/iommu.h>
#include <linux/uaccess.h>
#include <linux/version.h>
#include <drm/gpu_scheduler.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 0, 0)

#define ZYNPU_DMA_BUF_NS	"DMA_BUF"

static inline int zynpu_sched_init(struct drm_gpu_scheduler *sched,
				   const struct drm_sched_backend_ops *ops,
				   struct workqueue_struct *wq, long timeout,
				   struct device *dev)
{
	const struct drm_sched_init_args args = {
		.ops = ops,
		.timeout_wq = wq,
		.num_rqs = DRM_SCHED_PRIORITY_COUNT,
		.credit_limit = 1,
		.timeout = timeout,
		.name = "zynpu",
		.dev = dev,
	};

	return drm_sched_init(sched, &args);
}

#define zynpu_sched_job_init(job, entity, owner, file) \
	drm_sched_job_init(job, entity, 1, owner, (file)->client_id)

/* The job goes on, or its fence is signalled already: keep it in the list. */
static inline enum drm_gpu_sched_stat zynpu_sched_keep(struct drm_sched_job *job)
{
	return DRM_GPU_SCHED_STAT_NO_HANG;
}

/* Domains of every driver can be mapped to before they are attached. */
static inline bool zynpu_iommu_usable(struct device *dev)
{
	return true;
}

#else /* 6.12 */

#define ZYNPU_DMA_BUF_NS	DMA_BUF

static inline int zynpu_sched_init(struct drm_gpu_scheduler *sched,
				   const struct drm_sched_backend_ops *ops,
				   struct workqueue_struct *wq, long timeout,
				   struct device *dev)
{
	return drm_sched_init(sched, ops, NULL, DRM_SCHED_PRIORITY_COUNT, 1, 0,
			      timeout, wq, NULL, "zynpu", dev);
}

#define zynpu_sched_job_init(job, entity, owner, file) \
	drm_sched_job_init(job, entity, 1, owner)

static inline enum drm_gpu_sched_stat zynpu_sched_keep(struct drm_sched_job *job)
{
	struct drm_gpu_scheduler *sched = job->sched;

	spin_lock(&sched->job_list_lock);
	list_add(&job->list, &sched->pending_list);
	/* It may have ended while it was not there to be found and freed. */
	if (dma_fence_is_signaled(&job->s_fence->finished) && !READ_ONCE(sched->pause_submit))
		queue_work(sched->submit_wq, &sched->work_free_job);
	spin_unlock(&sched->job_list_lock);
	return DRM_GPU_SCHED_STAT_NOMINAL;
}

/* Not those of drivers that complete them at the attachment, as virtio-iommu's. */
static inline bool zynpu_iommu_usable(struct device *dev)
{
	return dev->iommu->iommu_dev->ops->domain_alloc_paging;
}

#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
static inline int copy_struct_to_user(void __user *dst, size_t usize,
				      const void *src, size_t ksize,
				      bool *ignored_trailing)
{
	size_t size = min(usize, ksize);

	if (usize > ksize && clear_user(dst + size, usize - size))
		return -EFAULT;
	return copy_to_user(dst, src, size) ? -EFAULT : 0;
}
#endif

#endif
