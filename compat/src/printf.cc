// SPDX-License-Identifier: MIT
// aipu_printf: the text that a v1/v2 program printed, from a copy of its printf tensor (standard-api.md 7).
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "context.h"

namespace zynpu::compat {
namespace {

constexpr std::uint32_t kHead = 8, kUsualBytes = 1 << 20;

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
}  // namespace zynpu::compat

aipu_status_t aipu_printf(char* printf_base, char* redirect_file) {
  using namespace zynpu::compat;
  if (printf_base == nullptr) return AIPU_STATUS_ERROR_NULL_PTR;
  std::int32_t wrapped = 0, offset = 0;
  std::memcpy(&wrapped, printf_base, sizeof wrapped);
  std::memcpy(&offset, printf_base + 4, sizeof offset);
  // A base that no aipu_get_tensor filled is taken for a buffer of the usual size, as the vendor's library
  // always does.
  const std::uint32_t known = printf_bytes(printf_base);
  const std::uint32_t room = (known >= kHead ? known : kUsualBytes) - kHead;
  const std::uint32_t end = std::min(room, static_cast<std::uint32_t>(std::max(offset, 0)));
  const std::string_view text(printf_base + kHead, room);
  int fd = STDOUT_FILENO;
  if (redirect_file != nullptr) {
    fd = open(redirect_file, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    if (fd < 0) return AIPU_STATUS_ERROR_PRINTF_FAIL;
  }
  bool written = redirect_file != nullptr || write_all(fd, "LOG DUMP:");
  if (written && wrapped != 0) written = write_all(fd, text.substr(end));
  if (written) written = write_all(fd, text.substr(0, end));
  if (redirect_file != nullptr) close(fd);
  return written ? AIPU_STATUS_SUCCESS : AIPU_STATUS_ERROR_PRINTF_FAIL;
}
