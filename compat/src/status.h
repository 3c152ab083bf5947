// SPDX-License-Identifier: MIT
// Statuses of the vendor's API: their texts, and how zynpu's errors become one.
#pragma once

#include <fmt/format.h>

#include "base/error.h"
#include "log.h"
#include "standard_api.h"

namespace zynpu::compat {

using Code = aipu_status_t;
inline constexpr Code kOk = AIPU_STATUS_SUCCESS;

// A constant text for every number; "" never.
const char* message(Code code);

// Logs the error's text, which says more than a status can, and returns `code`.
Code report(Code code, const Error& error);
template <class... Args>
Code report(Code code, fmt::format_string<Args...> format, Args&&... args) {
  return report(code, Error{ErrorCode::kInternal, fmt::format(format, std::forward<Args>(args)...)});
}

// The status nearest to an error that has no number of its own in the calling function.
Code status_of(const Error& error);

}  // namespace zynpu::compat

// Returns the status of `expr` from the enclosing function if it is not success.
#define COMPAT_TRY(expr)                                                                  \
  do {                                                                                    \
    if (const ::aipu_status_t compat_code = (expr); compat_code != ::AIPU_STATUS_SUCCESS) \
      return compat_code;                                                                 \
  } while (false)
