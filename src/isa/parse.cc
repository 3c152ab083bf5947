// SPDX-License-Identifier: MIT
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <vector>

#include "isa/asm.h"
#include "isa/encode.h"
#include "isa/roles.h"
#include "isa/table.h"
#include "isa/text.h"

namespace zynpu::isa {
namespace detail {

bool take_number(std::string_view& text, std::int64_t& value) {
  std::string_view rest = text;
  bool negative = false;
  if (!rest.empty() && (rest.front() == '-' || rest.front() == '+')) {
    negative = rest.front() == '-';
    rest.remove_prefix(1);
  }
  unsigned base = 10;
  if (rest.size() > 2 && rest[0] == '0' && (rest[1] == 'x' || rest[1] == 'X')) {
    base = 16;
    rest.remove_prefix(2);
  }
  std::int64_t magnitude = 0;
  std::size_t digits = 0;
  for (; digits < rest.size(); ++digits) {
    const char c = rest[digits];
    unsigned digit = 0;
    if (is_digit(c))
      digit = static_cast<unsigned>(c - '0');
    else if (base == 16 && c >= 'a' && c <= 'f')
      digit = static_cast<unsigned>(c - 'a') + 10;
    else if (base == 16 && c >= 'A' && c <= 'F')
      digit = static_cast<unsigned>(c - 'A') + 10;
    else
      break;
    magnitude = magnitude * base + digit;
    if (magnitude > std::numeric_limits<std::uint32_t>::max()) return false;
  }
  rest.remove_prefix(digits);
  if (digits == 0 || (!rest.empty() && is_name_char(rest.front()))) return false;
  value = negative ? -magnitude : magnitude;
  text = rest;
  return true;
}

namespace {

struct FileText {
  char letter;
  unsigned count;
  std::string_view name;
};

constexpr FileText kFiles[] = {{'r', 32, "GPR (r0..r31 or an alias)"},
                               {'t', 32, "vector register (t0..t31)"},
                               {'p', 8, "predicate (p0..p7)"}};

// The number of a register `name` of `file`, or nothing.
std::optional<std::uint8_t> register_number(std::string_view name, File file) {
  if (file == File::kGpr)
    for (std::size_t i = 0; i < std::size(kGprAliases); ++i)
      if (kGprAliases[i] == name) return static_cast<std::uint8_t>(kFirstAlias + i);
  const FileText& text = kFiles[static_cast<unsigned>(file)];
  if (name.size() < 2 || name.size() > 3 || name[0] != text.letter) return std::nullopt;
  if (name.size() == 3 && name[1] == '0') return std::nullopt;
  unsigned number = 0;
  for (const char c : name.substr(1)) {
    if (!is_digit(c)) return std::nullopt;
    number = number * 10 + static_cast<unsigned>(c - '0');
  }
  if (number >= text.count) return std::nullopt;
  return static_cast<std::uint8_t>(number);
}

// Compares a text with the syntax of one form.
class Matcher {
 public:
  Matcher(const OpInfo& row, std::string_view text)
      : row_(row), whole_(text), text_(text), syntax_(row.syntax) {
    result_.insn.op = row.op;
  }

  bool match() {
    while (!syntax_.empty()) {
      const char c = syntax_.front();
      if (c == '{') {
        const std::string_view name = syntax_.substr(1, syntax_.find('}') - 1);
        syntax_.remove_prefix(name.size() + 2);
        if (!operand(name)) return false;
        continue;
      }
      syntax_.remove_prefix(1);
      if (!literal(c)) return false;
    }
    skip_spaces();
    if (!text_.empty()) return miss(fmt::format("unexpected `{}` behind the operands", text_));
    if (const Status status = check(result_.insn); !status) {
      reached_ = whole_.size() + 1;
      error_ = status.error().message;
      return false;
    }
    return true;
  }

  const ParsedInstruction& result() const { return result_; }
  const std::string& error() const { return error_; }
  // How far into the text the form fitted.
  std::size_t reached() const { return reached_; }

