// SPDX-License-Identifier: MIT
#include "compiler/emit/schedule_layers.h"

#include <algorithm>
#include <array>

namespace zynpu::compiler {

std::vector<Sharing> choose_sharing(std::span<const LayerCost> layers, bool meetings) {
  // Shortest path; state: how the operator before was shared.
  constexpr std::uint64_t kFar = LayerCost::kNever / 4;
  struct Best {
    std::uint64_t cost = kFar;
    int from = 0;
  };
  std::vector<std::array<Best, 3>> best(layers.size());
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::array<std::uint64_t, 3> own{layers[i].one, layers[i].core, layers[i].all};
    for (int now = 0; now < 3; ++now) {
      if (own[static_cast<std::size_t>(now)] == LayerCost::kNever) continue;
      for (int before = 0; before < 3; ++before) {
        if (i == 0 && before != 0) break;
        const std::uint64_t reached = i == 0 ? 0 : best[i - 1][static_cast<std::size_t>(before)].cost;
        if (reached >= kFar) continue;
        const bool one_tec = now == 0 && before == 0, one_core = now < 2 && before < 2;
        const std::uint64_t joint = one_tec ? 0 : meetings && one_core ? kMeetingCycles : kBoundaryCycles;
        const std::uint64_t boundary = joint + (now == 2 ? kBoundaryCycles : 0);
        Best& entry = best[i][static_cast<std::size_t>(now)];
        const std::uint64_t cost = reached + boundary + own[static_cast<std::size_t>(now)];
        if (cost < entry.cost) entry = {cost, before};
      }
    }
  }
  std::vector<Sharing> chosen(layers.size(), Sharing::kOneCore);
  int state = 0;
  for (std::size_t i = layers.size(); i-- > 0;) {
    if (i + 1 == layers.size()) {
      const auto& last = best[i];
      state =
          static_cast<int>(std::min_element(last.begin(), last.end(),
                                            [](const Best& a, const Best& b) { return a.cost < b.cost; }) -
                           last.begin());
    }
    chosen[i] = static_cast<Sharing>(state);
    state = best[i][static_cast<std::size_t>(state)].from;
  }
  return chosen;
}

}  // namespace zynpu::compiler
