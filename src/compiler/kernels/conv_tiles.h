// SPDX-License-Identifier: MIT
// One way to cut a convolution: shares of the workers, tiles, the local memory, and the steps that follow.
// Internal to the convolution kernels.
//
// A worker has a rectangle of output pixels and a range of blocks of output channels. It goes through tiles
// of pixels and groups of blocks, in one of two orders; weights are loaded when the group changes, input when
// the tile changes (depthwise: when either does).
#pragma once

#include <optional>
#include <vector>

#include "compiler/kernels/conv_plan.h"

namespace zynpu::compiler {

struct ConvTiling {
  ConvTiling() = default;
  ConvTiling(const ConvProblem& problem, const ConvCode& code, unsigned workers, unsigned tecs_per_core);

  // Shares the output: `by_space` parts of pixels times `by_blocks` parts of channels. False if that makes no
  // sense or would let two cores write one line.
  bool share(unsigned by_space, unsigned by_blocks);
  // Places buffers for the tile that is set; false if they do not fit.
  bool lay_out();
  Result<ConvPlan> plan() const;

  // Of the largest share.
  int share_rows() const { return unit_rows_max_; }
  int share_columns() const { return unit_columns_max_; }
  int share_blocks() const { return blocks_max_; }

  int row_tiles() const;
  int column_tiles() const { return (share_columns() + tile_columns - 1) / tile_columns; }
  int block_groups() const {
    return (share_blocks() + static_cast<int>(group_blocks) - 1) / static_cast<int>(group_blocks);
  }
  // Windows computed for so many: whole groups, and enough of them.
  int padded(int columns) const {
    const auto least = static_cast<int>(code.direct() ? ConvCode::kLeastGroups * code.pixels : 1);
    return round_up(std::max(columns, least), static_cast<int>(code.pixels));
  }
  int padded_columns() const { return padded(tile_columns); }
  int groups() const { return padded_columns() / static_cast<int>(code.pixels); }
  int pass_blocks() const { return padded_columns() * static_cast<int>(code.vectors) / 4; }
  bool depthwise_input() const { return code.depthwise; }
  double valid_in_bytes() const;
  std::uint32_t in_bytes() const;
  std::uint32_t out_bytes() const;
  int in_requests() const;
  int out_requests() const;

  const ConvProblem* problem = nullptr;
  ConvCode code;
  unsigned workers = 1, tecs_per_core = 4;
  unsigned group_blocks = 1;  // blocks a step
  bool tile_outer = false;
  int tile_rows = 1, tile_columns = 1;
  unsigned chunks = 1;
  double cost = 0, full_cost = 0;  // without and with the first fetch of the code
  // made by lay_out()
  unsigned trips = 0;
  std::uint32_t header_bytes = 0, block_bytes = 0, row_pitch = 0;
  unsigned chunk_trips = 0;

  static int round_up(int n, int unit) { return (n + unit - 1) / unit * unit; }

 private:
  struct Share {
    int y0 = 0, y1 = 0, x0 = 0, x1 = 0, b0 = 0, b1 = 0;
  };
  struct PixelTile {  // rows y of all images together
    int y = 0, x = 0, rows = 0, columns = 0;
  };
  // Part of a tile's input that is inside the image, in tile coordinates.
  struct Valid {
    int r0 = 0, r1 = 0, c0 = 0, c1 = 0;
    bool empty() const { return r0 >= r1 || c0 >= c1; }
    bool operator==(const Valid&) const = default;
  };
  struct Filled {  // what of an input buffer holds the zero point
    int rows = 0, columns = 0;
    Valid valid;
    bool operator==(const Filled&) const = default;
  };

  int blocks() const;
  int total_rows() const;
  std::uint32_t pixel_bytes() const;          // input pixel in the local memory
  int row_step() const, column_step() const;  // of the image, between rows/columns of the tile
  int tile_stride_h() const, tile_stride_w() const;
  int in_rows(int rows) const;
  int needed_columns(int columns) const;
  std::uint32_t out_row_bytes(int columns) const;
  std::uint32_t out_block_bytes() const;
  bool tiled_input() const;
  bool row_runs() const;
  unsigned count_trips() const;
  ConvWalk make_walk() const;

  std::vector<PixelTile> tiles_of(const Share& share) const;
  std::vector<Step> steps_of(const Share& share, const ConvWalk& walk) const;
  void load_input(const PixelTile& tile, int first_block, int block_count, unsigned buffer,
                  std::optional<Filled>& filled, Tile& out) const;
  void load_weights(int first_block, int block_count, unsigned chunk, unsigned buffer, bool table,
                    Tile& out) const;
  void store_output(const PixelTile& tile, int first_block, int block_count, unsigned buffer,
                    Tile& out) const;

  std::vector<Share> shares_;
  int unit_rows_max_ = 0, unit_columns_max_ = 0, blocks_max_ = 0;
  std::uint32_t in_at_[2]{}, weights_at_[2]{}, out_at_[2]{}, scratch_at_ = 0, table_at_ = 0, table_bytes_ = 0;
  unsigned in_buffers_ = 1, weight_buffers_ = 1, out_buffers_ = 1;
  bool prefetch_ = true;
};

}  // namespace zynpu::compiler
