// SPDX-License-Identifier: MIT
// The passes keep every byte of the real models: the rewritten graph, on the reference, gives the published
// outputs.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "compiler/compiler.h"
#include "compiler/passes/dump.h"
#include "compiler/passes/fold.h"
#include "compiler/passes/fuse.h"
#include "compiler/passes/legalise.h"
#include "compiler/passes/validate.h"
#include "reference/reference.h"
#include "shared_models.h"

namespace zynpu::compiler {
namespace {

std::vector<std::string> models() {
  std::vector<std::string> out;
  if (!std::filesystem::exists(test::shared_models())) return out;
  for (const auto& entry : std::filesystem::directory_iterator(test::shared_models()))
    if (entry.path().extension() == ".tflite") out.push_back(entry.path().stem());
  std::sort(out.begin(), out.end());
  return out;
}

ir::Graph rewritten(const std::string& model) {
  auto graph = import_tflite(test::read_bytes(test::shared_models() / (model + ".tflite")), model);
  EXPECT_TRUE(graph) << (graph ? "" : graph.error().message);
  if (!graph) return {};
  fold_constants(*graph);
  fuse(*graph);
  legalise(*graph);
  const auto status = validate(*graph);
  EXPECT_TRUE(status) << (status ? "" : status.error().message);
  return *graph;
}

// "in0.bin", or "in0_1.bin" where there are several.
std::vector<std::uint8_t> golden(const std::string& model, std::string_view what, std::size_t index,
                                 std::size_t count) {
  const std::string name = std::string(what) + "0" + (count > 1 ? "_" + std::to_string(index) : "") + ".bin";
  const auto path = test::shared_models() / (model + ".golden") / name;
  EXPECT_TRUE(std::filesystem::exists(path)) << path;
  return test::read_bytes(path);
}

class PassesOnModels : public testing::TestWithParam<std::string> {};

TEST_P(PassesOnModels, KeepEveryByte) {
  const ir::Graph graph = rewritten(GetParam());
  auto interpreter = reference::Interpreter::create(graph);
  ASSERT_TRUE(interpreter) << interpreter.error().message;
  std::vector<std::vector<std::uint8_t>> inputs, outputs;
  for (std::size_t i = 0; i < graph.inputs.size(); ++i)
    inputs.push_back(golden(GetParam(), "in", i, graph.inputs.size()));
  for (std::size_t i = 0; i < graph.outputs.size(); ++i)
    outputs.push_back(golden(GetParam(), "out", i, graph.outputs.size()));
  const std::size_t size = (*interpreter)->tensor(graph.inputs[0]).size();
  const std::size_t steps = std::min<std::size_t>(inputs[0].size() / size, 40);
  ASSERT_GT(steps, 0u);
  for (std::size_t step = 0; step < steps; ++step) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const auto memory = (*interpreter)->tensor(graph.inputs[i]);
      ASSERT_GE(inputs[i].size(), memory.size() * (step + 1));
      std::memcpy(memory.data(), inputs[i].data() + step * memory.size(), memory.size());
    }
    const auto status = (*interpreter)->run();
    ASSERT_TRUE(status) << status.error().message;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const auto memory = (*interpreter)->tensor(graph.outputs[i]);
      ASSERT_GE(outputs[i].size(), memory.size() * (step + 1));
      EXPECT_EQ(std::memcmp(memory.data(), outputs[i].data() + step * memory.size(), memory.size()), 0)
          << "output " << i << " of step " << step;
    }
  }
}

TEST_P(PassesOnModels, LeaveOneSpelling) {
  const ir::Graph graph = rewritten(GetParam());
  for (const ir::Op& op : graph.ops) {
    const bool gone = op.kind == ir::OpKind::kShape || op.kind == ir::OpKind::kPack ||
                      op.kind == ir::OpKind::kSqueeze || op.kind == ir::OpKind::kExpandDims;
    EXPECT_FALSE(gone) << to_string(op.kind);
    EXPECT_TRUE(op.kind != ir::OpKind::kReshape || op.inputs.size() == 1);
    if (op.kind == ir::OpKind::kQuantize) continue;
    for (const int t : op.outputs)
      EXPECT_NE(graph.tensors[static_cast<std::size_t>(t)].type, ir::DataType::kUint8) << to_string(op.kind);
  }
  EXPECT_FALSE(dump(graph).empty());
}

INSTANTIATE_TEST_SUITE_P(Shared, PassesOnModels, testing::ValuesIn(models()), [](const auto& instance) {
  std::string name = instance.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
});
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(PassesOnModels);

int count(const ir::Graph& graph, ir::OpKind kind) {
  return static_cast<int>(
      std::count_if(graph.ops.begin(), graph.ops.end(), [kind](const ir::Op& o) { return o.kind == kind; }));
}

TEST(RewrittenModels, LeaveNoPadInFrontOfConvolutions) {
  if (models().empty()) GTEST_SKIP() << "missing " << test::shared_models();
  EXPECT_EQ(count(rewritten("mobilenet_v1_025_128_int8"), ir::OpKind::kPad), 0);
  EXPECT_EQ(count(rewritten("person_fpn_160x128_int8"), ir::OpKind::kPad), 0);
}

TEST(RewrittenModels, LeaveTwoConversionsInAUint8Model) {
  if (models().empty()) GTEST_SKIP() << "missing " << test::shared_models();
  const ir::Graph graph = rewritten("mobilenet_v2_1.0_224_uint8");
  EXPECT_EQ(count(graph, ir::OpKind::kQuantize), 2);
  EXPECT_EQ(graph.ops.front().kind, ir::OpKind::kQuantize);
  EXPECT_EQ(graph.ops.back().kind, ir::OpKind::kQuantize);
}

}  // namespace
}  // namespace zynpu::compiler
