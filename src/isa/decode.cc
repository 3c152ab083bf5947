// SPDX-License-Identifier: MIT
#include "isa/decode.h"

#include <array>
#include <bit>
#include <string>
#include <string_view>
#include <vector>

#include "isa/bundle.h"
#include "isa/roles.h"
#include "isa/table.h"

namespace zynpu::isa {
namespace {

// Bits 30..22 are fixed in every one-word form, so they select a short list of candidates.
constexpr unsigned kKeyShift = 22;
constexpr std::size_t kKeys = 512;

class Index {
 public:
  Index() {
    for (const OpInfo& row : table()) {
      if (row.two_words()) continue;
      for (unsigned slot = 0; slot < kSlots; ++slot)
        if ((slot_mask(row.slot_class) >> slot & 1) != 0)
          lists_[slot][static_cast<std::uint32_t>(row.base) >> kKeyShift].push_back(&row);
    }
  }

  const std::vector<const OpInfo*>& candidates(std::uint32_t word, unsigned slot) const {
    return lists_[slot][(word >> kKeyShift) & (kKeys - 1)];
  }

 private:
  std::array<std::array<std::vector<const OpInfo*>, kKeys>, kSlots> lists_;
};

const Index& index() {
  static const Index instance;
  return instance;
}

// Reads one field into `insn`; an empty string, or why the bits are not allowed.
std::string read_field(const OpInfo& row, const Field& field, std::uint64_t words, Instruction& insn) {
  std::uint32_t raw = detail::extract(field, words);
  std::int32_t value = 0;
  switch (field.kind) {
    case FieldKind::kRegister:
      if (detail::is_biased(field)) {
        if (raw < detail::kPredicateBias || raw > detail::kPredicateBias + 7)
          return fmt::format("field {} holds {}, predicates are 16..23 there", field.name, raw);
        raw -= detail::kPredicateBias;
      }
      if (row.writes_pair() && field.role == Role::kD && raw == 31)
        return fmt::format("register pair {} starts at 31", field.name);
      value = static_cast<std::int32_t>(raw);
      break;
    case FieldKind::kSize:
      if (raw > static_cast<std::uint32_t>(Size::kW)) return fmt::format("element size {} is reserved", raw);
      value = static_cast<std::int32_t>(raw);
      break;
    case FieldKind::kOneHot: {
      const int marker = std::bit_width(raw) - 1;
      if (marker < 3) return fmt::format("no size marker in the shift count (bits {:#x})", raw);
      insn.size = static_cast<Size>(marker - 3);
      value = static_cast<std::int32_t>(raw ^ 1u << marker);
      break;
    }
    case FieldKind::kSigned:
      value = static_cast<std::int32_t>(raw << (32 - field.bits)) >> (32 - field.bits);
      break;
    case FieldKind::kUnsigned:
      value = static_cast<std::int32_t>(raw);
      break;
  }
  if (value % field.scale != 0)
    return fmt::format("field {} holds {}, not a multiple of {}", field.name, value, field.scale);
  value /= field.scale;
  if (value % field.multiple != 0)
    return fmt::format("{} is {}, not a multiple of {}", field.name, value, field.multiple);
  detail::set(insn, field.role, value);
  return {};
}

// Reads the order rule of the sources; an empty string, or why the order is not allowed.
std::string_view read_order(const OpInfo& row, std::uint64_t words, Instruction& insn) {
  switch (row.order) {
    case Order::kNone:
      break;
    case Order::kLow:
      if (insn.a > insn.b) return "sources not in canonical order, the lower-numbered one comes first";
      break;
    case Order::kHigh:
      if (insn.a < insn.b) return "sources not in canonical order, the higher-numbered one comes first";
      break;
    case Order::kSign: {
      const bool bit = (words & detail::kSignBit) != 0;
      insn.unsigned_a = bit || insn.a > insn.b;
      insn.unsigned_b = bit && insn.a >= insn.b;
      break;
    }
  }
  return {};
}

// All operands of a word (or two) that matched the fixed bits of `row`.
std::string read_operands(const OpInfo& row, std::uint64_t words, Instruction& insn) {
  insn.op = row.op;
  for (unsigned i = 0; i < row.fields; ++i)
    if (std::string why = read_field(row, row.field[i], words, insn); !why.empty()) return why;
  return std::string(read_order(row, words, insn));
}

// Why no candidate matched.
std::string describe_unknown(std::uint32_t word, unsigned slot) {
  for (const OpInfo* row : index().candidates(word, slot)) {
    const std::uint64_t difference = (word ^ row->base) & row->fixed;
    if (std::has_single_bit(difference) && (word & difference) != 0)
      return fmt::format("unknown opcode; it would be `{}` but for bit {}, which is reserved there",
                         row->syntax, std::countr_zero(difference));
  }
  return "unknown opcode";
}

}  // namespace

Result<Instruction> decode(std::uint32_t word, unsigned slot) {
  if (slot >= kSlots) return fail(ErrorCode::kInvalidArgument, "slot {} does not exist, allowed 0..3", slot);
  if (word == kNopWord) return Instruction{};
  if ((word & kEndOfBundle) != 0)
    return fail(ErrorCode::kBadFile,
                "word {:#010x} in slot {}: bit 31 is the end-of-bundle mark, not part of it", word, slot);
  for (const OpInfo* row : index().candidates(word, slot)) {
    if ((word & row->fixed) != row->base) continue;
    Instruction insn;
    if (const std::string why = read_operands(*row, word, insn); !why.empty())
      return fail(ErrorCode::kBadFile, "word {:#010x} in slot {}: {}: {}", word, slot, row->mnemonic, why);
    return insn;
  }
  return fail(ErrorCode::kBadFile, "word {:#010x} in slot {}: {}", word, slot, describe_unknown(word, slot));
}

Result<Bundle> decode(const BundleWords& words) {
  Bundle bundle;
  if ((words[0] & kEndOfBundle) != 0) {
    const std::uint64_t both = words[0] | std::uint64_t{words[1]} << 32;
    for (const Op op : {Op::kDma, Op::kAiff}) {
      const OpInfo& row = info(op);
      if ((both & row.fixed) != row.base) continue;
      for (unsigned slot = 2; slot < kSlots; ++slot)
        if (words[slot] != kNopWord)
          return fail(ErrorCode::kBadFile, "word {:#010x} in slot {}: a plain nop must follow {}",
                      words[slot], slot, row.mnemonic);
      if (const std::string why = read_operands(row, both, bundle.slot[0]); !why.empty())
        return fail(ErrorCode::kBadFile, "words {:#010x} {:#010x} in slots 0 and 1: {}: {}", words[0],
                    words[1], row.mnemonic, why);
      return bundle;
    }
    return fail(ErrorCode::kBadFile, "words {:#010x} {:#010x} in slots 0 and 1: unknown two-word form",
                words[0], words[1]);
  }
  if ((words[kSlots - 1] & kEndOfBundle) == 0)
    return fail(ErrorCode::kBadFile, "word {:#010x} in slot 3: the end-of-bundle mark (bit 31) is missing",
                words[kSlots - 1]);
  for (unsigned slot = 0; slot < kSlots; ++slot) {
    const std::uint32_t word = slot == kSlots - 1 ? words[slot] & ~kEndOfBundle : words[slot];
    ZYNPU_ASSIGN_OR_RETURN(bundle.slot[slot], decode(word, slot));
  }
  if (Status status = check(bundle); !status)
    return fail(ErrorCode::kBadFile, "bundle {:08x} {:08x} {:08x} {:08x}: {}", words[0], words[1], words[2],
                words[3], status.error().message);
  return bundle;
}

}  // namespace zynpu::isa
