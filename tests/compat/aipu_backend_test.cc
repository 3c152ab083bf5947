// SPDX-License-Identifier: MIT
// The back end for the vendor's kernel driver where no driver is involved.
#include <gtest/gtest.h>

#include "runtime/aipu/device.h"

namespace zynpu::runtime {
namespace {

TEST(AipuBackend, TellsTheReleasesApartByTheDriversVersion) {
  EXPECT_EQ(aipu::release_of("6.0.0").value(), aipu::Release::k41);
  EXPECT_EQ(aipu::release_of("6.1.0").value(), aipu::Release::k42);
  EXPECT_EQ(aipu::release_of("6.2.0-1").value(), aipu::Release::k42);
  for (const char* other : {"5.11.0", "3.2.0", "7.0", "", "dev"})
    EXPECT_EQ(aipu::release_of(other).error().code, ErrorCode::kUnsupported) << other;
}

TEST(AipuBackend, SaysThatANodeIsMissing) {
  const auto device = aipu::Device::open("/dev/zynpu-has-no-such-node");
  ASSERT_FALSE(device);
  EXPECT_EQ(device.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(aipu::Device::open("/dev/null").error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace zynpu::runtime
