// SPDX-License-Identifier: MIT
// Small operator graphs with reproducible random constants.
#pragma once

#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "ir/graph.h"

namespace zynpu::compiler::test {

class GraphMaker {
 public:
  explicit GraphMaker(std::string name, unsigned seed = 1) : random_(seed) { graph.name = std::move(name); }

  // An activation tensor.
  int activation(std::vector<std::int32_t> shape, float scale = 0.05F, int zero_point = 0,
                 ir::DataType type = ir::DataType::kInt8) {
    ir::Tensor t;
    t.name = "t" + std::to_string(graph.tensors.size());
    t.type = type;
    t.shape = std::move(shape);
    t.quant.scale = {scale};
    t.quant.zero_point = {zero_point};
    graph.tensors.push_back(std::move(t));
    return static_cast<int>(graph.tensors.size()) - 1;
  }

  int input(std::vector<std::int32_t> shape, float scale = 0.05F, int zero_point = 0,
            ir::DataType type = ir::DataType::kInt8) {
    const int t = activation(std::move(shape), scale, zero_point, type);
    graph.inputs.push_back(t);
    return t;
  }

  // Random int8 weights in [-range, range], per channel on `axis` if `channels` > 0.
  int weights(std::vector<std::int32_t> shape, int axis, int channels, int range = 127, float scale = 0.01F) {
    ir::Tensor t;
    t.name = "w" + std::to_string(graph.tensors.size());
    t.type = ir::DataType::kInt8;
    t.shape = std::move(shape);
    t.quant.axis = axis;
    std::uniform_real_distribution<float> factor(0.5F, 1.5F);
    for (int c = 0; c < std::max(channels, 1); ++c) {
      t.quant.scale.push_back(channels > 0 ? scale * factor(random_) : scale);
      t.quant.zero_point.push_back(0);
    }
    std::uniform_int_distribution<int> value(-range, range);
    ir::Bytes bytes(static_cast<std::size_t>(t.elements()));
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(value(random_));
    t.data = std::make_shared<const ir::Bytes>(std::move(bytes));
    graph.tensors.push_back(std::move(t));
    return static_cast<int>(graph.tensors.size()) - 1;
  }

  int bias(int channels, int range = 20000) {
    ir::Tensor t;
    t.name = "b" + std::to_string(graph.tensors.size());
    t.type = ir::DataType::kInt32;
    t.shape = {channels};
    std::uniform_int_distribution<std::int32_t> value(-range, range);
    ir::Bytes bytes(static_cast<std::size_t>(channels) * 4);
    for (int c = 0; c < channels; ++c) {
      const std::int32_t v = value(random_);
      std::memcpy(bytes.data() + 4 * c, &v, 4);
    }
    t.data = std::make_shared<const ir::Bytes>(std::move(bytes));
    graph.tensors.push_back(std::move(t));
    return static_cast<int>(graph.tensors.size()) - 1;
  }

  void op(ir::OpKind kind, std::vector<int> inputs, std::vector<int> outputs,
          ir::Attributes attributes = {}) {
    graph.ops.push_back({kind, std::move(inputs), std::move(outputs), std::move(attributes),
                         static_cast<int>(graph.ops.size())});
  }

  std::vector<std::int32_t>& shape(int tensor) {
    return graph.tensors[static_cast<std::size_t>(tensor)].shape;
  }

  ir::Graph graph;

 private:
  std::mt19937 random_;
};

struct ConvCase {
  int batch = 1, height = 8, width = 8, depth = 16, channels = 16, filter_h = 3, filter_w = 3;
  ir::ConvAttributes attributes;
  bool depthwise = false, with_bias = true;
  int input_zero_point = -3, output_zero_point = 5;
  float output_scale = 0;  // 0: such that the output uses its range
  int weight_range = 127;
  float weight_scale = 0.01F;
};

// A graph of one convolution.
inline ir::Graph conv_graph(const ConvCase& c, unsigned seed = 1) {
  GraphMaker m("conv", seed);
  const ir::ConvAttributes& a = c.attributes;
  const auto extent = [](int in, int filter, int stride, int dilation, int pads, ir::Padding padding) {
    in += pads;
    return padding == ir::Padding::kSame ? (in + stride - 1) / stride
                                         : (in - (filter - 1) * dilation - 1) / stride + 1;
  };
  const int h = extent(c.height, c.filter_h, a.stride_h, a.dilation_h, a.pad_top + a.pad_bottom, a.padding);
  const int w = extent(c.width, c.filter_w, a.stride_w, a.dilation_w, a.pad_left + a.pad_right, a.padding);
  const int x = m.input({c.batch, c.height, c.width, c.depth}, 0.05F, c.input_zero_point);
  const int terms = c.filter_h * c.filter_w * (c.depthwise ? 1 : c.depth);
  const float natural = 0.05F * c.weight_scale * static_cast<float>(c.weight_range) *
                        std::sqrt(static_cast<float>(terms)) / 1.7F;
  const int y = m.activation({c.batch, h, w, c.channels}, c.output_scale > 0 ? c.output_scale : natural,
                             c.output_zero_point);
  const int weights = c.depthwise ? m.weights({1, c.filter_h, c.filter_w, c.channels}, 3, c.channels,
                                              c.weight_range, c.weight_scale)
                                  : m.weights({c.channels, c.filter_h, c.filter_w, c.depth}, 0, c.channels,
                                              c.weight_range, c.weight_scale);
  std::vector<int> inputs{x, weights, c.with_bias ? m.bias(c.channels) : ir::kAbsent};
  ir::ConvAttributes attributes = a;
  if (c.depthwise) attributes.depth_multiplier = c.channels / c.depth;
  m.op(c.depthwise ? ir::OpKind::kDepthwiseConv2d : ir::OpKind::kConv2d, inputs, {y}, attributes);
  m.graph.outputs = {y};
  return std::move(m.graph);
}

}  // namespace zynpu::compiler::test
