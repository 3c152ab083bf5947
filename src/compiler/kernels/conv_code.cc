// SPDX-License-Identifier: MIT
// The convolution's inner loops: P windows times W vectors of output channels are summed in registers, one
// trip a few words of the window; the sums go to a scratch area, which is requantised row by row.
#include <array>
#include <map>
#include <mutex>
#include <vector>

#include "compiler/kernels/conv_plan.h"

namespace zynpu::compiler {
namespace {

constexpr Area kInput{1}, kWeights{2}, kScratch{3}, kOutput{4}, kTable{5}, kFlipped{6};
constexpr unsigned kMaxPixels = 4, kMaxVectors = 4;

class ConvEmitter {
 public:
  ConvEmitter(Builder& builder, const ConvCode& code) : b_(builder), code_(code), shape_{conv_args(code)} {}

  StepShape shape() const { return shape_; }

  void step(R step) {
    step_ = step;
    if (code_.unsigned_input) flip_input();
    Gpr weights = b_.gpr(), in = b_.gpr(), out = b_.gpr(), blocks = b_.gpr();
    argument(weights, kArgWeights);
    argument(in, kArgIn);
    argument(out, kArgOut);
    argument(blocks, kArgBlocks);
    b_.repeat(blocks, [&] {
      rows(weights, in, out);
      Gpr weights_change = b_.gpr(), in_change = b_.gpr(), out_change = b_.gpr();
      parameter(weights_change, kParamBlockBytes);
      parameter(in_change, kParamInBlock);
      argument(out_change, kArgOutBlock);
      b_.add(weights, weights, weights_change);
      b_.add(in, in, in_change);
      b_.add(out, out, out_change);
    });
  }

 private:
  void argument(R d, unsigned arg) { b_.ld(d, step_, StepShape::arg(arg)); }
  void parameter(R d, unsigned param) { b_.ld(d, kLayerParams, static_cast<std::int32_t>(4 * param)); }

  // uint8 to int8: every byte of the tile, once.
  void flip_input() {
    Gpr vectors = b_.gpr();
    argument(vectors, kArgFlipVectors);
    b_.if_nonzero(vectors, [&] {
      Gpr at = b_.gpr();
      argument(at, kArgFlipAt);
      b_.add(vectors, vectors, -1);
      b_.loop(vectors, 1,
              [&] {
                Vec x = b_.vec();
                b_.vld(x, at, 0, kInput);
                b_.vaddi(Size::kB, x, x, 128);
                b_.vst(x, at, 0, kFlipped);
                b_.add(at, at, 32);
              },
              {"flip"});
      b_.barrier();
    });
  }

  void rows(R weights, R in, R out) {
    Gpr left = b_.gpr(), row = b_.gpr();
    argument(left, kArgRows);
    b_.move(row, in);
    b_.repeat(left, [&] {
      if (code_.direct())
        windows(weights, row);
      else
        groups(weights, row);
      Gpr row_change = b_.gpr(), out_change = b_.gpr();  // long before they are needed
      parameter(row_change, kParamRowPitch);
      argument(out_change, kArgOutRow);
      if (code_.chunked) {
        Gpr finish = b_.gpr();
        argument(finish, kArgFinish);
        b_.if_nonzero(finish, [&] { requantise(weights, out); });
      } else {
        requantise(weights, out);
      }
      b_.add(row, row, row_change);
      b_.add(out, out, out_change);
    });
  }

  void requantise(R weights, R out) {
    Gpr from = b_.gpr(), to = b_.gpr(), count = b_.gpr(), constants = b_.gpr();
    parameter(from, kParamScratch);
    b_.move(to, out);
    argument(count, kArgPass);
    b_.add(constants, weights, static_cast<std::int32_t>(start_bytes()));
    emit_requant(b_, code_.requant, from, to, count, constants, kScratch, kOutput, code_.pass_least);
  }

  // Start values of a block: of each channel, or of each pixel and channel if sums are made in chunks.
  unsigned start_bytes() const { return 32 * code_.vectors * (code_.chunked ? code_.pixels : 1); }

