// SPDX-License-Identifier: MIT
// Graph files put together word by word from graph-format.md 4 and 9, without zynpu's writers, around a
// program of TEC code that adds 1 to each word of its input.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "graph/elf_file.h"
#include "isa/asm.h"
#include "support/tec_source.h"

namespace zynpu::test {

using Bytes = std::vector<std::uint8_t>;

// Where things stand in the file of minimal_bin().
struct BinFields {
  std::size_t header = 0, text = 0, bss = 0, end = 0;  // end: of the BSS, where the remap block begins
};

inline void put_u32(Bytes& bytes, std::size_t at, std::uint32_t value) {
  if (bytes.size() < at + 4) bytes.resize(at + 4);
  std::memcpy(bytes.data() + at, &value, 4);
}

inline std::uint32_t get_u32(const Bytes& bytes, std::size_t at) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.data() + at, 4);
  return value;
}

inline void append(Bytes& bytes, const std::vector<std::uint32_t>& words) {
  for (const std::uint32_t word : words) put_u32(bytes, bytes.size(), word);
}

inline std::uint32_t device_word(const std::string& part) {
  return part == "z1" ? 0x000102BD : part == "z2" ? 0x00020450 : 0x000504B4;
}

inline Bytes program(const std::string& part, const std::string& body) {
  const auto assembled = isa::assemble(first_tec_source(part, body));
  if (!assembled) throw std::runtime_error(assembled.error().message);
  return assembled->bytes;
}

// out[i] = in[i] + 1 for the four words of the tensors at rodata+0 and rodata+4.
inline Bytes add_one(const std::string& part) { return program(part, add_one_body()); }

// The BSS of the minimal files: one input, one output of 16 bytes, patched at 0 and 4.
inline std::vector<std::uint32_t> minimal_bss() {
  constexpr std::uint32_t kOne = 0x3F800000;                                     // 1.0f
  return {4096, 4096, 0, 2,                                                      // stack, sections
          256,  4096, 0, 1, 0, 16, 0, 0, 2, kOne, 0, 0, 0, 0, 0xFFFFFFFF, 1, 0,  // input
          256,  4096, 0, 1, 0, 16, 1, 0, 3, kOne, 0, 0, 0, 0, 0xFFFFFFFF, 1, 4};
}

// graph-format.md 4 with another program; `bss` may be another stream, `tail` the remap block.
inline Bytes minimal_bin(const std::string& part, const Bytes& text, std::uint32_t version = 0x05000000,
                         const std::vector<std::uint32_t>& bss = minimal_bss(),
                         const std::vector<std::uint32_t>& tail = {0}, BinFields* fields = nullptr) {
  Bytes file = {'A', 'I', 'P', 'U', ' ', 'B', 'I', 'N', 0, 0, 0, 0, 0, 0, 0, 0};
  const auto size = static_cast<std::uint32_t>(text.size());
  const std::uint32_t rodata = 104 + size, after = rodata + 64;
  const auto bss_bytes = static_cast<std::uint32_t>(4 * bss.size());
  const auto file_size = static_cast<std::uint32_t>(after + bss_bytes + 4 * tail.size());
  append(file, {device_word(part), version, 0, 104, file_size, 0, 0});
  append(file, {0, 104, size, rodata, 64, after, 0, after, 0, after, bss_bytes, 0, 0, 0, 0});
  file.insert(file.end(), text.begin(), text.end());
  file.resize(after);
  append(file, bss);
  append(file, tail);
  if (fields != nullptr) *fields = {0, 104, after, after + bss_bytes};
  return file;
}

// graph-format.md 9 with another program.
inline graph::ElfFile minimal_elf(const Bytes& text) {
  graph::ElfFile file = graph::ElfFile::minimal();
  file.text = text;
  return file;
}

inline Bytes minimal_graph(const std::string& part) {
  return part == "x2" ? minimal_elf(add_one(part)).bytes() : minimal_bin(part, add_one(part));
}

}  // namespace zynpu::test
