// SPDX-License-Identifier: MIT
// Walks a chain of task control blocks: grids, segment-MMU blocks, groups of tasks (tec-semantics.md 10).
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "vnpu/core.h"
#include "vnpu/tcb.h"

namespace zynpu::vnpu {

// Groups run one after the other on the host, in chain order; which of them overlap in modelled time, and on
// which core each runs, follows from their dependencies alone, so that nothing a program computes depends on
// the model.
class Chain {
 public:
  enum class Progress : std::uint8_t {
    kRunning,    // the budget is used up
    kGroupDone,  // the caller looks at it, then calls release()
    kEnd,        // of the chain
    kFailed,
    kHung,
  };
  struct Enabled {
    unsigned cores, tecs;
  };

  Chain(Shared& shared, std::span<std::unique_ptr<Core>> cores) : shared_(shared), cores_(cores) {}

  // A new job; `core` pins its groups, -1 leaves the choice. The translation of the last grid stays.
  void begin(Enabled enabled, int core);
  void start_at(std::uint64_t head);
  void resume_behind(std::uint64_t tail);
  Progress run(std::uint64_t& budget);
  // Drops everything, the translation included.
  void abandon();
  void release();

  Core& core() { return *cores_[core_]; }
  unsigned group() const { return group_; }
  const std::vector<Tcb>& tasks() const { return tasks_; }
  bool group_started() const { return started_; }
  const Stop& stop() const { return stop_; }
  std::uint32_t failed_offset() const;
  std::uint32_t offset_of(const Tcb& tcb) const;
  std::uint64_t last_address() const { return last_.address; }
  bool destroys() const { return last_.end_with_destroy(); }
  std::uint64_t end_cycle() const { return latest_end_; }

 private:
  bool read(std::uint64_t address, Tcb& tcb);
  std::uint64_t follow(const Tcb& tcb);
  bool fail(const Tcb& tcb, StopKind kind, const std::string& why);
  bool init_grid(const Tcb& tcb);
  bool init_gm(const Tcb& tcb);
  bool read_segment_mmu(const Tcb& tcb);
  bool gather_group(const Tcb& first);
  void place_group();
  void start_group();
  unsigned cores_of_batch();

  Shared& shared_;
  std::span<std::unique_ptr<Core>> cores_;
  Enabled enabled_{};
  int pinned_ = -1;

  std::uint64_t next_ = 0;  // bus address of the TCB to look at, 0: none
  Tcb last_;                // the one looked at last
  bool has_grid_ = false;
  std::vector<bool> covered_;  // cores that a segment-MMU block set up

  std::vector<Tcb> tasks_;  // of the current group
  bool started_ = false;
  unsigned core_ = 0, group_ = 0, groups_ = 0;
  Stop stop_;

  // Modelled time.
  std::vector<unsigned> occupied_;        // cores taken since the last barrier, oldest first
  std::vector<std::uint64_t> core_free_;  // by core
  std::uint64_t gate_ = 0;                // when the last group with a dependency could start
  std::uint64_t start_ = 0, previous_end_ = 0, latest_end_ = 0;
};

}  // namespace zynpu::vnpu
