// SPDX-License-Identifier: MIT
#include "compiler/passes/constants.h"

namespace zynpu::compiler {

std::optional<std::vector<std::int64_t>> constant_integers(const ir::Graph& graph, int tensor) {
  if (tensor < 0) return std::nullopt;
  const ir::Tensor& t = graph.tensors[static_cast<std::size_t>(tensor)];
  if (!t.is_constant() || (t.type != ir::DataType::kInt32 && t.type != ir::DataType::kInt64))
    return std::nullopt;
  const std::size_t size = ir::size_of(t.type);
  std::vector<std::int64_t> values;
  values.reserve(t.data->size() / size);
  for (std::size_t at = 0; at + size <= t.data->size(); at += size) {
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < size; ++i) bits |= std::uint64_t{(*t.data)[at + i]} << (8 * i);
    values.push_back(size == 4 ? static_cast<std::int32_t>(bits) : static_cast<std::int64_t>(bits));
  }
  return values;
}

std::optional<std::vector<std::int64_t>> constant_integers(const ir::Graph& graph, const ir::Op& op,
                                                           std::size_t position) {
  if (position >= op.inputs.size()) return std::nullopt;
  return constant_integers(graph, op.inputs[position]);
}

std::shared_ptr<const ir::Bytes> int32_bytes(std::span<const std::int32_t> values) {
  ir::Bytes bytes;
  bytes.reserve(values.size() * 4);
  for (const std::int32_t value : values)
    for (int shift = 0; shift < 32; shift += 8)
      bytes.push_back(static_cast<std::uint8_t>(static_cast<std::uint32_t>(value) >> shift));
  return std::make_shared<const ir::Bytes>(std::move(bytes));
}

}  // namespace zynpu::compiler
