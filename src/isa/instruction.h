// SPDX-License-Identifier: MIT
// One TEC instruction and one bundle in memory: the common currency of encoder, decoder, assembler,
// simulator and code generator. What each operation is, stands in the instruction table (table.h).
#pragma once

#include <array>
#include <cstdint>

#include "isa/op.h"

namespace zynpu::isa {

// Element size of a vector lane. The encoding value equals the enumerator (spec: encoding file, section 3).
enum class Size : std::uint8_t { kB = 0, kH = 1, kW = 2 };

inline constexpr unsigned kSlots = 4;
inline constexpr unsigned kBundleBytes = 16;
inline constexpr std::uint32_t kNopWord = 0x400C7FFF;
inline constexpr std::uint32_t kEndOfBundle = 0x80000000;
inline constexpr unsigned kLoopBufferBundles = 32;

// GPR numbers with an architectural name.
inline constexpr std::uint8_t kCp = 23, kTcbp = 24, kPp = 25, kSdp = 26, kDp = 27, kLp = 28, kSp = 29,
                              kRa = 30, kZero = 31;
// The predicate that the prologue makes all-true.
inline constexpr std::uint8_t kP7 = 7;

// Operands by role, not by bit position. Unused members are 0. Register numbers are file-relative: the file
// (GPR, vector, predicate) of each role follows from the table entry of `op`.
struct Instruction {
  Op op = Op::kNop;
  Size size = Size::kB;     // element size where the form has one ({sz} in the table)
  bool unsigned_d = false;  // .u suffix of max/min (bit u)
  bool unsigned_a = false;  // widening multiplies: source a has unsigned lanes
  bool unsigned_b = false;  // widening multiplies: source b has unsigned lanes
  std::uint8_t d = 0;       // destination: rd, td, pd or pr; the value register of stores and mtctrl;
                            //   rsync of dma, sync of aiff
  std::uint8_t a = 0;       // first source: ra or ta; base register of memory forms; tested register of cbnz;
                            //   desp of dma, ctrl of aiff
  std::uint8_t b = 0;       // second source: rb or tb; int_addr of dma, param of aiff
  std::uint8_t c = 0;       // ext_addr of dma, act of aiff
  std::uint8_t p = 0;       // governing predicate (or the selector of sel)
  std::int32_t imm = 0;   // immediate, memory byte offset, control index, wfe/cacheop mode, first bit of bfs,
                          //   branch displacement in bundles relative to the own bundle, mode of dma/aiff
  std::int32_t imm2 = 0;  // further bits of bfs, byte offset of cacheop
  // dma / aiff only
  std::uint8_t desp_ctrl = 0;
  std::uint8_t int_space = 0;  // 0..3 global (ASID), 4 LSRAM, 8 GSRAM
  std::uint8_t ext_space = 0;
  std::uint8_t dir = 0;        // 0 internal to external, 1 external to internal
  std::uint8_t data_unit = 0;  // 0 byte, 1 half, 2 word

  friend bool operator==(const Instruction&, const Instruction&) = default;
};

// Four slots. A two-word form (dma, aiff) stands in slot 0 and slots 1..3 are kNop.
struct Bundle {
  std::array<Instruction, kSlots> slot{};
  friend bool operator==(const Bundle&, const Bundle&) = default;
};

using BundleWords = std::array<std::uint32_t, kSlots>;

}  // namespace zynpu::isa
