// SPDX-License-Identifier: MIT
// Static data that stands outside a graph's file: files of their own (graph-format.md 8.8) and bundles whose
// graphs share one pool (8.9).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "status.h"

namespace zynpu::compat {

// Puts the data of the files that note extra_weight_name lists behind Graph::data and drops the note. 0xE: a
// file is missing; 0x7: its hash is wrong. No effect on graphs without the note.
Code add_extra_weights(graph::Graph& graph, const std::string& folder);

struct BundleGraph {
  std::span<const std::uint8_t> file;
  std::vector<std::uint64_t> offsets;  // of each hash item's data in the pool, in order
};

struct Bundle {
  std::vector<BundleGraph> graphs;
  std::span<const std::uint8_t> pool;
};

// 0x9 names in the log what is malformed. The spans are of `file`.
Code read_bundle(std::span<const std::uint8_t> file, Bundle* out);
// Number of hash items of a graph's constanthashtable note; every static section must be among them (0x35).
// Fills Graph::data from the pool.
Code add_pooled_weights(graph::Graph& graph, const BundleGraph& entry, std::span<const std::uint8_t> pool);

}  // namespace zynpu::compat
