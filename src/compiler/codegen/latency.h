// SPDX-License-Identifier: MIT
// Result latencies (isa/timing.h) as minimum distances. Internal to codegen/.
#pragma once

#include "isa/timing.h"

namespace zynpu::compiler {

// Cycles from issue of `producer` to the earliest issue of any reader of its result.
inline int longest_latency(const isa::Instruction& producer) {
  return static_cast<int>(isa::result_latency(producer.op));
}

// The same for one reader; accumulators are forwarded (`qdpa` after `qdpa`).
inline int result_latency(const isa::Instruction& producer, const isa::Instruction& consumer, isa::File file,
                          std::uint8_t reg) {
  return static_cast<int>(isa::dependence_latency(producer, consumer, file, reg));
}

}  // namespace zynpu::compiler
