// SPDX-License-Identifier: MIT
#include "compat/vendor_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <map>
#include <set>
#include <string_view>

namespace zynpu::test {
namespace {

using u32 = std::uint32_t;
using u64 = std::uint64_t;
using Span = std::span<const std::uint8_t>;

constexpr unsigned kCrash = kCrashStatus;

// A cursor over words; reading past the end is noted once and gives 0.
struct Cursor {
  Span bytes;
  u64 at = 0;
  bool overrun = false;

  u32 word() {
    if (at + 4 > bytes.size()) {
      overrun = true;
      return 0;
    }
    u32 value = 0;
    std::memcpy(&value, bytes.data() + at, 4);
    at += 4;
    return value;
  }
  void skip(u64 words) { at += 4 * words; }
};

u32 word_at(Span bytes, u64 at) { return Cursor{bytes, at, false}.word(); }

class Checker {
 public:
  explicit Checker(Span file) : file_(file) {}

  std::vector<VendorComplaint> run() {
    static constexpr std::string_view kBin = "AIPU BIN", kElf = "\177ELF";
    const std::string_view text(reinterpret_cast<const char*>(file_.data()), file_.size());
    if (text.size() < 16)
      complain(0x8, "file of {} bytes", text.size());
    else if (text.starts_with(kBin))
      bin();
    else if (text.starts_with(kElf))
      elf();
    else
      complain(0x8, "unknown magic");
    return complaints_;
  }

 private:
  template <class... Args>
  void complain(unsigned status, fmt::format_string<Args...> format, Args&&... args) {
    complaints_.push_back({status, fmt::format(format, std::forward<Args>(args)...)});
  }
  template <class... Args>
  void require(bool condition, unsigned status, fmt::format_string<Args...> format, Args&&... args) {
    if (!condition) complain(status, format, std::forward<Args>(args)...);
  }

  // 2.3: the list of names, and how a device word is turned into one.
  void target(u32 device, bool is_elf) {
    static const std::set<std::string> kNames = {
        "Z1_0904", "Z1_1002", "Z1_0701", "Z1_0701_P", "Z2_1104",  "Z2_0901",  "Z2_1002",  "Z2_1004",
        "Z3_1204", "Z3_1104", "Z3_1002", "Z3_0901",   "Z5_0901",  "X1_1204",  "X2_1204",  "X3_1304",
        "X3_1302", "X3_1202", "X3_1204", "X3P_1304",  "X3P_1302", "X3P_1202", "X3P_1204", "X3S_1304"};
    const u32 isa = device >> 16 & 0xF, config = device & 0xFFFF, revision = device >> 28;
    std::string name;
    if (isa <= 3)
      name = fmt::format("Z{}_{:04}", isa, config);
    else
      name = fmt::format("X{}{}_{}", isa - 3, revision == 1 ? "P" : revision == 2 ? "S" : "", config);
    if (isa <= 2 && revision == 1) name += "_P";
    require(kNames.contains(name), 0xA, "target {} is not in the list", name);
    require((device >> 20 & 0xFF) == 0, 0xA, "architecture {}", device >> 20 & 0xFF);
    require((isa >= 5) == is_elf, 0xA, "instruction set {} in the other container", isa);
    // The pair that hardware is matched with.
    require(revision == 0 || (isa == 6 && revision <= 2), 0xA, "revision {} has no kernel number", revision);
  }

  // --- part A ---

