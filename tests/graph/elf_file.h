// SPDX-License-Identifier: MIT
// An ELF file put together word by word, without the writer, so that tests can make any mistake in it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace zynpu::graph {

struct ElfFile {
  using Bytes = std::vector<std::uint8_t>;
  struct Note {
    std::string name;
    Bytes desc;
  };
  struct Section {
    std::string name;
    std::uint32_t type = 1;
    Bytes bytes;
  };

  bool wide = false;  // ELF64
  Bytes text = Bytes(32);
  std::vector<Note> notes;
  std::vector<Section> more;  // after .text and .note.aipu

  // The file of graph-format.md 9.
  static ElfFile minimal();
  static Bytes words(const std::vector<std::uint32_t>& values);

  Bytes& note(std::string_view name);                                      // payload, added if absent
  void set(std::string_view name, std::size_t word, std::uint32_t value);  // one word of a payload
  void drop(std::string_view name);
  Bytes note_section() const;
  Bytes bytes() const;

  // Offset in bytes() of field `field` (0 name, 1 type, 4 offset, 5 size, in words of ELF32) of section
  // header `section`.
  static std::size_t header_field(const Bytes& file, std::size_t section, std::size_t field);
};

}  // namespace zynpu::graph
