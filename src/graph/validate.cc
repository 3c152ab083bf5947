// SPDX-License-Identifier: MIT
// The rules of graph-format.md 5.2 and 10 on the in-memory form. Vendor loaders lack most of them; each one
// missing was seen to crash or to damage memory there.
#include <array>
#include <bit>
#include <cmath>

#include "graph/graph.h"
#include "graph/notes.h"
#include "graph/stream.h"

namespace zynpu::graph {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kWindow = part::kAsid0Limit;
constexpr std::uint32_t kMaxOutputShapeBytes = 4 * 16;

bool is_known_data_type(std::uint32_t type) {
  return type <= 13 || (type >= 0x12 && type <= 0x15) || (type >= 0x20 && type <= 0x23);
}

// Lists whose position is the tensor's id (graph-format.md 2.7).
constexpr std::array<SubSectionType, 4> kOrderedTypes = {SubSectionType::kInput, SubSectionType::kOutput,
                                                         SubSectionType::kInterDump,
                                                         SubSectionType::kOutputShape};

class Validator {
 public:
  explicit Validator(const Graph& graph) : graph_(graph) {}

  Status run() {
    ZYNPU_ASSIGN_OR_RETURN(container_, container_of(graph_.device_word));
    has_extra_weights_ = find_note(graph_, "extra_weight_name") != nullptr;
    ZYNPU_TRY(blocks());
    ZYNPU_TRY(container_ == Container::kBin ? bin() : elf());
    for (std::size_t i = 0; i < graph_.bss.size(); ++i) ZYNPU_TRY(bss(i));
    ZYNPU_TRY(tensor_ids());
    for (std::size_t i = 0; i < graph_.subgraphs.size(); ++i) ZYNPU_TRY(subgraph(i));
    ZYNPU_TRY(remap());
    ZYNPU_TRY(memory());
    return validate_notes(graph_);
  }

 private:
  template <class... Args>
  static tl::unexpected<Error> bad(fmt::format_string<Args...> format, Args&&... args) {
    return fail(ErrorCode::kBadFile, format, std::forward<Args>(args)...);
  }

  Status blocks() const {
    if (graph_.text.empty()) return bad("text: size is 0");
    if (graph_.rodata.empty()) return bad("rodata: size is 0");
    const std::pair<std::string_view, const Bytes&> all[] = {
        {"text", graph_.text}, {"rodata", graph_.rodata},   {"dcr", graph_.dcr},
        {"data", graph_.data}, {"crodata", graph_.crodata}, {"plan", graph_.plan}};
    if (!graph_.plan.empty() && !is_plan(graph_.plan)) return bad("plan: not marked \"{}\"", kPlanIdentifier);
    std::uint64_t total = 0;
    for (const auto& [name, bytes] : all) {
      total += bytes.size();
      if (bytes.size() > UINT32_MAX || total > UINT32_MAX)
        return bad("{}: size {} takes the file past 4 GiB", name, bytes.size());
    }
    return {};
  }

  Status bin() const {
    if (graph_.bss.size() != 1) return bad("bss: an AIPU BIN holds exactly one, not {}", graph_.bss.size());
    if (!graph_.subgraphs.empty()) return bad("subgraphs: an AIPU BIN holds none");
    if (!graph_.notes.empty()) return bad("note {}: an AIPU BIN holds none", graph_.notes.front().name);
    if (!graph_.crodata.empty()) return bad("crodata: an AIPU BIN holds none");
    if (!graph_.comment.empty()) return bad("comment: an AIPU BIN holds none");
    if (std::uint64_t{graph_.entry} + 4 > graph_.text.size())
      return bad("entry: {} + 4 exceeds text_size {}", graph_.entry, graph_.text.size());
    // START_PC carries flags in its low nibble, so nothing else can be started.
    if (graph_.entry % 16 != 0) return bad("entry: {} is not a multiple of 16", graph_.entry);
    const bool has_dtcm = (graph_.device_word >> 16 & 0xF) == 4;
    const std::uint32_t dtcm = graph_.dtcm_kib;
    if (dtcm != 0 && !has_dtcm) return bad("extra_data[4..7]: DTCM of {} KiB on a part without DTCM", dtcm);
    if (dtcm != 0 && dtcm != 512 && (dtcm % 1024 != 0 || dtcm > 32 * 1024))
      return bad("extra_data[4..7]: DTCM of {} KiB is neither 512 KiB nor 1..32 MiB", dtcm);
    return {};
  }

