/* SPDX-License-Identifier: MIT */
/*
 * The "standard API" of libaipudrv, release 6.1, as zynpu provides it. Every size, offset and number follows
 * standard-api.md, so that programs built for the vendor's library of that release run unchanged; the
 * comments here say what zynpu does. For C11 and C++.
 *
 * Functions may be called from any thread; one job is used by one thread at a time. They return a status and
 * never terminate the process for a wrong handle or a NULL argument. Structures that the library fills are
 * untouched on failure.
 */
#ifndef ZYNPU_COMPAT_STANDARD_API_H
#define ZYNPU_COMPAT_STANDARD_API_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
#define AIPU_DEFAULT(value) = value
#define AIPU_ENUM : uint32_t /* any number may arrive from a caller */
extern "C" {
#else
#define AIPU_DEFAULT(value)
#define AIPU_ENUM
#endif

/* Names a context. The structure belongs to the library. */
typedef struct aipu_ctx_handle {
  uint32_t handle;
} aipu_ctx_handle_t;

typedef enum AIPU_ENUM {
  AIPU_DATA_TYPE_NONE = 0,
  AIPU_DATA_TYPE_BOOL = 1,
  AIPU_DATA_TYPE_U8 = 2,
  AIPU_DATA_TYPE_S8 = 3,
  AIPU_DATA_TYPE_U16 = 4,
  AIPU_DATA_TYPE_S16 = 5,
  AIPU_DATA_TYPE_U32 = 6,
  AIPU_DATA_TYPE_S32 = 7,
  AIPU_DATA_TYPE_U64 = 8,
  AIPU_DATA_TYPE_S64 = 9,
  AIPU_DATA_TYPE_F16 = 10,
  AIPU_DATA_TYPE_F32 = 11,
  AIPU_DATA_TYPE_F64 = 12,
  AIPU_DATA_TYPE_BF16 = 13,
  AIPU_DATA_TYPE_ALIGNED_U4 = 0x12,
  AIPU_DATA_TYPE_ALIGNED_S4 = 0x13,
  AIPU_DATA_TYPE_ALIGNED_U12 = 0x14,
  AIPU_DATA_TYPE_ALIGNED_S12 = 0x15,
  AIPU_DATA_TYPE_COMPACT_U4 = 0x20,
  AIPU_DATA_TYPE_COMPACT_S4 = 0x21,
  AIPU_DATA_TYPE_COMPACT_U12 = 0x22,
  AIPU_DATA_TYPE_COMPACT_S12 = 0x23
} aipu_data_type_t;

typedef enum AIPU_ENUM {
  AIPU_TENSOR_TYPE_INPUT = 0,
  AIPU_TENSOR_TYPE_OUTPUT = 1,
  AIPU_TENSOR_TYPE_INTER_DUMP = 2,
  AIPU_TENSOR_TYPE_PRINTF = 3,
  AIPU_TENSOR_TYPE_PROFILER = 4,
  AIPU_TENSOR_TYPE_LAYER_COUNTER = 5,
  AIPU_TENSOR_TYPE_ERROR_CODE = 6,
  AIPU_TENSOR_TYPE_OUT_TENSOR_SHAPE = 7
} aipu_tensor_type_t;

typedef enum AIPU_ENUM {
  AIPU_JOB_STATUS_NO_STATUS = 0, /* not finished */
  AIPU_JOB_STATUS_DONE = 1,
  AIPU_JOB_STATUS_EXCEPTION = 2,
  AIPU_JOB_STATUS_COREDUMP = 3
} aipu_job_status_t;

typedef enum AIPU_ENUM {
  AIPU_JOB_CONFIG_TYPE_DUMP_TEXT = 0x1,
  AIPU_JOB_CONFIG_TYPE_DUMP_WEIGHT = 0x2,
  AIPU_JOB_CONFIG_TYPE_DUMP_RODATA = 0x4,
  AIPU_JOB_CONFIG_TYPE_DUMP_DESCRIPTOR = 0x8,
  AIPU_JOB_CONFIG_TYPE_DUMP_INPUT = 0x10,
  AIPU_JOB_CONFIG_TYPE_DUMP_OUTPUT = 0x20,
  AIPU_JOB_CONFIG_TYPE_DUMP_REUSE = 0x40,
  AIPU_JOB_CONFIG_TYPE_DUMP_TCB_CHAIN = 0x80,
  AIPU_JOB_CONFIG_TYPE_DUMP_EMULATION = 0x100,
  AIPU_JOB_CONFIG_TYPE_DUMP_PROFILE = 0x200,
  AIPU_JOB_CONFIG_TYPE_DYNAMIC_PARAMS = 0x400,
  AIPU_CONFIG_TYPE_SIMULATION = 0x10000,
  AIPU_CONFIG_TYPE_HW = 0x20000,
  AIPU_GLOBAL_CONFIG_TYPE_DISABLE_VER_CHECK = 0x1000000,
  AIPU_GLOBAL_CONFIG_TYPE_ENABLE_VER_CHECK = 0x2000000
} aipu_config_type_t;

typedef enum AIPU_ENUM { DEV_IDLE = 0, DEV_BUSY = 1, DEV_EXCEPTION = 2 } device_status_t;

typedef enum AIPU_ENUM {
  AIPU_SHARE_BUF_IN_ONE_PROCESS = 0, /* of AIPU_IOCTL_ALLOC_SHARE_BUF, by pa */
  AIPU_SHARE_BUF_DMABUF = 1,         /* of AIPU_IOCTL_ALLOC_DMABUF, by file descriptor and offset */
  AIPU_SHARE_BUF_CUSTOMED = 2,       /* memory that the caller manages, by pa */
  AIPU_SHARE_BUF_ATTACH_DMABUF = 3   /* a dma-buf of another driver, by file descriptor and offset */
} aipu_share_case_type_t;

typedef enum AIPU_ENUM {
  AIPU_JOB_PART0 = 0,
  AIPU_JOB_PART1 = 1,
  AIPU_JOB_PART2 = 2,
  AIPU_JOB_PART3 = 3
} aipu_job_part_t;
typedef enum AIPU_ENUM { AIPU_JOB_QOS_SLOW = 0, AIPU_JOB_QOS_HIGH = 1 } aipu_job_qos_t;
typedef enum AIPU_ENUM {
  AIPU_MEM_REGION_DEFAULT = 0,
  AIPU_MEM_REGION_SRAM = 1,
  AIPU_MEM_REGION_DTCM = 2
} aipu_mem_region_t;

typedef enum AIPU_ENUM {
  AIPU_IOCTL_READ_DBGREG = 0,
  AIPU_IOCTL_WRITE_DBGREG = 1,
  AIPU_IOCTL_READ_TSMREG = 2,
  AIPU_IOCTL_WRITE_TSMREG = 3,
  AIPU_IOCTL_READ_MEM = 4,
  AIPU_IOCTL_WRITE_MEM = 5
} aipu_ioctl_rw_t;

typedef enum AIPU_ENUM {
  AIPU_IOCTL_SET_PROFILE = 255,        /* int* */
  AIPU_IOCTL_GET_AIPUBIN_BUILDVERSION, /* aipu_bin_buildversion_t* */
  AIPU_IOCTL_GET_DS_NUM,               /* aipu_dynshape_num_t* */
  AIPU_IOCTL_GET_DS_DIM_NUM,           /* aipu_dynshape_dim_num_t* */
  AIPU_IOCTL_GET_DS_INFO,              /* aipu_dynshape_info_t* */
  AIPU_IOCTL_IS_DS,                    /* aipu_is_ds_t* */
  AIPU_IOCTL_GET_DS_RANK,              /* aipu_dynshape_rank_t* */
  AIPU_IOCTL_GET_DS_DIM_CONSTRAINT,    /* aipu_dynshape_dimension_t* */
  AIPU_IOCTL_SET_DYNAMIC_ASID1,        /* bool* */
  AIPU_IOCTL_ALLOC_SHARE_BUF,          /* aipu_share_buf_t* */
  AIPU_IOCTL_FREE_SHARE_BUF,           /* aipu_share_buf_t* */
  AIPU_IOCTL_ALLOC_DMABUF,             /* aipu_dma_buf_req_t* */
  AIPU_IOCTL_FREE_DMABUF,              /* int* */
  AIPU_IOCTL_GET_DMABUF_INFO,          /* aipu_dma_buf_desc_t* */
  AIPU_IOCTL_WRITE_DMABUF,             /* aipu_dmabuf_op_t* */
  AIPU_IOCTL_READ_DMABUF,              /* aipu_dmabuf_op_t* */
  AIPU_IOCTL_ATTACH_DMABUF,            /* aipu_dma_buf_desc_t* */
  AIPU_IOCTL_DETACH_DMABUF,            /* int* */
  AIPU_IOCTL_GET_VERSION,              /* aipu_driver_version_t* */
  AIPU_IOCTL_ABORT_CMDPOOL,            /* no argument */
  AIPU_IOCTL_ENABLE_TICKCOUNTER,       /* no argument */
  AIPU_IOCTL_DISABLE_TICKCOUNTER,      /* no argument */
  AIPU_IOCTL_RW_REGISTER,              /* aipu_reg_rw_t* */
  AIPU_IOCTL_RW_MEMORY,                /* aipu_mem_rw_t* */
  AIPU_IOCTL_SW_RESET,                 /* no argument */
  AIPU_IOCTL_HW_RESET                  /* no argument */
} aipu_ioctl_cmd_t;

typedef enum AIPU_ENUM {
  AIPU_STATUS_SUCCESS = 0x0,
  AIPU_STATUS_ERROR_NULL_PTR = 0x1,
  AIPU_STATUS_ERROR_INVALID_CTX = 0x2,
  AIPU_STATUS_ERROR_OPEN_DEV_FAIL = 0x3,
  AIPU_STATUS_ERROR_DEV_ABNORMAL = 0x4,
  AIPU_STATUS_ERROR_DEINIT_FAIL = 0x5,
  AIPU_STATUS_ERROR_INVALID_CONFIG = 0x6,
  AIPU_STATUS_ERROR_UNKNOWN_BIN = 0x7,
  AIPU_STATUS_ERROR_GVERSION_UNSUPPORTED = 0x8,
  AIPU_STATUS_ERROR_INVALID_GBIN = 0x9,
  AIPU_STATUS_ERROR_TARGET_NOT_FOUND = 0xA,
  AIPU_STATUS_ERROR_INVALID_GRAPH_ID = 0xB,
  AIPU_STATUS_ERROR_OPEN_FILE_FAIL = 0xC,
  AIPU_STATUS_ERROR_MAP_FILE_FAIL = 0xD,
  AIPU_STATUS_ERROR_READ_FILE_FAIL = 0xE,
  AIPU_STATUS_ERROR_WRITE_FILE_FAIL = 0xF,
  AIPU_STATUS_ERROR_INVALID_JOB_ID = 0x10,
  AIPU_STATUS_ERROR_JOB_EXCEPTION = 0x11,
  AIPU_STATUS_ERROR_JOB_TIMEOUT = 0x12,
  AIPU_STATUS_ERROR_OP_NOT_SUPPORTED = 0x13,
  AIPU_STATUS_ERROR_INVALID_OP = 0x14,
  AIPU_STATUS_ERROR_INVALID_SIZE = 0x15,
  AIPU_STATUS_ERROR_BUF_ALLOC_FAIL = 0x16,
  AIPU_STATUS_ERROR_BUF_FREE_FAIL = 0x17,
  AIPU_STATUS_ERROR_INVALID_CORE_ID = 0x18,
  AIPU_STATUS_ERROR_RESERVE_SRAM_FAIL = 0x19,
  AIPU_STATUS_ERROR_INVALID_TENSOR_ID = 0x1A,
  AIPU_STATUS_ERROR_INVALID_CLUSTER_ID = 0x1B,
  AIPU_STATUS_ERROR_INVALID_PARTITION_ID = 0x1C,
  AIPU_STATUS_ERROR_PRINTF_FAIL = 0x1D,
  AIPU_STATUS_ERROR_INVALID_TENSOR_TYPE = 0x1E,
  AIPU_STATUS_ERROR_INVALID_GM = 0x1F,
  AIPU_STATUS_ERROR_INVALID_SEGMMU = 0x20,
  AIPU_STATUS_ERROR_INVALID_QOS = 0x21,
  AIPU_STATUS_ERROR_INVALID_TENSOR_CNT = 0x22,
  AIPU_STATUS_ERROR_TIMEOUT = 0x23,
  AIPU_STATUS_ERROR_NO_BATCH_QUEUE = 0x24,
  AIPU_STATUS_ERROR_MARK_SHARED_TENSOR = 0x25,
  AIPU_STATUS_ERROR_SET_SHARED_TENSOR = 0x26,
  AIPU_STATUS_ERROR_DMABUF_SHARED_IO = 0x27,
  AIPU_STATUS_ERROR_GET_SHAPE_FAILED = 0x28,
  AIPU_STATUS_ERROR_SET_SHAPE_FAILED = 0x29,
  AIPU_STATUS_ERROR_NOT_CONFIG_SHAPE = 0x30,
  AIPU_STATUS_ERROR_UNMATCH_OUT_SHAPE = 0x31,
  AIPU_STATUS_ERROR_ZERO_TENSOR_SIZE = 0x32,
  AIPU_STATUS_ERROR_ALLOC_GRIP_ID = 0x33,
  AIPU_STATUS_ERROR_ALLOC_GROUP_ID = 0x34,
  AIPU_STATUS_ERROR_NOT_FOUND_IN_HASHTABLE = 0x35,
  AIPU_STATUS_ERROR_INVALID_COREDUMP = 0x36,
  AIPU_STATUS_ERROR_JOB_DISPATCH_FAIL = 0x37,
  AIPU_STATUS_MAX = 0x38,
  /* What a program on the NPU reports through its error-code tensor; status calls return it as it is. */
  AIPU_STATUS_ERROR_UNKNOWN_ERROR = 0x200,
  AIPU_STATUS_ERROR_KEYBOARD_INTERRUPT = 0x300,
  AIPU_STATUS_ERROR_SYSTEM_ERR = 0x301,
  AIPU_STATUS_ERROR_OUT_OF_SPEC = 0x380,
  AIPU_STATUS_ERROR_OUT_OF_AIFF_SPEC = 0x381,
  AIPU_STATUS_ERROR_OUT_OF_TPC_SPEC = 0x382,
  AIPU_STATUS_ERROR_OUT_OF_DMA_SPEC = 0x383,
  AIPU_STATUS_ERROR_OUT_OF_MEM_RANGE = 0x400,
  AIPU_STATUS_ERROR_OUT_OF_SRAM_RANGE = 0x401,
  AIPU_STATUS_ERROR_OUT_OF_LSRAM0_RANGE = 0x402,
  AIPU_STATUS_ERROR_OUT_OF_LSRAM1_RANGE = 0x403,
  AIPU_STATUS_ERROR_OUT_OF_LSRAM_RANGE = 0x404,
  AIPU_STATUS_ERROR_OUT_OF_GSRAM0_RANGE = 0x405,
  AIPU_STATUS_ERROR_OUT_OF_GSRAM1_RANGE = 0x406,
  AIPU_STATUS_ERROR_OUT_OF_GSRAM_RANGE = 0x407,
  AIPU_STATUS_ERROR_ARITHMETIC_ERR = 0x480,
  AIPU_STATUS_ERROR_FLOAT_POINT_ERR = 0x481,
  AIPU_STATUS_ERROR_UNDERFLOW_ERR = 0x482,
  AIPU_STATUS_ERROR_OVERFLOW_ERR = 0x483,
  AIPU_STATUS_ERROR_NOT_A_NUMBER_ERR = 0x484,
  AIPU_STATUS_ERROR_INFINITY_ERR = 0x485,
  AIPU_STATUS_ERROR_STRING_LENGTH_ERR = 0x486,
  AIPU_STATUS_ERROR_ZERO_DIVISION_ERR = 0x487
} aipu_status_t;

typedef struct aipu_tensor_desc {
  uint32_t id;   /* the index that was asked for */
  uint32_t size; /* bytes */
  float scale;
  int32_t zero_point;
  aipu_data_type_t data_type;
} aipu_tensor_desc_t;

typedef struct aipu_debugger_job_info {
  uint64_t instr_base;         /* device address of the program */
  void* simulation_aipu;       /* NULL: the virtual NPU has no object of the vendor's kind */
  void* simulation_mem_engine; /* NULL */
} aipu_debugger_job_info_t;

typedef struct aipu_core_info {
  uint64_t reg_base;
} aipu_core_info_t;

typedef struct aipu_job_config_dump {
  const char* dump_dir;      /* NULL: "./"; must exist */
  const char* prefix;        /* NULL: "temp" */
  const char* output_prefix; /* NULL: "temp" */
  const char* misc_prefix;   /* NULL: "" */
} aipu_job_config_dump_t;

typedef struct aipu_job_config_simulation {
  const char* data_dir; /* must exist; the virtual NPU writes nothing there */
} aipu_job_config_simulation_t;

/* Of these the virtual NPU uses none but checks gm_size; they choose among vendor simulators. */
typedef struct aipu_global_config_simulation {
  uint32_t log_level;
  bool verbose;
  const char* log_file_path;
  const char* json_filename;
  bool print_subg_info;
  const char* plugin_name;
  const char* simulator;
  const char* npu_arch_desc;
  uint32_t gm_size; /* 0, 512 KiB, or a power of two of 1..64 MiB */
  bool enable_avx;
  bool enable_calloc;
  bool en_eval;
  int8_t fp_mode;
  bool en_l2d;
  bool en_fast_perf;
  uint32_t freq_mhz;
  uint32_t ddr_latency_rd;
  uint32_t ddr_latency_wr;
  uint32_t ddr_bw;
  float ddr_bw_ratio;
  const char* perf_report;
} aipu_global_config_simulation_t;

typedef struct aipu_global_config_hw {
  bool poll_in_commit_thread; /* accepted; any thread may poll for any job here */
  bool enable_tec_done_irq;
} aipu_global_config_hw_t;

typedef struct aipu_shared_tensor_info {
  aipu_tensor_type_t type; /* input or output */
  uint32_t tensor_idx;
  uint64_t id; /* unused */
  uint64_t pa;
  int dmabuf_fd;
  uint32_t offset_in_dmabuf;
  int shared_case_type; /* aipu_share_case_type_t */
} aipu_shared_tensor_info_t;

typedef struct aipu_dmabuf_op {
  int dmabuf_fd;
  uint32_t offset_in_dmabuf;
  uint32_t size;
  char* data;
} aipu_dmabuf_op_t;

typedef struct aipu_share_buf {
  uint64_t pa;
  uint64_t va;
  uint32_t size;
  uint32_t mem_type; /* aipu_mem_region_t */
} aipu_share_buf_t;

typedef struct aipu_dma_buf_req {
  int fd;
  uint64_t bytes;
} aipu_dma_buf_req_t;

typedef struct aipu_dma_buf_desc {
  int fd;
  uint64_t pa;
  uint64_t bytes;
} aipu_dma_buf_desc_t;

typedef struct aipu_driver_version {
  char umd_version[16];
  char kmd_version[16];
} aipu_driver_version_t;

typedef struct aipu_bin_buildversion {
  uint64_t graph_id;
  uint32_t aipubin_buildversion;
} aipu_bin_buildversion_t;

typedef struct aipu_dynshape_num {
  uint64_t graph_id;
  uint32_t* ds_num;
} aipu_dynshape_num_t;

typedef struct aipu_dynshape_dim_num {
  uint64_t graph_id;
  uint32_t ds_idx;
  bool max_threshhold;
  uint32_t* ds_dim_num;
} aipu_dynshape_dim_num_t;

typedef struct aipu_dynshape_info {
  uint64_t graph_id;
  uint32_t ds_idx;
  bool max_threshhold; /* the largest extents, else the smallest */
  uint32_t* ds_data;
} aipu_dynshape_info_t;

typedef struct aipu_dynshape_rank {
  uint64_t graph_id;
  uint32_t ds_idx;
  uint32_t rank; /* out */
} aipu_dynshape_rank_t;

typedef struct aipu_dynshape_dimension {
  uint64_t graph_id;
  uint32_t ds_idx;
  uint32_t* min_dim; /* room for `rank` words each */
  uint32_t* max_dim;
} aipu_dynshape_dimension_t;

typedef struct aipu_dynshape_item {
  uint32_t ds_idx;
  uint32_t* ds_data; /* as many words as the input's rank */
} aipu_dynshape_item_t;

typedef struct aipu_dynshape_param {
  uint32_t input_shape_cnt;
  aipu_dynshape_item_t* shape_items;
} aipu_dynshape_param_t;

typedef struct aipu_load_graph_cfg {
  __extension__ union {
    uint32_t misc;
    __extension__ struct {
      uint32_t wt_mem_region : 4; /* aipu_mem_region_t for the sections of wt_idxes */
      uint32_t misc_unused : 28;
    };
  };
  int32_t* wt_idxes;
  int32_t wt_idxes_cnt;
  const char* extra_weight_path;
  bool put_weight_gm;
  bool put_desc_gm;
  bool put_ws_gm;
} aipu_load_graph_cfg_t;

typedef struct aipu_create_job_cfg {
  __extension__ union {
    uint32_t misc;
    __extension__ struct {
      uint32_t partition_id : 4;
      uint32_t dbg_dispatch : 1;
      uint32_t dbg_core_id : 3;
      uint32_t qos_level : 4;     /* aipu_job_qos_t */
      uint32_t fm_mem_region : 4; /* aipu_mem_region_t */
      uint32_t misc_unused : 16;
    };
  };
  bool bind_enable;
  uint8_t bind_cluster_ids;
  uint8_t bind_core_ids;
  uint32_t reserved_iova_size;
  int32_t* fm_idxes;
  int32_t fm_idxes_cnt;
  aipu_dynshape_param_t* dynshape; /* wins over dynshape_params if not NULL */
  aipu_dynshape_param_t dynshape_params;
} aipu_create_job_cfg_t;

typedef struct aipu_reg_rw {
  aipu_ioctl_rw_t type;
  uint32_t offset;
  uint32_t value;
} aipu_reg_rw_t;

typedef struct aipu_mem_rw {
  aipu_ioctl_rw_t type;
  uint64_t job_id;
  uint32_t size;
  uint32_t addr; /* relative to the job's ASID 0 base */
  void* data;
} aipu_mem_rw_t;

typedef struct aipu_is_ds {
  uint64_t graph_id;
  bool dynamic_shape;
} aipu_is_ds_t;

/* Called in the thread of a status call that saw the job finish, before that call returns. */
typedef int (*aipu_job_callback_func_t)(uint64_t job_id, aipu_job_status_t state);

/* Contexts. aipu_get_error_message accepts a NULL context. */
aipu_status_t aipu_init_context(aipu_ctx_handle_t** ctx);
aipu_status_t aipu_deinit_context(const aipu_ctx_handle_t* ctx);
aipu_status_t aipu_get_error_message(const aipu_ctx_handle_t* ctx, aipu_status_t status, const char** msg);
aipu_status_t aipu_config_global(const aipu_ctx_handle_t* ctx, uint64_t types, void* config);

/* Graphs. */
aipu_status_t aipu_load_graph(const aipu_ctx_handle_t* ctx, const char* graph, uint64_t* id,
                              aipu_load_graph_cfg_t* config AIPU_DEFAULT(nullptr));
aipu_status_t aipu_load_graph_helper(const aipu_ctx_handle_t* ctx, const char* graph_buf, uint32_t graph_size,
                                     uint64_t* id, aipu_load_graph_cfg_t* config AIPU_DEFAULT(nullptr));
aipu_status_t aipu_load_share_weight_graph(const aipu_ctx_handle_t* ctx, const char* graph, uint64_t** ids,
                                           uint32_t* id_cnt,
                                           aipu_load_graph_cfg_t* config AIPU_DEFAULT(nullptr));
aipu_status_t aipu_unload_graph(const aipu_ctx_handle_t* ctx, uint64_t graph);

/* Jobs. */
aipu_status_t aipu_create_job(const aipu_ctx_handle_t* ctx, uint64_t graph, uint64_t* job,
                              aipu_create_job_cfg_t* config AIPU_DEFAULT(nullptr));
aipu_status_t aipu_finish_job(const aipu_ctx_handle_t* ctx, uint64_t job, int32_t time_out);
aipu_status_t aipu_flush_job(const aipu_ctx_handle_t* ctx, uint64_t job,
                             aipu_job_callback_func_t callback AIPU_DEFAULT(nullptr));
aipu_status_t aipu_get_job_status(const aipu_ctx_handle_t* ctx, uint64_t job, aipu_job_status_t* status,
                                  int32_t timeout AIPU_DEFAULT(0));
aipu_status_t aipu_clean_job(const aipu_ctx_handle_t* ctx, uint64_t job);
aipu_status_t aipu_config_job(const aipu_ctx_handle_t* ctx, uint64_t job, uint64_t types, void* config);

/* Tensors. `id` is of a graph or of a job; data moves as whole tensors of the size in the descriptor. */
aipu_status_t aipu_get_tensor_count(const aipu_ctx_handle_t* ctx, uint64_t id, aipu_tensor_type_t type,
                                    uint32_t* cnt);
aipu_status_t aipu_get_tensor_descriptor(const aipu_ctx_handle_t* ctx, uint64_t id, aipu_tensor_type_t type,
                                         uint32_t tensor, aipu_tensor_desc_t* desc);
aipu_status_t aipu_load_tensor(const aipu_ctx_handle_t* ctx, uint64_t job, uint32_t tensor, const void* data);
aipu_status_t aipu_get_tensor(const aipu_ctx_handle_t* ctx, uint64_t job, aipu_tensor_type_t type,
                              uint32_t tensor, void* data);
aipu_status_t aipu_specify_iobuf(const aipu_ctx_handle_t* ctx, uint64_t job,
                                 aipu_shared_tensor_info_t* shared_buf);

/* The device. */
aipu_status_t aipu_get_partition_count(const aipu_ctx_handle_t* ctx, uint32_t* cnt);
aipu_status_t aipu_get_cluster_count(const aipu_ctx_handle_t* ctx, uint32_t partition_id, uint32_t* cnt);
aipu_status_t aipu_get_core_count(const aipu_ctx_handle_t* ctx, uint32_t partition_id, uint32_t cluster,
                                  uint32_t* cnt);
aipu_status_t aipu_get_target(const aipu_ctx_handle_t* ctx, char* target);
aipu_status_t aipu_get_device_status(const aipu_ctx_handle_t* ctx, device_status_t* status);
aipu_status_t aipu_ioctl(aipu_ctx_handle_t* ctx, uint32_t cmd, void* arg AIPU_DEFAULT(nullptr));

/* Debugging. */
aipu_status_t aipu_debugger_get_core_info(const aipu_ctx_handle_t* ctx, uint32_t id, aipu_core_info_t* info);
aipu_status_t aipu_debugger_get_job_info(const aipu_ctx_handle_t* ctx, uint64_t job,
                                         aipu_debugger_job_info_t* info);
aipu_status_t aipu_debugger_bind_job(const aipu_ctx_handle_t* ctx, uint32_t id, uint64_t job);
aipu_status_t aipu_debugger_run_job(const aipu_ctx_handle_t* ctx, uint64_t job);
aipu_status_t aipu_debugger_malloc(const aipu_ctx_handle_t* ctx, uint32_t size, void** va);
aipu_status_t aipu_debugger_free(const aipu_ctx_handle_t* ctx, void* va);
aipu_status_t aipu_printf(char* printf_base, char* redirect_file);

/* Batches: many input sets through one graph. The pointers must stay valid until aipu_finish_batch returns.
 */
aipu_status_t aipu_create_batch_queue(const aipu_ctx_handle_t* ctx, uint64_t graph, uint32_t* queue);
aipu_status_t aipu_clean_batch_queue(const aipu_ctx_handle_t* ctx, uint64_t graph, uint32_t queue);
aipu_status_t aipu_config_batch_dump(const aipu_ctx_handle_t* ctx, uint64_t graph, uint32_t queue,
                                     uint64_t types, aipu_job_config_dump_t* dump_cfg);
aipu_status_t aipu_add_batch(const aipu_ctx_handle_t* ctx, uint64_t graph, uint32_t queue, char* inputs[],
                             char* outputs[]);
aipu_status_t aipu_finish_batch(const aipu_ctx_handle_t* ctx, uint64_t graph, uint32_t queue,
                                aipu_create_job_cfg_t* create_cfg);

/* Exported by the vendor's library for its own tools. */
aipu_status_t aipu_load_output_tensor(const aipu_ctx_handle_t* ctx, uint64_t job, uint32_t tensor,
                                      const void* data);
aipu_status_t aipu_rewrite_rodata(const aipu_ctx_handle_t* ctx, uint64_t job, uint32_t offset,
                                  uint32_t value);
aipu_status_t aipu_malloc(const aipu_ctx_handle_t* ctx, uint32_t size, uint32_t align_pages, uint32_t asid,
                          void** handle);
aipu_status_t aipu_free(const aipu_ctx_handle_t* ctx, void** handle);
/* kind: 0 host to device, 1 device to host, 2 device to device; device pointers are handles of aipu_malloc.
 */
aipu_status_t aipu_memcpy(const aipu_ctx_handle_t* ctx, void* dst, const void* src, uint32_t size, int kind);
aipu_status_t aipu_get_va(const aipu_ctx_handle_t* ctx, const void* handle, char** va);
aipu_status_t aipu_get_elf_note_size(const aipu_ctx_handle_t* ctx, uint64_t graph, const char* name,
                                     uint64_t* size);
aipu_status_t aipu_read_elf_note(const aipu_ctx_handle_t* ctx, uint64_t graph, const char* name, char* data,
                                 uint64_t* size);

#ifdef __cplusplus
}
#endif

#endif
