// SPDX-License-Identifier: MIT
// Execution of DMA requests (tec-semantics.md 7). The data moves at once; Flights remembers what would still
// be on its way.
#include <fmt/format.h>

#include <cstring>

#include "vnpu/core.h"
#include "vnpu/tec.h"

namespace zynpu::vnpu {
namespace {

// One end of a transfer: where its bytes are on the host.
class End {
 public:
  // An SRAM of `size` bytes; addresses are offsets.
  explicit End(std::span<std::uint8_t> sram) : host_(sram.data()) {}
  // Bus memory: one host range if the bus has it, else piecewise.
  End(SystemMemory& memory, std::uint64_t begin, std::uint64_t end)
      : memory_(&memory), host_(memory.direct(begin, end - begin)), begin_(begin) {}

  bool read(std::uint64_t address, std::uint8_t* data, std::size_t bytes) {
    if (host_ == nullptr) return memory_->read(address, {data, bytes});
    std::memcpy(data, host_ + (address - begin_), bytes);
    return true;
  }
  bool write(std::uint64_t address, const std::uint8_t* data, std::size_t bytes) {
    if (host_ == nullptr) return memory_->write(address, {data, bytes});
    std::memcpy(host_ + (address - begin_), data, bytes);
    return true;
  }
  // Host bytes at `address`, or nullptr.
  std::uint8_t* at(std::uint64_t address) { return host_ == nullptr ? nullptr : host_ + (address - begin_); }

 private:
  SystemMemory* memory_ = nullptr;
  std::uint8_t* host_;
  std::uint64_t begin_ = 0;
};

bool copy(End& from, std::uint64_t source, End& to, std::uint64_t destination, std::uint64_t bytes) {
  const std::uint8_t* s = from.at(source);
  std::uint8_t* d = to.at(destination);
  if (s != nullptr && d != nullptr) {
    std::memmove(d, s, bytes);
    return true;
  }
  std::uint8_t buffer[4096];
  for (std::uint64_t at = 0; at < bytes;) {
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(sizeof buffer, bytes - at));
    if (!from.read(source + at, buffer, part) || !to.write(destination + at, buffer, part)) return false;
    at += part;
  }
  return true;
}

bool move_direct(const DmaPlan& plan, End& from, End& to) {
  for (std::uint64_t o = 0; o < plan.source.outer; ++o)
    for (std::uint64_t i = 0; i < plan.source.count; ++i)
      if (!copy(from, plan.source.chunk(o, i), to, plan.destination.chunk(o, i), plan.source.width))
        return false;
  return true;
}

bool move_transposed(const DmaPlan& plan, End& from, End& to) {
  const unsigned e = plan.element;
  const std::uint64_t rows = plan.source.count, columns = plan.destination.count;
  for (std::uint64_t o = 0; o < plan.source.outer; ++o)
    for (std::uint64_t j = 0; j < columns; ++j)
      for (std::uint64_t i = 0; i < rows; ++i)
        if (!copy(from, plan.source.chunk(o, i) + j * e, to, plan.destination.chunk(o, j) + i * e, e))
          return false;
  return true;
}

bool move_upsampled(const DmaPlan& plan, End& from, End& to) {
  for (std::uint64_t h = 0; h < plan.h_scale; ++h)
    for (std::uint64_t w = 0; w < plan.source.count; ++w)
      for (std::uint64_t s = 0; s < plan.w_scale; ++s)
        if (!copy(from, plan.source.chunk(0, w), to, plan.destination.chunk(h, w * plan.w_scale + s),
                  plan.source.width))
          return false;
  return true;
}

bool fill(const DmaPlan& plan, End& to) {
  std::uint8_t pattern[256];
  for (unsigned i = 0; i < sizeof pattern; ++i)
    pattern[i] = static_cast<std::uint8_t>(plan.fill >> (8 * (i % plan.element)));
  for (std::uint64_t o = 0; o < plan.destination.outer; ++o)
    for (std::uint64_t at = 0; at < plan.destination.width; at += sizeof pattern) {
      const auto part = std::min<std::uint64_t>(sizeof pattern, plan.destination.width - at);
      if (!to.write(plan.destination.chunk(o, 0) + at, pattern, static_cast<std::size_t>(part))) return false;
    }
  return true;
}

bool move(const DmaPlan& plan, End& from, End& to) {
  switch (plan.mode) {
    case DmaMode::kDirect:
      return move_direct(plan, from, to);
    case DmaMode::kTranspose:
      return move_transposed(plan, from, to);
    case DmaMode::kUpsample:
      return move_upsampled(plan, from, to);
    case DmaMode::kMemset:
      return fill(plan, to);
  }
  return false;
}

template <class F>
void for_each_line(const Pattern& bytes, F&& f) {
  for (std::uint64_t o = 0; o < bytes.outer; ++o)
    for (std::uint64_t i = 0; i < bytes.count; ++i) {
      const std::uint64_t first = bytes.chunk(o, i) & ~std::uint64_t{kLineBytes - 1};
      for (std::uint64_t line = first; line < bytes.chunk(o, i) + bytes.width; line += kLineBytes) f(line);
    }
}

}  // namespace

