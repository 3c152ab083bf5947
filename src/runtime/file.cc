// SPDX-License-Identifier: MIT
#include "runtime/file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

namespace zynpu::runtime {
namespace {

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

}  // namespace

Result<std::vector<std::uint8_t>> read_file(const std::string& path) {
  std::error_code code;
  if (std::filesystem::is_directory(path, code))
    return fail(ErrorCode::kBadFile, "`{}` is a directory", path);
  const File file(std::fopen(path.c_str(), "rb"));
  if (file == nullptr)
    return fail(errno == ENOENT || errno == ENOTDIR ? ErrorCode::kNotFound : ErrorCode::kIo,
                "cannot open `{}`: {}", path, std::strerror(errno));
  std::vector<std::uint8_t> bytes;
  std::uint8_t block[1 << 16];
  while (const std::size_t got = std::fread(block, 1, sizeof block, file.get()))
    bytes.insert(bytes.end(), block, block + got);
  if (std::ferror(file.get()) != 0)
    return fail(ErrorCode::kIo, "cannot read `{}`: {}", path, std::strerror(errno));
  if (bytes.empty()) return fail(ErrorCode::kBadFile, "`{}` is empty", path);
  return bytes;
}

Status write_file(const std::string& path, std::span<const std::uint8_t> bytes) {
  File file(std::fopen(path.c_str(), "wb"));
  if (file == nullptr) return fail(ErrorCode::kIo, "cannot create `{}`: {}", path, std::strerror(errno));
  const bool written = std::fwrite(bytes.data(), 1, bytes.size(), file.get()) == bytes.size();
  const bool closed = std::fclose(file.release()) == 0;
  if (!written || !closed) return fail(ErrorCode::kIo, "cannot write `{}`: {}", path, std::strerror(errno));
  return {};
}

std::string stem(const std::string& path) { return std::filesystem::path(path).stem().string(); }

}  // namespace zynpu::runtime
