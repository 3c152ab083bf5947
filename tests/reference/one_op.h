// SPDX-License-Identifier: MIT
// A graph of one operator, built by hand and run on values written as numbers.
#pragma once

#include <gtest/gtest.h>

#include <cstring>

#include "reference/reference.h"

namespace zynpu::reference {

struct Quant {
  float scale = 0;  // 0: not quantised
  std::int32_t zero = 0;
};

class OneOp {
 public:
  explicit OneOp(ir::OpKind kind, ir::Attributes attributes = {}) {
    graph.ops.emplace_back();
    graph.ops[0].kind = kind;
    graph.ops[0].attributes = std::move(attributes);
  }

  ir::Op& op() { return graph.ops[0]; }
  ir::Tensor& tensor(int index) { return graph.tensors[static_cast<std::size_t>(index)]; }

  int add(std::string name, ir::DataType type, std::vector<std::int32_t> shape, Quant q = {}) {
    ir::Tensor t;
    t.name = std::move(name);
    t.type = type;
    t.shape = std::move(shape);
    if (q.scale != 0) {
      t.quant.scale = {q.scale};
      t.quant.zero_point = {q.zero};
    }
    graph.tensors.push_back(std::move(t));
    return static_cast<int>(graph.tensors.size()) - 1;
  }
  int input(ir::DataType type, std::vector<std::int32_t> shape, Quant q = {}) {
    const int index = add("in" + std::to_string(graph.inputs.size()), type, std::move(shape), q);
    graph.inputs.push_back(index);
    op().inputs.push_back(index);
    return index;
  }
  int output(ir::DataType type, std::vector<std::int32_t> shape, Quant q = {}) {
    const int index = add("out" + std::to_string(graph.outputs.size()), type, std::move(shape), q);
    graph.outputs.push_back(index);
    op().outputs.push_back(index);
    return index;
  }
  template <class T>
  int constant(std::string name, ir::DataType type, std::vector<std::int32_t> shape,
               const std::vector<T>& values, Quant q = {}) {
    const int index = add(std::move(name), type, std::move(shape), q);
    ir::Bytes bytes(values.size() * sizeof(T));
    std::memcpy(bytes.data(), values.data(), bytes.size());
    tensor(index).data = std::make_shared<const ir::Bytes>(std::move(bytes));
    op().inputs.push_back(index);
    return index;
  }
  int integers(std::string name, const std::vector<std::int32_t>& values) {
    return constant(std::move(name), ir::DataType::kInt32, {static_cast<std::int32_t>(values.size())},
                    values);
  }

  // Runs on `inputs` (elements of type In) and returns output `number` (elements of type Out).
  template <class In, class Out = In>
  std::vector<Out> run(const std::vector<std::vector<In>>& inputs, std::size_t number = 0) {
    auto interpreter = Interpreter::create(graph);
    if (!interpreter) {
      ADD_FAILURE() << interpreter.error().message;
      return {};
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const auto to = (*interpreter)->tensor(graph.inputs[i]);
      EXPECT_EQ(to.size(), inputs[i].size() * sizeof(In));
      std::memcpy(to.data(), inputs[i].data(), std::min(to.size(), inputs[i].size() * sizeof(In)));
    }
    const Status status = (*interpreter)->run();
    EXPECT_TRUE(status) << (status ? "" : status.error().message);
    const auto from = (*interpreter)->tensor(graph.outputs[number]);
    std::vector<Out> values(from.size() / sizeof(Out));
    std::memcpy(values.data(), from.data(), from.size());
    return values;
  }

  // The message of create()'s refusal; fails the test if there is none.
  std::string refusal() const {
    const auto interpreter = Interpreter::create(graph);
    if (interpreter) {
      ADD_FAILURE() << "accepted";
      return {};
    }
    EXPECT_EQ(interpreter.error().code, ErrorCode::kUnsupported);
    return interpreter.error().message;
  }

  ir::Graph graph;
};

using Int8s = std::vector<std::int8_t>;
using Uint8s = std::vector<std::uint8_t>;
using Int32s = std::vector<std::int32_t>;

}  // namespace zynpu::reference
