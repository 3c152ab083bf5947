// SPDX-License-Identifier: MIT
#include "isa/table.h"

#include <stdexcept>

namespace zynpu::isa {
namespace {

struct NamedRole {
  std::string_view name;
  Role role;
  File file;
};

constexpr NamedRole kRoles[] = {
    {"rd", Role::kD, File::kGpr},
    {"td", Role::kD, File::kVector},
    {"pd", Role::kD, File::kPredicate},
    {"pr", Role::kD, File::kPredicate},
    {"ra", Role::kA, File::kGpr},
    {"ta", Role::kA, File::kVector},
    {"rb", Role::kB, File::kGpr},
    {"tb", Role::kB, File::kVector},
    {"p", Role::kP, File::kPredicate},
    {"rsync", Role::kD, File::kGpr},
    {"sync", Role::kD, File::kGpr},
    {"desp", Role::kA, File::kGpr},
    {"ctrl", Role::kA, File::kGpr},
    {"int_addr", Role::kB, File::kGpr},
    {"param", Role::kB, File::kGpr},
    {"ext_addr", Role::kC, File::kGpr},
    {"act", Role::kC, File::kGpr},
    {"imm", Role::kImm, File::kGpr},
    {"first", Role::kImm, File::kGpr},
    {"more", Role::kImm2, File::kGpr},
    {"tgt", Role::kImm, File::kGpr},
    {"idx", Role::kImm, File::kGpr},
    {"off", Role::kImm, File::kGpr},
    {"mode", Role::kImm, File::kGpr},
    {"line", Role::kImm2, File::kGpr},
    {"sz", Role::kSize, File::kGpr},
    {"u", Role::kUnsigned, File::kGpr},
    {"desp_ctrl", Role::kDespCtrl, File::kGpr},
    {"int_base", Role::kIntSpace, File::kGpr},
    {"ext_base", Role::kExtSpace, File::kGpr},
    {"dir", Role::kDir, File::kGpr},
    {"data_unit", Role::kDataUnit, File::kGpr},
};

// Reads the field column of ops.inc. Runs at compile time only: a mistake in the table fails the build there.
class FieldParser {
 public:
  constexpr explicit FieldParser(std::string_view text) : text_(text) {}

  constexpr bool done() const { return at_ == text_.size(); }

  constexpr Field next() {
    Field field;
    const std::size_t start = at_;
    while (text_[at_] != ':' && text_[at_] != '@') ++at_;
    field.name = text_.substr(start, at_ - start);
    name_role(field);
    unsigned declared = 0;
    if (text_[at_] == ':') declared = type(field);
    expect('@');
    do {
      if (field.ranges == field.range.size()) throw std::logic_error("too many bit ranges");
      BitRange& range = field.range[field.ranges++];
      range.high = static_cast<std::uint8_t>(number());
      expect(':');
      range.low = static_cast<std::uint8_t>(number());
      if (range.high < range.low || range.high > 63) throw std::logic_error("bad bit range");
      field.bits = static_cast<std::uint8_t>(field.bits + range.high - range.low + 1);
    } while (at_ < text_.size() && text_[at_] == '+' && ++at_ != 0);
    if (declared != 0 && declared != field.bits) throw std::logic_error("width differs from the bit ranges");
    if (at_ < text_.size()) expect(' ');
    return field;
  }

 private:
  constexpr void name_role(Field& field) const {
    for (const NamedRole& named : kRoles) {
      if (named.name != field.name) continue;
      field.role = named.role;
      field.file = named.file;
      if (named.role == Role::kSize) field.kind = FieldKind::kSize;
      if (named.role == Role::kUnsigned) field.kind = FieldKind::kUnsigned;
      return;
    }
    throw std::logic_error("unknown field name");
  }

  // Reads ":u5", ":s20*2", ":s9%4" or ":oh"; returns the width, 0 for a one-hot field.
  constexpr unsigned type(Field& field) {
    expect(':');
    const char letter = text_[at_++];
    if (letter == 'o') {
      expect('h');
      field.kind = FieldKind::kOneHot;
      return 0;
    }
    if (letter != 'u' && letter != 's') throw std::logic_error("unknown field type");
    field.kind = letter == 's' ? FieldKind::kSigned : FieldKind::kUnsigned;
    const unsigned width = number();
    if (text_[at_] == '*') {
      ++at_;
      field.scale = static_cast<std::int32_t>(number());
    } else if (text_[at_] == '%') {
      ++at_;
      field.multiple = static_cast<std::int32_t>(number());
    }
    return width;
  }

  constexpr unsigned number() {
    unsigned value = 0;
    const std::size_t start = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9')
      value = value * 10 + static_cast<unsigned>(text_[at_++] - '0');
    if (at_ == start) throw std::logic_error("number expected");
    return value;
  }

  constexpr void expect(char c) {
    if (at_ >= text_.size() || text_[at_] != c) throw std::logic_error("malformed field");
    ++at_;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

constexpr std::uint64_t kSignBit = std::uint64_t{1} << 17;  // of the sign order rule

constexpr OpInfo make_row(Op op, std::string_view id, std::string_view syntax, SlotClass slot_class,
                          std::uint64_t base, std::string_view fields, Order order, Evidence evidence,
                          Kind kind, Dest dest, Meaning meaning, std::string_view summary) {
  OpInfo row;
  row.op = op;
  row.id = id;
  row.syntax = syntax;
  row.mnemonic = syntax.substr(0, syntax.find(' '));
  row.summary = summary;
  row.slot_class = slot_class;
  row.base = base;
  row.order = order;
  row.evidence = evidence;
  row.kind = kind;
  row.dest = dest;
  row.meaning = meaning;
  std::uint64_t variable = order == Order::kSign ? kSignBit : 0;
  for (FieldParser parser(fields); !parser.done();) {
    if (row.fields == row.field.size()) throw std::logic_error("too many fields");
    const Field& field = row.field[row.fields++] = parser.next();
    for (unsigned i = 0; i < field.ranges; ++i) {
      const unsigned width = field.range[i].high - field.range[i].low + 1u;
      const std::uint64_t mask = ((std::uint64_t{1} << width) - 1) << field.range[i].low;
      if ((variable & mask) != 0) throw std::logic_error("fields overlap");
      variable |= mask;
    }
  }
  // A one-word form says nothing about bit 31: it is the end-of-bundle mark, not part of the instruction.
  row.fixed = ~variable & (row.two_words() ? ~std::uint64_t{0} : std::uint64_t{0x7FFFFFFF});
  if ((base & ~row.fixed) != 0) throw std::logic_error("the base word reaches into a field");
  if ((dest == Dest::kNone) == row.has(Role::kD)) throw std::logic_error("destination and its use disagree");
  return row;
}

// One evaluation per row keeps each within the compilers' limits on constant evaluation.
#define ZYNPU_OP(name, id, syntax, slots, base, fields, order, evidence, kind, dest, meaning, summary)    \
  constexpr OpInfo kRow##name =                                                                           \
      make_row(Op::k##name, id, syntax, SlotClass::slots, base, fields, Order::order, Evidence::evidence, \
               Kind::kind, Dest::dest, Meaning::meaning, summary);
#include "isa/ops.inc"
#undef ZYNPU_OP

}  // namespace

namespace detail {

constexpr std::array<OpInfo, kOpCount> kTable = {{
#define ZYNPU_OP(name, ...) kRow##name,
#include "isa/ops.inc"
#undef ZYNPU_OP
}};

}  // namespace detail
}  // namespace zynpu::isa
