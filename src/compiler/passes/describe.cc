// SPDX-License-Identifier: MIT
#include "compiler/passes/describe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace zynpu::compiler {

std::string shortened(std::string_view text) {
  constexpr std::size_t kLimit = 60;
  if (text.size() <= kLimit) return std::string(text);
  std::size_t end = kLimit;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // not inside a character
  return std::string(text.substr(0, end)) + "...";
}

std::string describe_op(const ir::Graph& graph, int op) {
  const ir::Op& it = graph.ops[static_cast<std::size_t>(op)];
  if (it.source < 0) return fmt::format("{} +{}", ir::to_string(it.kind), op);
  return fmt::format("{} #{}", ir::to_string(it.kind), it.source);
}

std::string describe_tensor(const ir::Graph& graph, int tensor) {
  if (tensor < 0) return "no tensor";
  return fmt::format("tensor #{} `{}`", tensor,
                     shortened(graph.tensors[static_cast<std::size_t>(tensor)].name));
}

std::string describe_shape(std::span<const std::int32_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

}  // namespace zynpu::compiler
