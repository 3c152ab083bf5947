// SPDX-License-Identifier: MIT
// Scalar code, vectors, loops and DMA together, end to end.
#include <gtest/gtest.h>

#include "vnpu/dma_plan.h"
#include "vnpu/x2_machine.h"

namespace zynpu::vnpu {
namespace {

TEST(Basics, CountsDownAndStores) {
  X2Machine m;
  ASSERT_TRUE(
      m.run_body("mov r4, 10\nmov r5, 0\nagain: { add r5, r5, r4 ; sub r4, r4, 1 }\ncbnz r4, again\n"
                 "st r5, [r0+0]\n"))
      << m.message();
  EXPECT_EQ(m.bus.get32(kData), 55u);
}

TEST(Basics, HardwareLoopRunsOneMoreThanItsRegister) {
  X2Machine m;
  ASSERT_TRUE(m.run_body("mov r4, 6\nmov r5, 0\nloop r4\nadd r5, r5, 3\nloopend\nst r5, [r0+0]\n"))
      << m.message();
  EXPECT_EQ(m.bus.get32(kData), 21u);
}

TEST(Basics, ReadsComeBeforeWritesInABundle) {
  X2Machine m;
  ASSERT_TRUE(
      m.run_body("mov r4, 1\nmov r5, 2\n{ add r4, r5, 0 ; add r5, r4, 0 }\nst r4, [r0+0]\nst r5, [r0+4]\n"))
      << m.message();
  EXPECT_EQ(m.bus.get32(kData), 2u);
  EXPECT_EQ(m.bus.get32(kData + 4), 1u);
}

TEST(Basics, StoreBesideALoadOfItsRegisterStoresTheOldValue) {
  X2Machine m;
  ASSERT_TRUE(
      m.run_body("mov4 t1, 1\nst t1, [r1+0]\nmov4 t1, 2\n{ st t1, [r1+32] ; ld t1, [r1+0] }\n"
                 "st t1, [r1+64]\nld r4, [r1+32]\nld r5, [r1+64]\nst r4, [r0+0]\nst r5, [r0+4]\n"))
      << m.message();
  EXPECT_EQ(m.bus.get32(kData), 0x02020202u);
  EXPECT_EQ(m.bus.get32(kData + 4), 0x01010101u);
}

TEST(Basics, DmaBringsDataInAndOut) {
  for (const bool direct : {true, false}) {
    X2Machine m({}, 0x780000000, direct);
    for (unsigned i = 0; i < 64; ++i) m.bus.put32(m.at(kData + 0x1000 + 4 * i), i * 0x01010101);
    const DmaHalf half{.width = 256, .stride = 256, .size = 256, .gap = 0, .repeat = 1};
    const auto words = pack_descriptor({half, half});
    for (unsigned i = 0; i < 6; ++i) m.bus.put32(m.at(kData + 4 * i), words[i]);
    ASSERT_TRUE(
        m.run_body("mov r4, 0x1000\nadd r4, r0, r4\n"
                   "dma 0, zero, 0, 4, 0, 1, 0, r0, r1, r4\n"
                   "sub r7, zero, 2\nwfe r7, 1\n"
                   "ld t0, [r1+32]\nadd t0.b, t0.b, t0.b\nst t0, [r1+32]\n"
                   "mov r4, 0x2000\nadd r4, r0, r4\nmov r6, 0x101\n"
                   "dma 0, r6, 0, 4, 0, 0, 0, r0, r1, r4\n"
                   "wfe zero, 2\n"))
        << m.message();
    EXPECT_EQ(m.bus.get32(m.at(kData + 0x2000 + 4)), 0x01010101u);
    EXPECT_EQ(m.bus.get32(m.at(kData + 0x2000 + 36)), 0x12121212u);
  }
}

TEST(Basics, FourTasksSeeTheirIndex) {
  X2Machine m;
  m.load(with_prologue("lsl r21, r20, 3\nmov r4, 8\nmul r4, r21, r4\nadd r4, r0, r4\nst r20, [r4+0]\n" +
                       std::string(kEpilogue)));
  ASSERT_TRUE(m.run({GroupSpec{.tasks = 4}})) << m.message();
  for (unsigned t = 0; t < 4; ++t) EXPECT_EQ(m.bus.get32(kData + 64 * t), t);
}

}  // namespace
}  // namespace zynpu::vnpu
