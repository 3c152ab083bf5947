// SPDX-License-Identifier: MIT
#include "isa/timing.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <vector>

#include "isa/bundle.h"

namespace zynpu::isa {
namespace {

Bundle bundle(std::initializer_list<Instruction> list) {
  const auto result = pack(std::vector<Instruction>(list));
  if (!result) ADD_FAILURE() << result.error().message;
  return result.value_or(Bundle{});
}

const Instruction kMma0{.op = Op::kMmah, .d = 0, .a = 24, .b = 25};
const Instruction kMma2{.op = Op::kMmah, .d = 2, .a = 24, .b = 26};
const Instruction kDot{.op = Op::kQdpa, .d = 3, .a = 5, .b = 9, .p = 7};
const Instruction kFmaInsn{.op = Op::kFma, .d = 3, .a = 5, .b = 9, .p = 7};
const Instruction kVectorAdd{.op = Op::kVadd, .d = 1, .a = 2, .b = 3};
const Instruction kStore{.op = Op::kVst, .d = 6, .a = 7};

TEST(Latency, FollowsTheUnitOfTheProducer) {
  EXPECT_EQ(result_latency(Op::kAdd), 1U);
  EXPECT_EQ(result_latency(Op::kMfctrl0), 1U);
  EXPECT_EQ(result_latency(Op::kVld), 3U);
  EXPECT_EQ(result_latency(Op::kVadd), 2U);
  EXPECT_EQ(result_latency(Op::kVmulhb), 2U);
  EXPECT_EQ(result_latency(Op::kNsrasbw), 2U);
  EXPECT_EQ(result_latency(Op::kBcast), 2U);
  EXPECT_EQ(result_latency(Op::kFma), 4U);
  EXPECT_EQ(result_latency(Op::kFmul), 4U);
  EXPECT_EQ(result_latency(Op::kFadd), 2U);
  EXPECT_EQ(result_latency(Op::kCvtwf), 2U);
  EXPECT_EQ(result_latency(Op::kMmah), 4U);
}

TEST(Latency, IsThereExactlyForResults) {
  for (const OpInfo& row : table()) {
    const bool result = row.dest != Dest::kNone && row.dest != Dest::kSource;
    EXPECT_EQ(result_latency(row.op) != 0, result) << row.id;
  }
}

TEST(Latency, IsShorterAlongAnAccumulator) {
  EXPECT_EQ(dependence_latency(kDot, kDot, File::kVector, 3), 1U);
  EXPECT_EQ(dependence_latency(kMma0, kMma0, File::kVector, 0), 2U);
  EXPECT_EQ(dependence_latency(kMma0, kMma0, File::kVector, 1), 2U);
}

TEST(Latency, IsFullIfTheAccumulatorIsAlsoAFactor) {
  const Instruction square{.op = Op::kQdpa, .d = 3, .a = 3, .b = 9, .p = 7};
  EXPECT_EQ(dependence_latency(kDot, square, File::kVector, 3), 2U);
  const Instruction reader{.op = Op::kQdpa, .d = 4, .a = 3, .b = 9, .p = 7};
  EXPECT_EQ(dependence_latency(kDot, reader, File::kVector, 3), 2U);
  const Instruction shifted{.op = Op::kMmah, .d = 1, .a = 24, .b = 25};
  EXPECT_EQ(dependence_latency(kMma0, shifted, File::kVector, 1), 4U);
  EXPECT_EQ(dependence_latency(kDot, kVectorAdd, File::kVector, 3), 2U);
}

TEST(IssueCost, IsOneForOrdinaryBundles) {
  EXPECT_EQ(issue_cost(Bundle{}), 1U);
  EXPECT_EQ(issue_cost(bundle({kMma0})), 1U);
  EXPECT_EQ(issue_cost(bundle({kDot, {.op = Op::kQdpa, .d = 4, .a = 5, .b = 9, .p = 7}})), 1U);
  EXPECT_EQ(issue_cost(bundle({kDot, kStore})), 1U);
  EXPECT_EQ(issue_cost(bundle({kDot, {.op = Op::kBcast, .d = 1}})), 1U);
  EXPECT_EQ(issue_cost(bundle({kDot, {.op = Op::kMov, .d = 1}})), 1U);
  EXPECT_EQ(issue_cost(bundle({kFmaInsn, {.op = Op::kZipl, .d = 1}})), 1U);
}

TEST(IssueCost, IsTwoForTheKnownPairs) {
  EXPECT_EQ(issue_cost(bundle({kMma0, kMma2})), 2U);
  EXPECT_EQ(issue_cost(bundle({kDot, {.op = Op::kReplic, .d = 1}})), 2U);
  EXPECT_EQ(issue_cost(bundle({kVectorAdd, {.op = Op::kQdot, .d = 4}, {.op = Op::kVasri, .d = 5}})), 2U);
  EXPECT_EQ(issue_cost(bundle({kFmaInsn, {.op = Op::kExte, .d = 1}})), 2U);
  EXPECT_EQ(issue_cost(bundle({kFmaInsn, {.op = Op::kSel, .d = 1}})), 2U);
  // a slot-2 operation costs nothing extra beside two matrix products
  EXPECT_EQ(issue_cost(bundle({kMma0, kMma2, {.op = Op::kReplic, .d = 9}})), 2U);
}

TEST(IssueModel, ChargesTheFirstVectorBundleAfterAMatrixBundle) {
  IssueModel model;
  EXPECT_EQ(model.issue(bundle({kVectorAdd}), 0), 1U);
  EXPECT_EQ(model.issue(bundle({kMma0, kMma2}), 1), 2U);
  EXPECT_EQ(model.issue(bundle({{.op = Op::kAdd, .d = 1}}), 3), 1U);
  EXPECT_EQ(model.issue(bundle({kVectorAdd}), 4), 3U);
  EXPECT_EQ(model.issue(bundle({kVectorAdd}), 7), 1U);
  EXPECT_EQ(model.issue(bundle({kMma0}), 8), 1U);
  model.reset();
  EXPECT_EQ(model.issue(bundle({kVectorAdd}), 9), 1U);
}

// Eight bundles of two mma and one vector bundle were measured at 19 cycles.
TEST(IssueModel, MatchesTheMeasuredMatrixLoop) {
  IssueModel model;
  std::uint64_t now = 0;
  for (int i = 0; i < 8; ++i) now += model.issue(bundle({kMma0, kMma2}), now);
  now += model.issue(bundle({kVectorAdd}), now);
  EXPECT_EQ(now, 19U);
}

TEST(IssueModel, SustainsTwoVectorStoresInThreeCycles) {
  IssueModel model;
  std::uint64_t now = 0;
  for (int i = 0; i < 200; ++i) now += model.issue(bundle({kStore}), now);
  EXPECT_GE(now, 298U);
  EXPECT_LE(now, 300U);
}

TEST(IssueModel, LetsSpacedVectorStoresPass) {
  IssueModel model;
  for (std::uint64_t now = 0; now < 100; now += 2) EXPECT_EQ(model.issue(bundle({kStore}), now), 1U) << now;
}

TEST(IssueModel, ChargesBankConflicts) {
  IssueModel model;
  EXPECT_EQ(model.issue(bundle({{.op = Op::kVld, .d = 1}}), 0, true), 2U);
  EXPECT_EQ(model.issue(bundle({{.op = Op::kVld, .d = 1}}), 2, false), 1U);
  EXPECT_EQ(lsram_bank(0xFA000000), lsram_bank(0xFA00003F));
  EXPECT_NE(lsram_bank(0xFA000000), lsram_bank(0xFA000040));
  EXPECT_EQ(lsram_bank(0xFA000000), lsram_bank(0xFA000080));
}

}  // namespace
}  // namespace zynpu::isa
