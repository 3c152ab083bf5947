// SPDX-License-Identifier: MIT
// zynpu_operators_doc: prints docs/operators.md.
#include <cstdio>
#include <string>

#include "compiler/manual/manual.h"

int main() {
  const std::string page = zynpu::compiler::operators_manual();
  return std::fwrite(page.data(), 1, page.size(), stdout) == page.size() && std::fflush(stdout) == 0 ? 0 : 1;
}
