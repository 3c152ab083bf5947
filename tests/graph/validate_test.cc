// SPDX-License-Identifier: MIT
// The writers refuse what the readers refuse, with the same words.
#include <gtest/gtest.h>

#include <functional>

#include "graph/bin.h"
#include "graph/elf.h"
#include "graph/samples.h"

namespace zynpu::graph {
namespace {

struct Case {
  const char* name;
  const char* field;
  Graph (*base)();
  std::function<void(Graph&)> spoil;
};

SubSection& piece(Graph& graph, std::size_t section = 0) {
  return graph.bss[0].reuse_sections[section].sub_sections[0];
}

const Case kCases[] = {
    {"DeviceUnknown", "device", samples::minimal_bin, [](Graph& g) { g.device_word = 0; }},
    {"TextEmpty", "text", samples::minimal_bin, [](Graph& g) { g.text.clear(); }},
    {"RodataEmpty", "rodata", samples::minimal_elf, [](Graph& g) { g.rodata.clear(); }},
    {"PlanUnmarked", "plan", samples::minimal_elf, [](Graph& g) { g.plan.resize(16); }},
    {"BinWithTwoBss", "bss", samples::minimal_bin, [](Graph& g) { g.bss.push_back(g.bss[0]); }},
    {"BinWithoutBss", "bss", samples::minimal_bin, [](Graph& g) { g.bss.clear(); }},
    {"BinWithSubgraph", "subgraphs", samples::minimal_bin, [](Graph& g) { g.subgraphs.emplace_back(); }},
    {"BinWithNote", "note", samples::minimal_bin,
     [](Graph& g) {
       g.notes = {{"x", {1}}};
     }},
    {"BinWithCrodata", "crodata", samples::minimal_bin, [](Graph& g) { g.crodata = {1}; }},
    {"BinWithComment", "comment", samples::minimal_bin, [](Graph& g) { g.comment = "x"; }},
    {"BinEntry", "entry", samples::minimal_bin, [](Graph& g) { g.entry = 32; }},
    {"BinDtcm", "extra_data", samples::minimal_bin, [](Graph& g) { g.dtcm_kib = 512; }},
    {"ElfWithoutBss", "fmlist", samples::minimal_elf, [](Graph& g) { g.bss.clear(), g.subgraphs.clear(); }},
    {"ElfWithEntry", "entry", samples::minimal_elf, [](Graph& g) { g.entry = 16; }},
    {"ElfWithDtcm", "dtcm_kib", samples::minimal_elf, [](Graph& g) { g.dtcm_kib = 512; }},
    {"ElfWithVirtualProfile", "virtual_profile", samples::minimal_elf,
     [](Graph& g) { g.virtual_profile = true; }},
    {"StackSize", "stack_size", samples::minimal_elf, [](Graph& g) { g.bss[0].stack_size = 0; }},
    {"StackAlign", "stack_align", samples::minimal_elf, [](Graph& g) { g.bss[0].stack_align = 0; }},
    {"NoReuseSection", "reuse", samples::minimal_bin, [](Graph& g) { g.bss[0].reuse_sections.clear(); }},
    {"ReuseSize", "size", samples::minimal_bin, [](Graph& g) { g.bss[0].reuse_sections[0].size = 0; }},
    {"ReuseAlign", "align_bytes", samples::minimal_bin,
     [](Graph& g) { g.bss[0].reuse_sections[0].align = 6; }},
    {"PieceOutside", "offset_in_section", samples::minimal_bin,
     [](Graph& g) { piece(g).offset = 0xFFFFFFFF; }},
    {"PieceType", "type", samples::minimal_bin, [](Graph& g) { piece(g).type = SubSectionType::kConstant; }},
    {"PieceDataType", "data_type", samples::minimal_bin, [](Graph& g) { piece(g).data_type = 14; }},
    {"PieceScale", "scale", samples::minimal_bin, [](Graph& g) { piece(g).scale = 1.0f / 0.0f; }},
    {"PieceId", "id", samples::minimal_bin, [](Graph& g) { piece(g).id = 1; }},
    {"PieceIdTwice", "id", samples::full_elf, [](Graph& g) { piece(g).id = 1; }},
    {"Patch", "offset_in_ro", samples::minimal_bin, [](Graph& g) { piece(g).patch_offsets = {62}; }},
    {"StaticWithoutData", "data_size", samples::full_bin, [](Graph& g) { g.data.clear(); }},
    {"StaticSource", "src_offset", samples::full_bin, [](Graph& g) { g.data.pop_back(); }},
    {"StaticAlign", "align_bytes", samples::full_bin,
     [](Graph& g) { g.bss[0].static_sections[0].align = 0; }},
    {"StaticWithoutPiece", "sub_section_cnt", samples::full_bin,
     [](Graph& g) { g.bss[0].static_sections[0].sub_sections.clear(); }},
    {"StaticMixedTypes", "differs", samples::full_bin,
     [](Graph& g) { g.bss[0].static_sections[0].sub_sections[1].type = SubSectionType::kZeroCopyConstant; }},
    {"SecondBssSource", "bss[1].static[0].src_offset", samples::full_elf,
     [](Graph& g) { g.bss[1].static_sections[0].src_offset = 201; }},
    {"Remap", "remap[0]", samples::minimal_bin,
     [](Graph& g) {
       g.remap = {{0, 0, 1, 0}};
     }},
    {"SubgraphText", "text_offset", samples::minimal_elf, [](Graph& g) { g.subgraphs[0].text_offset = 32; }},
    {"SubgraphBss", "fm_desc_offset", samples::minimal_elf, [](Graph& g) { g.subgraphs[0].bss = 1; }},
    {"SubgraphPrivateData", "private_data_size", samples::minimal_elf,
     [](Graph& g) { g.subgraphs[0].private_data_size = 0; }},
    {"SubgraphPrecursorCount", "precursor_cnt", samples::full_elf,
     [](Graph& g) { g.subgraphs[1].precursors.clear(); }},
    {"SubgraphPrecursorIds", "precursor_cnt", samples::full_elf,
     [](Graph& g) { g.subgraphs[2].precursors = {0}; }},
    {"SubgraphPrecursor2", "must be 0, 1 or -1", samples::minimal_elf,
     [](Graph& g) {
       g.subgraphs[0].precursor_count = 2, g.subgraphs[0].precursors = {0, 0};
     }},
    {"SubgraphPrecursorLater", "precursor", samples::full_elf,
     [](Graph& g) { g.subgraphs[1].precursors = {3}; }},
    {"CoreNote", "rodata", samples::minimal_elf,
     [](Graph& g) {
       g.notes = {{"rodata", {1}}};
     }},
    {"NoteTwice", "twice", samples::minimal_elf,
     [](Graph& g) {
       g.notes = {{"x", {1}}, {"x", {1}}};
     }},
    {"NoteEmpty", "descsz", samples::minimal_elf,
     [](Graph& g) {
       g.notes = {{"x", {}}};
     }},
    {"NoteWithoutName", "name", samples::minimal_elf,
     [](Graph& g) {
       g.notes = {{"", {1}}};
     }},
    {"NoteNameWithNul", "name", samples::minimal_elf,
     [](Graph& g) {
       g.notes = {{std::string("a\0b", 3), {1}}};
     }},
};

class Validate : public testing::TestWithParam<Case> {};

TEST_P(Validate, RefusesByName) {
  Graph graph = GetParam().base();
  ASSERT_TRUE(validate(graph));
  GetParam().spoil(graph);
  const auto status = validate(graph);
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find(GetParam().field), std::string::npos) << status.error().message;
  const auto file = write(graph);
  ASSERT_FALSE(file);
  EXPECT_NE(file.error().message.find(status.error().message), std::string::npos) << file.error().message;
}

INSTANTIATE_TEST_SUITE_P(Writer, Validate, testing::ValuesIn(kCases),
                         [](const testing::TestParamInfo<Case>& param) { return param.param.name; });

TEST(Validate, AcceptsEverySample) {
  for (const auto& [name, graph] : samples::graphs()) {
    const auto status = validate(graph);
    EXPECT_TRUE(status) << name << ": " << status.error().message;
  }
}

TEST(Writer, RefusesTheOtherContainersGraph) {
  const auto bin = write_bin(samples::minimal_elf());
  ASSERT_FALSE(bin);
  EXPECT_EQ(bin.error().code, ErrorCode::kInvalidArgument);
  const auto elf = write_elf(samples::minimal_bin());
  ASSERT_FALSE(elf);
  EXPECT_EQ(elf.error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace zynpu::graph
