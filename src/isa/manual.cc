// SPDX-License-Identifier: MIT
#include "isa/manual.h"

#include <fmt/format.h>

#include <initializer_list>
#include <iterator>
#include <string_view>
#include <vector>

#include "isa/table.h"
#include "isa/timing.h"

namespace zynpu::isa {
namespace {

struct Section {
  std::string_view title;
  std::string_view text;
  std::vector<Kind> kinds;
};

const std::vector<Section>& sections() {
  static const std::vector<Section> list = {
      {"Scalar arithmetic, logic and moves",
       "Registers are 32 bits wide and arithmetic wraps.",
       {Kind::kScalar, Kind::kPredicateMove}},
      {"Control flow and control registers",
       "Branch distances count bundles from the branch's own bundle. There are no delay slots. Hardware "
       "loops do not "
       "nest.",
       {Kind::kBranch, Kind::kLoop, Kind::kSystem, Kind::kControlRead, Kind::kControlWrite}},
      {"Memory",
       "Offsets are in bytes. A buffer that vector loads read to its end is followed by at least 16 readable "
       "bytes.",
       {Kind::kScalarLoad, Kind::kScalarStore, Kind::kVectorLoad, Kind::kVectorStore, Kind::kCacheOp}},
      {"Vector integer arithmetic",
       "A form with a predicate keeps the lanes of `td` where it is not set; compares clear theirs.",
       {Kind::kDotAccumulate, Kind::kDot, Kind::kVectorMultiply, Kind::kVectorInteger, Kind::kVectorCompare}},
      {"Vector floating point and matrices",
       "A 4 x 4 fp32 result fills the pair `td`, `td1`, rows one behind the other; `td` is at most `t30`.",
       {Kind::kFloatAdd, Kind::kFloatMultiply, Kind::kMatrix}},
      {"Vector lane moves, logic, shifts, widening, narrowing",
       "Shift amounts are unsigned; an amount of the lane width or more gives 0, or the sign for arithmetic "
       "shifts. "
       "Narrowing works in place.",
       {Kind::kLaneMove, Kind::kExtract, Kind::kSelect, Kind::kVectorLogic, Kind::kVectorShift, Kind::kWiden,
        Kind::kNarrow}},
      {"Vector immediates", "", {Kind::kVectorImmediate}},
      {"Two-word forms",
       "Bit numbers from 32 on are those of the second word. `rsync` and `sync` hold the number of the flag "
       "that the "
       "request raises, `desp`, `ctrl`, `param` and `act` addresses of descriptors.",
       {Kind::kDma, Kind::kAiff}},
      {"No operation", "", {Kind::kNop}},
  };
  return list;
}

std::string_view evidence_letter(Evidence evidence) {
  switch (evidence) {
    case Evidence::kVerified:
      return "V";
    case Evidence::kEncoder:
      return "E";
    case Evidence::kInferred:
      return "I";
  }
  return "";
}

std::string slots_text(SlotClass slot_class) {
  if (slot_class == SlotClass::kAny) return "any";
  if (slot_class == SlotClass::kW) return "0+1";
  std::string text;
  for (unsigned slot = 0; slot < kSlots; ++slot)
    if ((slot_mask(slot_class) >> slot & 1) != 0) text += fmt::format("{}{}", text.empty() ? "" : ", ", slot);
  return text;
}

// {td}.{u}{sz} becomes td.[u]S.
std::string syntax_text(std::string_view syntax) {
  std::string text;
  while (!syntax.empty()) {
    if (syntax.front() != '{') {
      text += syntax.front();
      syntax.remove_prefix(1);
      continue;
    }
    const std::string_view name = syntax.substr(1, syntax.find('}') - 1);
    syntax.remove_prefix(name.size() + 2);
    if (name == "sz")
      text += 'S';
    else if (name == "u" || name == "ua" || name == "ub")
      text += "[u]";
    else
      text += name;
  }
  return text;
}

std::string fields_text(const OpInfo& row) {
  std::string text;
  const auto out = std::back_inserter(text);
  for (unsigned i = 0; i < row.fields; ++i) {
    const Field& field = row.field[i];
    if (i != 0) text += ' ';
    text += field.name;
    if (field.kind == FieldKind::kOneHot) text += ":oh";
    if (field.kind == FieldKind::kSigned) fmt::format_to(out, ":s{}", field.bits);
    if (field.kind == FieldKind::kUnsigned) fmt::format_to(out, ":u{}", field.bits);
    if (field.scale != 1) fmt::format_to(out, "*{}", field.scale);
    if (field.multiple != 1) fmt::format_to(out, "%{}", field.multiple);
    for (unsigned range = 0; range < field.ranges; ++range)
      fmt::format_to(out, "{}{}:{}", range == 0 ? '@' : '+', field.range[range].high, field.range[range].low);
  }
  switch (row.order) {
    case Order::kNone:
      break;
    case Order::kLow:
      text += " order=low";
      break;
    case Order::kHigh:
      text += " order=high";
      break;
    case Order::kSign:
      text += " order=sign";
      break;
  }
  return text;
}

std::string base_text(const OpInfo& row) {
  if (!row.two_words()) return fmt::format("{:08X}", row.base);
  return fmt::format("{:08X} {:08X}", row.base & 0xFFFFFFFF, row.base >> 32);
}

// A bar would end the table cell.
std::string cell(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '|') result += '\\';
    result += c;
  }
  return result;
}

void write_row(std::string& page, const OpInfo& row) {
  const unsigned latency = result_latency(row.op);
  const std::string fields = fields_text(row);
  fmt::format_to(std::back_inserter(page), "| `{}` | {} | `{}` | {} | {} | {} | {} |\n",
                 syntax_text(row.syntax), slots_text(row.slot_class), base_text(row),
                 fields.empty() ? "" : "`" + fields + "`", evidence_letter(row.evidence),
                 latency == 0 ? std::string{} : std::to_string(latency), cell(row.summary));
}

