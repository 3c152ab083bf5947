// SPDX-License-Identifier: MIT
#include "vnpu/flights.h"

#include <algorithm>

namespace zynpu::vnpu {
namespace {

// LSRAM is private; GSRAM and DDR are seen by all TECs of the core.
bool same_memory(const Flight& a, Place place, unsigned tec, Place other) {
  return place == other && (place != Place::kLsram || a.tec == tec);
}

}  // namespace

template <class F>
void Flights::for_each_granule(const Flight& flight, const Touch& touch, F&& f) {
  if (touch.place != Place::kLsram && touch.place != Place::kGsram) return;
  const std::span<std::uint8_t> map = touch.place == Place::kLsram ? lsram_[flight.tec] : gsram_;
  for (std::uint64_t o = 0; o < touch.bytes.outer; ++o)
    for (std::uint64_t i = 0; i < touch.bytes.count; ++i) {
      const std::uint64_t first = touch.bytes.chunk(o, i) / kGranuleBytes;
      const std::uint64_t last = (touch.bytes.chunk(o, i) + touch.bytes.width - 1) / kGranuleBytes;
      for (std::uint64_t g = first; g <= last && g < map.size(); ++g) f(map[g]);
    }
}

void Flights::mark(const Flight& flight, const Touch& touch, std::uint8_t hazard) {
  for_each_granule(flight, touch, [hazard](std::uint8_t& granule) { granule |= hazard; });
}
void Flights::unmark(const Flight& flight, const Touch& touch) {
  for_each_granule(flight, touch, [](std::uint8_t& granule) { granule = 0; });
}
void Flights::mark(const Flight& flight) {
  mark(flight, flight.read, kHazardRead);
  mark(flight, flight.write, kHazardWritten);
}

void Flights::clear() {
  flights_.clear();
  std::fill(gsram_.begin(), gsram_.end(), std::uint8_t{0});
  for (std::span<std::uint8_t> map : lsram_) std::fill(map.begin(), map.end(), std::uint8_t{0});
}

void Flights::add(const Flight& flight) {
  flights_.push_back(flight);
  mark(flight);
}

std::uint64_t Flights::complete(unsigned tec, unsigned flags, bool& any, bool& never) {
  std::uint64_t done = 0;
  any = never = false;
  std::erase_if(flights_, [&](const Flight& flight) {
    if (flight.tec != tec || (flight.flags & flags) == 0) return false;
    any = true;
    if (flight.never) {
      never = true;
      return false;
    }
    done = std::max(done, flight.done);
    unmark(flight, flight.read);
    unmark(flight, flight.write);
    return true;
  });
  if (any)
    for (const Flight& flight : flights_) mark(flight);  // granules may be shared
  return done;
}

unsigned Flights::busy(unsigned tec) const {
  unsigned flags = 0;
  for (const Flight& flight : flights_)
    if (flight.tec == tec) flags |= flight.flags;
  return flags;
}

const Flight* Flights::race(unsigned tec, Place place, std::uint64_t address, std::uint64_t bytes,
                            bool write) const {
  for (const Flight& flight : flights_) {
    if (same_memory(flight, flight.write.place, tec, place) && flight.write.bytes.touches(address, bytes))
      return &flight;
    if (write && same_memory(flight, flight.read.place, tec, place) &&
        flight.read.bytes.touches(address, bytes))
      return &flight;
  }
  return nullptr;
}

const Flight* Flights::race(const Flight& other) const {
  for (const Flight& flight : flights_) {
    const auto meet = [&](const Touch& mine, const Touch& theirs) {
      return mine.place != Place::kNone && same_memory(flight, mine.place, other.tec, theirs.place) &&
             mine.bytes.touches(theirs.bytes);
    };
    if (meet(flight.write, other.read) || meet(flight.write, other.write) || meet(flight.read, other.write))
      return &flight;
  }
  return nullptr;
}

}  // namespace zynpu::vnpu
