// SPDX-License-Identifier: MIT
// Reading and making constant tensors.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "ir/graph.h"

namespace zynpu::compiler {

// The values of a constant int32 or int64 tensor; none if it is absent, not constant, or of another type.
std::optional<std::vector<std::int64_t>> constant_integers(const ir::Graph& graph, int tensor);

// Input `position` of `op`: the same, none also if the operator has no such input.
std::optional<std::vector<std::int64_t>> constant_integers(const ir::Graph& graph, const ir::Op& op,
                                                           std::size_t position);

// The little-endian bytes of `values` as int32.
std::shared_ptr<const ir::Bytes> int32_bytes(std::span<const std::int32_t> values);

}  // namespace zynpu::compiler
