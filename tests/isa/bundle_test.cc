// SPDX-License-Identifier: MIT
#include "isa/bundle.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <vector>

#include "isa/encode.h"
#include "isa/random_instruction.h"
#include "isa/table.h"

namespace zynpu::isa {
namespace {

using testing::Random;

const Instruction kAddInsn{.op = Op::kAdd, .d = 1, .a = 2, .b = 3};
const Instruction kLoad{.op = Op::kVld, .d = 1, .a = 2};
const Instruction kReplicInsn{.op = Op::kReplic, .d = 3, .a = 4, .b = 5};
const Instruction kStore{.op = Op::kVst, .d = 6, .a = 7};

Result<Bundle> placed(std::initializer_list<Instruction> list) {
  return place(std::vector<Instruction>(list));
}

std::string refusal(std::initializer_list<Instruction> list) {
  const auto result = placed(list);
  return result ? "accepted" : result.error().message;
}

std::string refusal(const Bundle& bundle) {
  const Status status = check(bundle);
  return status ? "accepted" : status.error().message;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

Bundle in_slot(unsigned slot, const Instruction& insn) {
  Bundle bundle;
  bundle.slot[slot] = insn;
  return bundle;
}

TEST(Bundle, TakesTheLowestFreeSlotInSourceOrder) {
  const Instruction shift{.op = Op::kAsr, .d = 8, .a = 9, .b = 10};
  const auto bundle = placed({kReplicInsn, kAddInsn, kLoad, shift});
  ASSERT_TRUE(bundle) << bundle.error().message;
  EXPECT_EQ(bundle->slot[0], kAddInsn);
  EXPECT_EQ(bundle->slot[1], shift);
  EXPECT_EQ(bundle->slot[2], kReplicInsn);
  EXPECT_EQ(bundle->slot[3], kLoad);
}

TEST(Bundle, RefusesASlot2OperationBehindALoadThatTookItsSlot) {
  const std::string text = refusal({kLoad, kReplicInsn});
  EXPECT_TRUE(contains(text, "no slot left for replic")) << text;
  EXPECT_TRUE(contains(text, "slot 2 holds ld")) << text;
  const auto packed = pack(std::vector{kLoad, kReplicInsn});
  ASSERT_TRUE(packed) << packed.error().message;
  EXPECT_EQ(packed->slot[2], kReplicInsn);
  EXPECT_EQ(packed->slot[3], kLoad);
}

TEST(Bundle, KeepsNopsAsPlaceHolders) {
  const auto bundle = placed({{}, kAddInsn});
  ASSERT_TRUE(bundle);
  EXPECT_EQ(bundle->slot[0], Instruction{});
  EXPECT_EQ(bundle->slot[1], kAddInsn);
  EXPECT_EQ(placed({}).value(), Bundle{});
}

TEST(Bundle, RefusesTwoVectorStores) {
  const std::string text = refusal({kStore, kStore});
  EXPECT_TRUE(contains(text, "no slot left for st (class S2")) << text;
}

TEST(Bundle, RefusesAVectorStoreBesideASlot2Operation) {
  EXPECT_TRUE(contains(refusal({kReplicInsn, kStore}), "class S2"));
  EXPECT_TRUE(contains(refusal({{.op = Op::kMov, .d = 9}, kStore}), "class S2"));
  EXPECT_TRUE(contains(refusal({kStore, {.op = Op::kMovpre, .d = 9}}), "class S2"));
}

TEST(Bundle, RefusesMoreOfAClassThanItHasSlots) {
  const Instruction other{.op = Op::kAdd, .d = 4, .a = 2, .b = 3};
  const Instruction third{.op = Op::kAdd, .d = 5, .a = 2, .b = 3};
  EXPECT_EQ(refusal({kAddInsn, other}), "accepted");
  EXPECT_TRUE(contains(refusal({kAddInsn, other, third}), "class A"));
  const Instruction logic{.op = Op::kXor, .d = 8};
  const Instruction more_logic{.op = Op::kOrl, .d = 9};
  EXPECT_TRUE(contains(refusal({logic, more_logic}), "class B"));
  EXPECT_TRUE(contains(refusal({{.op = Op::kB}, {.op = Op::kCbnz, .a = 1}}), "class C"));
  const Instruction load2{.op = Op::kVld, .d = 2};
  const Instruction load3{.op = Op::kVld, .d = 3};
  EXPECT_TRUE(contains(refusal({kLoad, load2, load3}), "class M"));
  EXPECT_TRUE(contains(refusal({{.op = Op::kMov4, .d = 1}, {.op = Op::kBcast, .d = 2}}), "class S3"));
  EXPECT_TRUE(contains(refusal({{}, {}, {}, {}, {}}), "no slot left for nop"));
}

TEST(Bundle, RefusesTwoWritesOfOneRegister) {
  EXPECT_TRUE(contains(refusal({kAddInsn, kAddInsn}), "add in slot 0 and add in slot 1 both write r1"));
  EXPECT_TRUE(contains(refusal({{.op = Op::kVadd, .d = 1}, kLoad}), "both write t1"));
  EXPECT_TRUE(
      contains(refusal({{.op = Op::kVcmpeq, .d = 7, .p = 7}, {.op = Op::kMovhp, .d = 7}}), "both write p7"));
  EXPECT_TRUE(contains(refusal({{.op = Op::kMmah, .d = 4}, {.op = Op::kMmah, .d = 5}}), "both write t5"));
  EXPECT_TRUE(contains(refusal({{.op = Op::kMmah, .d = 4}, {.op = Op::kVadd, .d = 5}}), "both write t5"));
}

TEST(Bundle, AllowsWritesThatDoNotMeet) {
  EXPECT_EQ(refusal({{.op = Op::kMmah, .d = 4}, {.op = Op::kMmah, .d = 6}}), "accepted");
  EXPECT_EQ(refusal({{.op = Op::kAdd, .d = 1}, {.op = Op::kVadd, .d = 1}}), "accepted");
  EXPECT_EQ(refusal({{.op = Op::kAdd, .d = kZero}, {.op = Op::kSub, .d = kZero}}), "accepted");
  // a register may be read and overwritten in one bundle
  EXPECT_EQ(refusal({{.op = Op::kAddi, .d = 2, .a = 2, .imm = 32}, kLoad}), "accepted");
  EXPECT_EQ(refusal({{.op = Op::kSt, .d = 4, .a = 5}, {.op = Op::kAdd, .d = 4, .a = 5, .b = 5}}), "accepted");
}

TEST(Bundle, RefusesCompanyOfTwoWordForms) {
  for (const Op op : {Op::kDma, Op::kAiff}) {
    EXPECT_EQ(refusal({{.op = op}}), "accepted");
    EXPECT_TRUE(contains(refusal({{.op = op}, kAddInsn}), "must be alone in its bundle (two-word form)"));
    EXPECT_TRUE(contains(refusal({{.op = op}, kLoad}), "must be alone"));
    EXPECT_TRUE(contains(refusal({kLoad, {.op = op}}), "must be alone"));
    EXPECT_TRUE(contains(refusal({{.op = op}, {.op = op}}), "must be alone"));
    for (unsigned slot = 1; slot < kSlots; ++slot) {
      EXPECT_NE(refusal(in_slot(slot, {.op = op})), "accepted") << slot;
      Bundle bundle = in_slot(0, {.op = op});
      bundle.slot[slot] = slot < 2 ? kAddInsn : kLoad;
      EXPECT_TRUE(contains(refusal(bundle), "must be alone")) << slot;
    }
  }
}

TEST(Bundle, RefusesCompanyOfLoopend) {
  EXPECT_EQ(refusal({{.op = Op::kLoopend}}), "accepted");
  EXPECT_TRUE(contains(refusal({{.op = Op::kLoopend}, kAddInsn}), "loopend must be alone"));
  EXPECT_TRUE(contains(refusal({{.op = Op::kLoopend}, kLoad}), "loopend must be alone"));
  EXPECT_EQ(refusal({{.op = Op::kLoop, .a = 1}, kLoad}), "accepted");
}

TEST(Bundle, RefusesBadOperands) {
  EXPECT_TRUE(contains(refusal({{.op = Op::kAddi, .imm = -1}}), "operand imm is -1, allowed 0..1023"));
  EXPECT_TRUE(contains(refusal(in_slot(2, {.op = Op::kMov, .imm = 40000})), "allowed -32768..32767"));
  EXPECT_FALSE(pack(std::vector<Instruction>{{.op = Op::kCount}}));
}

TEST(Bundle, RefusesEverySlotOutsideTheClass) {
  for (const OpInfo& row : table())
    for (unsigned slot = 0; slot < kSlots; ++slot)
      EXPECT_EQ(refusal(in_slot(slot, {.op = row.op})) == "accepted",
                (slot_mask(row.slot_class) >> slot & 1) != 0 && (slot == 0 || !row.two_words()))
          << row.id << " in slot " << slot;
}

// pack() finds a placement whenever one exists: compare with trying all of them.
TEST(Bundle, PackFindsAPlacementIfThereIsOne) {
  Random random(0x5EED4);
  unsigned found = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::vector<Instruction> list(random() % 5);
    for (std::size_t i = 0; i < list.size(); ++i) {
      Op op = testing::random_op(random);
      while (info(op).two_words() || op == Op::kLoopend || op == Op::kNop) op = testing::random_op(random);
      list[i].op = op;
      // distinct destinations, so that only slots decide
      if (info(op).has(Role::kD)) list[i].d = static_cast<std::uint8_t>(i * 2);
    }
    bool possible = false;
    for (unsigned code = 0; code < 256 && !possible; ++code) {
      unsigned taken = 0;
      bool legal = true;
      for (std::size_t i = 0; i < list.size(); ++i) {
        const unsigned slot = code >> (2 * i) & 3;
        legal =
            legal && (taken >> slot & 1) == 0 && (slot_mask(info(list[i].op).slot_class) >> slot & 1) != 0;
        taken |= 1U << slot;
      }
      possible = legal;
    }
    const auto bundle = pack(list);
    ASSERT_EQ(bundle.has_value(), possible) << (bundle ? "" : bundle.error().message);
    if (bundle) {
      ++found;
      ASSERT_TRUE(check(*bundle));
    }
  }
  EXPECT_GT(found, 5'000U);
}

}  // namespace
}  // namespace zynpu::isa
