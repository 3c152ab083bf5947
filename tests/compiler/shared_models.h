// SPDX-License-Identifier: MIT
// The folder of real models that lies beside the source tree; tests that need it skip without it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace zynpu::test {

// ZYNPU_SHARED, by default ../shared of the source tree; its "models" folder.
inline std::filesystem::path shared_models() {
  const char* from_environment = std::getenv("ZYNPU_SHARED");
  const std::filesystem::path shared =
      from_environment != nullptr ? from_environment : std::string(ZYNPU_SOURCE_DIR) + "/../shared";
  return shared / "models";
}

inline std::vector<std::uint8_t> read_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace zynpu::test
