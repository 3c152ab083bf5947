// SPDX-License-Identifier: MIT
#include "compiler/compiler.h"
#include "compiler/emit/npu_graph.h"
#include "compiler/kernels/kernel.h"
#include "compiler/passes/driver.h"

namespace zynpu::compiler {

Result<graph::HostPlan> compile(const ir::Graph& model, const part::Part& part, const Options& options) {
  const Generator generator{unsupported_reason, build_npu_graph};
  return compile_with(generator, model, part, options);
}

}  // namespace zynpu::compiler
