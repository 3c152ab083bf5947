// SPDX-License-Identifier: MIT
// What the makers of op cases share: a fixed random sequence and small builders. Private to op_cases*.cc.
#pragma once

#include <array>
#include <cmath>
#include <cstring>
#include <initializer_list>
#include <memory>

#include "support/op_cases.h"

namespace zynpu::test {

// splitmix64: short, and defined to the bit, unlike the distributions of the standard library.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t bits() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  // In [low, high].
  int between(int low, int high) {
    return low + static_cast<int>(bits() % (static_cast<std::uint64_t>(high - low) + 1));
  }
  bool chance(int percent) { return between(0, 99) < percent; }
  template <class T>
  T pick(std::initializer_list<T> values) {
    return values.begin()[between(0, static_cast<int>(values.size()) - 1)];
  }
  // In [low, high), by exact arithmetic.
  double real(double low, double high) {
    return low + (high - low) * static_cast<double>(bits() >> 11) * std::ldexp(1.0, -53);
  }

 private:
  std::uint64_t state_;
};

using Shape = std::vector<std::int32_t>;

inline std::int32_t low_of(ir::DataType type) { return type == ir::DataType::kUint8 ? 0 : -128; }

// Scale and zero point. Written in braces wherever both are random, which fixes the order of evaluation;
// arguments of a call have none.
struct ScaleZero {
  float scale = 1;
  std::int32_t zero = 0;
};

struct CaseBuilder {
  OpCase& c;
  Random& random;
  ir::DataType type = ir::DataType::kInt8;  // of quantised activations

  ir::Op& op() { return c.graph.ops[0]; }
  ir::Tensor& tensor(int index) { return c.graph.tensors[static_cast<std::size_t>(index)]; }

  int add(std::string name, ir::DataType t, Shape shape) {
    ir::Tensor made;
    made.name = std::move(name);
    made.type = t;
    made.shape = std::move(shape);
    c.graph.tensors.push_back(std::move(made));
    return static_cast<int>(c.graph.tensors.size()) - 1;
  }
  int quantized(std::string name, Shape shape, ScaleZero q) {
    const int index = add(std::move(name), type, std::move(shape));
    tensor(index).quant.scale = {q.scale};
    tensor(index).quant.zero_point = {q.zero};
    return index;
  }
  int input(Shape shape, ScaleZero q) {
    const int index = quantized("input" + std::to_string(c.graph.inputs.size()), std::move(shape), q);
    use_as_input(index);
    return index;
  }
  void use_as_input(int index) {
    c.graph.inputs.push_back(index);
    op().inputs.push_back(index);
  }
  int output(Shape shape, ScaleZero q) {
    const int index = quantized("output" + std::to_string(c.graph.outputs.size()), std::move(shape), q);
    use_as_output(index);
    return index;
  }
  void use_as_output(int index) {
    c.graph.outputs.push_back(index);
    op().outputs.push_back(index);
  }
  template <class T>
  void fill(int index, const std::vector<T>& values) {
    ir::Bytes bytes(values.size() * sizeof(T));
    std::memcpy(bytes.data(), values.data(), bytes.size());
    tensor(index).data = std::make_shared<const ir::Bytes>(std::move(bytes));
  }
  // A constant int32 input of the operator.
  int integers(std::string name, const std::vector<std::int32_t>& values, bool scalar = false) {
    const int index = add(std::move(name), ir::DataType::kInt32,
                          scalar ? Shape{} : Shape{static_cast<std::int32_t>(values.size())});
    fill(index, values);
    op().inputs.push_back(index);
    return index;
  }

  // Extents that vectors, tiles and their remainders meet.
  int channels() {
    return random.pick({1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 40, 63, 64, 65});
  }
  int extent() { return random.pick({1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 15, 16, 17, 20, 23, 31, 32, 33}); }
  float scale() {
    switch (random.between(0, 5)) {
      case 0:
        return 1.0f / 255;
      case 1:
        return random.pick({1.0f, 0.5f, 0.0078125f});
      case 2:
        return 0.0235284f;
      default:
        return static_cast<float>(random.real(0.002, 0.2));
    }
  }
  std::int32_t zero_point() {
    const std::int32_t low = low_of(type);
    return random.chance(60) ? low + random.pick({0, 1, 127, 128, 129, 133, 255})
                             : low + random.between(0, 255);
  }
  ir::Activation activation() {
    return random.pick({ir::Activation::kNone, ir::Activation::kNone, ir::Activation::kRelu,
                        ir::Activation::kRelu6, ir::Activation::kReluN1To1});
  }
  void describe(const std::string& text) { c.description = text; }
};

inline std::string text_of(const Shape& shape) {
  std::string text;
  for (const std::int32_t extent : shape) text += (text.empty() ? "" : "x") + std::to_string(extent);
  return text.empty() ? "scalar" : text;
}
inline std::string text_of(ir::Activation a) {
  constexpr std::array<const char*, 6> kNames = {"none", "relu", "relu-n1-1", "relu6", "tanh", "sign"};
  return kNames[static_cast<std::size_t>(a)];
}
inline std::string text_of(const ir::Tensor& t) {
  std::string text = text_of(t.shape) + " " + std::string(to_string(t.type));
  if (t.quant.present()) {
    text += " scale " + std::to_string(t.quant.scale[0]) + (t.quant.per_channel() ? "..." : "") + " zero " +
            std::to_string(t.quant.zero_point.empty() ? 0 : t.quant.zero_point[0]);
  }
  return text;
}

// Makers, by file. Each fills the operator of `b.c.graph`, whose kind is set.
void make_convolution(CaseBuilder& b, bool explicit_padding);
void make_pool(CaseBuilder& b);
void make_fully_connected(CaseBuilder& b);
void make_arithmetic(CaseBuilder& b);
void make_mean(CaseBuilder& b);
void make_activation(CaseBuilder& b);
void make_softmax(CaseBuilder& b);
void make_quantize(CaseBuilder& b, ir::DataType from, ir::DataType to);
void make_resize(CaseBuilder& b);
void make_pad(CaseBuilder& b);
void make_concatenation(CaseBuilder& b);
void make_transpose(CaseBuilder& b);
void make_split(CaseBuilder& b);
void make_strided_slice(CaseBuilder& b);
void make_reshape(CaseBuilder& b);
void make_pack(CaseBuilder& b);
void make_shape(CaseBuilder& b);
void make_lstm(CaseBuilder& b);

}  // namespace zynpu::test
