// SPDX-License-Identifier: MIT
// What the subcommands of `zynpu` share. Each subcommand is one file with one add_* function, which declares
// its options and stores the action that main() then runs.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "base/error.h"

namespace zynpu::tools {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;  // the job failed, or results differ
inline constexpr int kExitUsage = 2;   // usage error or bad file

// Returns the process's exit code; an error becomes one line on stderr and the code of exit_code().
using Action = std::function<Result<int>()>;

void add_parts(CLI::App& app, Action& action);
void add_devices(CLI::App& app, Action& action);
void add_run(CLI::App& app, Action& action);
void add_compile(CLI::App& app, Action& action);
void add_info(CLI::App& app, Action& action);
void add_disasm(CLI::App& app, Action& action);
void add_asm(CLI::App& app, Action& action);
void add_bench(CLI::App& app, Action& action);
void add_serve(CLI::App& app, Action& action);
void add_coredump(CLI::App& app, Action& action);

// --gsram-barriers, for every subcommand that compiles (compiler::Options).
inline void add_gsram_barriers(CLI::App& command, bool& flag) {
  command.add_flag(
      "--gsram-barriers", flag,
      "x2: TECs wait for each other in GSRAM between layers, not by group boundaries (faster for "
      "small layers, rests on an assumption about the silicon)");
}

// kExitUsage for what the caller can mend (files, names, options), else kExitFailed.
int exit_code(ErrorCode code);

}  // namespace zynpu::tools
