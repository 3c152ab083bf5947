// SPDX-License-Identifier: MIT
// What an operator sees while it is prepared (its tensors, checked, with errors that name them) and while it
// runs (the memory of its tensors). Private to reference/.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/error.h"
#include "ir/graph.h"
#include "reference/operators.h"

namespace zynpu::reference {

// Where each tensor of a graph lies at present.
class Memory {
 public:
  explicit Memory(std::size_t tensors) : data_(tensors) {}
  void set(int tensor, std::span<std::uint8_t> bytes) { data_[static_cast<std::size_t>(tensor)] = bytes; }
  std::span<std::uint8_t> bytes(int tensor) const { return data_[static_cast<std::size_t>(tensor)]; }

  template <class T>
  const T* in(int tensor) const {
    return reinterpret_cast<const T*>(bytes(tensor).data());
  }
  // Null for an input that is not given.
  template <class T>
  const T* in_or_null(int tensor) const {
    return tensor == ir::kAbsent ? nullptr : in<T>(tensor);
  }
  template <class T>
  T* out(int tensor) const {
    return reinterpret_cast<T*>(bytes(tensor).data());
  }

 private:
  std::vector<std::span<std::uint8_t>> data_;
};

// An operator ready to run: shapes checked, multipliers and tables made, scratch allocated.
class PreparedOp {
 public:
  virtual ~PreparedOp() = default;
  virtual Status run(const Memory& memory) = 0;
  virtual void reset() {}  // forgets what it carries from run to run
};
using Prepared = Result<std::unique_ptr<PreparedOp>>;

// One op of a graph and its place in it. Cheap to copy; the graph must outlive it.
class OpContext {
 public:
  OpContext(const ir::Graph& graph, const ir::Op& op, int index) : graph_(&graph), op_(&op), index_(index) {}

  const ir::Graph& graph() const { return *graph_; }
  const ir::Op& op() const { return *op_; }
  int index() const { return index_; }

  // "CONV_2D #12"
  std::string name() const;
  // The error "CONV_2D #12: <reason>".
  template <class... Args>
  [[nodiscard]] tl::unexpected<Error> unsupported(fmt::format_string<Args...> format, Args&&... args) const {
    return fail(ErrorCode::kUnsupported, "{}: {}", name(), fmt::format(format, std::forward<Args>(args)...));
  }
  // The error "CONV_2D #12, tensor 'x': <reason>".
  template <class... Args>
  [[nodiscard]] tl::unexpected<Error> unsupported_tensor(const ir::Tensor& tensor,
                                                         fmt::format_string<Args...> format,
                                                         Args&&... args) const {
    return fail(ErrorCode::kUnsupported, "{}, tensor '{}': {}", name(), tensor.name,
                fmt::format(format, std::forward<Args>(args)...));
  }

  bool has_input(std::size_t position) const {
    return position < op_->inputs.size() && op_->inputs[position] != ir::kAbsent;
  }
  int input_index(std::size_t position) const {
    return has_input(position) ? op_->inputs[position] : ir::kAbsent;
  }
  int output_index(std::size_t position) const { return op_->outputs[position]; }

  // The tensor at that position; an error if the op has none there.
  Result<const ir::Tensor*> input(std::size_t position) const;
  Result<const ir::Tensor*> output(std::size_t position) const;
  // Null if the input is not given; an error if its index is not a tensor.
  Result<const ir::Tensor*> optional_input(std::size_t position) const;

  // The op's attributes as A; an error if the importer or pass gave others.
  template <class A>
  Result<const A*> attributes() const {
    if (const A* a = std::get_if<A>(&op_->attributes)) return a;
    return fail(ErrorCode::kInternal, "{}: its attributes are of another operator", name());
  }

