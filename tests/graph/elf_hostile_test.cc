// SPDX-License-Identifier: MIT
// Every malformed ELF graph of graph-format.md 10 and 11 is refused, and the message names the field.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "graph/elf.h"
#include "graph/elf_file.h"
#include "graph/samples.h"

namespace zynpu::graph {
namespace {

void set(Bytes& bytes, std::size_t offset, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) bytes.at(offset + i) = static_cast<std::uint8_t>(value >> (8 * i));
}

TEST(ElfReader, LoadsTheMinimalFileOfBothClasses) {
  for (const bool wide : {false, true}) {
    ElfFile file = ElfFile::minimal();
    file.wide = wide;
    const auto graph = read(file.bytes());
    ASSERT_TRUE(graph) << graph.error().message;
    EXPECT_EQ(*graph, samples::minimal_elf());
  }
}

TEST(ElfReader, TakesNotesInAnyOrder) {
  ElfFile file = ElfFile::minimal();
  std::ranges::reverse(file.notes);
  const auto graph = read(file.bytes());
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(*graph, samples::minimal_elf());
}

TEST(ElfReader, TakesALongerCompilerMessage) {
  ElfFile file = ElfFile::minimal();
  file.note("compilermsg").resize(400);
  EXPECT_TRUE(read(file.bytes()));
}

TEST(ElfReader, TreatsAnEmptyNoteAsAbsent) {
  ElfFile file = ElfFile::minimal();
  file.note("desc").clear();
  file.note("gmconfig").clear();
  const auto graph = read(file.bytes());
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(*graph, samples::minimal_elf());
}

TEST(ElfReader, AcceptsNoSubgraphs) {
  ElfFile file = ElfFile::minimal();
  file.note("subgraphs") = ElfFile::words({0});
  const auto graph = read(file.bytes());
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_TRUE(graph->subgraphs.empty());
}

TEST(ElfReader, PassesOverSectionsOfOthers) {
  ElfFile file = ElfFile::minimal();
  file.more = {{".data", 1, Bytes(8)}, {".symtab", 2, Bytes(16)}, {".rodata", 1, Bytes(12, 5)}};
  const auto graph = read(file.bytes());
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(graph->crodata, Bytes(12, 5));
}

// What is wrong with the container itself; `spoil` gets the finished file.
struct HeaderCase {
  const char* name;
  const char* field;
  std::function<void(Bytes&)> spoil;
  bool wide = false;
};

std::function<void(Bytes&)> put(std::size_t offset, std::uint64_t value, std::size_t size) {
  return [=](Bytes& file) { set(file, offset, value, size); };
}
// Sections: 1 .text, 2 .note.aipu, 3 .shstrtab. Fields: 0 name, 1 type, 4 offset, 5 size.
std::function<void(Bytes&)> section(std::size_t number, std::size_t field, std::uint64_t value,
                                    std::size_t size = 4) {
  return [=](Bytes& file) { set(file, ElfFile::header_field(file, number, field), value, size); };
}

const HeaderCase kHeaderCases[] = {
    {"Class0", "class", put(4, 0, 1)},
    {"Class3", "class", put(4, 3, 1)},
    {"ShorterThanItsHeader", "e_ident", [](Bytes& f) { f.resize(51); }},
    {"BigEndian", "e_ident", put(5, 2, 1)},
    {"TypeRelocatable", "e_type", put(16, 1, 2)},
    {"MachineX86", "e_machine", put(18, 62, 2)},
    {"Version0", "e_version", put(20, 0, 4)},
    {"HeaderSize", "e_ehsize", put(40, 51, 2)},
    {"ProgramHeaderSize", "e_phentsize", put(44, 1, 2)},
    {"ProgramHeadersBeyondFile", "e_phoff",
     [](Bytes& f) { set(f, 28, 0xFFFFFFF0, 4), set(f, 42, 32, 2), set(f, 44, 1, 2); }},
    {"NoSections", "e_shnum", put(48, 0, 2)},
    {"SectionHeaderSize", "e_shentsize", put(46, 41, 2)},
    {"SectionTableBeyondFile", "e_shoff", put(32, 0xFFFFFFF0, 4)},
    {"SectionTableCut", "e_shoff", [](Bytes& f) { f.pop_back(); }},
    {"SectionCountHuge", "e_shoff", put(48, 0xFFFF, 2)},
    {"NameTableIndex", "e_shstrndx", put(50, 4, 2)},
    {"NameTableIsNoTable", "e_shstrndx", put(50, 1, 2)},
    {"NameTableBeyondFile", "shstrtab", section(3, 5, 0xFFFFFF00)},
    {"NameBeyondTable", "sh_name", section(1, 0, 0xFFFF)},
    {"NameNotTerminated", "sh_name", section(3, 5, 4)},
    {"TextNoBits", ".text", section(1, 1, 8)},
    {"TextNull", ".text", section(1, 1, 0)},
    {"TextEmpty", ".text", section(1, 5, 0)},
    {"TextBeyondFile", ".text", section(1, 5, 0xFFFF)},
    {"TextOffsetWraps", ".text", section(1, 4, 0xFFFFFFF0)},
    {"TextOverHeader", "overlaps", section(1, 4, 16)},
    {"TextOverNotes", "overlaps", section(1, 5, 40)},
    {"NotesNoBits", ".note.aipu", section(2, 1, 8)},
    {"NotesCut", "descsz",
     [](Bytes& f) {
       const std::size_t at = ElfFile::header_field(f, 2, 5);
       set(f, at, (f[at] | f[at + 1] << 8) - 4u, 4);
     }},
    {"WideTextOffsetWraps", ".text", section(1, 4, 0xFFFFFFFFFFFFFFF0, 8), true},
    {"WideTextSizeWraps", ".text", section(1, 5, 0xFFFFFFFFFFFFFFF0, 8), true},
    {"WideSectionTableWraps", "e_shoff", put(40, 0xFFFFFFFFFFFFFFF0, 8), true},
    {"WideFileWithNarrowHeader", "e_ident", [](Bytes& f) { f.resize(60); }, true},
};

class ElfHeaderHostile : public testing::TestWithParam<HeaderCase> {};

TEST_P(ElfHeaderHostile, IsRefusedByName) {
  ElfFile maker = ElfFile::minimal();
  maker.wide = GetParam().wide;
  Bytes file = maker.bytes();
  ASSERT_TRUE(read_elf(file));
  GetParam().spoil(file);
  const auto graph = read_elf(file);
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().code, ErrorCode::kBadFile);
  EXPECT_NE(graph.error().message.find(GetParam().field), std::string::npos) << graph.error().message;
}

