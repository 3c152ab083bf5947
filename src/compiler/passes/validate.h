// SPDX-License-Identifier: MIT
// What every stage of the compiler may rely on. The importer and compile() check it; tests check it after
// every pass.
#pragma once

#include <span>
#include <vector>

#include "base/error.h"
#include "ir/graph.h"

namespace zynpu::compiler {

// Checks that `graph` and its subgraphs are what ir/graph.h says: every index in range, constants of the
// right size, one producer for each tensor, operators after the producers of what they read, and every
// operator with the number, types, quantisation and shapes of tensors that TFLite defines for it. What a
// shape depends on but is not constant (begin of a STRIDED_SLICE that is computed) is not checked. kBadFile
// or kUnsupported; the message names the graph, the operator and the tensor.
Status validate(const ir::Graph& graph);

// The part of validate() that looks at one operator whose indices are known to be in range.
Status validate_op(const ir::Graph& graph, int op);

// What STRIDED_SLICE makes of `shape`, for constant begin, end and strides; empty extents stay 0. kBadFile if
// they do not fit the shape.
Result<std::vector<std::int32_t>> strided_slice_shape(std::span<const std::int32_t> shape,
                                                      std::span<const std::int64_t> begin,
                                                      std::span<const std::int64_t> end,
                                                      std::span<const std::int64_t> strides,
                                                      const ir::StridedSliceAttributes& attributes);

}  // namespace zynpu::compiler
