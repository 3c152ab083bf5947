// SPDX-License-Identifier: MIT
// What a kernel's lower() returns: the program of one operator, not yet placed in memory or in an image.
//
// Contract of the code when it starts:
//   kLayerParams (r20)  address of the layer's parameter words (DDR, read with ld; word i at offset 4 i)
//   kWorker (r21)       index of this worker within the layer, 0 .. workers - 1
//   p7                  all lanes; vector arithmetic is enabled
// It must leave r20..r25 as they are (the builder's pools never hand them out), may use every other register,
// all of LSRAM and all four flags, must have waited for every flag that it raised, and falls out of its last
// bundle. Data of other layers is read and written by DMA only; ld is for parameters and blobs. No stores to
// DDR.
//
// Keep code small and equal: every first execution of a bundle costs some 75 cycles (tec-semantics.md 9.4),
// and layers whose code is byte for byte the same share it. So geometry belongs into parameters and step
// records, not into immediates.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/codegen/builder.h"

namespace zynpu::compiler {

// Read-only bytes of a layer: packed weights, tables, step records, descriptors. Placed in the static section
// at a multiple of 64 bytes; equal blobs of different layers are stored once.
struct Blob {
  std::vector<std::uint8_t> bytes;
};

// One parameter word.
struct Param {
  enum class Kind : std::uint8_t {
    kLiteral,  // value
    kTensor,   // device address of tensor `index` (of ir::Graph) + value
    kBlob,     // device address of LayerProgram::blobs[index] + value
  };
  Kind kind = Kind::kLiteral;
  int index = 0;
  std::uint32_t value = 0;

  static Param literal(std::uint32_t value) { return {Kind::kLiteral, 0, value}; }
  static Param tensor(int index, std::uint32_t offset = 0) { return {Kind::kTensor, index, offset}; }
  static Param blob(int index, std::uint32_t offset = 0) { return {Kind::kBlob, index, offset}; }
};

struct LayerProgram {
  Fragment code;
  std::vector<Blob> blobs;
  std::vector<Param> params;
  unsigned workers = 1;
  // Modelled cycles of the slowest worker, DMA included, cold instruction fetch not.
  std::uint64_t predicted_cycles = 0;
};

inline constexpr std::uint32_t kLsramBytes = 32 * 1024;
// Vector loads and DMA stay below this: 16 readable bytes must follow every buffer (tec-semantics.md 3.6).
inline constexpr std::uint32_t kLsramUsable = kLsramBytes - 32;

}  // namespace zynpu::compiler
