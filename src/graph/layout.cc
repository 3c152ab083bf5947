// SPDX-License-Identifier: MIT
#include "graph/layout.h"

#include <algorithm>
#include <array>
#include <bit>

#include "graph/notes.h"
#include "graph/stream.h"

namespace zynpu::graph {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kTextPad = 16;        // room for a debugger's two words
constexpr std::uint64_t kOverRead = 0x800;    // the X2 prefetches past the end of weights and feature maps
constexpr std::uint64_t kPrintfBytes = 4096;  // a sub-graph

constexpr std::array kKindNames = {"text",       "constants",   "weights", "zero copy",
                                   "parameters", "descriptors", "stack",   "private data",
                                   "private",    "reuse",       "printf",  "model parameters"};

std::string describe(const BufferRequest& buffer) {
  return fmt::format("{} buffer {}", kKindNames[static_cast<std::size_t>(buffer.kind)], buffer.index);
}

std::uint64_t page_align(std::uint32_t align) { return std::max<std::uint64_t>(align, kPage); }

// Assigns ascending places to sections of one buffer.
struct Cursor {
  std::uint64_t end = 0, alignment = kPage;

  std::uint64_t place(std::uint64_t size, std::uint64_t align) {
    const std::uint64_t at = align_up(end, align);
    end = at + size;
    alignment = std::max(alignment, align);
    return at;
  }
};

class Builder {
 public:
  Builder(const Graph& graph, const LayoutOptions& options) : graph_(graph), options_(options) {}

  Result<Layout> run() {
    ZYNPU_ASSIGN_OR_RETURN(const Container container, container_of(graph_.device_word));
    is_x2_ = container == Container::kElf;
    ZYNPU_TRY(supported());
    bool text_patched = false;
    for (const RemapEntry& entry : graph_.remap) text_patched |= entry.type == 2;
    // Text that holds addresses of one job's blocks cannot be shared between jobs.
    text_ = add(BufferKind::kText, text_patched, 0, graph_.text.size() + kTextPad, kPage);
    if (!graph_.crodata.empty()) add(BufferKind::kConstants, false, 0, graph_.crodata.size(), kPage);
    for (std::size_t i = 0; i < graph_.bss.size(); ++i) static_sections(static_cast<unsigned>(i));
    dynamic_shape();
    parameters_ = add(BufferKind::kParameters, true, 0, graph_.rodata.size(), kPage);
    if (!graph_.dcr.empty()) descriptors_ = add(BufferKind::kDescriptors, true, 0, graph_.dcr.size(), kPage);
    if (is_x2_)
      groups();
    else
      add(BufferKind::kStack, true, 0, graph_.bss.front().stack_size,
          page_align(graph_.bss.front().stack_align));
    place_reuse();
    tensors();
    for (const Bss& bss : graph_.bss) patch_static(bss);
    patch_reuse();
    private_buffers();
    remap();
    if (const std::uint64_t total = layout_.total_bytes(false) + layout_.total_bytes(true);
        total > options_.window_bytes)
      return fail(ErrorCode::kBadFile,
                  "the buffers of the graph and of one job have {} bytes, the address window {}", total,
                  options_.window_bytes);
    return std::move(layout_);
  }

 private:
  Status supported() const {
    if (const Note* note = find_note(graph_, "segmmu"); note != nullptr && load_u32(note->desc.data()) != 0)
      return fail(ErrorCode::kUnsupported, "note segmmu: segment MMU control is not implemented");
    if (find_note(graph_, "extra_weight_name") != nullptr && graph_.bss.size() > 1)
      return fail(ErrorCode::kUnsupported,
                  "note extra_weight_name: weights in other files are not implemented");
    return {};
  }

  unsigned add(BufferKind kind, bool per_job, unsigned index, std::uint64_t size, std::uint64_t alignment) {
    layout_.buffers.push_back({kind, per_job, index, size, alignment});
    return static_cast<unsigned>(layout_.buffers.size() - 1);
  }

