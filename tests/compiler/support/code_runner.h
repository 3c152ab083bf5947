// SPDX-License-Identifier: MIT
// Runs a piece of code on the virtual z1: bytes are loaded to the local memory, the code runs, bytes are
// stored.
#pragma once

#include "compiler/codegen/lsram.h"
#include "compiler/codegen/steps.h"
#include "compiler/emit/parameters.h"
#include "compiler/emit/program.h"
#include "compiler/support/npu_harness.h"
#include "isa/timing.h"

namespace zynpu::compiler::test {

struct CodeRun {
  std::vector<std::uint8_t> output;
  Fragment code;
  vnpu::Counters counters;
};

// `compute(builder, in, out)`: `in` and `out` hold local addresses, 64-byte aligned; the input stands at
// `in`, the output starts as a copy of what is left there by nobody: write all of it.
inline Result<CodeRun> run_code(std::span<const std::uint8_t> input, std::uint32_t output_bytes,
                                const std::function<void(Builder&, R in, R out)>& compute) {
  ir::Graph model;
  for (const std::int64_t bytes :
       {static_cast<std::int64_t>(input.size()), static_cast<std::int64_t>(output_bytes)}) {
    ir::Tensor t;
    t.shape = {static_cast<std::int32_t>(bytes)};
    model.tensors.push_back(std::move(t));
  }
  LsramPlan lsram;
  const std::uint32_t in_at = lsram.take(input.size() + 64), out_at = lsram.take(output_bytes + 64);
  Tile tile;
  tile.loads.push_back({1, 0, in_at, Transfer::contiguous(static_cast<std::uint32_t>(input.size()))});
  tile.args = {in_at, out_at};
  tile.stores.push_back({2, 0, out_at, Transfer::contiguous(output_bytes)});
  StepLists lists(1, 2);
  lists.set(0, pipeline({&tile, 1}));
  LayerProgram layer;
  ZYNPU_ASSIGN_OR_RETURN(Blob blob, lists.blob());
  layer.blobs.push_back(std::move(blob));
  layer.params = {Param::blob(0), Param::tensor(0), Param::tensor(1)};
  Builder b("test");
  emit_steps(b, lists.shape(), -1, [&](R step) {
    Gpr in = b.gpr(), out = b.gpr();
    b.ld(in, step, StepShape::arg(0));
    b.ld(out, step, StepShape::arg(1));
    compute(b, in, out);
  });
  ZYNPU_ASSIGN_OR_RETURN(layer.code, std::move(b).finish());

  const part::Part& part = *part::find("z1");
  graph::Graph graph;
  graph.device_word = part.device_word;
  graph.virtual_profile = true;
  ZYNPU_ASSIGN_OR_RETURN(const ProgramCode program,
                         make_program(StartMode::kDirect, {&layer.code}, false, 1));
  ZYNPU_ASSIGN_OR_RETURN(graph.text, encode_bundles(program.bundles));
  const TensorHomes homes({0}, {1});
  ParameterBlocks parameters(homes);
  parameters.add({{&layer, 0}}, 0);
  ZYNPU_TRY(std::move(parameters).finish(model, {0}, {1}, {}, graph));
  ZYNPU_ASSIGN_OR_RETURN(NpuRun run, run_graph(graph, part, {{input.begin(), input.end()}}));
  return CodeRun{std::move(run.outputs[0]), std::move(layer.code), run.counters};
}

// Where a bundle of `code` reads a register earlier than the latency of its producer allows, if the pipeline
// had no interlocks; empty if nowhere. Hardware loops are followed for three passes, branches are not taken.
inline std::string early_read(const Fragment& code) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < code.bundles.size(); ++i) {
    order.push_back(i);
    if (code.bundles[i].slot[0].op != isa::Op::kLoop) continue;
    std::size_t end = i + 1;
    while (code.bundles[end].slot[0].op != isa::Op::kLoopend) ++end;
    for (int pass = 0; pass < 3; ++pass)
      for (std::size_t k = i + 1; k <= end; ++k) order.push_back(k);
    i = end;
  }
  struct Producer {
    std::size_t cycle = 0;
    isa::Instruction insn;
    bool any = false;
  };
  std::array<std::array<Producer, 32>, 3> last;
  for (std::size_t cycle = 0; cycle < order.size(); ++cycle) {
    const isa::Bundle& bundle = code.bundles[order[cycle]];
    for (const isa::Instruction& insn : bundle.slot) {
      std::string early;
      isa::for_each_read(
          insn,
          [&](isa::File file, std::uint8_t reg) {
            const Producer& p = last[static_cast<std::size_t>(file)][reg];
            if (p.any && cycle < p.cycle + isa::dependence_latency(p.insn, insn, file, reg))
              early = fmt::format("bundle {}: `{}` reads register {} of `{}`", order[cycle],
                                  isa::info(insn.op).id, reg, isa::info(p.insn.op).id);
          },
          isa::KeptLanes::kIgnoredUnderP7);
      if (!early.empty()) return early;
    }
    for (const isa::Instruction& insn : bundle.slot)
      isa::for_each_write(insn, [&](isa::File file, std::uint8_t reg) {
        last[static_cast<std::size_t>(file)][reg] = {cycle, insn, true};
      });
  }
  return {};
}

}  // namespace zynpu::compiler::test