  void bin() {
    if (file_.size() < 104) return complain(0x9, "file of {} bytes", file_.size());
    const u64 size = file_.size();
    require(file_[8] == 0, 0x7, "byte 8 of the magic is {}", file_[8]);
    const u32 version = word_at(file_, 20) >> 16;
    require(version == 0x0500 || version == 0x0101, 0x8, "version {:#x}", version);
    target(word_at(file_, 16), false);
    const u64 header = word_at(file_, 28);
    require(header >= 104 && header <= size, 0x9, "header_size {}", header);
    require(word_at(file_, 32) == size, 0x9, "file_size {} of {}", word_at(file_, 32), size);
    require(word_at(file_, 44) <= size, 0x9, "entry {}", word_at(file_, 44));
    struct Section {
      const char* name;
      u64 offset, bytes;
    };
    const auto section = [&](const char* name, u64 at) {
      const Section one{name, word_at(file_, at), word_at(file_, at + 4)};
      require(one.offset >= header, 0x9, "{}: offset {} below the header's end", name, one.offset);
      // The vendor adds in 32 bits; a sum that needs more would pass there and must not occur.
      if (one.bytes > 0 || std::string_view(name) == "text")
        require(one.offset + one.bytes >= header && one.offset + one.bytes <= size, 0x9, "{}: {} + {} of {}",
                name, one.offset, one.bytes, size);
      return one;
    };
    const Section text = section("text", 48), rodata = section("rodata", 56), dcr = section("dcr", 64),
                  data = section("data", 72), bss = section("bss", 80);
    require(text.bytes > 0, 0x9, "text_size 0");
    require(rodata.bytes > 0, 0x15, "rodata_size 0 fails at job creation");
    require(word_at(file_, 44) + u64{4} <= text.bytes, kCrash, "entry {} outside text", word_at(file_, 44));
    // Old parsers want this order (2).
    require(text.offset + text.bytes <= rodata.offset && rodata.offset + rodata.bytes <= data.offset &&
                data.offset + data.bytes <= bss.offset,
            0x9, "sections out of order");
    if (!complaints_.empty()) return;
    // Everything from bss_offset on is the stream and the remap block.
    Cursor cursor{file_.subspan(bss.offset), 0, false};
    bss_stream(cursor, data.bytes, rodata.bytes, dcr.bytes);
    require(!cursor.overrun, 0x9, "the BSS stream runs past the end");
    require(cursor.at == bss.bytes, 0x9, "bss_size {} but a stream of {} bytes", bss.bytes, cursor.at);
    remap(cursor, {rodata.bytes, dcr.bytes, text.bytes});
    ids();
  }

  void patches(Cursor& cursor, u32 count, u64 rodata, u64 dcr) {
    if (cursor.at + u64{4} * count > cursor.bytes.size()) return (void)(cursor.overrun = true);
    for (u32 i = 0; i < count; ++i) {
      const u64 at = cursor.word();
      const bool in_rodata = at + 4 <= rodata;
      const bool in_dcr = at >= rodata && at + 4 <= rodata + dcr;
      require(in_rodata || in_dcr, kCrash, "offset_in_ro {} with rodata {} and dcr {}", at, rodata, dcr);
      require(at % 4 == 0, kCrash, "offset_in_ro {} is not aligned", at);
    }
  }

  // One sub_desc; returns its type.
  u32 sub(Cursor& cursor, u64 section_size, u64 rodata, u64 dcr) {
    const u64 offset = cursor.word(), size = cursor.word();
    const u32 type = cursor.word(), id = cursor.word();
    cursor.skip(6);
    cursor.skip(1);  // addr_mask
    // Back over reserved words: data_type is word 4.
    const u32 data_type = word_at(cursor.bytes, cursor.at - 28);
    require(data_type <= 13 || (data_type >= 0x12 && data_type <= 0x15) ||
                (data_type >= 0x20 && data_type <= 0x23),
            kCrash, "data_type {:#x}", data_type);
    require(offset + size <= section_size, kCrash, "a piece at {} + {} of a section of {}", offset, size,
            section_size);
    patches(cursor, cursor.word(), rodata, dcr);
    ids_[type].push_back(id);
    if (type == 12) require(size >= 8, kCrash, "printf piece of {}", size);
    if (type == 14) require(size >= 4, kCrash, "error-code piece of {}", size);
    return type;
  }

  void reuse(Cursor& cursor, u64 rodata, u64 dcr) {
    const u64 size = cursor.word();
    const u32 align = cursor.word();
    cursor.skip(1);
    const u32 subs = cursor.word();
    require(size > 0, kCrash, "reuse section of 0 bytes");
    require(std::has_single_bit(align), kCrash, "reuse alignment {}", align);
    for (u32 i = 0; i < subs && !cursor.overrun; ++i) {
      const u32 type = sub(cursor, size, rodata, dcr);
      require(type != 4 && type != 15, kCrash, "constant in a reuse section");
    }
  }

