// SPDX-License-Identifier: MIT
// zynpu: the command line of the stack. Exit codes: 0 done, 1 a job failed or results differ, 2 usage or bad
// file. Errors are one line on stderr.
#include <algorithm>
#include <cstdio>

#include "command.h"

namespace zynpu::tools {

int exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kBadFile:
    case ErrorCode::kUnsupported:
    case ErrorCode::kNotFound:
    case ErrorCode::kIo:
      return kExitUsage;
    default:
      return kExitFailed;
  }
}

namespace {

int report(std::string message, int code) {
  // One line, whatever a file name or a library put into the text.
  std::replace_if(
      message.begin(), message.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  fmt::print(stderr, "zynpu: {}\n", message);
  return code;
}

int run(int argc, char** argv) {
  CLI::App app("zynpu - run quantised networks on Arm China Zhouyi NPUs, real and virtual", "zynpu");
  app.set_version_flag("--version", "zynpu " ZYNPU_VERSION);
  app.require_subcommand(0, 1);
  Action action;
  add_parts(app, action);
  add_devices(app, action);
  add_run(app, action);
  add_compile(app, action);
  add_info(app, action);
  add_disasm(app, action);
  add_asm(app, action);
  add_bench(app, action);
  add_serve(app, action);
  add_coredump(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    return report(fmt::format("{} (see `zynpu --help`)", error.what()), kExitUsage);
  }
  if (!action) return report("a subcommand is required (see `zynpu --help`)", kExitUsage);
  const Result<int> code = action();
  if (!code) return report(code.error().message, exit_code(code.error().code));
  if (std::fflush(stdout) != 0) return report("cannot write the output", kExitFailed);
  return *code;
}

}  // namespace
}  // namespace zynpu::tools

int main(int argc, char** argv) {
  try {
    return zynpu::tools::run(argc, argv);
  } catch (const std::exception& error) {
    return zynpu::tools::report(error.what(), zynpu::tools::kExitFailed);
  }
}
