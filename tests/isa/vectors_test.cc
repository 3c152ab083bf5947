// SPDX-License-Identifier: MIT
// The public test vectors (tec-isa-vectors.tsv) in both directions, and whole known programs.
#include <gtest/gtest.h>

#include <bit>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "isa/asm.h"
#include "isa/decode.h"
#include "isa/encode.h"
#include "isa/table.h"

namespace zynpu::isa {
namespace {

struct Row {
  std::string text, hex;
  bool computed = false;
};

std::filesystem::path vector_file() {
  const char* shared = std::getenv("ZYNPU_SHARED");
  const std::filesystem::path root = shared != nullptr ? shared : ZYNPU_SOURCE_DIR "/../shared";
  return root / "specs" / "tec-isa-vectors.tsv";
}

class Vectors : public ::testing::Test {
 protected:
  void SetUp() override {
    std::ifstream file(vector_file());
    if (!file) GTEST_SKIP() << "no specs/tec-isa-vectors.tsv in the shared test data";
    bool computed = false;
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with("# computed")) computed = true;
      if (line.empty() || line.front() == '#') continue;
      const std::size_t first = line.find('\t');
      const std::size_t second = line.find('\t', first + 1);
      ASSERT_NE(second, std::string::npos) << line;
      rows_.push_back({line.substr(0, first), line.substr(first + 1, second - first - 1), computed});
    }
  }

  static std::vector<std::uint32_t> words(const std::string& hex) {
    std::vector<std::uint32_t> result;
    std::istringstream stream(hex);
    for (std::string word; stream >> word;)
      result.push_back(static_cast<std::uint32_t>(std::stoul(word, nullptr, 16)));
    return result;
  }

  std::vector<Row> rows_;
};

std::vector<std::uint8_t> to_bytes(const std::vector<std::uint32_t>& words) {
  std::vector<std::uint8_t> bytes;
  for (const std::uint32_t word : words)
    for (unsigned byte = 0; byte < 4; ++byte) bytes.push_back(static_cast<std::uint8_t>(word >> (8 * byte)));
  return bytes;
}

bool is_bundle(const Row& row) { return row.text.front() == '{'; }
bool is_image(const Row& row) { return row.text.starts_with("image"); }

TEST_F(Vectors, AreAllThere) {
  unsigned single = 0;
  unsigned bundles = 0;
  unsigned images = 0;
  for (const Row& row : rows_) ++(is_image(row) ? images : is_bundle(row) ? bundles : single);
  EXPECT_GE(single, 190U);
  EXPECT_GE(bundles, 45U);
  EXPECT_EQ(images, 1U);
}

TEST_F(Vectors, AssembleToTheirWords) {
  for (const Row& row : rows_) {
    if (is_bundle(row) || is_image(row)) continue;
    const auto insn = parse_instruction(row.text);
    ASSERT_TRUE(insn) << row.text << ": " << insn.error().message;
    const auto expected = words(row.hex);
    if (info(insn->op).two_words()) {
      const auto pair = encode_two_words(*insn);
      ASSERT_TRUE(pair) << row.text << ": " << pair.error().message;
      EXPECT_EQ((std::vector<std::uint32_t>{(*pair)[0], (*pair)[1]}), expected) << row.text;
      continue;
    }
    ASSERT_EQ(expected.size(), 1U) << row.text;
    for (unsigned slot = 0; slot < kSlots; ++slot) {
      if ((slot_mask(info(insn->op).slot_class) >> slot & 1) == 0) continue;
      const auto word = encode(*insn, slot);
      ASSERT_TRUE(word) << row.text << ": " << word.error().message;
      EXPECT_EQ(*word, expected[0]) << row.text << " in slot " << slot;
    }
  }
}

TEST_F(Vectors, DisassembleToTheirText) {
  for (const Row& row : rows_) {
    if (is_bundle(row) || is_image(row)) continue;
    const Instruction meant = canonical(parse_instruction(row.text).value());
    const auto hex = words(row.hex);
    std::optional<Instruction> decoded;
    if (info(meant.op).two_words()) {
      const auto bundle = decode(BundleWords{hex[0], hex[1], kNopWord, kNopWord});
      ASSERT_TRUE(bundle) << row.text << ": " << bundle.error().message;
      decoded = bundle->slot[0];
    } else {
      const auto slot = static_cast<unsigned>(std::countr_zero(slot_mask(info(meant.op).slot_class)));
      const auto insn = decode(hex[0], slot);
      ASSERT_TRUE(insn) << row.text << ": " << insn.error().message;
      decoded = *insn;
    }
    EXPECT_EQ(*decoded, meant) << row.text << " is read as " << to_string(*decoded);
    EXPECT_EQ(parse_instruction(to_string(*decoded)).value(), meant) << row.text;
  }
}

