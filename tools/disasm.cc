// SPDX-License-Identifier: MIT
// zynpu disasm: machine code to TEC assembly, with the layers of compiled models as comments.
#include <charconv>
#include <memory>

#include "command.h"
#include "graph/plan.h"
#include "isa/asm.h"
#include "isa/decode.h"
#include "part/part.h"
#include "runtime/file.h"
#include "runtime/program.h"

namespace zynpu::tools {
namespace {

struct Options {
  std::string file;
  std::vector<std::string> words;
};

Result<std::vector<std::uint32_t>> parse_words(const std::vector<std::string>& arguments) {
  std::vector<std::uint32_t> words;
  for (const std::string& argument : arguments) {
    std::size_t at = 0;
    while ((at = argument.find_first_not_of(" ,\t\n", at)) != std::string::npos) {
      const std::size_t end = std::min(argument.find_first_of(" ,\t\n", at), argument.size());
      const std::string whole = argument.substr(at, end - at);
      const std::string_view digits =
          std::string_view(whole).substr(whole.starts_with("0x") || whole.starts_with("0X") ? 2 : 0);
      std::uint32_t word = 0;
      const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), word, 16);
      if (error != std::errc() || stop != digits.data() + digits.size() || digits.empty())
        return fail(ErrorCode::kInvalidArgument, "`{}` is not a 32-bit word in hexadecimal", whole);
      words.push_back(word);
      at = end;
    }
  }
  return words;
}

// A lone word does not say in which slot it stands: every reading is shown.
Result<int> print_word(std::uint32_t word) {
  constexpr std::uint32_t kEnd = isa::kEndOfBundle;
  bool any = false;
  for (unsigned slot = 0; slot < isa::kSlots; ++slot)
    if (const auto instruction = isa::decode(word & ~kEnd, slot)) {
      fmt::print("slot {}: {}{}\n", slot, isa::to_string(*instruction),
                 (word & kEnd) != 0 ? "  // end mark set" : "");
      any = true;
    }
  if (!any)
    return fail(ErrorCode::kBadFile, "{:#010x} is no known instruction in any slot: {}", word,
                isa::decode(word & ~kEnd, 0).error().message);
  return kExitOk;
}

Result<int> print_words(const Options& options) {
  ZYNPU_ASSIGN_OR_RETURN(const std::vector<std::uint32_t> words, parse_words(options.words));
  if (words.size() == 1) return print_word(words[0]);
  if (words.empty() || words.size() % isa::kSlots != 0)
    return fail(ErrorCode::kInvalidArgument, "{} words are neither one word nor whole bundles of four",
                words.size());
  std::vector<std::uint8_t> bytes;
  for (const std::uint32_t word : words)
    for (unsigned shift = 0; shift < 32; shift += 8)
      bytes.push_back(static_cast<std::uint8_t>(word >> shift));
  ZYNPU_ASSIGN_OR_RETURN(const std::string text, isa::disassemble(bytes));
  fmt::print("{}", text);
  return kExitOk;
}

// Prints text of one graph; before the first bundle of each source range a comment names its layer.
Status print_text(std::span<const std::uint8_t> bytes, const graph::HostPlan& plan, int graph) {
  isa::DisassembleOptions options;
  options.addresses = true;
  ZYNPU_ASSIGN_OR_RETURN(const std::string text, isa::disassemble(bytes, options));
  const auto name_of = [&](int op) -> std::string {
    if (op < 0) return "no layer (prologue, epilogue, barrier)";
    for (const graph::Placement& placement : plan.placements)
      if (placement.op == op) return placement.name;
    return fmt::format("operator {}", op);
  };
  auto range = plan.source_map.begin();
  for (std::size_t at = 0, end = 0; at < text.size(); at = end + 1) {
    end = text.find('\n', at);
    const std::string_view line = std::string_view(text).substr(at, end - at);
    std::uint32_t address = 0;
    if (line.starts_with("/* ")) {
      std::from_chars(line.data() + 3, line.data() + 11, address, 16);
      while (range != plan.source_map.end() && (range->graph != graph || range->begin < address)) ++range;
      if (range != plan.source_map.end() && range->begin == address)
        fmt::print("// {}\n", name_of(range->op));
    }
    fmt::print("{}\n", line);
  }
  return {};
}

Result<int> print_file(const Options& options) {
  ZYNPU_ASSIGN_OR_RETURN(const std::vector<std::uint8_t> file, runtime::read_file(options.file));
  if (!runtime::is_container(file)) {
    if (file.size() % isa::kBundleBytes != 0)
      return fail(ErrorCode::kBadFile,
                  "`{}` is neither a compiled graph nor whole bundles of {} bytes: it has {} bytes",
                  options.file, isa::kBundleBytes, file.size());
    ZYNPU_TRY(print_text(file, graph::HostPlan{}, 0));
    return kExitOk;
  }
  ZYNPU_ASSIGN_OR_RETURN(const graph::HostPlan plan, graph::read_model(file));
  for (std::size_t i = 0; i < plan.graphs.size(); ++i) {
    const graph::Graph& graph = plan.graphs[i];
    const part::Part* x2 = part::find("x2");
    if (graph.device_word != x2->device_word && !graph.virtual_profile) {
      ZYNPU_ASSIGN_OR_RETURN(const std::string_view target, graph::target_name(graph.device_word));
      return fail(ErrorCode::kUnsupported,
                  "`{}`: the instruction set of {} is not known, only that of the X2", options.file, target);
    }
    fmt::print("// graph {} of {}, {} bundles\n", i, plan.graphs.size(),
               graph.text.size() / isa::kBundleBytes);
    ZYNPU_TRY(print_text(graph.text, plan, static_cast<int>(i)));
  }
  return kExitOk;
}

}  // namespace

void add_disasm(CLI::App& app, Action& action) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("disasm", "Disassemble a compiled graph, raw bundles, or words");
  CLI::Option* file =
      command->add_option("FILE", options->file, "Compiled graph, or a file of whole bundles");
  CLI::Option* hex =
      command->add_option("--hex", options->words, "Words in hexadecimal: whole bundles, or one word")
          ->excludes(file);
  command->callback([options, hex, file, &action] {
    if (hex->count() == 0 && file->count() == 0) throw CLI::RequiredError("FILE or --hex");
    action = [options] { return options->file.empty() ? print_words(*options) : print_file(*options); };
  });
}

}  // namespace zynpu::tools
