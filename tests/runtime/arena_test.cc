// SPDX-License-Identifier: MIT
#include "runtime/virtual/arena.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <thread>

namespace zynpu::runtime {
namespace {

const part::Part& x2() { return *part::find("x2"); }

std::unique_ptr<Arena> make(const part::Part& part = x2()) {
  auto arena = Arena::create(part);
  EXPECT_TRUE(arena) << arena.error().message;
  return std::move(*arena);
}

TEST(Arena, GivesZeroedMemoryAtAnAlignedNonZeroAddress) {
  const auto arena = make();
  for (const std::uint64_t alignment : {1ull, 64ull, 4096ull, 1ull << 20}) {
    const auto buffer = arena->allocate(100, alignment);
    ASSERT_TRUE(buffer);
    EXPECT_NE((*buffer)->device_address(), 0u);
    EXPECT_EQ((*buffer)->device_address() % std::max<std::uint64_t>(alignment, 4096), 0u);
    EXPECT_EQ((*buffer)->bytes(), 100u);
    for (const std::uint8_t byte : (*buffer)->host()) EXPECT_EQ(byte, 0);
  }
}

TEST(Arena, RefusesNoBytesAndWrongAlignments) {
  const auto arena = make();
  EXPECT_EQ(arena->allocate(0, 4096).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(arena->allocate(16, 0).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(arena->allocate(16, 3).error().code, ErrorCode::kInvalidArgument);
}

TEST(Arena, RefusesMoreThanTheWindow) {
  const auto arena = make();
  EXPECT_EQ(arena->allocate(x2().window_bytes, 4096).error().code, ErrorCode::kOutOfMemory);
  EXPECT_EQ(arena->allocate(UINT64_MAX - 100, 4096).error().code, ErrorCode::kOutOfMemory);
  const auto most = arena->allocate(x2().window_bytes / 2, 4096);
  ASSERT_TRUE(most);
  EXPECT_EQ(arena->allocate(x2().window_bytes / 2, 4096).error().code, ErrorCode::kOutOfMemory);
}

TEST(Arena, BacksBuffersAndNothingElse) {
  const auto arena = make();
  const auto buffer = arena->allocate(4096, 4096);
  ASSERT_TRUE(buffer);
  const std::uint64_t address = bus_base(x2()) + (*buffer)->device_address();
  std::array<std::uint8_t, 16> data{1, 2, 3};
  EXPECT_TRUE(arena->write(address, data));
  EXPECT_EQ((*buffer)->host()[2], 3);
  EXPECT_TRUE(arena->read(address + 4096, data)) << "the over-read allowance is mapped";
  EXPECT_FALSE(arena->read(address - 16, data));
  EXPECT_FALSE(arena->read(address + 2 * 4096, data)) << "a page behind each buffer is not";
  EXPECT_FALSE(arena->read(address + 2 * 4096 - 8, data)) << "nor is a range that ends there";
  EXPECT_FALSE(arena->write(bus_base(x2()), data)) << "device address 0";
  EXPECT_FALSE(arena->read((*buffer)->device_address(), data)) << "without the translation";
  EXPECT_FALSE(arena->read(UINT64_MAX - 4, data));
  EXPECT_EQ(arena->direct(address, UINT64_MAX), nullptr);
  EXPECT_EQ(arena->direct(address, 100), (*buffer)->host().data());
}

TEST(Arena, HasBusAddressesEqualToDeviceAddressesOnZ1) {
  EXPECT_EQ(bus_base(*part::find("z1")), 0u);
  EXPECT_GT(bus_base(*part::find("z2")), 0xFFFFFFFFu);
  EXPECT_EQ(bus_base(x2()) & 0xFFFFFFFF, 0u);
}

TEST(Arena, GivesFreedMemoryAgainAndZeroed) {
  const auto arena = make();
  std::uint32_t first = 0;
  for (int round = 0; round < 1000; ++round) {
    const auto buffer = arena->allocate(1 << 16, 4096);
    ASSERT_TRUE(buffer);
    if (round == 0) first = (*buffer)->device_address();
    EXPECT_EQ((*buffer)->device_address(), first);
    ASSERT_EQ((*buffer)->host()[5], 0);
    (*buffer)->host()[5] = 9;
  }
  EXPECT_EQ(arena->allocated_bytes(), 0u);
  EXPECT_EQ(arena->direct(bus_base(x2()) + first, 1), nullptr);
}

TEST(Arena, FillsAHoleBetweenBuffers) {
  const auto arena = make();
  auto a = arena->allocate(4096, 4096), b = arena->allocate(1 << 20, 4096), c = arena->allocate(4096, 4096);
  ASSERT_TRUE(a && b && c);
  const std::uint32_t hole = (*b)->device_address();
  b->reset();
  const auto large = arena->allocate(2 << 20, 4096);
  ASSERT_TRUE(large);
  EXPECT_GT((*large)->device_address(), (*c)->device_address());
  const auto small = arena->allocate(1 << 20, 4096);
  ASSERT_TRUE(small);
  EXPECT_EQ((*small)->device_address(), hole);
}

int memfd(off_t bytes, int seals) {
  const int fd = memfd_create("arena_test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  EXPECT_GE(fd, 0);
  EXPECT_EQ(ftruncate(fd, bytes), 0);
  if (seals != 0) {
    EXPECT_EQ(fcntl(fd, F_ADD_SEALS, seals), 0);
  }
  return fd;
}

TEST(Arena, ImportsThePagesBehindAFileDescriptor) {
  const auto arena = make();
  const int fd = memfd(8192, F_SEAL_SHRINK);
  auto one = arena->import(fd), two = arena->import(fd);
  ASSERT_TRUE(one && two) << (one ? two : one).error().message;
  EXPECT_EQ((*one)->bytes(), 8192u);
  EXPECT_NE((*one)->device_address(), (*two)->device_address());
  (*one)->host()[5000] = 42;
  EXPECT_EQ((*two)->host()[5000], 42);
  std::uint8_t byte = 0;
  ASSERT_EQ(pread(fd, &byte, 1, 5000), 1);
  EXPECT_EQ(byte, 42);
  close(fd);
  EXPECT_EQ(arena->direct((*two)->bus_address() + 5000, 1), &(*two)->host()[5000]);
  one->reset();
  EXPECT_EQ((*two)->host()[5000], 42);
}

TEST(Arena, RefusesDescriptorsThatCouldBreakTheDevice) {
  const auto arena = make();
  EXPECT_EQ(arena->import(-1).error().code, ErrorCode::kInvalidArgument);
  for (const auto& [bytes, seals] :
       {std::pair<off_t, int>{8192, 0}, {100, F_SEAL_SHRINK}, {0, F_SEAL_SHRINK}}) {
    const int fd = memfd(bytes, seals);
    EXPECT_EQ(arena->import(fd).error().code, ErrorCode::kInvalidArgument) << bytes << " bytes";
    close(fd);
  }
  EXPECT_EQ(arena->allocated_bytes(), 0u);
}

TEST(Arena, KeepsBuffersApartWhileThreadsAllocate) {
  const auto arena = make();
  const auto worker = [&](std::uint8_t mark) {
    for (int round = 0; round < 200; ++round) {
      const auto buffer = arena->allocate(3000, 64);
      ASSERT_TRUE(buffer);
      std::fill((*buffer)->host().begin(), (*buffer)->host().end(), mark);
      std::this_thread::yield();
      for (const std::uint8_t byte : (*buffer)->host()) ASSERT_EQ(byte, mark);
    }
  };
  std::thread one(worker, 1), two(worker, 2);
  one.join();
  two.join();
  EXPECT_EQ(arena->allocated_bytes(), 0u);
}

}  // namespace
}  // namespace zynpu::runtime
