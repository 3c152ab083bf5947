// SPDX-License-Identifier: MIT
// Operators that move elements without computing on them: RESHAPE, SQUEEZE, EXPAND_DIMS, PAD, CONCATENATION,
// PACK, UNPACK, SPLIT, TRANSPOSE, STRIDED_SLICE and SHAPE, on every element type. Bytes move as they are,
// whatever the quantisation of either side says; only a uint8 CONCATENATION rescales, as TFLite's does.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include "reference/op_context.h"

namespace zynpu::reference {
namespace {

class Copy : public PreparedOp {
 public:
  explicit Copy(const OpContext& context)
      : input_(context.input_index(0)), output_(context.output_index(0)) {}

  Status run(const Memory& memory) override {
    const std::span<std::uint8_t> input = memory.bytes(input_);
    std::memmove(memory.out<std::uint8_t>(output_), input.data(), input.size());
    return {};
  }

 private:
  int input_, output_;
};

// RESHAPE, SQUEEZE, EXPAND_DIMS: the target shape stands on the output tensor; further inputs only repeat it.
Prepared prepare_copy(const OpContext& context) {
  ZYNPU_TRY(context.expect_input_count(1, 2));
  ZYNPU_TRY(context.expect_output_count(1));
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* input, context.input(0));
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* output, context.output(0));
  ZYNPU_TRY(context.expect_type(*output, {input->type}));
  ZYNPU_TRY(context.expect_elements(*output, input->elements()));
  return std::make_unique<Copy>(context);
}

// Output element (i0, i1, ...) is the input element at base + sum of i * stride.
class Gather : public PreparedOp {
 public:
  Gather(const OpContext& context, std::vector<std::int32_t> shape, std::vector<std::int64_t> strides,
         std::int64_t base, std::size_t element)
      : input_(context.input_index(0)),
        output_(context.output_index(0)),
        shape_(std::move(shape)),
        strides_(std::move(strides)),
        base_(base),
        element_(element) {
    if (shape_.empty()) {
      shape_ = {1};
      strides_ = {0};
    }
  }

  Status run(const Memory& memory) override {
    const std::uint8_t* input = memory.in<std::uint8_t>(input_);
    std::uint8_t* output = memory.out<std::uint8_t>(output_);
    switch (element_) {
      case 1:
        walk<1>(input, output, 0, base_);
        break;
      case 2:
        walk<2>(input, output, 0, base_);
        break;
      case 4:
        walk<4>(input, output, 0, base_);
        break;
      default:
        walk<8>(input, output, 0, base_);
        break;
    }
    return {};
  }

 private:
  template <std::size_t kBytes>
  std::uint8_t* walk(const std::uint8_t* input, std::uint8_t* output, std::size_t d, std::int64_t at) const {
    const std::int64_t stride = strides_[d];
    for (std::int32_t i = 0; i < shape_[d]; ++i, at += stride) {
      if (d + 1 < shape_.size()) {
        output = walk<kBytes>(input, output, d + 1, at);
      } else {
        std::memcpy(output, input + at * static_cast<std::int64_t>(kBytes), kBytes);
        output += kBytes;
      }
    }
    return output;
  }

  int input_, output_;
  std::vector<std::int32_t> shape_;
  std::vector<std::int64_t> strides_;  // elements of the input, one for each output dimension
  std::int64_t base_;
  std::size_t element_;
};

