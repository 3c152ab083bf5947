// SPDX-License-Identifier: MIT
#include "graph/bin.h"

#include <algorithm>
#include <cstring>

#include "graph/bss.h"
#include "graph/stream.h"

namespace zynpu::graph {
namespace {

constexpr std::string_view kMagic = "AIPU BIN";
constexpr std::uint32_t kHeaderBytes = 104;
constexpr std::uint32_t kVersion = 0x05000000;
constexpr std::size_t kSectionAlign = 8;

// Offsets in the header (graph-format.md 2.1, 2.2).
enum HeaderOffset : std::size_t {
  kDevice = 16,
  kVersionWord = 20,
  kBuildVersion = 24,
  kHeaderSize = 28,
  kFileSize = 32,
  kFlag = 40,
  kEntry = 44,
  kText = 48,
  kRodata = 56,
  kDcr = 64,
  kData = 72,
  kBss = 80,
  kMisc = 88,
  kExtra = 96,
  kDtcm = 100,
};

struct Section {
  std::string_view name;
  std::uint64_t offset = 0, size = 0;
  std::uint64_t end() const { return offset + size; }
};

class BinReader {
 public:
  explicit BinReader(std::span<const std::uint8_t> file) : file_(file) {}

  Result<Graph> run() {
    ZYNPU_TRY(header());
    ZYNPU_ASSIGN_OR_RETURN(const Section text, section("text", kText));
    ZYNPU_ASSIGN_OR_RETURN(const Section rodata, section("rodata", kRodata));
    ZYNPU_ASSIGN_OR_RETURN(const Section dcr, section("dcr", kDcr));
    ZYNPU_ASSIGN_OR_RETURN(const Section data, section("data", kData));
    ZYNPU_ASSIGN_OR_RETURN(Section bss, section("bss", kBss));
    Section misc{.name = "misc"};
    if (word(kMisc) != 0 || word(kMisc + 4) != 0) {
      ZYNPU_ASSIGN_OR_RETURN(misc, section("misc", kMisc));
      if (!is_plan(file_.subspan(misc.offset, misc.size)))
        misc.size = 0;  // another compiler's, of unknown meaning
    }
    graph_.text = copy(text);
    graph_.rodata = copy(rodata);
    graph_.dcr = copy(dcr);
    graph_.data = copy(data);
    graph_.plan = copy(misc);
    ZYNPU_TRY(descriptors(bss));
    ZYNPU_TRY(overlaps({text, rodata, dcr, data, bss, misc}));
    if (old_ && !has_remap_) graph_.dcr.clear();  // the old loaders do not fill it then
    ZYNPU_TRY(validate(graph_));
    if (old_) {
      move_dcr_into_rodata();
      ZYNPU_TRY(validate(graph_));
    }
    return std::move(graph_);
  }

 private:
  std::uint32_t word(std::size_t offset) const { return load_u32(file_.data() + offset); }

  Bytes copy(const Section& section) const {
    const auto part =
        file_.subspan(static_cast<std::size_t>(section.offset), static_cast<std::size_t>(section.size));
    return {part.begin(), part.end()};
  }

  Status header() {
    if (file_.size() < kHeaderBytes)
      return fail(ErrorCode::kBadFile, "header: the file has {} bytes, the header {}", file_.size(),
                  kHeaderBytes);
    if (std::memcmp(file_.data(), "AIPU BIN", kMagic.size() + 1) != 0)
      return fail(ErrorCode::kBadFile, "header.magic: not \"AIPU BIN\" followed by a NUL");
    const std::uint32_t major = word(kVersionWord) >> 16 & 0xFF, minor = word(kVersionWord) >> 24;
    old_ = major == 0 && (minor == 3 || minor == 4);
    if (!old_ && !(major == 0 && minor == 5) && !(major == 1 && minor == 1))
      return fail(ErrorCode::kUnsupported, "header.version: {}.{} is none of 0.3, 0.4, 0.5 and 1.1", major,
                  minor);
    header_size_ = word(kHeaderSize);
    if (header_size_ < kHeaderBytes || header_size_ > file_.size() || (old_ && header_size_ != kHeaderBytes))
      return fail(ErrorCode::kBadFile, "header.header_size: {} is not within {}..{}", header_size_,
                  kHeaderBytes, old_ ? kHeaderBytes : file_.size());
    if (word(kFileSize) != file_.size())
      return fail(ErrorCode::kBadFile, "header.file_size: {}, but the file has {} bytes", word(kFileSize),
                  file_.size());
    graph_.device_word = word(kDevice);
    ZYNPU_ASSIGN_OR_RETURN(const Container container, container_of(graph_.device_word));
    if (container != Container::kBin)
      return fail(ErrorCode::kBadFile, "header.device: {:#010x} uses the ELF container", graph_.device_word);
    graph_.build_version = word(kBuildVersion);
    graph_.flags = word(kFlag);
    graph_.entry = word(kEntry);
    graph_.virtual_profile =
        std::equal(kVirtualProfileMark.begin(), kVirtualProfileMark.end(), file_.data() + kExtra);
    graph_.dtcm_kib = word(kDtcm);
    has_remap_ = !old_ || (minor == 4 && (graph_.flags & kFlagRemap) != 0);
    return {};
  }

