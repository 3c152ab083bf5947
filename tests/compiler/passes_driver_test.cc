// SPDX-License-Identifier: MIT
// The driver with a code generator that only writes down what it is asked.
#include "compiler/passes/driver.h"

#include <algorithm>
#include <sstream>

#include "small_graph.h"

namespace zynpu::compiler {
namespace {

using test::SmallGraph;
using K = ir::OpKind;

const part::Part& x2() { return *part::find("x2"); }

struct Stub {
  std::vector<K> cpu;         // kinds that the kernels refuse
  K unbuildable = K::kCount;  // a kind that they accept, but that fails to build
  ErrorCode failure = ErrorCode::kUnsupported;
  bool only_together = false;  // the failure shows in steps of several operators only
  std::vector<graph::Step> built;

  Generator generator() {
    Generator g;
    g.unsupported_reason = [this](const ir::Graph&, const ir::Op& op) -> std::string {
      return std::find(cpu.begin(), cpu.end(), op.kind) == cpu.end() ? "" : "The stub has no kernel";
    };
    g.build_npu_graph = [this](const ir::Graph& model, const graph::Step& step, const part::Part& part,
                               const Options&) -> Result<NpuGraph> {
      built.push_back(step);
      for (const int op : step.ops)
        if (model.ops[static_cast<std::size_t>(op)].kind == unbuildable &&
            (!only_together || step.ops.size() > 1))
          return fail(failure, "The stub cannot build it");
      NpuGraph out;
      out.graph.device_word = part.device_word;
      out.graph.text.resize(64);
      for (const int op : step.ops) {
        out.predicted_cycles.push_back(1000 + static_cast<std::uint64_t>(op));
        const auto at = static_cast<std::uint32_t>(out.source_map.size() * 16);
        out.source_map.push_back({99, at, at + 16, op});
      }
      return out;
    };
    return g;
  }
};

ir::ConvAttributes valid() {
  ir::ConvAttributes a;
  a.padding = ir::Padding::kValid;
  return a;
}

// x -> CONV_2D -> TANH -> CONV_2D, and constants for each
SmallGraph conv_tanh_conv() {
  SmallGraph g;
  const int x = g.input(g.s8({1, 32, 32, 3}));
  const int a = g.conv(x, 8, 3, valid());
  const int b = g.op(K::kTanh, {a}, g.s8({1, 30, 30, 8}, 1.0f / 128, 0));
  g.output(g.conv(b, 8, 3, valid()));
  return g;
}

TEST(Driver, GivesAPlanOfStepsPlacementsAndGraphs) {
  Stub stub;
  stub.cpu = {K::kTanh};
  const SmallGraph g = conv_tanh_conv();
  const auto plan = compile_with(stub.generator(), g.graph, x2(), {});
  ASSERT_TRUE(plan) << plan.error().message;
  ASSERT_EQ(plan->steps.size(), 3u);
  EXPECT_EQ(plan->steps[0].graph, 0);
  EXPECT_EQ(plan->steps[1].graph, -1);
  EXPECT_EQ(plan->steps[2].graph, 1);
  EXPECT_EQ(plan->graphs.size(), 2u);
  ASSERT_EQ(plan->placements.size(), 3u);
  EXPECT_EQ(plan->placements[0].name, "CONV_2D #0");
  EXPECT_TRUE(plan->placements[0].npu);
  EXPECT_EQ(plan->placements[0].macs, 30 * 30 * 8 * 27);
  EXPECT_EQ(plan->placements[0].predicted_cycles, 1000u);
  EXPECT_EQ(plan->placements[1].name, "TANH #1");
  EXPECT_FALSE(plan->placements[1].npu);
  EXPECT_EQ(plan->placements[1].reason, "The stub has no kernel");
  EXPECT_EQ(plan->placements[1].predicted_cycles, 0u);
  EXPECT_EQ(plan->placements[2].predicted_cycles, 1002u);
  // The source map names the graphs of the plan, whatever the builder numbered them.
  ASSERT_EQ(plan->source_map.size(), 2u);
  EXPECT_EQ(plan->source_map[0].graph, 0);
  EXPECT_EQ(plan->source_map[1].graph, 1);
  EXPECT_EQ(plan->source_map[1].op, 2);
}

TEST(Driver, KeepsOnlyTheConstantsThatTheHostReads) {
  Stub stub;
  stub.cpu = {K::kTanh, K::kAdd};
  SmallGraph g;
  const int x = g.input(g.s8({1, 32, 32, 3}));
  const int a = g.conv(x, 8, 3, valid());
  const int c = g.random_constant(g.s8({8}));
  g.output(g.op(K::kAdd, {a, c}, g.s8({1, 30, 30, 8}), ir::ArithmeticAttributes{}));
  const auto plan = compile_with(stub.generator(), g.graph, x2(), {});
  ASSERT_TRUE(plan) << plan.error().message;
  const ir::Graph& model = plan->model;
  EXPECT_FALSE(model.tensors[static_cast<std::size_t>(model.ops[0].inputs[1])].is_constant());
  EXPECT_FALSE(model.tensors[static_cast<std::size_t>(model.ops[0].inputs[2])].is_constant());
  EXPECT_TRUE(model.tensors[static_cast<std::size_t>(model.ops[1].inputs[1])].is_constant());
  EXPECT_TRUE(g.at(1).is_constant()) << "the caller's graph must stay as it is";
}

TEST(Driver, RunsEverythingOnTheCpuOnRequest) {
  Stub stub;
  Options options;
  options.cpu_only = true;
  const auto plan = compile_with(stub.generator(), conv_tanh_conv().graph, x2(), options);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_TRUE(plan->graphs.empty());
  EXPECT_TRUE(stub.built.empty());
  ASSERT_EQ(plan->steps.size(), 1u);
  EXPECT_FALSE(plan->steps[0].npu);
  EXPECT_EQ(plan->placements[0].reason, "The caller asked for the CPU only");
}

TEST(Driver, MovesWhatCannotBeBuiltToTheCpu) {
  for (const ErrorCode failure : {ErrorCode::kUnsupported, ErrorCode::kOutOfMemory}) {
    Stub stub;
    stub.unbuildable = K::kTanh;
    stub.failure = failure;
    const auto plan = compile_with(stub.generator(), conv_tanh_conv().graph, x2(), {});
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_EQ(plan->steps.size(), 3u);
    EXPECT_EQ(plan->placements[1].reason, "The stub cannot build it");
    EXPECT_TRUE(plan->placements[0].npu && plan->placements[2].npu);
  }
}

TEST(Driver, PassesOnAFailureThatIsNobodysOperator) {
  Stub stub;
  stub.unbuildable = K::kTanh;
  stub.only_together = true;
  const auto together = compile_with(stub.generator(), conv_tanh_conv().graph, x2(), {});
  ASSERT_FALSE(together);
  EXPECT_EQ(together.error().message, "The stub cannot build it");
  stub.only_together = false;
  stub.failure = ErrorCode::kInternal;
  const auto internal = compile_with(stub.generator(), conv_tanh_conv().graph, x2(), {});
  ASSERT_FALSE(internal);
  EXPECT_EQ(internal.error().code, ErrorCode::kInternal);
}

TEST(Driver, RefusesWhatNobodyCanRun) {
  Stub stub;
  stub.cpu = {K::kAdd};
  SmallGraph g;
  const auto q = test::quant(1, 0);
  const int x = g.input(g.tensor(ir::DataType::kInt16, {4}, q));
  g.output(g.op(K::kAdd, {x, x}, g.tensor(ir::DataType::kInt16, {4}, q), ir::ArithmeticAttributes{}));
  const auto plan = compile_with(stub.generator(), g.graph, x2(), {});
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::kUnsupported);
  for (const char* part : {"ADD #0", "neither on the NPU (The stub has no kernel)", "nor on the CPU (ADD #0"})
    EXPECT_NE(plan.error().message.find(part), std::string::npos) << plan.error().message;
}

TEST(Driver, RefusesShapesThatAreComputedAtRunTime) {
  Stub stub;
  SmallGraph g;
  const int x = g.input(g.s8({2, 6})), shape = g.input(g.tensor(ir::DataType::kInt32, {2}));
  g.output(g.op(K::kReshape, {x, shape}, g.s8({3, 4})));
  const auto plan = compile_with(stub.generator(), g.graph, x2(), {});
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(plan.error().message.find("RESHAPE #0: its shape, tensor #1 `t1`, is computed at run time"),
            std::string::npos)
      << plan.error().message;
}

TEST(Driver, RefusesAGraphThatIsNotValid) {
  Stub stub;
  SmallGraph g = conv_tanh_conv();
  g.graph.ops[0].inputs[0] = 77;
  const auto plan = compile_with(stub.generator(), g.graph, x2(), {});
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::kBadFile);
}

TEST(Driver, DumpsAfterTheStageAskedForOnly) {
  for (const char* stage : {"import", "fold", "fuse", "legalise", "partition"}) {
    Stub stub;
    stub.cpu = {K::kTanh};
    std::ostringstream out;
    Options options;
    options.dump_after = stage;
    options.dump = &out;
    ASSERT_TRUE(compile_with(stub.generator(), conv_tanh_conv().graph, x2(), options));
    EXPECT_NE(out.str().find("CONV_2D #0(%0 %1 %2) padding=valid stride=1x1"), std::string::npos)
        << out.str();
    EXPECT_EQ(out.str().find("step 1: CPU\n  1: TANH #1: The stub has no kernel") != std::string::npos,
              std::string(stage) == "partition");
  }
}

TEST(Driver, RefusesAStageThatDoesNotExist) {
  Stub stub;
  Options options;
  options.dump_after = "linking";
  const auto plan = compile_with(stub.generator(), conv_tanh_conv().graph, x2(), options);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace zynpu::compiler
