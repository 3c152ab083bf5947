// SPDX-License-Identifier: MIT
#include "vnpu/data_cache.h"

namespace zynpu::vnpu {

DataCache::DataCache(SystemMemory& memory) : memory_(memory), lines_(kCacheLines) { clear(); }

void DataCache::clear() {
  for (Line& line : lines_) line.valid = line.dirty = false;
  refused_.reset();
  chains_.fill(-1);
  pages_.fill(0);
  oldest_ = 0;
  last_ = nullptr;
}

DataCache::Line* DataCache::find(std::uint64_t address) {
  address &= ~std::uint64_t{kLineBytes - 1};
  if (last_ != nullptr && last_->address == address) return last_;
  for (std::int16_t i = chains_[chain(address)]; i >= 0; i = lines_[static_cast<std::size_t>(i)].next) {
    Line& line = lines_[static_cast<std::size_t>(i)];
    if (line.address == address) return last_ = &line;
  }
  return nullptr;
}

DataCache::Line* DataCache::get(std::uint64_t address) {
  address &= ~std::uint64_t{kLineBytes - 1};
  if (Line* line = find(address)) return line;
  Line& line = lines_[oldest_];
  std::array<std::uint8_t, kLineBytes> data;
  if (!memory_.read(address, data)) return nullptr;
  if (line.valid) drop(line);
  line.address = address;
  line.data = data;
  line.valid = true;
  line.dirty = line.stale = false;
  line.next = chains_[chain(address)];
  chains_[chain(address)] = static_cast<std::int16_t>(oldest_);
  ++pages_[filter(address)];
  oldest_ = (oldest_ + 1) % kCacheLines;
  return last_ = &line;
}

void DataCache::drop(Line& line) {
  if (line.dirty) put(line);
  std::int16_t* link = &chains_[chain(line.address)];
  while (&lines_[static_cast<std::size_t>(*link)] != &line)
    link = &lines_[static_cast<std::size_t>(*link)].next;
  *link = line.next;
  --pages_[filter(line.address)];
  line.valid = line.dirty = false;
  last_ = nullptr;
}

void DataCache::put(Line& line) {
  if (!memory_.write(line.address, line.data) && !refused_) refused_ = line.address;
  line.dirty = false;
}

unsigned DataCache::write_back() {
  unsigned count = 0;
  for (Line& line : lines_) {
    if (!line.dirty) continue;
    put(line);
    ++count;
  }
  return count;
}

const DataCache::Line* DataCache::any_dirty() const {
  for (const Line& line : lines_)
    if (line.dirty) return &line;
  return nullptr;
}

const DataCache::Line* DataCache::any_dirty(std::uint8_t tec) const {
  for (const Line& line : lines_)
    if (line.dirty && line.tec == tec) return &line;
  return nullptr;
}

bool DataCache::may_hold(std::uint64_t address, std::uint64_t bytes) const {
  if (bytes >= std::uint64_t{kFilter} * 4096) return true;
  for (std::uint64_t page = address / 4096; page <= (address + bytes - 1) / 4096; ++page)
    if (pages_[page % kFilter] != 0) return true;
  return false;
}

int LineOwners::note(std::uint64_t line_address, unsigned core, bool cached) {
  const std::uint64_t page = line_address / 4096;
  if (last_ == nullptr || page != last_page_) {
    last_ = &pages_[page];
    last_page_ = page;
  }
  if (last_->epoch != epoch_) *last_ = Lines{.epoch = epoch_};
  const auto line = static_cast<std::size_t>(line_address % 4096 / kLineBytes);
  const auto bit = static_cast<std::uint8_t>(1u << core);
  const auto others = static_cast<std::uint8_t>(~bit);
  const unsigned clash = (last_->stored[line] & others) | (cached ? last_->moved[line] & others : 0u);
  (cached ? last_->stored : last_->moved)[line] |= bit;
  return clash == 0 ? -1 : __builtin_ctz(clash);
}

}  // namespace zynpu::vnpu
