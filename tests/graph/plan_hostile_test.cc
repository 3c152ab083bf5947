// SPDX-License-Identifier: MIT
// Wrong host plans: the writer refuses to write them, the reader refuses the same plan when it was written
// anyway.
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "graph/dump.h"
#include "graph/plan.h"
#include "graph/plan_code.h"
#include "graph/samples.h"
#include "plan_generated.h"

namespace zynpu::graph {
namespace {

struct Case {
  const char* name;
  const char* field;  // must stand in the message
  std::function<void(HostPlan&)> spoil;
};

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Tensors of samples::plan: 0 input, 1 between, 2 weight, 3 bias, 4 scalar, 5 state, then activations.
ir::Tensor& tensor(HostPlan& plan, std::size_t index) { return plan.model.tensors[index]; }

ir::Op& op(HostPlan& plan, ir::OpKind kind) {
  for (ir::Op& each : plan.model.ops)
    if (each.kind == kind && !(kind == ir::OpKind::kQuantize && each.source == 99)) return each;
  throw std::logic_error("the sample has no such operator");
}
template <class Attributes>
std::function<void(HostPlan&)> attribute(ir::OpKind kind, std::function<void(Attributes&)> change) {
  return [=](HostPlan& plan) { change(std::get<Attributes>(op(plan, kind).attributes)); };
}
std::function<void(HostPlan&)> conv(int ir::ConvAttributes::*field, int value) {
  return attribute<ir::ConvAttributes>(ir::OpKind::kConv2d, [=](auto& a) { a.*field = value; });
}
std::function<void(HostPlan&)> pool(int ir::PoolAttributes::*field, int value) {
  return attribute<ir::PoolAttributes>(ir::OpKind::kMaxPool2d, [=](auto& a) { a.*field = value; });
}

const Case kCases[] = {
    // tensors
    {"ShapeZero", "tensors[5].shape",
     [](HostPlan& p) {
       tensor(p, 5).shape = {1, 0};
     }},
    {"ShapeNegative", "tensors[5].shape",
     [](HostPlan& p) {
       tensor(p, 5).shape = {1, -8};
     }},
    {"ShapeProductOverflows", "tensors[5].shape",
     [](HostPlan& p) {
       tensor(p, 5).shape = {0x40000000, 0x40000000, 0x40000000, 0x40000000};
     }},
    {"ShapePast32Bits", "tensors[5].shape",
     [](HostPlan& p) {
       tensor(p, 5).shape = {0x7FFFFFFF, 2};
     }},
    {"ShapeRank17", "tensors[5].shape", [](HostPlan& p) { tensor(p, 5).shape.assign(17, 1); }},
    {"DataTooShort", "tensors[3].data",
     [](HostPlan& p) { tensor(p, 3).data = std::make_shared<const ir::Bytes>(11); }},
    {"DataTooLong", "tensors[3].data",
     [](HostPlan& p) { tensor(p, 3).data = std::make_shared<const ir::Bytes>(13); }},
    {"DataEmpty", "tensors[3].data",
     [](HostPlan& p) { tensor(p, 3).data = std::make_shared<const ir::Bytes>(); }},
    {"ZeroPointMissing", "tensors[2].quant", [](HostPlan& p) { tensor(p, 2).quant.zero_point.pop_back(); }},
    {"ScaleMissing", "tensors[0].quant", [](HostPlan& p) { tensor(p, 0).quant.scale.clear(); }},
    {"ScalesOfOtherChannels", "tensors[2].quant.scale", [](HostPlan& p) { tensor(p, 2).quant.axis = 3; }},
    {"QuantAxisNegative", "tensors[2].quant.axis", [](HostPlan& p) { tensor(p, 2).quant.axis = -1; }},
    {"QuantAxisBeyondRank", "tensors[2].quant.axis", [](HostPlan& p) { tensor(p, 2).quant.axis = 4; }},
    {"ScaleNan", "tensors[2].quant.scale", [](HostPlan& p) { tensor(p, 2).quant.scale[1] = kNan; }},
    {"ScaleNegative", "tensors[2].quant.scale", [](HostPlan& p) { tensor(p, 2).quant.scale[1] = -1; }},
    {"ZeroPointOutsideType", "tensors[0].quant.zero_point",
     [](HostPlan& p) { tensor(p, 0).quant.zero_point[0] = 256; }},
    // operators
    {"InputBeyondTensors", "ops[1].inputs", [](HostPlan& p) { p.model.ops[1].inputs[0] = 1000; }},
    {"InputNegative", "ops[1].inputs", [](HostPlan& p) { p.model.ops[1].inputs[0] = -2; }},
    {"OutputAbsent", "ops[1].outputs", [](HostPlan& p) { p.model.ops[1].outputs[0] = -1; }},
    {"OutputIsConstant", "ops[1].outputs", [](HostPlan& p) { p.model.ops[1].outputs[0] = 2; }},
    {"OutputIsInput", "ops[1].outputs", [](HostPlan& p) { p.model.ops[1].outputs[0] = 0; }},
    {"OutputTwice", "ops[2].outputs", [](HostPlan& p) { p.model.ops[2].outputs = p.model.ops[1].outputs; }},
    {"AttributesOfAnother", "ops[1].attributes",
     [](HostPlan& p) { p.model.ops[1].attributes = ir::PoolAttributes{}; }},
    {"AttributesMissing", "ops[1].attributes", [](HostPlan& p) { p.model.ops[1].attributes = {}; }},
    {"AttributesUncalledFor", "attributes",
     [](HostPlan& p) { op(p, ir::OpKind::kReshape).attributes = ir::PackAttributes{}; }},
    {"ConvStrideH", "stride_h", conv(&ir::ConvAttributes::stride_h, 0)},
    {"ConvStrideW", "stride_w", conv(&ir::ConvAttributes::stride_w, -1)},
    {"ConvDilationH", "dilation_h", conv(&ir::ConvAttributes::dilation_h, 0)},
    {"ConvDilationW", "dilation_w", conv(&ir::ConvAttributes::dilation_w, 0)},
    {"ConvMultiplier", "depth_multiplier", conv(&ir::ConvAttributes::depth_multiplier, 0)},
    {"ConvPadTop", "pad_top", conv(&ir::ConvAttributes::pad_top, -1)},
    {"ConvPadBottom", "pad_bottom", conv(&ir::ConvAttributes::pad_bottom, -1)},
    {"ConvPadLeft", "pad_left", conv(&ir::ConvAttributes::pad_left, -1)},
    {"ConvPadRight", "pad_right", conv(&ir::ConvAttributes::pad_right, -1)},
    {"PoolStrideH", "stride_h", pool(&ir::PoolAttributes::stride_h, 0)},
    {"PoolStrideW", "stride_w", pool(&ir::PoolAttributes::stride_w, 0)},
    {"PoolFilterH", "filter_h", pool(&ir::PoolAttributes::filter_h, 0)},
    {"PoolFilterW", "filter_w", pool(&ir::PoolAttributes::filter_w, 0)},
    {"SoftmaxBeta", "beta",
     attribute<ir::SoftmaxAttributes>(ir::OpKind::kSoftmax, [](auto& a) { a.beta = kNan; })},
    {"SplitCount", "num_splits",
     attribute<ir::SplitAttributes>(ir::OpKind::kSplit, [](auto& a) { a.num_splits = 0; })},
    {"PackCount", "count", attribute<ir::PackAttributes>(ir::OpKind::kUnpack, [](auto& a) { a.count = 0; })},
    {"LstmClip", "cell_clip",
     attribute<ir::LstmAttributes>(ir::OpKind::kUnidirectionalSequenceLstm,
                                   [](auto& a) { a.cell_clip = kNan; })},
    {"CallOnceBeyondSubgraphs", "subgraph",
     attribute<ir::CallOnceAttributes>(ir::OpKind::kCallOnce, [](auto& a) { a.subgraph = 2; })},
    {"CallOnceNegative", "subgraph",
     attribute<ir::CallOnceAttributes>(ir::OpKind::kCallOnce, [](auto& a) { a.subgraph = -1; })},
    {"ModelInput", "plan.model.inputs", [](HostPlan& p) { p.model.inputs[0] = -1; }},
    {"ModelOutput", "plan.model.outputs", [](HostPlan& p) { p.model.outputs[0] = 1000; }},
    {"SubgraphTensor", "subgraphs[1].tensors[0]",
     [](HostPlan& p) { p.model.subgraphs[1].tensors[0].shape = {0}; }},
    {"SubgraphOfSubgraph", "subgraphs[0].subgraphs",
     [](HostPlan& p) { p.model.subgraphs[0].subgraphs.emplace_back(); }},
    // steps
    {"StepGraphBeyond", "steps[0].graph", [](HostPlan& p) { p.steps[0].graph = 2; }},
    {"StepGraphMissing", "steps[0].graph", [](HostPlan& p) { p.steps[0].graph = -1; }},
    {"StepGraphOnCpu", "steps[1].graph", [](HostPlan& p) { p.steps[1].graph = 0; }},
    {"StepOpBeyond", "steps[1].ops", [](HostPlan& p) { p.steps[1].ops.back() = 1000; }},
    {"StepOpNegative", "steps[1].ops", [](HostPlan& p) { p.steps[1].ops[0] = -1; }},
    {"StepOpsDescend", "steps[1].ops", [](HostPlan& p) { std::swap(p.steps[1].ops[0], p.steps[1].ops[1]); }},
    {"StepOpTwice", "steps[1].ops", [](HostPlan& p) { p.steps[1].ops[1] = p.steps[1].ops[0]; }},
    {"StepOpInTwoSteps", "stands in two steps", [](HostPlan& p) { p.steps[2].ops = {1}; }},
    {"StepOpForgotten", "no value", [](HostPlan& p) { p.steps[1].ops.erase(p.steps[1].ops.begin() + 3); }},
    {"StepsSwapped", "no value", [](HostPlan& p) { std::swap(p.steps[0], p.steps[1]); }},
    {"StepsMissing", "plan.model.outputs", [](HostPlan& p) { p.steps.clear(); }},
    {"StepInputBeyond", "steps[0].inputs", [](HostPlan& p) { p.steps[0].inputs[0] = 1000; }},
    {"StepInputMissing", "steps[0].inputs", [](HostPlan& p) { p.steps[0].inputs.clear(); }},
    {"StepInputTooMany", "steps[0].inputs", [](HostPlan& p) { p.steps[0].inputs.push_back(0); }},
    {"StepInputOtherSize", "steps[0].inputs", [](HostPlan& p) { p.steps[0].inputs[0] = 2; }},
    {"StepOutputBeyond", "steps[0].outputs", [](HostPlan& p) { p.steps[0].outputs[0] = -1; }},
    {"StepOutputMissing", "steps[0].outputs", [](HostPlan& p) { p.steps[0].outputs.clear(); }},
    {"StepOutputIsConstant", "steps[0].outputs",
     [](HostPlan& p) {
       tensor(p, 2).shape = {16, 1};
       tensor(p, 2).quant = {};
       tensor(p, 2).data = std::make_shared<const ir::Bytes>(16);
       p.steps[0].outputs[0] = 2;
     }},
    {"ConstantOfTheCpuDropped", "no value", [](HostPlan& p) { tensor(p, 3).data = nullptr; }},
    // source map and placements
    {"RangeGraph", "source_map[0].graph", [](HostPlan& p) { p.source_map[0].graph = 2; }},
    {"RangeGraphNegative", "source_map[0].graph", [](HostPlan& p) { p.source_map[0].graph = -1; }},
    {"RangeOp", "source_map[1].op", [](HostPlan& p) { p.source_map[1].op = 1000; }},
    {"RangeOpNegative", "source_map[1].op", [](HostPlan& p) { p.source_map[1].op = -2; }},
    {"RangeBeyondText", "source_map[1]", [](HostPlan& p) { p.source_map[1].end = 33; }},
    {"RangeEmpty", "source_map[1]", [](HostPlan& p) { p.source_map[1].end = 16; }},
    {"RangeBackwards", "source_map[0]", [](HostPlan& p) { p.source_map[0].begin = 20; }},
    {"RangesOverlap", "source_map[1].begin", [](HostPlan& p) { p.source_map[1].begin = 15; }},
    {"PlacementOp", "placements[0].op", [](HostPlan& p) { p.placements[0].op = 1000; }},
    {"PlacementMacs", "placements[1].macs", [](HostPlan& p) { p.placements[1].macs = -1; }},
    // graphs
    {"GraphOfOtherPart", "graphs[1].device_word", [](HostPlan& p) { p.graphs[1] = samples::minimal_bin(); }},
};

// The container with a plan that the writer would refuse.
Bytes write_anyway(const HostPlan& plan) {
  std::vector<Bytes> nested;
  for (std::size_t i = 1; i < plan.graphs.size(); ++i) nested.push_back(*write(plan.graphs[i]));
  Graph container = plan.graphs[0];
  container.plan = *encode_plan(plan, nested);
  return *write(container);
}

class PlanHostile : public testing::TestWithParam<Case> {};

TEST_P(PlanHostile, IsRefusedByWriterAndReader) {
  HostPlan plan = samples::plan(2);
  ASSERT_TRUE(read_model(write_anyway(plan)));
  GetParam().spoil(plan);
  const auto file = write_model(plan);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(file.error().message.find(GetParam().field), std::string::npos) << file.error().message;
  const auto back = read_model(write_anyway(plan));
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().code, ErrorCode::kBadFile);
  EXPECT_NE(back.error().message.find(GetParam().field), std::string::npos) << back.error().message;
}

INSTANTIATE_TEST_SUITE_P(Refuses, PlanHostile, testing::ValuesIn(kCases),
                         [](const testing::TestParamInfo<Case>& param) { return param.param.name; });

TEST(PlanWriter, RefusesValuesWithoutANumberInFiles) {
  const std::function<void(HostPlan&)> spoils[] = {
      [](HostPlan& p) { tensor(p, 5).type = static_cast<ir::DataType>(99); },
      [](HostPlan& p) { p.model.ops[1].kind = ir::OpKind::kCount; },
      attribute<ir::ConvAttributes>(ir::OpKind::kConv2d,
                                    [](auto& a) { a.padding = static_cast<ir::Padding>(9); }),
      attribute<ir::ConvAttributes>(ir::OpKind::kConv2d,
                                    [](auto& a) { a.activation = static_cast<ir::Activation>(9); }),
  };
  for (const auto& spoil : spoils) {
    HostPlan plan = samples::plan(1);
    spoil(plan);
    const auto file = write_model(plan);
    ASSERT_FALSE(file);
    EXPECT_NE(file.error().message.find("unknown"), std::string::npos) << file.error().message;
  }
}

TEST(PlanWriter, RefusesAGraphWithAPlanOfItsOwn) {
  HostPlan plan = samples::plan(2);
  plan.graphs[1].plan = {0, 0, 0, 0, 'Z', 'Y', 'P', 'L'};
  const auto file = write_model(plan);
  ASSERT_FALSE(file);
  EXPECT_NE(file.error().message.find("graphs[1].plan"), std::string::npos);
}

TEST(PlanWriter, RefusesAnInvalidGraph) {
  HostPlan plan = samples::plan(2);
  plan.graphs[1].bss[0].reuse_sections[0].sub_sections[0].id = 0xFFFFFFFF;
  const auto file = write_model(plan);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(file.error().message.find("graphs[1]: sub_section.id"), std::string::npos)
      << file.error().message;
}

// Below: plans made with the FlatBuffers builder, for what a HostPlan cannot express.

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

Result<HostPlan> read_plan(std::span<const std::uint8_t> bytes) {
  Graph container = samples::minimal_elf();
  container.plan.assign(bytes.begin(), bytes.end());
  const auto file = write(container);
  if (!file) return tl::unexpected<Error>(file.error());
  return read_model(*file);
}

// A plan with the given model and nothing else.
template <class Make>
Result<HostPlan> read_plan_with(Make make, std::uint32_t version = 1) {
  FlatBufferBuilder builder;
  const Offset<fb::Model> model = make(builder);
  builder.Finish(fb::CreatePlan(builder, version, model), fb::PlanIdentifier());
  return read_plan({builder.GetBufferPointer(), builder.GetSize()});
}

void expect_refusal(const Result<HostPlan>& plan, std::string_view field,
                    ErrorCode code = ErrorCode::kBadFile) {
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, code) << plan.error().message;
  EXPECT_NE(plan.error().message.find(field), std::string::npos) << plan.error().message;
}

