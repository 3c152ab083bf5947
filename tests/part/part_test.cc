// SPDX-License-Identifier: MIT
#include "part/part.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

namespace zynpu::part {
namespace {

TEST(Part, IsFoundByShortNameAndByVendorTarget) {
  for (const Part& part : parts()) {
    EXPECT_EQ(find(part.name), &part);
    EXPECT_EQ(find(part.target), &part);
  }
}

TEST(Part, UnknownNameIsNotFound) {
  EXPECT_EQ(find("z9"), nullptr);
  EXPECT_EQ(find(""), nullptr);
  EXPECT_EQ(find("X2"), nullptr);
}

// graph-format.md 2.3: configuration in [15:0], ISA version in [19:16].
TEST(Part, DeviceWordSpellsTheTargetName) {
  for (const Part& part : parts()) {
    const unsigned isa = (part.device_word >> 16) & 0xF;
    const std::string name =
        fmt::format("{}{}_{:04}", isa <= 3 ? 'Z' : 'X', isa <= 3 ? isa : isa - 3, part.device_word & 0xFFFF);
    EXPECT_EQ(name, part.target);
  }
}

// host-interface.md 1.4: the configuration number follows from the feature registers on Z1 and Z2.
TEST(Part, FeatureRegistersDecodeToTheConfiguration) {
  for (const Part& part : parts()) {
    if (part.host_interface == HostInterface::kTsm) continue;
    const unsigned high = (part.hwa_feature & 0xF) + (part.isa_version == 0 ? 6 : 8);
    EXPECT_EQ(100 * high + (part.tpc_feature & 0x1F), part.device_word & 0xFFFF) << part.name;
    EXPECT_EQ(part.tpc_feature & 0x1F, part.tecs_per_core) << part.name;
  }
}

}  // namespace
}  // namespace zynpu::part
