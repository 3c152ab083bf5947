// SPDX-License-Identifier: MIT
#include "graph/layout.h"

#include <gtest/gtest.h>

#include <set>

#include "graph/samples.h"

namespace zynpu::graph {
namespace {

Layout must_layout(const Graph& graph, const LayoutOptions& options = {}) {
  auto layout = make_layout(graph, options);
  EXPECT_TRUE(layout) << layout.error().message;
  return layout.value_or(Layout{});
}

std::uint32_t word(std::span<const std::uint8_t> bytes, std::size_t at) {
  return static_cast<std::uint32_t>(bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16) |
         static_cast<std::uint32_t>(bytes[at + 3]) << 24;
}

const BufferRequest& buffer(const Layout& layout, BufferKind kind, unsigned index = 0) {
  const auto found = layout.find(kind, index);
  EXPECT_TRUE(found);
  return layout.buffers[found.value_or(0)];
}

// Addresses from `base` on, each buffer at its alignment.
std::vector<std::uint64_t> consecutive(const Layout& layout, std::uint64_t base) {
  std::vector<std::uint64_t> addresses;
  for (const BufferRequest& each : layout.buffers) {
    base = (base + each.alignment - 1) & ~(each.alignment - 1);
    addresses.push_back(base);
    base += each.size;
  }
  return addresses;
}

// graph-format.md 3.4: "with reuse sections at 0x40003000 and 0x40004000 and offsets 0 and 4, rodata starts
// with 0x40003000, 0x40004000", as observed on the vendor's driver.
TEST(Layout, PatchesTheMinimalGraphAsTheVendorDoes) {
  const Graph graph = samples::minimal_bin();
  const Layout layout = must_layout(graph);
  ASSERT_EQ(layout.buffers.size(), 5u);  // text, parameters, stack, one buffer a reuse section (Z1)
  EXPECT_EQ(buffer(layout, BufferKind::kText).size, 32u + 16);
  EXPECT_EQ(buffer(layout, BufferKind::kParameters).size, 64u);
  EXPECT_EQ(buffer(layout, BufferKind::kStack).size, 4096u);
  EXPECT_EQ(buffer(layout, BufferKind::kReuse, 0).size, 4096u);
  EXPECT_EQ(buffer(layout, BufferKind::kReuse, 1).size, 4096u);
  const auto addresses = consecutive(layout, 0x40000000);  // one page each, in the order of the list
  Bytes parameters = graph.rodata;
  ASSERT_TRUE(apply(layout, addresses, {parameters, {}, {}}));
  EXPECT_EQ(word(parameters, 0), 0x40003000u);
  EXPECT_EQ(word(parameters, 4), 0x40004000u);
  EXPECT_EQ(Bytes(parameters.begin() + 8, parameters.end()), Bytes(56));
}

TEST(Layout, PutsReuseSectionsIntoOneBufferFromZ2On) {
  Graph graph = samples::minimal_bin();
  graph.device_word = 0x00020450;
  graph.bss[0].reuse_sections[0].size = 5000;
  graph.bss[0].reuse_sections[1].align = 16384;
  const Layout layout = must_layout(graph);
  const BufferRequest& reuse = buffer(layout, BufferKind::kReuse);
  EXPECT_EQ(reuse.size, 16384u + 4096);
  EXPECT_EQ(reuse.alignment, 16384u);
  EXPECT_EQ(layout.reuse_sections[0].offset, 0u);
  EXPECT_EQ(layout.reuse_sections[1].offset, 16384u);
  const Layout separate = must_layout(graph, {.separate_reuse_sections = true});
  EXPECT_EQ(buffer(separate, BufferKind::kReuse, 0).size, 8192u);
  EXPECT_EQ(buffer(separate, BufferKind::kReuse, 1).alignment, 16384u);
}

TEST(Layout, PacksStaticSectionsByKind) {
  const Graph graph = samples::full_bin();  // 100 at 1, 60 at 64, zero copy 40 at 32
  const Layout layout = must_layout(graph);
  EXPECT_EQ(buffer(layout, BufferKind::kWeights).size, 128u + 60);
  EXPECT_EQ(buffer(layout, BufferKind::kZeroCopy).size, 40u);
  EXPECT_FALSE(buffer(layout, BufferKind::kWeights).per_job);
  Bytes memory(128 + 60, 0xEE);
  ASSERT_TRUE(fill_static(graph, layout, *layout.find(BufferKind::kWeights), memory));
  EXPECT_EQ(Bytes(memory.begin(), memory.begin() + 100), Bytes(graph.data.begin(), graph.data.begin() + 100));
  EXPECT_EQ(Bytes(memory.begin() + 100, memory.begin() + 128), Bytes(28, 0xEE));
  EXPECT_EQ(Bytes(memory.begin() + 128, memory.end()),
            Bytes(graph.data.begin() + 100, graph.data.begin() + 160));
  Bytes small(187);
  EXPECT_FALSE(fill_static(graph, layout, *layout.find(BufferKind::kWeights), small));
}

TEST(Layout, KeepsAPageForWeightsOfAnotherKind) {
  Graph graph = samples::minimal_bin();
  graph.data.resize(8);
  const Layout layout = must_layout(graph);
  EXPECT_EQ(buffer(layout, BufferKind::kWeights).size, 4096u);
  EXPECT_FALSE(layout.find(BufferKind::kZeroCopy));
}

TEST(Layout, PatchesWithMaskIntoBothBlocks) {
  const Graph graph = samples::full_bin();
  const Layout layout = must_layout(graph);
  const auto addresses = consecutive(layout, 0x10000000);
  const auto address = [&](BufferKind kind) {
    return static_cast<std::uint32_t>(addresses[*layout.find(kind)]);
  };
  Bytes parameters = graph.rodata, descriptors = graph.dcr, text = graph.text;
  ASSERT_TRUE(apply(layout, addresses, {parameters, descriptors, text}));
  const std::uint32_t reuse = address(BufferKind::kReuse), weights = address(BufferKind::kWeights);
  EXPECT_EQ(word(parameters, 8), weights);
  EXPECT_EQ(word(descriptors, 0), weights);  // position 68 = rodata_size + 0
  EXPECT_EQ(word(parameters, 12), weights + 128);
  EXPECT_EQ(word(parameters, 16), address(BufferKind::kZeroCopy));
  EXPECT_EQ(word(parameters, 20), weights + 50);
  EXPECT_EQ(word(parameters, 24), reuse + 16384 + 4096);
  // Mask 0xFFFFF000 keeps the low bits of the word.
  EXPECT_EQ(word(parameters, 28), ((reuse + 16384) & 0xFFFFF000) | (word(graph.rodata, 28) & 0xFFF));
  EXPECT_EQ(word(parameters, 48), word(graph.rodata, 48));
  // Remap: rodata+60 <- dcr+8, dcr+4 <- rodata+0, dcr+8 <- text+16.
  EXPECT_EQ(word(parameters, 60), address(BufferKind::kDescriptors) + 8);
  EXPECT_EQ(word(descriptors, 4), address(BufferKind::kParameters));
  EXPECT_EQ(word(descriptors, 8), address(BufferKind::kText) + 16);
  EXPECT_EQ(text, graph.text);
}

TEST(Layout, GivesEachJobItsTextWhenTextHoldsAddresses) {
  Graph graph = samples::minimal_bin();
  EXPECT_FALSE(buffer(must_layout(graph), BufferKind::kText).per_job);
  graph.remap = {{2, 16, 0, 8}};
  const Layout layout = must_layout(graph);
  EXPECT_TRUE(buffer(layout, BufferKind::kText).per_job);
  const auto addresses = consecutive(layout, 0x1000);
  Bytes parameters = graph.rodata, text = graph.text;
  EXPECT_FALSE(apply(layout, addresses, {parameters, {}, {}}));
  ASSERT_TRUE(apply(layout, addresses, {parameters, {}, text}));
  EXPECT_EQ(word(text, 16), addresses[*layout.find(BufferKind::kParameters)] + 8);
}

TEST(Layout, ListsTensorsById) {
  const Graph graph = samples::full_bin();
  const Layout layout = must_layout(graph);
  ASSERT_EQ(layout.inputs.size(), 2u);
  ASSERT_EQ(layout.outputs.size(), 1u);
  const TensorPlace& second = layout.inputs[1];
  EXPECT_EQ(second.place.offset, 16384u + 4096);
  EXPECT_EQ(second.place.size, 100u);
  EXPECT_EQ(second.section, 2u);
  EXPECT_EQ(second.scale, 0.25f);
  EXPECT_EQ(second.zero_point, -3);
  EXPECT_EQ(layout.inter_dumps.size(), 1u);
  EXPECT_EQ(layout.printfs.at(0).place.offset, 16384u + 5000);
  EXPECT_EQ(layout.profilers.size(), 1u);
  EXPECT_EQ(layout.layer_counters.size(), 1u);
  EXPECT_EQ(layout.error_codes.at(0).place.size, 4u);
}

TEST(Layout, PadsX2BuffersAgainstOverReads) {
  const Layout layout = must_layout(samples::full_elf());
  EXPECT_EQ(buffer(layout, BufferKind::kWeights, 0).size, 128u + 0x800);
  EXPECT_EQ(buffer(layout, BufferKind::kZeroCopy, 0).size, 30u + 0x800);
  EXPECT_EQ(buffer(layout, BufferKind::kWeights, 1).size, 100u + 0x800);
  EXPECT_EQ(buffer(layout, BufferKind::kWeights, 1).alignment, 4096u);
  EXPECT_EQ(buffer(layout, BufferKind::kReuse).size, 4096u + 4096 + 8192 + 4096 + 0x800);
  EXPECT_EQ(buffer(layout, BufferKind::kConstants).size, 20u);
}

// full_elf: private data 4096..4396, stacks 4096 and 6000; group 2 waits for all before it.
TEST(Layout, ReusesStacksAfterAGroupThatWaitsForAll) {
  const Layout layout = must_layout(samples::full_elf());
  ASSERT_EQ(layout.groups.size(), 4u);
  EXPECT_EQ(layout.groups[0].stack, layout.groups[2].stack);
  EXPECT_EQ(layout.groups[1].stack, layout.groups[3].stack);
  EXPECT_NE(layout.groups[0].stack, layout.groups[1].stack);
  EXPECT_EQ(layout.groups[0].private_data, layout.groups[2].private_data);
  EXPECT_NE(layout.groups[0].private_data, layout.groups[1].private_data);
  EXPECT_EQ(layout.groups[0].stack_bytes, 8192u);
  EXPECT_EQ(layout.buffers[layout.groups[0].stack].size, 4u * 8192);
  EXPECT_EQ(layout.groups[0].private_bytes, 4096u);
  EXPECT_EQ(layout.groups[2].private_bytes, 8192u);
  EXPECT_EQ(layout.buffers[layout.groups[0].private_data].size, 4u * 8192);
  EXPECT_EQ(buffer(layout, BufferKind::kPrintf).size, 4u * 4096);
}

TEST(Layout, GivesGroupsWithoutBarrierTheirOwnStacks) {
  Graph graph = samples::full_elf();
  graph.subgraphs[2].precursor_count = 0;
  const Layout layout = must_layout(graph);
  std::set<unsigned> stacks;
  for (const GroupPlace& group : layout.groups) stacks.insert(group.stack);
  EXPECT_EQ(stacks.size(), 4u);
}

// Private buffers: group 0 100 bytes, group 1 5000 and 8, then the barrier, group 3 4096.
TEST(Layout, OverlaysPrivateBuffersAcrossABarrier) {
  const Graph graph = samples::full_elf();
  const Layout layout = must_layout(graph);
  const unsigned number = *layout.find(BufferKind::kPrivate);
  EXPECT_EQ(layout.buffers[number].size, 4096u + 8192 + 4096);
  const auto addend = [&](std::uint32_t offset) {
    for (const PatchedWord& patch : layout.patches)
      if (patch.block == Block::kParameters && patch.offset == offset && patch.buffer == number)
        return patch.addend;
    return 0xFFFFFFFFu;
  };
  EXPECT_EQ(addend(40), 0u + 4);
  EXPECT_EQ(addend(44), 4096u);
  EXPECT_EQ(addend(48), 0u);
}

// Static and reuse sections are numbered over all BSS; every patch reaches the section's own buffer.
TEST(Layout, NumbersSectionsOverAllBss) {
  const Graph graph = samples::full_elf();
  const Layout layout = must_layout(graph);
  const auto addresses = consecutive(layout, 0x2000);
  Bytes parameters = graph.rodata, descriptors = graph.dcr, text = graph.text;
  ASSERT_TRUE(apply(layout, addresses, {parameters, descriptors, text}));
  const auto weights1 = addresses[*layout.find(BufferKind::kWeights, 1)];
  EXPECT_EQ(word(parameters, 28), weights1);
  EXPECT_EQ(word(descriptors, 60), weights1);
  const auto reuse = addresses[*layout.find(BufferKind::kReuse)];
  EXPECT_EQ(word(parameters, 32), reuse + 4096 + 4096 + 8192);
  EXPECT_EQ(word(parameters, 36), reuse + 4096 + 4096 + 8192 + 32);
  EXPECT_EQ(layout.inputs.at(1).section, 3u);
  EXPECT_EQ(layout.inputs.at(1).place.offset, 4096u + 4096 + 8192);
}

TEST(Layout, StartsDynamicShapesAtTheirMinimum) {
  const Layout layout = must_layout(samples::full_elf());
  const Bytes& block = layout.model_parameters;
  ASSERT_EQ(block.size(), 40u);
  EXPECT_EQ(buffer(layout, BufferKind::kModelParameters).size, 40u);
  std::vector<std::uint32_t> words;
  for (std::size_t i = 0; i < 10; ++i) words.push_back(word(block, 4 * i));
  EXPECT_EQ(words, (std::vector<std::uint32_t>{8, 2, 1, 4, 4, 1, 6, 6, 0, 0}));
  EXPECT_FALSE(must_layout(samples::minimal_elf()).find(BufferKind::kModelParameters));
}

TEST(Layout, RefusesAddressesOutsideTheWindow) {
  const Graph graph = samples::minimal_bin();
  const Layout layout = must_layout(graph);
  const auto good = consecutive(layout, 0x1000);
  const auto attempt = [&](std::size_t index, std::uint64_t address) {
    auto addresses = good;
    addresses[index] = address;
    Bytes parameters = graph.rodata;
    const auto status = apply(layout, addresses, {parameters, {}, {}});
    if (!status) {
      EXPECT_EQ(status.error().code, ErrorCode::kInvalidArgument);
      EXPECT_EQ(parameters, graph.rodata) << "a word was written";
    }
    return status.has_value();
  };
  for (std::size_t i = 0; i < good.size(); ++i) {
    EXPECT_TRUE(attempt(i, 0xC0000000 - 4096));
    EXPECT_FALSE(attempt(i, 0xC0000000));
    EXPECT_FALSE(attempt(i, 0xFFFFF000));
    EXPECT_FALSE(attempt(i, 0x100000000));
    EXPECT_FALSE(attempt(i, 0xFFFFFFFFFFFFF000));
    EXPECT_FALSE(attempt(i, 0x1010));
  }
  Bytes parameters = graph.rodata;
  EXPECT_FALSE(apply(layout, std::span(good).first(4), {parameters, {}, {}}));
  EXPECT_FALSE(apply(layout, good, {std::span(parameters).first(4), {}, {}}));
}

TEST(Layout, RefusesWhatCannotFitTogether) {
  Graph graph = samples::minimal_elf();
  graph.bss[0].stack_size = 0x30000000;  // four tasks of it fill the window
  ASSERT_TRUE(validate(graph));
  const auto layout = make_layout(graph);
  ASSERT_FALSE(layout);
  EXPECT_EQ(layout.error().code, ErrorCode::kBadFile);
}

TEST(Layout, NamesWhatItCannotDo) {
  Graph graph = samples::minimal_elf();
  graph.notes = {{"segmmu", Bytes(60)}};
  graph.notes[0].desc[0] = 1;
  auto layout = make_layout(graph);
  ASSERT_FALSE(layout);
  EXPECT_EQ(layout.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(layout.error().message.find("segmmu"), std::string::npos);

  graph = samples::minimal_elf();
  graph.bss.push_back(graph.bss[0]);
  for (ReuseSection& section : graph.bss[1].reuse_sections) section.sub_sections.clear();
  Bytes name = {1, 0, 0, 0, 0, 0, 0, 0, 66, 0, 0, 0, 0, 0, 0, 0, 'w', '+'};
  name.insert(name.end(), 64, 'a');
  graph.notes = {{"extra_weight_name", name}};
  ASSERT_TRUE(validate(graph));
  layout = make_layout(graph);
  ASSERT_FALSE(layout);
  EXPECT_EQ(layout.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(layout.error().message.find("extra_weight_name"), std::string::npos);
}

}  // namespace
}  // namespace zynpu::graph
