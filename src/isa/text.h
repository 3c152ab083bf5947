// SPDX-License-Identifier: MIT
// Internal to the room: reading and printing single instructions.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "isa/instruction.h"

namespace zynpu::isa::detail {

// Letters, digits, and what else may stand in a label or mnemonic.
constexpr bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '$';
}

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r'; }

// Names of the GPRs from r22 on.
inline constexpr unsigned kFirstAlias = 22;
inline constexpr std::string_view kGprAliases[] = {"fp", "cp", "tcbp", "pp", "sdp",
                                                   "dp", "lp", "sp",   "ra", "zero"};

// Without spaces at both ends.
constexpr std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// A decimal or 0x number with an optional sign at the front of `text`, which is advanced past it. False, and
// `text` unchanged, if there is none or it does not fit 33 bits.
bool take_number(std::string_view& text, std::int64_t& value);

struct ParsedInstruction {
  Instruction insn;
  std::string label;  // the branch target, if it is a name; then insn.imm is 0
};

// Reads one instruction. Errors have no position.
Result<ParsedInstruction> parse(std::string_view text);

// Prints one instruction; `label` replaces the distance of a branch unless it is empty.
std::string print(const Instruction& insn, std::string_view label);

// Prints a bundle; `label` is for the branch in slot 0.
std::string print(const Bundle& bundle, std::string_view label);

}  // namespace zynpu::isa::detail
