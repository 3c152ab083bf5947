// SPDX-License-Identifier: MIT
// A back end without a device: a job is a function on the memory that its description names.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/backend.h"

namespace zynpu::runtime::test {

class FakeBackend;

// What a program sees.
struct FakeRun {
  FakeBackend& memory;
  const JobDescription& description;
  const std::atomic<bool>& cancelled;
};
using FakeProgram = std::function<Status(const FakeRun&)>;

class FakeBackend final : public Backend {
 public:
  explicit FakeBackend(const part::Part& part, FakeProgram program = {})
      : part_(part), program_(std::move(program)) {}

  const part::Part& part() const override { return part_; }
  bool is_virtual() const override { return virtual_; }
  std::string description() const override { return "fake"; }

  Result<std::unique_ptr<Buffer>> allocate(std::uint64_t bytes, std::uint64_t alignment) override {
    std::lock_guard lock(mutex_);
    if (allocations_left_ == 0) return fail(ErrorCode::kOutOfMemory, "no memory left");
    --allocations_left_;
    next_ = (next_ + alignment - 1) / alignment * alignment;
    auto buffer = std::make_unique<FakeBuffer>(*this, static_cast<std::uint32_t>(next_), bytes);
    live_[buffer->device_address()] = buffer.get();
    next_ += bytes;
    return buffer;
  }
  Result<std::unique_ptr<BackendJob>> prepare(const JobDescription& description) override {
    return std::make_unique<FakeJob>(*this, description);
  }

  // Host memory behind a device address; nullptr outside live buffers.
  std::uint8_t* at(std::uint32_t address) {
    std::lock_guard lock(mutex_);
    auto next = live_.upper_bound(address);
    if (next == live_.begin()) return nullptr;
    FakeBuffer& buffer = *std::prev(next)->second;
    const std::uint32_t offset = address - buffer.device_address();
    return offset < buffer.bytes() ? buffer.host().data() + offset : nullptr;
  }
  std::uint32_t word(std::uint32_t address) {
    std::uint32_t value = 0;
    std::memcpy(&value, at(address), sizeof value);
    return value;
  }
  std::size_t live_buffers() {
    std::lock_guard lock(mutex_);
    return live_.size();
  }
  void set_virtual(bool value) { virtual_ = value; }
  void set_allocations_left(std::size_t count) { allocations_left_ = count; }
  void set_fault(std::uint32_t text_offset) { fault_offset_ = text_offset; }

 private:
  class FakeBuffer final : public Buffer {
   public:
    FakeBuffer(FakeBackend& owner, std::uint32_t address, std::uint64_t bytes)
        : owner_(owner),
          address_(address),
          memory_((bytes + sizeof(Line) - 1) / sizeof(Line)),
          bytes_(bytes) {}
    ~FakeBuffer() override {
      std::lock_guard lock(owner_.mutex_);
      owner_.live_.erase(address_);
    }
    std::span<std::uint8_t> host() override { return {memory_[0].bytes, bytes_}; }
    std::uint32_t device_address() const override { return address_; }
    std::uint64_t bytes() const override { return bytes_; }

   private:
    struct alignas(64) Line {
      std::uint8_t bytes[64] = {};
    };
    FakeBackend& owner_;
    std::uint32_t address_;
    std::vector<Line> memory_;
    std::uint64_t bytes_;
  };

  class FakeJob final : public BackendJob {
   public:
    FakeJob(FakeBackend& owner, JobDescription description)
        : owner_(owner), description_(std::move(description)) {}
    ~FakeJob() override {
      cancel();
      if (thread_.joinable()) thread_.join();
    }
    Status submit() override {
      if (thread_.joinable()) thread_.join();
      {
        std::lock_guard lock(mutex_);
        finished_ = false;
      }
      cancelled_ = false;
      thread_ = std::thread([this] {
        Status result = owner_.program_({owner_, description_, cancelled_});
        std::lock_guard lock(mutex_);
        result_ = std::move(result);
        finished_ = true;
        changed_.notify_all();
      });
      return {};
    }
    Status wait(std::int64_t) override {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return finished_; });
      return result_;
    }
    void cancel() override { cancelled_ = true; }
    std::optional<std::uint32_t> fault_address() const override {
      if (result_) return std::nullopt;
      return description_.text->device_address() + owner_.fault_offset_;
    }
    void set_regions(std::span<const Region> regions) override {
      profile_ = {.modelled = true,
                  .cycles = 100,
                  .bundles = 50,
                  .macs = 20,
                  .dma_bytes = 10,
                  .host_ms = 0,
                  .regions = {}};
      for (std::size_t i = 0; i < regions.size(); ++i)
        profile_.regions.push_back({.cycles = 7 * (i + 1), .bundles = 1});
    }
    const JobProfile& profile() const override { return profile_; }

   private:
    FakeBackend& owner_;
    JobDescription description_;
    std::thread thread_;
    std::atomic<bool> cancelled_{false};
    std::mutex mutex_;
    std::condition_variable changed_;
    bool finished_ = false;
    Status result_;
    JobProfile profile_;
  };

  const part::Part& part_;
  FakeProgram program_;
  bool virtual_ = true;
  std::uint32_t fault_offset_ = 0;
  std::mutex mutex_;
  std::map<std::uint32_t, FakeBuffer*> live_;
  std::uint64_t next_ = 0x10000;
  std::size_t allocations_left_ = SIZE_MAX;
};

}  // namespace zynpu::runtime::test
