// SPDX-License-Identifier: MIT
#include <iterator>
#include <vector>

#include "isa/asm.h"
#include "isa/bundle.h"
#include "isa/roles.h"
#include "isa/table.h"
#include "isa/text.h"

namespace zynpu::isa {
namespace detail {
namespace {

constexpr std::string_view kSizeLetters = "bhw";

void print_register(std::string& out, File file, unsigned number) {
  if (file == File::kGpr && number >= kFirstAlias && number < kFirstAlias + std::size(kGprAliases))
    out += kGprAliases[number - kFirstAlias];
  else
    fmt::format_to(std::back_inserter(out), "{}{}", "rtp"[static_cast<unsigned>(file)], number);
}

void print_operand(std::string& out, const OpInfo& row, const Instruction& insn, std::string_view name,
                   std::string_view label) {
  if (name == "sz") {
    out += kSizeLetters[static_cast<unsigned>(insn.size) % kSizeLetters.size()];
  } else if (name == "u" || name == "ua" || name == "ub") {
    if (name == "u" ? insn.unsigned_d : name == "ua" ? insn.unsigned_a : insn.unsigned_b) out += 'u';
  } else if (name == "td1") {
    print_register(out, File::kVector, insn.d + 1u);
  } else if (name == "tgt") {
    if (label.empty())
      fmt::format_to(std::back_inserter(out), ".{:+}", insn.imm);
    else
      out += label;
  } else {
    for (unsigned i = 0; i < row.fields; ++i) {
      const Field& field = row.field[i];
      if (field.name != name) continue;
      const std::int32_t value = get(insn, field.role);
      if (field.kind == FieldKind::kRegister)
        print_register(out, field.file, static_cast<unsigned>(value));
      else if (name == "idx")
        fmt::format_to(std::back_inserter(out), "{:#x}", value);
      else
        fmt::format_to(std::back_inserter(out), "{}", value);
      return;
    }
  }
}

}  // namespace

std::string print(const Instruction& insn, std::string_view label) {
  const OpInfo& row = info(insn.op);
  std::string out;
  std::string_view syntax = row.syntax;
  while (!syntax.empty()) {
    const char c = syntax.front();
    if (c != '{') {
      syntax.remove_prefix(1);
      // The sign of a negative offset takes the place of the plus.
      if (c == '+' && insn.imm < 0 && (is_load(row.kind) || is_store(row.kind))) continue;
      out += c;
      continue;
    }
    const std::string_view name = syntax.substr(1, syntax.find('}') - 1);
    syntax.remove_prefix(name.size() + 2);
    print_operand(out, row, insn, name, label);
  }
  return out;
}

std::string print(const Bundle& bundle, std::string_view label) {
  std::vector<Instruction> list;
  for (const Instruction& insn : bundle.slot)
    if (insn.op != Op::kNop) list.push_back(insn);
  const auto placed = place(list);
  if (!placed || *placed != bundle) {
    // Nops keep the slots before the last instruction.
    list.assign(bundle.slot.begin(), bundle.slot.end());
    while (!list.empty() && list.back().op == Op::kNop) list.pop_back();
  }
  if (list.empty()) return "{ nop }";
  std::string out = "{ ";
  for (const Instruction& insn : list) {
    if (out.size() > 2) out += "; ";
    out += print(insn, info(insn.op).kind == Kind::kBranch ? label : std::string_view{});
  }
  return out + " }";
}

}  // namespace detail

std::string to_string(const Instruction& insn) { return detail::print(insn, {}); }
std::string to_string(const Bundle& bundle) { return detail::print(bundle, {}); }

}  // namespace zynpu::isa
