// SPDX-License-Identifier: MIT
#include "graph/notes.h"

#include <algorithm>
#include <array>
#include <set>

#include "graph/layout.h"
#include "graph/stream.h"
#include "part/part.h"

namespace zynpu::graph {
namespace {

constexpr std::array<std::string_view, 8> kCoreNotes = {"rodata", "desc",      "weight",      "fmlist",
                                                        "remap",  "subgraphs", "compilermsg", kPlanNote};
constexpr std::size_t kGmConfigBytes = 56, kGmBufferOffset = 24, kGmBufferBytes = 16, kGmBuffers = 2;
constexpr std::size_t kSegmentMmuBytes = 56;
constexpr std::uint32_t kMaxRank = 16;
constexpr std::size_t kHashItemBytes = 40;
constexpr std::size_t kSha256Digits = 64;

std::size_t count_sections(const Graph& graph, bool reuse) {
  std::size_t count = 0;
  for (const Bss& bss : graph.bss) count += reuse ? bss.reuse_sections.size() : bss.static_sections.size();
  return count;
}

std::size_t count_tensors(const Graph& graph, SubSectionType type) {
  std::size_t count = 0;
  for (const Bss& bss : graph.bss)
    for (const ReuseSection& section : bss.reuse_sections)
      count += static_cast<std::size_t>(std::ranges::count(section.sub_sections, type, &SubSection::type));
  return count;
}

Status check_gmconfig(const Graph& graph, const Bytes& desc) {
  if (desc.size() < kGmBufferOffset || desc.size() > kGmConfigBytes)
    return fail(ErrorCode::kBadFile, "note gmconfig: descsz {} is not within {}..{}", desc.size(),
                kGmBufferOffset, kGmConfigBytes);
  const std::uint32_t buffers = load_u32(desc.data()) & 0xF;
  if (buffers > kGmBuffers || kGmBufferOffset + buffers * kGmBufferBytes > desc.size())
    return fail(ErrorCode::kBadFile,
                "note gmconfig: GM_control names {} buffers, the note of {} bytes holds at most {}", buffers,
                desc.size(), (desc.size() - kGmBufferOffset) / kGmBufferBytes);
  for (std::uint32_t i = 0; i < buffers; ++i) {
    const std::uint8_t* buffer = desc.data() + kGmBufferOffset + i * kGmBufferBytes;
    const std::uint32_t fm_index = load_u32(buffer), type = load_u32(buffer + 4),
                        index = load_u32(buffer + 8);
    if (fm_index != 0)
      return fail(ErrorCode::kBadFile, "note gmconfig: buffer {}: fm_index is {}, must be 0", i, fm_index);
    if (type > 1)
      return fail(ErrorCode::kBadFile, "note gmconfig: buffer {}: buf_type is {}, must be 0 or 1", i, type);
    const std::size_t sections = count_sections(graph, type == 0);
    if (index >= sections)
      return fail(ErrorCode::kBadFile,
                  "note gmconfig: buffer {}: buf_index is {}, the graph has {} {} sections", i, index,
                  sections, type == 0 ? "reuse" : "static");
  }
  return {};
}

Status check_segmmu(const Bytes& desc) {
  Reader reader(desc);
  ZYNPU_ASSIGN_OR_RETURN(const auto num, reader.count("note segmmu: num", kSegmentMmuBytes));
  const unsigned cores = part::find("x2")->cores;
  if (num > 1 && num != cores)
    return fail(ErrorCode::kBadFile, "note segmmu: num is {}, must be 0, 1 or the {} cores", num, cores);
  if (reader.remaining() != num * kSegmentMmuBytes)
    return fail(ErrorCode::kBadFile, "note segmmu: descsz {} does not match {} entries", desc.size(), num);
  return {};
}

Result<std::vector<std::uint32_t>> read_shape(Reader& reader, std::string_view what) {
  ZYNPU_ASSIGN_OR_RETURN(const auto rank, reader.count(fmt::format("{}: rank", what), 4));
  if (rank == 0 || rank > kMaxRank)
    return fail(ErrorCode::kBadFile, "{}: rank {} is not within 1..{}", what, rank, kMaxRank);
  std::vector<std::uint32_t> shape(rank);
  std::uint64_t product = 1;
  for (std::uint32_t& extent : shape) {
    ZYNPU_ASSIGN_OR_RETURN(extent, reader.u32(what));
    if (extent == 0) return fail(ErrorCode::kBadFile, "{}: dim is 0", what);
    if (__builtin_mul_overflow(product, static_cast<std::uint64_t>(extent), &product) || product > UINT32_MAX)
      return fail(ErrorCode::kBadFile, "{}: the product of the dims exceeds {} elements", what, UINT32_MAX);
  }
  return shape;
}

Result<std::vector<ShapeRange>> read_constraints(const Bytes& desc) {
  Reader reader(desc);
  ZYNPU_ASSIGN_OR_RETURN(const auto count, reader.count("note inputshapeconstraint: count", 4));
  if (count % 2 != 0)
    return fail(ErrorCode::kBadFile, "note inputshapeconstraint: count {} is odd, shapes come in pairs",
                count);
  std::vector<ShapeRange> constraints(count / 2);
  for (std::size_t i = 0; i < constraints.size(); ++i) {
    auto& [minimum, maximum] = constraints[i];
    const std::string what = fmt::format("note inputshapeconstraint: input {}", i);
    ZYNPU_ASSIGN_OR_RETURN(minimum, read_shape(reader, what + " minimum"));
    ZYNPU_ASSIGN_OR_RETURN(maximum, read_shape(reader, what + " maximum"));
    if (minimum.size() != maximum.size())
      return fail(ErrorCode::kBadFile, "{}: rank {} of the minimum differs from rank {} of the maximum", what,
                  minimum.size(), maximum.size());
    for (std::size_t d = 0; d < minimum.size(); ++d)
      if (minimum[d] > maximum[d])
        return fail(ErrorCode::kBadFile, "{}: dim {}: minimum {} exceeds maximum {}", what, d, minimum[d],
                    maximum[d]);
  }
  return constraints;
}

// Both notes of dynamic shapes: they only make sense together.
Status check_dynamic_shape(const Graph& graph) {
  const Note* parameters = find_note(graph, "globalparam");
  const Note* constraint = find_note(graph, "inputshapeconstraint");
  if ((graph.flags & kFlagDynamicShape) != 0) {
    if (parameters == nullptr)
      return fail(ErrorCode::kBadFile, "note globalparam: missing, but flag bit 6 is set");
    if (constraint == nullptr)
      return fail(ErrorCode::kBadFile, "note inputshapeconstraint: missing, but flag bit 6 is set");
    const std::size_t outputs = count_tensors(graph, SubSectionType::kOutput);
    const std::size_t shapes = count_tensors(graph, SubSectionType::kOutputShape);
    if (shapes != outputs)
      return fail(ErrorCode::kBadFile,
                  "sub_section type 16: {} output shapes for {} outputs of a dynamic graph", shapes, outputs);
  }
  std::uint64_t words = 0;
  if (constraint != nullptr) {
    ZYNPU_ASSIGN_OR_RETURN(const auto constraints, read_constraints(constraint->desc));
    const std::size_t inputs = count_tensors(graph, SubSectionType::kInput);
    if (constraints.size() != inputs)
      return fail(ErrorCode::kBadFile, "note inputshapeconstraint: count {} does not match {} inputs",
                  2 * constraints.size(), inputs);
    for (const ShapeRange& shape : constraints) words += shape.minimum.size();
  }
  if (parameters != nullptr) {
    const Bytes& desc = parameters->desc;
    if (desc.size() < 8)
      return fail(ErrorCode::kBadFile, "note globalparam: descsz {} is below the 8 bytes of its head",
                  desc.size());
    const std::uint64_t offset = load_u32(desc.data());
    if (offset >= desc.size() || offset + 4 * words > desc.size())
      return fail(ErrorCode::kBadFile,
                  "note globalparam: input_shape_offset {} with {} dims exceeds the note of {} bytes", offset,
                  words, desc.size());
  }
  return {};
}

Status check_file_name(std::string_view text, std::uint64_t index) {
  const auto bad = [&](std::string_view why) {
    return fail(ErrorCode::kBadFile, "note extra_weight_name: file {}: {}", index, why);
  };
  const std::size_t plus = text.rfind('+');
  if (plus == std::string_view::npos) return bad("no '+' between name and hash");
  const std::string_view name = text.substr(0, plus), hash = text.substr(plus + 1);
  if (name.empty() || name == "." || name == "..") return bad("no file name");
  if (std::ranges::any_of(name, [](char c) { return c == '/' || c == '\\' || c == '\0'; }))
    return bad("the name holds a path separator or a NUL");
  const auto is_digit = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  };
  if (hash.size() != kSha256Digits || !std::ranges::all_of(hash, is_digit))
    return bad(fmt::format("the hash is not {} hexadecimal digits", kSha256Digits));
  return {};
}

Status check_extra_weights(const Graph& graph, const Bytes& desc) {
  Reader reader(desc);
  ZYNPU_ASSIGN_OR_RETURN(const auto count, reader.u64("note extra_weight_name: count"));
  // BSS k takes file k-1; BSS 0 has the weight note.
  if (count != graph.bss.size() - 1)
    return fail(ErrorCode::kBadFile,
                "note extra_weight_name: count {} does not match {} BSS (one file each but the first)", count,
                graph.bss.size());
  for (std::uint64_t i = 0; i < count; ++i) {
    ZYNPU_ASSIGN_OR_RETURN(const auto length, reader.u64("note extra_weight_name: len"));
    ZYNPU_ASSIGN_OR_RETURN(const auto text, reader.take(length, "note extra_weight_name: name"));
    ZYNPU_TRY(check_file_name({reinterpret_cast<const char*>(text.data()), text.size()}, i));
  }
  return {};
}

Status check_hash_table(const Graph& graph, const Bytes& desc) {
  Reader reader(desc);
  ZYNPU_ASSIGN_OR_RETURN(const auto tables, reader.count("note constanthashtable: tables", 4));
  if (tables != graph.bss.size())
    return fail(ErrorCode::kBadFile, "note constanthashtable: {} tables for {} BSS", tables,
                graph.bss.size());
  for (std::uint32_t table = 0; table < tables; ++table) {
    ZYNPU_ASSIGN_OR_RETURN(const auto items, reader.count("note constanthashtable: items", kHashItemBytes));
    ZYNPU_TRY(
        reader.take(items * std::uint64_t{kHashItemBytes}, "note constanthashtable: item").map([](auto) {}));
  }
  return {};
}

}  // namespace

