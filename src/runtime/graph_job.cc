// SPDX-License-Identifier: MIT
#include "runtime/graph_job.h"

#include <algorithm>
#include <cstring>

namespace zynpu::runtime {
namespace {

constexpr std::size_t kPrintfHead = 8;  // {i32 overwrite_flag, i32 write_offset}: graph-format.md 3.6

std::uint32_t load_u32(const std::uint8_t* bytes) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

}  // namespace

Result<LoadedGraph> load_graph(Backend& backend, const graph::Graph& graph, std::string_view device) {
  const part::Part& part = backend.part();
  if (graph.device_word != part.device_word) {
    const auto target = graph::target_name(graph.device_word);
    return fail(ErrorCode::kUnsupported, "the graph is for {}, device {} is a {}",
                target ? std::string(*target) : fmt::format("device word {:#x}", graph.device_word), device,
                part.target);
  }
  if (graph.virtual_profile && !backend.is_virtual())
    return fail(ErrorCode::kUnsupported,
                "the graph was compiled for the virtual {}: its instruction set is not the one of the "
                "silicon, device {} "
                "must not run it",
                part.name, device);

  LoadedGraph loaded;
  graph::LayoutOptions options;
  options.tecs_per_core = part.tecs_per_core;
  options.window_bytes = part.window_bytes;
  ZYNPU_ASSIGN_OR_RETURN(loaded.layout, graph::make_layout(graph, options));
  const graph::Layout& layout = loaded.layout;
  loaded.text_per_job =
      std::any_of(layout.patches.begin(), layout.patches.end(),
                  [](const graph::PatchedWord& word) { return word.block == graph::Block::kText; });
  loaded.buffers.resize(layout.buffers.size());
  for (unsigned i = 0; i < layout.buffers.size(); ++i) {
    const graph::BufferRequest& request = layout.buffers[i];
    if (request.per_job || (request.kind == graph::BufferKind::kText && loaded.text_per_job)) continue;
    ZYNPU_ASSIGN_OR_RETURN(loaded.buffers[i], backend.allocate(request.size, request.alignment));
    Buffer& buffer = *loaded.buffers[i];
    switch (request.kind) {
      case graph::BufferKind::kText:
        std::copy(graph.text.begin(), graph.text.end(), buffer.host().begin());
        break;
      case graph::BufferKind::kConstants:
        std::copy(graph.crodata.begin(), graph.crodata.end(), buffer.host().begin());
        break;
      default:
        ZYNPU_TRY(graph::fill_static(graph, layout, i, buffer.host()));
        break;
    }
    ZYNPU_TRY(buffer.sync_for_device());
  }
  return loaded;
}

Result<std::unique_ptr<GraphJob>> GraphJob::create(Backend& backend, const graph::Graph& graph,
                                                   const LoadedGraph& loaded,
                                                   std::span<const std::vector<std::uint32_t>> shapes) {
  std::unique_ptr<GraphJob> job(new GraphJob(graph, loaded));
  ZYNPU_TRY(job->allocate(backend));
  ZYNPU_TRY(job->set_shapes(shapes));
  ZYNPU_TRY(job->patch(backend));
  return job;
}

Status GraphJob::allocate(Backend& backend) {
  const graph::Layout& layout = loaded_.layout;
  for (std::size_t i = 0; i < layout.buffers.size(); ++i) {
    const graph::BufferRequest& request = layout.buffers[i];
    buffers_.emplace_back();
    if (loaded_.buffers[i] == nullptr) {
      ZYNPU_ASSIGN_OR_RETURN(buffers_[i], backend.allocate(request.size, request.alignment));
    }
    all_.push_back(loaded_.buffers[i] != nullptr ? loaded_.buffers[i].get() : buffers_[i].get());
    const std::span<std::uint8_t> host = all_.back()->host();
    const auto fill = [&](const graph::Bytes& bytes) {
      std::copy(bytes.begin(), bytes.end(), host.begin());
      return host.first(bytes.size());
    };
    switch (request.kind) {
      case graph::BufferKind::kText:
        if (loaded_.text_per_job) blocks_.text = fill(graph_.text);
        break;
      case graph::BufferKind::kParameters:
        blocks_.parameters = fill(graph_.rodata);
        break;
      case graph::BufferKind::kDescriptors:
        blocks_.descriptors = fill(graph_.dcr);
        break;
      case graph::BufferKind::kModelParameters:
        fill(layout.model_parameters);
        break;
      case graph::BufferKind::kPrivateData:
        zeroed_.push_back(host);
        break;
      default:
        break;
    }
  }
  return {};
}

Status GraphJob::patch(Backend& backend) {
  std::vector<std::uint64_t> addresses;
  for (const Buffer* buffer : all_) addresses.push_back(buffer->device_address());
  ZYNPU_TRY(graph::apply(loaded_.layout, addresses, blocks_, backend.part().window_bytes));
  ZYNPU_ASSIGN_OR_RETURN(JobDescription description, describe(backend.part()));
  const bool tsm = backend.part().host_interface == part::HostInterface::kTsm;
  if (!tsm || !description.groups.empty()) {
    ZYNPU_ASSIGN_OR_RETURN(job_, backend.prepare(description));
  }
  for (Buffer* buffer : all_) ZYNPU_TRY(buffer->sync_for_device());
  return {};
}

Result<JobDescription> GraphJob::describe(const part::Part& part) const {
  const graph::Layout& layout = loaded_.layout;
  const auto only = [&](graph::BufferKind kind) -> const Buffer* {
    const std::optional<unsigned> index = layout.find(kind);
    return index ? all_[*index] : nullptr;
  };
  JobDescription description;
  description.virtual_profile = graph_.virtual_profile;
  description.buffers.assign(all_.begin(), all_.end());
  description.text = only(graph::BufferKind::kText);
  description.parameters = only(graph::BufferKind::kParameters);
  if (part.host_interface != part::HostInterface::kTsm) {
    description.entry = graph_.entry;
    description.stack = only(graph::BufferKind::kStack);
    return description;
  }
  for (std::size_t g = 0; g < graph_.subgraphs.size(); ++g) {
    const graph::SubGraph& subgraph = graph_.subgraphs[g];
    const graph::GroupPlace& place = layout.groups[g];
    GroupDescription group;
    group.text = description.text;
    group.text_offset = subgraph.text_offset;
    group.parameters = description.parameters;
    group.parameter_offset = subgraph.rodata_offset;
    group.stack = all_[place.stack];
    group.stack_bytes = place.stack_bytes;
    group.private_data = all_[place.private_data];
    group.private_bytes = place.private_bytes;
    group.constants = only(graph::BufferKind::kConstants);
    group.model_parameters = only(graph::BufferKind::kModelParameters);
    if (subgraph.printf_fifo_size > 0) {
      group.printf_log = only(graph::BufferKind::kPrintf);
      group.printf_offset = static_cast<std::uint32_t>(4096 * g);
    }
    switch (subgraph.precursor_count) {
      case 0:
        group.dependency = GroupDescription::Dependency::kNone;
        break;
      case 1:
        group.dependency = GroupDescription::Dependency::kImmediate;
        break;
      case -1:
        group.dependency = GroupDescription::Dependency::kAll;
        break;
      default:
        return fail(ErrorCode::kBadFile, "sub-graph {}: precursor count {} is not 0, 1 or -1", g,
                    subgraph.precursor_count);
    }
    description.groups.push_back(group);
  }
  return description;
}

std::span<std::uint8_t> GraphJob::memory(const graph::Place& place) const {
  return all_[place.buffer]->host().subspan(place.offset, place.size);
}

std::span<std::uint8_t> GraphJob::memory(const graph::TensorPlace& tensor) const {
  const auto found = replacements_.find(tensor.section);
  if (found == replacements_.end()) return memory(tensor.place);
  const graph::Place& section = loaded_.layout.reuse_sections[tensor.section];
  return found->second.memory->host().subspan(found->second.offset + (tensor.place.offset - section.offset),
                                              tensor.place.size);
}

Status GraphJob::replace_section(unsigned section, std::shared_ptr<Buffer> memory, std::uint64_t offset) {
  const graph::Layout& layout = loaded_.layout;
  if (section >= layout.reuse_sections.size())
    return fail(ErrorCode::kInvalidArgument, "reuse section {} of {}", section, layout.reuse_sections.size());
  const graph::Place& place = layout.reuse_sections[section];
  if (offset > memory->bytes() || place.size > memory->bytes() - offset)
    return fail(ErrorCode::kInvalidArgument,
                "reuse section {} of {} bytes does not fit at {} in a buffer of {} bytes", section,
                place.size, offset, memory->bytes());
  if (job_ != nullptr) {
    std::vector<const Buffer*> touched = {memory.get()};
    for (const auto& [other, replacement] : replacements_)
      if (other != section) touched.push_back(replacement.memory.get());
    ZYNPU_TRY(job_->set_more_buffers(touched));
  }
  graph::move_section(layout, section, memory->device_address() + offset, blocks_);
  for (const graph::BufferKind kind : {graph::BufferKind::kParameters, graph::BufferKind::kDescriptors})
    if (const auto index = layout.find(kind)) ZYNPU_TRY(all_[*index]->sync_for_device());
  replacements_[section] = {std::move(memory), offset};
  return {};
}

Status GraphJob::set_shapes(std::span<const std::vector<std::uint32_t>> shapes) {
  if (shapes.empty()) return {};
  const std::optional<unsigned> block = loaded_.layout.find(graph::BufferKind::kModelParameters);
  if (!block) return fail(ErrorCode::kInvalidArgument, "the graph's shapes are fixed");
  Buffer& buffer = *all_[*block];
  ZYNPU_TRY(graph::write_shapes(graph_, shapes, buffer.host()));
  return buffer.sync_for_device();
}

Status GraphJob::begin_run() {
  for (const std::span<std::uint8_t> memory : zeroed_)
    std::fill(memory.begin(), memory.end(), std::uint8_t{0});
  for (const graph::TensorPlace& code : loaded_.layout.error_codes) {
    const std::span<std::uint8_t> piece = memory(code);
    std::fill(piece.begin(), piece.end(), std::uint8_t{0});
  }
  for (const graph::TensorPlace& log : loaded_.layout.printfs)
    std::fill_n(memory(log).begin(), kPrintfHead, 0);
  for (Buffer* buffer : all_) ZYNPU_TRY(buffer->sync_for_device());
  for (const auto& [section, replacement] : replacements_) ZYNPU_TRY(replacement.memory->sync_for_device());
  return {};
}

Status GraphJob::end_run() {
  for (Buffer* buffer : all_) ZYNPU_TRY(buffer->sync_for_cpu());
  for (const auto& [section, replacement] : replacements_) ZYNPU_TRY(replacement.memory->sync_for_cpu());
  return {};
}

std::uint32_t GraphJob::error_code() const {
  for (const graph::TensorPlace& code : loaded_.layout.error_codes)
    if (const std::uint32_t value = load_u32(memory(code).data()) & 0xFFFF; value != 0) return value;
  return 0;
}

}  // namespace zynpu::runtime
