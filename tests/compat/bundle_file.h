// SPDX-License-Identifier: MIT
// Bundles of graphs that share their weights, put together from graph-format.md 8.9.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "graph/elf_file.h"

namespace zynpu::test {

using BundleBytes = graph::ElfFile::Bytes;

inline void put_u64(BundleBytes& bytes, std::uint64_t value) {
  for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

// A minimal graph with one static section of 16 bytes, patched at rodata + 8, whose data is in the pool.
inline graph::ElfFile bundled_graph(const BundleBytes& text) {
  graph::ElfFile elf = graph::ElfFile::minimal();
  elf.text = text;
  constexpr std::uint32_t kAll = 0xFFFFFFFF, kOne = 0x3F800000;
  elf.note("fmlist") = graph::ElfFile::words(
      {0,   0,    1,  4096, 4096, 1,  2,                                        //
       0,   16,   16, 1,    0,    16, 4, 0, 3, 0,    0, 0, 0, 0, kAll, 1, 8,    // constant
       256, 4096, 0,  1,    0,    16, 0, 0, 2, kOne, 0, 0, 0, 0, kAll, 1, 0,    // input
       256, 4096, 0,  1,    0,    16, 1, 0, 3, kOne, 0, 0, 0, 0, kAll, 1, 4});  // output
  elf.note("constanthashtable") = graph::ElfFile::words({1, 1, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0});
  return elf;
}

// Names and contents of the files behind head and list.
using BundleFiles = std::vector<std::pair<std::string, BundleBytes>>;

// Two such graphs and a pool of two constants.
inline BundleFiles bundle_files(const BundleBytes& text, std::uint32_t first, std::uint32_t second) {
  const BundleBytes elf = bundled_graph(text).bytes();
  BundleBytes offsets;
  put_u64(offsets, 0);
  put_u64(offsets, 16);
  return {{"a.aipuelf", elf},
          {"b.aipuelf", elf},
          {"merged_weight.bin", graph::ElfFile::words({first, 2, 3, 4, second, 2, 3, 4})},
          {"offset.bin", offsets}};
}

inline BundleBytes bundle(const BundleFiles& files) {
  std::string names = "head\nlist";
  for (const auto& [name, bytes] : files) names += "\n" + name;
  const std::uint64_t count = files.size() + 2, head = 4 + 16 * count;
  BundleBytes out = graph::ElfFile::words({static_cast<std::uint32_t>(count)});
  std::uint64_t at = 4096;
  put_u64(out, 0);
  put_u64(out, head);
  put_u64(out, head);
  put_u64(out, names.size());
  for (const auto& [name, bytes] : files) {
    put_u64(out, at);
    put_u64(out, bytes.size());
    at += bytes.size();
  }
  out.insert(out.end(), names.begin(), names.end());
  out.resize(4096);
  for (const auto& [name, bytes] : files) out.insert(out.end(), bytes.begin(), bytes.end());
  return out;
}

}  // namespace zynpu::test
