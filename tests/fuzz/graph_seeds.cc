// SPDX-License-Identifier: MIT
// Writes the seeds of the graph fuzzers from our own writers. Usage: graph_seeds FOLDER
// Makes FOLDER/fuzz_graph_bin, fuzz_graph_elf, fuzz_graph_plan and fuzz_weight_bundle.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "compat/bundle_file.h"
#include "fuzz/graph_targets.h"
#include "graph/elf_file.h"
#include "graph/samples.h"

namespace {

using zynpu::graph::Bytes;
namespace samples = zynpu::graph::samples;

bool save(const std::filesystem::path& folder, const std::string& name, const Bytes& bytes) {
  std::filesystem::create_directories(folder);
  std::ofstream file(folder / name, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return file.good();
}

bool make(const std::filesystem::path& folder) {
  const auto bin = folder / "fuzz_graph_bin", elf = folder / "fuzz_graph_elf",
             plan = folder / "fuzz_graph_plan";
  bool ok = true;
  for (const auto& [name, graph] : samples::graphs()) {
    const Bytes file = zynpu::graph::write(graph).value();
    ok &= save(file[0] == 'A' ? bin : elf, name, file);
  }
  zynpu::graph::ElfFile wide = zynpu::graph::ElfFile::minimal();
  wide.wide = true;
  ok &= save(elf, "elf64", wide.bytes());
  zynpu::graph::HostPlan model = samples::plan(1);
  model.graphs[0] = samples::minimal_bin();
  const Bytes file = zynpu::graph::write_model(model).value();
  ok &= save(bin, "model", file);
  // Plans that fit into the container which the fuzzer puts around them.
  ok &= save(plan, "model", zynpu::graph::read(file).value().plan);
  ok &= save(folder / "fuzz_weight_bundle", "bundle",
             zynpu::test::bundle(zynpu::test::bundle_files(Bytes(32), 1, 2)));
  ok &= save(elf, "model", zynpu::graph::write_model(samples::plan(2)).value());
  return ok;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: graph_seeds FOLDER\n");
    return 2;
  }
  return make(argv[1]) ? 0 : 1;
}
