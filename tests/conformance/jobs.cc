// SPDX-License-Identifier: MIT
// Buffers and hand-written programs: what every back end does with them.
#include <algorithm>
#include <chrono>
#include <numeric>
#include <thread>

#include "conformance/program.h"
#include "conformance/suite.h"

namespace zynpu::conformance {
namespace {

using runtime::Backend;
using runtime::Buffer;

// The shortest program that ends.
constexpr const char* kExit = "{ exit }";
// Never ends, in two bundles: a branch to itself is diagnosed.
constexpr const char* kSpin = "{ nop }\n{ b .-1 }";
// Loads from device address 0xE0000000, which no window of any part reaches.
constexpr const char* kWild =
    "{ mov r0, 0 }\n{ movh r0, -8192 }\n{ ld r1, [r0+0] }\n{ add r2, r1, r1 }\n{ exit }";

constexpr std::int64_t kMillisecond = 1'000'000;

Status buffers(Backend& backend) {
  for (const std::uint64_t bytes : {std::uint64_t{1}, kPage - 1, kPage, kPage + 1, std::uint64_t{1} << 20}) {
    for (const std::uint64_t alignment : {kPage, 16 * kPage}) {
      ZYNPU_ASSIGN_OR_RETURN(const std::unique_ptr<Buffer> buffer, backend.allocate(bytes, alignment));
      const std::span<std::uint8_t> host = buffer->host();
      if (buffer->bytes() < bytes || host.size() < bytes)
        return wrong("{} bytes became {}", bytes, buffer->bytes());
      if (buffer->device_address() == 0 || buffer->device_address() % alignment != 0)
        return wrong("device address {:#x} is not aligned to {}", buffer->device_address(), alignment);
      if (std::any_of(host.begin(), host.end(), [](std::uint8_t byte) { return byte != 0; }))
        return wrong("a new buffer is not zero");
      std::iota(host.begin(), host.end(), std::uint8_t{1});
      ZYNPU_TRY(buffer->sync_for_device());
      ZYNPU_TRY(buffer->sync_for_cpu());
      for (std::size_t i = 0; i < host.size(); ++i)
        if (host[i] != static_cast<std::uint8_t>(i + 1)) return wrong("byte {} changed", i);
    }
  }
  return {};
}

Status buffers_lie_apart(Backend& backend) {
  std::vector<std::unique_ptr<Buffer>> all;
  for (unsigned i = 0; i < 32; ++i) {
    ZYNPU_ASSIGN_OR_RETURN(std::unique_ptr<Buffer> buffer, backend.allocate(kPage * (i % 5 + 1), kPage));
    for (const auto& other : all) {
      const std::uint64_t a = buffer->device_address(), b = other->device_address();
      if (a < b + other->bytes() && b < a + buffer->bytes())
        return wrong("buffers at {:#x}, {:#x} overlap", a, b);
    }
    all.push_back(std::move(buffer));
  }
  return {};
}

Status bad_buffers(Backend& backend) {
  for (const auto& [bytes, alignment] :
       {std::pair<std::uint64_t, std::uint64_t>{0, kPage}, {kPage, 3}, {kPage, 0}})
    if (backend.allocate(bytes, alignment))
      return wrong("{} bytes aligned to {} were given", bytes, alignment);
  if (backend.allocate(std::uint64_t{1} << 40, kPage)) return wrong("a TiB was given");
  return {};
}

Status again_and_again(Backend& backend, unsigned jobs) {
  ZYNPU_ASSIGN_OR_RETURN(const std::unique_ptr<Program> program, Program::create(backend, kExit));
  for (unsigned i = 0; i < jobs; ++i) ZYNPU_TRY(program->run());
  return {};
}

Status several_in_the_queue(Backend& backend) {
  std::vector<std::unique_ptr<Program>> programs;
  for (int i = 0; i < 5; ++i) {
    ZYNPU_ASSIGN_OR_RETURN(std::unique_ptr<Program> program, Program::create(backend, kExit));
    programs.push_back(std::move(program));
  }
  for (const auto& program : programs) ZYNPU_TRY(program->job().submit());
  for (const auto& program : programs) ZYNPU_TRY(program->job().wait(-1));
  return {};
}

Status threads(Backend& backend, unsigned jobs) {
  std::vector<Status> results(3);
  std::vector<std::thread> all;
  for (Status& result : results) all.emplace_back([&] { result = again_and_again(backend, jobs / 4 + 1); });
  for (std::thread& thread : all) thread.join();
  for (const Status& result : results) ZYNPU_TRY(result);
  return {};
}

Status never_ending(Backend& backend) {
  ZYNPU_ASSIGN_OR_RETURN(const std::unique_ptr<Program> spin, Program::create(backend, kSpin));
  ZYNPU_ASSIGN_OR_RETURN(const std::unique_ptr<Program> next, Program::create(backend, kExit));
  ZYNPU_TRY(spin->job().submit());
  ZYNPU_TRY(next->job().submit());
  ZYNPU_TRY(expect_error(spin->job().wait(20 * kMillisecond), ErrorCode::kTimeout, "a wait of 20 ms"));
  ZYNPU_TRY(expect_error(spin->job().submit(), ErrorCode::kBusy, "a submission of a running job"));
  spin->job().cancel();
  ZYNPU_TRY(expect_error(spin->job().wait(-1), ErrorCode::kCancelled, "a cancelled job"));
  return next->job().wait(-1);
}

Status failing(Backend& backend) {
  ZYNPU_ASSIGN_OR_RETURN(const std::unique_ptr<Program> wild, Program::create(backend, kWild));
  ZYNPU_ASSIGN_OR_RETURN(const std::unique_ptr<Program> good, Program::create(backend, kExit));
  for (int i = 0; i < 3; ++i) {
    ZYNPU_TRY(expect_error(wild->run(), ErrorCode::kDeviceFault, "a load from outside the windows"));
    ZYNPU_TRY(good->run());
  }
  return {};
}

Status incomplete(Backend& backend) {
  if (backend.prepare({})) return wrong("a job without a program was prepared");
  return {};
}

}  // namespace

std::vector<Case> job_cases(const Suite& suite) {
  Backend& backend = suite.context->backend();
  const unsigned jobs = suite.jobs;
  return {
      {"buffers_are_zeroed_aligned_and_keep_their_bytes", [&] { return buffers(backend); }},
      {"buffers_do_not_overlap", [&] { return buffers_lie_apart(backend); }},
      {"impossible_buffers_are_refused", [&] { return bad_buffers(backend); }},
      {"a_job_without_a_program_is_refused", [&] { return incomplete(backend); }},
      {"a_job_runs_again_and_again", [&backend, jobs] { return again_and_again(backend, jobs); }},
      {"jobs_wait_in_the_queue", [&] { return several_in_the_queue(backend); }},
      {"threads_share_the_device", [&backend, jobs] { return threads(backend, jobs); }},
      {"a_never_ending_program_times_out_and_is_cancelled", [&] { return never_ending(backend); }},
      {"a_failing_program_harms_no_other", [&] { return failing(backend); }},
  };
}

// Empty jobs: how long from the submission to its return, and to the end of the wait.
Status measure_latency(const Suite& suite, unsigned jobs) {
  using Clock = std::chrono::steady_clock;
  Backend& backend = suite.context->backend();
  ZYNPU_ASSIGN_OR_RETURN(const std::unique_ptr<Program> program, Program::create(backend, kExit));
  ZYNPU_TRY(program->run());
  std::vector<double> submit, complete;
  const Clock::time_point begin = Clock::now();
  for (unsigned i = 0; i < jobs; ++i) {
    const Clock::time_point start = Clock::now();
    ZYNPU_TRY(program->job().submit());
    const Clock::time_point submitted = Clock::now();
    ZYNPU_TRY(program->job().wait(-1));
    submit.push_back(std::chrono::duration<double, std::micro>(submitted - start).count());
    complete.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  std::sort(submit.begin(), submit.end());
  std::sort(complete.begin(), complete.end());
  fmt::print(
      "empty jobs on {}: submission returns after {:.0f} us, completion {:.0f} us (medians; 99 %: {:.0f}, "
      "{:.0f} us); {:.0f} jobs a second\n",
      suite.device, submit[jobs / 2], complete[jobs / 2], submit[jobs * 99 / 100], complete[jobs * 99 / 100],
      jobs / seconds);
  return {};
}

}  // namespace zynpu::conformance
