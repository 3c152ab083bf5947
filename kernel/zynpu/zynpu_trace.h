/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM zynpu

#if !defined(_ZYNPU_TRACE_H_) || defined(TRACE_HEADER_MULTI_READ)
#define _ZYNPU_TRACE_H_

#include <linux/tracepoint.h>

#include "zynpu_drv.h"

DECLARE_EVENT_CLASS(zynpu_job,
	TP_PROTO(struct zynpu_job *job),
	TP_ARGS(job),
	TP_STRUCT__entry(
		__string(device, dev_name(job->zdev->dev))
		__field(u64, client)
		__field(u64, job)
		__field(u32, groups)
	),
	TP_fast_assign(
		__assign_str(device);
		__entry->client = job->ctx->client_id;
		__entry->job = job->id;
		__entry->groups = job->group_count;
	),
	TP_printk("%s client=%llu job=%llu groups=%u", __get_str(device),
		  __entry->client, __entry->job, __entry->groups)
);

DEFINE_EVENT(zynpu_job, zynpu_submit,
	TP_PROTO(struct zynpu_job *job), TP_ARGS(job));
DEFINE_EVENT(zynpu_job, zynpu_run,
	TP_PROTO(struct zynpu_job *job), TP_ARGS(job));

TRACE_EVENT(zynpu_done,
	TP_PROTO(struct zynpu_job *job, u32 status, u64 run_ns),
	TP_ARGS(job, status, run_ns),
	TP_STRUCT__entry(
		__string(device, dev_name(job->zdev->dev))
		__field(u64, client)
		__field(u64, job)
		__field(u64, run_ns)
		__field(u32, status)
	),
	TP_fast_assign(
		__assign_str(device);
		__entry->client = job->ctx->client_id;
		__entry->job = job->id;
		__entry->run_ns = run_ns;
		__entry->status = status;
	),
	TP_printk("%s client=%llu job=%llu status=%u run_ns=%llu", __get_str(device),
		  __entry->client, __entry->job, __entry->status, __entry->run_ns)
);

TRACE_EVENT(zynpu_fault,
	TP_PROTO(struct zynpu_job *job, u32 status, u32 cause, u32 pc, u32 task),
	TP_ARGS(job, status, cause, pc, task),
	TP_STRUCT__entry(
		__string(device, dev_name(job->zdev->dev))
		__field(u64, client)
		__field(u64, job)
		__field(u32, status)
		__field(u32, cause)
		__field(u32, pc)
		__field(u32, task)
	),
	TP_fast_assign(
		__assign_str(device);
		__entry->client = job->ctx->client_id;
		__entry->job = job->id;
		__entry->status = status;
		__entry->cause = cause;
		__entry->pc = pc;
		__entry->task = task;
	),
	TP_printk("%s client=%llu job=%llu status=%u cause=%#x pc=%#x task=%u",
		  __get_str(device), __entry->client, __entry->job,
		  __entry->status, __entry->cause, __entry->pc, __entry->task)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE zynpu_trace
#include <trace/define_trace.h>
