// SPDX-License-Identifier: MIT
#include "vnpu/core.h"

#include <algorithm>

namespace zynpu::vnpu {
namespace {

constexpr std::uint8_t kPoison = 0xA5;

std::vector<std::span<std::uint8_t>> hazard_maps(std::span<std::unique_ptr<Tec>> tecs) {
  std::vector<std::span<std::uint8_t>> maps;
  for (const std::unique_ptr<Tec>& tec : tecs) maps.push_back(tec->lsram_hazard());
  return maps;
}

std::vector<std::unique_ptr<Tec>> make_tecs(Core& core, unsigned count) {
  std::vector<std::unique_ptr<Tec>> tecs;
  for (unsigned i = 0; i < count; ++i) tecs.push_back(std::make_unique<Tec>(core, i));
  return tecs;
}

}  // namespace

std::uint64_t DmaTimeline::schedule(std::uint64_t issue, std::uint64_t bytes, unsigned active_cores,
                                    std::uint64_t now) {
  // Tenths of a byte per cycle: 13.2 for one engine, 19.9 for all together.
  const std::uint64_t rate = std::min<std::uint64_t>(132, 199 / active_cores);
  const std::uint64_t cycles = (10 * bytes + rate - 1) / rate;
  std::erase_if(busy_, [now](const Span& span) { return span.end <= now; });
  std::uint64_t begin = issue + kDmaRequest;
  auto at = busy_.begin();
  for (; at != busy_.end(); ++at) {
    if (begin + cycles <= at->begin) break;
    begin = std::max(begin, at->end);
  }
  busy_.insert(at, {begin, begin + cycles});
  return begin + cycles;
}

std::uint64_t InstructionCache::fetch(std::uint32_t pc, std::uint64_t now, unsigned cold) {
  const std::uint32_t tag = pc / kLineBytes;
  Line& line = lines_[tag % lines_.size()];
  if (line.tag != tag) line = {tag, now + cold};
  return line.ready;
}

void CacheTags::clear() {
  std::fill(l1_.begin(), l1_.end(), Way{});
  std::fill(l2_.begin(), l2_.end(), Way{});
}

bool CacheTags::look_up(std::span<Way> set, std::uint64_t tag) {
  Way* oldest = &set[0];
  for (Way& way : set) {
    if (way.tag == tag) {
      way.used = ++time_;
      return true;
    }
    if (way.used < oldest->used) oldest = &way;
  }
  *oldest = {tag, ++time_};
  return false;
}

CacheTags::Level CacheTags::access(std::uint64_t line_address) {
  const std::uint64_t tag = line_address / kLineBytes;
  const bool l1 = look_up(std::span(l1_).subspan(tag % 32 * 4, 4), tag);
  const bool l2 = look_up(std::span(l2_).subspan(tag % 128 * 8, 8), tag);
  return l1 ? Level::kL1 : l2 ? Level::kL2 : Level::kMemory;
}

Core::Core(Shared& shared_, unsigned index_)
    : shared(shared_),
      index(index_),
      gsram(shared.part.gsram_bytes, kPoison),
      gsram_hazard(shared.part.gsram_bytes / kGranuleBytes),
      gsram_written(shared.part.gsram_bytes / kGranuleBytes),
      cache(shared.memory),
      flights(gsram_hazard, {}),
      tecs_(make_tecs(*this, shared.part.tecs_per_core)) {
  flights = Flights(gsram_hazard, hazard_maps(tecs_));
}

void Core::start(std::span<const TecStart> tasks, std::uint64_t cycle, bool visible) {
  cache.clear();
  tags.clear();
  text.clear();
  flights.clear();
  dma.clear();
  std::fill(gsram_written.begin(), gsram_written.end(), 0);
  stores_visible = visible;
  next_ = 0;
  running_ = static_cast<unsigned>(tasks.size());
  polls_ = 0;
  for (const std::unique_ptr<Tec>& tec : tecs_) tec->abandon();
  for (std::size_t i = 0; i < tasks.size(); ++i) tecs_[i]->start(tasks[i], cycle);
}

Core::Progress Core::run(std::uint64_t& budget) {
  while (budget != 0) {
    running_ = 0;
    bool hung = false;
    for (const std::unique_ptr<Tec>& tec : tecs_) {
      running_ += tec->state() == Tec::State::kRunning ? 1 : 0;
      hung = hung || tec->state() == Tec::State::kHung;
    }
    if (running_ == 0) return hung ? Progress::kHung : Progress::kDone;
    Tec& tec = *tecs_[next_];
    next_ = (next_ + 1) % static_cast<unsigned>(tecs_.size());
    if (tec.state() != Tec::State::kRunning) continue;
    budget -= tec.run(std::min(kQuantum, budget));
    if (tec.state() == Tec::State::kStopped) return Progress::kStopped;
    if (!tec.spinning() || gsram_stores != polls_stores_) {
      polls_ = 0;
      polls_stores_ = gsram_stores;
    } else if (++polls_ > kDeadlockRounds * running_) {
      tec.deadlock();
      return tec.state() == Tec::State::kStopped ? Progress::kStopped : Progress::kHung;
    }
  }
  return Progress::kRunning;
}

void Core::abandon() {
  for (const std::unique_ptr<Tec>& tec : tecs_) tec->abandon();
  cache.clear();
  flights.clear();
}

void Core::poison() {
  abandon();
  std::fill(gsram.begin(), gsram.end(), kPoison);
  for (const std::unique_ptr<Tec>& tec : tecs_) std::fill(tec->lsram().begin(), tec->lsram().end(), kPoison);
}

const Stop& Core::stop() const {
  for (const std::unique_ptr<Tec>& tec : tecs_)
    if (tec->state() == Tec::State::kStopped) return tec->stop();
  static const Stop none;
  return none;
}

std::uint64_t Core::end_cycle() const {
  std::uint64_t end = 0;
  for (const std::unique_ptr<Tec>& tec : tecs_)
    if (tec->state() != Tec::State::kIdle) end = std::max(end, tec->cycle());
  return end;
}

std::uint64_t Core::earliest_cycle() const {
  std::uint64_t cycle = ~std::uint64_t{0};
  for (const std::unique_ptr<Tec>& tec : tecs_)
    if (tec->state() == Tec::State::kRunning) cycle = std::min(cycle, tec->cycle());
  return cycle;
}

}  // namespace zynpu::vnpu
