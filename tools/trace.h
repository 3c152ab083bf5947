// SPDX-License-Identifier: MIT
// A text file with one line per retired bundle of a run.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "base/error.h"
#include "runtime/job.h"
#include "runtime/program.h"
#include "vnpu/device.h"

namespace zynpu::tools {

// Columns, separated by tabs: modelled cycle, core, TEC, program counter (device address), layer, bundle. One
// thread at a time.
class TraceFile {
 public:
  static Result<std::unique_ptr<TraceFile>> create(const std::string& path, const runtime::Program& program,
                                                   const runtime::Job& job);
  void write(const vnpu::TraceEvent& event);
  Status close();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  TraceFile(std::string path, std::FILE* file, const runtime::Program& program, const runtime::Job& job);

  const std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  const runtime::Program& program_;
  const runtime::Job& job_;
};

}  // namespace zynpu::tools
