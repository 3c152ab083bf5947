// SPDX-License-Identifier: MIT
// MEAN over constant axes.
#include <algorithm>
#include <bit>

#include "reference/op_context.h"

namespace zynpu::reference {
namespace {

Result<MeanParameters> resolve_mean(const OpContext& context) {
  ZYNPU_ASSIGN_OR_RETURN(const auto operands, context.byte_operands(2));
  const ir::Tensor *const input = operands.input, *const output = operands.output;
  ZYNPU_TRY(context.expect_type(*output, {input->type}));
  ZYNPU_ASSIGN_OR_RETURN(const std::vector<std::int32_t> listed, context.constant_integers(1));
  MeanParameters p;
  for (const std::int32_t axis : listed) {
    ZYNPU_ASSIGN_OR_RETURN(const int normalized, normalized_axis(context, axis, input->shape.size()));
    p.axes.push_back(normalized);
  }
  std::sort(p.axes.begin(), p.axes.end());
  p.axes.erase(std::unique(p.axes.begin(), p.axes.end()), p.axes.end());
  for (const int axis : p.axes) p.count *= input->shape[static_cast<std::size_t>(axis)];
  constexpr std::int64_t kMostElements = 1 << 23;  // of at most 255 each
  if (p.count > kMostElements) {
    return context.unsupported_tensor(*input, "a mean of {} elements overflows the 32-bit sum", p.count);
  }
  p.input_zero_sum = static_cast<std::int32_t>(zero_point(*input) * p.count);
  p.output_offset = zero_point(*output);
  p.range = input->type == ir::DataType::kUint8 ? ActivationRange{0, 255} : ActivationRange{-128, 127};

  // 1/count goes into the multiplier: as many bits as count has are gained first, so that the division keeps
  // them.
  p.output = quantize_multiplier(static_cast<double>(scale(*input)) / static_cast<double>(scale(*output)));
  int gained = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(p.count))) - 1;
  gained = std::min({gained, 32, 31 + p.output.shift});
  p.output.multiplier =
      static_cast<std::int32_t>(std::int64_t{p.output.multiplier} * (std::int64_t{1} << gained) / p.count);
  p.output.shift -= gained;
  ZYNPU_TRY(context.expect_multiplier(p.output, "input scale / output scale"));
  return p;
}

template <class T>
class Mean : public PreparedOp {
 public:
  Mean(const OpContext& context, const ir::Tensor& input, MeanParameters p)
      : input_(context.input_index(0)),
        output_(context.output_index(0)),
        shape_(input.shape),
        p_(std::move(p)) {
    std::int64_t stride = 1;
    output_strides_.assign(shape_.size(), 0);
    for (std::size_t d = shape_.size(); d-- > 0;) {
      if (std::find(p_.axes.begin(), p_.axes.end(), static_cast<int>(d)) != p_.axes.end()) continue;
      output_strides_[d] = stride;
      stride *= shape_[d];
    }
    sums_.resize(static_cast<std::size_t>(stride));
  }

  Status run(const Memory& memory) override {
    const T* input = memory.in<T>(input_);
    std::fill(sums_.begin(), sums_.end(), 0);
    add(input, 0, 0);
    T* output = memory.out<T>(output_);
    for (std::size_t i = 0; i < sums_.size(); ++i) {
      const std::int32_t scaled = multiply_by_quantized_multiplier(sums_[i] - p_.input_zero_sum, p_.output);
      output[i] = static_cast<T>(std::clamp(scaled + p_.output_offset, p_.range.min, p_.range.max));
    }
    return {};
  }

 private:
  // Adds the elements from `input` on, of all dimensions from `d` on, to the sums; returns the element after
  // them.
  const T* add(const T* input, std::size_t d, std::int64_t at) {
    if (d == shape_.size()) {
      sums_[static_cast<std::size_t>(at)] += *input;
      return input + 1;
    }
    for (std::int32_t i = 0; i < shape_[d]; ++i, at += output_strides_[d]) input = add(input, d + 1, at);
    return input;
  }

  int input_, output_;
  std::vector<std::int32_t> shape_;
  std::vector<std::int64_t> output_strides_;  // 0 on the axes of the mean
  MeanParameters p_;
  std::vector<std::int32_t> sums_;
};

}  // namespace

Result<MeanParameters> mean_parameters(const ir::Graph& graph, int index) {
  return resolve_mean(OpContext(graph, graph.ops[static_cast<std::size_t>(index)], index));
}

Prepared prepare_mean(const OpContext& context) {
  ZYNPU_ASSIGN_OR_RETURN(MeanParameters p, resolve_mean(context));
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* input, context.input(0));
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* output, context.output(0));
  ZYNPU_ASSIGN_OR_RETURN(const auto* attributes, context.attributes<ir::MeanAttributes>());
  std::vector<std::int32_t> shape;
  for (std::size_t d = 0; d < input->shape.size(); ++d) {
    const bool reduced = std::find(p.axes.begin(), p.axes.end(), static_cast<int>(d)) != p.axes.end();
    if (!reduced || attributes->keep_dims) shape.push_back(reduced ? 1 : input->shape[d]);
  }
  ZYNPU_TRY(context.expect_shape(*output, shape));
  if (input->shape.size() > kMaxRank) {
    return context.unsupported_tensor(*input, "{} dimensions, at most {}", input->shape.size(), kMaxRank);
  }
  return with_byte_type(input->type, [&](auto element) -> Prepared {
    return std::make_unique<Mean<decltype(element)>>(context, *input, std::move(p));
  });
}

}  // namespace zynpu::reference