  // Weights and zero-copy constants of one BSS, each kind packed in file order.
  void static_sections(unsigned index) {
    if (graph_.data.empty()) return;
    const Bss& bss = graph_.bss[index];
    Cursor weights, zero_copy;
    std::vector<std::uint64_t> offsets;
    bool has_weights = false, has_zero_copy = false;
    for (const StaticSection& section : bss.static_sections) {
      const bool is_zero_copy = section.sub_sections.back().type == SubSectionType::kZeroCopyConstant;
      (is_zero_copy ? has_zero_copy : has_weights) = true;
      offsets.push_back((is_zero_copy ? zero_copy : weights).place(section.size, section.align));
    }
    const std::uint64_t pad = is_x2_ ? kOverRead : 0;
    const unsigned weight_buffer =
        add(BufferKind::kWeights, false, index, (has_weights ? weights.end : kPage) + pad, weights.alignment);
    const unsigned zero_copy_buffer =
        has_zero_copy ? add(BufferKind::kZeroCopy, false, index, zero_copy.end + pad, zero_copy.alignment)
                      : 0;
    for (std::size_t i = 0; i < offsets.size(); ++i) {
      const StaticSection& section = bss.static_sections[i];
      const bool is_zero_copy = section.sub_sections.back().type == SubSectionType::kZeroCopyConstant;
      const Place place{is_zero_copy ? zero_copy_buffer : weight_buffer, offsets[i], section.size};
      layout_.static_copies.push_back({place, section.src_offset});
    }
  }

  void dynamic_shape() {
    const Note* note = find_note(graph_, "globalparam");
    if (note == nullptr || (graph_.flags & kFlagDynamicShape) == 0) return;
    // Only the head of the note is the start value; the dims follow where the head says
    // (graph-format.md 8.7).
    Bytes& block = layout_.model_parameters;
    block.assign(note->desc.size(), 0);
    std::copy_n(note->desc.begin(), 8, block.begin());
    std::size_t at = load_u32(note->desc.data());
    for (const ShapeRange& range : shape_ranges(graph_))
      for (const std::uint32_t extent : range.minimum) {
        store_u32(block.data() + at, extent);
        at += 4;
      }
    add(BufferKind::kModelParameters, true, 0, block.size(), kPage);
  }

  // Groups that may run at the same time need stacks and private data of their own; after a group that waits
  // for all earlier ones, those of the earlier are used again in order (graph-format.md 8.2).
  void groups() {
    std::uint64_t stack_bytes = 0, stack_align = kPage;
    for (const Bss& bss : graph_.bss) {
      stack_align = std::max(stack_align, page_align(bss.stack_align));
      stack_bytes = std::max<std::uint64_t>(stack_bytes, bss.stack_size);
    }
    stack_bytes = align_up(stack_bytes, stack_align);
    const std::uint64_t tasks = options_.tecs_per_core;
    std::vector<unsigned> stacks, data;
    std::size_t slot = 0;
    bool has_printf = false;
    for (const SubGraph& sub : graph_.subgraphs) {
      if (sub.precursor_count == -1) slot = 0;
      const std::uint64_t private_bytes = align_up(sub.private_data_size, kPage);
      if (slot == stacks.size()) {
        const auto number = static_cast<unsigned>(slot);
        stacks.push_back(add(BufferKind::kStack, true, number, tasks * stack_bytes, stack_align));
        data.push_back(add(BufferKind::kPrivateData, true, number, 0, kPage));
      }
      std::uint64_t& data_size = layout_.buffers[data[slot]].size;
      data_size = std::max(data_size, tasks * private_bytes);
      layout_.groups.push_back({stacks[slot], data[slot], static_cast<std::uint32_t>(stack_bytes),
                                static_cast<std::uint32_t>(private_bytes)});
      has_printf |= sub.printf_fifo_size > 0;
      ++slot;
    }
    if (has_printf) add(BufferKind::kPrintf, true, 0, graph_.subgraphs.size() * kPrintfBytes, kPage);
  }

