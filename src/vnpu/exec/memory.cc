// SPDX-License-Identifier: MIT
// Loads and stores. LSRAM is served here; the port does the rest.
#include "part/part.h"
#include "vnpu/exec/level.h"
#include "vnpu/exec/simd.h"

namespace zynpu::vnpu::ZYNPU_VNPU_LEVEL {
namespace {

using u32 = std::uint32_t;

// The bits that an aligned LSRAM offset may have: one test for range and alignment.
template <unsigned kBytes>
inline constexpr u32 kOffsetMask = 0x7FFF & ~(kBytes - 1);

template <unsigned kBytes, std::uint8_t kHazards>
ZYNPU_INLINE bool plain(const TecState& s, u32 offset) {
  return (offset & ~kOffsetMask<kBytes>) == 0 && (s.lsram_hazard[offset / kGranuleBytes] & kHazards) == 0;
}

// A load must not see what a DMA has yet to write; a store must touch neither what a DMA writes nor what it
// reads.
template <unsigned kBytes>
ZYNPU_INLINE void load_bytes(TecState& s, unsigned base, u32 distance, unsigned slot, void* data) {
  const u32 address = s.r[base] + distance;
  const u32 offset = address - part::kLsramBase;
  s.address[slot] = address;
  if (plain<kBytes, kHazardWritten>(s, offset)) [[likely]]
    std::memcpy(data, s.lsram + offset, kBytes);
  else
    s.port->load(address, static_cast<std::uint8_t*>(data), kBytes, slot);
}

template <unsigned kBytes>
ZYNPU_INLINE void store_bytes(TecState& s, const MicroOp& op, const void* data) {
  const u32 address = s.r[op.a] + static_cast<u32>(op.imm);
  const u32 offset = address - part::kLsramBase;
  s.address[op.p] = address;
  if (plain<kBytes, kHazardWritten | kHazardRead>(s, offset)) [[likely]]
    std::memcpy(s.lsram + offset, data, kBytes);
  else
    s.port->store(address, static_cast<const std::uint8_t*>(data), kBytes, op.p);
}

void ld(TecState& s, const MicroOp& op) {
  u32 word = 0;
  load_bytes<4>(s, op.a, static_cast<u32>(op.imm), op.p, &word);
  s.r[op.d] = word;
}
void ldb(TecState& s, const MicroOp& op) {
  std::uint8_t byte = 0;
  load_bytes<1>(s, op.a, static_cast<u32>(op.imm), op.p, &byte);
  s.r[op.d] = byte;
}
void st(TecState& s, const MicroOp& op) {
  const u32 word = s.r[op.d];
  store_bytes<4>(s, op, &word);
}
void stb(TecState& s, const MicroOp& op) {
  const auto byte = static_cast<std::uint8_t>(s.r[op.d]);
  store_bytes<1>(s, op, &byte);
}
void vld(TecState& s, const MicroOp& op) {
  load_bytes<kVectorBytes>(s, op.a, static_cast<u32>(op.imm), op.p, s.t[op.d].byte);
}
// Slots 2 and 3, one after the other: destination and base of the second in b and p, both offsets in imm.
void vld_pair(TecState& s, const MicroOp& op) {
  const auto offsets = static_cast<u32>(op.imm);
  load_bytes<kVectorBytes>(s, op.a, offsets & 0xFFFF, 2, s.t[op.d].byte);
  load_bytes<kVectorBytes>(s, op.p, offsets >> 16, 3, s.t[op.b].byte);
}
void vst(TecState& s, const MicroOp& op) { store_bytes<kVectorBytes>(s, op, s.t[op.d].byte); }

}  // namespace

bool fuse_memory(const MicroOp& first, const MicroOp& second, MicroOp& pair) {
  if (first.function != vld || second.function != vld || first.p != 2 || second.p != 3) return false;
  pair = first;
  pair.function = vld_pair;
  pair.b = second.d;
  pair.p = second.a;
  pair.imm = static_cast<std::int32_t>(static_cast<u32>(first.imm) | static_cast<u32>(second.imm) << 16);
  return true;
}

OpFunction select_memory(const isa::Instruction& i) {
  using isa::Op;
  switch (i.op) {
    case Op::kLd:
      return ld;
    case Op::kLdb:
      return ldb;
    case Op::kSt:
      return st;
    case Op::kStb:
      return stb;
    case Op::kVld:
      return vld;
    case Op::kVst:
      return vst;
    default:
      return nullptr;
  }
}

}  // namespace zynpu::vnpu::ZYNPU_VNPU_LEVEL
