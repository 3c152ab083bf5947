// SPDX-License-Identifier: MIT
#include "image.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstring>
#include <memory>
#include <span>

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_NO_STDIO
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include <stb/stb_image.h>
#pragma GCC diagnostic pop

#include "runtime/file.h"

namespace zynpu::tools {
namespace {

// Weights of source samples for one output position: a triangle filter, at least one source pixel wide.
struct Taps {
  int first = 0;
  std::vector<float> weights;
};

std::vector<Taps> make_taps(int from, int to) {
  const double scale = static_cast<double>(from) / to;
  const double support = std::max(scale, 1.0);
  std::vector<Taps> taps(static_cast<std::size_t>(to));
  for (int i = 0; i < to; ++i) {
    const double centre = (i + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(std::floor(centre - support + 0.5)));
    const int end = std::min(from, static_cast<int>(std::floor(centre + support + 0.5)));
    Taps& tap = taps[static_cast<std::size_t>(i)];
    tap.first = first;
    double sum = 0;
    for (int s = first; s < end; ++s) {
      const double weight = std::max(0.0, 1.0 - std::abs((s + 0.5 - centre) / support));
      tap.weights.push_back(static_cast<float>(weight));
      sum += weight;
    }
    for (float& weight : tap.weights) weight = static_cast<float>(weight / sum);
  }
  return taps;
}

// A quantised range that stands for 8-bit pixels as they are.
bool is_pixel_range(double low, double high) {
  constexpr double kRanges[][2] = {{0, 1}, {0, 255}, {-1, 1}};
  for (const auto& range : kRanges) {
    const double tolerance = 0.02 * (range[1] - range[0]);
    if (std::abs(low - range[0]) <= tolerance && std::abs(high - range[1]) <= tolerance) return true;
  }
  return false;
}

// The decoder fills what is missing with grey. In a whole file the end marker follows the last start of a
// scan.
bool is_cut_jpeg(std::span<const std::uint8_t> file) {
  if (file.size() < 2 || file[0] != 0xFF || file[1] != 0xD8) return false;
  bool ended = false;
  for (std::size_t i = 2; i + 1 < file.size(); ++i) {
    if (file[i] != 0xFF) continue;
    if (file[i + 1] == 0xDA) ended = false;
    if (file[i + 1] == 0xD9) ended = true;
  }
  return !ended;
}

// Binary PGM (P5) and PPM (P6) with 8-bit samples.
Result<Image> read_pnm(const std::string& path, std::span<const std::uint8_t> file, int channels) {
  constexpr int kLargest = 1 << 15;
  const int found = file[1] == '5' ? 1 : 3;
  std::size_t at = 2;
  int header[3] = {};  // width, height, largest sample
  for (int& value : header) {
    while (at < file.size() && (std::isspace(file[at]) != 0 || file[at] == '#'))
      if (file[at++] == '#')
        while (at < file.size() && file[at] != '\n') ++at;
    for (; at < file.size() && std::isdigit(file[at]) != 0 && value <= kLargest; ++at)
      value = value * 10 + file[at] - '0';
  }
  const auto [width, height, largest] = header;
  if (width < 1 || width > kLargest || height < 1 || height > kLargest || largest != 255)
    return fail(ErrorCode::kBadFile,
                "PPM `{}`: width {}, height {}, largest sample {}: must be 1..{}, 1..{}, 255", path, width,
                height, largest, kLargest, kLargest);
  ++at;  // the one white space after the header
  const std::size_t count = std::size_t{1} * width * height;
  if (file.size() < at || file.size() - at < count * static_cast<std::size_t>(found))
    return fail(ErrorCode::kBadFile, "PPM `{}` ends before its last line", path);
  Image image{.width = width, .height = height, .channels = channels, .pixels = {}};
  image.pixels.reserve(count * static_cast<std::size_t>(channels));
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t* sample = file.data() + at + i * static_cast<std::size_t>(found);
    if (channels == found)
      image.pixels.insert(image.pixels.end(), sample, sample + found);
    else if (found == 1)
      image.pixels.insert(image.pixels.end(), 3, *sample);
    else  // luma of ITU-R BT.601, as the other formats get it
      image.pixels.push_back(
          static_cast<std::uint8_t>((77 * sample[0] + 150 * sample[1] + 29 * sample[2]) >> 8));
  }
  return image;
}

}  // namespace

