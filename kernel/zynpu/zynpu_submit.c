// SPDX-License-Identifier: GPL-2.0-only
/*
 * The submission of a job: everything is copied once, checked, and what is
 * checked is what runs. Nothing can fail after the job is armed.
 */
#include <linux/dma-fence-chain.h>
#include <linux/dma-resv.h>
#include <linux/pm_runtime.h>

#include <drm/drm_syncobj.h>

#include "zynpu_compat.h"
#include "zynpu_drv.h"
#include "zynpu_trace.h"

/* What is built up for a submission and let go of at its end. */
struct zynpu_submission {
	struct zynpu_job *job;
	struct drm_zynpu_job_bo *bos;
	struct drm_gem_object **objects;	/* of the mappings, referenced */
	u32 object_count;
	struct drm_zynpu_group *groups;
	struct zynpu_start *starts;
	struct zynpu_span *spans;
	struct zynpu_out {
		struct drm_syncobj *syncobj;
		struct dma_fence_chain *chain;
		u64 point;
	} *outs;
	u32 out_count;
};

/* Copies an array of structures that may be older or newer than the kernel's. */
static void *zynpu_copy_array(u64 pointer, u32 count, u32 stride, size_t size)
{
	const char __user *from = u64_to_user_ptr(pointer);
	char *array;
	u32 i;
	int ret;

	if (stride < size || stride > PAGE_SIZE || stride % 8)
		return ERR_PTR(-EINVAL);
	array = kvcalloc(count, size, GFP_KERNEL_ACCOUNT);
	if (!array)
		return ERR_PTR(-ENOMEM);
	if (stride == size) {
		ret = copy_from_user(array, from, count * size) ? -EFAULT : 0;
	} else {
		for (i = 0, ret = 0; i < count && !ret; i++)
			ret = copy_struct_from_user(array + i * size, size,
						    from + (size_t)i * stride, stride);
	}
	if (ret) {
		kvfree(array);
		return ERR_PTR(ret);
	}
	return array;
}

static int zynpu_submit_check(struct zynpu_dev *zdev, const struct drm_zynpu_submit *args)
{
	u32 max_groups = zdev->id.generation == DRM_ZYNPU_X2 ? ZYNPU_MAX_GROUPS : 1;

	if (args->flags || args->pad || args->pad2 || args->job_id)
		return -EINVAL;
	if (!args->bo_count || args->bo_count > ZYNPU_MAX_BOS)
		return -EINVAL;
	if (!args->group_count || args->group_count > max_groups)
		return -EINVAL;
	if (args->in_sync_count > ZYNPU_MAX_SYNCS || args->out_sync_count > ZYNPU_MAX_SYNCS)
		return -EINVAL;
	if (!args->in_sync_count && !args->out_sync_count && args->sync_stride)
		return -EINVAL;
	if ((!args->in_sync_count && args->in_syncs) || (!args->out_sync_count && args->out_syncs))
		return -EINVAL;
	if (args->timeout_ns > ZYNPU_MAX_TIMEOUT_NS)
		return -EINVAL;
	return 0;
}

static int zynpu_submit_bos(struct zynpu_submission *sub, const struct drm_zynpu_submit *args,
			    struct drm_file *file)
{
	struct zynpu_job *job = sub->job;
	struct zynpu_mapping *mapping;
	struct drm_gem_object *obj;
	u32 i;

	sub->bos = zynpu_copy_array(args->bos, args->bo_count, args->bo_stride,
				    sizeof(*sub->bos));
	if (IS_ERR(sub->bos))
		return PTR_ERR(sub->bos);
	sub->objects = kvcalloc(args->bo_count, sizeof(*sub->objects), GFP_KERNEL);
	sub->spans = kvcalloc(args->bo_count, sizeof(*sub->spans), GFP_KERNEL);
	job->mappings = kvcalloc(args->bo_count, sizeof(*job->mappings), GFP_KERNEL);
	if (!sub->objects || !sub->spans || !job->mappings)
		return -ENOMEM;

	for (i = 0; i < args->bo_count; i++) {
		u32 flags = sub->bos[i].flags;

		if (!flags || flags & ~(DRM_ZYNPU_ACCESS_READ | DRM_ZYNPU_ACCESS_WRITE))
			return -EINVAL;
		obj = drm_gem_object_lookup(file, sub->bos[i].handle);
		if (!obj)
			return -ENOENT;
		/* The job may be gone before its objects are unlocked: keep them here too. */
		sub->objects[sub->object_count++] = obj;
		mapping = zynpu_mapping_find(job->vm, to_zynpu_bo(obj));
		if (!mapping)
			return -ENOENT;
		job->mappings[i] = mapping;
		job->mapping_count++;
		sub->spans[i].address = mapping->address;
		sub->spans[i].size = mapping->bo->base.size;
	}
	return 0;
}

