// SPDX-License-Identifier: MIT
// Any bytes as memory of an X2: a text, its data, a descriptor and the TCB chain. The device runs for a while
// and stays inside its own memory.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "part/registers_x2.h"
#include "vnpu/device.h"

namespace {

namespace x2 = zynpu::part::x2;

constexpr std::uint32_t kTcbs = 0x1000, kText = 0x2000, kBytes = 0x10000;

// 64 KiB that begin with a sane chain; the input lies over it.
class Memory final : public zynpu::vnpu::Bus {
 public:
  explicit Memory(bool direct) : direct_(direct), bytes_(kBytes) {}
  bool read(std::uint64_t address, std::span<std::uint8_t> data) override {
    if (!holds(address, data.size())) return false;
    std::memcpy(data.data(), bytes_.data() + address, data.size());
    return true;
  }
  bool write(std::uint64_t address, std::span<const std::uint8_t> data) override {
    if (!holds(address, data.size())) return false;
    std::memcpy(bytes_.data() + address, data.data(), data.size());
    return true;
  }
  std::uint8_t* direct(std::uint64_t address, std::uint64_t bytes) override {
    return direct_ && holds(address, bytes) ? bytes_.data() + address : nullptr;
  }
  void set_irq(bool) override {}
  void put(std::uint32_t address, std::uint32_t value) { std::memcpy(bytes_.data() + address, &value, 4); }
  std::uint8_t* at(std::uint32_t address) { return bytes_.data() + address; }

 private:
  bool holds(std::uint64_t address, std::uint64_t bytes) const {
    return address < kBytes && bytes <= kBytes - address;
  }
  bool direct_;
  std::vector<std::uint8_t> bytes_;
};

}  // namespace

// Byte 0: options. Then pairs of a length and an address (both 16 bits), each followed by bytes for that
// address; what is left is the text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  zynpu::vnpu::Options options;
  options.diagnose = (data[0] & 1) != 0;
  options.timing = (data[0] & 2) != 0;
  options.max_bundles_per_task = 3000;
  Memory memory((data[0] & 4) != 0);
  const unsigned patches = data[0] >> 4;
  ++data, --size;
  memory.put(kTcbs, 3 << 16);
  memory.put(kTcbs + 4, kTcbs + 0x180);
  memory.put(kTcbs + 48, 0x60);
  for (const std::uint32_t block : {0x80u, 0x100u})
    memory.put(kTcbs + block + 24, 0x31), memory.put(kTcbs + block + 88, 0x31);
  for (std::uint32_t task = 0; task < 2; ++task) {
    const std::uint32_t tcb = kTcbs + 0x180 + 128 * task;
    memory.put(tcb, task == 1 ? 0x41 : 0x01);
    memory.put(tcb + 4, task == 1 ? 0 : tcb + 128);
    memory.put(tcb + 12, kText);
    memory.put(tcb + 16, 0x73D);
    memory.put(tcb + 108, tcb);
  }
  for (unsigned i = 0; i < patches && size >= 4; ++i) {
    const std::size_t wanted = data[0] | data[1] << 8;
    const auto address = static_cast<std::uint32_t>(data[2] | data[3] << 8);
    data += 4, size -= 4;
    const std::size_t length = std::min({wanted, size, static_cast<std::size_t>(kBytes - address)});
    std::memcpy(memory.at(address), data, length);
    data += length, size -= length;
  }
  std::memcpy(memory.at(kText), data, std::min<std::size_t>(size, kBytes - kText));

  auto device = zynpu::vnpu::Device::create(*zynpu::part::find("x2"), memory, options).value();
  device->write32(x2::kClusterBase + x2::kClusterControl, 0x1314);
  device->write32(x2::kPoolBase + x2::kPoolIntrCtrl, 0x73D);
  device->write32(x2::kHandle, 1 | 1 << 12);
  device->write32(x2::kAddrLow, kTcbs);
  device->write32(x2::kHandle, 4);
  for (int slice = 0; slice < 20 && device->run(500); ++slice) {
  }
  return 0;
}
