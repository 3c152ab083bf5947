// SPDX-License-Identifier: MIT
// Any bytes: the importer refuses them with a message, or gives a graph that keeps the promises of
// ir/graph.h.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "compiler/compiler.h"
#include "compiler/passes/validate.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto graph = zynpu::compiler::import_tflite({data, size}, "fuzz");
  if (!graph) {
    if (graph.error().message.empty()) std::abort();
    return 0;
  }
  if (const auto status = zynpu::compiler::validate(*graph); !status) {
    std::fprintf(stderr, "accepted, but: %s\n", status.error().message.c_str());
    std::abort();
  }
  return 0;
}
