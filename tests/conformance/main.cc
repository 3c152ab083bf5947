// SPDX-License-Identifier: MIT
// zynpu_conformance --device NAME [--model NAME]... [--graphs FOLDER] [--jobs N] [--only TEXT] [--latency N]
//                   [--user ID]  as this user (needs root's rights)
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "conformance/suite.h"
#include "runtime/devices.h"

namespace zynpu::conformance {

Status measure_latency(const Suite& suite, unsigned jobs);

namespace {

int run(int argc, char** argv) {
  Suite suite;
  std::string only;
  unsigned latency = 0;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view option = argv[i];
    if (option == "--device") {
      suite.device = argv[i + 1];
    } else if (option == "--model") {
      suite.models.emplace_back(argv[i + 1]);
    } else if (option == "--graphs") {
      suite.graphs = argv[i + 1];
    } else if (option == "--jobs") {
      suite.jobs = static_cast<unsigned>(std::atoi(argv[i + 1]));
    } else if (option == "--only") {
      only = argv[i + 1];
    } else if (option == "--user") {
      if (::setuid(static_cast<uid_t>(std::atoi(argv[i + 1]))) != 0) {
        fmt::print("FAIL user: {}\n", std::strerror(errno));
        return 1;
      }
    } else if (option == "--latency") {
      latency = static_cast<unsigned>(std::atoi(argv[i + 1]));
    } else {
      fmt::print(stderr, "conformance: unknown option {}\n", option);
      return 2;
    }
  }
  auto backend = runtime::open_device(suite.device);
  if (!backend) {
    fmt::print("FAIL open: {}\n", backend.error().message);
    return 1;
  }
  suite.context = std::make_shared<runtime::Context>(suite.device, *backend);
  fmt::print("conformance of {}: {}\n", suite.device, (*backend)->description());
  if (latency != 0) {
    const Status measured = measure_latency(suite, latency);
    if (!measured) fmt::print("FAIL latency: {}\n", measured.error().message);
    return measured ? 0 : 1;
  }

  std::vector<Case> cases = job_cases(suite);
  for (Case& shared : sharing_cases(suite)) cases.push_back(std::move(shared));
  for (Case& model : model_cases(suite)) cases.push_back(std::move(model));
  unsigned failed = 0, ran = 0;
  for (const Case& c : cases) {
    if (c.name.find(only) == std::string::npos) continue;
    ++ran;
    const Status status = c.run();
    if (status) {
      fmt::print("PASS {}\n", c.name);
    } else {
      fmt::print("FAIL {}: {}\n", c.name, status.error().message);
      ++failed;
    }
    std::fflush(stdout);
  }
  fmt::print("{} cases, {} failed\n", ran, failed);
  return failed == 0 && ran > 0 ? 0 : 1;
}

}  // namespace
}  // namespace zynpu::conformance

int main(int argc, char** argv) { return zynpu::conformance::run(argc, argv); }
