// SPDX-License-Identifier: MIT
// Errors by value: every fallible function of the rooms returns Result<T> or Status; nothing throws across a
// room.
#pragma once

#include <fmt/format.h>

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace zynpu {

// Coarse kinds that callers may branch on; the text says what, which object, which value, which limit.
enum class ErrorCode {
  kInvalidArgument,  // the caller broke the function's contract
  kBadFile,          // a file or blob from outside is malformed; the text names the field
  kUnsupported,      // well-formed, but nothing here can do it; the text names operator/tensor/feature
  kNotFound,         // file, device or name does not exist
  kIo,               // the operating system failed a read or write
  kOutOfMemory,      // a memory of the device or of the host is exhausted
  kDeviceFault,      // the NPU program faulted, raised an exception or broke a hardware rule
  kTimeout,          // the deadline passed before completion
  kInternal,         // a bug in zynpu
  kCancelled,        // the caller stopped the work
  kBusy,             // the object is in use; wait for it first
};

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

template <class... Args>
[[nodiscard]] tl::unexpected<Error> fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  return tl::unexpected<Error>(Error{code, fmt::format(format, std::forward<Args>(args)...)});
}

}  // namespace zynpu

#define ZYNPU_CONCAT_INNER(a, b) a##b
#define ZYNPU_CONCAT(a, b) ZYNPU_CONCAT_INNER(a, b)

// Returns the error of `expr` (a Status) from the enclosing function.
#define ZYNPU_TRY(expr)                                                \
  do {                                                                 \
    if (auto zynpu_try_status = (expr); !zynpu_try_status)             \
      return tl::unexpected<::zynpu::Error>(zynpu_try_status.error()); \
  } while (false)

// Declares `decl` from the value of `expr` (a Result), or returns its error from the enclosing function.
#define ZYNPU_ASSIGN_OR_RETURN(decl, expr)                                                           \
  auto ZYNPU_CONCAT(zynpu_result_, __LINE__) = (expr);                                               \
  if (!ZYNPU_CONCAT(zynpu_result_, __LINE__))                                                        \
    return tl::unexpected<::zynpu::Error>(std::move(ZYNPU_CONCAT(zynpu_result_, __LINE__)).error()); \
  decl = std::move(*ZYNPU_CONCAT(zynpu_result_, __LINE__))
