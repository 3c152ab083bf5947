// SPDX-License-Identifier: MIT
#include "image.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace zynpu::tools {
namespace {

std::string write(const std::string& name, const std::string& bytes) {
  const std::string path = (std::filesystem::path(testing::TempDir()) / name).string();
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

ir::Tensor tensor(ir::DataType type, std::vector<std::int32_t> shape, float scale = 0, int zero_point = 0) {
  ir::Tensor tensor;
  tensor.name = "picture";
  tensor.type = type;
  tensor.shape = std::move(shape);
  if (scale != 0) tensor.quant = {.scale = {scale}, .zero_point = {zero_point}};
  return tensor;
}

// Black, grey, white and one above: pixels 0, 100, 255, 1.
Image sample() { return {.width = 2, .height = 2, .channels = 1, .pixels = {0, 100, 255, 1}}; }

std::vector<int> quantised(const ir::Tensor& to) {
  const auto bytes = image_tensor(sample(), to);
  EXPECT_TRUE(bytes) << bytes.error().message;
  std::vector<int> values;
  for (const std::uint8_t byte : *bytes)
    values.push_back(to.type == ir::DataType::kInt8 ? static_cast<std::int8_t>(byte) : byte);
  return values;
}

TEST(Image, ReadsPpmAsRgbAndGrey) {
  const std::string path = write("two.ppm", std::string("P6\n2 1\n255\n") + "\xFF\x01\x02\x10\x20\x30");
  const auto rgb = read_image(path, 3);
  ASSERT_TRUE(rgb) << rgb.error().message;
  EXPECT_EQ(rgb->width, 2);
  EXPECT_EQ(rgb->height, 1);
  EXPECT_EQ(rgb->pixels, (std::vector<std::uint8_t>{0xFF, 1, 2, 0x10, 0x20, 0x30}));
  const auto grey = read_image(path, 1);
  ASSERT_TRUE(grey);
  EXPECT_EQ(grey->pixels, (std::vector<std::uint8_t>{77, 29}));
  const auto from_grey =
      read_image(write("grey.pgm", std::string("P5 # comment\n1 2\n255\n") + "\x05\x06"), 3);
  ASSERT_TRUE(from_grey) << from_grey.error().message;
  EXPECT_EQ(from_grey->pixels, (std::vector<std::uint8_t>{5, 5, 5, 6, 6, 6}));
}

TEST(Image, ReadsPng) {
  const auto image = read_image(ZYNPU_SOURCE_DIR "/models/fashion_mnist/sneaker.png", 1);
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_EQ(image->width, 28);
  EXPECT_EQ(image->height, 28);
}

TEST(Image, RefusesPicturesThatAreCutOff) {
  std::ifstream file(ZYNPU_SOURCE_DIR "/models/fashion_mnist/sneaker.png", std::ios::binary);
  const std::string png{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  EXPECT_EQ(read_image(write("cut.png", png.substr(0, png.size() / 2)), 1).error().code, ErrorCode::kBadFile);
}

TEST(Image, RefusesWhatIsNoPicture) {
  EXPECT_EQ(read_image(write("no.png", "not a picture"), 3).error().code, ErrorCode::kBadFile);
  EXPECT_EQ(read_image(write("short.ppm", "P6\n2000 2000\n255\nx"), 3).error().code, ErrorCode::kBadFile);
  for (const char* bad :
       {"P6", "P6\n0 1\n255\n", "P6\n1 99999\n255\n", "P6\n1 1\n65535\nxxxxxx", "P6\n1 1\n255\nxx", "P6 x"})
    EXPECT_EQ(read_image(write("bad.ppm", bad), 3).error().code, ErrorCode::kBadFile) << bad;
  EXPECT_EQ(read_image("/nonexistent/a.png", 3).error().code, ErrorCode::kNotFound);
}

TEST(Image, KeepsItsPixelsWhenTheSizeIsRight) { EXPECT_EQ(resize(sample(), 2, 2).pixels, sample().pixels); }

TEST(Image, InterpolatesBetweenPixelCentresWhenItGrows) {
  const Image row{.width = 2, .height = 1, .channels = 1, .pixels = {0, 100}};
  EXPECT_EQ(resize(row, 4, 1).pixels, (std::vector<std::uint8_t>{0, 25, 75, 100}));
}

TEST(Image, AveragesEverySourcePixelWhenItShrinks) {
  Image stripes{.width = 64, .height = 64, .channels = 1, .pixels = std::vector<std::uint8_t>(64 * 64)};
  for (std::size_t i = 0; i < stripes.pixels.size(); ++i) stripes.pixels[i] = i % 2 == 0 ? 0 : 200;
  for (const std::uint8_t pixel : resize(stripes, 8, 8).pixels) EXPECT_NEAR(pixel, 100, 7);
}

TEST(Image, KeepsAUniformColourAtEverySize) {
  const Image flat{
      .width = 5, .height = 7, .channels = 3, .pixels = std::vector<std::uint8_t>(5 * 7 * 3, 77)};
  for (const auto& [width, height] : {std::pair{1, 1}, {13, 2}, {5, 7}, {224, 224}}) {
    const Image scaled = resize(flat, width, height);
    ASSERT_EQ(scaled.pixels.size(), static_cast<std::size_t>(width) * height * 3);
    for (const std::uint8_t pixel : scaled.pixels) ASSERT_EQ(pixel, 77);
  }
}

TEST(ImageTensor, StoresPixelsInTensorsOfUsualRanges) {
  const std::vector<int> plain{0, 100, 255, 1}, shifted{-128, -28, 127, -127};
  EXPECT_EQ(quantised(tensor(ir::DataType::kUint8, {1, 2, 2, 1}, 1 / 255.0f, 0)), plain);
  EXPECT_EQ(quantised(tensor(ir::DataType::kUint8, {1, 2, 2, 1}, 1 / 128.0f, 128)), plain);
  EXPECT_EQ(quantised(tensor(ir::DataType::kUint8, {1, 2, 2, 1})), plain) << "not quantised";
  EXPECT_EQ(quantised(tensor(ir::DataType::kInt8, {1, 2, 2, 1}, 1 / 255.0f, -128)), shifted);
  EXPECT_EQ(quantised(tensor(ir::DataType::kInt8, {1, 2, 2, 1}, 1.0f, -128)), shifted);
  EXPECT_EQ(quantised(tensor(ir::DataType::kInt8, {1, 2, 2, 1}, 0.00784314f, -1)), shifted);
}

TEST(ImageTensor, QuantisesTheRealValueOtherwise) {
  // real = pixel / 255: 0, 0.392, 1, 0.0039; value = real / 0.02 + 10.
  EXPECT_EQ(quantised(tensor(ir::DataType::kInt8, {1, 2, 2, 1}, 0.02f, 10)),
            (std::vector<int>{10, 30, 60, 10}));
  EXPECT_EQ(quantised(tensor(ir::DataType::kUint8, {1, 2, 2, 1}, 0.001f, 200)),
            (std::vector<int>{200, 255, 255, 204}))
      << "clamped";
}

TEST(ImageTensor, GivesFloatsBetweenZeroAndOne) {
  const auto bytes = image_tensor(sample(), tensor(ir::DataType::kFloat32, {1, 2, 2, 1}));
  ASSERT_TRUE(bytes);
  float values[4];
  ASSERT_EQ(bytes->size(), sizeof values);
  std::memcpy(values, bytes->data(), sizeof values);
  EXPECT_FLOAT_EQ(values[1], 100 / 255.0f);
  EXPECT_FLOAT_EQ(values[2], 1.0f);
}

TEST(ImageTensor, RefusesTensorsThatAreNoPictures) {
  EXPECT_FALSE(takes_image(tensor(ir::DataType::kInt8, {1, 784})));
  EXPECT_FALSE(takes_image(tensor(ir::DataType::kInt8, {2, 2, 2, 1})));
  EXPECT_FALSE(takes_image(tensor(ir::DataType::kInt8, {1, 2, 2, 4})));
  EXPECT_FALSE(takes_image(tensor(ir::DataType::kInt16, {1, 2, 2, 1})));
  EXPECT_FALSE(image_tensor(sample(), tensor(ir::DataType::kInt8, {1, 2, 2, 3})));
}

}  // namespace
}  // namespace zynpu::tools
