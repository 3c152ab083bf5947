// SPDX-License-Identifier: MIT
#include "runtime/context.h"

#include <algorithm>

namespace zynpu::runtime {
namespace {

// Enough that the CPU operators of one job overlap the NPU program of another.
unsigned thread_count() { return std::clamp(std::thread::hardware_concurrency(), 2u, 4u); }

}  // namespace

Context::Context(std::string device_name, std::shared_ptr<Backend> backend)
    : device_name_(std::move(device_name)), backend_(std::move(backend)) {
  for (unsigned i = 0; i < thread_count(); ++i) threads_.emplace_back([this] { work(); });
}

Context::~Context() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  arrived_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Context::enqueue(Task& task) {
  {
    std::lock_guard lock(mutex_);
    task.next_ = nullptr;
    (tail_ != nullptr ? tail_->next_ : head_) = &task;
    tail_ = &task;
  }
  arrived_.notify_one();
}

void Context::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    arrived_.wait(lock, [&] { return stop_ || head_ != nullptr; });
    if (head_ == nullptr) return;
    Task& task = *head_;
    head_ = task.next_;
    if (head_ == nullptr) tail_ = nullptr;
    lock.unlock();
    task.execute();
    lock.lock();
  }
}

}  // namespace zynpu::runtime
