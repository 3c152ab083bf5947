// SPDX-License-Identifier: MIT
// Buffers and state for running a program, and the execution of its steps on NPU and CPU.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/error.h"
#include "reference/reference.h"
#include "runtime/context.h"
#include "runtime/profile.h"
#include "runtime/program.h"

namespace zynpu::runtime {

// Memory that the host allocated, zeroed, aligned for every operator.
class HostMemory {
 public:
  static constexpr std::size_t kAlignment = 64;
  explicit HostMemory(std::size_t bytes);
  std::span<std::uint8_t> span() const { return {data_.get(), bytes_}; }

 private:
  struct Free {
    void operator()(std::uint8_t* data) const;
  };
  std::unique_ptr<std::uint8_t[], Free> data_;
  std::size_t bytes_;
};

class Job;

// Sees every completed run of a job, on the thread that ran it, before the run counts as finished.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  // An error becomes the run's result.
  virtual Status completed(const Job& job) = 0;
  virtual void reset_state() = 0;  // the job's state variables were reset
};

// Where a program counter stands.
struct CodePlace {
  int graph = -1;            // index into HostPlan::graphs; -1: not in the job's code
  std::uint32_t offset = 0;  // bytes into the graph's text
  int op = -1;               // model op that the instruction belongs to; -1: none
};

// Reusable for ever. One thread at a time uses a job; cancel() and wait() may be called beside run() or
// wait() of another thread. Between creation and destruction it allocates no memory unless a run fails.
class Job final : private Task {
 public:
  static Result<std::unique_ptr<Job>> create(std::shared_ptr<const Program> program,
                                             std::shared_ptr<RunObserver> observer = nullptr);
  // Cancels a run that is under way and waits for its end.
  ~Job() override;

  const Program& program() const { return *program_; }

  // Memory of the model's input or output `index`. Inputs keep their content between runs.
  std::span<std::uint8_t> input(std::size_t index) const { return homes_[program_->model().inputs[index]]; }
  std::span<const std::uint8_t> output(std::size_t index) const {
    return homes_[program_->model().outputs[index]];
  }

  Status run();                          // in the calling thread
  Status submit();                       // on a thread of the context; kBusy while a run is under way
  Status wait(std::int64_t timeout_ns);  // < 0: for ever. kTimeout leaves it running; kInvalidArgument:
                                         // nothing submitted
  void cancel();                         // the run under way fails with kCancelled
  bool busy() const;
  Status reset_state();  // state variables to their initial values; kBusy while a run is under way

  // The instruction at a device address. Thread-safe.
  CodePlace locate(std::uint32_t address) const;

  // Of the last run that completed.
  const RunProfile& profile() const { return profile_; }

 private:
  // A model tensor's home and its place in the memory of an NPU graph.
  struct Transfer {
    int tensor;
    std::span<std::uint8_t> device;
  };
  // What one step needs.
  struct PreparedStep {
    std::unique_ptr<GraphJob> npu;  // null: CPU
    std::vector<Transfer> transfers_in, transfers_out;
  };
  enum class State { kIdle, kRunning, kFinished };

  Job(std::shared_ptr<const Program> program, std::shared_ptr<RunObserver> observer);
  Status prepare();
  Status prepare_npu_step(std::size_t index);
  void allocate_homes();
  Status prepare_cpu_ops();

  Status begin();
  void execute() override;  // the submitted run
  Status execute_steps();
  Status run_npu_step(std::size_t index);
  Status run_cpu_step(std::size_t index);
  Error explain(const Error& error, const PreparedStep& step) const;

  const std::shared_ptr<const Program> program_;
  const std::shared_ptr<RunObserver> observer_;
  std::vector<PreparedStep> steps_;
  std::vector<HostMemory> host_memory_;
  std::vector<std::span<std::uint8_t>>
      homes_;  // by model tensor; empty where nobody outside the interpreter looks
  std::unique_ptr<reference::Interpreter> interpreter_;  // null: no operator on the CPU
  RunProfile profile_;

  mutable std::mutex mutex_;
  std::condition_variable finished_;
  State state_ = State::kIdle;
  Status result_;
  bool cancelled_ = false;
  BackendJob* current_ = nullptr;
};

}  // namespace zynpu::runtime
