// SPDX-License-Identifier: GPL-2.0-only
/* What an administrator can see: fdinfo, debugfs, device core dumps. */
#include <linux/devcoredump.h>
#include <linux/seq_file.h>
#include <linux/vmalloc.h>

#include <drm/drm_debugfs.h>

#include "zynpu_drv.h"
#include "zynpu_dump.h"

void zynpu_show_fdinfo(struct drm_printer *p, struct drm_file *file)
{
	struct zynpu_ctx *ctx = file->driver_priv;
	u64 busy, guilty;

	scoped_guard(spinlock, &ctx->lock) {
		busy = ctx->busy_ns;
		guilty = ctx->guilty_resets;
	}
	drm_printf(p, "drm-engine-npu:\t%llu ns\n", busy);
	drm_printf(p, "zynpu-guilty-resets:\t%llu\n", guilty);
	drm_show_memory_stats(p, file);
}

static int zynpu_debugfs_status(struct seq_file *m, void *unused)
{
	struct drm_debugfs_entry *entry = m->private;
	struct zynpu_dev *zdev = to_zynpu_dev(entry->dev);
	struct zynpu_identity *id = &zdev->id;
	u64 job = 0, client = 0;
	bool lost;

	scoped_guard(spinlock_irq, &zdev->lock) {
		lost = zdev->lost;
		if (zdev->running) {
			job = zdev->running->id;
			client = zdev->running->ctx->client_id;
		}
	}
	seq_printf(m, "generation %u config %u revision %#x isa %#x tpc %#x hwa %#x\n",
		   id->generation, id->config, id->revision, id->isa_version,
		   id->tpc_feature, id->hwa_feature);
	seq_printf(m, "running_job %llu\n", job);
	seq_printf(m, "running_client %llu\n", client);
	seq_printf(m, "lost %u\n", lost);
	seq_printf(m, "resets %lld\n", atomic64_read(&zdev->resets));
	seq_printf(m, "spurious_events %lld\n", atomic64_read(&zdev->spurious));
	seq_printf(m, "bo_count %lld\n", atomic64_read(&zdev->bo_count));
	seq_printf(m, "bo_bytes %lld\n", atomic64_read(&zdev->bo_bytes));
	seq_printf(m, "jobs %d\n", atomic_read(&zdev->job_count));
	return 0;
}

static const struct drm_debugfs_info zynpu_debugfs[] = {
	{ "status", zynpu_debugfs_status },
};

void zynpu_debugfs_init(struct zynpu_dev *zdev)
{
	drm_debugfs_add_files(&zdev->drm, zynpu_debugfs, ARRAY_SIZE(zynpu_debugfs));
}

/* A core dump on its way to the core, which may sleep. */
struct zynpu_dump {
	struct work_struct work;
	struct zynpu_dev *zdev;
	size_t size;
	char data[] __aligned(8);
};

/* The core keeps a copy, so that a dump nobody reads does not hold the module. */
static void zynpu_dump_work(struct work_struct *work)
{
	struct zynpu_dump *dump = container_of(work, struct zynpu_dump, work);
	struct zynpu_dev *zdev = dump->zdev;
	void *copy = vmalloc(dump->size);

	if (copy) {
		memcpy(copy, dump->data, dump->size);
		dev_coredumpv(zdev->dev, copy, dump->size, GFP_KERNEL);
	}
	kfree(dump);
}

/* Room for a section's bytes; NULL if there is none. */
static void *zynpu_dump_section(struct zynpu_dump *dump, u32 type, u64 address, size_t size)
{
	struct zynpu_dump_header *header = (void *)dump->data;
	u32 index = le32_to_cpu(header->sections);
	struct zynpu_dump_section *section = &header->section[index];
	void *data = dump->data + dump->size;

	if (index >= ARRAY_SIZE(header->section) || size > ZYNPU_DUMP_MAX - dump->size)
		return NULL;
	section->type = cpu_to_le32(type);
	section->address = cpu_to_le64(address);
	section->offset = cpu_to_le64(dump->size);
	section->size = cpu_to_le64(size);
	dump->size += ALIGN(size, 8);
	header->sections = cpu_to_le32(index + 1);
	return data;
}

/* At most @size bytes from device address @address on, of a buffer of the job. */
static void zynpu_dump_memory(struct zynpu_dump *dump, u32 type,
			      struct zynpu_mapping *mapping, u64 address, size_t size)
{
	struct zynpu_bo *bo = mapping->bo;
	u64 offset = address - mapping->address;
	void *data;

	if (bo->base.import_attach || offset >= bo->base.size)
		return;
	size = min_t(u64, size, bo->base.size - offset);
	data = zynpu_dump_section(dump, type, address, size);
	if (!data)
		return;
	zynpu_bo_sync(bo, false);
	sg_pcopy_to_buffer(bo->sgt->sgl, bo->sgt->orig_nents, data, size, offset);
}

