// SPDX-License-Identifier: MIT
// The order of the passes, apart from the code generator behind them: compile() is this with the real one.
#pragma once

#include <functional>

#include "base/error.h"
#include "compiler/compiler.h"
#include "compiler/emit/npu_graph.h"
#include "compiler/passes/partition.h"

namespace zynpu::compiler {

// What the driver asks of the code generator.
struct Generator {
  UnsupportedReason unsupported_reason;  // kernels/kernel.h
  std::function<Result<NpuGraph>(const ir::Graph&, const graph::Step&, const part::Part&, const Options&)>
      build_npu_graph;  // emit/npu_graph.h
};

// compile() of compiler.h. An operator that `unsupported_reason` accepts but that cannot be built after all
// (kUnsupported or kOutOfMemory: its tiles do not fit) goes to the CPU with the builder's message as reason.
Result<graph::HostPlan> compile_with(const Generator& generator, const ir::Graph& model,
                                     const part::Part& part, const Options& options);

}  // namespace zynpu::compiler