bool Tec::read_descriptor(std::uint32_t address, std::array<std::uint32_t, 6>& words) {
  SystemMemory& memory = core_.shared.memory;
  if (address % kDescriptorAlignment != 0 &&
      diagnose(0, fmt::format("the descriptor at {:#010x} is not aligned to {} bytes", address,
                              kDescriptorAlignment)))
    return false;
  std::uint64_t bus = 0;
  if (const Fault fault = memory.translate(0, address, kDescriptorBytes, false, bus); fault != Fault::kNone) {
    memory_fault(0, fmt::format("descriptor at {:#010x}: {}", address, fault_reason(fault)));
    return false;
  }
  // Through the data cache, so that one just stored is seen (tec-semantics.md 6.4, rule 3).
  auto* data = reinterpret_cast<std::uint8_t*>(words.data());
  if (memory.in_gm(bus)) return memory.read(bus, {data, kDescriptorBytes});
  for (unsigned at = 0; at < kDescriptorBytes; ++at) {
    const DataCache::Line* line = core_.cache.get(bus + at);
    if (line == nullptr) {
      memory_fault(0, fmt::format("descriptor at {:#010x}: {}", address, fault_reason(Fault::kUnmapped)));
      return false;
    }
    if (line->stale &&
        diagnose(0, fmt::format("the descriptor at {:#010x} is in a cached line that DMA has since "
                                "changed in memory",
                                address)))
      return false;
    data[at] = line->data[(bus + at) % kLineBytes];
  }
  return true;
}

void Tec::start_dma() {
  const isa::Instruction& insn = page_->source[bundle_index()].slot[0];
  ++dma_requests_;
  Flight flight;
  flight.tec = index_;
  flight.pc = current_->pc;
  const unsigned selector = registers_.r[insn.d] & 31;
  if (selector >= kFlags && selector != 31 &&
      diagnose(0, fmt::format("sync selector {} lands on flag 0; only 0..3 and 31 exist", selector)))
    return;
  flight.flags = selector == 31 ? kAllFlags : selector < kFlags ? 1u << selector : 1u;

  std::array<std::uint32_t, 6> words{};
  if (!read_descriptor(registers_.r[insn.a], words)) return;
  DmaPlan plan;
  const DmaOperands operands = {registers_.r[insn.b], registers_.r[insn.c]};
  if (const DmaError error = make_plan(insn, unpack_descriptor(words), operands, plan);
      !error.message.empty()) {
    if (diagnose(0, "DMA request: " + error.message)) return;
    // What the part makes of it is not known unless it hangs; nothing moves in either case.
    flight.never = error.hangs;
    raised_flags_ |= flight.flags;
    core_.flights.add(flight);
    return;
  }
  const bool has_source = plan.mode != DmaMode::kMemset;
  if (has_source && !resolve(plan.source_space, plan.source, false, flight.read)) return;
  if (!resolve(plan.destination_space, plan.destination, true, flight.write)) return;
  if (core_.shared.options.diagnose && !check_coherence(flight)) return;

  // An end beyond its SRAM: silicon reads garbage and loses what it writes.
  const bool lost = (has_source && flight.read.place == Place::kNone) || flight.write.place == Place::kNone;
  if (!lost) {
    plan.source = has_source ? flight.read.bytes : plan.source;
    plan.destination = flight.write.bytes;
    const auto end = [&](const Touch& touch) {
      return touch.place == Place::kLsram   ? End(std::span(lsram_))
             : touch.place == Place::kGsram ? End(std::span(core_.gsram))
                                            : End(core_.shared.memory, touch.bytes.base, touch.bytes.end());
    };
    End to = end(flight.write), from = has_source ? end(flight.read) : to;
    if (!move(plan, from, to)) {
      memory_fault(0, fmt::format("DMA request: {}", fault_reason(Fault::kUnmapped)));
      return;
    }
    note_written(flight);
  }
  dma_bytes_ += plan.bytes;
  flight.read.bytes = flight.read.bytes.joined();
  flight.write.bytes = flight.write.bytes.joined();
  if (core_.shared.options.timing)
    flight.done =
        core_.dma.schedule(clock_.cycle(), plan.bytes, core_.shared.active_cores, core_.earliest_cycle());
  if (flight.write.place == Place::kGsram) {
    ++core_.gsram_stores;
    const Pattern& bytes = flight.write.bytes;
    for (std::uint64_t o = 0; o < bytes.outer; ++o)
      for (std::uint64_t i = 0; i < bytes.count; ++i)
        for (std::uint64_t g = bytes.chunk(o, i) / kGranuleBytes;
             g <= (bytes.chunk(o, i) + bytes.width - 1) / kGranuleBytes; ++g)
          core_.gsram_written[g] = flight.done;
  }
  raised_flags_ |= flight.flags;
  core_.flights.add(flight);
}

