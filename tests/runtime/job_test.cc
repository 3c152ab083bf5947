// SPDX-License-Identifier: MIT
// Loading and running plans on a back end without a device: NPU, CPU, NPU.
#include "runtime/job.h"

#include <gtest/gtest.h>

#include <chrono>
#include <numeric>

#include "runtime/fake_backend.h"

namespace zynpu::runtime {
namespace {

using test::FakeBackend;
using test::FakeRun;
using namespace std::chrono_literals;

constexpr std::uint32_t kElements = 16;

ir::Tensor int8_tensor(std::string name) {
  ir::Tensor tensor;
  tensor.name = std::move(name);
  tensor.shape = {1, kElements};
  tensor.quant = {.scale = {0.5f}, .zero_point = {0}};
  return tensor;
}

graph::SubSection piece(graph::SubSectionType type, std::uint32_t size, std::uint32_t patch) {
  graph::SubSection piece;
  piece.size = size;
  piece.type = type;
  piece.data_type = 3;
  piece.scale = 0.5f;
  piece.patch_offsets = {patch};
  return piece;
}

// One group; parameter word 0 is the input's address, word 1 the output's.
graph::Graph npu_graph() {
  graph::Graph graph;
  graph.device_word = part::find("x2")->device_word;
  graph.text.resize(64);
  graph.rodata.resize(64);
  graph::Bss bss;
  bss.reuse_sections.push_back(
      {.size = 256, .align = 4096, .sub_sections = {piece(graph::SubSectionType::kInput, kElements, 0)}});
  bss.reuse_sections.push_back(
      {.size = 256, .align = 4096, .sub_sections = {piece(graph::SubSectionType::kOutput, kElements, 4)}});
  graph.bss = {bss};
  graph::SubGraph group;
  group.rodata_size = 64;
  graph.subgraphs = {group};
  return graph;
}

// t0 -NPU-> t1 -RELU on the CPU-> t2 -NPU-> t3. Both NPU steps add 1 to every element.
graph::HostPlan plan() {
  graph::HostPlan plan;
  plan.model.name = "chain";
  for (const char* name : {"in", "first", "relu", "out"}) plan.model.tensors.push_back(int8_tensor(name));
  plan.model.inputs = {0};
  plan.model.outputs = {3};
  for (int i = 0; i < 3; ++i) {
    ir::Op op;
    op.kind = ir::OpKind::kRelu;
    op.inputs = {i};
    op.outputs = {i + 1};
    plan.model.ops.push_back(op);
    plan.placements.push_back({.op = i,
                               .name = "RELU #" + std::to_string(i),
                               .npu = i != 1,
                               .reason = i == 1 ? "Left to the CPU for this test." : "",
                               .macs = 0,
                               .predicted_cycles = 0});
  }
  plan.graphs = {npu_graph(), npu_graph()};
  plan.steps = {{.npu = true, .graph = 0, .ops = {0}, .inputs = {0}, .outputs = {1}},
                {.npu = false, .graph = -1, .ops = {1}, .inputs = {}, .outputs = {}},
                {.npu = true, .graph = 1, .ops = {2}, .inputs = {2}, .outputs = {3}}};
  plan.source_map = {{.graph = 0, .begin = 0, .end = 16, .op = -1},
                     {.graph = 0, .begin = 16, .end = 64, .op = 0},
                     {.graph = 1, .begin = 16, .end = 64, .op = 2}};
  return plan;
}

Status add_one(const FakeRun& run) {
  const GroupDescription& group = run.description.groups.at(0);
  const std::uint32_t parameters = group.parameters->device_address() + group.parameter_offset;
  const std::uint8_t* in = run.memory.at(run.memory.word(parameters));
  std::uint8_t* out = run.memory.at(run.memory.word(parameters + 4));
  for (std::uint32_t i = 0; i < kElements; ++i) out[i] = static_cast<std::uint8_t>(in[i] + 1);
  return {};
}

Status until_cancelled(const FakeRun& run) {
  while (!run.cancelled) std::this_thread::sleep_for(1ms);
  return fail(ErrorCode::kCancelled, "the job was cancelled");
}

struct Rig {
  explicit Rig(test::FakeProgram program = add_one, const char* part = "x2")
      : backend(std::make_shared<FakeBackend>(*part::find(part), std::move(program))),
        context(std::make_shared<Context>("fake", backend)) {}
  Result<std::shared_ptr<const Program>> load(graph::HostPlan plan) {
    return Program::load(context, std::move(plan));
  }
  std::unique_ptr<Job> job(graph::HostPlan from = plan()) {
    auto program = load(std::move(from));
    if (!program) throw std::runtime_error(program.error().message);
    auto created = Job::create(*program);
    if (!created) throw std::runtime_error(created.error().message);
    return std::move(*created);
  }
  std::shared_ptr<FakeBackend> backend;
  std::shared_ptr<Context> context;
};

void set_input(Job& job, int start) {
  const std::span<std::uint8_t> input = job.input(0);
  for (std::size_t i = 0; i < input.size(); ++i)
    input[i] = static_cast<std::uint8_t>(start + static_cast<int>(i));
}

// RELU between two additions of 1.
void expect_output(const Job& job, int start) {
  const std::span<const std::uint8_t> output = job.output(0);
  ASSERT_EQ(output.size(), kElements);
  for (std::size_t i = 0; i < output.size(); ++i)
    ASSERT_EQ(static_cast<std::int8_t>(output[i]), std::max(0, start + static_cast<int>(i) + 1) + 1) << i;
}

TEST(Job, RunsItsStepsOnNpuAndCpuInOrder) {
  Rig rig;
  const auto job = rig.job();
  set_input(*job, -8);
  ASSERT_TRUE(job->run());
  expect_output(*job, -8);
}

TEST(Job, CanBeRunAHundredTimesOnTheSameMemory) {
  Rig rig;
  const auto job = rig.job();
  const std::uint8_t* input = job->input(0).data();
  const std::uint8_t* output = job->output(0).data();
  const std::size_t buffers = rig.backend->live_buffers();
  for (int round = 0; round < 100; ++round) {
    set_input(*job, round - 50);
    ASSERT_TRUE(job->run());
    expect_output(*job, round - 50);
  }
  EXPECT_EQ(job->input(0).data(), input);
  EXPECT_EQ(job->output(0).data(), output);
  EXPECT_EQ(rig.backend->live_buffers(), buffers);
}

TEST(Job, KeepsItsInputsBetweenRuns) {
  Rig rig;
  const auto job = rig.job();
  set_input(*job, 3);
  ASSERT_TRUE(job->run());
  ASSERT_TRUE(job->run());
  expect_output(*job, 3);
}

TEST(Job, SharesTextButNotParametersWithOtherJobs) {
  Rig rig;
  const auto program = rig.load(plan());
  ASSERT_TRUE(program) << program.error().message;
  const std::size_t of_program = rig.backend->live_buffers();
  auto first = Job::create(*program), second = Job::create(*program);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(of_program, 2u) << "one text a graph";
  const std::size_t with_two = rig.backend->live_buffers();
  set_input(**first, 10);
  set_input(**second, -20);
  ASSERT_TRUE((*first)->run());
  ASSERT_TRUE((*second)->run());
  expect_output(**first, 10);
  expect_output(**second, -20);
  second->reset();
  EXPECT_EQ(rig.backend->live_buffers(), (with_two + of_program) / 2);
}

TEST(Job, RunsInTwoThreadsBesideAnother) {
  Rig rig;
  const auto program = rig.load(plan());
  ASSERT_TRUE(program);
  const auto worker = [&](int offset) {
    auto job = Job::create(*program);
    ASSERT_TRUE(job);
    for (int round = 0; round < 50; ++round) {
      set_input(**job, offset + round);
      ASSERT_TRUE(round % 2 == 0 ? (*job)->run() : (*job)->submit());
      ASSERT_TRUE((*job)->wait(-1));
      expect_output(**job, offset + round);
    }
  };
  std::thread one(worker, -60), two(worker, 20);
  one.join();
  two.join();
}

TEST(Job, OutlivesTheHandlesItWasMadeFrom) {
  std::unique_ptr<Job> job;
  {
    Rig rig;
    job = rig.job();
  }
  set_input(*job, 5);
  ASSERT_TRUE(job->run());
  expect_output(*job, 5);
}

TEST(Job, TimesOutAndStaysRunning) {
  Rig rig(until_cancelled);
  const auto job = rig.job();
  ASSERT_TRUE(job->submit());
  EXPECT_EQ(job->wait(0).error().code, ErrorCode::kTimeout);
  EXPECT_EQ(job->wait(5'000'000).error().code, ErrorCode::kTimeout);
  EXPECT_TRUE(job->busy());
  EXPECT_EQ(job->submit().error().code, ErrorCode::kBusy);
  EXPECT_EQ(job->run().error().code, ErrorCode::kBusy);
  EXPECT_EQ(job->reset_state().error().code, ErrorCode::kBusy);
  job->cancel();
  EXPECT_EQ(job->wait(-1).error().code, ErrorCode::kCancelled);
  EXPECT_EQ(job->wait(INT64_MAX).error().code, ErrorCode::kCancelled) << "the result stays";
  EXPECT_FALSE(job->busy());
}

TEST(Job, RunsAgainAfterACancel) {
  std::atomic<bool> hang{true};
  Rig rig([&](const FakeRun& run) { return hang ? until_cancelled(run) : add_one(run); });
  const auto job = rig.job();
  ASSERT_TRUE(job->submit());
  job->cancel();
  EXPECT_EQ(job->wait(-1).error().code, ErrorCode::kCancelled);
  hang = false;
  job->cancel();  // nothing runs: no effect on the next run
  set_input(*job, 0);
  ASSERT_TRUE(job->run());
  expect_output(*job, 0);
}

TEST(Job, IsStoppedByItsDestructor) {
  Rig rig(until_cancelled);
  auto job = rig.job();
  ASSERT_TRUE(job->submit());
  job.reset();
  EXPECT_EQ(rig.backend->live_buffers(), 0u);
}

TEST(Job, RefusesToWaitForWhatWasNotSubmitted) {
  Rig rig;
  EXPECT_EQ(rig.job()->wait(-1).error().code, ErrorCode::kInvalidArgument);
}

TEST(Job, NamesTheLayerWhoseCodeFaulted) {
  Rig rig([](const FakeRun&) -> Status { return fail(ErrorCode::kDeviceFault, "wild store"); });
  rig.backend->set_fault(32);
  const auto job = rig.job();
  const Status status = job->run();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kDeviceFault);
  EXPECT_EQ(status.error().message, "layer RELU #0: wild store");
  rig.backend->set_fault(4);
  EXPECT_EQ(job->run().error().message, "wild store") << "the prologue belongs to no layer";
}

TEST(Job, LocatesProgramCountersInTextAndLayer) {
  std::uint32_t text = 0;
  Rig rig([&](const FakeRun& run) -> Status {
    if (text == 0) text = run.description.text->device_address();
    return add_one(run);
  });
  const auto job = rig.job();
  ASSERT_TRUE(job->run());
  EXPECT_EQ(job->locate(text + 48).graph, 0);
  EXPECT_EQ(job->locate(text + 48).offset, 48u);
  EXPECT_EQ(job->locate(text + 48).op, 0);
  EXPECT_EQ(job->locate(text).op, -1);
  EXPECT_EQ(job->locate(text + 64).graph, -1);
  EXPECT_EQ(job->locate(text - 1).graph, -1);
}

TEST(Job, AttributesCostsToStepsAndLayers) {
  Rig rig;
  const auto job = rig.job();
  ASSERT_TRUE(job->run());
  const RunProfile& profile = job->profile();
  EXPECT_TRUE(profile.modelled);
  EXPECT_EQ(profile.total.cycles, 200u);
  EXPECT_EQ(profile.steps[0].cost.cycles, 100u);
  EXPECT_EQ(profile.steps[1].cost.cycles, 0u);
  EXPECT_EQ(profile.layers[0].cost.cycles, 14u) << "the second region of its graph";
  EXPECT_EQ(profile.layers[1].cost.cycles, 0u);
  EXPECT_EQ(profile.layers[2].cost.cycles, 7u);
  ASSERT_TRUE(job->run());
  EXPECT_EQ(profile.total.cycles, 200u) << "of one run, not of all";
}

TEST(Job, ReportsTheErrorCodeOfTheProgram) {
  graph::HostPlan with_code = plan();
  graph::SubSection code = piece(graph::SubSectionType::kErrorCode, 4, 8);
  code.offset = 64;
  with_code.graphs[0].bss[0].reuse_sections[1].sub_sections.push_back(code);
  std::uint32_t value = 0x10205;
  Rig rig([&](const FakeRun& run) -> Status {
    const std::uint32_t address = run.memory.word(run.description.groups[0].parameters->device_address() + 8);
    if (address != 0) std::memcpy(run.memory.at(address), &value, 4);
    return add_one(run);
  });
  const auto job = rig.job(with_code);
  const Status status = job->run();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kDeviceFault);
  EXPECT_NE(status.error().message.find("0x205"), std::string::npos) << status.error().message;
  value = 0;
  EXPECT_TRUE(job->run());
}

