// SPDX-License-Identifier: MIT
// A context of the vendor's API for each test, by part. The device is that of ZYNPU_DEVICE, the virtual one
// by default.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <string>

#include "standard_api.h"

namespace zynpu::test {

class OnDevice : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    setenv("ZYNPU_DEVICE", "virtual", 0);
    setenv("UMD_LOG_LEVEL", "6", 0);
    // A real or faked device is one part only.
    if (const char* only = std::getenv("ZYNPU_TEST_PART"); only != nullptr && part() != only)
      GTEST_SKIP() << "the device under test is a " << only;
    ASSERT_EQ(aipu_init_context(&ctx), AIPU_STATUS_SUCCESS);
  }
  void TearDown() override {
    if (ctx != nullptr) {
      EXPECT_EQ(aipu_deinit_context(ctx), AIPU_STATUS_SUCCESS);
    }
  }
  std::string part() const { return GetParam(); }

  aipu_ctx_handle_t* ctx = nullptr;
};

}  // namespace zynpu::test
