// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "graph/dump.h"
#include "graph/plan.h"
#include "graph/samples.h"

namespace zynpu::graph {
namespace {

TEST(Plan, ReadsBackAsWritten) {
  for (const std::size_t graphs : {1u, 2u}) {
    const HostPlan plan = samples::plan(graphs);
    const auto file = write_model(plan);
    ASSERT_TRUE(file) << file.error().message;
    auto back = read_model(*file);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(dump(*back), dump(plan));
    ASSERT_EQ(back->graphs.size(), graphs);
    for (std::size_t i = 0; i < graphs; ++i) {
      back->graphs[i].comment.clear();  // the writer puts the target name
      EXPECT_EQ(back->graphs[i], plan.graphs[i]);
    }
    EXPECT_EQ(*write_model(*back), *file);
  }
}

TEST(Plan, IsWrittenTheSameEveryTime) {
  EXPECT_EQ(*write_model(samples::plan(2)), *write_model(samples::plan(2)));
}

TEST(Plan, TravelsInAnAipuBinToo) {
  HostPlan plan = samples::plan(1);
  plan.graphs[0] = samples::minimal_bin();
  const auto file = write_model(plan);
  ASSERT_TRUE(file) << file.error().message;
  const auto back = read_model(*file);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(dump(*back), dump(plan));
  EXPECT_EQ(back->graphs, plan.graphs);
}

TEST(Plan, WithoutAGraphHasNoContainer) {
  const auto file = write_model(samples::plan(0));
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, ErrorCode::kInvalidArgument);
}

TEST(Plan, OfAnotherCompilersGraphIsOneStep) {
  const auto plan = read_model(*write(samples::full_bin()));
  ASSERT_TRUE(plan) << plan.error().message;
  ASSERT_EQ(plan->steps.size(), 1u);
  EXPECT_TRUE(plan->steps[0].npu);
  EXPECT_EQ(plan->steps[0].graph, 0);
  EXPECT_TRUE(plan->model.ops.empty());
  EXPECT_EQ(plan->graphs, std::vector<Graph>{samples::full_bin()});
  ASSERT_EQ(plan->model.inputs.size(), 2u);
  ASSERT_EQ(plan->model.outputs.size(), 1u);
  EXPECT_EQ(plan->steps[0].inputs, plan->model.inputs);
  EXPECT_EQ(plan->steps[0].outputs, plan->model.outputs);
  const ir::Tensor& second = plan->model.tensors[static_cast<std::size_t>(plan->model.inputs[1])];
  EXPECT_EQ(second.name, "input1");
  EXPECT_EQ(second.type, ir::DataType::kInt8);
  EXPECT_EQ(second.shape, std::vector<std::int32_t>{100});
  EXPECT_EQ(second.quant.scale, std::vector<float>{0.25f});
  EXPECT_EQ(second.quant.zero_point, std::vector<std::int32_t>{-3});
}

TEST(Plan, OfAnotherCompilersGraphKeepsTheTypesThatExist) {
  const std::pair<FileDataType, ir::DataType> types[] = {
      {FileDataType::kBool, ir::DataType::kBool},      {FileDataType::kU8, ir::DataType::kUint8},
      {FileDataType::kS8, ir::DataType::kInt8},        {FileDataType::kU16, ir::DataType::kUint16},
      {FileDataType::kS16, ir::DataType::kInt16},      {FileDataType::kU32, ir::DataType::kUint32},
      {FileDataType::kS32, ir::DataType::kInt32},      {FileDataType::kS64, ir::DataType::kInt64},
      {FileDataType::kF32, ir::DataType::kFloat32},    {FileDataType::kNone, ir::DataType::kUint8},
      {FileDataType::kF16, ir::DataType::kUint8},      {FileDataType::kU64, ir::DataType::kUint8},
      {FileDataType::kCompactS4, ir::DataType::kUint8}};
  for (const auto& [in_file, in_model] : types) {
    Graph graph = samples::minimal_bin();
    SubSection& input = graph.bss[0].reuse_sections[0].sub_sections[0];
    input.data_type = static_cast<std::uint32_t>(in_file);
    const auto plan = read_model(*write(graph));
    ASSERT_TRUE(plan) << plan.error().message;
    const ir::Tensor& tensor = plan->model.tensors[static_cast<std::size_t>(plan->model.inputs[0])];
    EXPECT_EQ(tensor.type, in_model) << input.data_type;
    EXPECT_EQ(tensor.bytes(), 16) << input.data_type;
  }
}

// Sizes that are no multiple of the element are shown as bytes.
TEST(Plan, OfAnotherCompilersGraphShowsOddSizesAsBytes) {
  Graph graph = samples::minimal_bin();
  SubSection& input = graph.bss[0].reuse_sections[0].sub_sections[0];
  input.data_type = static_cast<std::uint32_t>(FileDataType::kS32);
  input.size = 15;
  const auto plan = read_model(*write(graph));
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->model.tensors[0].type, ir::DataType::kUint8);
  EXPECT_EQ(plan->model.tensors[0].shape, std::vector<std::int32_t>{15});
}

TEST(Plan, NamesATensorWithoutBytes) {
  Graph graph = samples::minimal_bin();
  graph.bss[0].reuse_sections[1].sub_sections[0].size = 0;
  const auto plan = read_model(*write(graph));
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(plan.error().message.find("output 0"), std::string::npos) << plan.error().message;
}

}  // namespace
}  // namespace zynpu::graph
