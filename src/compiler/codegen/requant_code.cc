// SPDX-License-Identifier: MIT
// The code and the constants of requantisation.
#include <array>

#include "compiler/codegen/bytes.h"
#include "compiler/codegen/requant.h"

namespace zynpu::compiler {
namespace {

constexpr Area kConstants{253}, kInPlace{254};
constexpr unsigned kVectors = 4;  // of a block

void put_splat(std::vector<std::uint8_t>& out, std::int32_t byte) {
  out.insert(out.end(), 32, static_cast<std::uint8_t>(byte));
}

void emit_narrow_and_store(Builder& b, const RequantPlan& plan, std::array<Vec, kVectors>& v, const Vec* low,
                           const Vec* high, R to, Area outputs) {
  for (Vec& x : v) b.narrow_bw(x);
  if (plan.order == PackOrder::kLinear) {
    b.exte(Size::kH, v[0], v[0], v[1]);
    b.exte(Size::kH, v[2], v[2], v[3]);
    b.exte(Size::kB, v[0], v[0], v[2]);
  } else {
    b.zipe(Size::kH, v[0], v[0], v[2]);
    b.zipe(Size::kH, v[1], v[1], v[3]);
    b.zipe(Size::kB, v[0], v[0], v[1]);
  }
  if (plan.clamp) {
    b.vmax(Size::kB, v[0], v[0], *low);
    b.vmin(Size::kB, v[0], v[0], *high);
  }
  if (plan.flip) b.vaddi(Size::kB, v[0], v[0], 128);
  b.vst(v[0], to, 0, outputs);
}

// Order of the constants of a block in the fp32 form: vectors v of scale, high, low, offset; then these.
enum : unsigned {
  kScale,
  kHigh = kVectors,
  kLow = 2 * kVectors,
  kOffset = 3 * kVectors,
  kZeroPoint = 4 * kVectors,
  kSignMask,
  kFloatConstants
};

void emit_float_pass(Builder& b, const RequantPlan& plan, R from, R to, R blocks_minus_1, R constants,
                     Area accumulators, Area outputs, unsigned min_blocks) {
  const auto load = [&](Vec& v, unsigned index) {
    v = b.vec();
    b.vld(v, constants, static_cast<std::int32_t>(32 * index), kConstants);
  };
  // Offsets of loads end at 511: what comes behind is reached from here.
  Gpr more = b.gpr();
  b.add(more, constants, static_cast<std::int32_t>(32 * kZeroPoint));
  std::array<Vec, kVectors> scale;
  for (unsigned v = 0; v < kVectors; ++v) load(scale[v], kScale + v);
  Vec zero_point = b.vec(), sign_mask = b.vec(), low, high;
  b.vld(zero_point, more, 0, kConstants);
  b.vld(sign_mask, more, 32, kConstants);
  if (plan.clamp) {
    low = b.vec();
    high = b.vec();
    b.vld(low, more, 64, kConstants);
    b.vld(high, more, 96, kConstants);
  }
  b.loop(blocks_minus_1, min_blocks,
         [&] {
           std::array<Vec, kVectors> result;
           for (unsigned v = 0; v < kVectors; ++v) {
             Vec x = b.vec(), estimate = b.vec();
             b.vld(x, from, static_cast<std::int32_t>(32 * v), accumulators);
             b.to_float(x, x);
             {
               Vec product = b.vec();
               b.fmul(product, x, scale[v]);
               b.rint(estimate, product);
             }
             Vec offset, part;
             load(offset, kOffset + v);
             {
               Vec sign = b.vec();
               b.vand(sign, x, sign_mask);
               b.vor(offset, offset, sign);
             }
             load(part, kHigh + v);
             b.fma(x, estimate, part);
             load(part, kLow + v);
             b.fma(x, estimate, part);
             result[v] = b.vec();
             b.fmul(result[v], x, scale[v]);
             b.fadd(result[v], result[v], offset);
             b.rint(result[v], result[v]);
             b.fadd(result[v], result[v], estimate);
             b.fadd(result[v], result[v], zero_point);
             b.to_int(result[v], result[v]);
           }
           emit_narrow_and_store(b, plan, result, &low, &high, to, outputs);
           b.add(from, from, 32 * kVectors);
           b.add(to, to, 32);
         },
         {"requant"});
}

// One pass per vector of the block multiplies in place; the last pass packs.
void emit_exact_pass(Builder& b, const RequantPlan& plan, R from, R to, R blocks_minus_1, R constants,
                     Area accumulators, Area outputs, unsigned min_blocks) {
  Gpr vectors = b.gpr(), start = b.gpr(), at_constants = b.gpr();
  b.constant(vectors, kVectors);
  b.move(start, from);
  b.move(at_constants, constants);
  b.repeat(vectors, [&] {
    const ProductConstants product = load_product_constants(b, at_constants, kConstants);
    Vec zero_point = b.vec();
    b.vld(zero_point, at_constants, static_cast<std::int32_t>(kProductConstantsBytes), kConstants);
    Gpr at = b.gpr(), left = b.gpr();
    b.move(at, start);
    b.move(left, blocks_minus_1);
    b.loop(left, min_blocks,
           [&] {
             Vec x = b.vec();
             b.vld(x, at, 0, accumulators);
             emit_product(b, product, x);
             b.vadd(Size::kW, x, x, zero_point);
             b.vst(x, at, 0, kInPlace);
             b.add(at, at, 32 * kVectors);
           },
           {"product"});
    b.barrier();
    b.add(start, start, 32);
    b.add(at_constants, at_constants, static_cast<std::int32_t>(kProductConstantsBytes + 32));
  });
  Vec low, high;
  if (plan.clamp) {
    low = b.vec();
    high = b.vec();
    b.vld(low, at_constants, 0, kConstants);
    b.vld(high, at_constants, 32, kConstants);
  }
  b.loop(blocks_minus_1, min_blocks,
         [&] {
           std::array<Vec, kVectors> x;
           for (unsigned v = 0; v < kVectors; ++v) {
             x[v] = b.vec();
             b.vld(x[v], from, static_cast<std::int32_t>(32 * v), accumulators);
           }
           emit_narrow_and_store(b, plan, x, &low, &high, to, outputs);
           b.add(from, from, 32 * kVectors);
           b.add(to, to, 32);
         },
         {"pack"});
}

}  // namespace

std::uint32_t requant_block_bytes(const RequantPlan& plan) {
  const std::uint32_t form =
      plan.exact_product ? kVectors * (kProductConstantsBytes + 32) : 32 * kFloatConstants;
  return form + (plan.clamp ? 64 : 0);
}

unsigned requant_block_cycles(const RequantPlan& plan, unsigned min_blocks) {
  if (plan.exact_product) return min_blocks >= kPipelinedBlocks ? 90 : 400;
  return min_blocks >= kPipelinedBlocks ? 27 : 160;
}

Status put_requant_block(const RequantPlan& plan, std::span<const ChannelRequant* const> channels,
                         std::vector<std::uint8_t>& out) {
  if (channels.size() != 8 * kVectors)
    return fail(ErrorCode::kInternal, "a requantisation block of {} lanes", channels.size());
  if (plan.exact_product) {
    for (unsigned v = 0; v < kVectors; ++v) {
      std::array<reference::QuantizedMultiplier, 8> lanes{};
      for (unsigned l = 0; l < 8; ++l)
        if (const ChannelRequant* c = channels[8 * v + l]) lanes[l] = c->multiplier;
      ZYNPU_TRY(put_product_constants(lanes, out));
      for (unsigned l = 0; l < 8; ++l)
        put_word(out, channels[8 * v + l] != nullptr
                          ? static_cast<std::uint32_t>(channels[8 * v + l]->zero_point)
                          : 0);
    }
  } else {
    std::array<FloatRequant, 8 * kVectors> lanes{};
    for (std::size_t i = 0; i < lanes.size(); ++i) {
      if (channels[i] == nullptr) continue;
      const auto q = prove_float_requant(*channels[i]);
      if (!q) return fail(ErrorCode::kInternal, "lane {} has no fp32 form", i);
      lanes[i] = *q;
    }
    std::int32_t zero_point = 0;
    for (const ChannelRequant* c : channels)
      if (c != nullptr) zero_point = c->zero_point;
    for (const FloatRequant& q : lanes) put_float(out, q.scale);
    for (const FloatRequant& q : lanes) put_float(out, q.minus_high);
    for (const FloatRequant& q : lanes) put_float(out, q.minus_low);
    for (const FloatRequant& q : lanes) put_float(out, q.offset);
    for (unsigned lane = 0; lane < 8; ++lane) put_float(out, static_cast<float>(zero_point));
    for (unsigned lane = 0; lane < 8; ++lane) put_word(out, 0x80000000U);
  }
  if (plan.clamp) {  // the range is a property of the layer: the same in every lane
    reference::ActivationRange range{-128, 127};
    for (const ChannelRequant* c : channels)
      if (c != nullptr) range = c->range;
    put_splat(out, range.min);
    put_splat(out, range.max);
  }
  return {};
}

void emit_requant(Builder& b, const RequantPlan& plan, R from, R to, R blocks_minus_1, R constants,
                  Area accumulators, Area outputs, unsigned min_blocks) {
  if (plan.exact_product)
    emit_exact_pass(b, plan, from, to, blocks_minus_1, constants, accumulators, outputs, min_blocks);
  else
    emit_float_pass(b, plan, from, to, blocks_minus_1, constants, accumulators, outputs, min_blocks);
}

Status put_product_constants(std::span<const reference::QuantizedMultiplier> lanes,
                             std::vector<std::uint8_t>& out) {
  if (lanes.size() != 8) return fail(ErrorCode::kInternal, "product constants of {} lanes", lanes.size());
  const auto put_lanes = [&](auto&& value_of) {
    for (const reference::QuantizedMultiplier& q : lanes)
      put_word(out, static_cast<std::uint32_t>(value_of(q)));
  };
  put_lanes([](const auto&) { return 0x00808080; });
  for (int column = 0; column < 8; ++column)
    put_lanes([&](const reference::QuantizedMultiplier& q) {
      std::array<std::int64_t, 5> digit{};
      std::int64_t rest = q.multiplier;
      for (std::int64_t& d : digit) {
        d = ((rest + 128) & 255) - 128;
        rest = (rest - d) >> 8;
      }
      std::uint32_t word = 0;
      for (int byte = 0; byte < 4; ++byte) {
        const int index = column - byte;
        const std::int64_t d = index >= 0 && index < 5 ? digit[static_cast<std::size_t>(index)] : 0;
        word |= static_cast<std::uint32_t>(d & 255) << 8 * byte;
      }
      return word;
    });
  const auto right = [](const reference::QuantizedMultiplier& q) { return q.shift < 0 ? -q.shift : 0; };
  put_lanes([](const auto& q) { return q.shift > 0 ? q.shift : 0; });
  put_lanes([&](const auto& q) { return right(q) > 0 ? -1 : 0; });
  put_lanes([&](const auto& q) { return right(q) > 0 ? 1 << (right(q) - 1) : 0; });
  put_lanes(right);
  return {};
}

ProductConstants load_product_constants(Builder& b, R address, Area area) {
  ProductConstants c;
  std::int32_t at = 0;
  const auto load = [&](Vec& v) {
    v = b.vec();
    b.vld(v, address, at, area);
    at += 32;
  };
  load(c.bias);
  for (Vec& column : c.columns) load(column);
  load(c.left);
  load(c.mask);
  load(c.half);
  load(c.right);
  return c;
}

void emit_product(Builder& b, const ProductConstants& c, V x) {
  std::array<Vec, 8> column;
  {
    Vec digits = b.vec();
    b.vlsl(Size::kW, digits, x, c.left);
    b.vadd(Size::kW, digits, digits, c.bias);
    b.vxor(digits, digits, c.bias);
    for (unsigned k = 0; k < 8; ++k) {
      column[k] = b.vec();
      b.qdot(column[k], digits, c.columns[k]);
    }
  }
  Vec t = b.vec();
  b.vasri(Size::kW, t, column[0], 8);
  for (unsigned k = 1; k < 4; ++k) {
    b.vadd(Size::kW, t, t, column[k]);
    if (k < 3) b.vasri(Size::kW, t, t, 8);
  }
  b.vaddi(Size::kW, t, t, 64);
  b.vasri(Size::kW, t, t, 7);
  b.vadd(Size::kW, column[4], column[4], column[4]);
  b.vlsli(Size::kW, column[5], column[5], 9);
  b.vlsli(Size::kW, column[6], column[6], 17);
  b.vlsli(Size::kW, column[7], column[7], 25);
  b.vadd(Size::kW, column[4], column[4], column[5]);
  b.vadd(Size::kW, column[6], column[6], column[7]);
  b.vadd(Size::kW, t, t, column[4]);
  b.vadd(Size::kW, t, t, column[6]);
  Vec sign = b.vec();
  b.vasri(Size::kW, sign, t, 31);
  b.vand(sign, sign, c.mask);
  b.vadd(Size::kW, sign, sign, c.half);
  b.vadd(Size::kW, t, t, sign);
  b.vasr(Size::kW, x, t, c.right);
}

}  // namespace zynpu::compiler
