// SPDX-License-Identifier: MIT
// Jobs that one thread of this process carries out, one after the other: what back ends are made of that have
// no queue below them.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

#include "base/error.h"

namespace zynpu::runtime {

class QueuedJob;

// The thread and the jobs that wait for it, in the order of their submission. Thread-safe. Its jobs must be
// gone before it; the destructor waits for the thread.
class JobQueue {
 public:
  JobQueue();
  ~JobQueue();
  JobQueue(const JobQueue&) = delete;
  JobQueue& operator=(const JobQueue&) = delete;

 private:
  friend class QueuedJob;
  void work();
  void append(QueuedJob& job);  // both with mutex_ held
  void remove(QueuedJob& job);

  std::mutex mutex_;
  std::condition_variable arrived_, finished_;
  QueuedJob* head_ = nullptr;  // guarded by mutex_, as the rest
  QueuedJob* tail_ = nullptr;
  bool stop_ = false;
  std::thread thread_;
};

// One job, which can be submitted again and again. submit() and wait() come from one thread at a time,
// cancel() and cancelled() from any. Nothing is allocated between submission and a successful end.
class QueuedJob {
 public:
  // `run` is called on the queue's thread for each submission; what it returns is the result. It should look
  // at cancelled() while it runs and end soon, with cancelled_status(), if it can stop what it does: the
  // queue cannot. Its captures must outlive this object.
  QueuedJob(JobQueue& queue, std::function<Status()> run);
  // Cancels the job and waits for its end.
  ~QueuedJob();
  QueuedJob(const QueuedJob&) = delete;
  QueuedJob& operator=(const QueuedJob&) = delete;

  // kBusy if the last submission has not ended.
  Status submit();
  // The result of the last submission, once it has ended, as often as it is asked for. kTimeout: it did not
  // end within `timeout_ns`, and goes on; < 0: for ever. kInvalidArgument: there was no submission.
  Status wait(std::int64_t timeout_ns);
  // A job that waits leaves the queue at once and is not run; one that runs sees cancelled(), and its result
  // is what it makes of that. No effect on a job that has ended or was not submitted.
  void cancel();
  // Whether this submission was cancelled.
  bool cancelled() const { return cancelled_.load(std::memory_order_acquire); }
  // The result of a cancelled job.
  static Status cancelled_status();

 private:
  friend class JobQueue;
  enum class State { kIdle, kQueued, kRunning, kFinished };
  void finish(Status result);  // with the queue's mutex held

  JobQueue& queue_;
  const std::function<Status()> run_;
  std::atomic<bool> cancelled_{false};
  State state_ = State::kIdle;  // guarded by the queue's mutex, as the rest
  Status result_;
  QueuedJob* next_ = nullptr;
};

}  // namespace zynpu::runtime