constexpr std::string_view kHead = R"(<!-- SPDX-License-Identifier: MIT -->
# The instruction set of the TEC

The instructions of the TEC, the vector processor of the Zhouyi X2, as far as they are publicly known. This page is
written by the program `zynpu_isa_doc` from the table that the assembler, the simulator and the compiler use
(`src/isa/ops.inc`); change the table, not the page. What is assumed rather than known stands in
[assumptions.md](assumptions.md).

## Words and bundles

An instruction is a 32-bit little-endian word. Four of them, 16 bytes, make a bundle and start together: all operands are
read before any result is written. The position of a word, its slot, selects the unit, so the same bits mean different
things in different slots. Bit 31 of word 3 is set in every bundle, bit 31 of the other words is clear. The two-word forms
have it set in word 0 and clear elsewhere. Unused slots hold `nop`, `400C7FFF`.

| class | slots | takes |
|---|---|---|
| A | 0, 1 | scalar and vector arithmetic |
| B | 1 | scalar shifts and logic |
| C | 0 | control flow, control registers, scalar compare |
| M | 2, 3 | loads, scalar stores |
| S2 | 2 | vector stores, shifts, logic and lane moves; `mov` and `movh` to a GPR |
| S3 | 3 | `movh` to a predicate, `mov4`, `bcast` |
| W | 0+1 | `dma`, `aiff` |

The assembler gives each instruction of a bundle, in the order written, the lowest free slot of its class; so what needs
slot 2 is written before a load. Beyond that:

- `dma`, `aiff` and `loopend` stand alone in their bundle. What is written beside `loopend` would run once, on loop exit;
- two instructions of a bundle must not write the same register.

## Registers

`r0`..`r31` hold 32 bits; `fp` `cp` `tcbp` `pp` `sdp` `dp` `lp` `sp` `ra` `zero` are r22 to r31, and `zero` reads 0.
`t0`..`t31` hold 256 bits: 32 bytes (.b), 16 halves (.h) or 8 words (.w). `p0`..`p7` hold a bit for each byte of a vector;
of a wider lane the lowest bit counts. By convention `p7` is all ones, set once by `movh p7, 0`.

## How to read the tables

- **Syntax**: `S` is an element size `b`, `h` or `w`, the same throughout; `[u]` an optional `u` for unsigned lanes; `td1`
  the register after `td`. Branch targets are labels, `.+N` or `.-N`.
- **Base** has the bits that are the same in every word of the form; all others are in **fields**: `name@high:low` is a
  register number; `uN` and `sN` an unsigned or two's-complement immediate of N bits; ranges joined by `+` take the low
  bits first; `*k` the field holds k times the operand; `%k` the operand is a multiple of k; `oh` holds `(8 << size) |
  count`; `sz` is 0, 1, 2 for b, h, w; `pr` holds 16 + the predicate's number.
- **order=low** and **order=high**: the source with the lower or higher number stands in the first source field.
  **order=sign**: two signed sources as in low, two unsigned ones as in high with bit 17 set; of mixed ones the unsigned
  source comes first, and bit 17 is set if it has the lower number. A mixed product of a register with itself has no
  encoding.
- **Ev**, the evidence for the encoding: V a literal word of the form is public; E it comes from an encoder that was
  checked against the vendor's assembler; I it is inferred from the others and was never seen.
- **Lat**: cycles from issue to the earliest use of the result without a stall.
)";

}  // namespace

std::string manual() {
  std::string page(kHead);
  const auto out = std::back_inserter(page);
  for (const Section& section : sections()) {
    fmt::format_to(out, "\n## {}\n\n", section.title);
    if (!section.text.empty()) fmt::format_to(out, "{}\n\n", section.text);
    page += "| Syntax | Slots | Base | Fields | Ev | Lat | Meaning |\n|---|---|---|---|---|---|---|\n";
    for (const Kind kind : section.kinds)
      for (const OpInfo& row : table())
        if (row.kind == kind) write_row(page, row);
  }

  fmt::format_to(out, R"(
## Timing

A bundle issues in one cycle once its sources are ready, except:

| situation | cycles |
|---|---|
| two `mml`/`mma` in a bundle | {} |
| the first bundle with vector arithmetic after one with `mml`/`mma` | {} |
| `qdpa` or `qdot` beside a vector operation of slot 2 | {} |
| fp32 `fma` beside `ext*` or `sel` | {} |
| two loads from one bank of LSRAM (the banks change every 64 bytes) | {} |
| a third vector store within {} cycles | 1 more |

)",
                 kMatrixPairCost, kAfterMatrixCost, kDotBesideMoveCost, kFmaBesideSelectCost,
                 kBankConflictCost, kStoreWindow);
  fmt::format_to(
      out,
      R"(Accumulators pass inside their unit: `qdpa` to `qdpa` takes {}, `mma` to `mma` on one pair {}. A load takes {} from LSRAM
and about {} from GSRAM and GM.

## Forms to avoid

The encoding of these was never seen, or their effect is disputed or not described. The compiler must not use them:

)",
      kDotChainLatency, kMatrixChainLatency, kLoadLatency, kRemoteLoadLatency);
  for (const OpInfo& row : table()) {
    if (dependable(row.op)) continue;
    std::string_view why =
        row.meaning == Meaning::kDisputed ? "effect disputed" : "effect assumed or not described";
    if (row.evidence == Evidence::kInferred) why = "encoding inferred";
    fmt::format_to(out, "- `{}`: {}\n", syntax_text(row.syntax), why);
  }
  return page;
}

}  // namespace zynpu::isa
