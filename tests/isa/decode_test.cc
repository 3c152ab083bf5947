// SPDX-License-Identifier: MIT
#include "isa/decode.h"

#include <gtest/gtest.h>

#include <string>

#include "isa/encode.h"
#include "isa/random_instruction.h"
#include "isa/table.h"

namespace zynpu::isa {
namespace {

using testing::Random;

std::string refusal(std::uint32_t word, unsigned slot) {
  const auto result = decode(word, slot);
  return result ? "accepted" : result.error().message;
}

std::string refusal(const BundleWords& words) {
  const auto result = decode(words);
  return result ? "accepted" : result.error().message;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Decode, ReadsTheSameWordBySlot) {
  // 48 f8 24 a3 is an accumulating dot product in slots 0 and 1, and nothing in the others.
  for (const unsigned slot : {0U, 1U}) {
    const auto insn = decode(0x48F824A3, slot);
    ASSERT_TRUE(insn) << insn.error().message;
    EXPECT_EQ(*insn, (Instruction{.op = Op::kQdpa, .d = 3, .a = 5, .b = 9, .p = 7}));
  }
  EXPECT_TRUE(contains(refusal(0x48F824A3, 2), "word 0x48f824a3 in slot 2: unknown opcode"));
  EXPECT_TRUE(contains(refusal(0x48F824A3, 3), "unknown opcode"));
}

TEST(Decode, ReadsNopInEverySlot) {
  for (unsigned slot = 0; slot < kSlots; ++slot) {
    const auto insn = decode(kNopWord, slot);
    ASSERT_TRUE(insn);
    EXPECT_EQ(*insn, Instruction{});
  }
}

TEST(Decode, ReadsSignsOfWideningProducts) {
  const auto mixed = decode(0x48381523, 0);
  ASSERT_TRUE(mixed);
  EXPECT_EQ(*mixed, (Instruction{.op = Op::kVmulb, .unsigned_a = true, .d = 3, .a = 9, .b = 5, .p = 7}));
  const auto lower = decode(0x483A24A3, 0);
  ASSERT_TRUE(lower);
  EXPECT_EQ(*lower, (Instruction{.op = Op::kVmulb, .unsigned_a = true, .d = 3, .a = 5, .b = 9, .p = 7}));
  const auto both = decode(0x483A002C, 0);
  ASSERT_TRUE(both);
  EXPECT_TRUE(both->unsigned_a && both->unsigned_b);
  EXPECT_EQ(both->a, 1);
}

TEST(Decode, ReadsNegativeDisplacements) {
  const auto insn = decode(0x017FFF82, 0);
  ASSERT_TRUE(insn);
  EXPECT_EQ(*insn, (Instruction{.op = Op::kCbnz, .a = 2, .imm = -2}));
}

TEST(Decode, RefusesSourcesOutOfOrder) {
  EXPECT_TRUE(contains(refusal(0x48F81523, 0), "canonical order"));  // qdpa with t9 before t5
  EXPECT_TRUE(contains(refusal(0x483B24A3, 0), "canonical order"));  // mul .uw with t5 before t9
}

TEST(Decode, RefusesReservedValues) {
  EXPECT_TRUE(contains(refusal(0x4341A4A3, 0), "element size 3 is reserved"));  // vector add
  EXPECT_TRUE(contains(refusal(0x3C850CA3, 2), "no size marker"));              // vector shift by immediate
  EXPECT_TRUE(contains(refusal(0x7DF60007, 3), "predicates are 16..23"));       // movh to a predicate
  EXPECT_TRUE(contains(refusal(0x01800001, 0), "not a multiple of 2"));         // half a bundle
  EXPECT_TRUE(contains(refusal(0x70100443, 2), "not a multiple of 4"));         // ld at offset 1
  EXPECT_TRUE(contains(refusal(0x63C36F1F, 0), "pair"));                        // mma into t31, t32
}

TEST(Decode, RefusesReservedBits) {
  EXPECT_TRUE(contains(refusal(0x014F8000U | 1U, 0), "bit 0, which is reserved"));       // exit
  EXPECT_TRUE(contains(refusal(0x017FFF82U | 1U << 5, 0), "bit 5, which is reserved"));  // cbnz
  EXPECT_TRUE(contains(refusal(0x400000C0U | 1U << 16, 0), "unknown opcode"));           // add
}

TEST(Decode, RefusesTheEndMarkInASingleWord) {
  EXPECT_TRUE(contains(refusal(0xC8F824A3, 0), "end-of-bundle mark"));
  EXPECT_TRUE(contains(refusal(0xC00C7FFF, 3), "end-of-bundle mark"));
}

TEST(Decode, RefusesASlotThatDoesNotExist) { EXPECT_TRUE(contains(refusal(kNopWord, 4), "slot 4")); }

TEST(DecodeBundle, NeedsTheEndMark) {
  EXPECT_TRUE(contains(refusal({kNopWord, kNopWord, kNopWord, kNopWord}), "(bit 31) is missing"));
  EXPECT_TRUE(
      contains(refusal({kNopWord, kNopWord | kEndOfBundle, kNopWord, kNopWord | kEndOfBundle}), "slot 1"));
  EXPECT_TRUE(
      contains(refusal({kNopWord, kNopWord, kNopWord | kEndOfBundle, kNopWord | kEndOfBundle}), "slot 2"));
}

TEST(DecodeBundle, ReadsTwoWordForms) {
  const auto bundle = decode(BundleWords{0x8200386C, 0x40010007, kNopWord, kNopWord});
  ASSERT_TRUE(bundle) << bundle.error().message;
  Bundle expected;
  expected.slot[0] = {.op = Op::kDma, .d = 7, .a = 14, .b = 3, .c = 12, .int_space = 4};
  EXPECT_EQ(*bundle, expected);
}

TEST(DecodeBundle, RefusesMalformedTwoWordForms) {
  EXPECT_TRUE(contains(refusal({0x8200386C, 0x40010007, kNopWord, kNopWord | kEndOfBundle}), "slot 3"));
  EXPECT_TRUE(contains(refusal({0x8200386C, 0x40010007, 0x00C00000, kNopWord}), "slot 2"));
  EXPECT_TRUE(contains(refusal({0x8200386C, 0x40010027, kNopWord, kNopWord}), "unknown two-word form"));
  EXPECT_TRUE(contains(refusal({0x8200386C, 0x40030007, kNopWord, kNopWord}), "unknown two-word form"));
  EXPECT_TRUE(contains(refusal({0x8200386C, 0xC0010007, kNopWord, kNopWord}), "unknown two-word form"));
  EXPECT_TRUE(
      contains(refusal({0x8000FFFF, 0x4002001F, kNopWord, kNopWord}), "unknown two-word form"));  // aiff
}

TEST(DecodeBundle, RefusesIllegalCompany) {
  // loopend beside an addition; two writes of r1
  EXPECT_TRUE(contains(refusal({0x01508000, 0x40000C42, kNopWord, 0xC00C7FFF}), "loopend must be alone"));
  EXPECT_TRUE(contains(refusal({0x40000C42, 0x40000C42, kNopWord, 0xC00C7FFF}), "both write r2"));
}

// Words made of the table's patterns with a few bits flipped reach the decoder's corners far more often than
// uniformly random ones; both kinds are tried.
TEST(Decode, ReencodesEveryAcceptedWordToItself) {
  Random random(0x5EED2);
  unsigned accepted = 0;
  constexpr unsigned kWords = 2'000'000;
  for (unsigned i = 0; i < kWords; ++i) {
    const std::uint64_t noise = random();
    auto word = static_cast<std::uint32_t>(noise) & ~kEndOfBundle;
    if (i % 8 != 0) {
      const OpInfo& row = info(testing::random_op(random));
      word = static_cast<std::uint32_t>(row.base) | (word & ~static_cast<std::uint32_t>(row.fixed));
      if (i % 4 == 0) word ^= 1U << (noise >> 40) % 31;
      word &= ~kEndOfBundle;
    }
    const auto slot = static_cast<unsigned>(noise >> 62);
    const auto insn = decode(word, slot);
    if (!insn) continue;
    ++accepted;
    const auto again = encode(*insn, slot);
    ASSERT_TRUE(again) << again.error().message;
    ASSERT_EQ(*again, word) << info(insn->op).id << " in slot " << slot;
  }
  EXPECT_GT(accepted, kWords / 8);
}

TEST(DecodeBundle, ReencodesEveryAcceptedBundleToItself) {
  Random random(0x5EED3);
  unsigned accepted = 0;
  for (unsigned i = 0; i < 300'000; ++i) {
    BundleWords words{};
    for (unsigned slot = 0; slot < kSlots; ++slot) {
      const Instruction insn = testing::random_instruction(random, testing::random_op(random));
      words[slot] = encode(insn, slot).value_or(kNopWord);
    }
    words[3] |= kEndOfBundle;
    if (i % 16 == 0) {
      const Op op = i % 32 == 0 ? Op::kDma : Op::kAiff;
      const auto pair = encode_two_words(testing::random_instruction(random, op));
      ASSERT_TRUE(pair);
      words = {(*pair)[0], (*pair)[1], kNopWord, kNopWord};
    }
    if (i % 5 == 0) words[random() % kSlots] ^= 1U << random() % 32;
    const auto bundle = decode(words);
    if (!bundle) continue;
    ++accepted;
    const auto again = encode(*bundle);
    ASSERT_TRUE(again) << again.error().message;
    ASSERT_EQ(*again, words);
  }
  EXPECT_GT(accepted, 150'000U);
}

}  // namespace
}  // namespace zynpu::isa
