// SPDX-License-Identifier: MIT
// Z1 and Z2 registers field by field (host-interface.md 1.1, 1.2, 9) and programs in the virtual profile.
#include <gtest/gtest.h>

#include "isa/asm.h"
#include "part/registers_z.h"
#include "vnpu/device.h"
#include "vnpu/test_bus.h"

namespace zynpu::vnpu {
namespace {

namespace z = part::z;

constexpr std::uint32_t kText = 0x10000, kData = 0x100000;
constexpr std::uint64_t kBase = 0x500000000;  // of ASE0 on Z2

const std::string kFlush = "\nmfctrl0 r2, 0x82\norl r2, r2, 4\nmtctrl0 r2, 0x82\nexit\n";

class Flat : public ::testing::TestWithParam<const char*> {
 protected:
  Flat() : z2(std::string_view(GetParam()) == "z2"), base(z2 ? kBase : 0) {
    bus.map(base, 0x200000);
    device = make({});
  }
  std::unique_ptr<Device> make(const Options& options) {
    return Device::create(*part::find(GetParam()), bus, options).value();
  }

  void load(std::string_view text) {
    const auto program = isa::assemble(text);
    ASSERT_TRUE(program) << program.error().message;
    bus.put(base + kText, program->bytes);
  }
  void set_ase(unsigned n, std::uint32_t control, std::uint64_t to) {
    device->write32(z::kAseCtrl + n * z::kAseStride, control);
    device->write32(z::kAseBaseHigh + n * z::kAseStride, static_cast<std::uint32_t>(to >> 32));
    device->write32(z::kAseBaseLow + n * z::kAseStride, static_cast<std::uint32_t>(to));
  }
  void start(std::uint32_t nibble = 0xD) {
    device->write32(z::kDataAddr0, kData);
    device->write32(z::kDataAddr1, kData + 0x1000);
    device->write32(z::kIntrPc, kText + 0x10);
    if (z2)
      for (unsigned n = 0; n < 3; ++n) set_ase(n, n == 1 ? 0x80000000 : 0xC0000000, base);
    device->write32(z::kStartPc, kText | nibble);
  }

