// SPDX-License-Identifier: MIT
// One TEC: runs decoded bundles against its registers, its LSRAM and its core (tec-semantics.md 2 - 6, 8).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "vnpu/device.h"
#include "vnpu/flights.h"
#include "vnpu/micro_op.h"
#include "vnpu/program.h"
#include "vnpu/tec_clock.h"

namespace zynpu::vnpu {

class Core;

// What a task finds when it starts.
struct TecStart {
  std::uint32_t pc = 0;
  std::uint32_t task = 0;        // low byte of control 0.0x00
  std::uint32_t parameter0 = 0;  // control 0.0x14: the TCB (X2), DATA_ADDR_0 (flat parts)
  std::uint32_t parameter1 = 0;  // control 0.0x15: DATA_ADDR_1, flat parts only
  bool flat = false;             // Z1, Z2: control 0.0x15 exists, an exception ends the job
  std::uint32_t tcb = 0;         // for the record
};

enum class StopKind : std::uint8_t { kNone, kException, kFault, kError };

// Why a TEC stopped for good.
struct Stop {
  StopKind kind = StopKind::kNone;
  unsigned vector = 0;  // of an exception
  Diagnostic diagnostic;
};

inline constexpr unsigned kControlSpaces = 3, kControlIndices = 0x100;
inline constexpr unsigned kFlags = 4, kAllFlags = 0xF;

class Tec final : public TecPort {
 public:
  enum class State : std::uint8_t { kIdle, kRunning, kDone, kHung, kStopped };

  Tec(Core& core, unsigned index);

  void start(const TecStart& start, std::uint64_t cycle);
  // At most `limit` bundles; returns how many retired. Comes back early to let the other TECs of the core
  // run.
  std::uint64_t run(std::uint64_t limit);
  void abandon() { state_ = State::kIdle; }

  State state() const { return state_; }
  const Stop& stop() const { return stop_; }
  unsigned index() const { return index_; }
  std::uint64_t cycle() const { return clock_.cycle(); }
  const TecStart& started() const { return start_; }
  std::uint64_t start_cycle() const { return start_cycle_; }
  // Since start().
  Counters counters() const;
  // All TECs of the core poll GSRAM and nobody is left to store: stops, or hangs for ever.
  void deadlock();
  // It came back because it polls GSRAM.
  bool spinning() const { return spinning_; }

  // Per region, since clear_regions(); the last run's share is added by settle_regions().
  void clear_regions(std::size_t count);
  void settle_regions() { enter_region(region_); }
  const std::vector<Counters>& region_counters() const { return regions_; }

  std::span<std::uint8_t> lsram() { return lsram_; }
  std::span<std::uint8_t> lsram_hazard() { return lsram_hazard_; }
  TecState& registers() { return registers_; }

  void load(std::uint32_t address, std::uint8_t* data, unsigned bytes, unsigned slot) override;
  void store(std::uint32_t address, const std::uint8_t* data, unsigned bytes, unsigned slot) override;
  bool read_control(unsigned space, unsigned index, std::uint32_t& value) override;
  void write_control(unsigned space, unsigned index, std::uint32_t value) override;

 private:
  enum class Attend : std::uint8_t { kRun, kRetry, kLeave };

  // --- tec.cc: the loop and control flow
  template <bool kTiming>
  std::uint64_t loop(std::uint64_t limit);
  Attend attend(std::uint64_t& done, std::uint64_t& limit);
  Attend wait_for_events(std::uint64_t& done, std::uint64_t& limit);
  Attend trap(unsigned vector, const std::string& why, std::uint64_t& done);
  bool transfer();  // executes the control instruction of the current bundle; false: leave
  void jump(std::uint32_t pc);
  void go(unsigned index) { current_ = &page_->bundle[index]; }
  bool backward_branch(std::int32_t displacement);
  bool polls_gsram(unsigned first, unsigned last);
  bool loop_end();
  void settle_remote();
  void exit_task();
  void fetch_line(std::uint32_t pc);
  void enter_region(std::uint16_t region);
  bool running() const { return state_ == State::kRunning; }

