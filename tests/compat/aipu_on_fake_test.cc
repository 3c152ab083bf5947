// SPDX-License-Identifier: MIT
// The back end for the vendor's kernel driver on the fake one: run by CTest with the fake preloaded.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "runtime/aipu/backend.h"
#include "runtime/devices.h"
#include "standard_api.h"

namespace zynpu::runtime {
namespace {

TEST(OnFakeAipu, IsListedAndOpened) {
  bool listed = false;
  for (const DeviceName& device : devices())
    if (device.name == "aipu") {
      listed = true;
      EXPECT_EQ(device.part->name, std::getenv("FAKE_AIPU_PART"));
      EXPECT_FALSE(device.is_virtual);
    }
  const auto opened = open_device("aipu");
  const bool is_old = std::getenv("FAKE_AIPU_VERSION") != nullptr;
  EXPECT_EQ(listed, !is_old);
  EXPECT_EQ(opened.has_value(), !is_old);
  if (is_old) {
    EXPECT_NE(opened.error().message.find("5.11.0"), std::string::npos) << opened.error().message;
    aipu_ctx_handle_t* ctx = nullptr;
    EXPECT_EQ(aipu_init_context(&ctx), AIPU_STATUS_ERROR_OPEN_DEV_FAIL);
    const char* text = nullptr;
    EXPECT_EQ(aipu_get_error_message(nullptr, AIPU_STATUS_ERROR_OPEN_DEV_FAIL, &text),
              AIPU_STATUS_ERROR_OPEN_DEV_FAIL);
    EXPECT_STRNE(text, "");
  }
}

TEST(OnFakeAipu, RefusesGraphsOfTheVirtualProfileAndBadRequests) {
  if (std::getenv("FAKE_AIPU_VERSION") != nullptr) GTEST_SKIP() << "the driver is too old";
  const auto backend = open_device("aipu");
  ASSERT_TRUE(backend) << backend.error().message;
  JobDescription description;
  description.virtual_profile = true;
  const auto job = (*backend)->prepare(description);
  ASSERT_FALSE(job);
  EXPECT_EQ(job.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ((*backend)->prepare({}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ((*backend)->allocate(0, 4096).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ((*backend)->allocate(std::uint64_t{1} << 40, 4096).error().code, ErrorCode::kOutOfMemory);
  const auto buffer = (*backend)->allocate(100, 8192);
  ASSERT_TRUE(buffer) << buffer.error().message;
  EXPECT_EQ((*buffer)->device_address() % 8192, 0u);
  for (const std::uint8_t byte : (*buffer)->host()) ASSERT_EQ(byte, 0);  // the driver does not clear it
}

TEST(OnFakeAipu, AnswersWithTheNameOfThePart) {
  if (std::getenv("FAKE_AIPU_VERSION") != nullptr) GTEST_SKIP() << "the driver is too old";
  aipu_ctx_handle_t* ctx = nullptr;
  ASSERT_EQ(aipu_init_context(&ctx), AIPU_STATUS_SUCCESS);
  char target[32];
  std::fill_n(target, sizeof target, 'x');
  ASSERT_EQ(aipu_get_target(ctx, target), AIPU_STATUS_SUCCESS);
  const std::string part = std::getenv("FAKE_AIPU_PART");
  EXPECT_STREQ(target, part == "z1" ? "Z1_0701" : part == "z2" ? "Z2_1104" : "X2_1204MP3");
  std::uint32_t count = 9;
  ASSERT_EQ(aipu_get_partition_count(ctx, &count), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(count, part == "x2" ? 1u : 0u);
  EXPECT_EQ(aipu_deinit_context(ctx), AIPU_STATUS_SUCCESS);
}

}  // namespace
}  // namespace zynpu::runtime
