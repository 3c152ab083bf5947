// SPDX-License-Identifier: MIT
// The tile engine: each worker of a layer runs a list of steps made at compile time. A step fills padding,
// starts the DMA of what a later step needs, waits for its own data, computes, and starts the DMA of its
// result. All irregular edges (first and last tiles, padding, odd sizes) are resolved in the records, so that
// the code stays simple and is the same for every layer of a kind.
//
//   StepLists lists(workers);
//   for each worker: vector<Tile> tiles = ...; lists.add(worker, pipeline(tiles));
//   int blob = ...; layer.params = {Param::blob(blob), Param::tensor(input), Param::tensor(output), ...};
//   layer.blobs.push_back(lists.blob());
//   emit_steps(builder, lists.shape(), [&](R step) { ... builder.ld(x, step, lists.shape().arg(0)) ... });
//
// Parameter word 0 of the layer must be the address of the blob of lists.blob().
//
// Several requests may be outstanding on one flag; the flag is busy while any is (tec-semantics.md 7.4).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/error.h"
#include "compiler/codegen/builder.h"
#include "compiler/codegen/dma.h"
#include "compiler/codegen/layer.h"

namespace zynpu::compiler {

// One DMA request between DDR and LSRAM.
struct Request {
  unsigned param = 0;            // index of the parameter word that holds the DDR base address
  std::uint32_t ddr_offset = 0;  // added to it
  std::uint32_t lsram = 0;       // device address
  Transfer transfer;
};

// Writes a byte value (emit_steps' fill register) over whole vectors before the step's loads are issued.
struct Fill {
  std::uint32_t lsram = 0;  // 32-byte aligned device address
  std::uint32_t vectors = 0;
};

// One unit of work. The buffers that tile i + 1 loads and fills must not be in use by tile i; the buffer that
// it stores must not be the one of tile i, but may be the one of tile i - 1 (two buffers in turn).
struct Tile {
  std::vector<Fill> fills;
  std::vector<Request> loads;
  std::vector<std::uint32_t> args;  // the same number for all tiles of a layer; read by the compute code
  std::vector<Request> stores;
};

// What the engine runs. Normally made by pipeline().
struct StepRequest {
  Request request;
  unsigned flag = 0;
};
struct Step {
  std::vector<Fill> fills;         // first
  std::vector<StepRequest> loads;  // then these are issued
  unsigned wait_flags = 0;         // bit f: flag f must be idle before computing
  bool compute = true;
  std::vector<std::uint32_t> args;
  std::vector<StepRequest> stores;  // after computing
};

// Tiles to steps: loads of tile i + 1 are in flight while tile i computes (flags 0 and 1 in turn), stores are
// waited for two tiles later (flags 2 and 3). With `prefetch` false the loads of a tile are issued only after
// the tile before has computed, for layers with one input buffer.
std::vector<Step> pipeline(std::span<const Tile> tiles, bool prefetch = true);

// Layout of a step record, for the compute code.
struct StepShape {
  unsigned args = 0;
  static constexpr std::int32_t kHeaderBytes = 24;
  // Byte offset of argument i from the step register.
  static constexpr std::int32_t arg(unsigned i) { return kHeaderBytes + 4 * static_cast<std::int32_t>(i); }
};

// The step lists of all workers of one layer, as one blob: directory, records, descriptors.
class StepLists {
 public:
  // `args`: arguments of every computing step.
  StepLists(unsigned workers, unsigned args) : shape_{args}, lists_(workers) {}
  void set(unsigned worker, std::vector<Step> steps) { lists_.at(worker) = std::move(steps); }
  StepShape shape() const { return shape_; }
  // kInternal if a record is malformed (wrong number of arguments, too many requests).
  Result<Blob> blob() const;

 private:
  StepShape shape_;
  std::vector<std::vector<Step>> lists_;
};

// Emits the engine around `compute(step)`; `step` is the address of the running record, valid all through.
// The general registers that the engine itself keeps while computing: 3. `fill_param` is the index of the
// parameter word whose low byte, repeated four times, is written by fills; -1: the layer has no fills and the
// code for them is left out.
void emit_steps(Builder& builder, const StepShape& shape, int fill_param,
                const std::function<void(R step)>& compute);

}  // namespace zynpu::compiler
