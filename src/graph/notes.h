// SPDX-License-Identifier: MIT
// The optional notes of the ELF container (graph-format.md 6.3, 8.5-8.9). They travel as bytes; those whose
// layout is known are checked. Internal to the room.
#pragma once

#include <span>
#include <string_view>

#include "graph/graph.h"

namespace zynpu::graph {

inline constexpr std::string_view kPlanNote = "zynpu.plan";

// True for notes that have fields of their own in Graph and therefore may not stand in Graph::notes.
bool is_core_note(std::string_view name);

// The note's payload, or nullptr.
const Note* find_note(const Graph& graph, std::string_view name);

// Checks every note of the graph; expects the rest of the graph to be valid.
Status validate_notes(const Graph& graph);

}  // namespace zynpu::graph
