// SPDX-License-Identifier: MIT
#include "compiler/emit/memory_plan.h"

#include <algorithm>

#include "part/part.h"

namespace zynpu::compiler {

TensorHomes::TensorHomes(const std::vector<int>& inputs, const std::vector<int>& outputs) {
  external_.insert(inputs.begin(), inputs.end());
  external_.insert(outputs.begin(), outputs.end());
}

int TensorHomes::root(int tensor) const {
  for (auto at = parent_.find(tensor); at != parent_.end(); at = parent_.find(tensor)) tensor = at->second;
  return tensor;
}

bool TensorHomes::alias(int a, int b) {
  a = root(a);
  b = root(b);
  if (a == b) return true;
  if (external_.contains(a) && external_.contains(b)) return false;
  // The external one, or else the earlier, stays the root.
  if (external_.contains(b)) std::swap(a, b);
  parent_[b] = a;
  return true;
}

int TensorHomes::home(int tensor) const { return root(tensor); }

Result<TemporaryPlan> place_temporaries(std::vector<LiveRange> ranges, std::uint64_t limit) {
  constexpr std::uint64_t kLine = part::kCacheLineBytes;
  for (LiveRange& range : ranges) range.bytes = (range.bytes + kLine - 1) / kLine * kLine;
  std::sort(ranges.begin(), ranges.end(), [](const LiveRange& a, const LiveRange& b) {
    return a.bytes != b.bytes ? a.bytes > b.bytes : a.tensor < b.tensor;
  });
  struct Placed {
    std::uint64_t begin, end;
    const LiveRange* range;
  };
  std::vector<Placed> placed;  // by begin
  TemporaryPlan plan;
  std::uint64_t size = 0;
  for (const LiveRange& range : ranges) {
    std::uint64_t cursor = 0, best = 0, best_gap = ~std::uint64_t{0};
    bool found = false;
    for (const Placed& p : placed) {
      if (p.range->last < range.first || range.last < p.range->first) continue;
      if (p.begin >= cursor + range.bytes && p.begin - cursor < best_gap) {
        best = cursor;
        best_gap = p.begin - cursor;
        found = true;
      }
      cursor = std::max(cursor, p.end);
    }
    const std::uint64_t at = found ? best : cursor;
    if (at + range.bytes > limit)
      return fail(ErrorCode::kOutOfMemory, "intermediate tensors need more than {} bytes", limit);
    plan.offset[range.tensor] = static_cast<std::uint32_t>(at);
    size = std::max(size, at + range.bytes);
    const Placed entry{at, at + range.bytes, &range};
    placed.insert(std::upper_bound(placed.begin(), placed.end(), entry,
                                   [](const Placed& a, const Placed& b) { return a.begin < b.begin; }),
                  entry);
  }
  plan.size = static_cast<std::uint32_t>(size);
  return plan;
}

}  // namespace zynpu::compiler
