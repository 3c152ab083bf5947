// SPDX-License-Identifier: MIT
#include "compiler/passes/dump.h"

#include "compiler/passes/describe.h"
#include "small_graph.h"

namespace zynpu::compiler {
namespace {

using test::SmallGraph;
using K = ir::OpKind;

void expect_lines(const std::string& text, const std::vector<std::string>& lines) {
  for (const std::string& line : lines)
    EXPECT_NE(text.find(line + "\n"), std::string::npos) << line << "\nin:\n" << text;
}

TEST(Dump, TellsTensorsAndOperators) {
  SmallGraph g;
  g.graph.name = "small";
  const int x = g.input(g.u8({1, 6, 6, 3}, 0.25f, 100));
  ir::ConvAttributes a;
  a.padding = ir::Padding::kValid;
  a.stride_h = 2;
  a.dilation_w = 2;
  a.pad_top = 1;
  a.activation = ir::Activation::kRelu6;
  a.from_uint8 = true;
  const int y = g.depthwise(x, 2, 3, a);
  const int axes = g.integers({1, 2});
  g.output(g.op(K::kMean, {y, axes}, g.u8({1, 6}, 0.25f, 3), ir::MeanAttributes{true}));
  g.at(1).quant = {{0.5f, 0.25f, 1, 1, 1, 1}, {0, 0, 0, 0, 0, 0}, 3};
  expect_lines(dump(g.graph),
               {"graph `small`", "  %0 `t0` uint8 [1, 6, 6, 3] scale 0.25 zero 100 input",
                "  %1 `t1` uint8 [1, 3, 3, 6] scale 0.25..1 (6 on axis 3) zero 0 constant",
                "  %4 `t4` int32 [2] constant [1, 2]", "  %5 `t5` uint8 [1, 6] scale 0.25 zero 3 output",
                "  0: %3 = DEPTHWISE_CONV_2D #0(%0 %1 %2) padding=valid stride=2x1 dilation=1x2 multiplier=2 "
                "pads=top 1 bottom 0 left 0 right 0 from_uint8 activation=relu6",
                "  1: %5 = MEAN #1(%3 %4) keep_dims"});
}

TEST(Dump, TellsVariablesAndSubgraphs) {
  SmallGraph g;
  const int h =
      g.op(K::kVarHandle, {}, g.tensor(ir::DataType::kResource, {1}), ir::VarHandleAttributes{"", "state"});
  const int v = g.s8({2});
  g.at(v).is_variable = true;
  g.op(K::kAssignVariable, {h, v}, -1);
  ir::Graph body;
  body.name = "init";
  g.graph.subgraphs = {body};
  g.op(K::kCallOnce, {}, -1, ir::CallOnceAttributes{0});
  expect_lines(
      dump(g.graph),
      {"  %1 `t1` int8 [2] scale 0.5 zero 0 variable", "  0: %0 = VAR_HANDLE #0() variable=`state`",
       "  1: () = ASSIGN_VARIABLE #1(%0 %1)", "  2: () = CALL_ONCE #2() subgraph=0", "  graph `init`"});
}

TEST(Dump, NamesOperatorsThatAPassMade) {
  SmallGraph g;
  g.output(g.op(K::kRelu, {g.input(g.s8({2}))}, g.s8({2})));
  g.graph.ops[0].source = -1;
  EXPECT_EQ(describe_op(g.graph, 0), "RELU +0");
}

TEST(Describe, ShortensLongNamesBetweenCharacters) {
  EXPECT_EQ(shortened(std::string(60, 'a')), std::string(60, 'a'));
  EXPECT_EQ(shortened(std::string(61, 'a')), std::string(60, 'a') + "...");
  const std::string umlauts = std::string(59, 'a') + "\xC3\xA4\xC3\xA4";
  EXPECT_EQ(shortened(umlauts), std::string(59, 'a') + "...");
}

TEST(Describe, NamesAnAbsentTensor) { EXPECT_EQ(describe_tensor(ir::Graph{}, ir::kAbsent), "no tensor"); }

}  // namespace
}  // namespace zynpu::compiler
