// SPDX-License-Identifier: GPL-2.0-only
/* KUnit tests of what the driver decides without hardware. */
#include <kunit/test.h>
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "zynpu_logic.h"
#include "zynpu_regs.h"

static const struct zynpu_identity x2 = {
	.generation = DRM_ZYNPU_X2, .clusters = 1, .cores = 3, .tecs_per_core = 4,
};

static const struct zynpu_identity z2 = {
	.generation = DRM_ZYNPU_Z2, .clusters = 1, .cores = 1, .tecs_per_core = 4,
};

static void identify_knows_the_r329(struct kunit *test)
{
	/* The values of a published boot log. */
	struct zynpu_identity id = {
		.tpc_feature = 0x00010101, .hwa_feature = 0x00010111,
	};

	KUNIT_EXPECT_EQ(test, zynpu_identify_z(&id), 0);
	KUNIT_EXPECT_EQ(test, id.generation, DRM_ZYNPU_Z1);
	KUNIT_EXPECT_EQ(test, id.config, 701);
	KUNIT_EXPECT_EQ(test, id.tecs_per_core, 1);
}

static void identify_knows_z2(struct kunit *test)
{
	struct zynpu_identity id = {
		.revision = 0x100, .isa_version = 1,
		.tpc_feature = 0x00010104, .hwa_feature = 0x00010113,
	};

	KUNIT_EXPECT_EQ(test, zynpu_identify_z(&id), 0);
	KUNIT_EXPECT_EQ(test, id.generation, DRM_ZYNPU_Z2);
	KUNIT_EXPECT_EQ(test, id.config, 1104);
	KUNIT_EXPECT_EQ(test, id.tecs_per_core, 4);
}

static void identify_refuses_a_gated_block(struct kunit *test)
{
	struct zynpu_identity id = {};

	KUNIT_EXPECT_EQ(test, zynpu_identify_z(&id), -ENXIO);
}

static void identify_refuses_strangers(struct kunit *test)
{
	struct zynpu_identity z3 = {
		.revision = 0x200, .isa_version = 1, .tpc_feature = 4, .hwa_feature = 3,
	};
	struct zynpu_identity mixed = {
		.revision = 0x100, .isa_version = 0, .tpc_feature = 4, .hwa_feature = 3,
	};
	struct zynpu_identity no_engine = { .hwa_feature = 1 };
	struct zynpu_identity gone = {
		.revision = ~0u, .isa_version = ~0u, .tpc_feature = ~0u, .hwa_feature = ~0u,
	};

	KUNIT_EXPECT_EQ(test, zynpu_identify_z(&z3), -ENODEV);
	KUNIT_EXPECT_EQ(test, zynpu_identify_z(&mixed), -ENODEV);
	KUNIT_EXPECT_EQ(test, zynpu_identify_z(&no_engine), -ENODEV);
	KUNIT_EXPECT_EQ(test, zynpu_identify_z(&gone), -ENODEV);
}

static void global_memory_has_the_coded_size(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, zynpu_gm_bytes(0), SZ_512K);
	KUNIT_EXPECT_EQ(test, zynpu_gm_bytes(1), SZ_1M);
	KUNIT_EXPECT_EQ(test, zynpu_gm_bytes(3), 4 * SZ_1M);
	KUNIT_EXPECT_EQ(test, zynpu_gm_bytes(7), 64 * SZ_1M);
	KUNIT_EXPECT_EQ(test, zynpu_gm_bytes(6), 0);
	KUNIT_EXPECT_EQ(test, zynpu_gm_bytes(15), 0);
}

static void window_code_counts_doublings_of_a_page(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, zynpu_ase_code(SZ_4K), 1);
	KUNIT_EXPECT_EQ(test, zynpu_ase_code(2 * SZ_4K), 2);
	KUNIT_EXPECT_EQ(test, zynpu_ase_code(32 * SZ_1M), 14);
	KUNIT_EXPECT_EQ(test, zynpu_ase_code(SZ_1G), 19);
}

static void window_ends_below_the_reserved_addresses(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, zynpu_window_fits(0x1000, 0x1000));
	KUNIT_EXPECT_TRUE(test, zynpu_window_fits(0xbffff000, 0x1000));
	KUNIT_EXPECT_FALSE(test, zynpu_window_fits(0, 0x1000));
	KUNIT_EXPECT_FALSE(test, zynpu_window_fits(0x1000, 0));
	KUNIT_EXPECT_FALSE(test, zynpu_window_fits(0xbffff000, 0x1001));
	KUNIT_EXPECT_FALSE(test, zynpu_window_fits(0xc0000000, 1));
	KUNIT_EXPECT_FALSE(test, zynpu_window_fits(0x1000, ~0ull));
	KUNIT_EXPECT_FALSE(test, zynpu_window_fits(~0ull, 0x1000));
}

