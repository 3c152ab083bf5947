// SPDX-License-Identifier: MIT
// Parts of write_model() and read_model(). Internal to the room.
#pragma once

#include <cstdint>
#include <span>

#include "graph/plan.h"

namespace zynpu::graph {

// Every rule of a plan in memory, so that the writer refuses what the reader would. kBadFile names the item.
// Expects that each of its graphs passes validate().
Status check_plan(const HostPlan& plan);

// FlatBuffer of everything but graphs[0]. `nested[i]` is the container of plan.graphs[i + 1].
Result<Bytes> encode_plan(const HostPlan& plan, std::span<const Bytes> nested);

// Everything but graphs[0], whose place is left empty. Structure is checked here, meaning by check_plan().
Result<HostPlan> decode_plan(std::span<const std::uint8_t> bytes);

}  // namespace zynpu::graph
