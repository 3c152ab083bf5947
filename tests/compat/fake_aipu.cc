// SPDX-License-Identifier: MIT
// A /dev/aipu without hardware, as a library to be preloaded: the vendor's kernel driver as host-interface.md
// 5 and 7 describe it, its habit of copying more than it was asked for included, on a virtual NPU. Every
// structure that comes in is checked; what a kernel would suffer from ends the process with the reason.
//
// Written from the tables with raw offsets, not from the back end's declarations. Environment:
//   FAKE_AIPU_PART      z1, z2 or x2
//   FAKE_AIPU_RELEASE   4.1 or 4.2
//   FAKE_AIPU_VERSION   another version text for the driver
#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "part/part.h"
#include "runtime/virtual/driver.h"
#include "vnpu/device.h"

namespace {

using namespace zynpu;
using u8 = std::uint8_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

constexpr const char* kNode = "/dev/aipu";
constexpr u64 kMemory = 512 << 20, kShared = 256 << 20, kPage = 4096;

template <class... Args>
[[noreturn]] void violation(fmt::format_string<Args...> format, Args&&... args) {
  std::fprintf(stderr, "fake /dev/aipu: %s\n", fmt::format(format, std::forward<Args>(args)...).c_str());
  std::abort();
}

template <class... Args>
void require(bool condition, fmt::format_string<Args...> format, Args&&... args) {
  if (!condition) violation(format, std::forward<Args>(args)...);
}

template <class Value>
Value get(const void* from, std::size_t offset) {
  Value value{};
  std::memcpy(&value, static_cast<const u8*>(from) + offset, sizeof value);
  return value;
}

template <class Value>
void put(void* to, std::size_t offset, Value value) {
  std::memcpy(static_cast<u8*>(to) + offset, &value, sizeof value);
}

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

std::string environment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : otherwise;
}

u64 inode_of(int fd) {
  struct stat status {};
  return fstat(fd, &status) == 0 ? status.st_ino : 0;
}

// Device memory by bus address.
class Memory final : public vnpu::Bus {
 public:
  struct Region {
    u64 bytes = 0;
    u8* host = nullptr;
    u32 type = 0;
  };

  bool read(u64 address, std::span<u8> data) override {
    const u8* from = direct(address, data.size());
    if (from != nullptr) std::memcpy(data.data(), from, data.size());
    return from != nullptr;
  }
  bool write(u64 address, std::span<const u8> data) override {
    u8* to = direct(address, data.size());
    if (to != nullptr) std::memcpy(to, data.data(), data.size());
    return to != nullptr;
  }
  u8* direct(u64 address, u64 bytes) override {
    std::lock_guard lock(mutex_);
    const auto found = find(address, bytes);
    return found == regions_.end() ? nullptr : found->second.host + (address - found->first);
  }
  void set_irq(bool level) override { irq_ = level; }
  bool irq() const { return irq_; }

  // First fit from `begin`, with an unmapped page behind each region.
  u64 place(u64 begin, u64 end, u64 bytes, u64 alignment) {
    std::lock_guard lock(mutex_);
    u64 at = (begin + alignment - 1) / alignment * alignment;
    for (const auto& [address, region] : regions_) {
      if (address + region.bytes <= at || address >= end) continue;
      if (at + bytes + kPage <= address) break;
      at = (address + region.bytes + kPage + alignment - 1) / alignment * alignment;
    }
    return at + bytes <= end ? at : 0;
  }
  void add(u64 address, const Region& region) {
    std::lock_guard lock(mutex_);
    regions_[address] = region;
  }
  std::optional<Region> take(u64 address) {
    std::lock_guard lock(mutex_);
    const auto found = regions_.find(address);
    if (found == regions_.end()) return std::nullopt;
    const Region region = found->second;
    regions_.erase(found);
    return region;
  }
  // The region that holds the bytes, with its address.
  std::optional<std::pair<u64, Region>> holding(u64 address, u64 bytes) {
    std::lock_guard lock(mutex_);
    const auto found = find(address, bytes);
    if (found == regions_.end()) return std::nullopt;
    return *found;
  }
  std::size_t count() {
    std::lock_guard lock(mutex_);
    return regions_.size();
  }

