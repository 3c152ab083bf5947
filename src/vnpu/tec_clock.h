// SPDX-License-Identifier: MIT
// The modelled time of one TEC (tec-semantics.md 9). It only observes: nothing that a program computes
// depends on it, but for what the program reads from the cycle counter.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "isa/timing.h"
#include "part/part.h"
#include "vnpu/program.h"

namespace zynpu::vnpu {

// Costs in cycles that are not properties of instructions (tec-semantics.md 9.3 - 9.6). Fractions in fifths.
inline constexpr unsigned kRefetchFifths = 16;  // a bundle outside the loop buffer: 3.2
inline constexpr unsigned kColdLineDdr = 300;   // first fetch of a 64-byte line of text
inline constexpr unsigned kColdLineGm = 67;
inline constexpr unsigned kSharedVectorFifths = 28;  // a vector access to GSRAM or GM: 5.6
inline constexpr unsigned kCacheHitL1 = 3, kCacheHitL2 = 30, kCacheMiss = 300;
inline constexpr unsigned kWriteBack = 200, kWriteBackLine = 8;
inline constexpr unsigned kDmaRequest = 350;
inline constexpr std::uint64_t kGroupBoundary = 24068;  // 20 us at 1.2034 GHz

class TecClock {
 public:
  void start(std::uint64_t cycle) { *this = TecClock{}, cycle_ = cycle; }

  std::uint64_t cycle() const { return cycle_; }  // issue of the current, or of the next bundle
  std::uint64_t stall_cycles() const { return stall_cycles_; }
  std::uint64_t fetch_cycles() const { return fetch_cycles_; }
  std::uint64_t dma_wait_cycles() const { return dma_wait_cycles_; }

  // Waits for the operands of a bundle: cycle() becomes its issue.
  [[gnu::always_inline]] void issue(const BundleTiming& b) {
    const RegisterMask needs = b.reads | (b.accumulates & ~(dot_ | matrix_));
    if ((needs & busy_[0]) | (b.accumulates & chain_busy_) | ((b.reads | b.accumulates) & remote_))
        [[unlikely]]
      stall(b, needs);
  }

  // The rest of the bundle's time, after its micro-operations gave the addresses.
  [[gnu::always_inline]] void retire(const BundleTiming& b,
                                     const std::array<std::uint32_t, isa::kSlots>& address) {
    unsigned cost = b.cost + extra_;
    extra_ = 0;
    if (b.load_slot[0] != 0xFF && bank_conflict(b, address)) cost = std::max(cost, 2U);
    if (b.arithmetic) {
      if (b.matrix) {
        after_matrix_ = true;
      } else if (after_matrix_) {
        cost = std::max(cost, 3U);
        after_matrix_ = false;
      }
    }
    unsigned stored = 0;
    if (b.vector_store) {
      const unsigned late = (stores_ & 3) == 3 ? 1 : 0;  // a third one within three cycles
      cost += late;
      stored = 1u << (std::min(cost, 8U) - 1 - late);
    }
    stores_ = (stores_ << std::min(cost, 8U) | stored) & 3;

    remote_ &= ~b.writes;
    dot_ = (dot_ & ~b.writes) | b.writes_dot;
    matrix_ = (matrix_ & ~b.writes) | b.writes_matrix;
    busy_[0] = (busy_[1] & ~b.writes) | b.late[0];
    busy_[1] = (busy_[2] & ~b.writes) | b.late[1];
    busy_[2] = b.late[2];
    chain_busy_ = b.writes_matrix;
    if (cost > 1) [[unlikely]] {
      shift(cost - 1);
      chain_busy_ = 0;
    }
    cycle_ += cost;
    if (!in_loop_buffer_) refetch(cost);
  }

  // Instead of issue() and retire() with the timing model off.
  void tick() { ++cycle_; }

  // Text outside the loop buffer. `ready`: when the line of the next bundle is in the instruction cache.
  bool in_loop_buffer() const { return in_loop_buffer_; }
  void set_in_loop_buffer(bool in) { in_loop_buffer_ = in; }
  void wait_for_fetch(std::uint64_t ready) {
    if (ready <= cycle_) return;
    fetch_cycles_ += ready - cycle_;
    pass(ready - cycle_);
  }
  // Something outside the pipeline is only there at `ready`.
  void wait(std::uint64_t ready) {
    if (ready <= cycle_) return;
    stall_cycles_ += ready - cycle_;
    pass(ready - cycle_);
  }
  void wait_for_dma(std::uint64_t ready) {
    if (ready <= cycle_) return;
    dma_wait_cycles_ += ready - cycle_;
    pass(ready - cycle_);
  }

