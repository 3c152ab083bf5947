// SPDX-License-Identifier: MIT
#include "vnpu/chain.h"

#include <fmt/format.h>

#include <algorithm>

namespace zynpu::vnpu {
namespace {

constexpr std::uint64_t kLow32 = 0xFFFFFFFF, kPageMask = 0xFFF;
constexpr std::uint64_t kAsidRead = 1 << 6, kAsidWrite = 1 << 5, kAsidSize = 0x1F;
constexpr std::uint64_t kGmAlignment = 4 * 1024 * 1024;
constexpr std::uint32_t kSegmentEnable = 1;
constexpr unsigned kSegmentWords = 8;
enum : std::uint32_t { kGmPlain = 0, kGmLoad = 1, kGmStore = 2, kGmIgnore = 3 };

}  // namespace

void Chain::begin(Enabled enabled, int core) {
  enabled_ = enabled;
  pinned_ = core;
  stop_ = Stop{};
  tasks_.clear();
  started_ = false;
  groups_ = 0;
  occupied_.clear();
  core_free_.assign(cores_.size(), 0);
  gate_ = start_ = previous_end_ = latest_end_ = 0;
}

void Chain::start_at(std::uint64_t head) { next_ = head; }

void Chain::resume_behind(std::uint64_t tail) {
  next_ = 0;
  Tcb tcb;
  if (tail == 0 || !read(tail, tcb)) return;
  last_ = tcb;
  next_ = follow(tcb);
}

void Chain::abandon() {
  for (const std::unique_ptr<Core>& core : cores_) core->abandon();
  next_ = 0;
  last_ = Tcb{};
  has_grid_ = false;
  tasks_.clear();
  started_ = false;
  for (unsigned space = 0; space < kSpaces; ++space) shared_.memory.set_window(space, Window{});
  shared_.memory.set_gm({});
}

void Chain::release() {
  tasks_.clear();
  started_ = false;
}

bool Chain::read(std::uint64_t address, Tcb& tcb) {
  tcb.address = address;
  // TCBs are read by the scheduler, outside the cores: straight from the bus.
  return shared_.memory.bus().read(address, tcb.bytes);
}

std::uint32_t Chain::offset_of(const Tcb& tcb) const {
  return static_cast<std::uint32_t>(tcb.address - shared_.memory.window(0).base);
}

std::uint32_t Chain::failed_offset() const {
  if (started_) {
    const unsigned tec = stop_.diagnostic.tec;
    return offset_of(tec < tasks_.size() ? tasks_[tec] : last_);
  }
  return offset_of(last_);
}

// `next` is the low half of an absolute bus address according to the drivers, an ASID0 offset according to
// others (host-interface.md 2.11). With 32 zero low bits in the ASID0 base both are the same; else the
// block's own pointer decides, and without one the drivers' reading holds.
std::uint64_t Chain::follow(const Tcb& tcb) {
  const std::uint32_t next = tcb.next();
  if (next == 0) return 0;
  const std::uint64_t base = shared_.memory.window(0).base;
  const std::uint64_t absolute = (tcb.address & ~kLow32) | next, relative = base + next;
  if (absolute == relative) return absolute;
  const auto points_to_itself = [&](std::uint64_t address) {
    Tcb candidate;
    return read(address, candidate) && candidate.type() == static_cast<unsigned>(TcbType::kTask) &&
           candidate.own_address() == static_cast<std::uint32_t>(address - base);
  };
  return !points_to_itself(absolute) && points_to_itself(relative) ? relative : absolute;
}

bool Chain::fail(const Tcb& tcb, StopKind kind, const std::string& why) {
  last_ = tcb;
  stop_ = Stop{};
  stop_.kind = kind;
  stop_.diagnostic.message = fmt::format("TCB at bus address {:#x}: {}", tcb.address, why);
  return false;
}

Chain::Progress Chain::run(std::uint64_t& budget) {
  constexpr unsigned kMaxGrids = 1024;  // in a row, without a group: the chain bites its own tail
  for (unsigned grids = 0;;) {
    if (started_) {
      switch (core().run(budget)) {
        case Core::Progress::kRunning:
          return Progress::kRunning;
        case Core::Progress::kHung:
          return Progress::kHung;
        case Core::Progress::kStopped:
          stop_ = core().stop();
          latest_end_ = std::max(latest_end_, core().end_cycle());
          return Progress::kFailed;
        case Core::Progress::kDone:
          previous_end_ = core_free_[core_] = core().end_cycle();
          latest_end_ = std::max(latest_end_, previous_end_);
          next_ = follow(last_);
          return Progress::kGroupDone;
      }
    }
    if (next_ == 0) {
      // An append may have come while the last group ran.
      constexpr std::uint32_t kAnyLevel = 0x700;
      if (shared_.options.diagnose && groups_ != 0 && (last_.interrupts() & kAnyLevel) == 0) {
        fail(last_, StopKind::kError,
             "the last task enables no interrupt level: nothing would report the end");
        return Progress::kFailed;
      }
      return Progress::kEnd;
    }
    Tcb tcb;
    if (!read(next_, tcb)) {
      fail(tcb, StopKind::kFault, "no memory is mapped there");
      return Progress::kFailed;
    }
    if (tcb.type() == static_cast<unsigned>(TcbType::kInit)) {
      last_ = tcb;
      if (++grids > kMaxGrids) {
        fail(tcb, StopKind::kError, "more than 1024 grid TCBs in a row: the chain is endless");
        return Progress::kFailed;
      }
      if (!init_grid(tcb)) return Progress::kFailed;
      next_ = follow(tcb);
      continue;
    }
    if (!gather_group(tcb)) return Progress::kFailed;
    place_group();
    start_group();
  }
}

bool Chain::init_grid(const Tcb& tcb) {
  for (unsigned space = 0; space < kSpaces; ++space) {
    const std::uint64_t entry = tcb.asid(space), code = entry & kAsidSize;
    Window window;
    window.base = entry & ~kPageMask;
    window.readable = (entry & kAsidRead) != 0;
    window.writable = (entry & kAsidWrite) != 0;
    if (window.readable || window.writable) {
      const std::uint64_t limit = code == 0 ? ~std::uint64_t{0} : std::uint64_t{4096} << (code - 1);
      window.bytes = std::min(limit, shared_.part.window_bytes);
    }
    shared_.memory.set_window(space, window);
  }
  has_grid_ = true;
  return init_gm(tcb) && read_segment_mmu(tcb);
}

bool Chain::init_gm(const Tcb& tcb) {
  const std::uint32_t control = tcb.gm_control();
  std::vector<GmRemap> remaps;
  if (control > 2)
    return fail(tcb, StopKind::kError, fmt::format("GM control {} is not known, only 0 to 2", control));
  // Two regions share GM in halves, which is assumed.
  const auto size = static_cast<std::uint32_t>(shared_.memory.gm().size());
  const std::uint32_t share = control == 2 ? size / 2 : size;
  for (unsigned region = 0; region < control; ++region) {
    const std::uint32_t word = tcb.gm_region_control(region), mode = word >> 30;
    if (mode == kGmIgnore) continue;
    const std::uint64_t base = tcb.gm_region_base(region);
    if (base % kGmAlignment != 0)
      return fail(tcb, StopKind::kError,
                  fmt::format("GM region {} at {:#x} is not aligned to 4 MiB", region, base));
    const GmRemap remap{base, share, region * share};
    remaps.push_back(remap);
    if (mode == kGmPlain) continue;
    const std::uint64_t first = std::uint64_t{word >> 12 & 0xFFFF} * 4096,
                        bytes = std::uint64_t{word & 0xFFF} * 4096;
    if (first + bytes > share)
      return fail(tcb, StopKind::kError,
                  fmt::format("GM region {}: {} bytes from {} are more than the {} bytes of the region",
                              region, bytes, first, share));
    const auto part = shared_.memory.gm().subspan(static_cast<std::size_t>(remap.offset + first),
                                                  static_cast<std::size_t>(bytes));
    const bool good = mode == kGmLoad ? shared_.memory.bus().read(base + first, part)
                                      : shared_.memory.bus().write(base + first, part);
    if (!good)
      return fail(tcb, StopKind::kFault, fmt::format("GM region {}: no memory is mapped behind it", region));
  }
  shared_.memory.set_gm(remaps);
  return true;
}

// The blocks follow the grid's TCB in memory; one serves two cores.
bool Chain::read_segment_mmu(const Tcb& tcb) {
  covered_.assign(cores_.size(), false);
  const unsigned mask = tcb.segment_mmu_mask();
  if (mask != 0 && mask != 1 && mask != 3)
    return fail(tcb, StopKind::kError,
                fmt::format("segment-MMU mask {:#x} is not known, only 0, 1 and 3", mask));
  const unsigned blocks = mask == 3 ? 2 : mask;
  for (unsigned block = 0; block < blocks; ++block) {
    Tcb segment;
    if (!read(tcb.address + (block + 1) * kTcbBytes, segment))
      return fail(segment, StopKind::kFault, "no memory is mapped there");
    for (unsigned which = 0; which < 2; ++which) {
      const unsigned core = 2 * block + which;
      if (core >= cores_.size()) continue;
      for (unsigned n = 0; n < kSegmentWords; ++n)
        if (segment.segment_word(which, n) != 0)
          return fail(segment, StopKind::kError,
                      "segments of the segment MMU are not modelled, only identity");
      covered_[core] = (segment.segment_control(which) & kSegmentEnable) != 0;
    }
  }
  return true;
}

bool Chain::gather_group(const Tcb& first) {
  tasks_.clear();
  Tcb tcb = first;
  for (;;) {
    if (tcb.type() != static_cast<unsigned>(TcbType::kTask))
      return fail(tcb, StopKind::kError,
                  fmt::format("type {} inside a group, only tasks are known there", tcb.type()));
    if (!has_grid_) return fail(tcb, StopKind::kError, "a task before any grid TCB");
    if (tcb.dependency() > static_cast<unsigned>(Dependency::kAll))
      return fail(tcb, StopKind::kError, "dependency mode 3 is not known");
    if (tcb.start_pc() % isa::kBundleBytes != 0)
      return fail(tcb, StopKind::kError,
                  fmt::format("start PC {:#010x} is not a multiple of 16", tcb.start_pc()));
    tasks_.push_back(tcb);
    last_ = tcb;
    if (tasks_.size() > enabled_.tecs)
      return fail(tcb, StopKind::kError,
                  fmt::format("the group has more tasks than the {} enabled TECs of a core", enabled_.tecs));
    if (tcb.group_end()) return true;
    const std::uint64_t next = follow(tcb);
    if (next == 0) return fail(tcb, StopKind::kError, "the chain ends inside a group");
    if (!read(next, tcb)) return fail(tcb, StopKind::kFault, "no memory is mapped there");
  }
}

// Chooses the core and the modelled start of the gathered group.
void Chain::place_group() {
  const auto dependency = static_cast<Dependency>(tasks_.front().dependency());
  const unsigned previous = core_;
  if (dependency == Dependency::kAll) {
    occupied_.clear();
    shared_.owners.barrier();
  } else if (dependency == Dependency::kImmediate) {
    std::erase(occupied_, previous);
  }
  const bool first = groups_ == 0;
  if (pinned_ >= 0) {
    core_ = static_cast<unsigned>(pinned_);
  } else if (occupied_.size() < enabled_.cores) {
    core_ = 0;
    while (std::find(occupied_.begin(), occupied_.end(), core_) != occupied_.end()) ++core_;
  } else {
    core_ = occupied_.front();  // the one that has been busy for longest
  }
  std::erase(occupied_, core_);
  occupied_.push_back(core_);

  if (dependency == Dependency::kAll && !first) gate_ = latest_end_ + kGroupBoundary;
  if (dependency == Dependency::kImmediate && !first) gate_ = std::max(gate_, previous_end_ + kGroupBoundary);
  start_ = std::max(gate_, core_free_[core_]);
  if (first || dependency != Dependency::kNone) shared_.active_cores = cores_of_batch();
}

// How many cores share the memory until the next group with a dependency: as many as there are groups without
// one.
unsigned Chain::cores_of_batch() {
  // A group that the others wait for is done, or hardly does anything, while they run.
  unsigned groups = tasks_.front().dependency() == static_cast<unsigned>(Dependency::kNone) ? 1 : 0;
  Tcb tcb = last_;
  constexpr unsigned kEnough = 64;  // a chain of one endless loop must end here too
  for (unsigned seen = 0; seen < kEnough && groups < enabled_.cores; ++seen) {
    const std::uint64_t next = follow(tcb);
    const bool group_begins = tcb.group_end();
    if (next == 0 || !read(next, tcb) || tcb.type() != static_cast<unsigned>(TcbType::kTask)) break;
    if (!group_begins) continue;
    if (tcb.dependency() != static_cast<unsigned>(Dependency::kNone)) break;
    ++groups;
  }
  return std::max(groups, 1u);
}

void Chain::start_group() {
  std::vector<TecStart> starts;
  for (const Tcb& tcb : tasks_)
    starts.push_back({.pc = tcb.start_pc(),
                      .task = static_cast<std::uint32_t>(tcb.task_id() & 0xFF),
                      .parameter0 = offset_of(tcb),
                      .parameter1 = 0,
                      .flat = false,
                      .tcb = offset_of(tcb)});
  group_ = groups_++;
  started_ = true;
  shared_.programs.refresh();
  core().start(starts, start_, covered_[core_]);
}

}  // namespace zynpu::vnpu
