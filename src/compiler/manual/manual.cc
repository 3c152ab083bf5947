// SPDX-License-Identifier: MIT
#include "compiler/manual/manual.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <vector>

#include "compiler/kernels/kernel.h"
#include "ir/graph.h"

namespace zynpu::compiler {
namespace {

using K = ir::OpKind;

// What becomes of operators that have no kernel.
struct Elsewhere {
  K kind;
  std::string_view where;  // "compiler": none is left to run
  std::string_view what;
};
constexpr std::array kElsewhere{
    Elsewhere{K::kDequantize, "CPU", "Its output is float32, which only the host computes with"},
    Elsewhere{K::kSqueeze, "compiler", "Becomes RESHAPE"},
    Elsewhere{K::kExpandDims, "compiler", "Becomes RESHAPE"},
    Elsewhere{K::kShape, "compiler", "Becomes a constant: every shape is known"},
    Elsewhere{K::kUnidirectionalSequenceLstm, "CPU",
              "Works on a variable, which the host keeps between runs"},
    Elsewhere{K::kVarHandle, "CPU", "Works on a variable, which the host keeps between runs"},
    Elsewhere{K::kReadVariable, "CPU", "Works on a variable, which the host keeps between runs"},
    Elsewhere{K::kAssignVariable, "CPU", "Works on a variable, which the host keeps between runs"},
    Elsewhere{K::kCallOnce, "CPU", "Works on variables, which the host keeps between runs"},
};

constexpr std::string_view kHead = R"(<!-- SPDX-License-Identifier: MIT -->
# Operators

Which operators of a TFLite model run on the NPU, and under which conditions. This page is written by the program
`zynpu_operators_doc` from the table that the compiler places operators with (`src/compiler/kernels`); change the table,
not the page. For one model, `zynpu info MODEL` says where each operator goes, and why.

An operator that fails a condition runs on the CPU, with the condition and what breaks it as the reason. The result is the
same ([numerics.md](numerics.md)). A file with an operator that is not on this page is refused by name, as is an operator
that neither the NPU nor the CPU can run.

Before operators are placed, the compiler rewrites the model; no byte of a result changes:

- what depends on constants and shapes only is computed: SHAPE, STRIDED_SLICE, PACK chains in front of a RESHAPE too;
- a PAD of rows and columns moves into the convolutions that read it, a RELU, RELU6 or RELU_N1_TO_1 into the operator
  before it;
- uint8 tensors become int8 ones, shifted by 128, wherever the int8 kernel gives exactly the shifted bytes. An
  AVERAGE_POOL_2D of an even number of values, a CONCATENATION that rescales and a RESIZE_BILINEAR stay uint8;
- a DEPTHWISE_CONV_2D of one input channel becomes a CONV_2D;
- SQUEEZE, EXPAND_DIMS, and a TRANSPOSE, PAD, slice or QUANTIZE that changes nothing become RESHAPE.

Operators on the NPU are gathered into as few steps as data and variables allow. What could run there but would need a
further step of its own that is too small to be worth starting runs on the CPU.

| operator | runs on | how |
|---|---|---|
)";

const Kernel* kernel_of(K kind) {
  for (const Kernel& kernel : kernels())
    if (kernel.kind == kind) return &kernel;
  return nullptr;
}

}  // namespace

std::string operators_manual() {
  std::string page(kHead);
  const auto to = std::back_inserter(page);
  // Operators with the same conditions share a paragraph.
  struct Group {
    std::vector<std::string_view> sentences;
    std::string names;
  };
  std::vector<Group> groups;
  for (int i = 0; i < static_cast<int>(K::kCount); ++i) {
    const K kind = static_cast<K>(i);
    const Kernel* kernel = kernel_of(kind);
    if (kernel == nullptr) {
      const auto at = std::find_if(kElsewhere.begin(), kElsewhere.end(),
                                   [kind](const Elsewhere& e) { return e.kind == kind; });
      fmt::format_to(to, "| {} | {} | {} |\n", ir::to_string(kind),
                     at == kElsewhere.end() ? "CPU" : at->where,
                     at == kElsewhere.end() ? "It has no kernel" : at->what);
      continue;
    }
    fmt::format_to(to, "| {} | NPU | {} |\n", ir::to_string(kind), kernel->summary);
    std::vector<std::string_view> sentences;
    for (const Constraint& constraint : kernel->constraints) sentences.push_back(constraint.sentence);
    const auto same =
        std::find_if(groups.begin(), groups.end(), [&](const Group& g) { return g.sentences == sentences; });
    if (same == groups.end())
      groups.push_back({std::move(sentences), std::string(ir::to_string(kind))});
    else
      same->names += fmt::format(", {}", ir::to_string(kind));
  }
  page += "\n## Conditions on the NPU\n";
  for (const Group& group : groups) {
    fmt::format_to(to, "\n{}\n\n", group.names);
    if (group.sentences.empty()) page += "- none\n";
    for (const std::string_view sentence : group.sentences) fmt::format_to(to, "- {}\n", sentence);
  }
  return page;
}

}  // namespace zynpu::compiler
