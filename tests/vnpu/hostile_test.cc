// SPDX-License-Identifier: MIT
// Whatever stands in memory, the device stays inside its own: random programs, descriptors and chains. Worth
// most in a build with sanitizers.
#include <gtest/gtest.h>

#include "isa/bundle.h"
#include "isa/encode.h"
#include "isa/random_instruction.h"
#include "vnpu/x2_machine.h"

namespace zynpu::vnpu {
namespace {

using isa::testing::between;
using isa::testing::Random;

Options quick(bool diagnose) {
  return {.diagnose = diagnose, .rounding_half_up = false, .max_bundles_per_task = 2000, .timing = true};
}

// Legal bundles with random operands behind the usual prologue.
std::vector<std::uint8_t> random_text(Random& random, unsigned bundles) {
  auto bytes = isa::assemble(with_prologue("add r5, r5, 1\n"))->bytes;
  while (bundles != 0) {
    std::vector<isa::Instruction> list;
    for (int n = between(random, 1, 4); n != 0; --n)
      list.push_back(isa::testing::random_instruction(random, isa::testing::random_op(random)));
    const auto bundle = isa::pack(list);
    if (!bundle) continue;
    const auto words = isa::encode(*bundle);
    if (!words) continue;
    const auto* raw = reinterpret_cast<const std::uint8_t*>(words->data());
    bytes.insert(bytes.end(), raw, raw + 16);
    --bundles;
  }
  return bytes;
}

void run_for_a_while(X2Machine& m) {
  for (int slices = 0; slices < 50 && m.device->run(500); ++slices) {
  }
  m.device->write32(x2::kHandle, 3);
  EXPECT_FALSE(m.device->busy());
}

TEST(Hostile, RandomProgramsOnlyEverStop) {
  Random random(101);
  for (int round = 0; round < 200; ++round) {
    X2Machine m(quick(round % 2 == 0));
    m.bus.put(kText, random_text(random, 40));
    for (std::uint32_t i = 0; i < 0x400; i += 4) m.bus.put32(kData + i, static_cast<std::uint32_t>(random()));
    m.dispatch(m.write_chain({GroupSpec{.tasks = 4}}));
    run_for_a_while(m);
  }
}

// Straight-line arithmetic and memory code on addresses near the ends of every memory.
TEST(Hostile, AddressesAtEveryEdge) {
  Random random(103);
  constexpr std::uint32_t kEdges[] = {0,          0x1FFFE0,   0x200000,   0xBFFFFFE0, 0xC0000000, 0xF7FFFFE0,
                                      0xF8000000, 0xF803FFE0, 0xF8040000, 0xF9FFFFE0, 0xFA000000, 0xFA007FE0,
                                      0xFA008000, 0xFAFFFFE0, 0xFB000000, 0xFFFFFFE0};
  constexpr const char* kAccesses[] = {"ld t0, [r5+", "st t0, [r5+",  "ld r6, [r5+",
                                       "st r6, [r5+", "ldb r6, [r5+", "stb r6, [r5+"};
  for (const bool diagnose : {true, false})
    for (const std::uint32_t edge : kEdges)
      for (const char* access : kAccesses)
        for (const int offset : {0, 4, 28, 32}) {
          X2Machine m(quick(diagnose));
          m.load(with_prologue("mov r5, " + std::to_string(static_cast<std::int16_t>(edge)) + "\nmovh r5, " +
                               std::to_string(static_cast<std::int16_t>(edge >> 16)) + "\n" + access +
                               std::to_string(offset) + "]\n" + std::string(kEpilogue)));
          m.dispatch(m.write_chain({GroupSpec{}}));
          run_for_a_while(m);
        }
}

TEST(Hostile, RandomDmaRequests) {
  Random random(107);
  for (int round = 0; round < 1000; ++round) {
    X2Machine m(quick(round % 2 == 0));
    // Small numbers, so that some requests are legal.
    for (unsigned i = 0; i < 6; ++i) {
      const std::uint32_t small =
          static_cast<std::uint32_t>(random() % 80) << 16 | static_cast<std::uint32_t>(random() % 200);
      m.bus.put32(kData + 4 * i, random() % 3 == 0 ? static_cast<std::uint32_t>(random() & 0x01FF03FF)
                                                   : (i % 3 == 1 ? 1u << 24 | (small & 0xFFF) : small));
    }
    constexpr unsigned kSpacesTried[] = {0, 1, 4, 4, 8, 8, 2, 5};
    const auto space = [&] { return std::to_string(kSpacesTried[random() % 8]); };
    m.load(with_prologue("mov r4, " + std::to_string(random() % 0x7FFF) + "\nadd r4, r0, r4\ndma " +
                         std::to_string(random() % 4) + ", zero, 0, " + space() + ", " + space() + ", " +
                         std::to_string(random() % 2) + ", " + std::to_string(random() % 3) + ", r0, " +
                         (random() % 2 == 0 ? "r1" : "sdp") + ", r4\nwfe zero, 2\n" +
                         std::string(kEpilogue)));
    m.dispatch(m.write_chain({GroupSpec{}}));
    run_for_a_while(m);
  }
}

TEST(Hostile, RandomChains) {
  Random random(109);
  for (int round = 0; round < 600; ++round) {
    X2Machine m(quick(round % 2 == 0));
    m.load(with_prologue(std::string(kEpilogue)));
    const std::uint64_t head = m.write_chain({GroupSpec{.tasks = 2}, GroupSpec{.dependency = 2}});
    for (int n = between(random, 1, 4); n != 0; --n) {
      constexpr std::uint32_t kFields[] = {0, 4, 12, 16, 20, 24, 28, 32, 48, 52, 108};
      const std::uint32_t at =
          static_cast<std::uint32_t>(random() % 6) * 128 + kFields[random() % std::size(kFields)];
      const std::uint32_t values[] = {static_cast<std::uint32_t>(random()),
                                      static_cast<std::uint32_t>(random() % 512),
                                      kTcbs + static_cast<std::uint32_t>(random() % 8) * 128,
                                      m.bus.get32(head + at) ^ 1u << (random() % 32)};
      m.bus.put32(head + at, values[random() % 4]);
    }
    m.dispatch(head);
    run_for_a_while(m);
  }
}

TEST(Hostile, RandomRegisterTraffic) {
  Random random(113);
  for (const char* name : {"z1", "z2", "x2"}) {
    TestBus bus;
    bus.map(0, 0x10000);
    auto device = Device::create(*part::find(name), bus, quick(true)).value();
    for (int n = 0; n < 20000; ++n) {
      const std::uint32_t offset =
          static_cast<std::uint32_t>(random() % (random() % 2 == 0 ? 0x100 : 0x1000)) & ~3u;
      if (random() % 2 == 0)
        device->write32(offset, random() % 2 == 0 ? static_cast<std::uint32_t>(random() % 64)
                                                  : static_cast<std::uint32_t>(random()));
      else
        device->read32(offset);
      if (random() % 16 == 0) device->run(100);
    }
  }
}

}  // namespace
}  // namespace zynpu::vnpu
