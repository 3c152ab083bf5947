// SPDX-License-Identifier: MIT
// Any bytes, read once as source text and once as machine code: errors carry a message; what is accepted
// comes back unchanged through the other direction.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "isa/asm.h"

namespace {

void check_source(std::string_view source) {
  const auto program = zynpu::isa::assemble(source);
  if (!program) {
    if (!program.error().message.starts_with("line ")) std::abort();
    return;
  }
  const auto text = zynpu::isa::disassemble(program->bytes);
  if (!text) std::abort();
  const auto again = zynpu::isa::assemble(*text);
  if (!again || again->bytes != program->bytes) std::abort();
}

void check_code(std::span<const std::uint8_t> code) {
  const auto text = zynpu::isa::disassemble(code, {.addresses = true, .base = 0x10000});
  if (!text) {
    if (code.size() % zynpu::isa::kBundleBytes == 0) std::abort();
    return;
  }
  const auto program = zynpu::isa::assemble(*text);
  if (!program || !std::equal(code.begin(), code.end(), program->bytes.begin(), program->bytes.end()))
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check_source({reinterpret_cast<const char*>(data), size});
  check_code({data, size});
  check_code({data, size / zynpu::isa::kBundleBytes * zynpu::isa::kBundleBytes});
  return 0;
}
