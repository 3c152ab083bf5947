// SPDX-License-Identifier: MIT
#include "isa/table.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace zynpu::isa {
namespace {

using Registers = std::multiset<std::string>;

std::string name(File file, unsigned reg) {
  return std::string(1, "rtp"[static_cast<int>(file)]) + std::to_string(reg);
}

Registers reads(const Instruction& insn, KeptLanes kept = KeptLanes::kRead) {
  Registers result;
  for_each_read(
      insn, [&](File file, unsigned reg) { result.insert(name(file, reg)); }, kept);
  return result;
}

Registers writes(const Instruction& insn) {
  Registers result;
  for_each_write(insn, [&](File file, unsigned reg) { result.insert(name(file, reg)); });
  return result;
}

TEST(Table, HoldsEveryRowAtItsOperation) {
  std::set<std::string_view> ids;
  for (std::size_t i = 0; i < kOpCount; ++i) {
    const OpInfo& row = table()[i];
    EXPECT_EQ(static_cast<std::size_t>(row.op), i);
    EXPECT_TRUE(ids.insert(row.id).second) << row.id;
    EXPECT_FALSE(row.summary.empty()) << row.id;
  }
  EXPECT_EQ(info(Op::kNop).id, "nop");
  EXPECT_EQ(info(Op::kVmulb).mnemonic, "mul");
  EXPECT_EQ(info(Op::kNsrasbw).mnemonic, "nsr.as");
  EXPECT_EQ(kOpCount, 151U);  // 148 rows of the encoding tables, nop, dma and aiff
}

TEST(Table, LeavesNoWordToTwoForms) {
  for (const OpInfo& one : table())
    for (const OpInfo& other : table()) {
      if (&one == &other || one.two_words() != other.two_words()) continue;
      if ((slot_mask(one.slot_class) & slot_mask(other.slot_class)) == 0) continue;
      // nop is the one word that is also another form; decoding prefers it.
      if (one.op == Op::kNop || other.op == Op::kNop) continue;
      EXPECT_NE((one.base ^ other.base) & one.fixed & other.fixed, 0U) << one.id << " and " << other.id;
    }
}

TEST(Table, FixesTheBitsThatTheDecoderSelectsBy) {
  for (const OpInfo& row : table())
    EXPECT_TRUE(row.two_words() || (row.fixed & 0x7FC00000) == 0x7FC00000) << row.id;
}

TEST(Table, NamesEveryFieldInItsSyntax) {
  for (const OpInfo& row : table())
    for (unsigned i = 0; i < row.fields; ++i) {
      const std::string operand = "{" + std::string(row.field[i].name) + "}";
      EXPECT_NE(row.syntax.find(operand), std::string_view::npos) << row.id << " " << operand;
    }
}

TEST(Table, TellsWhatACodeGeneratorMayRelyOn) {
  for (const Op op : {Op::kAdd, Op::kQdpa, Op::kVmulb, Op::kNsrasbw, Op::kBfs, Op::kVld, Op::kDma})
    EXPECT_TRUE(dependable(op)) << info(op).id;
  for (const Op op :
       {Op::kLsli, Op::kVmulw, Op::kVasrri, Op::kNsrasrbw, Op::kSldr, Op::kUxtlwh, Op::kVmulh16})
    EXPECT_FALSE(dependable(op)) << info(op).id;
}

TEST(Table, SortsOperationsIntoClasses) {
  EXPECT_TRUE(is_load(Op::kVld) && is_load(Op::kLdb) && !is_load(Op::kVst));
  EXPECT_TRUE(is_store(Op::kVst) && is_store(Op::kStb) && !is_store(Op::kLd) && !is_store(Op::kCacheop));
  EXPECT_TRUE(is_control(Op::kB) && is_control(Op::kLoopend) && is_control(Op::kExit) &&
              !is_control(Op::kMfctrl0));
  for (const Op op : {Op::kQdpa, Op::kVcmplt, Op::kFma, Op::kMmab, Op::kVadd, Op::kCvtd})
    EXPECT_TRUE(is_vector_arithmetic(op)) << info(op).id;
  for (const Op op : {Op::kAdd, Op::kVld, Op::kVst, Op::kZipl, Op::kMov4, Op::kNsrasbw, Op::kCmplt})
    EXPECT_FALSE(is_vector_arithmetic(op)) << info(op).id;
  EXPECT_TRUE(is_vector_move(info(Op::kZipl).kind) && is_vector_move(info(Op::kNsrasbw).kind));
  EXPECT_FALSE(is_vector_move(info(Op::kVst).kind) || is_vector_move(info(Op::kMov).kind));
}

TEST(Table, ReportsRegistersOfScalarForms) {
  const Instruction add{.op = Op::kAdd, .d = 1, .a = 2, .b = 3};
  EXPECT_EQ(reads(add), (Registers{"r2", "r3"}));
  EXPECT_EQ(writes(add), (Registers{"r1"}));
  const Instruction store{.op = Op::kSt, .d = 4, .a = 5};
  EXPECT_EQ(reads(store), (Registers{"r4", "r5"}));
  EXPECT_EQ(writes(store), Registers{});
  const Instruction control{.op = Op::kMtctrl1, .d = 9};
  EXPECT_EQ(reads(control), (Registers{"r9"}));
  EXPECT_EQ(writes(control), Registers{});
  const Instruction high{.op = Op::kMovh, .d = 6};
  EXPECT_EQ(reads(high), (Registers{"r6"}));
  EXPECT_EQ(writes(high), (Registers{"r6"}));
  const Instruction dma{.op = Op::kDma, .d = 7, .a = 1, .b = 2, .c = 3};
  EXPECT_EQ(reads(dma), (Registers{"r1", "r2", "r3", "r7"}));
  EXPECT_EQ(writes(dma), Registers{});
}

TEST(Table, LeavesOutTheZeroRegister) {
  const Instruction sub{.op = Op::kSub, .d = kZero, .a = kZero, .b = 3};
  EXPECT_EQ(reads(sub), (Registers{"r3"}));
  EXPECT_EQ(writes(sub), Registers{});
  const Instruction vector{.op = Op::kVadd, .d = 31, .a = 31, .b = 31};
  EXPECT_EQ(reads(vector), (Registers{"t31", "t31"}));
  EXPECT_EQ(writes(vector), (Registers{"t31"}));
}

TEST(Table, ReportsDestinationsThatAreAlsoSources) {
  const Instruction dot{.op = Op::kQdpa, .d = 3, .a = 5, .b = 9, .p = 7};
  EXPECT_EQ(reads(dot), (Registers{"p7", "t3", "t5", "t9"}));
  const Instruction narrow{.op = Op::kNsrashw, .d = 4};
  EXPECT_EQ(reads(narrow), (Registers{"t4"}));
  const Instruction insert{.op = Op::kInsertw, .d = 4, .b = 4};
  EXPECT_EQ(reads(insert), (Registers{"r4", "t4"}));
  const Instruction slide{.op = Op::kSldl, .d = 1, .a = 2};
  EXPECT_EQ(reads(slide), (Registers{"t1", "t2"}));
  const Instruction fma{.op = Op::kFmae, .d = 1, .a = 2, .b = 3, .p = 4};
  EXPECT_EQ(reads(fma), (Registers{"p4", "t1", "t2", "t3"}));
}

TEST(Table, ReportsBothRegistersOfAPair) {
  const Instruction mma{.op = Op::kMmah, .d = 2, .a = 8, .b = 9};
  EXPECT_EQ(reads(mma), (Registers{"t2", "t3", "t8", "t9"}));
  EXPECT_EQ(writes(mma), (Registers{"t2", "t3"}));
  const Instruction mml{.op = Op::kMmlh, .d = 2, .a = 8, .b = 9};
  EXPECT_EQ(reads(mml), (Registers{"t8", "t9"}));
  EXPECT_EQ(writes(mml), (Registers{"t2", "t3"}));
}

TEST(Table, ReportsKeptLanesOfPredicatedForms) {
  Instruction max{.op = Op::kVmax, .d = 1, .a = 2, .b = 3, .p = 7};
  EXPECT_EQ(reads(max), (Registers{"p7", "t1", "t2", "t3"}));
  EXPECT_EQ(reads(max, KeptLanes::kIgnoredUnderP7), (Registers{"p7", "t2", "t3"}));
  max.p = 2;
  EXPECT_EQ(reads(max, KeptLanes::kIgnoredUnderP7), (Registers{"p2", "t1", "t2", "t3"}));
  const Instruction dot{.op = Op::kQdpa, .d = 1, .a = 2, .b = 3, .p = 7};
  EXPECT_EQ(reads(dot, KeptLanes::kIgnoredUnderP7), (Registers{"p7", "t1", "t2", "t3"}));
  const Instruction compare{.op = Op::kVcmpeq, .d = 1, .a = 2, .b = 3, .p = 4};
  EXPECT_EQ(reads(compare), (Registers{"p4", "t2", "t3"}));
  EXPECT_EQ(writes(compare), (Registers{"p1"}));
  const Instruction select{.op = Op::kSel, .d = 1, .a = 2, .b = 3, .p = 4};
  EXPECT_EQ(reads(select), (Registers{"p4", "t2", "t3"}));
}

}  // namespace
}  // namespace zynpu::isa
