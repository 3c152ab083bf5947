// SPDX-License-Identifier: MIT
// Words per second of the encoder and decoder, bundles per second of the assembler and disassembler. The
// input holds every one-word form once, in a slot of its class, with nops around it.
#include <benchmark/benchmark.h>

#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include "isa/asm.h"
#include "isa/decode.h"
#include "isa/encode.h"
#include "isa/table.h"

namespace zynpu::isa {
namespace {

struct Placed {
  Instruction insn;
  unsigned slot;
  std::uint32_t word;
};

const std::vector<Placed>& forms() {
  static const std::vector<Placed> list = [] {
    std::vector<Placed> result;
    for (const OpInfo& row : table()) {
      if (row.two_words()) continue;
      const Instruction insn{
          .op = row.op, .d = 1, .a = row.has(Role::kA) ? std::uint8_t{2} : std::uint8_t{0}};
      Placed placed{insn, static_cast<unsigned>(std::countr_zero(slot_mask(row.slot_class))), 0};
      if (!row.has(Role::kD)) placed.insn.d = 0;
      placed.word = encode(placed.insn, placed.slot).value();
      result.push_back(placed);
    }
    return result;
  }();
  return list;
}

std::vector<std::uint8_t> program() {
  std::vector<std::uint8_t> bytes;
  for (const Placed& form : forms()) {
    Bundle bundle;
    bundle.slot[form.slot] = form.insn;
    const BundleWords words = encode(bundle).value();
    for (const std::uint32_t word : words)
      for (unsigned byte = 0; byte < 4; ++byte)
        bytes.push_back(static_cast<std::uint8_t>(word >> (8 * byte)));
  }
  return bytes;
}

void count(benchmark::State& state, std::size_t each) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(each));
}

void Decode(benchmark::State& state) {
  for ([[maybe_unused]] auto _ : state)
    for (const Placed& form : forms()) benchmark::DoNotOptimize(decode(form.word, form.slot));
  count(state, forms().size());
}
BENCHMARK(Decode);

void Encode(benchmark::State& state) {
  for ([[maybe_unused]] auto _ : state)
    for (const Placed& form : forms()) benchmark::DoNotOptimize(encode(form.insn, form.slot));
  count(state, forms().size());
}
BENCHMARK(Encode);

void Disassemble(benchmark::State& state) {
  const auto bytes = program();
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(disassemble(bytes));
  count(state, bytes.size() / kBundleBytes);
}
BENCHMARK(Disassemble);

void Assemble(benchmark::State& state) {
  const std::string text = disassemble(program()).value();
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(assemble(text));
  count(state, forms().size());
}
BENCHMARK(Assemble);

}  // namespace
}  // namespace zynpu::isa