Offset<fb::Model> one_op(FlatBufferBuilder& builder, Offset<fb::Op> op) {
  const auto ops = builder.CreateVector(std::vector{op});
  return fb::CreateModel(builder, 0, 0, ops);
}

TEST(PlanReader, AcceptsAnEmptyModel) {
  const auto plan = read_plan_with([](FlatBufferBuilder& b) { return fb::CreateModel(b); });
  EXPECT_TRUE(plan) << plan.error().message;
}

TEST(PlanReader, RefusesAnotherVersion) {
  for (const std::uint32_t version : {0u, 2u})
    expect_refusal(read_plan_with([](FlatBufferBuilder& b) { return fb::CreateModel(b); }, version),
                   "plan.version", ErrorCode::kUnsupported);
}

TEST(PlanReader, RefusesAMissingModel) {
  expect_refusal(read_plan_with([](FlatBufferBuilder&) { return Offset<fb::Model>(); }), "plan.model");
}

TEST(PlanReader, RefusesUnknownNumbers) {
  expect_refusal(read_plan_with([](FlatBufferBuilder& b) {
                   const auto tensor = fb::CreateTensor(b, 0, static_cast<fb::DataType>(10));
                   const auto tensors = b.CreateVector(std::vector{tensor});
                   return fb::CreateModel(b, 0, tensors);
                 }),
                 "tensors[0].type");
  expect_refusal(read_plan_with([](FlatBufferBuilder& b) {
                   return one_op(b, fb::CreateOp(b, static_cast<fb::OpKind>(36)));
                 }),
                 "ops[0].kind");
  expect_refusal(read_plan_with([](FlatBufferBuilder& b) {
                   const auto value = fb::CreateConvAttributes(b, static_cast<fb::Padding>(2)).Union();
                   return one_op(
                       b, fb::CreateOp(b, fb::OpKind::kConv2d, 0, 0, fb::Attributes::ConvAttributes, value));
                 }),
                 "ops[0].padding");
  expect_refusal(
      read_plan_with([](FlatBufferBuilder& b) {
        const auto value = fb::CreateArithmeticAttributes(b, static_cast<fb::Activation>(6)).Union();
        return one_op(b,
                      fb::CreateOp(b, fb::OpKind::kAdd, 0, 0, fb::Attributes::ArithmeticAttributes, value));
      }),
      "ops[0].activation");
}

