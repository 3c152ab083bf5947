// SPDX-License-Identifier: MIT
// Memory behind a device under test: ranges that the test maps, everything else refuses.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "vnpu/bus.h"

namespace zynpu::vnpu {

class TestBus final : public Bus {
 public:
  explicit TestBus(bool offer_direct = true) : offer_direct_(offer_direct) {}

  void map(std::uint64_t address, std::uint64_t bytes) { ranges_[address].resize(bytes); }
  // From now on the mapped range that begins at `address` can only be read.
  void protect(std::uint64_t address) { protected_.insert(address); }

  bool read(std::uint64_t address, std::span<std::uint8_t> data) override {
    const std::uint8_t* host = find(address, data.size());
    if (host == nullptr) return false;
    std::memcpy(data.data(), host, data.size());
    return true;
  }
  bool write(std::uint64_t address, std::span<const std::uint8_t> data) override {
    std::uint8_t* host = writable(address, data.size());
    if (host == nullptr) return false;
    std::memcpy(host, data.data(), data.size());
    return true;
  }
  std::uint8_t* direct(std::uint64_t address, std::uint64_t bytes) override {
    return offer_direct_ ? writable(address, bytes) : nullptr;
  }
  void set_irq(bool level) override {
    irq = level;
    ++irq_changes;
  }

  std::uint8_t* find(std::uint64_t address, std::uint64_t bytes) {
    auto after = ranges_.upper_bound(address);
    if (after == ranges_.begin()) return nullptr;
    auto& [base, memory] = *std::prev(after);
    return address + bytes <= base + memory.size() ? memory.data() + (address - base) : nullptr;
  }
  void put(std::uint64_t address, std::span<const std::uint8_t> bytes) { write(address, bytes); }
  void put32(std::uint64_t address, std::uint32_t value) {
    write(address, std::span(reinterpret_cast<const std::uint8_t*>(&value), 4));
  }
  void put16(std::uint64_t address, std::uint16_t value) {
    write(address, std::span(reinterpret_cast<const std::uint8_t*>(&value), 2));
  }
  std::uint32_t get32(std::uint64_t address) {
    std::uint32_t value = 0;
    read(address, std::span(reinterpret_cast<std::uint8_t*>(&value), 4));
    return value;
  }
  std::vector<std::uint8_t> get(std::uint64_t address, std::size_t bytes) {
    std::vector<std::uint8_t> data(bytes);
    read(address, data);
    return data;
  }

  bool irq = false;
  int irq_changes = 0;

 private:
  std::uint8_t* writable(std::uint64_t address, std::uint64_t bytes) {
    const auto after = ranges_.upper_bound(address);
    if (after == ranges_.begin() || protected_.contains(std::prev(after)->first)) return nullptr;
    return find(address, bytes);
  }

  bool offer_direct_;
  std::set<std::uint64_t> protected_;
  std::map<std::uint64_t, std::vector<std::uint8_t>> ranges_;
};

}  // namespace zynpu::vnpu
