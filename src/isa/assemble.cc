// SPDX-License-Identifier: MIT
#include <array>
#include <utility>

#include "isa/asm.h"
#include "isa/bundle.h"
#include "isa/encode.h"
#include "isa/table.h"
#include "isa/text.h"

namespace zynpu::isa {
namespace {

using detail::trim;

// One bundle of the program before its labels are known.
struct Item {
  unsigned line = 0;
  bool raw = false;
  BundleWords words{};                    // if raw
  std::vector<Instruction> instructions;  // in source order
  std::vector<std::string> labels;        // target of each, mostly empty
  std::vector<unsigned> lines;            // of each
};

class Assembler {
 public:
  Status read(std::string_view source) {
    ZYNPU_ASSIGN_OR_RETURN(const std::string text, without_comments(source));
    std::size_t start = 0;
    for (std::size_t at = 0; at <= text.size(); ++at) {
      const char c = at < text.size() ? text[at] : '\n';
      if (c != '\n' && c != ';' && c != '{' && c != '}') continue;
      ZYNPU_TRY(statement(trim(std::string_view(text).substr(start, at - start))));
      start = at + 1;
      if (c == '{') ZYNPU_TRY(open());
      if (c == '}') ZYNPU_TRY(close());
      if (c == '\n') ++line_;
    }
    if (open_) return error(current_.line, "the bundle that begins here has no `}}`");
    return {};
  }

  Result<Program> finish() && {
    Program program;
    program.bytes.reserve(items_.size() * kBundleBytes);
    for (std::size_t index = 0; index < items_.size(); ++index) {
      Item& item = items_[index];
      if (!item.raw) ZYNPU_TRY(encode_item(item, index));
      for (const std::uint32_t word : item.words)
        for (unsigned byte = 0; byte < 4; ++byte)
          program.bytes.push_back(static_cast<std::uint8_t>(word >> (8 * byte)));
    }
    for (const auto& [name, index] : labels_)
      program.labels.emplace(name, static_cast<std::uint32_t>(index * kBundleBytes));
    return program;
  }

 private:
  template <class... Args>
  static tl::unexpected<Error> error(unsigned line, fmt::format_string<Args...> format, Args&&... args) {
    return fail(ErrorCode::kBadFile, "line {}: {}", line, fmt::format(format, std::forward<Args>(args)...));
  }

  // Comments become spaces; lines stay lines.
  Result<std::string> without_comments(std::string_view source) const {
    std::string text(source);
    unsigned line = 1;
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (text[at] == '\n') ++line;
      const std::string_view here = std::string_view(text).substr(at, 2);
      if (here == "/*") {
        const std::size_t end = source.find("*/", at + 2);
        if (end == std::string_view::npos) return error(line, "comment without end");
        for (; at < end + 2; ++at) {
          if (text[at] == '\n')
            ++line;
          else
            text[at] = ' ';
        }
        --at;
      } else if (here == "//" || text[at] == '#') {
        for (; at < text.size() && text[at] != '\n'; ++at) text[at] = ' ';
        --at;
      }
    }
    return text;
  }

  Status open() {
    if (open_) return error(line_, "`{{` inside a bundle");
    open_ = true;
    current_ = Item{};
    current_.line = line_;
    return {};
  }

  Status close() {
    if (!open_) return error(line_, "`}}` without `{{`");
    open_ = false;
    // The vendor's assembler emits nothing for empty braces.
    if (!current_.instructions.empty()) items_.push_back(std::move(current_));
    return {};
  }

  Status statement(std::string_view text) {
    for (;;) {
      std::size_t length = 0;
      while (length < text.size() && detail::is_name_char(text[length])) ++length;
      const std::string_view rest = trim(text.substr(length));
      if (length == 0 || rest.empty() || rest.front() != ':') break;
      ZYNPU_TRY(define(text.substr(0, length)));
      text = trim(rest.substr(1));
    }
    if (text.empty()) return {};
    if (text.front() == '.') return directive(text);
    auto parsed = detail::parse(text);
    if (!parsed) return error(line_, "{}", parsed.error().message);
    Item single;
    single.line = line_;
    Item& item = open_ ? current_ : single;
    item.instructions.push_back(parsed->insn);
    item.labels.push_back(std::move(parsed->label));
    item.lines.push_back(line_);
    if (!open_) items_.push_back(std::move(single));
    return {};
  }

