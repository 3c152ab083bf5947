// SPDX-License-Identifier: MIT
#include "vnpu/memory.h"

#include <algorithm>
#include <cstring>

namespace zynpu::vnpu {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint8_t kPoison = 0xA5;

}  // namespace

std::string_view fault_reason(Fault fault) {
  switch (fault) {
    case Fault::kNone:
      return "no fault";
    case Fault::kOutside:
      return "outside the window of its address space";
    case Fault::kNotReadable:
      return "the address space is not readable";
    case Fault::kNotWritable:
      return "the address space is not writable";
    case Fault::kUnmapped:
      return "no memory is mapped there";
  }
  return "";
}

SystemMemory::SystemMemory(Bus& bus, std::uint32_t gm_bytes) : bus_(bus), gm_(gm_bytes, kPoison) {}

void SystemMemory::set_window(unsigned space, const Window& window) {
  windows_[space] = window;
  refresh();
}

void SystemMemory::set_gm(std::span<const GmRemap> remaps) {
  remaps_.assign(remaps.begin(), remaps.end());
  refresh();
}

void SystemMemory::refresh() { pages_.fill(CachedPage{}); }

void SystemMemory::poison_gm() { std::fill(gm_.begin(), gm_.end(), kPoison); }

Fault SystemMemory::translate(unsigned space, std::uint32_t address, std::uint64_t bytes, bool write,
                              std::uint64_t& bus) const {
  const Window& window = windows_[space];
  if (address + bytes > window.bytes) return Fault::kOutside;
  if (write && !window.writable) return Fault::kNotWritable;
  if (!write && !window.readable) return Fault::kNotReadable;
  bus = window.base + address;
  return Fault::kNone;
}

const GmRemap* SystemMemory::find_remap(std::uint64_t bus) const {
  for (const GmRemap& remap : remaps_)
    if (bus - remap.base < remap.bytes) return &remap;
  return nullptr;
}

std::uint8_t* SystemMemory::page(std::uint64_t bus) {
  const std::uint64_t number = bus / kPage;
  CachedPage& cached = pages_[number % pages_.size()];
  if (cached.number != number) {
    cached.number = number;
    const GmRemap* remap = find_remap(bus);
    cached.host = remap != nullptr ? gm_.data() + remap->offset + (number * kPage - remap->base)
                                   : bus_.direct(number * kPage, kPage);
  }
  return cached.host;
}

std::uint8_t* SystemMemory::direct(std::uint64_t bus, std::uint64_t bytes) {
  if (bus / kPage == (bus + bytes - 1) / kPage) {
    std::uint8_t* host = page(bus);
    return host == nullptr ? nullptr : host + bus % kPage;
  }
  for (const GmRemap& remap : remaps_) {
    if (bus >= remap.base + remap.bytes || bus + bytes <= remap.base) continue;
    const bool inside = bus >= remap.base && bus + bytes <= remap.base + remap.bytes;
    return inside ? gm_.data() + remap.offset + (bus - remap.base) : nullptr;
  }
  return bus_.direct(bus, bytes);
}

bool SystemMemory::read(std::uint64_t bus, std::span<std::uint8_t> data) {
  while (!data.empty()) {
    const auto part = std::min<std::uint64_t>(data.size(), kPage - bus % kPage);
    if (const std::uint8_t* host = page(bus)) {
      std::memcpy(data.data(), host + bus % kPage, part);
    } else if (!bus_.read(bus, data.first(part))) {
      return false;
    }
    bus += part;
    data = data.subspan(part);
  }
  return true;
}

bool SystemMemory::write(std::uint64_t bus, std::span<const std::uint8_t> data) {
  while (!data.empty()) {
    const auto part = std::min<std::uint64_t>(data.size(), kPage - bus % kPage);
    if (std::uint8_t* host = page(bus)) {
      std::memcpy(host + bus % kPage, data.data(), part);
    } else if (!bus_.write(bus, data.first(part))) {
      return false;
    }
    bus += part;
    data = data.subspan(part);
  }
  return true;
}

}  // namespace zynpu::vnpu
