// SPDX-License-Identifier: MIT
// The client's memory as the device may reach it: ranges of bus addresses, mapped into this process where the
// client gave a file descriptor, served by messages where it did not (vm-lab.md 5.6).
#pragma once

#include <cstdint>
#include <map>
#include <span>

#include "base/error.h"
#include "vfio/file_descriptor.h"

namespace zynpu::vfio {

// Not thread-safe: the engine's lock is held over every call.
class GuestMemory {
 public:
  GuestMemory() = default;
  GuestMemory(const GuestMemory&) = delete;
  GuestMemory& operator=(const GuestMemory&) = delete;
  ~GuestMemory() { clear(); }

  // Adds [address, address + bytes). Without a descriptor the range is served by messages. Refuses, with an
  // errno of EINVAL (form), EEXIST (overlap), ENOSPC (too many ranges) or that of mmap; 0: done.
  int map(std::uint64_t address, std::uint64_t bytes, std::uint64_t offset, const FileDescriptor& fd,
          bool readable, bool writable);
  // Removes all ranges that lie inside [address, address + bytes). ENOENT if there are none, EINVAL if one
  // lies across the border.
  int unmap(std::uint64_t address, std::uint64_t bytes);
  void clear();

  enum class Kind { kNone, kMapped, kRemote };
  struct Place {
    Kind kind = Kind::kNone;
    std::uint8_t* host = nullptr;  // kMapped
    std::uint64_t bytes = 0;       // to the end of the range
  };
  // What is at `address`, if it may be accessed that way.
  Place find(std::uint64_t address, bool write) const;

  std::size_t ranges() const { return ranges_.size(); }

 private:
  struct Range {
    std::uint64_t bytes = 0;
    std::uint8_t* host = nullptr;  // nullptr: by messages
    bool readable = false, writable = false;
  };
  std::map<std::uint64_t, Range> ranges_;  // by address
};

}  // namespace zynpu::vfio