  void bss_stream(Cursor& cursor, u64 data, u64 rodata, u64 dcr) {
    const u32 stack = cursor.word(), stack_align = cursor.word(), statics = cursor.word(),
              reuses = cursor.word();
    require(stack != 0 && stack_align != 0 && reuses != 0, 0x9, "stack {} aligned {}, {} reuse sections",
            stack, stack_align, reuses);
    require(statics == 0 || data > 0, kCrash, "{} static sections without data", statics);
    for (u32 i = 0; i < statics && !cursor.overrun; ++i) {
      const u64 source = cursor.word(), size = cursor.word();
      const u32 align = cursor.word(), subs = cursor.word();
      require(source + size <= data, kCrash, "static section at {} + {} of {}", source, size, data);
      require(std::has_single_bit(align), kCrash, "static alignment {}", align);
      require(subs >= 1, kCrash, "static section without sub-section");
      u32 type = 0;
      for (u32 s = 0; s < subs && !cursor.overrun; ++s) type = sub(cursor, size, rodata, dcr);
      require(type == 4 || type == 15, kCrash, "static section of type {}", type);
    }
    for (u32 i = 0; i < reuses && !cursor.overrun; ++i) reuse(cursor, rodata, dcr);
  }

  // sizes: rodata, dcr, text.
  void remap(Cursor& cursor, const std::array<u64, 3>& sizes) {
    const u32 count = cursor.word();
    require(!cursor.overrun, kCrash, "no remap count");
    require(u64{count} * 16 <= cursor.bytes.size() - cursor.at, kCrash, "{} remap entries", count);
    for (u32 i = 0; i < count && !cursor.overrun; ++i) {
      const u32 type = cursor.word(), at = cursor.word(), next = cursor.word(), offset = cursor.word();
      if (type > 2 || next > 2) return complain(kCrash, "remap types {} and {}", type, next);
      require(u64{at} + 4 <= sizes[type] && offset < sizes[next], kCrash, "remap entry {} leaves its block",
              i);
    }
  }

  void ids() {
    for (const u32 type : {0u, 1u, 2u, 16u}) {
      std::vector<u32> list = ids_[type];
      std::sort(list.begin(), list.end());
      for (u32 i = 0; i < list.size(); ++i)
        require(list[i] == i, 0x9, "ids of type {} are not 0..{}", type, list.size() - 1);
    }
  }

  // --- part B ---

  void elf() {
    if (file_.size() < 52) return complain(0x9, "file of {} bytes", file_.size());
    const bool wide = file_[4] == 2;
    require(file_[4] == 1 || file_[4] == 2, 0x9, "class {}", file_[4]);
    require(file_[5] == 1, 0x9, "byte order {}", file_[5]);
    const auto half = [&](u64 at) { return word_at(file_, at) & 0xFFFF; };
    require(half(16) == 2, 0x9, "e_type {}", half(16));
    require(half(18) == 0x29A, 0x9, "e_machine {}", half(18));
    require(word_at(file_, 20) == 1, 0x9, "e_version {}", word_at(file_, 20));
    const u64 table = wide ? word_at(file_, 40) : word_at(file_, 32);
    const u32 entry = half(wide ? 58 : 46), count = half(wide ? 60 : 48), names = half(wide ? 62 : 50);
    if (table + u64{entry} * count > file_.size() || names >= count || entry < (wide ? 64u : 40u))
      return complain(0x9, "section table at {} with {} entries of {}", table, count, entry);
    const auto header = [&](u32 index) {
      const u64 at = table + u64{index} * entry;
      struct {
        u32 name, type;
        u64 offset, size;
      } one = {word_at(file_, at), word_at(file_, at + 4), word_at(file_, at + (wide ? 24 : 16)),
               word_at(file_, at + (wide ? 32 : 20))};
      return one;
    };
    const auto strings = header(names);
    std::map<std::string, Span> sections;
    for (u32 i = 1; i < count; ++i) {
      const auto one = header(i);
      require(one.type != 8, kCrash, "section {} has no data in the file", i);
      if (one.offset + one.size > file_.size() || one.name >= strings.size)
        return complain(0x9, "section {} at {} + {}", i, one.offset, one.size);
      sections[reinterpret_cast<const char*>(file_.data() + strings.offset + one.name)] =
          file_.subspan(one.offset, one.size);
    }
    require(sections.contains(".text"), 0x9, "no .text");
    require(sections.contains(".note.aipu"), 0x9, "no .note.aipu");
    if (!complaints_.empty()) return;
    require(!sections[".text"].empty(), kCrash, ".text is empty");
    notes(sections[".note.aipu"]);
    graph(sections[".text"].size());
  }

