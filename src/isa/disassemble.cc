// SPDX-License-Identifier: MIT
#include <iterator>
#include <optional>

#include "isa/asm.h"
#include "isa/decode.h"
#include "isa/table.h"
#include "isa/text.h"

namespace zynpu::isa {
namespace {

// The bundle a branch of bundle `index` goes to, if that is inside the text.
std::optional<std::size_t> target_of(const Bundle& bundle, std::size_t index, std::size_t count) {
  const Instruction& branch = bundle.slot[0];
  if (branch.op != Op::kB && branch.op != Op::kCbnz) return std::nullopt;
  const std::int64_t target = static_cast<std::int64_t>(index) + branch.imm;
  if (target < 0 || target >= static_cast<std::int64_t>(count)) return std::nullopt;
  return static_cast<std::size_t>(target);
}

}  // namespace

Result<std::string> disassemble(std::span<const std::uint8_t> bytes, const DisassembleOptions& options) {
  if (bytes.size() % kBundleBytes != 0)
    return fail(ErrorCode::kBadFile, "text of {} bytes is not a whole number of {}-byte bundles",
                bytes.size(), kBundleBytes);
  const std::size_t count = bytes.size() / kBundleBytes;
  std::vector<BundleWords> words(count);
  std::vector<std::optional<Bundle>> bundles(count);
  std::vector<std::string> reason(count);
  std::vector<bool> named(count);
  for (std::size_t index = 0; index < count; ++index) {
    for (unsigned i = 0; i < kBundleBytes; ++i)
      words[index][i / 4] |= std::uint32_t{bytes[index * kBundleBytes + i]} << (8 * (i % 4));
    auto bundle = decode(words[index]);
    if (!bundle) {
      if (options.refuse_unknown)
        return fail(ErrorCode::kBadFile, "bundle {} at {:#010x}: {}", index,
                    options.base + index * kBundleBytes, bundle.error().message);
      reason[index] = std::move(bundle).error().message;
      continue;
    }
    bundles[index] = *bundle;
    if (const auto target = target_of(*bundle, index, count); target && options.labels) named[*target] = true;
  }

  std::string out;
  const auto append = std::back_inserter(out);
  for (std::size_t index = 0; index < count; ++index) {
    if (named[index]) fmt::format_to(append, "L{}:\n", index);
    if (options.addresses) fmt::format_to(append, "/* {:08x} */ ", options.base + index * kBundleBytes);
    if (!bundles[index]) {
      const BundleWords& w = words[index];
      fmt::format_to(append, ".bundle {:#010x}, {:#010x}, {:#010x}, {:#010x}  // {}\n", w[0], w[1], w[2],
                     w[3], reason[index]);
      continue;
    }
    const auto target = options.labels ? target_of(*bundles[index], index, count) : std::nullopt;
    out += detail::print(*bundles[index], target ? fmt::format("L{}", *target) : std::string{});
    out += '\n';
  }
  return out;
}

}  // namespace zynpu::isa