Prepared prepare_transpose(const OpContext& context) {
  ZYNPU_TRY(context.expect_input_count(2, 2));
  ZYNPU_TRY(context.expect_output_count(1));
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* input, context.input(0));
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* output, context.output(0));
  ZYNPU_ASSIGN_OR_RETURN(const std::vector<std::int32_t> order, context.constant_integers(1));
  ZYNPU_TRY(context.expect_type(*output, {input->type}));
  const std::size_t rank = input->shape.size();
  if (order.size() != rank)
    return context.unsupported("permutation of {} of {} dimensions", order.size(), rank);
  const std::vector<std::int64_t> dense = dense_strides(input->shape);
  std::vector<std::int32_t> shape;
  std::vector<std::int64_t> strides;
  std::vector<bool> used(rank);
  for (const std::int32_t from : order) {
    ZYNPU_ASSIGN_OR_RETURN(const int axis, normalized_axis(context, from, rank));
    const auto d = static_cast<std::size_t>(axis);
    if (used[d]) return context.unsupported("its permutation names dimension {} twice", axis);
    used[d] = true;
    shape.push_back(input->shape[d]);
    strides.push_back(dense[d]);
  }
  ZYNPU_TRY(context.expect_shape(*output, shape));
  return std::make_unique<Gather>(context, std::move(shape), std::move(strides), 0, ir::size_of(input->type));
}

// One input dimension of a slice after masks and negative indices are resolved.
struct SliceRange {
  std::int64_t begin = 0, count = 0;
};

SliceRange slice_range(std::int64_t extent, std::optional<std::int64_t> begin,
                       std::optional<std::int64_t> end, std::int64_t stride) {
  const std::int64_t low = stride > 0 ? 0 : -1, high = stride > 0 ? extent : extent - 1;
  const auto resolve = [&](std::optional<std::int64_t> index, std::int64_t absent) {
    if (!index) return absent;
    return std::clamp(*index < 0 ? *index + extent : *index, low, high);
  };
  const std::int64_t first = resolve(begin, stride > 0 ? 0 : extent - 1);
  const std::int64_t last = resolve(end, stride > 0 ? extent : -1);
  const std::int64_t span = stride > 0 ? last - first : first - last;
  const std::int64_t step = stride > 0 ? stride : -stride;
  return {first, span <= 0 ? 0 : (span + step - 1) / step};
}

Prepared prepare_strided_slice(const OpContext& context) {
  ZYNPU_TRY(context.expect_input_count(4, 4));
  ZYNPU_TRY(context.expect_output_count(1));
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* input, context.input(0));
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* output, context.output(0));
  ZYNPU_ASSIGN_OR_RETURN(const auto* attributes, context.attributes<ir::StridedSliceAttributes>());
  ZYNPU_ASSIGN_OR_RETURN(const std::vector<std::int32_t> begin, context.constant_integers(1));
  ZYNPU_ASSIGN_OR_RETURN(const std::vector<std::int32_t> end, context.constant_integers(2));
  ZYNPU_ASSIGN_OR_RETURN(const std::vector<std::int32_t> steps, context.constant_integers(3));
  ZYNPU_TRY(context.expect_type(*output, {input->type}));
  const std::size_t entries = begin.size(), rank = input->shape.size();
  if (end.size() != entries || steps.size() != entries || entries > 31) {
    return context.unsupported("begin, end and strides have {}, {} and {} values", entries, end.size(),
                               steps.size());
  }
  const auto masked = [](int mask, std::size_t i) { return ((mask >> i) & 1) != 0; };
  std::size_t taken = 0;  // input dimensions that entries name one by one
  for (std::size_t i = 0; i < entries; ++i) {
    if (!masked(attributes->ellipsis_mask, i) && !masked(attributes->new_axis_mask, i)) ++taken;
  }
  if (taken > rank) return context.unsupported("{} indices into {} dimensions", taken, rank);

  const std::vector<std::int64_t> dense = dense_strides(input->shape);
  std::vector<std::int32_t> shape;
  std::vector<std::int64_t> strides;
  std::int64_t base = 0;
  std::size_t d = 0;
  const auto whole_dimensions = [&](std::size_t count) {
    for (; count > 0; --count, ++d) {
      shape.push_back(input->shape[d]);
      strides.push_back(dense[d]);
    }
  };
  bool seen_ellipsis = false;
  for (std::size_t i = 0; i < entries; ++i) {
    if (masked(attributes->ellipsis_mask, i)) {
      if (seen_ellipsis) return context.unsupported("two ellipses");
      seen_ellipsis = true;
      whole_dimensions(rank - taken);
      continue;
    }
    if (masked(attributes->new_axis_mask, i)) {
      shape.push_back(1);
      strides.push_back(0);
      continue;
    }
    const std::int64_t extent = input->shape[d];
    if (masked(attributes->shrink_axis_mask, i)) {
      const std::int64_t index = begin[i] < 0 ? begin[i] + extent : begin[i];
      if (index < 0 || index >= extent) return context.unsupported("index {} of extent {}", begin[i], extent);
      base += index * dense[d++];
      continue;
    }
    if (steps[i] == 0) return context.unsupported("stride 0 on dimension {}", d);
    const auto given = [&](int mask, std::int32_t value) -> std::optional<std::int64_t> {
      if (masked(mask, i)) return std::nullopt;
      return value;
    };
    const SliceRange range = slice_range(extent, given(attributes->begin_mask, begin[i]),
                                         given(attributes->end_mask, end[i]), steps[i]);
    base += range.begin * dense[d];
    shape.push_back(static_cast<std::int32_t>(range.count));
    strides.push_back(dense[d] * steps[i]);
    ++d;
  }
  whole_dimensions(rank - d);
  ZYNPU_TRY(context.expect_shape(*output, shape));
  return std::make_unique<Gather>(context, std::move(shape), std::move(strides), base,
                                  ir::size_of(input->type));
}

