// SPDX-License-Identifier: MIT
#include "compiler/codegen/steps.h"

#include <gtest/gtest.h>

#include "compiler/codegen/dma.h"

namespace zynpu::compiler {
namespace {

Tile tile_of(std::uint32_t n) {
  Tile tile;
  tile.loads.push_back({1, n, 0xFA000000, Transfer::contiguous(64)});
  tile.args = {n};
  tile.stores.push_back({2, n, 0xFA001000, Transfer::contiguous(64)});
  return tile;
}

TEST(Steps, LoadTheNextTileWhileOneComputes) {
  const std::vector<Tile> tiles{tile_of(0), tile_of(1), tile_of(2), tile_of(3)};
  const auto steps = pipeline(tiles);
  ASSERT_EQ(steps.size(), 5U);
  EXPECT_FALSE(steps[0].compute);
  for (std::size_t i = 0; i < 4; ++i) {
    const Step& step = steps[i + 1];
    EXPECT_TRUE(step.compute);
    EXPECT_EQ(step.args[0], i);
    EXPECT_EQ(step.loads.size(), i < 3 ? 1U : 0U);
    for (const StepRequest& load : step.loads) EXPECT_EQ(load.request.ddr_offset, i + 1);
    EXPECT_EQ(step.stores.at(0).flag, 2 + i % 2);
    // Its own data, and from the third tile on the store of two tiles before.
    EXPECT_EQ(step.wait_flags, 1U << i % 2 | (i >= 2 ? 1U << (2 + i % 2) : 0U));
  }
}

TEST(Steps, WaitOnlyForFlagsThatWereRaised) {
  std::vector<Tile> tiles{tile_of(0), tile_of(1), tile_of(2)};
  tiles[0].stores.clear();
  tiles[2].loads.clear();
  const auto steps = pipeline(tiles);
  EXPECT_EQ(steps.back().wait_flags, 0U);
}

TEST(Steps, WithoutPrefetchLoadAfterTheTileBefore) {
  const std::vector<Tile> tiles{tile_of(0), tile_of(1)};
  const auto steps = pipeline(tiles, false);
  ASSERT_EQ(steps.size(), 4U);
  EXPECT_FALSE(steps[2].compute);
  EXPECT_EQ(steps[2].loads.at(0).request.ddr_offset, 1U);
  EXPECT_TRUE(steps[1].loads.empty());
}

TEST(Steps, ShareDescriptorsAndListRecordsPerWorker) {
  StepLists lists(2, 1);
  const std::vector<Tile> tiles{tile_of(0), tile_of(1)};
  lists.set(0, pipeline(tiles));
  lists.set(1, pipeline(tiles));
  const auto blob = lists.blob();
  ASSERT_TRUE(blob);
  const auto word = [&](std::size_t at) {
    std::uint32_t value = 0;
    for (unsigned byte = 0; byte < 4; ++byte) value |= std::uint32_t{blob->bytes.at(at + byte)} << 8 * byte;
    return value;
  };
  EXPECT_EQ(word(4), 3U);         // steps of worker 0
  EXPECT_EQ(word(20), 3U);        // and 1
  EXPECT_EQ(word(0), 64U + 64U);  // behind the directory and the only descriptor
}

TEST(Steps, RefuseMalformedRecords) {
  StepLists lists(1, 2);
  lists.set(0, pipeline(std::vector<Tile>{tile_of(0)}));
  EXPECT_FALSE(lists.blob());
  StepLists fills(1, 1);
  Tile tile = tile_of(0);
  tile.fills.push_back({0xFA000010, 4});
  fills.set(0, pipeline(std::vector<Tile>{tile}));
  EXPECT_FALSE(fills.blob());
}

TEST(Descriptors, DescribePlainCopiesInBursts) {
  EXPECT_EQ((*describe(Transfer::contiguous(20))),
            (DescriptorWords{20U << 16 | 20, 1U << 24 | 20, 0, 0, 20U << 16 | 20, 1U << 24 | 20}));
  EXPECT_EQ((*describe(Transfer::contiguous(500)))[0], 32U << 16 | 32);
  EXPECT_EQ((*describe(Transfer::contiguous(512)))[0], 512U << 16 | 512);
  EXPECT_EQ((*describe(Transfer::contiguous(100000)))[0], 32768U << 16 | 32768);
}

TEST(Descriptors, DescribeStridedChunks) {
  const auto words = describe({24, 10, 0x12345, 32});
  ASSERT_TRUE(words);
  EXPECT_EQ(*words, (DescriptorWords{24U << 16 | 0x2345, 1U << 24 | 240, 0x01U << 24, 0, 24U << 16 | 32,
                                     1U << 24 | 240}));
  EXPECT_EQ(*describe({16, 4, 16, 16}), *describe(Transfer::contiguous(64)));
}

TEST(Descriptors, RefuseWhatTheEngineCannotDo) {
  EXPECT_FALSE(describe({0, 1, 1, 1}));
  EXPECT_FALSE(describe({4, 0, 4, 4}));
  EXPECT_FALSE(describe({70000, 2, 70001, 70000}));
  EXPECT_FALSE(describe({4, 2, 1U << 24, 4}));
  EXPECT_FALSE(describe({4, 2, 0, 4}));
  EXPECT_FALSE(describe({1024, 1U << 15, 1024, 1024}));
}

}  // namespace
}  // namespace zynpu::compiler