  Result<Section> section(std::string_view name, std::size_t at) const {
    const Section section{name, word(at), word(at + 4)};
    if (section.offset < header_size_)
      return fail(ErrorCode::kBadFile, "header.{}_offset: {} is inside the header of {} bytes", name,
                  section.offset, header_size_);
    // An empty section has no place; vendor files let its offset point anywhere.
    if (section.size == 0) return Section{name, header_size_, 0};
    if (section.end() > file_.size())
      return fail(ErrorCode::kBadFile, "header.{}_size: {} + {} exceeds the file of {} bytes", name,
                  section.offset, section.size, file_.size());
    return section;
  }

  // Reads BSS and remap block and extends `bss` over both.
  Status descriptors(Section& bss) {
    const auto begin = static_cast<std::size_t>(bss.offset);
    Reader stream(file_.subspan(begin, static_cast<std::size_t>(bss.size)));
    ZYNPU_ASSIGN_OR_RETURN(auto parsed,
                           read_bss(stream, "bss[0]", old_ ? BssVersion::kV03 : BssVersion::kV05));
    graph_.bss.push_back(std::move(parsed));
    std::uint64_t length = stream.position();
    if (has_remap_) {
      Reader reader(file_.subspan(begin + stream.position()));
      ZYNPU_ASSIGN_OR_RETURN(graph_.remap, read_remap(reader));
      length += reader.position();
    }
    bss.size = std::max(bss.size, length);
    return {};
  }

  static Status overlaps(std::vector<Section> sections) {
    std::erase_if(sections, [](const Section& section) { return section.size == 0; });
    std::ranges::sort(sections, {}, &Section::offset);
    for (std::size_t i = 1; i < sections.size(); ++i)
      if (sections[i].offset < sections[i - 1].end())
        return fail(ErrorCode::kBadFile, "header.{}_offset: {} overlaps section {}, which ends at {}",
                    sections[i].name, sections[i].offset, sections[i - 1].name, sections[i - 1].end());
    return {};
  }

  // The old loaders keep dcr directly behind rodata in one allocation. Expects validated remap entries.
  void move_dcr_into_rodata() {
    const auto border = static_cast<std::uint32_t>(graph_.rodata.size());
    for (RemapEntry& entry : graph_.remap) {
      if (entry.type == 1) entry.type = 0, entry.offset += border;
      if (entry.next_type == 1) entry.next_type = 0, entry.next_offset += border;
    }
    graph_.rodata.insert(graph_.rodata.end(), graph_.dcr.begin(), graph_.dcr.end());
    graph_.dcr.clear();
  }

  std::span<const std::uint8_t> file_;
  Graph graph_;
  std::uint32_t header_size_ = 0;
  bool old_ = false, has_remap_ = true;
};

}  // namespace

Result<Graph> read_bin(std::span<const std::uint8_t> file) { return BinReader(file).run(); }

Result<Bytes> write_bin(const Graph& graph) {
  if (auto status = validate(graph); !status)
    return fail(ErrorCode::kInvalidArgument, "cannot write the graph: {}", status.error().message);
  ZYNPU_ASSIGN_OR_RETURN(const Container container, container_of(graph.device_word));
  if (container != Container::kBin)
    return fail(ErrorCode::kInvalidArgument, "device word {:#010x} uses the ELF container",
                graph.device_word);

  Writer writer;
  writer.zeros(kHeaderBytes);
  Writer descriptors;
  write_bss(descriptors, graph.bss.front());
  const std::size_t bss_size = descriptors.bytes.size();
  write_remap(descriptors, graph.remap);

  struct Placed {
    HeaderOffset at;
    const Bytes& bytes;
    std::size_t size;  // as the header says it
  };
  const Placed sections[] = {
      {kText, graph.text, graph.text.size()}, {kRodata, graph.rodata, graph.rodata.size()},
      {kDcr, graph.dcr, graph.dcr.size()},    {kData, graph.data, graph.data.size()},
      {kMisc, graph.plan, graph.plan.size()}, {kBss, descriptors.bytes, bss_size}};
  std::vector<std::pair<std::size_t, std::uint32_t>> words = {
      {kDevice, graph.device_word}, {kVersionWord, kVersion}, {kBuildVersion, graph.build_version},
      {kHeaderSize, kHeaderBytes},  {kFlag, graph.flags},     {kEntry, graph.entry},
      {kDtcm, graph.dtcm_kib}};
  std::uint64_t end = kHeaderBytes;
  for (const Placed& section : sections) end = align_up(end, kSectionAlign) + section.bytes.size();
  if (end > UINT32_MAX)
    return fail(ErrorCode::kInvalidArgument, "the file would have {} bytes, past 4 GiB", end);
  for (const Placed& section : sections) {
    if (section.at == kMisc && section.size == 0) continue;
    writer.align(kSectionAlign);
    words.emplace_back(section.at, static_cast<std::uint32_t>(writer.bytes.size()));
    words.emplace_back(section.at + 4, static_cast<std::uint32_t>(section.size));
    writer.append(section.bytes);
  }
  words.emplace_back(kFileSize, static_cast<std::uint32_t>(writer.bytes.size()));
  std::ranges::copy(kMagic, writer.bytes.begin());
  for (const auto& [offset, value] : words) store_u32(writer.bytes.data() + offset, value);
  if (graph.virtual_profile) std::ranges::copy(kVirtualProfileMark, writer.bytes.begin() + kExtra);
  return std::move(writer.bytes);
}

}  // namespace zynpu::graph
