// SPDX-License-Identifier: MIT
// How a convolution is cut into steps that fit the local memory, and which loops the code has.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "base/error.h"
#include "compiler/codegen/steps.h"
#include "compiler/kernels/conv_problem.h"

namespace zynpu::compiler {

// What the code is generated from: layers with equal ConvCode share it.
struct ConvCode {
  bool depthwise = false;
  bool unsigned_input = false;
  bool chunked = false;  // the sum of a pixel is made in several steps
  unsigned pixels = 4;   // P: accumulated together
  unsigned vectors = 4;  // W: vectors of 8 output channels a pixel
  unsigned unroll = 2;   // words of 4 input channels a trip
  // Direct form: all words of a window are in the body of a loop over the windows of a row. They are
  // `segments` pieces of `segment_words` neighbouring words each; 0: a loop over the words instead, once for
  // every P windows.
  unsigned segments = 0, segment_words = 0;
  unsigned pass_least = 1;  // requantisation blocks of every row, at least
  bool fills = true;        // some step fills padding
  RequantPlan requant;

  unsigned block_channels() const { return 8 * vectors; }
  bool direct() const { return segments > 0; }
  unsigned words() const { return segments * segment_words; }
  // Weight vectors that the direct form keeps in registers.
  unsigned resident() const { return std::min(words() * vectors, 24 - pixels * vectors); }
  // A row of the direct form has at least so many groups, so that the loop may overlap them.
  static constexpr unsigned kLeastGroups = 3;
  static constexpr unsigned kMostSegments = 9;
  friend auto operator<=>(const ConvCode&, const ConvCode&) = default;
};

// The sum over one window as the code walks it: trips of `unroll` words, each at the pointer, which then
// moves by the trip's delta.
struct ConvWalk {
  struct Word {
    int plane = -1, ky = 0, kx = 0, channel = 0;  // plane -1: nothing, weights are zero
  };
  std::vector<Word> words;           // trips * unroll
  std::vector<std::int32_t> deltas;  // a trip
  std::vector<std::int32_t> starts;  // position before each trip, from the window's first byte
  unsigned trips() const { return static_cast<unsigned>(deltas.size()); }
};

// Arguments of a step record.
enum ConvArg : unsigned {
  kArgIn,        // first window of the tile
  kArgWeights,   // first block
  kArgBlocks,    // blocks of output channels
  kArgRows,      // rows of output pixels
  kArgGroups,    // groups of P pixels a row
  kArgOut,       // first output byte
  kArgOutRow,    // from one row to the next
  kArgOutBlock,  // from the end of a block's last row to the next block
  kArgPass,      // requantisation blocks a row, minus 1
  kArgPlainCount,
  kArgFlipAt = kArgPlainCount,      // unsigned input: first byte to flip
  kArgFlipVectors,                  // 0: flipped before
  kArgTrips = kArgFlipVectors + 1,  // chunked: trips of this chunk, minus 1
  kArgTable,                        // its deltas
  kArgInit,                         // where accumulators start from
  kArgInitStep,                     // from one group to the next
  kArgFinish,                       // 1: the last chunk
  kArgMax,
};

// Parameter words of the layer.
enum ConvParam : unsigned {
  kParamSteps,
  kParamInput,
  kParamOutput,
  kParamWeights,
  kParamFill,        // input zero point, four times
  kParamRowPitch,    // from the windows of one output row to those of the next
  kParamPixelPitch,  // from one window to the next in a row
  kParamInBlock,     // from the channels of one block to those of the next (depthwise)
  kParamBlockBytes,
  kParamHeader,  // from a block to its weights
  kParamTable,
  kParamTrips,  // minus 1
  kParamScratch,
  kParamSegments,  // direct form: from a window to each of its segments
  kParamCount = kParamSegments + ConvCode::kMostSegments,
};

struct ConvPlan {
  ConvCode code;
  ConvWalk walk;
  std::uint32_t header_bytes = 0;  // of a block: start values, requantisation constants
  std::uint32_t block_bytes = 0;   // of a block, of one chunk if chunked
  unsigned blocks = 0;             // of the layer
  unsigned chunks = 1;
  unsigned chunk_trips = 0;                         // of all chunks but the last
  std::uint32_t table_bytes = 0;                    // at the start of the weights blob
  std::array<std::uint32_t, kParamCount> params{};  // literals; addresses are filled in by the kernel
  std::vector<std::vector<Step>> steps;             // a worker
  std::uint64_t predicted_cycles = 0;
};

// Number of arguments of a step record of such code.
unsigned conv_args(const ConvCode& code);

// The best plan found. kUnsupported if nothing fits the local memory or (more workers than `tecs_per_core`)
// the output cannot be cut between cores at lines of 64 bytes.
// `shared_code`: the layer's code stands in a program with that of other layers, so a common form is worth
// something.
Result<ConvPlan> plan_conv(const ConvProblem& problem, unsigned workers, unsigned tecs_per_core,
                           bool shared_code);

// The weights blob: table of deltas, then every block (times chunks).
Result<Blob> pack_conv(const ConvProblem& problem, const ConvPlan& plan);

// The program. Made once for each form and kept: scheduling takes longer than everything else together.
// Thread-safe.
Result<Fragment> emit_conv(const ConvCode& code);

}  // namespace zynpu::compiler