/*
 * Contiguous memory is slow to get, so a context keeps that of its last chains.
 * Only its own programs can have written there.
 */
struct zynpu_mapping *zynpu_chain_get(struct zynpu_ctx *ctx, size_t size)
{
	struct zynpu_mapping *chain;
	struct zynpu_bo *bo;
	unsigned int i;

	scoped_guard(spinlock, &ctx->lock) {
		for (i = 0; i < ZYNPU_CHAINS; i++) {
			chain = ctx->chains[i];
			if (chain && chain->bo->base.size >= size) {
				ctx->chains[i] = NULL;
				return chain;
			}
		}
	}
	bo = zynpu_bo_create(ctx->zdev, ctx->vm, size, 0);
	if (IS_ERR(bo))
		return ERR_CAST(bo);
	chain = zynpu_mapping_create(ctx->vm, bo);
	drm_gem_object_put(&bo->base);
	return chain;
}

/* Keeps @chain for another job, in place of a smaller one if need be. */
void zynpu_chain_put(struct zynpu_ctx *ctx, struct zynpu_mapping *chain)
{
	unsigned int i;

	scoped_guard(spinlock, &ctx->lock) {
		for (i = 0; i < ZYNPU_CHAINS && !ctx->closed; i++) {
			if (!ctx->chains[i] ||
			    ctx->chains[i]->bo->base.size < chain->bo->base.size)
				swap(ctx->chains[i], chain);
			if (!chain)
				return;
		}
	}
	zynpu_mapping_put(chain);
}

void zynpu_chains_drop(struct zynpu_ctx *ctx)
{
	unsigned int i;

	scoped_guard(spinlock, &ctx->lock)
		ctx->closed = true;
	for (i = 0; i < ZYNPU_CHAINS; i++)
		if (ctx->chains[i])
			zynpu_mapping_put(ctx->chains[i]);
}

/* The chain of task control blocks, in memory that user space never sees. */
static int zynpu_submit_chain(struct zynpu_submission *sub)
{
	struct zynpu_job *job = sub->job;
	struct zynpu_dev *zdev = job->zdev;
	u32 size = PAGE_ALIGN(zynpu_chain_size(&zdev->id, job->group_count));
	struct zynpu_mapping *chain;
	void *vaddr;

	chain = zynpu_chain_get(job->ctx, size + PAGE_SIZE);
	if (IS_ERR(chain))
		return PTR_ERR(chain);
	job->chain = chain;
	vaddr = zynpu_bo_vmap(chain->bo);
	if (!vaddr)
		return -ENOMEM;
	job->last_task = zynpu_chain_build(&zdev->id, vaddr, job->vm->base,
					   chain->address, chain->address + size,
					   sub->starts, job->group_count);
	memset(vaddr + size, 0, PAGE_SIZE);
	zynpu_bo_vunmap(chain->bo, vaddr);
	return 0;
}

static int zynpu_submit_groups(struct zynpu_submission *sub,
			       const struct drm_zynpu_submit *args)
{
	struct zynpu_job *job = sub->job;
	struct zynpu_dev *zdev = job->zdev;
	const char *field;
	u32 i;
	int ret;

	sub->groups = zynpu_copy_array(args->groups, args->group_count,
				       args->group_stride, sizeof(*sub->groups));
	if (IS_ERR(sub->groups))
		return PTR_ERR(sub->groups);
	sub->starts = kvcalloc(args->group_count, sizeof(*sub->starts), GFP_KERNEL_ACCOUNT);
	if (!sub->starts)
		return -ENOMEM;
	for (i = 0; i < args->group_count; i++) {
		ret = zynpu_group_resolve(&zdev->id, &sub->groups[i], sub->spans,
					  args->bo_count, &sub->starts[i], &field);
		if (ret) {
			drm_dbg(&zdev->drm, "group %u: %s\n", i, field);
			return ret;
		}
	}
	job->group_count = args->group_count;
	job->first = sub->starts[0];
	return zdev->id.generation == DRM_ZYNPU_X2 ? zynpu_submit_chain(sub) : 0;
}

