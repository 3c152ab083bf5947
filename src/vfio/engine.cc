// SPDX-License-Identifier: MIT
#include "vfio/engine.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "part/registers_x2.h"
#include "part/registers_z.h"

namespace zynpu::vfio {
namespace {

namespace x2 = part::x2;
namespace z = part::z;

// Bundles between two chances for the host: well under a millisecond of simulation.
constexpr std::uint64_t kSliceBundles = 2048;

bool in_pools(std::uint32_t offset) {
  return offset >= x2::kPoolBase && offset < x2::kPoolBase + x2::kPools * x2::kPoolStride;
}
std::uint32_t pool_register(std::uint32_t offset) { return (offset - x2::kPoolBase) % x2::kPoolStride; }

}  // namespace

// The host's turn, from construction to destruction.
class Engine::HostAccess {
 public:
  // `disturb`: what is going to happen cannot be done in the middle of the device's work; a transfer that the
  // client would have to serve first is broken off.
  HostAccess(Engine& engine, bool disturb) : engine_(engine) {
    std::unique_lock lock(engine.mutex_);
    engine.host_waits_ = true;
    const auto free = [&] {
      return (engine.owner_ == Owner::kNobody && !engine.start_) || engine.owner_ == Owner::kTransfer;
    };
    engine.changed_.wait(lock, free);
    if (engine.owner_ == Owner::kTransfer && disturb) {
      engine.remote_.cancel();
      cancelled_ = true;
      engine.changed_.wait(lock, [&] { return engine.owner_ == Owner::kNobody && !engine.start_; });
    }
    engine.owner_ = engine.owner_ == Owner::kTransfer ? Owner::kHostInTransfer : Owner::kHost;
    engine.host_waits_ = false;
  }
  ~HostAccess() {
    if (cancelled_) engine_.remote_.allow();
    std::lock_guard lock(engine_.mutex_);
    if (engine_.owner_ == Owner::kHostInTransfer) {
      engine_.owner_ = Owner::kTransfer;
    } else {
      engine_.owner_ = Owner::kNobody;
      engine_.pending_ = engine_.device_->busy() && engine_.injection_ != Injection::kHold;
    }
    engine_.changed_.notify_all();
  }
  HostAccess(const HostAccess&) = delete;
  HostAccess& operator=(const HostAccess&) = delete;

 private:
  Engine& engine_;
  bool cancelled_ = false;
};

Result<std::unique_ptr<Engine>> Engine::create(const part::Part& part, const vnpu::Options& options,
                                               RemoteMemory& remote, Interrupts& interrupts) {
  std::unique_ptr<Engine> engine(new Engine(remote, interrupts));
  ZYNPU_ASSIGN_OR_RETURN(engine->device_, vnpu::Device::create(part, *engine, options));
  engine->tsm_ = part.host_interface == part::HostInterface::kTsm;
  engine->thread_ = std::thread([raw = engine.get()] { raw->work(); });
  return engine;
}

Engine::~Engine() {
  remote_.cancel();
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void Engine::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(
        lock, [&] { return stop_ || (owner_ == Owner::kNobody && (start_ || (pending_ && !host_waits_))); });
    if (stop_) return;
    owner_ = Owner::kWorker;
    const std::optional<std::uint32_t> start = start_;
    lock.unlock();
    if (start) device_->write32(z::kStartPc, *start);
    const bool more = injection_ != Injection::kHold && device_->run(kSliceBundles);
    lock.lock();
    if (start) start_.reset();
    owner_ = Owner::kNobody;
    pending_ = more;
    changed_.notify_all();
  }
}

void Engine::wait_idle() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !pending_ && !start_ && owner_ == Owner::kNobody; });
}

// Interrupt bookkeeping and commands that the scheduler queues or refuses are safe in the middle of the
// device's work; what stops or moves work is not.
bool Engine::disturbs(std::uint32_t offset, std::uint32_t value) const {
  if (offset >= kRegisterAreaBytes) return true;
  if (!tsm_) return offset != z::kStat && offset != z::kCtrl;
  if (offset == x2::kHandle)
    return static_cast<x2::Command>(value & x2::kHandleCommandMask) == x2::Command::kAbort;
  return !in_pools(offset) && offset != x2::kInfo && offset != x2::kAddrHigh && offset != x2::kAddrLow &&
         offset != x2::kTsmStatus && offset != x2::kTickCtrl;
}

bool Engine::is_status(std::uint32_t offset) const {
  if (!tsm_) return offset == z::kStat;
  return in_pools(offset) &&
         (pool_register(offset) == x2::kPoolStatus || pool_register(offset) == x2::kPoolIntrStatus);
}

