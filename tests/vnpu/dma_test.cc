// SPDX-License-Identifier: MIT
// The four DMA modes against the formulas of tec-semantics.md 7.3, the limits of requests, and access
// patterns.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "vnpu/dma_plan.h"
#include "vnpu/x2_machine.h"

namespace zynpu::vnpu {
namespace {

constexpr std::uint32_t kSource = kData + 0x8000, kTarget = kData + 0x40000;

std::string constant(const std::string& reg, std::uint32_t value) {
  const auto half = [](std::uint32_t h) { return std::to_string(static_cast<std::int16_t>(h & 0xFFFF)); };
  return "mov " + reg + ", " + half(value) + "\nmovh " + reg + ", " + half(value >> 16) + "\n";
}

// One request as the only thing a task does. Bytes of `from` are random; returns those at `to`.
struct Request {
  unsigned mode = 0, int_space = 4, ext_space = 0, dir = 1, unit = 0;
  DmaDescriptor descriptor;
  std::uint32_t internal = part::kLsramBase, external = kSource;
};

// Fills LSRAM and GSRAM from DDR, runs the request, brings LSRAM (32 KiB) and GSRAM (32 KiB) back to kTarget.
class Runner {
 public:
  explicit Runner(bool direct) : m({}, 0x340000000, direct) {
    std::mt19937 random(71);
    for (std::uint32_t i = 0; i < 0x38000; i += 4)
      m.bus.put32(m.at(kSource + i), static_cast<std::uint32_t>(random()));
  }

  bool run(const Request& q) {
    put(0, {half(32768, 32768, 32768), half(32768, 32768, 32768)});
    put(1, q.descriptor);
    memory = m.bus.get(m.at(0), 0x200000);
    lsram.assign(memory.begin() + kSource + 0x10000, memory.begin() + kSource + 0x18000);
    gsram.assign(memory.begin() + kSource + 0x18000, memory.begin() + kSource + 0x20000);
    std::string body = constant("r4", kSource + 0x10000) + "dma 0, zero, 0, 4, 0, 1, 0, r0, r1, r4\n" +
                       constant("r4", kSource + 0x18000) +
                       "mov r7, 1\ndma 0, r7, 0, 8, 0, 1, 0, r0, sdp, r4\nwfe zero, 2\n";
    body += constant("r5", q.internal) + constant("r6", q.external) + "add r8, r0, 64\nmov r7, 2\ndma " +
            std::to_string(q.mode) + ", r7, 0, " + std::to_string(q.int_space) + ", " +
            std::to_string(q.ext_space) + ", " + std::to_string(q.dir) + ", " + std::to_string(q.unit) +
            ", r8, r5, r6\nsub r7, zero, 5\nwfe r7, 1\n";
    body += constant("r4", kTarget) + "dma 0, zero, 0, 4, 0, 0, 0, r0, r1, r4\n" +
            constant("r4", kTarget + 0x8000) +
            "mov r7, 1\ndma 0, r7, 0, 8, 0, 0, 0, r0, sdp, r4\nwfe zero, 2\n";
    return m.run_body(body);
  }
  static DmaHalf half(std::uint32_t width, std::uint32_t stride, std::uint32_t size, std::uint32_t gap = 0,
                      std::uint32_t repeat = 1) {
    return {width, stride, size, gap, repeat};
  }
  void put(unsigned n, const DmaDescriptor& descriptor) {
    const auto words = pack_descriptor(descriptor);
    for (unsigned i = 0; i < 6; ++i) m.bus.put32(m.at(kData + 64 * n + 4 * i), words[i]);
  }
  void expect_lsram(const std::vector<std::uint8_t>& expected) {
    EXPECT_EQ(m.bus.get(m.at(kTarget), 0x8000), expected);
  }
  void expect_gsram(const std::vector<std::uint8_t>& expected) {
    EXPECT_EQ(m.bus.get(m.at(kTarget + 0x8000), 0x8000), expected);
  }

