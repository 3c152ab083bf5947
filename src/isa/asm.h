// SPDX-License-Identifier: MIT
// Assembly text of the TEC and back (tec-isa-encoding.md 1.2). Pure functions.
//
// A source is a sequence of lines. Instructions between braces make one bundle and are separated by newlines
// or `;`; outside braces each is a bundle of its own. They are placed as place() of bundle.h does it; `{ }`
// emits nothing,
// `{ nop }` the empty bundle. `label:` names the next bundle. Comments run from `#` or `//` to the end of the
// line or stand between `/*` and `*/`. Registers are r0..r31 or fp cp tcbp pp sdp dp lp sp ra zero
// (r22..r31), t0..t31, p0..p7. Numbers are decimal or 0x hex. Branch targets are labels or distances in
// bundles, `.+N` and `.-N`. Directives: `.text`, `.globl NAME` and `.p2align 0..4` change nothing; `.p2align
// N` beyond 4 pads with empty bundles to 2^N bytes (N <= 12); `.bundle W, W, W, W` emits four words as they
// are.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "isa/instruction.h"

namespace zynpu::isa {

struct Program {
  std::vector<std::uint8_t> bytes;                           // whole bundles, little-endian words
  std::map<std::string, std::uint32_t, std::less<>> labels;  // byte offset of each label in `bytes`
};

// Errors are kBadFile and start with "line L: ", L counted from 1.
Result<Program> assemble(std::string_view source);

// One instruction without labels, e.g. "ld r2, [r2+56]". A mnemonic with several forms gets the first that
// fits.
Result<Instruction> parse_instruction(std::string_view text);

// The instruction as the assembler reads it; branch targets as `.+N` and `.-N`.
std::string to_string(const Instruction& insn);

// The bundle on one line, in braces. Nops are left out unless they are needed to keep the others in their
// slots.
std::string to_string(const Bundle& bundle);

struct DisassembleOptions {
  bool addresses = false;  // begin each line with a comment that gives the bundle's address
  std::uint32_t base = 0;  // address of the first byte
  bool labels = true;      // name branch targets inside the text (L<bundle number>), else print distances
  bool refuse_unknown =
      false;  // an undecodable bundle is an error instead of a `.bundle` line with the reason
};

// Text that assemble() turns back into the same bytes. `bytes` must be whole bundles. One line per bundle,
// plus labels.
Result<std::string> disassemble(std::span<const std::uint8_t> bytes, const DisassembleOptions& options = {});

}  // namespace zynpu::isa
