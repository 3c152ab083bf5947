// SPDX-License-Identifier: MIT
#include "log.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace zynpu::compat {

void log(const std::string& line) {
  const char* level = std::getenv("UMD_LOG_LEVEL");
  if (level != nullptr && std::strcmp(level, "6") == 0) return;
  std::fprintf(stderr, "libaipudrv (zynpu): %s\n", line.c_str());
}

}  // namespace zynpu::compat
