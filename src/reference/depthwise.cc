// SPDX-License-Identifier: MIT
// DEPTHWISE_CONV_2D: output channel c * depth_multiplier + m sees input channel c only.
#include "reference/window.h"

namespace zynpu::reference {
namespace {

template <class T>
class Depthwise : public PreparedOp {
 public:
  Depthwise(const OpContext& context, const WeightedOperands& operands, const Window& window,
            OutputStage stage)
      : input_(context.input_index(0)),
        weights_(context.input_index(1)),
        bias_(context.input_index(2)),
        output_(context.output_index(0)),
        input_offset_(-zero_point(*operands.input)),
        weights_offset_(-zero_point(*operands.weights)),
        multiplier_(window.output_channels / window.input_channels),
        window_(window),
        stage_(std::move(stage)),
        sums_(static_cast<std::size_t>(window.output_channels)) {}

  Status run(const Memory& memory) override {
    for_each_pixel(window_, memory.in<T>(input_), memory.out<T>(output_),
                   [&](const T* image, int y, int x, T* output) { pixel(memory, image, y, x, output); });
    return {};
  }

 private:
  void pixel(const Memory& memory, const T* image, int y, int x, T* output) {
    const Window& w = window_;
    const std::int32_t* bias = memory.in_or_null<std::int32_t>(bias_);
    const T* weights = memory.in<T>(weights_);
    const int top = y * w.stride_h - w.pad_top, left = x * w.stride_w - w.pad_left;
    const Taps rows = taps_inside(top, w.dilation_h, w.filter_h, w.input_h);
    const Taps columns = taps_inside(left, w.dilation_w, w.filter_w, w.input_w);
    for (std::size_t c = 0; c < sums_.size(); ++c)
      sums_[c] = bias == nullptr ? 0 : static_cast<std::uint32_t>(bias[c]);
    for (int ky = rows.begin; ky < rows.end; ++ky) {
      for (int kx = columns.begin; kx < columns.end; ++kx) {
        const std::int64_t position =
            std::int64_t{top + ky * w.dilation_h} * w.input_w + left + kx * w.dilation_w;
        const T* values = image + position * w.input_channels;
        const T* taps = weights + (std::int64_t{ky} * w.filter_w + kx) * w.output_channels;
        std::uint32_t* sum = sums_.data();
        for (int c = 0; c < w.input_channels; ++c) {
          const std::int32_t value = values[c] + input_offset_;
          for (int m = 0; m < multiplier_; ++m) {
            *sum++ += static_cast<std::uint32_t>(value * (*taps++ + weights_offset_));
          }
        }
      }
    }
    for (std::size_t c = 0; c < sums_.size(); ++c) output[c] = static_cast<T>(stage_(sums_[c], c));
  }

  int input_, weights_, bias_, output_;
  std::int32_t input_offset_, weights_offset_;
  int multiplier_;
  Window window_;
  OutputStage stage_;
  std::vector<std::uint32_t> sums_;  // accumulators of one pixel, modulo 2^32
};

}  // namespace

Prepared prepare_depthwise(const OpContext& context) {
  ZYNPU_ASSIGN_OR_RETURN(const WeightedOperands operands, weighted_operands(context));
  ZYNPU_ASSIGN_OR_RETURN(const Window window, resolve_window(context));
  ZYNPU_ASSIGN_OR_RETURN(const ir::ConvAttributes* attributes, context.attributes<ir::ConvAttributes>());
  ZYNPU_ASSIGN_OR_RETURN(OutputStage stage, output_stage(context, *operands.output, attributes->activation));
  if (operands.weights->shape[0] != 1 || operands.weights->shape[3] != window.output_channels) {
    return context.unsupported_tensor(*operands.weights, "shape {}, expected [1, {}, {}, {}]",
                                      to_string(operands.weights->shape), window.filter_h, window.filter_w,
                                      window.output_channels);
  }
  // The attribute repeats what the shapes say and is wrong in old files, so the shapes decide, as in TFLite.
  if (window.output_channels % window.input_channels != 0) {
    return context.unsupported_tensor(*operands.output, "{} channels are no multiple of the input's {}",
                                      window.output_channels, window.input_channels);
  }
  return with_byte_type(operands.input->type, [&](auto element) -> Prepared {
    return std::make_unique<Depthwise<decltype(element)>>(context, operands, window, std::move(stage));
  });
}

}  // namespace zynpu::reference
