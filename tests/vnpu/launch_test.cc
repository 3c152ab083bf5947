// SPDX-License-Identifier: MIT
// Jobs through X2's registers: the worked example of tec-semantics.md 11 and the shipped do-nothing image,
// byte for byte.
#include <gtest/gtest.h>

#include <array>

#include "vnpu/x2_machine.h"

namespace zynpu::vnpu {
namespace {

constexpr std::uint32_t N = 0x400C7FFF, E = 0xC00C7FFF;

using Words = std::array<std::uint32_t, 4>;

std::vector<Words> vectors(std::uint32_t entry) {
  std::vector<Words> image = {{entry, N, N, E}};
  for (std::uint32_t k = 1; k < 16; ++k) image.push_back({0x01800000 + 2 * (16 - k), N, N, E});
  image.push_back({0x01800000, N, N, E});
  return image;
}

const std::vector<Words> kEnable = {{0x01048049, N, N, E}, {N, 0x41E07D29, N, E}, {0x01008049, N, N, E},
                                    {0x01048209, N, N, E}, {N, 0x41E07D29, N, E}, {0x01008209, N, N, E}};
const std::vector<Words> kHead = {{0x01040298, 0x400D6B5A, 0x00D0001C, 0xFDF60017},
                                  {N, 0x41E26F5A, 0x00FF401C, 0xF010D31D},
                                  {N, N, 0x7010E319, E}};
const std::vector<Words> kBody = {{N, N, 0x70100320, 0xF0101321},
                                  {N, N, 0x7010F31B, 0xF0110317},
                                  {N, N, 0x00C24684, E},
                                  {N, N, 0x30100004, E}};
const std::vector<Words> kTail = {{0x01041042, N, N, E}, {N, 0x40109042, N, E}, {0x01001042, N, N, E},
                                  {0x01041203, N, N, E}, {N, N, 0x00E02FA3, E}, {0x01001203, N, N, E},
                                  {0x01041042, N, N, E}, {N, 0x40101042, N, E}, {0x017FFF82, N, N, E},
                                  {0x014C0000, N, N, E}, {0x014F8000, N, N, E}};

void append(std::vector<Words>& image, const std::vector<Words>& more) {
  image.insert(image.end(), more.begin(), more.end());
}

// The table of tec-semantics.md 11: byte offset in the chain, width, value.
struct Field {
  std::uint32_t offset;
  unsigned width;
  std::uint64_t value;
};
constexpr Field kChain[] = {
    {0x000, 4, 0x00030000}, {0x004, 4, 0x00030180}, {0x014, 4, 0x00010000}, {0x030, 8, 0x60},
    {0x038, 8, 0x60},       {0x098, 4, 0x31},       {0x0D8, 4, 0x31},       {0x118, 4, 0x31},
    {0x158, 4, 0x31},       {0x180, 4, 0x41},       {0x184, 4, 0},          {0x18C, 4, 0x00010000},
    {0x190, 4, 0x73D},      {0x194, 2, 0},          {0x196, 2, 1},          {0x19A, 2, 0},
    {0x19C, 2, 1},          {0x19E, 2, 1},          {0x1A0, 2, 1},          {0x1A2, 2, 1},
    {0x1A4, 2, 1},          {0x1A6, 2, 1},          {0x1A8, 2, 1},          {0x1AE, 2, 0},
    {0x1B4, 4, 0x00022000}, {0x1B8, 4, 0x00023000}, {0x1BC, 4, 0x00024000}, {0x1C0, 4, 0x00025000},
    {0x1EC, 4, 0x00030180}};

class WorkedExample : public ::testing::TestWithParam<bool> {
 protected:
  WorkedExample() : bus(GetParam()) {
    bus.map(0, 0x50000);
    device = Device::create(*part::find("x2"), bus).value();
    for (const Field& field : kChain)
      bus.put(0x30000 + field.offset,
              std::span(reinterpret_cast<const std::uint8_t*>(&field.value), field.width));
  }

