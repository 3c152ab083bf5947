// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers. Memory comes from the DMA API as cached, contiguous pages (scattered
 * ones behind an IOMMU); PREP and FINI keep it coherent where the bus does not.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>

#include <drm/drm_prime.h>
#include <drm/drm_utils.h>

#include "zynpu_drv.h"

#define ZYNPU_ALIGNMENT_MAX	SZ_1M

static struct device *zynpu_bo_dev(struct zynpu_bo *bo)
{
	return to_zynpu_dev(bo->base.dev)->dma_dev;
}

void zynpu_bo_sync(struct zynpu_bo *bo, bool for_device)
{
	struct device *dev = zynpu_bo_dev(bo);

	if (for_device)
		dma_sync_sgtable_for_device(dev, bo->sgt, DMA_BIDIRECTIONAL);
	else
		dma_sync_sgtable_for_cpu(dev, bo->sgt, DMA_BIDIRECTIONAL);
}

/* CPU address of all of a BO's own memory; NULL if there is no room for it. */
void *zynpu_bo_vmap(struct zynpu_bo *bo)
{
	if (bo->base.import_attach)
		return NULL;
	return dma_vmap_noncontiguous(zynpu_bo_dev(bo), bo->alloc_size, bo->sgt);
}

void zynpu_bo_vunmap(struct zynpu_bo *bo, void *vaddr)
{
	dma_vunmap_noncontiguous(zynpu_bo_dev(bo), vaddr);
}

static void zynpu_gem_free(struct drm_gem_object *obj)
{
	struct zynpu_dev *zdev = to_zynpu_dev(obj->dev);
	struct zynpu_bo *bo = to_zynpu_bo(obj);

	drm_gem_free_mmap_offset(obj);
	if (obj->import_attach) {
		drm_prime_gem_destroy(obj, bo->sgt);
	} else if (bo->heap) {
		scoped_guard(mutex, &bo->heap->lock)
			drm_mm_remove_node(&bo->node);
		zynpu_heap_put(bo->heap);
		sg_free_table(bo->sgt);
		kfree(bo->sgt);
	} else if (bo->sgt) {
		dma_free_noncontiguous(zdev->dma_dev, bo->alloc_size, bo->sgt,
				       DMA_BIDIRECTIONAL);
	}
	atomic64_dec(&zdev->bo_count);
	atomic64_sub(bo->alloc_size, &zdev->bo_bytes);
	drm_gem_object_release(obj);
	mutex_destroy(&bo->lock);
	kfree(bo);
}

static int zynpu_gem_open(struct drm_gem_object *obj, struct drm_file *file)
{
	struct zynpu_ctx *ctx = file->driver_priv;
	struct zynpu_bo *bo = to_zynpu_bo(obj);
	struct zynpu_mapping *mapping;

	/* Nothing from outside comes before the private window, or into it. */
	if (ctx->needs_window && !READ_ONCE(ctx->vm->heap))
		return -EXDEV;
	guard(mutex)(&bo->lock);
	list_for_each_entry(mapping, &bo->mappings, link) {
		if (mapping->vm == ctx->vm) {
			mapping->handles++;
			return 0;
		}
	}
	mapping = zynpu_mapping_create(ctx->vm, bo);
	if (IS_ERR(mapping))
		return PTR_ERR(mapping);
	mapping->handles = 1;
	list_add(&mapping->link, &bo->mappings);
	guard(spinlock)(&ctx->lock);
	ctx->bo_count++;
	ctx->bo_bytes += obj->size;
	return 0;
}

static void zynpu_gem_close(struct drm_gem_object *obj, struct drm_file *file)
{
	struct zynpu_ctx *ctx = file->driver_priv;
	struct zynpu_bo *bo = to_zynpu_bo(obj);
	struct zynpu_mapping *mapping, *found = NULL;

	scoped_guard(mutex, &bo->lock) {
		list_for_each_entry(mapping, &bo->mappings, link) {
			if (mapping->vm != ctx->vm)
				continue;
			if (--mapping->handles == 0) {
				list_del_init(&mapping->link);
				found = mapping;
			}
			break;
		}
	}
	if (!found)
		return;
	scoped_guard(spinlock, &ctx->lock) {
		ctx->bo_count--;
		ctx->bo_bytes -= obj->size;
	}
	zynpu_mapping_put(found);
}