 private:
  std::map<u64, Region>::iterator find(u64 address, u64 bytes) {
    auto found = regions_.upper_bound(address);
    if (found == regions_.begin()) return regions_.end();
    --found;
    const u64 offset = address - found->first;
    return offset <= found->second.bytes && bytes <= found->second.bytes - offset ? found : regions_.end();
  }
  std::mutex mutex_;
  std::map<u64, Region> regions_;
  std::atomic<bool> irq_{false};
};

class Fake {
 public:
  Fake()
      : part_(*part::find(environment("FAKE_AIPU_PART", "x2"))),
        is_41_(environment("FAKE_AIPU_RELEASE", "4.2") == "4.1"),
        x2_(part_.host_interface == part::HostInterface::kTsm),
        // Z1 sees physical addresses; the others a window, whose base shows every address that is not in it.
        window_(part_.host_interface == part::HostInterface::kFlat ? 0 : 0x400000000),
        first_(window_ == 0 ? 0x40000000 : window_) {
    fd_ = memfd_create("fake aipu", MFD_CLOEXEC);
    require(fd_ >= 0 && ftruncate(fd_, kMemory) == 0, "no memory");
    void* host = mmap(nullptr, kMemory, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd_, 0);
    require(host != MAP_FAILED, "no memory");
    host_ = static_cast<u8*>(host);
    device_ = vnpu::Device::create(part_, memory_).value();
    driver_ = runtime::HostDriver::create(part_, *device_, window_);
    const auto ready = driver_->initialise();
    require(ready.has_value(), "the virtual NPU does not start");
    thread_ = std::thread([this] { work(); });
  }

