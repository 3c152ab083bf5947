// SPDX-License-Identifier: MIT
// The models that lie beside the source tree, with real inputs and the outputs of TFLite's reference kernels.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace zynpu::test {

using ByteVector = std::vector<std::uint8_t>;

// ZYNPU_SHARED, by default ../shared of the source tree; its "models" folder.
inline std::filesystem::path golden_folder() {
  const char* from_environment = std::getenv("ZYNPU_SHARED");
  const std::filesystem::path shared =
      from_environment != nullptr ? from_environment : std::string(ZYNPU_SOURCE_DIR) + "/../shared";
  return shared / "models";
}

// Empty if there is no such file.
inline ByteVector read_whole(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// One sequence of calls on one fresh interpreter: `steps` tensors one after the other in every input and
// output.
struct GoldenCase {
  std::string name;
  int steps = 1;
  std::vector<ByteVector> inputs, outputs;  // in the model's order
};

// inK.bin, or inK_0.bin, inK_1.bin, ...; likewise for "out".
inline std::vector<ByteVector> golden_tensors(const std::filesystem::path& folder, const std::string& what,
                                              const std::string& number) {
  std::vector<ByteVector> tensors;
  if (std::filesystem::exists(folder / (what + number + ".bin"))) {
    tensors.push_back(read_whole(folder / (what + number + ".bin")));
    return tensors;
  }
  for (int i = 0;; ++i) {
    const auto path = folder / (what + number + "_" + std::to_string(i) + ".bin");
    if (!std::filesystem::exists(path)) return tensors;
    tensors.push_back(read_whole(path));
  }
}

// Every case of one model ("ic_resnet8_cifar10_int8"), as its cases.tsv lists them.
inline std::vector<GoldenCase> golden_cases(const std::string& model) {
  const auto folder = golden_folder() / (model + ".golden");
  std::vector<GoldenCase> cases;
  std::ifstream table(folder / "cases.tsv");
  std::string line;
  std::getline(table, line);  // heading
  while (std::getline(table, line)) {
    std::istringstream fields(line);
    GoldenCase c;
    if (!(fields >> c.name >> c.steps)) continue;
    c.inputs = golden_tensors(folder, "in", c.name);
    c.outputs = golden_tensors(folder, "out", c.name);
    cases.push_back(std::move(c));
  }
  return cases;
}

// Names of all TFLite models there, without the ending, sorted; empty without the folder.
inline std::vector<std::string> golden_tflite_models() {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(golden_folder(), ignored)) {
    if (entry.path().extension() == ".tflite") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace zynpu::test
