// SPDX-License-Identifier: MIT
// Memory, sharing and containers of NPU graphs.
#include <gtest/gtest.h>

#include "compiler/emit/memory_plan.h"
#include "compiler/emit/program.h"
#include "compiler/emit/schedule_layers.h"
#include "compiler/support/graph_maker.h"
#include "compiler/support/npu_harness.h"

namespace zynpu::compiler::test {
namespace {

TEST(TensorHomes, MergeAliasesButNeverTwoTensorsOfTheCaller) {
  TensorHomes homes({0}, {9});
  EXPECT_TRUE(homes.alias(0, 1));
  EXPECT_TRUE(homes.alias(1, 2));
  EXPECT_EQ(homes.home(2), 0);
  EXPECT_TRUE(homes.alias(5, 9));
  EXPECT_EQ(homes.home(5), 9);
  EXPECT_FALSE(homes.alias(2, 5));
  EXPECT_TRUE(homes.alias(3, 4));
  EXPECT_FALSE(homes.external(homes.home(4)));
}

TEST(Temporaries, ShareMemoryOnlyApartInTime) {
  std::mt19937 random(3);
  std::vector<LiveRange> ranges;
  for (int i = 0; i < 60; ++i) {
    const int first = static_cast<int>(random() % 30);
    ranges.push_back({i, random() % 5000 + 1, first, first + static_cast<int>(random() % 6)});
  }
  const auto plan = place_temporaries(ranges, 1 << 30);
  ASSERT_TRUE(plan);
  std::uint64_t total = 0;
  for (const LiveRange& a : ranges) {
    total += a.bytes;
    EXPECT_EQ(plan->offset.at(a.tensor) % 64, 0U);
    EXPECT_LE(plan->offset.at(a.tensor) + a.bytes, plan->size);
    for (const LiveRange& b : ranges) {
      if (a.tensor == b.tensor || a.last < b.first || b.last < a.first) continue;
      const std::uint64_t a0 = plan->offset.at(a.tensor), b0 = plan->offset.at(b.tensor);
      EXPECT_TRUE(a0 + (a.bytes + 63) / 64 * 64 <= b0 || b0 + (b.bytes + 63) / 64 * 64 <= a0)
          << a.tensor << " and " << b.tensor;
    }
  }
  EXPECT_LT(plan->size, total / 2);
}

TEST(Temporaries, SayWhenMemoryEnds) {
  const auto plan = place_temporaries({{0, 1000, 0, 1}, {1, 1000, 1, 2}}, 1500);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::kOutOfMemory);
}

TEST(Sharing, JoinsSmallLayersAndSpreadsLargeOnes) {
  const std::vector<LayerCost> costs{{3000, 2000, LayerCost::kNever},
                                     {4000, 2500, LayerCost::kNever},
                                     {900000, 240000, 90000},
                                     {60000, 20000, 15000}};
  const auto sharing = choose_sharing(costs, false);
  EXPECT_EQ(sharing[0], Sharing::kOneTec);
  EXPECT_EQ(sharing[1], Sharing::kOneTec);
  EXPECT_EQ(sharing[2], Sharing::kAllCores);
  EXPECT_EQ(sharing[3], Sharing::kOneCore);
}

TEST(Sharing, KeepsLayersOnOneCoreWhereItsTecsCanMeet) {
  const std::vector<LayerCost> costs(3, {60000, 20000, 15000});
  EXPECT_EQ(choose_sharing(costs, true), std::vector(3, Sharing::kOneCore));
  const std::vector<LayerCost> mixed{{2000, 3000, LayerCost::kNever}, {60000, 20000, 15000}};
  EXPECT_EQ(choose_sharing(mixed, true), (std::vector{Sharing::kOneTec, Sharing::kOneCore}));
}

TEST(Programs, StartAtBundleZeroAndNeverEndInAVector) {
  const auto program = make_empty_program();
  ASSERT_TRUE(program);
  ASSERT_GT(program->bundles.size(), 17U);
  EXPECT_EQ(program->bundles[0].slot[0].op, isa::Op::kB);
  EXPECT_EQ(program->bundles[0].slot[0].imm, 17);
  for (int vector = 1; vector <= 16; ++vector) {
    EXPECT_EQ(program->bundles[static_cast<std::size_t>(vector)].slot[0].op, isa::Op::kB);
    EXPECT_EQ(vector + program->bundles[static_cast<std::size_t>(vector)].slot[0].imm, 16);
  }
  EXPECT_EQ(program->bundles.back().slot[0].op, isa::Op::kExit);
}

ir::Graph chain(int layers, int size, int channels) {
  GraphMaker m("chain");
  int t = m.input({1, size, size, channels});
  for (int layer = 0; layer < layers; ++layer) {
    const int y = m.activation({1, size, size, channels}, 0.3F);
    m.op(ir::OpKind::kConv2d, {t, m.weights({channels, 3, 3, channels}, 0, channels), m.bias(channels)}, {y},
         ir::ConvAttributes{});
    t = y;
  }
  m.graph.outputs = {t};
  return std::move(m.graph);
}

TEST(NpuGraphs, OrderGroupsOfTheX2) {
  const ir::Graph graph = chain(3, 40, 32);
  const auto built = build_npu_graph(graph, whole_step(graph), *part::find("x2"), {});
  ASSERT_TRUE(built) << built.error().message;
  const auto& groups = built->graph.subgraphs;
  // Three groups of an operator on all cores stand between groups that wait for everything before them.
  bool spread = false;
  for (std::size_t i = 0; i < groups.size(); ++i)
    if (i > 0 && groups[i].precursor_count == 0) {
      spread = true;
      EXPECT_TRUE(groups[i - 1].precursor_count == -1 || groups[i - 1].precursor_count == 0);
    }
  EXPECT_EQ(groups.back().precursor_count, spread || groups.size() > 1 ? -1 : 0);
  EXPECT_TRUE(same_as_reference(graph, "x2"));
}

TEST(NpuGraphs, MapEveryInstructionToAnOperator) {
  const ir::Graph graph = chain(2, 20, 16);
  for (const char* name : {"z1", "z2", "x2"}) {
    const auto built = build_npu_graph(graph, whole_step(graph), *part::find(name), {});
    ASSERT_TRUE(built) << built.error().message;
    std::uint32_t at = 0;
    bool first = false;
    for (const graph::SourceRange& range : built->source_map) {
      EXPECT_GE(range.begin, at);
      EXPECT_GT(range.end, range.begin);
      at = range.end;
      first |= range.op == 0;
    }
    EXPECT_EQ(at, built->graph.text.size());
    EXPECT_TRUE(first);
    EXPECT_EQ(built->predicted_cycles.size(), 2U);
    for (const std::uint64_t cycles : built->predicted_cycles) EXPECT_GT(cycles, 0U);
  }
}

TEST(NpuGraphs, ComeOutTheSameEveryTime) {
  const ir::Graph graph = chain(3, 24, 16);
  for (const char* name : {"z1", "z2", "x2"}) {
    const auto a = build_npu_graph(graph, whole_step(graph), *part::find(name), {});
    const auto b = build_npu_graph(graph, whole_step(graph), *part::find(name), {});
    ASSERT_TRUE(a && b);
    EXPECT_EQ(a->graph, b->graph);
  }
}

TEST(NpuGraphs, PassTheirContainers) {
  const ir::Graph graph = chain(1, 16, 16);
  for (const char* name : {"z1", "z2", "x2"}) {
    const auto built = build_npu_graph(graph, whole_step(graph), *part::find(name), {});
    ASSERT_TRUE(built);
    const auto file = graph::write(built->graph);
    ASSERT_TRUE(file) << file.error().message;
    const auto back = graph::read(*file);
    ASSERT_TRUE(back) << back.error().message;
    const Values inputs = random_inputs(graph, 3);
    const auto run = run_graph(*back, *part::find(name), inputs);
    const auto want = run_reference(graph, inputs);
    ASSERT_TRUE(run) << run.error().message;
    ASSERT_TRUE(want);
    EXPECT_EQ(run->outputs, *want);
  }
}

// A job that was cut off leaves any words in GSRAM; the TECs of z2 must meet all the same. The virtual memory
// starts with a pattern, and a second job finds what the first one left.
TEST(NpuGraphs, MeetAgainAfterEarlierJobs) {
  const ir::Graph graph = chain(4, 10, 8);
  for (unsigned seed = 1; seed < 4; ++seed) EXPECT_TRUE(same_as_reference(graph, "z2", seed));
}

TEST(NpuGraphs, NameTheOperatorThatCannotBeBuilt) {
  ConvCase c;
  c.filter_h = c.filter_w = 1;
  c.output_scale = 1e-9F;  // a left shift that overflows
  const ir::Graph graph = conv_graph(c);
  const auto built = build_npu_graph(graph, whole_step(graph), *part::find("x2"), {});
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(built.error().message.find("CONV_2D #0"), std::string::npos) << built.error().message;
}

}  // namespace
}  // namespace zynpu::compiler::test
