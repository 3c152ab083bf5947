// SPDX-License-Identifier: MIT
// Convolutions on the virtual NPU against the reference, byte by byte.
#include <gtest/gtest.h>

#include "compiler/support/graph_maker.h"
#include "compiler/support/npu_harness.h"

namespace zynpu::compiler::test {
namespace {

class ConvOnEveryPart : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Parts, ConvOnEveryPart, ::testing::Values("z1", "z2", "x2"));

TEST_P(ConvOnEveryPart, OneByOne) {
  ConvCase c;
  c.filter_h = c.filter_w = 1;
  EXPECT_TRUE(same_as_reference(conv_graph(c), GetParam()));
}

TEST_P(ConvOnEveryPart, ThreeByThreeSame) {
  ConvCase c;
  EXPECT_TRUE(same_as_reference(conv_graph(c), GetParam()));
}

}  // namespace
}  // namespace zynpu::compiler::test
