// SPDX-License-Identifier: MIT
#include "graph/bss.h"

#include <bit>

namespace zynpu::graph {
namespace {

constexpr std::uint64_t kStaticBytes = 16, kSubBytes = 48, kRemapBytes = 16;
constexpr std::uint64_t reuse_bytes(BssVersion version) { return version == BssVersion::kV03 ? 12 : 16; }

Result<SubSection> read_sub_section(Reader& reader, std::string_view where, BssVersion version) {
  ZYNPU_ASSIGN_OR_RETURN(const auto words, reader.take(kSubBytes - 4, where));
  const auto word = [&](std::size_t offset) { return load_u32(words.data() + offset); };
  SubSection sub;
  sub.offset = word(0);
  sub.size = word(4);
  sub.type = static_cast<SubSectionType>(word(8));
  sub.id = word(12);
  sub.data_type = word(16);
  if (version == BssVersion::kV05) {  // before, these words describe a shape, which has no use here
    sub.scale = std::bit_cast<float>(word(20));
    sub.zero_point = static_cast<std::int32_t>(word(24));
  }
  sub.addr_mask = word(40);
  ZYNPU_ASSIGN_OR_RETURN(const auto patches, reader.count(fmt::format("{}.offset_in_ro_cnt", where), 4));
  sub.patch_offsets.reserve(patches);
  for (std::uint32_t i = 0; i < patches; ++i) {
    ZYNPU_ASSIGN_OR_RETURN(const auto offset, reader.u32(where));
    sub.patch_offsets.push_back(offset);
  }
  return sub;
}

Status read_sub_sections(Reader& reader, std::string_view where, BssVersion version,
                         std::vector<SubSection>& subs) {
  ZYNPU_ASSIGN_OR_RETURN(const auto count, reader.count(fmt::format("{}.sub_section_cnt", where), kSubBytes));
  subs.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    ZYNPU_ASSIGN_OR_RETURN(auto sub, read_sub_section(reader, fmt::format("{}.sub[{}]", where, i), version));
    subs.push_back(std::move(sub));
  }
  return {};
}

void write_sub_sections(Writer& writer, const std::vector<SubSection>& subs) {
  writer.u32(static_cast<std::uint32_t>(subs.size()));
  for (const SubSection& sub : subs) {
    writer.u32(sub.offset);
    writer.u32(sub.size);
    writer.u32(static_cast<std::uint32_t>(sub.type));
    writer.u32(sub.id);
    writer.u32(sub.data_type);
    writer.f32(sub.scale);
    writer.i32(sub.zero_point);
    writer.zeros(12);
    writer.u32(sub.addr_mask);
    writer.u32(static_cast<std::uint32_t>(sub.patch_offsets.size()));
    for (const std::uint32_t offset : sub.patch_offsets) writer.u32(offset);
  }
}

}  // namespace

Result<ReuseSection> read_reuse_section(Reader& reader, std::string_view where, BssVersion version) {
  ReuseSection section;
  ZYNPU_ASSIGN_OR_RETURN(section.size, reader.u32(fmt::format("{}.size", where)));
  ZYNPU_ASSIGN_OR_RETURN(section.align, reader.u32(fmt::format("{}.align_bytes", where)));
  if (version == BssVersion::kV05) ZYNPU_TRY(reader.take(4, fmt::format("{}.type", where)).map([](auto) {}));
  ZYNPU_TRY(read_sub_sections(reader, where, version, section.sub_sections));
  return section;
}

Result<Bss> read_bss(Reader& reader, std::string_view where, BssVersion version) {
  Bss bss;
  ZYNPU_ASSIGN_OR_RETURN(bss.stack_size, reader.u32(fmt::format("{}.stack_size", where)));
  ZYNPU_ASSIGN_OR_RETURN(bss.stack_align, reader.u32(fmt::format("{}.stack_align_bytes", where)));
  ZYNPU_ASSIGN_OR_RETURN(const auto statics,
                         reader.count(fmt::format("{}.static_section_desc_cnt", where), kStaticBytes));
  ZYNPU_ASSIGN_OR_RETURN(const auto reuses,
                         reader.count(fmt::format("{}.reuse_section_desc_cnt", where), reuse_bytes(version)));
  // Said here, because without sections whatever follows would be misread.
  if (reuses == 0) return fail(ErrorCode::kBadFile, "{}.reuse_section_desc_cnt: 0", where);
  bss.static_sections.reserve(statics);
  for (std::uint32_t i = 0; i < statics; ++i) {
    const std::string name = fmt::format("{}.static[{}]", where, i);
    StaticSection section;
    ZYNPU_ASSIGN_OR_RETURN(section.src_offset, reader.u32(name + ".src_offset"));
    ZYNPU_ASSIGN_OR_RETURN(section.size, reader.u32(name + ".size"));
    ZYNPU_ASSIGN_OR_RETURN(section.align, reader.u32(name + ".align_bytes"));
    ZYNPU_TRY(read_sub_sections(reader, name, version, section.sub_sections));
    bss.static_sections.push_back(std::move(section));
  }
  bss.reuse_sections.reserve(reuses);
  for (std::uint32_t i = 0; i < reuses; ++i) {
    ZYNPU_ASSIGN_OR_RETURN(auto section,
                           read_reuse_section(reader, fmt::format("{}.reuse[{}]", where, i), version));
    bss.reuse_sections.push_back(std::move(section));
  }
  return bss;
}

Result<std::vector<RemapEntry>> read_remap(Reader& reader) {
  ZYNPU_ASSIGN_OR_RETURN(const auto count, reader.count("remap.entry_cnt", kRemapBytes));
  std::vector<RemapEntry> remap;
  remap.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    ZYNPU_ASSIGN_OR_RETURN(const auto words, reader.take(kRemapBytes, "remap.entry"));
    remap.push_back({load_u32(words.data()), load_u32(words.data() + 4), load_u32(words.data() + 8),
                     load_u32(words.data() + 12)});
  }
  return remap;
}

void write_reuse_section(Writer& writer, const ReuseSection& section) {
  writer.u32(section.size);
  writer.u32(section.align);
  writer.u32(0);
  write_sub_sections(writer, section.sub_sections);
}

void write_bss(Writer& writer, const Bss& bss) {
  writer.u32(bss.stack_size);
  writer.u32(bss.stack_align);
  writer.u32(static_cast<std::uint32_t>(bss.static_sections.size()));
  writer.u32(static_cast<std::uint32_t>(bss.reuse_sections.size()));
  for (const StaticSection& section : bss.static_sections) {
    writer.u32(section.src_offset);
    writer.u32(section.size);
    writer.u32(section.align);
    write_sub_sections(writer, section.sub_sections);
  }
  for (const ReuseSection& section : bss.reuse_sections) write_reuse_section(writer, section);
}

void write_remap(Writer& writer, const std::vector<RemapEntry>& remap) {
  writer.u32(static_cast<std::uint32_t>(remap.size()));
  for (const RemapEntry& entry : remap) {
    writer.u32(entry.type);
    writer.u32(entry.offset);
    writer.u32(entry.next_type);
    writer.u32(entry.next_offset);
  }
}

}  // namespace zynpu::graph
