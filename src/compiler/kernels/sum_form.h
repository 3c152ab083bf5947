// SPDX-License-Identifier: MIT
// ADD and SUB of int8 tensors in fp32, proven exact.
#pragma once

#include <cstdint>
#include <optional>

#include "reference/operators.h"

namespace zynpu::compiler {

// With x, y the operands less their zero points:
//
//   high = x * a_high + y * b_high        exact: both factors are multiples of one power of two
//   n    = rint(high)
//   rest = (high - n) + x * a_low + y * b_low
//   result = clamp(n + rint(rest) + zero point of the output)
//
// The two-part factors carry some 40 bits, so that `rest` is known to about 2^-23. There are only 65536 pairs
// (x, y): each is compared with the reference, and `rest` must stay clear of the halves by a margin that
// covers the rounding of its three operations in any mode.
struct SumForm {
  float a_high = 0, a_low = 0, b_high = 0, b_low = 0;
};

// The form for ADD (`subtract` false) or SUB with these parameters; nothing if none of the candidates is
// exact.
std::optional<SumForm> prove_sum(const reference::AddParameters& parameters, bool subtract);

}  // namespace zynpu::compiler
