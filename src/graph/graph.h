// SPDX-License-Identifier: MIT
// A loadable NPU graph in memory: the common content of the AIPU BIN v0.5 (Z1/Z2) and X2 ELF containers.
// Field meanings and rules: graph-format.md. Writers and readers: bin.h, elf.h; both fully validate.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "part/part.h"

namespace zynpu::graph {

using Bytes = std::vector<std::uint8_t>;

// graph-format.md 2.6; values are those of the file.
enum class SubSectionType : std::uint32_t {
  kInput = 0,
  kOutput = 1,
  kInterDump = 2,
  kIntermediate = 3,
  kConstant = 4,
  kProfiler = 10,
  kPrintf = 12,
  kLayerCounter = 13,
  kErrorCode = 14,
  kZeroCopyConstant = 15,
  kOutputShape = 16,
  kSegmentMmu = 255,
};

// aipu_data_type_t of the file (standard-api.md 3); SubSection::data_type holds these numbers.
enum class FileDataType : std::uint32_t {
  kNone = 0,
  kBool = 1,
  kU8 = 2,
  kS8 = 3,
  kU16 = 4,
  kS16 = 5,
  kU32 = 6,
  kS32 = 7,
  kU64 = 8,
  kS64 = 9,
  kF16 = 10,
  kF32 = 11,
  kF64 = 12,
  kBf16 = 13,
  kAlignedU4 = 0x12,
  kAlignedS4 = 0x13,
  kAlignedU12 = 0x14,
  kAlignedS12 = 0x15,
  kCompactU4 = 0x20,
  kCompactS4 = 0x21,
  kCompactU12 = 0x22,
  kCompactS12 = 0x23,
};

// Bits of Graph::flags (graph-format.md 2.4).
inline constexpr std::uint32_t kFlagRemap = 1u << 4;          // informational in v0.5
inline constexpr std::uint32_t kFlagExclusiveSram = 1u << 5;  // the job needs the SoC SRAM for itself
inline constexpr std::uint32_t kFlagDynamicShape = 1u << 6;   // ELF only: shapes are chosen per job

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

  bool operator==(const SubSection&) const = default;
};

struct StaticSection {           // weights and other constants
  std::uint32_t src_offset = 0;  // into Graph::data
  std::uint32_t size = 0;
  std::uint32_t align = 1;  // power of two
  std::vector<SubSection> sub_sections;

  bool operator==(const StaticSection&) const = default;
};

struct ReuseSection {  // feature maps
  std::uint32_t size = 0;
  std::uint32_t align = 4096;
  std::vector<SubSection> sub_sections;

  bool operator==(const ReuseSection&) const = default;
};

struct Bss {
  std::uint32_t stack_size = 4096;
  std::uint32_t stack_align = 4096;
  std::vector<StaticSection> static_sections;
  std::vector<ReuseSection> reuse_sections;

  bool operator==(const Bss&) const = default;
};

struct RemapEntry {  // graph-format.md 2.8
  std::uint32_t type = 0, offset = 0, next_type = 0, next_offset = 0;

  bool operator==(const RemapEntry&) const = default;
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

  bool operator==(const SubGraph&) const = default;
};

// A named note of the ELF that is carried as bytes (gmconfig, segmmu, globalparam, ..., and zynpu's own).
struct Note {
  std::string name;
  Bytes desc;

  bool operator==(const Note&) const = default;
};

struct Graph {
  std::uint32_t device_word = 0;
  std::uint32_t build_version = 0;
  std::uint32_t flags = 0;       // graph-format.md 2.4
  bool virtual_profile = false;  // compiled by zynpu for the virtual z1/z2 (docs/virtual-profile.md)
  std::uint32_t entry = 0;       // AIPU BIN: first instruction, byte offset in text
  std::uint32_t dtcm_kib = 0;    // AIPU BIN (X1)
  Bytes text;
  Bytes rodata;          // parameter block
  Bytes dcr;             // descriptor block
  Bytes data;            // static (weight) data
  Bytes crodata;         // ELF .rodata
  std::vector<Bss> bss;  // AIPU BIN: exactly one
  std::vector<RemapEntry> remap;
  std::vector<SubGraph> subgraphs;  // ELF
  std::vector<Note> notes;          // ELF: the optional notes, in file order
  std::string comment;              // ELF .comment
  Bytes plan;  // zynpu's host plan (plan.h); empty in graphs from elsewhere. BIN: misc section. ELF: note
               // "zynpu.plan".

  bool operator==(const Graph&) const = default;
};

// Graph::plan is a FlatBuffer (plan.fbs), whose bytes 4..7 tell it from other compilers' data in the same
// place.
inline constexpr std::string_view kPlanIdentifier = "ZYPL";
bool is_plan(std::span<const std::uint8_t> bytes);

// The container that a device word uses.
enum class Container { kBin, kElf };

// The vendor's target name of a device word ("Z1_0701"), kUnsupported if it is not one that any driver knows
// or names a part whose graphs have other rules (X3).
Result<std::string_view> target_name(std::uint32_t device_word);
Result<Container> container_of(std::uint32_t device_word);

// Every rule of graph-format.md 5.2 and 10 that can be stated on the in-memory form; readers and writers both
// apply it. kBadFile (or kUnsupported) with the field, the value and the limit.
Status validate(const Graph& graph);

// Sniffs the first bytes and reads either container. kBadFile names the field that is wrong.
Result<Graph> read(std::span<const std::uint8_t> file);
// Writes the container that the part of `graph.device_word` uses. Deterministic.
Result<Bytes> write(const Graph& graph);

}  // namespace zynpu::graph
