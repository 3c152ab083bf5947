// SPDX-License-Identifier: MIT
// SOFTMAX over the last dimension in fixed point.
#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/op_context.h"

namespace zynpu::reference {
namespace {

Result<SoftmaxParameters> resolve_softmax(const OpContext& context) {
  ZYNPU_ASSIGN_OR_RETURN(const auto operands, context.byte_operands(1));
  const ir::Tensor *const input = operands.input, *const output = operands.output;
  ZYNPU_ASSIGN_OR_RETURN(const auto* attributes, context.attributes<ir::SoftmaxAttributes>());
  ZYNPU_TRY(context.expect_type(*output, {input->type}));
  SoftmaxParameters p;
  p.output_min = input->type == ir::DataType::kUint8 ? 0 : -128;
  p.output_max = p.output_min + 255;
  // The kernel's output scale is fixed, whatever the file says; a file that says otherwise would be misread.
  if (scale(*output) != 1.0f / 256 || zero_point(*output) != p.output_min) {
    return context.unsupported_tensor(*output, "scale {}, zero point {}; expected 1/256 and {}",
                                      scale(*output), zero_point(*output), p.output_min);
  }
  constexpr int kFractionBits = 31 - SoftmaxParameters::kDiffIntegerBits;
  const double beta = attributes->beta;
  const double real =
      std::min(beta * static_cast<double>(scale(*input)) * static_cast<double>(1 << kFractionBits),
               static_cast<double>(std::numeric_limits<std::int32_t>::max()));
  if (!(real > 1)) {
    return context.unsupported_tensor(*input, "scale {} times beta {} is too small", scale(*input), beta);
  }
  p.input = quantize_multiplier(real);
  ZYNPU_TRY(context.expect_multiplier({p.input.multiplier, p.input.shift - 1}, "beta * input scale"));
  // The largest difference whose fixed-point argument still fits.
  const double largest =
      std::ldexp((1 << SoftmaxParameters::kDiffIntegerBits) - 1, kFractionBits - p.input.shift);
  p.diff_min = -static_cast<std::int32_t>(std::floor(largest));
  return p;
}

template <class T>
class Softmax : public PreparedOp {
 public:
  Softmax(const OpContext& context, const ir::Tensor& input, const SoftmaxParameters& p)
      : input_(context.input_index(0)),
        output_(context.output_index(0)),
        depth_(input.shape.back()),
        rows_(input.elements() / depth_),
        p_(p),
        name_(context.name()) {
    for (std::int32_t d = 0; d < 256; ++d) {
      if (-d < p.diff_min) break;
      exp_[static_cast<std::size_t>(d)] = softmax_exp(p, -d);
      in_sum_[static_cast<std::size_t>(d)] = softmax_exp_in_sum(p, -d);
      ++terms_;
    }
  }

  Status run(const Memory& memory) override {
    const T* input = memory.in<T>(input_);
    T* output = memory.out<T>(output_);
    for (std::int64_t row = 0; row < rows_; ++row, input += depth_, output += depth_) {
      const std::int32_t largest = *std::max_element(input, input + depth_);
      std::int64_t sum = 0;
      for (std::int64_t i = 0; i < depth_; ++i) sum += term(in_sum_, largest - input[i]);
      if (sum > std::numeric_limits<std::int32_t>::max()) {
        return fail(ErrorCode::kUnsupported,
                    "{}: the exponentials of one row of {} sum to 4096 or more, which its "
                    "fixed-point sum cannot hold",
                    name_, depth_);
      }
      const Reciprocal of_sum =
          reciprocal(static_cast<std::int32_t>(sum), SoftmaxParameters::kSumIntegerBits);
      for (std::int64_t i = 0; i < depth_; ++i) {
        const std::int32_t d = largest - input[i];
        output[i] = static_cast<T>(d < terms_ ? softmax_output(p_, term(exp_, d), of_sum) : p_.output_min);
      }
    }
    return {};
  }

 private:
  using Terms = std::array<std::int32_t, 256>;
  static std::int32_t term(const Terms& terms, std::int32_t d) { return terms[static_cast<std::size_t>(d)]; }

  int input_, output_;
  std::int64_t depth_, rows_;
  SoftmaxParameters p_;
  std::string name_;
  int terms_ = 0;  // differences below this count
  Terms exp_{}, in_sum_{};
};

}  // namespace

Result<SoftmaxParameters> softmax_parameters(const ir::Graph& graph, int index) {
  return resolve_softmax(OpContext(graph, graph.ops[static_cast<std::size_t>(index)], index));
}

std::int32_t softmax_exp(const SoftmaxParameters& p, std::int32_t diff) {
  return exp_on_negative_values(multiply_by_quantized_multiplier(diff, p.input),
                                SoftmaxParameters::kDiffIntegerBits);
}

std::int32_t softmax_exp_in_sum(const SoftmaxParameters& p, std::int32_t diff) {
  return rounding_divide_by_pot(softmax_exp(p, diff), SoftmaxParameters::kSumIntegerBits);
}

std::int32_t softmax_output(const SoftmaxParameters& p, std::int32_t exp, Reciprocal of_sum) {
  constexpr int kResultBits = 8;
  const std::int32_t scaled = saturating_rounding_doubling_high_mul(of_sum.mantissa, exp);
  const std::int32_t value =
      rounding_divide_by_pot(scaled, of_sum.exponent + 31 - kResultBits) + p.output_min;
  return std::clamp(value, p.output_min, p.output_max);
}

Prepared prepare_softmax(const OpContext& context) {
  ZYNPU_ASSIGN_OR_RETURN(const SoftmaxParameters p, resolve_softmax(context));
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* input, context.input(0));
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* output, context.output(0));
  ZYNPU_TRY(context.expect_shape(*output, input->shape));
  if (input->shape.empty()) return context.unsupported_tensor(*input, "a scalar has no last dimension");
  return with_byte_type(input->type, [&](auto element) -> Prepared {
    return std::make_unique<Softmax<decltype(element)>>(context, *input, p);
  });
}

}  // namespace zynpu::reference
