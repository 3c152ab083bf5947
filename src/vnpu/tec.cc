// SPDX-License-Identifier: MIT
#include "vnpu/tec.h"

#include <fmt/format.h>

#include "isa/asm.h"
#include "isa/table.h"
#include "vnpu/core.h"
#include "vnpu/counters.h"

namespace zynpu::vnpu {
namespace {

constexpr std::uint32_t kPoisonWord = 0xDEADBEEF;
constexpr std::uint8_t kPoisonByte = 0xA5;
constexpr unsigned kPollBundles = 16;  // longest loop that may count as polling
constexpr unsigned kVectorDisabled = 3, kBadWfe = 2, kUndecodable = 1;

Counters difference(const Counters& now, const Counters& then) {
  Counters d;
  d.bundles = now.bundles - then.bundles;
  d.instructions = now.instructions - then.instructions;
  d.macs = now.macs - then.macs;
  d.cycles = now.cycles - then.cycles;
  d.dma_requests = now.dma_requests - then.dma_requests;
  d.dma_bytes = now.dma_bytes - then.dma_bytes;
  d.stall_cycles = now.stall_cycles - then.stall_cycles;
  d.fetch_cycles = now.fetch_cycles - then.fetch_cycles;
  d.dma_wait_cycles = now.dma_wait_cycles - then.dma_wait_cycles;
  return d;
}

// Of one TEC, whose regions follow each other.
void add(Counters& sum, const Counters& part) {
  add_work(sum, part);
  sum.cycles += part.cycles;
}

}  // namespace

Tec::Tec(Core& core, unsigned index)
    : core_(core),
      index_(index),
      lsram_(core.shared.part.lsram_bytes, kPoisonByte),
      lsram_hazard_(core.shared.part.lsram_bytes / kGranuleBytes) {
  registers_.lsram = lsram_.data();
  registers_.lsram_hazard = lsram_hazard_.data();
  registers_.port = this;
}

void Tec::start(const TecStart& start, std::uint64_t cycle) {
  start_ = start;
  start_cycle_ = cycle;
  state_ = State::kRunning;
  stop_ = Stop{};
  registers_.r.fill(kPoisonWord);
  registers_.r[isa::kZero] = 0;
  for (Vector& t : registers_.t) std::fill(std::begin(t.byte), std::end(t.byte), kPoisonByte);
  registers_.p.fill(kPoisonWord);
  registers_.slow_access = false;
  clock_.start(cycle);
  for (auto& space : control_) space.fill(0);
  attention_ = kAlwaysAttend | kFlagArithmetic;
  if (core_.shared.trace) attention_ |= kFlagAny;
  loop_active_ = loop_again_ = false;
  line_ = ~std::uint32_t{0};
  raised_flags_ = 0;
  write_back_done_ = memory_free_ = 0;
  remotes_ = 0;
  bundles_ = instructions_ = macs_ = dma_requests_ = dma_bytes_ = 0;
  gsram_loads_ = gsram_loads_seen_ = 0;
  spinning_ = false;
  region_ = 0;
  region_start_ = counters();
  if (regions_.size() != core_.shared.regions) regions_.assign(core_.shared.regions, Counters{});
  jump(start.pc);
}

Counters Tec::counters() const {
  Counters c;
  c.bundles = bundles_;
  c.instructions = instructions_;
  c.macs = macs_;
  c.cycles = clock_.cycle() - start_cycle_;
  c.dma_requests = dma_requests_;
  c.dma_bytes = dma_bytes_;
  c.stall_cycles = clock_.stall_cycles();
  c.fetch_cycles = clock_.fetch_cycles();
  c.dma_wait_cycles = clock_.dma_wait_cycles();
  return c;
}

void Tec::clear_regions(std::size_t count) {
  regions_.assign(count, Counters{});
  region_ = 0;
  region_start_ = counters();
}

void Tec::enter_region(std::uint16_t region) {
  const Counters now = counters();
  if (region_ != 0 && region_ <= regions_.size()) add(regions_[region_ - 1u], difference(now, region_start_));
  region_ = region;
  region_start_ = now;
}

std::uint64_t Tec::run(std::uint64_t limit) {
  spinning_ = false;
  return core_.shared.options.timing ? loop<true>(limit) : loop<false>(limit);
}

// The fast path: a bundle that needs no attention costs its micro-operations, its timing and the loop itself.
template <bool kTiming>
std::uint64_t Tec::loop(std::uint64_t limit) {
  const std::uint64_t bound = core_.shared.options.max_bundles_per_task;
  if (bound != 0) {
    if (bundles_ >= bound) {
      fail(StopKind::kError, -1, fmt::format("the task has not ended after {} bundles", bound));
      return 0;
    }
    limit = std::min(limit, bound - bundles_);
  }
  const std::uint64_t before = bundles_;
  std::uint64_t done = 0;
  while (done < limit) {
    const DecodedBundle& b = *current_;
    if ((b.flags & attention_) != 0) [[unlikely]] {
      const Attend next = attend(done, limit);
      if (next == Attend::kRetry) continue;  // looks at the limit first
      if (next == Attend::kLeave) break;
    }
    if (b.region != region_) [[unlikely]] {
      bundles_ = before + done;
      enter_region(b.region);
    }
    if constexpr (kTiming) {
      if (!clock_.in_loop_buffer() && b.pc / kLineBytes != line_) fetch_line(b.pc);
      clock_.issue(b.timing);
    }
    for (const MicroOp *op = b.op.data(), *end = op + b.ops; op != end; ++op) op->function(registers_, *op);
    if (registers_.slow_access && !running()) [[unlikely]]
      break;
    if constexpr (kTiming) {
      clock_.retire(b.timing, registers_.address);
    } else {
      clock_.tick();
    }
    if (registers_.slow_access) [[unlikely]]
      settle_remote();
    instructions_ += b.instructions;
    macs_ += b.macs;
    ++done;
    if ((b.flags & kFlagControl) == 0) {
      ++current_;
      continue;
    }
    if (b.control == Control::kLoopEnd && loop_again_ && loop_count_ != 0) [[likely]] {
      --loop_count_;
      current_ = loop_begin_;
      page_ = loop_page_;
      continue;
    }
    if (!transfer()) break;
  }
  bundles_ = before + done;
  return done;
}

// After a bundle that used memories other than plain LSRAM.
void Tec::settle_remote() {
  registers_.slow_access = false;
  if (remotes_ == 0) return;
  const isa::Bundle& source = page_->source[bundle_index()];
  for (unsigned i = 0; i < remotes_; ++i) {
    RegisterMask mask = 0;
    isa::for_each_write(source.slot[remote_[i].slot],
                        [&](isa::File file, unsigned reg) { mask |= register_mask(file, reg); });
    if (mask != 0) clock_.set_remote(mask, clock_.cycle() + remote_[i].latency);
  }
  remotes_ = 0;
}

Tec::Attend Tec::attend(std::uint64_t& done, std::uint64_t& limit) {
  const std::uint16_t flags = current_->flags;
  if ((flags & kFlagPageEnd) != 0) {
    jump(current_->pc);
    return Attend::kRetry;
  }
  if ((flags & kFlagUndecoded) != 0) {
    core_.shared.programs.decode(*page_, bundle_index());
    return Attend::kRetry;
  }
  if ((flags & kFlagBad) != 0) {
    const std::string& why = page_->why[bundle_index()];
    const bool mapped = (page_->mapped >> (bundle_index() * isa::kBundleBytes / kLineBytes) & 1) != 0;
    if (!mapped) {
      memory_fault(-1, why);
      return Attend::kLeave;
    }
    if (start_.flat) {
      fail(StopKind::kException, -1, why, kUndecodable);
      return Attend::kLeave;
    }
    if (diagnose(-1, why)) return Attend::kLeave;
    return trap(kUndecodable, why, done);
  }
  if ((flags & attention_ & kFlagArithmetic) != 0)
    return trap(kVectorDisabled,
                "vector arithmetic while it is disabled (control 1.0x02 and 1.0x10, bit 31, enable it)",
                done);
  if ((flags & kFlagSystem) != 0)
    if (const Attend next = wait_for_events(done, limit); next != Attend::kRun) return next;
  if (core_.shared.trace) core_.shared.trace({core_.index, index_, current_->pc, clock_.cycle()});
  return Attend::kRun;
}

// Counts as a bundle, so that a vector that traps itself uses up its time.
Tec::Attend Tec::trap(unsigned vector, const std::string& why, std::uint64_t& done) {
  if (exception(vector, why)) return Attend::kLeave;
  ++done;
  return Attend::kRetry;
}

// wfe (tec-semantics.md 8.1), before the rest of its bundle.
Tec::Attend Tec::wait_for_events(std::uint64_t& done, std::uint64_t& limit) {
  const isa::Instruction& wfe = page_->source[bundle_index()].slot[0];
  unsigned flags = 0;
  switch (wfe.imm) {
    case 0:
      return Attend::kRun;
    case 1:
      flags = ~registers_.r[wfe.a] & kAllFlags;
      if (const unsigned never = flags & ~raised_flags_; never != 0)
        if (diagnose(0, fmt::format("waits for flag {} that no request has raised, so it returns at once",
                                    __builtin_ctz(never))))
          return Attend::kLeave;
      break;
    case 2:
      flags = kAllFlags;
      break;
    default:
      return trap(kBadWfe, fmt::format("wfe mode {} does not exist", wfe.imm), done);
  }
  clock_.issue(current_->timing);
  bool any = false, never = false;
  const std::uint64_t ready = core_.flights.complete(index_, flags, any, never);
  if (never) {
    state_ = State::kHung;
    return Attend::kLeave;
  }
  clock_.wait_for_dma(ready);
  if (any && core_.running() > 1) limit = done + 1;  // the others catch up
  return Attend::kRun;
}

bool Tec::transfer() {
  const DecodedBundle& b = *current_;
  switch (b.control) {
    case Control::kBranchNonZero:
      if (registers_.r[b.control_register] == 0) {
        ++current_;
        return true;
      }
      [[fallthrough]];
    case Control::kBranch: {
      const std::int32_t displacement = b.displacement;
      if (displacement <= 0 && !backward_branch(displacement)) return false;
      const std::int32_t target = static_cast<std::int32_t>(bundle_index()) + displacement;
      if (target >= 0 && target < static_cast<std::int32_t>(kPageBundles))
        go(static_cast<unsigned>(target));
      else
        jump(b.pc + static_cast<std::uint32_t>(displacement) * isa::kBundleBytes);
      return !spinning_;
    }
    case Control::kBranchRegister: {
      const std::uint32_t target = registers_.r[b.control_register];
      if (target % isa::kBundleBytes != 0) {
        if (diagnose(0, fmt::format("jumps to {:#010x}, which is not a multiple of 16", target)))
          return false;
      }
      jump(target & ~(isa::kBundleBytes - 1));
      return true;
    }
    case Control::kLoop:
      if (loop_active_ && diagnose(0, "a hardware loop inside a hardware loop")) return false;
      loop_active_ = true;
      loop_again_ = false;
      loop_count_ = registers_.r[b.control_register];
      ++current_;
      loop_begin_ = current_;
      loop_page_ = page_;
      return true;
    case Control::kLoopEnd:
      return loop_end();
    case Control::kExit:
      exit_task();
      return false;
    case Control::kDma:
      start_dma();
      if (!running()) return false;
      ++current_;
      return true;
    case Control::kNone:
    case Control::kWfe:
      break;
  }
  ++current_;
  return true;
}

// The end of the first or the last pass, or a stray one; the others are handled in the loop.
bool Tec::loop_end() {
  if (!loop_active_) {
    if (diagnose(0, "loopend without a hardware loop")) return false;
    ++current_;
    return true;
  }
  if (loop_count_ != 0) {
    --loop_count_;
    loop_again_ = true;
    const std::uint32_t bundles = (current_->pc - loop_begin_->pc) / isa::kBundleBytes + 1;
    clock_.set_in_loop_buffer(bundles <= isa::kLoopBufferBundles);
    current_ = loop_begin_;
    page_ = loop_page_;
    return true;
  }
  loop_active_ = loop_again_ = false;
  clock_.set_in_loop_buffer(false);
  ++current_;
  return true;
}

// False: the TEC is not going anywhere.
bool Tec::backward_branch(std::int32_t displacement) {
  if (displacement == 0) {
    if (diagnose(0, "branches to itself: the task never ends")) return false;
    state_ = State::kHung;
    return false;
  }
  if (gsram_loads_ == gsram_loads_seen_) return true;
  gsram_loads_seen_ = gsram_loads_;
  const unsigned last = bundle_index();
  if (last >= static_cast<unsigned>(-displacement) && static_cast<unsigned>(-displacement) < kPollBundles)
    spinning_ = polls_gsram(last - static_cast<unsigned>(-displacement), last);
  return true;
}

// A loop that only reads memory and computes scalars, just now from GSRAM: it waits for another TEC.
bool Tec::polls_gsram(unsigned first, unsigned last) {
  for (unsigned i = first; i <= last; ++i)
    for (const isa::Instruction& insn : page_->source[i].slot) {
      const isa::Kind kind = isa::info(insn.op).kind;
      if (kind != isa::Kind::kNop && kind != isa::Kind::kScalar && kind != isa::Kind::kScalarLoad &&
          kind != isa::Kind::kBranch && kind != isa::Kind::kControlRead)
        return false;
    }
  return true;
}

void Tec::deadlock() {
  if (diagnose(-1, "every TEC of the core polls GSRAM and none is left to store there")) return;
  state_ = State::kHung;
}

void Tec::jump(std::uint32_t pc) {
  page_ = &core_.shared.programs.page(pc);
  go(pc % kPageBytes / isa::kBundleBytes);
}

void Tec::fetch_line(std::uint32_t pc) {
  line_ = pc / kLineBytes;
  std::uint64_t bus = 0;
  const bool gm = core_.shared.memory.gm_on() &&
                  core_.shared.memory.translate(0, pc, 1, false, bus) == Fault::kNone &&
                  core_.shared.memory.in_gm(bus);
  clock_.wait_for_fetch(core_.text.fetch(pc, clock_.cycle(), gm ? kColdLineGm : kColdLineDdr));
}

void Tec::exit_task() {
  if (const unsigned busy = core_.flights.busy(index_); busy != 0)
    if (diagnose(0, fmt::format("exits while a DMA request on flag {} is unfinished", __builtin_ctz(busy))))
      return;
  if (const DataCache::Line* line = core_.cache.any_dirty(static_cast<std::uint8_t>(index_)))
    if (diagnose(0,
                 fmt::format(
                     "exits without writing back the data cache: the store at pc {:#010x} to the line at bus "
                     "address {:#x} never reaches memory",
                     line->pc, line->address)))
      return;
  if (const std::optional<std::uint64_t> refused = core_.cache.take_refused()) {
    memory_fault(0, refused_line(*refused));
    return;
  }
  state_ = State::kDone;
}

std::string Tec::refused_line(std::uint64_t bus) {
  return fmt::format("the cached line at bus address {:#x}, stored into, cannot be written back: {}", bus,
                     fault_reason(Fault::kUnmapped));
}

void Tec::fail(StopKind kind, int slot, const std::string& why, unsigned vector) {
  if (!running()) return;
  state_ = State::kStopped;
  stop_.kind = kind;
  stop_.vector = vector;
  Diagnostic& d = stop_.diagnostic;
  d.core = core_.index;
  d.tec = index_;
  d.pc = current_->pc;
  std::string what;
  if ((current_->flags & (kFlagBad | kFlagUndecoded | kFlagPageEnd)) == 0) {
    const isa::Bundle& bundle = page_->source[bundle_index()];
    what = slot >= 0 ? " `" + isa::to_string(bundle.slot[static_cast<std::size_t>(slot)]) + "`"
                     : " `" + isa::to_string(bundle) + "`";
  }
  d.message = fmt::format("core {} TEC {}, pc {:#010x}{}: {}", d.core, d.tec, d.pc, what, why);
}

bool Tec::diagnose(int slot, const std::string& why) {
  if (!core_.shared.options.diagnose) return false;
  fail(StopKind::kError, slot, why);
  return true;
}

void Tec::memory_fault(int slot, const std::string& why) {
  if (core_.shared.options.diagnose || start_.flat) {
    fail(StopKind::kFault, slot, why);
  } else if (running()) {
    state_ = State::kHung;
  }
}

bool Tec::exception(unsigned vector, const std::string& why) {
  if (start_.flat || core_.shared.options.diagnose) {
    fail(StopKind::kException, -1, fmt::format("exception {}: {}", vector, why), vector);
    return true;
  }
  loop_active_ = loop_again_ = false;
  clock_.set_in_loop_buffer(false);
  jump(start_.pc + vector * isa::kBundleBytes);
  return false;
}

}  // namespace zynpu::vnpu
