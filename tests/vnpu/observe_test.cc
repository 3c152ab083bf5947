// SPDX-License-Identifier: MIT
// What a device tells besides results: modelled time, counters, regions, trace, task records; running in
// slices.
#include <gtest/gtest.h>

#include "vnpu/dma_plan.h"
#include "vnpu/x2_machine.h"

namespace zynpu::vnpu {
namespace {

constexpr Options kNoTiming = {
    .diagnose = true, .rounding_half_up = false, .max_bundles_per_task = 0, .timing = false};

// Cycles between two reads of the cycle counter around `code`; the second read costs one bundle itself.
std::uint32_t cycles(const std::string& code, const std::string& set_up = "") {
  X2Machine m;
  EXPECT_TRUE(m.run_body(set_up + "mfctrl0 r16, 0xD1\n" + code +
                         "mfctrl0 r17, 0xD1\nsub r17, r17, r16\nst r17, [r0+0]\n"))
      << m.message();
  return m.bus.get32(kData);
}
// Per trip of a hardware loop whose body fits the loop buffer: the difference of two trip counts, so that
// what happens once cancels out.
double per_trip(const std::string& body, const std::string& set_up = "") {
  const auto run = [&](unsigned trips) {
    return cycles("loop r4\n" + body + "loopend\n", set_up + "mov r4, " + std::to_string(trips - 1) + "\n");
  };
  return (run(1100) - run(100)) / 1000.0;
}

TEST(Timing, LoopBufferIssuesABundleACycle) {
  EXPECT_EQ(per_trip("add r5, r5, 1\nadd r6, r6, 1\nadd r7, r7, 1\n"), 4);  // loopend included
  std::string body;
  for (int i = 0; i < 31; ++i) body += "add r5, r5, 1\n";
  EXPECT_EQ(per_trip(body), 32);
  // One more and every bundle is fetched again.
  EXPECT_NEAR(per_trip(body + "add r5, r5, 1\n"), 33 * 3.2, 0.01);
}

TEST(Timing, BranchLoopsAreRefetched) {
  const auto run = [](unsigned trips) {
    return cycles("again: sub r4, r4, 1\nadd r5, r5, 1\ncbnz r4, again\n",
                  "mov r4, " + std::to_string(trips) + "\n");
  };
  EXPECT_NEAR((run(1100) - run(100)) / 1000.0, 3 * 3.2, 0.01);
}

TEST(Timing, ColdLinesCostThreeHundredCycles) {
  std::string body;
  for (int i = 0; i < 400; ++i) body += "add r5, r5, 1\n";
  const double each = cycles(body) / 400.0;
  EXPECT_GT(each, 75);
  EXPECT_LT(each, 90);
}

TEST(Timing, ResultsHaveTheirLatencies) {
  EXPECT_EQ(per_trip("ld t0, [r1+0]\nadd t1.w, t0.w, t0.w\n"), 5);         // load 3
  EXPECT_EQ(per_trip("add t0.w, t1.w, t1.w\nadd t2.w, t0.w, t0.w\n"), 4);  // vector 2
  EXPECT_EQ(per_trip("mul t0.fp32, t1.fp32, t1.fp32, p7.w\nadd t2.fp32, t0.fp32, t0.fp32, p7.w\n"),
            6);  // fp mul 4
  EXPECT_EQ(per_trip("qdpa t0.w, t1.b, t2.b, p7.b\nqdpa t0.w, t1.b, t2.b, p7.b\n"), 3);
  EXPECT_EQ(per_trip("qdpa t0.w, t1.b, t2.b, p7.b\nadd t3.w, t0.w, t0.w\n"), 4);
  EXPECT_EQ(per_trip("mma t0.fp32, t1.fp32, t8.fp16, t9.fp16\nmma t0.fp32, t1.fp32, t8.fp16, t9.fp16\n"), 4);
}

TEST(Timing, IssueCostsOfBundles) {
  EXPECT_EQ(per_trip("{ qdpa t0.w, t8.b, t9.b, p7.b ; qdpa t1.w, t8.b, t9.b, p7.b ; ld t10, [r1+0] ; ld t11, "
                     "[r1+64] }\n"),
            2);
  EXPECT_EQ(
      per_trip("{ qdpa t0.w, t8.b, t9.b, p7.b ; qdpa t1.w, t8.b, t9.b, p7.b ; or t10.w, t9.w, t9.w }\n"), 3);
  EXPECT_EQ(per_trip("{ mma t0.fp32, t1.fp32, t8.fp16, t9.fp16 ; mma t2.fp32, t3.fp32, t8.fp16, t9.fp16 }\n"),
            3);
  EXPECT_EQ(per_trip("{ ld t10, [r1+0] ; ld t11, [r1+128] }\n"), 3);  // one bank
  EXPECT_EQ(per_trip("{ ld t10, [r1+0] ; ld t11, [r1+64] }\n"), 2);
  EXPECT_EQ(per_trip("{ st t10, [r1+0] ; ld t11, [r1+128] }\n"), 2);  // beside a store: the same bank
  EXPECT_EQ(per_trip("{ st t10, [r1+0] ; ld t11, [r1+64] }\n"), 3);
  // Eight mma bundles and one vector bundle: 19 cycles (tec-semantics.md 9.8), and the loopend.
  std::string eight;
  for (int i = 0; i < 8; ++i)
    eight +=
        i % 2 == 0
            ? "{ mma t0.fp32, t1.fp32, t24.fp16, t25.fp16 ; mma t2.fp32, t3.fp32, t24.fp16, t25.fp16 }\n"
            : "{ mma t4.fp32, t5.fp32, t24.fp16, t25.fp16 ; mma t6.fp32, t7.fp32, t24.fp16, t25.fp16 }\n";
  EXPECT_EQ(per_trip(eight + "add t20.w, t21.w, t21.w\n"), 20);
}

TEST(Timing, StoresSustainTwoInThreeCycles) {
  const std::string stores =
      "st t0, [r1+0]\nst t1, [r1+32]\nst t2, [r1+64]\nst t3, [r1+96]\nst t4, [r1+128]\nst t5, [r1+160]\n";
  EXPECT_NEAR(per_trip(stores + stores + stores + stores), 24 * 1.5, 1.01);
}

TEST(Timing, GsramVectorsCostTheirBandwidth) {
  EXPECT_NEAR(per_trip("ld t0, [sdp+0]\nld t1, [sdp+32]\nld t2, [sdp+64]\nld t3, [sdp+96]\n"), 4 * 5.6 + 1,
              0.5);
  EXPECT_NEAR(per_trip("st t0, [sdp+0]\nst t1, [sdp+32]\n"), 2 * 5.6 + 1, 0.5);
  // Latency about 30.
  EXPECT_GT(per_trip("ld t0, [sdp+0]\nadd t1.w, t0.w, t0.w\n"), 30);
}

TEST(Timing, CachedLoadsCostMissesThenHits) {
  const std::string chain = "ld r5, [r0+0]\nadd r6, r5, r5\n";
  EXPECT_GT(cycles(chain), 300u);
  EXPECT_LT(cycles(chain, chain), 300u + 320u);  // the text is cold, the line is not
}

// --- DMA

// From the first request to the end of the last one, on the second pass, when the text is in the instruction
// cache. Of several tasks the slowest.
std::uint32_t dma_cycles(std::uint32_t bytes, unsigned requests, unsigned tasks = 1, unsigned groups = 1) {
  X2Machine m;
  const std::uint32_t width = std::min<std::uint32_t>(bytes, 4096);
  const DmaHalf half{width, width, bytes, 0, 1};
  const auto words = pack_descriptor({half, half});
  for (unsigned i = 0; i < 6; ++i) m.bus.put32(kData + 4 * i, words[i]);
  std::string code =
      "mov r6, 0x4000\nadd r4, r0, r6\nmov r6, 0x1000\nmov r10, 1\npass: mov r7, 0\nadd r8, r1, 0\n"
      "mfctrl0 r16, 0xD1\n";
  for (unsigned i = 0; i < requests; ++i)
    code += "dma 0, r7, 0, 4, 0, 1, 0, r0, r8, r4\n{ add r7, r7, 1 ; add r8, r8, r6 }\n";
  code +=
      "wfe zero, 2\nmfctrl0 r17, 0xD1\nsub r17, r17, r16\nadd r11, r10, 0\nsub r10, r10, 1\ncbnz r11, pass\n"
      "ld r5, [tcbp+56]\nst r17, [r5+0]\n";
  m.load(with_prologue(code + std::string(kEpilogue)));
  std::vector<GroupSpec> specs(groups, GroupSpec{.tasks = tasks});
  const std::uint64_t head = m.write_chain(specs);
  // Parameter blocks of their own for all tasks of all groups.
  for (unsigned n = 0; n < groups * tasks; ++n)
    m.bus.put32(head + 3 * 128 + n * 128 + 56, kParameters + 0x100 * n);
  m.dispatch(head);
  m.device->run();
  EXPECT_EQ(m.message(), "");
  std::uint32_t slowest = 0;
  for (unsigned n = 0; n < groups * tasks; ++n)
    slowest = std::max(slowest, m.bus.get32(kParameters + 0x100 * n));
  return slowest;
}

TEST(Timing, DmaHasAFixedCostAndARate) {
  EXPECT_NEAR(dma_cycles(64, 1), 350 + 64 / 13.2, 10);
  EXPECT_NEAR(dma_cycles(4096, 1), 350 + 4096 / 13.2, 10);
  // Four requests: one data phase after the other, the fixed costs overlap.
  EXPECT_NEAR(dma_cycles(4096, 4), 350 + 4 * 4096 / 13.2, 10);
  // Four TECs of a core share its engine, three cores share the memory.
  EXPECT_NEAR(dma_cycles(4096, 1, 4), 4 * 4096 / 13.2, 50);
  EXPECT_NEAR(dma_cycles(4096, 1, 4, 3), 4 * 4096 / 6.63, 50);
}

TEST(Timing, NeverChangesResults) {
  const std::string body =
      "mov4 t1, 3\nmov r4, 40\nmov r5, 0\nloop r4\n{ qdpa t0.w, t1.b, t1.b, p7.b ; add r5, r5, 7 }\nst t0, "
      "[r1+0]\n"
      "st t0, [sdp+32]\nld t2, [sdp+32]\nloopend\nst t2, [r1+32]\nld r6, [r1+32]\nst r6, [r0+0]\nst r5, "
      "[r0+4]\n";
  X2Machine with, without(kNoTiming);
  ASSERT_TRUE(with.run_body(body)) << with.message();
  ASSERT_TRUE(without.run_body(body)) << without.message();
  EXPECT_EQ(with.bus.get(0, 0x200000), without.bus.get(0, 0x200000));
  EXPECT_EQ(with.device->counters().bundles, without.device->counters().bundles);
  EXPECT_EQ(with.device->counters().instructions, without.device->counters().instructions);
}

// --- counters, regions, traces

TEST(Counters, CountWhatRan) {
  X2Machine m;
  const DmaHalf half{100, 100, 100, 0, 1};
  const auto words = pack_descriptor({half, half});
  for (unsigned i = 0; i < 6; ++i) m.bus.put32(kData + 4 * i, words[i]);
  m.load(with_prologue(std::string(kEpilogue)));
  ASSERT_TRUE(m.run({GroupSpec{}}));
  const Counters base = m.device->counters();
  m.device->reset_counters();
  EXPECT_EQ(m.device->counters().bundles, 0u);
  ASSERT_TRUE(m.run_body(
      "mov r4, 9\nloop r4\n{ qdpa t0.w, t1.b, t1.b, p7.b ; dot t2.h, t1.b, t1.b, p7.b ; ld t3, [r1+0] }\n"
      "mma t8.fp32, t9.fp32, t1.fp16, t1.fp16\nloopend\nmov r4, 0x4000\nadd r4, r0, r4\n"
      "dma 0, zero, 0, 4, 0, 1, 0, r0, r1, r4\nwfe zero, 2\n"))
      << m.message();
  const Counters& c = m.device->counters();
  EXPECT_EQ(c.bundles - base.bundles, 2u + 10 * 3 + 4);
  EXPECT_EQ(c.instructions - base.instructions, 2u + 10 * 5 + 4);
  EXPECT_EQ(c.macs, 10u * (32 + 32 + 64));
  EXPECT_EQ(c.dma_requests, 1u);
  EXPECT_EQ(c.dma_bytes, 100u);
  EXPECT_GT(c.dma_wait_cycles, 300u);
  EXPECT_GT(c.fetch_cycles, 1000u);
  EXPECT_GE(c.cycles, c.fetch_cycles + c.dma_wait_cycles);
  ASSERT_EQ(m.device->tasks().size(), 1u);
  const TaskRecord& t = m.device->tasks()[0];
  EXPECT_EQ(t.counters.bundles, c.bundles);
  EXPECT_EQ(t.end_cycle - t.start_cycle, c.cycles);
  EXPECT_EQ(t.start_pc, kText);
  EXPECT_EQ(t.tcb, m.last_tcb);
}

TEST(Regions, SplitTheCountersByProgramCounter) {
  X2Machine m;
  const std::string text = with_prologue(
      "first: mov r4, 99\nloop r4\nqdpa t0.w, t1.b, t1.b, p7.b\nloopend\n"
      "second: mov r4, 49\nloop r4\nadd r5, r5, 1\nadd r6, r6, 1\nloopend\nthird: add r5, r5, 1\n" +
      std::string(kEpilogue));
  const auto program = isa::assemble(text);
  ASSERT_TRUE(program);
  const auto at = [&](const char* label) { return kText + program->labels.find(label)->second; };
  m.load(text);
  const Region regions[] = {{at("first"), at("second")}, {at("second"), at("third")}};
  m.device->set_regions(regions);
  ASSERT_TRUE(m.run({GroupSpec{.tasks = 4}})) << m.message();
  const auto counters = m.device->region_counters();
  ASSERT_EQ(counters.size(), 2u);
  EXPECT_EQ(counters[0].bundles, 4u * (2 + 200));
  EXPECT_EQ(counters[0].macs, 4u * 100 * 32);
  EXPECT_EQ(counters[1].bundles, 4u * (2 + 150));
  EXPECT_EQ(counters[1].macs, 0u);
  // Cycles are those of one TEC, not the sum.
  EXPECT_GE(counters[0].cycles, 202u);
  EXPECT_LT(counters[0].cycles, 202u + 1000);
  // They add up over jobs, until they are set again or the counters are reset.
  ASSERT_TRUE(m.run({GroupSpec{.tasks = 4}}));
  EXPECT_EQ(m.device->region_counters()[0].bundles, 8u * (2 + 200));
  m.device->reset_counters();
  EXPECT_EQ(m.device->region_counters()[0].bundles, 0u);
  ASSERT_TRUE(m.run({GroupSpec{}}));
  EXPECT_EQ(m.device->region_counters()[0].bundles, 2u + 200);
  m.device->set_regions({});
  EXPECT_TRUE(m.device->region_counters().empty());
  ASSERT_TRUE(m.run({GroupSpec{}}));
}

TEST(Regions, RunTheSameResults) {
  const std::string body =
      "mov r4, 10\nmov r5, 0\nagain: { add r5, r5, r4 ; sub r4, r4, 1 }\ncbnz r4, again\nst r5, [r0+0]\n";
  X2Machine m;
  const Region every[] = {{kText, kText + 16}, {kText + 16, kText + 0x400}, {kText + 0x400, kText + 0x10000}};
  m.device->set_regions(every);
  ASSERT_TRUE(m.run_body(body)) << m.message();
  EXPECT_EQ(m.bus.get32(kData), 55u);
  std::uint64_t sum = 0;
  for (const Counters& c : m.device->region_counters()) sum += c.bundles;
  EXPECT_EQ(sum, m.device->counters().bundles);
  EXPECT_EQ(m.device->region_counters()[0].bundles, 1u);
}

TEST(Trace, SeesEveryRetiredBundleInOrder) {
  X2Machine m;
  m.load("mov r4, 2\nloop r4\nadd r5, r5, 1\nloopend\nexit\n");
  std::vector<TraceEvent> events;
  m.device->set_trace([&](const TraceEvent& event) { events.push_back(event); });
  ASSERT_TRUE(m.run({GroupSpec{}})) << m.message();
  std::vector<std::uint32_t> pcs;
  for (const TraceEvent& e : events) pcs.push_back((e.pc - kText) / 16);
  EXPECT_EQ(pcs, (std::vector<std::uint32_t>{0, 1, 2, 3, 2, 3, 2, 3, 4}));
  for (std::size_t i = 1; i < events.size(); ++i) EXPECT_GT(events[i].cycle, events[i - 1].cycle);
  EXPECT_EQ(m.device->counters().bundles, events.size());
  events.clear();
  m.device->set_trace({});
  ASSERT_TRUE(m.run({GroupSpec{}}));
  EXPECT_TRUE(events.empty());
}

TEST(Device, SlicesOfAnySizeGiveTheSameRun) {
  const std::string text = with_prologue(
      "mov r4, 200\nmov4 t1, 2\nloop r4\nqdpa t0.w, t1.b, t1.b, p7.b\nst t0, [sdp+64]\nloopend\nlsl r6, r20, "
      "3\nmov r7, 8\n"
      "mul r6, r6, r7\nadd r6, r0, r6\nst t0, [r1+0]\nld r5, [r1+0]\nst r5, [r6+0]\n" +
      std::string(kEpilogue));
  X2Machine whole;
  whole.load(text);
  ASSERT_TRUE(whole.run({GroupSpec{.tasks = 4}, GroupSpec{.tasks = 3, .dependency = 2}})) << whole.message();
  for (const std::uint64_t slice : {1u, 7u, 100u, 5000u}) {
    X2Machine m;
    m.load(text);
    m.dispatch(m.write_chain({GroupSpec{.tasks = 4}, GroupSpec{.tasks = 3, .dependency = 2}}));
    while (m.device->run(slice)) EXPECT_TRUE(m.device->busy());
    EXPECT_EQ(m.message(), "");
    EXPECT_EQ(m.bus.get(0, 0x200000), whole.bus.get(0, 0x200000));
    EXPECT_EQ(m.device->counters().bundles, whole.device->counters().bundles);
  }
}

TEST(Device, RunsAreDeterministic) {
  const std::string text =
      with_prologue("mov r4, 500\nagain: st r4, [sdp+0]\nld r5, [sdp+0]\nsub r4, r4, 1\ncbnz r4, again\n" +
                    std::string(kEpilogue));
  Counters first;
  for (int round = 0; round < 3; ++round) {
    X2Machine m;
    m.load(text);
    ASSERT_TRUE(m.run({GroupSpec{.tasks = 4}})) << m.message();
    if (round == 0) first = m.device->counters();
    EXPECT_EQ(m.device->counters().cycles, first.cycles);
    EXPECT_EQ(m.device->counters().stall_cycles, first.stall_cycles);
  }
}

TEST(Device, RefusesPartsItDoesNotModel) {
  TestBus bus;
  part::Part odd = *part::find("x2");
  odd.lsram_bytes = 64 * 1024;
  EXPECT_FALSE(Device::create(odd, bus));
  odd = *part::find("x2");
  odd.clusters = 2;
  const auto device = Device::create(odd, bus);
  ASSERT_FALSE(device);
  EXPECT_NE(device.error().message.find("2 clusters"), std::string::npos);
}

TEST(Device, ResetPoisonsEveryMemoryAndForgetsTheJob) {
  X2Machine m;
  ASSERT_TRUE(m.run_body("mov r5, 5\nst r5, [r1+0]\nst r5, [sdp+0]\n"));
  // LSRAM and GSRAM keep their contents from job to job.
  ASSERT_TRUE(m.run_body("ld r5, [r1+0]\nld r6, [sdp+0]\nst r5, [r0+0]\nst r6, [r0+4]\n"));
  EXPECT_EQ(m.bus.get32(kData), 5u);
  EXPECT_EQ(m.bus.get32(kData + 4), 5u);
  m.device->reset();
  EXPECT_TRUE(m.device->tasks().empty());
  m.device->write32(x2::kClusterBase + x2::kClusterControl, 0x1314);
  m.device->write32(x2::kPoolBase + x2::kPoolIntrCtrl, 0x73D);
  ASSERT_TRUE(m.run_body("ld r5, [r1+0]\nld r6, [sdp+0]\nst r5, [r0+0]\nst r6, [r0+4]\n")) << m.message();
  EXPECT_EQ(m.bus.get32(kData), 0xA5A5A5A5u);
  EXPECT_EQ(m.bus.get32(kData + 4), 0xA5A5A5A5u);
}

// Registers hold nothing at the start of a task that a program could take for a value it set.
TEST(Device, RegistersArePoisonedAtTaskStart) {
  X2Machine m;
  m.load("mov r9, 0\nmovh r9, 0x10\nst r5, [r9+0]\nst zero, [r9+4]\n" + std::string(kEpilogue));
  ASSERT_TRUE(m.run({GroupSpec{}})) << m.message();
  EXPECT_EQ(m.bus.get32(kData), 0xDEADBEEFu);
  EXPECT_EQ(m.bus.get32(kData + 4), 0u);
}

}  // namespace
}  // namespace zynpu::vnpu
