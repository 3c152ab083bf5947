// SPDX-License-Identifier: MIT
#include "trace.h"

#include <cerrno>
#include <cstring>

#include "isa/asm.h"
#include "isa/decode.h"

namespace zynpu::tools {

Result<std::unique_ptr<TraceFile>> TraceFile::create(const std::string& path, const runtime::Program& program,
                                                     const runtime::Job& job) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (file == nullptr) return fail(ErrorCode::kIo, "cannot create `{}`: {}", path, std::strerror(errno));
  fmt::print(file, "cycle\tcore\ttec\tpc\tlayer\tbundle\n");
  return std::unique_ptr<TraceFile>(new TraceFile(path, file, program, job));
}

TraceFile::TraceFile(std::string path, std::FILE* file, const runtime::Program& program,
                     const runtime::Job& job)
    : path_(std::move(path)), file_(file), program_(program), job_(job) {}

void TraceFile::write(const vnpu::TraceEvent& event) {
  const runtime::CodePlace place = job_.locate(event.pc);
  std::string layer, bundle;
  if (place.graph >= 0) {
    layer = program_.op_name(place.op);
    isa::BundleWords words{};
    std::memcpy(words.data(), program_.plan().graphs[place.graph].text.data() + place.offset, sizeof words);
    if (const auto decoded = isa::decode(words)) bundle = isa::to_string(*decoded);
  }
  fmt::print(file_.get(), "{}\t{}\t{}\t{:#010x}\t{}\t{}\n", event.cycle, event.core, event.tec, event.pc,
             layer, bundle);
}

Status TraceFile::close() {
  const bool failed = std::ferror(file_.get()) != 0;
  if (std::fclose(file_.release()) != 0 || failed) return fail(ErrorCode::kIo, "cannot write `{}`", path_);
  return {};
}

}  // namespace zynpu::tools
