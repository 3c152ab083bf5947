/* SPDX-License-Identifier: MIT */
/*
 * zynpu.h - the C interface of libzynpu: run quantised networks on Arm China Zhouyi NPUs.
 *
 * Objects
 *   zynpu_device   an opened NPU. Thread-safe: any function, from any thread.
 *   zynpu_graph    a model compiled for, and loaded onto, one device. Immutable, thread-safe.
 *   zynpu_job      buffers and state for running a graph; reusable for ever. Several jobs of one graph share
 * its weights and may run from different threads. One thread at a time calls the functions of one job; only
 *                  zynpu_job_wait and zynpu_job_cancel may be called beside zynpu_job_run or _wait of another
 * thread. Handles may be released in any order: a job keeps its graph alive, a graph its device.
 *
 * Errors
 *   Every function that can fail returns a zynpu_status. zynpu_last_error() then gives one English line about
 * it, for the calling thread: what failed, which object, which value, which limit. Out-parameters are not
 * touched on failure. A NULL handle or out-pointer is an error (ZYNPU_INVALID_ARGUMENT), never a crash. No
 * function aborts, prints or throws.
 *
 * Growth
 *   Structures begin with `size`, which the caller sets to sizeof the structure before the call (ZYNPU_INIT
 * does it). Fields are only ever appended; a field that an older library or caller does not know keeps its
 * default (0). NULL for an options structure means all defaults. Symbols are versioned; none is ever removed
 * from a version.
 *
 * Time
 *   Loading does all preparation: libzynpu allocates nothing between the start and the end of a run.
 *   Cycles are modelled cycles of the virtual NPU (docs/timing.md), not measured ones, wherever `modelled`
 * is 1.
 */
#ifndef ZYNPU_ZYNPU_H
#define ZYNPU_ZYNPU_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define ZYNPU_API __attribute__((visibility("default")))
#define ZYNPU_MUST_CHECK __attribute__((warn_unused_result))
#else
#define ZYNPU_API
#define ZYNPU_MUST_CHECK
#endif

/* Interface version of this header, and of the symbols (ZYNPU_0.1). Major changes with incompatible changes
 * only. */
#define ZYNPU_API_MAJOR 0
#define ZYNPU_API_MINOR 1

/* Initialises a structure of this header: ZYNPU_INIT(&info); */
#ifdef __cplusplus
#define ZYNPU_INIT(pointer) (*(pointer) = {}, (pointer)->size = sizeof(*(pointer)))
#else
#define ZYNPU_INIT(pointer) zynpu_init_struct((pointer), sizeof(*(pointer)))
#endif

#define ZYNPU_MAX_RANK 8

typedef struct zynpu_device zynpu_device;
typedef struct zynpu_graph zynpu_graph;
typedef struct zynpu_job zynpu_job;

/* Results of all functions. Values are stable. */
typedef enum zynpu_status {
  ZYNPU_OK = 0,
  ZYNPU_INVALID_ARGUMENT = 1, /* the caller broke the function's contract */
  ZYNPU_BAD_FILE = 2,         /* a model or graph is malformed; the text names the field */
  ZYNPU_UNSUPPORTED =
      3,               /* well-formed, but nothing here can do it; the text names operator, tensor, reason */
  ZYNPU_NOT_FOUND = 4, /* file, device or name does not exist */
  ZYNPU_IO_ERROR = 5,  /* the operating system failed a read or write */
  ZYNPU_OUT_OF_MEMORY = 6, /* memory of the host or of the device is exhausted */
  ZYNPU_DEVICE_FAULT = 7,  /* the NPU program faulted; the text holds the diagnostic and the layer */
  ZYNPU_TIMEOUT = 8,       /* the deadline passed before completion; the job still runs */
  ZYNPU_INTERNAL = 9,      /* a bug in libzynpu */
  ZYNPU_CANCELLED = 10,    /* zynpu_job_cancel stopped the job */
  ZYNPU_BUSY = 11          /* the job runs; wait for it first */
} zynpu_status;

/* Element types of tensors. Values are stable. */
typedef enum zynpu_type {
  ZYNPU_TYPE_INT8 = 0,
  ZYNPU_TYPE_UINT8 = 1,
  ZYNPU_TYPE_INT16 = 2,
  ZYNPU_TYPE_UINT16 = 3,
  ZYNPU_TYPE_INT32 = 4,
  ZYNPU_TYPE_UINT32 = 5,
  ZYNPU_TYPE_INT64 = 6,
  ZYNPU_TYPE_FLOAT32 = 7,
  ZYNPU_TYPE_BOOL = 8,
  ZYNPU_TYPE_UNKNOWN = 9 /* a graph from another compiler that does not say */
} zynpu_type;