INSTANTIATE_TEST_SUITE_P(Refuses, ElfHeaderHostile, testing::ValuesIn(kHeaderCases),
                         [](const testing::TestParamInfo<HeaderCase>& param) { return param.param.name; });

// What is wrong with the notes; `spoil` gets the parts before they are put together.
struct NoteCase {
  const char* name;
  const char* field;
  std::function<void(ElfFile&)> spoil;
  ErrorCode code = ErrorCode::kBadFile;
};

std::function<void(ElfFile&)> word(const char* note, std::size_t index, std::uint32_t value) {
  return [=](ElfFile& file) { file.set(note, index, value); };
}
std::function<void(ElfFile&)> drop(const char* note) {
  return [=](ElfFile& file) { file.drop(note); };
}
std::function<void(ElfFile&)> size(const char* note, std::size_t bytes) {
  return [=](ElfFile& file) { file.note(note).resize(bytes); };
}
std::function<void(ElfFile&)> payload(const char* note, std::vector<std::uint32_t> values) {
  return [=](ElfFile& file) { file.note(note) = ElfFile::words(values); };
}
std::function<void(ElfFile&)> all(std::vector<std::function<void(ElfFile&)>> steps) {
  return [=](ElfFile& file) {
    for (const auto& step : steps) step(file);
  };
}
// An output shape beside the output, as dynamic graphs need it: two reuse sections, the second with two
// pieces.
void add_output_shape(ElfFile& file) {
  file.set("fmlist", 27, 2);
  const Bytes piece = ElfFile::words({64, 16, 16, 0, 6, 0, 0, 0, 0, 0, 0xFFFFFFFF, 0});
  Bytes& fmlist = file.note("fmlist");
  fmlist.insert(fmlist.end(), piece.begin(), piece.end());
}
std::function<void(ElfFile&)> dynamic(std::vector<std::uint32_t> parameters,
                                      std::vector<std::uint32_t> constraint) {
  return all({add_output_shape, word("compilermsg", 3, kFlagDynamicShape),
              payload("globalparam", std::move(parameters)),
              payload("inputshapeconstraint", std::move(constraint))});
}
std::function<void(ElfFile&)> extra_weight(const std::string& text, std::uint64_t count = 1,
                                           std::uint64_t length = ~0ull) {
  return [=](ElfFile& file) {
    // A second BSS, which takes its data from the extra file.
    file.set("fmlist", 2, 2);
    Bytes& fmlist = file.note("fmlist");
    const Bytes bss = ElfFile::words({4096, 4096, 0, 1, 64, 4096, 0, 0});
    fmlist.insert(fmlist.end(), bss.begin(), bss.end());
    Bytes& note = file.note("extra_weight_name");
    note.resize(16);
    set(note, 0, count, 8);
    set(note, 8, length == ~0ull ? text.size() : length, 8);
    note.insert(note.end(), text.begin(), text.end());
  };
}
const std::string kHash(64, 'a');

