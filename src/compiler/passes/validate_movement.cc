// SPDX-License-Identifier: MIT
// Operators that move elements.
#include <algorithm>
#include <limits>

#include "compiler/passes/op_rules.h"
#include "compiler/passes/validate.h"

namespace zynpu::compiler {
namespace {

using T = ir::DataType;
using Shape = std::vector<std::int32_t>;

}  // namespace

Status OpRules::pad() const {
  if (in(0).type == T::kResource) return unsupported("input 0, {}, is a resource", in_name(0));
  ZYNPU_TRY(input_type(1, {T::kInt32, T::kInt64}));
  ZYNPU_TRY(output_type({in(0).type}));
  ZYNPU_TRY(quantised(1));
  const auto pads = ints(1);
  if (!pads) return {};
  if (in(1).shape != Shape{static_cast<std::int32_t>(in(0).shape.size()), 2})
    return bad("paddings {} have shape {}, input {} has shape {}", in_name(1), describe_shape(in(1).shape),
               in_name(0), describe_shape(in(0).shape));
  Shape wanted;
  for (std::size_t i = 0; i < in(0).shape.size(); ++i) {
    const std::int64_t before = (*pads)[2 * i], after = (*pads)[2 * i + 1];
    constexpr std::int64_t kLimit = std::numeric_limits<std::int32_t>::max();
    if (before < 0 || after < 0 || before > kLimit || after > kLimit ||
        before + after + in(0).shape[i] > kLimit)
      return bad("paddings of {} and {} in dimension {}", before, after, i);
    wanted.push_back(static_cast<std::int32_t>(before + after + in(0).shape[i]));
  }
  return output_shape(wanted);
}

Status OpRules::reshape() const {
  if (in(0).type == T::kResource) return unsupported("input 0, {}, is a resource", in_name(0));
  ZYNPU_TRY(input_type(1, {T::kInt32}));
  ZYNPU_TRY(output_type({in(0).type}));
  if (in(0).elements() != out().elements())
    return bad("input {} has {} elements, output {} has {}", in_name(0), in(0).elements(), out_name(),
               out().elements());
  const auto wanted = ints(1);
  if (!wanted) return {};
  bool same = wanted->size() == out().shape.size();
  for (std::size_t i = 0; same && i < wanted->size(); ++i)
    same = (*wanted)[i] == out().shape[i] || (*wanted)[i] == -1;
  // A single 0 is how old converters write a scalar.
  if (!same && !(out().shape.empty() && wanted->size() == 1 && (*wanted)[0] == 0))
    return bad("shape {} does not ask for {}, the shape of output {}", in_name(1),
               describe_shape(out().shape), out_name());
  return {};
}

Status OpRules::concatenation() const {
  if (in(0).type == T::kResource) return unsupported("input 0, {}, is a resource", in_name(0));
  ZYNPU_TRY(same_type());
  ZYNPU_TRY(quantised(op_.inputs.size()));
  Shape wanted = in(0).shape;
  ZYNPU_ASSIGN_OR_RETURN(const int at, axis(attributes<ir::ConcatenationAttributes>().axis, wanted.size()));
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < op_.inputs.size(); ++i) {
    Shape other = in(i).shape;
    bool fits = other.size() == wanted.size();
    if (fits) {
      sum += other[static_cast<std::size_t>(at)];
      other[static_cast<std::size_t>(at)] = wanted[static_cast<std::size_t>(at)];
      fits = other == wanted;
    }
    if (!fits)
      return bad("input {}, {}, has shape {}, which does not fit {} along dimension {}", i, in_name(i),
                 describe_shape(in(i).shape), describe_shape(wanted), at);
  }
  if (sum > std::numeric_limits<std::int32_t>::max())
    return bad("the inputs add up to {} in dimension {}", sum, at);
  wanted[static_cast<std::size_t>(at)] = static_cast<std::int32_t>(sum);
  return output_shape(wanted);
}

Status OpRules::transpose() const {
  if (in(0).type == T::kResource) return unsupported("input 0, {}, is a resource", in_name(0));
  ZYNPU_TRY(input_type(1, {T::kInt32}));
  ZYNPU_TRY(output_type({in(0).type}));
  const auto order = ints(1);
  if (!order) return {};
  const std::size_t dimensions = in(0).shape.size();
  if (order->size() != dimensions)
    return bad("permutation {} has {} entries, the input has {} dimensions", in_name(1), order->size(),
               dimensions);
  std::vector<bool> used(dimensions);
  Shape wanted;
  for (const std::int64_t value : *order) {
    ZYNPU_ASSIGN_OR_RETURN(const int from, axis(value, dimensions));
    if (used[static_cast<std::size_t>(from)])
      return bad("permutation {} names dimension {} twice", in_name(1), from);
    used[static_cast<std::size_t>(from)] = true;
    wanted.push_back(in(0).shape[static_cast<std::size_t>(from)]);
  }
  return output_shape(wanted);
}

