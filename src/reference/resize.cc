// SPDX-License-Identifier: MIT
// RESIZE_NEAREST_NEIGHBOR (any type) and RESIZE_BILINEAR (8 bits), over the two middle dimensions of NHWC.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "reference/op_context.h"

namespace zynpu::reference {
namespace {

class Nearest : public PreparedOp {
 public:
  Nearest(const OpContext& context, const ir::Tensor& input, const ir::Tensor& output,
          const ir::ResizeAttributes& attributes)
      : input_(context.input_index(0)),
        output_(context.output_index(0)),
        input_shape_(input.shape),
        pixel_(static_cast<std::size_t>(input.shape[3]) * ir::size_of(input.type)) {
    for (int y = 0; y < output.shape[1]; ++y) {
      rows_.push_back(nearest_source(y, input.shape[1], output.shape[1], attributes));
    }
    for (int x = 0; x < output.shape[2]; ++x) {
      columns_.push_back(nearest_source(x, input.shape[2], output.shape[2], attributes));
    }
  }

  Status run(const Memory& memory) override {
    const std::uint8_t* input = memory.in<std::uint8_t>(input_);
    std::uint8_t* output = memory.out<std::uint8_t>(output_);
    for (std::int64_t batch = 0; batch < input_shape_[0]; ++batch) {
      for (const int y : rows_) {
        const std::int64_t row = (batch * input_shape_[1] + y) * input_shape_[2];
        for (const int x : columns_) {
          std::memcpy(output, input + static_cast<std::size_t>(row + x) * pixel_, pixel_);
          output += pixel_;
        }
      }
    }
    return {};
  }

 private:
  int input_, output_;
  std::vector<std::int32_t> input_shape_;
  std::size_t pixel_;  // bytes
  std::vector<int> rows_, columns_;
};

// int8: integer taps of 1/1024. uint8: the kernel is the floating-point one, with half added before
// truncation.
template <class T>
class Bilinear : public PreparedOp {
 public:
  Bilinear(const OpContext& context, const ir::Tensor& input, const ir::Tensor& output,
           const ir::ResizeAttributes& attributes)
      : input_(context.input_index(0)), output_(context.output_index(0)), input_shape_(input.shape) {
    for (int y = 0; y < output.shape[1]; ++y)
      rows_.push_back(tap(y, input.shape[1], output.shape[1], attributes));
    for (int x = 0; x < output.shape[2]; ++x)
      columns_.push_back(tap(x, input.shape[2], output.shape[2], attributes));
  }

  Status run(const Memory& memory) override {
    const T* input = memory.in<T>(input_);
    T* output = memory.out<T>(output_);
    const std::int64_t channels = input_shape_[3];
    for (std::int64_t batch = 0; batch < input_shape_[0]; ++batch) {
      for (const Tap& y : rows_) {
        const T* top = input + (batch * input_shape_[1] + y.lower) * input_shape_[2] * channels;
        const T* bottom = input + (batch * input_shape_[1] + y.upper) * input_shape_[2] * channels;
        for (const Tap& x : columns_) {
          const std::int64_t left = x.lower * channels, right = x.upper * channels;
          for (std::int64_t c = 0; c < channels; ++c) {
            *output++ = blend(top[left + c], bottom[left + c], top[right + c], bottom[right + c], y.fraction,
                              x.fraction);
          }
        }
      }
    }
    return {};
  }

 private:
  using Fraction = std::conditional_t<std::is_signed_v<T>, std::int32_t, float>;
  struct Tap {
    int lower = 0, upper = 0;
    Fraction fraction = 0;
  };

  static Tap tap(int output, int input_extent, int output_extent, const ir::ResizeAttributes& attributes) {
    if constexpr (std::is_signed_v<T>) {
      const BilinearTap t = bilinear_tap(output, input_extent, output_extent, attributes);
      return {t.lower, t.upper, t.fraction};
    } else {
      float step = static_cast<float>(input_extent) / static_cast<float>(output_extent);
      if (attributes.align_corners && output_extent > 1) {
        step = static_cast<float>(input_extent - 1) / static_cast<float>(output_extent - 1);
      }
      const auto at = static_cast<float>(output);
      const float source = attributes.half_pixel_centers ? (at + 0.5f) * step - 0.5f : at * step;
      Tap t;
      t.lower = std::clamp(static_cast<int>(std::floor(source)), 0, input_extent - 1);
      t.upper = std::clamp(static_cast<int>(std::ceil(source)), 0, input_extent - 1);
      t.fraction = source - static_cast<float>(t.lower);
      return t;
    }
  }

