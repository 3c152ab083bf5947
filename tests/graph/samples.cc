// SPDX-License-Identifier: MIT
#include "graph/samples.h"

#include <memory>
#include <numeric>

namespace zynpu::graph::samples {
namespace {

constexpr std::uint32_t kU8 = 2, kS8 = 3, kS32 = 7;

Bytes pattern(std::size_t size, std::uint8_t first) {
  Bytes bytes(size);
  std::iota(bytes.begin(), bytes.end(), first);
  return bytes;
}

void append_u32(Bytes& bytes, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

Bytes words(std::initializer_list<std::uint32_t> values) {
  Bytes bytes;
  for (const std::uint32_t value : values) append_u32(bytes, value);
  return bytes;
}

SubSection piece(SubSectionType type, std::uint32_t id, std::uint32_t offset, std::uint32_t size,
                 std::uint32_t data_type, std::vector<std::uint32_t> patches) {
  return {.offset = offset,
          .size = size,
          .type = type,
          .id = id,
          .data_type = data_type,
          .scale = 1.0f,
          .zero_point = 0,
          .addr_mask = 0xFFFFFFFF,
          .patch_offsets = std::move(patches)};
}

Bss minimal_bss() {
  return {
      .stack_size = 4096,
      .stack_align = 4096,
      .static_sections = {},
      .reuse_sections = {
          {.size = 256, .align = 4096, .sub_sections = {piece(SubSectionType::kInput, 0, 0, 16, kU8, {0})}},
          {.size = 256,
           .align = 4096,
           .sub_sections = {piece(SubSectionType::kOutput, 0, 0, 16, kS8, {4})}}}};
}

StaticSection weights(std::uint32_t source, std::uint32_t size, std::uint32_t align, SubSectionType type,
                      std::vector<std::uint32_t> patches) {
  return {.src_offset = source,
          .size = size,
          .align = align,
          .sub_sections = {piece(type, 0, 0, size, kS8, std::move(patches))}};
}

}  // namespace

Graph minimal_bin() {
  Graph graph;
  graph.device_word = 0x000102BD;
  graph.text.resize(32);
  graph.rodata.resize(64);
  graph.bss = {minimal_bss()};
  return graph;
}

Graph minimal_elf() {
  Graph graph;
  graph.device_word = 0x000504B4;
  graph.build_version = 0x00010205;
  graph.text.resize(32);
  graph.rodata.resize(64);
  graph.bss = {minimal_bss()};
  graph.subgraphs = {SubGraph{.rodata_size = 64, .precursors = {}, .private_buffers = {}}};
  return graph;
}

Graph full_bin() {
  Graph graph = minimal_bin();
  graph.device_word = 0x00020450;
  graph.build_version = 0x00070301;
  graph.flags = kFlagRemap | kFlagExclusiveSram | 1;
  graph.virtual_profile = true;
  graph.entry = 16;
  graph.text = pattern(72, 1);
  graph.rodata = pattern(68, 0x40);
  graph.dcr = pattern(32, 0x80);
  graph.data = pattern(200, 7);
  graph.remap = {{0, 60, 1, 8}, {1, 4, 0, 0}, {1, 8, 2, 16}};
  Bss& bss = graph.bss.front();
  bss.stack_size = 10000;
  bss.stack_align = 8192;
  bss.static_sections = {weights(0, 100, 1, SubSectionType::kConstant, {8, 68 + 0}),
                         weights(100, 60, 64, SubSectionType::kConstant, {12}),
                         weights(160, 40, 32, SubSectionType::kZeroCopyConstant, {16})};
  bss.static_sections[0].sub_sections.push_back(piece(SubSectionType::kConstant, 1, 50, 50, kS32, {20}));
  bss.reuse_sections.push_back(
      {.size = 9000,
       .align = 16384,
       .sub_sections = {piece(SubSectionType::kInput, 1, 4096, 100, kS8, {24}),
                        piece(SubSectionType::kIntermediate, 0, 0, 4096, 0, {28, 32}),
                        piece(SubSectionType::kInterDump, 0, 8, 16, kS8, {}),
                        piece(SubSectionType::kPrintf, 0, 5000, 512, kU8, {36}),
                        piece(SubSectionType::kProfiler, 0, 6000, 64, kU8, {}),
                        piece(SubSectionType::kLayerCounter, 0, 6064, 4, kU8, {}),
                        piece(SubSectionType::kErrorCode, 0, 6068, 4, kU8, {40}),
                        piece(static_cast<SubSectionType>(77), 0, 7000, 8, kU8, {44})}});
  bss.reuse_sections.back().sub_sections[1].addr_mask = 0xFFFFF000;
  bss.reuse_sections.back().sub_sections[0].scale = 0.25f;
  bss.reuse_sections.back().sub_sections[0].zero_point = -3;
  return graph;
}

Graph full_elf() {
  Graph graph = minimal_elf();
  graph.flags = kFlagDynamicShape;
  graph.text = pattern(96, 3);
  graph.rodata = pattern(256, 0x11);
  graph.dcr = pattern(64, 0x21);
  graph.data = pattern(300, 5);
  graph.crodata = pattern(20, 9);
  graph.comment = "made for a test\ntarget:X2_1204MP3;";
  graph.remap = {{0, 128, 1, 16}, {1, 32, 2, 0}};
  Bss& first = graph.bss.front();
  first.static_sections = {weights(0, 128, 64, SubSectionType::kConstant, {8}),
                           weights(128, 30, 16, SubSectionType::kZeroCopyConstant, {12})};
  first.reuse_sections.push_back(
      {.size = 5000,
       .align = 4096,
       .sub_sections = {piece(SubSectionType::kOutputShape, 0, 0, 16, 6, {16}),
                        piece(SubSectionType::kProfiler, 0, 64, 128, kU8, {20}),
                        piece(SubSectionType::kSegmentMmu, 0x00010301, 512, 64, kU8, {24})}});
  graph.bss.push_back(
      {.stack_size = 6000,
       .stack_align = 4096,
       .static_sections = {weights(158, 100, 256, SubSectionType::kConstant, {28, 256 + 60})},
       .reuse_sections = {{.size = 64,
                           .align = 4096,
                           .sub_sections = {piece(SubSectionType::kInput, 1, 0, 36, kS8, {32}),
                                            piece(SubSectionType::kIntermediate, 0, 32, 32, 0, {36})}}}});
  graph.subgraphs.clear();
  for (int i = 0; i < 4; ++i) {
    SubGraph sub;
    sub.text_offset = 16u * static_cast<unsigned>(i);
    sub.bss = i >= 2 ? 1 : 0;
    sub.rodata_offset = 64u * static_cast<unsigned>(i);
    sub.rodata_size = 64;
    sub.dcr_offset = 16;
    sub.dcr_size = 16;
    sub.private_data_size = 4096u + 100u * static_cast<unsigned>(i);
    graph.subgraphs.push_back(std::move(sub));
  }
  graph.subgraphs[1].precursor_count = 1;
  graph.subgraphs[1].precursors = {0};
  graph.subgraphs[2].precursor_count = -1;
  graph.subgraphs[1].printf_fifo_size = 1024;
  graph.subgraphs[1].profiler_offset = 32;
  graph.subgraphs[0].private_buffers = {
      {.size = 100,
       .align = 4096,
       .sub_sections = {piece(SubSectionType::kIntermediate, 0, 4, 96, 0, {40})}}};
  graph.subgraphs[1].private_buffers = {
      {.size = 5000,
       .align = 4096,
       .sub_sections = {piece(SubSectionType::kIntermediate, 0, 0, 5000, 0, {44})}},
      {.size = 8, .align = 4096, .sub_sections = {}}};
  graph.subgraphs[3].private_buffers = {
      {.size = 4096,
       .align = 4096,
       .sub_sections = {piece(SubSectionType::kIntermediate, 0, 0, 4096, 0, {48})}}};

  Bytes gm = words({1, 0, 0, 0, 0, 0, 0, 0, 1, 0});
  gm.resize(56);
  Bytes parameters = words({8, 2, 0, 0, 0, 0, 0, 0, 0, 0});
  Bytes constraints = words({4, 4, 1, 4, 4, 1, 4, 1, 8, 8, 1, 2, 6, 6, 2, 6, 6});
  Bytes hashes = words({2, 1, 0, 128});
  hashes.resize(hashes.size() + 32, 0xAB);
  append_u32(hashes, 0);
  Bytes json = {'{', '}'};
  graph.notes = {{"gmconfig", std::move(gm)},
                 {"segmmu", words({0})},
                 {"globalparam", std::move(parameters)},
                 {"inputshapeconstraint", std::move(constraints)},
                 {"constanthashtable", std::move(hashes)},
                 {"graphjson", std::move(json)},
                 {"somebody.else", {1, 2, 3, 4, 5}}};
  return graph;
}

std::vector<Sample> graphs() {
  std::vector<Sample> all = {{"minimal_bin", minimal_bin()},
                             {"full_bin", full_bin()},
                             {"minimal_elf", minimal_elf()},
                             {"full_elf", full_elf()}};
  for (const auto& [name, word] :
       {std::pair{"bin_z2", 0x00020450u}, {"bin_z3", 0x00030450u}, {"bin_z1p", 0x100102BDu}}) {
    all.push_back({name, minimal_bin()});
    all.back().graph.device_word = word;
  }
  all.push_back({"bin_x1_dtcm", minimal_bin()});
  all.back().graph.device_word = 0x000404B4;
  all.back().graph.dtcm_kib = 512;
  all.push_back({"elf_without_subgraphs", minimal_elf()});
  all.back().graph.subgraphs.clear();
  return all;
}

namespace {

using ir::DataType;
using ir::OpKind;

class PlanBuilder {
 public:
  ir::Graph model;