static int zynpu_submit_in_syncs(struct zynpu_submission *sub,
				 const struct drm_zynpu_submit *args, struct drm_file *file)
{
	struct drm_zynpu_sync *syncs;
	struct zynpu_job *job = sub->job;
	u32 i;
	int ret = 0;

	if (!args->in_sync_count)
		return 0;
	syncs = zynpu_copy_array(args->in_syncs, args->in_sync_count,
				 args->sync_stride, sizeof(*syncs));
	if (IS_ERR(syncs))
		return PTR_ERR(syncs);
	job->in_fences = kvcalloc(args->in_sync_count, sizeof(*job->in_fences), GFP_KERNEL);
	if (!job->in_fences)
		ret = -ENOMEM;
	for (i = 0; i < args->in_sync_count && !ret; i++) {
		if (syncs[i].pad) {
			ret = -EINVAL;
			break;
		}
		ret = drm_syncobj_find_fence(file, syncs[i].handle, syncs[i].point, 0,
					     &job->in_fences[i]);
		if (ret)
			break;
		job->in_fence_count++;
		ret = drm_sched_job_add_dependency(&job->base,
						   dma_fence_get(job->in_fences[i]));
	}
	kvfree(syncs);
	return ret;
}

static int zynpu_submit_out_syncs(struct zynpu_submission *sub,
				  const struct drm_zynpu_submit *args, struct drm_file *file)
{
	struct drm_zynpu_sync *syncs;
	struct zynpu_out *out;
	u32 i;
	int ret = 0;

	if (!args->out_sync_count)
		return 0;
	syncs = zynpu_copy_array(args->out_syncs, args->out_sync_count,
				 args->sync_stride, sizeof(*syncs));
	if (IS_ERR(syncs))
		return PTR_ERR(syncs);
	sub->outs = kvcalloc(args->out_sync_count, sizeof(*sub->outs), GFP_KERNEL);
	if (!sub->outs)
		ret = -ENOMEM;
	for (i = 0; i < args->out_sync_count && !ret; i++) {
		out = &sub->outs[i];
		if (syncs[i].pad) {
			ret = -EINVAL;
			break;
		}
		out->syncobj = drm_syncobj_find(file, syncs[i].handle);
		if (!out->syncobj) {
			ret = -ENOENT;
			break;
		}
		sub->out_count++;
		out->point = syncs[i].point;
		if (out->point) {
			out->chain = dma_fence_chain_alloc();
			if (!out->chain)
				ret = -ENOMEM;
		}
	}
	kvfree(syncs);
	return ret;
}

static void zynpu_submit_signal_outs(struct zynpu_submission *sub, struct dma_fence *fence)
{
	u32 i;

	for (i = 0; i < sub->out_count; i++) {
		struct zynpu_out *out = &sub->outs[i];

		if (out->chain) {
			drm_syncobj_add_point(out->syncobj, out->chain, fence, out->point);
			out->chain = NULL;
		} else {
			drm_syncobj_replace_fence(out->syncobj, fence);
		}
	}
}

/* Claims the record of the next job; the last step that can fail. */
static int zynpu_submit_claim(struct zynpu_ctx *ctx, struct zynpu_job *job)
{
	struct zynpu_record *record;
	struct dma_fence *old;

	scoped_guard(spinlock, &ctx->lock) {
		if (ctx->banned)
			return -EIO;
		record = &ctx->records[(ctx->last_id + 1) % ZYNPU_MAX_JOBS];
		if (record->fence && !dma_fence_is_signaled(record->fence))
			return -EAGAIN;
		job->id = ++ctx->last_id;
		job->submitted = ktime_get_ns();
		drm_sched_job_arm(&job->base);
		old = record->fence;
		memset(record, 0, sizeof(*record));
		record->id = job->id;
		record->job = job;
		record->status = DRM_ZYNPU_STATUS_CANCELLED;
		record->fence = dma_fence_get(&job->base.s_fence->finished);
	}
	dma_fence_put(old);
	return 0;
}