class Pad : public PreparedOp {
 public:
  Pad(const OpContext& context, const ir::Tensor& input, const ir::Tensor& output,
      const std::vector<std::int32_t>& paddings)
      : input_(context.input_index(0)),
        output_(context.output_index(0)),
        shape_(input.shape),
        strides_(dense_strides(output.shape)),
        element_(ir::size_of(input.type)) {
    for (std::size_t d = 0; d < shape_.size(); ++d) base_ += paddings[2 * d] * strides_[d];
    // A quantised zero is the zero point; only 8-bit tensors have one that is not all bytes zero.
    if (element_ == 1 && output.quant.present()) fill_ = zero_point(output);
  }

  Status run(const Memory& memory) override {
    const std::span<std::uint8_t> output = memory.bytes(output_);
    std::memset(output.data(), fill_, output.size());
    place(memory.in<std::uint8_t>(input_), output.data(), 0, base_);
    return {};
  }

 private:
  const std::uint8_t* place(const std::uint8_t* input, std::uint8_t* output, std::size_t d,
                            std::int64_t at) const {
    if (d + 1 >= shape_.size()) {
      const std::size_t bytes = (shape_.empty() ? 1 : static_cast<std::size_t>(shape_[d])) * element_;
      std::memcpy(output + at * static_cast<std::int64_t>(element_), input, bytes);
      return input + bytes;
    }
    for (std::int32_t i = 0; i < shape_[d]; ++i) input = place(input, output, d + 1, at + i * strides_[d]);
    return input;
  }

  int input_, output_;
  std::vector<std::int32_t> shape_;    // of the input
  std::vector<std::int64_t> strides_;  // of the output, elements
  std::int64_t base_ = 0;
  std::size_t element_;
  int fill_ = 0;
};