TEST(Job, SeesPrivateDataZeroedBeforeEachRun) {
  int dirty = 0;
  Rig rig([&](const FakeRun& run) -> Status {
    auto* memory = run.memory.at(run.description.groups[0].private_data->device_address());
    dirty += memory[7] != 0;
    memory[7] = 1;
    return add_one(run);
  });
  const auto job = rig.job();
  ASSERT_TRUE(job->run());
  ASSERT_TRUE(job->run());
  EXPECT_EQ(dirty, 0);
}

TEST(Job, FailsToBeMadeWhenDeviceMemoryIsExhausted) {
  Rig rig;
  const auto program = rig.load(plan());
  ASSERT_TRUE(program);
  const std::size_t before = rig.backend->live_buffers();
  for (std::size_t left = 0; left < 6; ++left) {
    rig.backend->set_allocations_left(left);
    const auto job = Job::create(*program);
    ASSERT_FALSE(job) << left;
    EXPECT_EQ(job.error().code, ErrorCode::kOutOfMemory);
    EXPECT_EQ(rig.backend->live_buffers(), before) << "nothing leaks";
  }
}

struct CountingObserver : RunObserver {
  Status completed(const Job& job) override {
    ++runs;
    EXPECT_TRUE(job.busy());
    if (refuse) return fail(ErrorCode::kInternal, "refused");
    return {};
  }
  void reset_state() override { ++resets; }
  int runs = 0, resets = 0;
  bool refuse = false;
};

