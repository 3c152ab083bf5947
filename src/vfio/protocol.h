// SPDX-License-Identifier: MIT
// The vfio-user protocol's messages as they stand on the wire (vm-lab.md 5): host byte order, natural
// alignment.
#pragma once

#include <cstdint>

namespace zynpu::vfio {

enum class Command : std::uint16_t {
  kVersion = 1,
  kDmaMap = 2,
  kDmaUnmap = 3,
  kGetInfo = 4,
  kGetRegionInfo = 5,
  kGetRegionIoFds = 6,
  kGetIrqInfo = 7,
  kSetIrqs = 8,
  kRegionRead = 9,
  kRegionWrite = 10,
  kDmaRead = 11,   // server to client
  kDmaWrite = 12,  // server to client
  kReset = 13,
  kDirtyPages = 14,
  kRegionWriteMulti = 15,
};

inline constexpr std::uint32_t kTypeMask = 0xF, kTypeRequest = 0, kTypeReply = 1, kNoReply = 1u << 4,
                               kErrorReply = 1u << 5;

struct Header {
  std::uint16_t id = 0;
  std::uint16_t command = 0;
  std::uint32_t size = 0;  // including this header
  std::uint32_t flags = 0;
  std::uint32_t error = 0;  // errno, with kErrorReply
};
static_assert(sizeof(Header) == 16);

struct DmaMap {
  std::uint32_t argsz, flags;
  std::uint64_t offset, address, bytes;
};
static_assert(sizeof(DmaMap) == 32);
inline constexpr std::uint32_t kDmaReadable = 1, kDmaWritable = 2;

struct DmaUnmap {
  std::uint32_t argsz, flags;
  std::uint64_t address, bytes;
};
static_assert(sizeof(DmaUnmap) == 24);
inline constexpr std::uint32_t kUnmapDirtyBitmap = 1, kUnmapAll = 2;

struct DeviceInfo {
  std::uint32_t argsz, flags, regions, irqs;
};
static_assert(sizeof(DeviceInfo) == 16);
inline constexpr std::uint32_t kDeviceReset = 1, kDevicePci = 2;

struct RegionInfo {
  std::uint32_t argsz, flags, index, cap_offset;
  std::uint64_t bytes, offset;
};
static_assert(sizeof(RegionInfo) == 32);
inline constexpr std::uint32_t kRegionReadable = 1, kRegionWritable = 2;
inline constexpr std::uint32_t kBar0Region = 0, kConfigRegion = 7, kRegions = 9;

struct IrqInfo {
  std::uint32_t argsz, flags, index, count;
};
static_assert(sizeof(IrqInfo) == 16);
inline constexpr std::uint32_t kIrqEventfd = 1, kIrqMaskable = 2, kIrqAutomasked = 4, kIrqNoResize = 8;
inline constexpr std::uint32_t kIntxIndex = 0, kMsiIndex = 1, kMsixIndex = 2, kIrqs = 5;

struct SetIrqs {
  std::uint32_t argsz, flags, index, start, count;
};
static_assert(sizeof(SetIrqs) == 20);
inline constexpr std::uint32_t kDataNone = 1, kDataBool = 2, kDataEventfd = 4, kActionMask = 8,
                               kActionUnmask = 0x10, kActionTrigger = 0x20;

// Of REGION_READ and REGION_WRITE; data follows.
struct RegionAccess {
  std::uint64_t offset;
  std::uint32_t region, count;
};
static_assert(sizeof(RegionAccess) == 16);

// Of DMA_READ and DMA_WRITE; data follows.
struct DmaAccess {
  std::uint64_t address, count;
};
static_assert(sizeof(DmaAccess) == 16);

// What we tell the client of ourselves; longer than its request it must not be (vm-lab.md 5.1).
inline constexpr char kCapabilities[] =
    R"({"capabilities":{"max_msg_fds":8,"max_data_xfer_size":1048576,"pgsizes":4096}})";
inline constexpr std::uint32_t kMaxTransfer = 1 << 20;
inline constexpr std::uint32_t kMaxMessage = kMaxTransfer + 4096;
inline constexpr unsigned kMaxFds = 8;
inline constexpr std::uint64_t kPage = 4096;

}  // namespace zynpu::vfio