  Status define(std::string_view name) {
    if (open_) return error(line_, "label `{}` inside a bundle", name);
    if (detail::is_digit(name.front())) return error(line_, "label `{}` begins with a digit", name);
    if (!labels_.emplace(std::string(name), items_.size()).second)
      return error(line_, "label `{}` is defined twice", name);
    return {};
  }

  Status directive(std::string_view text) {
    const std::size_t end = text.find_first_of(" \t");
    const std::string_view name = text.substr(0, end);
    std::string_view rest = end == std::string_view::npos ? std::string_view{} : trim(text.substr(end));
    if (open_) return error(line_, "directive `{}` inside a bundle", name);
    if (name == ".text") {
      if (!rest.empty()) return error(line_, "unexpected `{}` behind .text", rest);
      return {};
    }
    if (name == ".globl") {
      if (rest.empty()) return error(line_, ".globl needs a name");
      for (const char c : rest)
        if (!detail::is_name_char(c)) return error(line_, "`{}` is not a name", rest);
      return {};
    }
    if (name == ".p2align") return align(rest);
    if (name == ".bundle") return raw_bundle(rest);
    return error(line_, "directive `{}` is not known, only .text, .globl, .p2align and .bundle are", name);
  }

  Status align(std::string_view rest) {
    constexpr std::int64_t kMaximum = 12;
    std::int64_t power = 0;
    if (!detail::take_number(rest, power) || !rest.empty() || power < 0 || power > kMaximum)
      return error(line_, ".p2align needs a number from 0 to {}", kMaximum);
    const std::size_t unit = std::size_t{1} << power;
    while (items_.size() * kBundleBytes % unit != 0) {
      Item empty;
      empty.line = line_;
      items_.push_back(std::move(empty));
    }
    return {};
  }

  Status raw_bundle(std::string_view rest) {
    Item item;
    item.line = line_;
    item.raw = true;
    for (std::uint32_t& word : item.words) {
      std::int64_t value = 0;
      rest = trim(rest);
      if (&word != &item.words.front()) {
        if (rest.empty() || rest.front() != ',') return error(line_, ".bundle needs four words");
        rest = trim(rest.substr(1));
      }
      if (!detail::take_number(rest, value) || value < 0)
        return error(line_, ".bundle needs four 32-bit words");
      word = static_cast<std::uint32_t>(value);
    }
    if (!trim(rest).empty()) return error(line_, "unexpected `{}` behind the fourth word", trim(rest));
    items_.push_back(std::move(item));
    return {};
  }

  Status encode_item(Item& item, std::size_t index) const {
    for (std::size_t i = 0; i < item.instructions.size(); ++i) {
      if (item.labels[i].empty()) continue;
      const auto found = labels_.find(item.labels[i]);
      if (found == labels_.end()) return error(item.lines[i], "label `{}` is not defined", item.labels[i]);
      const std::int64_t distance =
          static_cast<std::int64_t>(found->second) - static_cast<std::int64_t>(index);
      Instruction& insn = item.instructions[i];
      const Field& field = *info(insn.op).find(Role::kImm);
      if (distance < field.minimum() || distance > field.maximum())
        return error(item.lines[i], "label `{}` is {} bundles away, {} reaches {}..{}", item.labels[i],
                     distance, info(insn.op).mnemonic, field.minimum(), field.maximum());
      insn.imm = static_cast<std::int32_t>(distance);
    }
    const auto bundle = place(item.instructions);
    if (!bundle) return error(item.line, "{}", bundle.error().message);
    const auto words = encode(*bundle);
    if (!words) return error(item.line, "{}", words.error().message);
    item.words = *words;
    return {};
  }

  unsigned line_ = 1;
  bool open_ = false;
  Item current_;
  std::vector<Item> items_;
  std::map<std::string, std::size_t, std::less<>> labels_;  // bundle index
};

}  // namespace

Result<Program> assemble(std::string_view source) {
  Assembler assembler;
  ZYNPU_TRY(assembler.read(source));
  return std::move(assembler).finish();
}

}  // namespace zynpu::isa