  int tensor(std::string name, DataType type, std::vector<std::int32_t> shape) {
    ir::Tensor tensor;
    tensor.name = std::move(name);
    tensor.type = type;
    tensor.shape = std::move(shape);
    model.tensors.push_back(std::move(tensor));
    return static_cast<int>(model.tensors.size() - 1);
  }
  int constant(std::string name, DataType type, std::vector<std::int32_t> shape) {
    const int index = tensor(std::move(name), type, std::move(shape));
    ir::Tensor& made = model.tensors.back();
    made.data = std::make_shared<const ir::Bytes>(pattern(static_cast<std::size_t>(made.bytes()), 200));
    return index;
  }
  // An operator from the newest activation to a new one.
  void op(OpKind kind, ir::Attributes attributes, std::vector<int> more_inputs = {}) {
    ir::Op op;
    op.kind = kind;
    op.inputs = {last};
    op.inputs.insert(op.inputs.end(), more_inputs.begin(), more_inputs.end());
    last = tensor("t" + std::to_string(model.tensors.size()), DataType::kInt8, {16});
    op.outputs = {last};
    op.attributes = std::move(attributes);
    op.source = static_cast<int>(model.ops.size());
    model.ops.push_back(std::move(op));
  }
  int last = 0;
};

}  // namespace

HostPlan plan(std::size_t graphs) {
  PlanBuilder builder;
  builder.model.name = "sample";
  const int input = builder.tensor("input", DataType::kUint8, {1, 4, 4, 1});
  builder.model.tensors.back().quant = {{0.5f}, {128}, 0};
  const int between = builder.tensor("between", DataType::kInt8, {1, 16});
  builder.last = between;

  const int weight = builder.constant("weight", DataType::kInt8, {3, 1, 1, 2});
  builder.model.tensors.back().quant = {{0.5f, 0.25f, 0.0f}, {0, 0, 0}, 0};
  const int bias = builder.constant("bias", DataType::kInt32, {3});
  const int scalar = builder.constant("scalar", DataType::kInt64, {});
  const int state = builder.tensor("state", DataType::kInt16, {1, 8});
  builder.model.tensors.back().is_variable = true;

  builder.op(OpKind::kConv2d,
             ir::ConvAttributes{ir::Padding::kValid, 2, 3, 4, 5, 1, ir::Activation::kRelu6, 1, 2, 3, 4, true},
             {weight, bias});
  builder.op(OpKind::kDepthwiseConv2d, ir::ConvAttributes{.depth_multiplier = 2}, {weight, ir::kAbsent});
  builder.op(OpKind::kFullyConnected, ir::FullyConnectedAttributes{ir::Activation::kRelu, true},
             {weight, bias});
  builder.op(OpKind::kAveragePool2d,
             ir::PoolAttributes{ir::Padding::kSame, 2, 3, 4, 5, ir::Activation::kReluN1To1});
  builder.op(OpKind::kMaxPool2d, ir::PoolAttributes{});
  for (const OpKind kind : {OpKind::kAdd, OpKind::kSub, OpKind::kMul})
    builder.op(kind, ir::ArithmeticAttributes{ir::Activation::kSignBit}, {between});
  builder.op(OpKind::kMean, ir::MeanAttributes{true}, {scalar});
  for (const OpKind kind : {OpKind::kPad, OpKind::kReshape, OpKind::kRelu, OpKind::kRelu6, OpKind::kReluN1To1,
                            OpKind::kQuantize, OpKind::kDequantize, OpKind::kLogistic, OpKind::kTanh,
                            OpKind::kHardSwish, OpKind::kTranspose, OpKind::kExpandDims, OpKind::kShape})
    builder.op(kind, {});
  builder.op(OpKind::kConcatenation, ir::ConcatenationAttributes{-1, ir::Activation::kTanh}, {between});
  builder.op(OpKind::kSoftmax, ir::SoftmaxAttributes{0.75f});
  builder.op(OpKind::kResizeNearestNeighbor, ir::ResizeAttributes{true, false});
  builder.op(OpKind::kResizeBilinear, ir::ResizeAttributes{false, true});
  builder.op(OpKind::kSplit, ir::SplitAttributes{3});
  builder.op(OpKind::kStridedSlice, ir::StridedSliceAttributes{1, 2, 3, 4, 5});
  builder.op(OpKind::kSqueeze, ir::SqueezeAttributes{{0, -1}});
  builder.op(OpKind::kPack, ir::PackAttributes{2, 3});
  builder.op(OpKind::kUnpack, ir::PackAttributes{-2, 4});
  builder.op(OpKind::kUnidirectionalSequenceLstm,
             ir::LstmAttributes{ir::Activation::kTanh, 10.5f, 1.5f, true, 0.125f, -7},
             {ir::kAbsent, weight, state});
  builder.op(OpKind::kVarHandle, ir::VarHandleAttributes{"box", "name"});
  builder.op(OpKind::kReadVariable, {});
  builder.op(OpKind::kAssignVariable, {});
  builder.op(OpKind::kCallOnce, ir::CallOnceAttributes{1});
  const int before_last = builder.last;
  const int output = builder.tensor("output", DataType::kInt8, {16});
  ir::Op final_op;
  final_op.kind = OpKind::kRelu;
  final_op.inputs = {before_last};
  final_op.outputs = {output};
  builder.model.ops.push_back(std::move(final_op));
  builder.model.inputs = {input};
  builder.model.outputs = {output, output};

  // The first operator of the model turns `input` into `between`: graph 0 does that on the NPU.
  ir::Op first;
  first.kind = OpKind::kQuantize;
  first.inputs = {input};
  first.outputs = {between};
  first.source = 99;
  builder.model.ops.insert(builder.model.ops.begin(), std::move(first));

  ir::Graph body;
  body.name = "init";
  body.tensors = {builder.model.tensors[static_cast<std::size_t>(bias)]};
  builder.model.subgraphs = {ir::Graph{}, body};

  HostPlan plan;
  plan.model = std::move(builder.model);
  const int ops = static_cast<int>(plan.model.ops.size());
  Step cpu;
  for (int i = 1; i < ops - 1; ++i) cpu.ops.push_back(i);
  const auto npu = [](int graph, int op, int from, int to) {
    return Step{.npu = true, .graph = graph, .ops = {op}, .inputs = {from}, .outputs = {to}};
  };
  if (graphs == 0) cpu.ops.insert(cpu.ops.begin(), 0);
  if (graphs < 2) cpu.ops.push_back(ops - 1);
  if (graphs >= 1) {
    plan.steps.push_back(npu(0, 0, input, between));
    plan.graphs.push_back(minimal_elf());
    plan.source_map = {{0, 0, 16, -1}, {0, 16, 32, 0}};
    plan.placements.push_back({0, "QUANTIZE #99", true, "", 0, 1234});
  }
  plan.steps.push_back(std::move(cpu));
  if (graphs >= 2) {
    plan.steps.push_back(npu(1, ops - 1, before_last, output));
    plan.graphs.push_back(minimal_elf());
    plan.graphs.back().text = pattern(64, 1);
    plan.source_map.push_back({1, 0, 64, ops - 1});
  }
  plan.placements.push_back({1, "CONV_2D #0", false, "It is a test.", 1'000'000'000'000, 0});
  return plan;
}

}  // namespace zynpu::graph::samples
