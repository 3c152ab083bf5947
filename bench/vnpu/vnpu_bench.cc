// SPDX-License-Identifier: MIT
// How fast the virtual NPU runs: retired bundles per second of one host thread, for the kinds of code that
// compiled networks consist of. `items_per_second` counts bundles.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "isa/asm.h"
#include "part/registers_x2.h"
#include "vnpu/device.h"

namespace zynpu::vnpu {
namespace {

namespace x2 = part::x2;

constexpr std::uint32_t kText = 0x10000, kTcbs = 0x60000, kBytes = 0x200000;

class FlatMemory final : public Bus {
 public:
  bool read(std::uint64_t address, std::span<std::uint8_t> data) override {
    if (address + data.size() > memory.size()) return false;
    std::memcpy(data.data(), &memory[address], data.size());
    return true;
  }
  bool write(std::uint64_t address, std::span<const std::uint8_t> data) override {
    if (address + data.size() > memory.size()) return false;
    std::memcpy(&memory[address], data.data(), data.size());
    return true;
  }
  std::uint8_t* direct(std::uint64_t address, std::uint64_t bytes) override {
    return address + bytes <= memory.size() ? &memory[address] : nullptr;
  }
  void set_irq(bool) override {}
  void put(std::uint64_t address, std::uint32_t value) { std::memcpy(&memory[address], &value, 4); }

  std::vector<std::uint8_t> memory = std::vector<std::uint8_t>(kBytes);
};

// Runs `body`, with r1 = LSRAM and r4 = trips - 1, as one task.
void run_task(benchmark::State& state, const std::string& body, unsigned trips) {
  FlatMemory bus;
  Options options;
  options.timing = state.range(0) != 0;
  options.diagnose = state.range(1) != 0;
  auto device = Device::create(*part::find("x2"), bus, options).value();
  std::string text = "mfctrl1 r9, 2\nbfs r9, r9, 31, 0\nmtctrl1 r9, 2\nmtctrl1 r9, 0x10\nmovh p7, 0\n";
  text += "mov r1, 0\nmovh r1, -1536\nmov r4, " + std::to_string((trips - 1) & 0x7FFF) + "\nmovh r4, " +
          std::to_string((trips - 1) >> 16) + "\n";
  text += body + "\nexit\n";
  const auto program = isa::assemble(text);
  if (!program) {
    std::fprintf(stderr, "%s\n", program.error().message.c_str());
    std::abort();
  }
  std::memcpy(&bus.memory[kText], program->bytes.data(), program->bytes.size());
  bus.put(kTcbs, 3 << 16);
  bus.put(kTcbs + 4, kTcbs + 0x180);
  bus.put(kTcbs + 48, 0x60);
  for (std::uint32_t block : {0x80u, 0x100u})
    bus.put(kTcbs + block + 24, 0x31), bus.put(kTcbs + block + 88, 0x31);
  bus.put(kTcbs + 0x180, 0x41);
  bus.put(kTcbs + 0x180 + 12, kText);
  bus.put(kTcbs + 0x180 + 16, 0x73D);
  bus.put(kTcbs + 0x180 + 108, kTcbs + 0x180);
  device->write32(x2::kClusterBase + x2::kClusterControl, 0x1314);
  device->write32(x2::kHandle, 1 | 1 << 12);
  for (auto _ : state) {
    device->write32(x2::kAddrHigh, 0);
    device->write32(x2::kAddrLow, kTcbs);
    device->write32(x2::kHandle, 4);
    device->run();
  }
  if (!device->diagnostic().message.empty()) state.SkipWithError(device->diagnostic().message.c_str());
  state.SetItemsProcessed(static_cast<std::int64_t>(device->counters().bundles));
  state.counters["cycles/bundle"] =
      static_cast<double>(device->counters().cycles) / static_cast<double>(device->counters().bundles);
}

constexpr unsigned kTrips = 100000;

// A convolution's inner loop: two qdpa, two loads, in alternate banks.
void BM_QdpaLoop(benchmark::State& state) {
  std::string body = "sub t8.w, t8.w, t8.w\nloop r4\n";
  for (int i = 0; i < 8; ++i) {
    const std::string a = std::to_string(i % 4), acc = std::to_string(8 + i * 2),
                      next = std::to_string(9 + i * 2);
    body += "{ qdpa t" + acc + ".w, t" + a + ".b, t4.b, p7.b ; qdpa t" + next + ".w, t" + a +
            ".b, t5.b, p7.b ; ld t" + std::to_string((i + 2) % 4) + ", [r1+" + std::to_string(32 * i) +
            "] ; ld t" + std::to_string(24 + i % 4) + ", [r1+" + std::to_string(32 * (i ^ 2)) + "] }\n";
  }
  run_task(state, body + "loopend\n", kTrips);
}

// Address arithmetic in a counted branch loop.
void BM_Scalar(benchmark::State& state) {
  run_task(state,
           "again: { add r5, r5, 4 ; sub r4, r4, 1 }\n{ max r6, r5, r7 ; lsl r8, r5, r6 }\n{ mul r10, r5, r6 "
           "; xor r11, "
           "r10, r8 }\ncbnz r4, again\n",
           kTrips);
}

// A requantisation: products by digits, shifts, clamps, narrowing, packing, stores.
void BM_Requant(benchmark::State& state) {
  run_task(state,
           "mov4 t20, 3\nmov4 t21, 0\nmov4 t22, 5\nloop r4\n"
           "ld t0, [r1+0]\n"
           "{ add t1.w, t0.w, t20.w ; ld t2, [r1+32] }\n"
           "xor t1.w, t1.w, t20.w\n"
           "{ qdot t3.w, t1.b, t22.b, p7.b ; qdot t4.w, t1.b, t20.b, p7.b }\n"
           "asr t3.w, t3.w, 8\n"
           "{ add t4.w, t4.w, t3.w ; lsl t5.w, t4.w, 1 }\n"
           "asr t4.w, t4.w, 8\n"
           "{ add t5.w, t5.w, t4.w ; asr t6.w, t5.w, t21.w }\n"
           "{ max t6.w, t6.w, t0.w, p7.w ; min t5.w, t5.w, t2.w, p7.w }\n"
           "nsr.as t6.hw, 0\n"
           "exte t6.h, t6.h, t5.h\n"
           "nsr.as t6.bh, 0\n"
           "exte t6.b, t6.b, t6.b\n"
           "st t6, [r1+64]\n"
           "loopend\n",
           kTrips);
}

void modes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"timing", "diagnose"})->Args({1, 1})->Args({0, 0})->Unit(benchmark::kMillisecond);
}
BENCHMARK(BM_QdpaLoop)->Apply(modes);
BENCHMARK(BM_Scalar)->Apply(modes);
BENCHMARK(BM_Requant)->Apply(modes);

}  // namespace
}  // namespace zynpu::vnpu