  void place_reuse() {
    const bool is_z1 = (graph_.device_word >> 16 & 0xF) == 1;
    const bool separate = options_.separate_reuse_sections.value_or(is_z1);
    const std::uint64_t pad = is_x2_ ? kOverRead : 0;
    Cursor cursor;
    std::vector<const ReuseSection*> sections;
    for (const Bss& bss : graph_.bss)
      for (const ReuseSection& section : bss.reuse_sections) sections.push_back(&section);
    const unsigned shared = separate ? 0 : add(BufferKind::kReuse, true, 0, 0, kPage);
    for (std::size_t i = 0; i < sections.size(); ++i) {
      const std::uint64_t size = align_up(sections[i]->size, kPage), align = page_align(sections[i]->align);
      if (separate) {
        const unsigned buffer = add(BufferKind::kReuse, true, static_cast<unsigned>(i), size + pad, align);
        layout_.reuse_sections.push_back({buffer, 0, sections[i]->size});
      } else {
        layout_.reuse_sections.push_back({shared, cursor.place(size, align), sections[i]->size});
      }
    }
    if (!separate) {
      layout_.buffers[shared].size = cursor.end + pad;
      layout_.buffers[shared].alignment = cursor.alignment;
    }
  }

  std::vector<TensorPlace>* list_of(SubSectionType type) {
    switch (type) {
      case SubSectionType::kInput:
        return &layout_.inputs;
      case SubSectionType::kOutput:
        return &layout_.outputs;
      case SubSectionType::kInterDump:
        return &layout_.inter_dumps;
      case SubSectionType::kOutputShape:
        return &layout_.output_shapes;
      case SubSectionType::kProfiler:
        return &layout_.profilers;
      case SubSectionType::kPrintf:
        return &layout_.printfs;
      case SubSectionType::kLayerCounter:
        return &layout_.layer_counters;
      case SubSectionType::kErrorCode:
        return &layout_.error_codes;
      default:
        return nullptr;
    }
  }

  static bool is_ordered(SubSectionType type) {
    return type == SubSectionType::kInput || type == SubSectionType::kOutput ||
           type == SubSectionType::kInterDump || type == SubSectionType::kOutputShape;
  }

  void tensors() {
    unsigned number = 0;
    for (const Bss& bss : graph_.bss)
      for (const ReuseSection& section : bss.reuse_sections) {
        const Place& place = layout_.reuse_sections[number];
        for (const SubSection& sub : section.sub_sections)
          if (auto* list = list_of(sub.type)) {
            const std::size_t at =
                is_ordered(sub.type) ? sub.id : list->size();  // ids are a permutation of 0..n-1
            list->resize(std::max(list->size(), at + 1));
            (*list)[at] = {{place.buffer, place.offset + sub.offset, sub.size},
                           number,
                           sub.data_type,
                           sub.scale,
                           sub.zero_point};
          }
        ++number;
      }
  }

  void patch(const std::vector<SubSection>& subs, const Place& section, int number = -1) {
    const auto border = static_cast<std::uint32_t>(graph_.rodata.size());
    for (const SubSection& sub : subs)
      for (const std::uint32_t offset : sub.patch_offsets) {
        const bool in_parameters = offset < border;
        layout_.patches.push_back({.block = in_parameters ? Block::kParameters : Block::kDescriptors,
                                   .offset = in_parameters ? offset : offset - border,
                                   .buffer = section.buffer,
                                   .addend = static_cast<std::uint32_t>(section.offset + sub.offset),
                                   .mask = sub.addr_mask,
                                   .section = number});
      }
  }

  void patch_static(const Bss& bss) {
    for (const StaticSection& section : bss.static_sections)
      patch(section.sub_sections, layout_.static_copies[static_number_++].to);
  }