TEST_F(Vectors, BundlesGoBothWays) {
  for (const Row& row : rows_) {
    if (!is_bundle(row)) continue;
    const auto bytes = to_bytes(words(row.hex));
    const auto program = assemble(row.text);
    ASSERT_TRUE(program) << row.text << ": " << program.error().message;
    EXPECT_EQ(program->bytes, bytes) << row.text;
    const auto text = disassemble(bytes, {.refuse_unknown = true});
    ASSERT_TRUE(text) << row.text << ": " << text.error().message;
    EXPECT_EQ(assemble(*text).value().bytes, bytes) << *text;
  }
}

TEST_F(Vectors, TheDoNothingImageIsItsBundlesInOrder) {
  std::string source;
  std::vector<std::string> bundles;
  for (const Row& row : rows_) {
    if (is_bundle(row)) bundles.push_back(row.text);
    if (!is_image(row)) continue;
    constexpr std::size_t kBundles = 38;
    ASSERT_GE(bundles.size(), kBundles);
    for (std::size_t i = bundles.size() - kBundles; i < bundles.size(); ++i) source += bundles[i] + "\n";
    std::vector<std::uint8_t> image;
    for (std::size_t i = 0; i + 1 < row.hex.size(); i += 2)
      image.push_back(static_cast<std::uint8_t>(std::stoul(row.hex.substr(i, 2), nullptr, 16)));
    ASSERT_EQ(image.size(), kBundles * kBundleBytes);
    const auto program = assemble(source);
    ASSERT_TRUE(program) << program.error().message;
    EXPECT_EQ(program->bytes, image);
    const auto text = disassemble(image, {.addresses = true, .refuse_unknown = true});
    ASSERT_TRUE(text) << text.error().message;
    EXPECT_EQ(assemble(*text).value().bytes, image);
    return;
  }
  FAIL() << "no image row";
}

// The complete program of tec-semantics.md 11: one task that stores 0x1234.
TEST(KnownProgram, AssemblesToThePublishedWords) {
  std::string source = "b main\n";
  for (int vector = 1; vector < 16; ++vector) source += "b spin\n";
  source += R"(
spin: b spin
main:
  { mfctrl0 tcbp, 20; xor sdp, sdp, sdp; mov lp, -32768; movh p7, 0 }
  { bfs sdp, sdp, 27, 4; movh lp, -1536; ld sp, [tcbp+52] }
  ld pp, [tcbp+56]
  { ld r0, [pp+0]; ld r1, [pp+4] }
  { ld dp, [tcbp+60]; ld cp, [tcbp+64] }
  mov r4, 0x1234
  st r4, [r0+0]
  mfctrl0 r2, 0x82
  orl r2, r2, 4
  mtctrl0 r2, 0x82
  mfctrl0 r3, 0x90
  movh r3, 381
  mtctrl0 r3, 0x90
poll:
  mfctrl0 r2, 0x82
  andl r2, r2, 4
  cbnz r2, poll
  wfe r0, 0
  exit
)";
  constexpr std::uint32_t kN = kNopWord;
  constexpr std::uint32_t kC = kNopWord | kEndOfBundle;
  std::vector<std::uint32_t> expected{0x01800022, kN, kN, kC};
  for (std::uint32_t vector = 1; vector < 16; ++vector)
    expected.insert(expected.end(), {0x01800000 + 2 * (16 - vector), kN, kN, kC});
  expected.insert(expected.end(), {
                                      0x01800000, kN,         kN,         kC,          //
                                      0x01040298, 0x400D6B5A, 0x00D0001C, 0xFDF60017,  //
                                      kN,         0x41E26F5A, 0x00FF401C, 0xF010D31D,  //
                                      kN,         kN,         0x7010E319, kC,          //
                                      kN,         kN,         0x70100320, 0xF0101321,  //
                                      kN,         kN,         0x7010F31B, 0xF0110317,  //
                                      kN,         kN,         0x00C24684, kC,          //
                                      kN,         kN,         0x30100004, kC,          //
                                      0x01041042, kN,         kN,         kC,          //
                                      kN,         0x40109042, kN,         kC,          //
                                      0x01001042, kN,         kN,         kC,          //
                                      0x01041203, kN,         kN,         kC,          //
                                      kN,         kN,         0x00E02FA3, kC,          //
                                      0x01001203, kN,         kN,         kC,          //
                                      0x01041042, kN,         kN,         kC,          //
                                      kN,         0x40101042, kN,         kC,          //
                                      0x017FFF82, kN,         kN,         kC,          //
                                      0x014C0000, kN,         kN,         kC,          //
                                      0x014F8000, kN,         kN,         kC,          //
                                  });
  const auto program = assemble(source);
  ASSERT_TRUE(program) << program.error().message;
  EXPECT_EQ(program->bytes.size(), 560U);
  EXPECT_EQ(program->bytes, to_bytes(expected));
  EXPECT_EQ(program->labels.at("main"), 0x110U);
  const auto text = disassemble(program->bytes, {.refuse_unknown = true});
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(assemble(*text).value().bytes, program->bytes);
}

}  // namespace
}  // namespace zynpu::isa
