// SPDX-License-Identifier: MIT
#include "vfio/config_space.h"

#include <algorithm>

namespace zynpu::vfio {
namespace {

constexpr std::uint32_t kCommand = 0x04, kStatus = 0x06, kClass = 0x0B, kCacheLine = 0x0C, kBar0 = 0x10,
                        kSubsystemVendor = 0x2C, kSubsystem = 0x2E, kCapabilities = 0x34,
                        kInterruptLine = 0x3C, kInterruptPin = 0x3D;
constexpr std::uint8_t kMsiId = 0x05, kVendorSpecificId = 0x09, kMsixId = 0x11;
constexpr std::uint32_t kVendorCapabilityBytes = 16;

}  // namespace

std::uint16_t subsystem_id(const part::Part& part) {
  switch (part.host_interface) {
    case part::HostInterface::kFlat:
      return 1;
    case part::HostInterface::kFlatAse:
      return 2;
    case part::HostInterface::kTsm:
      return 3;
  }
  return 0;
}

ConfigSpace::ConfigSpace(const part::Part& part, InterruptKind kind) {
  put(0x00, kVendorId, 2);
  put(0x02, kDeviceId, 2);
  put(kStatus, 0x10, 2);  // there are capabilities
  put(kClass, kClassCode, 1);
  put(kSubsystemVendor, kVendorId, 2);
  put(kSubsystem, subsystem_id(part), 2);
  put(kInterruptPin, 1, 1);
  writable(kCommand, 0x0547, 2);
  writable(kCacheLine, 0xFF, 1);
  writable(kBar0, ~(kBarBytes - 1), 4);
  writable(kInterruptLine, 0xFF, 1);

  std::uint8_t first = kVendorCapability;
  constexpr std::uint32_t at = kInterruptCapability;
  if (kind == InterruptKind::kMsix) {
    put(at, kMsixId | kVendorCapability << 8, 2);
    put(at + 4, kMsixTable, 4);
    put(at + 8, kMsixPending, 4);
    writable(at + 2, 0xC000, 2);
    first = kInterruptCapability;
  } else if (kind == InterruptKind::kMsi) {
    put(at, kMsiId | kVendorCapability << 8, 2);
    put(at + 2, 0x0080, 2);  // 64-bit address, one vector
    writable(at + 2, 0x0071, 2);
    writable(at + 4, 0xFFFFFFFC, 4);
    writable(at + 8, 0xFFFFFFFF, 4);
    writable(at + 12, 0xFFFF, 2);
    first = kInterruptCapability;
  }
  put(kCapabilities, first, 1);
  put(kVendorCapability, kVendorSpecificId | kVendorCapabilityBytes << 16, 4);
  writable(kInjectionCommand, 0xFFFFFFFF, 4);
  writable(kInjectionArgument, 0xFFFFFFFF, 4);
  start_ = values_;
}

void ConfigSpace::put(std::uint32_t offset, std::uint32_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) values_[offset + i] = static_cast<std::uint8_t>(value >> (8 * i));
}

void ConfigSpace::writable(std::uint32_t offset, std::uint32_t mask, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) mask_[offset + i] = static_cast<std::uint8_t>(mask >> (8 * i));
}

std::uint32_t ConfigSpace::word(std::uint32_t offset) const {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < 4; ++i) value |= static_cast<std::uint32_t>(values_[offset + i]) << (8 * i);
  return value;
}

void ConfigSpace::read(std::uint32_t offset, std::span<std::uint8_t> data) const {
  std::copy_n(values_.begin() + offset, data.size(), data.begin());
}

void ConfigSpace::write(std::uint32_t offset, std::span<const std::uint8_t> data) {
  for (std::size_t i = 0; i < data.size(); ++i) {
    const std::uint8_t mask = mask_[offset + i];
    values_[offset + i] = static_cast<std::uint8_t>((values_[offset + i] & ~mask) | (data[i] & mask));
  }
}

bool ConfigSpace::injects(std::uint32_t offset, std::size_t bytes) {
  return offset < kInjectionCommand + 4u && offset + bytes > kInjectionCommand;
}

void ConfigSpace::reset() { values_ = start_; }

}  // namespace zynpu::vfio