TEST(PlanReader, RefusesAttributesWithoutATable) {
  expect_refusal(read_plan_with([](FlatBufferBuilder& b) {
                   return one_op(b,
                                 fb::CreateOp(b, fb::OpKind::kConv2d, 0, 0, fb::Attributes::ConvAttributes));
                 }),
                 "ops[0].attributes");
}

TEST(PlanReader, RefusesAnUnknownAttributeTable) {
  expect_refusal(
      read_plan_with([](FlatBufferBuilder& b) {
        const auto value = fb::CreateConvAttributes(b).Union();
        return one_op(b, fb::CreateOp(b, fb::OpKind::kConv2d, 0, 0, static_cast<fb::Attributes>(200), value));
      }),
      "ops[0].attributes");
}

// One megabyte of data that a thousand tensors refer to would unfold to a gigabyte.
TEST(PlanReader, RefusesDataThatUnfolds) {
  expect_refusal(read_plan_with([](FlatBufferBuilder& b) {
                   const auto data = b.CreateVector(std::vector<std::uint8_t>(1 << 20));
                   const auto shape = b.CreateVector(std::vector{1 << 20});
                   const auto tensor = fb::CreateTensor(b, 0, fb::DataType::kInt8, shape, 0, data);
                   const auto tensors = b.CreateVector(std::vector(1000, tensor));
                   return fb::CreateModel(b, 0, tensors);
                 }),
                 "unfolds");
}

