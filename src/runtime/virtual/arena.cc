// SPDX-License-Identifier: MIT
#include "runtime/virtual/arena.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

namespace zynpu::runtime {
namespace {

constexpr std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}

}  // namespace

std::uint64_t bus_base(const part::Part& part) {
  return part.host_interface == part::HostInterface::kFlat ? 0 : 0x4'0000'0000;
}

class Arena::ArenaBuffer final : public Buffer {
 public:
  ArenaBuffer(Arena& arena, std::uint32_t address, std::uint64_t bytes, std::uint32_t mapped)
      : arena_(arena), address_(address), mapped_(mapped), bytes_(bytes) {}
  ~ArenaBuffer() override { arena_.release(address_, mapped_); }
  std::span<std::uint8_t> host() override { return {arena_.memory_ + address_, bytes_}; }
  std::uint32_t device_address() const override { return address_; }
  std::uint64_t bytes() const override { return bytes_; }
  std::uint64_t bus_address() const override { return arena_.base_ + address_; }

 private:
  Arena& arena_;
  std::uint32_t address_;
  std::uint32_t mapped_;
  std::uint64_t bytes_;
};

Result<std::unique_ptr<Arena>> Arena::create(const part::Part& part) {
  const std::uint64_t window = part.window_bytes;
  void* memory = mmap(nullptr, window, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    return fail(ErrorCode::kOutOfMemory,
                "cannot reserve {} MiB of address space for the memory of virtual {}: {}", window >> 20,
                part.name, std::strerror(errno));
  return std::unique_ptr<Arena>(new Arena(bus_base(part), window, static_cast<std::uint8_t*>(memory)));
}

Arena::Arena(std::uint64_t base, std::uint64_t window, std::uint8_t* memory)
    : base_(base), window_(window), memory_(memory), mapped_(window / kPageBytes) {}

Arena::~Arena() { munmap(memory_, window_); }

Result<std::unique_ptr<Buffer>> Arena::allocate(std::uint64_t bytes, std::uint64_t alignment) {
  if (bytes == 0) return fail(ErrorCode::kInvalidArgument, "device buffer of 0 bytes");
  if (!std::has_single_bit(alignment))
    return fail(ErrorCode::kInvalidArgument, "device buffer alignment {} is not a power of two", alignment);
  if (bytes > window_ || alignment > window_)
    return fail(ErrorCode::kOutOfMemory, "device buffer of {} bytes, aligned to {}: the window has {}", bytes,
                alignment, window_);
  alignment = std::max<std::uint64_t>(alignment, kPageBytes);
  const std::uint64_t mapped = align_up(bytes + kOverreadBytes, kPageBytes);

  std::lock_guard lock(mutex_);
  const std::uint64_t address = find(mapped, alignment);
  if (address == 0)
    return fail(ErrorCode::kOutOfMemory, "device memory exhausted: {} bytes asked for, {} of {} in use",
                bytes, allocated_, window_);
  if (mprotect(memory_ + address, mapped, PROT_READ | PROT_WRITE) != 0)
    return fail(ErrorCode::kOutOfMemory, "cannot map {} bytes of device memory: {}", mapped,
                std::strerror(errno));
  return book(address, bytes, mapped);
}

Result<std::unique_ptr<Buffer>> Arena::import(int fd) {
  struct stat status {};
  if (fstat(fd, &status) != 0)
    return fail(ErrorCode::kInvalidArgument, "file descriptor {}: {}", fd, std::strerror(errno));
  if (S_ISREG(status.st_mode)) {
    if (const int seals = fcntl(fd, F_GET_SEALS); seals < 0 || (seals & F_SEAL_SHRINK) == 0)
      return fail(
          ErrorCode::kInvalidArgument,
          "file descriptor {} is of a file that may shrink; share a dma-buf or a memfd sealed against "
          "shrinking",
          fd);
  }
  const off_t size = lseek(fd, 0, SEEK_END);
  if (size <= 0 || size % kPageBytes != 0 || static_cast<std::uint64_t>(size) > window_)
    return fail(ErrorCode::kInvalidArgument, "file descriptor {}: a size of {} bytes is not whole pages", fd,
                size);
  const auto bytes = static_cast<std::uint64_t>(size);
  std::lock_guard lock(mutex_);
  const std::uint64_t address = find(bytes, kPageBytes);
  if (address == 0)
    return fail(ErrorCode::kOutOfMemory, "no room for {} shared bytes in the device's window", bytes);
  if (mmap(memory_ + address, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
    return fail(ErrorCode::kInvalidArgument, "cannot map file descriptor {}: {}", fd, std::strerror(errno));
  return book(address, bytes, bytes);
}

// First fit; an unmapped page stays behind each buffer, so that running off its end is a fault.
std::uint64_t Arena::find(std::uint64_t mapped, std::uint64_t alignment) const {
  std::uint64_t address = align_up(kFirstAddress, alignment);
  for (const auto& [begin, size] : used_) {
    if (address + mapped + kPageBytes <= begin) break;
    address = std::max(address, align_up(std::uint64_t{begin} + size + kPageBytes, alignment));
  }
  return address + mapped > window_ ? 0 : address;
}

std::unique_ptr<Buffer> Arena::book(std::uint64_t address, std::uint64_t bytes, std::uint64_t mapped) {
  used_.emplace(static_cast<std::uint32_t>(address), static_cast<std::uint32_t>(mapped));
  allocated_ += mapped;
  for (std::uint64_t page = address / kPageBytes; page < (address + mapped) / kPageBytes; ++page)
    mapped_[page].store(1, std::memory_order_release);
  return std::make_unique<ArenaBuffer>(*this, static_cast<std::uint32_t>(address), bytes,
                                       static_cast<std::uint32_t>(mapped));
}

void Arena::release(std::uint32_t address, std::uint32_t bytes) {
  std::lock_guard lock(mutex_);
  for (std::uint64_t page = address / kPageBytes; page < (std::uint64_t{address} + bytes) / kPageBytes;
       ++page)
    mapped_[page].store(0, std::memory_order_release);
  // A fresh reservation over the range gives the pages back and makes the next owner's read as zero.
  // Should the host refuse, the range only stays mapped until the arena goes.
  static_cast<void>(mmap(memory_ + address, bytes, PROT_NONE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0));
  used_.erase(address);
  allocated_ -= bytes;
}

std::uint64_t Arena::allocated_bytes() const {
  std::lock_guard lock(mutex_);
  return allocated_;
}

std::uint8_t* Arena::direct(std::uint64_t address, std::uint64_t bytes) {
  if (address < base_) return nullptr;
  const std::uint64_t offset = address - base_;
  if (offset > window_ || bytes > window_ - offset) return nullptr;
  if (bytes == 0) return memory_ + offset;
  for (std::uint64_t page = offset / kPageBytes; page <= (offset + bytes - 1) / kPageBytes; ++page)
    if (mapped_[page].load(std::memory_order_acquire) == 0) return nullptr;
  return memory_ + offset;
}

bool Arena::read(std::uint64_t address, std::span<std::uint8_t> data) {
  const std::uint8_t* source = direct(address, data.size());
  if (source == nullptr) return false;
  std::copy_n(source, data.size(), data.data());
  return true;
}

bool Arena::write(std::uint64_t address, std::span<const std::uint8_t> data) {
  std::uint8_t* target = direct(address, data.size());
  if (target == nullptr) return false;
  std::copy(data.begin(), data.end(), target);
  return true;
}

}  // namespace zynpu::runtime
