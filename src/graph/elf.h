// SPDX-License-Identifier: MIT
// The ELF container of the X2 (graph-format.md part B).
//
// Written files are ELF32 with the sections .text, .note.aipu, .rodata (if Graph::crodata is not empty),
// .comment and .shstrtab, without program headers. Notes stand in the order of graph-format.md 6.3, then
// Graph::notes, then "zynpu.plan" with Graph::plan.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "graph/graph.h"

namespace zynpu::graph {

// Reads ELF32 and ELF64, little-endian. kBadFile names the section, note or field; kUnsupported: another
// target. Reserved words, section .data and empty notes are ignored.
Result<Graph> read_elf(std::span<const std::uint8_t> file);

// As read_elf(), for graphs whose static data stands outside the file: `complete` sees the graph before it is
// validated and must put the data of every static section into Graph::data.
Result<Graph> read_elf(std::span<const std::uint8_t> file, const std::function<Status(Graph&)>& complete);

// kInvalidArgument with the field if the graph breaks a rule that read_elf() would refuse. An empty
// Graph::comment is written as the full target name ("target:X2_1204MP3;"), by which vendor tools choose the
// simulator variant.
Result<Bytes> write_elf(const Graph& graph);

}  // namespace zynpu::graph