 private:
  bool miss(std::string why) {
    reached_ = whole_.size() - text_.size();
    error_ = fmt::format("{} (in `{}`)", std::move(why), row_.syntax);
    return false;
  }

  void skip_spaces() {
    while (!text_.empty() && is_space(text_.front())) text_.remove_prefix(1);
  }

  // The name (letters and digits) at the front of the text.
  std::string_view peek_name() const {
    std::size_t length = 0;
    while (length < text_.size() && is_name_char(text_[length]) && text_[length] != '.') ++length;
    return text_.substr(0, length);
  }

  // What stands at the front of the text, for errors.
  std::string_view found() const {
    if (text_.empty()) return "the end";
    const std::string_view name = peek_name();
    return name.empty() ? text_.substr(0, 1) : name;
  }

  bool literal(char c) {
    if (c == ' ') {
      skip_spaces();
      return true;
    }
    const bool in_word = is_name_char(c);
    if (!in_word) skip_spaces();
    // `[ra]` is offset 0, and the sign of a negative offset replaces the plus.
    if (c == '+' && !text_.empty() && (text_.front() == ']' || text_.front() == '-')) {
      if (text_.front() == ']') syntax_.remove_prefix(syntax_.find('}') + 1);
      return true;
    }
    if (text_.empty() || text_.front() != c)
      return miss(fmt::format("expected `{}`, found `{}`", c, found()));
    text_.remove_prefix(1);
    const bool word_ends = syntax_.empty() || (!is_name_char(syntax_.front()) && syntax_.front() != '{');
    if (in_word && c != '.' && word_ends && !text_.empty() && is_name_char(text_.front()))
      return miss(fmt::format("unexpected `{}`", found()));
    return true;
  }

  bool operand(std::string_view name) {
    if (name == "sz") return size_suffix();
    if (name == "u") return unsigned_suffix(result_.insn.unsigned_d, seen_unsigned_);
    bool first = false;
    if (name == "ua") return unsigned_suffix(result_.insn.unsigned_a, first);
    if (name == "ub") return unsigned_suffix(result_.insn.unsigned_b, first);
    skip_spaces();
    if (name == "td1") return second_of_pair();
    for (unsigned i = 0; i < row_.fields; ++i) {
      const Field& field = row_.field[i];
      if (field.name != name) continue;
      if (field.kind == FieldKind::kRegister) return register_operand(field);
      if (name == "tgt") return target(field);
      return number(field, text_);
    }
    return miss(fmt::format("operand {} is not in the table", name));
  }

  bool register_operand(const Field& field) {
    const std::string_view name = peek_name();
    const auto number = register_number(name, field.file);
    if (!number)
      return miss(
          fmt::format("expected a {}, found `{}`", kFiles[static_cast<unsigned>(field.file)].name, found()));
    set(result_.insn, field.role, *number);
    text_.remove_prefix(name.size());
    return true;
  }

  bool second_of_pair() {
    const std::string_view name = peek_name();
    const auto number = register_number(name, File::kVector);
    if (!number || *number != result_.insn.d + 1)
      return miss(fmt::format("the second register of the pair must be t{}, found `{}`", result_.insn.d + 1,
                              found()));
    text_.remove_prefix(name.size());
    return true;
  }

  bool size_suffix() {
    constexpr std::string_view kLetters = "bhw";
    const std::size_t letter = text_.empty() ? std::string_view::npos : kLetters.find(text_.front());
    if (letter == std::string_view::npos || (text_.size() > 1 && is_name_char(text_[1])))
      return miss(fmt::format("expected an element size b, h or w, found `{}`", found()));
    const auto size = static_cast<Size>(letter);
    if (seen_size_ && size != result_.insn.size)
      return miss(fmt::format("element sizes differ: .{} after .{}", kLetters[letter],
                              kLetters[static_cast<unsigned>(result_.insn.size)]));
    seen_size_ = true;
    result_.insn.size = size;
    text_.remove_prefix(1);
    return true;
  }

