// SPDX-License-Identifier: MIT
// How the TECs of a virtual z2 core wait for each other: no barrier instruction is public, so they poll words
// in GSRAM. Each word has one writer; a TEC's stores become visible in order. GSRAM keeps what earlier jobs
// left, also what aborted ones left, so nothing may be assumed about the words at the start.
//
// Start: every pair (TEC 0, TEC i) exchanges numbers that differ from all that stand in the words. A TEC that
// gets its own fresh number echoed knows that the other one is running in this job and that the other's words
// are fresh. Meeting: TEC i writes the number of the meeting; TEC 0 waits for all, then writes it for all to
// see.
#pragma once

#include "base/error.h"
#include "compiler/codegen/builder.h"

namespace zynpu::compiler {

// Once, before the first meeting. Uses kTaskIndex.
Result<Fragment> meeting_start(unsigned tecs);

// `number`: a register that holds another value at each meeting of a job, never 0, the same on all TECs.
Result<Fragment> meeting(unsigned tecs, R number);

}  // namespace zynpu::compiler