  Status elf() const {
    if (graph_.bss.empty()) return bad("fmlist: num_fm_descriptor is 0");
    if (graph_.entry != 0)
      return bad("entry: {}, but an ELF graph starts at its sub-graphs' text_offset", graph_.entry);
    if (graph_.dtcm_kib != 0) return bad("dtcm_kib: {}, but an ELF graph has no DTCM", graph_.dtcm_kib);
    if (graph_.virtual_profile) return bad("virtual_profile: the X2 has none, its programs are genuine");
    return {};
  }

  Status patches(const SubSection& sub, std::string_view where) const {
    const std::uint64_t border = graph_.rodata.size(), end = border + graph_.dcr.size();
    for (std::size_t i = 0; i < sub.patch_offsets.size(); ++i) {
      const std::uint64_t offset = sub.patch_offsets[i];
      if (offset + 4 > end)
        return bad("{}.offset_in_ro[{}]: {} + 4 exceeds rodata_size + dcr_size {}", where, i, offset, end);
      if (offset < border && offset + 4 > border)
        return bad("{}.offset_in_ro[{}]: the word at {} straddles the border of rodata and dcr at {}", where,
                   i, offset, border);
      if (offset % 4 != 0) return bad("{}.offset_in_ro[{}]: {} is not a multiple of 4", where, i, offset);
    }
    return {};
  }

  Status sub_section(const SubSection& sub, std::uint64_t section_size, std::string_view where) const {
    if (std::uint64_t{sub.offset} + sub.size > section_size)
      return bad("{}.offset_in_section: {} + size {} exceeds the section's {} bytes", where, sub.offset,
                 sub.size, section_size);
    if (!is_known_data_type(sub.data_type)) return bad("{}.data_type: {} is unknown", where, sub.data_type);
    if (!std::isfinite(sub.scale)) return bad("{}.scale: not finite", where);
    return patches(sub, where);
  }

  static Status alignment(std::uint32_t align, std::string_view where, std::string_view field) {
    if (!std::has_single_bit(align)) return bad("{}.{}: {} is not a power of two", where, field, align);
    return {};
  }

  // BSS k > 0 may take its data from a file of its own (graph-format.md 8.8), whose size is not known here.
  Status static_section(const StaticSection& section, bool data_is_here, std::string_view where) const {
    if (data_is_here && graph_.data.empty()) return bad("{}: a static section, but data_size is 0", where);
    if (data_is_here && std::uint64_t{section.src_offset} + section.size > graph_.data.size())
      return bad("{}.src_offset: {} + size {} exceeds data_size {}", where, section.src_offset, section.size,
                 graph_.data.size());
    ZYNPU_TRY(alignment(section.align, where, "align_bytes"));
    if (section.sub_sections.empty()) return bad("{}.sub_section_cnt: 0, the section has no type", where);
    for (std::size_t i = 0; i < section.sub_sections.size(); ++i) {
      const SubSection& sub = section.sub_sections[i];
      const std::string name = fmt::format("{}.sub[{}]", where, i);
      if (sub.type != SubSectionType::kConstant && sub.type != SubSectionType::kZeroCopyConstant)
        return bad("{}.type: {} in a static section, must be 4 or 15", name,
                   static_cast<std::uint32_t>(sub.type));
      if (sub.type != section.sub_sections.front().type)
        return bad("{}.type: {} differs from the {} of the same section", name,
                   static_cast<std::uint32_t>(sub.type),
                   static_cast<std::uint32_t>(section.sub_sections.front().type));
      ZYNPU_TRY(sub_section(sub, section.size, name));
    }
    return {};
  }

