// SPDX-License-Identifier: GPL-2.0-only
/* Jobs after their submission: running, ending, failing, waiting for them. */
#include <linux/pm_runtime.h>
#include <linux/wait_bit.h>

#include <drm/drm_utils.h>

#include "zynpu_compat.h"
#include "zynpu_drv.h"

#define CREATE_TRACE_POINTS
#include "zynpu_trace.h"

static const char *zynpu_fence_driver_name(struct dma_fence *fence)
{
	return "zynpu";
}

static const char *zynpu_fence_timeline_name(struct dma_fence *fence)
{
	return "zynpu-device";
}

static const struct dma_fence_ops zynpu_fence_ops = {
	.get_driver_name = zynpu_fence_driver_name,
	.get_timeline_name = zynpu_fence_timeline_name,
};

static int zynpu_status_errno(u32 status)
{
	switch (status) {
	case DRM_ZYNPU_STATUS_DONE:
		return 0;
	case DRM_ZYNPU_STATUS_FAULT:
		return -EFAULT;
	case DRM_ZYNPU_STATUS_TIMEOUT:
		return -ETIME;
	case DRM_ZYNPU_STATUS_CANCELLED:
	case DRM_ZYNPU_STATUS_DEPENDENCY:
		return -ECANCELED;
	case DRM_ZYNPU_STATUS_DEVICE_LOST:
		return -ENODEV;
	default:
		return -EIO;
	}
}

/* Counts against the job's context? What the user asked for does not. */
static bool zynpu_status_guilty(u32 status)
{
	return status == DRM_ZYNPU_STATUS_EXCEPTION ||
	       status == DRM_ZYNPU_STATUS_FAULT ||
	       status == DRM_ZYNPU_STATUS_ERROR ||
	       status == DRM_ZYNPU_STATUS_TIMEOUT;
}

/* Writes down how a job ended. Before its fence signals. */
static void zynpu_job_record(struct zynpu_job *job, u32 status,
			     const struct zynpu_events *events)
{
	struct zynpu_ctx *ctx = job->ctx;
	struct zynpu_record *record = &ctx->records[job->id % ZYNPU_MAX_JOBS];
	u64 now = ktime_get_ns();
	u64 run = job->started ? now - job->started : 0;
	u32 task = 0;

	if (events && job->chain)
		task = zynpu_chain_task(&job->zdev->id, job->chain->address,
					job->group_count, events->tcb);
	trace_zynpu_done(job, status, run);
	if (status != DRM_ZYNPU_STATUS_DONE && events)
		trace_zynpu_fault(job, status, events->cause, events->pc, task);

	guard(spinlock)(&ctx->lock);
	ctx->busy_ns += run;
	if (status != DRM_ZYNPU_STATUS_DONE)
		ctx->jobs_failed++;
	if (zynpu_status_guilty(status)) {
		ctx->guilty_resets++;
		if (zynpu_ban_after && ctx->guilty_resets >= zynpu_ban_after)
			ctx->banned = true;
	}
	/* The record is the job's own until its fence has signalled. */
	if (record->id != job->id)
		return;
	record->status = status;
	record->queued_ns = (job->started ?: now) - job->submitted;
	record->run_ns = run;
	record->ticks = job->ticks;
	if (events && status != DRM_ZYNPU_STATUS_DONE) {
		record->cause = events->cause;
		record->pc = events->pc;
		record->task = task;
	}
}

static void zynpu_job_sync_imported(struct zynpu_job *job, bool for_device)
{
	u32 i;

	/* An importer's mapping may be a bounce buffer: copy at each job. */
	for (i = 0; i < job->mapping_count; i++)
		if (job->mappings[i]->bo->base.import_attach)
			zynpu_bo_sync(job->mappings[i]->bo, for_device);
}

/* Ends a job that the device has let go of. It may be freed on return. */
void zynpu_job_complete(struct zynpu_job *job, u32 status,
			const struct zynpu_events *events)
{
	struct dma_fence *fence = dma_fence_get(&job->fence->base);
	struct zynpu_dev *zdev = job->zdev;

	zynpu_job_sync_imported(job, false);
	zynpu_job_record(job, status, events);
	if (status != DRM_ZYNPU_STATUS_DONE)
		dma_fence_set_error(fence, zynpu_status_errno(status));
	dma_fence_signal(fence);
	dma_fence_put(fence);
	pm_runtime_mark_last_busy(zdev->dev);
	pm_runtime_put_autosuspend(zdev->dev);
	wake_up_var(&zdev->running);
}