  ~Fake() {
    {
      std::lock_guard lock(mutex_);
      require(queue_.empty() && !running_, "closed while a job is under way");
      stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
    require(memory_.count() == 0, "closed with {} buffers left", memory_.count());
    munmap(host_, kMemory);
  }

  int fd() const { return fd_; }

  int ioctl(unsigned long request, void* argument) {
    std::lock_guard lock(requests_);  // one at a time, as under the driver's own locks
    switch (request) {
      case 0x80C84100:
        return query_cap(argument);
      case 0x80804101:
        return query_partitions(argument);
      case 0xC0504102:
        return request_buffer(argument);
      case 0x40284103:
        return free_buffer(argument);
      case 0x40904106:
        return schedule(argument);
      case 0xC0184107:
        return query_status(argument);
      case 0x8018410F:
        return allocate_dma_buf(argument);
      case 0x40044110:
        return free_dma_buf(argument);
      case 0xC0204111:
        return dma_buf_info(argument);
      case 0x80084112: {
        // Copies its whole field, whatever the request's size says.
        char text[64] = {};
        std::snprintf(text, sizeof text, "%s",
                      environment("FAKE_AIPU_VERSION", is_41_ ? "6.0.0" : "6.1.0").c_str());
        std::memcpy(argument, text, sizeof text);
        return 0;
      }
      case 0xC0204113:
        return attach(argument);
      case 0x40044114:
        return detach(argument);
      default:
        violation("request {:#x}", request);
    }
  }

  int poll(struct pollfd* fds, int timeout) {
    require((fds->events & POLLIN) != 0, "poll for events {:#x}", static_cast<unsigned>(fds->events));
    std::unique_lock lock(mutex_);
    const pid_t thread = gettid();
    const auto ready = [&] {
      return std::any_of(records_.begin(), records_.end(),
                         [&](const Record& record) { return record.thread == thread; });
    };
    if (timeout < 0)
      changed_.wait(lock, ready);
    else
      changed_.wait_for(lock, std::chrono::milliseconds(timeout), ready);
    fds->revents = ready() ? POLLIN : 0;
    return ready() ? 1 : 0;
  }

 private:
  struct Job {
    u64 id = 0;
    pid_t thread = 0;
    runtime::StartRequest start;
    std::vector<u64> buffers;  // that it names
  };
  struct Record {
    u64 id = 0;
    pid_t thread = 0;
    u32 state = 0;
  };

  // --- identity ---

  void fill_partition(u8* to, u32 id) const {
    std::memset(to, 0, 128);
    put<u32>(to, 0, id);
    put<u32>(to, 8, part_.name == "z1" ? 1 : part_.name == "z2" ? 2 : 5);
    put<u32>(to, 12, part_.name == "z1" ? 701 : part_.name == "z2" ? 1104 : 1204);
    put<u64>(to, 16, 0x14260000);
    put<u32>(to, 24, 1);
    put<u32>(to, 28, part_.cores);
    put<u32>(to, 32, part_.cores);
    put<u32>(to, 36, part_.tecs_per_core);
  }

  // Release 4.1 plays a board whose two partitions are described one by one.
  u32 partitions() const { return is_41_ ? 2 : 1; }

  int query_cap(void* argument) const {
    u8 cap[200] = {};
    put<u32>(cap, 0, partitions());
    put<u32>(cap, 4, window_ != 0 ? 1 : 0);
    put<u64>(cap, 8, window_);
    put<u32>(cap, 40, is_41_ ? 0 : 1);
    if (!is_41_) fill_partition(cap + 72, 0);
    std::memcpy(argument, cap, sizeof cap);
    return 0;
  }

  int query_partitions(void* argument) const {
    for (u32 i = 0; i < partitions(); ++i) fill_partition(static_cast<u8*>(argument) + 128 * i, i);
    return 0;
  }

  // --- memory ---

  int request_buffer(void* argument) {
    const u64 bytes = get<u64>(argument, 0);
    const u32 align = get<u32>(argument, 24), type = get<u32>(argument, 28);
    require(bytes > 0 && bytes % kPage == 0, "REQ_BUF of {} bytes", bytes);
    require(get<u64>(argument, 8) == 0 && get<u64>(argument, 16) == 0, "REQ_BUF: exec_id or reserve set");
    require(align > 0 && (align & (align - 1)) == 0, "REQ_BUF aligned to {} pages", align);
    require(type <= 7, "REQ_BUF of data type {}", type);
    require(get<u8>(argument, 32) == 0 && get<u8>(argument, 33) == 0 && get<u8>(argument, 34) == 0,
            "REQ_BUF: region, window or mode set");
    // Device address 0 goes to the first TCB chain, which has no use for it.
    const bool zero = type == 6 && !memory_.holding(first_, 1);
    const u64 address =
        memory_.place(zero ? first_ : first_ + 2 * kPage, first_ + kShared, bytes, align * kPage);
    if (address == 0) return failed(ENOMEM);
    const u64 offset = address - first_;
    std::memset(host_ + offset, 0xA5, bytes);  // nobody clears it
    memory_.add(address, {bytes, host_ + offset, type});
    u8* description = static_cast<u8*>(argument) + 40;
    put<u64>(description, 0, address);
    put<u64>(description, 8, offset);
    put<u64>(description, 16, bytes);
    return 0;
  }

  int free_buffer(void* argument) {
    const u64 address = get<u64>(argument, 0);
    check_unused(address);
    const auto region = memory_.take(address);
    require(region.has_value(), "FREE_BUF of unknown address {:#x}", address);
    require(get<u64>(argument, 8) == address - first_ && get<u64>(argument, 16) == region->bytes,
            "FREE_BUF with another description than it was given");
    return 0;
  }

  void check_unused(u64 address) {
    std::lock_guard lock(mutex_);
    const auto uses = [&](const Job& job) {
      return std::find(job.buffers.begin(), job.buffers.end(), address) != job.buffers.end();
    };
    require(!(running_ && uses(*running_)) && std::none_of(queue_.begin(), queue_.end(), uses),
            "buffer {:#x} released under a job", address);
  }

  int allocate_dma_buf(void* argument) {
    const u64 bytes = get<u64>(argument, 8);
    require(bytes > 0 && bytes % kPage == 0, "ALLOC_DMA_BUF of {} bytes", bytes);
    require(get<u64>(argument, 16) == 0, "ALLOC_DMA_BUF: exec_id set");
    const int fd = memfd_create("fake dma-buf", MFD_CLOEXEC);
    require(fd >= 0 && ftruncate(fd, static_cast<off_t>(bytes)) == 0, "no memory");
    share(fd, bytes, own_);
    put<int>(argument, 0, fd);
    return 0;
  }

  u64 share(int fd, u64 bytes, std::map<u64, u64>& list) {
    void* host = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    require(host != MAP_FAILED, "dma-buf cannot be mapped");
    const u64 address = memory_.place(first_ + kShared, first_ + kMemory, bytes, kPage);
    require(address != 0, "no room for a dma-buf");
    memory_.add(address, {bytes, static_cast<u8*>(host), 0});
    list[inode_of(fd)] = address;
    return address;
  }

  int unshare(int fd, std::map<u64, u64>& list, const char* what) {
    const auto found = list.find(inode_of(fd));
    require(found != list.end(), "{} of a descriptor that is not one", what);
    check_unused(found->second);
    const auto region = memory_.take(found->second);
    munmap(region->host, region->bytes);
    list.erase(found);
    return 0;
  }

  int free_dma_buf(void* argument) { return unshare(get<int>(argument, 0), own_, "FREE_DMA_BUF"); }
  int detach(void* argument) { return unshare(get<int>(argument, 0), attached_, "DETACH_DMA_BUF"); }

  int dma_buf_info(void* argument) {
    // The kernel takes a foreign dma-buf for its own and follows its pointers (B15).
    const auto found = own_.find(inode_of(get<int>(argument, 0)));
    require(found != own_.end(), "GET_DMA_BUF_INFO of a foreign dma-buf");
    put<u64>(argument, 8, found->second);
    put<u64>(argument, 16, memory_.holding(found->second, 1)->second.bytes);
    return 0;
  }

  int attach(void* argument) {
    const int fd = get<int>(argument, 0);
    const off_t bytes = lseek(fd, 0, SEEK_END);
    if (bytes <= 0 || bytes % static_cast<off_t>(kPage) != 0) return failed(EINVAL);
    require(!own_.contains(inode_of(fd)), "ATTACH_DMA_BUF of an own dma-buf");
    if (attached_.contains(inode_of(fd))) return failed(EBUSY);
    put<u64>(argument, 8, share(fd, static_cast<u64>(bytes), attached_));
    put<u64>(argument, 16, static_cast<u64>(bytes));
    return 0;
  }

  // --- jobs ---

  // The bus address of a device address that must lie in a buffer.
  u64 checked(u32 device, u64 bytes, const char* what, Job& job) {
    const auto region = memory_.holding(window_ + device, bytes);
    require(region.has_value(), "{} at {:#x} is in no buffer", what, device);
    job.buffers.push_back(region->first);
    return window_ + device;
  }

  int schedule(void* argument) {
    // Offsets of host-interface.md 5.2 and 5.3.
    const auto at = [&](std::size_t release42, std::size_t release41) {
      return is_41_ ? release41 : release42;
    };
    const auto u32_at = [&](std::size_t offset) { return get<u32>(argument, offset); };
    const auto u64_at = [&](std::size_t offset) { return get<u64>(argument, offset); };
    for (const std::size_t offset : {0, 4, 8, 12, 16, 20})
      require(u32_at(offset) == 0, "job word {} is {:#x}", offset, u32_at(offset));
    u8 partition[128];
    fill_partition(partition, 0);
    require(u32_at(24) == get<u32>(partition, 8) && u32_at(28) == get<u32>(partition, 12),
            "job for version {}, configuration {}", u32_at(24), u32_at(28));
    Job job;
    job.id = u64_at(at(96, 48));
    job.thread = gettid();
    require(job.id != 0 && job.id <= 0xFFFF, "job id {:#x} does not fit the hardware's tag", job.id);
    require(get<std::int64_t>(argument, at(80, 64)) == -1, "profile_fd set");
    require(u32_at(at(48, 56)) == 0 && u64_at(at(88, 72)) == 0 && u32_at(at(72, 80)) == 0, "profiling set");
    require(u32_at(at(64, 128)) == 0, "core dump set");
    const u32 flags = u32_at(at(56, 88));
    if (x2_)
      check_chain(job, flags, u64_at(at(104, 96)), u64_at(at(112, 104)), u64_at(at(120, 112)),
                  u64_at(at(128, 120)), u64_at(136));
    else
      check_flat(job, argument, flags);
    std::lock_guard lock(mutex_);
    require(!running_ && queue_.empty(), "a second job while one is under way (B1, B25)");
    queue_.push_back(std::move(job));
    changed_.notify_all();
    return 0;
  }

  void check_flat(Job& job, const void* argument, u32 flags) {
    const u32 start = get<u32>(argument, 32), handler = get<u32>(argument, 36);
    require((flags & ~1u) == 0, "exec_flag {:#x}", flags);
    checked(start, 16, "start_pc", job);
    checked(handler, 16, "interrupt handler", job);
    require(job.buffers[0] == job.buffers[1] && window_ + handler == job.buffers[0] + 0x10,
            "the interrupt handler is not at text + 0x10");
    checked(get<u32>(argument, 40), 4, "data_0", job);
    checked(get<u32>(argument, 44), 4, "data_1", job);
    require(start % 16 == 0, "start_pc {:#x}", start);
    job.start.start_pc = start;
    job.start.handler_pc = handler;
    job.start.parameters = get<u32>(argument, 40);
    job.start.stack = get<u32>(argument, 44);
  }

  void check_chain(Job& job, u32 flags, u64 head, u64 first, u64 last, u64 tail, u64 base) {
    require(base == window_, "asid0_base {:#x}", base);
    require(head > window_ && head % kPage == 0, "head TCB at {:#x}", head);
    const auto region = memory_.holding(head, 128);
    require(region && region->second.type == 6, "head TCB is in no TCB buffer");
    job.buffers.push_back(region->first);
    const u8* init = memory_.direct(head, 128);
    require((get<u32>(init, 0) & 0xF) == 0, "the head is no init TCB");
    const u32 mask = get<u32>(init, 0) >> 16;
    require(mask == (part_.cores > 2 ? 3u : 1u), "segment MMU mask {}", mask);
    require(first == head + 128 * (1 + (part_.cores + 1) / 2), "first task at {:#x}", first);
    require(get<u32>(init, 4) == static_cast<u32>(first), "init TCB goes on at {:#x}", get<u32>(init, 4));
    require(get<u64>(init, 48) == (window_ | 0x60), "ASID 0 is {:#x}", get<u64>(init, 48));
    require(last == tail && last > head, "last {:#x}, tail {:#x}", last, tail);
    u32 groups = 0, task = 0;
    for (u64 at = first;; at += 128) {
      const u8* tcb = memory_.direct(at, 128);
      require(tcb != nullptr, "a TCB at {:#x} is in no buffer", at);
      const u32 flag = get<u32>(tcb, 0);
      require((flag & 0xF) == 1, "TCB at {:#x} is no task", at);
      require(get<u32>(tcb, 108) == at - window_, "TCB at {:#x} calls itself {:#x}", at, get<u32>(tcb, 108));
      require(get<std::uint16_t>(tcb, 26) == task, "task id {}", get<std::uint16_t>(tcb, 26));
      require(task == 0 || (flag & 0x30) == 0, "dependency inside a group");
      checked(get<u32>(tcb, 12), 16, "start PC", job);
      checked(get<u32>(tcb, 52) - 4, 4, "stack", job);  // its top: the word below belongs to it
      checked(get<u32>(tcb, 56), 4, "parameters", job);
      checked(get<u32>(tcb, 60), 4, "private data", job);
      checked(get<u32>(tcb, 64), 4, "constants", job);
      require(((flag & 0x40) != 0) == (task + 1 == part_.tecs_per_core), "group end at task {}", task);
      if ((flag & 0x40) != 0) ++groups;
      task = (flag & 0x40) != 0 ? 0 : task + 1;
      const u32 next = get<u32>(tcb, 4);
      require((next == 0) == (at == last), "the chain ends at {:#x}, the job at {:#x}", at, last);
      require(groups <= 1 || at != last || (flag & 0x80) != 0, "no grid end");
      if (next == 0) {
        require(groups > 1 || (flag & 0xA0) == 0, "a single group with flags {:#x}", flag);
        break;
      }
      require(next == static_cast<u32>(at + 128), "TCB at {:#x} goes on at {:#x}", at, next);
    }
    require(flags == (2u | (groups == 1 ? 8u : 0x10u)), "exec_flag {:#x} for {} groups", flags, groups);
    job.start.chain = {static_cast<u32>(head - window_), static_cast<u32>(first - window_),
                       static_cast<u32>(last - window_)};
  }

  int query_status(void* argument) {
    const u32 most = get<u32>(argument, 0), mine = get<u32>(argument, 4);
    require(most > 0 && most <= 1024, "QUERY_STATUS for {} records", most);
    u8* to = reinterpret_cast<u8*>(get<u64>(argument, 8));
    std::lock_guard lock(mutex_);
    u32 count = 0;
    for (auto record = records_.begin(); record != records_.end() && count < most;) {
      if (mine != 0 && record->thread != gettid()) {
        ++record;
        continue;
      }
      u8* out = to + std::size_t{56} * count++;
      std::memset(out, 0, 56);
      put<u64>(out, 0, record->id);
      put<u32>(out, 8, static_cast<u32>(record->thread));
      put<u32>(out, 12, record->state);
      put<std::int64_t>(out, 24, 1000);
      record = records_.erase(record);
    }
    put<u32>(argument, 16, count);
    return 0;
  }

  // The engine.
  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return stop_ || !queue_.empty(); });
      if (queue_.empty()) return;
      running_ = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      const bool good = run(running_->start);
      lock.lock();
      records_.push_back({running_->id, running_->thread, good ? 1u : 2u});
      running_.reset();
      changed_.notify_all();
    }
  }

  bool run(const runtime::StartRequest& start) {
    using Outcome = runtime::HostDriver::Outcome;
    Outcome outcome = driver_->start(start) ? Outcome::kRunning : Outcome::kFailed;
    while (outcome == Outcome::kRunning) {
      const bool more = device_->run(1 << 18);
      while (memory_.irq() && outcome == Outcome::kRunning) outcome = driver_->service_interrupt();
      if (!more && outcome == Outcome::kRunning) outcome = Outcome::kFailed;
    }
    if (outcome == Outcome::kDone) {
      while (device_->busy() && device_->run(1 << 18)) {
      }
      if (driver_->finish()) return true;
    }
    device_->reset();
    memory_.set_irq(false);
    require(driver_->initialise().has_value(), "the virtual NPU does not come back");
    return false;
  }

  static int failed(int error) {
    errno = error;
    return -1;
  }

  const part::Part& part_;
  const bool is_41_, x2_;
  const u64 window_, first_;
  std::mutex requests_;
  int fd_ = -1;
  u8* host_ = nullptr;
  Memory memory_;
  std::map<u64, u64> own_, attached_;  // inode of a dma-buf -> address
  std::unique_ptr<vnpu::Device> device_;
  std::unique_ptr<runtime::HostDriver> driver_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> queue_;
  std::optional<Job> running_;
  std::vector<Record> records_;
  bool stop_ = false;
  std::thread thread_;
};

