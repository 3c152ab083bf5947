// SPDX-License-Identifier: MIT
// From int32 accumulators to int8: exact, whichever way is taken.
//
// The result of a channel is a step function of its accumulator x: non-decreasing, at most 255 steps. The
// fp32 form first estimates the quotient, then corrects it by the remainder:
//
//   q0 = rint(x * scale)                 an estimate, off by one at most where it matters
//   r  = x - q0 * high - q0 * low        high + low = 1 / scale; exact but for the last bits of a small
//   number q  = q0 + rint(r * scale + (x < 0 ? -offset : offset)) + zero point
//
// At compile time it is *proved* that q jumps at the same accumulators as the reference, with a margin that
// covers every rounding error under any rounding mode, fused or not. That takes eleven arithmetic
// instructions for eight accumulators. Where no proof is found (very small scales) the digits method of
// requantisation.md computes the fixed-point product itself, at about four times the cost.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"
#include "compiler/codegen/builder.h"
#include "reference/fixed_point.h"
#include "reference/operators.h"

namespace zynpu::compiler {

// One output channel: q = clamp(multiply_by_quantized_multiplier(x, multiplier) + zero_point).
struct ChannelRequant {
  reference::QuantizedMultiplier multiplier;
  std::int32_t zero_point = 0;
  reference::ActivationRange range{-128, 127};  // within int8
  std::int64_t min = 0, max = 0;                // the accumulator never leaves [min, max]
};

// Constants of the fp32 form, minus signs included where the code adds.
struct FloatRequant {
  float scale = 0, minus_high = 0, minus_low = 0, offset = 0;
};

// The reference result.
std::int32_t requantize(const ChannelRequant& channel, std::int64_t x);

// Constants with which the fp32 form gives requantize() for every x in [min, max]; nothing if none were
// found.
std::optional<FloatRequant> prove_float_requant(const ChannelRequant& channel);

// How the accumulators of eight-lane vectors are packed into 32 bytes.
enum class PackOrder : std::uint8_t {
  kLinear,      // vector v holds outputs 8v .. 8v+7
  kInterleaved  // vector v holds outputs v, v+4, v+8, ... (depthwise, diagonal weights)
};

// The requantisation of one layer: which form, and the constants of a block of 32 lanes.
//
// A block is four vectors of eight channels; when fewer than four vectors make a pixel, the pattern of
// channels repeats inside the block (the kernel passes the channel of each lane).
struct RequantPlan {
  bool exact_product = false;  // the digits method
  bool clamp = false;          // the range is narrower than int8
  bool flip = false;           // the output is uint8: the sign bit is flipped at the end
  PackOrder order = PackOrder::kLinear;

  friend auto operator<=>(const RequantPlan&, const RequantPlan&) = default;
};

// The form for all `channels`. kUnsupported if a multiplier has a left shift that can overflow 32 bits.
Result<RequantPlan> plan_requant(std::span<const ChannelRequant> channels, PackOrder order,
                                 bool unsigned_output);

// Bytes of the constants of one block, a multiple of 32.
std::uint32_t requant_block_bytes(const RequantPlan& plan);

// Appends the constants of a block: lane l of vector v belongs to channels[8 * v + l]; null lanes are
// padding.
Status put_requant_block(const RequantPlan& plan, std::span<const ChannelRequant* const> channels,
                         std::vector<std::uint8_t>& out);

// Emits the pass over `blocks_minus_1` + 1 blocks: reads four int32 vectors at `from`, writes 32 bytes at
// `to`, for each block; both pointers and the counter are consumed. `constants`: address of
// put_requant_block's bytes. The digits form also writes to the accumulators. `accumulators`, `outputs`:
// areas of the memory read and written. `min_blocks`: what blocks_minus_1 + 1 never falls below; from
// kPipelinedBlocks on the pass overlaps blocks, which takes more code and a sixth of the time.
inline constexpr unsigned kPipelinedBlocks = 3;
void emit_requant(Builder& builder, const RequantPlan& plan, R from, R to, R blocks_minus_1, R constants,
                  Area accumulators, Area outputs, unsigned min_blocks = 1);

// Cycles of one block inside the pass, for cost models.
unsigned requant_block_cycles(const RequantPlan& plan, unsigned min_blocks = 1);

// The digits method on one vector, for other kernels: `x` becomes multiply_by_quantized_multiplier(x, m) lane
// by lane, for |x * 2^left_shift| < 2^31 - 0x808080. Constants are vectors in memory (put_product_constants)
// held in registers by load_product_constants, so that a loop can reuse them.
struct ProductConstants {
  Vec bias, columns[8], left, mask, half, right;
};
inline constexpr std::uint32_t kProductConstantsBytes = 13 * 32;
// Eight lanes of constants.
Status put_product_constants(std::span<const reference::QuantizedMultiplier> lanes,
                             std::vector<std::uint8_t>& out);
ProductConstants load_product_constants(Builder& builder, R address, Area area);
void emit_product(Builder& builder, const ProductConstants& constants, V x);

}  // namespace zynpu::compiler