/*
 * Takes the running job off the device, which may still be executing it, and
 * resets the device; hw_lock held. Nothing happens if the job has just ended.
 */
static void zynpu_recover(struct zynpu_dev *zdev, struct zynpu_job *job, u32 status)
{
	struct zynpu_events events;
	int ret = 0;

	if (!zdev->removed)
		zynpu_irq_pause(zdev);
	scoped_guard(spinlock_irq, &zdev->lock) {
		if (zdev->running != job) {
			job = NULL;
		} else {
			zdev->running = NULL;
			events = zdev->events;
			memset(&zdev->events, 0, sizeof(zdev->events));
		}
	}
	if (!job) {
		if (!zdev->removed && !zdev->ops->init(zdev))
			zynpu_irq_resume(zdev);
		return;
	}

	if (status == DRM_ZYNPU_STATUS_TIMEOUT)
		drm_err(&zdev->drm, "job %llu of client %llu made no progress for %llu ms\n",
			job->id, job->ctx->client_id,
			div_u64(job->watch.limit, NSEC_PER_MSEC));
	else if (zynpu_status_guilty(status))
		drm_dbg(&zdev->drm, "job %llu of client %llu failed: status %u, cause %#x\n",
			job->id, job->ctx->client_id, status, events.cause);

	if (!zdev->removed) {
		if (status != DRM_ZYNPU_STATUS_CANCELLED)
			zynpu_coredump(zdev, job, status, &events);
		ret = zynpu_hw_reset(zdev);
	}
	if (zdev->removed || !ret) {
		if (!zynpu_is_lost(zdev))
			zynpu_irq_resume(zdev);
	} else {
		scoped_guard(spinlock_irq, &zdev->lock)
			zdev->lost = true;
		/* What it can still write to can never be anybody else's. */
		job->parked = !events.lost;
		drm_err(&zdev->drm, "cannot be reset (%d): no more jobs are taken\n", ret);
	}
	zynpu_job_complete(job, status, &events);
}

/* The device failed or lost a job, or somebody cancelled it. */
void zynpu_fault_work(struct work_struct *work)
{
	struct zynpu_dev *zdev = container_of(work, struct zynpu_dev, fault_work);
	struct zynpu_job *job;
	u32 status = DRM_ZYNPU_STATUS_DONE;

	guard(mutex)(&zdev->hw_lock);
	scoped_guard(spinlock_irq, &zdev->lock) {
		job = zdev->running;
		if (!job)
			return;
		if (zdev->lost || zdev->events.lost)
			status = DRM_ZYNPU_STATUS_DEVICE_LOST;
		else if (zdev->events.bad)
			status = zdev->events.bad;
		else if (job->cancelled)
			status = DRM_ZYNPU_STATUS_CANCELLED;
	}
	if (status != DRM_ZYNPU_STATUS_DONE)
		zynpu_recover(zdev, job, status);
}

/*
 * Called every tick while a job runs, from the queue that fault_work is on too:
 * one of them at a time. Asks first whether the job moves.
 */
static enum drm_gpu_sched_stat zynpu_job_timedout(struct drm_sched_job *sched_job)
{
	struct zynpu_job *job = to_zynpu_job(sched_job);
	struct zynpu_dev *zdev = job->zdev;
	bool expired = false;

	scoped_guard(mutex, &zdev->hw_lock) {
		if (!zdev->removed)
			zynpu_poll(zdev);
		scoped_guard(spinlock_irq, &zdev->lock) {
			if (zdev->running == job)
				expired = zynpu_watch_expired(&job->watch, ktime_get_ns(),
							      zdev->progress);
		}
		if (expired)
			zynpu_recover(zdev, job, DRM_ZYNPU_STATUS_TIMEOUT);
	}
	return zynpu_sched_keep(sched_job);
}

