// SPDX-License-Identifier: MIT
// zynpu asm: TEC assembly to machine code.
#include "isa/asm.h"

#include <memory>

#include "command.h"
#include "runtime/file.h"

namespace zynpu::tools {
namespace {

struct Options {
  std::string source, output;
};

Result<int> assemble(const Options& options) {
  ZYNPU_ASSIGN_OR_RETURN(const std::vector<std::uint8_t> file, runtime::read_file(options.source));
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  Result<isa::Program> program = isa::assemble(text);
  if (!program) return fail(program.error().code, "`{}`: {}", options.source, program.error().message);
  ZYNPU_TRY(runtime::write_file(options.output, program->bytes));
  fmt::print("{}: {} bundles, {} bytes\n", options.output, program->bytes.size() / isa::kBundleBytes,
             program->bytes.size());
  return kExitOk;
}

}  // namespace

void add_asm(CLI::App& app, Action& action) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("asm", "Assemble TEC instructions into bundles");
  command->add_option("FILE", options->source, "Assembly text")->required();
  command->add_option("-o,--output", options->output, "File for the machine code")->required();
  command->callback([options, &action] { action = [options] { return assemble(*options); }; });
}

}  // namespace zynpu::tools