  void groups(R weights, R row) {
    Gpr sums = b_.gpr(), left = b_.gpr(), window = b_.gpr(), pitch = b_.gpr();
    Gpr init;
    parameter(sums, kParamScratch);
    argument(left, kArgGroups);
    b_.move(window, row);
    parameter(pitch, kParamPixelPitch);
    if (code_.chunked) {
      init = b_.gpr();
      argument(init, kArgInit);
    }
    b_.repeat(left, [&] {
      std::array<std::array<Vec, kMaxVectors>, kMaxPixels> sum;
      for (unsigned p = 0; p < code_.pixels; ++p)
        for (unsigned v = 0; v < code_.vectors; ++v) {
          sum[p][v] = b_.vec();
          if (code_.chunked)
            b_.vld(sum[p][v], init, static_cast<std::int32_t>(32 * (p * code_.vectors + v)), kAnywhere);
          else
            b_.vld(sum[p][v], weights, static_cast<std::int32_t>(32 * v), kWeights);
        }
      if (code_.chunked) {
        Gpr change = b_.gpr();
        argument(change, kArgInitStep);
        b_.add(init, init, change);
      }
      walk(sum, weights, window, pitch);
      for (unsigned p = 0; p < code_.pixels; ++p)
        for (unsigned v = 0; v < code_.vectors; ++v)
          b_.vst(sum[p][v], sums, static_cast<std::int32_t>(32 * (p * code_.vectors + v)), kScratch);
      b_.add(sums, sums, static_cast<std::int32_t>(32 * code_.pixels * code_.vectors));
    });
  }

  // The direct form: one row of windows.
  void windows(R weights, R row) {
    Gpr sums = b_.gpr(), trips = b_.gpr(), pitch = b_.gpr();
    parameter(sums, kParamScratch);
    argument(trips, kArgGroups);
    parameter(pitch, kParamPixelPitch);
    std::vector<Gpr> segment;  // [pixel][segment]
    for (unsigned s = 0; s < code_.segments; ++s) {
      segment.push_back(b_.gpr());
      parameter(segment[s], kParamSegments + s);
      b_.add(segment[s], segment[s], row);
    }
    for (unsigned i = code_.segments; i < code_.pixels * code_.segments; ++i) {
      segment.push_back(b_.gpr());
      b_.add(segment[i], segment[i - code_.segments], pitch);
    }
    b_.scale(pitch, pitch, code_.pixels);
    // Vector offsets end at 511, so every 16 weight vectors have a base of their own.
    const unsigned count = code_.words() * code_.vectors;
    std::vector<Gpr> base;
    for (unsigned i = 0; i < count; i += 16) {
      base.push_back(b_.gpr());
      if (i == 0) {
        parameter(base[0], kParamHeader);
        b_.add(base[0], base[0], weights);
      } else {
        b_.add(base.back(), base[base.size() - 2], 512);
      }
    }
    const auto load_weight = [&](Vec& v, unsigned i) {
      v = b_.vec();
      b_.vld(v, base[i / 16], static_cast<std::int32_t>(32 * (i % 16)), kWeights);
    };
    std::vector<Vec> resident(code_.resident());
    for (unsigned i = 0; i < resident.size(); ++i) load_weight(resident[i], i);
    b_.add(trips, trips, -1);
    b_.loop(trips, ConvCode::kLeastGroups,
            [&] {
              std::array<std::array<Vec, kMaxVectors>, kMaxPixels> sum;
              for (unsigned p = 0; p < code_.pixels; ++p)
                for (unsigned v = 0; v < code_.vectors; ++v) {
                  sum[p][v] = b_.vec();
                  b_.vld(sum[p][v], weights, static_cast<std::int32_t>(32 * v), kWeights);
                }
              for (unsigned w = 0; w < code_.words(); ++w) {
                std::array<Vec, kMaxVectors> loaded;
                for (unsigned v = 0; v < code_.vectors; ++v)
                  if (w * code_.vectors + v >= resident.size()) load_weight(loaded[v], w * code_.vectors + v);
                for (unsigned p = 0; p < code_.pixels; ++p) {
                  Vec activation = b_.vec();
                  load_activation(activation, segment[p * code_.segments + w / code_.segment_words],
                                  w % code_.segment_words);
                  for (unsigned v = 0; v < code_.vectors; ++v) {
                    const unsigned i = w * code_.vectors + v;
                    b_.qdpa(sum[p][v], activation,
                            i < resident.size() ? resident[i].name() : loaded[v].name());
                  }
                }
              }
              for (unsigned p = 0; p < code_.pixels; ++p)
                for (unsigned v = 0; v < code_.vectors; ++v)
                  b_.vst(sum[p][v], sums, static_cast<std::int32_t>(32 * (p * code_.vectors + v)), kScratch);
              b_.add(sums, sums, static_cast<std::int32_t>(32 * code_.pixels * code_.vectors));
              for (Gpr& at : segment) b_.add(at, at, pitch);
            },
            {"windows"});
  }

