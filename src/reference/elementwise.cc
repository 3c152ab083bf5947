// SPDX-License-Identifier: MIT
// ADD, SUB and MUL on quantised bytes, with broadcasting.
#include <algorithm>

#include "reference/op_context.h"

namespace zynpu::reference {
namespace {

struct BinaryOperands {
  const ir::Tensor* a = nullptr;
  const ir::Tensor* b = nullptr;
  const ir::Tensor* output = nullptr;
  ActivationRange range;
};

Result<BinaryOperands> binary_operands(const OpContext& context) {
  ZYNPU_TRY(context.expect_input_count(2, 2));
  ZYNPU_TRY(context.expect_output_count(1));
  BinaryOperands operands;
  ZYNPU_ASSIGN_OR_RETURN(operands.a, context.input(0));
  ZYNPU_ASSIGN_OR_RETURN(operands.b, context.input(1));
  ZYNPU_ASSIGN_OR_RETURN(operands.output, context.output(0));
  for (const ir::Tensor* tensor : {operands.a, operands.b, operands.output}) {
    ZYNPU_TRY(context.expect_quantized_bytes(*tensor));
    ZYNPU_TRY(context.expect_type(*tensor, {operands.a->type}));
  }
  ZYNPU_ASSIGN_OR_RETURN(const auto* attributes, context.attributes<ir::ArithmeticAttributes>());
  const Result<ActivationRange> range = activation_range(attributes->activation, *operands.output);
  if (!range) return context.unsupported("{}", range.error().message);
  operands.range = *range;
  return operands;
}

std::int32_t clamp(std::int32_t value, const ActivationRange& range) {
  return value < range.min ? range.min : value > range.max ? range.max : value;
}

Result<AddParameters> resolve_add(const OpContext& context) {
  ZYNPU_ASSIGN_OR_RETURN(const BinaryOperands operands, binary_operands(context));
  AddParameters p;
  const double twice_larger = 2.0 * std::max(scale(*operands.a), scale(*operands.b));
  p.offset[0] = -zero_point(*operands.a);
  p.offset[1] = -zero_point(*operands.b);
  p.input[0] = quantize_multiplier(scale(*operands.a) / twice_larger);
  p.input[1] = quantize_multiplier(scale(*operands.b) / twice_larger);
  const float shifted_output_scale =
      static_cast<float>(1 << AddParameters::kLeftShift) * scale(*operands.output);
  const double output = twice_larger / static_cast<double>(shifted_output_scale);
  if (output >= 1) {
    return context.unsupported_tensor(*operands.output, "scale {} is too small for inputs of scale {} and {}",
                                      scale(*operands.output), scale(*operands.a), scale(*operands.b));
  }
  p.output = quantize_multiplier(output);
  p.output_offset = zero_point(*operands.output);
  p.range = operands.range;
  return p;
}

Result<MulParameters> resolve_mul(const OpContext& context) {
  ZYNPU_ASSIGN_OR_RETURN(const BinaryOperands operands, binary_operands(context));
  MulParameters p;
  p.offset[0] = -zero_point(*operands.a);
  p.offset[1] = -zero_point(*operands.b);
  // Single precision throughout, as the kernel has it.
  const float real = scale(*operands.a) * scale(*operands.b) / scale(*operands.output);
  p.output = quantize_multiplier(real);
  ZYNPU_TRY(context.expect_multiplier(p.output, "product of the input scales / output scale"));
  p.output_offset = zero_point(*operands.output);
  p.range = operands.range;
  return p;
}

// Walks the output in order, with the positions of both operands beside it: dimensions of extent 1 stand
// still.
class Broadcast {
 public:
  Broadcast(const ir::Tensor& a, const ir::Tensor& b, const ir::Tensor& output)
      : shape_(output.shape), a_(strides(a)), b_(strides(b)) {}

  // f(a position, b position, output position, count, a step, b step) for every row of the last dimension.
  template <class F>
  void rows(F&& f) const {
    if (shape_.empty()) return f(0, 0, 0, 1, 0, 0);
    std::array<std::int32_t, kMaxRank> at{};
    const std::size_t last = shape_.size() - 1;
    std::int64_t a = 0, b = 0, output = 0;
    while (true) {
      f(a, b, output, std::int64_t{shape_[last]}, a_[last], b_[last]);
      output += shape_[last];
      std::size_t d = last;
      while (true) {
        if (d == 0) return;
        --d;
        a += a_[d];
        b += b_[d];
        if (++at[d] < shape_[d]) break;
        a -= a_[d] * shape_[d];
        b -= b_[d] * shape_[d];
        at[d] = 0;
      }
    }
  }

 private:
  std::vector<std::int64_t> strides(const ir::Tensor& operand) const {
    std::vector<std::int64_t> strides(shape_.size(), 0);
    const std::vector<std::int64_t> dense = dense_strides(operand.shape);
    const std::size_t lead = shape_.size() - dense.size();
    for (std::size_t i = 0; i < dense.size(); ++i) {
      if (operand.shape[i] != 1) strides[lead + i] = dense[i];
    }
    return strides;
  }