  static T blend(T top_left, T bottom_left, T top_right, T bottom_right, Fraction y, Fraction x) {
    if constexpr (std::is_signed_v<T>) {
      const std::int64_t sum = std::int64_t{top_left} * (1024 - y) * (1024 - x) +
                               std::int64_t{bottom_left} * y * (1024 - x) +
                               std::int64_t{top_right} * (1024 - y) * x + std::int64_t{bottom_right} * y * x;
      return static_cast<T>(bilinear_result(sum));
    } else {
      const float sum = top_left * (1 - y) * (1 - x) + bottom_left * y * (1 - x) + top_right * (1 - y) * x +
                        bottom_right * y * x;
      return static_cast<T>(sum + 0.5f);
    }
  }

  int input_, output_;
  std::vector<std::int32_t> input_shape_;
  std::vector<Tap> rows_, columns_;
};

}  // namespace

int nearest_source(int output, int input_extent, int output_extent, const ir::ResizeAttributes& attributes) {
  // Single precision, as the kernel has it: the rounding of the step shows at large extents.
  const bool corners = attributes.align_corners && output_extent > 1;
  const float step = corners ? static_cast<float>(input_extent - 1) / static_cast<float>(output_extent - 1)
                             : static_cast<float>(input_extent) / static_cast<float>(output_extent);
  const float offset = attributes.half_pixel_centers ? 0.5f : 0.0f;
  const float source = (static_cast<float>(output) + offset) * step;
  const float whole = attributes.align_corners ? std::round(source) : std::floor(source);
  return std::clamp(static_cast<int>(whole), 0, input_extent - 1);
}

BilinearTap bilinear_tap(int output, int input_extent, int output_extent,
                         const ir::ResizeAttributes& attributes) {
  constexpr int kOne = 1024;
  const bool corners = attributes.align_corners && output_extent > 1;
  const std::int64_t input_steps = corners ? input_extent - 1 : input_extent;
  const std::int64_t output_steps = corners ? output_extent - 1 : output_extent;
  const std::int64_t step = (kOne * input_steps + output_steps / 2) / output_steps;
  const std::int64_t source =
      attributes.half_pixel_centers ? output * step + step / 2 - kOne / 2 : output * step;
  BilinearTap tap;
  tap.lower = static_cast<int>(std::clamp<std::int64_t>(source / kOne, 0, input_extent - 1));
  tap.upper = static_cast<int>(std::clamp<std::int64_t>((source + kOne - 1) / kOne, 0, input_extent - 1));
  tap.fraction = static_cast<std::int32_t>(source - std::int64_t{kOne} * tap.lower);
  return tap;
}

std::int32_t bilinear_result(std::int64_t sum_of_products) {
  constexpr std::int64_t kOne = 1 << 20;
  return static_cast<std::int32_t>((sum_of_products + (sum_of_products > 0 ? kOne / 2 : -kOne / 2)) / kOne);
}

Prepared prepare_resize(const OpContext& context) {
  ZYNPU_TRY(context.expect_input_count(2, 2));
  ZYNPU_TRY(context.expect_output_count(1));
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* input, context.input(0));
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* output, context.output(0));
  ZYNPU_ASSIGN_OR_RETURN(const auto* attributes, context.attributes<ir::ResizeAttributes>());
  ZYNPU_ASSIGN_OR_RETURN(const std::vector<std::int32_t> size, context.constant_integers(1));
  ZYNPU_TRY(context.expect_rank(*input, 4));
  ZYNPU_TRY(context.expect_type(*output, {input->type}));
  if (size.size() != 2) return context.unsupported("its size has {} values, expected 2", size.size());
  const std::int32_t shape[4] = {input->shape[0], size[0], size[1], input->shape[3]};
  ZYNPU_TRY(context.expect_shape(*output, shape));
  if (attributes->align_corners && attributes->half_pixel_centers) {
    return context.unsupported("align_corners and half_pixel_centers exclude each other");
  }
  if (context.op().kind == ir::OpKind::kResizeNearestNeighbor) {
    return std::make_unique<Nearest>(context, *input, *output, *attributes);
  }
  ZYNPU_TRY(context.expect_quantized_bytes(*input));
  return with_byte_type(input->type, [&](auto element) -> Prepared {
    return std::make_unique<Bilinear<decltype(element)>>(context, *input, *output, *attributes);
  });
}

}  // namespace zynpu::reference
