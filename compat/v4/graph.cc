// SPDX-License-Identifier: MIT
#include "graph.h"

#include <cstring>

#include "graph/bin.h"
#include "report.h"

namespace zynpu::compat::v4 {
namespace {

constexpr std::size_t kHeaderBytes = 104, kVersionOffset = 20, kBssOffset = 80;

std::uint32_t word(std::span<const std::uint8_t> file, std::size_t at) {
  std::uint32_t value = 0;
  std::memcpy(&value, file.data() + at, sizeof value);
  return value;
}

}  // namespace

Status4 Graph::load(Machine machine, std::span<const std::uint8_t> file, std::shared_ptr<Graph>* out) {
  if (file.size() < kHeaderBytes)
    return said(AIPU_R329_INVALID_GBIN, "a file of {} bytes ends in its header", file.size());
  if (std::memcmp(file.data(), "AIPU BIN", 9) != 0) return said(AIPU_R329_UNKNOWN_BIN, "magic");
  const std::uint32_t version = word(file, kVersionOffset);
  if (version >> 16 != 0x0300 && version >> 16 != 0x0400)
    return said(AIPU_R329_GVERSION_UNSUPPORTED, "format version {}.{}; this library reads 0.3 and 0.4",
                version >> 16 & 0xFF, version >> 24);
  auto read = graph::read_bin(file);
  if (!read)
    return said(
        read.error().code == ErrorCode::kUnsupported ? AIPU_R329_TARGET_NOT_FOUND : AIPU_R329_INVALID_GBIN,
        "{}", read.error().message);
  if (machine == nullptr) {
    auto opened = open_virtual_for(read->device_word);
    if (!opened) return said(AIPU_R329_TARGET_NOT_FOUND, "{}", opened.error().message);
    machine = std::move(*opened);
  }
  if (read->device_word != machine->part().device_word)
    return said(AIPU_R329_TARGET_NOT_FOUND, "device word {:#010x} on {}", read->device_word,
                machine->device_name());
  const std::shared_ptr<Graph> graph(new Graph);
  graph->machine_ = std::move(machine);
  graph->npu_ = std::move(*read);
  graph->version_ = version;
  auto loaded = runtime::load_graph(graph->machine_->backend(), graph->npu_, graph->machine_->device_name());
  if (!loaded)
    return said(loaded.error().code == ErrorCode::kOutOfMemory   ? AIPU_R329_BUF_ALLOC_FAIL
                : loaded.error().code == ErrorCode::kUnsupported ? AIPU_R329_OP_NOT_SUPPORTED
                                                                 : AIPU_R329_DEV_ABNORMAL,
                "{}", loaded.error().message);
  graph->loaded_ = std::move(*loaded);
  graph->read_shapes(file);
  *out = graph;
  return AIPU_R329_SUCCESS;
}

// The shapes stand where v0.5 has quantisation (graph-format.md 2.9). The reader has accepted the stream, so
// its counts and lengths hold.
void Graph::read_shapes(std::span<const std::uint8_t> file) {
  std::size_t at = word(file, kBssOffset);
  const std::uint32_t statics = word(file, at + 8), reuses = word(file, at + 12);
  at += 16;
  inputs_.resize(loaded_.layout.inputs.size());
  outputs_.resize(loaded_.layout.outputs.size());
  dumps_.resize(loaded_.layout.inter_dumps.size());
  for (std::uint32_t section = 0; section < statics + reuses; ++section) {
    const bool is_static = section < statics;
    const std::uint32_t subs = word(file, at + (is_static ? 12 : 8));
    at += is_static ? 16 : 12;
    for (std::uint32_t i = 0; i < subs; ++i) {
      const std::uint32_t type = word(file, at + 8), id = word(file, at + 12);
      auto* list = is_static   ? nullptr
                   : type == 0 ? &inputs_
                   : type == 1 ? &outputs_
                   : type == 2 ? &dumps_
                               : nullptr;
      if (list != nullptr)
        (*list)[id] = {id,
                       word(file, at + 4),
                       word(file, at + 20),
                       word(file, at + 24),
                       word(file, at + 28),
                       word(file, at + 32),
                       word(file, at + 36),
                       word(file, at + 16) - 1};
      at += 48 + std::size_t{4} * word(file, at + 44);
    }
  }
}

void Graph::describe(graph_desc* desc) const {
  const auto list = [](const std::vector<aipu_r329_tensor_desc>& tensors) {
    return tensor_info{static_cast<std::uint32_t>(tensors.size()), tensors.data()};
  };
  desc->graph_version = version_;
  desc->build_major = static_cast<std::uint8_t>(npu_.build_version & 0xF);
  desc->build_minor = static_cast<std::uint8_t>(npu_.build_version >> 8 & 0xF);
  desc->build_number = static_cast<std::uint16_t>(npu_.build_version >> 16);
  desc->inputs = list(inputs_);
  desc->outputs = list(outputs_);
  desc->dumps = list(dumps_);
}

}  // namespace zynpu::compat::v4
