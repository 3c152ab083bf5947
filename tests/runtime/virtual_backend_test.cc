// SPDX-License-Identifier: MIT
// The virtual back end with hand-written programs: what runs, what fails and how, and that a failure harms
// nobody else.
#include "runtime/virtual/backend.h"

#include <gtest/gtest.h>

#include <cstring>

#include "isa/asm.h"

namespace zynpu::runtime {
namespace {

// Enables nothing, writes nothing: the shortest program that ends, with its mandatory epilogue.
constexpr const char* kExit = "{ exit }";
// Never ends, in two bundles: a branch to itself is diagnosed.
constexpr const char* kSpin = "{ nop }\n{ b .-1 }";
// Loads from the word that the parameter block points to: device address 0 is never mapped.
constexpr const char* kWild = "{ ld r1, [zero+0] }\n{ add r2, r1, r1 }\n{ exit }";

struct Machine {
  explicit Machine(const char* name) : part(*part::find(name)) {
    auto created = VirtualBackend::create(part);
    EXPECT_TRUE(created) << created.error().message;
    backend = std::move(*created);
    parameters = allocate(4096);
    stack = allocate(std::uint64_t{part.tecs_per_core} * 4096);
    data = allocate(std::uint64_t{part.tecs_per_core} * 4096);
  }
  std::unique_ptr<Buffer> allocate(std::uint64_t bytes) {
    auto buffer = backend->allocate(bytes, 4096);
    EXPECT_TRUE(buffer);
    return std::move(*buffer);
  }
  std::unique_ptr<BackendJob> job(const char* source) {
    const auto program = isa::assemble(source);
    EXPECT_TRUE(program) << program.error().message;
    texts.push_back(allocate(1024));
    std::memcpy(texts.back()->host().data(), program->bytes.data(), program->bytes.size());
    JobDescription description;
    description.text = texts.back().get();
    description.parameters = parameters.get();
    description.stack = stack.get();
    GroupDescription group;
    group.text = texts.back().get();
    group.parameters = parameters.get();
    group.stack = stack.get();
    group.stack_bytes = 4096;
    group.private_data = data.get();
    group.private_bytes = 4096;
    description.groups = {group};
    auto prepared = backend->prepare(description);
    EXPECT_TRUE(prepared) << prepared.error().message;
    return std::move(*prepared);
  }
  const part::Part& part;
  std::unique_ptr<VirtualBackend> backend;
  std::unique_ptr<Buffer> parameters, stack, data;
  std::vector<std::unique_ptr<Buffer>> texts;
};

Status run(BackendJob& job) {
  ZYNPU_TRY(job.submit());
  return job.wait(-1);
}

class VirtualBackendTest : public ::testing::TestWithParam<const char*> {};

TEST_P(VirtualBackendTest, RunsAProgramAgainAndAgain) {
  Machine machine(GetParam());
  const auto job = machine.job(kExit);
  for (int round = 0; round < 20; ++round) {
    const Status status = run(*job);
    ASSERT_TRUE(status) << status.error().message;
    EXPECT_TRUE(job->profile().modelled);
    EXPECT_EQ(job->profile().bundles, machine.part.tecs_per_core);
  }
}

TEST_P(VirtualBackendTest, QueuesJobsOfSeveralOwners) {
  Machine machine(GetParam());
  std::vector<std::unique_ptr<BackendJob>> jobs;
  for (int i = 0; i < 5; ++i) jobs.push_back(machine.job(kExit));
  for (const auto& job : jobs) ASSERT_TRUE(job->submit());
  for (const auto& job : jobs) {
    const Status status = job->wait(-1);
    EXPECT_TRUE(status) << status.error().message;
  }
}

TEST_P(VirtualBackendTest, TimesOutCancelsAndRunsTheNext) {
  Machine machine(GetParam());
  const auto spinning = machine.job(kSpin), queued = machine.job(kExit);
  ASSERT_TRUE(spinning->submit());
  ASSERT_TRUE(queued->submit());
  EXPECT_EQ(spinning->wait(1'000'000).error().code, ErrorCode::kTimeout);
  EXPECT_EQ(queued->wait(0).error().code, ErrorCode::kTimeout);
  EXPECT_EQ(spinning->submit().error().code, ErrorCode::kBusy);
  spinning->cancel();
  EXPECT_EQ(spinning->wait(-1).error().code, ErrorCode::kCancelled);
  const Status status = queued->wait(-1);
  EXPECT_TRUE(status) << status.error().message;
}

TEST_P(VirtualBackendTest, CancelsAJobThatStillWaitsInTheQueue) {
  Machine machine(GetParam());
  const auto spinning = machine.job(kSpin), queued = machine.job(kExit);
  ASSERT_TRUE(spinning->submit());
  ASSERT_TRUE(queued->submit());
  queued->cancel();
  spinning->cancel();
  EXPECT_EQ(spinning->wait(-1).error().code, ErrorCode::kCancelled);
  EXPECT_EQ(queued->wait(-1).error().code, ErrorCode::kCancelled);
  EXPECT_TRUE(run(*queued));
}

TEST_P(VirtualBackendTest, StopsARunningJobThatIsDestroyed) {
  Machine machine(GetParam());
  auto spinning = machine.job(kSpin);
  ASSERT_TRUE(spinning->submit());
  spinning.reset();
  EXPECT_TRUE(run(*machine.job(kExit)));
}

TEST_P(VirtualBackendTest, DiagnosesAWildAccessAndRecovers) {
  Machine machine(GetParam());
  const auto wild = machine.job(kWild);
  const std::uint32_t text = machine.texts.back()->device_address();
  const Status status = run(*wild);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kDeviceFault);
  EXPECT_NE(status.error().message.find("ld r1"), std::string::npos) << status.error().message;
  ASSERT_TRUE(wild->fault_address());
  EXPECT_EQ(*wild->fault_address(), text);
  const auto good = machine.job(kExit);
  EXPECT_TRUE(run(*good));
  EXPECT_FALSE(good->fault_address());
  EXPECT_FALSE(run(*wild)) << "and again";
}

TEST_P(VirtualBackendTest, DiagnosesWhatIsNoInstruction) {
  Machine machine(GetParam());
  const auto job = machine.job(".bundle 0xFFFFFFFF, 0, 0, 0");
  const Status status = run(*job);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kDeviceFault) << status.error().message;
  EXPECT_TRUE(run(*machine.job(kExit)));
}

