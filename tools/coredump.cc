// SPDX-License-Identifier: MIT
// zynpu coredump: what the kernel driver kept of a failed job (kernel/Documentation/accel/zynpu.rst), in
// words.
#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <string_view>

#include "command.h"
#include "isa/asm.h"
#include "part/registers_x2.h"
#include "part/registers_z.h"
#include "runtime/file.h"

namespace zynpu::tools {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::string_view kMagic = "ZYNPUDMP";
constexpr std::uint32_t kVersion = 1, kTableEntries = 8;
constexpr std::size_t kTableOffset = 16, kEntryBytes = 32,
                      kHeaderBytes = kTableOffset + kTableEntries * kEntryBytes;
constexpr std::size_t kInfoBytes = 72, kTcbBytes = 128, kBundleBytes = 16;
enum SectionType : std::uint32_t { kInfo = 1, kRegisters = 2, kChain = 3, kText = 4, kParameters = 5 };

// Callers have checked that the word lies inside.
std::uint32_t word(Bytes bytes, std::size_t at) {
  return bytes[at] | std::uint32_t{bytes[at + 1]} << 8 | std::uint32_t{bytes[at + 2]} << 16 |
         std::uint32_t{bytes[at + 3]} << 24;
}
std::uint64_t quad(Bytes bytes, std::size_t at) {
  return word(bytes, at) | std::uint64_t{word(bytes, at + 4)} << 32;
}

struct Section {
  std::uint32_t type;
  std::uint64_t address;
  Bytes bytes;
};

Result<std::vector<Section>> read_sections(Bytes file) {
  if (file.size() < kHeaderBytes || std::memcmp(file.data(), kMagic.data(), kMagic.size()) != 0)
    return fail(ErrorCode::kBadFile, "not a core dump of the zynpu driver");
  if (const std::uint32_t version = word(file, 8); version != kVersion)
    return fail(ErrorCode::kBadFile, "core dump of version {}, this program reads {}", version, kVersion);
  const std::uint32_t count = word(file, 12);
  if (count > kTableEntries)
    return fail(ErrorCode::kBadFile, "{} sections, the table has room for {}", count, kTableEntries);
  std::vector<Section> sections;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::size_t entry = kTableOffset + i * kEntryBytes;
    const std::uint64_t offset = quad(file, entry + 16), size = quad(file, entry + 24);
    if (offset > file.size() || size > file.size() - offset)
      return fail(ErrorCode::kBadFile, "section {}: {} bytes from {} are not in the file of {} bytes", i,
                  size, offset, file.size());
    sections.push_back({word(file, entry), quad(file, entry + 8),
                        file.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(size))});
  }
  return sections;
}

std::string_view status_name(std::uint32_t status) {
  constexpr std::array<std::string_view, 8> kNames = {"ended well",
                                                      "exception",
                                                      "fault: access outside its windows or the memory",
                                                      "error of the device",
                                                      "made no progress for its time limit",
                                                      "cancelled",
                                                      "the device was lost",
                                                      "a dependency failed"};
  return status < kNames.size() ? kNames[status] : "unknown status";
}

std::string part_name(std::uint32_t generation, std::uint32_t config) {
  constexpr std::array<std::string_view, 4> kNames = {"?", "Z1", "Z2", "X2"};
  return fmt::format("{}_{:04}", generation < kNames.size() ? kNames[generation] : "?", config);
}

Status print_info(const Section& section) {
  const Bytes info = section.bytes;
  if (info.size() < kInfoBytes)
    return fail(ErrorCode::kBadFile, "section of the job: {} bytes, needs {}", info.size(), kInfoBytes);
  fmt::print("device      {}, revision {:#x}\n", part_name(word(info, 0), word(info, 4)), word(info, 8));
  fmt::print("job         {} of client {}, {} groups, {:.3f} ms on the device\n", quad(info, 48),
             quad(info, 56), word(info, 32), static_cast<double>(quad(info, 64)) / 1e6);
  fmt::print("outcome     {}\n", status_name(word(info, 12)));
  fmt::print("cause       {:#x}\n", word(info, 16));
  if (word(info, 20) != 0) fmt::print("pc          {:#010x}\n", word(info, 20));
  if (const std::uint32_t task = word(info, 28); task != 0)
    fmt::print("task        {} (block at {:#010x})\n", task - 1, word(info, 24));
  fmt::print("first group text {:#010x}, parameters {:#010x}, stack {:#010x}\n", word(info, 36),
             word(info, 40), word(info, 44));
  return {};
}

std::string_view register_name(std::uint32_t generation, std::uint32_t offset) {
  const auto name = [&](std::span<const part::Register> table, std::uint32_t at) -> std::string_view {
    const part::Register* row = part::find_register(table, at);
    return row == nullptr ? std::string_view() : row->name;
  };
  if (generation == 1) return name(part::z::kZ1Registers, offset);
  if (generation == 2) return name(part::z::kZ2Registers, offset);
  if (offset >= part::x2::kClusterBase)
    return name(part::x2::kClusterRegisters, offset - part::x2::kClusterBase);
  if (offset >= part::x2::kPoolBase) return name(part::x2::kPoolRegisters, offset - part::x2::kPoolBase);
  return name(part::x2::kTsmRegisters, offset);
}

