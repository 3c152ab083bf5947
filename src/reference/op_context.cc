// SPDX-License-Identifier: MIT
#include "reference/op_context.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace zynpu::reference {
namespace {

Result<const ir::Tensor*> tensor_of(const OpContext& context, const std::vector<int>& slots,
                                    std::size_t position, std::string_view role) {
  if (position >= slots.size() || slots[position] == ir::kAbsent) {
    return context.unsupported("{} {} is missing", role, position);
  }
  const int index = slots[position];
  if (index < 0 || static_cast<std::size_t>(index) >= context.graph().tensors.size()) {
    return context.unsupported("{} {} is tensor {}, of {}", role, position, index,
                               context.graph().tensors.size());
  }
  return &context.graph().tensors[static_cast<std::size_t>(index)];
}

}  // namespace

std::string OpContext::name() const { return fmt::format("{} #{}", ir::to_string(op_->kind), index_); }

Result<const ir::Tensor*> OpContext::input(std::size_t position) const {
  return tensor_of(*this, op_->inputs, position, "input");
}

Result<const ir::Tensor*> OpContext::output(std::size_t position) const {
  return tensor_of(*this, op_->outputs, position, "output");
}

Result<const ir::Tensor*> OpContext::optional_input(std::size_t position) const {
  if (!has_input(position)) return nullptr;
  return input(position);
}

Result<OpContext::ByteOperands> OpContext::byte_operands(std::size_t inputs) const {
  ZYNPU_TRY(expect_input_count(inputs, inputs));
  ZYNPU_TRY(expect_output_count(1));
  ByteOperands operands;
  ZYNPU_ASSIGN_OR_RETURN(operands.input, input(0));
  ZYNPU_ASSIGN_OR_RETURN(operands.output, output(0));
  ZYNPU_TRY(expect_quantized_bytes(*operands.input));
  ZYNPU_TRY(expect_quantized_bytes(*operands.output));
  return operands;
}

Status OpContext::expect_input_count(std::size_t least, std::size_t most) const {
  const std::size_t count = op_->inputs.size();
  if (count < least || count > most) {
    return least == most ? unsupported("{} inputs, expected {}", count, least)
                         : unsupported("{} inputs, expected {} to {}", count, least, most);
  }
  return {};
}

Status OpContext::expect_output_count(std::size_t count) const {
  if (op_->outputs.size() != count) return unsupported("{} outputs, expected {}", op_->outputs.size(), count);
  return {};
}

Status OpContext::expect_type(const ir::Tensor& tensor, std::initializer_list<ir::DataType> types) const {
  if (std::find(types.begin(), types.end(), tensor.type) != types.end()) return {};
  std::vector<std::string_view> names;
  for (const ir::DataType type : types) names.push_back(ir::to_string(type));
  return unsupported_tensor(tensor, "type {}, expected {}", ir::to_string(tensor.type),
                            fmt::join(names, " or "));
}

Status OpContext::expect_rank(const ir::Tensor& tensor, std::size_t rank) const {
  if (tensor.shape.size() == rank) return {};
  return unsupported_tensor(tensor, "shape {} has {} dimensions, expected {}", to_string(tensor.shape),
                            tensor.shape.size(), rank);
}

Status OpContext::expect_shape(const ir::Tensor& tensor, std::span<const std::int32_t> shape) const {
  if (std::equal(tensor.shape.begin(), tensor.shape.end(), shape.begin(), shape.end())) return {};
  return unsupported_tensor(tensor, "shape {}, expected {}", to_string(tensor.shape), to_string(shape));
}

Status OpContext::expect_elements(const ir::Tensor& tensor, std::int64_t elements) const {
  if (tensor.elements() == elements) return {};
  return unsupported_tensor(tensor, "shape {} has {} elements, expected {}", to_string(tensor.shape),
                            tensor.elements(), elements);
}