Prepared prepare_pad(const OpContext& context) {
  ZYNPU_TRY(context.expect_input_count(2, 2));
  ZYNPU_TRY(context.expect_output_count(1));
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* input, context.input(0));
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* output, context.output(0));
  ZYNPU_ASSIGN_OR_RETURN(const std::vector<std::int32_t> paddings, context.constant_integers(1));
  ZYNPU_TRY(context.expect_type(*output, {input->type}));
  if (output->quant.present()) ZYNPU_TRY(context.expect_quantized(*output));
  if (ir::size_of(input->type) > 1 && output->quant.present() && zero_point(*output) != 0) {
    return context.unsupported_tensor(*output, "{} with zero point {}", ir::to_string(output->type),
                                      zero_point(*output));
  }
  if (paddings.size() != 2 * input->shape.size()) {
    return context.unsupported("{} paddings for {} dimensions", paddings.size(), input->shape.size());
  }
  std::vector<std::int32_t> shape;
  for (std::size_t d = 0; d < input->shape.size(); ++d) {
    const std::int64_t before = paddings[2 * d], after = paddings[2 * d + 1];
    if (before < 0 || after < 0) return context.unsupported("negative padding of dimension {}", d);
    const std::int64_t extent = before + input->shape[d] + after;
    if (extent > std::numeric_limits<std::int32_t>::max()) {
      return context.unsupported("dimension {} grows to {}", d, extent);
    }
    shape.push_back(static_cast<std::int32_t>(extent));
  }
  ZYNPU_TRY(context.expect_shape(*output, shape));
  return std::make_unique<Pad>(context, *input, *output, paddings);
}

// CONCATENATION and PACK: for each outer index, one run of bytes from each input in turn.
class Join : public PreparedOp {
 public:
  struct Source {
    int tensor = 0;
    std::size_t run = 0;                // bytes for each outer index
    std::optional<ByteTable> rescaled;  // uint8 whose quantisation differs from the output's
  };
  Join(const OpContext& context, std::vector<Source> sources, std::int64_t outer)
      : sources_(std::move(sources)), output_(context.output_index(0)), outer_(outer) {}

  Status run(const Memory& memory) override {
    std::uint8_t* output = memory.out<std::uint8_t>(output_);
    for (std::int64_t i = 0; i < outer_; ++i) {
      for (const Source& source : sources_) {
        const std::uint8_t* input =
            memory.in<std::uint8_t>(source.tensor) + static_cast<std::size_t>(i) * source.run;
        if (source.rescaled) {
          for (std::size_t b = 0; b < source.run; ++b) output[b] = (*source.rescaled)[input[b]];
        } else {
          std::memcpy(output, input, source.run);
        }
        output += source.run;
      }
    }
    return {};
  }

 private:
  std::vector<Source> sources_;
  int output_;
  std::int64_t outer_;
};

// The rescaling of a uint8 CONCATENATION works in single precision.
ByteTable concatenation_table(const ir::Tensor& input, const ir::Tensor& output) {
  const float ratio = scale(input) * (1.0f / scale(output));
  const float bias = static_cast<float>(-zero_point(input)) * ratio;
  ByteTable table{};
  for (int value = 0; value < 256; ++value) {
    const float rounded = std::round(static_cast<float>(value) * ratio + bias);
    const float result = std::clamp(rounded + static_cast<float>(zero_point(output)), 0.0f, 255.0f);
    table[static_cast<std::size_t>(value)] = static_cast<std::uint8_t>(result);
  }
  return table;
}