/* Order of elements in memory. All layouts are dense, little-endian, the last dimension fastest. */
typedef enum zynpu_layout {
  ZYNPU_LAYOUT_DENSE = 0, /* row-major, dimensions have no fixed meaning */
  ZYNPU_LAYOUT_NHWC = 1   /* row-major, rank 4: batch, rows, columns, channels */
} zynpu_layout;

/* Where an operator runs. */
typedef enum zynpu_placement { ZYNPU_PLACEMENT_CPU = 0, ZYNPU_PLACEMENT_NPU = 1 } zynpu_placement;

typedef struct zynpu_device_info {
  size_t size;
  char name[64];         /* what zynpu_device_open takes: "virtual:x2" */
  char part[16];         /* "z1", "z2", "x2" */
  char target[16];       /* the vendor's name: "X2_1204" */
  char description[128]; /* one line for people */
  uint32_t clusters, cores_per_cluster, tecs_per_core;
  uint64_t window_bytes; /* device address space of one client */
  int is_virtual;        /* 1: the in-process virtual NPU */
  int virtual_profile; /* 1: what zynpu compiles for this part runs on the virtual NPU only, not on silicon */
} zynpu_device_info;

typedef struct zynpu_tensor_info {
  size_t size;
  const char* name; /* owned by the graph; may be empty, never NULL */
  zynpu_type type;
  zynpu_layout layout;
  uint32_t rank;
  int32_t shape[ZYNPU_MAX_RANK];
  int quantized; /* 1: real = scale * (value - zero_point) */
  float scale;
  int32_t zero_point;
  size_t bytes; /* of the whole tensor */
} zynpu_tensor_info;

/* Options of zynpu_graph_load_*. */
typedef struct zynpu_load_options {
  size_t size;
  int cpu_only;   /* 1: run every operator on the CPU (the reference operators), for comparison */
  int keep_model; /* 1: keep what zynpu_job_compare needs (a .tflite model only); costs memory of the model's
                     size */
  const char* name; /* of the model in messages; NULL: the file's name, or "model" */
} zynpu_load_options;

/* Options of zynpu_job_create. */
typedef struct zynpu_job_options {
  size_t size;
  int compare; /* 1: each run is repeated by the reference operators; see zynpu_job_compare. Slow */
} zynpu_job_options;

/* What the last completed run of a job cost. */
typedef struct zynpu_profile {
  size_t size;
  int modelled;       /* 1: the NPU numbers come from the virtual NPU's timing model */
  uint64_t cycles;    /* of all NPU steps */
  uint64_t bundles;   /* instruction bundles retired, all TECs */
  uint64_t macs;      /* products issued by the NPU, padding lanes included */
  uint64_t dma_bytes; /* moved by DMA */
  double host_ms;     /* wall time of the whole run on this host */
  uint32_t steps;     /* see zynpu_job_step_profile */
  uint32_t layers;    /* see zynpu_job_layer_profile */
} zynpu_profile;

/* One stage of a run: one NPU program, or consecutive operators on the CPU. */
typedef struct zynpu_step_profile {
  size_t size;
  zynpu_placement placement;
  uint32_t layers;                           /* operators in the step */
  uint64_t cycles, bundles, macs, dma_bytes; /* 0 on the CPU */
  double host_ms;
} zynpu_step_profile;

/* One operator of the model. */
typedef struct zynpu_layer_profile {
  size_t size;
  const char* name;   /* "CONV_2D #3"; owned by the graph */
  const char* reason; /* why it is on the CPU; empty on the NPU; owned by the graph */
  zynpu_placement placement;
  uint32_t step;                             /* index for zynpu_job_step_profile */
  uint64_t model_macs;                       /* multiply-accumulates that the operator asks for */
  uint64_t predicted_cycles;                 /* the compiler's estimate; 0 on the CPU */
  uint64_t cycles, bundles, macs, dma_bytes; /* of the last run; 0 on the CPU */
  double host_ms;                            /* CPU operators only */
  int own_code; /* 1: cycles and so on are this operator's own. 0 on the NPU: it needs no instructions, or
                   runs those of an earlier operator, for which its cycles then count */
} zynpu_layer_profile;