  void load(const std::vector<Words>& image) {
    bus.put(0x10000, std::span(reinterpret_cast<const std::uint8_t*>(image.data()), image.size() * 16));
  }

  // Probe, initialisation and dispatch as in host-interface.md 2.8, 2.9.
  void run() {
    EXPECT_EQ(device->read32(x2::kRevision), 0x00010000u);
    device->write32(x2::kSoftReset, 1);
    EXPECT_EQ(device->read32(x2::kSoftReset), 2u);
    EXPECT_EQ(device->read32(0xC00), 0x1314u);
    device->write32(0xC04, 0x1314);
    device->write32(0x800, 0);
    device->write32(0x81C, 1);
    device->write32(0x808, 0x63D);
    EXPECT_EQ(device->read32(0x804), 0x40u);
    device->write32(0x00, 1 | 1 << 12);
    EXPECT_EQ(device->read32(x2::kTsmStatus) >> 31, 0u);
    EXPECT_EQ(device->read32(0x804), 0u);
    device->write32(0x08, 0);
    device->write32(0x0C, 0x30000);
    device->write32(0x04, 0x77);
    device->write32(0x00, 4 | 2 << 8);
    EXPECT_EQ(device->read32(x2::kTsmStatus) >> 31, 0u);
    EXPECT_TRUE(device->busy());
    EXPECT_FALSE(device->run());
    EXPECT_FALSE(device->busy());
  }

  TestBus bus;
  std::unique_ptr<Device> device;
};

TEST_P(WorkedExample, StoresTheWordAndReportsItsTcb) {
  std::vector<Words> image = vectors(0x01800022);
  append(image, kHead);
  append(image, kBody);
  append(image, kTail);
  ASSERT_EQ(image.size(), 35u);
  load(image);
  bus.put32(0x23000, 0x00040000);
  run();
  EXPECT_EQ(device->diagnostic().message, "");
  EXPECT_EQ(bus.get32(0x40000), 0x1234u);
  EXPECT_EQ(device->read32(0x80C), 0x201u);
  EXPECT_EQ(device->read32(0x824), 0x00030180u);
  EXPECT_EQ(device->read32(0x818), 0x77u);
  EXPECT_TRUE(bus.irq);
  device->write32(0x804, 1);
  EXPECT_FALSE(bus.irq);
  EXPECT_EQ(device->read32(0x80C), 0u);
  ASSERT_EQ(device->tasks().size(), 1u);
  EXPECT_EQ(device->tasks()[0].counters.bundles, 1u + 18);  // the branch, then main once
}

TEST_P(WorkedExample, RunsTheShippedDoNothingImage) {
  std::vector<Words> image = vectors(0x01800022);
  append(image, kEnable);
  append(image, kHead);
  image.push_back({N, N, 0x7010F31B, 0xF0110317});
  append(image, kTail);
  ASSERT_EQ(image.size(), 38u);
  load(image);
  run();
  EXPECT_EQ(device->diagnostic().message, "");
  EXPECT_EQ(device->read32(0x80C), 0x201u);
  EXPECT_EQ(device->read32(0x824), 0x00030180u);
}

TEST_P(WorkedExample, RunsAgainAfterDestroyAndCreate) {
  std::vector<Words> image = vectors(0x01800022);
  append(image, kHead);
  append(image, kBody);
  append(image, kTail);
  load(image);
  bus.put32(0x23000, 0x00040000);
  run();
  device->write32(0x804, 1);
  device->write32(0x00, 2);
  EXPECT_EQ(device->read32(0x804), 0x40u);
  bus.put32(0x40000, 0);
  run();
  EXPECT_EQ(bus.get32(0x40000), 0x1234u);
}

INSTANTIATE_TEST_SUITE_P(Bus, WorkedExample, ::testing::Bool(),
                         [](const auto& bus) { return bus.param ? "Direct" : "Copying"; });

}  // namespace
}  // namespace zynpu::vnpu
