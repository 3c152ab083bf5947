// SPDX-License-Identifier: MIT
// What convolutions and pools share: the sliding window and the requantisation of accumulators. Private to
// reference/.
#pragma once

#include "reference/op_context.h"

namespace zynpu::reference {

Result<Window> resolve_window(const OpContext& context);
Result<std::vector<QuantizedMultiplier>> resolve_output_multipliers(const OpContext& context);

// Types and quantisation that CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED have in common: bytes in, bytes
// out, weights of the input's type (per channel on `channel_axis`, or per tensor), int32 bias of `channels`
// elements.
struct WeightedOperands {
  const ir::Tensor* input = nullptr;
  const ir::Tensor* weights = nullptr;
  const ir::Tensor* bias = nullptr;  // null: none
  const ir::Tensor* output = nullptr;
};
Result<WeightedOperands> weighted_operands(const OpContext& context);
Status check_weighted_operands(const OpContext& context, const WeightedOperands& operands, int channel_axis,
                               std::int32_t channels);

// Part of [0, filter) that falls inside the input when tap k looks at origin + k * dilation.
struct Taps {
  int begin = 0, end = 0;
};
inline Taps taps_inside(int origin, int dilation, int filter, int extent) {
  Taps taps;
  taps.begin = origin >= 0 ? 0 : (-origin + dilation - 1) / dilation;
  taps.end = origin >= extent ? 0 : (extent - origin + dilation - 1) / dilation;
  if (taps.end > filter) taps.end = filter;
  if (taps.begin > taps.end) taps.begin = taps.end;
  return taps;
}

// Calls f(image, y, x, pixel) for each output pixel of each image, in memory order: `image` is the image's
// first input element, `pixel` the output pixel's.
template <class T, class F>
void for_each_pixel(const Window& w, const T* image, T* pixel, F&& f) {
  const std::int64_t step = std::int64_t{w.input_h} * w.input_w * w.input_channels;
  for (int batch = 0; batch < w.batches; ++batch, image += step) {
    for (int y = 0; y < w.output_h; ++y) {
      for (int x = 0; x < w.output_w; ++x, pixel += w.output_channels) f(image, y, x, pixel);
    }
  }
}

// Accumulator to output element.
struct OutputStage {
  std::vector<QuantizedMultiplier> multipliers;  // one per channel
  std::int32_t offset = 0;
  ActivationRange range;

  std::int32_t operator()(std::uint32_t accumulator, std::size_t channel) const {
    const auto signed_accumulator = static_cast<std::int32_t>(accumulator);
    const std::int32_t scaled = multiply_by_quantized_multiplier(signed_accumulator, multipliers[channel]);
    // Modulo 2^32 like the kernels' own addition, which a saturated product could overflow.
    const auto value =
        static_cast<std::int32_t>(static_cast<std::uint32_t>(scaled) + static_cast<std::uint32_t>(offset));
    return value < range.min ? range.min : value > range.max ? range.max : value;
  }
};
Result<OutputStage> output_stage(const OpContext& context, const ir::Tensor& output,
                                 ir::Activation activation);

}  // namespace zynpu::reference