  void patch_reuse() {
    int number = 0;
    for (const Bss& bss : graph_.bss)
      for (const ReuseSection& section : bss.reuse_sections) {
        patch(section.sub_sections, layout_.reuse_sections[number], number);
        ++number;
      }
  }

  void private_buffers() {
    unsigned buffer = 0;
    bool is_added = false;
    Cursor cursor;
    std::uint64_t size = 0;
    for (const SubGraph& sub : graph_.subgraphs) {
      if (sub.precursor_count == -1) cursor.end = 0;
      for (const ReuseSection& section : sub.private_buffers) {
        if (!is_added) buffer = add(BufferKind::kPrivate, true, 0, 0, kPage);
        is_added = true;
        const std::uint64_t at = cursor.place(align_up(section.size, kPage), page_align(section.align));
        patch(section.sub_sections, {buffer, at, section.size});
        size = std::max(size, cursor.end);
      }
    }
    if (!is_added) return;
    layout_.buffers[buffer].size = size;
    layout_.buffers[buffer].alignment = cursor.alignment;
  }

  void remap() {
    const unsigned buffers[] = {parameters_, descriptors_, text_};
    for (const RemapEntry& entry : graph_.remap)
      layout_.patches.push_back({.block = static_cast<Block>(entry.type),
                                 .offset = entry.offset,
                                 .buffer = buffers[entry.next_type],
                                 .addend = entry.next_offset,
                                 .mask = 0xFFFFFFFF,
                                 .section = -1});
  }

  const Graph& graph_;
  const LayoutOptions& options_;
  Layout layout_;
  bool is_x2_ = false;
  unsigned text_ = 0, parameters_ = 0, descriptors_ = 0;
  std::size_t static_number_ = 0;
};

}  // namespace

std::optional<unsigned> Layout::find(BufferKind kind, unsigned index) const {
  for (std::size_t i = 0; i < buffers.size(); ++i)
    if (buffers[i].kind == kind && buffers[i].index == index) return static_cast<unsigned>(i);
  return std::nullopt;
}

std::uint64_t Layout::total_bytes(bool per_job) const {
  std::uint64_t total = 0;
  for (const BufferRequest& buffer : buffers)
    if (buffer.per_job == per_job) total += buffer.size;
  return total;
}

namespace {

void patch_word(const PatchedWord& patch, std::uint32_t address, const Blocks& blocks) {
  const std::span<std::uint8_t> spans[] = {blocks.parameters, blocks.descriptors, blocks.text};
  std::uint8_t* word = spans[static_cast<std::size_t>(patch.block)].data() + patch.offset;
  store_u32(word, (address & patch.mask) | (load_u32(word) & ~patch.mask));
}

}  // namespace

Result<Layout> make_layout(const Graph& graph, const LayoutOptions& options) {
  return Builder(graph, options).run();
}

Status fill_static(const Graph& graph, const Layout& layout, unsigned buffer,
                   std::span<std::uint8_t> memory) {
  for (const StaticCopy& copy : layout.static_copies) {
    if (copy.to.buffer != buffer) continue;
    if (copy.to.offset + copy.to.size > memory.size() || copy.source + copy.to.size > graph.data.size())
      return fail(ErrorCode::kInvalidArgument, "{} bytes of memory for {} with a section at {} + {}",
                  memory.size(), describe(layout.buffers[buffer]), copy.to.offset, copy.to.size);
    std::copy_n(graph.data.begin() + copy.source, copy.to.size,
                memory.begin() + static_cast<std::ptrdiff_t>(copy.to.offset));
  }
  return {};
}