const NoteCase kNoteCases[] = {
    {"NoRodata", "rodata", drop("rodata")},
    {"NoFmlist", "fmlist", drop("fmlist")},
    {"NoSubgraphs", "subgraphs", drop("subgraphs")},
    {"NoCompilermsg", "compilermsg", drop("compilermsg")},
    {"RodataEmpty", "rodata", size("rodata", 0)},
    {"NoteTwice", "rodata",
     [](ElfFile& f) {
       f.notes.push_back({"rodata", Bytes(64)});
     }},
    {"OptionalNoteTwice", "graphjson",
     [](ElfFile& f) {
       f.notes.insert(f.notes.end(), 2, {"graphjson", Bytes(4)});
     }},
    {"NoteWithoutName", "name",
     [](ElfFile& f) {
       f.notes.push_back({"", Bytes(4)});
     }},
    {"CompilermsgShort", "compilermsg", size("compilermsg", 15)},
    {"DeviceUnknown", "device", word("compilermsg", 2, 0x000504B5), ErrorCode::kUnsupported},
    {"DeviceX3", "X3P_1304", word("compilermsg", 2, 0x10060518), ErrorCode::kUnsupported},
    {"DeviceOfBin", "device", word("compilermsg", 2, 0x000102BD)},
    // fmlist
    {"FmlistShort", "fmlist", size("fmlist", 11)},
    {"FmlistWithoutBss", "num_fm_descriptor", word("fmlist", 2, 0)},
    {"FmlistCountHuge", "num_fm_descriptor", word("fmlist", 2, 0x7FFFFFFF)},
    {"FmlistCountOneMore", "bss[1]", [](ElfFile& f) { f.set("fmlist", 2, 2); }},
    {"FmlistCut", "offset_in_ro_cnt", [](ElfFile& f) { f.note("fmlist").pop_back(); }},
    {"StackSizeZero", "stack_size", word("fmlist", 3, 0)},
    {"StackAlignZero", "stack_align_bytes", word("fmlist", 4, 0)},
    {"StaticWithoutDescriptor", "static_section_desc_cnt", word("fmlist", 5, 100)},
    {"ReuseCountZero", "reuse_section_desc_cnt", word("fmlist", 6, 0)},
    {"ReuseSizeZero", "reuse[0].size", word("fmlist", 7, 0)},
    {"ReuseAlignOdd", "reuse[0].align_bytes", word("fmlist", 8, 12)},
    {"SubCountHuge", "sub_section_cnt", word("fmlist", 10, 0x7FFFFFFF)},
    {"SubBeyondSection", "offset_in_section", word("fmlist", 11, 250)},
    {"SubDataType", "data_type", word("fmlist", 15, 0x30)},
    {"SubScaleNan", "scale", word("fmlist", 16, 0x7FC00000)},
    {"SubId", "id", word("fmlist", 14, 1)},
    {"PatchBeyondRodata", "offset_in_ro", word("fmlist", 23, 64)},
    {"SegmentMmuId", "id", all({word("fmlist", 13, 255), word("fmlist", 14, 0x0400)})},
    {"OutputShapeTooLarge", "size", all({word("fmlist", 13, 16), word("fmlist", 12, 68)})},
    // sub-graphs
    {"SubgraphCountHuge", "subgraphs_cnt", word("subgraphs", 0, 1u << 20)},
    {"SubgraphCountOneMore", "subgraphs_cnt", word("subgraphs", 0, 2)},
    {"SubgraphsCut", "subgraphs", [](ElfFile& f) { f.note("subgraphs").pop_back(); }},
    {"TextOffsetAtEnd", "text_offset", word("subgraphs", 3, 32)},
    {"FmDescOffset", "fm_desc_offset", word("subgraphs", 4, 1)},
    {"RodataOffsetAtEnd", "rodata_offset", word("subgraphs", 5, 64)},
    {"PrivateDataSizeZero", "private_data_size", word("subgraphs", 11, 0)},
    {"Precursor2", "precursor_cnt", word("subgraphs", 15, 2)},
    {"PrecursorMinus2", "precursor_cnt", word("subgraphs", 15, 0xFFFFFFFE)},
    {"PrecursorIsItself", "precursor",
     payload("subgraphs", {1, 0, 0, 0, 0, 0, 64, 0, 0, 0, 0, 4096, 0, 0, 0, 1, 0, 0})},
    {"PrivateCountHuge", "private_buffer_cnt", word("subgraphs", 16, 0x7FFFFFFF)},
    {"PrivateCountNegative", "private_buffer_cnt", word("subgraphs", 16, 0xFFFFFFFF)},
    {"PrivateCut", "private_buffer_cnt",
     payload("subgraphs", {1, 0, 0, 0, 0, 0, 64, 0, 0, 0, 0, 4096, 0, 0, 0, 0, 1, 64, 4096, 0})},
    {"PrivateSizeZero", "private[0].size",
     payload("subgraphs", {1, 0, 0, 0, 0, 0, 64, 0, 0, 0, 0, 4096, 0, 0, 0, 0, 1, 0, 4096, 0, 0})},
    {"PrivateInput", "private[0].sub[0].type",
     payload("subgraphs", {1,  0,    0, 0, 0, 0,  64, 0, 0, 0, 0, 4096, 0, 0, 0,          0, 1,
                           64, 4096, 0, 1, 0, 16, 0,  0, 2, 0, 0, 0,    0, 0, 0xFFFFFFFF, 0})},
    {"PrivatePatch", "offset_in_ro",
     payload("subgraphs", {1,  0,    0, 0, 0, 0,  64, 0, 0, 0, 0, 4096, 0, 0, 0,          0, 1,
                           64, 4096, 0, 1, 0, 16, 3,  0, 2, 0, 0, 0,    0, 0, 0xFFFFFFFF, 1, 64})},
    // remap
    {"RemapCountHuge", "remap.entry_cnt", payload("remap", {0x7FFFFFFF})},
    {"RemapType", "remap[0].type", payload("remap", {1, 3, 0, 0, 0})},
    {"RemapWithoutDcr", "next_offset", payload("remap", {1, 0, 0, 1, 0})},
    // optional notes
    {"GmTooLong", "gmconfig: descsz", size("gmconfig", 60)},
    {"GmTooShort", "gmconfig: descsz", size("gmconfig", 20)},
    {"GmBuffersCut", "GM_control", payload("gmconfig", {2, 0, 0, 0, 0, 0, 0, 0, 0, 0})},
    {"GmBufferCount", "GM_control", payload("gmconfig", {3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})},
    {"GmFmIndex", "fm_index", payload("gmconfig", {1, 0, 0, 0, 0, 0, 1, 0, 0, 0})},
    {"GmBufferType", "buf_type", payload("gmconfig", {1, 0, 0, 0, 0, 0, 0, 2, 0, 0})},
    {"GmBufferIndex", "buf_index", payload("gmconfig", {1, 0, 0, 0, 0, 0, 0, 0, 2, 0})},
    {"GmStaticIndex", "buf_index", payload("gmconfig", {1, 0, 0, 0, 0, 0, 0, 1, 0, 0})},
    {"SegmmuCount", "segmmu: num",
     [](ElfFile& f) { f.note("segmmu").resize(4 + 2 * 56), f.set("segmmu", 0, 2); }},
    {"SegmmuCut", "segmmu: num", payload("segmmu", {1, 0, 0})},
    {"SegmmuTrailing", "segmmu: descsz", payload("segmmu", {0, 0})},
    {"GlobalparamShort", "globalparam: descsz", size("globalparam", 7)},
    {"DynamicWithoutParameters", "globalparam", word("compilermsg", 3, kFlagDynamicShape)},
    {"DynamicWithoutConstraint", "inputshapeconstraint",
     all({word("compilermsg", 3, kFlagDynamicShape), payload("globalparam", {8, 0, 0, 0})})},
    {"DynamicWithoutOutputShape", "sub_section type 16",
     all({word("compilermsg", 3, kFlagDynamicShape), payload("globalparam", {8, 0, 0, 0}),
          payload("inputshapeconstraint", {2, 1, 4, 1, 8})})},
    {"ShapeOffsetAtEnd", "input_shape_offset", dynamic({12, 0, 0}, {2, 1, 4, 1, 8})},
    {"ShapeOffsetCutsDims", "input_shape_offset", dynamic({8, 0, 0}, {2, 2, 4, 4, 2, 8, 8})},
    {"ShapeOffsetWraps", "input_shape_offset", dynamic({0xFFFFFFFC, 0, 0}, {2, 1, 4, 1, 8})},
    {"ConstraintCountOdd", "inputshapeconstraint: count", dynamic({8, 0, 0, 0}, {1, 1, 4})},
    {"ConstraintCountOfOtherInputs", "inputshapeconstraint: count",
     dynamic({8, 0, 0, 0}, {4, 1, 4, 1, 8, 1, 4, 1, 8})},
    {"ConstraintCountHuge", "inputshapeconstraint: count", dynamic({8, 0, 0, 0}, {0x7FFFFFFE})},
    {"ConstraintRank0", "rank", dynamic({8, 0, 0, 0}, {2, 0, 0})},
    {"ConstraintRank17", "rank",
     dynamic({8, 0, 0, 0}, {2, 17, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1})},
    {"ConstraintRankCut", "rank", dynamic({8, 0, 0, 0}, {2, 1, 4, 2, 8})},
    {"ConstraintRanksDiffer", "rank", dynamic({8, 0, 0, 0}, {2, 1, 4, 2, 8, 8})},
    {"ConstraintMinimumAboveMaximum", "minimum 9", dynamic({8, 0, 0, 0}, {2, 1, 9, 1, 8})},
    {"ConstraintDimZero", "dim is 0", dynamic({8, 0, 0, 0}, {2, 1, 0, 1, 8})},
    {"ConstraintProduct", "product",
     dynamic({8, 0, 0, 0, 0}, {2, 3, 1, 1, 1, 3, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF})},
    {"ExtraWeightWithoutBss", "extra_weight_name: count", payload("extra_weight_name", {1, 0, 0, 0})},
    {"ExtraWeightCount", "extra_weight_name: count", extra_weight("w+" + kHash, 2)},
    {"ExtraWeightCountHuge", "extra_weight_name: count", extra_weight("w+" + kHash, ~0ull)},
    {"ExtraWeightLengthHuge", "extra_weight_name: name", extra_weight("w+" + kHash, 1, ~1ull)},
    {"ExtraWeightLengthOneMore", "extra_weight_name: name", extra_weight("w+" + kHash, 1, 67)},
    {"ExtraWeightSeparator", "separator", extra_weight("../w+" + kHash)},
    {"ExtraWeightParent", "file name", extra_weight("..+" + kHash)},
    {"ExtraWeightNul", "NUL", extra_weight(std::string("a\0b", 3) + "+" + kHash)},
    {"ExtraWeightNoName", "file name", extra_weight("+" + kHash)},
    {"ExtraWeightNoHash", "hash", extra_weight("weights")},
    {"ExtraWeightShortHash", "hash", extra_weight("w+" + kHash.substr(1))},
    {"ExtraWeightHashDigit", "hash", extra_weight("w+g" + kHash.substr(1))},
    {"HashTables", "constanthashtable", payload("constanthashtable", {2, 0, 0})},
    {"HashItemsHuge", "constanthashtable: items", payload("constanthashtable", {1, 0x7FFFFFFF})},
    {"HashItemCut", "constanthashtable: items",
     payload("constanthashtable", {1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0})},
    {"PlanOfAnother", "plan", payload("zynpu.plan", {0, 0, 0})},
};