static bool zynpu_job_dependency_failed(struct zynpu_job *job)
{
	u32 i;

	for (i = 0; i < job->in_fence_count; i++)
		if (dma_fence_get_status(job->in_fences[i]) < 0)
			return true;
	return false;
}

static int zynpu_job_start(struct zynpu_dev *zdev, struct zynpu_job *job)
{
	int ret;

	ret = zynpu_vm_attach(job->vm);
	if (ret)
		return ret;
	zynpu_job_sync_imported(job, true);
	if (job->chain)
		zynpu_bo_sync(job->chain->bo, true);
	if (zynpu_inject(ZYNPU_INJECT_STRAY_DONE)) {
		scoped_guard(spinlock_irq, &zdev->lock)
			zdev->events.done = true;
		zynpu_handle_events(zdev);
	}
	if (zynpu_inject(ZYNPU_INJECT_BUSY))
		return -EBUSY;
	job->started = ktime_get_ns();
	job->watch.since = job->started;
	scoped_guard(spinlock_irq, &zdev->lock) {
		if (zdev->lost)
			return -ENODEV;
		memset(&zdev->events, 0, sizeof(zdev->events));
		job->watch.progress = zdev->progress;
		zdev->running = job;
	}
	trace_zynpu_run(job);
	ret = zdev->ops->start(zdev, job);
	if (ret) {
		guard(spinlock_irq)(&zdev->lock);
		zdev->running = NULL;
		return ret;
	}
	/*
	 * A cancellation just before may have found nothing that runs. The job
	 * may have ended by now, but it is freed only after this function.
	 */
	if (READ_ONCE(job->cancelled))
		queue_work(zdev->wq, &zdev->fault_work);
	return 0;
}

/* Puts the job onto the device: 0, or how it ended instead. */
static u32 zynpu_job_try(struct zynpu_dev *zdev, struct zynpu_job *job)
{
	int ret;

	if (job->cancelled || READ_ONCE(job->ctx->banned))
		return DRM_ZYNPU_STATUS_CANCELLED;
	if (zynpu_job_dependency_failed(job))
		return DRM_ZYNPU_STATUS_DEPENDENCY;
	if (zynpu_is_lost(zdev))
		return DRM_ZYNPU_STATUS_DEVICE_LOST;
	ret = pm_runtime_resume_and_get(zdev->dev);
	if (ret) {
		drm_err_ratelimited(&zdev->drm, "cannot be powered on: %d\n", ret);
		/* The error may stick (up to 6.12 it does): the next job is to try again. */
		pm_runtime_set_suspended(zdev->dev);
		return DRM_ZYNPU_STATUS_DEVICE_LOST;
	}

	scoped_guard(mutex, &zdev->hw_lock) {
		ret = zynpu_job_start(zdev, job);
		if (ret == -EBUSY) {
			/* Something still runs that nobody waits for. */
			zynpu_irq_pause(zdev);
			ret = zynpu_hw_reset(zdev);
			if (!ret) {
				zynpu_irq_resume(zdev);
				ret = zynpu_job_start(zdev, job);
			}
			if (ret) {
				drm_err(&zdev->drm, "stays busy: no more jobs are taken\n");
				scoped_guard(spinlock_irq, &zdev->lock)
					zdev->lost = true;
			}
		}
	}
	if (!ret)
		return DRM_ZYNPU_STATUS_DONE;
	pm_runtime_put_autosuspend(zdev->dev);
	return ret == -ENODEV || zynpu_is_lost(zdev) ?
		DRM_ZYNPU_STATUS_DEVICE_LOST : DRM_ZYNPU_STATUS_ERROR;
}

static struct dma_fence *zynpu_job_run(struct drm_sched_job *sched_job)
{
	struct zynpu_job *job = to_zynpu_job(sched_job);
	struct zynpu_dev *zdev = job->zdev;
	u32 status = DRM_ZYNPU_STATUS_DEVICE_LOST;
	struct dma_fence *fence = &job->fence->base;
	int idx;

