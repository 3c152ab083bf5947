/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ZYNPU_DRV_H_
#define _ZYNPU_DRV_H_

#include <linux/clk.h>
#include <linux/dma-fence.h>
#include <linux/io.h>
#include <linux/iommu.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/pm_domain.h>
#include <linux/reset.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_mm.h>
#include <drm/drm_print.h>
#include <drm/gpu_scheduler.h>
#include <drm/zynpu_accel.h>

#include "zynpu_logic.h"

#define ZYNPU_MAX_BOS		4096
#define ZYNPU_MAX_SYNCS		256
/* Unfinished jobs of one context, and records of finished ones. */
#define ZYNPU_MAX_JOBS		256
/* Chains that a context keeps for its next jobs. */
#define ZYNPU_CHAINS		4
#define ZYNPU_MAX_TIMEOUT_NS	(600ull * NSEC_PER_SEC)
/* How often a running job is looked at. */
#define ZYNPU_TICK_MS		200

struct zynpu_dev;
struct zynpu_job;

/* What differs between the generations. */
struct zynpu_ops {
	u32 reg_size;
	/* Reads the identity registers into zdev->id; -ENXIO: no clock. */
	int (*identify)(struct zynpu_dev *zdev);
	/* Makes a powered device ready: clears causes, enables interrupts. */
	int (*init)(struct zynpu_dev *zdev);
	/* Starts a job on the idle device. Anything but 0: it did not start. */
	int (*start)(struct zynpu_dev *zdev, struct zynpu_job *job);
	/* After a job that ended well, before its fence signals. Optional. */
	int (*finish)(struct zynpu_dev *zdev, struct zynpu_job *job);
	/*
	 * Reads and clears interrupt causes into zdev->events, under
	 * zdev->lock. True if the interrupt was the device's.
	 */
	bool (*gather)(struct zynpu_dev *zdev);
	/* Masks all interrupts of the device. */
	void (*quiet)(struct zynpu_dev *zdev);
	/* Reset by a register of the device's own. Optional. */
	int (*soft_reset)(struct zynpu_dev *zdev);
};

extern const struct zynpu_ops zynpu_z_ops;
extern const struct zynpu_ops zynpu_x2_ops;
extern const struct zynpu_ops zynpu_null_ops;
void zynpu_null_work(struct work_struct *work);

/* What a compatible string promises. */
struct zynpu_match {
	u32 generation;
};

/* One physically contiguous piece of memory as a context's whole world (Z2). */
struct zynpu_heap {
	struct kref refcount;
	struct zynpu_dev *zdev;
	struct mutex lock;	/* of @mm */
	struct drm_mm mm;	/* in bytes from the start of the piece */
	struct page *page;
	dma_addr_t dma;
	size_t size;
};

/* The device addresses of a context. */
struct zynpu_vm {
	struct kref refcount;
	struct zynpu_dev *zdev;
	u64 base;			/* bus address of device address 0 */
	u64 limit;			/* bytes behind @base; 0: no limit set */
	struct zynpu_heap *heap;	/* private window, or NULL */
	struct iommu_domain *domain;	/* or NULL */
	struct mutex lock;		/* of @mm, and of what @domain maps and is attached to */
	struct drm_mm mm;		/* with an IOMMU: device addresses in use */
	bool used;			/* something was mapped; under @lock */
};

struct zynpu_bo {
	struct drm_gem_object base;
	size_t alloc_size;		/* with the padding */
	u32 alignment;			/* of the device address */
	struct sg_table *sgt;		/* own memory outside a heap, or imported */
	struct zynpu_heap *heap;
	struct drm_mm_node node;	/* in @heap */
	dma_addr_t dma;			/* without an IOMMU: of the first byte */
	struct mutex lock;		/* of @mappings */
	struct list_head mappings;
};

/* A BO in a context's device address space. */
struct zynpu_mapping {
	struct kref refcount;
	struct list_head link;		/* bo->mappings */
	u32 handles;			/* under bo->lock; 0: unlinked */
	struct zynpu_bo *bo;
	struct zynpu_vm *vm;
	struct drm_mm_node node;	/* with an IOMMU */
	u64 address;
};

/* Outcome of a job, kept after the job itself is gone. */
struct zynpu_record {
	u64 id;				/* 0: never used */
	struct dma_fence *fence;
	struct zynpu_job *job;		/* while it is not freed */
	u32 status;
	u32 cause;
	u32 pc;
	u32 task;
	u64 queued_ns;
	u64 run_ns;
	u64 ticks;
};

