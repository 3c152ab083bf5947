// SPDX-License-Identifier: MIT
// zynpu.h: errors, versions, devices.
#include <string>

#include "runtime/capi/handles.h"
#include "runtime/devices.h"

namespace zynpu::runtime::capi {
namespace {

thread_local std::string last_error;

zynpu_status status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return ZYNPU_INVALID_ARGUMENT;
    case ErrorCode::kBadFile:
      return ZYNPU_BAD_FILE;
    case ErrorCode::kUnsupported:
      return ZYNPU_UNSUPPORTED;
    case ErrorCode::kNotFound:
      return ZYNPU_NOT_FOUND;
    case ErrorCode::kIo:
      return ZYNPU_IO_ERROR;
    case ErrorCode::kOutOfMemory:
      return ZYNPU_OUT_OF_MEMORY;
    case ErrorCode::kDeviceFault:
      return ZYNPU_DEVICE_FAULT;
    case ErrorCode::kTimeout:
      return ZYNPU_TIMEOUT;
    case ErrorCode::kCancelled:
      return ZYNPU_CANCELLED;
    case ErrorCode::kBusy:
      return ZYNPU_BUSY;
    case ErrorCode::kInternal:
      break;
  }
  return ZYNPU_INTERNAL;
}

Status describe(std::string_view name, const part::Part& part, bool is_virtual, std::string_view description,
                zynpu_device_info* out) {
  zynpu_device_info info{};
  copy_text(name, info.name);
  copy_text(part.name, info.part);
  copy_text(part.target, info.target);
  copy_text(description, info.description);
  info.clusters = part.clusters;
  info.cores_per_cluster = part.cores;
  info.tecs_per_core = part.tecs_per_core;
  info.window_bytes = part.window_bytes;
  info.is_virtual = is_virtual ? 1 : 0;
  info.virtual_profile = part.virtual_profile ? 1 : 0;
  return export_struct(info, out);
}

}  // namespace

zynpu_status fail_with(ErrorCode code, const char* message) noexcept {
  try {
    last_error = message;
  } catch (...) {
    last_error.clear();
  }
  return status_of(code);
}

zynpu_status fail_with(const Error& error) noexcept { return fail_with(error.code, error.message.c_str()); }

}  // namespace zynpu::runtime::capi

using namespace zynpu;
using namespace zynpu::runtime;
using namespace zynpu::runtime::capi;

void zynpu_init_struct(void* object, size_t size) {
  if (object == nullptr || size < sizeof size) return;
  std::memset(object, 0, size);
  std::memcpy(object, &size, sizeof size);
}

const char* zynpu_version(void) { return ZYNPU_VERSION; }

const char* zynpu_last_error(void) { return capi::last_error.c_str(); }

const char* zynpu_status_text(zynpu_status status) {
  switch (status) {
    case ZYNPU_OK:
      return "ok";
    case ZYNPU_INVALID_ARGUMENT:
      return "invalid argument";
    case ZYNPU_BAD_FILE:
      return "bad file";
    case ZYNPU_UNSUPPORTED:
      return "unsupported";
    case ZYNPU_NOT_FOUND:
      return "not found";
    case ZYNPU_IO_ERROR:
      return "input/output error";
    case ZYNPU_OUT_OF_MEMORY:
      return "out of memory";
    case ZYNPU_DEVICE_FAULT:
      return "device fault";
    case ZYNPU_TIMEOUT:
      return "timeout";
    case ZYNPU_INTERNAL:
      return "internal error";
    case ZYNPU_CANCELLED:
      return "cancelled";
    case ZYNPU_BUSY:
      return "busy";
  }
  return "unknown status";
}

zynpu_status zynpu_device_count(size_t* count) {
  return guarded([&]() -> Status {
    ZYNPU_TRY(require(count, "count"));
    *count = devices().size();
    return {};
  });
}

zynpu_status zynpu_device_query(size_t index, zynpu_device_info* info) {
  return guarded([&]() -> Status {
    const std::vector<DeviceName> list = devices();
    ZYNPU_TRY(require_index(index, list.size(), "device"));
    const DeviceName& device = list[index];
    return describe(device.name, *device.part, device.is_virtual, device.description, info);
  });
}

zynpu_status zynpu_device_open(const char* name, zynpu_device** device) {
  return guarded([&]() -> Status {
    ZYNPU_TRY(require(device, "device"));
    const std::string chosen(name != nullptr ? std::string_view(name) : kDefaultDevice);
    if (chosen.empty()) return fail(ErrorCode::kNotFound, "the device name is empty");
    ZYNPU_ASSIGN_OR_RETURN(std::shared_ptr<Backend> backend, open_device(chosen));
    *device = new zynpu_device{std::make_shared<Context>(chosen, std::move(backend))};
    return {};
  });
}

zynpu_status zynpu_device_get_info(const zynpu_device* device, zynpu_device_info* info) {
  return guarded([&]() -> Status {
    ZYNPU_TRY(require(device, "device"));
    const Backend& backend = device->context->backend();
    return describe(device->context->device_name(), backend.part(), backend.is_virtual(),
                    backend.description(), info);
  });
}

void zynpu_device_close(zynpu_device* device) { delete device; }
