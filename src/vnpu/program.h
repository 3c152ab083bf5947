// SPDX-License-Identifier: MIT
// Text in the form in which it runs: decoded bundles, page by page.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "isa/instruction.h"
#include "isa/table.h"
#include "vnpu/device.h"
#include "vnpu/memory.h"
#include "vnpu/micro_op.h"

namespace zynpu::vnpu {

// Bits of DecodedBundle::flags. A TEC compares them with its attention mask; what matches leaves the fast
// path.
enum : std::uint16_t {
  kFlagUndecoded = 1 << 0,   // not looked at since the text may have changed
  kFlagPageEnd = 1 << 1,     // behind the last bundle of a page
  kFlagBad = 1 << 2,         // cannot run; Page::why says it
  kFlagArithmetic = 1 << 3,  // traps while the vector unit is disabled
  kFlagSystem = 1 << 4,      // wfe: waits before the micro-operations
  kFlagAny = 1 << 5,         // set in every bundle, for tracing
  // Not for attention: what the bundle needs behind its micro-operations.
  kFlagMemory = 1 << 8,
  kFlagControl = 1 << 9,
};
inline constexpr std::uint16_t kAlwaysAttend = kFlagUndecoded | kFlagPageEnd | kFlagBad | kFlagSystem;

enum class Control : std::uint8_t {
  kNone,
  kBranch,
  kBranchNonZero,
  kBranchRegister,
  kLoop,
  kLoopEnd,
  kWfe,
  kExit,
  kDma
};

// One bit a register: t0..t31, r0..r30, and bit 63 for p0..p6 together (p7 is written once, in the prologue).
// Sharing one bit can only add a cycle between a compare and a use of another predicate.
using RegisterMask = std::uint64_t;

// The bits of one register.
RegisterMask register_mask(isa::File file, unsigned reg);

// What the timing model needs to know of a bundle; see TecClock.
struct BundleTiming {
  RegisterMask reads = 0;        // but for accumulators
  RegisterMask accumulates = 0;  // qdpa, dpa and mma chains
  RegisterMask writes = 0;
  RegisterMask writes_dot = 0, writes_matrix = 0;
  std::array<RegisterMask, 3> late{};  // results that are not there 1, 2, 3 cycles after issue
  std::uint8_t cost = 1;
  bool matrix = false, arithmetic = false, vector_store = false;
  // Slots with accesses to compare for bank conflicts, 0xFF: none. Two loads clash in one bank, a load and a
  // store in different ones.
  std::uint8_t load_slot[2] = {0xFF, 0xFF};
  std::uint8_t store_slot = 0xFF;  // of any store
};

inline constexpr unsigned kMaxMicroOps = 14;  // four slots and the operands they may have to save

struct DecodedBundle {
  std::uint32_t pc = 0;
  std::uint16_t flags = kFlagUndecoded | kFlagAny;
  std::uint8_t ops = 0;  // micro-operations
  std::uint8_t instructions = 0;
  std::uint8_t macs = 0;  // products
  Control control = Control::kNone;
  std::uint8_t control_register = 0;
  std::uint16_t region = 0;       // index + 1, 0: none
  std::int32_t displacement = 0;  // of a branch, in bundles
  BundleTiming timing;
  std::array<MicroOp, kMaxMicroOps> op;
};

inline constexpr unsigned kPageBytes = 4096;
inline constexpr unsigned kPageBundles = kPageBytes / isa::kBundleBytes;

struct Page {
  std::uint32_t address = 0;
  std::uint64_t checked = 0;  // the refresh() after which `text` was last compared with memory
  std::array<std::uint8_t, kPageBytes> text;
  std::array<DecodedBundle, kPageBundles + 1> bundle;
  std::array<isa::Bundle, kPageBundles> source;        // of decoded bundles
  std::unordered_map<std::uint32_t, std::string> why;  // of bad bundles, by index
  std::uint64_t mapped = 0;                            // bit n: the n-th 64 bytes are mapped
};

struct DecodeOptions {
  bool diagnose = true;
  bool half_up = false;
};

// Fills `decoded` (whose pc is set) from a legal bundle; the empty string, or why it cannot run.
std::string predecode(const isa::Bundle& bundle, const DecodeOptions& options, DecodedBundle& decoded);

// The pages that run, by device address. Shared by the TECs of a device.
class ProgramCache {
 public:
  ProgramCache(SystemMemory& memory, const DecodeOptions& options) : memory_(memory), options_(options) {}

  // Text may have changed: every page is compared with memory before it is used again.
  void refresh() { ++generation_; }
  // Ranges whose bundles get region = index + 1. Forgets all decoded text.
  void set_regions(std::span<const Region> regions);

  // The page that holds `address`, up to date.
  Page& page(std::uint32_t address);
  // Decodes bundle `index` of `page`.
  void decode(Page& page, unsigned index);

 private:
  void update(Page& page);

  SystemMemory& memory_;
  DecodeOptions options_;
  std::vector<Region> regions_;
  std::uint64_t generation_ = 1;
  std::unordered_map<std::uint32_t, std::unique_ptr<Page>> pages_;
};

}  // namespace zynpu::vnpu
