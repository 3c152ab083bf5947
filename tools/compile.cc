// SPDX-License-Identifier: MIT
// zynpu compile: a model to a container of machine code.
#include <memory>

#include "command.h"
#include "compiler/compiler.h"
#include "graph/plan.h"
#include "inputs.h"
#include "runtime/file.h"
#include "runtime/program.h"

namespace zynpu::tools {
namespace {

struct Options {
  std::string model, part, output;
  bool gsram_barriers = false;
};

Result<int> compile(const Options& options) {
  ZYNPU_ASSIGN_OR_RETURN(const part::Part* part, find_part(options.part));
  ZYNPU_ASSIGN_OR_RETURN(const std::vector<std::uint8_t> file, runtime::read_file(options.model));
  if (runtime::is_container(file))
    return fail(ErrorCode::kInvalidArgument, "`{}` is compiled already", options.model);
  ZYNPU_ASSIGN_OR_RETURN(const ir::Graph model, compiler::import_tflite(file, runtime::stem(options.model)));
  ZYNPU_ASSIGN_OR_RETURN(
      const graph::HostPlan plan,
      compiler::compile(model, *part, {.gsram_barriers = options.gsram_barriers, .dump_after = {}}));
  ZYNPU_ASSIGN_OR_RETURN(const graph::Bytes bytes, graph::write_model(plan));
  ZYNPU_TRY(runtime::write_file(options.output, bytes));
  std::size_t npu = 0;
  std::uint64_t cycles = 0, text = 0, weights = 0;
  for (const graph::Placement& placement : plan.placements) {
    npu += placement.npu ? 1 : 0;
    cycles += placement.predicted_cycles;
  }
  for (const graph::Graph& graph : plan.graphs) {
    text += graph.text.size();
    weights += graph.data.size();
  }
  fmt::print(
      "{}: {} bytes for {}; {} of {} layers on the NPU, {} bytes of code, {} bytes of weights, {} cycles "
      "predicted beside group boundaries\n",
      options.output, bytes.size(), part->target, npu, plan.placements.size(), text, weights, cycles);
  return kExitOk;
}

}  // namespace

void add_compile(CLI::App& app, Action& action) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("compile", "Compile a TFLite model into a graph for an NPU");
  command->add_option("MODEL", options->model, "TFLite model")->required();
  command->add_option("--part", options->part, "Part to compile for: z1, z2, x2")->required();
  command->add_option("-o,--output", options->output, "File for the compiled graph (.zy)")->required();
  add_gsram_barriers(*command, options->gsram_barriers);
  command->callback([options, &action] { action = [options] { return compile(*options); }; });
}

}  // namespace zynpu::tools