static const struct zynpu_span bos[] = {
	{ 0x10000, 0x1000 },	/* text */
	{ 0x20000, 0x1000 },	/* parameters */
	{ 0x30000, 0x2000 },	/* stack */
	{ 0x40000, 0x1000 },	/* private data */
	{ 0x50000, 0x1000 },	/* printf */
};

static struct drm_zynpu_group good_group(void)
{
	struct drm_zynpu_group group = {
		.text = { 1, 0x20 }, .parameters = { 2, 8 }, .stack = { 3, 0 },
		.private_data = { 4, 0 }, .stack_size = 0x800, .private_size = 0x400,
		.dependency = DRM_ZYNPU_DEPENDENCY_ALL,
	};

	return group;
}

static int resolve(const struct zynpu_identity *id, const struct drm_zynpu_group *group,
		   struct zynpu_start *start)
{
	const char *field;

	return zynpu_group_resolve(id, group, bos, ARRAY_SIZE(bos), start, &field);
}

static void group_resolves_to_device_addresses(struct kunit *test)
{
	struct drm_zynpu_group group = good_group();
	struct zynpu_start start;

	group.printf_log.bo = 5;
	KUNIT_EXPECT_EQ(test, resolve(&x2, &group, &start), 0);
	KUNIT_EXPECT_EQ(test, start.text, 0x10020);
	KUNIT_EXPECT_EQ(test, start.parameters, 0x20008);
	KUNIT_EXPECT_EQ(test, start.stack, 0x30000);
	KUNIT_EXPECT_EQ(test, start.private_data, 0x40000);
	KUNIT_EXPECT_EQ(test, start.printf_log, 0x50000);
	KUNIT_EXPECT_EQ(test, start.constants, 0);
	KUNIT_EXPECT_EQ(test, start.dependency, DRM_ZYNPU_DEPENDENCY_ALL);
}

static void group_of_a_flat_part_has_a_handler(struct kunit *test)
{
	struct drm_zynpu_group group = {
		.text = { 1, 0x40 }, .parameters = { 2, 0 }, .stack = { 3, 0x100 },
	};
	struct zynpu_start start;

	KUNIT_EXPECT_EQ(test, resolve(&z2, &group, &start), 0);
	KUNIT_EXPECT_EQ(test, start.text, 0x10040);
	KUNIT_EXPECT_EQ(test, start.handler, 0x10010);
	KUNIT_EXPECT_EQ(test, start.stack, 0x30100);
	group.dependency = 1;
	KUNIT_EXPECT_EQ(test, resolve(&z2, &group, &start), -EINVAL);
}

/* Expects that a group is refused after one change. */
#define REFUSED(test, change) do {						\
	struct drm_zynpu_group g = good_group();				\
	struct zynpu_start start;						\
										\
	g.change;								\
	KUNIT_EXPECT_EQ(test, resolve(&x2, &g, &start), -EINVAL);		\
} while (0)

static void group_is_refused_for_each_wrong_field(struct kunit *test)
{
	REFUSED(test, text.bo = 0);
	REFUSED(test, text.bo = 6);
	REFUSED(test, text.bo = ~0u);
	REFUSED(test, text.offset = 8);
	REFUSED(test, text.offset = 0x1000);
	REFUSED(test, text.offset = 0xfffffff0);
	REFUSED(test, parameters.bo = 0);
	REFUSED(test, parameters.offset = 0x1000);
	REFUSED(test, parameters.offset = 1);
	REFUSED(test, stack.bo = 0);
	REFUSED(test, stack.offset = 4);
	REFUSED(test, stack_size = 0);
	REFUSED(test, stack_size = 0x804);
	REFUSED(test, stack_size = 0x7fe);
	REFUSED(test, stack_size = 0x40000000);
	REFUSED(test, stack_size = 0xfffffffc);
	REFUSED(test, private_data.bo = 0);
	REFUSED(test, private_data.offset = 4);
	REFUSED(test, private_size = 0);
	REFUSED(test, private_size = 0x404);
	REFUSED(test, constants.offset = 4);
	REFUSED(test, constants.bo = 6);
	REFUSED(test, printf_log.bo = 6);
	REFUSED(test, printf_log.offset = 4);
	REFUSED(test, model_parameters.bo = 6);
	REFUSED(test, dependency = 3);
	REFUSED(test, pad = 1);
}

