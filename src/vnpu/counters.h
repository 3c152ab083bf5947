// SPDX-License-Identifier: MIT
// Sums of what the NPU did.
#pragma once

#include "vnpu/device.h"

namespace zynpu::vnpu {

// Everything but cycles, which do not add up over TECs that run at the same time.
inline void add_work(Counters& sum, const Counters& part) {
  sum.bundles += part.bundles;
  sum.instructions += part.instructions;
  sum.macs += part.macs;
  sum.dma_requests += part.dma_requests;
  sum.dma_bytes += part.dma_bytes;
  sum.stall_cycles += part.stall_cycles;
  sum.fetch_cycles += part.fetch_cycles;
  sum.dma_wait_cycles += part.dma_wait_cycles;
}

}  // namespace zynpu::vnpu