Result<Image> read_image(const std::string& path, int channels) {
  ZYNPU_ASSIGN_OR_RETURN(const std::vector<std::uint8_t> file, runtime::read_file(path));
  if (file[0] == 'P' && file.size() > 1 && (file[1] == '5' || file[1] == '6'))
    return read_pnm(path, file, channels);
  if (file.size() > INT32_MAX) return fail(ErrorCode::kBadFile, "picture `{}` has more than 2 GiB", path);
  Image image;
  image.channels = channels;
  int found = 0;
  const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
      stbi_load_from_memory(file.data(), static_cast<int>(file.size()), &image.width, &image.height, &found,
                            channels),
      stbi_image_free);
  if (pixels == nullptr)
    return fail(ErrorCode::kBadFile, "`{}` is not a readable PNG, JPEG or PPM picture: {}", path,
                stbi_failure_reason());
  if (is_cut_jpeg(file)) return fail(ErrorCode::kBadFile, "JPEG `{}` ends before its last line", path);
  image.pixels.assign(pixels.get(), pixels.get() + std::size_t{1} * image.width * image.height * channels);
  return image;
}

Image resize(const Image& image, int width, int height) {
  if (image.width == width && image.height == height) return image;
  const std::size_t channels = static_cast<std::size_t>(image.channels);
  const std::size_t from_row = static_cast<std::size_t>(image.width) * channels;
  const std::size_t to_row = static_cast<std::size_t>(width) * channels;
  const std::vector<Taps> columns = make_taps(image.width, width), rows = make_taps(image.height, height);
  std::vector<float> narrow(to_row * static_cast<std::size_t>(image.height));
  for (std::size_t y = 0; y < static_cast<std::size_t>(image.height); ++y)
    for (std::size_t x = 0; x < columns.size(); ++x)
      for (std::size_t c = 0; c < channels; ++c) {
        float sum = 0;
        for (std::size_t k = 0; k < columns[x].weights.size(); ++k)
          sum += columns[x].weights[k] *
                 static_cast<float>(
                     image.pixels[y * from_row + (static_cast<std::size_t>(columns[x].first) + k) * channels +
                                  c]);
        narrow[y * to_row + x * channels + c] = sum;
      }
  Image result{.width = width, .height = height, .channels = image.channels, .pixels = {}};
  result.pixels.resize(to_row * static_cast<std::size_t>(height));
  for (std::size_t y = 0; y < rows.size(); ++y)
    for (std::size_t x = 0; x < to_row; ++x) {
      float sum = 0;
      for (std::size_t k = 0; k < rows[y].weights.size(); ++k)
        sum += rows[y].weights[k] * narrow[(static_cast<std::size_t>(rows[y].first) + k) * to_row + x];
      result.pixels[y * to_row + x] = static_cast<std::uint8_t>(std::clamp(std::lround(sum), 0L, 255L));
    }
  return result;
}

bool takes_image(const ir::Tensor& tensor) {
  return tensor.shape.size() == 4 && tensor.shape[0] == 1 && (tensor.shape[3] == 1 || tensor.shape[3] == 3) &&
         (tensor.type == ir::DataType::kInt8 || tensor.type == ir::DataType::kUint8 ||
          tensor.type == ir::DataType::kFloat32);
}

Result<std::vector<std::uint8_t>> image_tensor(const Image& image, const ir::Tensor& tensor) {
  if (!takes_image(tensor) || tensor.shape[3] != image.channels)
    return fail(ErrorCode::kInvalidArgument, "input `{}` does not take a picture of {} channels", tensor.name,
                image.channels);
  const Image scaled = resize(image, tensor.shape[2], tensor.shape[1]);
  std::vector<std::uint8_t> bytes;
  if (tensor.type == ir::DataType::kFloat32) {
    bytes.resize(scaled.pixels.size() * sizeof(float));
    for (std::size_t i = 0; i < scaled.pixels.size(); ++i) {
      const float value = static_cast<float>(scaled.pixels[i]) / 255.0f;
      std::memcpy(bytes.data() + i * sizeof value, &value, sizeof value);
    }
    return bytes;
  }
  const int lowest = tensor.type == ir::DataType::kInt8 ? -128 : 0;
  const double scale = tensor.quant.present() ? tensor.quant.scale[0] : 0;
  const int zero_point = tensor.quant.zero_point.empty() ? 0 : tensor.quant.zero_point[0];
  const bool plain =
      scale == 0 || is_pixel_range(scale * (lowest - zero_point), scale * (lowest + 255 - zero_point));
  bytes.resize(scaled.pixels.size());
  for (std::size_t i = 0; i < scaled.pixels.size(); ++i) {
    const int pixel = scaled.pixels[i];
    const long value =
        plain ? pixel + lowest
              : std::clamp(std::lround(pixel / 255.0 / scale) + zero_point, long{lowest}, long{lowest} + 255);
    bytes[i] = static_cast<std::uint8_t>(value);
  }
  return bytes;
}

}  // namespace zynpu::tools
