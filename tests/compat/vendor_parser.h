// SPDX-License-Identifier: MIT
// The checks of the vendor's own loader, written from graph-format.md alone (sections 1, 2, 5.1, 6, 7 and 10,
// with what job creation needs from 3 and 8): a file without complaints is one that the vendor's user-mode
// driver accepts. Shares no code with src/graph.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace zynpu::test {

inline constexpr unsigned kCrashStatus = 0xDEAD;

struct VendorComplaint {
  unsigned status = 0;  // of the vendor; kCrashStatus: its loader would crash or misbehave
  std::string text;
};

std::vector<VendorComplaint> vendor_check(std::span<const std::uint8_t> file);

}  // namespace zynpu::test
