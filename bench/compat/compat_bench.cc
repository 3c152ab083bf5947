// SPDX-License-Identifier: MIT
// What the vendor's API costs beside the work of the NPU.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <stdexcept>

#include "graph/graph.h"
#include "isa/asm.h"
#include "part/part.h"
#include "standard_api.h"

namespace {

using namespace zynpu;

constexpr std::uint32_t kBytes = 1024;

void check(aipu_status_t status) {
  if (status != AIPU_STATUS_SUCCESS) throw std::runtime_error("status " + std::to_string(status));
}

// `starts`: one group of tasks that end at once; else none, so that a run does everything but start the NPU.
graph::Bytes null_graph(bool starts) {
  graph::Graph graph;
  graph.device_word = part::find("x2")->device_word;
  graph.text.resize(32);
  graph.rodata.resize(64);
  graph::SubSection input;
  input.type = graph::SubSectionType::kInput;
  input.size = kBytes;
  input.data_type = AIPU_DATA_TYPE_S8;
  input.patch_offsets = {0};
  graph::SubSection output = input;
  output.type = graph::SubSectionType::kOutput;
  output.patch_offsets = {4};
  graph.bss.resize(1);
  graph.bss[0].reuse_sections = {{.size = 4096, .align = 4096, .sub_sections = {input}},
                                 {.size = 4096, .align = 4096, .sub_sections = {output}}};
  if (starts) {
    graph.text = isa::assemble("{ exit }").value().bytes;
    graph.subgraphs.resize(1);
    graph.subgraphs[0].rodata_size = 64;
  }
  return graph::write(graph).value();
}

struct Session {
  explicit Session(bool starts = false) {
    setenv("ZYNPU_DEVICE", "virtual", 1);
    check(aipu_init_context(&ctx));
    const graph::Bytes file = null_graph(starts);
    check(aipu_load_graph_helper(ctx, reinterpret_cast<const char*>(file.data()),
                                 static_cast<std::uint32_t>(file.size()), &graph));
    check(aipu_create_job(ctx, graph, &job));
  }
  ~Session() { aipu_deinit_context(ctx); }
  aipu_ctx_handle_t* ctx = nullptr;
  std::uint64_t graph = 0, job = 0;
};

void inference(benchmark::State& state, bool starts) {
  Session session(starts);
  char in[kBytes] = {}, out[kBytes];
  for (auto _ : state) {
    check(aipu_load_tensor(session.ctx, session.job, 0, in));
    check(aipu_finish_job(session.ctx, session.job, -1));
    check(aipu_get_tensor(session.ctx, session.job, AIPU_TENSOR_TYPE_OUTPUT, 0, out));
    benchmark::DoNotOptimize(out);
  }
}
void BM_Inference(benchmark::State& state) { inference(state, false); }
// With the way through the virtual device: queue, registers, TCBs, simulation of four bundles, interrupt.
void BM_InferenceOfTheShortestProgram(benchmark::State& state) { inference(state, true); }
BENCHMARK(BM_Inference)->UseRealTime();
BENCHMARK(BM_InferenceOfTheShortestProgram)->UseRealTime();

void BM_FlushAndPoll(benchmark::State& state) {
  Session session;
  for (auto _ : state) {
    aipu_job_status_t status = AIPU_JOB_STATUS_NO_STATUS;
    check(aipu_flush_job(session.ctx, session.job, nullptr));
    check(aipu_get_job_status(session.ctx, session.job, &status, -1));
  }
}
BENCHMARK(BM_FlushAndPoll);

void BM_CreateAndCleanJob(benchmark::State& state) {
  Session session;
  for (auto _ : state) {
    std::uint64_t job = 0;
    check(aipu_create_job(session.ctx, session.graph, &job));
    check(aipu_clean_job(session.ctx, job));
  }
}
BENCHMARK(BM_CreateAndCleanJob);

}  // namespace
