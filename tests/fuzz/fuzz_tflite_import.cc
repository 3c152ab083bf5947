// SPDX-License-Identifier: MIT
// Any bytes: the importer refuses them with a message, or gives a graph that keeps the promises of
// ir/graph.h, and that the passes rewrite without breaking it.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "compiler/compiler.h"
#include "compiler/passes/driver.h"
#include "compiler/passes/validate.h"

namespace {

[[noreturn]] void give_up(const char* what, const zynpu::Error& error) {
  std::fprintf(stderr, "%s: %s\n", what, error.message.c_str());
  std::abort();
}

// Takes every operator for the NPU and generates nothing.
zynpu::compiler::Generator generator() {
  using namespace zynpu;
  return {[](const ir::Graph&, const ir::Op&) { return std::string(); },
          [](const ir::Graph&, const graph::Step&, const part::Part&,
             const compiler::Options&) -> Result<compiler::NpuGraph> { return compiler::NpuGraph{}; }};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace zynpu;
  const auto graph = compiler::import_tflite({data, size}, "fuzz");
  if (!graph) {
    if (graph.error().message.empty()) std::abort();
    return 0;
  }
  if (const auto status = compiler::validate(*graph); !status) give_up("accepted, but", status.error());
  // Activations of gigabytes are well-formed; making room for them is not what is tested.
  std::int64_t bytes = 0;
  for (const ir::Tensor& tensor : graph->tensors) bytes += tensor.bytes();
  if (bytes > (std::int64_t{64} << 20)) return 0;
  const auto plan = compiler::compile_with(generator(), *graph, *part::find("x2"), {});
  if (!plan && plan.error().code != ErrorCode::kUnsupported && plan.error().code != ErrorCode::kBadFile)
    give_up("compiling", plan.error());
  return 0;
}
