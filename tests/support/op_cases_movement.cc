// SPDX-License-Identifier: MIT
// Op cases that move elements, and resizing.
#include <algorithm>

#include "support/case_builder.h"

namespace zynpu::test {
namespace {

using ir::DataType;
using ir::OpKind;

bool is_quantized(DataType type) { return type == DataType::kInt8 || type == DataType::kUint8; }

Shape random_shape(CaseBuilder& b, int least_rank, int most_rank) {
  const int rank = b.random.between(least_rank, most_rank);
  Shape shape;
  for (int d = 0; d < rank; ++d) {
    shape.push_back(d + 1 == rank         ? b.channels()
                    : d == 0 && rank == 4 ? b.random.pick({1, 1, 1, 2})
                                          : b.random.pick({1, 2, 3, 5, 7, 8, 12, 17}));
  }
  return shape;
}

// An input or output with one quantisation for all, or none for types that have none.
struct Plain {
  CaseBuilder& b;
  float scale = 0;
  std::int32_t zero = 0;
  explicit Plain(CaseBuilder& builder)
      : b(builder), scale(builder.scale()), zero(is_quantized(builder.type) ? builder.zero_point() : 0) {}

  int input(Shape shape) const {
    if (is_quantized(b.type)) return b.input(std::move(shape), {scale, zero});
    const int index = b.add("input" + std::to_string(b.c.graph.inputs.size()), b.type, std::move(shape));
    b.use_as_input(index);
    return index;
  }
  int output(Shape shape) const {
    if (is_quantized(b.type)) return b.output(std::move(shape), {scale, zero});
    const int index = b.add("output" + std::to_string(b.c.graph.outputs.size()), b.type, std::move(shape));
    b.use_as_output(index);
    return index;
  }
};

std::string text_of_list(const std::string& what, const std::vector<std::int32_t>& values) {
  std::string text = " " + what;
  for (const std::int32_t value : values) text += " " + std::to_string(value);
  return text;
}

void describe_ends(CaseBuilder& b, const std::string& middle) {
  b.describe(text_of(b.tensor(b.c.graph.inputs[0])) + middle + " -> " +
             text_of(b.tensor(b.c.graph.outputs[0])));
}

}  // namespace

void make_resize(CaseBuilder& b) {
  Random& random = b.random;
  ir::ResizeAttributes a;
  const int mode = random.between(0, 3);
  a.align_corners = mode == 1;
  a.half_pixel_centers = mode >= 2;
  b.op().attributes = a;
  const Plain plain(b);
  const int h = b.extent(), w = b.extent(), channels = b.channels();
  const auto other = [&](int extent) {
    return random.chance(50) ? extent * random.pick({1, 2, 2, 3, 4})
                             : random.pick({1, 2, 3, 5, 8, 10, 13, 16, 21, 32});
  };
  const int out_h = std::min(other(h), 66), out_w = std::min(other(w), 66);
  const int batches = random.chance(10) ? 2 : 1;
  plain.input({batches, h, w, channels});
  b.integers("size", {out_h, out_w});
  plain.output({batches, out_h, out_w, channels});
  describe_ends(b, a.align_corners ? " align-corners" : a.half_pixel_centers ? " half-pixel" : "");
}

void make_pad(CaseBuilder& b) {
  const Plain plain(b);
  const Shape shape = random_shape(b, 1, 4);
  std::vector<std::int32_t> pads;
  Shape grown = shape;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const bool here = shape.size() < 4 || d == 1 || d == 2 || b.random.chance(25);
    pads.push_back(here ? b.random.between(0, 4) : 0);
    pads.push_back(here ? b.random.between(0, 4) : 0);
    grown[d] += pads[2 * d] + pads[2 * d + 1];
  }
  plain.input(shape);
  const int index = b.add("paddings", DataType::kInt32, {static_cast<std::int32_t>(shape.size()), 2});
  b.fill(index, pads);
  b.op().inputs.push_back(index);
  plain.output(grown);
  describe_ends(b, text_of_list("pads", pads));
}

void make_concatenation(CaseBuilder& b) {
  Random& random = b.random;
  const Plain plain(b);
  const Shape shape = random_shape(b, 1, 4);
  const int rank = static_cast<int>(shape.size()), axis = random.between(0, rank - 1),
            count = random.pick({1, 2, 2, 3, 4, 5});
  ir::ConcatenationAttributes a;
  a.axis = random.chance(30) ? axis - rank : axis;
  b.op().attributes = a;
  Shape joined = shape;
  joined[static_cast<std::size_t>(axis)] = 0;
  std::string parts;
  for (int i = 0; i < count; ++i) {
    Shape part = shape;
    part[static_cast<std::size_t>(axis)] = axis == rank - 1 ? b.channels() : random.between(1, 9);
    joined[static_cast<std::size_t>(axis)] += part[static_cast<std::size_t>(axis)];
    parts += (i == 0 ? " of " : ",") + std::to_string(part[static_cast<std::size_t>(axis)]);
    const int index = plain.input(part);
    if (b.type == DataType::kUint8 && random.chance(60)) {  // the only type that rescales
      b.tensor(index).quant.scale = {b.scale()};
      b.tensor(index).quant.zero_point = {b.zero_point()};
    }
  }
  plain.output(joined);
  describe_ends(b, " axis " + std::to_string(a.axis) + parts);
}

void make_transpose(CaseBuilder& b) {
  Random& random = b.random;
  const Plain plain(b);
  const Shape shape = random_shape(b, 2, 4);
  std::vector<std::int32_t> order(shape.size());
  for (std::size_t d = 0; d < order.size(); ++d) order[d] = static_cast<std::int32_t>(d);
  for (std::size_t d = order.size() - 1; d > 0; --d) {
    std::swap(order[d], order[static_cast<std::size_t>(random.between(0, static_cast<int>(d)))]);
  }
  Shape turned;
  for (const std::int32_t from : order) turned.push_back(shape[static_cast<std::size_t>(from)]);
  plain.input(shape);
  b.integers("order", order);
  plain.output(turned);
  describe_ends(b, text_of_list("order", order));
}

