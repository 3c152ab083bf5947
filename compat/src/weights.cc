// SPDX-License-Identifier: MIT
#include "weights.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <string_view>

#include "graph/elf.h"
#include "graph/stream.h"
#include "runtime/file.h"
#include "sha256.h"

namespace zynpu::compat {
namespace {

constexpr std::string_view kExtraNote = "extra_weight_name", kHashNote = "constanthashtable";
constexpr std::size_t kHashBytes = 32, kBundleHeadBytes = 4096;

struct HashItem {
  std::uint32_t source = 0, size = 0;
};

const graph::Note* find(const graph::Graph& graph, std::string_view name) {
  const auto found = std::ranges::find(graph.notes, name, &graph::Note::name);
  return found == graph.notes.end() ? nullptr : &*found;
}

Code malformed(const Error& error) { return report(AIPU_STATUS_ERROR_INVALID_GBIN, error); }

// One table a BSS.
Result<std::vector<std::vector<HashItem>>> read_hash_tables(const graph::Bytes& note) {
  graph::Reader reader(note);
  ZYNPU_ASSIGN_OR_RETURN(const auto tables, reader.count("constanthashtable: tables", 4));
  std::vector<std::vector<HashItem>> out(tables);
  for (std::vector<HashItem>& table : out) {
    ZYNPU_ASSIGN_OR_RETURN(const auto items, reader.count("constanthashtable: items", 8 + kHashBytes));
    for (std::uint32_t i = 0; i < items; ++i) {
      HashItem item;
      ZYNPU_ASSIGN_OR_RETURN(item.source, reader.u32("constanthashtable: src_offset"));
      ZYNPU_ASSIGN_OR_RETURN(item.size, reader.u32("constanthashtable: size"));
      ZYNPU_TRY(reader.take(kHashBytes, "constanthashtable: hash"));
      table.push_back(item);
    }
  }
  return out;
}

Result<std::vector<std::string>> read_file_names(const graph::Bytes& note) {
  graph::Reader reader(note);
  ZYNPU_ASSIGN_OR_RETURN(const auto count, reader.u64("extra_weight_name: count"));
  std::vector<std::string> names;
  for (std::uint64_t i = 0; i < count; ++i) {
    ZYNPU_ASSIGN_OR_RETURN(const auto length, reader.u64("extra_weight_name: len"));
    ZYNPU_ASSIGN_OR_RETURN(const auto text, reader.take(length, "extra_weight_name: name"));
    names.emplace_back(reinterpret_cast<const char*>(text.data()), text.size());
  }
  return names;
}

}  // namespace

Code add_extra_weights(graph::Graph& graph, const std::string& folder) {
  const graph::Note* note = find(graph, kExtraNote);
  if (note == nullptr) return kOk;
  const auto names = read_file_names(note->desc);
  if (!names) return malformed(names.error());
  if (names->size() + 1 != graph.bss.size())
    return report(AIPU_STATUS_ERROR_INVALID_GBIN, "{} extra weight files for {} BSS", names->size(),
                  graph.bss.size());
  for (std::size_t i = 0; i < names->size(); ++i) {
    // Validation has accepted the form name+hash, with a name that is a plain file name.
    const std::string& text = (*names)[i];
    const std::size_t plus = text.rfind('+');
    if (plus == std::string::npos || text.find('/') != std::string::npos)
      return report(AIPU_STATUS_ERROR_INVALID_GBIN, "extra weight file {} has no plain name and hash", i);
    const std::string path = (folder.empty() ? "." : folder) + "/" + text.substr(0, plus);
    std::string hash = text.substr(plus + 1);
    std::transform(hash.begin(), hash.end(), hash.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto file = runtime::read_file(path);
    if (!file) return report(AIPU_STATUS_ERROR_READ_FILE_FAIL, file.error());
    if (sha256_hex(*file) != hash)
      return report(AIPU_STATUS_ERROR_UNKNOWN_BIN, "{}: the content does not have the hash {}", path, hash);
    const std::size_t base = graph.data.size();
    if (base + file->size() > UINT32_MAX)
      return report(AIPU_STATUS_ERROR_INVALID_SIZE, "{}: the weights exceed 4 GiB", path);
    for (graph::StaticSection& section : graph.bss[i + 1].static_sections) {
      if (std::uint64_t{section.src_offset} + section.size > file->size())
        return report(AIPU_STATUS_ERROR_INVALID_GBIN, "{}: a section at {} + {} exceeds the file", path,
                      section.src_offset, section.size);
      section.src_offset += static_cast<std::uint32_t>(base);
    }
    graph.data.insert(graph.data.end(), file->begin(), file->end());
  }
  std::erase_if(graph.notes, [](const graph::Note& one) { return one.name == kExtraNote; });
  return kOk;
}

Code read_bundle(std::span<const std::uint8_t> file, Bundle* out) {
  const auto head = file.first(std::min(file.size(), kBundleHeadBytes));
  graph::Reader reader(head);
  struct Entry {
    std::uint64_t offset = 0, size = 0;
  };
  std::vector<Entry> entries;
  const auto count = reader.count("bundle: number of entries", 16);
  if (!count) return malformed(count.error());
  if (*count < 2)
    return report(AIPU_STATUS_ERROR_INVALID_GBIN, "bundle: {} entries; head and list come first", *count);
  for (std::uint32_t i = 0; i < *count; ++i) {
    const auto offset = reader.u64("bundle: offset"), size = reader.u64("bundle: size");
    if (!offset || !size) return malformed(offset ? size.error() : offset.error());
    if (*offset > file.size() || *size > file.size() - *offset)
      return report(AIPU_STATUS_ERROR_INVALID_GBIN,
                    "bundle: entry {} at {} + {} exceeds the file of {} bytes", i, *offset, *size,
                    file.size());
    entries.push_back({*offset, *size});
  }
  const auto list = reader.take(entries[1].size, "bundle: list of names");
  if (!list) return malformed(list.error());
  std::vector<std::string> names(1);
  for (const std::uint8_t c : *list) {
    if (c == '\n')
      names.emplace_back();
    else if (c != 0)
      names.back() += static_cast<char>(c);
  }
  if (names.back().empty()) names.pop_back();
  if (names.size() != entries.size())
    return report(AIPU_STATUS_ERROR_INVALID_GBIN, "bundle: {} names for {} entries", names.size(),
                  entries.size());
  std::span<const std::uint8_t> offsets;
  Bundle bundle;
  for (std::size_t i = 2; i < entries.size(); ++i) {
    const auto content = file.subspan(entries[i].offset, entries[i].size);
    if (names[i].find("aipuelf") != std::string::npos)
      bundle.graphs.push_back({content, {}});
    else if (names[i] == "merged_weight.bin")
      bundle.pool = content;
    else if (names[i] == "offset.bin")
      offsets = content;
  }
  if (bundle.graphs.size() < 2)
    return report(AIPU_STATUS_ERROR_INVALID_GBIN, "bundle: {} graphs; at least 2 are needed",
                  bundle.graphs.size());
  if (bundle.pool.empty()) return report(AIPU_STATUS_ERROR_INVALID_GBIN, "bundle: no merged_weight.bin");
  graph::Reader offset_reader(offsets);
  for (BundleGraph& entry : bundle.graphs) {
    // The item counts stand in the graphs, so each is read once for its note alone.
    std::size_t items = 0;
    const auto looked = graph::read_elf(entry.file, [&](graph::Graph& graph) -> Status {
      const graph::Note* note = find(graph, kHashNote);
      if (note == nullptr) return fail(ErrorCode::kBadFile, "note constanthashtable: missing");
      ZYNPU_ASSIGN_OR_RETURN(const auto tables, read_hash_tables(note->desc));
      for (const auto& table : tables) items += table.size();
      graph.bss.clear();  // nothing else of it is wanted here
      return {};
    });
    if (items == 0 && !looked) return malformed(looked.error());
    for (std::size_t i = 0; i < items; ++i) {
      const auto offset = offset_reader.u64("bundle: offset.bin");
      if (!offset) return malformed(offset.error());
      entry.offsets.push_back(*offset);
    }
  }
  *out = std::move(bundle);
  return kOk;
}

Code add_pooled_weights(graph::Graph& graph, const BundleGraph& entry, std::span<const std::uint8_t> pool) {
  const graph::Note* note = find(graph, kHashNote);
  if (note == nullptr)
    return report(AIPU_STATUS_ERROR_NOT_FOUND_IN_HASHTABLE, "note constanthashtable: missing");
  const auto tables = read_hash_tables(note->desc);
  if (!tables) return malformed(tables.error());
  if (tables->size() != graph.bss.size())
    return report(AIPU_STATUS_ERROR_INVALID_GBIN, "constanthashtable: {} tables for {} BSS", tables->size(),
                  graph.bss.size());
  std::size_t first = 0;  // index of the table's first item among all
  graph.data.clear();
  for (std::size_t b = 0; b < graph.bss.size(); ++b) {
    const std::vector<HashItem>& table = (*tables)[b];
    for (graph::StaticSection& section : graph.bss[b].static_sections) {
      const auto item = std::ranges::find_if(table, [&](const HashItem& candidate) {
        return candidate.source == section.src_offset && candidate.size == section.size;
      });
      if (item == table.end())
        return report(AIPU_STATUS_ERROR_NOT_FOUND_IN_HASHTABLE,
                      "bss[{}]: the section at {} is in no hash table", b, section.src_offset);
      const std::size_t index = first + static_cast<std::size_t>(item - table.begin());
      const std::uint64_t at = entry.offsets[index];
      if (at > pool.size() || section.size > pool.size() - at ||
          graph.data.size() + section.size > UINT32_MAX)
        return report(AIPU_STATUS_ERROR_INVALID_GBIN, "bss[{}]: {} bytes at {} of a pool of {}", b,
                      section.size, at, pool.size());
      section.src_offset = static_cast<std::uint32_t>(graph.data.size());
      const auto bytes = pool.subspan(at, section.size);
      graph.data.insert(graph.data.end(), bytes.begin(), bytes.end());
    }
    first += table.size();
  }
  return kOk;
}

}  // namespace zynpu::compat
