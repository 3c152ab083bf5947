// SPDX-License-Identifier: MIT
// Rules that several operators share, each with the sentence that users read (docs/operators.md) and a check
// that says which tensor breaks it.
#pragma once

#include <span>
#include <string>

#include "compiler/kernels/kernel.h"

namespace zynpu::compiler {

// Constraint lists per operator family, for the kernel table.
std::span<const Constraint> unary_constraints();
std::span<const Constraint> movement_constraints();
std::span<const Constraint> concatenation_constraints();
std::span<const Constraint> softmax_constraints();
std::span<const Constraint> max_pool_constraints();
std::span<const Constraint> average_pool_constraints();
std::span<const Constraint> mean_constraints();
std::span<const Constraint> bilinear_constraints();
std::span<const Constraint> sum_constraints();      // ADD, SUB
std::span<const Constraint> product_constraints();  // MUL

// Checks that other constraint lists are made of; empty if the rule holds.
std::string not_int8(const ir::Graph& graph, const ir::Op& op);       // all activations are int8
std::string not_eight_bit(const ir::Graph& graph, const ir::Op& op);  // all activations are int8 or uint8
std::string per_channel_activation(const ir::Graph& graph, const ir::Op& op);
std::string too_large(const ir::Graph& graph, const ir::Op& op);  // a tensor of 2^24 bytes or more

}  // namespace zynpu::compiler
