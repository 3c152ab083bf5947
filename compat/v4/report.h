// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include "log.h"
#include "r329.h"

namespace zynpu::compat::v4 {

// Logs why, which says more than a status can, and returns `status`.
template <class... Args>
::aipu_status_t said(::aipu_status_t status, fmt::format_string<Args...> format, Args&&... args) {
  log(fmt::format("status {:#x}: {}", static_cast<unsigned>(status),
                  fmt::format(format, std::forward<Args>(args)...)));
  return status;
}

}  // namespace zynpu::compat::v4