Status OpContext::expect_quantized(const ir::Tensor& tensor) const {
  const ir::Quantization& q = tensor.quant;
  if (!q.present()) return unsupported_tensor(tensor, "it has no quantisation");
  if (q.per_channel()) {
    return unsupported_tensor(tensor, "quantised per channel ({} scales), expected per tensor",
                              q.scale.size());
  }
  if (!std::isfinite(q.scale[0]) || q.scale[0] <= 0) {
    return unsupported_tensor(tensor, "scale {} is not a positive number", q.scale[0]);
  }
  std::int64_t low = 0, high = 0;
  switch (tensor.type) {
    case ir::DataType::kInt8:
      low = -128, high = 127;
      break;
    case ir::DataType::kUint8:
      low = 0, high = 255;
      break;
    case ir::DataType::kInt16:
      low = -32768, high = 32767;
      break;
    default:
      break;
  }
  if (zero_point(tensor) < low || zero_point(tensor) > high) {
    return unsupported_tensor(tensor, "zero point {} is outside {}", zero_point(tensor),
                              ir::to_string(tensor.type));
  }
  return {};
}

Status OpContext::expect_quantized_bytes(const ir::Tensor& tensor) const {
  ZYNPU_TRY(expect_type(tensor, {ir::DataType::kInt8, ir::DataType::kUint8}));
  return expect_quantized(tensor);
}

Status OpContext::expect_same_quantization(const ir::Tensor& a, const ir::Tensor& b) const {
  if (a.quant.present() == b.quant.present() &&
      (!a.quant.present() || (scale(a) == scale(b) && zero_point(a) == zero_point(b)))) {
    return {};
  }
  return unsupported_tensor(b, "quantised otherwise than '{}', which this operator does not rescale", a.name);
}

Status OpContext::expect_multiplier(QuantizedMultiplier q, std::string_view what) const {
  if (q.shift <= kMaxLeftShift) return {};
  return unsupported("{} is 2^{} or more, which 32 bits cannot take", what, q.shift - 1);
}

Result<std::vector<std::int32_t>> OpContext::constant_integers(std::size_t position) const {
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* tensor, input(position));
  ZYNPU_TRY(expect_type(*tensor, {ir::DataType::kInt32, ir::DataType::kInt64}));
  if (!tensor->is_constant()) return unsupported_tensor(*tensor, "input {} must be a constant", position);
  if (static_cast<std::int64_t>(tensor->data->size()) != tensor->bytes()) {
    return unsupported_tensor(*tensor, "{} bytes of data, its shape needs {}", tensor->data->size(),
                              tensor->bytes());
  }
  std::vector<std::int32_t> values(static_cast<std::size_t>(tensor->elements()));
  if (tensor->type == ir::DataType::kInt32) {
    std::memcpy(values.data(), tensor->data->data(), tensor->data->size());
    return values;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::int64_t value = 0;
    std::memcpy(&value, tensor->data->data() + 8 * i, 8);
    if (value < std::numeric_limits<std::int32_t>::min() ||
        value > std::numeric_limits<std::int32_t>::max()) {
      return unsupported_tensor(*tensor, "value {} does not fit 32 bits", value);
    }
    values[i] = static_cast<std::int32_t>(value);
  }
  return values;
}

std::int32_t zero_point(const ir::Tensor& tensor) {
  return tensor.quant.zero_point.empty() ? 0 : tensor.quant.zero_point[0];
}

float scale(const ir::Tensor& tensor) { return tensor.quant.scale.empty() ? 0.0f : tensor.quant.scale[0]; }

std::string to_string(std::span<const std::int32_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

Result<int> normalized_axis(const OpContext& context, std::int64_t axis, std::size_t rank) {
  const auto dimensions = static_cast<std::int64_t>(rank);
  if (axis < -dimensions || axis >= dimensions) {
    return context.unsupported("axis {} of {} dimensions", axis, dimensions);
  }
  return static_cast<int>(axis < 0 ? axis + dimensions : axis);
}

AxisSplit split_at(std::span<const std::int32_t> shape, int axis) {
  AxisSplit split;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    (static_cast<int>(i) < axis   ? split.outer
     : static_cast<int>(i) > axis ? split.inner
                                  : split.extent) *= shape[i];
  }
  return split;
}

std::vector<std::int64_t> dense_strides(std::span<const std::int32_t> shape) {
  std::vector<std::int64_t> strides(shape.size());
  std::int64_t stride = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

}  // namespace zynpu::reference
