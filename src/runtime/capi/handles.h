// SPDX-License-Identifier: MIT
// What stands behind the handles of zynpu.h, and how results cross the C boundary.
#pragma once

#include <algorithm>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <string_view>

#include "base/error.h"
#include "runtime/compare.h"
#include "runtime/context.h"
#include "runtime/job.h"
#include "runtime/program.h"
#include "zynpu/zynpu.h"

struct zynpu_device {
  std::shared_ptr<zynpu::runtime::Context> context;
};

struct zynpu_graph {
  std::shared_ptr<const zynpu::runtime::Program> program;
};

struct zynpu_job {
  std::shared_ptr<zynpu::runtime::Comparator> comparator;  // null unless asked for
  std::unique_ptr<zynpu::runtime::Job> job;
};

namespace zynpu::runtime::capi {

// Stores the text for zynpu_last_error and returns the status of the error.
zynpu_status fail_with(const Error& error) noexcept;
zynpu_status fail_with(ErrorCode code, const char* message) noexcept;

// Runs `body`, a function that returns Status, and turns its outcome, thrown or returned, into a status.
template <class Body>
zynpu_status guarded(Body&& body) noexcept {
  try {
    if (const Status status = body(); !status) return fail_with(status.error());
    return ZYNPU_OK;
  } catch (const std::bad_alloc&) {
    return fail_with(ErrorCode::kOutOfMemory, "the host is out of memory");
  } catch (const std::exception& error) {
    return fail_with(ErrorCode::kInternal, error.what());
  } catch (...) {
    return fail_with(ErrorCode::kInternal, "unknown exception");
  }
}

// An error if a pointer argument is NULL.
inline Status require(const void* pointer, const char* what) {
  if (pointer == nullptr) return fail(ErrorCode::kInvalidArgument, "{} is NULL", what);
  return {};
}

inline Status require_index(std::size_t index, std::size_t count, const char* what) {
  if (index >= count)
    return fail(ErrorCode::kInvalidArgument, "{} {} does not exist; there are {}", what, index, count);
  return {};
}

// Copies as much of `value` as the caller's structure holds (its `size`), leaving `size` as it is.
template <class T>
Status export_struct(T value, T* out) {
  ZYNPU_TRY(require(out, "the structure"));
  const std::size_t size = out->size;
  if (size <= sizeof size)
    return fail(ErrorCode::kInvalidArgument, "the structure's size is not set (ZYNPU_INIT)");
  value.size = size;
  std::memcpy(static_cast<void*>(out), &value, std::min(size, sizeof value));
  return {};
}

// The caller's options, with defaults for NULL and for fields that an older caller does not know. Fields that
// this library does not know must be 0.
template <class T>
Result<T> import_struct(const T* in) {
  T value{};
  value.size = sizeof value;
  if (in == nullptr) return value;
  if (in->size <= sizeof in->size)
    return fail(ErrorCode::kInvalidArgument, "the options' size is not set (ZYNPU_INIT)");
  std::memcpy(&value, in, std::min(in->size, sizeof value));
  const auto* bytes = reinterpret_cast<const unsigned char*>(in);
  for (std::size_t i = sizeof value; i < in->size; ++i)
    if (bytes[i] != 0)
      return fail(ErrorCode::kInvalidArgument, "the options use a field that this library does not know");
  value.size = sizeof value;
  return value;
}

// Truncates; always NUL-terminated.
template <std::size_t N>
void copy_text(std::string_view text, char (&out)[N]) {
  const std::size_t length = std::min(text.size(), N - 1);
  std::memcpy(out, text.data(), length);
  std::memset(out + length, 0, N - length);
}

}  // namespace zynpu::runtime::capi