  Status expect_input_count(std::size_t least, std::size_t most) const;
  Status expect_output_count(std::size_t count) const;
  Status expect_type(const ir::Tensor& tensor, std::initializer_list<ir::DataType> types) const;
  Status expect_rank(const ir::Tensor& tensor, std::size_t rank) const;
  Status expect_shape(const ir::Tensor& tensor, std::span<const std::int32_t> shape) const;
  Status expect_elements(const ir::Tensor& tensor, std::int64_t elements) const;
  // Per-tensor quantisation with a positive finite scale and a zero point that the type can hold.
  Status expect_quantized(const ir::Tensor& tensor) const;
  // int8 or uint8, quantised per tensor.
  Status expect_quantized_bytes(const ir::Tensor& tensor) const;
  // Input 0 and output 0 of an operator with `inputs` inputs and one output, both as
  // expect_quantized_bytes().
  struct ByteOperands {
    const ir::Tensor* input = nullptr;
    const ir::Tensor* output = nullptr;
  };
  Result<ByteOperands> byte_operands(std::size_t inputs) const;
  // Same scale and zero point, for operators that move values without rescaling them.
  Status expect_same_quantization(const ir::Tensor& a, const ir::Tensor& b) const;
  // A multiplier whose left shift 32 bits can take.
  Status expect_multiplier(QuantizedMultiplier q, std::string_view what) const;

  // The values of a constant int32 or int64 tensor (int64 values must fit 32 bits).
  Result<std::vector<std::int32_t>> constant_integers(std::size_t position) const;

 private:
  const ir::Graph* graph_;
  const ir::Op* op_;
  int index_;
};

// Zero point of a per-tensor quantised tensor; 0 where the file gives none.
std::int32_t zero_point(const ir::Tensor& tensor);
float scale(const ir::Tensor& tensor);
std::string to_string(std::span<const std::int32_t> shape);

// axis in [-rank, rank) to [0, rank); an error outside.
Result<int> normalized_axis(const OpContext& context, std::int64_t axis, std::size_t rank);

// Extents before, at and after an axis, as products.
struct AxisSplit {
  std::int64_t outer = 1, extent = 1, inner = 1;
};
AxisSplit split_at(std::span<const std::int32_t> shape, int axis);

// Strides in elements of a dense row-major tensor.
std::vector<std::int64_t> dense_strides(std::span<const std::int32_t> shape);

inline constexpr std::size_t kMaxRank = 8;

// Calls f with a std::int8_t or a std::uint8_t, as `type` (checked before) says.
template <class F>
auto with_byte_type(ir::DataType type, F&& f) {
  return type == ir::DataType::kUint8 ? f(std::uint8_t{}) : f(std::int8_t{});
}

// Factories, one per operator family.
Prepared prepare_conv(const OpContext& context);
Prepared prepare_depthwise(const OpContext& context);
Prepared prepare_fully_connected(const OpContext& context);
Prepared prepare_pool(const OpContext& context);
Prepared prepare_elementwise(const OpContext& context);
Prepared prepare_activation(const OpContext& context);
Prepared prepare_softmax(const OpContext& context);
Prepared prepare_mean(const OpContext& context);
Prepared prepare_data_movement(const OpContext& context);
Prepared prepare_resize(const OpContext& context);
Prepared prepare_quantize(const OpContext& context);
Prepared prepare_lstm(const OpContext& context);

// Resource variables, shared by a graph and its initialisation subgraphs. Each has the size of the tensors
// that are assigned to and read from it.
class Variables {
 public:
  struct Variable {
    std::string container, name;
    std::optional<ir::DataType> type;  // none until the first use is prepared
    ir::Bytes value;
    bool assigned = false;
  };

  // Number of the variable of that name, made if new.
  int find_or_add(const ir::VarHandleAttributes& attributes);
  Variable& at(int number) { return variables_[static_cast<std::size_t>(number)]; }
  // Leaves every variable unassigned.
  void reset();

 private:
  std::vector<Variable> variables_;
};
// VAR_HANDLE, READ_VARIABLE, ASSIGN_VARIABLE. `variables` must outlive the operator.
Prepared prepare_variable(const OpContext& context, Variables& variables);

}  // namespace zynpu::reference
