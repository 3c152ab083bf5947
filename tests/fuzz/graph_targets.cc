// SPDX-License-Identifier: MIT
#include "fuzz/graph_targets.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "graph/graph.h"
#include "graph/samples.h"
#include "graph/stable.h"

namespace zynpu::graph {
namespace {

void must_be_stable(std::span<const std::uint8_t> file) {
  const std::string problem = instability(file);
  if (problem.empty()) return;
  std::fprintf(stderr, "%s\n", problem.c_str());
  std::abort();
}

}  // namespace

void fuzz_bin(std::span<const std::uint8_t> data) {
  constexpr std::size_t kFileSize = 32;
  if (data.size() < kFileSize + 4) return must_be_stable(data);
  Bytes file(data.begin(), data.end());
  std::ranges::copy(std::string_view("AIPU BIN\0", 9), file.begin());
  for (std::size_t i = 0; i < 4; ++i) file[kFileSize + i] = static_cast<std::uint8_t>(file.size() >> (8 * i));
  must_be_stable(file);
}

void fuzz_elf(std::span<const std::uint8_t> data) {
  if (data.size() < 4) return must_be_stable(data);
  Bytes file(data.begin(), data.end());
  std::ranges::copy(std::string_view("\x7F"
                                     "ELF"),
                    file.begin());
  must_be_stable(file);
}

void fuzz_plan(std::span<const std::uint8_t> data) {
  if (data.size() < 8) return;
  Graph graph = samples::minimal_bin();
  graph.plan.assign(data.begin(), data.end());
  std::ranges::copy(kPlanIdentifier, graph.plan.begin() + 4);
  const auto file = write(graph);
  if (!file) std::abort();
  must_be_stable(*file);
}

}  // namespace zynpu::graph
