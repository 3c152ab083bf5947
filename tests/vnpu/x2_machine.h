// SPDX-License-Identifier: MIT
// An X2 with memory, and jobs made of assembly text: the shortest way from instructions to what they did.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "isa/asm.h"
#include "part/registers_x2.h"
#include "vnpu/device.h"
#include "vnpu/test_bus.h"

namespace zynpu::vnpu {

namespace x2 = part::x2;

// Device addresses (ASID0 offsets) that the jobs below use.
inline constexpr std::uint32_t kText = 0x10000, kStack = 0x20000, kParameters = 0x30000, kPrivate = 0x40000,
                               kConstants = 0x50000, kTcbs = 0x60000, kData = 0x100000, kDataBytes = 0x100000;

// What a body finds: p7 = all lanes, vector arithmetic enabled, r0 = kData, r1 = LSRAM, sdp = GSRAM, r20 =
// task index.
inline std::string with_prologue(std::string_view body, bool enable = true) {
  std::string text = "b start\n";
  for (int i = 1; i < 16; ++i) text += "b spin\n";
  text += "spin: b spin\nstart:\n";
  if (enable)
    text +=
        "mfctrl1 r9, 2\nbfs r9, r9, 31, 0\nmtctrl1 r9, 2\n"
        "mfctrl1 r9, 0x10\nbfs r9, r9, 31, 0\nmtctrl1 r9, 0x10\n";
  text +=
      "{ xor sdp, sdp, sdp; mov lp, -32768; movh p7, 0; mfctrl0 tcbp, 20 }\n"
      "{ movh lp, -1536; bfs sdp, sdp, 27, 4 }\n"
      "mov r0, 0\nmovh r0, 0x10\nmov r1, 0\nmovh r1, -1536\n"
      "mfctrl0 r20, 0\nandl r20, r20, 31\n";
  text += body;
  return text;
}

inline constexpr std::string_view kEpilogue =
    "\nmfctrl0 r2, 0x82\norl r2, r2, 4\nmtctrl0 r2, 0x82\nmfctrl0 r3, 0x90\nmovh r3, 381\nmtctrl0 r3, 0x90\n"
    "flush: mfctrl0 r2, 0x82\nandl r2, r2, 4\ncbnz r2, flush\nwfe r0, 0\nexit\n";

struct GroupSpec {
  std::uint32_t pc = kText;
  unsigned tasks = 1;
  unsigned dependency = 0;
};

class X2Machine {
 public:
  explicit X2Machine(const Options& options = {}, std::uint64_t base = 0, bool direct = true)
      : bus(direct), base_(base) {
    bus.map(base, 0x200000);
    device = Device::create(*part::find("x2"), bus, options).value();
    device->write32(x2::kClusterBase + x2::kClusterControl, x2::kClusterEnable | 3 << 8 | 1 << 4 | 4);
    device->write32(x2::kPoolBase + x2::kPoolIntrCtrl, 0x73D);
    device->write32(x2::kHandle, 1 | 1 << 12);
  }

  void load(std::string_view text, std::uint32_t at = kText) {
    auto program = isa::assemble(text);
    ASSERT_TRUE(program) << program.error().message;
    bus.put(base_ + at, program->bytes);
  }

  // Writes a chain of one grid; returns the bus address of its head. Tasks get private stacks and parameters.
  std::uint64_t write_chain(const std::vector<GroupSpec>& groups, std::uint32_t at = kTcbs,
                            unsigned segment_mask = 3) {
    const std::uint64_t head = base_ + at;
    std::vector<std::uint8_t> zero(4096);
    bus.put(head, zero);
    bus.put32(head, segment_mask << 16);
    const std::uint32_t first = at + 3 * 128;
    bus.put32(head + 4, static_cast<std::uint32_t>(base_) + first);
    for (unsigned asid = 0; asid < 2; ++asid) {
      bus.put32(head + 48 + 8 * asid, static_cast<std::uint32_t>(base_) | 0x60);
      bus.put32(head + 52 + 8 * asid, static_cast<std::uint32_t>(base_ >> 32));
    }
    for (unsigned block = 1; block <= 2; ++block) {
      bus.put32(head + block * 128 + 24, 0x31);
      bus.put32(head + block * 128 + 88, 0x31);
    }
    std::uint32_t tcb = first;
    for (std::size_t g = 0; g < groups.size(); ++g)
      for (unsigned t = 0; t < groups[g].tasks; ++t, tcb += 128) {
        const bool group_end = t + 1 == groups[g].tasks, end = group_end && g + 1 == groups.size();
        const std::uint64_t to = base_ + tcb;
        bus.put32(to, 1u | (t == 0 ? groups[g].dependency << 4 : 0u) | (group_end ? 1u << 6 : 0u));
        bus.put32(to + 4, end ? 0 : static_cast<std::uint32_t>(base_) + tcb + 128);
        bus.put32(to + 12, groups[g].pc);
        bus.put32(to + 16, 0x73D);
        bus.put16(to + 26, static_cast<std::uint16_t>(t));
        bus.put16(to + 34, static_cast<std::uint16_t>(groups[g].tasks));
        bus.put32(to + 52, kStack + 0x1000 * (t + 1));
        bus.put32(to + 56, kParameters + 0x1000 * t);
        bus.put32(to + 60, kPrivate + 0x1000 * t);
        bus.put32(to + 64, kConstants);
        bus.put32(to + 108, tcb);
      }
    last_tcb = tcb - 128;
    return head;
  }

  void dispatch(std::uint64_t head, std::uint16_t tag = 1) {
    device->write32(x2::kAddrHigh, static_cast<std::uint32_t>(head >> 32));
    device->write32(x2::kAddrLow, static_cast<std::uint32_t>(head));
    device->write32(x2::kInfo, tag);
    device->write32(x2::kHandle, 4 | 2 << 8);
  }

  // Runs the groups to the end; true if the last TCB reported done. The diagnostic is that of the device.
  bool run(const std::vector<GroupSpec>& groups, unsigned segment_mask = 3) {
    if (device->read32(x2::kPoolBase + x2::kPoolStatus) & x2::kPoolIdle)
      device->write32(x2::kHandle, 1 | 1 << 12);
    dispatch(write_chain(groups, kTcbs, segment_mask));
    while (device->run()) {
    }
    bool done = false;
    while (const std::uint32_t status = device->read32(x2::kPoolBase + x2::kPoolIntrStatus)) {
      done = (status & x2::kDone) != 0 && (status & (x2::kException | x2::kFault | x2::kError)) == 0 &&
             device->read32(x2::kPoolBase + x2::kPoolIntrTcb) == last_tcb;
      device->write32(x2::kPoolBase + x2::kPoolStatus, status & x2::kTypes);
    }
    return done;
  }

  // One task that runs `body` between prologue and epilogue.
  bool run_body(std::string_view body, bool enable = true) {
    load(with_prologue(std::string(body) + std::string(kEpilogue), enable));
    return run({GroupSpec{}});
  }

  const std::string& message() const { return device->diagnostic().message; }
  std::uint64_t at(std::uint32_t address) const { return base_ + address; }

  TestBus bus;
  std::unique_ptr<Device> device;
  std::uint32_t last_tcb = 0;

 private:
  std::uint64_t base_;
};

}  // namespace zynpu::vnpu
