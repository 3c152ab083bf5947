// SPDX-License-Identifier: MIT
#include "compiler/kernels/conv_tiles.h"

#include <algorithm>
#include <numeric>

#include "compiler/codegen/lsram.h"

namespace zynpu::compiler {
namespace {

int ceil_div(int a, int b) { return (a + b - 1) / b; }
std::uint32_t align(std::uint32_t n, std::uint32_t unit) { return (n + unit - 1) / unit * unit; }

// Over-reads of the last window and its padding words end inside this gap behind an input buffer.
constexpr std::uint32_t kInputGap = 128;
constexpr unsigned kLeastTrips = 2;  // what the inner loop is pipelined for

}  // namespace

ConvTiling::ConvTiling(const ConvProblem& p, const ConvCode& c, unsigned workers_in, unsigned tecs)
    : problem(&p), code(c), workers(workers_in), tecs_per_core(tecs) {}

int ConvTiling::blocks() const {
  return ceil_div(problem->window.output_channels, static_cast<int>(code.block_channels()));
}
int ConvTiling::total_rows() const { return problem->window.batches * problem->window.output_h; }

std::uint32_t ConvTiling::pixel_bytes() const {
  return code.depthwise ? 32 * group_blocks
                        : align(static_cast<std::uint32_t>(problem->window.input_channels), 4);
}

// Rows and columns between those that a filter of extent 1 looks at are not loaded.
int ConvTiling::row_step() const { return problem->window.filter_h == 1 ? problem->window.stride_h : 1; }
int ConvTiling::column_step() const { return problem->window.filter_w == 1 ? problem->window.stride_w : 1; }
int ConvTiling::tile_stride_h() const { return problem->window.stride_h / row_step(); }
int ConvTiling::tile_stride_w() const { return problem->window.stride_w / column_step(); }
int ConvTiling::in_rows(int rows) const {
  return (rows - 1) * tile_stride_h() + (problem->window.filter_h - 1) * problem->window.dilation_h + 1;
}
int ConvTiling::needed_columns(int columns) const {
  return (columns - 1) * tile_stride_w() + (problem->window.filter_w - 1) * problem->window.dilation_w + 1;
}

std::uint32_t ConvTiling::in_bytes() const {
  return align(static_cast<std::uint32_t>(in_rows(tile_rows)) * row_pitch, 64);
}
double ConvTiling::valid_in_bytes() const {
  const int channels =
      code.depthwise ? std::min<int>(static_cast<int>(32 * group_blocks), problem->window.input_channels)
                     : problem->window.input_channels;
  return 1.0 * in_rows(tile_rows) * needed_columns(tile_columns) * channels;
}

// Rows of output follow each other without the padding pixels where whole vectors allow it, so that they can
// be stored together.
std::uint32_t ConvTiling::out_row_bytes(int columns) const {
  const std::uint32_t dense = static_cast<std::uint32_t>(columns) * code.block_channels();
  if (dense % 32 == 0) return dense;
  return static_cast<std::uint32_t>(padded(columns)) * code.block_channels();
}
std::uint32_t ConvTiling::out_block_bytes() const {
  return align(static_cast<std::uint32_t>(tile_rows * padded_columns()) * code.block_channels(), 64);
}
std::uint32_t ConvTiling::out_bytes() const { return group_blocks * out_block_bytes(); }

int ConvTiling::in_requests() const {
  const bool dense =
      static_cast<std::uint32_t>(problem->window.input_channels) == pixel_bytes() && column_step() == 1;
  return dense ? 1 : in_rows(tile_rows);
}
int ConvTiling::out_requests() const {
  const bool together = tile_columns == problem->window.output_w || tile_rows == 1 ||
                        static_cast<int>(code.block_channels()) == problem->window.output_channels;
  return static_cast<int>(group_blocks) * (together ? 1 : tile_rows);
}

bool ConvTiling::share(unsigned by_space, unsigned by_blocks) {
  const reference::Window& w = problem->window;
  const bool by_rows = total_rows() > 1;
  const int extent = by_rows ? total_rows() : w.output_w;
  const int bytes = by_rows ? w.output_w * w.output_channels : w.output_channels;
  int unit = by_rows ? 1 : static_cast<int>(code.pixels);
  if (workers > tecs_per_core) {  // no two cores may write one line
    if (tecs_per_core % by_blocks != 0) return false;
    unit = std::lcm(unit, 64 / std::gcd(64, bytes));
  }
  if (static_cast<int>(by_blocks) > blocks()) return false;
  const int units = ceil_div(extent, unit);
  shares_.clear();
  unit_rows_max_ = unit_columns_max_ = blocks_max_ = 0;
  for (unsigned s = 0; s < by_space; ++s)
    for (unsigned b = 0; b < by_blocks; ++b) {
      const auto at = [&](unsigned i) {
        return std::min(extent, units * static_cast<int>(i) / static_cast<int>(by_space) * unit);
      };
      const auto block_at = [&](unsigned i) {
        return blocks() * static_cast<int>(i) / static_cast<int>(by_blocks);
      };
      Share share;
      share.y1 = by_rows ? at(s + 1) : 1;
      share.y0 = by_rows ? at(s) : 0;
      share.x0 = by_rows ? 0 : at(s);
      share.x1 = by_rows ? w.output_w : at(s + 1);
      share.b0 = block_at(b);
      share.b1 = block_at(b + 1);
      unit_rows_max_ = std::max(unit_rows_max_, share.y1 - share.y0);
      unit_columns_max_ = std::max(unit_columns_max_, share.x1 - share.x0);
      blocks_max_ = std::max(blocks_max_, share.b1 - share.b0);
      shares_.push_back(share);
    }
  return true;
}

// Bytes of neighbouring taps follow each other unless the filter is dilated.
bool ConvTiling::row_runs() const { return !code.depthwise && problem->window.dilation_w == 1; }

unsigned ConvTiling::count_trips() const {
  const reference::Window& w = problem->window;
  const int words = code.depthwise ? 1 : static_cast<int>(pixel_bytes() / 4);
  const int runs = row_runs() ? 1 : w.filter_w, taps = row_runs() ? w.filter_w : 1;
  const int trips_of_run = ceil_div(taps * words, static_cast<int>(code.unroll));
  const auto count =
      static_cast<unsigned>(static_cast<int>(problem->planes.size()) * w.filter_h * runs * trips_of_run);
  return code.direct() ? count : std::max(count, kLeastTrips * chunks);
}

ConvWalk ConvTiling::make_walk() const {
  const reference::Window& w = problem->window;
  ConvWalk walk;
  const auto pixel = static_cast<std::int32_t>(pixel_bytes());
  const int runs = row_runs() ? 1 : w.filter_w;      // of a filter row
  const int taps = row_runs() ? w.filter_w : 1;      // of a run
  const int words = code.depthwise ? 1 : pixel / 4;  // of a tap
  const auto word_bytes = static_cast<std::int32_t>(code.depthwise ? 32 : 4);
  for (int plane = 0; plane < static_cast<int>(problem->planes.size()); ++plane)
    for (int ky = 0; ky < w.filter_h; ++ky)
      for (int run = 0; run < runs; ++run) {
        std::int32_t at =
            ky * w.dilation_h * static_cast<std::int32_t>(row_pitch) + run * w.dilation_w * pixel;
        for (int i = 0; i < taps * words; ++i) {
          if (walk.words.size() % code.unroll == 0) walk.starts.push_back(at);
          walk.words.push_back({plane, ky, row_runs() ? i / words : run, 4 * (i % words)});
          at += word_bytes;
        }
        while (walk.words.size() % code.unroll != 0) walk.words.push_back({});
      }
  while (walk.starts.size() < trips) {
    walk.starts.push_back(walk.starts.back());
    walk.words.resize(walk.words.size() + code.unroll);
  }
  for (std::size_t i = 0; i < walk.starts.size(); ++i)
    walk.deltas.push_back(i + 1 < walk.starts.size() ? walk.starts[i + 1] - walk.starts[i] : 0);
  return walk;
}

// Of the share with the most; a tile does not reach from one image into the next.
int ConvTiling::row_tiles() const {
  if (problem->window.batches == 1) return ceil_div(share_rows(), tile_rows);
  std::size_t most = 0;
  for (const Share& share : shares_) most = std::max(most, tiles_of({share.y0, share.y1, 0, 1, 0, 0}).size());
  return static_cast<int>(most);
}

bool ConvTiling::lay_out() {
  row_pitch = static_cast<std::uint32_t>(needed_columns(padded_columns())) * pixel_bytes();
  trips = count_trips();
  const std::uint32_t copies = code.chunked ? code.pixels : 1;
  header_bytes = 32 * code.vectors * copies + requant_block_bytes(code.requant);
  chunk_trips = (trips + chunks - 1) / chunks;
  if (chunks > 1 && (chunk_trips < kLeastTrips || trips - chunk_trips * (chunks - 1) < kLeastTrips ||
                     trips <= chunk_trips * (chunks - 1)))
    return false;
  block_bytes = align(header_bytes + 32 * code.vectors * code.unroll * chunk_trips, 64);
  table_bytes_ = code.direct() ? 0 : align(4 * trips, 64);

  const int tiles = row_tiles() * column_tiles();
  const int steps = tiles * block_groups() * static_cast<int>(chunks);
  const int inputs =
      code.depthwise || !tile_outer ? tiles * (tiles > 1 || code.depthwise ? block_groups() : 1) : tiles;
  for (const unsigned buffers : {2U, 1U}) {
    in_buffers_ = inputs > 1 ? buffers : 1;
    weight_buffers_ = block_groups() * static_cast<int>(chunks) > 1 ? buffers : 1;
    out_buffers_ = steps > 1 ? 2 : 1;
    prefetch_ = buffers == 2;
    LsramPlan lsram;
    for (unsigned i = 0; i < in_buffers_; ++i) {
      in_at_[i] = lsram.take(in_bytes() + kInputGap);
    }
    for (unsigned i = 0; i < weight_buffers_; ++i)
      weights_at_[i] = lsram.take(std::uint64_t{group_blocks} * block_bytes);
    scratch_at_ = lsram.take(std::uint64_t{32} * code.vectors * static_cast<unsigned>(padded_columns()));
    for (unsigned i = 0; i < out_buffers_; ++i) out_at_[i] = lsram.take(out_bytes() + 32 * 4);
    table_at_ = lsram.take(table_bytes_);
    if (lsram.fits()) return true;
    if (in_buffers_ == 1 && weight_buffers_ == 1) return false;
  }
  return false;
}

std::vector<ConvTiling::PixelTile> ConvTiling::tiles_of(const Share& share) const {
  std::vector<PixelTile> tiles;
  const int image_rows = problem->window.output_h;
  for (int y = share.y0; y < share.y1;) {
    const int image_end = (y / image_rows + 1) * image_rows;
    const int rows = std::min({tile_rows, share.y1 - y, image_end - y});
    for (int x = share.x0; x < share.x1; x += tile_columns)
      tiles.push_back({y, x, rows, std::min(tile_columns, share.x1 - x)});
    y += rows;
  }
  return tiles;
}

void ConvTiling::load_input(const PixelTile& tile, int first_block, int block_count, unsigned buffer,
                            std::optional<Filled>& filled, Tile& out) const {
  const reference::Window& w = problem->window;
  const int image = tile.y / w.output_h;
  const int top = tile.y % w.output_h * w.stride_h - w.pad_top, left = tile.x * w.stride_w - w.pad_left;
  const auto inside = [](int origin, int step, int extent, int count) {
    const int first = origin < 0 ? (-origin + step - 1) / step : 0;
    const int last = origin >= extent ? 0 : (extent - 1 - origin) / step + 1;
    return std::pair{std::min(first, count), std::min(last, count)};
  };
  Filled now{in_rows(tile.rows), needed_columns(tile.columns), {}};
  std::tie(now.valid.r0, now.valid.r1) = inside(top, row_step(), w.input_h, now.rows);
  std::tie(now.valid.c0, now.valid.c1) = inside(left, column_step(), w.input_w, now.columns);
  const Valid& v = now.valid;
  if (v != Valid{0, now.rows, 0, now.columns}) {
    // A buffer that was filled for the same geometry still has its zero points, unless they were flipped.
    if (filled != now || code.unsigned_input) out.fills.push_back({in_at_[buffer], in_bytes() / 32});
    filled = now;
  } else {
    filled.reset();
  }
  if (v.empty()) return;

  const int channels = w.input_channels;
  const int first_channel = code.depthwise ? first_block * 32 : 0;
  const int loaded = code.depthwise ? std::min(block_count * 32, channels - first_channel) : channels;
  const auto pitch = pixel_bytes();
  const auto address = [&](int r) {
    return in_at_[buffer] + static_cast<std::uint32_t>(r) * row_pitch +
           static_cast<std::uint32_t>(v.c0) * pitch;
  };
  const auto ddr = [&](int r) {
    const std::int64_t row = std::int64_t{image} * w.input_h + top + r * row_step();
    return static_cast<std::uint32_t>((row * w.input_w + left + v.c0 * column_step()) * channels +
                                      first_channel);
  };
  const auto columns = static_cast<std::uint32_t>(v.c1 - v.c0),
             rows = static_cast<std::uint32_t>(v.r1 - v.r0);
  const auto ddr_row = static_cast<std::uint32_t>(row_step() * w.input_w * channels);
  const auto ddr_pixel = static_cast<std::uint32_t>(column_step() * channels);
  if (loaded == channels && static_cast<std::uint32_t>(channels) == pitch && column_step() == 1) {
    out.loads.push_back({kParamInput, ddr(v.r0), address(v.r0), {columns * pitch, rows, ddr_row, row_pitch}});
    return;
  }
  const Transfer row{static_cast<std::uint32_t>(loaded), columns, ddr_pixel, pitch};
  if (ddr_row == columns * ddr_pixel && row_pitch == columns * pitch) {
    out.loads.push_back(
        {kParamInput, ddr(v.r0), address(v.r0), {row.width, columns * rows, ddr_pixel, pitch}});
    return;
  }
  for (int r = v.r0; r < v.r1; ++r) out.loads.push_back({kParamInput, ddr(r), address(r), row});
}

void ConvTiling::load_weights(int first_block, int block_count, unsigned chunk, unsigned buffer, bool table,
                              Tile& out) const {
  if (table && table_bytes_ > 0)
    out.loads.push_back({kParamWeights, 0, table_at_, Transfer::contiguous(table_bytes_)});
  const std::uint32_t from =
      table_bytes_ + (static_cast<std::uint32_t>(first_block) * chunks + chunk) * block_bytes;
  out.loads.push_back({kParamWeights, from, weights_at_[buffer],
                       Transfer::contiguous(static_cast<std::uint32_t>(block_count) * block_bytes)});
}

void ConvTiling::store_output(const PixelTile& tile, int first_block, int block_count, unsigned buffer,
                              Tile& out) const {
  const reference::Window& w = problem->window;
  const auto rows = static_cast<std::uint32_t>(tile.rows), columns = static_cast<std::uint32_t>(tile.columns);
  const auto channels = static_cast<std::uint32_t>(w.output_channels);
  const std::uint32_t row_bytes = out_row_bytes(tile.columns), pixel = code.block_channels();
  const std::uint32_t ddr_row = static_cast<std::uint32_t>(w.output_w) * channels;
  for (int i = 0; i < block_count; ++i) {
    const std::uint32_t channel = static_cast<std::uint32_t>(first_block + i) * pixel;
    const std::uint32_t width = std::min(pixel, channels - channel);
    const std::uint32_t from = out_at_[buffer] + static_cast<std::uint32_t>(i) * out_block_bytes();
    const auto to =
        static_cast<std::uint32_t>((std::int64_t{tile.y} * w.output_w + tile.x) * channels + channel);
    if (width == channels && width == pixel) {
      out.stores.push_back({kParamOutput, to, from, {columns * channels, rows, ddr_row, row_bytes}});
    } else if (tile.columns == w.output_w && row_bytes == columns * pixel) {
      out.stores.push_back({kParamOutput, to, from, {width, rows * columns, channels, pixel}});
    } else {
      for (std::uint32_t r = 0; r < rows; ++r)
        out.stores.push_back(
            {kParamOutput, to + r * ddr_row, from + r * row_bytes, {width, columns, channels, pixel}});
    }
  }
}

std::vector<Step> ConvTiling::steps_of(const Share& share, const ConvWalk& walk) const {
  struct Pair {
    PixelTile tile;
    int tile_index, block;
  };
  std::vector<Pair> order;
  const std::vector<PixelTile> tiles = tiles_of(share);
  const auto group = static_cast<int>(group_blocks);
  if (tile_outer) {
    for (std::size_t t = 0; t < tiles.size(); ++t)
      for (int b = share.b0; b < share.b1; b += group) order.push_back({tiles[t], static_cast<int>(t), b});
  } else {
    for (int b = share.b0; b < share.b1; b += group)
      for (std::size_t t = 0; t < tiles.size(); ++t) order.push_back({tiles[t], static_cast<int>(t), b});
  }

  std::vector<Tile> out;
  std::array<std::optional<Filled>, 2> filled;
  int loaded_tile = -1, loaded_input_block = -1, loaded_block = -1;
  unsigned loaded_chunk = 0, in_count = 0, weight_count = 0, in_buffer = 0, weight_buffer = 0;
  for (const Pair& pair : order) {
    const int count = std::min(group, share.b1 - pair.block);
    for (unsigned chunk = 0; chunk < chunks; ++chunk) {
      Tile step;
      bool new_input = false;
      if (pair.tile_index != loaded_tile || (code.depthwise && pair.block != loaded_input_block)) {
        in_buffer = in_count++ % in_buffers_;
        load_input(pair.tile, pair.block, count, in_buffer, filled[in_buffer], step);
        loaded_tile = pair.tile_index;
        loaded_input_block = pair.block;
        new_input = true;
      }
      if (pair.block != loaded_block || chunk != loaded_chunk) {
        weight_buffer = weight_count % weight_buffers_;
        load_weights(pair.block, count, chunk, weight_buffer, weight_count++ == 0, step);
        loaded_block = pair.block;
        loaded_chunk = chunk;
      }
      const bool last = chunk + 1 == chunks;
      const auto out_buffer = static_cast<unsigned>(out.size() % out_buffers_);
      if (last) store_output(pair.tile, pair.block, count, out_buffer, step);
      const std::uint32_t row_bytes = out_row_bytes(pair.tile.columns);
      const int windows = padded(pair.tile.columns);
      const unsigned first = chunk * chunk_trips, end = last ? walk.trips() : first + chunk_trips;
      step.args.resize(conv_args(code));
      step.args[kArgIn] = in_at_[in_buffer] + static_cast<std::uint32_t>(walk.starts[first]);
      step.args[kArgWeights] = weights_at_[weight_buffer];
      step.args[kArgBlocks] = static_cast<std::uint32_t>(count);
      step.args[kArgRows] = static_cast<std::uint32_t>(pair.tile.rows);
      step.args[kArgGroups] = static_cast<std::uint32_t>(windows) / code.pixels;
      step.args[kArgOut] = out_at_[out_buffer];
      step.args[kArgOutRow] = row_bytes;
      step.args[kArgOutBlock] = out_block_bytes() - static_cast<std::uint32_t>(pair.tile.rows) * row_bytes;
      step.args[kArgPass] =
          std::max(static_cast<std::uint32_t>(windows) * code.vectors / 4, code.pass_least) - 1;
      if (step.args.size() > kArgFlipVectors) {
        step.args[kArgFlipAt] = in_at_[in_buffer];
        step.args[kArgFlipVectors] = code.unsigned_input && new_input ? in_bytes() / 32 : 0;
      }
      if (code.chunked) {
        step.args[kArgTrips] = end - first - 1;
        step.args[kArgTable] = table_at_ + 4 * first;
        step.args[kArgInit] = chunk == 0 ? weights_at_[weight_buffer] : scratch_at_;
        step.args[kArgInitStep] = chunk == 0 ? 0 : 32 * code.pixels * code.vectors;
        step.args[kArgFinish] = last ? 1 : 0;
      }
      out.push_back(std::move(step));
    }
  }
  return pipeline(out, prefetch_);
}

Result<ConvPlan> ConvTiling::plan() const {
  ConvPlan plan;
  plan.code = code;
  plan.walk = make_walk();
  plan.header_bytes = header_bytes;
  plan.block_bytes = block_bytes;
  plan.blocks = static_cast<unsigned>(blocks());
  plan.chunks = chunks;
  plan.chunk_trips = chunk_trips;
  plan.table_bytes = table_bytes_;
  const auto zero =
      static_cast<std::uint32_t>(problem->input_zero_point + (problem->unsigned_input ? 128 : 0)) & 0xFF;
  plan.params[kParamFill] = zero * 0x01010101U;
  plan.params[kParamRowPitch] = static_cast<std::uint32_t>(tile_stride_h()) * row_pitch;
  plan.params[kParamPixelPitch] = static_cast<std::uint32_t>(tile_stride_w()) * pixel_bytes();
  plan.params[kParamInBlock] = code.depthwise ? 32 : 0;
  plan.params[kParamBlockBytes] = block_bytes;
  plan.params[kParamHeader] = header_bytes;
  plan.params[kParamTable] = table_at_;
  plan.params[kParamTrips] = trips - 1;
  plan.params[kParamScratch] = scratch_at_;
  for (unsigned segment = 0; segment < code.segments; ++segment)
    plan.params[kParamSegments + segment] =
        static_cast<std::uint32_t>(plan.walk.starts[std::size_t{segment} * code.segment_words]);
  for (const Share& share : shares_) plan.steps.push_back(steps_of(share, plan.walk));
  plan.predicted_cycles = static_cast<std::uint64_t>(cost);
  return plan;
}

}  // namespace zynpu::compiler