// Where the bytes of one end are. False: stopped. Place kNone: beyond an SRAM, with diagnosis off.
bool Tec::resolve(unsigned space, const Pattern& bytes, bool write, Touch& touch) {
  touch.bytes = bytes;
  const std::string_view verb = write ? "writes" : "reads";
  if (space == kSpaceLsram || space == kSpaceGsram) {
    const bool local = space == kSpaceLsram;
    const std::uint32_t base = local ? part::kLsramBase : part::kGsramBase;
    const std::uint64_t size = local ? lsram_.size() : core_.gsram.size();
    const std::string_view name = local ? "LSRAM" : "GSRAM";
    touch.bytes.base -= base;
    if (bytes.base < base || bytes.end() - base > size) {
      touch.place = Place::kNone;
      return !diagnose(0, fmt::format("DMA request {} {:#010x}..{:#010x}, outside the {} KiB of {}", verb,
                                      bytes.base, bytes.end(), size / 1024, name));
    }
    if (!local && core_.shared.memory.gm_on() &&
        diagnose(0, fmt::format("DMA request {} GSRAM, which cannot be used while GM is on", verb)))
      return false;
    touch.place = local ? Place::kLsram : Place::kGsram;
    return true;
  }
  std::uint64_t bus = 0;
  const auto address = static_cast<std::uint32_t>(bytes.base);
  Fault fault = core_.shared.memory.translate(space, address, bytes.end() - bytes.base, write, bus);
  if (fault != Fault::kNone) {
    memory_fault(0, fmt::format("DMA request {} {:#x}..{:#x} of space {}: {}", verb, bytes.base, bytes.end(),
                                space, fault_reason(fault)));
    return false;
  }
  touch.place = Place::kBus;
  touch.bytes.base = bus;
  return true;
}

// The races and stale lines that the part would not report (tec-semantics.md 6.4). False: stopped.
bool Tec::check_coherence(const Flight& flight) {
  if (const Flight* other = core_.flights.race(flight))
    return !diagnose(
        0, fmt::format("DMA request touches the bytes of the one of TEC {} at pc {:#010x}, which is not "
                       "known to be finished (wait for its flag)",
                       other->tec, other->pc));
  bool good = true;
  const auto check_dirty = [&](const Touch& touch, std::string_view what) {
    if (touch.place != Place::kBus ||
        !core_.cache.may_hold(touch.bytes.base, touch.bytes.end() - touch.bytes.base))
      return;
    for_each_line(touch.bytes, [&](std::uint64_t address) {
      const DataCache::Line* line = good ? core_.cache.find(address) : nullptr;
      if (line != nullptr && line->dirty && !core_.shared.memory.in_gm(address))
        good = !diagnose(
            0, fmt::format("DMA request {}: the line at bus address {:#x} is dirty in the data cache since "
                           "the store of TEC {} at pc {:#010x}",
                           what, address, line->tec, line->pc));
    });
  };
  check_dirty(flight.read, "reads bytes that are not in memory yet");
  if (good) check_dirty(flight.write, "writes bytes that a write-back will overwrite");
  if (!good || flight.write.place != Place::kBus) return good;
  for_each_line(flight.write.bytes, [&](std::uint64_t address) {
    if (!good || core_.shared.memory.in_gm(address)) return;
    if (const int other = core_.shared.owners.dma(address, core_.index); other >= 0)
      good = !diagnose(
          0, fmt::format("DMA request writes to the line at bus address {:#x}, into which core {} stored "
                         "without a barrier between; the bytes of one are lost",
                         address, other));
  });
  return good;
}

// Cached copies of what a request wrote are out of date.
void Tec::note_written(const Flight& flight) {
  if (flight.write.place != Place::kBus) return;
  const Pattern& bytes = flight.write.bytes;
  if (!core_.cache.may_hold(bytes.base, bytes.end() - bytes.base)) return;
  for_each_line(bytes, [&](std::uint64_t address) {
    if (DataCache::Line* line = core_.cache.find(address)) line->stale = true;
  });
}

}  // namespace zynpu::vnpu
