// SPDX-License-Identifier: MIT
#include "printf_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace zynpu::compat {
namespace {

constexpr std::uint32_t kHead = 8;

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

bool print_log(const char* base, std::uint32_t bytes, const char* file) {
  if (bytes < kHead) return false;
  std::int32_t wrapped = 0, offset = 0;
  std::memcpy(&wrapped, base, sizeof wrapped);
  std::memcpy(&offset, base + 4, sizeof offset);
  const std::string_view text(base + kHead, bytes - kHead);
  const std::size_t end = std::min(text.size(), static_cast<std::size_t>(std::max(offset, 0)));
  int fd = STDOUT_FILENO;
  if (file != nullptr) {
    fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    if (fd < 0) return false;
  }
  bool written = file != nullptr || write_all(fd, "LOG DUMP:");
  if (written && wrapped != 0) written = write_all(fd, text.substr(end));
  if (written) written = write_all(fd, text.substr(0, end));
  if (file != nullptr) close(fd);
  return written;
}

}  // namespace zynpu::compat
