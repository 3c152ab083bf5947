// SPDX-License-Identifier: MIT
#include "runtime/virtual/tcb.h"

#include <gtest/gtest.h>

#include <cstring>

#include "runtime/fake_backend.h"

namespace zynpu::runtime {
namespace {

constexpr std::uint32_t kHead = 0x2000, kConstants = 0x9000;
constexpr std::uint64_t kBase = 0x4'0000'0000;

class TcbChainTest : public ::testing::Test {
 protected:
  const part::Part& part_ = *part::find("x2");
  test::FakeBackend backend_{part_};
  std::unique_ptr<Buffer> text_ = std::move(*backend_.allocate(256, 4096));
  std::unique_ptr<Buffer> parameters_ = std::move(*backend_.allocate(256, 4096));
  std::unique_ptr<Buffer> stack_ = std::move(*backend_.allocate(4 * 4096, 4096));
  std::unique_ptr<Buffer> private_ = std::move(*backend_.allocate(4 * 4096, 4096));
  std::vector<std::uint8_t> memory_ = std::vector<std::uint8_t>(1 << 16, 0xEE);

  GroupDescription group(GroupDescription::Dependency dependency = GroupDescription::Dependency::kNone) {
    GroupDescription group;
    group.text = text_.get();
    group.text_offset = 0x20;
    group.parameters = parameters_.get();
    group.parameter_offset = 64;
    group.stack = stack_.get();
    group.stack_bytes = 4096;
    group.private_data = private_.get();
    group.private_bytes = 4096;
    group.dependency = dependency;
    return group;
  }
  Result<TcbChain> build(std::vector<GroupDescription> groups, std::uint32_t head = kHead) {
    return build_chain(part_, groups, kBase, head, kConstants, memory_);
  }
  std::uint32_t word(std::uint32_t tcb, std::uint32_t offset) const {
    std::uint32_t value = 0;
    std::memcpy(&value, memory_.data() + (tcb - kHead) + offset, 4);
    return value;
  }
  std::uint16_t half(std::uint32_t tcb, std::uint32_t offset) const {
    std::uint16_t value = 0;
    std::memcpy(&value, memory_.data() + (tcb - kHead) + offset, 2);
    return value;
  }
};

TEST_F(TcbChainTest, BeginsWithOneGridAndTwoSegmentMmuTcbs) {
  const auto chain = build({group()});
  ASSERT_TRUE(chain) << chain.error().message;
  EXPECT_EQ(chain->head, kHead);
  EXPECT_EQ(chain->first_task, kHead + 3 * kTcbBytes);
  EXPECT_EQ(chain->last_task, kHead + 6 * kTcbBytes);
  EXPECT_EQ(chain_bytes(part_, 1), 7 * kTcbBytes);
  EXPECT_EQ(word(kHead, 0), 0x30000u);
  EXPECT_EQ(word(kHead, 4), chain->first_task);
  EXPECT_EQ(word(kHead, 16), 0u) << "GM off";
  for (const std::uint32_t asid : {48u, 56u}) {
    EXPECT_EQ(word(kHead, asid), 0x60u);
    EXPECT_EQ(word(kHead, asid + 4), 4u);
  }
  for (const std::uint32_t asid : {64u, 72u}) EXPECT_EQ(word(kHead, asid) | word(kHead, asid + 4), 0u);
  for (const std::uint32_t segmmu : {kHead + kTcbBytes, kHead + 2 * kTcbBytes})
    for (std::uint32_t offset = 0; offset < kTcbBytes; offset += 4)
      EXPECT_EQ(word(segmmu, offset), offset == 24 || offset == 88 ? 0x31u : 0u) << offset;
}

TEST_F(TcbChainTest, GivesEachTaskItsOwnStackAndPrivateData) {
  const auto chain = build({group()});
  ASSERT_TRUE(chain);
  for (std::uint32_t t = 0; t < 4; ++t) {
    const std::uint32_t tcb = chain->first_task + t * kTcbBytes;
    EXPECT_EQ(word(tcb, 12), text_->device_address() + 0x20);
    EXPECT_EQ(word(tcb, 16), 0x73Du);
    EXPECT_EQ(half(tcb, 26), t);
    EXPECT_EQ(half(tcb, 28), 1);
    EXPECT_EQ(half(tcb, 34), 4);
    EXPECT_EQ(half(tcb, 40), 1);
    EXPECT_EQ(half(tcb, 46), t);
    EXPECT_EQ(word(tcb, 52), stack_->device_address() + (t + 1) * 4096) << "the top of the stack";
    EXPECT_EQ(word(tcb, 56), parameters_->device_address() + 64);
    EXPECT_EQ(word(tcb, 60), private_->device_address() + t * 4096);
    EXPECT_EQ(word(tcb, 64), kConstants);
    EXPECT_EQ(word(tcb, 68), 0u);
    EXPECT_EQ(word(tcb, 108), tcb);
    EXPECT_EQ(word(tcb, 112), 0u);
    EXPECT_EQ(word(tcb, 4), t == 3 ? 0u : tcb + kTcbBytes);
    EXPECT_EQ(word(tcb, 0), t == 3 ? 0xC1u : 1u) << "as graph-format.md 8.3 shows it for one sub-graph";
  }
}

TEST_F(TcbChainTest, MarksDependenciesOnTheFirstTaskAndEndsOnTheLast) {
  using Dependency = GroupDescription::Dependency;
  const auto chain = build({group(Dependency::kAll), group(), group(Dependency::kImmediate)});
  ASSERT_TRUE(chain);
  const std::uint32_t expected[3][4] = {{0x21, 1, 1, 0x41}, {1, 1, 1, 0x41}, {0x11, 1, 1, 0xC1}};
  for (std::uint32_t g = 0; g < 3; ++g)
    for (std::uint32_t t = 0; t < 4; ++t) {
      const std::uint32_t tcb = chain->first_task + (g * 4 + t) * kTcbBytes;
      EXPECT_EQ(word(tcb, 0), expected[g][t]) << g << ' ' << t;
      EXPECT_EQ(half(tcb, 20), g);
    }
  EXPECT_EQ(chain->last_task, chain->first_task + 11 * kTcbBytes);
}

TEST_F(TcbChainTest, PassesConstantsPrintfAndModelParameters) {
  GroupDescription with = group();
  with.constants = text_.get();
  with.printf_log = stack_.get();
  with.printf_offset = 4096;
  with.model_parameters = private_.get();
  const auto chain = build({with});
  ASSERT_TRUE(chain);
  const std::uint32_t second = chain->first_task + kTcbBytes;
  EXPECT_EQ(word(second, 64), text_->device_address());
  EXPECT_EQ(word(second, 68), stack_->device_address() + 4096 + 1024);
  EXPECT_EQ(word(second, 112), private_->device_address());
}

TEST_F(TcbChainTest, RefusesHeadsTheHardwareCannotTake) {
  EXPECT_FALSE(build({group()}, 0));
  EXPECT_FALSE(build({group()}, kHead + 128));
}

TEST_F(TcbChainTest, RefusesChainsThatDoNotFit) {
  memory_.resize(7 * kTcbBytes - 1);
  EXPECT_FALSE(build({group()}));
  memory_.resize(7 * kTcbBytes);
  EXPECT_TRUE(build({group()}));
  EXPECT_FALSE(build({}));
}

TEST_F(TcbChainTest, NamesTheGroupAndFieldThatIsWrong) {
  const auto expect_refused = [&](void (*damage)(GroupDescription&), const std::string& what) {
    std::vector<GroupDescription> groups{group(), group()};
    damage(groups[1]);
    const auto chain = build(groups);
    ASSERT_FALSE(chain) << what;
    EXPECT_EQ(chain.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(chain.error().message.find("group 1"), std::string::npos) << chain.error().message;
    EXPECT_NE(chain.error().message.find(what), std::string::npos) << chain.error().message;
  };
  expect_refused([](GroupDescription& g) { g.text = nullptr; }, "text");
  expect_refused([](GroupDescription& g) { g.parameters = nullptr; }, "parameter");
  expect_refused([](GroupDescription& g) { g.stack = nullptr; }, "stack");
  expect_refused([](GroupDescription& g) { g.stack_bytes = 0; }, "stack");
  expect_refused([](GroupDescription& g) { g.stack_bytes = 4097; }, "stack");
  expect_refused([](GroupDescription& g) { g.private_data = nullptr; }, "private");
  expect_refused([](GroupDescription& g) { g.private_bytes = 0; }, "private");
  expect_refused([](GroupDescription& g) { g.private_bytes = 4100; }, "private");
  expect_refused([](GroupDescription& g) { g.text_offset = 8; }, "16");
  expect_refused([](GroupDescription& g) { g.text_offset = 256; }, "program");
  expect_refused([](GroupDescription& g) { g.parameter_offset = 256; }, "parameters");
  expect_refused([](GroupDescription& g) { g.printf_log = g.parameters; }, "printf");
}

}  // namespace
}  // namespace zynpu::runtime
