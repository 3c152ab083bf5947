// SPDX-License-Identifier: MIT
// What a run cost, by step and by layer.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/backend.h"

namespace zynpu::runtime {

using Cost = JobProfile::Region;  // cycles, bundles, macs, dma_bytes

struct StepProfile {
  Cost cost;           // 0 on the CPU
  double host_ms = 0;  // wall time on this host
};

struct LayerProfile {
  Cost cost;              // 0 on the CPU
  double host_ms = 0;     // CPU operators only
  bool own_code = false;  // see ops_with_code() of program.h
};

// Steps and layers are indexed as HostPlan::steps and HostPlan::placements.
struct RunProfile {
  bool modelled = false;  // the NPU's numbers come from a timing model
  Cost total;             // all NPU steps
  double host_ms = 0;
  std::vector<StepProfile> steps;
  std::vector<LayerProfile> layers;
};

}  // namespace zynpu::runtime
