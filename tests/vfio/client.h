// SPDX-License-Identifier: MIT
// Requests as QEMU makes them (vm-lab.md 5), for a session without a socket and for one behind a socket.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "vfio/session.h"

namespace zynpu::vfio {

inline constexpr char kQemuVersion[] =
    R"({"capabilities": {"pgsizes": 4096, "max_msg_fds": 16, "max_dma_maps": 65535, "max_data_xfer_size": 1048576, )"
    R"("migration": {"max_bitmap_size": 268435456, "pgsize": 4096}, "write_multiple": true}})";

template <class T>
std::vector<std::uint8_t> bytes_of(const T& value) {
  const auto* begin = reinterpret_cast<const std::uint8_t*>(&value);
  return {begin, begin + sizeof value};
}

inline std::vector<std::uint8_t> version_payload(std::uint16_t major = 0) {
  std::vector<std::uint8_t> payload(4 + sizeof kQemuVersion);
  payload[0] = static_cast<std::uint8_t>(major);
  std::memcpy(payload.data() + 4, kQemuVersion, sizeof kQemuVersion);
  return payload;
}

inline Message message(Command command, std::vector<std::uint8_t> payload) {
  Message made;
  made.header.command = static_cast<std::uint16_t>(command);
  made.header.size = static_cast<std::uint32_t>(sizeof(Header) + payload.size());
  made.payload = std::move(payload);
  return made;
}

inline std::vector<std::uint8_t> access(std::uint64_t offset, std::uint32_t region, std::uint32_t count,
                                        const std::vector<std::uint8_t>& data = {}) {
  const RegionAccess head{offset, region, count};
  std::vector<std::uint8_t> payload(sizeof(head) + data.size());
  std::memcpy(payload.data(), &head, sizeof(head));
  std::copy(data.begin(), data.end(), payload.begin() + sizeof(head));
  return payload;
}

// A file in memory, as QEMU's memory back end has it.
inline int memory_file(std::size_t bytes) {
  const int fd = ::memfd_create("guest", MFD_CLOEXEC);
  EXPECT_EQ(::ftruncate(fd, static_cast<off_t>(bytes)), 0);
  return fd;
}

// Memory that must not be asked for.
class NoRemote : public RemoteMemory {
 public:
  bool read(std::uint64_t, std::span<std::uint8_t>) override { return false; }
  bool write(std::uint64_t, std::span<const std::uint8_t>) override { return false; }
  void cancel() override {}
  void allow() override {}
};

}  // namespace zynpu::vfio
