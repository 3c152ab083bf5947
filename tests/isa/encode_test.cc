// SPDX-License-Identifier: MIT
#include "isa/encode.h"

#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <string>

#include "isa/decode.h"
#include "isa/random_instruction.h"
#include "isa/roles.h"
#include "isa/table.h"

namespace zynpu::isa {
namespace {

using testing::Random;
using ::testing::Test;

unsigned lowest_slot(Op op) {
  return static_cast<unsigned>(std::countr_zero(slot_mask(info(op).slot_class)));
}

// Encodes in the lowest slot; 0 and a failure if that is refused.
std::uint32_t word(const Instruction& insn) {
  const auto result = encode(insn, lowest_slot(insn.op));
  if (!result) ADD_FAILURE() << result.error().message;
  return result.value_or(0);
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// The words below are those that the vendor's assembler gives for these operands (tec-isa-vectors.tsv).
TEST(Encode, GivesTheKnownWords) {
  EXPECT_EQ(word({}), 0x400C7FFFU);
  EXPECT_EQ(word({.op = Op::kMfctrl0, .d = 2, .imm = 0x82}), 0x01041042U);
  EXPECT_EQ(word({.op = Op::kOrl, .d = 2, .a = 2, .imm = 4}), 0x40109042U);
  EXPECT_EQ(word({.op = Op::kMovh, .d = 3, .imm = 381}), 0x00E02FA3U);
  EXPECT_EQ(word({.op = Op::kMov, .d = 28, .imm = -32768}), 0x00D0001CU);
  EXPECT_EQ(word({.op = Op::kMovhp, .d = 7}), 0x7DF60017U);
  EXPECT_EQ(word({.op = Op::kBfs, .d = 9, .a = 9, .imm = 31}), 0x41E07D29U);
  EXPECT_EQ(word({.op = Op::kBfs, .d = 26, .a = 26, .imm = 27, .imm2 = 4}), 0x41E26F5AU);
  EXPECT_EQ(word({.op = Op::kLd, .d = 2, .a = 2, .imm = 56}), 0x7010E042U);
  EXPECT_EQ(word({.op = Op::kB, .imm = 17}), 0x01800022U);
  EXPECT_EQ(word({.op = Op::kCbnz, .a = 2, .imm = -2}), 0x017FFF82U);
  EXPECT_EQ(word({.op = Op::kQdpa, .d = 3, .a = 5, .b = 9, .p = 7}), 0x48F824A3U);
  EXPECT_EQ(word({.op = Op::kVadd, .size = Size::kW, .d = 3, .a = 5, .b = 9}), 0x434124A3U);
  EXPECT_EQ(word({.op = Op::kVaddi, .size = Size::kW, .d = 3, .a = 5, .imm = 3}), 0x44010CA3U);
  EXPECT_EQ(word({.op = Op::kVmaxi, .size = Size::kW, .d = 3, .a = 5, .imm = -3}), 0x447974A3U);
  EXPECT_EQ(word({.op = Op::kVmin, .size = Size::kW, .unsigned_d = true, .d = 3, .a = 5, .b = 9, .p = 7}),
            0x433F24A3U);
  EXPECT_EQ(word({.op = Op::kVcmplt, .d = 1, .a = 5, .b = 9, .p = 7}), 0x42FA24B9U);
  EXPECT_EQ(word({.op = Op::kVlsli, .size = Size::kB, .d = 3, .a = 5, .imm = 7}), 0x3C853CA3U);
  EXPECT_EQ(word({.op = Op::kVlsli, .size = Size::kH, .d = 3, .a = 5, .imm = 7}), 0x3C855CA3U);
  EXPECT_EQ(word({.op = Op::kVlsli, .size = Size::kW, .d = 3, .a = 5, .imm = 7}), 0x3C859CA3U);
  EXPECT_EQ(word({.op = Op::kNsrasbh, .d = 3, .imm = 3}), 0x3C874C43U);
  EXPECT_EQ(word({.op = Op::kInsertw, .d = 3, .b = 5, .imm = 3}), 0x3CC62CA3U);
  EXPECT_EQ(word({.op = Op::kMovf, .d = 3, .p = 7, .imm = 3}), 0x7D7F6063U);
  EXPECT_EQ(word({.op = Op::kMov4, .d = 3, .imm = 3}), 0x7DF00063U);
}

TEST(Encode, GivesTheKnownTwoWordForms) {
  const auto aiff = encode_two_words({.op = Op::kAiff, .d = 31, .a = 31, .b = 31, .c = 31});
  ASSERT_TRUE(aiff);
  EXPECT_EQ((*aiff)[0], 0x80007FFFU);
  EXPECT_EQ((*aiff)[1], 0x4002001FU);
  const auto dma = encode_two_words(
      {.op = Op::kDma, .d = 31, .a = 1, .b = 6, .c = 0, .imm = 3, .int_space = 4, .dir = 1, .data_unit = 2});
  ASSERT_TRUE(dma);
  EXPECT_EQ((*dma)[0], 0x820504C0U);
  EXPECT_EQ((*dma)[1], 0x40010C1FU);
  EXPECT_FALSE(encode_two_words({.op = Op::kAdd}));
  EXPECT_FALSE(encode({.op = Op::kDma}, 0));
}

TEST(Encode, OrdersTheSourcesOfSignedProducts) {
  EXPECT_EQ(word({.op = Op::kQdpa, .d = 3, .a = 9, .b = 5, .p = 7}), 0x48F824A3U);
  EXPECT_EQ(word({.op = Op::kVmulb, .d = 3, .a = 9, .b = 5, .p = 7}), 0x483824A3U);
  EXPECT_EQ(word({.op = Op::kVmuluw, .d = 3, .a = 5, .b = 9, .p = 7}), 0x483B1523U);
  EXPECT_EQ(word({.op = Op::kVmuluw, .d = 3, .a = 9, .b = 5, .p = 7}), 0x483B1523U);
}

TEST(Encode, OrdersTheSourcesOfMixedProductsBySign) {
  // t5 signed, t9 unsigned, written both ways round
  EXPECT_EQ(word({.op = Op::kVmulb, .unsigned_b = true, .d = 3, .a = 5, .b = 9, .p = 7}), 0x48381523U);
  EXPECT_EQ(word({.op = Op::kVmulb, .unsigned_a = true, .d = 3, .a = 9, .b = 5, .p = 7}), 0x48381523U);
  // t5 unsigned, t9 signed
  EXPECT_EQ(word({.op = Op::kVmulb, .unsigned_a = true, .d = 3, .a = 5, .b = 9, .p = 7}), 0x483A24A3U);
  EXPECT_EQ(word({.op = Op::kVmulb, .unsigned_b = true, .d = 3, .a = 9, .b = 5, .p = 7}), 0x483A24A3U);
  // both unsigned: the higher-numbered one first
  EXPECT_EQ(word({.op = Op::kVmulb, .unsigned_a = true, .unsigned_b = true, .d = 12, .a = 0, .b = 1, .p = 7}),
            0x483A002CU);
  // one register twice
  EXPECT_EQ(word({.op = Op::kVmulb, .d = 3, .a = 4, .b = 4}), 0x48001083U);
  EXPECT_EQ(word({.op = Op::kVmulb, .unsigned_a = true, .unsigned_b = true, .d = 3, .a = 4, .b = 4}),
            0x48021083U);
}

TEST(Encode, RefusesAMixedProductOfOneRegister) {
  const auto result = encode({.op = Op::kVmulb, .unsigned_a = true, .d = 3, .a = 4, .b = 4}, 0);
  ASSERT_FALSE(result);
  EXPECT_TRUE(contains(result.error().message, "t4 with itself")) << result.error().message;
}

TEST(Encode, RefusesUnsignedSourcesWhereThereIsNoChoice) {
  EXPECT_FALSE(encode({.op = Op::kQdpa, .unsigned_a = true, .a = 1, .b = 2}, 0));
  EXPECT_FALSE(encode({.op = Op::kVadd, .unsigned_d = true}, 0));
}

TEST(Encode, RefusesAPairThatStartsAtTheLastRegister) {
  for (const Op op : {Op::kMmlh, Op::kMmlb, Op::kMmah, Op::kMmab}) {
    EXPECT_TRUE(encode({.op = op, .d = 30}, 0)) << info(op).id;
    const auto result = encode({.op = op, .d = 31}, 0);
    ASSERT_FALSE(result) << info(op).id;
    EXPECT_TRUE(contains(result.error().message, "pair")) << result.error().message;
  }
}

TEST(Encode, TakesEveryOperandAtItsLimitsAndRefusesItBeyond) {
  unsigned checked = 0;
  for (const OpInfo& row : table()) {
    for (unsigned i = 0; i < row.fields; ++i) {
      const Field& field = row.field[i];
      if (field.kind == FieldKind::kSize || field.role == Role::kUnsigned) continue;
      for (const Size size : {Size::kB, Size::kH, Size::kW}) {
        const testing::Limits range = testing::limits(row, field, size);
        Instruction insn{.op = row.op, .size = size};
        for (const std::int32_t value : {range.low, range.high}) {
          detail::set(insn, field.role, value);
          EXPECT_TRUE(check(insn)) << row.id << " " << field.name << " " << value;
        }
        for (const std::int32_t value : {range.low - 1, range.high + field.multiple}) {
          detail::set(insn, field.role, value);
          const Status status = check(insn);
          ASSERT_FALSE(status) << row.id << " " << field.name << " " << value;
          const std::string& text = status.error().message;
          EXPECT_TRUE(contains(text, std::string(row.mnemonic) + ":")) << text;
          EXPECT_TRUE(contains(text, std::string(field.name))) << text;
          ++checked;
        }
        if (!row.sized()) break;
      }
    }
  }
  EXPECT_GT(checked, 800U);
}

TEST(Encode, SaysOperandValueAndLimits) {
  const Status status = check({.op = Op::kAddi, .d = 1, .a = 2, .imm = 1024});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "add: operand imm is 1024, allowed 0..1023");
  EXPECT_EQ(status.error().code, ErrorCode::kInvalidArgument);
}

TEST(Encode, RefusesExtremeImmediatesWithoutOverflow) {
  for (const std::int32_t value :
       {std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()})
    for (const OpInfo& row : table()) EXPECT_FALSE(check({.op = row.op, .imm = value})) << row.id;
}

TEST(Encode, RefusesAMisalignedWordOffset) {
  for (const Op op : {Op::kLd, Op::kSt})
    for (const std::int32_t offset : {-255, -1, 1, 2, 3, 250}) {
      const Status status = check({.op = op, .imm = offset});
      ASSERT_FALSE(status);
      EXPECT_TRUE(contains(status.error().message, "multiple of 4")) << status.error().message;
    }
  EXPECT_TRUE(check({.op = Op::kLdb, .imm = 3}));
  EXPECT_TRUE(check({.op = Op::kVld, .imm = 511}));
}

TEST(Encode, RefusesMembersTheFormDoesNotHave) {
  EXPECT_FALSE(check({.op = Op::kAdd, .imm = 1}));
  EXPECT_FALSE(check({.op = Op::kAddi, .b = 1}));
  EXPECT_FALSE(check({.op = Op::kVadd, .p = 7}));
  EXPECT_FALSE(check({.op = Op::kExit, .d = 1}));
  EXPECT_FALSE(check({.op = Op::kAdd, .c = 1}));
  EXPECT_FALSE(check({.op = Op::kAdd, .imm2 = 1}));
  EXPECT_FALSE(check({.op = Op::kAdd, .desp_ctrl = 1}));
  EXPECT_FALSE(check({.op = Op::kAiff, .int_space = 4}));
  EXPECT_FALSE(check({.op = Op::kAiff, .ext_space = 1}));
  EXPECT_FALSE(check({.op = Op::kAiff, .dir = 1}));
  EXPECT_FALSE(check({.op = Op::kAiff, .data_unit = 1}));
}

TEST(Encode, RefusesOperationsAndSizesOutsideTheirEnumerations) {
  EXPECT_FALSE(check({.op = Op::kCount}));
  EXPECT_FALSE(check({.op = static_cast<Op>(255)}));
  EXPECT_FALSE(check({.op = Op::kVadd, .size = static_cast<Size>(3)}));
  EXPECT_FALSE(check({.op = Op::kVlsli, .size = static_cast<Size>(3)}));
}

TEST(Encode, RefusesEverySlotOutsideTheClass) {
  unsigned refused = 0;
  for (const OpInfo& row : table()) {
    if (row.two_words()) continue;
    for (unsigned slot = 0; slot < 6; ++slot) {
      const bool legal = slot < kSlots && (slot_mask(row.slot_class) >> slot & 1) != 0;
      const auto result = encode({.op = row.op}, slot);
      EXPECT_EQ(result.has_value(), legal) << row.id << " in slot " << slot;
      refused += legal ? 0 : 1;
    }
  }
  EXPECT_GT(refused, 500U);
  EXPECT_TRUE(contains(encode({.op = Op::kZipl}, 3).error().message, "slot 2 only"));
}

TEST(Encode, MarksTheEndOfABundleInWord3) {
  const auto words = encode(Bundle{});
  ASSERT_TRUE(words);
  EXPECT_EQ(*words, (BundleWords{kNopWord, kNopWord, kNopWord, 0xC00C7FFF}));
}

TEST(Encode, MarksTheEndOfATwoWordFormInWord0) {
  Bundle bundle;
  bundle.slot[0] = {.op = Op::kDma, .d = 31, .a = 1, .b = 6, .int_space = 4, .dir = 1};
  const auto words = encode(bundle);
  ASSERT_TRUE(words);
  EXPECT_EQ(*words, (BundleWords{0x820404C0, 0x4001001F, kNopWord, kNopWord}));
}

TEST(Canonical, IsWhatDecodingGivesBack) {
  Random random(0x5EED1);
  for (int round = 0; round < 200'000; ++round) {
    const Instruction insn = testing::random_instruction(random, testing::random_op(random));
    if (info(insn.op).two_words()) {
      const auto words = encode(Bundle{{insn}});
      ASSERT_TRUE(words) << words.error().message;
      const auto back = decode(*words);
      ASSERT_TRUE(back) << back.error().message;
      ASSERT_EQ(back->slot[0], canonical(insn)) << info(insn.op).id;
      continue;
    }
    const unsigned slot = lowest_slot(insn.op);
    const auto encoded = encode(insn, slot);
    ASSERT_TRUE(encoded) << encoded.error().message;
    const auto back = decode(*encoded, slot);
    ASSERT_TRUE(back) << back.error().message;
    ASSERT_EQ(*back, canonical(insn)) << info(insn.op).id;
    ASSERT_EQ(canonical(*back), *back) << info(insn.op).id;
  }
}

TEST(Canonical, TurnsTheAndOfZeroIntoNop) {
  EXPECT_EQ(canonical({.op = Op::kAnd, .d = kZero, .a = kZero, .b = kZero}), Instruction{});
  const Instruction other{.op = Op::kAnd, .d = kZero, .a = kZero, .b = 3};
  EXPECT_EQ(canonical(other), other);
}

TEST(Canonical, ForgetsASizeTheFormDoesNotHave) {
  EXPECT_EQ(canonical({.op = Op::kVandl, .size = Size::kW, .d = 1, .imm = 3}).size, Size::kB);
  EXPECT_EQ(canonical({.op = Op::kVlsli, .size = Size::kW, .d = 1, .imm = 3}).size, Size::kW);
}

}  // namespace
}  // namespace zynpu::isa
