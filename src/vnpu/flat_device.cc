// SPDX-License-Identifier: MIT
// Z1 and Z2: flat registers, one program at a time (host-interface.md 1.1, 1.2, 2.1 - 2.4, 9), in the virtual
// profile: every TEC of the core starts at START_PC.
#include <algorithm>
#include <map>

#include "part/registers_z.h"
#include "vnpu/device_base.h"

namespace zynpu::vnpu {
namespace {

namespace z = part::z;

// INTR_CAUSE beyond the exception vectors: stops that no vector stands for.
constexpr std::uint32_t kCauseDiagnosed = 0x100, kCauseBus = 0x101;

class FlatDevice final : public DeviceBase {
 public:
  FlatDevice(const part::Part& part, Bus& bus, const Options& options)
      : DeviceBase(part, bus, options),
        has_ase_(part.host_interface == part::HostInterface::kFlatAse),
        table_(has_ase_ ? std::span<const part::Register>(z::kZ2Registers)
                        : std::span<const part::Register>(z::kZ1Registers)),
        causes_(has_ase_ ? z::kZ2Causes : z::kZ1Causes) {
    reset_registers();
  }

  std::uint32_t register_bytes() const override { return z::kRegisterBytes; }

  std::uint32_t read32(std::uint32_t offset) override {
    if (offset == z::kStat) return stat_ | (running_ ? 0 : z::kIdle);
    const auto found = values_.find(offset);
    return found == values_.end() ? 0 : found->second;
  }

  void write32(std::uint32_t offset, std::uint32_t value) override {
    const part::Register* row = part::find_register(table_, offset);
    if (row == nullptr || row->access == part::Access::kReadOnly) return;
    if (offset == z::kStat) {
      stat_ &= ~(value & causes_);
      update_irq();
      return;
    }
    values_[offset] = value & row->writable;
    if (offset == z::kCtrl) update_irq();
    if (offset == z::kStartPc) {
      values_[offset] = value & ~z::kStart;
      if ((value & z::kStart) != 0) start(value & z::kEntryMask);
    }
  }

  bool busy() const override { return running_; }

  bool run(std::uint64_t max_bundles) override {
    if (!running_) return false;
    std::uint64_t budget = max_bundles == 0 ? ~std::uint64_t{0} : max_bundles;
    Core& core = *cores_[0];
    switch (core.run(budget)) {
      case Core::Progress::kRunning:
        return true;
      case Core::Progress::kHung:  // nothing will ever happen: busy, and no interrupt
        return false;
      case Core::Progress::kDone:
        finish(z::kDone | z::kQempty);
        return false;
      case Core::Progress::kStopped:
        stopped(core.stop());
        return false;
    }
    return false;
  }

  void reset() override {
    poison();
    running_ = false;
    stat_ = 0;
    diagnostic_ = Diagnostic{};
    tasks_.clear();
    reset_registers();
    update_irq();
  }

 private:
  void reset_registers() {
    values_.clear();
    for (const part::Register& row : table_) values_[row.offset] = row.reset;
    values_[z::kRevisionId] = shared_.part.revision_id;
    values_[z::kIsaVersion] = shared_.part.isa_version;
    values_[z::kTpcFeature] = shared_.part.tpc_feature;
    values_[z::kHwaFeature] = shared_.part.hwa_feature;
  }

  void update_irq() { set_irq((stat_ & values_[z::kCtrl] & causes_) != 0); }

  void start(std::uint32_t pc) {
    if (running_) {
      diagnostic_.message = "START_PC was written while a program runs; the write is ignored";
      return;
    }
    begin_job();
    map_windows();
    const unsigned tecs = shared_.part.tecs_per_core;
    std::vector<TecStart> tasks(tecs);
    for (unsigned i = 0; i < tecs; ++i)
      tasks[i] = {.pc = pc,
                  .task = i,
                  .parameter0 = values_[z::kDataAddr0],
                  .parameter1 = values_[z::kDataAddr1],
                  .flat = true,
                  .tcb = 0};
    running_ = true;  // before the core fetches the program: a host that looks meanwhile sees a busy part
    cores_[0]->start(tasks, 0);
  }

  void map_windows() {
    if (!has_ase_) {
      shared_.memory.set_window(0, {0, shared_.part.window_bytes, true, true});
      return;
    }
    for (unsigned n = 0; n < z::kAses; ++n) {
      const std::uint32_t control = values_[z::kAseCtrl + n * z::kAseStride];
      const std::uint32_t code = control & z::kAseSizeMask;
      const std::uint64_t limit = code == 0 ? ~std::uint64_t{0} : std::uint64_t{4096} << (code - 1);
      shared_.memory.set_window(n, {std::uint64_t{values_[z::kAseBaseHigh + n * z::kAseStride]} << 32 |
                                        values_[z::kAseBaseLow + n * z::kAseStride],
                                    std::min(limit, shared_.part.window_bytes), (control & z::kAseRead) != 0,
                                    (control & z::kAseWrite) != 0});
    }
  }

  void finish(std::uint32_t causes) {
    counters_.cycles += cores_[0]->end_cycle();
    finish_group(*cores_[0], 0);
    cores_[0]->abandon();
    running_ = false;
    stat_ |= causes;
    update_irq();
  }

  void stopped(const Stop& stop) {
    diagnostic_ = stop.diagnostic;
    const bool bus_fault = stop.kind == StopKind::kFault;
    if (!has_ase_) {
      values_[z::kIntrCause] = bus_fault                           ? kCauseBus
                               : stop.kind == StopKind::kException ? stop.vector
                                                                   : kCauseDiagnosed;
      values_[z::kIntrBackupPc] = stop.diagnostic.pc;
    }
    finish(bus_fault && has_ase_ ? z::kFault : z::kException);
  }

  const bool has_ase_;
  const std::span<const part::Register> table_;
  const std::uint32_t causes_;
  std::map<std::uint32_t, std::uint32_t> values_;
  std::uint32_t stat_ = 0;  // causes only
  bool running_ = false;
};

}  // namespace

std::unique_ptr<Device> make_flat_device(const part::Part& part, Bus& bus, const Options& options) {
  return std::make_unique<FlatDevice>(part, bus, options);
}

}  // namespace zynpu::vnpu
