// SPDX-License-Identifier: MIT
// From a graph to device buffers (graph-format.md 3.1-3.4, 8.1-8.2): which buffers a loaded graph and each of
// its jobs need, what lies where in them, and which words of the parameter blocks receive which addresses.
// Pure computation: it knows no device. Typical use by a runtime:
//
//   layout = make_layout(graph)
//   allocate every Layout::buffers entry (lifetime kGraph once, kJob once a job)
//   fill text, constants, weights (fill_static), parameters, descriptors, model parameters; zero private data
//   apply(layout, addresses, blocks)
//
// Differences from the vendor's driver, on purpose: reuse sections honour alignments above a page; stacks are
// as large as the largest stack_size of all BSS; every live group has stack and private-data buffers of its
// own; GM is not used (the named section stays an ordinary one, which the format permits); debugger words
// behind text are not written.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"
#include "graph/graph.h"

namespace zynpu::graph {

enum class BufferKind {
  kText,
  kConstants /* ELF .rodata */,
  kWeights,
  kZeroCopy,  // lifetime of the graph
  kParameters /* rodata */,
  kDescriptors /* dcr */,
  kStack,
  kPrivateData,
  kPrivate,  // of a job
  kReuse,
  kPrintf,
  kModelParameters,
};

struct BufferRequest {
  BufferKind kind = BufferKind::kText;
  bool per_job = false;
  unsigned index = 0;      // weights, zero copy: BSS; stack, private data: slot; reuse: number of the buffer
  std::uint64_t size = 0;  // bytes, padding for over-reads included
  std::uint64_t alignment = 0;  // power of two, at least a page
};

// A byte range of Layout::buffers[buffer].
struct Place {
  unsigned buffer = 0;
  std::uint64_t offset = 0, size = 0;
};

// Bytes Graph::data[source, source + to.size) belong at `to`.
struct StaticCopy {
  Place to;
  std::uint32_t source = 0;
};

// The blocks whose words receive addresses; the numbers are those of the remap block.
enum class Block : std::uint8_t { kParameters = 0, kDescriptors = 1, kText = 2 };

// word = ((address of buffer + addend) & mask) | (word & ~mask), modulo 2^32.
struct PatchedWord {
  Block block = Block::kParameters;
  std::uint32_t offset = 0;  // of the word in its block
  unsigned buffer = 0;       // index into Layout::buffers
  std::uint32_t addend = 0;
  std::uint32_t mask = 0xFFFFFFFF;
  int section = -1;  // reuse section over all BSS that the address lies in; -1: none

  bool operator==(const PatchedWord&) const = default;
};

struct TensorPlace {
  Place place;
  unsigned section = 0;  // reuse section over all BSS
  std::uint32_t data_type = 0;
  float scale = 0;
  std::int32_t zero_point = 0;
};

// Where one sub-graph (X2) works. Tasks t of a group use [t * bytes, (t + 1) * bytes) of their stack and
// private buffer.
struct GroupPlace {
  unsigned stack = 0;         // index into Layout::buffers
  unsigned private_data = 0;  // index into Layout::buffers; zeroed before each run
  std::uint32_t stack_bytes = 0, private_bytes = 0;
};

struct Layout {
  std::vector<BufferRequest> buffers;
  std::vector<StaticCopy> static_copies;
  std::vector<PatchedWord> patches;  // in the order in which they are applied
  std::vector<GroupPlace> groups;    // one a sub-graph
  std::vector<TensorPlace> inputs, outputs, inter_dumps, output_shapes;      // index = id
  std::vector<TensorPlace> profilers, printfs, layer_counters, error_codes;  // in file order
  std::vector<Place> reuse_sections;  // index = reuse section over all BSS
  Bytes model_parameters;             // dynamic shape: start value, every input at its smallest extents

  // The only buffer of that kind, or nullopt.
  std::optional<unsigned> find(BufferKind kind, unsigned index = 0) const;
  // Bytes of all buffers of the graph, or of one job.
  std::uint64_t total_bytes(bool per_job) const;
};

struct LayoutOptions {
  // One buffer a reuse section, instead of one for all. The vendor's driver does so on Z1, and elsewhere when
  // the large buffer cannot be had. Unset: as the vendor does first.
  std::optional<bool> separate_reuse_sections;
  unsigned tecs_per_core = 4;                      // X2: tasks of a group
  std::uint64_t window_bytes = part::kAsid0Limit;  // every buffer must end at or below this device address
};

// `graph` must pass validate(). kUnsupported: the graph needs something that is not implemented (segment MMU,
// weights in other files). kBadFile: its buffers cannot fit in the window.
Result<Layout> make_layout(const Graph& graph, const LayoutOptions& options = {});

// Copies the weights of BSS `bss` into the caller's memory of that weight or zero-copy buffer.
Status fill_static(const Graph& graph, const Layout& layout, unsigned buffer, std::span<std::uint8_t> memory);

// Host copies of the blocks, as long as the graph's own. `text` may be empty unless Layout::patches touch it.
struct Blocks {
  std::span<std::uint8_t> parameters, descriptors, text;
};

// Writes every patched word. `addresses[i]` is the device address of Layout::buffers[i]; each is checked for
// alignment, for 32 bits and for the window first (kInvalidArgument names the buffer), so that no word is
// written on failure.
Status apply(const Layout& layout, std::span<const std::uint64_t> addresses, const Blocks& blocks,
             std::uint64_t window_bytes = part::kAsid0Limit);

// Writes the words that point into a reuse section once more, for a section that now begins at device address
// `address` (graph-format.md 3.4, last sentence). The blocks must have been accepted by apply().
void move_section(const Layout& layout, unsigned section, std::uint64_t address, const Blocks& blocks);

// Extents that each input of a graph of dynamic shape may have, in id order (graph-format.md 8.7). Empty for
// other graphs. Expects a valid graph.
struct ShapeRange {
  std::vector<std::uint32_t> minimum, maximum;
};
std::vector<ShapeRange> shape_ranges(const Graph& graph);

// Writes the extents of every input into a model parameter block, which begins as Layout::model_parameters.
// kInvalidArgument, and nothing written, if there are not as many shapes as inputs or an extent, or the
// number of elements, is outside its range.
Status write_shapes(const Graph& graph, std::span<const std::vector<std::uint32_t>> shapes,
                    std::span<std::uint8_t> block);

}  // namespace zynpu::graph
