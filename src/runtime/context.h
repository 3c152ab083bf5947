// SPDX-License-Identifier: MIT
// An opened device as the runtime uses it: its back end, and the threads that drive submitted jobs (the CPU
// operators of a job run there; NPU programs run wherever the back end runs them).
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/backend.h"

namespace zynpu::runtime {

// Work for the threads of a context. Linked into the queue itself, so that queueing allocates nothing.
class Task {
 public:
  virtual ~Task() = default;
  virtual void execute() = 0;

 private:
  friend class Context;
  Task* next_ = nullptr;
};

// Thread-safe. Must not be destroyed while a task is queued or executes; jobs see to that.
class Context {
 public:
  Context(std::string device_name, std::shared_ptr<Backend> backend);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  const std::string& device_name() const { return device_name_; }
  Backend& backend() const { return *backend_; }
  const part::Part& part() const { return backend_->part(); }

  // Runs `task` on one of the threads, in order of enqueueing. It must stay alive until it has executed.
  void enqueue(Task& task);

 private:
  void work();

  const std::string device_name_;
  const std::shared_ptr<Backend> backend_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  Task* head_ = nullptr;
  Task* tail_ = nullptr;
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace zynpu::runtime