bool is_core_note(std::string_view name) { return std::ranges::find(kCoreNotes, name) != kCoreNotes.end(); }

const Note* find_note(const Graph& graph, std::string_view name) {
  const auto found = std::ranges::find(graph.notes, name, &Note::name);
  return found == graph.notes.end() ? nullptr : &*found;
}

Status validate_notes(const Graph& graph) {
  std::set<std::string_view> names;
  for (const Note& note : graph.notes) {
    if (note.name.empty() || note.name.find('\0') != std::string::npos)
      return fail(ErrorCode::kBadFile, "note {}: the name is empty or holds a NUL", names.size());
    if (is_core_note(note.name))
      return fail(ErrorCode::kBadFile, "note {}: stands among the optional notes", note.name);
    if (!names.insert(note.name).second)
      return fail(ErrorCode::kBadFile, "note {}: appears twice", note.name);
    if (note.desc.empty()) return fail(ErrorCode::kBadFile, "note {}: descsz is 0", note.name);
    if (note.desc.size() > UINT32_MAX)
      return fail(ErrorCode::kBadFile, "note {}: descsz {} exceeds 32 bits", note.name, note.desc.size());
    if (note.name == "gmconfig") ZYNPU_TRY(check_gmconfig(graph, note.desc));
    if (note.name == "segmmu") ZYNPU_TRY(check_segmmu(note.desc));
    if (note.name == "extra_weight_name") ZYNPU_TRY(check_extra_weights(graph, note.desc));
    if (note.name == "constanthashtable") ZYNPU_TRY(check_hash_table(graph, note.desc));
  }
  return check_dynamic_shape(graph);
}

std::vector<ShapeRange> shape_ranges(const Graph& graph) {
  if ((graph.flags & kFlagDynamicShape) == 0) return {};
  const Note* note = find_note(graph, "inputshapeconstraint");
  if (note == nullptr) return {};
  auto ranges = read_constraints(note->desc);
  return ranges ? std::move(*ranges) : std::vector<ShapeRange>();
}

}  // namespace zynpu::graph