static struct sg_table *zynpu_gem_get_sg_table(struct drm_gem_object *obj)
{
	struct zynpu_bo *bo = to_zynpu_bo(obj);
	struct scatterlist *from, *to;
	struct sg_table *sgt;
	unsigned int i;
	int ret;

	sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);
	if (!sgt)
		return ERR_PTR(-ENOMEM);
	ret = sg_alloc_table(sgt, bo->sgt->orig_nents, GFP_KERNEL);
	if (ret) {
		kfree(sgt);
		return ERR_PTR(ret);
	}
	to = sgt->sgl;
	for_each_sgtable_sg(bo->sgt, from, i) {
		sg_set_page(to, sg_page(from), from->length, from->offset);
		to = sg_next(to);
	}
	return sgt;
}

static int zynpu_gem_vmap(struct drm_gem_object *obj, struct iosys_map *map)
{
	void *vaddr = zynpu_bo_vmap(to_zynpu_bo(obj));

	if (!vaddr)
		return -ENOMEM;
	iosys_map_set_vaddr(map, vaddr);
	return 0;
}

static void zynpu_gem_vunmap(struct drm_gem_object *obj, struct iosys_map *map)
{
	zynpu_bo_vunmap(to_zynpu_bo(obj), map->vaddr);
}

static int zynpu_gem_mmap(struct drm_gem_object *obj, struct vm_area_struct *vma)
{
	struct zynpu_bo *bo = to_zynpu_bo(obj);
	size_t size = vma->vm_end - vma->vm_start;

	if (obj->import_attach)
		return -EINVAL;
	/* A private mapping would see none of the device's writes. */
	if ((vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE)
		return -EINVAL;
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
	/* The offset names the object; within it, mappings start at 0. */
	vma->vm_pgoff -= drm_vma_node_start(&obj->vma_node);
	if (vma->vm_pgoff || size > obj->size)
		return -EINVAL;
	return dma_mmap_noncontiguous(zynpu_bo_dev(bo), vma, bo->alloc_size, bo->sgt);
}

static const struct vm_operations_struct zynpu_gem_vm_ops = {
	.open = drm_gem_vm_open,
	.close = drm_gem_vm_close,
};

static const struct drm_gem_object_funcs zynpu_gem_funcs = {
	.free = zynpu_gem_free,
	.open = zynpu_gem_open,
	.close = zynpu_gem_close,
	.get_sg_table = zynpu_gem_get_sg_table,
	.vmap = zynpu_gem_vmap,
	.vunmap = zynpu_gem_vunmap,
	.mmap = zynpu_gem_mmap,
	.vm_ops = &zynpu_gem_vm_ops,
};

static struct zynpu_bo *zynpu_bo_new(struct zynpu_dev *zdev, size_t size,
				     size_t alloc_size, u32 alignment)
{
	struct zynpu_bo *bo;

	bo = kzalloc(sizeof(*bo), GFP_KERNEL);
	if (!bo)
		return NULL;
	mutex_init(&bo->lock);
	INIT_LIST_HEAD(&bo->mappings);
	bo->alignment = alignment;
	bo->alloc_size = alloc_size;
	bo->base.funcs = &zynpu_gem_funcs;
	drm_gem_private_object_init(&zdev->drm, &bo->base, size);
	atomic64_inc(&zdev->bo_count);
	atomic64_add(alloc_size, &zdev->bo_bytes);
	return bo;
}

/* Contiguous like the window: its scatter list has one entry. */
static int zynpu_bo_alloc_heap(struct zynpu_bo *bo, struct zynpu_heap *heap)
{
	struct sg_table *sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);
	struct page *page;
	int ret;

	if (!sgt)
		return -ENOMEM;
	ret = sg_alloc_table(sgt, 1, GFP_KERNEL);
	if (ret)
		goto free;
	scoped_guard(mutex, &heap->lock)
		ret = drm_mm_insert_node_generic(&heap->mm, &bo->node,
						 bo->alloc_size, bo->alignment,
						 0, DRM_MM_INSERT_BEST);
	if (ret)
		goto free_table;
	kref_get(&heap->refcount);
	bo->heap = heap;
	bo->sgt = sgt;
	bo->dma = heap->dma + bo->node.start;
	page = heap->page + (bo->node.start >> PAGE_SHIFT);
	sg_set_page(sgt->sgl, page, bo->alloc_size, 0);
	sg_dma_address(sgt->sgl) = bo->dma;
	sg_dma_len(sgt->sgl) = bo->alloc_size;
	memset(page_address(page), 0, bo->alloc_size);
	return 0;

free_table:
	sg_free_table(sgt);
free:
	kfree(sgt);
	return -ENOMEM;
}

