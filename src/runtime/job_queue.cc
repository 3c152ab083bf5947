// SPDX-License-Identifier: MIT
#include "runtime/job_queue.h"

#include <chrono>
#include <utility>

namespace zynpu::runtime {
namespace {

// Longer waits are for ever; it keeps the deadline's arithmetic in range.
constexpr std::int64_t kLongestTimeoutNs = 365LL * 24 * 3600 * 1'000'000'000;

}  // namespace

JobQueue::JobQueue() : thread_([this] { work(); }) {}

JobQueue::~JobQueue() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  arrived_.notify_all();
  thread_.join();
}

void JobQueue::append(QueuedJob& job) {
  job.next_ = nullptr;
  (tail_ != nullptr ? tail_->next_ : head_) = &job;
  tail_ = &job;
}

void JobQueue::remove(QueuedJob& job) {
  QueuedJob* before = nullptr;
  QueuedJob** link = &head_;
  while (*link != &job) {
    before = *link;
    link = &before->next_;
  }
  *link = job.next_;
  if (tail_ == &job) tail_ = before;
  job.next_ = nullptr;
}

void JobQueue::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    arrived_.wait(lock, [&] { return stop_ || head_ != nullptr; });
    if (head_ == nullptr) return;
    QueuedJob& job = *head_;
    remove(job);
    job.state_ = QueuedJob::State::kRunning;
    lock.unlock();
    Status result = job.run_();
    lock.lock();
    job.finish(std::move(result));
  }
}

QueuedJob::QueuedJob(JobQueue& queue, std::function<Status()> run) : queue_(queue), run_(std::move(run)) {}

QueuedJob::~QueuedJob() {
  cancel();
  std::unique_lock lock(queue_.mutex_);
  queue_.finished_.wait(lock, [&] { return state_ == State::kIdle || state_ == State::kFinished; });
}

Status QueuedJob::submit() {
  {
    std::lock_guard lock(queue_.mutex_);
    if (state_ == State::kQueued || state_ == State::kRunning)
      return fail(ErrorCode::kBusy, "the NPU job is already running");
    state_ = State::kQueued;
    cancelled_.store(false, std::memory_order_release);
    queue_.append(*this);
  }
  queue_.arrived_.notify_one();
  return {};
}

Status QueuedJob::wait(std::int64_t timeout_ns) {
  std::unique_lock lock(queue_.mutex_);
  if (state_ == State::kIdle) return fail(ErrorCode::kInvalidArgument, "the NPU job was never submitted");
  const auto finished = [&] { return state_ == State::kFinished; };
  if (timeout_ns < 0 || timeout_ns > kLongestTimeoutNs)
    queue_.finished_.wait(lock, finished);
  else if (!queue_.finished_.wait_for(lock, std::chrono::nanoseconds(timeout_ns), finished))
    return fail(ErrorCode::kTimeout, "the NPU job did not finish within {} ns", timeout_ns);
  return result_;
}

void QueuedJob::cancel() {
  std::lock_guard lock(queue_.mutex_);
  if (state_ != State::kQueued && state_ != State::kRunning) return;
  cancelled_.store(true, std::memory_order_release);
  if (state_ == State::kRunning) return;
  // It would else wait for those before it, which may take for ever.
  queue_.remove(*this);
  finish(cancelled_status());
}

Status QueuedJob::cancelled_status() { return fail(ErrorCode::kCancelled, "the job was cancelled"); }

void QueuedJob::finish(Status result) {
  result_ = std::move(result);
  state_ = State::kFinished;
  queue_.finished_.notify_all();
}

}  // namespace zynpu::runtime
