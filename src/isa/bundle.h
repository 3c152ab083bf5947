// SPDX-License-Identifier: MIT
// What may stand together in a bundle, and where (tec-isa-encoding.md 1, 1.1; tec-semantics.md 4). Pure
// functions; errors name the broken rule and the operations that break it.
#pragma once

#include <span>

#include "base/error.h"
#include "isa/instruction.h"

namespace zynpu::isa {

// Refuses a slot (0..3) that the class of the operation does not take.
Status check_slot(const Instruction& insn, unsigned slot);

// Refuses operands that check(const Instruction&) of encode.h refuses, and bundles that break a rule:
// a slot outside the operation's class; something beside a two-word form; something beside loopend; two
// writes of one register.
Status check(const Bundle& bundle);

// Puts at most four instructions into a bundle the way the vendor's assembler does it: each in turn takes the
// lowest free slot of its class. Hence an operation for slot 2 alone must come before a load, which would
// take that slot. A nop takes a slot like any other. No instructions give the empty bundle.
Result<Bundle> place(std::span<const Instruction> instructions);

// Puts the instructions into any legal slots, whatever their order: fails only if there is no such placement.
// Those with one possible slot are placed first, the others then take the lowest free slot in the order
// given.
Result<Bundle> pack(std::span<const Instruction> instructions);

}  // namespace zynpu::isa
