// SPDX-License-Identifier: MIT
// Placing instructions into bundles: dependences, list scheduling of straight-line code, modulo scheduling of
// loops. Internal to codegen/; kernels use builder.h. All functions are deterministic.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"
#include "compiler/codegen/builder.h"
#include "isa/instruction.h"
#include "isa/table.h"

namespace zynpu::compiler {

// An instruction with what the scheduler must know beyond its encoding.
struct Node {
  isa::Instruction insn;
  Area area;
};

// time(to) + distance * period >= time(from) + latency, where distance counts loop trips.
struct Dependence {
  int from = 0, to = 0;
  int latency = 0;
  int distance = 0;
};

// Dependences of `nodes` in program order; with `looped` also those from one trip to the next.
std::vector<Dependence> find_dependences(std::span<const Node> nodes, bool looped);

// Cycles after the start of a block until results of earlier blocks may be read, by register.
struct Pending {
  std::array<std::array<int, 32>, 3> ready{};  // [isa::File][register]
  bool empty() const;
};

// Straight-line code. `control`, if not null, is a branch or loop instruction that ends the block: it stands
// in the last bundle, and then (or if `drain`) every result is ready at the block's end. `pending` is updated
// to what the next block has to wait for.
Result<std::vector<isa::Bundle>> schedule_block(std::span<const Node> nodes, const Node* control, bool drain,
                                                Pending& pending);

// A software-pipelined loop.
struct Pipelined {
  std::vector<Node> nodes;  // the body, some registers exchanged
  std::vector<isa::Bundle> bundles;
  std::vector<int> time;  // of each node, from the start of its trip; stage = time / (bundles + 1)
  int stages = 1;
  double cycles = 0;  // expected per trip, with loopend and bank conflicts

  // The nodes (indices) that trips first..last together run at times [begin, end), trip i starting at i
  // periods, in an order that means the same when read sequentially. Each entry is a node of some trip.
  std::vector<int> in_order(int first, int last, int begin, int end) const;
};
// `free`: registers that hold nothing when the body is not running; values that live within a trip may move
// to any of them. Nothing if no schedule with at most `max_bundles` bundles (loopend not counted) and
// `max_stages` stages was found. Every row also leaves one empty row after the last for loopend.
std::optional<Pipelined> schedule_loop(std::span<const Node> nodes, const FreeRegisters& free,
                                       int max_bundles, int max_stages);

// Expected cycles of a bundle from the issue rules (tec-semantics.md 9.2), bank conflicts between loads of
// unknown addresses at half a cycle.
double issue_cycles(const isa::Bundle& bundle);

}  // namespace zynpu::compiler
