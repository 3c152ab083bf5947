// SPDX-License-Identifier: MIT
// Every NPU step of the real models, on the virtual NPU against the reference. Reports what each operator
// costs.
#include <gtest/gtest.h>

#include <algorithm>

#include "compiler/compiler.h"
#include "compiler/shared_models.h"
#include "compiler/support/npu_harness.h"

namespace zynpu::compiler::test {
namespace {

struct Case {
  const char* model;
  const char* part;
  bool gsram_barriers = false;
};

class RealModels : public ::testing::TestWithParam<Case> {};

constexpr const char* kModels[] = {
    "hello_world_sine_int8",   "ic_resnet8_cifar10_int8", "kws_dscnn_int8",
    "ad_autoencoder_int8",     "micro_speech_int8",       "vww_mobilenetv1_025_96_int8",
    "person_detect_96_int8",   "mnist_resnet_int8",       "mobilenet_v1_025_128_int8",
    "person_fpn_160x128_int8", "blazeface_128_int8",      "mobilenet_v2_1.0_224_uint8",
    "hey_jarvis_stream_int8"};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const char* model : kModels)
    for (const char* part : {"x2", "z1", "z2"}) all.push_back({model, part});
  // The other way to run x2, where it makes a difference: many small layers, branches, large layers between.
  for (const char* model :
       {"kws_dscnn_int8", "ic_resnet8_cifar10_int8", "mobilenet_v1_025_128_int8", "blazeface_128_int8"})
    all.push_back({model, "x2", true});
  return all;
}

std::string case_name(const ::testing::TestParamInfo<Case>& c) {
  std::string name =
      std::string(c.param.model) + "_" + c.param.part + (c.param.gsram_barriers ? "_gsram" : "");
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, RealModels, ::testing::ValuesIn(cases()), case_name);

TEST_P(RealModels, ComputeTheReferenceInEveryStep) {
  const auto path = zynpu::test::shared_models() / (std::string(GetParam().model) + ".tflite");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is missing";
  const part::Part& part = *part::find(GetParam().part);
  const auto model = import_tflite(zynpu::test::read_bytes(path), GetParam().model);
  ASSERT_TRUE(model) << model.error().message;
  Options options;
  options.gsram_barriers = GetParam().gsram_barriers;
  const auto plan = compile(*model, part, options);
  ASSERT_TRUE(plan) << plan.error().message;
  // The same passes, with every constant kept.
  Options cpu;
  cpu.cpu_only = true;
  const auto reference = compile(*model, part, cpu);
  ASSERT_TRUE(reference) << reference.error().message;
  const ir::Graph& graph = reference->model;
  auto interpreter = reference::Interpreter::create(graph);
  ASSERT_TRUE(interpreter) << interpreter.error().message;
  const Values inputs = random_inputs(graph, 5);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto memory = (*interpreter)->tensor(graph.inputs[i]);
    const auto golden = zynpu::test::read_bytes(zynpu::test::shared_models() /
                                                (std::string(GetParam().model) + ".golden") / "in0.bin");
    const auto& bytes = golden.size() >= memory.size() && graph.inputs.size() == 1 ? golden : inputs[i];
    std::memcpy(memory.data(), bytes.data(), memory.size());
  }
  ASSERT_TRUE((*interpreter)->run());

  std::uint64_t cycles = 0, predicted = 0, macs = 0;
  int npu_ops = 0;
  for (const graph::Step& step : plan->steps) {
    if (!step.npu) continue;
    npu_ops += static_cast<int>(step.ops.size());
    Values step_inputs;
    for (const int tensor : step.inputs) {
      const auto memory = (*interpreter)->tensor(tensor);
      ASSERT_FALSE(memory.empty());
      step_inputs.emplace_back(memory.begin(), memory.end());
    }
    const auto run = run_graph(plan->graphs[static_cast<std::size_t>(step.graph)], part, step_inputs);
    ASSERT_TRUE(run) << "step of " << plan->placements[static_cast<std::size_t>(step.ops.front())].name
                     << ": " << run.error().message;
    for (std::size_t o = 0; o < step.outputs.size(); ++o) {
      const auto want = (*interpreter)->tensor(step.outputs[o]);
      const auto& got = run->outputs[o];
      EXPECT_TRUE(std::equal(want.begin(), want.end(), got.begin(), got.end()))
          << "tensor " << step.outputs[o] << " after "
          << plan->placements[static_cast<std::size_t>(step.ops.back())].name;
    }
    cycles += run->counters.cycles;
    macs += run->counters.macs;
    for (const int op : step.ops)
      predicted += plan->placements[static_cast<std::size_t>(op)].predicted_cycles;
    if (std::getenv("ZYNPU_TEST_VERBOSE") != nullptr)
      for (const int op : step.ops) {
        const graph::Placement& p = plan->placements[static_cast<std::size_t>(op)];
        fmt::print("  {:28} predicted {:9} macs {:9}\n", p.name, p.predicted_cycles, p.macs);
      }
    if (std::getenv("ZYNPU_TEST_VERBOSE") != nullptr)
      for (const vnpu::TaskRecord& t : run->tasks)
        if (t.tec == 0 && t.counters.macs > 0)
          fmt::print("  group {:3} core {} cycles {:9} ({} .. {}) macs {:9} stall {} fetch {} dma wait {}\n",
                     t.group, t.core, t.end_cycle - t.start_cycle, t.start_cycle, t.end_cycle,
                     t.counters.macs, t.counters.stall_cycles, t.counters.fetch_cycles,
                     t.counters.dma_wait_cycles);
  }
  std::int64_t model_macs = 0;
  for (const graph::Placement& p : plan->placements) model_macs += p.macs;
  fmt::print("{} on {}: {} of {} operators, {} modelled cycles, {} predicted, {} MACs, {} products issued\n",
             GetParam().model, GetParam().part, npu_ops, plan->placements.size(), cycles, predicted,
             model_macs, model_macs, macs);
}

}  // namespace
}  // namespace zynpu::compiler::test
