// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device addresses. A context sees memory in one of three ways:
 *  - behind an IOMMU: in a domain of its own, at addresses from a drm_mm;
 *  - in a private window (Z2): one contiguous piece of memory, which the base
 *    and limit registers of the device are set to for each of its jobs;
 *  - else in the device's one window: bus address minus a common base.
 */
#include <linux/dma-mapping.h>

#include "zynpu_drv.h"

/*
 * Page tables are made under the lock of a context's addresses, which the start
 * and the end of a job take: it must not be held for memory that a job holds.
 */
#define ZYNPU_MAP_GFP		(GFP_NOWAIT | __GFP_NOWARN)
#define ZYNPU_HEAP_MIN		SZ_64K
#define ZYNPU_HEAP_MAX		SZ_1G

static void zynpu_heap_release(struct kref *kref)
{
	struct zynpu_heap *heap = container_of(kref, struct zynpu_heap, refcount);

	drm_mm_takedown(&heap->mm);
	mutex_destroy(&heap->lock);
	dma_free_pages(heap->zdev->dma_dev, heap->size, heap->page, heap->dma,
		       DMA_BIDIRECTIONAL);
	kfree(heap);
}

void zynpu_heap_put(struct zynpu_heap *heap)
{
	kref_put(&heap->refcount, zynpu_heap_release);
}

/* Gives @vm its private window; fails if it has one or has mapped anything. */
int zynpu_vm_set_heap(struct zynpu_vm *vm, u64 size)
{
	struct zynpu_dev *zdev = vm->zdev;
	struct zynpu_heap *heap;

	if (zdev->id.generation != DRM_ZYNPU_Z2 || vm->domain)
		return -EOPNOTSUPP;
	if (size < ZYNPU_HEAP_MIN || size > ZYNPU_HEAP_MAX || !is_power_of_2(size))
		return -EINVAL;
	guard(mutex)(&vm->lock);
	if (vm->heap || vm->used)
		return -EBUSY;
	heap = kzalloc(sizeof(*heap), GFP_KERNEL);
	if (!heap)
		return -ENOMEM;
	heap->page = dma_alloc_pages(zdev->dma_dev, size, &heap->dma,
				     DMA_BIDIRECTIONAL,
				     GFP_KERNEL | __GFP_NOWARN);
	if (!heap->page) {
		kfree(heap);
		return -ENOMEM;
	}
	kref_init(&heap->refcount);
	mutex_init(&heap->lock);
	heap->zdev = zdev;
	heap->size = size;
	/* Device address 0 stays empty. */
	drm_mm_init(&heap->mm, ZYNPU_WINDOW_START, size - ZYNPU_WINDOW_START);
	vm->heap = heap;
	vm->base = heap->dma;
	vm->limit = size;
	return 0;
}

struct zynpu_vm *zynpu_vm_create(struct zynpu_dev *zdev)
{
	struct zynpu_vm *vm;

	vm = kzalloc(sizeof(*vm), GFP_KERNEL);
	if (!vm)
		return ERR_PTR(-ENOMEM);
	kref_init(&vm->refcount);
	mutex_init(&vm->lock);
	vm->zdev = zdev;
	vm->base = zdev->base;
	if (zdev->iommu) {
		vm->domain = iommu_paging_domain_alloc(zdev->dma_dev);
		if (IS_ERR(vm->domain)) {
			int ret = PTR_ERR(vm->domain);

			kfree(vm);
			return ERR_PTR(ret);
		}
		drm_mm_init(&vm->mm, ZYNPU_WINDOW_START,
			    ZYNPU_WINDOW_END - ZYNPU_WINDOW_START);
	}
	return vm;
}

static void zynpu_vm_release(struct kref *kref)
{
	struct zynpu_vm *vm = container_of(kref, struct zynpu_vm, refcount);

	if (vm->domain) {
		drm_mm_takedown(&vm->mm);
		iommu_domain_free(vm->domain);
	}
	if (vm->heap)
		zynpu_heap_put(vm->heap);
	mutex_destroy(&vm->lock);
	kfree(vm);
}

struct zynpu_vm *zynpu_vm_get(struct zynpu_vm *vm)
{
	kref_get(&vm->refcount);
	return vm;
}

void zynpu_vm_put(struct zynpu_vm *vm)
{
	kref_put(&vm->refcount, zynpu_vm_release);
}

/* Puts the device back into its default domain; hw_lock held, nothing runs. */
void zynpu_vm_detach(struct zynpu_dev *zdev)
{
	struct iommu_group *group;

	if (!zdev->attached)
		return;
	group = iommu_group_get(zdev->dma_dev);
	if (group) {
		guard(mutex)(&zdev->attached->lock);
		iommu_detach_group(zdev->attached->domain, group);
		iommu_group_put(group);
	}
	zynpu_vm_put(zdev->attached);
	zdev->attached = NULL;
}

/* Makes @vm what the device sees; hw_lock held, nothing runs. */
int zynpu_vm_attach(struct zynpu_vm *vm)
{
	struct zynpu_dev *zdev = vm->zdev;
	struct iommu_group *group;
	int ret;

	if (!vm->domain || zdev->attached == vm)
		return 0;
	zynpu_vm_detach(zdev);
	group = iommu_group_get(zdev->dma_dev);
	if (!group)
		return -ENODEV;
	/* virtio-iommu loses what is mapped or unmapped meanwhile. */
	scoped_guard(mutex, &vm->lock)
		ret = iommu_attach_group(vm->domain, group);
	iommu_group_put(group);
	if (!ret)
		zdev->attached = zynpu_vm_get(vm);
	return ret;
}

