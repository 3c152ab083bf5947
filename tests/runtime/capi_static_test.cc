// SPDX-License-Identifier: MIT
// The static library and the C++ face.
#include <gtest/gtest.h>
#include <zynpu/zynpu.hpp>

#include <numeric>

namespace {

const std::string kModel = ZYNPU_SOURCE_DIR "/models/fashion_mnist/fashion_mnist_int8.tflite";

TEST(Wrapper, ListsDevices) {
  const auto devices = zynpu::Device::list();
  EXPECT_GE(devices.size(), 3u);
}

TEST(Wrapper, RunsAModel) {
  const zynpu::Device device;
  EXPECT_STREQ(device.info().part, "x2");
  const zynpu::Graph graph = zynpu::Graph::load(device, kModel);
  ASSERT_EQ(graph.input_count(), 1u);
  ASSERT_EQ(graph.output_count(), 1u);
  EXPECT_EQ(graph.find_input(graph.input(0).name), 0u);
  EXPECT_EQ(graph.find_output(graph.output(0).name), 0u);
  zynpu::Job job(graph);
  const auto input = job.input(0);
  std::iota(input.data, input.data + input.bytes, std::uint8_t{0});
  job.run();
  EXPECT_GT(job.profile().cycles, 0u);
  const std::vector<std::uint8_t> first(job.output(0).data, job.output(0).data + job.output(0).bytes);
  job.submit();
  while (!job.wait(1'000'000)) {
  }
  const std::vector<std::uint8_t> second(job.output(0).data, job.output(0).data + job.output(0).bytes);
  EXPECT_EQ(first, second);
}

TEST(Wrapper, ThrowsTheErrorWithItsText) {
  try {
    const zynpu::Device device("virtual:none");
    FAIL();
  } catch (const zynpu::Error& error) {
    EXPECT_EQ(error.status(), ZYNPU_NOT_FOUND);
    EXPECT_NE(std::string(error.what()).find("virtual:none"), std::string::npos);
  }
}

TEST(Wrapper, MovesItsOwners) {
  zynpu::Device device;
  const zynpu::Device moved = std::move(device);
  EXPECT_STREQ(moved.info().name, "virtual:x2");
  EXPECT_THROW(static_cast<void>(device.info()), zynpu::Error) << "a moved-from owner is empty, not dangling";
}

}  // namespace
