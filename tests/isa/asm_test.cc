// SPDX-License-Identifier: MIT
#include "isa/asm.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "isa/bundle.h"
#include "isa/encode.h"
#include "isa/random_instruction.h"
#include "isa/table.h"

namespace zynpu::isa {
namespace {

using testing::Random;

std::string refusal(std::string_view source) {
  const auto program = assemble(source);
  return program ? "accepted" : program.error().message;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::vector<std::uint32_t> words(std::string_view source) {
  const auto program = assemble(source);
  if (!program) {
    ADD_FAILURE() << program.error().message;
    return {};
  }
  std::vector<std::uint32_t> result(program->bytes.size() / 4);
  for (std::size_t i = 0; i < program->bytes.size(); ++i)
    result[i / 4] |= std::uint32_t{program->bytes[i]} << (8 * (i % 4));
  return result;
}

using Words = std::vector<std::uint32_t>;
constexpr std::uint32_t kLastNop = 0xC00C7FFF;

Instruction parsed(std::string_view text) {
  const auto insn = parse_instruction(text);
  if (!insn) ADD_FAILURE() << text << ": " << insn.error().message;
  return insn.value_or(Instruction{});
}

TEST(Assemble, EmitsBundlesOfFourWords) {
  EXPECT_EQ(words("{ ld t0, [r2+0]; ld t1, [r2+32] }"), (Words{kNopWord, kNopWord, 0x70780040, 0xF0788041}));
  EXPECT_EQ(words("{ movh lp, -1536\n bfs sdp, sdp, 27, 4\n ld sp, [tcbp+52] }"),
            (Words{kNopWord, 0x41E26F5A, 0x00FF401C, 0xF010D31D}));
  EXPECT_EQ(words("dma 0, r7, 0, 4, 0, 0, 0, r14, r3, r12"),
            (Words{0x8200386C, 0x40010007, kNopWord, kNopWord}));
}

TEST(Assemble, StoresWordsLowByteFirst) {
  const auto program = assemble("mfctrl0 r2, 0x82");
  ASSERT_TRUE(program);
  ASSERT_EQ(program->bytes.size(), 16U);
  EXPECT_EQ(program->bytes[0], 0x42);
  EXPECT_EQ(program->bytes[3], 0x01);
}

TEST(Assemble, EmitsNothingForEmptyBraces) {
  EXPECT_EQ(words("{ }"), Words{});
  EXPECT_EQ(words("{ ; \n ; }"), Words{});
  EXPECT_EQ(words("{ nop }"), (Words{kNopWord, kNopWord, kNopWord, kLastNop}));
  EXPECT_EQ(words(""), Words{});
}

TEST(Assemble, ResolvesLabelsBothWays) {
  EXPECT_EQ(words("start: b end\n exit\n end: cbnz r2, start"),
            (Words{0x01800004, kNopWord, kNopWord, kLastNop, 0x014F8000, kNopWord, kNopWord, kLastNop,
                   0x017FFF82, kNopWord, kNopWord, kLastNop}));
  EXPECT_EQ(words("b .+17"), (Words{0x01800022, kNopWord, kNopWord, kLastNop}));
  EXPECT_EQ(words("b ."), words("b .+0"));
}

TEST(Assemble, ReportsLabelOffsets) {
  const auto program = assemble("a:\nb: nop\n.L1: { nop }\nend:");
  ASSERT_TRUE(program) << program.error().message;
  EXPECT_EQ(program->labels.at("a"), 0U);
  EXPECT_EQ(program->labels.at("b"), 0U);
  EXPECT_EQ(program->labels.at(".L1"), 16U);
  EXPECT_EQ(program->labels.at("end"), 32U);
}

TEST(Assemble, AcceptsDirectivesAndComments) {
  EXPECT_EQ(
      words(".text\n.globl _entry\n.p2align 4\n_entry: # the start\n nop // twice\n/* not\n this */ nop")
          .size(),
      8U);
  EXPECT_EQ(words("nop\n.p2align 6\nexit").size(), 20U);
  EXPECT_EQ(words("nop\n.p2align 4\nexit").size(), 8U);
  EXPECT_EQ(words(".bundle 1, 0x2, 3, 0xFFFFFFFF"), (Words{1, 2, 3, 0xFFFFFFFF}));
}

TEST(Assemble, KnowsRegisterAliases) {
  EXPECT_EQ(parsed("add fp, cp, tcbp"), (Instruction{.op = Op::kAdd, .d = 22, .a = 23, .b = 24}));
  EXPECT_EQ(parsed("add pp, sdp, dp"), (Instruction{.op = Op::kAdd, .d = 25, .a = 26, .b = 27}));
  EXPECT_EQ(parsed("add lp, sp, ra"), (Instruction{.op = Op::kAdd, .d = 28, .a = 29, .b = 30}));
  EXPECT_EQ(parsed("add r31, zero, r0"), (Instruction{.op = Op::kAdd, .d = 31, .a = 31}));
}

TEST(Assemble, ChoosesTheFormByItsOperands) {
  EXPECT_EQ(parsed("add r1, r2, r3").op, Op::kAdd);
  EXPECT_EQ(parsed("add r1, r2, 3").op, Op::kAddi);
  EXPECT_EQ(parsed("add t1.w, t2.w, t3.w").op, Op::kVadd);
  EXPECT_EQ(parsed("add t1.w, t2.w, t3.w, p7.w").op, Op::kVaddp);
  EXPECT_EQ(parsed("add t1.w, t2.w, 3").op, Op::kVaddi);
  EXPECT_EQ(parsed("add t1.fp32, t2.fp32, t3.fp32, p7.w").op, Op::kFadd);
  EXPECT_EQ(parsed("max t1.uh, t2.uh, 200").op, Op::kVmaxui);
  EXPECT_EQ(parsed("max t1.h, t2.h, -3").op, Op::kVmaxi);
  EXPECT_EQ(parsed("movh p7, 0").op, Op::kMovhp);
  EXPECT_EQ(parsed("movh r7, 0").op, Op::kMovh);
  EXPECT_EQ(parsed("ld t7, [r1+4]").op, Op::kVld);
  EXPECT_EQ(parsed("ld r7, [r1+4]").op, Op::kLd);
  EXPECT_EQ(parsed("sxtl t1.w, t2.h").op, Op::kSxtlwh);
  EXPECT_EQ(parsed("cvt t1.w, t2.fp32").op, Op::kCvtwf);
}

TEST(Assemble, ReadsUnsignedSuffixes) {
  EXPECT_EQ(
      parsed("max t1.ub, t2.ub, t3.ub, p4.b"),
      (Instruction{.op = Op::kVmax, .size = Size::kB, .unsigned_d = true, .d = 1, .a = 2, .b = 3, .p = 4}));
  EXPECT_EQ(parsed("mul t1.h, t2.ub, t3.b, p7.b"),
            (Instruction{.op = Op::kVmulb, .unsigned_a = true, .d = 1, .a = 2, .b = 3, .p = 7}));
  EXPECT_EQ(parsed("mulh t1.w, t2.h, t3.uh, p7.h"),
            (Instruction{.op = Op::kVmulhh16, .unsigned_b = true, .d = 1, .a = 2, .b = 3, .p = 7}));
  EXPECT_TRUE(contains(refusal("max t1.ub, t2.b, t3.ub, p4.b"), "signed and unsigned lanes mixed"));
}

TEST(Assemble, ReadsMemoryOperands) {
  EXPECT_EQ(parsed("ld r1, [r2-4]").imm, -4);
  EXPECT_EQ(parsed("ld r1, [r2+-4]").imm, -4);
  EXPECT_EQ(parsed("ld r1, [ r2 + 0x10 ]").imm, 16);
  EXPECT_EQ(parsed("ld r1, [r2]").imm, 0);
  EXPECT_EQ(parsed("cacheop [r8+3], 1"), (Instruction{.op = Op::kCacheop, .a = 8, .imm = 1, .imm2 = 3}));
  EXPECT_EQ(parsed("cacheop [r8], 1"), (Instruction{.op = Op::kCacheop, .a = 8, .imm = 1}));
}

TEST(Assemble, NamesTheLineAndTheOffendingText) {
  EXPECT_TRUE(contains(refusal("nop\nnop\nrcp t1.fp32, t2.fp32"), "line 3: no instruction `rcp`"));
  EXPECT_TRUE(
      contains(refusal("add r1, r2, r32"), "line 1: expected a GPR (r0..r31 or an alias), found `r32`"));
  EXPECT_TRUE(contains(refusal("add r1, r2, 1024"), "operand imm is 1024, allowed 0..1023"));
  EXPECT_TRUE(contains(refusal("/* a\nb */ add r1 r2, r3"), "line 2: expected `,`, found `r2`"));
  EXPECT_TRUE(contains(refusal("{ nop\n\n add r1, t2, r3 }"), "line 3: expected a GPR"));
  EXPECT_TRUE(contains(refusal("add t1.w, t2.h, t3.w"), "element sizes differ"));
  EXPECT_TRUE(contains(refusal("add t1.x, t2.x, t3.x"), "element size b, h or w, found `x`"));
  EXPECT_TRUE(contains(refusal("lsl t1.b, t2.b, 8"), "operand imm is 8, allowed 0..7"));
  EXPECT_TRUE(contains(refusal("ld r1, [r2+6]"), "multiple of 4"));
  EXPECT_TRUE(contains(refusal("exit now"), "unexpected `now`"));
  EXPECT_TRUE(contains(refusal("vmulb r1"), "no instruction `vmulb`"));
  EXPECT_TRUE(contains(refusal("ld r1, [r2+4"), "expected `]`, found `the end`"));
  EXPECT_TRUE(contains(refusal("mov r1,"), "expected a number for imm"));
  EXPECT_TRUE(contains(refusal("mma t0.fp32, t2.fp32, t4.fp16, t5.fp16"), "must be t1, found `t2`"));
  EXPECT_TRUE(
      contains(refusal("dma 0, zero, 300, 4, 0, 1, 0, r1, r6, r0"), "desp_ctrl is 300, allowed 0..15"));
  EXPECT_TRUE(contains(refusal("add r01, r2, r3"), "found `r01`"));
}

TEST(Assemble, RefusesBadBraces) {
  EXPECT_TRUE(contains(refusal("nop\n{ nop\nnop"), "line 2: the bundle that begins here has no `}`"));
  EXPECT_TRUE(contains(refusal("nop }"), "line 1: `}` without `{`"));
  EXPECT_TRUE(contains(refusal("{ nop { nop } }"), "`{` inside a bundle"));
  EXPECT_TRUE(contains(refusal("{ a: nop }"), "label `a` inside a bundle"));
  EXPECT_TRUE(contains(refusal("{ .text }"), "directive `.text` inside a bundle"));
  EXPECT_TRUE(contains(refusal("nop\n/* nop"), "line 2: comment without end"));
}

TEST(Assemble, RefusesBadLabels) {
  EXPECT_TRUE(contains(refusal("nop\nb nowhere"), "line 2: label `nowhere` is not defined"));
  EXPECT_TRUE(contains(refusal("a: nop\na: nop"), "line 2: label `a` is defined twice"));
  EXPECT_TRUE(contains(refusal("1a: nop"), "begins with a digit"));
  EXPECT_TRUE(contains(refusal("b 17"), "a branch target is a label, .+N or .-N"));
  EXPECT_TRUE(contains(refusal("b .+262144"), "allowed -262144..262143"));
  const std::string far = "l: nop\n" + std::string(".p2align 12\nnop\n") + "cbnz r1, l";
  EXPECT_EQ(refusal(far), "accepted");
  std::string too_far = "l: nop\n";
  for (int i = 0; i < 40; ++i) too_far += ".p2align 12\nnop\n";
  EXPECT_TRUE(contains(refusal(too_far + "cbnz r1, l"), "cbnz reaches -8192..8191"));
  EXPECT_FALSE(parse_instruction("b somewhere"));
}

TEST(Assemble, RefusesBadDirectives) {
  EXPECT_TRUE(contains(refusal(".data"), "line 1: directive `.data` is not known"));
  EXPECT_TRUE(contains(refusal(".p2align 13"), "from 0 to 12"));
  EXPECT_TRUE(contains(refusal(".p2align"), "from 0 to 12"));
  EXPECT_TRUE(contains(refusal(".globl"), "needs a name"));
  EXPECT_TRUE(contains(refusal(".globl a b"), "not a name"));
  EXPECT_TRUE(contains(refusal(".text 1"), "unexpected `1`"));
  EXPECT_TRUE(contains(refusal(".bundle 1, 2, 3"), "four words"));
  EXPECT_TRUE(contains(refusal(".bundle 1, 2, 3, 4, 5"), "behind the fourth word"));
  EXPECT_TRUE(contains(refusal(".bundle 1, 2, 3, 0x100000000"), "32-bit"));
  EXPECT_TRUE(contains(refusal(".bundle 1, 2, 3, -1"), "32-bit"));
}

TEST(Assemble, NamesTheBrokenBundleRule) {
  EXPECT_TRUE(
      contains(refusal("nop\n{ st t1, [r1+0]\n st t2, [r1+32] }"), "line 2: no slot left for st (class S2"));
  EXPECT_TRUE(contains(refusal("{ add r1, r2, r3; sub r1, r2, r3 }"), "both write r1"));
  EXPECT_TRUE(contains(refusal("{ loopend; add r1, r2, r3 }"), "loopend must be alone"));
  EXPECT_TRUE(contains(refusal("{ dma 0, zero, 0, 4, 0, 1, 0, r1, r6, r0; nop }"), "dma must be alone"));
}

TEST(Print, UsesTheSyntaxOfTheAssembler) {
  EXPECT_EQ(to_string(Instruction{}), "nop");
  EXPECT_EQ(to_string({.op = Op::kAdd, .d = 29, .a = 31, .b = 3}), "add sp, zero, r3");
  EXPECT_EQ(to_string({.op = Op::kLd, .d = 1, .a = 24, .imm = -4}), "ld r1, [tcbp-4]");
  EXPECT_EQ(to_string({.op = Op::kVld, .d = 1, .a = 2}), "ld t1, [r2+0]");
  EXPECT_EQ(
      to_string({.op = Op::kVmin, .size = Size::kH, .unsigned_d = true, .d = 1, .a = 2, .b = 3, .p = 7}),
      "min t1.uh, t2.uh, t3.uh, p7.h");
  EXPECT_EQ(to_string({.op = Op::kVmulb, .unsigned_b = true, .d = 1, .a = 2, .b = 3, .p = 7}),
            "mul t1.h, t2.b, t3.ub, p7.b");
  EXPECT_EQ(to_string({.op = Op::kMmab, .d = 30, .a = 2, .b = 3}),
            "mma t30.fp32, t31.fp32, t2.bf16, t3.bf16");
  EXPECT_EQ(to_string({.op = Op::kB, .imm = -3}), "b .-3");
  EXPECT_EQ(to_string({.op = Op::kCbnz, .a = 1, .imm = 3}), "cbnz r1, .+3");
  EXPECT_EQ(to_string({.op = Op::kMfctrl0, .d = 2, .imm = 0x82}), "mfctrl0 r2, 0x82");
  EXPECT_EQ(to_string({.op = Op::kMovhp, .d = 7}), "movh p7, 0");
}

TEST(Print, IsReadBackUnchanged) {
  Random random(0x5EED5);
  for (int i = 0; i < 100'000; ++i) {
    const Instruction insn = testing::random_instruction(random, testing::random_op(random));
    const std::string text = to_string(insn);
    const auto back = parse_instruction(text);
    ASSERT_TRUE(back) << text << ": " << back.error().message;
    ASSERT_EQ(*back, insn) << text;
  }
}

TEST(Print, KeepsSlotsWithNops) {
  Bundle bundle;
  bundle.slot[1] = {.op = Op::kAdd, .d = 1, .a = 2, .b = 3};
  EXPECT_EQ(to_string(bundle), "{ nop; add r1, r2, r3 }");
  bundle = {};
  bundle.slot[3] = {.op = Op::kLd, .d = 1, .a = 2};
  EXPECT_EQ(to_string(bundle), "{ nop; nop; nop; ld r1, [r2+0] }");
  bundle = {};
  bundle.slot[1] = {.op = Op::kXor, .d = 1, .a = 2, .b = 3};
  bundle.slot[3] = {.op = Op::kMov4, .d = 1};
  EXPECT_EQ(to_string(bundle), "{ xor r1, r2, r3; mov4 t1, 0 }");
  EXPECT_EQ(to_string(Bundle{}), "{ nop }");
}

TEST(Disassemble, NamesBranchTargets) {
  const auto program = assemble("b 1f_\nnop\n1f_: nop");
  EXPECT_FALSE(program);
  const auto good = assemble("b there\nnop\nthere: cbnz r1, .-2\nb .+9");
  ASSERT_TRUE(good) << good.error().message;
  EXPECT_EQ(disassemble(good->bytes).value(), "L0:\n{ b L2 }\n{ nop }\nL2:\n{ cbnz r1, L0 }\n{ b .+9 }\n");
  EXPECT_EQ(disassemble(good->bytes, {.labels = false}).value(),
            "{ b .+2 }\n{ nop }\n{ cbnz r1, .-2 }\n{ b .+9 }\n");
  EXPECT_EQ(disassemble(good->bytes, {.addresses = true, .base = 0x10000, .labels = false}).value(),
            "/* 00010000 */ { b .+2 }\n/* 00010010 */ { nop }\n/* 00010020 */ { cbnz r1, .-2 }\n"
            "/* 00010030 */ { b .+9 }\n");
}

TEST(Disassemble, PrintsUnknownBundlesAsWords) {
  const std::vector<std::uint8_t> zeros(16);
  const auto text = disassemble(zeros);
  ASSERT_TRUE(text);
  EXPECT_TRUE(contains(*text, ".bundle 0x00000000, 0x00000000, 0x00000000, 0x00000000  // ")) << *text;
  EXPECT_EQ(assemble(*text).value().bytes, zeros);
  const auto refused = disassemble(zeros, {.base = 0x10000, .refuse_unknown = true});
  ASSERT_FALSE(refused);
  EXPECT_TRUE(contains(refused.error().message, "bundle 0 at 0x00010000")) << refused.error().message;
}

TEST(Disassemble, RefusesPartsOfBundles) {
  EXPECT_FALSE(disassemble(std::vector<std::uint8_t>(15)));
  EXPECT_TRUE(disassemble({}));
}

// Whole programs of random bundles, legal and not, come back byte for byte, whatever the options.
TEST(Disassemble, IsUndoneByAssembling) {
  Random random(0x5EED6);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::uint8_t> bytes;
    for (int i = 0; i < 100; ++i) {
      BundleWords bundle{kNopWord, kNopWord, kNopWord, kNopWord};
      for (unsigned slot = 0; slot < kSlots; ++slot)
        bundle[slot] =
            encode(testing::random_instruction(random, testing::random_op(random)), slot).value_or(kNopWord);
      bundle[3] |= kEndOfBundle;
      if (i % 10 == 0) {
        const auto pair = encode_two_words(testing::random_instruction(random, Op::kDma));
        bundle = {(*pair)[0], (*pair)[1], kNopWord, kNopWord};
      }
      if (i % 10 == 1)
        for (std::uint32_t& word : bundle) word = static_cast<std::uint32_t>(random());
      if (i % 10 == 2)
        bundle[0] = encode({.op = Op::kB, .imm = testing::between(random, -i, 99 - i)}, 0).value();
      for (const std::uint32_t word : bundle)
        for (unsigned byte = 0; byte < 4; ++byte)
          bytes.push_back(static_cast<std::uint8_t>(word >> (8 * byte)));
    }
    const bool labels = round % 2 == 0;
    const auto text = disassemble(bytes, {.addresses = round % 3 == 0, .base = 0x1000, .labels = labels});
    ASSERT_TRUE(text);
    ASSERT_EQ(contains(*text, "L"), labels);
    const auto program = assemble(*text);
    ASSERT_TRUE(program) << program.error().message;
    ASSERT_EQ(program->bytes, bytes);
  }
}

TEST(Assemble, SurvivesRandomText) {
  Random random(0x5EED7);
  constexpr std::string_view kPieces[] = {"add", "ld", "max", "mma", "dma",  "b",      "sel", " ",  ",",
                                          "[",   "]",  "+",   "-",   ".",    "{",      "}",   ";",  "\n",
                                          ":",   "r1", "t31", "p7",  ".w",   ".b",     "u",   "0x", "99",
                                          "/*",  "*/", "//",  "#",   "zero", ".bundle"};
  unsigned refused = 0;
  for (int round = 0; round < 50'000; ++round) {
    std::string source;
    for (unsigned length = static_cast<unsigned>(random() % 16); length > 0; --length)
      source += kPieces[random() % std::size(kPieces)];
    const auto program = assemble(source);
    if (program) continue;
    ++refused;
    ASSERT_TRUE(program.error().message.starts_with("line "))
        << source << " gives " << program.error().message;
  }
  EXPECT_GT(refused, 10'000U);
}

}  // namespace
}  // namespace zynpu::isa
