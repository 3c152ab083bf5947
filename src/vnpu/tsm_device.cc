// SPDX-License-Identifier: MIT
// X2's registers: task scheduler manager, command pools, clusters, debug window (host-interface.md 1.5, 2.8
// - 2.10).
#include "vnpu/tsm_device.h"

#include <algorithm>

namespace zynpu::vnpu {

TsmDevice::TsmDevice(const part::Part& part, Bus& bus, const Options& options)
    : DeviceBase(part, bus, options), chain_(shared_, cores_) {
  reset_registers();
}

void TsmDevice::reset_registers() {
  info_ = address_high_ = address_low_ = handle_ = tsm_config_ = 0;
  address_written_ = refused_ = false;
  soft_reset_ = 0;
  tick_ = 0;
  tick_control_ = x2::kTickStop;
  pools_ = {};
  cluster_control_ = 0;
  page_select_ = 0;
  active_pool_ = -1;
}

void TsmDevice::reset() {
  poison();
  chain_.abandon();
  reset_registers();
  diagnostic_ = Diagnostic{};
  tasks_.clear();
  update_irq();
}

std::uint32_t TsmDevice::read32(std::uint32_t offset) {
  if (offset >= x2::kPoolBase && offset < x2::kPoolBase + x2::kPools * x2::kPoolStride)
    return read_pool(pools_[(offset - x2::kPoolBase) / x2::kPoolStride],
                     (offset - x2::kPoolBase) % x2::kPoolStride);
  switch (offset) {
    case x2::kHandle:
      return handle_;
    case x2::kInfo:
      return info_;
    case x2::kAddrHigh:
      return address_high_;
    case x2::kAddrLow:
      return address_low_;
    case x2::kTsmConfig:
      return tsm_config_;
    case x2::kBuildInfo:
      return x2::kPools << 16;
    case x2::kTsmStatus:
      return refused_ ? x2::kRefused : 0;
    case x2::kSoftReset:
      return soft_reset_;
    case x2::kRevision:
      return shared_.part.revision_id;
    case x2::kTickLow:
      return static_cast<std::uint32_t>(tick_);
    case x2::kTickHigh:
      return static_cast<std::uint32_t>(tick_ >> 32);
    case x2::kTickCtrl:
      return tick_control_;
    case x2::kClusterBase + x2::kClusterConfig:
      return x2::kClusterPresent | shared_.part.cores << 8 | 1u << 4 | shared_.part.tecs_per_core;
    case x2::kClusterBase + x2::kClusterControl:
      return cluster_control_;
    case x2::kPageSelect:
      return page_select_;
    default:
      return read_debug(offset);
  }
}

std::uint32_t TsmDevice::read_debug(std::uint32_t offset) const {
  const bool open = (page_select_ & x2::kPageEnable) != 0 && (page_select_ >> 4 & 0xFF) == 0 &&
                    (page_select_ & 0xF) < shared_.part.cores;
  if (!open) return 0;
  switch (offset) {
    case x2::kClusterStatus:
      return busy() ? 0 : 0x60;
    case x2::kGmControl: {
      std::uint32_t code = 0;  // 0: 512 KiB, n: 1 MiB << (n - 1)
      while (code < 7 && (512u * 1024 << code) < shared_.part.gm_bytes) ++code;
      return code << 16 | (shared_.memory.gm_on() ? 1u : 0u);
    }
    case x2::kLocalFeature:
      return memory_feature(shared_.part.lsram_bytes);
    case x2::kSharedFeature:
      return memory_feature(shared_.part.gsram_bytes);
    case x2::kCoreStatus:
      return busy() ? 0 : 0x10;
    default:
      return 0;
  }
}

std::uint32_t TsmDevice::memory_feature(std::uint32_t bytes) {
  std::uint32_t code = 1;
  while ((32u * 1024 << (code - 1)) < bytes) ++code;
  return code;
}

std::uint32_t TsmDevice::read_pool(const Pool& pool, std::uint32_t offset) const {
  switch (offset) {
    case x2::kPoolConfig:
      return pool.config;
    case x2::kPoolStatus:
      return pool.status | (pool.created ? 0 : x2::kPoolIdle);
    case x2::kPoolIntrCtrl:
      return pool.interrupt_control;
    case x2::kPoolIntrStatus:
      return pool.events.empty() ? 0
                                 : pool.events.front().core << 20 | pool.events.front().tec << 16 |
                                       pool.events.front().levels | pool.events.front().types;
    case x2::kPoolFirstBad:
      return pool.first_bad;
    case x2::kPoolLastExec:
      return pool.last_executed;
    case x2::kPoolSecure:
      return pool.secure;
    case x2::kPoolIntrTcb:
      return pool.events.empty() ? pool.last_tcb : pool.events.front().tcb;
    default:
      return 0;
  }
}

void TsmDevice::write32(std::uint32_t offset, std::uint32_t value) {
  if (offset >= x2::kPoolBase && offset < x2::kPoolBase + x2::kPools * x2::kPoolStride) {
    write_pool(pools_[(offset - x2::kPoolBase) / x2::kPoolStride], (offset - x2::kPoolBase) % x2::kPoolStride,
               value);
    return;
  }
  switch (offset) {
    case x2::kHandle:
      handle_ = value;
      command(value);
      break;
    case x2::kInfo:
      info_ = value & 0xFFFF;
      break;
    case x2::kAddrHigh:
      address_high_ = value;
      break;
    case x2::kAddrLow:
      address_low_ = value & 0xFFFFF000;
      address_written_ = true;
      break;
    case x2::kTsmConfig:
      tsm_config_ = value & 0x7;
      break;
    case x2::kTsmStatus:
      refused_ = refused_ && (value & x2::kRefused) != 0;
      break;
    case x2::kSoftReset:
      if ((value & x2::kResetLaunch) != 0) {
        chain_.abandon();
        reset_registers();
        soft_reset_ = x2::kResetDone;
        update_irq();
      } else {
        soft_reset_ = value & x2::kResetDone;
      }
      break;
    case x2::kTickCtrl:
      if ((value & x2::kTickClear) != 0) tick_ = 0;
      tick_control_ = value & 0x103;
      break;
    case x2::kClusterBase + x2::kClusterControl:
      cluster_control_ = value & 0x31FFF;
      break;
    case x2::kPageSelect:
      page_select_ = value & 0x1FFF;
      break;
    default:
      break;
  }
}

void TsmDevice::write_pool(Pool& pool, std::uint32_t offset, std::uint32_t value) {
  switch (offset) {
    case x2::kPoolConfig:
      pool.config = value & 0xF;
      break;
    case x2::kPoolStatus:
      pool.status &= ~(value & x2::kTypes);
      // The event that is shown goes when all its types are cleared; then the next one shows.
      if (!pool.events.empty() && (pool.status & pool.events.front().types) == 0) {
        pool.last_tcb = pool.events.front().tcb;
        pool.events.pop_front();
        if (!pool.events.empty()) pool.status |= pool.events.front().types;
      }
      update_irq();
      break;
    case x2::kPoolIntrCtrl:
      pool.interrupt_control = value & (x2::kLevels | x2::kTypes);
      break;
    case x2::kPoolFirstBad:
      pool.first_bad = value;
      break;
    case x2::kPoolSecure:
      pool.secure = value & 1;
      break;
    default:
      break;
  }
}

void TsmDevice::command(std::uint32_t handle) {
  const unsigned number = handle >> x2::kHandlePoolShift & 0xF;
  const auto code = static_cast<x2::Command>(handle & x2::kHandleCommandMask);
  if (code == x2::Command::kNone) return;
  if (number >= x2::kPools) {
    refused_ = true;
    return;
  }
  Pool& pool = pools_[number];
  const bool works = active_pool_ == static_cast<int>(number) || !pool.chains.empty();
  switch (code) {
    case x2::Command::kCreate:
      if (pool.created || (cluster_control_ & x2::kClusterEnable) == 0 || enabled_cores() == 0 ||
          enabled_tecs() == 0) {
        refused_ = true;
        return;
      }
      pool.created = true;
      pool.failed = false;
      pool.tail = 0;
      break;
    case x2::Command::kDestroy:
      if (works) {
        refused_ = true;
        return;
      }
      pool.created = false;
      pool.tail = 0;
      break;
    case x2::Command::kAbort:
      abort(number);
      break;
    case x2::Command::kDispatch:
    case x2::Command::kBindDispatch: {
      const bool bind = code == x2::Command::kBindDispatch;
      const unsigned core = handle >> x2::kHandleCoreShift & 0xF;
      const bool resume = !address_written_;
      const std::uint64_t head = std::uint64_t{address_high_} << 32 | address_low_;
      if (!pool.created || pool.failed || (bind && core >= enabled_cores()) ||
          (resume ? !works && pool.tail == 0 : head == 0)) {
        refused_ = true;
        return;
      }
      Command chain;
      chain.tag = static_cast<std::uint16_t>(info_);
      chain.core = bind ? static_cast<int>(core) : -1;
      // Without a new address: what has been appended behind the last TCB. A chain that is still running
      // finds it by itself.
      chain.head = resume ? 0 : head;
      pool.chains.push_back(chain);
      address_written_ = false;
      break;
    }
    default:
      refused_ = true;
      break;
  }
}

void TsmDevice::abort(unsigned number) {
  Pool& pool = pools_[number];
  if (active_pool_ == static_cast<int>(number)) {
    chain_.abandon();
    active_pool_ = -1;
  }
  pool.chains.clear();
  pool.events.clear();
  pool.status = 0;
  pool.created = false;
  pool.failed = false;
  pool.tail = 0;
  update_irq();
}

bool TsmDevice::busy() const {
  return active_pool_ >= 0 ||
         std::any_of(pools_.begin(), pools_.end(), [](const Pool& pool) { return !pool.chains.empty(); });
}

bool TsmDevice::run(std::uint64_t max_bundles) {
  std::uint64_t budget = max_bundles == 0 ? ~std::uint64_t{0} : max_bundles;
  while (budget != 0) {
    if (active_pool_ < 0 && !next_command()) return false;
    Pool& pool = pools_[static_cast<unsigned>(active_pool_)];
    switch (chain_.run(budget)) {
      case Chain::Progress::kRunning:
        return true;
      case Chain::Progress::kHung:
        return false;
      case Chain::Progress::kGroupDone:
        group_done(pool);
        break;
      case Chain::Progress::kEnd:
        chain_ended(pool);
        break;
      case Chain::Progress::kFailed:
        chain_failed(pool);
        break;
    }
  }
  return busy();
}

bool TsmDevice::next_command() {
  for (unsigned i = 0; i < pools_.size(); ++i) {
    Pool& pool = pools_[i];
    if (pool.chains.empty()) continue;
    const Command chain = pool.chains.front();
    pool.chains.pop_front();
    active_pool_ = static_cast<int>(i);
    pool.tag = chain.tag;
    pool.last_executed = chain.tag;
    begin_job();
    last_end_ = 0;
    chain_.begin({enabled_cores(), enabled_tecs()}, chain.core);
    if (chain.head != 0)
      chain_.start_at(chain.head);
    else
      chain_.resume_behind(pool.tail);
    return true;
  }
  return false;
}

void TsmDevice::advance_time() {
  const std::uint64_t end = chain_.end_cycle();
  if (end <= last_end_) return;
  counters_.cycles += end - last_end_;
  if ((tick_control_ & x2::kTickStop) == 0) tick_ += end - last_end_;
  last_end_ = end;
}

void TsmDevice::group_done(Pool& pool) {
  Core& core = chain_.core();
  finish_group(core, chain_.group());
  advance_time();
  const std::vector<Tcb>& tasks = chain_.tasks();
  // One event a TCB: the TEC's end of each task, the core's of the group, the cluster's of the grid.
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const Tcb& tcb = tasks[i];
    const bool last = i + 1 == tasks.size();
    std::uint32_t levels = x2::kTecLevel;
    if (last) levels |= x2::kCoreLevel;
    if (last && tcb.grid_end()) levels |= x2::kClusterLevel;
    levels &= tcb.interrupts();
    if (levels != 0 && (tcb.interrupts() & x2::kDone) != 0)
      raise(pool, {x2::kDone, levels, core.index, static_cast<unsigned>(i), chain_.offset_of(tcb)});
  }
  core.abandon();
  chain_.release();
}

