// SPDX-License-Identifier: MIT
// What each NPU is, once: counts, memories, address map, identity. Used by simulator, compiler, runtime and
// tests.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace zynpu::part {

enum class HostInterface {
  kFlat,     // Z1: flat registers, START_PC doorbell
  kFlatAse,  // Z2: the same plus four address-space extensions
  kTsm,      // X2: command pools and TCB chains
};

// Constant description of one part. All sizes in bytes. Thread-safe: immutable, static lifetime.
struct Part {
  std::string_view name;         // "z1", "z2", "x2": what users type
  std::string_view target;       // vendor target name, e.g. "Z1_0701" (graph-format.md 2.3)
  std::string_view description;  // one line for `zynpu parts`
  HostInterface host_interface;
  std::uint32_t device_word;  // device word of the graph containers (graph-format.md 2.3)
  unsigned clusters;
  unsigned cores;  // per cluster
  unsigned tecs_per_core;
  std::uint32_t lsram_bytes;   // per TEC
  std::uint32_t gsram_bytes;   // per core
  std::uint32_t gm_bytes;      // per cluster, 0 if none
  std::uint64_t window_bytes;  // size of the usable device address window (ASID0)
  bool virtual_profile;  // zynpu-compiled programs run on the virtual part only (DESIGN.md, honest rules)
  // identity registers (host-interface.md 1.3, 1.4, 1.5); unused ones are 0
  std::uint32_t revision_id;
  std::uint32_t isa_version;
  std::uint32_t tpc_feature;
  std::uint32_t hwa_feature;

  constexpr unsigned tecs() const { return clusters * cores * tecs_per_core; }
};

// Device addresses that are the same on every part (tec-semantics.md 6.1).
inline constexpr std::uint32_t kLsramBase = 0xFA000000;
inline constexpr std::uint32_t kGsramBase = 0xF8000000;
inline constexpr std::uint32_t kAsid0Limit = 0xC0000000;
inline constexpr std::uint32_t kCacheLineBytes = 64;

// All parts, in the order z1, z2, x2.
std::span<const Part> parts();

// The part called `name` ("x2") or whose vendor target name it is ("X2_1204"); nullptr if there is none.
const Part* find(std::string_view name);

}  // namespace zynpu::part