Status apply(const Layout& layout, std::span<const std::uint64_t> addresses, const Blocks& blocks,
             std::uint64_t window_bytes) {
  if (addresses.size() != layout.buffers.size())
    return fail(ErrorCode::kInvalidArgument, "{} addresses for {} buffers", addresses.size(),
                layout.buffers.size());
  const std::uint64_t limit = std::min<std::uint64_t>(window_bytes, std::uint64_t{1} << 32);
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const BufferRequest& buffer = layout.buffers[i];
    if (addresses[i] % buffer.alignment != 0)
      return fail(ErrorCode::kInvalidArgument, "{}: address {:#x} is not aligned to {:#x}", describe(buffer),
                  addresses[i], buffer.alignment);
    if (addresses[i] > limit || buffer.size > limit - addresses[i])
      return fail(ErrorCode::kInvalidArgument, "{}: {:#x} + {:#x} bytes is past the address window of {:#x}",
                  describe(buffer), addresses[i], buffer.size, limit);
  }
  const std::span<std::uint8_t> spans[] = {blocks.parameters, blocks.descriptors, blocks.text};
  for (const PatchedWord& patch : layout.patches)
    if (const std::size_t size = spans[static_cast<std::size_t>(patch.block)].size();
        size < 4 || patch.offset > size - 4)
      return fail(ErrorCode::kInvalidArgument, "block {} has {} bytes, a word at {} is patched",
                  static_cast<unsigned>(patch.block), size, patch.offset);
  for (const PatchedWord& patch : layout.patches)
    patch_word(patch, static_cast<std::uint32_t>(addresses[patch.buffer]) + patch.addend, blocks);
  return {};
}

void move_section(const Layout& layout, unsigned section, std::uint64_t address, const Blocks& blocks) {
  const auto shift = static_cast<std::uint32_t>(address - layout.reuse_sections[section].offset);
  for (const PatchedWord& patch : layout.patches)
    if (patch.section == static_cast<int>(section)) patch_word(patch, shift + patch.addend, blocks);
}

Status write_shapes(const Graph& graph, std::span<const std::vector<std::uint32_t>> shapes,
                    std::span<std::uint8_t> block) {
  const std::vector<ShapeRange> ranges = shape_ranges(graph);
  if (shapes.size() != ranges.size())
    return fail(ErrorCode::kInvalidArgument, "shapes for {} inputs, the graph has {}", shapes.size(),
                ranges.size());
  const auto elements = [](const std::vector<std::uint32_t>& shape) {
    std::uint64_t product = 1;
    for (const std::uint32_t extent : shape) product *= extent;
    return product;
  };
  std::size_t words = 0;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const auto& [minimum, maximum] = ranges[i];
    if (shapes[i].size() != minimum.size())
      return fail(ErrorCode::kInvalidArgument, "input {}: a shape of rank {}, the graph's has {}", i,
                  shapes[i].size(), minimum.size());
    for (std::size_t d = 0; d < minimum.size(); ++d)
      if (shapes[i][d] < minimum[d] || shapes[i][d] > maximum[d])
        return fail(ErrorCode::kInvalidArgument, "input {}: extent {} is {}, must be within {}..{}", i, d,
                    shapes[i][d], minimum[d], maximum[d]);
    if (const std::uint64_t count = elements(shapes[i]);
        count < elements(minimum) || count > elements(maximum))
      return fail(ErrorCode::kInvalidArgument, "input {}: {} elements, must be within {}..{}", i, count,
                  elements(minimum), elements(maximum));
    words += shapes[i].size();
  }
  const Note* note = find_note(graph, "globalparam");
  if (note == nullptr) return fail(ErrorCode::kInvalidArgument, "the graph's shapes are fixed");
  std::size_t at = load_u32(note->desc.data());
  if (at + 4 * words > block.size())
    return fail(ErrorCode::kInvalidArgument, "{} extents at {} of a parameter block of {} bytes", words, at,
                block.size());
  for (const std::vector<std::uint32_t>& shape : shapes)
    for (const std::uint32_t extent : shape) {
      store_u32(block.data() + at, extent);
      at += 4;
    }
  return {};
}

}  // namespace zynpu::graph