  void notes(Span section) {
    Cursor cursor{section, 0, false};
    while (cursor.at + 12 <= section.size()) {
      const u64 name_bytes = cursor.word(), bytes = cursor.word();
      cursor.skip(1);
      const u64 name_at = cursor.at, at = name_at + (name_bytes + 3) / 4 * 4;
      if (name_bytes == 0 || at + bytes > section.size())
        return complain(kCrash, "note at {} leaves its section", name_at);
      require(section[name_at + name_bytes - 1] == 0, kCrash, "note name without end");
      notes_.try_emplace(reinterpret_cast<const char*>(section.data() + name_at), section.subspan(at, bytes));
      cursor.at = at + (bytes + 3) / 4 * 4;
    }
    for (const char* name : {"rodata", "fmlist", "subgraphs"})
      require(notes_.contains(name) && !notes_[name].empty(), kCrash, "note {} is missing", name);
    require(notes_.contains("compilermsg"), 0xA, "note compilermsg is missing");
  }

  void graph(u64 text) {
    if (!complaints_.empty()) return;
    const Span message = notes_["compilermsg"];
    require(message.size() >= 16 && message.size() <= 48, kCrash, "compilermsg of {} bytes", message.size());
    target(word_at(message, 8), true);
    const bool dynamic = (word_at(message, 12) & 1 << 6) != 0;
    require(!dynamic || (notes_.contains("globalparam") && notes_.contains("inputshapeconstraint")), kCrash,
            "dynamic shape without its notes");
    const u64 rodata = notes_["rodata"].size(), dcr = notes_.contains("desc") ? notes_["desc"].size() : 0;
    const u64 data = notes_.contains("weight") ? notes_["weight"].size() : 0;
    Cursor fm{notes_["fmlist"], 0, false};
    fm.skip(2);
    const u32 lists = fm.word();
    require(lists >= 1, kCrash, "no BSS");
    for (u32 i = 0; i < lists && !fm.overrun; ++i) bss_stream(fm, data, rodata, dcr);
    require(!fm.overrun, kCrash, "fmlist ends in a BSS");
    require(fm.at == fm.bytes.size(), 0x9, "fmlist has {} bytes behind its last BSS",
            fm.bytes.size() - fm.at);
    Cursor sub{notes_["subgraphs"], 0, false};
    const u32 subs = sub.word();
    for (u32 i = 0; i < subs && !sub.overrun; ++i) subgraph(sub, i, text, lists, rodata, dcr);
    require(!sub.overrun, kCrash, "subgraphs ends in sub-graph");
    if (notes_.contains("remap") && !notes_["remap"].empty()) {
      Cursor map{notes_["remap"], 0, false};
      remap(map, {rodata, dcr, text});
    }
    if (notes_.contains("gmconfig"))
      require(notes_["gmconfig"].size() <= 56, kCrash, "gmconfig is too large");
    ids();
  }

  void subgraph(Cursor& cursor, u32 index, u64 text, u32 lists, u64 rodata, u64 dcr) {
    cursor.skip(2);
    const u32 entry = cursor.word(), bss = cursor.word(), parameters = cursor.word();
    cursor.skip(5);
    const u32 private_bytes = cursor.word();
    cursor.skip(3);
    const auto precursors = static_cast<std::int32_t>(cursor.word());
    require(entry < text, kCrash, "sub-graph {}: text_offset {}", index, entry);
    require(bss < lists, kCrash, "sub-graph {}: BSS {}", index, bss);
    require(parameters < rodata, kCrash, "sub-graph {}: rodata_offset {}", index, parameters);
    require(private_bytes > 0, kCrash, "sub-graph {}: no private data", index);
    require(precursors >= -1 && precursors <= 1, 0x9, "sub-graph {}: {} precursors", index, precursors);
    for (std::int32_t i = 0; i < precursors; ++i)
      require(cursor.word() < index, kCrash, "sub-graph {}: precursor is not earlier", index);
    const u32 buffers = cursor.word();
    for (u32 i = 0; i < buffers && !cursor.overrun; ++i) reuse(cursor, rodata, dcr);
  }

  Span file_;
  std::vector<VendorComplaint> complaints_;
  std::map<u32, std::vector<u32>> ids_;  // by sub-section type
  std::map<std::string, Span> notes_;
};

}  // namespace

std::vector<VendorComplaint> vendor_check(Span file) { return Checker(file).run(); }

}  // namespace zynpu::test
