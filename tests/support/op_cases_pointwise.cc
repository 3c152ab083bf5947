// SPDX-License-Identifier: MIT
// Op cases that compute on elements or reduce them.
#include <algorithm>

#include "support/case_builder.h"

namespace zynpu::test {
namespace {

using ir::DataType;
using ir::OpKind;

Shape any_shape(CaseBuilder& b) {
  switch (b.random.between(0, 4)) {
    case 0:
      return {1, b.channels()};
    case 1:
      return {b.extent(), b.channels()};
    case 2:
      return {1, b.extent(), b.channels()};
    default:
      return {b.random.chance(10) ? 2 : 1, b.extent(), b.extent(), b.channels()};
  }
}

}  // namespace

void make_arithmetic(CaseBuilder& b) {
  Random& random = b.random;
  ir::ArithmeticAttributes a;
  a.activation = b.activation();
  b.op().attributes = a;
  const Shape whole = any_shape(b);
  Shape operands[2] = {whole, whole};
  const int broadcast = random.between(0, 9);
  Shape& smaller = operands[random.between(0, 1)];
  if (broadcast == 0) smaller = {1};
  if (broadcast == 1) smaller = {whole.back()};
  if (broadcast == 2) smaller = {};
  if (broadcast == 3) std::fill(smaller.begin(), smaller.end() - 1, 1);
  if (broadcast == 4) smaller.back() = 1;
  if (broadcast == 5 && whole.size() > 2) {  // each operand repeats on another dimension
    operands[0][whole.size() - 2] = 1;
    operands[1].back() = 1;
  }
  const bool twice = broadcast == 9 && random.chance(30);  // the same tensor on both sides
  const int first = b.input(operands[0], {b.scale(), b.zero_point()});
  const bool constant = !twice && random.chance(20);
  int second = first;
  if (twice) {
    b.op().inputs.push_back(first);
  } else if (constant) {
    second = b.quantized("constant", operands[1], {b.scale(), b.zero_point()});
    std::vector<std::uint8_t> values(static_cast<std::size_t>(b.tensor(second).elements()));
    for (std::uint8_t& value : values) value = static_cast<std::uint8_t>(random.bits());
    b.fill(second, values);
    b.op().inputs.push_back(second);
  } else {
    const bool extreme = random.chance(15);  // scales far apart
    const float scale =
        extreme ? b.tensor(first).quant.scale[0] * random.pick({1e-4f, 0.01f, 100.0f}) : b.scale();
    second = b.input(operands[1], {scale, b.zero_point()});
  }
  const double s1 = b.tensor(first).quant.scale[0], s2 = b.tensor(second).quant.scale[0];
  double factor = random.pick({0.5, 1.0, 1.0, 2.0, 5.0});
  factor *= random.real(0.7, 1.4);
  const double natural = b.op().kind == OpKind::kMul ? s1 * s2 * 64 : std::max(s1, s2);
  b.output(whole, {static_cast<float>(natural * factor), b.zero_point()});
  b.describe(text_of(b.tensor(first)) + " , " + text_of(b.tensor(second)) + (constant ? " constant" : "") +
             " -> " + text_of(b.tensor(b.op().outputs[0])) + " " + text_of(a.activation));
}

void make_mean(CaseBuilder& b) {
  Random& random = b.random;
  ir::MeanAttributes a;
  a.keep_dims = random.chance(50);
  b.op().attributes = a;
  const Shape shape = random.chance(80)
                          ? Shape{random.chance(10) ? 2 : 1, b.extent(), b.extent(), b.channels()}
                          : Shape{b.extent(), b.channels()};
  std::vector<std::int32_t> axes;
  const int rank = static_cast<int>(shape.size());
  switch (rank == 2 ? random.between(2, 3) : random.between(0, 6)) {
    case 0:
    case 1:
      axes = {1, 2};
      break;
    case 2:
      axes = {rank - 1};
      break;
    case 3:
      axes = {-rank + 1};
      break;
    case 4:
      axes = {2, 1};
      break;
    case 5:
      axes = {1, 2, 3};
      break;
    default:
      axes = {1};
      break;
  }
  Shape reduced;
  for (int d = 0; d < rank; ++d) {
    const bool gone =
        std::any_of(axes.begin(), axes.end(), [&](int axis) { return (axis + rank) % rank == d; });
    if (!gone) reduced.push_back(shape[static_cast<std::size_t>(d)]);
    if (gone && a.keep_dims) reduced.push_back(1);
  }
  const float scale = b.scale();
  const std::int32_t zero = b.zero_point();
  const int input = b.input(shape, {scale, zero});
  b.integers("axes", axes);
  if (random.chance(30)) {
    b.output(reduced, {scale, zero});
  } else {
    b.output(reduced,
             {static_cast<float>(static_cast<double>(scale) * random.pick({0.01, 0.3, 0.9, 1.7, 30.0})),
              b.zero_point()});
  }
  std::string list;
  for (const int axis : axes) list += " " + std::to_string(axis);
  b.describe(text_of(b.tensor(input)) + " axes" + list + " -> " + text_of(b.tensor(b.op().outputs[0])));
}

void make_activation(CaseBuilder& b) {
  Random& random = b.random;
  const Shape shape = any_shape(b);
  const std::int32_t low = low_of(b.type);
  float scale = random.chance(70) ? static_cast<float>(random.real(0.005, 0.1)) : b.scale();
  if (random.chance(10)) scale = random.pick({1e-4f, 1.0f, 10.0f});
  const int input = b.input(shape, {scale, b.zero_point()});
  switch (b.op().kind) {
    case OpKind::kLogistic:
      b.output(shape, {1.0f / 256, low});
      break;
    case OpKind::kTanh:
      if (random.chance(70)) {
        b.output(shape, {1.0f / 128, low + 128});
      } else {
        b.output(shape, {static_cast<float>(random.real(0.004, 0.02)), b.zero_point()});
      }
      break;
    case OpKind::kHardSwish:
      // Not below a 128th of the input's, where the kernel stops.
      b.output(shape, {static_cast<float>(static_cast<double>(scale) *
                                          random.pick({0.02, 0.4, 0.9, 1.1, 40.0, 2000.0})),
                       b.zero_point()});
      break;
    default:
      b.output(
          shape,
          {random.chance(30) ? scale : static_cast<float>(static_cast<double>(scale) * random.real(0.2, 3)),
           b.zero_point()});
      break;
  }
  b.describe(text_of(b.tensor(input)) + " -> " + text_of(b.tensor(b.op().outputs[0])));
}

void make_softmax(CaseBuilder& b) {
  Random& random = b.random;
  ir::SoftmaxAttributes a;
  a.beta = random.chance(85) ? 1.0f : static_cast<float>(random.real(0.5, 4));
  b.op().attributes = a;
  Shape shape = any_shape(b);
  shape.back() = random.pick({1, 2, 3, 4, 7, 8, 10, 12, 16, 17, 31, 33, 64, 100, 257, 1000, 1001});
  if (shape.size() > 2) shape[shape.size() - 2] = std::min(shape[shape.size() - 2], 4);
  float scale = random.pick({0.001f, 0.01f, 0.05f, 0.1f, 0.2f, 0.5f, 1.0f, 3.0f});
  scale *= static_cast<float>(random.real(0.8, 1.3));
  if (shape.back() > 511) {
    // Exponentials that sum to 512 or more shift by more than 31 bits, where the kernel's result is
    // undefined.
    scale = std::max(scale, 0.1f);
    b.c.varied_inputs = true;
  }
  const int input = b.input(shape, {scale, b.zero_point()});
  b.output(shape, {1.0f / 256, low_of(b.type)});
  b.describe(text_of(b.tensor(input)) + " beta " + std::to_string(a.beta));
}

void make_quantize(CaseBuilder& b, DataType from, DataType to) {
  Random& random = b.random;
  const Shape shape = any_shape(b);
  const float scale = b.scale();
  if (from == DataType::kFloat32) {
    b.use_as_input(b.add("input0", from, shape));
  } else {
    b.type = from;
    b.input(shape, {scale, from == DataType::kInt16 ? 0 : b.zero_point()});
  }
  if (to == DataType::kFloat32) {
    b.use_as_output(b.add("output0", to, shape));
  } else {
    b.type = to;
    const std::int32_t zero_in =
        from == DataType::kFloat32 ? 0 : b.tensor(b.c.graph.inputs[0]).quant.zero_point[0];
    const bool shift_only =
        from != DataType::kFloat32 && random.chance(25);  // same scale, zero points 128 apart
    const double ratio = random.pick({0.01, 0.5, 0.97, 1.0, 1.03, 2.0, 50.0});
    b.output(shape, {shift_only ? scale : static_cast<float>(static_cast<double>(scale) * ratio),
                     shift_only ? zero_in + low_of(to) - low_of(from) : b.zero_point()});
  }
  b.describe(text_of(b.tensor(b.c.graph.inputs[0])) + " -> " + text_of(b.tensor(b.c.graph.outputs[0])));
}

}  // namespace zynpu::test
