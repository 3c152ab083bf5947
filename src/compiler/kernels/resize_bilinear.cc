// SPDX-License-Identifier: MIT
// RESIZE_BILINEAR of int8: the four neighbours of an output pixel, interleaved byte by byte, times its four
// weights by four-way dot products.
//
// A weight is the product of two fractions of 1/1024, at most 2^20, so it has three signed digits of base 256
// and the sum of the four products is C0 + 256 C1 + 65536 C2. The rounding, half away from zero, is an
// addition and an arithmetic shift. Weights and the places of the neighbours are a record per output pixel,
// made here; equal rows of records are stored once.
#include <algorithm>
#include <array>
#include <map>

#include "compiler/codegen/bytes.h"
#include "compiler/codegen/lsram.h"
#include "compiler/codegen/steps.h"
#include "compiler/kernels/constraints.h"
#include "compiler/kernels/flat.h"
#include "compiler/kernels/lowerings.h"
#include "compiler/kernels/pool_code.h"
#include "reference/operators.h"

namespace zynpu::compiler {
namespace {

constexpr std::uint32_t kRowBytes = 4 * 1024;  // of one of the two input rows of a tile
constexpr std::uint32_t kOutputBytes = 4 * 1024;
constexpr std::uint32_t kRecordBytes = 32;
constexpr std::uint32_t kMaxPixels = 64;
constexpr int kMaxChannels = 512;  // of a tile
// Short tiles compute on beyond their end (inside their buffers), so that the loop may be pipelined this
// deep.
constexpr std::uint32_t kMinPixels = 3;
constexpr unsigned kDigits = 3;
constexpr Area kInput{1}, kOutput{2}, kRecords{3};

enum Arg : unsigned { kArgTop, kArgBottom, kArgRecords, kArgOut, kArgPixels, kArgVectors, kArgCount };
enum ParamIndex : unsigned { kParamSteps, kParamRecords, kParamSource, kParamTarget, kParamPitch };

// One axis: the neighbours of every output position, with a fraction in 0..1023 and 0 where both are the
// same.
std::vector<reference::BilinearTap> taps_of(int input_extent, int output_extent,
                                            const ir::ResizeAttributes& attributes) {
  std::vector<reference::BilinearTap> taps;
  for (int i = 0; i < output_extent; ++i) {
    taps.push_back(reference::bilinear_tap(i, input_extent, output_extent, attributes));
    if (taps.back().lower == taps.back().upper) taps.back().fraction = 0;
  }
  return taps;
}

// The three digit words of the weights of (top left, top right, bottom left, bottom right).
std::array<std::uint32_t, kDigits> weight_digits(std::int32_t y, std::int32_t x) {
  const std::array<std::int32_t, 4> weights{(1024 - y) * (1024 - x), (1024 - y) * x, y * (1024 - x), y * x};
  std::array<std::uint32_t, kDigits> words{};
  for (unsigned i = 0; i < 4; ++i) {
    std::int32_t rest = weights[i];
    for (std::uint32_t& word : words) {
      const auto digit = static_cast<std::int8_t>(rest);
      word |= std::uint32_t{static_cast<std::uint8_t>(digit)} << 8 * i;
      rest = (rest - digit) / 256;
    }
  }
  return words;
}

// A run of pixels of one output row, and the input columns that it reads.
struct Run {
  int x = 0, pixels = 0, first_column = 0, columns = 0;
};

// Cuts an output row into runs whose input columns and outputs fit the buffers.
std::vector<Run> cut_row(const std::vector<reference::BilinearTap>& taps, std::uint32_t pitch) {
  const auto max_columns = static_cast<int>(kRowBytes / pitch);
  const auto max_pixels = static_cast<int>(std::min(kMaxPixels, kOutputBytes / pitch));
  std::vector<Run> runs;
  for (int x = 0; x < static_cast<int>(taps.size()); ++x) {
    if (!runs.empty()) {
      Run& run = runs.back();
      const int columns = std::max(run.columns, taps[x].upper + 1 - run.first_column);
      if (run.pixels < max_pixels && columns <= max_columns) {
        ++run.pixels;
        run.columns = columns;
        continue;
      }
    }
    runs.push_back({x, 1, taps[x].lower, taps[x].upper + 1 - taps[x].lower});
  }
  return runs;
}

// The records of a run, padded to kMinPixels by its last pixel.
std::vector<std::uint8_t> records_of(const std::vector<reference::BilinearTap>& taps, const Run& run,
                                     std::int32_t y, std::uint32_t pitch) {
  std::vector<std::uint8_t> bytes;
  const auto pixels = std::max(static_cast<std::uint32_t>(run.pixels), kMinPixels);
  for (std::uint32_t i = 0; i < pixels; ++i) {
    const auto& tap = taps[static_cast<unsigned>(run.x + std::min(static_cast<int>(i), run.pixels - 1))];
    for (const std::uint32_t word : weight_digits(y, tap.fraction)) put_word(bytes, word);
    put_word(bytes, static_cast<std::uint32_t>(tap.lower - run.first_column) * pitch);
    put_word(bytes, static_cast<std::uint32_t>(tap.upper - run.first_column) * pitch);
    bytes.resize((i + 1) * kRecordBytes);
  }
  return bytes;
}

// 32 channels of one output pixel.
void emit_pixel(Builder& b, R top, R bottom, R record, R out, V half) {
  std::array<Vec, 4> neighbours;
  {
    Gpr left = b.gpr(), right = b.gpr(), at = b.gpr();
    b.ld(left, record, 4 * kDigits, kRecords);
    b.ld(right, record, 4 * kDigits + 4, kRecords);
    const std::array<R, 4> rows{top, top, bottom, bottom};
    for (unsigned i = 0; i < 4; ++i) {
      neighbours[i] = b.vec();
      b.add(at, rows[i], i % 2 == 0 ? R(left) : R(right));
      b.vld(neighbours[i], at, 0, kInput);
    }
  }
  std::array<Vec, kDigits> weights;
  for (unsigned d = 0; d < kDigits; ++d) {
    Gpr word = b.gpr();
    weights[d] = b.vec();
    b.ld(word, record, static_cast<std::int32_t>(4 * d), kRecords);
    b.bcast(weights[d], word);
  }
  // Word i of vector v: the four neighbours of channel 8 v + i.
  std::array<Vec, 4> words;
  for (Vec& w : words) w = b.vec();
  {
    Vec upper = b.vec(), lower = b.vec();
    b.zipl(Size::kB, upper, neighbours[0], neighbours[1]);
    b.zipl(Size::kB, lower, neighbours[2], neighbours[3]);
    b.zipl(Size::kH, words[0], upper, lower);
    b.ziph(Size::kH, words[1], upper, lower);
    b.ziph(Size::kB, upper, neighbours[0], neighbours[1]);
    b.ziph(Size::kB, lower, neighbours[2], neighbours[3]);
    b.zipl(Size::kH, words[2], upper, lower);
    b.ziph(Size::kH, words[3], upper, lower);
  }
  for (Vec& n : neighbours) n.release();
  for (Vec& w : words) {
    Vec sum = b.vec(), digit = b.vec();
    b.qdot(sum, w, weights[2]);
    b.qdot(digit, w, weights[1]);
    b.vlsli(Size::kW, sum, sum, 8);
    b.vadd(Size::kW, sum, sum, digit);
    b.qdot(digit, w, weights[0]);
    b.vlsli(Size::kW, sum, sum, 8);
    b.vadd(Size::kW, sum, sum, digit);
    b.vasri(Size::kW, digit, sum, 31);
    b.vadd(Size::kW, sum, sum, half);
    b.vadd(Size::kW, sum, sum, digit);
    b.vasri(Size::kW, w, sum, 20);
  }
  // A weighted mean of int8 values is an int8 value: the low bytes are the result.
  b.exte(Size::kH, words[0], words[0], words[1]);
  b.exte(Size::kH, words[2], words[2], words[3]);
  b.exte(Size::kB, words[0], words[0], words[2]);
  b.vst(words[0], out, 0, kOutput);
}

void emit_tile(Builder& b, R step) {
  const auto argument = [&](R d, unsigned arg) { b.ld(d, step, StepShape::arg(arg)); };
  Gpr top = b.gpr(), bottom = b.gpr(), out = b.gpr(), vectors = b.gpr(), pitch = b.gpr();
  Vec half = b.vec();
  argument(top, kArgTop);
  argument(bottom, kArgBottom);
  argument(out, kArgOut);
  argument(vectors, kArgVectors);
  load_param(b, pitch, kParamPitch);
  {
    Gpr word = b.gpr();
    b.constant(word, 1U << 19);
    b.bcast(half, word);
  }
  b.repeat(vectors, [&] {
    Gpr record = b.gpr(), to = b.gpr(), pixels = b.gpr();
    argument(record, kArgRecords);
    argument(pixels, kArgPixels);
    b.move(to, out);
    b.loop(pixels, kMinPixels,
           [&] {
             emit_pixel(b, top, bottom, record, to, half);
             b.add(record, record, kRecordBytes);
             b.add(to, to, pitch);
           },
           {.name = "pixels"});
    b.add(top, top, 32);
    b.add(bottom, bottom, 32);
    b.add(out, out, 32);
  });
}

}  // namespace

Result<LayerProgram> lower_resize_bilinear(const LoweringContext& context, const ir::Op& op) {
  const ir::Tensor& input = context.graph.tensors[op.inputs[0]];
  const ir::Tensor& output = context.graph.tensors[op.outputs[0]];
  const auto& attributes = std::get<ir::ResizeAttributes>(op.attributes);
  const int batches = input.shape[0], input_h = input.shape[1], input_w = input.shape[2],
            channels = input.shape[3];
  const int output_h = output.shape[1], output_w = output.shape[2];
  const auto rows = taps_of(input_h, output_h, attributes), columns = taps_of(input_w, output_w, attributes);
  const auto pitch = static_cast<std::uint32_t>(std::min(channels, kMaxChannels) + 31) / 32 * 32;
  const std::vector<Run> runs = cut_row(columns, pitch);
  // Of two columns, at least one more than a run has: the neighbours of an output are next to each other.
  for (const Run& run : runs)
    if (static_cast<std::uint32_t>(run.columns) * pitch > kRowBytes)
      return fail(ErrorCode::kInternal, "RESIZE_BILINEAR: {} columns of {} bytes do not fit", run.columns,
                  pitch);

  LsramPlan lsram;
  std::array<std::uint32_t, 2> top{}, bottom{}, out{}, records{};
  for (int i = 0; i < 2; ++i) top[i] = lsram.take(kRowBytes);
  for (int i = 0; i < 2; ++i) bottom[i] = lsram.take(kRowBytes);
  for (int i = 0; i < 2; ++i) out[i] = lsram.take(kOutputBytes);
  for (int i = 0; i < 2; ++i) records[i] = lsram.take(kMaxPixels * kRecordBytes);

  struct Work {
    int batch, y, channel;
    const Run* run;
  };
  std::vector<Work> work;
  for (int batch = 0; batch < batches; ++batch)
    for (int y = 0; y < output_h; ++y)
      for (const Run& run : runs)
        for (int channel = 0; channel < channels; channel += kMaxChannels)
          work.push_back({batch, y, channel, &run});

  LayerProgram layer;
  layer.workers = context.workers;
  layer.params = {Param::blob(0), Param::blob(1), Param::tensor(op.inputs[0]), Param::tensor(op.outputs[0]),
                  Param::literal(pitch)};
  std::vector<std::uint8_t> record_bytes;
  std::map<std::vector<std::uint8_t>, std::uint32_t> record_at;
  const auto pixel_offset = [&](int batch, int y, int height, int x, int width, int channel) {
    return static_cast<std::uint32_t>(((batch * height + y) * width + x) * channels + channel);
  };

  StepLists lists(context.workers, kArgCount);
  for (unsigned worker = 0; worker < context.workers; ++worker) {
    const std::size_t begin = work.size() * worker / context.workers;
    const std::size_t end = work.size() * (worker + 1) / context.workers;
    std::vector<Tile> tiles;
    std::uint64_t cycles = 0, bytes = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const auto& [batch, y, channel, run] = work[i];
      const std::size_t buffer = tiles.size() % 2;
      const auto width = static_cast<std::uint32_t>(std::min(kMaxChannels, channels - channel));
      const auto stride = static_cast<std::uint32_t>(channels);
      const Transfer load{width, static_cast<std::uint32_t>(run->columns), stride, pitch};
      Tile tile;
      tile.loads.push_back({kParamSource,
                            pixel_offset(batch, rows[y].lower, input_h, run->first_column, input_w, channel),
                            top[buffer], load});
      const bool two_rows = rows[y].upper != rows[y].lower;
      if (two_rows)
        tile.loads.push_back(
            {kParamSource, pixel_offset(batch, rows[y].upper, input_h, run->first_column, input_w, channel),
             bottom[buffer], load});
      std::vector<std::uint8_t> run_records = records_of(columns, *run, rows[y].fraction, pitch);
      const auto record_count = static_cast<std::uint32_t>(run_records.size()) / kRecordBytes;
      const auto [place, added] =
          record_at.try_emplace(run_records, static_cast<std::uint32_t>(record_bytes.size()));
      if (added) record_bytes.insert(record_bytes.end(), run_records.begin(), run_records.end());
      tile.loads.push_back({kParamRecords, place->second, records[buffer],
                            Transfer::contiguous(static_cast<std::uint32_t>(run_records.size()))});
      const std::uint32_t vectors = (width + 31) / 32;
      tile.args = {top[buffer],      two_rows ? bottom[buffer] : top[buffer],
                   records[buffer],  out[buffer],
                   record_count - 1, vectors};
      tile.stores.push_back({kParamTarget,
                             pixel_offset(batch, y, output_h, run->x, output_w, channel),
                             out[buffer],
                             {width, static_cast<std::uint32_t>(run->pixels), stride, pitch}});
      cycles += std::uint64_t{vectors} * (60 + 34 * record_count);
      bytes += std::uint64_t{width} * static_cast<unsigned>(2 * run->columns + run->pixels);
      tiles.push_back(std::move(tile));
    }
    layer.predicted_cycles =
        std::max(layer.predicted_cycles, overlapped_cycles(cycles, bytes, 3 * tiles.size()));
    lists.set(worker, pipeline(tiles));
  }
  ZYNPU_ASSIGN_OR_RETURN(Blob steps, lists.blob());
  layer.blobs = {std::move(steps), {std::move(record_bytes)}};

  Builder b("resize_bilinear");
  emit_steps(b, lists.shape(), -1, [&](R step) { emit_tile(b, step); });
  ZYNPU_ASSIGN_OR_RETURN(layer.code, std::move(b).finish());
  return layer;
}

}  // namespace zynpu::compiler
