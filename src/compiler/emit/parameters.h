// SPDX-License-Identifier: MIT
// Collects blobs, parameter words and the addresses that go into them, and turns them into the sections of a
// graph.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "compiler/codegen/layer.h"
#include "compiler/emit/memory_plan.h"
#include "graph/graph.h"
#include "ir/graph.h"

namespace zynpu::compiler {

// A layer within a program block.
struct ProgramLayer {
  const LayerProgram* program = nullptr;
  unsigned code = 0;  // number of its code in the image
};

class ParameterBlocks {
 public:
  explicit ParameterBlocks(const TensorHomes& homes) : homes_(homes) {}

  // Byte offset of a new program block (program.h) in the rodata.
  std::uint32_t add(const std::vector<ProgramLayer>& layers, unsigned first_worker);
  std::uint32_t size() const { return static_cast<std::uint32_t>(rodata_.size()); }

  // Fills rodata, data and the sections of BSS 0 of `graph`: inputs and outputs in the order given, then
  // temporaries. kOutOfMemory if a section exceeds 32 bits.
  Status finish(const ir::Graph& model, const std::vector<int>& inputs, const std::vector<int>& outputs,
                const TemporaryPlan& temporaries, graph::Graph& graph) &&;

 private:
  using Patches = std::map<std::uint32_t, std::vector<std::uint32_t>>;  // offset in the section -> words

  std::uint32_t static_offset(const Blob& blob);
  graph::ReuseSection external_section(const ir::Tensor& tensor, int index, graph::SubSectionType type,
                                       std::uint32_t id);

  const TensorHomes& homes_;
  std::vector<std::uint8_t> rodata_, data_;
  std::map<std::string, std::uint32_t> blobs_;  // by content
  Patches static_;
  std::map<int, Patches> tensors_;  // by home
};

}  // namespace zynpu::compiler
