// SPDX-License-Identifier: MIT
#include "graph/graph.h"

#include <algorithm>

#include "graph/bin.h"
#include "graph/elf.h"

namespace zynpu::graph {
namespace {

constexpr std::uint8_t kBinMagic[] = {'A', 'I', 'P', 'U', ' ', 'B', 'I', 'N'};
constexpr std::uint8_t kElfMagic[] = {0x7F, 'E', 'L', 'F'};
constexpr std::size_t kSniffBytes = 16;

}  // namespace

bool is_plan(std::span<const std::uint8_t> bytes) {
  return bytes.size() >= 8 && std::ranges::equal(bytes.subspan(4, 4), kPlanIdentifier);
}

Result<Graph> read(std::span<const std::uint8_t> file) {
  if (file.size() < kSniffBytes)
    return fail(ErrorCode::kBadFile, "magic: a file of {} bytes is no graph", file.size());
  if (std::ranges::equal(file.first(std::size(kBinMagic)), kBinMagic)) return read_bin(file);
  if (std::ranges::equal(file.first(std::size(kElfMagic)), kElfMagic)) return read_elf(file);
  return fail(ErrorCode::kBadFile, "magic: the file is neither an AIPU BIN nor an ELF graph");
}

Result<Bytes> write(const Graph& graph) {
  ZYNPU_ASSIGN_OR_RETURN(const Container container, container_of(graph.device_word));
  return container == Container::kBin ? write_bin(graph) : write_elf(graph);
}

}  // namespace zynpu::graph
