// SPDX-License-Identifier: MIT
// The virtual NPU behind the PCI device: a thread that runs its work in slices, and register accesses in
// between.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>

#include "base/error.h"
#include "part/part.h"
#include "vfio/channel.h"
#include "vfio/config_space.h"
#include "vfio/guest_memory.h"
#include "vfio/interrupts.h"
#include "vnpu/device.h"

namespace zynpu::vfio {

// The public members belong to one thread (the connection's); the engine's own thread runs the device. No
// member waits for more than a slice of work: the client blocks its guest until it has its answer
// (vm-lab.md 5.7).
class Engine final : private vnpu::Bus {
 public:
  // `remote` serves memory without file descriptors. It and `interrupts` must outlive the engine.
  static Result<std::unique_ptr<Engine>> create(const part::Part& part, const vnpu::Options& options,
                                                RemoteMemory& remote, Interrupts& interrupts);
  ~Engine() override;

  // 32-bit registers of BAR 0; `offset` is 4-aligned. Offsets without a register read 0 and ignore writes.
  std::uint32_t read_register(std::uint32_t offset);
  void write_register(std::uint32_t offset, std::uint32_t value);

  // As GuestMemory; they wait for the running slice, and stop a transfer by messages.
  int map(const DmaMap& request, const FileDescriptor& fd);
  int unmap(std::uint64_t address, std::uint64_t bytes);
  void unmap_all();

  void reset();                                           // power-on state; drops work and injected faults
  void inject(Injection injection, std::uint32_t value);  // see Injection

  // Blocks until the device has no work that could proceed. For tests.
  void wait_idle();

 private:
  // Who may touch the device. While the engine's thread waits for the client to serve a transfer (kTransfer),
  // the client may be waiting for the answer to a register access, so those that do not disturb the work are
  // let in.
  enum class Owner { kNobody, kWorker, kTransfer, kHost, kHostInTransfer };
  class HostAccess;

  Engine(RemoteMemory& remote, Interrupts& interrupts) : remote_(remote), interrupts_(interrupts) {}
  void work();
  bool transfer(std::uint64_t address, std::span<std::uint8_t> in, std::span<const std::uint8_t> out);

  // vnpu::Bus, called while the owner is kWorker (work) or kHost, kHostInTransfer (set_irq only).
  bool read(std::uint64_t address, std::span<std::uint8_t> data) override;
  bool write(std::uint64_t address, std::span<const std::uint8_t> data) override;
  std::uint8_t* direct(std::uint64_t address, std::uint64_t bytes) override;
  void set_irq(bool level) override;

  bool is_status(std::uint32_t offset) const;
  bool disturbs(std::uint32_t offset, std::uint32_t value) const;

  RemoteMemory& remote_;
  Interrupts& interrupts_;
  // Owned by whom owner_ names:
  std::unique_ptr<vnpu::Device> device_;
  GuestMemory memory_;
  bool tsm_ = false;
  Injection injection_ = Injection::kNone;
  bool in_reset_ = false;                // the SoC asserts the reset line
  std::optional<std::uint32_t> report_;  // kReport: shown in place of DONE

  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_:
  Owner owner_ = Owner::kNobody;
  bool host_waits_ = false;
  // Written to START_PC: the device fetches the program at once, so this too must not be done before the
  // client has its answer. Later accesses wait until it is done, or fetches by messages.
  std::optional<std::uint32_t> start_;
  bool pending_ = false;  // run() may get on
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace zynpu::vfio
