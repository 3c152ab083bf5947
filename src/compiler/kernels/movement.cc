// SPDX-License-Identifier: MIT
#include "compiler/kernels/movement.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "reference/operators.h"

namespace zynpu::compiler {
namespace {

using Shape = std::vector<std::int32_t>;

std::uint32_t element_bytes(const ir::Tensor& tensor) {
  return static_cast<std::uint32_t>(ir::size_of(tensor.type));
}

// Byte stride of every dimension of a dense tensor.
std::vector<std::uint32_t> strides_of(const ir::Tensor& tensor) {
  std::vector<std::uint32_t> strides(tensor.shape.size());
  std::uint32_t stride = element_bytes(tensor);
  for (std::size_t i = tensor.shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= static_cast<std::uint32_t>(tensor.shape[i]);
  }
  return strides;
}

std::vector<std::int64_t> integers_of(const ir::Tensor& tensor) {
  std::vector<std::int64_t> values(static_cast<std::size_t>(tensor.elements()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (tensor.type == ir::DataType::kInt64) {
      std::memcpy(&values[i], tensor.data->data() + 8 * i, 8);
    } else {
      std::int32_t word = 0;
      std::memcpy(&word, tensor.data->data() + 4 * i, 4);
      values[i] = word;
    }
  }
  return values;
}

void add_element(Movement& movement, const ir::Tensor& tensor) {
  movement.dimensions.push_back({element_bytes(tensor), 1, 1});
}

// A box of `extents`, at byte offsets, between two dense tensors whose dimensions correspond.
Movement box(const ir::Graph& graph, int source, int target, const Shape& extents) {
  Movement movement{source, target, 0, 0, {}};
  const auto from = strides_of(graph.tensors[source]), to = strides_of(graph.tensors[target]);
  for (std::size_t i = 0; i < extents.size(); ++i)
    movement.dimensions.push_back({static_cast<std::uint32_t>(extents[i]), from[i], to[i]});
  add_element(movement, graph.tensors[target]);
  return movement;
}

int positive_axis(int axis, std::size_t rank) { return axis < 0 ? axis + static_cast<int>(rank) : axis; }

std::vector<Movement> concatenation(const ir::Graph& graph, const ir::Op& op) {
  const ir::Tensor& output = graph.tensors[op.outputs[0]];
  const auto& attributes = std::get<ir::ConcatenationAttributes>(op.attributes);
  const auto axis = static_cast<std::size_t>(positive_axis(attributes.axis, output.shape.size()));
  std::vector<Movement> all;
  std::uint32_t at = 0;
  for (const int input : op.inputs) {
    const Shape& shape = graph.tensors[input].shape;
    Movement movement = box(graph, input, op.outputs[0], shape);
    movement.target_offset = at;
    at += static_cast<std::uint32_t>(shape[axis]) * strides_of(output)[axis];
    all.push_back(std::move(movement));
  }
  return all;
}

std::vector<Movement> pack(const ir::Graph& graph, const ir::Op& op) {
  const ir::Tensor& output = graph.tensors[op.outputs[0]];
  const auto axis = static_cast<std::size_t>(
      positive_axis(std::get<ir::PackAttributes>(op.attributes).axis, output.shape.size()));
  auto to = strides_of(output);
  const std::uint32_t step = to[axis];
  to.erase(to.begin() + static_cast<std::ptrdiff_t>(axis));
  std::vector<Movement> all;
  for (std::size_t n = 0; n < op.inputs.size(); ++n) {
    const ir::Tensor& input = graph.tensors[op.inputs[n]];
    const auto from = strides_of(input);
    Movement movement{op.inputs[n], op.outputs[0], 0, static_cast<std::uint32_t>(n) * step, {}};
    for (std::size_t i = 0; i < input.shape.size(); ++i)
      movement.dimensions.push_back({static_cast<std::uint32_t>(input.shape[i]), from[i], to[i]});
    add_element(movement, output);
    all.push_back(std::move(movement));
  }
  return all;
}

std::vector<Movement> unpack(const ir::Graph& graph, const ir::Op& op) {
  const ir::Tensor& input = graph.tensors[op.inputs[0]];
  const auto axis = static_cast<std::size_t>(
      positive_axis(std::get<ir::PackAttributes>(op.attributes).axis, input.shape.size()));
  auto from = strides_of(input);
  const std::uint32_t step = from[axis];
  from.erase(from.begin() + static_cast<std::ptrdiff_t>(axis));
  std::vector<Movement> all;
  for (std::size_t n = 0; n < op.outputs.size(); ++n) {
    const ir::Tensor& output = graph.tensors[op.outputs[n]];
    const auto to = strides_of(output);
    Movement movement{op.inputs[0], op.outputs[n], static_cast<std::uint32_t>(n) * step, 0, {}};
    for (std::size_t i = 0; i < output.shape.size(); ++i)
      movement.dimensions.push_back({static_cast<std::uint32_t>(output.shape[i]), from[i], to[i]});
    add_element(movement, output);
    all.push_back(std::move(movement));
  }
  return all;
}

std::vector<Movement> split(const ir::Graph& graph, const ir::Op& op) {
  const ir::Tensor& input = graph.tensors[op.inputs[1]];
  const auto axis = static_cast<std::size_t>(
      positive_axis(static_cast<int>(integers_of(graph.tensors[op.inputs[0]])[0]), input.shape.size()));
  std::vector<Movement> all;
  std::uint32_t at = 0;
  for (const int output : op.outputs) {
    const Shape& shape = graph.tensors[output].shape;
    Movement movement = box(graph, op.inputs[1], output, shape);
    movement.source_offset = at;
    at += static_cast<std::uint32_t>(shape[axis]) * strides_of(input)[axis];
    all.push_back(std::move(movement));
  }
  return all;
}

std::vector<Movement> transpose(const ir::Graph& graph, const ir::Op& op) {
  const ir::Tensor &input = graph.tensors[op.inputs[0]], &output = graph.tensors[op.outputs[0]];
  const auto order = integers_of(graph.tensors[op.inputs[1]]);
  const auto from = strides_of(input), to = strides_of(output);
  Movement movement{op.inputs[0], op.outputs[0], 0, 0, {}};
  for (std::size_t i = 0; i < output.shape.size(); ++i)
    movement.dimensions.push_back(
        {static_cast<std::uint32_t>(output.shape[i]), from[static_cast<std::size_t>(order[i])], to[i]});
  add_element(movement, output);
  return {movement};
}

// The inner box, then two slabs of fill per padded dimension: before and after, over all of the later
// dimensions and over the inner part of the earlier ones.
std::vector<Movement> pad(const ir::Graph& graph, const ir::Op& op) {
  const ir::Tensor &input = graph.tensors[op.inputs[0]], &output = graph.tensors[op.outputs[0]];
  const auto paddings = integers_of(graph.tensors[op.inputs[1]]);
  const auto to = strides_of(output);
  Movement inner = box(graph, op.inputs[0], op.outputs[0], input.shape);
  std::vector<Movement> all;
  std::uint32_t inner_offset = 0;
  for (std::size_t i = 0; i < input.shape.size(); ++i) {
    const auto before = static_cast<std::int32_t>(paddings[2 * i]),
               after = static_cast<std::int32_t>(paddings[2 * i + 1]);
    for (const auto& [first, extent] : {std::pair{0, before}, std::pair{before + input.shape[i], after}}) {
      if (extent == 0) continue;
      Shape slab = output.shape;
      for (std::size_t k = 0; k < i; ++k) slab[k] = input.shape[k];
      slab[i] = extent;
      Movement fill = box(graph, op.outputs[0], op.outputs[0], slab);
      fill.source = -1;
      fill.target_offset = inner_offset + static_cast<std::uint32_t>(first) * to[i];
      all.push_back(std::move(fill));
    }
    inner_offset += static_cast<std::uint32_t>(before) * to[i];
  }
  inner.target_offset = inner_offset;
  all.push_back(std::move(inner));
  return all;
}

// TFLite's masks and clamping; a shrunk axis takes one element.
Result<std::vector<Movement>> strided_slice(const ir::Graph& graph, const ir::Op& op, int index) {
  const ir::Tensor &input = graph.tensors[op.inputs[0]], &output = graph.tensors[op.outputs[0]];
  const auto& a = std::get<ir::StridedSliceAttributes>(op.attributes);
  if (a.ellipsis_mask != 0 || a.new_axis_mask != 0)
    return fail(ErrorCode::kUnsupported, "STRIDED_SLICE #{}: ellipsis and new-axis masks are not mapped",
                index);
  const auto begin = integers_of(graph.tensors[op.inputs[1]]), end = integers_of(graph.tensors[op.inputs[2]]),
             step = integers_of(graph.tensors[op.inputs[3]]);
  const auto from = strides_of(input);
  Movement movement{op.inputs[0], op.outputs[0], 0, 0, {}};
  std::vector<std::uint32_t> extents;
  for (std::size_t i = 0; i < input.shape.size(); ++i) {
    const std::int64_t extent = input.shape[i];
    if (i < step.size() && step[i] < 0)
      return fail(ErrorCode::kUnsupported, "STRIDED_SLICE #{}: negative stride {} in dimension {}", index,
                  step[i], i);
    const std::int64_t stride = i < step.size() ? step[i] : 1;
    const auto wrap = [&](std::int64_t v) {
      return std::clamp<std::int64_t>(v < 0 ? v + extent : v, 0, extent);
    };
    std::int64_t first = i < begin.size() && (a.begin_mask >> i & 1) == 0 ? wrap(begin[i]) : 0;
    std::int64_t last = i < end.size() && (a.end_mask >> i & 1) == 0 ? wrap(end[i]) : extent;
    if ((a.shrink_axis_mask >> i & 1) != 0) last = first + 1;
    movement.source_offset += static_cast<std::uint32_t>(first) * from[i];
    const auto count =
        static_cast<std::uint32_t>(std::max<std::int64_t>(0, (last - first + stride - 1) / stride));
    movement.dimensions.push_back({count, static_cast<std::uint32_t>(stride) * from[i], 0});
  }
  std::uint32_t to = element_bytes(output);
  for (std::size_t i = movement.dimensions.size(); i-- > 0;) {
    movement.dimensions[i].target_stride = to;
    to *= movement.dimensions[i].extent;
  }
  if (to != static_cast<std::uint32_t>(output.bytes()))
    return fail(ErrorCode::kUnsupported, "STRIDED_SLICE #{}: the slice has {} bytes, output `{}` has {}",
                index, to, output.name, output.bytes());
  add_element(movement, output);
  return std::vector<Movement>{std::move(movement)};
}

// Each input pixel becomes a block of scale_h x scale_w equal pixels; other mappings are refused.
Result<std::vector<Movement>> resize_nearest(const ir::Graph& graph, const ir::Op& op, int index) {
  const ir::Tensor &input = graph.tensors[op.inputs[0]], &output = graph.tensors[op.outputs[0]];
  const auto& attributes = std::get<ir::ResizeAttributes>(op.attributes);
  const auto from = strides_of(input), to = strides_of(output);
  std::uint32_t scale[2] = {1, 1};
  for (const std::size_t axis : {1U, 2U}) {
    const int in = input.shape[axis], out = output.shape[axis];
    if (out % in != 0)
      return fail(ErrorCode::kUnsupported,
                  "RESIZE_NEAREST_NEIGHBOR #{}: {} is not a multiple of {} in dimension {}", index, out, in,
                  axis);
    scale[axis - 1] = static_cast<std::uint32_t>(out / in);
    for (int i = 0; i < out; ++i)
      if (reference::nearest_source(i, in, out, attributes) != i / (out / in))
        return fail(ErrorCode::kUnsupported, "RESIZE_NEAREST_NEIGHBOR #{}: uneven mapping in dimension {}",
                    index, axis);
  }
  std::vector<Movement> all;
  for (std::uint32_t y = 0; y < scale[0]; ++y)
    for (std::uint32_t x = 0; x < scale[1]; ++x) {
      Movement movement{op.inputs[0], op.outputs[0], 0, y * to[1] + x * to[2], {}};
      movement.dimensions = {{static_cast<std::uint32_t>(input.shape[0]), from[0], to[0]},
                             {static_cast<std::uint32_t>(input.shape[1]), from[1], scale[0] * to[1]},
                             {static_cast<std::uint32_t>(input.shape[2]), from[2], scale[1] * to[2]},
                             {static_cast<std::uint32_t>(input.shape[3]), from[3], to[3]}};
      add_element(movement, output);
      all.push_back(std::move(movement));
    }
  return all;
}

}  // namespace

Result<std::vector<Movement>> movements_of(const ir::Graph& graph, int index) {
  const ir::Op& op = graph.ops[index];
  switch (op.kind) {
    case ir::OpKind::kConcatenation:
      return concatenation(graph, op);
    case ir::OpKind::kPad:
      return pad(graph, op);
    case ir::OpKind::kPack:
      return pack(graph, op);
    case ir::OpKind::kUnpack:
      return unpack(graph, op);
    case ir::OpKind::kSplit:
      return split(graph, op);
    case ir::OpKind::kStridedSlice:
      return strided_slice(graph, op, index);
    case ir::OpKind::kTranspose:
      return transpose(graph, op);
    case ir::OpKind::kResizeNearestNeighbor:
      return resize_nearest(graph, op, index);
    default:
      return fail(ErrorCode::kInternal, "{} #{} does not only move bytes", ir::to_string(op.kind), index);
  }
}

Movement simplified(Movement movement) {
  std::vector<Movement::Dimension> kept;
  for (const Movement::Dimension& d : movement.dimensions) {
    if (d.extent == 1) continue;
    if (!kept.empty()) {
      Movement::Dimension& outer = kept.back();
      if (outer.source_stride == d.extent * d.source_stride &&
          outer.target_stride == d.extent * d.target_stride) {
        outer = {outer.extent * d.extent, d.source_stride, d.target_stride};
        continue;
      }
    }
    kept.push_back(d);
  }
  // The innermost dimension is always a run of contiguous bytes.
  if (kept.empty() || kept.back().source_stride != 1 || kept.back().target_stride != 1)
    kept.push_back({1, 1, 1});
  movement.dimensions = std::move(kept);
  return movement;
}

}  // namespace zynpu::compiler
