// SPDX-License-Identifier: MIT
// Where the tensors of an NPU step live: inputs and outputs in sections of their own, everything between in
// one reused section.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "base/error.h"
#include "ir/graph.h"

namespace zynpu::compiler {

// Tensors that share bytes: a RESHAPE makes its output an alias of its input. The step's inputs and outputs
// are external: the caller chooses their memory, so no two of them can be merged.
class TensorHomes {
 public:
  TensorHomes(const std::vector<int>& inputs, const std::vector<int>& outputs);

  // Merges both, or returns false if both are external already: then the operator is a copy.
  bool alias(int a, int b);
  // The tensor whose memory `tensor` uses: external if its group has an external member.
  int home(int tensor) const;
  bool external(int tensor) const { return external_.contains(tensor); }

 private:
  int root(int tensor) const;
  std::map<int, int> parent_;
  std::set<int> external_;
};

// One temporary: bytes and the layers (inclusive) between which it must live.
struct LiveRange {
  int tensor = -1;
  std::uint64_t bytes = 0;
  int first = 0, last = 0;
};

struct TemporaryPlan {
  std::map<int, std::uint32_t> offset;  // by tensor
  std::uint32_t size = 0;
};

// Best fit, largest first. Offsets are multiples of 64 and ranges are padded to 64, so no line holds two
// tensors. kOutOfMemory if the section would exceed `limit`.
Result<TemporaryPlan> place_temporaries(std::vector<LiveRange> ranges, std::uint64_t limit);

}  // namespace zynpu::compiler
