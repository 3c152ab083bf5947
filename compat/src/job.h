// SPDX-License-Identifier: MIT
// A job of the vendor's API: buffers, state machine and waiting (standard-api.md 5 and 7).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "dump.h"
#include "graph.h"
#include "runtime/graph_job.h"
#include "runtime/job.h"
#include "status.h"

namespace zynpu::compat {

// Thread-safe: calls on one job take turns. A wait in one thread lets clean() and status calls of others
// through.
class Job {
 public:
  // `shapes`: dynamic shape, the inputs' extents in id order; empty: the smallest.
  static Code create(std::shared_ptr<const Graph> graph, std::uint64_t id,
                     std::vector<std::vector<std::uint32_t>> shapes, std::shared_ptr<Job>* out);
  // Stops a run that is under way.
  ~Job();

  std::uint64_t id() const { return id_; }
  const Graph& graph() const { return *graph_; }

  Code schedule(aipu_job_callback_func_t callback);
  // Waits for a scheduled job; timeout_ms < 0: for ever, 0: not at all. `status` is NO_STATUS while it runs,
  // which is an error (0x23) only after a positive timeout. Statuses of 0x200 and more come from the program.
  Code wait(std::int64_t timeout_ms, aipu_job_status_t* status);
  // The callback that is due for this thread's caller; null: none. Hands it out once.
  aipu_job_callback_func_t take_callback();
  bool awaits_callback() const { return callback_pending_; }
  bool is_scheduled() const { return state_ == State::kScheduled; }
  void cancel();

  Code write_input(std::uint32_t index, const void* data);
  Code write_output(std::uint32_t index, const void* data);
  Code read(aipu_tensor_type_t type, std::uint32_t index, void* data);
  // Size of a list's entry for this job; dynamic shapes differ from the graph's.
  std::uint32_t bytes_of(aipu_tensor_type_t type, std::uint32_t index) const;
  Code rewrite_parameter(std::uint32_t offset, std::uint32_t value);
  Code set_shapes(std::vector<std::vector<std::uint32_t>> shapes);
  // Replaces the section of an input or output (standard-api.md 7, specify_iobuf).
  Code replace(aipu_tensor_type_t type, std::uint32_t index, std::shared_ptr<runtime::Buffer> memory,
               std::uint64_t offset);
  Code set_dump(std::uint64_t types, const aipu_job_config_dump_t* config);

  Code bind();
  Code run_bound();
  // Device address of the program; 0 where a host plan runs.
  std::uint64_t program_address() const;
  // `bytes` at a device address of one of the job's buffers; null if it is not inside one.
  std::uint8_t* memory_at(std::uint32_t address, std::uint32_t bytes) const;

 private:
  enum class State { kInit, kScheduled, kDone, kException, kBound };
  Job(std::shared_ptr<const Graph> graph, std::uint64_t id) : graph_(std::move(graph)), id_(id) {}

  bool may_start() const;
  Code start(aipu_job_callback_func_t callback);
  Code settle(Status result);
  Code measure_outputs();
  std::span<std::uint8_t> memory(aipu_tensor_type_t type, std::uint32_t index) const;
  Code resize(std::vector<std::uint32_t>& sizes, aipu_tensor_type_t type,
              const std::vector<std::vector<std::uint32_t>>& shapes, Code misfit);
  DumpSource dump_source() const;

  const std::shared_ptr<const Graph> graph_;
  const std::uint64_t id_;
  mutable std::timed_mutex mutex_;
  std::unique_ptr<runtime::GraphJob> npu_;  // a single graph
  std::unique_ptr<runtime::Job> planned_;   // a host plan
  std::atomic<State> state_{State::kInit};
  std::atomic<Code> program_code_{kOk};
  std::atomic<bool> callback_pending_{false};
  std::atomic<aipu_job_callback_func_t> callback_{nullptr};
  std::vector<std::uint32_t> input_bytes_, output_bytes_;  // of dynamic shapes; else empty
  std::optional<DumpOptions> dump_;
};

}  // namespace zynpu::compat
