// SPDX-License-Identifier: MIT
// A virtual Zhouyi NPU behind its register-accurate host interface.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "part/part.h"
#include "vnpu/bus.h"

namespace zynpu::vnpu {

// Switches between a diagnosed error (default) and what silicon does or is assumed to do. See
// docs/assumptions.md.
struct Options {
  bool diagnose = true;           // silent failures of tec-semantics.md 3.6 stop the job with a diagnostic
  bool rounding_half_up = false;  // lsrr/asrr/nsr.*r ties: half to even (vendor model) or half up
  std::uint64_t max_bundles_per_task = 0;  // 0 = no limit; else the task stops with kTimeout-like diagnostic
  bool timing = true;                      // run the timing model (never changes results)
};

// Counters since the last reset_counters(). Units in the name.
struct Counters {
  std::uint64_t bundles = 0;
  std::uint64_t instructions = 0;
  std::uint64_t macs = 0;    // products of qdpa/qdot/dpa/dot/mma issued
  std::uint64_t cycles = 0;  // modelled: critical path over cores of the job
  std::uint64_t dma_requests = 0;
  std::uint64_t dma_bytes = 0;
  std::uint64_t stall_cycles = 0;
  std::uint64_t fetch_cycles = 0;
  std::uint64_t dma_wait_cycles = 0;
};

// One finished task (x2) or TEC program (z1, z2), in completion order.
struct TaskRecord {
  std::uint32_t tcb = 0;  // device address of the TCB; 0 on z1, z2
  std::uint32_t start_pc = 0;
  unsigned core = 0, tec = 0;
  unsigned group = 0;                            // position of the group in the chain
  std::uint64_t start_cycle = 0, end_cycle = 0;  // modelled, from the start of the job
  Counters counters;
};

// Why a job stopped. Empty message: it did not fail.
struct Diagnostic {
  std::string message;  // "core 0 TEC 1, pc 0x00010120 `ld t1, [r2+0]`: ..."
  unsigned core = 0, tec = 0;
  std::uint32_t pc = 0;
};

// Attribution of counters to ranges of device addresses (layers of a model). Ranges are disjoint and
// ascending.
struct Region {
  std::uint32_t begin = 0, end = 0;
};

// One retired bundle, for traces and profilers.
struct TraceEvent {
  unsigned core, tec;
  std::uint32_t pc;
  std::uint64_t cycle;
};

// Not thread-safe: one thread at a time calls any member. run() executes pending work to completion or to
// `max_bundles`.
class Device {
 public:
  static Result<std::unique_ptr<Device>> create(const part::Part& part, Bus& bus,
                                                const Options& options = {});
  virtual ~Device() = default;

  // Host register file; `offset` is 4-aligned and below register_bytes(). Side effects as in
  // host-interface.md; a doorbell write only queues the work, run() does it.
  virtual std::uint32_t read32(std::uint32_t offset) = 0;
  virtual void write32(std::uint32_t offset, std::uint32_t value) = 0;
  virtual std::uint32_t register_bytes() const = 0;

  virtual bool busy() const = 0;  // started work that run() has not finished
  // Executes up to `max_bundles` bundles over all TECs (0 = until idle). Returns true while work remains.
  virtual bool run(std::uint64_t max_bundles = 0) = 0;
  // Power-on state; drops running work. LSRAM/GSRAM/GM contents are poisoned.
  virtual void reset() = 0;
  // The memory behind the bus is mapped anew: forgets all host pointers. Also while busy(), between runs.
  virtual void memory_changed() {}

  virtual const Diagnostic& diagnostic() const = 0;  // of the last failed job
  virtual const Counters& counters() const = 0;
  virtual const std::vector<TaskRecord>& tasks() const = 0;  // of the last job
  virtual void reset_counters() = 0;
  // Counters by program-counter range, for the TEC with the most cycles of each range (cycles) and the sum
  // over TECs (all else). Index = region. Setting regions clears their counters.
  virtual void set_regions(std::span<const Region> regions) = 0;
  virtual std::span<const Counters> region_counters() const = 0;
  // Called for every retired bundle while set; slows execution. An empty function removes it.
  virtual void set_trace(std::function<void(const TraceEvent&)> trace) = 0;
};

}  // namespace zynpu::vnpu
