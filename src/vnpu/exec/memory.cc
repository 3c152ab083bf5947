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
ZYNPU_INLINE void load_bytes(TecState& s, const MicroOp& op, void* data) {
  const u32 address = s.r[op.a] + static_cast<u32>(op.imm);
  const u32 offset = address - part::kLsramBase;
  s.address[op.p] = address;
  if (plain<kBytes, kHazardWritten>(s, offset)) [[likely]]
    std::memcpy(data, s.lsram + offset, kBytes);
  else
    s.port->load(address, static_cast<std::uint8_t*>(data), kBytes, op.p);
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
  load_bytes<4>(s, op, &word);
  s.r[op.d] = word;
}
void ldb(TecState& s, const MicroOp& op) {
  std::uint8_t byte = 0;
  load_bytes<1>(s, op, &byte);
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
void vld(TecState& s, const MicroOp& op) { load_bytes<kVectorBytes>(s, op, s.t[op.d].byte); }
void vst(TecState& s, const MicroOp& op) { store_bytes<kVectorBytes>(s, op, s.t[op.d].byte); }

}  // namespace

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
