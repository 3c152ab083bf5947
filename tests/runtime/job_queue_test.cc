// SPDX-License-Identifier: MIT
// The queue behind the back ends that have none below them: order, results, waits, cancellation, ends of
// lives.
#include "runtime/job_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace zynpu::runtime {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kMillisecond = 1'000'000;

// A door that a job stands before until the test opens it.
class Door {
 public:
  void open() {
    {
      std::lock_guard lock(mutex_);
      open_ = true;
    }
    changed_.notify_all();
  }
  // For the job: waits, and tells that it does.
  void pass() {
    std::unique_lock lock(mutex_);
    ++arrived_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
  }
  // For the test: until a job stands here.
  void await_arrival() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return arrived_ > 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int arrived_ = 0;
};

Status done() { return {}; }

// Ends only when it is cancelled.
Status until_cancelled(const QueuedJob& job) {
  while (!job.cancelled()) std::this_thread::sleep_for(1ms);
  return QueuedJob::cancelled_status();
}

class JobQueueTest : public ::testing::Test {
 protected:
  // A job that holds the queue until `door` is opened.
  std::unique_ptr<QueuedJob> holder() {
    return std::make_unique<QueuedJob>(queue, [this] {
      door.pass();
      return done();
    });
  }

  Door door;
  JobQueue queue;
};

TEST_F(JobQueueTest, AJobRunsOnceForEachSubmissionAndReturnsWhatItReturned) {
  int runs = 0;
  QueuedJob job(queue, [&]() -> Status {
    ++runs;
    if (runs == 2) return fail(ErrorCode::kDeviceFault, "run {}", runs);
    return {};
  });
  ASSERT_TRUE(job.submit());
  EXPECT_TRUE(job.wait(-1));
  EXPECT_TRUE(job.wait(0));  // as often as one asks
  EXPECT_EQ(runs, 1);
  ASSERT_TRUE(job.submit());
  for (int asked = 0; asked < 2; ++asked) {
    const Status result = job.wait(-1);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kDeviceFault);
    EXPECT_EQ(result.error().message, "run 2");
  }
  ASSERT_TRUE(job.submit());
  EXPECT_TRUE(job.wait(-1));
  EXPECT_EQ(runs, 3);
}

