// SPDX-License-Identifier: MIT
#include "compiler/kernels/pool_tiles.h"

#include <algorithm>

namespace zynpu::compiler {
namespace {

int spread(int outputs, int stride, int filter) { return (outputs - 1) * stride + filter; }

// The largest n in 1..limit for which fits(n), which is monotone; 1 if none.
template <class F>
int largest(int limit, F fits) {
  int n = limit;
  while (n > 1 && !fits(n)) n = n > 16 ? n - n / 8 : n - 1;
  return n;
}

}  // namespace

PoolTiling tile_pool(const reference::Window& w, unsigned workers, std::uint32_t input_limit,
                     std::uint32_t output_limit) {
  const int all_blocks = (w.input_channels + 31) / 32;
  const auto bytes = [](int pixels, int blocks) {
    return static_cast<std::uint32_t>(pixels) * 32U * static_cast<std::uint32_t>(blocks);
  };
  int blocks = largest(all_blocks, [&](int n) {
    return bytes(w.filter_h * w.filter_w, n) <= input_limit && bytes(1, n) <= output_limit;
  });
  int columns = largest(w.output_w, [&](int n) {
    return bytes(w.filter_h * spread(n, w.stride_w, w.filter_w), blocks) <= input_limit &&
           bytes(n, blocks) <= output_limit;
  });
  int rows = largest(w.output_h, [&](int n) {
    return bytes(spread(n, w.stride_h, w.filter_h) * spread(columns, w.stride_w, w.filter_w), blocks) <=
               input_limit &&
           bytes(n * columns, blocks) <= output_limit;
  });
  const auto count = [](int extent, int part) { return (extent + part - 1) / part; };
  const auto tiles = [&] {
    return static_cast<unsigned>(w.batches * count(w.output_h, rows) * count(w.output_w, columns) *
                                 count(all_blocks, blocks));
  };
  while (tiles() < workers && rows > 1) rows = (rows + 1) / 2;
  while (tiles() < workers && blocks > 1) blocks = (blocks + 1) / 2;

  PoolTiling tiling;
  tiling.pitch = 32U * static_cast<std::uint32_t>(blocks);
  tiling.row_pixels = static_cast<std::uint32_t>(spread(columns, w.stride_w, w.filter_w));
  tiling.input_bytes =
      bytes(spread(rows, w.stride_h, w.filter_h) * static_cast<int>(tiling.row_pixels), blocks);
  tiling.output_bytes = bytes(rows * columns, blocks);
  for (int n = 0; n < w.batches; ++n)
    for (int y = 0; y < w.output_h; y += rows)
      for (int x = 0; x < w.output_w; x += columns)
        for (int c = 0; c < all_blocks; c += blocks)
          tiling.tiles.push_back({n, y, x, std::min(rows, w.output_h - y), std::min(columns, w.output_w - x),
                                  32 * c, std::min(32 * blocks, w.input_channels - 32 * c)});
  return tiling;
}

std::vector<Request> load_pool_tile(const reference::Window& w, const PoolTiling& tiling,
                                    const PoolTile& tile, unsigned param, std::uint32_t lsram, bool& fills) {
  const int top = tile.y * w.stride_h - w.pad_top, left = tile.x * w.stride_w - w.pad_left;
  const int bottom = top + spread(tile.rows, w.stride_h, w.filter_h);
  const int right = left + spread(tile.columns, w.stride_w, w.filter_w);
  const int y0 = std::max(top, 0), y1 = std::min(bottom, w.input_h);
  const int x0 = std::max(left, 0), x1 = std::min(right, w.input_w);
  fills = y0 != top || y1 != bottom || x0 != left || x1 != right;
  std::vector<Request> requests;
  if (x1 <= x0) return requests;
  const auto channels = static_cast<std::uint32_t>(w.input_channels);
  const auto address = [&](int y, int x) {
    return ((static_cast<std::uint32_t>(tile.batch * w.input_h + y) * static_cast<std::uint32_t>(w.input_w)) +
            static_cast<std::uint32_t>(x)) *
               channels +
           static_cast<std::uint32_t>(tile.channel);
  };
  // Whole rows of the image that are whole rows of the tile continue each other.
  const bool whole = x1 - x0 == w.input_w && tiling.row_pixels == static_cast<std::uint32_t>(w.input_w);
  const int step = whole ? std::max(1, y1 - y0) : 1;
  for (int y = y0; y < y1; y += step) {
    const auto pixels = static_cast<std::uint32_t>((x1 - x0) * std::min(step, y1 - y));
    const std::uint32_t at = lsram + ((static_cast<std::uint32_t>(y - top) * tiling.row_pixels) +
                                      static_cast<std::uint32_t>(x0 - left)) *
                                         tiling.pitch;
    requests.push_back({param,
                        address(y, x0),
                        at,
                        {static_cast<std::uint32_t>(tile.channels), pixels, channels, tiling.pitch}});
  }
  return requests;
}

std::vector<Request> store_pool_tile(const reference::Window& w, const PoolTiling& tiling,
                                     const PoolTile& tile, unsigned param, std::uint32_t lsram) {
  const auto channels = static_cast<std::uint32_t>(w.output_channels);
  const auto row = [&](int y) {
    return ((static_cast<std::uint32_t>(tile.batch * w.output_h + y) *
             static_cast<std::uint32_t>(w.output_w)) +
            static_cast<std::uint32_t>(tile.x)) *
               channels +
           static_cast<std::uint32_t>(tile.channel);
  };
  const bool whole = tile.columns == w.output_w;
  const int step = whole ? tile.rows : 1;
  std::vector<Request> requests;
  for (int y = 0; y < tile.rows; y += step)
    requests.push_back({param,
                        row(tile.y + y),
                        lsram + static_cast<std::uint32_t>(y * tile.columns) * tiling.pitch,
                        {static_cast<std::uint32_t>(tile.channels),
                         static_cast<std::uint32_t>(tile.columns * step), channels, tiling.pitch}});
  return requests;
}

}  // namespace zynpu::compiler