static void group_may_end_where_its_buffers_end(struct kunit *test)
{
	struct drm_zynpu_group group = good_group();
	struct zynpu_start start;

	group.text.offset = 0xff0;
	group.parameters.offset = 0xffc;
	group.printf_log.bo = 5;
	KUNIT_EXPECT_EQ(test, resolve(&x2, &group, &start), 0);
	group.printf_log.offset = 4;
	KUNIT_EXPECT_EQ(test, resolve(&x2, &group, &start), -EINVAL);
}

static u32 word(const void *chain, u32 offset)
{
	__le32 value;

	memcpy(&value, chain + offset, sizeof(value));
	return le32_to_cpu(value);
}

static void chain_has_the_documented_layout(struct kunit *test)
{
	static u8 chain[(1 + 2 + 2 * 4) * ZYNPU_TCB_SIZE];
	struct drm_zynpu_group group = good_group();
	struct zynpu_start starts[2];
	u64 base = 0x400000000ull;
	u32 head = 0x30000, last, task;

	memset(chain, 0xaa, sizeof(chain));
	KUNIT_EXPECT_EQ(test, zynpu_chain_size(&x2, 2), sizeof(chain));
	group.dependency = DRM_ZYNPU_DEPENDENCY_NONE;
	KUNIT_EXPECT_EQ(test, resolve(&x2, &group, &starts[0]), 0);
	group.dependency = DRM_ZYNPU_DEPENDENCY_ALL;
	KUNIT_EXPECT_EQ(test, resolve(&x2, &group, &starts[1]), 0);
	last = zynpu_chain_build(&x2, chain, base, head, 0x99000, starts, 2);
	KUNIT_EXPECT_EQ(test, last, head + 10 * ZYNPU_TCB_SIZE);

	/* The grid's block: two segment-MMU blocks, two open spaces. */
	KUNIT_EXPECT_EQ(test, word(chain, 0), 0x30000);
	KUNIT_EXPECT_EQ(test, word(chain, 4), head + 3 * ZYNPU_TCB_SIZE);
	KUNIT_EXPECT_EQ(test, word(chain, 48), 0x60);
	KUNIT_EXPECT_EQ(test, word(chain, 52), 4);
	KUNIT_EXPECT_EQ(test, word(chain, 56), 0x60);
	KUNIT_EXPECT_EQ(test, word(chain, 64), 0);
	KUNIT_EXPECT_EQ(test, word(chain, 72), 0);
	KUNIT_EXPECT_EQ(test, word(chain, 128 + 24), 0x31);
	KUNIT_EXPECT_EQ(test, word(chain, 256 + 88), 0x31);
	KUNIT_EXPECT_EQ(test, word(chain, 128), 0);

	/* First task of each group, last of the first, last of all. */
	task = 3 * ZYNPU_TCB_SIZE;
	KUNIT_EXPECT_EQ(test, word(chain, task), 0x1);
	KUNIT_EXPECT_EQ(test, word(chain, task + 4 * 128), 0x21);
	KUNIT_EXPECT_EQ(test, word(chain, task + 3 * 128), 0x41);
	KUNIT_EXPECT_EQ(test, word(chain, task + 7 * 128), 0xc1);
	KUNIT_EXPECT_EQ(test, word(chain, task + 4), head + task + 128);
	KUNIT_EXPECT_EQ(test, word(chain, task + 7 * 128 + 4), 0);
	KUNIT_EXPECT_EQ(test, word(chain, task + 12), 0x10020);
	KUNIT_EXPECT_EQ(test, word(chain, task + 16), 0x73d);
	KUNIT_EXPECT_EQ(test, word(chain, task + 128 + 52), 0x30000 + 2 * 0x800);
	KUNIT_EXPECT_EQ(test, word(chain, task + 128 + 56), 0x20008);
	KUNIT_EXPECT_EQ(test, word(chain, task + 128 + 60), 0x40400);
	KUNIT_EXPECT_EQ(test, word(chain, task + 64), 0x99000);
	KUNIT_EXPECT_EQ(test, word(chain, task + 128 + 108), head + task + 128);
	KUNIT_EXPECT_EQ(test, word(chain, task + 128 + 24) >> 16, 1);
	KUNIT_EXPECT_EQ(test, word(chain, task + 4 * 128 + 20) & 0xffff, 1);
	KUNIT_EXPECT_EQ(test, word(chain, task + 116), 0);
}

