// SPDX-License-Identifier: MIT
// Bundles of graphs that share their weights, and the graphs in them with the pool's data.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "graph/elf.h"
#include "weights.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv);

// Refusals are the usual outcome; nobody reads a line for each.
int LLVMFuzzerInitialize(int*, char***) { return setenv("UMD_LOG_LEVEL", "6", 1); }

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace compat = zynpu::compat;
  compat::Bundle bundle;
  if (compat::read_bundle({data, size}, &bundle) != AIPU_STATUS_SUCCESS) return 0;
  for (const compat::BundleGraph& entry : bundle.graphs) {
    const auto graph = zynpu::graph::read_elf(entry.file, [&](zynpu::graph::Graph& half) -> zynpu::Status {
      if (compat::add_pooled_weights(half, entry, bundle.pool) == AIPU_STATUS_SUCCESS) return {};
      return zynpu::fail(zynpu::ErrorCode::kBadFile, "weights");
    });
    // What was accepted is sound by the rules of graphs that carry their own data.
    if (graph && !zynpu::graph::validate(*graph)) __builtin_trap();
  }
  return 0;
}
