// SPDX-License-Identifier: MIT
#include "graph/elf_file.h"

#include <algorithm>

namespace zynpu::graph {
namespace {

using Bytes = ElfFile::Bytes;

void put(Bytes& bytes, std::uint64_t value, int size) {
  for (int i = 0; i < size; ++i) bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}
void pad(Bytes& bytes) {
  while (bytes.size() % 4 != 0) bytes.push_back(0);
}

}  // namespace

Bytes ElfFile::words(const std::vector<std::uint32_t>& values) {
  Bytes bytes;
  for (const std::uint32_t value : values) put(bytes, value, 4);
  return bytes;
}

ElfFile ElfFile::minimal() {
  ElfFile file;
  file.notes = {{"rodata", Bytes(64)},
                {"fmlist", words({0,   0,    1, 4096, 4096, 0,          2,                             //
                                  256, 4096, 0, 1,                                                     // 7
                                  0,   16,   0, 0,    2,    0x3F800000, 0, 0, 0, 0, 0xFFFFFFFF, 1, 0,  // 11
                                  256, 4096, 0, 1,                                                     // 24
                                  0,   16,   1, 0,    3,    0x3F800000, 0, 0, 0, 0, 0xFFFFFFFF, 1, 4})},
                {"subgraphs", words({1, 0, 0, 0, 0, 0, 64, 0, 0, 0, 0, 4096, 0, 0, 0, 0, 0})},
                {"compilermsg", words({0x01010000, 0x00010205, 0x000504B4, 0, 0, 0, 0, 0, 0, 0, 0, 0})}};
  return file;
}

Bytes& ElfFile::note(std::string_view name) {
  const auto found = std::ranges::find(notes, name, &Note::name);
  if (found != notes.end()) return found->desc;
  notes.push_back({std::string(name), {}});
  return notes.back().desc;
}

void ElfFile::set(std::string_view name, std::size_t word, std::uint32_t value) {
  Bytes& desc = note(name);
  for (std::size_t i = 0; i < 4; ++i) desc.at(4 * word + i) = static_cast<std::uint8_t>(value >> (8 * i));
}

void ElfFile::drop(std::string_view name) {
  std::erase_if(notes, [name](const Note& each) { return each.name == name; });
}

Bytes ElfFile::note_section() const {
  Bytes bytes;
  for (const Note& each : notes) {
    put(bytes, each.name.size() + 1, 4);
    put(bytes, each.desc.size(), 4);
    put(bytes, 7, 4);  // the type is ignored
    bytes.insert(bytes.end(), each.name.begin(), each.name.end());
    bytes.push_back(0);
    pad(bytes);
    bytes.insert(bytes.end(), each.desc.begin(), each.desc.end());
    pad(bytes);
  }
  return bytes;
}

Bytes ElfFile::bytes() const {
  std::vector<Section> sections = {{"", 0, {}}, {".text", 1, text}, {".note.aipu", 7, note_section()}};
  sections.insert(sections.end(), more.begin(), more.end());
  sections.push_back({".shstrtab", 3, {}});
  Bytes names;
  std::vector<std::size_t> name_at;
  for (const Section& section : sections) {
    name_at.push_back(names.size());
    names.insert(names.end(), section.name.begin(), section.name.end());
    names.push_back(0);
  }
  sections.back().bytes = names;

  const int word = wide ? 8 : 4;
  const std::size_t header_bytes = wide ? 64 : 52, entry_bytes = wide ? 64 : 40;
  Bytes body, headers;
  for (std::size_t i = 0; i < sections.size(); ++i) {
    const Section& section = sections[i];
    put(headers, name_at[i], 4);
    put(headers, section.type, 4);
    put(headers, 0, word);  // flags
    put(headers, 0, word);  // address
    put(headers, section.type == 0 ? 0 : header_bytes + body.size(), word);
    put(headers, section.bytes.size(), word);
    put(headers, 0, 4);
    put(headers, 0, 4);
    put(headers, 1, word);
    put(headers, 0, word);
    body.insert(body.end(), section.bytes.begin(), section.bytes.end());
    pad(body);
  }
  Bytes file = {0x7F, 'E', 'L', 'F', static_cast<std::uint8_t>(wide ? 2 : 1), 1, 1};
  file.resize(16);
  put(file, 2, 2);
  put(file, 0x29A, 2);
  put(file, 1, 4);
  put(file, 0, word);  // entry
  put(file, 0, word);  // program headers
  put(file, header_bytes + body.size(), word);
  put(file, 0, 4);
  for (const std::size_t half :
       {header_bytes, std::size_t{0}, std::size_t{0}, entry_bytes, sections.size(), sections.size() - 1})
    put(file, half, 2);
  file.insert(file.end(), body.begin(), body.end());
  file.insert(file.end(), headers.begin(), headers.end());
  return file;
}

std::size_t ElfFile::header_field(const Bytes& file, std::size_t section, std::size_t field) {
  const bool is_wide = file[4] == 2;
  std::size_t table = 0;
  for (std::size_t i = 0; i < 4; ++i) table |= std::size_t{file[(is_wide ? 40 : 32) + i]} << (8 * i);
  static constexpr std::size_t kWideOffsets[] = {0, 4, 8, 16, 24, 32};
  return is_wide ? table + 64 * section + kWideOffsets[field] : table + 40 * section + 4 * field;
}

}  // namespace zynpu::graph
