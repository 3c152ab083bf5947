// SPDX-License-Identifier: MIT
// Plain int8 operators: the numeric contract in readable code. For a TFLite model each operator equals TFLite's
// reference kernel bit for bit (docs/numerics.md). Oracle in tests and CPU fallback of the runtime.
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

// Runs ops of one graph on caller-owned memory. Construction validates every op (types, shapes, quantisation) and
// prepares multipliers and tables, so that run_op allocates nothing. Not thread-safe; one instance per thread of use.
class Interpreter {
 public:
  // `graph` must outlive the interpreter. Fails with kUnsupported naming operator, tensor and reason.
  // `op_indices`: the ops that may be run (empty = all).
  static Result<std::unique_ptr<Interpreter>> create(const ir::Graph& graph, std::span<const int> op_indices = {});
  virtual ~Interpreter() = default;

  // Memory of tensor `index`: dense, little-endian, Tensor::bytes() long. By default the interpreter owns it;
  // bind() substitutes caller memory (16-byte aligned), which must outlive its use.
  virtual std::span<std::uint8_t> tensor(int index) = 0;
  virtual void bind(int index, std::span<std::uint8_t> memory) = 0;

  virtual Status run_op(int op_index) = 0;  // one op of the graph
  virtual Status run() = 0;                 // every op, in order
  virtual void reset_variables() = 0;       // resource variables and is_variable tensors to their initial state
};

}  // namespace zynpu::reference
