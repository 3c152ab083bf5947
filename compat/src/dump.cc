// SPDX-License-Identifier: MIT
#include "dump.h"

#include <filesystem>

#include "runtime/file.h"

namespace zynpu::compat {
namespace {

constexpr std::uint64_t kAll = 0x3FF;

bool write(const std::string& path, std::span<const std::uint8_t> bytes) {
  if (const Status status = runtime::write_file(path, bytes); !status) {
    report(AIPU_STATUS_ERROR_WRITE_FILE_FAIL, status.error());
    return false;
  }
  return true;
}

}  // namespace

Code DumpOptions::from(std::uint64_t types, const aipu_job_config_dump_t* config, DumpOptions* out) {
  DumpOptions options;
  if ((types & ~kAll) != 0) return AIPU_STATUS_ERROR_INVALID_CONFIG;
  if ((types & AIPU_JOB_CONFIG_TYPE_DUMP_TCB_CHAIN) != 0)
    log("the TCB chain is not dumped: drivers build it from a job's description, users do not have it");
  options.types = types;
  if (config != nullptr) {
    if (config->dump_dir != nullptr) options.folder = config->dump_dir;
    if (config->prefix != nullptr) options.prefix = config->prefix;
    if (config->output_prefix != nullptr) options.output_prefix = config->output_prefix;
    if (config->misc_prefix != nullptr) options.misc_prefix = config->misc_prefix;
  }
  std::error_code error;
  if (!std::filesystem::is_directory(options.folder, error))
    return report(AIPU_STATUS_ERROR_INVALID_CONFIG, "dump_dir `{}` is not a folder", options.folder);
  *out = std::move(options);
  return kOk;
}

void dump(const DumpOptions& options, const DumpSource& source, bool after) {
  const std::uint64_t graph = source.job & ~std::uint64_t{0xFFFFFFFF};
  for (const DumpPiece& piece : source.pieces) {
    if ((options.types & piece.type) != 0 && (after ? piece.after : piece.before)) {
      const std::string moment = piece.before && piece.after ? (after ? "_AfterRun" : "_BeforeRun") : "";
      if (!write(fmt::format("{}/Graph_{:#x}_Job_{:#x}_{}{}_Dump_in_DRAM_PA_{:#x}_Size_{:#x}.bin",
                             options.folder, graph, source.job, piece.name, moment, piece.address,
                             piece.bytes.size()),
                 piece.bytes))
        return;
    }
    const bool is_output = piece.type == AIPU_JOB_CONFIG_TYPE_DUMP_OUTPUT;
    if ((options.types & AIPU_JOB_CONFIG_TYPE_DUMP_EMULATION) != 0 && !piece.emulation_name.empty() &&
        after == is_output &&
        !write(fmt::format("{}/{}.{}", options.folder, is_output ? options.output_prefix : options.prefix,
                           piece.emulation_name),
               piece.bytes))
      return;
    if (after && (options.types & AIPU_JOB_CONFIG_TYPE_DUMP_PROFILE) != 0 &&
        piece.type == AIPU_JOB_CONFIG_TYPE_DUMP_PROFILE &&
        !write(fmt::format("{}/{}_PerfData.bin", options.folder, options.misc_prefix), piece.bytes))
      return;
  }
}

}  // namespace zynpu::compat
