// SPDX-License-Identifier: MIT
// AVERAGE_POOL_2D and MAX_POOL_2D. Padding takes no part: the average is over the positions inside the input.
#include <algorithm>
#include <limits>

#include "reference/window.h"

namespace zynpu::reference {
namespace {

template <class T, bool kAverage>
class Pool : public PreparedOp {
 public:
  Pool(const OpContext& context, const Window& window, const ActivationRange& range)
      : input_(context.input_index(0)),
        output_(context.output_index(0)),
        window_(window),
        range_(range),
        row_(static_cast<std::size_t>(window.input_channels)) {}

  Status run(const Memory& memory) override {
    for_each_pixel(window_, memory.in<T>(input_), memory.out<T>(output_),
                   [&](const T* image, int y, int x, T* output) { pixel(image, y, x, output); });
    return {};
  }

 private:
  void pixel(const T* image, int y, int x, T* output) {
    const Window& w = window_;
    const int top = y * w.stride_h - w.pad_top, left = x * w.stride_w - w.pad_left;
    const Taps rows = taps_inside(top, 1, w.filter_h, w.input_h);
    const Taps columns = taps_inside(left, 1, w.filter_w, w.input_w);
    std::fill(row_.begin(), row_.end(), kAverage ? 0 : std::int32_t{std::numeric_limits<T>::min()});
    for (int ky = rows.begin; ky < rows.end; ++ky) {
      for (int kx = columns.begin; kx < columns.end; ++kx) {
        const T* values = image + (std::int64_t{top + ky} * w.input_w + left + kx) * w.input_channels;
        for (std::size_t c = 0; c < row_.size(); ++c) {
          row_[c] = kAverage ? row_[c] + values[c] : std::max<std::int32_t>(row_[c], values[c]);
        }
      }
    }
    const std::int32_t count = (rows.end - rows.begin) * (columns.end - columns.begin);
    for (std::size_t c = 0; c < row_.size(); ++c) {
      const std::int32_t value = kAverage ? rounded_average(row_[c], count) : row_[c];
      output[c] = static_cast<T>(std::clamp(value, range_.min, range_.max));
    }
  }

  int input_, output_;
  Window window_;
  ActivationRange range_;
  std::vector<std::int32_t> row_;  // sums or maxima of one pixel
};

}  // namespace

std::int32_t rounded_average(std::int32_t sum, std::int32_t count) {
  // NOLINTNEXTLINE(clang-analyzer-core.DivideZero): windows of SAME and VALID padding meet an input
  return (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
}

Prepared prepare_pool(const OpContext& context) {
  ZYNPU_ASSIGN_OR_RETURN(const auto operands, context.byte_operands(1));
  const ir::Tensor *const input = operands.input, *const output = operands.output;
  ZYNPU_TRY(context.expect_type(*output, {input->type}));
  ZYNPU_TRY(context.expect_same_quantization(*input, *output));
  ZYNPU_ASSIGN_OR_RETURN(const Window window, resolve_window(context));
  ZYNPU_ASSIGN_OR_RETURN(const ir::PoolAttributes* attributes, context.attributes<ir::PoolAttributes>());
  if (window.input_channels != window.output_channels) {
    return context.unsupported_tensor(*output, "{} channels from {}", window.output_channels,
                                      window.input_channels);
  }
  if (std::int64_t{window.filter_h} * window.filter_w > (1 << 23)) {
    return context.unsupported("a filter of {} x {} overflows the 32-bit sum", window.filter_h,
                               window.filter_w);
  }
  const Result<ActivationRange> range = activation_range(attributes->activation, *output);
  if (!range) return context.unsupported("{}", range.error().message);
  const bool average = context.op().kind == ir::OpKind::kAveragePool2d;
  return with_byte_type(input->type, [&](auto element) -> Prepared {
    using T = decltype(element);
    if (average) return std::make_unique<Pool<T, true>>(context, window, *range);
    return std::make_unique<Pool<T, false>>(context, window, *range);
  });
}

}  // namespace zynpu::reference
