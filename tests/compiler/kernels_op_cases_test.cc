// SPDX-License-Identifier: MIT
// Every generated case of an operator that the NPU takes: compiled for x2, run on the virtual NPU, equal to
// reference/.
#include <gtest/gtest.h>

#include <string>

#include "compiler/kernels/kernel.h"
#include "compiler/support/npu_harness.h"
#include "support/op_cases.h"

namespace zynpu::compiler::test {
namespace {

TEST(GeneratedOperators, EqualTheReferenceOnX2InAtLeastAThousandCases) {
  int ran = 0, left_to_cpu = 0;
  for (const std::string& name : zynpu::test::npu_op_case_names()) {
    const zynpu::test::OpCase c = zynpu::test::make_op_case(name);
    if (!unsupported_reason(c.graph, c.graph.ops.at(0)).empty()) {
      ++left_to_cpu;
      continue;
    }
    EXPECT_TRUE(same_as_reference(c.graph, "x2")) << name << ": " << c.description;
    ++ran;
  }
  RecordProperty("ran", ran);
  RecordProperty("left_to_cpu", left_to_cpu);
  EXPECT_GE(ran, 1000) << left_to_cpu << " cases were left to the CPU";
}

}  // namespace
}  // namespace zynpu::compiler::test