TEST(PlanReader, RefusesModelsThatUnfold) {
  expect_refusal(read_plan_with([](FlatBufferBuilder& b) {
                   const auto name = b.CreateString(std::string(1000, 'x'));
                   const auto body = fb::CreateModel(b, name);
                   const auto bodies = b.CreateVector(std::vector(1000, body));
                   return fb::CreateModel(b, 0, 0, 0, 0, 0, bodies);
                 }),
                 "unfolds");
}

TEST(PlanReader, RefusesNestedModelsWithoutEnd) {
  expect_refusal(read_plan_with([](FlatBufferBuilder& b) {
                   Offset<fb::Model> model = fb::CreateModel(b);
                   for (int depth = 0; depth < 3; ++depth) {
                     const auto bodies = b.CreateVector(std::vector{model});
                     model = fb::CreateModel(b, 0, 0, 0, 0, 0, bodies);
                   }
                   return model;
                 }),
                 "subgraphs");
  expect_refusal(read_plan_with([](FlatBufferBuilder& b) {
                   Offset<fb::Model> model = fb::CreateModel(b);
                   for (int depth = 0; depth < 200; ++depth) {
                     const auto bodies = b.CreateVector(std::vector{model});
                     model = fb::CreateModel(b, 0, 0, 0, 0, 0, bodies);
                   }
                   return model;
                 }),
                 "FlatBuffer");
}