void TsmDevice::chain_ended(Pool& pool) {
  pool.tail = chain_.last_address();
  active_pool_ = -1;
  if (chain_.destroys()) {
    pool.created = false;
    pool.tail = 0;
  }
}

void TsmDevice::chain_failed(Pool& pool) {
  diagnostic_ = chain_.stop().diagnostic;
  if (chain_.group_started()) finish_group(chain_.core(), chain_.group());
  advance_time();
  std::uint32_t types = x2::kError;
  if (chain_.stop().kind == StopKind::kException) types = x2::kException;
  if (chain_.stop().kind == StopKind::kFault)
    types = x2::kFault | x2::kDone;  // the hardware raises the two together
  raise(pool, {types, x2::kCoreLevel | x2::kClusterLevel, diagnostic_.core, diagnostic_.tec,
               chain_.failed_offset()});
  pool.first_bad = x2::kFirstBadValid | pool.tag;
  pool.failed = true;
  pool.chains.clear();
  chain_.abandon();
  active_pool_ = -1;
}

void TsmDevice::raise(Pool& pool, const Event& event) {
  Event shown = event;
  shown.levels &= pool.interrupt_control;
  shown.types &= pool.interrupt_control;
  if (shown.levels == 0 || shown.types == 0) {
    pool.status |= event.types;
    if (pool.events.empty()) pool.last_tcb = event.tcb;
    return;
  }
  pool.events.push_back(shown);
  if (pool.events.size() == 1) pool.status |= shown.types;
  update_irq();
}

void TsmDevice::update_irq() {
  set_irq(std::any_of(pools_.begin(), pools_.end(), [](const Pool& pool) { return !pool.events.empty(); }));
}

unsigned TsmDevice::enabled_cores() const {
  return std::min(cluster_control_ >> 8 & 0xFu, shared_.part.cores);
}
unsigned TsmDevice::enabled_tecs() const {
  return std::min(cluster_control_ & 0xFu, shared_.part.tecs_per_core);
}

std::unique_ptr<Device> make_tsm_device(const part::Part& part, Bus& bus, const Options& options) {
  return std::make_unique<TsmDevice>(part, bus, options);
}

}  // namespace zynpu::vnpu