/* An open file. */
struct zynpu_ctx {
	struct kref refcount;
	struct zynpu_dev *zdev;
	struct zynpu_vm *vm;
	u64 client_id;
	bool needs_window;		/* may work in a private window only */
	struct drm_sched_entity entity;
	struct mutex submit_lock;	/* order of jobs in @entity */
	spinlock_t lock;		/* of what follows */
	u64 last_id;
	struct zynpu_record records[ZYNPU_MAX_JOBS];
	bool banned;
	u64 guilty_resets;
	u64 jobs_failed;
	u64 busy_ns;
	u64 bo_bytes;
	u64 bo_count;
	/* X2: memory of chains for the next jobs; closed: not any more */
	struct zynpu_mapping *chains[ZYNPU_CHAINS];
	bool closed;
};

struct zynpu_fence {
	struct dma_fence base;
};

struct zynpu_job {
	struct drm_sched_job base;
	struct zynpu_dev *zdev;
	struct zynpu_ctx *ctx;
	struct zynpu_vm *vm;
	u64 id;
	struct zynpu_fence *fence;
	bool fence_used;		/* initialised, so reference counted */
	bool parked;			/* a wedged device may still run it: keep its memory */

	struct zynpu_mapping **mappings;
	u32 mapping_count;
	struct dma_fence **in_fences;
	u32 in_fence_count;

	u32 group_count;
	struct zynpu_start first;	/* the first group */
	struct zynpu_mapping *chain;	/* X2 */
	u32 last_task;

	bool cancelled;
	struct zynpu_watch watch;
	u64 submitted;
	u64 started;
	u64 tick_start;
	u64 ticks;
};

struct zynpu_dev {
	struct drm_device drm;
	struct device *dev;		/* binding, power, resources */
	struct device *dma_dev;		/* memory: what is on the bus */
	const struct zynpu_ops *ops;
	struct zynpu_identity id;
	u32 flags;			/* DRM_ZYNPU_DEVICE_* */
	u64 base;			/* bus address of device address 0 */

	void __iomem *regs;
	int irq;
	struct clk_bulk_data clks[3];
	struct reset_control *reset;
	int (*set_reset)(struct device *parent, bool assert);
	struct dev_pm_domain_list *domains;
	bool iommu;
	int iommu_prot;			/* of all that contexts map */
	struct iommu_domain *dma_domain;	/* that of the DMA API */

	struct drm_gpu_scheduler sched;
	struct workqueue_struct *wq;	/* timeouts and failures, one at a time */
	struct work_struct fault_work;
	struct workqueue_struct *dump_wq;	/* core dumps: may sleep and allocate */
	u64 fence_context;
	u64 fence_seqno;
	spinlock_t fence_lock;		/* of the fences of this context */

	spinlock_t lock;		/* of the following five */
	bool irq_on;			/* the registers may be touched in the handler */
	bool lost;			/* gone, or wedged */
	struct zynpu_job *running;
	struct zynpu_events events;
	u32 progress;

	struct mutex hw_lock;		/* starting, resetting, removal */
	bool removed;			/* no registers any more; hw_lock */
	struct zynpu_vm *attached;	/* its IOMMU domain is in use; hw_lock */
	atomic_t job_count;		/* jobs not yet freed */
	atomic64_t resets;
	atomic64_t spurious;
	atomic64_t bo_count;
	atomic64_t bo_bytes;
	struct work_struct null_work;	/* null hardware */
};

#define to_zynpu_dev(d)		container_of(d, struct zynpu_dev, drm)
#define to_zynpu_bo(o)		container_of(o, struct zynpu_bo, base)
#define to_zynpu_job(j)		container_of(j, struct zynpu_job, base)

static inline u32 zynpu_read(struct zynpu_dev *zdev, u32 offset)
{
	return readl(zdev->regs + offset);
}

static inline void zynpu_write(struct zynpu_dev *zdev, u32 offset, u32 value)
{
	writel(value, zdev->regs + offset);
}

/* zynpu_drv.c */
extern const struct drm_driver zynpu_driver;
void zynpu_ctx_put(struct zynpu_ctx *ctx);

/* zynpu_device.c */
int zynpu_hw_setup(struct zynpu_dev *zdev, struct platform_device *pdev);
int zynpu_power_on(struct zynpu_dev *zdev);
void zynpu_power_off(struct zynpu_dev *zdev);
void zynpu_irq_pause(struct zynpu_dev *zdev);
void zynpu_irq_resume(struct zynpu_dev *zdev);
void zynpu_poll(struct zynpu_dev *zdev);
int zynpu_hw_reset(struct zynpu_dev *zdev);
bool zynpu_is_lost(struct zynpu_dev *zdev);
void zynpu_handle_events(struct zynpu_dev *zdev);