TEST_F(JobQueueTest, AWaitWithoutASubmissionIsRefused) {
  QueuedJob job(queue, done);
  EXPECT_EQ(job.wait(-1).error().code, ErrorCode::kInvalidArgument);
  job.cancel();
  EXPECT_EQ(job.wait(0).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(JobQueueTest, ASecondSubmissionIsRefusedWhileTheFirstRunsOrWaits) {
  const auto running = holder();
  int runs = 0;
  QueuedJob waiting(queue, [&] {
    ++runs;
    return done();
  });
  ASSERT_TRUE(running->submit());
  door.await_arrival();
  ASSERT_TRUE(waiting.submit());
  EXPECT_EQ(running->submit().error().code, ErrorCode::kBusy);
  EXPECT_EQ(waiting.submit().error().code, ErrorCode::kBusy);
  door.open();
  EXPECT_TRUE(running->wait(-1));
  EXPECT_TRUE(waiting.wait(-1));
  EXPECT_EQ(runs, 1);
}

TEST_F(JobQueueTest, AWaitThatEndsEarlyLeavesTheJobRunning) {
  const auto job = holder();
  ASSERT_TRUE(job->submit());
  EXPECT_EQ(job->wait(0).error().code, ErrorCode::kTimeout);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(job->wait(20 * kMillisecond).error().code, ErrorCode::kTimeout);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 20ms);
  door.open();
  EXPECT_TRUE(job->wait(INT64_MAX));  // no overflow
}

TEST_F(JobQueueTest, JobsRunInTheOrderOfTheirSubmission) {
  const auto first = holder();
  std::vector<int> order;
  std::vector<std::unique_ptr<QueuedJob>> jobs;
  for (int i = 0; i < 5; ++i)
    jobs.push_back(std::make_unique<QueuedJob>(queue, [&order, i] {
      order.push_back(i);
      return done();
    }));
  ASSERT_TRUE(first->submit());
  for (const int i : {3, 0, 4, 1, 2}) ASSERT_TRUE(jobs[static_cast<std::size_t>(i)]->submit());
  door.open();
  for (const auto& job : jobs) EXPECT_TRUE(job->wait(-1));
  EXPECT_EQ(order, (std::vector<int>{3, 0, 4, 1, 2}));
}

TEST_F(JobQueueTest, ACancelledJobThatWaitsIsOverAtOnceAndNeverRuns) {
  const auto running = holder();
  std::vector<int> ran;
  std::vector<std::unique_ptr<QueuedJob>> jobs;
  for (int i = 0; i < 4; ++i)
    jobs.push_back(std::make_unique<QueuedJob>(queue, [&ran, i] {
      ran.push_back(i);
      return done();
    }));
  ASSERT_TRUE(running->submit());
  door.await_arrival();
  for (const auto& job : jobs) ASSERT_TRUE(job->submit());
  for (const std::size_t i : {1u, 3u, 0u}) {  // from the middle, the end and the front of the queue
    jobs[i]->cancel();
    EXPECT_EQ(jobs[i]->wait(-1).error().code, ErrorCode::kCancelled);
  }
  ASSERT_TRUE(jobs[3]->submit());  // behind the one that is left
  door.open();
  EXPECT_TRUE(jobs[2]->wait(-1));
  EXPECT_TRUE(jobs[3]->wait(-1));
  EXPECT_TRUE(running->wait(-1));
  EXPECT_EQ(ran, (std::vector<int>{2, 3}));
}

TEST_F(JobQueueTest, ACancelledJobThatRunsIsToldAndDecides) {
  std::unique_ptr<QueuedJob> obedient, stubborn;
  Door started;
  started.open();
  obedient = std::make_unique<QueuedJob>(queue, [&] {
    started.pass();
    return until_cancelled(*obedient);
  });
  ASSERT_TRUE(obedient->submit());
  started.await_arrival();
  obedient->cancel();
  EXPECT_EQ(obedient->wait(-1).error().code, ErrorCode::kCancelled);
  // A driver that cannot stop a job: it ends as it would have.
  stubborn = holder();
  ASSERT_TRUE(stubborn->submit());
  door.await_arrival();
  stubborn->cancel();
  EXPECT_TRUE(stubborn->cancelled());
  EXPECT_EQ(stubborn->wait(kMillisecond).error().code, ErrorCode::kTimeout);
  door.open();
  EXPECT_TRUE(stubborn->wait(-1));
}

TEST_F(JobQueueTest, CancellationConcernsOneSubmissionOnly) {
  int runs = 0;
  QueuedJob job(queue, [&] {
    ++runs;
    return job.cancelled() ? QueuedJob::cancelled_status() : done();
  });
  job.cancel();  // before any
  ASSERT_TRUE(job.submit());
  EXPECT_TRUE(job.wait(-1));
  job.cancel();  // after its end
  EXPECT_FALSE(job.cancelled());
  EXPECT_TRUE(job.wait(-1));
  ASSERT_TRUE(job.submit());
  EXPECT_TRUE(job.wait(-1));
  EXPECT_EQ(runs, 2);
}

TEST_F(JobQueueTest, AJobThatGoesWhileItRunsIsCancelledAndWaitedFor) {
  std::atomic<bool> over{false};
  Door started;
  started.open();
  auto memory = std::make_unique<int>(0);
  std::unique_ptr<QueuedJob> job;
  QueuedJob* self = nullptr;
  job = std::make_unique<QueuedJob>(queue, [&] {
    started.pass();
    Status result = until_cancelled(*self);
    std::this_thread::sleep_for(5ms);
    ++*memory;  // still there
    over = true;
    return result;
  });
  self = job.get();
  ASSERT_TRUE(job->submit());
  started.await_arrival();
  job.reset();
  EXPECT_TRUE(over);
  memory.reset();
  // The queue is as before.
  QueuedJob next(queue, done);
  ASSERT_TRUE(next.submit());
  EXPECT_TRUE(next.wait(-1));
}

TEST_F(JobQueueTest, AJobThatGoesWhileItWaitsDoesNotWaitForTheOneBefore) {
  const auto running = holder();
  bool ran = false;
  auto waiting = std::make_unique<QueuedJob>(queue, [&] {
    ran = true;
    return done();
  });
  ASSERT_TRUE(running->submit());
  door.await_arrival();
  ASSERT_TRUE(waiting->submit());
  waiting.reset();  // would hang here: the door is shut
  door.open();
  EXPECT_TRUE(running->wait(-1));
  EXPECT_FALSE(ran);
}

TEST_F(JobQueueTest, AWaitEndsWhenAnotherThreadCancels) {
  const auto running = holder();
  QueuedJob waiting(queue, done);
  ASSERT_TRUE(running->submit());
  ASSERT_TRUE(waiting.submit());
  std::thread other([&] {
    std::this_thread::sleep_for(5ms);
    waiting.cancel();
  });
  EXPECT_EQ(waiting.wait(-1).error().code, ErrorCode::kCancelled);
  other.join();
  door.open();
}

TEST_F(JobQueueTest, ManyThreadsSubmitWaitAndCancel) {
  constexpr int kThreads = 8, kRounds = 300;
  int inside = 0, most = 0;  // on the queue's thread only
  std::atomic<int> ended{0}, cancelled{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      int value = 0;
      QueuedJob job(queue, [&] {
        most = std::max(most, ++inside);
        ++value;
        --inside;
        return job.cancelled() ? QueuedJob::cancelled_status() : done();
      });
      for (int round = 0; round < kRounds; ++round) {
        const int before = value;
        ASSERT_TRUE(job.submit());
        std::thread canceller;
        if (round % 16 == t) canceller = std::thread([&] { job.cancel(); });
        const Status result = job.wait(-1);
        if (canceller.joinable()) canceller.join();
        if (result) {
          ++ended;
          EXPECT_EQ(value, before + 1);
        } else {
          ++cancelled;
          EXPECT_EQ(result.error().code, ErrorCode::kCancelled);
        }
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(most, 1);
  EXPECT_EQ(ended + cancelled, kThreads * kRounds);
}

TEST(JobQueue, AnIdleQueueEnds) {
  for (int i = 0; i < 20; ++i) {
    JobQueue queue;
    if (i % 2 != 0) {
      QueuedJob job(queue, done);
      ASSERT_TRUE(job.submit());
      EXPECT_TRUE(job.wait(-1));
    }
  }
}

}  // namespace
}  // namespace zynpu::runtime
