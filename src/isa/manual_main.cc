// SPDX-License-Identifier: MIT
// zynpu_isa_doc: prints docs/isa.md.
#include <cstdio>
#include <string>

#include "isa/manual.h"

int main() {
  const std::string page = zynpu::isa::manual();
  return std::fwrite(page.data(), 1, page.size(), stdout) == page.size() && std::fflush(stdout) == 0 ? 0 : 1;
}
