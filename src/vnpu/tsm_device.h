// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <deque>

#include "part/registers_x2.h"
#include "vnpu/chain.h"
#include "vnpu/device_base.h"

namespace zynpu::vnpu {

namespace x2 = part::x2;

class TsmDevice final : public DeviceBase {
 public:
  TsmDevice(const part::Part& part, Bus& bus, const Options& options);

  std::uint32_t read32(std::uint32_t offset) override;
  void write32(std::uint32_t offset, std::uint32_t value) override;
  std::uint32_t register_bytes() const override { return x2::kRegisterBytes; }
  bool busy() const override;
  bool run(std::uint64_t max_bundles) override;
  void reset() override;

 private:
  // One interrupt as a pool shows it.
  struct Event {
    std::uint32_t types, levels;
    unsigned core, tec;
    std::uint32_t tcb;  // relative to ASID0
  };
  // A dispatched chain.
  struct Command {
    std::uint64_t head = 0;  // 0: behind the last TCB of the pool
    std::uint16_t tag = 0;
    int core = -1;  // -1: the scheduler's choice
  };
  struct Pool {
    bool created = false, failed = false;
    std::uint32_t config = 0, interrupt_control = 0, status = 0, first_bad = 0, last_executed = 0, secure = 0;
    std::uint32_t last_tcb = 0;
    std::uint16_t tag = 0;
    std::uint64_t tail = 0;  // bus address of the last TCB that ran, 0: none
    std::deque<Command> chains;
    std::deque<Event> events;  // raised and not cleared; the first one shows
  };

  std::uint32_t read_pool(const Pool& pool, std::uint32_t offset) const;
  void write_pool(Pool& pool, std::uint32_t offset, std::uint32_t value);
  std::uint32_t read_debug(std::uint32_t offset) const;
  static std::uint32_t memory_feature(std::uint32_t bytes);
  void command(std::uint32_t handle);
  void abort(unsigned pool);
  bool next_command();
  void advance_time();
  void group_done(Pool& pool);
  void chain_ended(Pool& pool);
  void chain_failed(Pool& pool);
  void raise(Pool& pool, const Event& event);
  void update_irq();
  void reset_registers();
  unsigned enabled_cores() const;
  unsigned enabled_tecs() const;

  Chain chain_;
  int active_pool_ = -1;  // whose chain runs
  std::uint64_t last_end_ = 0;

  std::uint32_t handle_ = 0, info_ = 0, address_high_ = 0, address_low_ = 0, tsm_config_ = 0, soft_reset_ = 0;
  bool address_written_ = false, refused_ = false;
  std::uint64_t tick_ = 0;
  std::uint32_t tick_control_ = 0;
  std::uint32_t cluster_control_ = 0, page_select_ = 0;
  std::array<Pool, x2::kPools> pools_;
};

}  // namespace zynpu::vnpu