  // The current bundle occupies the TEC for `fifths` / 5 cycles longer.
  void occupy(unsigned fifths) {
    fifths_ += fifths;
    extra_ += fifths_ / 5;
    stall_cycles_ += fifths_ / 5;
    fifths_ %= 5;
  }
  // Results of the current bundle that come from a remote memory: registers of `mask` at `ready`. Call after
  // retire().
  void set_remote(RegisterMask mask, std::uint64_t ready) {
    for (RegisterMask& busy : busy_) busy &= ~mask;
    remote_ |= mask;
    for (RegisterMask rest = mask; rest != 0; rest &= rest - 1)
      remote_ready_[static_cast<unsigned>(__builtin_ctzll(rest))] = ready;
  }

 private:
  static bool in_lsram(std::uint32_t address) { return address >> 15 == part::kLsramBase >> 15; }

  static bool bank_conflict(const BundleTiming& b, const std::array<std::uint32_t, isa::kSlots>& address) {
    const bool two_loads = b.load_slot[1] != 0xFF;
    if (!two_loads && b.store_slot == 0xFF) return false;
    const std::uint32_t first = address[b.load_slot[0]],
                        second = address[two_loads ? b.load_slot[1] : b.store_slot];
    if (!in_lsram(first) || !in_lsram(second)) return false;
    return two_loads == (isa::lsram_bank(first) == isa::lsram_bank(second));
  }

  void stall(const BundleTiming& b, RegisterMask needs) {
    std::uint64_t cycles = 0;
    for (unsigned i = 0; i < busy_.size(); ++i)
      if ((needs & busy_[i]) != 0) cycles = i + 1;
    if ((b.accumulates & chain_busy_) != 0) cycles = std::max<std::uint64_t>(cycles, 1);
    for (RegisterMask rest = (b.reads | b.accumulates) & remote_; rest != 0; rest &= rest - 1) {
      const std::uint64_t ready = remote_ready_[static_cast<unsigned>(__builtin_ctzll(rest))];
      if (ready > cycle_ + cycles) cycles = ready - cycle_;
    }
    remote_ &= ~(b.reads | b.accumulates);
    stall_cycles_ += cycles;
    pass(cycles);
  }

  void shift(std::uint64_t cycles) {
    for (; cycles != 0 && (busy_[0] | busy_[1] | busy_[2]) != 0; --cycles) {
      busy_[0] = busy_[1];
      busy_[1] = busy_[2];
      busy_[2] = 0;
    }
  }

  // Time in which nothing issues.
  void pass(std::uint64_t cycles) {
    if (cycles == 0) return;
    shift(cycles);
    chain_busy_ = 0;
    stores_ = cycles >= 2 ? 0 : (stores_ << 1) & 3;
    cycle_ += cycles;
    idle_ = static_cast<unsigned>(std::min<std::uint64_t>(idle_ + cycles, 4));
  }

  // Fetching a bundle again takes 3.2 cycles, which overlap its issue and the stall before it.
  void refetch(unsigned cost) {
    const unsigned busy = 5 * (cost + idle_);
    idle_ = 0;
    if (busy >= kRefetchFifths) return;
    fetch_fifths_ += kRefetchFifths - busy;
    const unsigned whole = fetch_fifths_ / 5;
    fetch_fifths_ %= 5;
    fetch_cycles_ += whole;
    pass(whole);
    idle_ = 0;
  }

  std::uint64_t cycle_ = 0;
  std::array<RegisterMask, 3> busy_{};  // results not there at cycle_, and 1 and 2 cycles later
  RegisterMask remote_ = 0;             // results with an entry in remote_ready_
  RegisterMask dot_ = 0, matrix_ = 0;   // last written by a unit that passes accumulators on
  RegisterMask chain_busy_ = 0;         // accumulators of an mma in the bundle one cycle ago
  unsigned stores_ = 0;                 // bit n: a vector store n + 1 cycles ago
  unsigned extra_ = 0, fifths_ = 0, fetch_fifths_ = 0, idle_ = 0;
  bool after_matrix_ = false;
  bool in_loop_buffer_ = false;
  std::uint64_t stall_cycles_ = 0, fetch_cycles_ = 0, dma_wait_cycles_ = 0;
  std::array<std::uint64_t, 64> remote_ready_{};
};

}  // namespace zynpu::vnpu