  Status reuse_sub_section(const SubSection& sub, bool is_private, std::string_view where) const {
    const auto type = static_cast<std::uint32_t>(sub.type);
    switch (sub.type) {
      case SubSectionType::kConstant:
      case SubSectionType::kZeroCopyConstant:
        return bad("{}.type: {} in a reuse section", where, type);
      case SubSectionType::kInput:
      case SubSectionType::kOutput:
      case SubSectionType::kInterDump:
        if (is_private) return bad("{}.type: {} in a private buffer", where, type);
        break;
      case SubSectionType::kOutputShape:
        if (is_private) return bad("{}.type: {} in a private buffer", where, type);
        if (sub.size < 4 || sub.size > kMaxOutputShapeBytes || sub.size % 4 != 0)
          return bad("{}.size: an output shape of {} bytes is not 1..16 words", where, sub.size);
        break;
      case SubSectionType::kPrintf:
        if (sub.size < 8)
          return bad("{}.size: a printf log of {} bytes has no room for its 8-byte head", where, sub.size);
        break;
      case SubSectionType::kErrorCode:
        if (sub.size < 4) return bad("{}.size: an error code of {} bytes", where, sub.size);
        break;
      case SubSectionType::kSegmentMmu:
        if (container_ == Container::kElf && ((sub.id & 0xFF) > 1 || (sub.id >> 8 & 0xFF) > 3))
          return bad("{}.id: {:#x} names control word {} of segment {}", where, sub.id, sub.id & 0xFF,
                     sub.id >> 8 & 0xFF);
        break;
      default:
        break;
    }
    return {};
  }

  Status reuse_section(const ReuseSection& section, bool is_private, std::string_view where) const {
    if (section.size == 0) return bad("{}.size: 0", where);
    ZYNPU_TRY(alignment(section.align, where, "align_bytes"));
    for (std::size_t i = 0; i < section.sub_sections.size(); ++i) {
      const std::string name = fmt::format("{}.sub[{}]", where, i);
      ZYNPU_TRY(reuse_sub_section(section.sub_sections[i], is_private, name));
      ZYNPU_TRY(sub_section(section.sub_sections[i], section.size, name));
    }
    return {};
  }

  Status bss(std::size_t index) const {
    const Bss& bss = graph_.bss[index];
    const std::string where = fmt::format("bss[{}]", index);
    if (bss.stack_size == 0) return bad("{}.stack_size: 0", where);
    if (bss.stack_align == 0) return bad("{}.stack_align_bytes: 0", where);
    ZYNPU_TRY(alignment(bss.stack_align, where, "stack_align_bytes"));
    if (bss.reuse_sections.empty()) return bad("{}.reuse_section_desc_cnt: 0", where);
    const bool data_is_here = index == 0 || !has_extra_weights_;
    for (std::size_t i = 0; i < bss.static_sections.size(); ++i)
      ZYNPU_TRY(static_section(bss.static_sections[i], data_is_here, fmt::format("{}.static[{}]", where, i)));
    for (std::size_t i = 0; i < bss.reuse_sections.size(); ++i)
      ZYNPU_TRY(reuse_section(bss.reuse_sections[i], false, fmt::format("{}.reuse[{}]", where, i)));
    return {};
  }

  Status tensor_ids() const {
    for (const SubSectionType type : kOrderedTypes) {
      std::vector<std::uint32_t> ids;
      for (const Bss& bss : graph_.bss)
        for (const ReuseSection& section : bss.reuse_sections)
          for (const SubSection& sub : section.sub_sections)
            if (sub.type == type) ids.push_back(sub.id);
      std::vector<bool> seen(ids.size());
      for (const std::uint32_t id : ids) {
        if (id >= ids.size())
          return bad("sub_section.id: {} of the {} tensors of type {}", id, ids.size(),
                     static_cast<std::uint32_t>(type));
        if (seen[id])
          return bad("sub_section.id: {} appears twice among the tensors of type {}", id,
                     static_cast<std::uint32_t>(type));
        seen[id] = true;
      }
    }
    return {};
  }

