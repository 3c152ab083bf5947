// SPDX-License-Identifier: MIT
// The search: register blocks, shares of the workers, tiles and the order of loops, by a cost model.
#include "compiler/kernels/conv_plan.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "compiler/kernels/conv_tiles.h"

namespace zynpu::compiler {
namespace {

int ceil_div(int a, int b) { return (a + b - 1) / b; }

constexpr double kColdBundle = 75, kRefetch = 3.2;  // tec-semantics.md 9.4

// Rows of the inner loop: the slots it needs.
double trip_rows(const ConvCode& c) {
  const unsigned sums = c.pixels * c.vectors, words = c.direct() ? c.words() : c.unroll;
  const unsigned arithmetic = words * sums + (c.direct() ? c.pixels * c.segments + 1 : c.pixels + 2);
  const unsigned weights = words * c.vectors - (c.direct() ? c.resident() : 0);
  const unsigned loads = weights + words * c.pixels + (c.direct() ? sums : 1);
  const unsigned broadcasts = c.depthwise ? 0 : words * c.pixels;
  const unsigned stores = c.direct() ? sums : 0;
  return std::max(
      {(arithmetic + 1) / 2, (loads + broadcasts + stores + 1) / 2, broadcasts, loads, stores * 3 / 2});
}

// Bundles that run once a group: start values, pointers, the loop's first and last trips, stores.
double group_bundles(const ConvCode& c) { return 12 + 1.2 * c.pixels * c.vectors + 2 * trip_rows(c); }

double code_bundles(const ConvCode& c) {
  const double requant = c.requant.exact_product ? 90 : 55;
  return 80 + (c.fills ? 17 : 0) + group_bundles(c) + trip_rows(c) +
         requant * (c.pass_least >= kPipelinedBlocks ? 1.6 : 1);
}

// Modelled cycles of the slowest worker (tec-semantics.md 9.4, 9.7).
double cost_of(const ConvTiling& t) {
  constexpr double kRequest = 363, kRequestIssue = 45, kStep = 250, kBlock = 60, kRow = 130,
                   kRecordLine = 300;
  const ConvCode& c = t.code;
  const double first_pass = trip_rows(c) * (kRefetch - 1);
  const double group = c.direct()
                           ? trip_rows(c) + 2
                           : (t.trips - 1) * (trip_rows(c) + 1) + group_bundles(c) * kRefetch + first_pass;
  const double row_start = c.direct() ? (2 * trip_rows(c) + 25) * kRefetch : 0;
  const double row =
      row_start + t.groups() * group + t.pass_blocks() * requant_block_cycles(c.requant, c.pass_least) + kRow;
  const double flip = c.unsigned_input ? t.in_bytes() / 32.0 * 3 : 0;
  const double tiles = double{1} * t.row_tiles() * t.column_tiles();
  const double groups = t.block_groups(), steps = tiles * groups * t.chunks;
  const double compute = steps * t.group_blocks * (t.tile_rows * row + kBlock) + tiles * flip;

  const double weights = 1.0 * t.group_blocks * t.block_bytes * t.chunks;
  const double weight_loads = groups * t.chunks > 1 && t.tile_outer ? tiles * groups : groups;
  const bool input_per_group = t.depthwise_input() || (!t.tile_outer && tiles > 1);
  const double input_loads = input_per_group ? tiles * groups : tiles;
  const double in = t.valid_in_bytes(), out = 1.0 * t.out_bytes();
  const double rate = 13.2 / std::min(t.workers, t.tecs_per_core);
  const double traffic = (weights * weight_loads + in * input_loads + out * tiles * groups) / rate;
  const double requests =
      input_loads * t.in_requests() + weight_loads * t.chunks + tiles * groups * t.out_requests();
  const double fills = c.fills ? (input_loads > 1 ? 2 : 1) * t.in_bytes() / 32.0 * 2 : 0;
  const double start = kRequest + (weights / t.chunks + in) / rate, end = kRequest + out / rate;
  const double busy = compute + requests * kRequestIssue + steps * (kStep + kRecordLine) + fills;
  const double overlapped = std::max(busy, traffic - (weights / t.chunks + in + out) / rate);
  return start + end + overlapped + 3 * kRecordLine;
}

bool has_padding(const reference::Window& w) {
  const auto beyond = [](int extent, int out, int stride, int pad, int filter, int dilation) {
    return (out - 1) * stride - pad + (filter - 1) * dilation >= extent;
  };
  return w.pad_top > 0 || w.pad_left > 0 ||
         beyond(w.input_h, w.output_h, w.stride_h, w.pad_top, w.filter_h, w.dilation_h) ||
         beyond(w.input_w, w.output_w, w.stride_w, w.pad_left, w.filter_w, w.dilation_w);
}

class Search {
 public:
  Search(const ConvProblem& problem, unsigned workers, unsigned tecs_per_core, bool shared_code)
      : p_(problem), workers_(workers), tecs_per_core_(tecs_per_core), shared_code_(shared_code) {}

