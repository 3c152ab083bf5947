// SPDX-License-Identifier: MIT
// interop_cases write FOLDER    puts every operator case that a TFLite file can hold into FOLDER/NAME/:
// model.tflite,
//                               in0.bin, in1.bin, ... (several runs of one interpreter stand one after the
//                               other)
// interop_cases compare FOLDER  imports the models again, runs reference/ on the inputs, and requires the
// bytes of
//                               out0.bin, out1.bin, ... that another runtime left there
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string_view>

#include "compiler/compiler.h"
#include "reference/reference.h"
#include "support/golden.h"
#include "support/op_cases.h"
#include "support/tflite_writer.h"

namespace zynpu {
namespace {

namespace fs = std::filesystem;
using test::ByteVector;

bool write_whole(const fs::path& path, const ByteVector& bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return static_cast<bool>(file.flush());
}

std::vector<std::string> names() {
  std::vector<std::string> out;
  for (const test::OpFamily& family : test::op_families()) {
    for (int i = 0; family.tflite && i < family.count; ++i)
      out.push_back(fmt::format("{}_{}", family.name, i));
  }
  return out;
}

int write_all(const fs::path& folder) {
  for (const std::string& name : names()) {
    const test::OpCase c = test::make_op_case(name);
    fs::create_directories(folder / name);
    std::vector<ByteVector> inputs(c.graph.inputs.size());
    for (int run = 0; run < c.runs; ++run) {
      const auto once = test::op_case_inputs(c, run);
      for (std::size_t i = 0; i < once.size(); ++i)
        inputs[i].insert(inputs[i].end(), once[i].begin(), once[i].end());
    }
    bool written = write_whole(folder / name / "model.tflite", test::write_tflite(c.graph));
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      written = write_whole(folder / name / fmt::format("in{}.bin", i), inputs[i]) && written;
    }
    if (!written) {
      fmt::print(stderr, "cannot write {}\n", (folder / name).string());
      return 1;
    }
  }
  return 0;
}

// Empty: equal. Else what differs.
std::string compare_one(const fs::path& folder, const test::OpCase& c) {
  if (fs::exists(folder / "refused.txt")) {
    const ByteVector text = test::read_whole(folder / "refused.txt");
    return "the other runtime refuses it: " + std::string(text.begin(), text.end());
  }
  const auto graph = compiler::import_tflite(test::read_whole(folder / "model.tflite"), c.name);
  if (!graph) return "import: " + graph.error().message;
  auto interpreter = reference::Interpreter::create(*graph);
  if (!interpreter) return "reference: " + interpreter.error().message;
  for (int run = 0; run < c.runs; ++run) {
    for (std::size_t i = 0; i < graph->inputs.size(); ++i) {
      const ByteVector all = test::read_whole(folder / fmt::format("in{}.bin", i));
      const std::span<std::uint8_t> to = (*interpreter)->tensor(graph->inputs[i]);
      if (all.size() != to.size() * static_cast<std::size_t>(c.runs))
        return fmt::format("in{}.bin: {} bytes", i, all.size());
      std::memcpy(to.data(), all.data() + to.size() * static_cast<std::size_t>(run), to.size());
    }
    if (const Status status = (*interpreter)->run(); !status) return "reference: " + status.error().message;
    for (std::size_t i = 0; i < graph->outputs.size(); ++i) {
      const ByteVector all = test::read_whole(folder / fmt::format("out{}.bin", i));
      const std::span<std::uint8_t> got = (*interpreter)->tensor(graph->outputs[i]);
      if (all.size() != got.size() * static_cast<std::size_t>(c.runs)) {
        return fmt::format("out{}.bin: {} bytes, expected {}", i, all.size(),
                           got.size() * static_cast<std::size_t>(c.runs));
      }
      const std::uint8_t* want = all.data() + got.size() * static_cast<std::size_t>(run);
      int differences = 0;
      std::ptrdiff_t first = 0;
      for (std::ptrdiff_t b = std::ssize(got); b-- > 0;) {
        if (got[static_cast<std::size_t>(b)] != want[b]) ++differences, first = b;
      }
      if (differences > 0) {
        return fmt::format(
            "run {}, output {}: {} of {} bytes differ, first byte {}: {}, the other runtime {}", run, i,
            differences, got.size(), first, got[static_cast<std::size_t>(first)], want[first]);
      }
    }
  }
  return {};
}

int compare_all(const fs::path& folder) {
  int compared = 0, different = 0;
  std::map<std::string, int> by_family;
  for (const std::string& name : names()) {
    const test::OpCase c = test::make_op_case(name);
    const std::string difference = compare_one(folder / name, c);
    ++compared;
    if (difference.empty()) continue;
    ++different;
    const int of_family = ++by_family[name.substr(0, name.rfind('_'))];
    if (of_family <= 3) fmt::print("{}\n  {}\n", c.description, difference);
  }
  for (const auto& [family, count] : by_family) fmt::print("{}: {} cases differ\n", family, count);
  fmt::print("{} cases compared, {} different\n", compared, different);
  return different == 0 && compared > 0 ? 0 : 1;
}

}  // namespace
}  // namespace zynpu

int main(int argc, char** argv) {
  const std::string_view verb = argc == 3 ? argv[1] : "";
  if (verb == "write") return zynpu::write_all(argv[2]);
  if (verb == "compare") return zynpu::compare_all(argv[2]);
  fmt::print(stderr, "usage: interop_cases write|compare FOLDER\n");
  return 2;
}