  Status subgraph(std::size_t index) const {
    const SubGraph& sub = graph_.subgraphs[index];
    const std::string where = fmt::format("subgraphs[{}]", index);
    if (sub.text_offset >= graph_.text.size())
      return bad("{}.text_offset: {} is not inside .text of {} bytes", where, sub.text_offset,
                 graph_.text.size());
    if (sub.bss >= graph_.bss.size())
      return bad("{}.fm_desc_offset: {} of {} BSS", where, sub.bss, graph_.bss.size());
    if (sub.rodata_offset >= graph_.rodata.size())
      return bad("{}.rodata_offset: {} is not inside rodata of {} bytes", where, sub.rodata_offset,
                 graph_.rodata.size());
    if (sub.private_data_size == 0) return bad("{}.private_data_size: 0", where);
    if (sub.precursor_count < -1 || sub.precursor_count > 1)
      return bad("{}.precursor_cnt: {}, must be 0, 1 or -1", where, sub.precursor_count);
    if (sub.precursors.size() != (sub.precursor_count == 1 ? 1u : 0u))
      return bad("{}.precursor_cnt: {} with {} ids", where, sub.precursor_count, sub.precursors.size());
    for (const std::uint32_t id : sub.precursors)
      if (id >= index) return bad("{}.precursor: {} is not an earlier sub-graph", where, id);
    for (std::size_t i = 0; i < sub.private_buffers.size(); ++i)
      ZYNPU_TRY(reuse_section(sub.private_buffers[i], true, fmt::format("{}.private[{}]", where, i)));
    return {};
  }

  Status remap() const {
    const Bytes* blocks[] = {&graph_.rodata, &graph_.dcr, &graph_.text};
    for (std::size_t i = 0; i < graph_.remap.size(); ++i) {
      const RemapEntry& entry = graph_.remap[i];
      if (entry.type > 2) return bad("remap[{}].type: {}, must be 0, 1 or 2", i, entry.type);
      if (entry.next_type > 2) return bad("remap[{}].next_type: {}, must be 0, 1 or 2", i, entry.next_type);
      const std::uint64_t size = blocks[entry.type]->size(), next_size = blocks[entry.next_type]->size();
      if (std::uint64_t{entry.offset} + 4 > size)
        return bad("remap[{}].next_addr_entry_offset: {} + 4 exceeds the block of {} bytes", i, entry.offset,
                   size);
      if (entry.offset % 4 != 0)
        return bad("remap[{}].next_addr_entry_offset: {} is not a multiple of 4", i, entry.offset);
      if (entry.next_offset >= next_size)
        return bad("remap[{}].next_offset: {} is not inside the block of {} bytes", i, entry.next_offset,
                   next_size);
    }
    return {};
  }

  // Sums stay below 2^63: fewer than 2^28 sections of at most 2^32 bytes, each moved by less than 2^31.
  Status memory() const {
    std::uint64_t weights = 0, reuse = 0, stack = 0, private_buffers = 0;
    for (const Bss& bss : graph_.bss) {
      std::uint64_t cursor = 0;
      for (const StaticSection& section : bss.static_sections)
        cursor = align_up(cursor, section.align) + section.size;
      weights += cursor;
      stack = std::max(stack, align_up(bss.stack_size, std::max<std::uint64_t>(bss.stack_align, kPage)));
      for (const ReuseSection& section : bss.reuse_sections)
        reuse =
            align_up(reuse, std::max<std::uint64_t>(section.align, kPage)) + align_up(section.size, kPage);
    }
    for (const SubGraph& sub : graph_.subgraphs) {
      std::uint64_t cursor = 0;
      for (const ReuseSection& section : sub.private_buffers)
        cursor =
            align_up(cursor, std::max<std::uint64_t>(section.align, kPage)) + align_up(section.size, kPage);
      private_buffers = std::max(private_buffers, cursor + sub.private_data_size);
    }
    const std::pair<std::string_view, std::uint64_t> sums[] = {{"static sections", weights},
                                                               {"reuse sections", reuse},
                                                               {"stack_size", stack},
                                                               {"private buffers", private_buffers}};
    std::uint64_t total =
        graph_.text.size() + graph_.rodata.size() + graph_.dcr.size() + graph_.crodata.size();
    for (const auto& [name, bytes] : sums) {
      total += bytes;
      if (total > kWindow)
        return bad("{}: {} bytes take the graph past the address window of {} bytes", name, bytes, kWindow);
    }
    return {};
  }

  const Graph& graph_;
  Container container_ = Container::kBin;
  bool has_extra_weights_ = false;
};

}  // namespace

Status validate(const Graph& graph) { return Validator(graph).run(); }

}  // namespace zynpu::graph