	/* Two references: the job may have ended before the scheduler has its own. */
	dma_fence_init(fence, &zynpu_fence_ops, &zdev->fence_lock,
		       zdev->fence_context, ++zdev->fence_seqno);
	job->fence_used = true;
	dma_fence_get(fence);
	if (drm_dev_enter(&zdev->drm, &idx)) {
		status = zynpu_job_try(zdev, job);
		drm_dev_exit(idx);
	}
	if (status == DRM_ZYNPU_STATUS_DONE)
		return fence;
	dma_fence_put(fence);
	job->started = 0;
	zynpu_job_record(job, status, NULL);
	return ERR_PTR(zynpu_status_errno(status));
}

/* Lets go of everything that a job holds, submitted or not. */
void zynpu_job_free(struct zynpu_job *job)
{
	struct zynpu_dev *zdev = job->zdev;
	struct zynpu_ctx *ctx = job->ctx;
	struct zynpu_record *record;
	u32 i;

	for (i = 0; i < job->in_fence_count; i++)
		dma_fence_put(job->in_fences[i]);
	kvfree(job->in_fences);
	if (job->fence_used)
		dma_fence_put(&job->fence->base);
	else
		kfree(job->fence);
	if (job->id) {
		record = &ctx->records[job->id % ZYNPU_MAX_JOBS];
		guard(spinlock)(&ctx->lock);
		if (record->job == job)
			record->job = NULL;
	}
	if (job->parked) {
		for (i = 0; i < job->mapping_count; i++)
			drm_gem_free_mmap_offset(&job->mappings[i]->bo->base);
	} else {
		for (i = 0; i < job->mapping_count; i++)
			zynpu_mapping_put(job->mappings[i]);
		if (job->chain)
			zynpu_chain_put(ctx, job->chain);
		zynpu_vm_put(job->vm);
	}
	kvfree(job->mappings);
	zynpu_ctx_put(ctx);
	kfree(job);
	if (atomic_dec_and_test(&zdev->job_count))
		wake_up_var(&zdev->job_count);
}

static void zynpu_job_sched_free(struct drm_sched_job *sched_job)
{
	drm_sched_job_cleanup(sched_job);
	zynpu_job_free(to_zynpu_job(sched_job));
}

const struct drm_sched_backend_ops zynpu_sched_ops = {
	.run_job = zynpu_job_run,
	.timedout_job = zynpu_job_timedout,
	.free_job = zynpu_job_sched_free,
};

int zynpu_ioctl_wait(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_zynpu_wait *args = data;
	struct zynpu_ctx *ctx = file->driver_priv;
	struct zynpu_record *record = &ctx->records[args->job_id % ZYNPU_MAX_JOBS];
	struct dma_fence *fence = NULL;
	long ret;

	if (args->status || args->cause || args->fault_pc || args->fault_task ||
	    args->queued_ns || args->run_ns || args->ticks || args->pad)
		return -EINVAL;
	scoped_guard(spinlock, &ctx->lock) {
		if (args->job_id && record->id == args->job_id)
			fence = dma_fence_get(record->fence);
	}
	if (!fence)
		return -ENOENT;
	ret = dma_fence_wait_timeout(fence, true,
				     drm_timeout_abs_to_jiffies(args->timeout_ns));
	dma_fence_put(fence);
	if (ret < 0)
		return ret;
	if (ret == 0)
		return -ETIME;

	guard(spinlock)(&ctx->lock);
	if (record->id != args->job_id)
		return -ENOENT;
	args->status = record->status;
	args->cause = record->cause;
	args->fault_pc = record->pc;
	args->fault_task = record->task;
	args->queued_ns = record->queued_ns;
	args->run_ns = record->run_ns;
	args->ticks = record->ticks;
	return 0;
}

int zynpu_ioctl_cancel(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_zynpu_cancel *args = data;
	struct zynpu_ctx *ctx = file->driver_priv;
	struct zynpu_dev *zdev = ctx->zdev;
	struct zynpu_record *record = &ctx->records[args->job_id % ZYNPU_MAX_JOBS];

	if (args->flags || args->pad)
		return -EINVAL;
	guard(spinlock)(&ctx->lock);
	if (!args->job_id || record->id != args->job_id)
		return -ENOENT;
	if (record->job) {
		WRITE_ONCE(record->job->cancelled, true);
		queue_work(zdev->wq, &zdev->fault_work);
	}
	return 0;
}