Prepared prepare_concatenation(const OpContext& context) {
  ZYNPU_TRY(context.expect_input_count(1, context.op().inputs.size()));
  ZYNPU_TRY(context.expect_output_count(1));
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* output, context.output(0));
  ZYNPU_ASSIGN_OR_RETURN(const auto* attributes, context.attributes<ir::ConcatenationAttributes>());
  ZYNPU_ASSIGN_OR_RETURN(const int axis, normalized_axis(context, attributes->axis, output->shape.size()));
  if (attributes->activation != ir::Activation::kNone)
    return context.unsupported("it has a fused activation");
  const std::size_t element = ir::size_of(output->type);
  const AxisSplit split = split_at(output->shape, axis);
  std::vector<Join::Source> sources;
  std::vector<std::int32_t> shape = output->shape;
  std::int64_t total = 0;
  for (std::size_t i = 0; i < context.op().inputs.size(); ++i) {
    ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* input, context.input(i));
    ZYNPU_TRY(context.expect_type(*input, {output->type}));
    ZYNPU_TRY(context.expect_rank(*input, output->shape.size()));
    const auto d = static_cast<std::size_t>(axis);
    shape[d] = input->shape[d];
    ZYNPU_TRY(context.expect_shape(*input, shape));
    total += input->shape[d];
    Join::Source source;
    source.tensor = context.input_index(i);
    source.run = static_cast<std::size_t>(input->shape[d] * split.inner) * element;
    if (output->quant.present() && element == 1) {
      if (output->type == ir::DataType::kUint8) {
        ZYNPU_TRY(context.expect_quantized(*input));
        ZYNPU_TRY(context.expect_quantized(*output));
        if (!context.expect_same_quantization(*output, *input))
          source.rescaled = concatenation_table(*input, *output);
      } else {
        ZYNPU_TRY(context.expect_same_quantization(*output, *input));
      }
    }
    sources.push_back(std::move(source));
  }
  if (total != split.extent) {
    return context.unsupported_tensor(*output, "extent {} on dimension {}, inputs have {}", split.extent,
                                      axis, total);
  }
  return std::make_unique<Join>(context, std::move(sources), split.outer);
}

Prepared prepare_pack(const OpContext& context) {
  ZYNPU_TRY(context.expect_input_count(1, context.op().inputs.size()));
  ZYNPU_TRY(context.expect_output_count(1));
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* output, context.output(0));
  ZYNPU_ASSIGN_OR_RETURN(const auto* attributes, context.attributes<ir::PackAttributes>());
  ZYNPU_ASSIGN_OR_RETURN(const int axis, normalized_axis(context, attributes->axis, output->shape.size()));
  const AxisSplit split = split_at(output->shape, axis);
  std::vector<std::int32_t> shape = output->shape;
  shape.erase(shape.begin() + axis);
  if (split.extent != static_cast<std::int64_t>(context.op().inputs.size())) {
    return context.unsupported_tensor(*output, "extent {} on dimension {}, of {} inputs", split.extent, axis,
                                      context.op().inputs.size());
  }
  std::vector<Join::Source> sources;
  for (std::size_t i = 0; i < context.op().inputs.size(); ++i) {
    ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* input, context.input(i));
    ZYNPU_TRY(context.expect_type(*input, {output->type}));
    ZYNPU_TRY(context.expect_shape(*input, shape));
    sources.push_back(
        {context.input_index(i), static_cast<std::size_t>(split.inner) * ir::size_of(output->type), {}});
  }
  return std::make_unique<Join>(context, std::move(sources), split.outer);
}

// SPLIT and UNPACK: the reverse of Join, with equal runs.
class Divide : public PreparedOp {
 public:
  Divide(const OpContext& context, int input, std::size_t run, std::int64_t outer)
      : input_(input), outputs_(context.op().outputs), run_(run), outer_(outer) {}

  Status run(const Memory& memory) override {
    const std::uint8_t* input = memory.in<std::uint8_t>(input_);
    for (std::int64_t i = 0; i < outer_; ++i) {
      for (const int output : outputs_) {
        std::memcpy(memory.out<std::uint8_t>(output) + static_cast<std::size_t>(i) * run_, input, run_);
        input += run_;
      }
    }
    return {};
  }

 private:
  int input_;
  std::vector<int> outputs_;
  std::size_t run_;  // bytes of one output for each outer index
  std::int64_t outer_;
};

