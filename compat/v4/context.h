// SPDX-License-Identifier: MIT
// A context of the R329's library: graphs, sets of tensor buffers, and the jobs on them
// (standard-api.md 12.4).
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "graph.h"

namespace zynpu::compat::v4 {

// Buffers of one handle and the job that uses them. Thread-safe.
class Buffers {
 public:
  static Status4 create(std::shared_ptr<const Graph> graph, std::uint32_t handle,
                        std::shared_ptr<Buffers>* out);

  void describe(aipu_buffer_alloc_info* info);
  void reset();  // a new job: it may be started once
  Status4 start();
  // timeout_ms < 0: for ever. 0x11: never started, 0x15: it still runs.
  Status4 wait(std::int64_t timeout_ms, ::aipu_job_status_t* status);
  bool is_running() const { return state_ == State::kRunning; }
  void cancel();
  void bind() { bound_ = true; }
  bool is_bound() const { return bound_; }
  void job_info(aipu_debugger_job_info* info) const;

 private:
  enum class State { kIdle, kRunning, kDone, kFailed };
  explicit Buffers(std::shared_ptr<const Graph> graph) : graph_(std::move(graph)) {}

  const std::shared_ptr<const Graph> graph_;
  std::unique_ptr<runtime::GraphJob> job_;
  std::vector<aipu_r329_buffer> lists_[5];
  std::timed_mutex mutex_;
  std::atomic<State> state_{State::kIdle};
  std::atomic<bool> bound_{false};
  std::uint32_t handle_ = 0;
};

class Context {
 public:
  static Status4 create(std::shared_ptr<Context>* out);

  Status4 load(std::span<const std::uint8_t> file, graph_desc* desc);
  Status4 unload(std::uint32_t graph);
  Status4 allocate(std::uint32_t graph, aipu_buffer_alloc_info* info);
  Status4 free(std::uint32_t handle);
  Status4 create_job(std::uint32_t graph, std::uint32_t handle, std::uint32_t* job);
  Status4 clean_job(std::uint32_t job);
  // Null: 0x10.
  std::shared_ptr<Buffers> job(std::uint32_t id) const;
  // Jobs that are under way.
  std::vector<std::shared_ptr<Buffers>> running() const;
  void shut();

  Status4 machine(Machine* out);
  Status4 allocate_memory(std::uint32_t bytes, void** va);
  Status4 free_memory(void* va);

 private:
  struct Entry {
    std::shared_ptr<const Graph> graph;
    std::map<std::uint32_t, std::shared_ptr<Buffers>> buffers;  // by the low half of the handle
    std::map<std::uint32_t, std::uint32_t> jobs;                // low half of the job -> that of the handle
  };
  struct Memory {
    Machine machine;
    std::shared_ptr<runtime::Buffer> buffer;
  };

  mutable std::mutex mutex_;
  std::string device_;
  Machine machine_;
  std::map<std::uint32_t, Entry> graphs_;
  std::map<void*, Memory> memory_;
};

}  // namespace zynpu::compat::v4
