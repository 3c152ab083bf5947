// SPDX-License-Identifier: MIT
// The AIPU BIN container of Z1, Z2, Z3 and X1 (graph-format.md part A).
//
// Written files are v0.5 with the sections in the order text, rodata, dcr, data, misc, BSS, remap, each
// starting at a multiple of 8. The misc section, which no vendor loader reads, holds Graph::plan; it stands
// before the BSS because loaders take everything from there to the end of the file as BSS and remap block,
// and old ones want the order text <= rodata <= data <= BSS.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "graph/graph.h"

namespace zynpu::graph {

// Bytes extra_data[0..3] of the header, which no vendor loader reads, of a graph with Graph::virtual_profile:
// programs for the virtual Z1/Z2, which no silicon may be started with. Any other value means a program for
// silicon.
inline constexpr std::array<std::uint8_t, 4> kVirtualProfileMark = {'Z', 'V', 'P', '1'};

// Reads v0.5, and v0.3/v0.4 of the R329 generation. Of the old ones: shapes in sub-section descriptors are
// dropped, and the descriptor block, which they place directly behind rodata, becomes the end of
// Graph::rodata. kBadFile names the field; kUnsupported: another version or target. Reserved words are
// ignored.
Result<Graph> read_bin(std::span<const std::uint8_t> file);

// kInvalidArgument with the field if the graph breaks a rule that read_bin() would refuse.
Result<Bytes> write_bin(const Graph& graph);

}  // namespace zynpu::graph
