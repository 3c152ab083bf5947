// SPDX-License-Identifier: MIT
// Single-operator graphs over generated shapes, quantisations and attributes: the same on every host and in
// every run. The name of a case alone makes it again ("CONV_2D_17"), so it is all a report needs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace zynpu::test {

// A sort of case: one operator kind on one element type.
struct OpFamily {
  std::string name;    // "CONV_2D", "CONV_2D_U8", "PAD_INT32", ...
  int count = 0;       // cases NAME_0 .. NAME_(count - 1)
  bool npu = false;    // int8 (in and out) of an operator that a compiler maps to the NPU
  bool tflite = true;  // can be written as a TFLite file (explicit paddings of ConvAttributes cannot)
};
const std::vector<OpFamily>& op_families();

struct OpCase {
  std::string name;
  std::string description;     // shapes and attributes on one line, for a person
  ir::Graph graph;             // one operator; its constants filled in
  bool varied_inputs = false;  // inputs over the whole range only, never all alike
  int runs = 1;                // consecutive runs of one interpreter (operators with state)
};
// The case of that name; aborts if there is no such family or number.
OpCase make_op_case(std::string_view name);

// Names of every case; of those for the NPU only: more than 1,000.
std::vector<std::string> op_case_names();
std::vector<std::string> npu_op_case_names();

// Bytes of every graph input for one run, `run` from 0.
std::vector<std::vector<std::uint8_t>> op_case_inputs(const OpCase& c, int run = 0);

}  // namespace zynpu::test
