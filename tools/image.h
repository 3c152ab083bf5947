// SPDX-License-Identifier: MIT
// Pictures as input tensors.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "ir/graph.h"

namespace zynpu::tools {

// 8-bit samples, rows then columns then channels.
struct Image {
  int width = 0, height = 0, channels = 0;
  std::vector<std::uint8_t> pixels;
};

// Reads a PNG, JPEG or PPM/PGM file as grey (channels = 1) or RGB (3).
Result<Image> read_image(const std::string& path, int channels);

// Bilinear; when shrinking, the filter widens so that every source pixel counts.
Image resize(const Image& image, int width, int height);

// True if `tensor` can take a picture: [1, height, width, 1 or 3], int8, uint8 or float32.
bool takes_image(const ir::Tensor& tensor);

// The tensor's bytes for the picture, resized to it. How a pixel p (0..255) becomes a value:
//   float32         p / 255
//   uint8           p,       if the tensor's real range is about [0, 1], [0, 255] or [-1, 1], or it is not
//   quantised int8            p - 128, under the same condition otherwise       the real value p / 255,
//   quantised with the tensor's scale and zero point, clamped
Result<std::vector<std::uint8_t>> image_tensor(const Image& image, const ir::Tensor& tensor);

}  // namespace zynpu::tools