static int zynpu_bo_alloc(struct zynpu_bo *bo, struct zynpu_dev *zdev)
{
	gfp_t gfp = GFP_KERNEL | __GFP_NOWARN | __GFP_RETRY_MAYFAIL;

	/* The DMA API zeroes contiguous memory only. */
	if (zdev->iommu)
		gfp |= __GFP_ZERO;
	/* Scattered pages are there to the last one: no process is to die for them. */
	if (bo->alloc_size >> PAGE_SHIFT > totalram_pages() / 2)
		return -ENOMEM;
	bo->sgt = dma_alloc_noncontiguous(zdev->dma_dev, bo->alloc_size,
					  DMA_BIDIRECTIONAL, gfp, 0);
	if (!bo->sgt)
		return -ENOMEM;
	bo->dma = sg_dma_address(bo->sgt->sgl);
	if (zdev->iommu)
		return 0;
	/* The allocator aligns to the size, up to what CMA is built for. */
	return IS_ALIGNED(bo->dma - zdev->base, bo->alignment) ? 0 : -ENOMEM;
}

/* A zeroed buffer with memory that @vm can map, which is not mapped yet. */
struct zynpu_bo *zynpu_bo_create(struct zynpu_dev *zdev, struct zynpu_vm *vm,
				 size_t size, u32 alignment)
{
	struct zynpu_heap *heap = READ_ONCE(vm->heap);
	size_t alloc_size;
	struct zynpu_bo *bo;
	int ret;

	if (zynpu_inject(ZYNPU_INJECT_MEMORY))
		return ERR_PTR(-ENOMEM);
	alignment = max_t(u32, alignment, PAGE_SIZE);
	size = PAGE_ALIGN(size);
	alloc_size = PAGE_ALIGN(size + ZYNPU_OVERREAD);
	if (!heap && alignment > PAGE_SIZE)
		alloc_size = round_up(alloc_size, alignment);

	bo = zynpu_bo_new(zdev, size, alloc_size, alignment);
	if (!bo)
		return ERR_PTR(-ENOMEM);
	ret = heap ? zynpu_bo_alloc_heap(bo, heap) : zynpu_bo_alloc(bo, zdev);
	if (ret) {
		drm_gem_object_put(&bo->base);
		return ERR_PTR(ret);
	}
	zynpu_bo_sync(bo, true);
	return bo;
}

/* The attachment is that of the device on the bus, which need not be the driver's. */
struct drm_gem_object *zynpu_gem_import(struct drm_device *drm, struct dma_buf *dma_buf)
{
	return drm_gem_prime_import_dev(drm, dma_buf, to_zynpu_dev(drm)->dma_dev);
}

struct drm_gem_object *zynpu_gem_import_sg_table(struct drm_device *drm,
						 struct dma_buf_attachment *attach,
						 struct sg_table *sgt)
{
	struct zynpu_dev *zdev = to_zynpu_dev(drm);
	size_t size = PAGE_ALIGN(attach->dmabuf->size), found = 0;
	struct scatterlist *sg;
	struct zynpu_bo *bo;
	unsigned int i;

	/* Without an IOMMU, programs see the buffer at consecutive addresses. */
	if (!zdev->iommu) {
		dma_addr_t next = sg_dma_address(sgt->sgl);

		for_each_sgtable_dma_sg(sgt, sg, i) {
			if (sg_dma_address(sg) != next)
				return ERR_PTR(-EOPNOTSUPP);
			next += sg_dma_len(sg);
			found += sg_dma_len(sg);
		}
		if (found < size)
			return ERR_PTR(-EINVAL);
	}
	bo = zynpu_bo_new(zdev, size, zdev->iommu ? size + PAGE_SIZE : size, PAGE_SIZE);
	if (!bo)
		return ERR_PTR(-ENOMEM);
	bo->sgt = sgt;
	bo->dma = sg_dma_address(sgt->sgl);
	return &bo->base;
}

/*
 * The private window of a context that may not work without. Large pieces of
 * memory are a matter of luck: half of one is better than none.
 */