/* Result of comparing a run with the reference operators. */
typedef struct zynpu_difference {
  size_t size;
  int equal;        /* 1: every output equals the reference, bit for bit; the rest is 0 or "" */
  char tensor[128]; /* first output that differs */
  char layer[128];  /* first operator, in execution order, whose result differs; "" if none alone does */
  uint64_t element; /* flat index of the first differing element of that result */
  double value, expected; /* its value, and the reference's */
  uint64_t differing;     /* elements of that result that differ */
  uint64_t elements;      /* of elements in all */
} zynpu_difference;

/* Helper of ZYNPU_INIT: zeroes *object and stores `size` in its first member. NULL is ignored. */
ZYNPU_API void zynpu_init_struct(void* object, size_t size);

/* "0.1.0". Static. Thread-safe. */
ZYNPU_API const char* zynpu_version(void);
/* "bad file" and so on. Static, never NULL. Thread-safe. */
ZYNPU_API const char* zynpu_status_text(zynpu_status status);
/* One line about the last failure of a zynpu function in this thread; "" if there was none. Valid until the
 * next zynpu function of this thread. */
ZYNPU_API const char* zynpu_last_error(void);
/* "int8" and so on. Static, never NULL. */
ZYNPU_API const char* zynpu_type_text(zynpu_type type);
/* Bytes of one element; 0 for unknown types. */
ZYNPU_API size_t zynpu_type_bytes(zynpu_type type);

/* --- devices
 * ------------------------------------------------------------------------------------------------- */

/* Number of devices that could be opened now: the virtual NPUs always, silicon where its driver is loaded. */
ZYNPU_API ZYNPU_MUST_CHECK zynpu_status zynpu_device_count(size_t* count);
/* Describes device `index` < count without opening it. */
ZYNPU_API ZYNPU_MUST_CHECK zynpu_status zynpu_device_query(size_t index, zynpu_device_info* info);
/* Opens a device by name; NULL is "virtual:x2". Each open of a virtual device is a machine of its own.
 * The caller owns *device and releases it with zynpu_device_close. ZYNPU_NOT_FOUND lists the names there are.
 */
ZYNPU_API ZYNPU_MUST_CHECK zynpu_status zynpu_device_open(const char* name, zynpu_device** device);
ZYNPU_API ZYNPU_MUST_CHECK zynpu_status zynpu_device_get_info(const zynpu_device* device,
                                                              zynpu_device_info* info);
/* Releases the handle; the device itself goes with its last graph and job. NULL is ignored. */
ZYNPU_API void zynpu_device_close(zynpu_device* device);

/* --- graphs
 * -------------------------------------------------------------------------------------------------- */

/* Loads a file: a TFLite model is compiled for the device's part, a container (.zy, aipu.bin) is loaded as it
 * is. Files are hostile: malformed ones give ZYNPU_BAD_FILE. options may be NULL. The caller owns *graph and
 * releases it with zynpu_graph_destroy. A container for another part, and a virtual-profile container on
 * silicon, are refused with ZYNPU_UNSUPPORTED. */
ZYNPU_API ZYNPU_MUST_CHECK zynpu_status zynpu_graph_load_file(zynpu_device* device, const char* path,
                                                              const zynpu_load_options* options,
                                                              zynpu_graph** graph);
/* The same from memory; `data` is not used after the call. */
ZYNPU_API ZYNPU_MUST_CHECK zynpu_status zynpu_graph_load_memory(zynpu_device* device, const void* data,
                                                                size_t bytes,
                                                                const zynpu_load_options* options,
                                                                zynpu_graph** graph);
/* Writes the compiled graph as a container that zynpu_graph_load_file loads. ZYNPU_UNSUPPORTED for a graph
 * that has no operator on the NPU. An existing file is replaced. */
ZYNPU_API ZYNPU_MUST_CHECK zynpu_status zynpu_graph_save_file(const zynpu_graph* graph, const char* path);
/* Releases the handle; memory goes with its last job. NULL is ignored. */
ZYNPU_API void zynpu_graph_destroy(zynpu_graph* graph);

/* Inputs and outputs stand in the model's order. */
ZYNPU_API ZYNPU_MUST_CHECK zynpu_status zynpu_graph_input_count(const zynpu_graph* graph, size_t* count);
ZYNPU_API ZYNPU_MUST_CHECK zynpu_status zynpu_graph_output_count(const zynpu_graph* graph, size_t* count);
ZYNPU_API ZYNPU_MUST_CHECK zynpu_status zynpu_graph_input(const zynpu_graph* graph, size_t index,
                                                          zynpu_tensor_info* info);
ZYNPU_API ZYNPU_MUST_CHECK zynpu_status zynpu_graph_output(const zynpu_graph* graph, size_t index,
                                                           zynpu_tensor_info* info);
