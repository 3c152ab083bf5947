// SPDX-License-Identifier: MIT
// From an operator graph to NPU graphs and a host plan: legalise, fuse, partition, tile, place memory, emit.
#pragma once

#include <functional>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "graph/plan.h"
#include "ir/graph.h"
#include "part/part.h"

namespace zynpu::compiler {

struct Options {
  bool cpu_only = false;  // put every operator on the CPU (reference/), for comparison
  // x2: between layers the TECs of a core wait for each other by words in GSRAM, as they do on z2, and the
  // layers share one group; else every layer of several TECs is a group of its own. Much faster for small
  // layers, but rests on an assumption about the silicon (docs/assumptions.md, "visibility of GSRAM stores").
  bool gsram_barriers = false;
  // Name of a stage: "import", "fold", "fuse", "legalise", "partition", "tile", "place", "emit"; any other is
  // kInvalidArgument. Empty: none.
  std::string dump_after;
  std::ostream* dump = nullptr;  // where that dump goes
};

// Reads a TFLite model. kBadFile names the field; kUnsupported names operator, tensor and reason. Files are
// hostile.
Result<ir::Graph> import_tflite(std::span<const std::uint8_t> file, std::string_view name);

// Deterministic: the same model, part and options give the same bytes on every host. Thread-safe.
// Operators that cannot be mapped are placed on the CPU, with the reason in HostPlan::placements; an operator
// that neither can run is kUnsupported.
Result<graph::HostPlan> compile(const ir::Graph& model, const part::Part& part, const Options& options = {});

}  // namespace zynpu::compiler