/*
 * Maps the pages of an imported buffer. An importer knows DMA addresses only:
 * where they lead to is asked of the domain that they are of. What the hardware
 * reads past the end is the zero page.
 */
static ssize_t zynpu_map_imported(struct zynpu_vm *vm, u64 iova, struct zynpu_bo *bo)
{
	struct zynpu_dev *zdev = vm->zdev;
	struct scatterlist *sg;
	unsigned int i, offset;
	size_t mapped = 0;
	int ret;

	for_each_sgtable_dma_sg(bo->sgt, sg, i) {
		for (offset = 0; offset < sg_dma_len(sg) && mapped < bo->base.size;
		     offset += PAGE_SIZE) {
			phys_addr_t phys = iommu_iova_to_phys(zdev->dma_domain,
							      sg_dma_address(sg) + offset);

			ret = phys ? iommu_map(vm->domain, iova + mapped, phys, PAGE_SIZE,
					       zdev->iommu_prot, ZYNPU_MAP_GFP) : -EFAULT;
			if (ret)
				return mapped ? (ssize_t)mapped : ret;
			mapped += PAGE_SIZE;
		}
	}
	if (mapped == bo->base.size) {
		ret = iommu_map(vm->domain, iova + mapped, page_to_phys(ZERO_PAGE(0)),
				PAGE_SIZE, zdev->iommu_prot & ~IOMMU_WRITE, ZYNPU_MAP_GFP);
		if (!ret)
			mapped += PAGE_SIZE;
	}
	return mapped;
}

static int zynpu_mapping_map_iommu(struct zynpu_mapping *mapping)
{
	struct zynpu_vm *vm = mapping->vm;
	struct zynpu_bo *bo = mapping->bo;
	size_t size = bo->alloc_size;
	ssize_t mapped;
	u64 iova;
	int ret;

	guard(mutex)(&vm->lock);
	ret = drm_mm_insert_node_generic(&vm->mm, &mapping->node, size,
					 bo->alignment, 0, DRM_MM_INSERT_BEST);
	if (ret)
		return ret;
	mapping->address = mapping->node.start;
	iova = vm->base + mapping->address;
	if (bo->base.import_attach)
		mapped = zynpu_map_imported(vm, iova, bo);
	else
		mapped = iommu_map_sg(vm->domain, iova, bo->sgt->sgl, bo->sgt->orig_nents,
				      vm->zdev->iommu_prot, ZYNPU_MAP_GFP);
	if (mapped == size)
		return 0;
	if (mapped > 0)
		iommu_unmap(vm->domain, iova, mapped);
	drm_mm_remove_node(&mapping->node);
	return mapped < 0 ? mapped : -ENOMEM;
}

static int zynpu_mapping_place(struct zynpu_mapping *mapping)
{
	struct zynpu_vm *vm = mapping->vm;
	struct zynpu_bo *bo = mapping->bo;

	if (vm->domain)
		return zynpu_mapping_map_iommu(mapping);
	if (bo->heap != vm->heap)
		return -EXDEV;
	mapping->address = bo->heap ? bo->node.start : bo->dma - vm->base;
	if (!bo->heap && (bo->dma < vm->base ||
			  !zynpu_window_fits(mapping->address, bo->alloc_size)))
		return -ERANGE;
	return 0;
}

/* Takes references of @vm and @bo, for as long as the mapping exists. */
struct zynpu_mapping *zynpu_mapping_create(struct zynpu_vm *vm, struct zynpu_bo *bo)
{
	struct zynpu_mapping *mapping;
	int ret;

	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL);
	if (!mapping)
		return ERR_PTR(-ENOMEM);
	kref_init(&mapping->refcount);
	INIT_LIST_HEAD(&mapping->link);
	mapping->vm = vm;
	mapping->bo = bo;
	ret = zynpu_mapping_place(mapping);
	if (ret) {
		kfree(mapping);
		return ERR_PTR(ret);
	}
	zynpu_vm_get(vm);
	drm_gem_object_get(&bo->base);
	scoped_guard(mutex, &vm->lock)
		vm->used = true;
	return mapping;
}

static void zynpu_mapping_release(struct kref *kref)
{
	struct zynpu_mapping *mapping =
		container_of(kref, struct zynpu_mapping, refcount);
	struct zynpu_vm *vm = mapping->vm;

	if (vm->domain) {
		guard(mutex)(&vm->lock);
		iommu_unmap(vm->domain, vm->base + mapping->address, mapping->node.size);
		drm_mm_remove_node(&mapping->node);
	}
	drm_gem_object_put(&mapping->bo->base);
	zynpu_vm_put(vm);
	kfree(mapping);
}

void zynpu_mapping_put(struct zynpu_mapping *mapping)
{
	kref_put(&mapping->refcount, zynpu_mapping_release);
}

/* The mapping of a BO that the context has a handle of; takes a reference. */
struct zynpu_mapping *zynpu_mapping_find(struct zynpu_vm *vm, struct zynpu_bo *bo)
{
	struct zynpu_mapping *mapping;

	guard(mutex)(&bo->lock);
	list_for_each_entry(mapping, &bo->mappings, link) {
		if (mapping->vm == vm) {
			kref_get(&mapping->refcount);
			return mapping;
		}
	}
	return NULL;
}

int zynpu_ioctl_window(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_zynpu_window *args = data;
	struct zynpu_ctx *ctx = file->driver_priv;
	int idx, ret;

	if (args->flags || args->pad)
		return -EINVAL;
	if (!drm_dev_enter(drm, &idx))
		return -ENODEV;
	ret = zynpu_vm_set_heap(ctx->vm, args->size);
	drm_dev_exit(idx);
	return ret;
}
