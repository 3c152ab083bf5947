// SPDX-License-Identifier: MIT
// The BSS descriptor stream (graph-format.md 2.5) and the remap block (2.8), which both containers share.
// These functions know the grammar only; the rules on values are validate()'s. Internal to the room.
#pragma once

#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "graph/stream.h"

namespace zynpu::graph {

// How the words of one generation lie (graph-format.md 2.9).
enum class BssVersion {
  kV03,  // containers v0.3 and v0.4: short reuse descriptors; shapes where v0.5 has quantisation
  kV05,
};

// `where` prefixes the field names of errors ("bss[0]").
Result<Bss> read_bss(Reader& reader, std::string_view where, BssVersion version);
Result<ReuseSection> read_reuse_section(Reader& reader, std::string_view where, BssVersion version);
Result<std::vector<RemapEntry>> read_remap(Reader& reader);

void write_bss(Writer& writer, const Bss& bss);
void write_reuse_section(Writer& writer, const ReuseSection& section);
void write_remap(Writer& writer, const std::vector<RemapEntry>& remap);

}  // namespace zynpu::graph
