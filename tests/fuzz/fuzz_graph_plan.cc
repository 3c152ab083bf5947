// SPDX-License-Identifier: MIT
#include <cstddef>

#include "fuzz/graph_targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  zynpu::graph::fuzz_plan({data, size});
  return 0;
}