  // An optional u; all of them in one text must agree.
  bool unsigned_suffix(bool& flag, bool& seen) {
    const bool present = !text_.empty() && text_.front() == 'u';
    if (seen && present != flag) return miss("signed and unsigned lanes mixed");
    seen = true;
    flag = present;
    if (present) text_.remove_prefix(1);
    return true;
  }

  bool target(const Field& field) {
    if (text_.empty() || text_.front() == '+' || text_.front() == '-' || is_digit(text_.front()))
      return miss(fmt::format("a branch target is a label, .+N or .-N, found `{}`", found()));
    if (text_.front() == '.' && (text_.size() == 1 || text_[1] == '+' || text_[1] == '-')) {
      std::string_view rest = text_.substr(1);
      return rest.empty() ? (text_ = rest, true) : number(field, rest);
    }
    std::size_t length = 0;
    while (length < text_.size() && is_name_char(text_[length])) ++length;
    if (length == 0) return miss(fmt::format("expected a branch target, found `{}`", found()));
    result_.label = text_.substr(0, length);
    text_.remove_prefix(length);
    return true;
  }

  // Reads a number from `from`, the text or a tail of it.
  bool number(const Field& field, std::string_view from) {
    std::int64_t value = 0;
    if (!take_number(from, value))
      return miss(fmt::format("expected a number for {}, found `{}`", field.name, found()));
    // The limits of a shift count depend on the element size; check() knows them.
    const bool one_hot = field.kind == FieldKind::kOneHot;
    const std::int64_t low = one_hot ? 0 : field.minimum();
    const std::int64_t high = one_hot ? 31 : field.maximum();
    if (value < low || value > high) {
      text_ = from;
      return miss(fmt::format("operand {} is {}, allowed {}..{}", field.name, value, low, high));
    }
    set(result_.insn, field.role, static_cast<std::int32_t>(value));
    text_ = from;
    return true;
  }

  const OpInfo& row_;
  std::string_view whole_;
  std::string_view text_;
  std::string_view syntax_;
  ParsedInstruction result_;
  std::string error_;
  std::size_t reached_ = 0;
  bool seen_size_ = false;
  bool seen_unsigned_ = false;
};

// Forms of a mnemonic, in table order.
const std::vector<const OpInfo*>* forms(std::string_view mnemonic) {
  static const auto index = [] {
    std::map<std::string_view, std::vector<const OpInfo*>> map;
    for (const OpInfo& row : table()) map[row.mnemonic].push_back(&row);
    return map;
  }();
  const auto found = index.find(mnemonic);
  return found == index.end() ? nullptr : &found->second;
}

}  // namespace

Result<ParsedInstruction> parse(std::string_view text) {
  text = trim(text);
  std::size_t length = 0;
  while (length < text.size() && is_name_char(text[length])) ++length;
  const std::string_view mnemonic = text.substr(0, length);
  const auto* candidates = forms(mnemonic);
  if (candidates == nullptr)
    return fail(ErrorCode::kBadFile, "no instruction `{}` with a known encoding",
                mnemonic.empty() ? text : mnemonic);
  std::string error;
  std::size_t reached = 0;
  for (const OpInfo* row : *candidates) {
    Matcher matcher(*row, text);
    if (matcher.match()) return matcher.result();
    if (error.empty() || matcher.reached() > reached) {
      reached = matcher.reached();
      error = matcher.error();
    }
  }
  return fail(ErrorCode::kBadFile, "{}", error);
}

}  // namespace detail

Result<Instruction> parse_instruction(std::string_view text) {
  ZYNPU_ASSIGN_OR_RETURN(const detail::ParsedInstruction parsed, detail::parse(text));
  if (!parsed.label.empty())
    return fail(ErrorCode::kBadFile,
                "branch target `{}` is a label; outside a program only .+N and .-N are known", parsed.label);
  return parsed.insn;
}

}  // namespace zynpu::isa
