// SPDX-License-Identifier: MIT
#include "graph/elf.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "graph/bss.h"
#include "graph/notes.h"
#include "graph/stream.h"

namespace zynpu::graph {
namespace {

constexpr std::uint8_t kIdent[] = {0x7F, 'E', 'L', 'F'};
constexpr std::uint32_t kTypeExec = 2, kMachine = 0x29A, kVersion = 1;
constexpr std::uint32_t kProgBits = 1, kStrTab = 3, kNote = 7, kNoBits = 8;
constexpr std::uint32_t kAlloc = 2, kExecute = 4;
constexpr std::uint32_t kReservedIndex = 0xFF00;  // section numbers from here on have special meanings
constexpr std::uint32_t kEhdr32 = 52, kShdr32 = 40, kEhdr64 = 64, kShdr64 = 64, kPhdr32 = 32, kPhdr64 = 56;
constexpr std::string_view kComment = "target:X2_1204MP3;";
constexpr std::uint32_t kMessageBytes = 48, kMessageMinimum = 16, kMessageVersion = 0x01010000;
constexpr std::size_t kSubGraphBytes = 64;  // with no precursor id and no private buffer

std::string_view as_text(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class ElfReader {
 public:
  explicit ElfReader(std::span<const std::uint8_t> file) : file_(file) {}

  Result<Graph> run(const std::function<Status(Graph&)>& complete) {
    ZYNPU_TRY(header());
    ZYNPU_TRY(sections());
    ZYNPU_ASSIGN_OR_RETURN(const auto text, required_section(".text"));
    ZYNPU_ASSIGN_OR_RETURN(const auto note, required_section(".note.aipu"));
    graph_.text.assign(text.begin(), text.end());
    graph_.crodata = section_bytes(".rodata");
    const Bytes comment = section_bytes(".comment");
    graph_.comment = as_text(comment);
    ZYNPU_TRY(notes(note));
    ZYNPU_TRY(compilermsg());  // first: it says whether the rest may be understood at all
    ZYNPU_ASSIGN_OR_RETURN(graph_.rodata, required_note("rodata"));
    graph_.dcr = take_note("desc");
    graph_.data = take_note("weight");
    graph_.plan = take_note(kPlanNote);
    ZYNPU_TRY(fmlist());
    ZYNPU_TRY(remap());
    ZYNPU_TRY(subgraphs());
    if (complete) ZYNPU_TRY(complete(graph_));
    ZYNPU_TRY(validate(graph_));
    return std::move(graph_);
  }

 private:
  struct Section {
    std::string name;
    std::uint64_t offset = 0, size = 0;
  };

  template <class... Args>
  static tl::unexpected<Error> bad(fmt::format_string<Args...> format, Args&&... args) {
    return fail(ErrorCode::kBadFile, format, std::forward<Args>(args)...);
  }

  std::uint32_t u16(std::uint64_t at) const { return load_u16(file_.data() + at); }
  std::uint32_t u32(std::uint64_t at) const { return load_u32(file_.data() + at); }
  // A word of the file's class: 4 bytes at `at32` or 8 bytes at `at64`.
  std::uint64_t native(std::uint64_t at32, std::uint64_t at64) const {
    return wide_ ? load_u64(file_.data() + at64) : u32(at32);
  }

  Status range(std::string_view what, std::uint64_t offset, std::uint64_t size) const {
    if (offset > file_.size() || size > file_.size() - offset)
      return bad("{}: {} bytes at offset {} exceed the file of {} bytes", what, size, offset, file_.size());
    return {};
  }

  Status header() {
    if (file_.size() < kEhdr32)
      return bad("e_ident: the file has {} bytes, an ELF header {}", file_.size(), kEhdr32);
    if (!std::equal(std::begin(kIdent), std::end(kIdent), file_.begin())) return bad("e_ident: no ELF magic");
    if (file_[4] != 1 && file_[4] != 2) return bad("e_ident: class {}, must be 1 or 2", file_[4]);
    if (file_[5] != 1) return bad("e_ident: data {}, must be 1 (little-endian)", file_[5]);
    wide_ = file_[4] == 2;
    if (wide_ && file_.size() < kEhdr64)
      return bad("e_ident: the file has {} bytes, an ELF64 header {}", file_.size(), kEhdr64);
    if (u16(16) != kTypeExec) return bad("e_type: {}, must be {}", u16(16), kTypeExec);
    if (u16(18) != kMachine) return bad("e_machine: {:#x}, must be {:#x}", u16(18), kMachine);
    if (u32(20) != kVersion) return bad("e_version: {}, must be {}", u32(20), kVersion);
    const std::uint32_t header_bytes = wide_ ? kEhdr64 : kEhdr32, ehsize = u16(wide_ ? 52 : 40);
    if (ehsize != header_bytes) return bad("e_ehsize: {}, must be {}", ehsize, header_bytes);
    const std::uint32_t phentsize = u16(wide_ ? 54 : 42), phnum = u16(wide_ ? 56 : 44);
    if (phnum != 0) {
      if (phentsize != (wide_ ? kPhdr64 : kPhdr32)) return bad("e_phentsize: {}", phentsize);
      ZYNPU_TRY(range("e_phoff", native(28, 32), std::uint64_t{phentsize} * phnum));
    }
    return {};
  }

  Status sections() {
    const std::uint64_t table = native(32, 40);
    const std::uint32_t entry = u16(wide_ ? 58 : 46), count = u16(wide_ ? 60 : 48),
                        names = u16(wide_ ? 62 : 50);
    if (count == 0) return bad("e_shnum: 0, there are no sections");
    if (entry != (wide_ ? kShdr64 : kShdr32)) return bad("e_shentsize: {}", entry);
    ZYNPU_TRY(range("e_shoff", table, std::uint64_t{entry} * count));
    if (names >= count || names >= kReservedIndex) return bad("e_shstrndx: {} of {} sections", names, count);
    const auto offset_of = [&](std::uint64_t header) { return native(header + 16, header + 24); };
    const auto size_of = [&](std::uint64_t header) { return native(header + 20, header + 32); };
    const std::uint64_t names_header = table + std::uint64_t{entry} * names;
    if (u32(names_header + 4) != kStrTab) return bad("e_shstrndx: section {} is no string table", names);
    ZYNPU_TRY(range("section .shstrtab: sh_offset", offset_of(names_header), size_of(names_header)));
    const std::string_view strings = as_text(file_.subspan(static_cast<std::size_t>(offset_of(names_header)),
                                                           static_cast<std::size_t>(size_of(names_header))));

    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint64_t header = table + std::uint64_t{entry} * i;
      const std::uint32_t type = u32(header + 4);
      if (type == 0) continue;
      const std::uint32_t name_at = u32(header);
      const std::size_t name_end =
          name_at < strings.size() ? strings.find('\0', name_at) : std::string_view::npos;
      if (name_end == std::string_view::npos)
        return bad("section {}: sh_name {} is no terminated name in .shstrtab", i, name_at);
      Section section{std::string(strings.substr(name_at, name_end - name_at)), offset_of(header),
                      size_of(header)};
      if (type == kNoBits) section.offset = section.size = 0;
      ZYNPU_TRY(
          range(fmt::format("section {} `{}`: sh_offset", i, section.name), section.offset, section.size));
      if (is_used(section.name)) ZYNPU_TRY(keep(std::move(section)));
    }
    return overlaps(table, std::uint64_t{entry} * count);
  }

  static bool is_used(std::string_view name) {
    return name == ".text" || name == ".note.aipu" || name == ".rodata" || name == ".comment";
  }

  Status keep(Section section) {
    if (find(section.name) != nullptr) return bad("section {}: appears twice", section.name);
    sections_.push_back(std::move(section));
    return {};
  }

  const Section* find(std::string_view name) const {
    const auto found = std::ranges::find(sections_, name, &Section::name);
    return found == sections_.end() ? nullptr : &*found;
  }

  Status overlaps(std::uint64_t table, std::uint64_t table_bytes) const {
    std::vector<Section> all = sections_;
    all.push_back({"(ELF header)", 0, wide_ ? kEhdr64 : kEhdr32});
    all.push_back({"(section headers)", table, table_bytes});
    std::erase_if(all, [](const Section& section) { return section.size == 0; });
    std::ranges::sort(all, {}, &Section::offset);
    for (std::size_t i = 1; i < all.size(); ++i)
      if (all[i].offset < all[i - 1].offset + all[i - 1].size)
        return bad("section {}: sh_offset {} overlaps {}", all[i].name, all[i].offset, all[i - 1].name);
    return {};
  }

  std::span<const std::uint8_t> bytes_of(const Section& section) const {
    return file_.subspan(static_cast<std::size_t>(section.offset), static_cast<std::size_t>(section.size));
  }
  Bytes section_bytes(std::string_view name) const {
    const Section* section = find(name);
    if (section == nullptr) return {};
    const auto bytes = bytes_of(*section);
    return {bytes.begin(), bytes.end()};
  }
  Result<std::span<const std::uint8_t>> required_section(std::string_view name) const {
    const Section* section = find(name);
    if (section == nullptr) return bad("section {}: missing", name);
    if (section->size == 0) return bad("section {}: has no data", name);
    return bytes_of(*section);
  }

  // Splits the section into notes: those with fields of their own go to core_, the others to the graph.
  Status notes(std::span<const std::uint8_t> bytes) {
    Reader reader(bytes);
    while (reader.remaining() > 0) {
      const std::size_t at = reader.position();
      const auto field = [&](std::string_view name) {
        return fmt::format("section .note.aipu: note at {}: {}", at, name);
      };
      ZYNPU_ASSIGN_OR_RETURN(const auto name_bytes, reader.u32(field("namesz")));
      ZYNPU_ASSIGN_OR_RETURN(const auto desc_bytes, reader.u32(field("descsz")));
      ZYNPU_TRY(reader.u32(field("type")).map([](auto) {}));
      ZYNPU_ASSIGN_OR_RETURN(const auto name_padded, reader.take(align_up(name_bytes, 4), field("namesz")));
      // The last note may lack its padding.
      ZYNPU_ASSIGN_OR_RETURN(const auto desc, reader.take(desc_bytes, field("descsz")));
      const std::size_t padding = static_cast<std::size_t>(align_up(desc_bytes, 4) - desc_bytes);
      ZYNPU_TRY(reader.take(std::min(padding, reader.remaining()), field("descsz")).map([](auto) {}));
      const std::string_view text = as_text(name_padded.first(name_bytes));
      if (name_bytes < 2 || text.find('\0') != name_bytes - 1)
        return bad("{}", field("name is empty or not terminated within namesz"));
      if (desc.empty()) continue;
      const std::string name(text.substr(0, name_bytes - 1));
      if (!is_core_note(name))
        graph_.notes.push_back({name, {desc.begin(), desc.end()}});  // validate() refuses doubles
      else if (!core_.emplace(name, desc).second)
        return bad("note {}: appears twice", name);
    }
    return {};
  }

  Result<std::span<const std::uint8_t>> core_note(std::string_view name) const {
    const auto found = core_.find(name);
    if (found == core_.end()) return bad("note {}: missing or empty", name);
    return found->second;
  }
  Result<Bytes> required_note(std::string_view name) const {
    return core_note(name).map([](auto bytes) { return Bytes(bytes.begin(), bytes.end()); });
  }
  Bytes take_note(std::string_view name) const { return required_note(name).value_or(Bytes{}); }

  Status compilermsg() {
    ZYNPU_ASSIGN_OR_RETURN(const auto bytes, core_note("compilermsg"));
    if (bytes.size() < kMessageMinimum)
      return bad("note compilermsg: descsz {} is below {}", bytes.size(), kMessageMinimum);
    graph_.build_version = load_u32(bytes.data() + 4);
    graph_.device_word = load_u32(bytes.data() + 8);
    graph_.flags = load_u32(bytes.data() + 12);
    ZYNPU_ASSIGN_OR_RETURN(const Container container, container_of(graph_.device_word));
    if (container != Container::kElf)
      return bad("note compilermsg: device {:#010x} uses the AIPU BIN container", graph_.device_word);
    return {};
  }

  Status fmlist() {
    ZYNPU_ASSIGN_OR_RETURN(const auto bytes, core_note("fmlist"));
    Reader reader(bytes);
    ZYNPU_TRY(reader.take(8, "note fmlist: reserved").map([](auto) {}));
    ZYNPU_ASSIGN_OR_RETURN(const auto count, reader.count("note fmlist: num_fm_descriptor", 32));
    for (std::uint32_t i = 0; i < count; ++i) {
      ZYNPU_ASSIGN_OR_RETURN(auto bss, read_bss(reader, fmt::format("bss[{}]", i), BssVersion::kV05));
      graph_.bss.push_back(std::move(bss));
    }
    return {};
  }

  Status remap() {
    const auto bytes = core_note("remap");
    if (!bytes) return {};
    Reader reader(*bytes);
    ZYNPU_ASSIGN_OR_RETURN(graph_.remap, read_remap(reader));
    return {};
  }

  static Result<SubGraph> subgraph(Reader& reader, std::string_view where) {
    ZYNPU_ASSIGN_OR_RETURN(const auto words, reader.take(56, where));
    const auto word = [&](std::size_t offset) { return load_u32(words.data() + offset); };
    SubGraph sub;
    sub.text_offset = word(8);
    sub.bss = word(12);
    sub.rodata_offset = word(16);
    sub.rodata_size = word(20);
    sub.dcr_offset = word(24);
    sub.dcr_size = word(28);
    sub.printf_fifo_size = word(32);
    sub.profiler_offset = word(36);
    sub.private_data_size = word(40);
    ZYNPU_ASSIGN_OR_RETURN(const auto precursors, reader.u32(fmt::format("{}.precursor_cnt", where)));
    sub.precursor_count = static_cast<std::int32_t>(precursors);
    if (sub.precursor_count < -1 || sub.precursor_count > 1)
      return bad("{}.precursor_cnt: {}, must be 0, 1 or -1", where, sub.precursor_count);
    if (sub.precursor_count == 1) {
      ZYNPU_ASSIGN_OR_RETURN(const auto id, reader.u32(fmt::format("{}.precursor", where)));
      sub.precursors.push_back(id);
    }
    ZYNPU_ASSIGN_OR_RETURN(const auto buffers, reader.count(fmt::format("{}.private_buffer_cnt", where), 16));
    for (std::uint32_t i = 0; i < buffers; ++i) {
      ZYNPU_ASSIGN_OR_RETURN(auto section, read_reuse_section(reader, fmt::format("{}.private[{}]", where, i),
                                                              BssVersion::kV05));
      sub.private_buffers.push_back(std::move(section));
    }
    return sub;
  }

  Status subgraphs() {
    ZYNPU_ASSIGN_OR_RETURN(const auto bytes, core_note("subgraphs"));
    Reader reader(bytes);
    ZYNPU_ASSIGN_OR_RETURN(const auto count, reader.count("note subgraphs: subgraphs_cnt", kSubGraphBytes));
    for (std::uint32_t i = 0; i < count; ++i) {
      ZYNPU_ASSIGN_OR_RETURN(auto sub, subgraph(reader, fmt::format("subgraphs[{}]", i)));
      graph_.subgraphs.push_back(std::move(sub));
    }
    return {};
  }

  std::span<const std::uint8_t> file_;
  bool wide_ = false;
  std::vector<Section> sections_;
  std::map<std::string, std::span<const std::uint8_t>, std::less<>> core_;
  Graph graph_;
};

void add_note(Writer& writer, std::string_view name, std::span<const std::uint8_t> desc) {
  if (desc.empty()) return;
  writer.u32(static_cast<std::uint32_t>(name.size() + 1));
  writer.u32(static_cast<std::uint32_t>(desc.size()));
  writer.u32(0);
  writer.append(name);
  writer.zeros(1);
  writer.align(4);
  writer.append(desc);
  writer.align(4);
}

Bytes encode_fmlist(const Graph& graph) {
  Writer writer;
  writer.zeros(8);
  writer.u32(static_cast<std::uint32_t>(graph.bss.size()));
  for (const Bss& bss : graph.bss) write_bss(writer, bss);
  return std::move(writer.bytes);
}

Bytes encode_subgraphs(const Graph& graph) {
  Writer writer;
  writer.u32(static_cast<std::uint32_t>(graph.subgraphs.size()));
  std::uint32_t id = 0;
  for (const SubGraph& sub : graph.subgraphs) {
    for (const std::uint32_t word :
         {id++, 0u, sub.text_offset, sub.bss, sub.rodata_offset, sub.rodata_size, sub.dcr_offset,
          sub.dcr_size, sub.printf_fifo_size, sub.profiler_offset, sub.private_data_size, 0u, 0u, 0u})
      writer.u32(word);
    writer.i32(sub.precursor_count);
    for (const std::uint32_t precursor : sub.precursors) writer.u32(precursor);
    writer.u32(static_cast<std::uint32_t>(sub.private_buffers.size()));
    for (const ReuseSection& section : sub.private_buffers) write_reuse_section(writer, section);
  }
  return std::move(writer.bytes);
}

Bytes encode_notes(const Graph& graph) {
  Writer writer;
  add_note(writer, "rodata", graph.rodata);
  add_note(writer, "desc", graph.dcr);
  add_note(writer, "weight", graph.data);
  add_note(writer, "fmlist", encode_fmlist(graph));
  if (!graph.remap.empty()) {
    Writer remap;
    write_remap(remap, graph.remap);
    add_note(writer, "remap", remap.bytes);
  }
  add_note(writer, "subgraphs", encode_subgraphs(graph));
  Writer message;
  message.u32(kMessageVersion);
  message.u32(graph.build_version);
  message.u32(graph.device_word);
  message.u32(graph.flags);
  message.zeros(kMessageBytes - message.bytes.size());
  add_note(writer, "compilermsg", message.bytes);
  for (const Note& note : graph.notes) add_note(writer, note.name, note.desc);
  add_note(writer, kPlanNote, graph.plan);
  return std::move(writer.bytes);
}

struct OutputSection {
  std::string_view name;
  std::uint32_t type, flags, align;
  std::span<const std::uint8_t> bytes;
};

Result<Bytes> assemble(std::span<const OutputSection> sections) {
  Writer names;
  names.zeros(1);
  Writer writer;
  writer.zeros(kEhdr32);
  Writer headers;
  headers.zeros(kShdr32);
  const auto add = [&](const OutputSection& section) {
    writer.align(section.align);
    const std::uint32_t words[] = {static_cast<std::uint32_t>(names.bytes.size()),
                                   section.type,
                                   section.flags,
                                   0,
                                   static_cast<std::uint32_t>(writer.bytes.size()),
                                   static_cast<std::uint32_t>(section.bytes.size()),
                                   0,
                                   0,
                                   section.align,
                                   0};
    names.append(section.name);
    names.zeros(1);
    for (const std::uint32_t word : words) headers.u32(word);
    writer.append(section.bytes);
  };
  std::uint64_t total = 0;
  for (const OutputSection& section : sections) total += align_up(section.bytes.size(), section.align);
  if (total > UINT32_MAX - 4096)
    return fail(ErrorCode::kInvalidArgument, "the file's sections have {} bytes, past 4 GiB", total);
  for (const OutputSection& section : sections) add(section);
  // The names of all sections, this one's included, must stand before it is placed.
  Bytes all_names = names.bytes;
  for (const char c : std::string_view(".shstrtab\0", 10)) all_names.push_back(static_cast<std::uint8_t>(c));
  add({".shstrtab", kStrTab, 0, 1, all_names});
  writer.align(4);
  const auto table = static_cast<std::uint32_t>(writer.bytes.size());
  writer.append(headers.bytes);

  const auto count = static_cast<std::uint32_t>(sections.size() + 2);
  Writer head;
  head.append(kIdent);
  head.bytes.insert(head.bytes.end(), 3, 1);  // ELF32, little-endian, version
  head.align(16);
  head.u16(kTypeExec);
  head.u16(kMachine);
  head.u32(kVersion);
  head.zeros(8);  // entry, program headers
  head.u32(table);
  head.u32(0);
  for (const std::uint32_t half : {kEhdr32, 0u, 0u, kShdr32, count, count - 1}) head.u16(half);
  std::ranges::copy(head.bytes, writer.bytes.begin());
  return std::move(writer.bytes);
}

}  // namespace

Result<Graph> read_elf(std::span<const std::uint8_t> file) { return ElfReader(file).run({}); }

Result<Graph> read_elf(std::span<const std::uint8_t> file, const std::function<Status(Graph&)>& complete) {
  return ElfReader(file).run(complete);
}

Result<Bytes> write_elf(const Graph& graph) {
  if (auto status = validate(graph); !status)
    return fail(ErrorCode::kInvalidArgument, "cannot write the graph: {}", status.error().message);
  ZYNPU_ASSIGN_OR_RETURN(const Container container, container_of(graph.device_word));
  if (container != Container::kElf)
    return fail(ErrorCode::kInvalidArgument, "device word {:#010x} uses the AIPU BIN container",
                graph.device_word);
  const Bytes notes = encode_notes(graph);
  const std::string_view comment = graph.comment.empty() ? kComment : std::string_view(graph.comment);
  const std::span<const std::uint8_t> comment_bytes(reinterpret_cast<const std::uint8_t*>(comment.data()),
                                                    comment.size());
  std::vector<OutputSection> sections = {{".text", kProgBits, kAlloc | kExecute, 16, graph.text},
                                         {".note.aipu", kNote, 0, 4, notes}};
  if (!graph.crodata.empty()) sections.push_back({".rodata", kProgBits, kAlloc, 16, graph.crodata});
  sections.push_back({".comment", kProgBits, 0, 1, comment_bytes});
  return assemble(sections);
}

}  // namespace zynpu::graph
