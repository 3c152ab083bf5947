// SPDX-License-Identifier: MIT
// One core: four TECs with their shared memory, caches and DMA engine; and what the cores of a device share.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "vnpu/data_cache.h"
#include "vnpu/dma_plan.h"
#include "vnpu/flights.h"
#include "vnpu/memory.h"
#include "vnpu/tec.h"

namespace zynpu::vnpu {

struct Shared {
  Shared(const part::Part& part_, Bus& bus, const Options& options_)
      : part(part_),
        options(options_),
        memory(bus, part_.gm_bytes),
        programs(memory, {options_.diagnose, options_.rounding_half_up}) {}

  const part::Part& part;
  Options options;
  SystemMemory memory;
  ProgramCache programs;
  LineOwners owners;
  std::function<void(const TraceEvent&)> trace;
  std::size_t regions = 0;
  unsigned active_cores = 1;  // that share the memory bandwidth
};

// When the data phases of a core's DMA engine run (tec-semantics.md 7.5). TECs are simulated in turns, so
// requests come a little out of order; each takes the first gap.
class DmaTimeline {
 public:
  void clear() { busy_.clear(); }
  // Completion of a request issued at `issue`; `now`: no later request is issued before it.
  std::uint64_t schedule(std::uint64_t issue, std::uint64_t bytes, unsigned active_cores, std::uint64_t now);

 private:
  struct Span {
    std::uint64_t begin, end;
  };
  std::vector<Span> busy_;
};

// Lines of text in a core's instruction cache, 64 KiB, for timing only.
class InstructionCache {
 public:
  InstructionCache() : lines_(1024) {}
  void clear() { std::fill(lines_.begin(), lines_.end(), Line{}); }
  // When the line of `pc` can be executed by a TEC that asks for it at `now`.
  std::uint64_t fetch(std::uint32_t pc, std::uint64_t now, unsigned cold);

 private:
  struct Line {
    std::uint32_t tag = ~std::uint32_t{0};
    std::uint64_t ready = 0;
  };
  std::vector<Line> lines_;
};

// Hits and misses of the data cache for the clock: 8 KiB L1, 64 KiB 8-way L2 (tec-semantics.md 6.3).
class CacheTags {
 public:
  enum class Level : std::uint8_t { kL1, kL2, kMemory };
  CacheTags() : l1_(32 * 4), l2_(128 * 8) {}
  void clear();
  Level access(std::uint64_t line_address);

 private:
  struct Way {
    std::uint64_t tag = ~std::uint64_t{0};
    std::uint64_t used = 0;
  };
  bool look_up(std::span<Way> set, std::uint64_t tag);
  std::vector<Way> l1_, l2_;
  std::uint64_t time_ = 0;
};

class Core {
 public:
  enum class Progress : std::uint8_t { kRunning, kDone, kStopped, kHung };

  Core(Shared& shared, unsigned index);

  // Begins a group: task t on TEC t. Caches are emptied, SRAMs keep their contents.
  void start(std::span<const TecStart> tasks, std::uint64_t cycle, bool stores_visible = true);
  // Runs until nothing is left or `budget` bundles (counted down) are used up.
  Progress run(std::uint64_t& budget);
  void abandon();
  void poison();

  const Stop& stop() const;  // of the TEC that stopped
  std::uint64_t end_cycle() const;
  std::span<std::unique_ptr<Tec>> tecs() { return tecs_; }

  Shared& shared;
  const unsigned index;
  std::vector<std::uint8_t> gsram, gsram_hazard;
  std::vector<std::uint64_t> gsram_written;  // by granule: cycle of the last store
  std::uint64_t gsram_stores = 0;
  DataCache cache;
  CacheTags tags;
  InstructionCache text;
  Flights flights;
  DmaTimeline dma;
  bool stores_visible = true;  // false: no segment MMU was set up for the core (tec-semantics.md 3.6)

  std::uint64_t earliest_cycle() const;  // of the TECs that run
  unsigned running() const { return running_; }

 private:
  static constexpr std::uint64_t kQuantum = 512;            // bundles of one TEC at a time
  static constexpr std::uint64_t kDeadlockRounds = 100000;  // all poll, nobody stores

  std::vector<std::unique_ptr<Tec>> tecs_;
  unsigned next_ = 0;     // whose turn it is
  unsigned running_ = 0;  // TECs that run
  std::uint64_t polls_ = 0, polls_stores_ = 0;
};

}  // namespace zynpu::vnpu
