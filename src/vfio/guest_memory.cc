// SPDX-License-Identifier: MIT
#include "vfio/guest_memory.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <iterator>

#include "vfio/protocol.h"

namespace zynpu::vfio {
namespace {

// As many as the client may hold by default (vm-lab.md 5.2).
constexpr std::size_t kMaxRanges = 65535;

}  // namespace

int GuestMemory::map(std::uint64_t address, std::uint64_t bytes, std::uint64_t offset,
                     const FileDescriptor& fd, bool readable, bool writable) {
  if (bytes == 0 || address % kPage != 0 || bytes % kPage != 0 || bytes - 1 > UINT64_MAX - address)
    return EINVAL;
  const auto next = ranges_.lower_bound(address);
  if (next != ranges_.end() && next->first - address < bytes) return EEXIST;
  if (next != ranges_.begin()) {
    const auto& [begin, range] = *std::prev(next);
    if (address - begin < range.bytes) return EEXIST;
  }
  if (ranges_.size() >= kMaxRanges) return ENOSPC;
  Range range{.bytes = bytes, .host = nullptr, .readable = readable, .writable = writable};
  if (fd) {
    // An access behind the end of the file would end this process.
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) return errno;
    const auto file_bytes = static_cast<std::uint64_t>(status.st_size);
    if (offset % kPage != 0 || offset > file_bytes || bytes > file_bytes - offset) return EINVAL;
    const int protection = (readable ? PROT_READ : 0) | (writable ? PROT_WRITE : 0);
    void* host = ::mmap(nullptr, bytes, protection, MAP_SHARED, fd.get(), static_cast<off_t>(offset));
    if (host == MAP_FAILED) return errno;
    range.host = static_cast<std::uint8_t*>(host);
  }
  ranges_.emplace(address, range);
  return 0;
}

int GuestMemory::unmap(std::uint64_t address, std::uint64_t bytes) {
  if (bytes == 0 || bytes - 1 > UINT64_MAX - address) return EINVAL;
  const auto first = ranges_.lower_bound(address);
  if (first != ranges_.begin()) {
    const auto& [begin, range] = *std::prev(first);
    if (address - begin < range.bytes) return EINVAL;
  }
  auto last = first;
  for (; last != ranges_.end() && last->first - address < bytes; ++last)
    if (last->second.bytes > bytes - (last->first - address)) return EINVAL;
  if (first == last) return ENOENT;
  for (auto it = first; it != last; ++it)
    if (it->second.host != nullptr) ::munmap(it->second.host, it->second.bytes);
  ranges_.erase(first, last);
  return 0;
}

void GuestMemory::clear() {
  for (const auto& [address, range] : ranges_)
    if (range.host != nullptr) ::munmap(range.host, range.bytes);
  ranges_.clear();
}

GuestMemory::Place GuestMemory::find(std::uint64_t address, bool write) const {
  auto after = ranges_.upper_bound(address);
  if (after == ranges_.begin()) return {};
  const auto& [begin, range] = *std::prev(after);
  const std::uint64_t offset = address - begin;
  if (offset >= range.bytes || !(write ? range.writable : range.readable)) return {};
  if (range.host == nullptr) return {.kind = Kind::kRemote, .host = nullptr, .bytes = range.bytes - offset};
  return {.kind = Kind::kMapped, .host = range.host + offset, .bytes = range.bytes - offset};
}

}  // namespace zynpu::vfio
