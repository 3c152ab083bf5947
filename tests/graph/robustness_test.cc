// SPDX-License-Identifier: MIT
// Cut, flipped and overwritten files: nothing crashes, and what is accepted is stable (stable.h).
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "graph/elf_file.h"
#include "graph/graph.h"
#include "graph/plan.h"
#include "graph/samples.h"
#include "graph/stable.h"

namespace zynpu::graph {
namespace {

struct NamedFile {
  std::string name;
  Bytes bytes;
};

// Containers without a plan.
std::vector<NamedFile> container_files() {
  std::vector<NamedFile> files;
  for (const auto& [name, graph] : samples::graphs()) files.push_back({name, *write(graph)});
  ElfFile wide = ElfFile::minimal();
  wide.wide = true;
  files.push_back({"elf64", wide.bytes()});
  return files;
}

std::vector<NamedFile> files() {
  std::vector<NamedFile> all = container_files();
  all.push_back({"model", *write_model(samples::plan(2))});
  HostPlan plan = samples::plan(1);
  plan.graphs[0] = samples::minimal_bin();
  all.push_back({"bin_model", *write_model(plan)});
  return all;
}

void put(Bytes& bytes, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
}

TEST(Truncation, AtEveryByteIsRefused) {
  for (const auto& [name, file] : files())
    for (std::size_t size = 0; size < file.size(); ++size) {
      const Bytes prefix(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
      bool accepted = false;
      EXPECT_EQ(instability(prefix, &accepted), "") << name << " cut to " << size;
      EXPECT_FALSE(accepted) << name << " cut to " << size;
    }
}

// With the header's file_size corrected the cut reaches the parsers behind it.
TEST(Truncation, OfABinThatSaysSoIsRefusedOrStable) {
  for (auto& [name, file] : files()) {
    if (file[0] != 'A') continue;
    for (std::size_t size = 104; size < file.size(); ++size) {
      Bytes prefix(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
      put(prefix, 32, static_cast<std::uint32_t>(size));
      EXPECT_EQ(instability(prefix), "") << name << " cut to " << size;
    }
  }
}

TEST(Truncation, OfEveryNoteIsRefusedOrStable) {
  ElfFile file = ElfFile::minimal();
  const Graph full = samples::full_elf();
  file.notes.insert(file.notes.end(),
                    {{"desc", full.dcr}, {"weight", full.data}, {"remap", ElfFile::words({1, 0, 0, 1, 0})}});
  for (const Note& note : full.notes)
    if (note.name == "gmconfig" || note.name == "segmmu" || note.name == "graphjson")
      file.notes.push_back({note.name, note.desc});
  ASSERT_TRUE(read(file.bytes()));
  for (std::size_t i = 0; i < file.notes.size(); ++i) {
    const Bytes whole = file.notes[i].desc;
    for (std::size_t size = 0; size < whole.size(); ++size) {
      file.notes[i].desc.resize(size);
      bool accepted = false;
      EXPECT_EQ(instability(file.bytes(), &accepted), "") << file.notes[i].name << " cut to " << size;
      const std::string& name = file.notes[i].name;
      if (name == "fmlist" || name == "subgraphs" || (name == "remap" && size > 0)) {
        EXPECT_FALSE(accepted) << name << " cut to " << size;
      }
      file.notes[i].desc = whole;
    }
  }
}

TEST(BitFlip, IsRefusedOrStable) {
  for (auto& [name, file] : files()) {
    // Every bit of a container; of the larger models one bit of each byte, another one from byte to byte.
    const std::size_t step = file.size() < 2048 ? 1 : 9;
    for (std::size_t bit = 0; bit < 8 * file.size(); bit += step) {
      file[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
      EXPECT_EQ(instability(file), "") << name << ": bit " << bit % 8 << " of byte " << bit / 8;
      file[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    }
  }
}

TEST(Overwrite, OfEveryWordWithBoundariesIsRefusedOrStable) {
  for (auto& [name, file] : files())
    for (std::size_t at = 0; at + 4 <= file.size(); at += 4) {
      const Bytes saved(file.begin() + static_cast<std::ptrdiff_t>(at),
                        file.begin() + static_cast<std::ptrdiff_t>(at) + 4);
      for (const std::uint32_t value :
           {0u, 1u, 4u, 0x7FFFFFFFu, 0x80000000u, 0xFFFFFFFCu, 0xFFFFFFFFu,
            static_cast<std::uint32_t>(file.size()), static_cast<std::uint32_t>(file.size() - at)}) {
        put(file, at, value);
        EXPECT_EQ(instability(file), "") << name << ": word " << at << " = " << value;
      }
      std::ranges::copy(saved, file.begin() + static_cast<std::ptrdiff_t>(at));
    }
}

TEST(Overwrite, AtRandomIsRefusedOrStable) {
  const std::vector<NamedFile> originals = files();
  for (unsigned seed = 0; seed < 4000; ++seed) {
    std::mt19937 random(seed);
    const NamedFile& original = originals[random() % originals.size()];
    Bytes file = original.bytes;
    for (auto changes = 1 + random() % 6; changes > 0; --changes) {
      const std::size_t at = random() % (file.size() - 4) & ~std::size_t{3};
      put(file, at,
          random() % 3 == 0 ? static_cast<std::uint32_t>(random())
                            : static_cast<std::uint32_t>(random() % 300));
    }
    EXPECT_EQ(instability(file), "") << original.name << ", seed " << seed;
  }
}

}  // namespace
}  // namespace zynpu::graph
