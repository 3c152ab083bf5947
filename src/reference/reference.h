// SPDX-License-Identifier: MIT
// Plain int8 operators: the numeric contract in readable code. For a TFLite model each operator equals
// TFLite's reference kernel bit for bit (docs/numerics.md). Oracle in tests and CPU fallback of the runtime.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "ir/graph.h"

namespace zynpu::reference {

// Runs ops of one graph on caller-owned memory. Construction validates every op (types, shapes, quantisation)
// and prepares multipliers and tables, so that run_op allocates nothing. Not thread-safe; one instance per
// thread of use.
class Interpreter {
 public:
  // `graph` must outlive the interpreter. Fails with kUnsupported naming operator, tensor and reason.
  // `op_indices`: the ops that may be run (empty = all).
  static Result<std::unique_ptr<Interpreter>> create(const ir::Graph& graph,
                                                     std::span<const int> op_indices = {});
  virtual ~Interpreter() = default;

  // Memory of tensor `index`: dense, little-endian, Tensor::bytes() long. By default the interpreter owns it;
  // bind() substitutes caller memory (16-byte aligned), which must outlive its use.
  // Only tensors of the ops that may be run and of the graph's inputs and outputs have memory; others are
  // empty until bound. The memory of a constant is the graph's own and must not be written. Some ops read
  // their constants at create() already, so binding other values to a constant has no defined effect. Binding
  // a state tensor (is_variable) copies its present state into the new memory.
  virtual std::span<std::uint8_t> tensor(int index) = 0;
  virtual void bind(int index, std::span<std::uint8_t> memory) = 0;

  // One op of the graph. kInvalidArgument: the op is not among those that may be run, a bound tensor has the
  // wrong size, or a variable is read before it is assigned.
  virtual Status run_op(int op_index) = 0;
  virtual Status run() = 0;            // every op that may be run, in order
  virtual void reset_variables() = 0;  // resource variables and is_variable tensors to their initial state
};

}  // namespace zynpu::reference