TEST_P(VirtualBackendTest, CountsByRegion) {
  Machine machine(GetParam());
  const auto job = machine.job("{ add r1, r1, r1 }\n{ add r1, r1, r1 }\n{ exit }");
  const BackendJob::Region regions[] = {{0, 32}, {32, 48}};
  job->set_regions(regions);
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(run(*job));
    ASSERT_EQ(job->profile().regions.size(), 2u);
    EXPECT_EQ(job->profile().regions[0].bundles, 2 * machine.part.tecs_per_core);
    EXPECT_EQ(job->profile().regions[1].bundles, machine.part.tecs_per_core);
  }
}

TEST_P(VirtualBackendTest, TracesTheJobsThatStartAfterwards) {
  Machine machine(GetParam());
  const auto job = machine.job(kExit);
  std::vector<vnpu::TraceEvent> events;
  machine.backend->set_trace([&](const vnpu::TraceEvent& event) { events.push_back(event); });
  ASSERT_TRUE(run(*job));
  EXPECT_EQ(events.size(), machine.part.tecs_per_core);
  for (const vnpu::TraceEvent& event : events) EXPECT_EQ(event.pc, machine.texts.back()->device_address());
  machine.backend->set_trace({});
  ASSERT_TRUE(run(*job));
  EXPECT_EQ(events.size(), machine.part.tecs_per_core);
}

TEST_P(VirtualBackendTest, RefusesToWaitForWhatWasNotSubmitted) {
  Machine machine(GetParam());
  EXPECT_EQ(machine.job(kExit)->wait(0).error().code, ErrorCode::kInvalidArgument);
}

TEST_P(VirtualBackendTest, RefusesDescriptionsWithoutBuffers) {
  Machine machine(GetParam());
  EXPECT_EQ(machine.backend->prepare({}).error().code, ErrorCode::kInvalidArgument);
}

INSTANTIATE_TEST_SUITE_P(Parts, VirtualBackendTest, ::testing::Values("z1", "z2", "x2"),
                         [](const auto& instance) { return std::string(instance.param); });

}  // namespace
}  // namespace zynpu::runtime
