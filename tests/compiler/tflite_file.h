// SPDX-License-Identifier: MIT
// Small TFLite files, written with the object API of the generated reader.
#pragma once

#include <flatbuffers/flatbuffers.h>

#include <memory>
#include <string>
#include <vector>

#include "tflite_generated.h"

namespace zynpu::test {

namespace tf = compiler::tflite;

inline std::vector<std::uint8_t> pack(const tf::ModelT& model) {
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(tf::Model::Pack(builder, &model), "TFL3");
  return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
}

// Builds one subgraph after the other; tensors and buffers as they are asked for.
class TfliteFile {
 public:
  TfliteFile() {
    model.version = 3;
    model.buffers.push_back(std::make_unique<tf::BufferT>());
    subgraph();
  }

  tf::SubGraphT& subgraph() {
    model.subgraphs.push_back(std::make_unique<tf::SubGraphT>());
    return *model.subgraphs.back();
  }
  tf::SubGraphT& main() { return *model.subgraphs.front(); }
  tf::SubGraphT& last() { return *model.subgraphs.back(); }

  int tensor(std::string name, tf::ElementType type, std::vector<std::int32_t> shape,
             std::vector<float> scale = {}, std::vector<std::int64_t> zero_point = {}, int dimension = 0) {
    auto t = std::make_unique<tf::TensorT>();
    t->name = std::move(name);
    t->type = type;
    t->shape = std::move(shape);
    if (!scale.empty()) {
      t->quantization = std::make_unique<tf::QuantizationParametersT>();
      t->quantization->scale = std::move(scale);
      t->quantization->zero_point = std::move(zero_point);
      t->quantization->quantized_dimension = dimension;
    }
    last().tensors.push_back(std::move(t));
    return static_cast<int>(last().tensors.size()) - 1;
  }

  // Gives tensor `index` of the last subgraph constant bytes.
  int constant(int index, std::vector<std::uint8_t> bytes) {
    auto b = std::make_unique<tf::BufferT>();
    b->data = std::move(bytes);
    last().tensors[static_cast<std::size_t>(index)]->buffer =
        static_cast<std::uint32_t>(model.buffers.size());
    model.buffers.push_back(std::move(b));
    return index;
  }

  template <class Options = std::nullptr_t>
  tf::OperatorT& op(tf::BuiltinOperator code, std::vector<int> inputs, std::vector<int> outputs,
                    Options options = nullptr) {
    auto c = std::make_unique<tf::OperatorCodeT>();
    c->short_code = static_cast<std::int8_t>(static_cast<int>(code) < 127 ? static_cast<int>(code) : 127);
    c->code = code;
    model.operator_codes.push_back(std::move(c));
    auto o = std::make_unique<tf::OperatorT>();
    o->opcode_index = static_cast<std::uint32_t>(model.operator_codes.size()) - 1;
    o->inputs = std::move(inputs);
    o->outputs = std::move(outputs);
    if constexpr (!std::is_same_v<Options, std::nullptr_t>) o->options.Set(std::move(options));
    last().operators.push_back(std::move(o));
    return *last().operators.back();
  }

  std::vector<std::uint8_t> bytes() const { return pack(model); }

  tf::ModelT model;
};

// x [1, 4, 4, 2] -> CONV_2D, weights w [3, 1, 1, 2] per channel, bias b -> y [1, 4, 4, 3] -> RESHAPE, s -> z
// [1, 48]
inline TfliteFile conv_file() {
  using E = tf::ElementType;
  TfliteFile file;
  const int x = file.tensor("x", E::INT8, {1, 4, 4, 2}, {0.5f}, {-3});
  const int w = file.constant(file.tensor("w", E::INT8, {3, 1, 1, 2}, {0.1f, 0.2f, 0.3f}, {0, 0, 0}, 0),
                              {1, 2, 3, 4, 5, 6});
  const int b = file.constant(file.tensor("b", E::INT32, {3}, {0.05f, 0.1f, 0.15f}, {0, 0, 0}, 0),
                              std::vector<std::uint8_t>(12));
  const int y = file.tensor("y", E::INT8, {1, 4, 4, 3}, {0.25f}, {7});
  const int s = file.constant(file.tensor("s", E::INT32, {2}), {1, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF});
  const int z = file.tensor("z", E::INT8, {1, 48}, {0.25f}, {7});
  file.main().inputs = {x};
  file.main().outputs = {z};
  file.main().name = "main";
  tf::Conv2DOptionsT conv;
  conv.padding = tf::PaddingMode::SAME;
  conv.stride_h = conv.stride_w = 1;
  conv.activation = tf::FusedActivation::RELU6;
  file.op(tf::BuiltinOperator::CONV_2D, {x, w, b}, {y}, conv);
  file.op(tf::BuiltinOperator::RESHAPE, {y, s}, {z});
  return file;
}

}  // namespace zynpu::test