std::mutex fakes_mutex;
std::map<int, std::unique_ptr<Fake>>& fakes() {
  static auto& all = *new std::map<int, std::unique_ptr<Fake>>;
  return all;
}

Fake* find(int fd) {
  std::lock_guard lock(fakes_mutex);
  const auto found = fakes().find(fd);
  return found == fakes().end() ? nullptr : found->second.get();
}

int open_fake() {
  auto fake = std::make_unique<Fake>();
  const int fd = fake->fd();
  std::lock_guard lock(fakes_mutex);
  fakes()[fd] = std::move(fake);
  return fd;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  if (std::strcmp(path, kNode) == 0) return open_fake();
  std::va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return real<int(const char*, int, ...)>("open")(path, flags, mode);
}

int ioctl(int fd, unsigned long request, ...) {
  std::va_list arguments;
  va_start(arguments, request);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  if (Fake* fake = find(fd)) return fake->ioctl(request, argument);
  return real<int(int, unsigned long, ...)>("ioctl")(fd, request, argument);
}

int poll(struct pollfd* fds, nfds_t count, int timeout) {
  if (count == 1)
    if (Fake* fake = find(fds->fd)) return fake->poll(fds, timeout);
  return real<int(struct pollfd*, nfds_t, int)>("poll")(fds, count, timeout);
}

int close(int fd) {
  std::unique_ptr<Fake> dropped;
  {
    std::lock_guard lock(fakes_mutex);
    if (const auto found = fakes().find(fd); found != fakes().end()) {
      dropped = std::move(found->second);
      fakes().erase(found);
    }
  }
  dropped.reset();
  return real<int(int)>("close")(fd);
}
}