Status OpRules::split() const {
  ZYNPU_TRY(input_type(0, {T::kInt32}));
  if (in(1).type == T::kResource) return unsupported("input 1, {}, is a resource", in_name(1));
  ZYNPU_TRY(output_type({in(1).type}));
  const auto parts = static_cast<std::int64_t>(op_.outputs.size());
  if (attributes<ir::SplitAttributes>().num_splits != parts)
    return bad("num_splits is {}, there are {} outputs", attributes<ir::SplitAttributes>().num_splits, parts);
  const auto where = ints(0);
  if (!where) return {};
  if (where->size() != 1) return bad("axis {} has {} elements", in_name(0), where->size());
  Shape wanted = in(1).shape;
  ZYNPU_ASSIGN_OR_RETURN(const int at, axis((*where)[0], wanted.size()));
  std::int32_t& extent = wanted[static_cast<std::size_t>(at)];
  if (extent % parts != 0)
    return bad("dimension {} has extent {}, which {} does not divide", at, extent, parts);
  extent = static_cast<std::int32_t>(extent / parts);
  for (std::size_t i = 0; i < op_.outputs.size(); ++i) ZYNPU_TRY(output_shape(wanted, i));
  return {};
}

Status OpRules::strided_slice() const {
  if (in(0).type == T::kResource) return unsupported("input 0, {}, is a resource", in_name(0));
  for (std::size_t i = 1; i < 4; ++i) ZYNPU_TRY(input_type(i, {T::kInt32, T::kInt64}));
  ZYNPU_TRY(output_type({in(0).type}));
  const auto begin = ints(1), end = ints(2), strides = ints(3);
  if (!begin || !end || !strides) return {};
  auto wanted =
      strided_slice_shape(in(0).shape, *begin, *end, *strides, attributes<ir::StridedSliceAttributes>());
  if (!wanted) return error(wanted.error().code, wanted.error().message);
  return output_shape(*wanted);
}

Status OpRules::squeeze() const {
  ZYNPU_TRY(same_type());
  std::vector<bool> gone(in(0).shape.size());
  const auto& dims = attributes<ir::SqueezeAttributes>().dims;
  for (const int value : dims) {
    ZYNPU_ASSIGN_OR_RETURN(const int at, axis(value, gone.size()));
    if (in(0).shape[static_cast<std::size_t>(at)] != 1)
      return bad("squeeze_dims names dimension {} of {}", at, describe_shape(in(0).shape));
    gone[static_cast<std::size_t>(at)] = true;
  }
  Shape wanted;
  for (std::size_t i = 0; i < gone.size(); ++i)
    if (dims.empty() ? in(0).shape[i] != 1 : !gone[i]) wanted.push_back(in(0).shape[i]);
  return output_shape(wanted);
}

Status OpRules::expand_dims() const {
  ZYNPU_TRY(input_type(1, {T::kInt32, T::kInt64}));
  ZYNPU_TRY(output_type({in(0).type}));
  if (in(0).elements() != out().elements())
    return bad("input {} has {} elements, output {} has {}", in_name(0), in(0).elements(), out_name(),
               out().elements());
  const auto where = ints(1);
  if (!where) return {};
  if (where->size() != 1) return bad("axis {} has {} elements", in_name(1), where->size());
  Shape wanted = in(0).shape;
  ZYNPU_ASSIGN_OR_RETURN(const int at, axis((*where)[0], wanted.size() + 1));
  wanted.insert(wanted.begin() + at, 1);
  return output_shape(wanted);
}

Status OpRules::shape() const {
  ZYNPU_TRY(output_type({T::kInt32, T::kInt64}));
  if (in(0).shape.empty()) return unsupported("input {} is a scalar, its shape is empty", in_name(0));
  return output_shape({static_cast<std::int32_t>(in(0).shape.size())});
}

Status OpRules::pack() const {
  if (in(0).type == T::kResource) return unsupported("input 0, {}, is a resource", in_name(0));
  ZYNPU_TRY(same_type());
  const auto& a = attributes<ir::PackAttributes>();
  const auto count = static_cast<std::int64_t>(op_.inputs.size());
  if (a.count != count) return bad("values_count is {}, there are {} inputs", a.count, count);
  Shape wanted = in(0).shape;
  for (std::size_t i = 1; i < op_.inputs.size(); ++i)
    if (in(i).shape != wanted)
      return bad("input {}, {}, has shape {}, input 0 has {}", i, in_name(i), describe_shape(in(i).shape),
                 describe_shape(wanted));
  ZYNPU_ASSIGN_OR_RETURN(const int at, axis(a.axis, wanted.size() + 1));
  wanted.insert(wanted.begin() + at, static_cast<std::int32_t>(count));
  return output_shape(wanted);
}