std::uint32_t Engine::read_register(std::uint32_t offset) {
  const HostAccess access(*this, false);
  if (injection_ == Injection::kGone) return 0xFFFFFFFF;
  if (offset == kSocReset) return in_reset_ ? 1 : 0;
  if (offset == kSocMagic) return kSocMagicValue;
  if (injection_ == Injection::kGated || in_reset_) return 0;
  if (offset >= kRegisterAreaBytes || offset >= device_->register_bytes()) return 0;
  std::uint32_t value = device_->read32(offset);
  const std::uint32_t done = tsm_ ? x2::kDone : z::kDone;
  if (report_ && is_status(offset) && (value & done) != 0) value = (value & ~done) | *report_;
  return value;
}

void Engine::write_register(std::uint32_t offset, std::uint32_t value) {
  const HostAccess access(*this, disturbs(offset, value));
  if (injection_ == Injection::kGone) return;
  if (offset == kSocReset) {
    in_reset_ = (value & 1) != 0;
    if (in_reset_) device_->reset();
    return;
  }
  if (injection_ == Injection::kGated || in_reset_) return;
  if (offset >= kRegisterAreaBytes || offset >= device_->register_bytes()) return;
  const bool acknowledges = is_status(offset);
  if (acknowledges && report_ && (value & *report_) != 0) {
    value |= tsm_ ? x2::kDone : z::kDone;
    report_.reset();
  }
  if (!tsm_ && offset == z::kStartPc) {
    const std::lock_guard lock(mutex_);
    start_ = value;
    return;
  }
  device_->write32(offset, value);
  if (acknowledges) interrupts_.acknowledged();
}

int Engine::map(const DmaMap& request, const FileDescriptor& fd) {
  const HostAccess access(*this, true);
  return memory_.map(request.address, request.bytes, request.offset, fd, (request.flags & kDmaReadable) != 0,
                     (request.flags & kDmaWritable) != 0);
}

int Engine::unmap(std::uint64_t address, std::uint64_t bytes) {
  const HostAccess access(*this, true);
  const int error = memory_.unmap(address, bytes);
  device_->memory_changed();
  return error;
}

void Engine::unmap_all() {
  const HostAccess access(*this, true);
  memory_.clear();
  device_->memory_changed();
}

void Engine::reset() {
  const HostAccess access(*this, true);
  injection_ = Injection::kNone;
  report_.reset();
  in_reset_ = false;
  device_->reset();
}

void Engine::inject(Injection injection, std::uint32_t value) {
  const HostAccess access(*this, false);
  switch (injection) {
    case Injection::kSpurious:
      interrupts_.spurious();
      return;
    case Injection::kReport:
      report_ = value;
      return;
    case Injection::kNone:
      report_.reset();
      break;
    case Injection::kGone:
    case Injection::kGated:
    case Injection::kHold:
      break;
    default:
      return;
  }
  injection_ = injection;
}

bool Engine::transfer(std::uint64_t address, std::span<std::uint8_t> in, std::span<const std::uint8_t> out) {
  {
    std::lock_guard lock(mutex_);
    owner_ = Owner::kTransfer;
    changed_.notify_all();
  }
  const bool done = in.empty() ? remote_.write(address, out) : remote_.read(address, in);
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return owner_ == Owner::kTransfer; });
  owner_ = Owner::kWorker;
  return done;
}

bool Engine::read(std::uint64_t address, std::span<std::uint8_t> data) {
  while (!data.empty()) {
    const GuestMemory::Place place = memory_.find(address, false);
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(data.size(), place.bytes));
    if (place.kind == GuestMemory::Kind::kNone) return false;
    if (place.kind == GuestMemory::Kind::kMapped) {
      std::memcpy(data.data(), place.host, part);
    } else if (!transfer(address, data.first(part), {})) {
      return false;
    }
    data = data.subspan(part);
    address += part;
  }
  return true;
}

bool Engine::write(std::uint64_t address, std::span<const std::uint8_t> data) {
  while (!data.empty()) {
    const GuestMemory::Place place = memory_.find(address, true);
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(data.size(), place.bytes));
    if (place.kind == GuestMemory::Kind::kNone) return false;
    if (place.kind == GuestMemory::Kind::kMapped) {
      std::memcpy(place.host, data.data(), part);
    } else if (!transfer(address, {}, data.first(part))) {
      return false;
    }
    data = data.subspan(part);
    address += part;
  }
  return true;
}

std::uint8_t* Engine::direct(std::uint64_t address, std::uint64_t bytes) {
  // The device writes through these pointers too, so both rights are needed.
  const GuestMemory::Place place = memory_.find(address, true);
  if (place.kind != GuestMemory::Kind::kMapped || place.bytes < bytes ||
      memory_.find(address, false).kind != GuestMemory::Kind::kMapped)
    return nullptr;
  return place.host;
}

void Engine::set_irq(bool level) {
  if (injection_ != Injection::kGone && injection_ != Injection::kGated) interrupts_.set_level(level);
}

}  // namespace zynpu::vfio
