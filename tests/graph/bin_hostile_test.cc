// SPDX-License-Identifier: MIT
// Every malformed AIPU BIN of graph-format.md 5.1, 5.2 and 11 is refused, and the message names the field.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "graph/bin.h"
#include "graph/samples.h"

namespace zynpu::graph {
namespace {

class File {
 public:
  Bytes bytes;

  void set(std::size_t offset, std::uint32_t value) {
    for (std::size_t i = 0; i < 4; ++i) bytes.at(offset + i) = static_cast<std::uint8_t>(value >> (8 * i));
  }
  void resize(std::size_t size) {
    bytes.resize(size);
    set(32, static_cast<std::uint32_t>(size));
  }
};

// The 356-byte file: offsets as in graph-format.md 4.
Bytes minimal() { return *write(samples::minimal_bin()); }

// The same with 128 bytes of weights in one static section and 32 bytes of dcr, patched at 64 = dcr + 0.
// text 104, rodata 136, dcr 200, data 232, bss 360, static 376, its piece 392 and patch 440, reuse 444, 512,
// remap 580.
Bytes with_weights() {
  Graph graph = samples::minimal_bin();
  graph.dcr.resize(32);
  graph.data.resize(128);
  SubSection piece{.size = 128, .type = SubSectionType::kConstant, .data_type = 3, .patch_offsets = {64}};
  graph.bss[0].static_sections = {{.src_offset = 0, .size = 128, .align = 32, .sub_sections = {piece}}};
  graph.remap = {{0, 4, 1, 8}};
  return *write(graph);
}

struct Case {
  const char* name;
  const char* field;  // must stand in the message
  std::function<void(File&)> spoil;
  Bytes (*base)() = minimal;
  ErrorCode code = ErrorCode::kBadFile;
};

std::function<void(File&)> word(std::size_t offset, std::uint32_t value) {
  return [=](File& file) { file.set(offset, value); };
}
std::function<void(File&)> both(std::function<void(File&)> first, std::function<void(File&)> second) {
  return [=](File& file) { first(file), second(file); };
}

constexpr std::uint32_t kHuge = 0xFFFFFFF0;

const Case kCases[] = {
    // header
    {"Magic", "magic", [](File& f) { f.bytes[8] = '!'; }},
    {"Version06", "version", word(20, 0x06000000), minimal, ErrorCode::kUnsupported},
    {"Version15", "version", word(20, 0x05010000), minimal, ErrorCode::kUnsupported},
    {"HeaderSizeSmall", "header_size", word(28, 103)},
    {"HeaderSizeBeyondFile", "header_size", word(28, 357)},
    {"HeaderSizeMovesSectionsIntoHeader", "text_offset", word(28, 108)},
    {"FileSizeLarge", "file_size", word(32, 357)},
    {"FileSizeSmall", "file_size", word(32, 355)},
    {"Configuration702", "device", word(16, 0x000102BE), minimal, ErrorCode::kUnsupported},
    {"Architecture", "device", word(16, 0x001102BD), minimal, ErrorCode::kUnsupported},
    {"DeviceOfElf", "device", word(16, 0x000504B4)},
    {"EntryAtEndOfText", "entry", word(44, 32)},
    {"EntryCutsInstruction", "entry", word(44, 29)},
    {"EntryBeyondText", "entry", word(44, 48)},
    {"EntryWraps", "entry", word(44, kHuge)},
    {"EntryUnaligned", "entry", word(44, 8)},
    {"DtcmOnPartWithout", "extra_data", word(100, 512)},
    {"DtcmOddSize", "extra_data", both(word(16, 0x000404B4), word(100, 513))},
    {"DtcmTooLarge", "extra_data", both(word(16, 0x000404B4), word(100, 33 * 1024))},
    // section table
    {"TextEmpty", "text", word(52, 0)},
    {"TextInHeader", "text_offset", word(48, 100)},
    {"TextBeyondFile", "text_size", word(52, 300)},
    {"TextWraps", "text_size", word(52, kHuge)},
    {"TextOffsetBeyondFile", "text_size", word(48, kHuge)},
    {"RodataEmpty", "rodata", word(60, 0)},
    {"RodataInHeader", "rodata_offset", word(56, 0)},
    {"RodataWraps", "rodata_size", word(60, kHuge)},
    {"RodataOverText", "overlaps", word(56, 128)},
    {"DcrInHeader", "dcr_offset", word(64, 0)},
    {"DcrBeyondFile", "dcr_size", word(68, 157)},
    {"DcrOverBss", "overlaps", word(68, 4)},
    {"DataInHeader", "data_offset", word(72, 103)},
    {"DataWraps", "data_size", word(76, kHuge)},
    {"DataOverBss", "overlaps", word(76, 16)},
    {"BssInHeader", "bss_offset", word(80, 0)},
    {"BssBeyondFile", "bss_size", word(84, 157)},
    {"BssEmpty", "stack_size", word(84, 0)},
    {"BssTooShortForHeader", "reuse_section_desc_cnt", word(84, 15)},
    {"BssCutsLastWord", "offset_in_ro_cnt", word(84, 151)},
    {"MiscBeyondFile", "misc_size", both(word(88, 104), word(92, 253))},
    {"MiscInHeader", "misc_offset", both(word(88, 4), word(92, 4))},
    // BSS
    {"StackSizeZero", "stack_size", word(200, 0)},
    {"StackSizePastWindow", "stack_size", word(200, 0xFFFFFFFF)},
    {"StackAlignZero", "stack_align_bytes", word(204, 0)},
    {"StackAlignOdd", "stack_align_bytes", word(204, 4097)},
    {"StaticCountHuge", "static_section_desc_cnt", word(208, kHuge)},
    {"ReuseCountZero", "reuse_section_desc_cnt", word(212, 0)},
    {"ReuseCountHuge", "reuse_section_desc_cnt", word(212, 0x10000001)},
    {"ReuseCountOneMore", "reuse[2]",
     [](File& f) {
       f.resize(400);
       f.set(84, 156);  // one word for a third section
       f.set(212, 3);
     }},
    {"ReuseSizeZero", "reuse[0].size", word(216, 0)},
    {"ReuseSizePastWindow", "reuse sections", word(216, 0xFFFFFFFF)},
    {"ReuseAlignZero", "reuse[0].align_bytes", word(220, 0)},
    {"ReuseAlignOdd", "reuse[1].align_bytes", word(288, 3)},
    {"ReuseAlignPastWindow", "reuse sections", word(288, 0x80000000u),
     [] {
       Graph graph = samples::minimal_bin();
       graph.bss[0].reuse_sections[0].size = 0x60000000;
       graph.bss[0].reuse_sections[1].size = 0x50000000;
       return *write(graph);
     }},
    {"SubCountHuge", "sub_section_cnt", word(228, 0x7FFFFFFF)},
    {"SubOffsetBeyondSection", "offset_in_section", word(232, 241)},
    {"SubOffsetWraps", "offset_in_section", word(232, kHuge)},
    {"SubSizeBeyondSection", "offset_in_section", word(236, 257)},
    {"SubTypeConstantInReuse", "type", word(240, 4)},
    {"SubTypeZeroCopyInReuse", "type", word(240, 15)},
    {"SubIdBeyondCount", "id", word(244, 9)},
    {"SubIdTwice", "id", word(308, 0)},  // the output becomes a second input 0
    {"SubDataTypeUnknown", "data_type", word(248, 14)},
    {"SubDataTypeUnknownWide", "data_type", word(248, 0x102)},
    {"SubScaleNan", "scale", word(252, 0x7FC00000)},
    {"SubScaleInfinite", "scale", word(252, 0xFF800000)},
    {"PatchCountHuge", "offset_in_ro_cnt", word(276, 0x40000001)},
    {"PatchBeyondBlocks", "offset_in_ro", word(280, 64)},
    {"PatchStraddlesEnd", "offset_in_ro", word(280, 61)},
    {"PatchWraps", "offset_in_ro", word(280, 0xFFFFFFFC)},
    {"PatchUnaligned", "offset_in_ro", word(280, 2)},
    {"PrintfWithoutHead", "size", both(word(240, 12), word(236, 7))},
    {"ErrorCodeTooSmall", "size", both(word(240, 14), word(236, 3))},
    {"OutputShapeTooLarge", "size", both(word(240, 16), word(236, 68))},
    // static sections and dcr
    {"StaticWithoutData", "data_size", word(76, 0), with_weights},
    {"StaticSourceBeyondData", "src_offset", word(376, 1), with_weights},
    {"StaticSourceWraps", "src_offset", word(376, kHuge), with_weights},
    {"StaticSizeBeyondData", "src_offset", word(380, 129), with_weights},
    {"StaticAlignZero", "static[0].align_bytes", word(384, 0), with_weights},
    {"StaticAlign100", "static[0].align_bytes", word(384, 100), with_weights},
    {"StaticType3", "type", word(400, 3), with_weights},
    {"StaticTypeInput", "type", word(400, 0), with_weights},
    {"StaticWithoutPiece", "sub_section_cnt", word(388, 0), with_weights},
    {"StaticPieceBeyondSection", "offset_in_section", word(392, 4), with_weights},
    {"PatchBeyondDcr", "offset_in_ro", word(440, 96), with_weights},
    {"PatchStraddlesRodataAndDcr", "straddles", both(word(60, 62), word(440, 60)), with_weights},
    {"PatchWithoutDcr", "offset_in_ro", word(68, 0), with_weights},
    // remap
    {"RemapMissing", "remap", [](File& f) { f.resize(352); }},
    {"RemapCut", "remap", [](File& f) { f.resize(354); }},
    {"RemapCountHuge", "remap.entry_cnt", word(352, 0x7FFFFFFF)},
    {"RemapCountOneTooMany", "remap.entry_cnt", word(580, 2), with_weights},
    {"RemapType", "remap[0].type", word(584, 3), with_weights},
    {"RemapOffsetBeyondBlock", "next_addr_entry_offset", word(588, 64), with_weights},
    {"RemapOffsetCutsWord", "next_addr_entry_offset", word(588, 61), with_weights},
    {"RemapOffsetWraps", "next_addr_entry_offset", word(588, 0xFFFFFFFE), with_weights},
    {"RemapOffsetUnaligned", "next_addr_entry_offset", word(588, 6), with_weights},
    {"RemapNextType", "next_type", word(592, 0xFFFFFFFF), with_weights},
    {"RemapNextOffsetBeyondBlock", "next_offset", word(596, 32), with_weights},
    {"RemapIntoMissingDcr", "next_addr_entry_offset",
     [](File& f) {
       f.resize(372);
       for (const auto& [at, value] : {std::pair{352, 1u}, {356, 1u}, {360, 0u}, {364, 0u}, {368, 0u}})
         f.set(static_cast<std::size_t>(at), value);
     }},
};

class BinHostile : public testing::TestWithParam<Case> {};

TEST_P(BinHostile, IsRefusedByName) {
  const Case& test = GetParam();
  File file{test.base()};
  ASSERT_TRUE(read_bin(file.bytes));
  test.spoil(file);
  const auto graph = read_bin(file.bytes);
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().code, test.code) << graph.error().message;
  EXPECT_NE(graph.error().message.find(test.field), std::string::npos) << graph.error().message;
}

INSTANTIATE_TEST_SUITE_P(Refuses, BinHostile, testing::ValuesIn(kCases),
                         [](const testing::TestParamInfo<Case>& param) { return param.param.name; });

TEST(BinReader, RefusesAFileShorterThanItsHeader) {
  const Bytes file = minimal();
  const auto graph = read_bin(std::span(file).first(103));
  ASSERT_FALSE(graph);
  EXPECT_NE(graph.error().message.find("header"), std::string::npos);
}

// Tolerated because vendor loaders do, and because nothing depends on it.
TEST(BinReader, AcceptsUnknownReuseTypesAndReservedWords) {
  File file{minimal()};
  file.set(240, 99);  // then there is no input
  file.set(36, 5);    // type
  file.set(260, 7);   // reserved words of the piece
  file.set(224, 3);   // reuse_desc.type
  file.set(104 + 31, 0);
  const auto graph = read_bin(file.bytes);
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(static_cast<std::uint32_t>(graph->bss[0].reuse_sections[0].sub_sections[0].type), 99u);
}

TEST(BinReader, AcceptsVersion11) {
  File file{minimal()};
  file.set(20, 0x01010000);
  EXPECT_TRUE(read_bin(file.bytes));
}

// graph-format.md 2.9: 344 bytes, as the R329's library runs it.
File old_file(std::uint32_t version) {
  File file{Bytes(344)};
  std::ranges::copy(std::string_view("AIPU BIN"), file.bytes.begin());
  const auto put = [&](std::size_t offset, std::initializer_list<std::uint32_t> words) {
    for (const std::uint32_t value : words) {
      file.set(offset, value);
      offset += 4;
    }
  };
  put(16, {0x000102BD, version, 0, 104, 344, 0, 0});
  put(44, {0, 104, 32, 136, 64, 200, 0, 200, 0, 200, 144, 0, 0, 0, 0});
  put(200, {4096, 4096, 0, 2, 256, 4096, 1, 0, 16, 0, 0, 2, 1, 1, 4, 4, 1, 0xFFFFFFFF, 1, 0});
  put(280, {256, 4096, 1, 0, 16, 1, 0, 3, 1, 1, 4, 4, 1, 0xFFFFFFFF, 1, 4});
  return file;
}

TEST(BinReader, LoadsTheMinimalFilesOfTheR329) {
  for (const std::uint32_t version : {0x03000000u, 0x04000000u}) {
    const auto graph = read_bin(old_file(version).bytes);
    ASSERT_TRUE(graph) << graph.error().message;
    Graph expected = samples::minimal_bin();
    for (ReuseSection& section : expected.bss[0].reuse_sections)
      section.sub_sections[0].scale = 0;  // not in old files
    EXPECT_EQ(*graph, expected);
  }
}

// Old loaders keep dcr behind rodata in one allocation: as one block it has the same addresses.
TEST(BinReader, JoinsTheBlocksOfAnOldFileWithRemapEntries) {
  File file = old_file(0x04000000);
  file.bytes.insert(file.bytes.begin() + 200, 32, 0xDC);
  file.resize(344 + 32 + 4 + 16);
  file.set(40, kFlagRemap);
  file.set(68, 32);  // dcr_size
  file.set(72, 232);
  file.set(80, 232);
  file.set(376, 1);
  for (const auto& [at, value] : {std::pair{380, 0u}, {384, 12u}, {388, 1u}, {392, 8u}})
    file.set(static_cast<std::size_t>(at), value);
  const auto graph = read_bin(file.bytes);
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_TRUE(graph->dcr.empty());
  ASSERT_EQ(graph->rodata.size(), 96u);
  EXPECT_EQ(graph->rodata[64], 0xDC);
  EXPECT_EQ(graph->remap, (std::vector<RemapEntry>{{0, 12, 0, 72}}));
}

TEST(BinReader, OldFilesMustHaveTheExactHeader) {
  File file = old_file(0x04000000);
  file.set(28, 108);
  const auto graph = read_bin(file.bytes);
  ASSERT_FALSE(graph);
  EXPECT_NE(graph.error().message.find("header_size"), std::string::npos);
}

}  // namespace
}  // namespace zynpu::graph