/* Index of the input or output called `name`; ZYNPU_NOT_FOUND lists the names there are. */
ZYNPU_API ZYNPU_MUST_CHECK zynpu_status zynpu_graph_find_input(const zynpu_graph* graph, const char* name,
                                                               size_t* index);
ZYNPU_API ZYNPU_MUST_CHECK zynpu_status zynpu_graph_find_output(const zynpu_graph* graph, const char* name,
                                                                size_t* index);

/* --- jobs
 * ---------------------------------------------------------------------------------------------------- */

/* Makes a job with inputs all zero and state variables in their initial state. options may be NULL. The
 * caller owns *job and releases it with zynpu_job_destroy. */
ZYNPU_API ZYNPU_MUST_CHECK zynpu_status zynpu_job_create(zynpu_graph* graph, const zynpu_job_options* options,
                                                         zynpu_job** job);
/* Stops the job if it runs, then releases it. NULL is ignored. */
ZYNPU_API void zynpu_job_destroy(zynpu_job* job);

/* Copies `bytes` bytes, which must be exactly the tensor's, into input `index`. Inputs keep their content
 * between runs. */
ZYNPU_API ZYNPU_MUST_CHECK zynpu_status zynpu_job_set_input(zynpu_job* job, size_t index, const void* data,
                                                            size_t bytes);
/* The memory of input `index`, to be filled in place; valid for the job's life, not to be touched while the
 * job runs. `bytes` may be NULL. Aligned to 64 bytes. */
ZYNPU_API ZYNPU_MUST_CHECK zynpu_status zynpu_job_input_data(zynpu_job* job, size_t index, void** data,
                                                             size_t* bytes);

/* Runs to completion in the calling thread. */
ZYNPU_API ZYNPU_MUST_CHECK zynpu_status zynpu_job_run(zynpu_job* job);
/* Starts a run and returns. ZYNPU_BUSY if the job runs already. */
ZYNPU_API ZYNPU_MUST_CHECK zynpu_status zynpu_job_submit(zynpu_job* job);
/* Waits for the run that zynpu_job_submit started and returns its result. timeout_ns < 0 waits for ever, 0
 * polls. ZYNPU_TIMEOUT leaves it running. ZYNPU_INVALID_ARGUMENT if nothing was submitted. */
ZYNPU_API ZYNPU_MUST_CHECK zynpu_status zynpu_job_wait(zynpu_job* job, int64_t timeout_ns);
/* Asks a running job to stop; its wait then returns ZYNPU_CANCELLED. Does nothing if it does not run. From
 * any thread. Outputs and state variables of a cancelled run are undefined. */
ZYNPU_API ZYNPU_MUST_CHECK zynpu_status zynpu_job_cancel(zynpu_job* job);

/* Copies output `index` of the last completed run; `bytes` must be exactly the tensor's. */
ZYNPU_API ZYNPU_MUST_CHECK zynpu_status zynpu_job_get_output(zynpu_job* job, size_t index, void* data,
                                                             size_t bytes);
/* The memory of output `index`: valid for the job's life, its content until the next run. `bytes` may be
 * NULL. */
ZYNPU_API ZYNPU_MUST_CHECK zynpu_status zynpu_job_output_data(zynpu_job* job, size_t index, const void** data,
                                                              size_t* bytes);
/* State variables (streaming models, LSTM state) back to their initial values. Inputs and outputs are not
 * touched. */
ZYNPU_API ZYNPU_MUST_CHECK zynpu_status zynpu_job_reset_state(zynpu_job* job);

/* --- profile and comparison
 * ---------------------------------------------------------------------------------- */

/* Cost of the last completed run; all zero before the first. */
ZYNPU_API ZYNPU_MUST_CHECK zynpu_status zynpu_job_profile(const zynpu_job* job, zynpu_profile* profile);
ZYNPU_API ZYNPU_MUST_CHECK zynpu_status zynpu_job_step_profile(const zynpu_job* job, size_t step,
                                                               zynpu_step_profile* profile);
ZYNPU_API ZYNPU_MUST_CHECK zynpu_status zynpu_job_layer_profile(const zynpu_job* job, size_t layer,
                                                                zynpu_layer_profile* profile);
/* How the last completed run compares with the reference operators. The job must have been created with
 * zynpu_job_options.compare and its graph loaded from a .tflite model with zynpu_load_options.keep_model. */
ZYNPU_API ZYNPU_MUST_CHECK zynpu_status zynpu_job_compare(const zynpu_job* job, zynpu_difference* difference);

#ifdef __cplusplus
}
#endif

#endif
