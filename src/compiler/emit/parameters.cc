// SPDX-License-Identifier: MIT
#include "compiler/emit/parameters.h"

#include "compiler/codegen/bytes.h"
#include "compiler/emit/program.h"

namespace zynpu::compiler {
namespace {

constexpr std::uint32_t kLine = part::kCacheLineBytes;
// Readable bytes behind every section (tec-semantics.md 3.6).
constexpr std::uint32_t kSlack = 64;

void align(std::vector<std::uint8_t>& bytes, std::size_t unit) {
  bytes.resize((bytes.size() + unit - 1) / unit * unit);
}

graph::FileDataType file_type(ir::DataType type) {
  switch (type) {
    case ir::DataType::kInt8:
      return graph::FileDataType::kS8;
    case ir::DataType::kUint8:
      return graph::FileDataType::kU8;
    case ir::DataType::kInt16:
      return graph::FileDataType::kS16;
    case ir::DataType::kUint16:
      return graph::FileDataType::kU16;
    case ir::DataType::kInt32:
      return graph::FileDataType::kS32;
    case ir::DataType::kUint32:
      return graph::FileDataType::kU32;
    case ir::DataType::kInt64:
      return graph::FileDataType::kS64;
    case ir::DataType::kFloat32:
      return graph::FileDataType::kF32;
    case ir::DataType::kBool:
      return graph::FileDataType::kBool;
    case ir::DataType::kResource:
      break;
  }
  return graph::FileDataType::kNone;
}

}  // namespace

std::uint32_t ParameterBlocks::static_offset(const Blob& blob) {
  const auto [entry, is_new] = blobs_.try_emplace(std::string(blob.bytes.begin(), blob.bytes.end()),
                                                  static_cast<std::uint32_t>(data_.size()));
  if (is_new) {
    data_.insert(data_.end(), blob.bytes.begin(), blob.bytes.end());
    align(data_, kLine);
  }
  return entry->second;
}

std::uint32_t ParameterBlocks::add(const std::vector<ProgramLayer>& layers, unsigned first_worker) {
  align(rodata_, kLine);
  const std::uint32_t block = size();
  put_word(rodata_, first_worker);
  put_word(rodata_, static_cast<std::uint32_t>(layers.size()));
  rodata_.resize(block + kProgramHeaderBytes);
  auto at = static_cast<std::uint32_t>(kProgramHeaderBytes + layers.size() * kProgramLayerBytes);
  for (const ProgramLayer& layer : layers) {
    put_word(rodata_, layer.code);
    put_word(rodata_, at);
    put_word(rodata_, layer.program->workers);
    put_word(rodata_, 0);
    at += static_cast<std::uint32_t>(4 * layer.program->params.size());
  }
  for (const ProgramLayer& layer : layers)
    for (const Param& param : layer.program->params) {
      const std::uint32_t word = size();
      put_word(rodata_, param.kind == Param::Kind::kLiteral ? param.value : 0);
      if (param.kind == Param::Kind::kTensor)
        tensors_[homes_.home(param.index)][param.value].push_back(word);
      else if (param.kind == Param::Kind::kBlob)
        static_[static_offset(layer.program->blobs.at(static_cast<std::size_t>(param.index))) + param.value]
            .push_back(word);
    }
  return block;
}

graph::ReuseSection ParameterBlocks::external_section(const ir::Tensor& tensor, int index,
                                                      graph::SubSectionType type, std::uint32_t id) {
  graph::ReuseSection section;
  const auto bytes = static_cast<std::uint32_t>(tensor.bytes());
  section.size = (bytes + kLine - 1) / kLine * kLine + kSlack;
  graph::SubSection main;
  main.size = bytes;
  main.type = type;
  main.id = id;
  main.data_type = static_cast<std::uint32_t>(file_type(tensor.type));
  if (tensor.quant.present()) {
    main.scale = tensor.quant.scale[0];
    main.zero_point = tensor.quant.zero_point.empty() ? 0 : tensor.quant.zero_point[0];
  }
  section.sub_sections.push_back(main);
  for (const auto& [offset, words] : tensors_[homes_.home(index)]) {
    if (offset == 0) {
      section.sub_sections.front().patch_offsets = words;
      continue;
    }
    graph::SubSection part;
    part.offset = offset;
    part.size = section.size - offset;
    part.id = static_cast<std::uint32_t>(section.sub_sections.size());
    part.patch_offsets = words;
    section.sub_sections.push_back(part);
  }
  return section;
}

Status ParameterBlocks::finish(const ir::Graph& model, const std::vector<int>& inputs,
                               const std::vector<int>& outputs, const TemporaryPlan& temporaries,
                               graph::Graph& graph) && {
  constexpr std::uint64_t kLimit = 0x7FFFFFFF;
  graph.bss.assign(1, {});
  graph::Bss& bss = graph.bss.front();
  bss.stack_size = 8192;
  bss.stack_align = 4096;
  if (!static_.empty()) {
    data_.resize(data_.size() + 2 * kLine);
    if (data_.size() > kLimit) return fail(ErrorCode::kOutOfMemory, "{} bytes of constants", data_.size());
    graph::StaticSection section;
    section.size = static_cast<std::uint32_t>(data_.size());
    section.align = 4096;
    for (const auto& [offset, words] : static_) {
      graph::SubSection part;
      part.offset = offset;
      part.size = section.size - offset;
      part.type = graph::SubSectionType::kConstant;
      part.id = static_cast<std::uint32_t>(section.sub_sections.size());
      part.patch_offsets = words;
      section.sub_sections.push_back(std::move(part));
    }
    bss.static_sections.push_back(std::move(section));
  }
  const auto add_externals = [&](const std::vector<int>& list, graph::SubSectionType type) -> Status {
    for (std::size_t i = 0; i < list.size(); ++i) {
      const ir::Tensor& tensor = model.tensors[static_cast<std::size_t>(list[i])];
      if (tensor.bytes() <= 0 || static_cast<std::uint64_t>(tensor.bytes()) > kLimit)
        return fail(ErrorCode::kOutOfMemory, "tensor `{}` of {} bytes", tensor.name, tensor.bytes());
      bss.reuse_sections.push_back(external_section(tensor, list[i], type, static_cast<std::uint32_t>(i)));
    }
    return {};
  };
  ZYNPU_TRY(add_externals(inputs, graph::SubSectionType::kInput));
  ZYNPU_TRY(add_externals(outputs, graph::SubSectionType::kOutput));
  if (temporaries.size > 0) {
    graph::ReuseSection section;
    section.size = temporaries.size + kSlack;
    Patches by_offset;
    for (const auto& [tensor, offset] : temporaries.offset)
      for (const auto& [inside, words] : tensors_[tensor]) {
        auto& all = by_offset[offset + inside];
        all.insert(all.end(), words.begin(), words.end());
      }
    for (const auto& [offset, words] : by_offset) {
      graph::SubSection part;
      part.offset = offset;
      part.size = section.size - offset;
      part.id = static_cast<std::uint32_t>(section.sub_sections.size());
      part.patch_offsets = words;
      section.sub_sections.push_back(std::move(part));
    }
    bss.reuse_sections.push_back(std::move(section));
  }
  align(rodata_, kLine);
  graph.rodata = std::move(rodata_);
  graph.data = std::move(data_);
  return {};
}

}  // namespace zynpu::compiler
