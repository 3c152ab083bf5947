// SPDX-License-Identifier: MIT
// Small operator graphs for tests of the passes, and running them on the reference.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "compiler/passes/validate.h"
#include "ir/graph.h"
#include "reference/reference.h"

namespace zynpu::test {

using Shape = std::vector<std::int32_t>;

inline ir::Quantization quant(float scale, std::int32_t zero_point) { return {{scale}, {zero_point}, 0}; }

class SmallGraph {
 public:
  ir::Graph graph;

  int tensor(ir::DataType type, Shape shape, ir::Quantization q = {}) {
    ir::Tensor t;
    t.name = "t" + std::to_string(graph.tensors.size());
    t.type = type;
    t.shape = std::move(shape);
    t.quant = std::move(q);
    graph.tensors.push_back(std::move(t));
    return static_cast<int>(graph.tensors.size()) - 1;
  }
  int s8(Shape shape, float scale = 0.5f, std::int32_t zero_point = 0) {
    return tensor(ir::DataType::kInt8, std::move(shape), quant(scale, zero_point));
  }
  int u8(Shape shape, float scale = 0.5f, std::int32_t zero_point = 128) {
    return tensor(ir::DataType::kUint8, std::move(shape), quant(scale, zero_point));
  }
  int input(int t) {
    graph.inputs.push_back(t);
    return t;
  }
  int output(int t) {
    graph.outputs.push_back(t);
    return t;
  }
  ir::Tensor& at(int t) { return graph.tensors[static_cast<std::size_t>(t)]; }

  // Gives `t` random constant bytes; int32 tensors get values of a few thousand.
  int random_constant(int t) {
    auto bytes = std::make_shared<ir::Bytes>(static_cast<std::size_t>(at(t).bytes()));
    if (at(t).type == ir::DataType::kInt32) {
      for (std::size_t i = 0; i < bytes->size(); i += 4) {
        const auto value = static_cast<std::int32_t>(random_() % 4001) - 2000;
        std::memcpy(bytes->data() + i, &value, 4);
      }
    } else {
      for (auto& byte : *bytes) byte = static_cast<std::uint8_t>(random_());
    }
    at(t).data = std::move(bytes);
    return t;
  }
  int integers(std::vector<std::int32_t> values, Shape shape) {
    const int t = tensor(ir::DataType::kInt32, std::move(shape));
    auto bytes = std::make_shared<ir::Bytes>(values.size() * 4);
    std::memcpy(bytes->data(), values.data(), bytes->size());
    at(t).data = std::move(bytes);
    return t;
  }
  int integers(std::vector<std::int32_t> values) {
    const auto n = static_cast<std::int32_t>(values.size());
    return integers(std::move(values), {n});
  }

  int op(ir::OpKind kind, std::vector<int> inputs, int output, ir::Attributes attributes = {}) {
    ir::Op o;
    o.kind = kind;
    o.inputs = std::move(inputs);
    if (output >= 0) o.outputs = {output};
    o.attributes = std::move(attributes);
    o.source = static_cast<int>(graph.ops.size());
    graph.ops.push_back(std::move(o));
    return output;
  }

  // CONV_2D with random weights and bias to an output of `channels`; all of type and kind of tensor `x`.
  int conv(int x, std::int32_t channels, int filter, ir::ConvAttributes a, float out_scale = 0.8f) {
    const ir::Tensor in = at(x);
    const bool is_unsigned = in.type == ir::DataType::kUint8;
    const int w = random_constant(
        tensor(in.type, {channels, filter, filter, in.shape[3]}, quant(0.02f, is_unsigned ? 117 : 0)));
    const int b = random_constant(tensor(ir::DataType::kInt32, {channels}));
    return op(ir::OpKind::kConv2d, {x, w, b}, conv_output(in, channels, filter, a, out_scale), a);
  }
  int depthwise(int x, int multiplier, int filter, ir::ConvAttributes a, float out_scale = 0.8f) {
    const ir::Tensor in = at(x);
    const bool is_unsigned = in.type == ir::DataType::kUint8;
    const std::int32_t channels = in.shape[3] * multiplier;
    const int w =
        random_constant(tensor(in.type, {1, filter, filter, channels}, quant(0.02f, is_unsigned ? 117 : 0)));
    const int b = random_constant(tensor(ir::DataType::kInt32, {channels}));
    a.depth_multiplier = multiplier;
    return op(ir::OpKind::kDepthwiseConv2d, {x, w, b}, conv_output(in, channels, filter, a, out_scale), a);
  }

 private:
  int conv_output(const ir::Tensor& in, std::int32_t channels, int filter, const ir::ConvAttributes& a,
                  float out_scale) {
    const auto extent = [&](std::int32_t n, int stride, int dilation) {
      if (a.padding == ir::Padding::kSame) return (n + stride - 1) / stride;
      return (n - ((filter - 1) * dilation + 1)) / stride + 1;
    };
    return tensor(in.type,
                  {in.shape[0], extent(in.shape[1] + a.pad_top + a.pad_bottom, a.stride_h, a.dilation_h),
                   extent(in.shape[2] + a.pad_left + a.pad_right, a.stride_w, a.dilation_w), channels},
                  quant(out_scale, in.type == ir::DataType::kUint8 ? 120 : 5));
  }

  std::minstd_rand random_{7};
};

// The bytes of every output after each of `runs` runs on random inputs (the same for the same seed).
inline std::vector<ir::Bytes> run_reference(const ir::Graph& graph, unsigned seed, int runs = 3) {
  auto interpreter = reference::Interpreter::create(graph);
  EXPECT_TRUE(interpreter) << (interpreter ? "" : interpreter.error().message);
  std::vector<ir::Bytes> results;
  if (!interpreter) return results;
  std::minstd_rand random(seed);
  for (int i = 0; i < runs; ++i) {
    for (const int input : graph.inputs) {
      const auto memory = (*interpreter)->tensor(input);
      if (graph.tensors[static_cast<std::size_t>(input)].type == ir::DataType::kFloat32) {
        for (std::size_t at = 0; at + 4 <= memory.size(); at += 4) {
          const float value = static_cast<float>(static_cast<int>(random() % 2001) - 1000) / 10.0f;
          std::memcpy(memory.data() + at, &value, 4);
        }
      } else {
        for (auto& byte : memory) byte = static_cast<std::uint8_t>(random());
      }
    }
    const auto status = (*interpreter)->run();
    EXPECT_TRUE(status) << (status ? "" : status.error().message);
    for (const int output : graph.outputs) {
      const auto memory = (*interpreter)->tensor(output);
      results.emplace_back(memory.begin(), memory.end());
    }
  }
  return results;
}

// `pass` on a copy of the graph keeps it valid and keeps every output byte. Returns what it made.
template <class Pass>
ir::Graph checked(const ir::Graph& before, Pass pass) {
  const auto valid = compiler::validate(before);
  EXPECT_TRUE(valid) << (valid ? "" : valid.error().message);
  ir::Graph after = before;
  pass(after);
  const auto still = compiler::validate(after);
  EXPECT_TRUE(still) << (still ? "" : still.error().message);
  EXPECT_EQ(before.outputs.size(), after.outputs.size());
  for (unsigned seed = 1; seed <= 3; ++seed)
    EXPECT_EQ(run_reference(before, seed), run_reference(after, seed));
  return after;
}

inline std::vector<ir::OpKind> kinds(const ir::Graph& graph) {
  std::vector<ir::OpKind> out;
  for (const ir::Op& op : graph.ops) out.push_back(op.kind);
  return out;
}

}  // namespace zynpu::test
