// SPDX-License-Identifier: MIT
// Result latencies and issue costs of the TEC in cycles (tec-semantics.md 9.1, 9.2), for simulator and
// scheduler alike. Costs of memories and of instruction fetch are not properties of the instructions and
// stand with the simulator.
#pragma once

#include <cstdint>

#include "isa/instruction.h"
#include "isa/table.h"

namespace zynpu::isa {

// Cycles from the issue of the producer to the earliest issue of a consumer that does not stall.
inline constexpr unsigned kScalarLatency = 1;
inline constexpr unsigned kVectorLatency = 2;
inline constexpr unsigned kLoadLatency = 3;         // from LSRAM; of a scalar load assumed
inline constexpr unsigned kRemoteLoadLatency = 30;  // vector load from GSRAM or GM, approximate
inline constexpr unsigned kFloatMultiplyLatency = 4;
inline constexpr unsigned kMatrixLatency = 4;       // mml, mma to anything but the next mma; assumed
inline constexpr unsigned kDotChainLatency = 1;     // qdpa to qdpa on one accumulator
inline constexpr unsigned kMatrixChainLatency = 2;  // mma to mma on one accumulator pair

// Issue costs of the situations below; an ordinary bundle costs 1.
inline constexpr unsigned kMatrixPairCost = 2;       // two mml/mma
inline constexpr unsigned kDotBesideMoveCost = 2;    // qdpa/qdot beside a vector operation of slot 2
inline constexpr unsigned kFmaBesideSelectCost = 2;  // fp32 fma beside an extract or sel
inline constexpr unsigned kBankConflictCost =
    2;                                           // two accesses that the banks of LSRAM cannot serve together
inline constexpr unsigned kAfterMatrixCost = 3;  // first vector arithmetic after mml/mma
inline constexpr unsigned kStoreWindow = 3;      // cycles that hold at most two vector stores

// Latency of the result of `op` for a consumer that does not accumulate onto it; 0 if there is no result.
// Loads count as if from LSRAM.
unsigned result_latency(Op op);

// Latency from `producer`, which writes register `reg` of `file`, to `consumer`, which reads it:
// result_latency() but for accumulators that are passed on inside their unit.
unsigned dependence_latency(const Instruction& producer, const Instruction& consumer, File file,
                            unsigned reg);

// Cycles that a bundle takes to issue on its own merits: 1, or 2 for two mml/mma, for qdpa/qdot beside a
// vector operation of slot 2, and for fp32 fma beside an extract or sel.
unsigned issue_cost(const Bundle& bundle);

// LSRAM bank of a device address: the two banks interleave every 64 bytes.
constexpr unsigned lsram_bank(std::uint32_t address) { return address >> 6 & 1; }

// Issue cost in context. One object per TEC; not safe to share between threads.
class IssueModel {
 public:
  // Cycles that `bundle` takes if it issues at cycle `now`, which must not decrease: issue_cost(), and
  // - kAfterMatrixCost for the first vector-arithmetic bundle after a bundle with mml/mma,
  // - kBankConflictCost if `bank_conflict`: two loads of the bundle hit one LSRAM bank, or a load and a store
  // different ones (the cost
  //   of the latter is assumed),
  // - one more for a third vector store within kStoreWindow cycles.
  unsigned issue(const Bundle& bundle, std::uint64_t now, bool bank_conflict = false);

  // Forgets what went before, as at the start of a task.
  void reset() { *this = IssueModel{}; }

 private:
  bool after_matrix_ = false;
  unsigned stores_ = 0;             // valid entries of store_cycle_
  std::uint64_t store_cycle_[2]{};  // cycles of the last two vector stores, older first
};

}  // namespace zynpu::isa