/* Joins the job with what came before on its buffers, and queues it. */
static int zynpu_submit_queue(struct zynpu_submission *sub, struct drm_zynpu_submit *args)
{
	struct zynpu_job *job = sub->job;
	struct ww_acquire_ctx acquire;
	struct dma_fence *fence;
	u32 i, count = job->mapping_count;
	bool write;
	int ret;

	ret = drm_gem_lock_reservations(sub->objects, count, &acquire);
	if (ret)
		return ret == -EALREADY ? -EINVAL : ret; /* a handle occurs twice */
	for (i = 0; i < count && !ret; i++) {
		write = sub->bos[i].flags & DRM_ZYNPU_ACCESS_WRITE;
		ret = dma_resv_reserve_fences(sub->objects[i]->resv, 1);
		if (!ret)
			ret = drm_sched_job_add_implicit_dependencies(&job->base,
								      sub->objects[i], write);
	}
	if (ret)
		goto unlock;

	scoped_guard(mutex, &job->ctx->submit_lock) {
		ret = zynpu_submit_claim(job->ctx, job);
		if (ret)
			goto unlock;
		args->job_id = job->id;
		fence = dma_fence_get(&job->base.s_fence->finished);
		for (i = 0; i < count; i++) {
			write = sub->bos[i].flags & DRM_ZYNPU_ACCESS_WRITE;
			dma_resv_add_fence(sub->objects[i]->resv, fence,
					   write ? DMA_RESV_USAGE_WRITE : DMA_RESV_USAGE_READ);
		}
		zynpu_submit_signal_outs(sub, fence);
		trace_zynpu_submit(job);
		drm_sched_entity_push_job(&job->base);
		dma_fence_put(fence);
	}
unlock:
	drm_gem_unlock_reservations(sub->objects, count, &acquire);
	return ret;
}

static void zynpu_submission_end(struct zynpu_submission *sub)
{
	u32 i;

	for (i = 0; i < sub->out_count; i++) {
		dma_fence_chain_free(sub->outs[i].chain);
		drm_syncobj_put(sub->outs[i].syncobj);
	}
	for (i = 0; i < sub->object_count; i++)
		drm_gem_object_put(sub->objects[i]);
	kvfree(sub->outs);
	kvfree(sub->spans);
	kvfree(sub->starts);
	kvfree(sub->objects);
	if (!IS_ERR(sub->groups))
		kvfree(sub->groups);
	if (!IS_ERR(sub->bos))
		kvfree(sub->bos);
}

static struct zynpu_job *zynpu_job_new(struct zynpu_dev *zdev, struct zynpu_ctx *ctx,
				       u64 timeout_ns)
{
	struct zynpu_job *job = kzalloc(sizeof(*job), GFP_KERNEL_ACCOUNT);

	if (!job)
		return NULL;
	job->fence = kzalloc(sizeof(*job->fence), GFP_KERNEL_ACCOUNT);
	if (!job->fence) {
		kfree(job);
		return NULL;
	}
	atomic_inc(&zdev->job_count);
	kref_get(&ctx->refcount);
	job->zdev = zdev;
	job->ctx = ctx;
	job->vm = zynpu_vm_get(ctx->vm);
	job->watch.limit = timeout_ns ?: (u64)zynpu_job_timeout_ms * NSEC_PER_MSEC;
	return job;
}

int zynpu_ioctl_submit(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct zynpu_dev *zdev = to_zynpu_dev(drm);
	struct zynpu_ctx *ctx = file->driver_priv;
	struct drm_zynpu_submit *args = data;
	struct zynpu_submission sub = {};
	int idx, ret;

	ret = zynpu_submit_check(zdev, args);
	if (ret)
		return ret;
	if (READ_ONCE(ctx->banned))
		return -EIO;
	if (!drm_dev_enter(drm, &idx))
		return -ENODEV;
	ret = -ENODEV;
	if (zynpu_is_lost(zdev))
		goto exit;
	ret = -ENOMEM;
	sub.job = zynpu_job_new(zdev, ctx, args->timeout_ns);
	if (!sub.job)
		goto exit;

	ret = zynpu_submit_bos(&sub, args, file);
	if (!ret)
		ret = zynpu_submit_groups(&sub, args);
	if (!ret)
		ret = zynpu_submit_out_syncs(&sub, args, file);
	if (ret)
		goto free;
	ret = zynpu_sched_job_init(&sub.job->base, &ctx->entity, NULL, file);
	if (ret)
		goto free;
	ret = zynpu_submit_in_syncs(&sub, args, file);
	if (!ret)
		ret = zynpu_submit_queue(&sub, args);
	if (ret)
		drm_sched_job_cleanup(&sub.job->base);
free:
	if (ret)
		zynpu_job_free(sub.job);
	zynpu_submission_end(&sub);
exit:
	drm_dev_exit(idx);
	return ret;
}
