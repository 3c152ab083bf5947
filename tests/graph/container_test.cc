// SPDX-License-Identifier: MIT
// Good files: what is written, byte for byte where the format says it, and that it reads back as it was.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "graph/bin.h"
#include "graph/elf.h"
#include "graph/samples.h"

namespace zynpu::graph {
namespace {

Bytes must_write(const Graph& graph) {
  auto file = write(graph);
  EXPECT_TRUE(file) << file.error().message;
  return file.value_or(Bytes{});
}

// The table of graph-format.md 4 as words; text and rodata are zero.
Bytes minimal_bin_file() {
  Bytes file(356);
  const auto put = [&](std::size_t offset, std::initializer_list<std::uint32_t> words) {
    for (const std::uint32_t word : words) {
      for (int i = 0; i < 4; ++i)
        file[offset + static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(word >> (8 * i));
      offset += 4;
    }
  };
  std::ranges::copy(std::string_view("AIPU BIN"), file.begin());
  put(16, {0x000102BD, 0x05000000, 0, 104, 356, 0, 0});
  put(44, {0, 104, 32, 136, 64, 200, 0, 200, 0, 200, 152, 0, 0, 0, 0});
  put(200, {4096, 4096, 0, 2});
  put(216, {256, 4096, 0, 1});
  put(232, {0, 16, 0, 0, 2, 0x3F800000, 0, 0, 0, 0, 0xFFFFFFFF, 1, 0});
  put(284, {256, 4096, 0, 1});
  put(300, {0, 16, 1, 0, 3, 0x3F800000, 0, 0, 0, 0, 0xFFFFFFFF, 1, 4});
  put(352, {0});
  return file;
}

TEST(BinWriter, ReproducesTheMinimalFile) {
  EXPECT_EQ(must_write(samples::minimal_bin()), minimal_bin_file());
}

TEST(BinReader, LoadsTheMinimalFile) {
  const auto graph = read(minimal_bin_file());
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(*graph, samples::minimal_bin());
}

TEST(BinReader, AcceptsTrailingPadding) {
  Bytes file = minimal_bin_file();
  file.resize(416);
  file[32] = 416 & 0xFF;
  file[33] = 416 >> 8;
  const auto graph = read(file);
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(*graph, samples::minimal_bin());
}

TEST(BinReader, AcceptsALongerHeader) {
  Bytes file = minimal_bin_file();
  file.insert(file.begin() + 104, 4, 0);
  file[28] = 108;
  file[32] = 360 & 0xFF;
  for (const std::size_t offset : {48, 56, 64, 72, 80})
    file[offset] = static_cast<std::uint8_t>(file[offset] + 4);
  const auto graph = read(file);
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(*graph, samples::minimal_bin());
}

TEST(BinReader, IgnoresAnotherCompilersMiscSection) {
  Bytes file = minimal_bin_file();
  file[88] = 104;
  file[92] = 16;  // overlaps text, and holds no plan
  const auto graph = read(file);
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_TRUE(graph->plan.empty());
}

TEST(BinWriter, MarksTheVirtualProfile) {
  Graph graph = samples::minimal_bin();
  graph.virtual_profile = true;
  const Bytes file = must_write(graph);
  EXPECT_EQ(std::string(file.begin() + 96, file.begin() + 100), "ZVP1");
  const auto back = read(file);
  ASSERT_TRUE(back);
  EXPECT_TRUE(back->virtual_profile);
}

// Old vendor loaders require text <= rodata <= data <= bss and take all from there to the end as BSS and
// remap block.
TEST(BinWriter, PutsThePlanBeforeTheBss) {
  Graph graph = samples::full_bin();
  graph.plan = {0, 0, 0, 0, 'Z', 'Y', 'P', 'L', 1};
  const Bytes file = must_write(graph);
  const auto word = [&](std::size_t at) {
    return file[at] | file[at + 1] << 8 | file[at + 2] << 16 | file[at + 3] << 24;
  };
  EXPECT_LE(word(48) + word(52), word(56));
  EXPECT_LE(word(56) + word(60), word(64));
  EXPECT_LE(word(64) + word(68), word(72));
  EXPECT_LE(word(72) + word(76), word(88));
  EXPECT_LE(word(88) + word(92), word(80));
  EXPECT_EQ(word(80) + word(84) + 4 + 16 * 3, static_cast<int>(file.size()));
  const auto back = read(file);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->plan, graph.plan);
}

TEST(Container, ReadsBackEverySample) {
  for (const auto& [name, graph] : samples::graphs()) {
    const Bytes file = must_write(graph);
    auto back = read(file);
    ASSERT_TRUE(back) << name << ": " << back.error().message;
    if (graph.comment.empty()) back->comment.clear();  // the writer puts the target name
    EXPECT_EQ(*back, graph) << name;
    EXPECT_EQ(must_write(*back), file) << name;
  }
}

TEST(ElfWriter, NamesTheFullTarget) {
  const auto back = read(must_write(samples::minimal_elf()));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->comment, "target:X2_1204MP3;");
}

// What graph-format.md 6 and 9 require of the header and the payloads, at the offsets of the format.
TEST(ElfWriter, WritesTheMinimalFile) {
  const Bytes file = must_write(samples::minimal_elf());
  const auto half = [&](std::size_t at) { return file[at] | file[at + 1] << 8; };
  const auto word = [&](std::size_t at) {
    return static_cast<std::uint32_t>(half(at)) | static_cast<std::uint32_t>(half(at + 2)) << 16;
  };
  ASSERT_GT(file.size(), 52u);
  EXPECT_EQ(std::string(file.begin(), file.begin() + 7),
            "\x7F"
            "ELF\1\1\1");
  EXPECT_EQ(half(16), 2);
  EXPECT_EQ(half(18), 0x29A);
  EXPECT_EQ(word(20), 1u);
  EXPECT_EQ(word(28), 0u);
  EXPECT_EQ(half(44), 0);

  // The notes, in the order of the file.
  const std::size_t sections = word(32);
  const std::size_t note = word(sections + 2 * 40 + 16), note_end = note + word(sections + 2 * 40 + 20);
  std::vector<std::string> names;
  std::map<std::string, std::vector<std::uint32_t>> payloads;
  for (std::size_t at = note; at < note_end;) {
    const std::uint32_t name_size = word(at), desc_size = word(at + 4);
    const std::string name(reinterpret_cast<const char*>(file.data()) + at + 12, name_size - 1);
    at += 12 + (name_size + 3) / 4 * 4;
    names.push_back(name);
    for (std::size_t i = 0; i < desc_size; i += 4) payloads[name].push_back(word(at + i));
    at += (desc_size + 3) / 4 * 4;
  }
  EXPECT_EQ(names, (std::vector<std::string>{"rodata", "fmlist", "subgraphs", "compilermsg"}));
  EXPECT_EQ(payloads["rodata"], std::vector<std::uint32_t>(16));
  EXPECT_EQ(payloads["fmlist"], (std::vector<std::uint32_t>{
                                    0,   0,    1, 4096, 4096, 0,          2,                             //
                                    256, 4096, 0, 1,                                                     //
                                    0,   16,   0, 0,    2,    0x3F800000, 0, 0, 0, 0, 0xFFFFFFFF, 1, 0,  //
                                    256, 4096, 0, 1,                                                     //
                                    0,   16,   1, 0,    3,    0x3F800000, 0, 0, 0, 0, 0xFFFFFFFF, 1, 4}));
  EXPECT_EQ(payloads["subgraphs"],
            (std::vector<std::uint32_t>{1, 0, 0, 0, 0, 0, 64, 0, 0, 0, 0, 4096, 0, 0, 0, 0, 0}));
  EXPECT_EQ(payloads["compilermsg"],
            (std::vector<std::uint32_t>{0x01010000, 0x00010205, 0x000504B4, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
}

TEST(Container, KnowsEveryTargetOfTheFormat) {
  EXPECT_EQ(*target_name(0x000102BD), "Z1_0701");
  EXPECT_EQ(*target_name(0x100102BD), "Z1_0701_P");
  EXPECT_EQ(*target_name(0x00020450), "Z2_1104");
  EXPECT_EQ(*target_name(0x00030450), "Z3_1104");
  EXPECT_EQ(*target_name(0x000404B4), "X1_1204");
  EXPECT_EQ(*target_name(0x000504B4), "X2_1204");
  for (const std::uint32_t word :
       {0x000102BEu, 0x000002BDu, 0x001102BDu, 0x200102BDu, 0x10020450u, 0x00070450u}) {
    const auto name = target_name(word);
    ASSERT_FALSE(name) << word;
    EXPECT_EQ(name.error().code, ErrorCode::kUnsupported);
  }
  const auto x3 = target_name(0x10060518);
  ASSERT_FALSE(x3);
  EXPECT_NE(x3.error().message.find("X3P_1304"), std::string::npos);
}

TEST(Container, RefusesOtherFiles) {
  for (const std::string& text : {std::string(), std::string("AIPU BIN"), std::string(64, 'x')}) {
    const auto graph = read({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
    ASSERT_FALSE(graph);
    EXPECT_EQ(graph.error().code, ErrorCode::kBadFile);
    EXPECT_NE(graph.error().message.find("magic"), std::string::npos);
  }
}

}  // namespace
}  // namespace zynpu::graph