  // --- tec_memory.cc
  void load_lsram(std::uint32_t address, std::uint8_t* data, unsigned bytes, unsigned slot);
  void store_lsram(std::uint32_t address, const std::uint8_t* data, unsigned bytes, unsigned slot);
  void load_gsram(std::uint32_t address, std::uint8_t* data, unsigned bytes, unsigned slot);
  void store_gsram(std::uint32_t address, const std::uint8_t* data, unsigned bytes, unsigned slot);
  void load_ddr(std::uint32_t address, std::uint8_t* data, unsigned bytes, unsigned slot);
  void store_ddr(std::uint32_t address, const std::uint8_t* data, unsigned bytes, unsigned slot);
  bool misaligned(std::uint32_t address, unsigned bytes, unsigned slot);
  // A shared-memory access costs time; `latency` until a loaded value is there.
  void charge(unsigned slot, bool is_load, unsigned bytes, unsigned latency);
  std::uint64_t cached_cost(std::uint64_t bus);

  // --- tec_dma.cc
  void start_dma();
  bool resolve(unsigned space, const Pattern& bytes, bool write, Touch& touch);
  bool check_coherence(const Flight& flight);
  void note_written(const Flight& flight);
  bool read_descriptor(std::uint32_t address, std::array<std::uint32_t, 6>& words);

  // --- ending
  // Stops with a message that names the place; `slot` -1: the whole bundle.
  void fail(StopKind kind, int slot, const std::string& why, unsigned vector = 0);
  // With diagnosis on, stops with `why` and returns true; else returns false and the caller does what silicon
  // does.
  bool diagnose(int slot, const std::string& why);
  // An access that the bus refuses: the part waits for ever, Z2 raises FAULT.
  void memory_fault(int slot, const std::string& why);
  // Why a core's cache lost the line at this bus address.
  static std::string refused_line(std::uint64_t bus);
  // True: stopped or hung; false: goes on at the exception vector.
  bool exception(unsigned vector, const std::string& why);
  unsigned bundle_index() const { return static_cast<unsigned>(current_ - page_->bundle.data()); }

  Core& core_;
  unsigned index_;
  State state_ = State::kIdle;
  Stop stop_;
  TecStart start_;
  std::uint64_t start_cycle_ = 0;

  TecState registers_;
  std::vector<std::uint8_t> lsram_, lsram_hazard_;
  TecClock clock_;

  Page* page_ = nullptr;
  DecodedBundle* current_ = nullptr;
  std::uint16_t attention_ = kAlwaysAttend;
  bool loop_active_ = false;
  bool loop_again_ = false;  // not the first pass
  std::uint32_t loop_count_ = 0;
  DecodedBundle* loop_begin_ = nullptr;
  Page* loop_page_ = nullptr;
  std::uint32_t line_ = ~std::uint32_t{0};  // text line fetched last

  std::array<std::array<std::uint32_t, kControlIndices>, kControlSpaces> control_{};
  unsigned raised_flags_ = 0;  // ever, since start
  std::uint64_t write_back_done_ = 0;

  // Shared-memory accesses of the current bundle, for the clock.
  struct Remote {
    unsigned slot;
    std::uint64_t latency;
  };
  std::array<Remote, isa::kSlots> remote_{};
  unsigned remotes_ = 0;
  std::uint64_t memory_free_ = 0;  // cache misses are served one at a time

  std::uint64_t bundles_ = 0, instructions_ = 0, macs_ = 0, dma_requests_ = 0, dma_bytes_ = 0;
  std::uint64_t gsram_loads_ = 0, gsram_loads_seen_ = 0;
  bool spinning_ = false;
  std::uint16_t region_ = 0;
  Counters region_start_;
  std::vector<Counters> regions_;
};

}  // namespace zynpu::vnpu