  std::vector<std::int32_t> shape_;
  std::vector<std::int64_t> a_, b_;
};

Status check_broadcast(const OpContext& context, const ir::Tensor& a, const ir::Tensor& b,
                       const ir::Tensor& output) {
  const std::size_t rank = std::max(a.shape.size(), b.shape.size());
  std::vector<std::int32_t> shape(rank, 1);
  for (const ir::Tensor* operand : {&a, &b}) {
    const std::size_t lead = rank - operand->shape.size();
    for (std::size_t i = 0; i < operand->shape.size(); ++i) {
      std::int32_t& extent = shape[lead + i];
      if (operand->shape[i] == 1) continue;
      if (extent != 1 && extent != operand->shape[i]) {
        return context.unsupported("shapes {} and {} do not broadcast", to_string(a.shape),
                                   to_string(b.shape));
      }
      extent = operand->shape[i];
    }
  }
  if (rank > kMaxRank) return context.unsupported("{} dimensions, at most {}", rank, kMaxRank);
  return context.expect_shape(output, shape);
}

// ADD and SUB depend on each operand only through 256 rescaled values.
template <class T>
class AddOp : public PreparedOp {
 public:
  AddOp(const OpContext& context, const AddParameters& p, Broadcast broadcast)
      : a_(context.input_index(0)),
        b_(context.input_index(1)),
        output_(context.output_index(0)),
        sign_(context.op().kind == ir::OpKind::kSub ? -1 : 1),
        p_(p),
        broadcast_(std::move(broadcast)) {
    for (int operand = 0; operand < 2; ++operand) {
      for (int value = std::numeric_limits<T>::min(); value <= std::numeric_limits<T>::max(); ++value) {
        scaled_[operand][static_cast<std::uint8_t>(value)] = add_operand(p, operand, value);
      }
    }
  }

  Status run(const Memory& memory) override {
    const T* a = memory.in<T>(a_);
    const T* b = memory.in<T>(b_);
    T* output = memory.out<T>(output_);
    broadcast_.rows([&](std::int64_t ai, std::int64_t bi, std::int64_t oi, std::int64_t count,
                        std::int64_t a_step, std::int64_t b_step) {
      for (std::int64_t i = 0; i < count; ++i, ai += a_step, bi += b_step) {
        const std::int32_t left = scaled_[0][static_cast<std::uint8_t>(a[ai])];
        const std::int32_t right = scaled_[1][static_cast<std::uint8_t>(b[bi])];
        output[oi + i] = static_cast<T>(add_result(p_, left + sign_ * right));
      }
    });
    return {};
  }

 private:
  int a_, b_, output_;
  std::int32_t sign_;
  AddParameters p_;
  Broadcast broadcast_;
  std::array<std::array<std::int32_t, 256>, 2> scaled_{};
};

template <class T>
class MulOp : public PreparedOp {
 public:
  MulOp(const OpContext& context, const MulParameters& p, Broadcast broadcast)
      : a_(context.input_index(0)),
        b_(context.input_index(1)),
        output_(context.output_index(0)),
        p_(p),
        broadcast_(std::move(broadcast)) {}

  Status run(const Memory& memory) override {
    const T* a = memory.in<T>(a_);
    const T* b = memory.in<T>(b_);
    T* output = memory.out<T>(output_);
    broadcast_.rows([&](std::int64_t ai, std::int64_t bi, std::int64_t oi, std::int64_t count,
                        std::int64_t a_step, std::int64_t b_step) {
      for (std::int64_t i = 0; i < count; ++i, ai += a_step, bi += b_step) {
        const std::int32_t product = (a[ai] + p_.offset[0]) * (b[bi] + p_.offset[1]);
        const std::int32_t scaled = multiply_by_quantized_multiplier(product, p_.output);
        const auto sum = static_cast<std::int32_t>(static_cast<std::uint32_t>(scaled) +
                                                   static_cast<std::uint32_t>(p_.output_offset));
        output[oi + i] = static_cast<T>(clamp(sum, p_.range));
      }
    });
    return {};
  }

 private:
  int a_, b_, output_;
  MulParameters p_;
  Broadcast broadcast_;
};

}  // namespace

std::int32_t add_operand(const AddParameters& p, int operand, std::int32_t value) {
  const std::int32_t shifted = (value + p.offset[operand]) * (1 << AddParameters::kLeftShift);
  return multiply_by_quantized_multiplier(shifted, p.input[operand]);
}

std::int32_t add_result(const AddParameters& p, std::int32_t sum) {
  return clamp(multiply_by_quantized_multiplier(sum, p.output) + p.output_offset, p.range);
}

Result<AddParameters> add_parameters(const ir::Graph& graph, int index) {
  return resolve_add(OpContext(graph, graph.ops[static_cast<std::size_t>(index)], index));
}

Result<MulParameters> mul_parameters(const ir::Graph& graph, int index) {
  return resolve_mul(OpContext(graph, graph.ops[static_cast<std::size_t>(index)], index));
}

Prepared prepare_elementwise(const OpContext& context) {
  ZYNPU_ASSIGN_OR_RETURN(const BinaryOperands operands, binary_operands(context));
  ZYNPU_TRY(check_broadcast(context, *operands.a, *operands.b, *operands.output));
  Broadcast broadcast(*operands.a, *operands.b, *operands.output);
  if (context.op().kind == ir::OpKind::kMul) {
    ZYNPU_ASSIGN_OR_RETURN(const MulParameters p, resolve_mul(context));
    return with_byte_type(operands.a->type, [&](auto element) -> Prepared {
      return std::make_unique<MulOp<decltype(element)>>(context, p, std::move(broadcast));
    });
  }
  ZYNPU_ASSIGN_OR_RETURN(const AddParameters p, resolve_add(context));
  return with_byte_type(operands.a->type, [&](auto element) -> Prepared {
    return std::make_unique<AddOp<decltype(element)>>(context, p, std::move(broadcast));
  });
}

}  // namespace zynpu::reference
