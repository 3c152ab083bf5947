// SPDX-License-Identifier: MIT
#include "compiler/passes/partition.h"

#include <set>

#include "compiler/compiler.h"
#include "compiler/passes/fold.h"
#include "compiler/passes/fuse.h"
#include "compiler/passes/legalise.h"
#include "shared_models.h"
#include "small_graph.h"

namespace zynpu::compiler {
namespace {

using test::SmallGraph;
using K = ir::OpKind;

// Everything but these kinds, and but tensors that are not 8 bits wide, can run on the NPU.
UnsupportedReason all_but(const std::set<K>& cpu) {
  return [cpu](const ir::Graph& graph, const ir::Op& op) -> std::string {
    if (cpu.contains(op.kind)) return "It is one that the test keeps on the CPU";
    for (const auto* list : {&op.inputs, &op.outputs})
      for (const int t : *list)
        if (t >= 0 && !graph.tensors[static_cast<std::size_t>(t)].is_constant() &&
            ir::size_of(graph.tensors[static_cast<std::size_t>(t)].type) != 1)
          return "A tensor is not 8 bits wide";
    return {};
  };
}

// "CPU 0 1 | NPU 2 3 | CPU 4"
std::string text(const Partition& partition) {
  std::string out;
  for (const graph::Step& step : partition.steps) {
    out += (out.empty() ? "" : " | ") + std::string(step.npu ? "NPU" : "CPU");
    for (const int op : step.ops) out += " " + std::to_string(op);
  }
  return out;
}

// What must hold of every partition: each operator once, values there before they are read, steps complete.
void expect_sound(const ir::Graph& graph, const Partition& partition) {
  ASSERT_EQ(partition.reasons.size(), graph.ops.size());
  std::vector<bool> done(graph.ops.size()), there(graph.tensors.size());
  for (std::size_t t = 0; t < there.size(); ++t)
    there[t] = graph.tensors[t].is_constant() || graph.tensors[t].is_variable;
  for (const int t : graph.inputs) there[static_cast<std::size_t>(t)] = true;
  int graphs = 0;
  for (const graph::Step& step : partition.steps) {
    ASSERT_FALSE(step.ops.empty());
    EXPECT_EQ(step.graph, step.npu ? graphs++ : -1);
    std::vector<bool> inside = there;  // an NPU step sees only what enters it
    if (step.npu) {
      for (std::size_t t = 0; t < inside.size(); ++t) inside[t] = graph.tensors[t].is_constant();
      for (const int t : step.inputs) {
        EXPECT_TRUE(there[static_cast<std::size_t>(t)]) << "step input " << t;
        inside[static_cast<std::size_t>(t)] = true;
      }
    } else {
      EXPECT_TRUE(step.inputs.empty() && step.outputs.empty());
    }
    int last = -1;
    for (const int index : step.ops) {
      EXPECT_GT(index, last);
      last = index;
      EXPECT_FALSE(done[static_cast<std::size_t>(index)]);
      done[static_cast<std::size_t>(index)] = true;
      EXPECT_EQ(partition.reasons[static_cast<std::size_t>(index)].empty(), step.npu);
      const ir::Op& op = graph.ops[static_cast<std::size_t>(index)];
      for (const int t : op.inputs) {
        EXPECT_TRUE(t < 0 || inside[static_cast<std::size_t>(t)]) << "operator " << index << " reads " << t;
      }
      for (const int t : op.outputs) inside[static_cast<std::size_t>(t)] = true;
    }
    if (!step.npu) {
      there = inside;
    } else {
      for (const int t : step.outputs) {
        EXPECT_TRUE(inside[static_cast<std::size_t>(t)]) << "step output " << t;
        there[static_cast<std::size_t>(t)] = true;
      }
    }
  }
  for (std::size_t i = 0; i < done.size(); ++i) EXPECT_TRUE(done[i]) << "operator " << i;
  for (const int t : graph.outputs) EXPECT_TRUE(there[static_cast<std::size_t>(t)]) << "graph output " << t;
}

Partition sound(const ir::Graph& graph, const std::set<K>& cpu) {
  Partition p = partition(graph, all_but(cpu));
  expect_sound(graph, p);
  return p;
}

ir::PoolAttributes pool3() {
  ir::PoolAttributes a;
  a.filter_h = a.filter_w = 3;
  return a;
}

constexpr std::int32_t kBig = 64;  // 64 * 64 * 8 elements: worth a step
int big(SmallGraph& g) { return g.s8({1, kBig, kBig, 8}); }
int npu_op(SmallGraph& g, int x) { return g.op(K::kMaxPool2d, {x}, big(g), pool3()); }
int cpu_op(SmallGraph& g, int x) { return g.op(K::kTanh, {x}, big(g)); }

TEST(Partition, PutsAModelThatFitsIntoOneStep) {
  SmallGraph g;
  const int x = g.input(big(g));
  g.output(npu_op(g, npu_op(g, x)));
  const Partition p = sound(g.graph, {});
  ASSERT_EQ(text(p), "NPU 0 1");
  EXPECT_EQ(p.steps[0].inputs, g.graph.inputs);
  EXPECT_EQ(p.steps[0].outputs, g.graph.outputs);
}

TEST(Partition, HasOnlyTheCpuIfNothingFits) {
  SmallGraph g;
  g.output(cpu_op(g, npu_op(g, g.input(big(g)))));
  const Partition p = sound(g.graph, {K::kMaxPool2d, K::kTanh});
  EXPECT_EQ(text(p), "CPU 0 1");
  EXPECT_EQ(p.reasons[0], "It is one that the test keeps on the CPU");
}

TEST(Partition, OfAnEmptyGraphIsEmpty) {
  SmallGraph g;
  g.output(g.input(big(g)));
  EXPECT_TRUE(sound(g.graph, {}).steps.empty());
}

// Two branches, each CPU then NPU or NPU then CPU, interleaved in the program.
TEST(Partition, GathersBranchesIntoFewSteps) {
  SmallGraph g;
  const int x = g.input(big(g)), y = g.input(big(g));
  const int a = npu_op(g, x);  // 0
  const int b = cpu_op(g, y);  // 1
  const int c = cpu_op(g, a);  // 2
  const int d = npu_op(g, b);  // 3
  g.output(c);
  g.output(d);
  EXPECT_EQ(text(sound(g.graph, {K::kTanh})), "CPU 1 | NPU 0 3 | CPU 2");
}

TEST(Partition, StartsWithTheNpuWhereThatSavesAStep) {
  SmallGraph g;
  const int x = g.input(big(g)), y = g.input(big(g));
  const int a = npu_op(g, x), b = cpu_op(g, a), c = npu_op(g, b);  // NPU CPU NPU
  const int d = cpu_op(g, y);                                      // ready at once
  g.output(g.op(K::kMaxPool2d, {c}, big(g), pool3()));
  g.output(d);
  EXPECT_EQ(text(sound(g.graph, {K::kTanh})), "NPU 0 | CPU 1 3 | NPU 2 4");
}

TEST(Partition, NamesWhatCrossesTheBorderOnce) {
  SmallGraph g;
  const int x = g.input(big(g));
  const int weights = g.random_constant(big(g));
  const int a = g.op(K::kAdd, {x, x}, big(g), ir::ArithmeticAttributes{});
  const int b = g.op(K::kAdd, {a, weights}, big(g), ir::ArithmeticAttributes{});
  const int c = g.op(K::kAdd, {a, x}, big(g), ir::ArithmeticAttributes{});
  g.output(cpu_op(g, a));
  g.output(g.op(K::kAdd, {b, c}, big(g), ir::ArithmeticAttributes{}));
  const Partition p = sound(g.graph, {K::kTanh});
  ASSERT_EQ(text(p), "NPU 0 1 2 4 | CPU 3");
  EXPECT_EQ(p.steps[0].inputs, (std::vector<int>{x}));
  EXPECT_EQ(p.steps[0].outputs, (std::vector<int>{a, g.graph.outputs[1]}));
}

// READ v -> work -> ASSIGN v -> READ v -> work, and a CALL_ONCE in front
SmallGraph stateful() {
  SmallGraph g;
  ir::Graph body;
  g.graph.subgraphs.push_back(body);
  const int x = g.input(big(g));
  g.op(K::kCallOnce, {}, -1, ir::CallOnceAttributes{0});  // 0
  const int first = npu_op(g, x);                         // 1
  const int handle =
      g.op(K::kVarHandle, {}, g.tensor(ir::DataType::kResource, {1}), ir::VarHandleAttributes{"", "v"});  // 2
  const int old = g.op(K::kReadVariable, {handle}, big(g));                                               // 3
  const int sum = g.op(K::kAdd, {first, old}, big(g), ir::ArithmeticAttributes{});                        // 4
  g.op(K::kAssignVariable, {handle, sum}, -1);                                                            // 5
  g.output(npu_op(g, sum));                                                                               // 6
  return g;
}

TEST(Partition, ReadsVariablesFirstAndAssignsThemLast) {
  const Partition p = sound(stateful().graph, {});
  EXPECT_EQ(text(p), "CPU 0 2 3 | NPU 1 4 6 | CPU 5");
  EXPECT_EQ(p.reasons[3], "It works on a variable, which the host keeps between runs");
}

TEST(Partition, KeepsTheOrderOfAccessesToAVariable) {
  SmallGraph g = stateful();
  const int handle = g.graph.ops[2].outputs[0];
  const int again = g.op(K::kReadVariable, {handle}, big(g));  // 7: must see the assignment
  g.output(npu_op(g, again));                                  // 8
  EXPECT_EQ(text(sound(g.graph, {})), "CPU 0 2 3 | NPU 1 4 6 | CPU 5 7 | NPU 8");
}

TEST(Partition, LetsAnotherVariableThrough) {
  SmallGraph g = stateful();
  const int other =
      g.op(K::kVarHandle, {}, g.tensor(ir::DataType::kResource, {1}), ir::VarHandleAttributes{"", "w"});  // 7
  const int again = g.op(K::kReadVariable, {other}, big(g));                                              // 8
  g.output(npu_op(g, again));                                                                             // 9
  EXPECT_EQ(text(sound(g.graph, {})), "CPU 0 2 3 7 8 | NPU 1 4 6 9 | CPU 5");
}

TEST(Partition, LeavesFurtherSmallStepsToTheCpu) {
  SmallGraph g;
  const int x = g.input(big(g)), y = g.input(g.s8({8}));
  g.output(npu_op(g, x));                                                     // 0
  const int a = g.op(K::kRelu, {g.op(K::kTanh, {y}, g.s8({8}))}, g.s8({8}));  // 1 CPU, 2 small NPU
  const int b = g.op(K::kTanh, {a}, g.s8({8}));                               // 3 CPU
  g.output(g.op(K::kRelu, {b}, g.s8({8})));                                   // 4 small NPU
  const Partition p = sound(g.graph, {K::kTanh});
  // The first RELU can join the real step for nothing; the second would need one of its own.
  EXPECT_EQ(text(p), "CPU 1 | NPU 0 2 | CPU 3 4");
  EXPECT_NE(p.reasons[4].find("too small"), std::string::npos);
}

TEST(Partition, KeepsTheOnlyStepOfASmallModel) {
  SmallGraph g;
  g.output(g.op(K::kRelu, {g.input(g.s8({8}))}, g.s8({8})));
  EXPECT_EQ(text(sound(g.graph, {})), "NPU 0");
}

TEST(Partition, StartsNothingForAReshape) {
  SmallGraph g;
  g.output(g.op(K::kReshape, {g.input(g.s8({8}))}, g.s8({2, 4})));
  EXPECT_EQ(text(sound(g.graph, {})), "CPU 0");
}

TEST(Partition, RenamesWithinAStepForFree) {
  SmallGraph g;
  const int a = npu_op(g, g.input(big(g)));
  const int flat = g.op(K::kReshape, {a}, g.s8({1, kBig * kBig * 8}));
  const int back = g.op(K::kReshape, {flat}, big(g));
  g.output(npu_op(g, back));
  g.output(g.op(K::kReshape, {a}, g.s8({kBig, kBig * 8})));  // the memory of a leaves under this name
  EXPECT_EQ(text(sound(g.graph, {})), "NPU 0 1 2 3 4");
}

TEST(Partition, KeepsASecondNameOutsideOfTheStep) {
  SmallGraph g;
  const int x = g.input(big(g));
  const int a = g.output(npu_op(g, x));                      // 0
  g.output(g.op(K::kReshape, {a}, g.s8({kBig, kBig * 8})));  // 1: a leaves too
  g.output(g.op(K::kReshape, {x}, g.s8({kBig, kBig * 8})));  // 2: x lies outside already
  const int b = npu_op(g, a);                                // 3
  g.output(g.op(K::kReshape, {b}, g.s8({kBig, kBig * 8})));  // 4
  g.output(g.op(K::kReshape, {b}, g.s8({kBig * 8, kBig})));  // 5: b leaves under two names
  const Partition p = sound(g.graph, {});
  EXPECT_EQ(text(p), "NPU 0 3 | CPU 1 2 4 5");
  EXPECT_NE(p.reasons[1].find("renames"), std::string::npos);
}

// Random graphs: sound whatever the mixture, and never more NPU steps than runs of NPU operators in the
// program.
TEST(Partition, IsSoundOnRandomGraphs) {
  std::minstd_rand random(3);
  for (int round = 0; round < 200; ++round) {
    SmallGraph g;
    std::vector<int> values = {g.input(big(g)), g.input(big(g))};
    const int handle =
        g.op(K::kVarHandle, {}, g.tensor(ir::DataType::kResource, {1}), ir::VarHandleAttributes{"", "v"});
    int runs = 0;
    bool was_npu = false;
    for (int i = 0; i < 30; ++i) {
      const int x = values[random() % values.size()], y = values[random() % values.size()];
      const auto kind = static_cast<int>(random() % 7);
      const bool npu = kind < 4;
      if (npu && !was_npu) ++runs;
      was_npu = npu;
      if (kind < 2) values.push_back(g.op(K::kAdd, {x, y}, big(g), ir::ArithmeticAttributes{}));
      if (kind == 2) values.push_back(npu_op(g, x));
      if (kind == 3) values.push_back(g.op(K::kReshape, {x}, big(g)));
      if (kind == 4) values.push_back(cpu_op(g, x));
      if (kind == 5) values.push_back(g.op(K::kReadVariable, {handle}, big(g)));
      if (kind == 6) g.op(K::kAssignVariable, {handle, x}, -1);
    }
    for (int i = 0; i < 4; ++i) g.output(values[random() % values.size()]);
    const Partition p = sound(g.graph, {K::kTanh});
    int steps = 0;
    for (const graph::Step& step : p.steps) steps += step.npu;
    EXPECT_LE(steps, runs);
  }
}

TEST(Partition, TakesALongChainWithoutRecursion) {
  SmallGraph g;
  int x = g.input(g.s8({1, 8, 8, 8}));
  for (int i = 0; i < 100000; ++i) x = g.op(i % 1000 == 999 ? K::kTanh : K::kRelu, {x}, g.s8({1, 8, 8, 8}));
  g.output(x);
  EXPECT_EQ(partition(g.graph, all_but({K::kTanh})).steps.size(), 200u);
}

TEST(Partition, GivesHeyJarvisOneNpuStep) {
  const auto path = test::shared_models() / "hey_jarvis_stream_int8.tflite";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "missing " << path;
  auto graph = import_tflite(test::read_bytes(path), "hey_jarvis");
  ASSERT_TRUE(graph) << graph.error().message;
  fold_constants(*graph);
  fuse(*graph);
  legalise(*graph);
  const Partition p = sound(*graph, {});
  ASSERT_EQ(p.steps.size(), 3u);
  EXPECT_FALSE(p.steps[0].npu);
  EXPECT_TRUE(p.steps[1].npu);
  EXPECT_FALSE(p.steps[2].npu);
  for (const int op : p.steps[2].ops)
    EXPECT_EQ(graph->ops[static_cast<std::size_t>(op)].kind, K::kAssignVariable);
}

}  // namespace
}  // namespace zynpu::compiler
