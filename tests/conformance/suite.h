// SPDX-License-Identifier: MIT
// A suite without a test framework, so that it can be linked statically and run in a guest that has nothing:
// each case prints one line, PASS, FAIL or SKIP.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "runtime/context.h"

namespace zynpu::conformance {

// A case fails with the error it returns.
struct Case {
  std::string name;
  std::function<Status()> run;
};

struct Suite {
  std::string device;  // as for runtime::open_device
  std::shared_ptr<runtime::Context> context;
  std::vector<std::string> models;  // names of shared models
  std::string graphs;   // folder with NAME.PART.zy, compiled before; empty: models are compiled here
  unsigned jobs = 200;  // of the cases that count
};

std::vector<Case> job_cases(const Suite& suite);
std::vector<Case> sharing_cases(const Suite& suite);
std::vector<Case> model_cases(const Suite& suite);

template <class... Args>
[[nodiscard]] tl::unexpected<Error> wrong(fmt::format_string<Args...> format, Args&&... args) {
  return fail(ErrorCode::kInternal, format, std::forward<Args>(args)...);
}

// Requires that `status` failed with `code`.
inline Status expect_error(const Status& status, ErrorCode code, const char* what) {
  if (status) return wrong("{} succeeded", what);
  if (status.error().code != code)
    return wrong("{} failed with code {}, not {}: {}", what, static_cast<int>(status.error().code),
                 static_cast<int>(code), status.error().message);
  return {};
}

}  // namespace zynpu::conformance