  // Word `index` behind `at`, as the products need it: 4 input channels in every lane, or 32 channels.
  void load_activation(V activation, R at, unsigned index) {
    if (code_.depthwise) {
      b_.vld(activation, at, static_cast<std::int32_t>(32 * index), kInput);
    } else {
      Gpr four = b_.gpr();
      b_.ld(four, at, static_cast<std::int32_t>(4 * index), kInput);
      b_.bcast(activation, four);
    }
  }

  // One window per pixel, from its first to its last word. Moves `window` to the next group.
  void walk(std::array<std::array<Vec, kMaxVectors>, kMaxPixels>& sum, R weights, R window, R pitch) {
    std::array<Gpr, kMaxPixels> pixel;
    Gpr at_weights = b_.gpr(), at_table = b_.gpr(), trips = b_.gpr();
    pixel[0] = b_.gpr();
    b_.move(pixel[0], window);
    for (unsigned p = 1; p < code_.pixels; ++p) {
      pixel[p] = b_.gpr();
      b_.add(pixel[p], pixel[p - 1], pitch);
    }
    b_.add(window, pixel[code_.pixels - 1], pitch);
    parameter(at_weights, kParamHeader);
    b_.add(at_weights, at_weights, weights);
    if (code_.chunked) {
      argument(at_table, kArgTable);
      argument(trips, kArgTrips);
    } else {
      parameter(at_table, kParamTable);
      parameter(trips, kParamTrips);
    }
    b_.loop(trips, 2,
            [&] {
              Gpr delta = b_.gpr();
              b_.ld(delta, at_table, 0, kTable);
              for (unsigned u = 0; u < code_.unroll; ++u) word(sum, pixel, at_weights, u);
              for (unsigned p = 0; p < code_.pixels; ++p) b_.add(pixel[p], pixel[p], delta);
              b_.add(at_weights, at_weights, static_cast<std::int32_t>(32 * code_.unroll * code_.vectors));
              b_.add(at_table, at_table, 4);
            },
            {"walk"});
  }

  void word(std::array<std::array<Vec, kMaxVectors>, kMaxPixels>& sum, std::array<Gpr, kMaxPixels>& pixel,
            R at_weights, unsigned u) {
    std::array<Vec, kMaxVectors> weight;
    for (unsigned v = 0; v < code_.vectors; ++v) {
      weight[v] = b_.vec();
      b_.vld(weight[v], at_weights, static_cast<std::int32_t>(32 * (u * code_.vectors + v)), kWeights);
    }
    for (unsigned p = 0; p < code_.pixels; ++p) {
      Vec activation = b_.vec();
      load_activation(activation, pixel[p], u);
      for (unsigned v = 0; v < code_.vectors; ++v) b_.qdpa(sum[p][v], activation, weight[v]);
    }
  }

  Builder& b_;
  const ConvCode& code_;
  StepShape shape_;
  R step_;
};

Result<Fragment> make_conv(const ConvCode& code) {
  if (code.pixels > kMaxPixels || code.vectors > kMaxVectors || code.pixels * code.vectors % 4 != 0)
    return fail(ErrorCode::kInternal, "a register block of {} x {} vectors", code.pixels, code.vectors);
  if (code.direct() && (code.chunked || code.segments > ConvCode::kMostSegments))
    return fail(ErrorCode::kInternal, "a direct form of {} segments", code.segments);
  Builder b(code.depthwise ? "depthwise" : "conv");
  ConvEmitter emitter(b, code);
  emit_steps(b, emitter.shape(), code.fills ? static_cast<int>(kParamFill) : -1,
             [&](R step) { emitter.step(step); });
  return std::move(b).finish();
}

}  // namespace

unsigned conv_args(const ConvCode& code) {
  return code.chunked ? kArgMax : code.unsigned_input ? kArgFlipVectors + 1 : kArgPlainCount;
}

Result<Fragment> emit_conv(const ConvCode& code) {
  static std::mutex guard;
  static std::map<ConvCode, Fragment> made;
  const std::scoped_lock lock(guard);
  if (const auto known = made.find(code); known != made.end()) return known->second;
  ZYNPU_ASSIGN_OR_RETURN(Fragment fragment, make_conv(code));
  return made.emplace(code, std::move(fragment)).first->second;
}

}  // namespace zynpu::compiler
