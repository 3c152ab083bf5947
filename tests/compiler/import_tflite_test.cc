// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <limits>

#include "compiler/compiler.h"
#include "tflite_file.h"

namespace zynpu::compiler {
namespace {

using test::conv_file;
using test::TfliteFile;
namespace tf = tflite;
using B = tf::BuiltinOperator;
using E = tf::ElementType;

std::vector<std::uint8_t> int32s(std::initializer_list<std::int32_t> values) {
  std::vector<std::uint8_t> out;
  for (const std::int32_t v : values)
    for (int s = 0; s < 32; s += 8)
      out.push_back(static_cast<std::uint8_t>(static_cast<std::uint32_t>(v) >> s));
  return out;
}

TEST(TfliteImport, ReadsTensorsOperatorsAndAttributes) {
  const auto graph = import_tflite(conv_file().bytes(), "small");
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(graph->name, "small");
  ASSERT_EQ(graph->tensors.size(), 6u);
  EXPECT_EQ(graph->tensors[0].name, "x");
  EXPECT_EQ(graph->tensors[0].shape, (std::vector<std::int32_t>{1, 4, 4, 2}));
  EXPECT_EQ(graph->tensors[0].quant.zero_point, (std::vector<std::int32_t>{-3}));
  EXPECT_FALSE(graph->tensors[0].is_constant());
  EXPECT_EQ(graph->tensors[1].quant.scale, (std::vector<float>{0.1f, 0.2f, 0.3f}));
  ASSERT_TRUE(graph->tensors[1].is_constant());
  EXPECT_EQ(*graph->tensors[1].data, (ir::Bytes{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(graph->inputs, (std::vector<int>{0}));
  EXPECT_EQ(graph->outputs, (std::vector<int>{5}));
  ASSERT_EQ(graph->ops.size(), 2u);
  EXPECT_EQ(graph->ops[0].kind, ir::OpKind::kConv2d);
  EXPECT_EQ(graph->ops[0].source, 0);
  const auto& conv = std::get<ir::ConvAttributes>(graph->ops[0].attributes);
  EXPECT_EQ(conv.padding, ir::Padding::kSame);
  EXPECT_EQ(conv.activation, ir::Activation::kRelu6);
  EXPECT_EQ(conv.dilation_h, 1);
  EXPECT_EQ(graph->ops[1].kind, ir::OpKind::kReshape);
  EXPECT_EQ(graph->ops[1].inputs, (std::vector<int>{3, 4}));
}

TEST(TfliteImport, TakesAFileAtAnyAddress) {
  const auto file = conv_file().bytes();
  std::vector<std::uint8_t> shifted(file.size() + 16);
  for (std::size_t offset = 0; offset < 16; ++offset) {
    std::copy(file.begin(), file.end(), shifted.begin() + static_cast<std::ptrdiff_t>(offset));
    EXPECT_TRUE(import_tflite({shifted.data() + offset, file.size()}, "m"));
  }
}

TEST(TfliteImport, ReadsTheOperatorCodeOfOldFiles) {
  TfliteFile file = conv_file();
  for (auto& code : file.model.operator_codes) code->code = B::ADD;  // the value of an absent field
  const auto graph = import_tflite(file.bytes(), "m");
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(graph->ops[0].kind, ir::OpKind::kConv2d);
}

TEST(TfliteImport, ReadsTheOperatorCodeOfFilesWithoutTheShortOne) {
  TfliteFile file = conv_file();
  for (auto& code : file.model.operator_codes) code->short_code = 0;
  const auto graph = import_tflite(file.bytes(), "m");
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(graph->ops[0].kind, ir::OpKind::kConv2d);
}

TEST(TfliteImport, TakesABiasWithTheQuantisedDimensionOfItsWeights) {
  TfliteFile file = conv_file();
  file.main().tensors[2]->quantization->quantized_dimension = 3;
  const auto graph = import_tflite(file.bytes(), "m");
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(graph->tensors[2].quant.axis, 0);
}

TEST(TfliteImport, SpreadsASingleZeroPointOverTheChannels) {
  TfliteFile file = conv_file();
  file.main().tensors[1]->quantization->zero_point = {0};
  const auto graph = import_tflite(file.bytes(), "m");
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(graph->tensors[1].quant.zero_point, (std::vector<std::int32_t>{0, 0, 0}));
}

TEST(TfliteImport, TakesTheShapeWhereTheSignatureLeavesTheBatchOpen) {
  TfliteFile file = conv_file();
  file.main().tensors[0]->shape_signature = {-1, 4, 4, 2};
  EXPECT_TRUE(import_tflite(file.bytes(), "m"));
}

TEST(TfliteImport, DropsTensorsThatNothingNames) {
  TfliteFile file = conv_file();
  file.tensor("rest", E::STRING, {0});
  std::swap(file.main().tensors[4], file.main().tensors[6]);  // so that indices move
  file.main().operators[1]->inputs[1] = 6;
  const auto graph = import_tflite(file.bytes(), "m");
  ASSERT_TRUE(graph) << graph.error().message;
  ASSERT_EQ(graph->tensors.size(), 6u);
  EXPECT_EQ(graph->tensors[static_cast<std::size_t>(graph->ops[1].inputs[1])].name, "s");
  EXPECT_EQ(graph->tensors[static_cast<std::size_t>(graph->outputs[0])].name, "z");
}

TEST(TfliteImport, SharesOneCopyOfABuffer) {
  TfliteFile file = conv_file();
  const int twin = file.tensor("twin", E::INT32, {2});
  file.main().tensors[static_cast<std::size_t>(twin)]->buffer = file.main().tensors[4]->buffer;
  const int again = file.tensor("again", E::INT8, {1, 48}, {0.25f}, {7});
  file.op(B::RESHAPE, {5, twin}, {again});
  const auto graph = import_tflite(file.bytes(), "m");
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(graph->tensors[4].data, graph->tensors[static_cast<std::size_t>(twin)].data);
}

TEST(TfliteImport, KeepsNamesPrintable) {
  TfliteFile file = conv_file();
  file.main().tensors[0]->name = "a\n\x1b[1m\xC3\xA4\xFF\xC0\x80\xED\xA0\x80z";
  const auto graph = import_tflite(file.bytes(), "m");
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(graph->tensors[0].name, "a??[1m\xC3\xA4??????z");
}

TEST(TfliteImport, ReadsTheMultiplierOfADepthwiseConvolutionFromItsShapes) {
  TfliteFile file;
  const int x = file.tensor("x", E::INT8, {1, 2, 2, 2}, {1}, {0});
  const int w =
      file.constant(file.tensor("w", E::INT8, {1, 1, 1, 6}, {1}, {0}), std::vector<std::uint8_t>(6));
  const int y = file.tensor("y", E::INT8, {1, 2, 2, 6}, {1}, {0});
  file.main().inputs = {x};
  file.main().outputs = {y};
  tf::DepthwiseConv2DOptionsT options;
  options.stride_h = options.stride_w = 1;
  options.depth_multiplier = 77;
  file.op(B::DEPTHWISE_CONV_2D, {x, w, -1}, {y}, options);
  const auto graph = import_tflite(file.bytes(), "m");
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(std::get<ir::ConvAttributes>(graph->ops[0].attributes).depth_multiplier, 3);
}

// x -> VAR_HANDLE, ASSIGN_VARIABLE in the body of CALL_ONCE; READ_VARIABLE in the main graph
TfliteFile variable_file() {
  TfliteFile file;
  const int handle = file.tensor("h", E::RESOURCE, {1});
  const int value = file.tensor("v", E::INT8, {4}, {1}, {0});
  file.main().outputs = {value};
  tf::CallOnceOptionsT call;
  call.subgraph = 2;
  file.op(B::CALL_ONCE, {}, {}, call);
  tf::VarHandleOptionsT name;
  name.shared_name = "state";
  file.op(B::VAR_HANDLE, {}, {handle}, name);
  file.op(B::READ_VARIABLE, {handle}, {value});
  file.subgraph().name = "unused";
  file.tensor("not read", E::STRING, {-1});
  file.op(B::CUSTOM, {0}, {0});
  file.subgraph().name = "init";
  file.tensor("h", E::RESOURCE, {1});
  file.constant(file.tensor("zero", E::INT8, {4}, {1}, {0}), {1, 2, 3, 4});
  file.op(B::VAR_HANDLE, {}, {0}, name);
  file.op(B::ASSIGN_VARIABLE, {0, 1}, {});
  return file;
}

TEST(TfliteImport, ReadsTheBodyOfCallOnceAndNoOtherSubgraph) {
  const auto graph = import_tflite(variable_file().bytes(), "m");
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(std::get<ir::CallOnceAttributes>(graph->ops[0].attributes).subgraph, 1);
  EXPECT_EQ(std::get<ir::VarHandleAttributes>(graph->ops[1].attributes).shared_name, "state");
  ASSERT_EQ(graph->subgraphs.size(), 2u);
  EXPECT_TRUE(graph->subgraphs[0].ops.empty());
  ASSERT_EQ(graph->subgraphs[1].ops.size(), 2u);
  EXPECT_EQ(graph->subgraphs[1].ops[1].kind, ir::OpKind::kAssignVariable);
}

TEST(TfliteImport, RefusesVariablesOfTwoShapes) {
  TfliteFile file = variable_file();
  file.main().tensors[1]->shape = {2, 2};
  const auto graph = import_tflite(file.bytes(), "m");
  ASSERT_FALSE(graph);
  EXPECT_NE(graph.error().message.find("variable `state`"), std::string::npos) << graph.error().message;
}

TEST(TfliteImport, RefusesFilesThatAreNotTflite) {
  const std::vector<std::uint8_t> empty, text = {'h', 'e', 'l', 'l', 'o', ' ', 'w', 'o', 'r', 'l', 'd'};
  EXPECT_EQ(import_tflite(empty, "m").error().code, ErrorCode::kBadFile);
  EXPECT_EQ(import_tflite(text, "m").error().message, "m: not a TFLite file: bytes 4 to 7 are not \"TFL3\"");
}

TEST(TfliteImport, RefusesSharedNamesThatAddUpToMuchMoreThanTheFile) {
  flatbuffers::FlatBufferBuilder builder;
  const auto name = builder.CreateString(std::string(1 << 20, 'n'));
  std::vector<flatbuffers::Offset<tf::Tensor>> tensors;
  std::vector<int> all;
  const auto shape = builder.CreateVector(std::vector<int>{1});
  for (int i = 0; i < 1000; ++i) {
    all.push_back(i);
    tensors.push_back(tf::CreateTensor(builder, shape, E::INT32, 0, name));
  }
  const auto subgraph = tf::CreateSubGraph(builder, builder.CreateVector(tensors), builder.CreateVector(all),
                                           builder.CreateVector(all));
  const auto subgraphs = builder.CreateVector(std::vector{subgraph});
  tf::ModelBuilder model(builder);
  model.add_version(3);
  model.add_subgraphs(subgraphs);
  builder.Finish(model.Finish(), "TFL3");
  const auto graph = import_tflite({builder.GetBufferPointer(), builder.GetSize()}, "m");
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().code, ErrorCode::kBadFile);
  EXPECT_NE(graph.error().message.find("eight"), std::string::npos) << graph.error().message;
}

// The FlatBuffers verifier does not look behind an option table whose kind is missing; neither may the
// importer.
TEST(TfliteImport, IgnoresAnOptionTableWithoutItsKind) {
  flatbuffers::FlatBufferBuilder builder;
  const auto quantization =
      tf::CreateQuantizationParameters(builder, 0, 0, builder.CreateVector(std::vector<float>{1}),
                                       builder.CreateVector(std::vector<std::int64_t>{0}));
  const auto shape = builder.CreateVector(std::vector<int>{1, 4});
  const std::vector tensors = {tf::CreateTensor(builder, shape, E::INT8, 0, 0, quantization),
                               tf::CreateTensor(builder, shape, E::INT8, 0, 0, quantization)};
  const auto zero = builder.CreateVector(std::vector<int>{0}),
             one = builder.CreateVector(std::vector<int>{1});
  // A byte vector that starts with a wild offset to its vtable, read as a table.
  const auto wild = builder.CreateVector(std::vector<std::uint8_t>{0xFF, 0xFF, 0xFF, 0x7F});
  tf::OperatorBuilder op(builder);
  op.add_inputs(zero);
  op.add_outputs(one);
  op.add_options(flatbuffers::Offset<void>(wild.o - 4));
  const std::vector ops = {op.Finish()};
  const std::vector codes = {tf::CreateOperatorCode(builder, 25, 0, 1, B::SOFTMAX)};
  const std::vector subgraphs = {
      tf::CreateSubGraph(builder, builder.CreateVector(tensors), zero, one, builder.CreateVector(ops))};
  builder.Finish(tf::CreateModel(builder, 3, builder.CreateVector(codes), builder.CreateVector(subgraphs)),
                 "TFL3");
  const auto graph = import_tflite({builder.GetBufferPointer(), builder.GetSize()}, "m");
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(std::get<ir::SoftmaxAttributes>(graph->ops[0].attributes).beta, 0.0f);
}

// One thing wrong in an otherwise good file: the code, and what the message must name.
struct Defect {
  const char* name;
  std::function<void(TfliteFile&)> make;
  ErrorCode code;
  std::vector<std::string> names;
};

tf::TensorT& tensor(TfliteFile& f, std::size_t i) { return *f.main().tensors[i]; }
tf::OperatorT& op(TfliteFile& f, std::size_t i) { return *f.main().operators[i]; }
tf::Conv2DOptionsT& conv(TfliteFile& f) { return *op(f, 0).options.AsConv2DOptions(); }

const std::vector<Defect>& defects() {
  constexpr auto kBad = ErrorCode::kBadFile, kNot = ErrorCode::kUnsupported;
  static const std::vector<Defect> kDefects = {
      {"Version", [](auto& f) { f.model.version = 2; }, kNot, {"schema version 2"}},
      {"NoSubgraph", [](auto& f) { f.model.subgraphs.clear(); }, kBad, {"no subgraphs"}},
      {"OpcodeIndex", [](auto& f) { op(f, 1).opcode_index = 2; }, kBad, {"operator #1", "opcode_index is 2"}},
      {"UnknownOperator", [](auto& f) { f.model.operator_codes[0]->code = B::GATHER; }, kNot, {"GATHER #0"}},
      {"OperatorBeyondTheSchema", [](auto& f) { f.model.operator_codes[0]->code = B(4000); }, kNot, {"4000"}},
      {"CustomOperator",
       [](auto& f) {
         f.model.operator_codes[0]->code = B::CUSTOM;
         f.model.operator_codes[0]->custom_code = "Fancy";
       },
       kNot,
       {"operator #0", "`Fancy`"}},
      {"InputIndexTooHigh",
       [](auto& f) { op(f, 0).inputs[1] = 6; },
       kBad,
       {"CONV_2D #0", "inputs[1] is tensor 6"}},
      {"InputIndexTooLow",
       [](auto& f) { op(f, 0).inputs[1] = -2; },
       kBad,
       {"CONV_2D #0", "inputs[1] is tensor -2"}},
      {"InputAbsent", [](auto& f) { op(f, 0).inputs[1] = -1; }, kBad, {"CONV_2D #0", "input 1 is absent"}},
      {"OutputAbsent",
       [](auto& f) { op(f, 0).outputs[0] = -1; },
       kBad,
       {"CONV_2D #0", "outputs[0] is tensor -1"}},
      {"OutputIndexTooHigh", [](auto& f) { op(f, 1).outputs[0] = 99; }, kBad, {"RESHAPE #1", "outputs[0]"}},
      {"TooFewInputs",
       [](auto& f) { op(f, 0).inputs.resize(1); },
       kBad,
       {"CONV_2D #0", "1 inputs, it takes 2 to 3"}},
      {"TooManyInputs", [](auto& f) { op(f, 0).inputs.resize(4); }, kBad, {"CONV_2D #0", "4 inputs"}},
      {"NoOutput", [](auto& f) { op(f, 0).outputs.clear(); }, kBad, {"CONV_2D #0", "0 outputs, it gives 1"}},
      {"OutputIsAnInput",
       [](auto& f) { op(f, 0).outputs[0] = 0; },
       kBad,
       {"CONV_2D #0", "`x`", "graph input"}},
      {"OutputIsConstant", [](auto& f) { op(f, 0).outputs[0] = 1; }, kBad, {"CONV_2D #0", "`w`", "constant"}},
      {"OutputTwice",
       [](auto& f) { op(f, 1).outputs[0] = 3; },
       kBad,
       {"RESHAPE #1", "`y`", "earlier operator"}},
      {"OutOfOrder",
       [](auto& f) { std::swap(f.main().operators[0], f.main().operators[1]); },
       kBad,
       {"RESHAPE #0", "`y`", "has no value"}},
      {"GraphInputIndex",
       [](auto& f) { f.main().inputs[0] = 6; },
       kBad,
       {"subgraph 0", "inputs[0] is tensor 6"}},
      {"GraphInputTwice",
       [](auto& f) {
         f.main().inputs = {0, 0};
       },
       kBad,
       {"`x`", "twice"}},
      {"GraphInputConstant",
       [](auto& f) {
         f.main().inputs = {0, 1};
       },
       kBad,
       {"`w`", "constant"}},
      {"GraphOutputIndex",
       [](auto& f) { f.main().outputs[0] = -1; },
       kBad,
       {"subgraph 0", "outputs[0] is tensor -1"}},
      {"GraphOutputWithoutValue",
       [](auto& f) { f.main().outputs[0] = f.tensor("loose", E::INT8, {1}, {1}, {0}); },
       kBad,
       {"`loose`", "no value"}},
      {"BufferIndex", [](auto& f) { tensor(f, 1).buffer = 4; }, kBad, {"tensor #1 `w`", "buffer is 4"}},
      {"BufferTooShort",
       [](auto& f) { f.model.buffers[1]->data.pop_back(); },
       kBad,
       {"`w`", "5 bytes", "need 6"}},
      {"BufferTooLong",
       [](auto& f) { f.model.buffers[1]->data.push_back(0); },
       kBad,
       {"`w`", "7 bytes", "need 6"}},
      {"BufferOutside",
       [](auto& f) {
         f.model.buffers[1]->offset = 4096;
         f.model.buffers[1]->size = 6;
         f.model.buffers[1]->data.clear();
       },
       kNot,
       {"`w`", "outside of the FlatBuffer"}},
      {"ExternalBuffer", [](auto& f) { tensor(f, 1).external_buffer = 1; }, kNot, {"`w`", "external_buffer"}},
      {"Sparse",
       [](auto& f) { tensor(f, 1).sparsity = std::make_unique<tf::SparsityT>(); },
       kNot,
       {"`w`", "sparse"}},
      {"ElementType", [](auto& f) { tensor(f, 0).type = E::FLOAT16; }, kNot, {"tensor #0 `x`", "FLOAT16"}},
      {"ElementTypeBeyondTheSchema", [](auto& f) { tensor(f, 0).type = E(99); }, kNot, {"`x`", "type 99"}},
      {"ExtentZero", [](auto& f) { tensor(f, 3).shape[1] = 0; }, kNot, {"tensor #3 `y`", "shape[1] is 0"}},
      {"ExtentUnknown",
       [](auto& f) { tensor(f, 0).shape[0] = -1; },
       kNot,
       {"`x`", "dynamic", "shape[0] is -1"}},
      {"ExtentsOverflow",
       [](auto& f) {
         tensor(f, 0).shape = {0x7FFFFFFF, 0x7FFFFFFF, 0x7FFFFFFF, 2};
       },
       kNot,
       {"`x`", "bytes"}},
      {"Rank", [](auto& f) { tensor(f, 0).shape.assign(9, 1); }, kNot, {"`x`", "9 dimensions"}},
      {"VariableWithData", [](auto& f) { tensor(f, 1).is_variable = true; }, kNot, {"`w`", "variable"}},
      {"ScaleZero", [](auto& f) { tensor(f, 0).quantization->scale[0] = 0; }, kBad, {"`x`", "scale[0] is 0"}},
      {"ScaleNegative",
       [](auto& f) { tensor(f, 1).quantization->scale[2] = -1; },
       kBad,
       {"`w`", "scale[2] is -1"}},
      {"ScaleInfinite",
       [](auto& f) { tensor(f, 0).quantization->scale[0] = std::numeric_limits<float>::infinity(); },
       kBad,
       {"`x`", "scale[0] is inf"}},
      {"ScaleNan",
       [](auto& f) { tensor(f, 0).quantization->scale[0] = std::nanf(""); },
       kBad,
       {"`x`", "scale[0]"}},
      {"ZeroPointTooHigh",
       [](auto& f) { tensor(f, 0).quantization->zero_point[0] = 128; },
       kBad,
       {"`x`", "zero_point[0] is 128", "int8"}},
      {"ZeroPointTooLow",
       [](auto& f) { tensor(f, 0).quantization->zero_point[0] = -129; },
       kBad,
       {"zero_point[0]"}},
      {"ZeroPointHuge",
       [](auto& f) { tensor(f, 0).quantization->zero_point[0] = std::int64_t{1} << 32; },
       kBad,
       {"zero_point[0] is 4294967296"}},
      {"NoZeroPoint",
       [](auto& f) { tensor(f, 0).quantization->zero_point.clear(); },
       kBad,
       {"`x`", "1 scales and 0 zero points"}},
      {"ZeroPointCount",
       [](auto& f) { tensor(f, 1).quantization->zero_point.pop_back(); },
       kBad,
       {"`w`", "3 scales and 2 zero points"}},
      {"ScaleCount",
       [](auto& f) {
         tensor(f, 1).quantization->scale.pop_back();
         tensor(f, 1).quantization->zero_point.pop_back();
       },
       kBad,
       {"`w`", "2 scales, dimension 0 has extent 3"}},
      {"QuantisedDimensionTooHigh",
       [](auto& f) { tensor(f, 1).quantization->quantized_dimension = 4; },
       kBad,
       {"`w`", "quantized_dimension is 4"}},
      {"QuantisedDimensionNegative",
       [](auto& f) { tensor(f, 1).quantization->quantized_dimension = -1; },
       kBad,
       {"`w`", "quantized_dimension is -1"}},
      {"QuantisedDimensionNotTheChannels",
       [](auto& f) {
         tensor(f, 1).quantization->scale = {1, 2};
         tensor(f, 1).quantization->zero_point = {0, 0};
         tensor(f, 1).quantization->quantized_dimension = 3;
       },
       kBad,
       {"CONV_2D #0", "`w`", "dimension 3"}},
      {"CustomQuantisation",
       [](auto& f) { tensor(f, 0).quantization->details.Set(tf::CustomQuantizationT{}); },
       kNot,
       {"`x`", "quantization.details"}},
      {"NotQuantised",
       [](auto& f) { tensor(f, 0).quantization.reset(); },
       kBad,
       {"CONV_2D #0", "`x`", "no scale"}},
      {"ActivationsPerChannel",
       [](auto& f) {
         tensor(f, 3).quantization->scale = {1, 1, 1};
         tensor(f, 3).quantization->zero_point = {0, 0, 0};
         tensor(f, 3).quantization->quantized_dimension = 3;
       },
       kNot,
       {"CONV_2D #0", "`y`", "per channel"}},
      {"OptionsOfAnotherOperator",
       [](auto& f) { op(f, 0).options.Set(tf::AddOptionsT{}); },
       kBad,
       {"CONV_2D #0", "builtin_options"}},
      {"OptionsLeftOut", [](auto& f) { op(f, 0).options.Reset(); }, kBad, {"CONV_2D #0", "stride_h is 0"}},
      {"Padding",
       [](auto& f) { conv(f).padding = tf::PaddingMode(2); },
       kBad,
       {"CONV_2D #0", "padding is 2"}},
      {"Activation",
       [](auto& f) { conv(f).activation = tf::FusedActivation(6); },
       kBad,
       {"CONV_2D #0", "fused_activation_function is 6"}},
      {"StrideZero", [](auto& f) { conv(f).stride_w = 0; }, kBad, {"CONV_2D #0", "stride_w is 0"}},
      {"StrideNegative", [](auto& f) { conv(f).stride_h = -1; }, kBad, {"stride_h is -1"}},
      {"StrideHuge", [](auto& f) { conv(f).stride_h = 0x7FFFFFFF; }, kBad, {"stride_h is 2147483647"}},
      {"DilationZero", [](auto& f) { conv(f).dilation_h = 0; }, kBad, {"dilation_h is 0"}},
      {"BiasLength",
       [](auto& f) {
         tensor(f, 2).shape[0] = 2;
         tensor(f, 2).quantization.reset();
         f.model.buffers[2]->data.resize(8);
       },
       kBad,
       {"CONV_2D #0", "bias", "`b`", "2 elements"}},
      {"BiasType",
       [](auto& f) {
         tensor(f, 2).type = E::INT8;
         f.model.buffers[2]->data.resize(3);
       },
       kNot,
       {"CONV_2D #0", "bias", "int8"}},
      {"WeightsType",
       [](auto& f) { tensor(f, 1).type = E::UINT8; },
       kNot,
       {"CONV_2D #0", "weights", "uint8"}},
      {"WeightsShape", [](auto& f) { tensor(f, 0).shape[3] = 3; }, kBad, {"CONV_2D #0", "`w`", "3 channels"}},
      {"WeightsRank",
       [](auto& f) {
         tensor(f, 1).shape = {3, 1, 2};
       },
       kBad,
       {"CONV_2D #0", "`w`", "4 dimensions"}},
      {"OutputShape",
       [](auto& f) {
         tensor(f, 3).shape = {1, 4, 3, 4};
       },
       kBad,
       {"CONV_2D #0", "`y`", "[1, 4, 3, 4]", "[1, 4, 4, 3]"}},
      {"OutputType", [](auto& f) { tensor(f, 3).type = E::INT16; }, kNot, {"CONV_2D #0", "`y`", "int16"}},
      {"FilterBeyondTheInput",
       [](auto& f) {
         conv(f).padding = tf::PaddingMode::VALID;
         tensor(f, 1).shape = {3, 5, 1, 2};
         f.model.buffers[1]->data.resize(30);
       },
       kBad,
       {"CONV_2D #0", "5 rows, the input has 4"}},
      {"ReshapeElements",
       [](auto& f) {
         tensor(f, 5).shape = {1, 47};
       },
       kBad,
       {"RESHAPE #1", "48", "47"}},
      {"ReshapeTarget",
       [](auto& f) {
         f.model.buffers[3]->data = int32s({2, 24});
       },
       kBad,
       {"RESHAPE #1", "`s`", "`z`"}},
      {"ReshapeWithoutShape", [](auto& f) { op(f, 1).inputs.pop_back(); }, kBad, {"RESHAPE #1", "new_shape"}},
  };
  return kDefects;
}

class TfliteDefects : public testing::TestWithParam<Defect> {};

TEST_P(TfliteDefects, AreRefusedByName) {
  TfliteFile file = conv_file();
  GetParam().make(file);
  const auto graph = import_tflite(file.bytes(), "bad.tflite");
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().code, GetParam().code) << graph.error().message;
  EXPECT_TRUE(graph.error().message.starts_with("bad.tflite: ")) << graph.error().message;
  for (const std::string& name : GetParam().names)
    EXPECT_NE(graph.error().message.find(name), std::string::npos)
        << name << " in: " << graph.error().message;
}

INSTANTIATE_TEST_SUITE_P(Small, TfliteDefects, testing::ValuesIn(defects()),
                         [](const auto& instance) { return instance.param.name; });

TEST(TfliteImport, TakesTheShapeOfAReshapeFromItsOptions) {
  TfliteFile file = conv_file();
  file.main().operators[1]->inputs.pop_back();
  tf::ReshapeOptionsT options;
  options.new_shape = {-1, 48};
  file.main().operators[1]->options.Set(options);
  EXPECT_TRUE(import_tflite(file.bytes(), "m"));
}

// Flipping any single byte may give another good file, but never a crash.
TEST(TfliteImport, SurvivesEveryFlippedByte) {
  auto file = variable_file().bytes();
  int refused = 0;
  for (std::size_t i = 0; i < file.size(); ++i) {
    for (const unsigned flip : {0x01u, 0x80u, 0xFFu}) {
      file[i] = static_cast<std::uint8_t>(file[i] ^ flip);
      if (!import_tflite(file, "m")) ++refused;
      file[i] = static_cast<std::uint8_t>(file[i] ^ flip);
    }
  }
  EXPECT_GT(refused, 100);
}

// An offset may lead to eight-byte numbers that are not aligned, which FlatBuffers' verifier lets pass. The
// zero point of 1 makes one of the moves do so: it is then read as the vector's length.
TEST(TfliteImport, SurvivesEveryOffsetMovedByAWord) {
  TfliteFile conv = conv_file();
  conv.main().tensors[0]->quantization->zero_point = {1};
  for (auto file : {variable_file().bytes(), conv.bytes()}) {
    int refused = 0;
    for (std::size_t i = 0; i + 4 <= file.size(); i += 4) {
      std::uint32_t word;
      std::memcpy(&word, &file[i], 4);
      for (const std::uint32_t moved : {word - 4, word + 4}) {
        std::memcpy(&file[i], &moved, 4);
        if (!import_tflite(file, "m")) ++refused;
      }
      std::memcpy(&file[i], &word, 4);
    }
    EXPECT_GT(refused, 20);
  }
}

}  // namespace
}  // namespace zynpu::compiler