static void chain_names_the_failing_task(struct kunit *test)
{
	u32 first = 0x30000 + 3 * ZYNPU_TCB_SIZE;

	KUNIT_EXPECT_EQ(test, zynpu_chain_task(&x2, 0x30000, 2, first), 1);
	KUNIT_EXPECT_EQ(test, zynpu_chain_task(&x2, 0x30000, 2, first + 7 * 128), 8);
	KUNIT_EXPECT_EQ(test, zynpu_chain_task(&x2, 0x30000, 2, first + 8 * 128), 0);
	KUNIT_EXPECT_EQ(test, zynpu_chain_task(&x2, 0x30000, 2, first + 4), 0);
	KUNIT_EXPECT_EQ(test, zynpu_chain_task(&x2, 0x30000, 2, 0x30000), 0);
	KUNIT_EXPECT_EQ(test, zynpu_chain_task(&x2, 0x30000, 2, 0), 0);
}

static void flat_interrupt_with_done_is_the_end(struct kunit *test)
{
	struct zynpu_events events = {};

	zynpu_events_z(&events, Z_CAUSE_DONE | Z_CAUSE_QEMPTY | Z_STAT_IDLE, true);
	KUNIT_EXPECT_TRUE(test, events.done);
	KUNIT_EXPECT_EQ(test, events.bad, 0);
}

static void flat_interrupt_with_done_and_exception_is_one_failure(struct kunit *test)
{
	struct zynpu_events events = {};

	zynpu_events_z(&events, Z_CAUSE_DONE | Z_CAUSE_EXCEP, true);
	KUNIT_EXPECT_EQ(test, events.bad, DRM_ZYNPU_STATUS_EXCEPTION);
}

static void flat_interrupt_with_fault_alone_is_a_failure(struct kunit *test)
{
	struct zynpu_events z1 = {}, z2_events = {};

	zynpu_events_z(&z2_events, Z_CAUSE_FAULT, false);
	KUNIT_EXPECT_EQ(test, z2_events.bad, DRM_ZYNPU_STATUS_FAULT);
	/* The bit does not exist on Z1. */
	zynpu_events_z(&z1, Z_CAUSE_FAULT, true);
	KUNIT_EXPECT_EQ(test, z1.bad, 0);
}

static void all_ones_mean_that_the_device_is_gone(struct kunit *test)
{
	struct zynpu_events flat = {}, scheduler = {};

	zynpu_events_z(&flat, ZYNPU_ALL_ONES, false);
	KUNIT_EXPECT_TRUE(test, flat.lost);
	KUNIT_EXPECT_FALSE(test, flat.done);
	zynpu_events_x2(&scheduler, ZYNPU_ALL_ONES, ZYNPU_ALL_ONES, ZYNPU_ALL_ONES, 0x100);
	KUNIT_EXPECT_TRUE(test, scheduler.lost);
	KUNIT_EXPECT_FALSE(test, scheduler.done);
	KUNIT_EXPECT_EQ(test, scheduler.bad, 0);
}

static void chain_ends_with_its_last_block_only(struct kunit *test)
{
	struct zynpu_events events = {};

	KUNIT_EXPECT_TRUE(test, zynpu_events_x2(&events, X2_TYPE_DONE | X2_LEVEL_CORE, 0,
						0x180, 0x580));
	KUNIT_EXPECT_FALSE(test, events.done);
	zynpu_events_x2(&events, X2_TYPE_DONE | X2_LEVEL_TEC, 0, 0x580, 0x580);
	KUNIT_EXPECT_FALSE(test, events.done);
	zynpu_events_x2(&events, X2_TYPE_DONE | X2_LEVEL_CORE | X2_LEVEL_CLUSTER, 0,
			0x580, 0x580);
	KUNIT_EXPECT_TRUE(test, events.done);
}

static void chain_fault_with_done_is_a_fault(struct kunit *test)
{
	struct zynpu_events events = {};

	zynpu_events_x2(&events, X2_TYPE_FAULT | X2_TYPE_DONE | X2_LEVEL_CORE, 0, 0x580, 0x580);
	KUNIT_EXPECT_EQ(test, events.bad, DRM_ZYNPU_STATUS_FAULT);
	KUNIT_EXPECT_FALSE(test, events.done);
	KUNIT_EXPECT_EQ(test, events.tcb, 0x580);
}

