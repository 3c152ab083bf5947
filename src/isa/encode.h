// SPDX-License-Identifier: MIT
// From instructions to words. All functions are pure; errors name the operation, the operand, its value and
// its limits.
#pragma once

#include <array>
#include <cstdint>

#include "base/error.h"
#include "isa/instruction.h"

namespace zynpu::isa {

// Refuses operands that the form cannot hold: register numbers and immediates beyond their limits, offsets
// that are not a multiple of their unit, members the form does not have but which are not 0 (`size` is
// ignored there), a register pair beyond t30, a mixed-sign product of a register with itself.
Status check(const Instruction& insn);

// The one spelling of `insn` that decoding gives back: the sources of commutative forms in the order the
// encoding demands, `and zero, zero, zero` as nop, an element size the form does not have as kB.
Instruction canonical(const Instruction& insn);

// The word of a one-word form in `slot` (0..3), bit 31 clear. Refuses what check() refuses, a slot the
// operation cannot take, and the two-word forms.
Result<std::uint32_t> encode(const Instruction& insn, unsigned slot);

// Both words of dma or aiff, bit 31 of the first one set.
Result<std::array<std::uint32_t, 2>> encode_two_words(const Instruction& insn);

// The four words of a bundle, end mark included. Refuses every bundle that check(const Bundle&) of bundle.h
// refuses.
Result<BundleWords> encode(const Bundle& bundle);

}  // namespace zynpu::isa