  const bool z2;
  const std::uint64_t base;
  TestBus bus;
  std::unique_ptr<Device> device;
};

TEST_P(Flat, IdentifiesItself) {
  EXPECT_EQ(device->read32(z::kRevisionId), z2 ? 0x100u : 0u);
  EXPECT_EQ(device->read32(z::kIsaVersion), z2 ? 1u : 0u);
  EXPECT_EQ(device->read32(z::kTpcFeature), z2 ? 0x00010104u : 0x00010101u);
  EXPECT_EQ(device->read32(z::kHwaFeature), z2 ? 0x00010113u : 0x00010111u);
  // The configuration number as drivers compute it.
  const std::uint32_t low = device->read32(z::kTpcFeature) & 0x1F;
  const std::uint32_t high = (device->read32(z::kHwaFeature) & 0xF) + (z2 ? 8 : 6);
  EXPECT_EQ(100 * high + low, z2 ? 1104u : 701u);
  EXPECT_EQ(device->read32(z::kMemHierarchy), 0x170u);
  EXPECT_EQ(device->read32(z::kLocalSramFeature), 0x312u);
  EXPECT_EQ(device->read32(z::kGlobalSramFeature), 0x10u);
  EXPECT_EQ(device->read32(z::kInstCacheFeature), 0x233u);
  EXPECT_EQ(device->read32(z::kDataCacheFeature), 0x70030u);
}

TEST_P(Flat, EveryRegisterHasItsResetValueAndAccess) {
  const std::span<const part::Register> table = z2 ? std::span<const part::Register>(z::kZ2Registers)
                                                   : std::span<const part::Register>(z::kZ1Registers);
  for (const part::Register& row : table) EXPECT_EQ(device->read32(row.offset), row.reset) << row.name;
  for (const part::Register& row : table) {
    if (row.offset == z::kStat || row.offset == z::kStartPc) continue;
    device->write32(row.offset, 0xFFFFFFFF);
    EXPECT_EQ(device->read32(row.offset), row.access == part::Access::kReadOnly ? row.reset : 0xFFFFFFFFu)
        << row.name;
  }
  device->reset();
  for (const part::Register& row : table) EXPECT_EQ(device->read32(row.offset), row.reset) << row.name;
}

TEST_P(Flat, OffsetsWithoutARegisterReadZeroAndIgnoreWrites) {
  const std::span<const part::Register> table = z2 ? std::span<const part::Register>(z::kZ2Registers)
                                                   : std::span<const part::Register>(z::kZ1Registers);
  for (std::uint32_t offset = 0; offset < device->register_bytes(); offset += 4) {
    if (part::find_register(table, offset) != nullptr) continue;
    device->write32(offset, 0xFFFFFFFF);
    EXPECT_EQ(device->read32(offset), 0u) << std::hex << offset;
  }
}

TEST_P(Flat, StatClearsWhatIsWrittenAndNothingElse) {
  load("exit\n");
  start();
  device->run();
  EXPECT_EQ(device->read32(z::kStat), 0x70003u);
  device->write32(z::kStat, 0x70000);
  EXPECT_EQ(device->read32(z::kStat), 0x70003u);
  device->write32(z::kStat, z::kQempty);
  EXPECT_EQ(device->read32(z::kStat), 0x70002u);
  device->write32(z::kStat, 0xFFFFFFFC);
  EXPECT_EQ(device->read32(z::kStat), 0x70002u);
  device->write32(z::kStat, z::kDone);
  EXPECT_EQ(device->read32(z::kStat), 0x70000u);
}

TEST_P(Flat, CtrlGatesTheLineNotTheCause) {
  load("exit\n");
  start();
  device->run();
  EXPECT_FALSE(bus.irq);
  EXPECT_EQ(device->read32(z::kStat) & z::kDone, z::kDone);
  device->write32(z::kCtrl, z::kException);
  EXPECT_FALSE(bus.irq);
  device->write32(z::kCtrl, z::kDone);
  EXPECT_TRUE(bus.irq);
  device->write32(z::kCtrl, 0);
  EXPECT_FALSE(bus.irq);
  device->write32(z::kCtrl, 0x7);
  EXPECT_TRUE(bus.irq);
  device->write32(z::kStat, z::kDone);
  EXPECT_TRUE(bus.irq);  // queue empty is still pending
  device->write32(z::kStat, z::kQempty);
  EXPECT_FALSE(bus.irq);
}

TEST_P(Flat, StartBitClearsItselfAndIdleBitsDrop) {
  load("exit\n");
  start();
  EXPECT_EQ(device->read32(z::kStartPc), kText | 0xC);
  EXPECT_EQ(device->read32(z::kStat), 0u);
  EXPECT_TRUE(device->busy());
  EXPECT_FALSE(device->run());
  EXPECT_FALSE(device->busy());
  EXPECT_EQ(device->read32(z::kStat), 0x70003u);
}

TEST_P(Flat, LowNibbleZeroOnlyLoads) {
  load("exit\n");
  start(0);
  EXPECT_EQ(device->read32(z::kStartPc), kText);
  EXPECT_FALSE(device->busy());
  // The deferred trigger: read, or in 0xD, write.
  device->write32(z::kStartPc, (device->read32(z::kStartPc) & 0xFFFFFFF0) | 0xD);
  EXPECT_TRUE(device->busy());
  device->run();
  EXPECT_EQ(device->read32(z::kStat) & z::kDone, z::kDone);
}

TEST_P(Flat, EveryTecStartsWithItsIndexAndBothParameters) {
  load(
      "mfctrl0 r4, 0x14\nmfctrl0 r5, 0x15\nmfctrl0 r6, 0\nmov r7, 16\n{ lsr r8, r6, r7 }\nmov r9, 6\n{ lsl "
      "r9, r8, r9 }\n"
      "add r4, r4, r9\nst r5, [r4+0]\nst r6, [r4+4]\nst r8, [r4+8]" +
      kFlush);
  start();
  device->run();
  EXPECT_EQ(device->diagnostic().message, "");
  for (std::uint32_t tec = 0; tec < (z2 ? 4u : 1u); ++tec) {
    EXPECT_EQ(bus.get32(base + kData + 64 * tec), kData + 0x1000);
    EXPECT_EQ(bus.get32(base + kData + 64 * tec + 4), tec << 16 | 0x100 | tec);
    EXPECT_EQ(bus.get32(base + kData + 64 * tec + 8), tec);
  }
  EXPECT_EQ(device->tasks().size(), z2 ? 4u : 1u);
}

TEST_P(Flat, AnExceptionRaisesExcepWithItsVector) {
  load("add t0.w, t1.w, t2.w\nexit\n");
  device->write32(z::kCtrl, 0xF);
  start();
  device->run();
  EXPECT_EQ(device->read32(z::kStat), 0x70000u | z::kException);
  EXPECT_TRUE(bus.irq);
  if (!z2) {
    EXPECT_EQ(device->read32(z::kIntrCause), 3u);
    EXPECT_EQ(device->read32(z::kIntrBackupPc), kText);
  } else {
    EXPECT_EQ(device->read32(z::kDataAddr3), 0u);  // the same offset is a parameter there
  }
  EXPECT_NE(device->diagnostic().message.find("exception 3"), std::string::npos);
  // The next program runs without any reset.
  device->write32(z::kStat, z::kException);
  load("exit\n");
  start();
  device->run();
  EXPECT_EQ(device->read32(z::kStat), 0x70003u);
  EXPECT_EQ(device->diagnostic().message, "");
}

TEST_P(Flat, UnknownCodeIsVectorOne) {
  load(".bundle 0x12345678, 0x400c7fff, 0x400c7fff, 0xc00c7fff\n");
  start();
  device->run();
  EXPECT_EQ(device->read32(z::kStat) & 0xF, z::kException);
  if (!z2) {
    EXPECT_EQ(device->read32(z::kIntrCause), 1u);
  }
}

TEST_P(Flat, DiagnosedMisuseRaisesExcep) {
  load("mov r4, 1\nmovh r4, -1536\nld r5, [r4+0]\nexit\n");
  start();
  device->run();
  EXPECT_EQ(device->read32(z::kStat) & 0xF, z::kException);
  if (!z2) {
    EXPECT_EQ(device->read32(z::kIntrCause), 0x100u);
  }
}

TEST_P(Flat, AccessesOutsideMemoryRaiseFaultOnZ2) {
  load("mov r4, 0\nmovh r4, 0x1000\nld r5, [r4+0]\nexit\n");
  start();
  device->run();
  EXPECT_EQ(device->read32(z::kStat) & 0xF, z2 ? z::kFault : z::kException);
  if (!z2) {
    EXPECT_EQ(device->read32(z::kIntrCause), 0x101u);
  }
}

TEST_P(Flat, SecondStartWhileBusyIsIgnoredAndDiagnosed) {
  load("mfctrl0 r4, 0x14\nst r4, [r4+0]" + kFlush);
  start();
  device->write32(z::kStartPc, 0x50000 | 0xD);
  EXPECT_NE(device->diagnostic().message.find("START_PC"), std::string::npos);
  device->run();
  EXPECT_EQ(bus.get32(base + kData), kData);
}

TEST_P(Flat, RunsInSlices) {
  load("mov r4, 1000\nagain: sub r4, r4, 1\ncbnz r4, again\nexit\n");
  start();
  int slices = 1;
  while (device->run(100)) {
    EXPECT_EQ(device->read32(z::kStat), 0u);
    ++slices;
  }
  EXPECT_EQ(device->counters().bundles, (z2 ? 4u : 1u) * 2002u);
  EXPECT_GE(slices, z2 ? 80 : 20);
}

TEST_P(Flat, ResetDropsTheRunningProgramAndPoisonsSrams) {
  load(
      "mov r4, 0\nmovh r4, -1536\nmov r5, 1\nst r5, [r4+0]\nmov r6, 1000\nagain: sub r6, r6, 1\ncbnz r6, "
      "again\nexit\n");
  start();
  device->run(50);
  device->reset();
  EXPECT_FALSE(device->busy());
  EXPECT_EQ(device->read32(z::kStat), 0x70000u);
  EXPECT_EQ(device->read32(z::kStartPc), 0u);
  load("mfctrl0 r6, 0x14\nmov r4, 0\nmovh r4, -1536\nld r5, [r4+0]\nst r5, [r6+0]" + kFlush);
  if (!z2) {
    start();
    device->run();
    EXPECT_EQ(bus.get32(kData), 0xA5A5A5A5u);
  }
}

TEST_P(Flat, ReplacedTextRunsAtTheNextStart) {
  for (const unsigned value : {1u, 2u, 3u}) {
    load("mfctrl0 r4, 0x14\nmfctrl0 r6, 0\nmov r5, " + std::to_string(value) +
         "\nmov r7, 10\n{ lsr r6, r6, r7 }\nadd r4, r4, r6\n"
         "st r5, [r4+0]" +
         kFlush);
    start();
    device->run();
    ASSERT_EQ(device->diagnostic().message, "");
    EXPECT_EQ(bus.get32(base + kData), value);
  }
}

INSTANTIATE_TEST_SUITE_P(Parts, Flat, ::testing::Values("z1", "z2"),
                         [](const auto& name) { return std::string(name.param); });

class Z2 : public Flat {
 protected:
  // One access through a window of its own.
  std::uint32_t stat_after(const std::string& code, std::uint32_t control) {
    load(code + kFlush);
    device->write32(z::kDataAddr0, kData);
    set_ase(0, control, base);
    device->write32(z::kStartPc, kText | 0xD);
    device->run();
    const std::uint32_t stat = device->read32(z::kStat) & 0xF;
    device->write32(z::kStat, 0xF);
    return stat;
  }
};

TEST_P(Z2, EnablesAndSizeCodesOfAseGuardEveryAccess) {
  // Every TEC does the same, so the store goes to a line of its own: DATA_ADDR_0 + 64 * TEC.
  const std::string line =
      "mfctrl0 r4, 0x14\nmfctrl0 r6, 0\nmov r7, 10\n{ lsr r6, r6, r7 }\nadd r4, r4, r6\n";
  EXPECT_EQ(stat_after(line + "st r4, [r4+0]", 0xC0000000), z::kDone | z::kQempty);
  EXPECT_EQ(stat_after(line + "st r4, [r4+0]", 0x80000000), z::kFault);
  EXPECT_EQ(stat_after(line + "ld r5, [r4+0]", 0x80000000), z::kDone | z::kQempty);
  EXPECT_EQ(stat_after(line + "ld r5, [r4+0]", 0x40000000), z::kFault);  // the fetch already
  // 4 KiB << (code - 1): 1 MiB ends below the data, 2 MiB holds it.
  EXPECT_EQ(stat_after(line + "ld r5, [r4+0]", 0xC0000000 | 9), z::kFault);
  EXPECT_EQ(stat_after(line + "ld r5, [r4+0]", 0xC0000000 | 10), z::kDone | z::kQempty);
}

TEST_P(Z2, AddressesAreAddedToTheBase) {
  bus.map(0x900000000, 0x200000);
  load("mfctrl0 r4, 0x14\nmfctrl0 r6, 0\nmov r7, 10\n{ lsr r6, r6, r7 }\nadd r4, r4, r6\nst r4, [r4+0]" +
       kFlush);
  bus.put(0x900000000 + kText, bus.get(base + kText, 0x1000));
  device->write32(z::kDataAddr0, kData);
  set_ase(0, 0xC0000000, 0x900000000);
  device->write32(z::kStartPc, kText | 0xD);
  device->run();
  EXPECT_EQ(bus.get32(0x900000000 + kData), kData);
  EXPECT_EQ(bus.get32(base + kData), 0u);
}

// Words in GSRAM with one writer each (docs/virtual-profile.md): TEC 0 waits for all, then lets all go on.
TEST_P(Z2, TecsMeetThroughGsram) {
  const std::string barrier =
      "mov r10, 0\nmovh r10, -2048\nmfctrl0 r11, 0\nmov r12, 14\n{ lsr r12, r11, r12 }\nadd r12, r12, r10\n"
      "mfctrl0 r20, 0x14\nmov r21, 10\n{ lsr r21, r11, r21 }\nadd r20, r20, r21\n"
      // Clear the own word, then give the others time to clear theirs.
      "st zero, [r12+0]\nmov r13, 3000\nsettle: sub r13, r13, 1\ncbnz r13, settle\n"
      "mov r14, 1\nmov r5, 0\n"
      "round: st r14, [r12+0]\n"
      "wait0: ld r15, [r10+0]\n{ cmp.lt r15, r15, r14 }\ncbnz r15, wait0\n"
      "wait1: ld r15, [r10+4]\n{ cmp.lt r15, r15, r14 }\ncbnz r15, wait1\n"
      "wait2: ld r15, [r10+8]\n{ cmp.lt r15, r15, r14 }\ncbnz r15, wait2\n"
      "wait3: ld r15, [r10+12]\n{ cmp.lt r15, r15, r14 }\ncbnz r15, wait3\n"
      "add r14, r14, 1\nsub r16, r14, 20\ncbnz r16, round\n"
      "st r14, [r20+0]";
  load(barrier + kFlush);
  start();
  device->run();
  EXPECT_EQ(device->diagnostic().message, "");
  for (unsigned tec = 0; tec < 4; ++tec) EXPECT_EQ(bus.get32(base + kData + 64 * tec), 20u);
  // Polling costs time, not for ever: all TECs end within a few rounds of each other.
  std::uint64_t first = ~std::uint64_t{0}, last = 0;
  for (const TaskRecord& task : device->tasks()) {
    first = std::min(first, task.end_cycle);
    last = std::max(last, task.end_cycle);
  }
  EXPECT_LT(last - first, 5000u);
}

INSTANTIATE_TEST_SUITE_P(Parts, Z2, ::testing::Values("z2"));

}  // namespace
}  // namespace zynpu::vnpu