static void exception_signals_fail_and_others_do_not(struct kunit *test)
{
	struct zynpu_events events = {};

	zynpu_events_x2(&events, X2_TYPE_SIGNAL | X2_LEVEL_TEC, BIT(29), 0x180, 0x580);
	KUNIT_EXPECT_EQ(test, events.bad, 0);
	zynpu_events_x2(&events, X2_TYPE_SIGNAL | X2_LEVEL_TEC, BIT(30), 0x180, 0x580);
	KUNIT_EXPECT_EQ(test, events.bad, DRM_ZYNPU_STATUS_EXCEPTION);
}

static void first_failure_is_the_one_reported(struct kunit *test)
{
	struct zynpu_events events = {};

	zynpu_events_x2(&events, X2_TYPE_ERROR | X2_LEVEL_CORE, 0, 0x180, 0x580);
	zynpu_events_x2(&events, X2_TYPE_EXCEPTION | X2_LEVEL_CORE, 0, 0x200, 0x580);
	KUNIT_EXPECT_EQ(test, events.bad, DRM_ZYNPU_STATUS_ERROR);
	KUNIT_EXPECT_EQ(test, events.tcb, 0x180);
}

static void job_without_progress_expires_at_its_limit(struct kunit *test)
{
	struct zynpu_watch watch = { .limit = 100, .since = 1000, .progress = 5 };

	KUNIT_EXPECT_FALSE(test, zynpu_watch_expired(&watch, 1000, 5));
	KUNIT_EXPECT_FALSE(test, zynpu_watch_expired(&watch, 1099, 5));
	KUNIT_EXPECT_TRUE(test, zynpu_watch_expired(&watch, 1100, 5));
}

static void job_with_progress_gets_its_limit_again(struct kunit *test)
{
	struct zynpu_watch watch = { .limit = 100, .since = 1000, .progress = 5 };

	KUNIT_EXPECT_FALSE(test, zynpu_watch_expired(&watch, 1150, 6));
	KUNIT_EXPECT_FALSE(test, zynpu_watch_expired(&watch, 1249, 6));
	KUNIT_EXPECT_TRUE(test, zynpu_watch_expired(&watch, 1250, 6));
	/* A clock that seems to step back is no reason to kill. */
	KUNIT_EXPECT_FALSE(test, zynpu_watch_expired(&watch, 10, 6));
}

static struct kunit_case zynpu_cases[] = {
	KUNIT_CASE(identify_knows_the_r329),
	KUNIT_CASE(identify_knows_z2),
	KUNIT_CASE(identify_refuses_a_gated_block),
	KUNIT_CASE(identify_refuses_strangers),
	KUNIT_CASE(global_memory_has_the_coded_size),
	KUNIT_CASE(window_code_counts_doublings_of_a_page),
	KUNIT_CASE(window_ends_below_the_reserved_addresses),
	KUNIT_CASE(group_resolves_to_device_addresses),
	KUNIT_CASE(group_of_a_flat_part_has_a_handler),
	KUNIT_CASE(group_is_refused_for_each_wrong_field),
	KUNIT_CASE(group_may_end_where_its_buffers_end),
	KUNIT_CASE(chain_has_the_documented_layout),
	KUNIT_CASE(chain_names_the_failing_task),
	KUNIT_CASE(flat_interrupt_with_done_is_the_end),
	KUNIT_CASE(flat_interrupt_with_done_and_exception_is_one_failure),
	KUNIT_CASE(flat_interrupt_with_fault_alone_is_a_failure),
	KUNIT_CASE(all_ones_mean_that_the_device_is_gone),
	KUNIT_CASE(chain_ends_with_its_last_block_only),
	KUNIT_CASE(chain_fault_with_done_is_a_fault),
	KUNIT_CASE(exception_signals_fail_and_others_do_not),
	KUNIT_CASE(first_failure_is_the_one_reported),
	KUNIT_CASE(job_without_progress_expires_at_its_limit),
	KUNIT_CASE(job_with_progress_gets_its_limit_again),
	{ }
};

static struct kunit_suite zynpu_suite = {
	.name = "zynpu",
	.test_cases = zynpu_cases,
};

kunit_test_suite(zynpu_suite);