void print_registers(const Section& section, std::uint32_t generation) {
  fmt::print("\nregisters\n");
  for (std::size_t at = 0; at + 8 <= section.bytes.size(); at += 8) {
    const std::string_view name = register_name(generation, word(section.bytes, at));
    if (!name.empty())
      fmt::print("  {:#06x} {:<24} {:#010x}\n", word(section.bytes, at), name, word(section.bytes, at + 4));
  }
}

void print_chain(const Section& section) {
  constexpr std::size_t kMost = 64;
  const std::size_t blocks = section.bytes.size() / kTcbBytes;
  fmt::print("\ntask control blocks, {} kept\n", blocks);
  for (std::size_t i = 0; i < std::min(blocks, kMost); ++i) {
    const Bytes tcb = section.bytes.subspan(i * kTcbBytes, kTcbBytes);
    const std::uint64_t address = section.address + i * kTcbBytes;
    if ((word(tcb, 0) & 0xF) == 1)
      fmt::print(
          "  {:#010x} task   flags {:#04x} next {:#010x} pc {:#010x} sp {:#010x} pp {:#010x} dp {:#010x}\n",
          address, word(tcb, 0), word(tcb, 4), word(tcb, 12), word(tcb, 52), word(tcb, 56), word(tcb, 60));
    else if (i == 0)
      fmt::print("  {:#010x} grid   flags {:#04x} next {:#010x} space 0 {:#x} space 1 {:#x}\n", address,
                 word(tcb, 0), word(tcb, 4), quad(tcb, 48), quad(tcb, 56));
    else
      fmt::print("  {:#010x} segments {:#x} {:#x}\n", address, word(tcb, 24), word(tcb, 88));
  }
  if (blocks > kMost) fmt::print("  ... {} more\n", blocks - kMost);
}

void print_words(const Section& section) {
  constexpr std::size_t kMost = 256;
  fmt::print("\nparameters at {:#010x}\n", section.address);
  for (std::size_t at = 0; at + 16 <= std::min(section.bytes.size(), kMost); at += 16)
    fmt::print("  {:04x}: {:08x} {:08x} {:08x} {:08x}\n", at, word(section.bytes, at),
               word(section.bytes, at + 4), word(section.bytes, at + 8), word(section.bytes, at + 12));
}

// Bundles around the failing one, or the first ones.
void print_text(const Section& section, std::uint32_t pc) {
  constexpr std::uint64_t kBefore = 8 * kBundleBytes, kMost = 16 * kBundleBytes;
  const bool here = pc >= section.address && pc - section.address < section.bytes.size();
  std::uint64_t begin = here ? (pc - section.address) / kBundleBytes * kBundleBytes : 0;
  begin -= std::min(begin, kBefore);
  const std::uint64_t end =
      std::min<std::uint64_t>(section.bytes.size() / kBundleBytes * kBundleBytes, begin + kMost);
  fmt::print("\ninstructions at {:#010x}\n", section.address + begin);
  for (std::uint64_t at = begin; at < end; at += kBundleBytes) {
    const Bytes bundle = section.bytes.subspan(static_cast<std::size_t>(at), kBundleBytes);
    const bool failing = here && (pc - section.address) / kBundleBytes == at / kBundleBytes;
    isa::DisassembleOptions options;
    options.labels = false;  // a bundle alone has no targets
    const Result<std::string> text = isa::disassemble(bundle, options);
    std::string line = text ? *text
                            : fmt::format("{:08x} {:08x} {:08x} {:08x} (not decodable)", word(bundle, 0),
                                          word(bundle, 4), word(bundle, 8), word(bundle, 12));
    while (!line.empty() && line.back() == '\n') line.pop_back();
    fmt::print("{} {:#010x}  {}\n", failing ? "=>" : "  ", section.address + at, line);
  }
}

Result<int> decode(const std::string& path) {
  ZYNPU_ASSIGN_OR_RETURN(const std::vector<std::uint8_t> file, runtime::read_file(path));
  ZYNPU_ASSIGN_OR_RETURN(const std::vector<Section> sections, read_sections(file));
  const auto info =
      std::find_if(sections.begin(), sections.end(), [](const Section& s) { return s.type == kInfo; });
  if (info == sections.end())
    return fail(ErrorCode::kBadFile, "the core dump has no section that tells of the job");
  ZYNPU_TRY(print_info(*info));
  for (const Section& section : sections) {
    if (section.type == kRegisters) print_registers(section, word(info->bytes, 0));
    if (section.type == kChain) print_chain(section);
    if (section.type == kText) print_text(section, word(info->bytes, 20));
    if (section.type == kParameters) print_words(section);
  }
  return kExitOk;
}

}  // namespace

void add_coredump(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("coredump", "Decode a core dump of the kernel driver");
  auto file = std::make_shared<std::string>();
  command->add_option("FILE", *file, "Core dump, from /sys/class/devcoredump/*/data")->required();
  command->callback([&action, file] { action = [file] { return decode(*file); }; });
}

}  // namespace zynpu::tools
