// SPDX-License-Identifier: MIT
// Operator graphs as TFLite files, for runtimes to read. Only what an importer makes can be written: no
// explicit paddings, no subgraphs.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/graph.h"

namespace zynpu::test {

// Aborts if the graph holds what a TFLite file cannot say.
std::vector<std::uint8_t> write_tflite(const ir::Graph& graph);

}  // namespace zynpu::test
