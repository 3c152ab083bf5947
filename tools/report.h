// SPDX-License-Identifier: MIT
// Tensors, layers and costs as text and JSON, the same in every subcommand.
#pragma once

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "graph/plan.h"
#include "ir/graph.h"
#include "part/part.h"
#include "runtime/profile.h"

namespace zynpu::tools {

// Ordered, so that documents read as they were written.
using Json = nlohmann::ordered_json;

// int8 multiply-accumulates that one TEC sustains in a cycle (tec-semantics.md 1.3).
inline constexpr double kPeakMacsPerCycle = 64;

// "int8 [1, 49, 10, 1], scale 0.584703, zero point 83".
std::string tensor_text(const ir::Tensor& tensor);
Json tensor_json(const ir::Tensor& tensor);

// Layers of a plan; with a profile also what they cost in that run.
Json layers_json(const graph::HostPlan& plan, const runtime::RunProfile* profile);
void print_layers(const graph::HostPlan& plan, const part::Part& part, const runtime::RunProfile* profile);

Json cost_json(const runtime::RunProfile& profile);

// Model MACs per cycle and TEC; 0 without cycles.
double macs_per_cycle_per_tec(std::int64_t macs, std::uint64_t cycles, const part::Part& part);

// Milliseconds of `cycles` at the TEC's nominal clock (tec-semantics.md 1.2).
double modelled_ms(std::uint64_t cycles);

// One line of progress on stderr while it lives, if stderr is a terminal; else nothing.
class Progress {
 public:
  Progress();
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void show(const std::string& text);
  void clear();

 private:
  const bool terminal_;
  bool shown_ = false;
};

}  // namespace zynpu::tools
