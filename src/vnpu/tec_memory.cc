// SPDX-License-Identifier: MIT
// Loads and stores beyond the plain LSRAM access, and control registers.
#include <fmt/format.h>

#include <cstring>

#include "vnpu/core.h"
#include "vnpu/tec.h"

namespace zynpu::vnpu {
namespace {

constexpr std::uint32_t kLsramEnd = 0xFB000000,
                        kGsramEnd = part::kLsramBase;  // where their wrapping images end
constexpr std::uint8_t kGarbage = 0xEE;

bool in(std::uint32_t address, std::uint32_t begin, std::uint32_t end) {
  return address >= begin && address < end;
}

std::string describe(const Flight& flight) {
  return fmt::format(
      "the DMA request of TEC {} at pc {:#010x}, which is not known to be finished (wait for its flag)",
      flight.tec, flight.pc);
}

// Control registers (tec-semantics.md 2.4).
constexpr unsigned kIdentity = 0x00, kParameter0 = 0x14, kParameter1 = 0x15, kFlagsBusy = 0x30,
                   kCacheCommand = 0x82, kCycle = 0xD1;
constexpr unsigned kEnable0 = 0x02, kEnable1 = 0x10;  // space 1
constexpr std::uint32_t kEnableBit = 1u << 31, kWriteBackBit = 1u << 2, kIdentityBit = 1u << 8;

// The indices that the vendor's simulator implements; those without a known meaning keep what is written.
constexpr std::uint8_t kSpace0[] = {0x00, 0x01, 0x10, 0x14, 0x30, 0x31, 0x32, 0x33, 0x40, 0x41,
                                    0x44, 0x45, 0x80, 0x81, 0x82, 0x90, 0x91, 0x92, 0x93, 0xD0,
                                    0xD1, 0xE0, 0xE1, 0xE2, 0xE3, 0xE8, 0xE9, 0xEA, 0xEB, 0xF0};
constexpr std::uint8_t kSpace1[] = {0x00, 0x01, 0x02, 0x03, 0x10, 0x11, 0x80, 0x81, 0x82, 0x83};
constexpr std::uint8_t kSpace2[] = {0x00, 0x02, 0x03, 0x04, 0x30, 0x31, 0x40, 0x42, 0x43, 0x44, 0x70, 0x71};

bool implemented(unsigned space, unsigned index, bool flat) {
  if (space == 0 && index == kParameter1) return flat;
  const std::span<const std::uint8_t> list = space == 0   ? std::span<const std::uint8_t>(kSpace0)
                                             : space == 1 ? std::span<const std::uint8_t>(kSpace1)
                                                          : std::span<const std::uint8_t>(kSpace2);
  return std::find(list.begin(), list.end(), index) != list.end();
}

}  // namespace

void Tec::load(std::uint32_t address, std::uint8_t* data, unsigned bytes, unsigned slot) {
  registers_.slow_access = true;
  if (misaligned(address, bytes, slot)) return;
  if (in(address, part::kLsramBase, kLsramEnd)) return load_lsram(address, data, bytes, slot);
  if (in(address, part::kGsramBase, kGsramEnd)) return load_gsram(address, data, bytes, slot);
  load_ddr(address, data, bytes, slot);
}

void Tec::store(std::uint32_t address, const std::uint8_t* data, unsigned bytes, unsigned slot) {
  registers_.slow_access = true;
  if (misaligned(address, bytes, slot)) return;
  if (in(address, part::kLsramBase, kLsramEnd)) return store_lsram(address, data, bytes, slot);
  if (in(address, part::kGsramBase, kGsramEnd)) return store_gsram(address, data, bytes, slot);
  store_ddr(address, data, bytes, slot);
}

bool Tec::misaligned(std::uint32_t address, unsigned bytes, unsigned slot) {
  if (address % bytes == 0) return false;
  return diagnose(static_cast<int>(slot),
                  fmt::format("address {:#010x} is not a multiple of {}", address, bytes));
}

void Tec::load_lsram(std::uint32_t address, std::uint8_t* data, unsigned bytes, unsigned slot) {
  const std::uint32_t offset = address - part::kLsramBase;
  if (offset + bytes > lsram_.size() &&
      diagnose(static_cast<int>(slot),
               fmt::format("address {:#010x} is beyond the {} KiB of LSRAM", address, lsram_.size() / 1024)))
    return;
  if (core_.shared.options.diagnose)
    if (const Flight* flight = core_.flights.race(index_, Place::kLsram, offset, bytes, false)) {
      diagnose(static_cast<int>(slot),
               fmt::format("loads from {:#010x} while it is written by {}", address, describe(*flight)));
      return;
    }
  for (unsigned i = 0; i < bytes; ++i) data[i] = lsram_[(offset + i) % lsram_.size()];  // wraps on the part
}

void Tec::store_lsram(std::uint32_t address, const std::uint8_t* data, unsigned bytes, unsigned slot) {
  const std::uint32_t offset = address - part::kLsramBase;
  if (offset + bytes > lsram_.size() &&
      diagnose(static_cast<int>(slot),
               fmt::format("address {:#010x} is beyond the {} KiB of LSRAM", address, lsram_.size() / 1024)))
    return;
  if (core_.shared.options.diagnose)
    if (const Flight* flight = core_.flights.race(index_, Place::kLsram, offset, bytes, true)) {
      diagnose(static_cast<int>(slot), fmt::format("stores to {:#010x} while it is read or written by {}",
                                                   address, describe(*flight)));
      return;
    }
  for (unsigned i = 0; i < bytes; ++i) lsram_[(offset + i) % lsram_.size()] = data[i];
}

void Tec::load_gsram(std::uint32_t address, std::uint8_t* data, unsigned bytes, unsigned slot) {
  const std::uint32_t offset = address - part::kGsramBase;
  ++gsram_loads_;
  if (offset + bytes > core_.gsram.size()) {
    if (diagnose(static_cast<int>(slot), fmt::format("address {:#010x} is beyond the {} KiB of GSRAM",
                                                     address, core_.gsram.size() / 1024)))
      return;
    std::memset(data, kGarbage, bytes);
    return;
  }
  if (core_.shared.memory.gm_on()) {
    if (diagnose(static_cast<int>(slot),
                 fmt::format("address {:#010x} is in GSRAM, which reads as empty while GM is on", address)))
      return;
    std::memset(data, 0, bytes);
    return;
  }
  if (core_.shared.options.diagnose && core_.gsram_hazard[offset / kGranuleBytes] != 0)
    if (const Flight* flight = core_.flights.race(index_, Place::kGsram, offset, bytes, false)) {
      diagnose(static_cast<int>(slot),
               fmt::format("loads from {:#010x} while it is written by {}", address, describe(*flight)));
      return;
    }
  std::memcpy(data, core_.gsram.data() + offset, bytes);
  // What another TEC stored is not there before it was stored.
  clock_.wait(core_.gsram_written[offset / kGranuleBytes]);
  charge(slot, true, bytes, isa::kRemoteLoadLatency);
}

void Tec::store_gsram(std::uint32_t address, const std::uint8_t* data, unsigned bytes, unsigned slot) {
  const std::uint32_t offset = address - part::kGsramBase;
  ++core_.gsram_stores;
  if (offset + bytes > core_.gsram.size()) {
    diagnose(static_cast<int>(slot), fmt::format("address {:#010x} is beyond the {} KiB of GSRAM", address,
                                                 core_.gsram.size() / 1024));
    return;
  }
  if (core_.shared.memory.gm_on()) {
    diagnose(static_cast<int>(slot),
             fmt::format("address {:#010x} is in GSRAM, which cannot be used while GM is on", address));
    return;
  }
  if (core_.shared.options.diagnose && core_.gsram_hazard[offset / kGranuleBytes] != 0)
    if (const Flight* flight = core_.flights.race(index_, Place::kGsram, offset, bytes, true)) {
      diagnose(static_cast<int>(slot), fmt::format("stores to {:#010x} while it is read or written by {}",
                                                   address, describe(*flight)));
      return;
    }
  std::memcpy(core_.gsram.data() + offset, data, bytes);
  core_.gsram_written[offset / kGranuleBytes] = clock_.cycle() + 1;
  charge(slot, false, bytes, 0);
}

void Tec::load_ddr(std::uint32_t address, std::uint8_t* data, unsigned bytes, unsigned slot) {
  std::uint64_t bus = 0;
  SystemMemory& memory = core_.shared.memory;
  if (const Fault fault = memory.translate(0, address, bytes, false, bus); fault != Fault::kNone) {
    memory_fault(static_cast<int>(slot), fmt::format("load from {:#010x}: {}", address, fault_reason(fault)));
    return;
  }
  if (core_.shared.options.diagnose && !core_.flights.empty())
    if (const Flight* flight = core_.flights.race(index_, Place::kBus, bus, bytes, false)) {
      diagnose(static_cast<int>(slot),
               fmt::format("loads from {:#010x} while it is written by {}", address, describe(*flight)));
      return;
    }
  if (memory.in_gm(bus)) {
    memory.read(bus, {data, bytes});
    charge(slot, true, bytes, isa::kRemoteLoadLatency);
    return;
  }
  for (unsigned at = 0; at < bytes;) {
    DataCache::Line* line = core_.cache.get(bus + at);
    if (line == nullptr) {
      memory_fault(static_cast<int>(slot), fmt::format("load from {:#010x} (bus address {:#x}): {}", address,
                                                       bus, fault_reason(Fault::kUnmapped)));
      return;
    }
    if (line->stale &&
        diagnose(static_cast<int>(slot),
                 fmt::format("loads from {:#010x}, a cached line that DMA has since changed in memory; "
                             "the cache still holds the old bytes",
                             address)))
      return;
    const unsigned from = static_cast<unsigned>((bus + at) % kLineBytes),
                   part = std::min(bytes - at, kLineBytes - from);
    std::memcpy(data + at, line->data.data() + from, part);
    at += part;
  }
  if (core_.shared.options.timing) remote_[remotes_++] = {slot, cached_cost(bus)};
}

void Tec::store_ddr(std::uint32_t address, const std::uint8_t* data, unsigned bytes, unsigned slot) {
  std::uint64_t bus = 0;
  SystemMemory& memory = core_.shared.memory;
  if (const Fault fault = memory.translate(0, address, bytes, true, bus); fault != Fault::kNone) {
    memory_fault(static_cast<int>(slot), fmt::format("store to {:#010x}: {}", address, fault_reason(fault)));
    return;
  }
  if (memory.in_gm(bus)) {
    memory.write(bus, {data, bytes});
    charge(slot, false, bytes, 0);
    return;
  }
  if (!core_.stores_visible) {
    diagnose(
        static_cast<int>(slot),
        fmt::format("store to {:#010x}: no segment-MMU block set up core {}, its stores never become visible",
                    address, core_.index));
    return;
  }
  if (core_.shared.options.diagnose && !core_.flights.empty())
    if (const Flight* flight = core_.flights.race(index_, Place::kBus, bus, bytes, true)) {
      diagnose(static_cast<int>(slot), fmt::format("stores to {:#010x} while it is read or written by {}",
                                                   address, describe(*flight)));
      return;
    }
  for (unsigned at = 0; at < bytes;) {
    DataCache::Line* line = core_.cache.get(bus + at);
    if (line == nullptr) {
      memory_fault(static_cast<int>(slot), fmt::format("store to {:#010x} (bus address {:#x}): {}", address,
                                                       bus, fault_reason(Fault::kUnmapped)));
      return;
    }
    if (line->stale &&
        diagnose(static_cast<int>(slot),
                 fmt::format("stores to {:#010x}, a cached line that DMA has since changed in memory; "
                             "writing the line back undoes the change",
                             address)))
      return;
    if (core_.shared.options.diagnose)
      if (const int other = core_.shared.owners.store(line->address, core_.index); other >= 0) {
        diagnose(static_cast<int>(slot),
                 fmt::format(
                     "stores to {:#010x}: core {} wrote to the same 64-byte line without a barrier between; "
                     "the bytes of one core are lost",
                     address, other));
        return;
      }
    const unsigned from = static_cast<unsigned>((bus + at) % kLineBytes),
                   part = std::min(bytes - at, kLineBytes - from);
    std::memcpy(line->data.data() + from, data + at, part);
    line->dirty = true;
    line->tec = static_cast<std::uint8_t>(index_);
    line->pc = current_->pc;
    at += part;
  }
  if (core_.shared.options.timing) {
    const std::uint64_t cost = cached_cost(bus);
    if (cost > kCacheHitL1) clock_.occupy(static_cast<unsigned>(5 * cost));  // the line is fetched first
  }
}

void Tec::charge(unsigned slot, bool is_load, unsigned bytes, unsigned latency) {
  if (!core_.shared.options.timing) return;
  if (bytes == kVectorBytes) clock_.occupy(kSharedVectorFifths - 5);
  if (is_load) remote_[remotes_++] = {slot, latency};
}

// Cycles until a cached load delivers; misses queue up.
std::uint64_t Tec::cached_cost(std::uint64_t bus) {
  switch (core_.tags.access(bus)) {
    case CacheTags::Level::kL1:
      return kCacheHitL1;
    case CacheTags::Level::kL2:
      return kCacheHitL2;
    case CacheTags::Level::kMemory:
      break;
  }
  memory_free_ = std::max(memory_free_, clock_.cycle()) + kCacheMiss;
  return memory_free_ - clock_.cycle();
}

bool Tec::read_control(unsigned space, unsigned index, std::uint32_t& value) {
  registers_.slow_access = true;
  if (!implemented(space, index, start_.flat)) {
    diagnose(
        0, fmt::format("control register {}.{:#04x} is not implemented; the destination would keep its value",
                       space, index));
    return false;
  }
  value = control_[space][index];
  if (space != 0) return true;
  switch (index) {
    case kIdentity:
      value = index_ << 16 | kIdentityBit | start_.task;
      break;
    case kParameter0:
      value = start_.parameter0;
      break;
    case kParameter1:
      value = start_.parameter1;
      break;
    case kFlagsBusy: {
      // As if the program had polled until the requests are done.
      bool any = false, never = false;
      clock_.wait_for_dma(core_.flights.complete(index_, kAllFlags, any, never));
      value = never ? core_.flights.busy(index_) : 0;
      break;
    }
    case kCacheCommand:
      clock_.wait(write_back_done_);
      value = control_[space][index] & ~kWriteBackBit;
      break;
    case kCycle:
      value = static_cast<std::uint32_t>(clock_.cycle());
      break;
    default:
      break;
  }
  return true;
}

void Tec::write_control(unsigned space, unsigned index, std::uint32_t value) {
  registers_.slow_access = true;
  if (!implemented(space, index, start_.flat)) {
    diagnose(0, fmt::format("control register {}.{:#04x} is not implemented; the write has no effect", space,
                            index));
    return;
  }
  control_[space][index] = value;
  if (space == 0 && index == kCacheCommand && (value & kWriteBackBit) != 0) {
    const unsigned lines = core_.cache.write_back();
    if (const std::optional<std::uint64_t> refused = core_.cache.take_refused()) {
      memory_fault(0, refused_line(*refused));
      return;
    }
    if (core_.shared.options.timing) write_back_done_ = clock_.cycle() + kWriteBack + kWriteBackLine * lines;
  }
  if (space == 1 && (index == kEnable0 || index == kEnable1)) {
    const bool enabled = (control_[1][kEnable0] & control_[1][kEnable1] & kEnableBit) != 0;
    attention_ =
        static_cast<std::uint16_t>(enabled ? attention_ & ~kFlagArithmetic : attention_ | kFlagArithmetic);
  }
}

}  // namespace zynpu::vnpu