Status OpRules::unpack() const {
  if (in(0).type == T::kResource) return unsupported("input 0, {}, is a resource", in_name(0));
  ZYNPU_TRY(same_type());
  const auto& a = attributes<ir::PackAttributes>();
  const auto count = static_cast<std::int64_t>(op_.outputs.size());
  if (a.count != count) return bad("num is {}, there are {} outputs", a.count, count);
  Shape wanted = in(0).shape;
  ZYNPU_ASSIGN_OR_RETURN(const int at, axis(a.axis, wanted.size()));
  if (wanted[static_cast<std::size_t>(at)] != count)
    return bad("dimension {} has extent {}, there are {} outputs", at, wanted[static_cast<std::size_t>(at)],
               count);
  wanted.erase(wanted.begin() + at);
  for (std::size_t i = 0; i < op_.outputs.size(); ++i) ZYNPU_TRY(output_shape(wanted, i));
  return {};
}

Result<std::vector<std::int32_t>> strided_slice_shape(std::span<const std::int32_t> shape,
                                                      std::span<const std::int64_t> begin,
                                                      std::span<const std::int64_t> end,
                                                      std::span<const std::int64_t> strides,
                                                      const ir::StridedSliceAttributes& attributes) {
  const std::size_t entries = begin.size();
  if (end.size() != entries || strides.size() != entries || entries > 31)
    return fail(ErrorCode::kBadFile, "begin, end and strides have {}, {} and {} entries", entries, end.size(),
                strides.size());
  const auto bit = [](int mask, std::size_t i) { return (static_cast<unsigned>(mask) >> i & 1) != 0; };
  std::size_t consumed = 0;  // dimensions that entries take one by one
  for (std::size_t i = 0; i < entries; ++i)
    if (!bit(attributes.ellipsis_mask, i) && !bit(attributes.new_axis_mask, i)) ++consumed;
  if (consumed > shape.size())
    return fail(ErrorCode::kBadFile, "{} entries for the {} dimensions of {}", consumed, shape.size(),
                describe_shape(shape));
  std::vector<std::int32_t> out;
  std::size_t at = 0;
  bool ellipsis = false;
  for (std::size_t i = 0; i < entries; ++i) {
    if (bit(attributes.ellipsis_mask, i)) {
      if (ellipsis) return fail(ErrorCode::kBadFile, "ellipsis_mask has more than one bit");
      ellipsis = true;
      for (std::size_t rest = shape.size() - consumed; rest > 0; --rest) out.push_back(shape[at++]);
      continue;
    }
    if (bit(attributes.new_axis_mask, i)) {
      out.push_back(1);
      continue;
    }
    const std::int64_t extent = shape[at++], stride = strides[i];
    if (stride == 0 || stride < std::numeric_limits<std::int32_t>::min() ||
        stride > std::numeric_limits<std::int32_t>::max())
      return fail(ErrorCode::kBadFile, "strides[{}] is {}", i, stride);
    const bool shrink = bit(attributes.shrink_axis_mask, i);
    const std::int64_t low = stride > 0 ? 0 : -1, high = stride > 0 ? extent : extent - 1;
    const auto place = [&](std::int64_t value) {
      return std::clamp(value < -extent ? low : value < 0 ? value + extent : value, low, high);
    };
    if (shrink) {
      const std::int64_t index = begin[i] < 0 ? begin[i] + extent : begin[i];
      if (begin[i] < -extent || index >= extent || stride < 0)
        return fail(ErrorCode::kBadFile, "index {} in a dimension of extent {}", begin[i], extent);
      continue;
    }
    const std::int64_t from = bit(attributes.begin_mask, i) ? (stride > 0 ? 0 : extent - 1) : place(begin[i]);
    const std::int64_t to = bit(attributes.end_mask, i) ? (stride > 0 ? extent : -1) : place(end[i]);
    const std::int64_t span = stride > 0 ? to - from : from - to, pace = stride > 0 ? stride : -stride;
    out.push_back(static_cast<std::int32_t>(span <= 0 ? 0 : (span + pace - 1) / pace));
  }
  while (at < shape.size()) out.push_back(shape[at++]);
  return out;
}

}  // namespace zynpu::compiler
