// SPDX-License-Identifier: MIT
#include "isa/timing.h"

#include <algorithm>

namespace zynpu::isa {
namespace {

// `consumer` touches `reg` as its accumulator and nowhere else.
bool only_accumulates(const Instruction& consumer, unsigned reg) {
  return consumer.a != reg && consumer.b != reg;
}

}  // namespace

unsigned result_latency(Op op) {
  switch (info(op).kind) {
    case Kind::kNop:
    case Kind::kBranch:
    case Kind::kLoop:
    case Kind::kSystem:
    case Kind::kControlWrite:
    case Kind::kScalarStore:
    case Kind::kVectorStore:
    case Kind::kCacheOp:
    case Kind::kDma:
    case Kind::kAiff:
      return 0;
    case Kind::kScalar:
    case Kind::kControlRead:
      return kScalarLatency;
    case Kind::kScalarLoad:
    case Kind::kVectorLoad:
      return kLoadLatency;
    case Kind::kFloatMultiply:
      return kFloatMultiplyLatency;
    case Kind::kMatrix:
      return kMatrixLatency;
    case Kind::kPredicateMove:
    case Kind::kDotAccumulate:
    case Kind::kDot:
    case Kind::kVectorMultiply:
    case Kind::kVectorInteger:
    case Kind::kVectorCompare:
    case Kind::kFloatAdd:
    case Kind::kLaneMove:
    case Kind::kExtract:
    case Kind::kSelect:
    case Kind::kVectorLogic:
    case Kind::kVectorShift:
    case Kind::kWiden:
    case Kind::kNarrow:
    case Kind::kVectorImmediate:
      return kVectorLatency;
  }
  return 0;
}

unsigned dependence_latency(const Instruction& producer, const Instruction& consumer, File file,
                            unsigned reg) {
  if (file == File::kVector && only_accumulates(consumer, reg)) {
    const Kind kind = info(producer.op).kind;
    if (kind == Kind::kDotAccumulate && consumer.op == producer.op && consumer.d == reg)
      return kDotChainLatency;
    if (kind == Kind::kMatrix && info(consumer.op).dest == Dest::kUpdatePair && consumer.d == producer.d)
      return kMatrixChainLatency;
  }
  return result_latency(producer.op);
}

unsigned issue_cost(const Bundle& bundle) {
  unsigned matrix = 0;
  bool dot = false;
  bool fma = false;
  for (unsigned slot = 0; slot < 2; ++slot) {
    const Instruction& insn = bundle.slot[slot];
    matrix += is_matrix(info(insn.op).kind) ? 1 : 0;
    dot = dot || insn.op == Op::kQdpa || insn.op == Op::kQdot;
    fma = fma || insn.op == Op::kFma;
  }
  const Kind second = info(bundle.slot[2].op).kind;
  if (matrix == 2) return kMatrixPairCost;
  if (dot && is_vector_move(second)) return kDotBesideMoveCost;
  if (fma && (second == Kind::kExtract || second == Kind::kSelect)) return kFmaBesideSelectCost;
  return 1;
}

unsigned IssueModel::issue(const Bundle& bundle, std::uint64_t now, bool bank_conflict) {
  unsigned cost = issue_cost(bundle);
  if (bank_conflict) cost = std::max(cost, kBankConflictCost);
  bool matrix = false;
  bool arithmetic = false;
  for (unsigned slot = 0; slot < 2; ++slot) {
    const Kind kind = info(bundle.slot[slot].op).kind;
    matrix = matrix || is_matrix(kind);
    arithmetic = arithmetic || is_vector_arithmetic(kind);
  }
  if (matrix) {
    after_matrix_ = true;
  } else if (arithmetic) {
    if (after_matrix_) cost = std::max(cost, kAfterMatrixCost);
    after_matrix_ = false;
  }
  if (info(bundle.slot[2].op).kind == Kind::kVectorStore) {
    std::uint64_t cycle = now;
    if (stores_ == 2 && now - store_cycle_[0] < kStoreWindow) {
      cost += 1;
      cycle += 1;
    }
    if (stores_ == 2) store_cycle_[0] = store_cycle_[1];
    stores_ = std::min(stores_ + 1, 2U);
    store_cycle_[stores_ - 1] = cycle;
  }
  return cost;
}

}  // namespace zynpu::isa
