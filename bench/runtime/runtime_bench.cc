// SPDX-License-Identifier: MIT
// What libzynpu itself costs: loading, making jobs, and the overhead of a run beside the work in it.
#include <benchmark/benchmark.h>

#include <stdexcept>

#include "graph/plan.h"
#include "runtime/devices.h"
#include "runtime/file.h"
#include "runtime/job.h"

namespace zynpu::runtime {
namespace {

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}

std::shared_ptr<Context> open() {
  return std::make_shared<Context>("virtual:x2", must(open_device("virtual:x2")));
}

std::vector<std::uint8_t> model_file() {
  return must(read_file(ZYNPU_SOURCE_DIR "/models/fashion_mnist/fashion_mnist_int8.tflite"));
}

// A graph without sub-graphs: a run does everything but start the NPU.
graph::HostPlan empty_plan() {
  graph::Graph graph;
  graph.device_word = part::find("x2")->device_word;
  graph.text.resize(32);
  graph.rodata.resize(64);
  graph::SubSection input;
  input.type = graph::SubSectionType::kInput;
  input.size = 1024;
  input.patch_offsets = {0};
  graph::SubSection output = input;
  output.type = graph::SubSectionType::kOutput;
  output.patch_offsets = {4};
  graph.bss.resize(1);
  graph.bss[0].reuse_sections = {{.size = 4096, .align = 4096, .sub_sections = {input}},
                                 {.size = 4096, .align = 4096, .sub_sections = {output}}};
  graph::HostPlan plan;
  plan.model.tensors.resize(2);
  for (ir::Tensor& tensor : plan.model.tensors) tensor.shape = {1, 1024};
  plan.model.inputs = {0};
  plan.model.outputs = {1};
  plan.graphs = {graph};
  plan.steps = {{.npu = true, .graph = 0, .ops = {}, .inputs = {0}, .outputs = {1}}};
  return plan;
}

void BM_RunOverhead(benchmark::State& state) {
  const auto job = must(Job::create(must(Program::load(open(), empty_plan()))));
  for (auto _ : state)
    if (!job->run()) state.SkipWithError("run failed");
}
BENCHMARK(BM_RunOverhead);

void BM_SubmitAndWaitOverhead(benchmark::State& state) {
  const auto job = must(Job::create(must(Program::load(open(), empty_plan()))));
  for (auto _ : state)
    if (!job->submit() || !job->wait(-1)) state.SkipWithError("run failed");
}
BENCHMARK(BM_SubmitAndWaitOverhead)->UseRealTime();

void BM_OpenVirtualDevice(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(open());
}
BENCHMARK(BM_OpenVirtualDevice)->Unit(benchmark::kMillisecond);

void BM_CompileAndLoad(benchmark::State& state) {
  const auto context = open();
  const auto file = model_file();
  for (auto _ : state) benchmark::DoNotOptimize(must(Program::load_file(context, file, {})));
}
BENCHMARK(BM_CompileAndLoad)->Unit(benchmark::kMillisecond);

void BM_LoadContainer(benchmark::State& state) {
  const auto context = open();
  const auto program = must(Program::load_file(context, model_file(), {}));
  const auto container = must(graph::write_model(program->plan()));
  for (auto _ : state) benchmark::DoNotOptimize(must(Program::load_file(context, container, {})));
}
BENCHMARK(BM_LoadContainer)->Unit(benchmark::kMillisecond);

void BM_CreateJob(benchmark::State& state) {
  const auto program = must(Program::load_file(open(), model_file(), {}));
  for (auto _ : state) benchmark::DoNotOptimize(must(Job::create(program)));
}
BENCHMARK(BM_CreateJob)->Unit(benchmark::kMillisecond);

void run_model(benchmark::State& state, bool cpu_only) {
  LoadOptions options;
  options.compile.cpu_only = cpu_only;
  const auto job = must(Job::create(must(Program::load_file(open(), model_file(), options))));
  for (auto _ : state)
    if (!job->run()) state.SkipWithError("run failed");
}
void BM_RunOnVirtualX2(benchmark::State& state) { run_model(state, false); }
void BM_RunOnReference(benchmark::State& state) { run_model(state, true); }
BENCHMARK(BM_RunOnVirtualX2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(BM_RunOnReference)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace zynpu::runtime
