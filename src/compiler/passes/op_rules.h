// SPDX-License-Identifier: MIT
// The rules of each operator behind validate_op(). Private to passes/validate*.cc.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "compiler/passes/constants.h"
#include "compiler/passes/describe.h"
#include "ir/graph.h"

namespace zynpu::compiler {

// One operator of a graph whose indices are in range, and what must hold of it. All arithmetic on extents is
// in 64 bits.
class OpRules {
 public:
  OpRules(const ir::Graph& graph, int index)
      : graph_(graph), index_(index), op_(graph.ops[static_cast<std::size_t>(index)]) {}

  Status check() const;

 private:
  using T = ir::DataType;
  using Shape = std::vector<std::int32_t>;

  template <class... Args>
  tl::unexpected<Error> bad(fmt::format_string<Args...> format, Args&&... args) const {
    return error(ErrorCode::kBadFile, fmt::format(format, std::forward<Args>(args)...));
  }
  template <class... Args>
  tl::unexpected<Error> unsupported(fmt::format_string<Args...> format, Args&&... args) const {
    return error(ErrorCode::kUnsupported, fmt::format(format, std::forward<Args>(args)...));
  }
  tl::unexpected<Error> error(ErrorCode code, std::string_view text) const {
    return fail(code, "{}: {}: {}", graph_.name, describe_op(graph_, index_), text);
  }

  bool has(std::size_t i) const { return i < op_.inputs.size() && op_.inputs[i] >= 0; }
  const ir::Tensor& in(std::size_t i) const {
    return graph_.tensors[static_cast<std::size_t>(op_.inputs[i])];
  }
  const ir::Tensor& out(std::size_t i = 0) const {
    return graph_.tensors[static_cast<std::size_t>(op_.outputs[i])];
  }
  std::string in_name(std::size_t i) const { return describe_tensor(graph_, op_.inputs[i]); }
  std::string out_name(std::size_t i = 0) const { return describe_tensor(graph_, op_.outputs[i]); }
  std::optional<std::vector<std::int64_t>> ints(std::size_t i) const {
    return constant_integers(graph_, op_, i);
  }
  template <class A>
  const A& attributes() const {
    return std::get<A>(op_.attributes);
  }

  Status input_type(std::size_t i, std::initializer_list<T> types) const;
  Status output_type(std::initializer_list<T> types) const;
  Status same_type() const;  // all inputs and outputs; the first input decides
  Status per_tensor(const ir::Tensor& tensor, const std::string& name) const;
  Status quantised(
      std::size_t inputs) const;  // the first `inputs` inputs and all outputs, if of a quantised type
  Status rank(const ir::Tensor& tensor, const std::string& name, std::size_t wanted) const;
  Status output_shape(const Shape& wanted, std::size_t output = 0) const;
  Status step(std::string_view name, int value) const;
  Result<std::int64_t> windows(std::int64_t extent, std::int64_t filter, int stride, int dilation,
                               ir::Padding padding, std::int64_t explicit_pads, std::string_view axis) const;
  Result<int> axis(std::int64_t value, std::size_t rank) const;

  Status weights(int axis) const;
  Status bias(std::int64_t channels) const;
  Status conv() const;
  Status fully_connected() const;
  Status pool() const;
  Status arithmetic() const;
  Status mean() const;
  Status pad() const;
  Status reshape() const;
  Status concatenation() const;
  Status unary(std::initializer_list<T> types) const;
  Status quantize() const;
  Status dequantize() const;
  Status softmax() const;
  Status resize() const;
  Status transpose() const;
  Status split() const;
  Status strided_slice() const;
  Status squeeze() const;
  Status expand_dims() const;
  Status shape() const;
  Status pack() const;
  Status unpack() const;
  Status lstm() const;
  Status variable() const;

  const ir::Graph& graph_;
  const int index_;
  const ir::Op& op_;
};

}  // namespace zynpu::compiler
