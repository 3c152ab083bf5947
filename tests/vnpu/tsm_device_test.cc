// SPDX-License-Identifier: MIT
// X2's registers field by field (host-interface.md 1.5, 2.8 - 2.11) and the walk through TCB chains.
#include <gtest/gtest.h>

#include "vnpu/x2_machine.h"

namespace zynpu::vnpu {
namespace {

constexpr std::uint32_t kPool = x2::kPoolBase;
constexpr std::uint32_t pool(unsigned n, std::uint32_t offset) {
  return kPool + n * x2::kPoolStride + offset;
}

std::unique_ptr<Device> fresh(TestBus& bus) { return Device::create(*part::find("x2"), bus).value(); }

std::string task(std::string_view body) { return with_prologue(std::string(body) + std::string(kEpilogue)); }

// Stores its task's group number plus one where nobody else stores: at kData + 4 KiB * value of r5.
std::string mark(unsigned value, unsigned line) {
  return task("mov r5, " + std::to_string(value) + "\nmov r6, " + std::to_string(64 * line) +
              "\nadd r6, r0, r6\nst r5, [r6+0]\n");
}

TEST(Tsm, ResetValues) {
  TestBus bus;
  auto d = fresh(bus);
  for (const part::Register& row : x2::kTsmRegisters) EXPECT_EQ(d->read32(row.offset), row.reset) << row.name;
  for (unsigned n = 0; n < x2::kPools; ++n)
    for (const part::Register& row : x2::kPoolRegisters)
      EXPECT_EQ(d->read32(pool(n, row.offset)), row.reset) << row.name;
  for (const part::Register& row : x2::kClusterRegisters)
    EXPECT_EQ(d->read32(x2::kClusterBase + row.offset), row.reset) << row.name;
  for (unsigned n = 1; n < 8; ++n) EXPECT_EQ(d->read32(x2::kClusterBase + n * x2::kClusterStride), 0u);
}

TEST(Tsm, WritableBitsKeepWhatIsWritten) {
  TestBus bus;
  auto d = fresh(bus);
  const auto check = [&](std::uint32_t base, std::span<const part::Register> table,
                         std::initializer_list<std::uint32_t> except) {
    for (const part::Register& row : table) {
      if (std::find(except.begin(), except.end(), base + row.offset) != except.end()) continue;
      const std::uint32_t before = d->read32(base + row.offset);
      d->write32(base + row.offset, 0xFFFFFFFF);
      const bool keeps = row.access == part::Access::kReadWrite;
      EXPECT_EQ(d->read32(base + row.offset), keeps ? row.writable : before) << row.name;
    }
  };
  // Those with side effects have tests of their own.
  check(0, x2::kTsmRegisters, {x2::kHandle, x2::kTsmStatus, x2::kSoftReset});
  check(kPool, x2::kPoolRegisters, {});
  check(x2::kClusterBase, x2::kClusterRegisters, {});
  check(0, std::span(x2::kDebugRegisters).first(1), {});
}

TEST(Tsm, DebugWindowOpensForAnExistingCore) {
  TestBus bus;
  auto d = fresh(bus);
  const auto values = [&] {
    return std::vector<std::uint32_t>{d->read32(x2::kClusterStatus), d->read32(x2::kGmControl),
                                      d->read32(x2::kLocalFeature), d->read32(x2::kSharedFeature),
                                      d->read32(x2::kCoreStatus)};
  };
  const std::vector<std::uint32_t> closed(5, 0), open = {0x60, 3u << 16, 1, 4, 0x10};
  EXPECT_EQ(values(), closed);
  for (const unsigned core : {0u, 1u, 2u}) {
    d->write32(x2::kPageSelect, x2::kPageEnable | core);
    EXPECT_EQ(values(), open);
  }
  d->write32(x2::kPageSelect, x2::kPageEnable | 3);
  EXPECT_EQ(values(), closed);
  d->write32(x2::kPageSelect, x2::kPageEnable | 1 << 4);
  EXPECT_EQ(values(), closed);
  d->write32(x2::kPageSelect, 0);
  EXPECT_EQ(values(), closed);
}

TEST(Tsm, RefusedCommandsSetTheStatusBitUntilItIsWrittenBack) {
  TestBus bus;
  auto d = fresh(bus);
  const auto refused = [&](std::uint32_t handle) {
    d->write32(x2::kHandle, handle);
    const std::uint32_t status = d->read32(x2::kTsmStatus);
    d->write32(x2::kTsmStatus, status);  // with the bit still set: stays
    EXPECT_EQ(d->read32(x2::kTsmStatus), status);
    d->write32(x2::kTsmStatus, status & ~x2::kRefused);
    EXPECT_EQ(d->read32(x2::kTsmStatus), 0u);
    return (status & x2::kRefused) != 0;
  };
  EXPECT_TRUE(refused(1 | 1 << 12)) << "create with no cluster enabled";
  d->write32(x2::kClusterBase + x2::kClusterControl, 0x1314);
  EXPECT_TRUE(refused(4)) << "dispatch into a pool that does not exist";
  EXPECT_FALSE(refused(1 | 1 << 12));
  EXPECT_TRUE(refused(1 | 1 << 12)) << "create twice";
  EXPECT_TRUE(refused(4)) << "dispatch without a head";
  EXPECT_TRUE(refused(9)) << "unknown command";
  EXPECT_TRUE(refused(1 | 9 << 16)) << "pool that is not there";
  d->write32(x2::kAddrLow, 0);
  EXPECT_TRUE(refused(4)) << "head at 0";
  d->write32(x2::kAddrLow, kTcbs);
  EXPECT_TRUE(refused(5 | 3 << 24)) << "bind to a core that is not there";
  EXPECT_FALSE(refused(2));
  EXPECT_FALSE(refused(0));
}

TEST(Tsm, PoolIsIdleExceptBetweenCreateAndDestroy) {
  TestBus bus;
  auto d = fresh(bus);
  d->write32(x2::kClusterBase + x2::kClusterControl, 0x1314);
  EXPECT_EQ(d->read32(pool(3, x2::kPoolStatus)), x2::kPoolIdle);
  d->write32(x2::kHandle, 1 | 3 << 16);
  EXPECT_EQ(d->read32(pool(3, x2::kPoolStatus)), 0u);
  EXPECT_EQ(d->read32(pool(0, x2::kPoolStatus)), x2::kPoolIdle);
  d->write32(x2::kHandle, 2 | 3 << 16);
  EXPECT_EQ(d->read32(pool(3, x2::kPoolStatus)), x2::kPoolIdle);
}

TEST(Tsm, SoftResetForgetsConfigurationAndWork) {
  X2Machine m;
  m.load(mark(1, 0));
  m.dispatch(m.write_chain({GroupSpec{}}));
  EXPECT_TRUE(m.device->busy());
  m.device->write32(x2::kSoftReset, 1);
  EXPECT_EQ(m.device->read32(x2::kSoftReset), 2u);
  EXPECT_FALSE(m.device->busy());
  EXPECT_EQ(m.device->read32(x2::kClusterBase + x2::kClusterControl), 0u);
  EXPECT_EQ(m.device->read32(pool(0, x2::kPoolIntrCtrl)), 0u);
  EXPECT_EQ(m.device->read32(pool(0, x2::kPoolStatus)), x2::kPoolIdle);
  m.device->run();
  EXPECT_EQ(m.bus.get32(kData), 0u);
}

TEST(Tsm, TickCountsModelledCyclesWhileItRuns) {
  X2Machine m;
  EXPECT_TRUE(m.run_body("add r5, r5, 1\n"));
  EXPECT_EQ(m.device->read32(x2::kTickLow), 0u);  // stopped
  m.device->write32(x2::kTickCtrl, 0);
  EXPECT_TRUE(m.run_body("add r5, r5, 1\n"));
  const std::uint32_t once = m.device->read32(x2::kTickLow);
  EXPECT_GT(once, 1000u);
  EXPECT_TRUE(m.run_body("add r5, r5, 1\n"));
  EXPECT_EQ(m.device->read32(x2::kTickLow), 2 * once);
  EXPECT_EQ(m.device->read32(x2::kTickHigh), 0u);
  m.device->write32(x2::kTickCtrl, 3);
  EXPECT_EQ(m.device->read32(x2::kTickLow), 0u);
}

TEST(Tsm, ReportsDoneAtTheLevelsTheTcbsEnable) {
  struct Case {
    std::uint32_t tcb, pool, flags, expected;
  };
  // A grid's end reports at cluster level, a group's at core level, a task's at TEC level.
  for (const Case& c :
       {Case{0x73D, 0x73D, 0x41, 0x301}, Case{0x73D, 0x63D, 0x41, 0x201}, Case{0x73D, 0x63D, 0xC1, 0x601},
        Case{0x63D, 0x73D, 0x41, 0x201}, Case{0x43D, 0x73D, 0xC1, 0x401}, Case{0x73D, 0x23D, 0xC1, 0x201}}) {
    X2Machine m;
    m.load(task(""));
    m.device->write32(pool(0, x2::kPoolIntrCtrl), c.pool);
    const std::uint64_t head = m.write_chain({GroupSpec{}});
    m.bus.put32(m.last_tcb, c.flags);
    m.bus.put32(m.last_tcb + 16, c.tcb);
    m.dispatch(head);
    m.device->run();
    EXPECT_EQ(m.message(), "");
    EXPECT_EQ(m.device->read32(pool(0, x2::kPoolIntrStatus)), c.expected);
    EXPECT_TRUE(m.bus.irq);
  }
}

TEST(Tsm, DisabledInterruptsStillSetStatus) {
  X2Machine m;
  m.load(task(""));
  m.device->write32(pool(0, x2::kPoolIntrCtrl), 0);
  m.dispatch(m.write_chain({GroupSpec{}}));
  m.device->run();
  EXPECT_FALSE(m.bus.irq);
  EXPECT_EQ(m.device->read32(pool(0, x2::kPoolIntrStatus)), 0u);
  EXPECT_EQ(m.device->read32(pool(0, x2::kPoolStatus)), x2::kDone);
  EXPECT_EQ(m.device->read32(pool(0, x2::kPoolIntrTcb)), m.last_tcb);
}

TEST(Tsm, InterruptsQueueUpUntilEachIsCleared) {
  X2Machine m;
  m.load(task(""));
  m.device->write32(pool(0, x2::kPoolIntrCtrl), 0x63D);
  m.dispatch(m.write_chain({GroupSpec{}, GroupSpec{.dependency = 2}, GroupSpec{.tasks = 2}}));
  m.device->run();
  const std::uint32_t first = kTcbs + 3 * 128;
  const std::uint32_t tcbs[] = {first, first + 128, first + 3 * 128};
  const unsigned cores[] = {0, 0, 1};  // the third group does not wait for the second
  for (unsigned i = 0; i < 3; ++i) {
    EXPECT_EQ(m.device->read32(pool(0, x2::kPoolIntrStatus)),
              0x201u | cores[i] << 20 | (i == 2 ? 1u << 16 : 0u));
    EXPECT_EQ(m.device->read32(pool(0, x2::kPoolIntrTcb)), tcbs[i]);
    EXPECT_TRUE(m.bus.irq);
    m.device->write32(pool(0, x2::kPoolStatus), x2::kDone);
  }
  EXPECT_FALSE(m.bus.irq);
  EXPECT_EQ(m.device->read32(pool(0, x2::kPoolIntrStatus)), 0u);
}

TEST(Tsm, FaultComesWithDoneAndGoesWhenBothAreCleared) {
  X2Machine m;
  m.load(with_prologue("mov r5, 0\nmovh r5, 0x40\nld r6, [r5+0]\n"));
  m.dispatch(m.write_chain({GroupSpec{.tasks = 2}}), 0xBEEF);
  m.device->run();
  EXPECT_EQ(m.device->read32(pool(0, x2::kPoolIntrStatus)) & x2::kTypes, x2::kFault | x2::kDone);
  EXPECT_EQ(m.device->read32(pool(0, x2::kPoolFirstBad)), 0x8000BEEFu);
  m.device->write32(pool(0, x2::kPoolFirstBad), 0);
  EXPECT_EQ(m.device->read32(pool(0, x2::kPoolFirstBad)), 0u);
  m.device->write32(pool(0, x2::kPoolStatus), x2::kFault);
  EXPECT_TRUE(m.bus.irq);
  m.device->write32(pool(0, x2::kPoolStatus), x2::kDone);
  EXPECT_FALSE(m.bus.irq);
  // The pool takes nothing more until it is made anew.
  m.dispatch(m.write_chain({GroupSpec{}}));
  EXPECT_EQ(m.device->read32(x2::kTsmStatus), x2::kRefused);
  m.device->write32(x2::kTsmStatus, 0);
  m.device->write32(x2::kHandle, 3);
  EXPECT_EQ(m.device->read32(pool(0, x2::kPoolStatus)), x2::kPoolIdle);
  m.load(mark(9, 0));
  EXPECT_TRUE(m.run({GroupSpec{}})) << m.message();
  EXPECT_EQ(m.bus.get32(kData), 9u);
}

TEST(Tsm, ExceptionNamesTheTaskThatRaisedIt) {
  X2Machine m;
  m.load(with_prologue("sub r5, r20, 2\ncbnz r5, fine\nwfe r0, 7\nfine: add r5, r5, 0\n" +
                       std::string(kEpilogue)));
  m.device->write32(pool(0, x2::kPoolIntrCtrl), 0x63D);
  m.dispatch(m.write_chain({GroupSpec{.tasks = 4}}));
  m.device->run();
  EXPECT_EQ(m.device->read32(pool(0, x2::kPoolIntrStatus)), x2::kException | 0x600u | 2u << 16);
  EXPECT_EQ(m.device->read32(pool(0, x2::kPoolIntrTcb)), kTcbs + 3 * 128 + 2 * 128);
  EXPECT_EQ(m.device->diagnostic().tec, 2u);
}

TEST(Tsm, AppendsThroughNextOfTheLastTcb) {
  X2Machine m;
  m.load(mark(1, 0));
  m.load(mark(2, 1), 0x14000);
  m.load(mark(3, 2), 0x18000);
  m.dispatch(m.write_chain({GroupSpec{}}), 1);
  m.device->run();
  const std::uint32_t tail = m.last_tcb;
  EXPECT_EQ(m.bus.get32(kData), 1u);
  // Without anything appended, dispatch runs nothing.
  m.device->write32(x2::kHandle, 4);
  m.device->run();
  EXPECT_EQ(m.device->read32(x2::kTsmStatus), 0u);
  // A task TCB alone: the grid of the first job stays in force.
  m.write_chain({GroupSpec{.pc = 0x14000}}, kTcbs + 0x2000);
  m.bus.put32(tail + 4, m.last_tcb);
  const std::uint32_t second = m.last_tcb;
  m.device->write32(x2::kInfo, 2);
  m.device->write32(x2::kHandle, 4);
  m.device->run();
  EXPECT_EQ(m.message(), "");
  EXPECT_EQ(m.bus.get32(kData + 64), 2u);
  EXPECT_EQ(m.device->read32(pool(0, x2::kPoolLastExec)), 2u);
  // A whole chain, grid TCB first, appended while the pool has work to do: both dispatches are one walk.
  const std::uint64_t third = m.write_chain({GroupSpec{.pc = 0x18000}}, kTcbs + 0x4000);
  m.bus.put32(kData, 0);
  m.dispatch(m.write_chain({GroupSpec{}}, kTcbs + 0x6000), 3);
  m.bus.put32(m.last_tcb + 4, static_cast<std::uint32_t>(third));
  m.device->write32(x2::kHandle, 4);
  m.device->run();
  EXPECT_EQ(m.message(), "");
  EXPECT_EQ(m.bus.get32(kData), 1u);
  EXPECT_EQ(m.bus.get32(kData + 128), 3u);
  EXPECT_NE(second, tail);
}

// host-interface.md 2.9: the vendor's kernel ends every chain with a TCB whose image is one exit without an
// end mark.
TEST(Tsm, RunsTheVendorsHoldTcb) {
  X2Machine m;
  m.load(mark(1, 0));
  const std::uint64_t head = m.write_chain({GroupSpec{}, GroupSpec{.pc = 0x7000}});
  const std::uint32_t hold[] = {0x014F8000, 0x400C7FFF, 0x400C7FFF, 0x400C7FFF};
  m.bus.put(0x7000, std::span(reinterpret_cast<const std::uint8_t*>(hold), sizeof hold));
  m.bus.put32(m.last_tcb + 16, 0x63D);
  m.dispatch(head);
  m.device->run();
  EXPECT_EQ(m.message(), "");
  EXPECT_EQ(m.device->tasks().size(), 2u);
}

TEST(Tsm, EndWithDestroyMakesThePoolIdle) {
  X2Machine m;
  m.load(task(""));
  const std::uint64_t head = m.write_chain({GroupSpec{}});
  m.bus.put32(m.last_tcb, 0x1C1);
  m.dispatch(head);
  m.device->run();
  EXPECT_EQ(m.device->read32(pool(0, x2::kPoolStatus)) & x2::kPoolIdle, x2::kPoolIdle);
}

TEST(Tsm, BindDispatchPinsTheCore) {
  X2Machine m;
  m.load(task(""));
  m.write_chain({GroupSpec{}, GroupSpec{}});
  m.device->write32(x2::kAddrHigh, 0);
  m.device->write32(x2::kAddrLow, kTcbs);
  m.device->write32(x2::kHandle, 5 | 2 << 24);
  m.device->run();
  ASSERT_EQ(m.device->tasks().size(), 2u);
  for (const TaskRecord& record : m.device->tasks()) EXPECT_EQ(record.core, 2u);
}

TEST(Tsm, GroupsWithoutDependencySpreadOverTheCores) {
  X2Machine m;
  m.load(task(""));
  EXPECT_TRUE(
      m.run({GroupSpec{.dependency = 2}, GroupSpec{}, GroupSpec{}, GroupSpec{}, GroupSpec{.dependency = 2}}));
  std::vector<unsigned> cores;
  for (const TaskRecord& record : m.device->tasks()) cores.push_back(record.core);
  EXPECT_EQ(cores, (std::vector<unsigned>{0, 1, 2, 0, 0}));
}

TEST(Tsm, DependentGroupsStartAfterABoundary) {
  constexpr std::uint64_t kBoundary = 24068;  // 20 us
  X2Machine m;
  m.load(task("mov r4, 1000\nagain: sub r4, r4, 1\ncbnz r4, again\n"));
  EXPECT_TRUE(m.run({GroupSpec{}, GroupSpec{.dependency = 2}, GroupSpec{}, GroupSpec{.dependency = 1},
                     GroupSpec{.dependency = 2}}));
  const std::vector<TaskRecord>& t = m.device->tasks();
  EXPECT_EQ(t[0].start_cycle, 0u);
  EXPECT_EQ(t[1].start_cycle, t[0].end_cycle + kBoundary);
  EXPECT_EQ(t[2].start_cycle, t[1].start_cycle);
  EXPECT_EQ(t[3].start_cycle, t[2].end_cycle + kBoundary);
  EXPECT_EQ(t[4].start_cycle, t[3].end_cycle + kBoundary);
  EXPECT_EQ(m.device->counters().cycles, t[4].end_cycle);
  EXPECT_EQ(t[4].group, 4u);
}

TEST(Tsm, NextMayBeAbsoluteOrRelativeToAsid0) {
  for (const bool absolute : {true, false}) {
    // Low half not zero: only now the readings differ.
    X2Machine m({}, 0x740000000);
    m.load(mark(5, 0));
    const std::uint64_t head = m.write_chain({GroupSpec{}, GroupSpec{.dependency = 2}});
    if (!absolute) {
      m.bus.put32(head + 4, kTcbs + 3 * 128);
      m.bus.put32(m.at(kTcbs + 3 * 128) + 4, kTcbs + 4 * 128);
    }
    m.dispatch(head);
    m.device->run();
    EXPECT_EQ(m.message(), "");
    EXPECT_EQ(m.bus.get32(m.at(kData)), 5u);
    EXPECT_EQ(m.device->tasks().size(), 2u);
    EXPECT_EQ(m.device->tasks().back().tcb, m.last_tcb);
  }
}

TEST(Tsm, MalformedChainsReportAnError) {
  struct Case {
    const char* why;
    void (*spoil)(X2Machine& m, std::uint32_t task);
    std::uint32_t type;
  };
  const Case cases[] = {
      {"type 2 inside a group", [](X2Machine& m, std::uint32_t t) { m.bus.put32(t, 0x42); }, x2::kError},
      {"dependency mode 3", [](X2Machine& m, std::uint32_t t) { m.bus.put32(t, 0x71); }, x2::kError},
      {"is not a multiple of 16", [](X2Machine& m, std::uint32_t t) { m.bus.put32(t + 12, kText + 8); },
       x2::kError},
      {"the chain ends inside a group", [](X2Machine& m, std::uint32_t t) { m.bus.put32(t, 1); }, x2::kError},
      {"no memory is mapped", [](X2Machine& m, std::uint32_t t) { m.bus.put32(t + 4, 0x7000000); },
       x2::kFault},
      {"segment-MMU mask 0x2", [](X2Machine& m, std::uint32_t) { m.bus.put32(kTcbs, 0x20000); }, x2::kError},
      {"segments of the segment MMU", [](X2Machine& m, std::uint32_t) { m.bus.put32(kTcbs + 128 + 32, 1); },
       x2::kError},
      {"GM control 3", [](X2Machine& m, std::uint32_t) { m.bus.put32(kTcbs + 16, 3); }, x2::kError},
      {"not aligned to 4 MiB",
       [](X2Machine& m, std::uint32_t) {
         m.bus.put32(kTcbs + 16, 1);
         m.bus.put32(kTcbs + 32, 0x1000);
       },
       x2::kError},
      {"a task before any grid",
       [](X2Machine& m, std::uint32_t t) {
         m.bus.put32(kTcbs, m.bus.get32(t));
         m.bus.put32(kTcbs + 12, kText);
       },
       x2::kError},
  };
  for (const Case& c : cases) {
    X2Machine m;
    m.load(task(""));
    const std::uint64_t head = m.write_chain({GroupSpec{}});
    c.spoil(m, kTcbs + 3 * 128);
    m.dispatch(head);
    m.device->run();
    EXPECT_NE(m.message().find(c.why), std::string::npos) << m.message() << " lacks " << c.why;
    bool reported = false;
    while (const std::uint32_t status = m.device->read32(pool(0, x2::kPoolIntrStatus))) {
      reported = reported || (status & c.type) != 0;
      m.device->write32(pool(0, x2::kPoolStatus), status & x2::kTypes);
    }
    EXPECT_TRUE(reported) << c.why;
    EXPECT_FALSE(m.device->busy());
  }
}

TEST(Tsm, GroupsLargerThanTheEnabledTecsAreRefused) {
  X2Machine m;
  m.load(task(""));
  m.device->write32(x2::kHandle, 2);
  m.device->write32(x2::kClusterBase + x2::kClusterControl, 0x1112);
  m.device->write32(x2::kHandle, 1 | 1 << 12);
  EXPECT_FALSE(m.run({GroupSpec{.tasks = 3}}));
  EXPECT_NE(m.message().find("more tasks than the 2 enabled TECs"), std::string::npos) << m.message();
}

TEST(Tsm, AbortDropsWorkAndThePool) {
  X2Machine m;
  m.load(task("mov r4, 30000\nagain: sub r4, r4, 1\ncbnz r4, again\n"));
  m.dispatch(m.write_chain({GroupSpec{}}));
  EXPECT_TRUE(m.device->run(100));
  m.device->write32(x2::kHandle, 2);
  EXPECT_EQ(m.device->read32(x2::kTsmStatus), x2::kRefused) << "destroy while it works";
  m.device->write32(x2::kTsmStatus, 0);
  m.device->write32(x2::kHandle, 3);
  EXPECT_FALSE(m.device->busy());
  EXPECT_FALSE(m.device->run());
  EXPECT_EQ(m.device->read32(pool(0, x2::kPoolStatus)), x2::kPoolIdle);
  EXPECT_TRUE(m.run({GroupSpec{}})) << m.message();
}

TEST(Tsm, PoolsTakeTurns) {
  X2Machine m;
  m.load(mark(1, 0));
  m.load(mark(2, 1), 0x14000);
  m.device->write32(pool(1, x2::kPoolIntrCtrl), 0x73D);
  m.device->write32(x2::kHandle, 1 | 1 << 16);
  const std::uint64_t second = m.write_chain({GroupSpec{.pc = 0x14000}}, kTcbs + 0x2000);
  m.device->write32(x2::kAddrHigh, 0);
  m.device->write32(x2::kAddrLow, static_cast<std::uint32_t>(second));
  m.device->write32(x2::kHandle, 4 | 1 << 16);
  m.dispatch(m.write_chain({GroupSpec{}}));
  while (m.device->run(10)) {
  }
  EXPECT_EQ(m.bus.get32(kData), 1u);
  EXPECT_EQ(m.bus.get32(kData + 64), 2u);
  EXPECT_NE(m.device->read32(pool(1, x2::kPoolIntrStatus)), 0u);
}

// --- GM (tec-semantics.md 6.6)

class Gm : public ::testing::Test {
 protected:
  Gm() { m.bus.map(0x800000, 0x400000); }
  // The grid remaps 4 MiB at 0x800000.
  bool run(const std::string& body, std::uint32_t region_control = 0, std::uint32_t control = 1) {
    m.load(task(body));
    const std::uint64_t head = m.write_chain({GroupSpec{}});
    m.bus.put32(head + 16, control);
    m.bus.put32(head + 24, region_control);
    m.bus.put32(head + 32, 0x800000);
    m.dispatch(head);
    m.device->run();
    return m.message().empty();
  }
  static constexpr const char* kBase = "mov r5, 0\nmovh r5, 0x80\n";
  X2Machine m;
};

TEST_F(Gm, ServesTheWindowAndLeavesTheMemoryBehindItAlone) {
  m.bus.put32(0x800000, 1);
  ASSERT_TRUE(run(std::string(kBase) + "mov r6, 7\nst r6, [r5+0]\nld r7, [r5+0]\nst r7, [r0+0]\n"))
      << m.message();
  EXPECT_EQ(m.bus.get32(kData), 7u);
  EXPECT_EQ(m.bus.get32(0x800000), 1u);
  // It keeps its contents until the next job that maps it.
  ASSERT_TRUE(run(std::string(kBase) + "ld r7, [r5+0]\nst r7, [r0+4]\n")) << m.message();
  EXPECT_EQ(m.bus.get32(kData + 4), 7u);
  // Off: the memory itself.
  ASSERT_TRUE(run(std::string(kBase) + "ld r7, [r5+0]\nst r7, [r0+8]\n", 0, 0)) << m.message();
  EXPECT_EQ(m.bus.get32(kData + 8), 1u);
}

TEST_F(Gm, LoadsAndStoresPagesOnRequest) {
  m.bus.put32(0x800000, 21);
  m.bus.put32(0x801000, 22);
  ASSERT_TRUE(run(std::string(kBase) +
                      "ld r7, [r5+0]\nst r7, [r0+0]\nmov r6, 0x1000\nadd r6, r5, r6\nld r7, [r6+0]\n"
                      "st r7, [r0+4]\nmov r7, 33\nst r7, [r5+4]\n",
                  1u << 30 | 1))
      << m.message();
  EXPECT_EQ(m.bus.get32(kData), 21u);
  EXPECT_NE(m.bus.get32(kData + 4), 22u);  // only one page was asked for
  EXPECT_EQ(m.bus.get32(0x800004), 0u);
  ASSERT_TRUE(run("", 2u << 30 | 1)) << m.message();
  EXPECT_EQ(m.bus.get32(0x800004), 33u);
}

TEST_F(Gm, IgnoredRegionsAreNotMapped) {
  m.bus.put32(0x800000, 5);
  ASSERT_TRUE(run(std::string(kBase) + "ld r7, [r5+0]\nst r7, [r0+0]\n", 3u << 30)) << m.message();
  EXPECT_EQ(m.bus.get32(kData), 5u);
}

TEST_F(Gm, ExcludesGsram) {
  EXPECT_FALSE(run("ld r7, [sdp+0]\n"));
  EXPECT_NE(m.message().find("which reads as empty while GM is on"), std::string::npos) << m.message();
}

TEST_F(Gm, HoldsTextToo) {
  m.load(mark(3, 3), 0x14000);
  const auto text = m.bus.get(0x14000, 0x1000);
  m.bus.put(0x800000, text);
  m.load(task(""));
  const std::uint64_t head = m.write_chain({GroupSpec{.pc = 0x800000}});
  m.bus.put32(head + 16, 1);
  m.bus.put32(head + 24, 1u << 30 | 1);
  m.bus.put32(head + 32, 0x800000);
  m.dispatch(head);
  m.device->run();
  EXPECT_EQ(m.message(), "");
  EXPECT_EQ(m.bus.get32(kData + 192), 3u);
}

}  // namespace
}  // namespace zynpu::vnpu
