// SPDX-License-Identifier: MIT
// What a bundle becomes before it runs: a short list of micro-operations, each a function and its operands.
#pragma once

#include <array>
#include <cstdint>

#include "isa/instruction.h"
#include "vnpu/simd_vector.h"

namespace zynpu::vnpu {

class TecPort;
struct TecState;
struct MicroOp;

using OpFunction = void (*)(TecState&, const MicroOp&);

// Operands of one instruction, resolved. Register numbers index the arrays of TecState; destinations that are
// dropped (the zero register) and operands saved before a bundle overwrites them point behind the
// architectural registers.
struct MicroOp {
  OpFunction function = nullptr;
  std::uint8_t d = 0, a = 0, b = 0;
  std::uint8_t p = 0;  // predicate; of memory forms the slot
  std::int32_t imm = 0;
};

inline constexpr unsigned kGprs = 32, kVectors = 32, kPredicates = 8;
inline constexpr unsigned kSpares = 8;                 // saved operands, per file
inline constexpr unsigned kSinkGpr = kGprs + kSpares;  // where writes to the zero register go

// Architectural registers of a TEC and what its memory instructions need at hand. One struct, so that
// micro-operations take one pointer.
struct TecState {
  std::array<Vector, kVectors + kSpares> t;
  std::array<std::uint32_t, kSinkGpr + 1> r;
  std::array<std::uint32_t, kPredicates + kSpares> p;

  std::uint8_t* lsram = nullptr;
  // One byte for each 32-byte granule of LSRAM: kHazardWritten and kHazardRead.
  std::uint8_t* lsram_hazard = nullptr;
  TecPort* port = nullptr;  // every access that is not a plain LSRAM access
  // Address of the vector or scalar access of each slot of the current bundle (bank conflicts).
  std::array<std::uint32_t, isa::kSlots> address{};
  // The current bundle went through the port: it may have failed, or cost more than an LSRAM access.
  bool slow_access = false;
};

// An unfinished DMA request writes, or reads, some byte of the granule.
inline constexpr std::uint8_t kHazardWritten = 1, kHazardRead = 2;
inline constexpr unsigned kGranuleBytes = 32;

// What micro-operations cannot do on TecState alone: accesses that the fast paths of the memory instructions
// do not cover (GSRAM, DDR, hazards, misuse) and control registers. What fails stops the TEC; the result no
// longer matters.
class TecPort {
 public:
  virtual ~TecPort() = default;
  virtual void load(std::uint32_t address, std::uint8_t* data, unsigned bytes, unsigned slot) = 0;
  virtual void store(std::uint32_t address, const std::uint8_t* data, unsigned bytes, unsigned slot) = 0;
  // False: the index is not implemented, the destination keeps its value (tec-semantics.md 2.4).
  virtual bool read_control(unsigned space, unsigned index, std::uint32_t& value) = 0;
  virtual void write_control(unsigned space, unsigned index, std::uint32_t value) = 0;
};

// Which instruction set the micro-operations are compiled for: the best that the host has.
// nullptr for operations that are not a micro-operation (control, DMA) or whose effect is unknown.
// `half_up` selects the rounding of ties in lsrr, asrr and nsr.*r.
OpFunction select_function(const isa::Instruction& instruction, bool half_up);

// One micro-operation that does what `first` and then `second` do, for the pairs that inner loops consist of.
// False: there is none.
bool fuse(const MicroOp& first, const MicroOp& second, MicroOp& pair);

// Saves a register before the bundle overwrites it.
void copy_gpr(TecState& s, const MicroOp& op);
void copy_vector(TecState& s, const MicroOp& op);
void copy_predicate(TecState& s, const MicroOp& op);

}  // namespace zynpu::vnpu
