/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The format of a device core dump: a header with a table of sections, then
 * their bytes, all little-endian. Described for readers in
 * Documentation/accel/zynpu.rst.
 */
#ifndef _ZYNPU_DUMP_H_
#define _ZYNPU_DUMP_H_

#include <linux/types.h>

#define ZYNPU_DUMP_MAGIC		"ZYNPUDMP"
#define ZYNPU_DUMP_VERSION		1
#define ZYNPU_DUMP_MAX			(96 * 1024)
#define ZYNPU_DUMP_CHAIN_MAX		(32u * 1024)
#define ZYNPU_DUMP_TEXT_MAX		(32 * 1024)
#define ZYNPU_DUMP_PARAMETERS_MAX	(8 * 1024)

enum zynpu_dump_type {
	ZYNPU_DUMP_INFO = 1,		/* struct zynpu_dump_info */
	ZYNPU_DUMP_REGISTERS = 2,	/* pairs of 32 bits: offset, value */
	ZYNPU_DUMP_CHAIN = 3,		/* task control blocks */
	ZYNPU_DUMP_TEXT = 4,		/* instructions */
	ZYNPU_DUMP_PARAMETERS = 5,
};

struct zynpu_dump_section {
	__le32 type;
	__le32 pad;
	__le64 address;			/* device address, or 0 */
	__le64 offset;			/* from the start of the file */
	__le64 size;
};

struct zynpu_dump_header {
	char magic[8];
	__le32 version;
	__le32 sections;
	struct zynpu_dump_section section[8];
};

struct zynpu_dump_info {
	__le32 generation;
	__le32 config;
	__le32 revision;
	__le32 status;			/* enum drm_zynpu_status */
	__le32 cause;
	__le32 pc;
	__le32 tcb;
	__le32 task;			/* 1 + index of the failing task, or 0 */
	__le32 groups;
	__le32 text;			/* of the first group */
	__le32 parameters;
	__le32 stack;
	__le64 job;
	__le64 client;
	__le64 run_ns;
};

#endif
