// SPDX-License-Identifier: MIT
// Files with the content of a job's buffers (standard-api.md 7, config_job).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "status.h"

namespace zynpu::compat {

struct DumpOptions {
  std::uint64_t types = 0;
  std::string folder = "./", prefix = "temp", output_prefix = "temp", misc_prefix;

  // 0x6 if the folder does not exist or a type is not one that can be dumped.
  static Code from(std::uint64_t types, const aipu_job_config_dump_t* config, DumpOptions* out);
};

// One buffer, or piece of one, that may be dumped.
struct DumpPiece {
  std::uint64_t type = 0;  // its bit of DumpOptions::types
  std::string name;        // "Text", "Input0", ...
  bool before = false, after = false;
  std::uint64_t address = 0;
  std::span<const std::uint8_t> bytes;
  std::string emulation_name;  // extension of the emulation dump; empty: not part of it
};

struct DumpSource {
  std::uint64_t job = 0;
  std::vector<DumpPiece> pieces;
};

// Writes what `options` asks for at this moment. A file that cannot be written is reported and ends the dump;
// it never fails the job.
void dump(const DumpOptions& options, const DumpSource& source, bool after);

}  // namespace zynpu::compat