  Result<ConvTiling> run() {
    ZYNPU_ASSIGN_OR_RETURN(
        requant_, plan_requant(p_.requant, p_.depthwise ? PackOrder::kInterleaved : PackOrder::kLinear,
                               p_.unsigned_output));
    for (const bool chunked : {false, true}) {
      constexpr std::array<std::array<unsigned, 2>, 6> kBlocks{
          {{4, 4}, {4, 2}, {4, 1}, {2, 4}, {2, 2}, {1, 4}}};
      for (const auto& [pixels, vectors] : kBlocks) {
        if (p_.depthwise && vectors != 4) continue;
        ConvCode code;
        code.depthwise = p_.depthwise;
        code.unsigned_input = p_.unsigned_input;
        code.chunked = chunked;
        code.pixels = pixels;
        code.vectors = vectors;
        code.unroll = p_.depthwise ? 1 : 2;
        code.requant = requant_;
        code.fills = shared_code_ || has_padding(p_.window);
        with_grids(code);
        if (make_direct(code)) with_grids(code);
      }
      if (found_) return std::move(best_);
    }
    return fail(
        ErrorCode::kUnsupported, "no tile of the convolution fits the local memory{}",
        workers_ > tecs_per_core_ ? ", or its output cannot be shared between cores at 64-byte lines" : "");
  }

 private:
  void with_grids(const ConvCode& code) {
    for (unsigned by_blocks = 1; by_blocks <= workers_; ++by_blocks)
      if (workers_ % by_blocks == 0) with_shares(code, workers_ / by_blocks, by_blocks);
  }

  // The direct form, if the whole window fits the loop buffer.
  bool make_direct(ConvCode& code) const {
    const reference::Window& w = p_.window;
    if (code.chunked || p_.planes.size() > 1) return false;
    const unsigned depth_words = static_cast<unsigned>(w.input_channels + 3) / 4;
    const bool row_runs = !code.depthwise && w.dilation_w == 1;
    const auto taps = static_cast<unsigned>(w.filter_h * w.filter_w),
               rows = static_cast<unsigned>(w.filter_h);
    code.unroll = 1;
    code.segments = row_runs ? rows : taps;
    code.segment_words = code.depthwise ? 1
                         : row_runs     ? static_cast<unsigned>(w.filter_w) * depth_words
                                        : depth_words;
    constexpr unsigned kMostProducts = 46, kMostWordOffset = 63, kMostPointers = 9;
    return code.words() * code.pixels * code.vectors <= kMostProducts &&
           code.segment_words <= kMostWordOffset && code.pixels * code.segments <= kMostPointers &&
           code.pixels * code.vectors <= 16 && trip_rows(code) <= 29;
  }

  void with_shares(const ConvCode& code, unsigned by_space, unsigned by_blocks) {
    ConvTiling t(p_, code, workers_, tecs_per_core_);
    if (!t.share(by_space, by_blocks)) return;
    const int most_blocks = t.share_blocks();
    for (int parts = 1; parts <= most_blocks; parts = parts < 4 ? parts + 1 : parts * 2) {
      t.group_blocks = static_cast<unsigned>(code.chunked ? 1 : ceil_div(most_blocks, parts));
      for (const bool tile_outer : {false, true}) {
        t.tile_outer = tile_outer;
        with_tiles(t);
        if (t.block_groups() == 1) break;
      }
      if (code.chunked) break;
    }
  }

  void with_tiles(ConvTiling& t) {
    const int rows = t.share_rows(), columns = t.share_columns();
    const auto smaller = [](int n) { return n < 4 ? n + 1 : n + n / 2; };
    if (!t.code.chunked)
      for (int parts = 1; parts < rows; parts = smaller(parts)) try_tile(t, ceil_div(rows, parts), columns);
    for (int parts = 1; parts <= columns; parts = smaller(parts)) {
      const int tile = ceil_div(columns, parts);
      const auto unit = static_cast<int>(t.code.pixels);
      try_tile(t, 1, parts == 1 ? tile : std::min(columns, ceil_div(tile, unit) * unit));
    }
  }

  void try_tile(ConvTiling& t, int rows, int columns) {
    t.tile_rows = rows;
    t.tile_columns = columns;
    for (unsigned chunks = t.code.chunked ? 2 : 1; chunks <= (t.code.chunked ? 64U : 1U); ++chunks) {
      t.chunks = chunks;
      if (!t.lay_out()) continue;
      t.code.pass_least = 1;
      consider(t);
      if (t.pass_blocks() >= static_cast<int>(kPipelinedBlocks)) {
        t.code.pass_least = kPipelinedBlocks;
        consider(t);
        t.code.pass_least = 1;
      }
      break;
    }
  }

  void consider(ConvTiling& t) {
    t.cost = cost_of(t);
    t.full_cost = t.cost + kColdBundle * code_bundles(t.code);
    // A form of its own costs a program with other layers all of its code again.
    if (shared_code_ && !is_common(t.code)) t.full_cost += kColdBundle * code_bundles(t.code);
    if (found_ && t.full_cost >= best_.full_cost) return;
    best_ = t;
    found_ = true;
  }
  static bool is_common(const ConvCode& c) {
    return c.pixels == 4 && c.vectors == 4 && !c.chunked && !c.requant.exact_product;
  }

  const ConvProblem& p_;
  unsigned workers_, tecs_per_core_;
  bool shared_code_;
  RequantPlan requant_;
  bool found_ = false;
  ConvTiling best_;
};

}  // namespace

Result<ConvPlan> plan_conv(const ConvProblem& problem, unsigned workers, unsigned tecs_per_core,
                           bool shared_code) {
  ZYNPU_ASSIGN_OR_RETURN(ConvTiling tiling, Search(problem, workers, tecs_per_core, shared_code).run());
  return tiling.plan();
}

}  // namespace zynpu::compiler