class ElfNoteHostile : public testing::TestWithParam<NoteCase> {};

TEST_P(ElfNoteHostile, IsRefusedByName) {
  ElfFile file = ElfFile::minimal();
  GetParam().spoil(file);
  const auto graph = read_elf(file.bytes());
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().code, GetParam().code) << graph.error().message;
  EXPECT_NE(graph.error().message.find(GetParam().field), std::string::npos) << graph.error().message;
}

INSTANTIATE_TEST_SUITE_P(Refuses, ElfNoteHostile, testing::ValuesIn(kNoteCases),
                         [](const testing::TestParamInfo<NoteCase>& param) { return param.param.name; });

// The good forms of what the cases above spoil.
TEST(ElfReader, AcceptsTheOptionalNotes) {
  const std::function<void(ElfFile&)> good[] = {
      dynamic({8, 0, 0, 0}, {2, 1, 4, 1, 8}),
      extra_weight("w+" + kHash),
      payload("gmconfig", {1, 0, 0, 0, 0, 0, 0, 0, 1, 0}),
      payload("segmmu", {0}),
      [](ElfFile& f) { f.note("segmmu").resize(4 + 3 * 56), f.set("segmmu", 0, 3); },
      payload("constanthashtable", {1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}),
  };
  for (const auto& make : good) {
    ElfFile file = ElfFile::minimal();
    make(file);
    const auto graph = read_elf(file.bytes());
    EXPECT_TRUE(graph) << graph.error().message;
  }
}

TEST(ElfReader, RefusesANoteNameWithoutEnd) {
  for (const std::uint32_t name_size : {0u, 1u, 6u, 8u, 0xFFFFFFFFu}) {
    Bytes file = ElfFile::minimal().bytes();
    const std::size_t at = 52 + 32;  // the first note, `rodata` with its NUL: 7 bytes
    ASSERT_EQ(file[at], 7);
    set(file, at, name_size, 4);
    const auto graph = read_elf(file);
    ASSERT_FALSE(graph) << name_size;
    EXPECT_NE(graph.error().message.find("name"), std::string::npos) << graph.error().message;
  }
}

TEST(ElfReader, RefusesANotePastItsSection) {
  for (const std::uint32_t desc_size : {0x7FFFFFFFu, 0xFFFFFFFFu, 0xFFFFFFFDu}) {
    Bytes file = ElfFile::minimal().bytes();
    set(file, 52 + 32 + 4, desc_size, 4);
    const auto graph = read_elf(file);
    ASSERT_FALSE(graph);
    EXPECT_NE(graph.error().message.find("descsz"), std::string::npos) << graph.error().message;
  }
}

}  // namespace
}  // namespace zynpu::graph