static int zynpu_make_window(struct zynpu_ctx *ctx, u64 first)
{
	u64 size = (u64)zynpu_window_mib << 20;
	int ret;

	do {
		ret = zynpu_vm_set_heap(ctx->vm, size);
		size /= 2;
	} while (ret == -ENOMEM && size >= SZ_1M && size / 2 > first);
	/* Busy: it is there, another thread was first. */
	return ret == -EBUSY ? 0 : ret;
}

int zynpu_ioctl_bo_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_zynpu_bo_create *args = data;
	struct zynpu_dev *zdev = to_zynpu_dev(drm);
	struct zynpu_ctx *ctx = file->driver_priv;
	struct zynpu_mapping *mapping;
	struct zynpu_bo *bo;
	int idx, ret;

	if (args->flags || args->pad || args->handle || args->device_address ||
	    args->mmap_offset)
		return -EINVAL;
	if (!args->size || args->size > ZYNPU_WINDOW_END - ZYNPU_WINDOW_START)
		return -EINVAL;
	if (args->alignment && (!is_power_of_2(args->alignment) ||
				args->alignment > ZYNPU_ALIGNMENT_MAX))
		return -EINVAL;
	if (!drm_dev_enter(drm, &idx))
		return -ENODEV;

	if (ctx->needs_window) {
		ret = zynpu_make_window(ctx, args->size);
		if (ret)
			goto out;
	}
	bo = zynpu_bo_create(zdev, ctx->vm, args->size, args->alignment);
	if (IS_ERR(bo)) {
		ret = PTR_ERR(bo);
		goto out;
	}
	ret = drm_gem_create_mmap_offset(&bo->base);
	if (!ret)
		ret = drm_gem_handle_create(file, &bo->base, &args->handle);
	if (!ret) {
		mapping = zynpu_mapping_find(ctx->vm, bo);
		if (mapping) {
			args->device_address = mapping->address;
			zynpu_mapping_put(mapping);
		}
		args->size = bo->base.size;
		args->mmap_offset = drm_vma_node_offset_addr(&bo->base.vma_node);
	}
	drm_gem_object_put(&bo->base);
	/* Memory outside the window is of no use: say so as an allocation does. */
	if (ret == -ERANGE)
		ret = -ENOMEM;
out:
	drm_dev_exit(idx);
	return ret;
}

int zynpu_ioctl_bo_info(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_zynpu_bo_info *args = data;
	struct zynpu_ctx *ctx = file->driver_priv;
	struct zynpu_mapping *mapping;
	struct drm_gem_object *obj;

	if (args->flags || args->size || args->device_address || args->mmap_offset)
		return -EINVAL;
	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	mapping = zynpu_mapping_find(ctx->vm, to_zynpu_bo(obj));
	if (mapping) {
		args->size = obj->size;
		args->device_address = mapping->address;
		if (obj->import_attach)
			args->flags = DRM_ZYNPU_BO_IMPORTED;
		else
			args->mmap_offset = drm_vma_node_offset_addr(&obj->vma_node);
		zynpu_mapping_put(mapping);
	}
	drm_gem_object_put(obj);
	return mapping ? 0 : -ENOENT;
}

int zynpu_ioctl_bo_prep(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_zynpu_bo_prep *args = data;
	unsigned long timeout = drm_timeout_abs_to_jiffies(args->timeout_ns);
	struct drm_gem_object *obj;
	long ret;

	if (!args->flags || args->flags & ~(DRM_ZYNPU_PREP_READ | DRM_ZYNPU_PREP_WRITE))
		return -EINVAL;
	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	ret = dma_resv_wait_timeout(obj->resv,
				    dma_resv_usage_rw(args->flags & DRM_ZYNPU_PREP_WRITE),
				    true, timeout);
	if (ret == 0)
		ret = -EBUSY;
	else if (ret > 0)
		ret = 0;
	if (!ret && !obj->import_attach)
		zynpu_bo_sync(to_zynpu_bo(obj), false);
	drm_gem_object_put(obj);
	return ret;
}

int zynpu_ioctl_bo_fini(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_zynpu_bo_fini *args = data;
	struct drm_gem_object *obj;

	if (args->flags)
		return -EINVAL;
	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	if (!obj->import_attach)
		zynpu_bo_sync(to_zynpu_bo(obj), true);
	drm_gem_object_put(obj);
	return 0;
}
