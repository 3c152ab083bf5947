// SPDX-License-Identifier: MIT
// What the host interfaces have in common: cores, counters, records.
#pragma once

#include <memory>
#include <vector>

#include "vnpu/core.h"
#include "vnpu/device.h"

namespace zynpu::vnpu {

class DeviceBase : public Device {
 public:
  DeviceBase(const part::Part& part, Bus& bus, const Options& options);

  const Diagnostic& diagnostic() const override { return diagnostic_; }
  const Counters& counters() const override { return counters_; }
  const std::vector<TaskRecord>& tasks() const override { return tasks_; }
  void reset_counters() override;
  void memory_changed() override { shared_.memory.refresh(); }
  void set_regions(std::span<const Region> regions) override;
  std::span<const Counters> region_counters() const override { return region_totals_; }
  void set_trace(std::function<void(const TraceEvent&)> trace) override { shared_.trace = std::move(trace); }

 protected:
  // A job begins: the records of the last one go, text and host mappings are looked at anew.
  void begin_job();
  // All tasks of the group on `core` have ended, or stopped: records them and adds up what they did.
  void finish_group(Core& core, unsigned group);
  void set_irq(bool level);
  void poison();

  Shared shared_;
  std::vector<std::unique_ptr<Core>> cores_;
  Diagnostic diagnostic_;
  Counters counters_;
  std::vector<TaskRecord> tasks_;

 private:
  void apply_regions();

  std::vector<Region> regions_;
  bool regions_changed_ = false;
  std::vector<Counters> region_totals_;
  bool irq_ = false;
};

std::unique_ptr<Device> make_flat_device(const part::Part& part, Bus& bus, const Options& options);
std::unique_ptr<Device> make_tsm_device(const part::Part& part, Bus& bus, const Options& options);

}  // namespace zynpu::vnpu
