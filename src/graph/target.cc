// SPDX-License-Identifier: MIT
// The fixed list of targets of graph-format.md 2.3.
#include <array>

#include "graph/graph.h"

namespace zynpu::graph {
namespace {

struct Target {
  std::uint32_t isa, revision, configuration;
  std::string_view name;
};

constexpr std::array<Target, 23> kTargets = {{
    {1, 0, 904, "Z1_0904"},   {1, 0, 1002, "Z1_1002"},  {1, 0, 701, "Z1_0701"},   {1, 1, 701, "Z1_0701_P"},
    {2, 0, 1104, "Z2_1104"},  {2, 0, 901, "Z2_0901"},   {2, 0, 1002, "Z2_1002"},  {2, 0, 1004, "Z2_1004"},
    {3, 0, 1204, "Z3_1204"},  {3, 0, 1104, "Z3_1104"},  {3, 0, 1002, "Z3_1002"},  {3, 0, 901, "Z3_0901"},
    {4, 0, 1204, "X1_1204"},  {5, 0, 1204, "X2_1204"},  {6, 0, 1304, "X3_1304"},  {6, 0, 1302, "X3_1302"},
    {6, 0, 1202, "X3_1202"},  {6, 0, 1204, "X3_1204"},  {6, 1, 1304, "X3P_1304"}, {6, 1, 1302, "X3P_1302"},
    {6, 1, 1202, "X3P_1202"}, {6, 1, 1204, "X3P_1204"}, {6, 2, 1304, "X3S_1304"},
}};

}  // namespace

Result<std::string_view> target_name(std::uint32_t device_word) {
  for (const Target& target : kTargets)
    if (device_word == (target.revision << 28 | target.isa << 16 | target.configuration)) {
      if (target.isa == 6)
        return fail(ErrorCode::kUnsupported,
                    "device: graphs for {} follow the X3 rules, which are not supported", target.name);
      return target.name;
    }
  return fail(ErrorCode::kUnsupported,
              "device: word {:#010x} (architecture {}, instruction set {}, configuration {}, revision {}) is "
              "no known target",
              device_word, device_word >> 20 & 0xFF, device_word >> 16 & 0xF, device_word & 0xFFFF,
              device_word >> 28);
}

Result<Container> container_of(std::uint32_t device_word) {
  ZYNPU_TRY(target_name(device_word).map([](std::string_view) {}));
  return (device_word >> 16 & 0xF) <= 4 ? Container::kBin : Container::kElf;
}

}  // namespace zynpu::graph
