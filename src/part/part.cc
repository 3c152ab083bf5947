// SPDX-License-Identifier: MIT
#include "part/part.h"

#include <array>

namespace zynpu::part {
namespace {

constexpr std::array<Part, 3> kParts = {{
    {.name = "z1",
     .target = "Z1_0701",
     .description = "Zhouyi Z1 0701 (Allwinner R329)",
     .host_interface = HostInterface::kFlat,
     .device_word = 0x000102BD,
     .clusters = 1,
     .cores = 1,
     .tecs_per_core = 1,
     .lsram_bytes = 32 * 1024,
     .gsram_bytes = 256 * 1024,
     .gm_bytes = 0,
     .window_bytes = kAsid0Limit,
     .virtual_profile = true,
     .revision_id = 0x00000000,
     .isa_version = 0,
     .tpc_feature = 0x00010101,
     .hwa_feature = 0x00010111},
    {.name = "z2",
     .target = "Z2_1104",
     .description = "Zhouyi Z2 1104 (SiEngine SE1000)",
     .host_interface = HostInterface::kFlatAse,
     .device_word = 0x00020450,
     .clusters = 1,
     .cores = 1,
     .tecs_per_core = 4,
     .lsram_bytes = 32 * 1024,
     .gsram_bytes = 256 * 1024,
     .gm_bytes = 0,
     .window_bytes = kAsid0Limit,
     .virtual_profile = true,
     .revision_id = 0x00000100,
     .isa_version = 1,
     .tpc_feature = 0x00010104,
     .hwa_feature = 0x00010113},
    {.name = "x2",
     .target = "X2_1204",
     .description = "Zhouyi X2 1204MP3 (CIX P1)",
     .host_interface = HostInterface::kTsm,
     .device_word = 0x000504B4,
     .clusters = 1,
     .cores = 3,
     .tecs_per_core = 4,
     .lsram_bytes = 32 * 1024,
     .gsram_bytes = 256 * 1024,
     .gm_bytes = 4 * 1024 * 1024,
     .window_bytes = kAsid0Limit,
     .virtual_profile = false,
     .revision_id = 0x00010000,
     .isa_version = 0,
     .tpc_feature = 0,
     .hwa_feature = 0},
}};

}  // namespace

std::span<const Part> parts() { return kParts; }

const Part* find(std::string_view name) {
  for (const Part& part : kParts)
    if (part.name == name || part.target == name) return &part;
  return nullptr;
}

}  // namespace zynpu::part
