// SPDX-License-Identifier: MIT
// How many workers each operator of an x2 step gets.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace zynpu::compiler {

// Predicted cycles of one operator with one worker, one core and three cores; kNever if it cannot be done so.
struct LayerCost {
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};
  std::uint64_t one = kNever, core = kNever, all = kNever;
};

// Cycles from the end of a group to the start of the next that waits for it (tec-semantics.md 9.6: 15-25 us).
inline constexpr std::uint64_t kBoundaryCycles = 24000;

enum class Sharing : std::uint8_t {
  kOneTec,   // one worker; neighbouring operators of this kind run in one program, without a boundary between
             // them
  kOneCore,  // the TECs of one core: one group
  kAllCores,  // all cores: a group each, between barriers
};

// Cycles of a meeting of the TECs of a core in GSRAM, with the loss to its slowest TEC.
inline constexpr std::uint64_t kMeetingCycles = 1500;

// The cheapest choice. Every operator must have at least one way. `meetings`: neighbours that stay on one
// core share a program and meet between them (Options::gsram_barriers).
std::vector<Sharing> choose_sharing(std::span<const LayerCost> layers, bool meetings);

}  // namespace zynpu::compiler
