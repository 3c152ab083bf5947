// SPDX-License-Identifier: MIT
#include "graph/stable.h"

#include <fmt/format.h>

#include "graph/dump.h"
#include "graph/graph.h"
#include "graph/layout.h"
#include "graph/plan.h"

namespace zynpu::graph {
namespace {

std::string check_refusal(const Error& error) {
  if (error.code != ErrorCode::kBadFile && error.code != ErrorCode::kUnsupported)
    return fmt::format("refused with code {}: {}", static_cast<int>(error.code), error.message);
  return error.message.empty() ? "refused without a message" : "";
}

std::string check_layout(const Graph& graph) {
  const auto layout = make_layout(graph);
  if (!layout) return check_refusal(layout.error());
  std::vector<std::uint64_t> addresses;
  std::uint64_t cursor = 0;
  for (const BufferRequest& buffer : layout->buffers) {
    cursor = (cursor + buffer.alignment - 1) & ~(buffer.alignment - 1);
    addresses.push_back(cursor);
    cursor += buffer.size;
  }
  for (const BufferRequest& buffer : layout->buffers) {
    // Real memory only for what a test can afford.
    if ((buffer.kind != BufferKind::kWeights && buffer.kind != BufferKind::kZeroCopy) ||
        buffer.size > (1u << 24))
      continue;
    const auto number = static_cast<unsigned>(&buffer - layout->buffers.data());
    Bytes memory(static_cast<std::size_t>(buffer.size));
    if (auto status = fill_static(graph, *layout, number, memory); !status) return status.error().message;
  }
  Bytes parameters = graph.rodata, descriptors = graph.dcr, text = graph.text;
  const auto status = apply(*layout, addresses, {parameters, descriptors, text});
  // Alignments above a page can push the last buffers out of the window; nothing else may fail.
  if (!status && cursor <= part::kAsid0Limit) return status.error().message;
  return "";
}

std::string check_model(std::span<const std::uint8_t> file) {
  const auto plan = read_model(file);
  if (!plan) return check_refusal(plan.error());
  const auto written = write_model(*plan);
  if (!written) return "accepted model is not writable: " + written.error().message;
  const auto again = read_model(*written);
  if (!again) return "written model is not readable: " + again.error().message;
  if (dump(*again) != dump(*plan)) return "the model reads back differently";
  const auto rewritten = write_model(*again);
  return rewritten && *rewritten == *written ? "" : "the model's bytes are not stable";
}

}  // namespace

std::string instability(std::span<const std::uint8_t> file, bool* accepted) {
  const auto graph = read(file);
  if (accepted != nullptr) *accepted = graph.has_value();
  if (!graph) return check_refusal(graph.error());
  const auto written = write(*graph);
  if (!written) return "accepted graph is not writable: " + written.error().message;
  auto again = read(*written);
  if (!again) return "written graph is not readable: " + again.error().message;
  const auto rewritten = write(*again);
  if (!rewritten || *rewritten != *written) return "the graph's bytes are not stable";
  if (graph->comment.empty()) again->comment.clear();  // the writer puts the target name
  if (*again != *graph) return "the graph reads back differently";
  if (std::string problem = check_layout(*graph); !problem.empty()) return problem;
  return check_model(file);
}

}  // namespace zynpu::graph