  X2Machine m;
  std::vector<std::uint8_t> memory, lsram, gsram;  // before the request
};

class DmaModes : public ::testing::TestWithParam<bool> {};

TEST_P(DmaModes, DirectContiguousWithAShortLastChunk) {
  Runner r(GetParam());
  Request q;
  q.descriptor = {Runner::half(512, 512, 1234), Runner::half(512, 512, 1234)};
  q.internal += 96;
  ASSERT_TRUE(r.run(q)) << r.m.message();
  std::copy_n(r.memory.begin() + kSource, 1234, r.lsram.begin() + 96);
  r.expect_lsram(r.lsram);
  r.expect_gsram(r.gsram);
}

TEST_P(DmaModes, DirectStridedOnBothSides) {
  for (const unsigned dir : {0u, 1u}) {
    Runner r(GetParam());
    Request q;
    q.dir = dir;
    q.int_space = 8;
    q.internal = part::kGsramBase + 64;
    q.external = dir == 1 ? kSource : kTarget + 0x20000;
    q.descriptor = {Runner::half(24, 100, 24 * 50), Runner::half(24, 40, 24 * 50)};
    ASSERT_TRUE(r.run(q)) << r.m.message();
    if (dir == 1) {
      for (unsigned c = 0; c < 50; ++c)
        std::copy_n(r.memory.begin() + kSource + 100 * c, 24, r.gsram.begin() + 64 + 40 * c);
      r.expect_gsram(r.gsram);
    } else {
      std::vector<std::uint8_t> expected(r.memory.begin() + kTarget + 0x20000,
                                         r.memory.begin() + kTarget + 0x28000);
      for (unsigned c = 0; c < 50; ++c)
        std::copy_n(r.gsram.begin() + 64 + 40 * c, 24, expected.begin() + 100 * c);
      EXPECT_EQ(r.m.bus.get(r.m.at(kTarget + 0x20000), 0x8000), expected);
    }
  }
}

TEST_P(DmaModes, DirectRepeatsThePatternByItsGaps) {
  Runner r(GetParam());
  Request q;
  q.descriptor = {Runner::half(32, 64, 128, 1000, 3), Runner::half(32, 32, 128, 256, 3)};
  ASSERT_TRUE(r.run(q)) << r.m.message();
  for (unsigned n = 0; n < 3; ++n)
    for (unsigned c = 0; c < 4; ++c)
      std::copy_n(r.memory.begin() + kSource + 1000 * n + 64 * c, 32, r.lsram.begin() + 256 * n + 32 * c);
  r.expect_lsram(r.lsram);
}

TEST_P(DmaModes, DirectFromDdrToDdr) {
  Runner r(GetParam());
  Request q;
  q.int_space = 1;  // ASID1 has the same base here
  q.internal = kTarget + 0x20000;
  q.descriptor = {Runner::half(256, 256, 1024), Runner::half(256, 512, 1024)};
  ASSERT_TRUE(r.run(q)) << r.m.message();
  for (unsigned c = 0; c < 4; ++c)
    EXPECT_EQ(r.m.bus.get(r.m.at(kTarget + 0x20000 + 512 * c), 256),
              r.m.bus.get(r.m.at(kSource + 256 * c), 256));
}

TEST_P(DmaModes, TransposeByElementSize) {
  for (const unsigned unit : {0u, 1u, 2u})
    for (const unsigned dir : {0u, 1u}) {
      const unsigned e = 1u << unit, rows = 5, columns = 7, cs = 64, rs = 40;  // pitches in bytes
      Runner r(GetParam());
      Request q;
      q.mode = 1;
      q.dir = dir;
      q.unit = unit;
      q.external = dir == 1 ? kSource : kTarget + 0x20000;
      const DmaHalf source = Runner::half(columns * e, cs, 0), target = Runner::half(rows * e, rs, 0);
      q.descriptor = dir == 1 ? DmaDescriptor{source, target} : DmaDescriptor{target, source};
      ASSERT_TRUE(r.run(q)) << r.m.message();
      const std::uint8_t* from = dir == 1 ? r.memory.data() + kSource : r.lsram.data();
      std::vector<std::uint8_t> expected =
          dir == 1 ? r.lsram
                   : std::vector<std::uint8_t>(r.memory.begin() + kTarget + 0x20000,
                                               r.memory.begin() + kTarget + 0x28000);
      for (unsigned i = 0; i < rows; ++i)
        for (unsigned j = 0; j < columns; ++j)
          for (unsigned b = 0; b < e; ++b) expected[j * rs + i * e + b] = from[i * cs + j * e + b];
      if (dir == 1)
        r.expect_lsram(expected);
      else
        EXPECT_EQ(r.m.bus.get(r.m.at(kTarget + 0x20000), 0x8000), expected);
    }
}

TEST_P(DmaModes, UpsampleRepeatsPixelsAndRows) {
  const unsigned width = 6, channels = 20, ws = 3, hs = 2, source_stride = 24, target_stride = 32,
                 row = width * ws * target_stride;
  Runner r(GetParam());
  Request q;
  q.mode = 2;
  q.descriptor = {Runner::half(channels, source_stride, channels * width, 0, ws),
                  Runner::half(channels, target_stride, channels * width * ws, row, hs)};
  ASSERT_TRUE(r.run(q)) << r.m.message();
  for (unsigned w = 0; w < width; ++w)
    for (unsigned h = 0; h < hs; ++h)
      for (unsigned s = 0; s < ws; ++s)
        std::copy_n(r.memory.begin() + kSource + w * source_stride, channels,
                    r.lsram.begin() + h * row + (w * ws + s) * target_stride);
  r.expect_lsram(r.lsram);
}

TEST_P(DmaModes, MemsetFillsByElementSize) {
  for (const unsigned unit : {0u, 1u, 2u}) {
    Runner r(GetParam());
    Request q;
    q.mode = 3;
    q.unit = unit;
    q.internal += 64;
    q.external = 0x44332211;
    q.descriptor.internal = Runner::half(500, 500, 500);
    ASSERT_TRUE(r.run(q)) << r.m.message();
    for (unsigned i = 0; i < 500; ++i)
      r.lsram[64 + i] = static_cast<std::uint8_t>(0x44332211 >> (8 * (i % (1u << unit))));
    r.expect_lsram(r.lsram);
  }
  // Outward: the internal address is the value; repeats move by the gap.
  Runner r(GetParam());
  Request q;
  q.mode = 3;
  q.dir = 0;
  q.internal = 0xAB;
  q.external = kTarget + 0x20000;
  q.descriptor.external = Runner::half(100, 100, 100, 300, 3);
  ASSERT_TRUE(r.run(q)) << r.m.message();
  std::vector<std::uint8_t> expected(r.memory.begin() + kTarget + 0x20000,
                                     r.memory.begin() + kTarget + 0x21000);
  for (unsigned n = 0; n < 3; ++n) std::fill_n(expected.begin() + 300 * n, 100, std::uint8_t{0xAB});
  EXPECT_EQ(r.m.bus.get(r.m.at(kTarget + 0x20000), 0x1000), expected);
}

INSTANTIATE_TEST_SUITE_P(Bus, DmaModes, ::testing::Bool(),
                         [](const auto& bus) { return bus.param ? "Direct" : "Copying"; });

// The sync word 31 raises all flags, and any of them waits for the request.
TEST(Dma, SelectorThirtyOneRaisesEveryFlag) {
  for (const unsigned flag : {0u, 3u}) {
    X2Machine m;
    const auto words = pack_descriptor({{64, 64, 64, 0, 1}, {64, 64, 64, 0, 1}});
    for (unsigned i = 0; i < 6; ++i) m.bus.put32(kData + 4 * i, words[i]);
    m.bus.put32(kSource, 42);
    EXPECT_TRUE(m.run_body(constant("r4", kSource) +
                           "mov r7, 31\ndma 0, r7, 0, 4, 0, 1, 0, r0, r1, r4\nsub r7, zero, " +
                           std::to_string((1u << flag) + 1) + "\nwfe r7, 1\nld r5, [r1+0]\nst r5, [r0+64]\n"))
        << m.message();
    EXPECT_EQ(m.bus.get32(kData + 64), 42u);
  }
}

TEST(Dma, BusyBitsReadAsFinished) {
  X2Machine m;
  const auto words = pack_descriptor({{64, 64, 64, 0, 1}, {64, 64, 64, 0, 1}});
  for (unsigned i = 0; i < 6; ++i) m.bus.put32(kData + 4 * i, words[i]);
  EXPECT_TRUE(m.run_body(constant("r4", kSource) +
                         "dma 0, zero, 0, 4, 0, 1, 0, r0, r1, r4\nmfctrl0 r5, 0x30\n"
                         "st r5, [r0+64]\nld r6, [r1+0]\n"))
      << m.message();
  EXPECT_EQ(m.bus.get32(kData + 64), 0u);
}

TEST(DmaPlan, DescriptorsPackAndUnpack) {
  const DmaDescriptor d = {{65535, 0xFFFFFF, 0xFFFFFE, 0x123456, 255}, {1, 0x10002, 3, 4, 5}};
  const auto words = pack_descriptor(d);
  EXPECT_EQ(words[0], 0xFFFFFFFFu);
  EXPECT_EQ(words[1], 0xFFFFFFFEu);
  EXPECT_EQ(words[2], 0xFF123456u);
  EXPECT_EQ(words[3], 0x01000004u);
  EXPECT_EQ(words[4], 0x00010002u);
  EXPECT_EQ(words[5], 0x05000003u);
  const DmaDescriptor back = unpack_descriptor(words);
  EXPECT_EQ(pack_descriptor(back), words);
  EXPECT_EQ(back.external.stride, 0xFFFFFFu);
  EXPECT_EQ(back.internal.stride, 0x10002u);
}

std::string refusal(const DmaDescriptor& descriptor, unsigned mode = 0, unsigned int_space = 4,
                    unsigned ext_space = 0, unsigned unit = 0) {
  isa::Instruction insn;
  insn.op = isa::Op::kDma;
  insn.imm = static_cast<std::int32_t>(mode);
  insn.int_space = static_cast<std::uint8_t>(int_space);
  insn.ext_space = static_cast<std::uint8_t>(ext_space);
  insn.dir = 1;
  insn.data_unit = static_cast<std::uint8_t>(unit);
  DmaPlan plan;
  return make_plan(insn, descriptor, {part::kLsramBase, 0}, plan).message;
}

TEST(DmaPlan, RefusesWhatTheEngineCannotDo) {
  const DmaHalf good{32, 32, 64, 0, 1};
  EXPECT_EQ(refusal({good, good}), "");
  EXPECT_NE(refusal({good, good}, 4), "");
  EXPECT_NE(refusal({good, good}, 0, 5), "");
  EXPECT_NE(refusal({good, good}, 0, 4, 4), "");
  EXPECT_NE(refusal({good, good}, 0, 4, 8), "");
  EXPECT_NE(refusal({good, good}, 0, 4, 5), "");
  EXPECT_NE(refusal({good, good}, 0, 4, 0, 3), "");
  for (const DmaHalf& bad :
       {DmaHalf{0, 32, 64, 0, 1}, DmaHalf{32, 32, 0, 0, 1}, DmaHalf{16, 32, 64, 0, 1},
        DmaHalf{32, 32, 96, 0, 1}, DmaHalf{32, 32, 64, 0, 2}, DmaHalf{32, 32, 64, 0, 0}}) {
    EXPECT_NE(refusal({bad, good}), "");
    EXPECT_NE(refusal({good, bad}), "");
  }
  const DmaHalf strided{32, 64, 80, 0, 1};
  EXPECT_NE(refusal({strided, strided}).find("not a multiple of its width"), std::string::npos);
  EXPECT_NE(refusal({{6, 32, 0, 0, 1}, {6, 32, 0, 0, 1}}, 1, 4, 0, 2), "");  // 6 bytes are not whole words
  EXPECT_NE(refusal({{8, 32, 0, 0, 1}, {8, 32, 0, 0, 2}}, 1), "");
  EXPECT_NE(refusal({{8, 8, 20, 0, 1}, {8, 8, 20, 0, 1}}, 2), "");
  EXPECT_NE(refusal({{8, 8, 24, 0, 0}, {8, 8, 24, 0, 1}}, 2), "");
  EXPECT_NE(refusal({{}, {32, 64, 64, 0, 1}}, 3).find("contiguous"), std::string::npos);
  EXPECT_NE(refusal({{}, {32, 32, 64, 0, 0}}, 3), "");
}

TEST(Pattern, TouchesExactlyItsBytes) {
  std::mt19937 random(5);
  for (int round = 0; round < 3000; ++round) {
    const auto make = [&] {
      Pattern p;
      p.base = random() % 64;
      p.width = 1 + random() % 12;
      p.count = 1 + random() % 4;
      p.stride = p.width + random() % 10;
      p.outer = 1 + random() % 3;
      p.outer_stride = random() % 60;
      return p;
    };
    const auto bytes = [](const Pattern& p) {
      std::set<std::uint64_t> set;
      for (std::uint64_t o = 0; o < p.outer; ++o)
        for (std::uint64_t i = 0; i < p.count; ++i)
          for (std::uint64_t b = 0; b < p.width; ++b) set.insert(p.chunk(o, i) + b);
      return set;
    };
    const Pattern a = make(), b = make();
    const auto in_a = bytes(a), in_b = bytes(b);
    EXPECT_EQ(bytes(a.joined()), in_a);
    EXPECT_EQ(*in_a.rbegin() + 1, a.end());
    bool meet = false;
    for (const std::uint64_t byte : in_b) meet = meet || in_a.count(byte) != 0;
    EXPECT_EQ(a.touches(b), meet);
    EXPECT_EQ(a.joined().touches(b.joined()), meet);
    const std::uint64_t at = random() % 150, length = 1 + random() % 20;
    bool range = false;
    for (std::uint64_t i = 0; i < length; ++i) range = range || in_a.count(at + i) != 0;
    EXPECT_EQ(a.touches(at, length), range);
  }
}

}  // namespace
}  // namespace zynpu::vnpu
