// SPDX-License-Identifier: MIT
// From words to instructions. Strict: what is not exactly the canonical encoding of a known form is an error
// that gives the word, the slot and the reason. Hence encode(decode(w)) == w for every accepted w. Pure
// functions.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "isa/instruction.h"

namespace zynpu::isa {

// The instruction of a word in `slot` (0..3). Bit 31, the end-of-bundle mark, must be clear.
Result<Instruction> decode(std::uint32_t word, unsigned slot);

// The four instructions of a bundle; the end mark must stand where it belongs, and the bundle must be legal.
Result<Bundle> decode(const BundleWords& words);

}  // namespace zynpu::isa
