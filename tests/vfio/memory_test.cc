// SPDX-License-Identifier: MIT
#include "vfio/guest_memory.h"

#include "vfio/client.h"

namespace zynpu::vfio {
namespace {

TEST(GuestMemoryTest, FindsWhatMayBeAccessedThatWay) {
  GuestMemory memory;
  EXPECT_EQ(memory.map(0x1000, 0x2000, 0x1000, FileDescriptor(memory_file(0x3000)), true, true), 0);
  EXPECT_EQ(memory.map(0x3000, 0x1000, 0, FileDescriptor(memory_file(0x1000)), true, false), 0);
  EXPECT_EQ(memory.map(0x4000, 0x1000, 0, FileDescriptor(), true, true), 0);
  EXPECT_EQ(memory.find(0xFFF, false).kind, GuestMemory::Kind::kNone);
  EXPECT_EQ(memory.find(0x1800, true).kind, GuestMemory::Kind::kMapped);
  EXPECT_EQ(memory.find(0x1800, true).bytes, 0x1800u);
  EXPECT_EQ(memory.find(0x3000, false).kind, GuestMemory::Kind::kMapped);
  EXPECT_EQ(memory.find(0x3000, true).kind, GuestMemory::Kind::kNone);
  EXPECT_EQ(memory.find(0x4FFF, true).kind, GuestMemory::Kind::kRemote);
  EXPECT_EQ(memory.find(0x5000, true).kind, GuestMemory::Kind::kNone);
}

TEST(GuestMemoryTest, TheTopOfTheAddressSpaceIsAPage) {
  GuestMemory memory;
  EXPECT_EQ(memory.map(UINT64_MAX - 0xFFF, 0x1000, 0, FileDescriptor(), true, true), 0);
  EXPECT_EQ(memory.find(UINT64_MAX, false).bytes, 1u);
  EXPECT_EQ(memory.unmap(UINT64_MAX - 0xFFF, 0x1000), 0);
  EXPECT_EQ(memory.ranges(), 0u);
}

}  // namespace
}  // namespace zynpu::vfio
