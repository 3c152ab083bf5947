// SPDX-License-Identifier: MIT
#include "vnpu/program.h"

#include <algorithm>
#include <cstring>

#include "isa/decode.h"
#include "vnpu/data_cache.h"

namespace zynpu::vnpu {
namespace {

constexpr unsigned kLineBundles = kLineBytes / isa::kBundleBytes;

// The vendor's hold image is one `exit` whose end mark is missing (host-interface.md 2.9).
constexpr isa::BundleWords kHoldImage = {0x014F8000, isa::kNopWord, isa::kNopWord, isa::kNopWord};

std::uint16_t region_of(std::span<const Region> regions, std::uint32_t pc) {
  const auto after =
      std::upper_bound(regions.begin(), regions.end(), pc,
                       [](std::uint32_t value, const Region& region) { return value < region.begin; });
  if (after == regions.begin() || pc >= (after - 1)->end) return 0;
  return static_cast<std::uint16_t>(after - regions.begin());
}

}  // namespace

void ProgramCache::set_regions(std::span<const Region> regions) {
  regions_.assign(regions.begin(), regions.end());
  pages_.clear();
}

Page& ProgramCache::page(std::uint32_t address) {
  const std::uint32_t base = address & ~(kPageBytes - 1);
  std::unique_ptr<Page>& slot = pages_[base];
  if (!slot) {
    slot = std::make_unique<Page>();
    slot->address = base;
    slot->text.fill(0);
    for (unsigned i = 0; i < kPageBundles; ++i) {
      slot->bundle[i].pc = base + i * isa::kBundleBytes;
      slot->bundle[i].region = region_of(regions_, slot->bundle[i].pc);
    }
    slot->bundle[kPageBundles].flags = kFlagPageEnd;
    slot->bundle[kPageBundles].pc = base + kPageBytes;
  }
  if (slot->checked != generation_) update(*slot);
  return *slot;
}

void ProgramCache::update(Page& page) {
  page.checked = generation_;
  const std::uint64_t was_mapped = page.mapped;
  page.mapped = 0;
  for (unsigned line = 0; line < kPageBytes / kLineBytes; ++line) {
    std::array<std::uint8_t, kLineBytes> now;
    std::uint64_t bus = 0;
    const std::uint32_t address = page.address + line * kLineBytes;
    const bool mapped =
        memory_.translate(0, address, kLineBytes, false, bus) == Fault::kNone && memory_.read(bus, now);
    std::uint8_t* known = page.text.data() + line * kLineBytes;
    if (mapped) page.mapped |= std::uint64_t{1} << line;
    const bool was = (was_mapped >> line & 1) != 0;
    if (mapped && was && std::memcmp(known, now.data(), kLineBytes) == 0) continue;
    if (mapped) std::memcpy(known, now.data(), kLineBytes);
    for (unsigned i = 0; i < kLineBundles; ++i)
      page.bundle[line * kLineBundles + i].flags = kFlagUndecoded | kFlagAny;
  }
}

void ProgramCache::decode(Page& page, unsigned index) {
  DecodedBundle& decoded = page.bundle[index];
  page.source[index] = isa::Bundle{};
  std::string why;
  isa::BundleWords words;
  std::memcpy(words.data(), page.text.data() + index * isa::kBundleBytes, sizeof words);
  if ((page.mapped >> (index / kLineBundles) & 1) == 0) {
    why = "instruction fetch from an address where no memory is mapped";
  } else {
    if (words == kHoldImage) words[3] |= isa::kEndOfBundle;
    if (Result<isa::Bundle> bundle = isa::decode(words); bundle) {
      page.source[index] = *bundle;
      why = predecode(*bundle, options_, decoded);
    } else {
      why = fmt::format("undecodable bundle: {}", bundle.error().message);
    }
  }
  if (why.empty()) return;
  decoded.flags = kFlagBad | kFlagAny;
  page.why[index] = std::move(why);
}

}  // namespace zynpu::vnpu