static void zynpu_dump_address(struct zynpu_dump *dump, struct zynpu_job *job, u32 type,
			       u64 address, size_t size)
{
	u32 i;

	for (i = 0; i < job->mapping_count; i++) {
		struct zynpu_mapping *mapping = job->mappings[i];

		if (address >= mapping->address &&
		    address - mapping->address < mapping->bo->base.size) {
			zynpu_dump_memory(dump, type, mapping, address, size);
			return;
		}
	}
}

static void zynpu_dump_info(struct zynpu_dump *dump, struct zynpu_job *job, u32 status,
			    const struct zynpu_events *events)
{
	struct zynpu_dev *zdev = job->zdev;
	struct zynpu_dump_info *data, info = {
		.generation = cpu_to_le32(zdev->id.generation),
		.config = cpu_to_le32(zdev->id.config),
		.revision = cpu_to_le32(zdev->id.revision),
		.status = cpu_to_le32(status),
		.cause = cpu_to_le32(events->cause),
		.pc = cpu_to_le32(events->pc),
		.tcb = cpu_to_le32(events->tcb),
		.groups = cpu_to_le32(job->group_count),
		.text = cpu_to_le32(job->first.text),
		.parameters = cpu_to_le32(job->first.parameters),
		.stack = cpu_to_le32(job->first.stack),
		.job = cpu_to_le64(job->id),
		.client = cpu_to_le64(job->ctx->client_id),
		.run_ns = cpu_to_le64(ktime_get_ns() - job->started),
	};

	if (job->chain)
		info.task = cpu_to_le32(zynpu_chain_task(&zdev->id, job->chain->address,
							 job->group_count, events->tcb));
	data = zynpu_dump_section(dump, ZYNPU_DUMP_INFO, 0, sizeof(info));
	if (data)
		*data = info;
}

#define Z1	BIT(DRM_ZYNPU_Z1)
#define Z2	BIT(DRM_ZYNPU_Z2)
#define X2	BIT(DRM_ZYNPU_X2)

static void zynpu_dump_registers(struct zynpu_dump *dump, struct zynpu_dev *zdev)
{
	/* Only what can be read without a side effect. */
	static const struct {
		u16 first, last, generations;
	} ranges[] = {
		{ 0x000, 0x020, Z1 | Z2 | X2 },
		{ 0x024, 0x06c, Z1 | Z2 },
		{ 0x0c0, 0x0ec, Z2 },
		{ 0x050, 0x050, X2 },
		{ 0x060, 0x068, X2 },
		{ 0x800, 0x824, X2 },
		{ 0xc00, 0xc04, X2 },
	};
	__le32 pairs[2 * 64];
	unsigned int i, n = 0;
	u32 offset;
	void *data;

	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		if (!(ranges[i].generations & BIT(zdev->id.generation)))
			continue;
		for (offset = ranges[i].first; offset <= ranges[i].last; offset += 4) {
			if (n == ARRAY_SIZE(pairs))
				break;
			pairs[n++] = cpu_to_le32(offset);
			pairs[n++] = cpu_to_le32(zynpu_read(zdev, offset));
		}
	}
	data = zynpu_dump_section(dump, ZYNPU_DUMP_REGISTERS, 0, n * sizeof(*pairs));
	if (data)
		memcpy(data, pairs, n * sizeof(*pairs));
}

/* Keeps the state of a failed job; before the reset, hw_lock held. */
void zynpu_coredump(struct zynpu_dev *zdev, struct zynpu_job *job, u32 status,
		    const struct zynpu_events *events)
{
	struct zynpu_dump_header *header;
	struct zynpu_dump *dump;

	if (!IS_ENABLED(CONFIG_DEV_COREDUMP))
		return;
	/* Somebody may free memory by waiting for this job: take it or leave it. */
	dump = kzalloc(sizeof(*dump) + ZYNPU_DUMP_MAX, GFP_NOWAIT | __GFP_NOWARN);
	if (!dump)
		return;
	header = (void *)dump->data;
	memcpy(header->magic, ZYNPU_DUMP_MAGIC, sizeof(header->magic));
	header->version = cpu_to_le32(ZYNPU_DUMP_VERSION);
	dump->size = sizeof(*header);
	zynpu_dump_info(dump, job, status, events);
	if (zdev->regs && !events->lost)
		zynpu_dump_registers(dump, zdev);
	if (job->chain)
		zynpu_dump_memory(dump, ZYNPU_DUMP_CHAIN, job->chain, job->chain->address,
				  min(zynpu_chain_size(&zdev->id, job->group_count),
				      ZYNPU_DUMP_CHAIN_MAX));
	zynpu_dump_address(dump, job, ZYNPU_DUMP_TEXT, job->first.text, ZYNPU_DUMP_TEXT_MAX);
	zynpu_dump_address(dump, job, ZYNPU_DUMP_PARAMETERS, job->first.parameters,
			   ZYNPU_DUMP_PARAMETERS_MAX);
	if (events->pc)
		zynpu_dump_address(dump, job, ZYNPU_DUMP_TEXT, events->pc & ~0xffu, 0x200);

	INIT_WORK(&dump->work, zynpu_dump_work);
	dump->zdev = zdev;
	queue_work(zdev->dump_wq, &dump->work);
}
