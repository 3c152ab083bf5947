// SPDX-License-Identifier: MIT
// How messages and dumps name operators, tensors, shapes and types. Everything here returns plain text and
// cannot fail, whatever the graph holds.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "ir/graph.h"

namespace zynpu::compiler {

// `text`, or its beginning and "..." if it is long: names of converted models run to hundreds of characters.
std::string shortened(std::string_view text);

// "CONV_2D #3"; the number is the operator's in the imported model, for an operator that a pass made its
// position in `graph` with a plus: "QUANTIZE +3".
std::string describe_op(const ir::Graph& graph, int op);

// "tensor #12 `conv1/bias`"; "no tensor" for kAbsent.
std::string describe_tensor(const ir::Graph& graph, int tensor);

// "[1, 96, 96, 3]".
std::string describe_shape(std::span<const std::int32_t> shape);

}  // namespace zynpu::compiler
