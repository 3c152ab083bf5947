// SPDX-License-Identifier: MIT
#include "vnpu/device_base.h"

#include <algorithm>

#include "vnpu/counters.h"

namespace zynpu::vnpu {

Result<std::unique_ptr<Device>> Device::create(const part::Part& part, Bus& bus, const Options& options) {
  if (part.clusters != 1 || part.cores == 0 || part.cores > 8 || part.tecs_per_core == 0 ||
      part.tecs_per_core > 16)
    return fail(ErrorCode::kUnsupported, "part {}: {} clusters of {} cores with {} TECs are not modelled",
                part.name, part.clusters, part.cores, part.tecs_per_core);
  // The fast paths of loads and stores know the size of LSRAM.
  if (part.lsram_bytes != 32 * 1024)
    return fail(ErrorCode::kUnsupported, "part {}: LSRAM of {} bytes is not modelled, only 32 KiB", part.name,
                part.lsram_bytes);
  if (part.host_interface == part::HostInterface::kTsm) return make_tsm_device(part, bus, options);
  return make_flat_device(part, bus, options);
}

DeviceBase::DeviceBase(const part::Part& part, Bus& bus, const Options& options)
    : shared_(part, bus, options) {
  for (unsigned i = 0; i < part.cores; ++i) cores_.push_back(std::make_unique<Core>(shared_, i));
}

void DeviceBase::reset_counters() {
  counters_ = Counters{};
  for (const std::unique_ptr<Core>& core : cores_)
    for (const std::unique_ptr<Tec>& tec : core->tecs()) tec->clear_regions(region_totals_.size());
  std::fill(region_totals_.begin(), region_totals_.end(), Counters{});
}

void DeviceBase::set_regions(std::span<const Region> regions) {
  regions_.assign(regions.begin(), regions.end());
  regions_changed_ = true;
  if (!busy()) apply_regions();
}

void DeviceBase::apply_regions() {
  regions_changed_ = false;
  shared_.programs.set_regions(regions_);
  shared_.regions = regions_.size();
  region_totals_.assign(regions_.size(), Counters{});
  for (const std::unique_ptr<Core>& core : cores_)
    for (const std::unique_ptr<Tec>& tec : core->tecs()) tec->clear_regions(regions_.size());
}

void DeviceBase::begin_job() {
  if (regions_changed_) apply_regions();
  diagnostic_ = Diagnostic{};
  tasks_.clear();
  shared_.memory.refresh();
  shared_.programs.refresh();
  shared_.owners.barrier();
}

void DeviceBase::finish_group(Core& core, unsigned group) {
  for (const std::unique_ptr<Tec>& tec : core.tecs()) {
    if (tec->state() == Tec::State::kIdle) continue;
    tec->settle_regions();
    TaskRecord record;
    record.tcb = tec->started().tcb;
    record.start_pc = tec->started().pc;
    record.core = core.index;
    record.tec = tec->index();
    record.group = group;
    record.start_cycle = tec->start_cycle();
    record.end_cycle = tec->cycle();
    record.counters = tec->counters();
    add_work(counters_, record.counters);
    tasks_.push_back(record);
  }
  std::fill(region_totals_.begin(), region_totals_.end(), Counters{});
  for (const std::unique_ptr<Core>& each : cores_)
    for (const std::unique_ptr<Tec>& tec : each->tecs()) {
      const std::vector<Counters>& mine = tec->region_counters();
      for (std::size_t i = 0; i < region_totals_.size() && i < mine.size(); ++i) {
        add_work(region_totals_[i], mine[i]);
        region_totals_[i].cycles = std::max(region_totals_[i].cycles, mine[i].cycles);
      }
    }
}

void DeviceBase::set_irq(bool level) {
  if (level == irq_) return;
  irq_ = level;
  shared_.memory.bus().set_irq(level);
}

void DeviceBase::poison() {
  for (const std::unique_ptr<Core>& core : cores_) core->poison();
  shared_.memory.poison_gm();
}

}  // namespace zynpu::vnpu