void make_split(CaseBuilder& b) {
  Random& random = b.random;
  const Plain plain(b);
  Shape shape = random_shape(b, 1, 4);
  const int rank = static_cast<int>(shape.size()), axis = random.between(0, rank - 1),
            count = random.pick({1, 2, 2, 3, 4});
  Shape part = shape;
  part[static_cast<std::size_t>(axis)] = std::min(part[static_cast<std::size_t>(axis)], 17);
  shape[static_cast<std::size_t>(axis)] = part[static_cast<std::size_t>(axis)] * count;
  ir::SplitAttributes a;
  a.num_splits = count;
  b.op().attributes = a;
  b.integers("axis", {random.chance(30) ? axis - rank : axis}, true);
  plain.input(shape);
  for (int i = 0; i < count; ++i) plain.output(part);
  describe_ends(b, " axis " + std::to_string(axis) + " into " + std::to_string(count));
}

void make_strided_slice(CaseBuilder& b) {
  Random& random = b.random;
  const Plain plain(b);
  const Shape shape = random_shape(b, 1, 4);
  ir::StridedSliceAttributes a;
  std::vector<std::int32_t> begin, end, strides;
  Shape sliced;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const int extent = shape[d];
    int stride = random.pick({1, 1, 1, 2, 3, -1, -2});
    int first = random.between(0, extent - 1), count = 0, last = 0;
    if (random.chance(15) && shape.size() > 1) {  // one index, dimension dropped
      a.shrink_axis_mask |= 1 << d;
      begin.push_back(random.chance(50) ? first - extent : first);
      end.push_back(first + 1);
      strides.push_back(1);
      continue;
    }
    const bool from_end = random.chance(25), to_end = random.chance(25);
    if (from_end) first = stride > 0 ? 0 : extent - 1;
    const int available = stride > 0 ? (extent - 1 - first) / stride + 1 : first / -stride + 1;
    count = to_end ? available : random.between(1, available);
    last = first + count * stride;  // exclusive; may pass the edge
    if (from_end) a.begin_mask |= 1 << d;
    if (to_end) a.end_mask |= 1 << d;
    // Before the first element only the mask can say; a negative index would count from the back.
    if (last < 0 && !to_end) {
      a.end_mask |= 1 << d;
      count = available;
    }
    begin.push_back(random.chance(30) && first > 0 ? first - extent : first);
    end.push_back(std::max(last, 0));
    strides.push_back(stride);
    sliced.push_back(count);
  }
  b.op().attributes = a;
  plain.input(shape);
  b.integers("begin", begin);
  b.integers("end", end);
  b.integers("strides", strides);
  plain.output(sliced);
  describe_ends(b, text_of_list("begin", begin) + text_of_list("end", end) +
                       text_of_list("strides", strides) + " masks " + std::to_string(a.begin_mask) + "," +
                       std::to_string(a.end_mask) + "," + std::to_string(a.shrink_axis_mask));
}

// RESHAPE, SQUEEZE, EXPAND_DIMS.
void make_reshape(CaseBuilder& b) {
  Random& random = b.random;
  const Plain plain(b);
  Shape from = random_shape(b, 1, 3), to = from;
  const auto at = static_cast<std::size_t>(random.between(0, static_cast<int>(from.size())));
  switch (b.op().kind) {
    case OpKind::kSqueeze: {
      from.insert(from.begin() + static_cast<std::ptrdiff_t>(at), 1);
      ir::SqueezeAttributes a;
      a.dims = {static_cast<int>(at)};
      b.op().attributes = a;
      plain.input(from);
      break;
    }
    case OpKind::kExpandDims:
      to.insert(to.begin() + static_cast<std::ptrdiff_t>(at), 1);
      plain.input(from);
      b.integers("axis", {static_cast<std::int32_t>(at)}, true);
      break;
    default: {
      to = {1};
      for (const std::int32_t extent : from) to.back() *= extent;
      if (random.chance(50)) to.insert(to.begin(), 1);
      plain.input(from);
      b.integers("shape", to);
      break;
    }
  }
  plain.output(to);
  describe_ends(b, "");
}

// PACK and UNPACK.
void make_pack(CaseBuilder& b) {
  Random& random = b.random;
  const Plain plain(b);
  const Shape part = random_shape(b, 1, 3);
  const int rank = static_cast<int>(part.size()), axis = random.between(0, rank);
  ir::PackAttributes a;
  a.count = random.pick({1, 2, 3, 5});
  a.axis = random.chance(30) ? axis - rank - 1 : axis;
  b.op().attributes = a;
  Shape whole = part;
  whole.insert(whole.begin() + axis, a.count);
  const bool pack = b.op().kind == OpKind::kPack;
  if (!pack) plain.input(whole);
  for (int i = 0; i < a.count; ++i) {
    if (pack) {
      plain.input(part);
    } else {
      plain.output(part);
    }
  }
  if (pack) plain.output(whole);
  describe_ends(b, " axis " + std::to_string(a.axis) + " count " + std::to_string(a.count));
}

void make_shape(CaseBuilder& b) {
  const Plain plain(b);
  const Shape shape = random_shape(b, 1, 4);
  plain.input(shape);
  b.use_as_output(b.add("output0", b.random.chance(50) ? DataType::kInt32 : DataType::kInt64,
                        {static_cast<std::int32_t>(shape.size())}));
  describe_ends(b, "");
}

}  // namespace zynpu::test
