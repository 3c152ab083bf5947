// SPDX-License-Identifier: MIT
// How a pooling window slides over tiles that fit the local memory: shared by the pools and by MEAN.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/codegen/steps.h"
#include "reference/operators.h"

namespace zynpu::compiler {

// A tile of outputs and what it reads. The input part lies in LSRAM as rows of pixels of `pitch` bytes
// (channels of the block, padded to 32).
struct PoolTile {
  int batch = 0, y = 0, x = 0, rows = 0, columns = 0;  // outputs
  int channel = 0, channels = 0;
};

struct PoolTiling {
  std::uint32_t pitch = 32;                         // bytes a pixel in LSRAM, a multiple of 32
  std::uint32_t row_pixels = 1;                     // pixels a row in LSRAM
  std::uint32_t input_bytes = 0, output_bytes = 0;  // largest tile
  std::vector<PoolTile> tiles;
};

// Cuts the outputs so that an input part needs at most `input_limit` bytes and an output part `output_limit`,
// in at least `workers` tiles where that is possible. One pixel of 32 channels must fit.
PoolTiling tile_pool(const reference::Window& window, unsigned workers, std::uint32_t input_limit,
                     std::uint32_t output_limit);

// The loads of a tile into LSRAM at `lsram`, positions outside the image left out; `fills` is set if there
// are any.
std::vector<Request> load_pool_tile(const reference::Window& window, const PoolTiling& tiling,
                                    const PoolTile& tile, unsigned param, std::uint32_t lsram, bool& fills);

// Byte offset of the tile's first output, and the transfers of its rows from LSRAM pixels of `pitch` bytes.
std::vector<Request> store_pool_tile(const reference::Window& window, const PoolTiling& tiling,
                                     const PoolTile& tile, unsigned param, std::uint32_t lsram);

}  // namespace zynpu::compiler
