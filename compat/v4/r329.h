/* SPDX-License-Identifier: MIT */
/*
 * The API of the R329's libaipudrv.so.4 (standard-api.md 12): C++ linkage, so the tag names are part of the
 * symbols. Only these names and the layouts matter; C++ only.
 */
#ifndef ZYNPU_COMPAT_R329_H
#define ZYNPU_COMPAT_R329_H

#include <cstdint>

struct ctx_handle {
  std::uint32_t handle;
};

/* standard-api.md 12.3 */
enum aipu_status_t : std::uint32_t {
  AIPU_R329_SUCCESS = 0,
  AIPU_R329_NULL_PTR = 1,
  AIPU_R329_INVALID_CTX = 2,
  AIPU_R329_OPEN_DEV_FAIL = 3,
  AIPU_R329_DEV_ABNORMAL = 4,
  AIPU_R329_DEINIT_FAIL = 5,
  AIPU_R329_INVALID_CONFIG = 6,
  AIPU_R329_UNKNOWN_BIN = 7,
  AIPU_R329_GVERSION_UNSUPPORTED = 8,
  AIPU_R329_INVALID_GBIN = 9,
  AIPU_R329_TARGET_NOT_FOUND = 0xA,
  AIPU_R329_GRAPH_NOT_EXIST = 0xB,
  AIPU_R329_OPEN_FILE_FAIL = 0xC,
  AIPU_R329_MAP_FILE_FAIL = 0xD,
  AIPU_R329_READ_FILE_FAIL = 0xE,
  AIPU_R329_WRITE_FILE_FAIL = 0xF,
  AIPU_R329_JOB_NOT_EXIST = 0x10,
  AIPU_R329_JOB_NOT_SCHED = 0x11,
  AIPU_R329_JOB_SCHED = 0x12,
  AIPU_R329_JOB_NOT_END = 0x13,
  AIPU_R329_JOB_EXCEPTION = 0x14,
  AIPU_R329_JOB_TIMEOUT = 0x15,
  AIPU_R329_INVALID_OPTIONS = 0x16,
  AIPU_R329_INVALID_PATH = 0x17,
  AIPU_R329_OP_NOT_SUPPORTED = 0x18,
  AIPU_R329_INVALID_OP = 0x19,
  AIPU_R329_INVALID_SIZE = 0x1A,
  AIPU_R329_INVALID_HANDLE = 0x1B,
  AIPU_R329_BUSY_HANDLE = 0x1C,
  AIPU_R329_BUF_ALLOC_FAIL = 0x1D,
  AIPU_R329_BUF_FREE_FAIL = 0x1E,
  AIPU_R329_INVALID_CORE_ID = 0x1F,
  AIPU_R329_RESERVE_SRAM_FAIL = 0x20,
  AIPU_R329_MAX = 0x21
};

enum aipu_job_status_t : std::uint32_t {
  AIPU_R329_JOB_NO_STATUS = 0,
  AIPU_R329_JOB_DONE = 1,
  AIPU_R329_JOB_FAILED = 2
};

struct aipu_r329_tensor_desc {
  std::uint32_t id, size, layout, n, h, w, c, data_type; /* data_type: the file's number less 1 */
};

struct tensor_info {
  std::uint32_t number;
  const aipu_r329_tensor_desc* desc;
};

struct graph_desc {
  std::uint32_t id, graph_version;
  std::uint8_t build_major, build_minor;
  std::uint16_t build_number;
  std::uint32_t reserved;
  tensor_info inputs, outputs, dumps;
};

struct aipu_r329_buffer {
  std::uint32_t id;
  void* va;
  std::uint32_t size;
};

struct tensor_buffer {
  std::uint32_t number;
  aipu_r329_buffer* tensors;
};

struct aipu_buffer_alloc_info {
  std::uint32_t handle;
  tensor_buffer inputs, outputs, dumps, printf, profiler;
};

struct simulation_config;
struct runtime_config {
  bool poll_opt, bypass_version_check;
};
struct dump_option {
  std::uint32_t flag;
  const char* suffix;
  const char* dir;
};
struct aipu_core_info {
  std::uint64_t reg_base;
};
struct aipu_debugger_job_info {
  std::uint64_t instr_base, start_pc, interrupt_pc;
};

aipu_status_t AIPU_init_ctx(ctx_handle** ctx);
aipu_status_t AIPU_deinit_ctx(const ctx_handle* ctx);
aipu_status_t AIPU_get_status_msg(aipu_status_t status, const char** text);
aipu_status_t AIPU_config_simulation(const ctx_handle* ctx, const simulation_config* config);
aipu_status_t AIPU_set_runtime_config(const ctx_handle* ctx, const runtime_config* config);
aipu_status_t AIPU_load_graph(const ctx_handle* ctx, const void* buffer, std::uint32_t size,
                              graph_desc* desc);
aipu_status_t AIPU_load_graph_helper(const ctx_handle* ctx, const char* file, graph_desc* desc);
aipu_status_t AIPU_unload_graph(const ctx_handle* ctx, const graph_desc* desc);
aipu_status_t AIPU_alloc_tensor_buffers(const ctx_handle* ctx, const graph_desc* desc,
                                        aipu_buffer_alloc_info* info);
aipu_status_t AIPU_free_tensor_buffers(const ctx_handle* ctx, std::uint32_t handle);
aipu_status_t AIPU_create_job(const ctx_handle* ctx, const graph_desc* desc, std::uint32_t handle,
                              std::uint32_t* job);
aipu_status_t AIPU_flush_job(const ctx_handle* ctx, std::uint32_t job);
aipu_status_t AIPU_finish_job(const ctx_handle* ctx, std::uint32_t job, std::int32_t timeout);
aipu_status_t AIPU_get_job_status(const ctx_handle* ctx, std::uint32_t job, std::int32_t timeout,
                                  aipu_job_status_t* status);
aipu_status_t AIPU_poll_jobs_status(const ctx_handle* ctx, std::uint32_t* count, std::int32_t timeout);
aipu_status_t AIPU_clean_job(const ctx_handle* ctx, std::uint32_t job);
aipu_status_t AIPU_set_dump_options(const ctx_handle* ctx, std::uint32_t job, const dump_option* option);
aipu_status_t AIPU_debugger_get_core_cnt(const ctx_handle* ctx, std::uint32_t* count);
aipu_status_t AIPU_debugger_get_core_info(const ctx_handle* ctx, std::uint32_t core, aipu_core_info* info);
aipu_status_t AIPU_debugger_get_job_info(const ctx_handle* ctx, std::uint32_t job,
                                         aipu_debugger_job_info* info);
aipu_status_t AIPU_debugger_bind_job(const ctx_handle* ctx, std::uint32_t core, std::uint32_t job);
aipu_status_t AIPU_debugger_run_job(const ctx_handle* ctx, std::uint32_t job);
aipu_status_t AIPU_debugger_malloc(const ctx_handle* ctx, std::uint32_t size, void** va);
aipu_status_t AIPU_debugger_free(const ctx_handle* ctx, void* va);
aipu_status_t AIPU_printf(tensor_buffer* buffer, char* file);
aipu_status_t aipu_printf(char* base, char* file);

#endif
