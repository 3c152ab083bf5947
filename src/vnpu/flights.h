// SPDX-License-Identifier: MIT
// DMA requests of a core that have been issued and not been waited for. The data moves when a request is
// issued; here stands what would be a race on the part, where it moves some time before its flag falls.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vnpu/micro_op.h"
#include "vnpu/pattern.h"

namespace zynpu::vnpu {

enum class Place : std::uint8_t { kNone, kLsram, kGsram, kBus };

// One end of a request. Addresses are offsets in the SRAM, or bus addresses.
struct Touch {
  Place place = Place::kNone;
  Pattern bytes;
};

struct Flight {
  unsigned tec = 0;
  unsigned flags = 0;      // bit f: raises flag f
  bool never = false;      // the part would not complete it
  std::uint64_t done = 0;  // modelled cycle of completion
  std::uint32_t pc = 0;
  Touch read, write;
};

class Flights {
 public:
  // One byte a granule; the spans outlive this object.
  Flights(std::span<std::uint8_t> gsram_hazard, std::vector<std::span<std::uint8_t>> lsram_hazard)
      : gsram_(gsram_hazard), lsram_(std::move(lsram_hazard)) {}

  void clear();
  void add(const Flight& flight);
  // Completes the requests of `tec` that raise one of `flags`. Returns the cycle when the last is done;
  // `never` tells that one of them is not going to be, and stays.
  std::uint64_t complete(unsigned tec, unsigned flags, bool& any, bool& never);
  // Flags of `tec` with an unfinished request.
  unsigned busy(unsigned tec) const;

  // A request that a load (`write` false) or store of `bytes` bytes by `tec` races with, or nullptr.
  const Flight* race(unsigned tec, Place place, std::uint64_t address, std::uint64_t bytes, bool write) const;
  // The same for the ends of another request.
  const Flight* race(const Flight& other) const;
  bool empty() const { return flights_.empty(); }

 private:
  void mark(const Flight& flight);
  void mark(const Flight& flight, const Touch& touch, std::uint8_t hazard);
  void unmark(const Flight& flight, const Touch& touch);
  template <class F>
  void for_each_granule(const Flight& flight, const Touch& touch, F&& f);

  std::span<std::uint8_t> gsram_;
  std::vector<std::span<std::uint8_t>> lsram_;
  std::vector<Flight> flights_;
};

}  // namespace zynpu::vnpu
