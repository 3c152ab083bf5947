// SPDX-License-Identifier: MIT
// A loadable NPU graph in memory: the common content of the AIPU BIN v0.5 (Z1/Z2) and X2 ELF containers.
// Field meanings and rules: graph-format.md. Writers and readers: bin.h, elf.h; both fully validate.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "part/part.h"

namespace zynpu::graph {

using Bytes = std::vector<std::uint8_t>;

// graph-format.md 2.6; values are those of the file.
enum class SubSectionType : std::uint32_t {
  kInput = 0, kOutput = 1, kInterDump = 2, kIntermediate = 3, kConstant = 4, kProfiler = 10, kPrintf = 12,
  kLayerCounter = 13, kErrorCode = 14, kZeroCopyConstant = 15, kOutputShape = 16, kSegmentMmu = 255,
};

// aipu_data_type_t of the file (standard-api.md).
enum class FileDataType : std::uint32_t;

// A tensor-like piece of a section, and the parameter words that receive its device address.
struct SubSection {
  std::uint32_t offset = 0;  // in its section
  std::uint32_t size = 0;    // bytes
  SubSectionType type = SubSectionType::kIntermediate;
  std::uint32_t id = 0;
  std::uint32_t data_type = 0;
  float scale = 0;
  std::int32_t zero_point = 0;
  std::uint32_t addr_mask = 0xFFFFFFFF;
  std::vector<std::uint32_t> patch_offsets;  // into rodata, then dcr (graph-format.md 3.4)
};

struct StaticSection {  // weights and other constants
  std::uint32_t src_offset = 0;  // into Graph::data
  std::uint32_t size = 0;
  std::uint32_t align = 1;  // power of two
  std::vector<SubSection> sub_sections;
};

struct ReuseSection {  // feature maps
  std::uint32_t size = 0;
  std::uint32_t align = 4096;
  std::vector<SubSection> sub_sections;
};

struct Bss {
  std::uint32_t stack_size = 4096;
  std::uint32_t stack_align = 4096;
  std::vector<StaticSection> static_sections;
  std::vector<ReuseSection> reuse_sections;
};

struct RemapEntry {  // graph-format.md 2.8
  std::uint32_t type = 0, offset = 0, next_type = 0, next_offset = 0;
};

// X2 only: one group of four tasks on one core.
struct SubGraph {
  std::uint32_t text_offset = 0;
  std::uint32_t bss = 0;
  std::uint32_t rodata_offset = 0, rodata_size = 0;
  std::uint32_t dcr_offset = 0, dcr_size = 0;
  std::uint32_t printf_fifo_size = 0;
  std::uint32_t profiler_offset = 0;
  std::uint32_t private_data_size = 4096;
  std::int32_t precursor_count = 0;  // 0 none, 1 immediate predecessor, -1 all previous
  std::vector<std::uint32_t> precursors;
  std::vector<ReuseSection> private_buffers;
};

// A named note of the ELF that is carried as bytes (gmconfig, segmmu, globalparam, ..., and zynpu's own).
struct Note {
  std::string name;
  Bytes desc;
};

struct Graph {
  std::uint32_t device_word = 0;
  std::uint32_t build_version = 0;
  std::uint32_t flags = 0;       // graph-format.md 2.4
  bool virtual_profile = false;  // compiled by zynpu for the virtual z1/z2 (docs/virtual-profile.md)
  std::uint32_t entry = 0;       // AIPU BIN: first instruction, byte offset in text
  std::uint32_t dtcm_kib = 0;    // AIPU BIN (X1)
  Bytes text;
  Bytes rodata;   // parameter block
  Bytes dcr;      // descriptor block
  Bytes data;     // static (weight) data
  Bytes crodata;  // ELF .rodata
  std::vector<Bss> bss;  // AIPU BIN: exactly one
  std::vector<RemapEntry> remap;
  std::vector<SubGraph> subgraphs;  // ELF
  std::vector<Note> notes;          // ELF: the optional notes, in file order
  std::string comment;              // ELF .comment
  Bytes plan;  // zynpu's host plan (plan.h); empty in graphs from elsewhere. BIN: misc section. ELF: note "zynpu.plan".
};

// Sniffs the first bytes and reads either container. kBadFile names the field that is wrong.
Result<Graph> read(std::span<const std::uint8_t> file);
// Writes the container that the part of `graph.device_word` uses. Deterministic.
Result<Bytes> write(const Graph& graph);

}  // namespace zynpu::graph