TEST(Job, ShowsEveryCompletedRunToItsObserver) {
  Rig rig;
  const auto program = rig.load(plan());
  ASSERT_TRUE(program);
  const auto observer = std::make_shared<CountingObserver>();
  auto job = Job::create(*program, observer);
  ASSERT_TRUE(job);
  ASSERT_TRUE((*job)->run());
  ASSERT_TRUE((*job)->submit());
  ASSERT_TRUE((*job)->wait(-1));
  ASSERT_TRUE((*job)->reset_state());
  EXPECT_EQ(observer->runs, 2);
  EXPECT_EQ(observer->resets, 1);
  observer->refuse = true;
  EXPECT_EQ((*job)->run().error().message, "refused");
}

// --- loading
// -----------------------------------------------------------------------------------------------------

TEST(Program, RefusesAGraphForAnotherPart) {
  Rig rig(add_one, "z1");
  const auto program = rig.load(plan());
  ASSERT_FALSE(program);
  EXPECT_EQ(program.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(program.error().message.find("X2_1204"), std::string::npos) << program.error().message;
  EXPECT_NE(program.error().message.find("Z1_0701"), std::string::npos) << program.error().message;
}

TEST(Program, RefusesTheVirtualProfileOnSilicon) {
  graph::HostPlan marked = plan();
  for (graph::Graph& graph : marked.graphs) graph.virtual_profile = true;
  Rig rig;
  EXPECT_TRUE(rig.load(marked));
  rig.backend->set_virtual(false);
  const auto program = rig.load(marked);
  ASSERT_FALSE(program);
  EXPECT_EQ(program.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(program.error().message.find("virtual"), std::string::npos);
  EXPECT_TRUE(rig.load(plan())) << "genuine graphs are welcome there";
}

TEST(Program, RefusesPlansWhoseReferencesAreWrong) {
  const auto refused = [](void (*damage)(graph::HostPlan&)) {
    Rig rig;
    graph::HostPlan damaged = plan();
    damage(damaged);
    const auto program = rig.load(damaged);
    return !program && program.error().code == ErrorCode::kBadFile;
  };
  EXPECT_FALSE(refused([](graph::HostPlan&) {}));
  EXPECT_TRUE(refused([](graph::HostPlan& p) { p.model.inputs[0] = 4; }));
  EXPECT_TRUE(refused([](graph::HostPlan& p) { p.model.outputs[0] = -1; }));
  EXPECT_TRUE(refused([](graph::HostPlan& p) { p.steps[0].graph = 2; }));
  EXPECT_TRUE(refused([](graph::HostPlan& p) { p.steps[0].graph = -1; }));
  EXPECT_TRUE(refused([](graph::HostPlan& p) { p.steps[0].inputs[0] = 4; }));
  EXPECT_TRUE(refused([](graph::HostPlan& p) { p.steps[0].inputs.push_back(0); }));
  EXPECT_TRUE(refused([](graph::HostPlan& p) { p.steps[0].outputs.clear(); }));
  EXPECT_TRUE(refused([](graph::HostPlan& p) { p.steps[1].ops[0] = 3; }));
  EXPECT_TRUE(refused([](graph::HostPlan& p) { p.placements[0].op = -1; }));
  EXPECT_TRUE(refused([](graph::HostPlan& p) { p.source_map[0].op = 3; }));
  EXPECT_TRUE(refused([](graph::HostPlan& p) { p.source_map[1].end = 65; }));
  EXPECT_TRUE(refused([](graph::HostPlan& p) { p.source_map[1].begin = 15; }));
  EXPECT_TRUE(refused([](graph::HostPlan& p) {
    p.model.tensors[1].shape = {1, 17};
  })) << "larger than its place";
}

}  // namespace
}  // namespace zynpu::runtime
