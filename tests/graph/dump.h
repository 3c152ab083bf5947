// SPDX-License-Identifier: MIT
// A plan as text, every field of it, so that two plans are equal if and only if their dumps are.
#pragma once

#include <string>

#include "graph/plan.h"

namespace zynpu::graph {

std::string dump(const HostPlan& plan);  // everything but the graphs, which compare with ==

}  // namespace zynpu::graph