TEST(PlanReader, RefusesNestedGraphsThatAreNone) {
  const auto nested = [](std::span<const std::uint8_t> file) {
    FlatBufferBuilder builder;
    const auto bytes = builder.CreateVector(file.data(), file.size());
    const auto graph = fb::CreateNestedGraph(builder, bytes);
    const auto graphs = builder.CreateVector(std::vector{graph});
    const auto model = fb::CreateModel(builder);
    builder.Finish(fb::CreatePlan(builder, 1, model, 0, 0, 0, graphs), fb::PlanIdentifier());
    return read_plan({builder.GetBufferPointer(), builder.GetSize()});
  };
  const Bytes good = *write(samples::minimal_elf());
  EXPECT_TRUE(nested(good));
  expect_refusal(nested({}), "graphs[1]");
  expect_refusal(nested(std::span(good).first(good.size() - 1)), "graphs[1]");
  expect_refusal(nested(*write_model(samples::plan(1))), "graphs[1].plan");
}

TEST(PlanReader, RefusesEveryCutOfAPlan) {
  HostPlan plan = samples::plan(1);
  const Bytes whole = *encode_plan(plan, {});
  ASSERT_TRUE(read_plan(whole));
  for (std::size_t size = 8; size < whole.size(); ++size) {
    const auto cut = read_plan(std::span(whole).first(size));
    // The builder's last bytes can be padding that nothing refers to.
    if (cut) {
      EXPECT_EQ(dump(*cut), dump(plan)) << size;
    }
  }
}

}  // namespace
}  // namespace zynpu::graph