Prepared prepare_divide(const OpContext& context) {
  const bool split_op = context.op().kind == ir::OpKind::kSplit;
  ZYNPU_TRY(context.expect_input_count(split_op ? 2 : 1, split_op ? 2 : 1));
  const std::size_t position = split_op ? 1 : 0, outputs = context.op().outputs.size();
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* input, context.input(position));
  std::int64_t named_axis = 0;
  if (split_op) {
    ZYNPU_ASSIGN_OR_RETURN(const std::vector<std::int32_t> axes, context.constant_integers(0));
    if (axes.size() != 1) return context.unsupported("{} axes, expected one", axes.size());
    named_axis = axes[0];
  } else {
    ZYNPU_ASSIGN_OR_RETURN(const auto* attributes, context.attributes<ir::PackAttributes>());
    named_axis = attributes->axis;
  }
  ZYNPU_ASSIGN_OR_RETURN(const int axis, normalized_axis(context, named_axis, input->shape.size()));
  const AxisSplit split = split_at(input->shape, axis);
  if (outputs == 0 || split.extent % static_cast<std::int64_t>(outputs) != 0 ||
      (!split_op && split.extent != static_cast<std::int64_t>(outputs))) {
    return context.unsupported_tensor(*input, "extent {} on dimension {} into {} outputs", split.extent, axis,
                                      outputs);
  }
  std::vector<std::int32_t> shape = input->shape;
  const std::int64_t share = split.extent / static_cast<std::int64_t>(outputs);
  if (split_op) {
    shape[static_cast<std::size_t>(axis)] = static_cast<std::int32_t>(share);
  } else {
    shape.erase(shape.begin() + axis);
  }
  for (std::size_t i = 0; i < outputs; ++i) {
    ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* output, context.output(i));
    ZYNPU_TRY(context.expect_type(*output, {input->type}));
    ZYNPU_TRY(context.expect_shape(*output, shape));
  }
  const std::size_t run = static_cast<std::size_t>(share * split.inner) * ir::size_of(input->type);
  return std::make_unique<Divide>(context, context.input_index(position), run, split.outer);
}

// SHAPE: shapes are static, so the result is known beforehand.
class Shape : public PreparedOp {
 public:
  Shape(const OpContext& context, const ir::Tensor& input, const ir::Tensor& output)
      : output_(context.output_index(0)) {
    for (const std::int32_t extent : input.shape) {
      const std::int64_t wide = extent;
      const std::size_t size = ir::size_of(output.type);
      bytes_.resize(bytes_.size() + size);
      std::memcpy(bytes_.data() + bytes_.size() - size, &wide,
                  size);  // little-endian: the low half comes first
    }
  }

  Status run(const Memory& memory) override {
    std::memcpy(memory.out<std::uint8_t>(output_), bytes_.data(), bytes_.size());
    return {};
  }

 private:
  int output_;
  ir::Bytes bytes_;
};

Prepared prepare_shape(const OpContext& context) {
  ZYNPU_TRY(context.expect_input_count(1, 1));
  ZYNPU_TRY(context.expect_output_count(1));
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* input, context.input(0));
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* output, context.output(0));
  ZYNPU_TRY(context.expect_type(*output, {ir::DataType::kInt32, ir::DataType::kInt64}));
  const std::int32_t shape[1] = {static_cast<std::int32_t>(input->shape.size())};
  ZYNPU_TRY(context.expect_shape(*output, shape));
  return std::make_unique<Shape>(context, *input, *output);
}

}  // namespace

Prepared prepare_data_movement(const OpContext& context) {
  switch (context.op().kind) {
    case ir::OpKind::kReshape:
    case ir::OpKind::kSqueeze:
    case ir::OpKind::kExpandDims:
      return prepare_copy(context);
    case ir::OpKind::kTranspose:
      return prepare_transpose(context);
    case ir::OpKind::kStridedSlice:
      return prepare_strided_slice(context);
    case ir::OpKind::kPad:
      return prepare_pad(context);
    case ir::OpKind::kConcatenation:
      return prepare_concatenation(context);
    case ir::OpKind::kPack:
      return prepare_pack(context);
    case ir::OpKind::kSplit:
    case ir::OpKind::kUnpack:
      return prepare_divide(context);
    case ir::OpKind::kShape:
      return prepare_shape(context);
    default:
      return context.unsupported("it does not only move data");
  }
}

}  // namespace zynpu::reference
