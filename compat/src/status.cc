// SPDX-License-Identifier: MIT
#include "status.h"

namespace zynpu::compat {

const char* message(Code code) {
  switch (code) {
    case AIPU_STATUS_SUCCESS:
      return "success";
    case AIPU_STATUS_ERROR_NULL_PTR:
      return "a pointer that is needed is NULL";
    case AIPU_STATUS_ERROR_INVALID_CTX:
      return "the context handle is not known";
    case AIPU_STATUS_ERROR_OPEN_DEV_FAIL:
      return "the NPU device cannot be opened";
    case AIPU_STATUS_ERROR_DEV_ABNORMAL:
      return "the NPU device or its driver reported a failure";
    case AIPU_STATUS_ERROR_DEINIT_FAIL:
      return "the context cannot be closed";
    case AIPU_STATUS_ERROR_INVALID_CONFIG:
      return "a configuration value or type is not valid";
    case AIPU_STATUS_ERROR_UNKNOWN_BIN:
      return "the file is not a graph, or extra weights do not match their hash";
    case AIPU_STATUS_ERROR_GVERSION_UNSUPPORTED:
      return "the graph's format or format version is not supported";
    case AIPU_STATUS_ERROR_INVALID_GBIN:
      return "the graph is malformed";
    case AIPU_STATUS_ERROR_TARGET_NOT_FOUND:
      return "the graph is for another NPU";
    case AIPU_STATUS_ERROR_INVALID_GRAPH_ID:
      return "there is no graph of this id";
    case AIPU_STATUS_ERROR_OPEN_FILE_FAIL:
      return "a file cannot be opened";
    case AIPU_STATUS_ERROR_MAP_FILE_FAIL:
      return "a file cannot be mapped";
    case AIPU_STATUS_ERROR_READ_FILE_FAIL:
      return "a file cannot be read";
    case AIPU_STATUS_ERROR_WRITE_FILE_FAIL:
      return "a file cannot be written";
    case AIPU_STATUS_ERROR_INVALID_JOB_ID:
      return "there is no job of this id";
    case AIPU_STATUS_ERROR_JOB_EXCEPTION:
      return "the job ended abnormally";
    case AIPU_STATUS_ERROR_JOB_TIMEOUT:
      return "the job did not finish in time";
    case AIPU_STATUS_ERROR_OP_NOT_SUPPORTED:
      return "the operation is not available on this platform";
    case AIPU_STATUS_ERROR_INVALID_OP:
      return "the operation does not fit the state of the object or its argument";
    case AIPU_STATUS_ERROR_INVALID_SIZE:
      return "a size or extent is out of range";
    case AIPU_STATUS_ERROR_BUF_ALLOC_FAIL:
      return "memory is exhausted";
    case AIPU_STATUS_ERROR_BUF_FREE_FAIL:
      return "the buffer to be freed is not known";
    case AIPU_STATUS_ERROR_INVALID_CORE_ID:
      return "there is no core of this id";
    case AIPU_STATUS_ERROR_RESERVE_SRAM_FAIL:
      return "on-chip memory that is needed is not available";
    case AIPU_STATUS_ERROR_INVALID_TENSOR_ID:
      return "there is no tensor of this index or no such list";
    case AIPU_STATUS_ERROR_INVALID_CLUSTER_ID:
      return "there is no cluster of this id";
    case AIPU_STATUS_ERROR_INVALID_PARTITION_ID:
      return "there is no partition of this id";
    case AIPU_STATUS_ERROR_PRINTF_FAIL:
      return "the text that the NPU printed cannot be written";
    case AIPU_STATUS_ERROR_INVALID_TENSOR_TYPE:
      return "this type of tensor is not supported here";
    case AIPU_STATUS_ERROR_INVALID_GM:
      return "the graph's use of global memory is not valid";
    case AIPU_STATUS_ERROR_INVALID_SEGMMU:
      return "the graph's segment MMU configuration is not valid";
    case AIPU_STATUS_ERROR_INVALID_QOS:
      return "the quality of service is not valid";
    case AIPU_STATUS_ERROR_INVALID_TENSOR_CNT:
      return "the number of tensors is not valid";
    case AIPU_STATUS_ERROR_TIMEOUT:
      return "the wait ended before the job did";
    case AIPU_STATUS_ERROR_NO_BATCH_QUEUE:
      return "there is no batch queue of this id";
    case AIPU_STATUS_ERROR_MARK_SHARED_TENSOR:
      return "the shared buffer to be used is not known";
    case AIPU_STATUS_ERROR_SET_SHARED_TENSOR:
      return "the shared buffer is not known";
    case AIPU_STATUS_ERROR_DMABUF_SHARED_IO:
      return "an input and an output share one section, which cannot be replaced";
    case AIPU_STATUS_ERROR_GET_SHAPE_FAILED:
      return "the shape cannot be had";
    case AIPU_STATUS_ERROR_SET_SHAPE_FAILED:
      return "the shape cannot be set";
    case AIPU_STATUS_ERROR_NOT_CONFIG_SHAPE:
      return "the shape was not configured";
    case AIPU_STATUS_ERROR_UNMATCH_OUT_SHAPE:
      return "the program's output shapes do not fit the graph's outputs";
    case AIPU_STATUS_ERROR_ZERO_TENSOR_SIZE:
      return "the program gave an output no elements";
    case AIPU_STATUS_ERROR_ALLOC_GRIP_ID:
      return "no grid id is left";
    case AIPU_STATUS_ERROR_ALLOC_GROUP_ID:
      return "no group id is left";
    case AIPU_STATUS_ERROR_NOT_FOUND_IN_HASHTABLE:
      return "shared weights are not in their table";
    case AIPU_STATUS_ERROR_INVALID_COREDUMP:
      return "the core dump is not valid";
    case AIPU_STATUS_ERROR_JOB_DISPATCH_FAIL:
      return "the driver refused the job";
    case AIPU_STATUS_MAX:
      break;
    case AIPU_STATUS_ERROR_UNKNOWN_ERROR:
      return "NPU program: unknown error";
    case AIPU_STATUS_ERROR_KEYBOARD_INTERRUPT:
      return "NPU program: interrupted";
    case AIPU_STATUS_ERROR_SYSTEM_ERR:
      return "NPU program: system error";
    case AIPU_STATUS_ERROR_OUT_OF_SPEC:
      return "NPU program: outside the specification";
    case AIPU_STATUS_ERROR_OUT_OF_AIFF_SPEC:
      return "NPU program: outside the specification of the fixed-function engine";
    case AIPU_STATUS_ERROR_OUT_OF_TPC_SPEC:
      return "NPU program: outside the specification of the programmable cores";
    case AIPU_STATUS_ERROR_OUT_OF_DMA_SPEC:
      return "NPU program: outside the specification of the DMA";
    case AIPU_STATUS_ERROR_OUT_OF_MEM_RANGE:
      return "NPU program: outside the range of memory";
    case AIPU_STATUS_ERROR_OUT_OF_SRAM_RANGE:
      return "NPU program: outside the range of SRAM";
    case AIPU_STATUS_ERROR_OUT_OF_LSRAM0_RANGE:
      return "NPU program: outside the range of local SRAM 0";
    case AIPU_STATUS_ERROR_OUT_OF_LSRAM1_RANGE:
      return "NPU program: outside the range of local SRAM 1";
    case AIPU_STATUS_ERROR_OUT_OF_LSRAM_RANGE:
      return "NPU program: outside the range of local SRAM";
    case AIPU_STATUS_ERROR_OUT_OF_GSRAM0_RANGE:
      return "NPU program: outside the range of global SRAM 0";
    case AIPU_STATUS_ERROR_OUT_OF_GSRAM1_RANGE:
      return "NPU program: outside the range of global SRAM 1";
    case AIPU_STATUS_ERROR_OUT_OF_GSRAM_RANGE:
      return "NPU program: outside the range of global SRAM";
    case AIPU_STATUS_ERROR_ARITHMETIC_ERR:
      return "NPU program: arithmetic error";
    case AIPU_STATUS_ERROR_FLOAT_POINT_ERR:
      return "NPU program: floating-point error";
    case AIPU_STATUS_ERROR_UNDERFLOW_ERR:
      return "NPU program: underflow";
    case AIPU_STATUS_ERROR_OVERFLOW_ERR:
      return "NPU program: overflow";
    case AIPU_STATUS_ERROR_NOT_A_NUMBER_ERR:
      return "NPU program: result is not a number";
    case AIPU_STATUS_ERROR_INFINITY_ERR:
      return "NPU program: result is infinite";
    case AIPU_STATUS_ERROR_STRING_LENGTH_ERR:
      return "NPU program: string length error";
    case AIPU_STATUS_ERROR_ZERO_DIVISION_ERR:
      return "NPU program: division by zero";
  }
  return "unknown status";
}

Code report(Code code, const Error& error) {
  log(fmt::format("status {:#x}: {}", static_cast<unsigned>(code), error.message));
  return code;
}

Code status_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalidArgument:
      return AIPU_STATUS_ERROR_INVALID_SIZE;
    case ErrorCode::kBadFile:
      return AIPU_STATUS_ERROR_INVALID_GBIN;
    case ErrorCode::kUnsupported:
      return AIPU_STATUS_ERROR_OP_NOT_SUPPORTED;
    case ErrorCode::kNotFound:
      return AIPU_STATUS_ERROR_OPEN_FILE_FAIL;
    case ErrorCode::kIo:
    case ErrorCode::kInternal:
      return AIPU_STATUS_ERROR_DEV_ABNORMAL;
    case ErrorCode::kOutOfMemory:
      return AIPU_STATUS_ERROR_BUF_ALLOC_FAIL;
    case ErrorCode::kDeviceFault:
    case ErrorCode::kCancelled:
      return AIPU_STATUS_ERROR_JOB_EXCEPTION;
    case ErrorCode::kTimeout:
      return AIPU_STATUS_ERROR_TIMEOUT;
    case ErrorCode::kBusy:
      return AIPU_STATUS_ERROR_INVALID_OP;
  }
  return AIPU_STATUS_ERROR_DEV_ABNORMAL;
}

}  // namespace zynpu::compat