/* zynpu_gem.c */
struct zynpu_bo *zynpu_bo_create(struct zynpu_dev *zdev, struct zynpu_vm *vm,
				 size_t size, u32 alignment);
void *zynpu_bo_vmap(struct zynpu_bo *bo);
void zynpu_bo_vunmap(struct zynpu_bo *bo, void *vaddr);
void zynpu_bo_sync(struct zynpu_bo *bo, bool for_device);
struct drm_gem_object *zynpu_gem_import(struct drm_device *drm, struct dma_buf *dma_buf);
struct drm_gem_object *zynpu_gem_import_sg_table(struct drm_device *drm,
						 struct dma_buf_attachment *attach,
						 struct sg_table *sgt);
int zynpu_ioctl_bo_create(struct drm_device *drm, void *data, struct drm_file *file);
int zynpu_ioctl_bo_info(struct drm_device *drm, void *data, struct drm_file *file);
int zynpu_ioctl_bo_prep(struct drm_device *drm, void *data, struct drm_file *file);
int zynpu_ioctl_bo_fini(struct drm_device *drm, void *data, struct drm_file *file);

/* zynpu_vm.c */
struct zynpu_vm *zynpu_vm_create(struct zynpu_dev *zdev);
struct zynpu_vm *zynpu_vm_get(struct zynpu_vm *vm);
void zynpu_vm_put(struct zynpu_vm *vm);
int zynpu_vm_set_heap(struct zynpu_vm *vm, u64 size);
int zynpu_vm_attach(struct zynpu_vm *vm);
void zynpu_vm_detach(struct zynpu_dev *zdev);
void zynpu_heap_put(struct zynpu_heap *heap);
struct zynpu_mapping *zynpu_mapping_create(struct zynpu_vm *vm, struct zynpu_bo *bo);
struct zynpu_mapping *zynpu_mapping_find(struct zynpu_vm *vm, struct zynpu_bo *bo);
void zynpu_mapping_put(struct zynpu_mapping *mapping);
int zynpu_ioctl_window(struct drm_device *drm, void *data, struct drm_file *file);

/* zynpu_job.c */
extern const struct drm_sched_backend_ops zynpu_sched_ops;
void zynpu_job_complete(struct zynpu_job *job, u32 status,
			const struct zynpu_events *events);
void zynpu_fault_work(struct work_struct *work);
void zynpu_job_free(struct zynpu_job *job);
int zynpu_ioctl_wait(struct drm_device *drm, void *data, struct drm_file *file);
int zynpu_ioctl_cancel(struct drm_device *drm, void *data, struct drm_file *file);

/* zynpu_submit.c */
struct zynpu_mapping *zynpu_chain_get(struct zynpu_ctx *ctx, size_t size);
void zynpu_chain_put(struct zynpu_ctx *ctx, struct zynpu_mapping *chain);
void zynpu_chains_drop(struct zynpu_ctx *ctx);
int zynpu_ioctl_submit(struct drm_device *drm, void *data, struct drm_file *file);

/* zynpu_debug.c */
void zynpu_debugfs_init(struct zynpu_dev *zdev);
void zynpu_show_fdinfo(struct drm_printer *p, struct drm_file *file);
void zynpu_coredump(struct zynpu_dev *zdev, struct zynpu_job *job, u32 status,
		    const struct zynpu_events *events);

/*
 * Failures that root can ask for with the module parameter "inject", a mask of
 * these bits. Each happens once.
 */
enum zynpu_injection {
	ZYNPU_INJECT_EXCEPTION,		/* an exception together with the end */
	ZYNPU_INJECT_LOST_IRQ,		/* the end of a job is not noticed */
	ZYNPU_INJECT_STRAY_DONE,	/* an end while nothing runs */
	ZYNPU_INJECT_GONE,		/* the registers read all ones */
	ZYNPU_INJECT_RESET,		/* a reset fails */
	ZYNPU_INJECT_BUSY,		/* the device is busy at a start */
	ZYNPU_INJECT_POWER,		/* power cannot be had */
	ZYNPU_INJECT_MEMORY,		/* memory of a buffer cannot be had */
};

extern ulong zynpu_inject_mask;

static inline bool zynpu_inject(enum zynpu_injection what)
{
	return IS_ENABLED(CONFIG_DRM_ACCEL_ZYNPU_INJECT) &&
	       unlikely(READ_ONCE(zynpu_inject_mask)) &&
	       test_and_clear_bit(what, &zynpu_inject_mask);
}

/* Module parameters */
extern uint zynpu_job_timeout_ms;
extern uint zynpu_ban_after;
extern uint zynpu_window_mib;

#endif
