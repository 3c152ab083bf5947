// SPDX-License-Identifier: MIT
// Whole plans of the real models, from file to container: what users see of them, and that they are
// reproducible.
#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "compiler/compiler.h"
#include "graph/plan.h"
#include "shared_models.h"

namespace zynpu::compiler {
namespace {

struct Case {
  std::string model;
  std::string part;
};

std::vector<Case> cases() {
  std::vector<Case> out;
  if (!std::filesystem::exists(test::shared_models())) return out;
  for (const auto& entry : std::filesystem::directory_iterator(test::shared_models())) {
    if (entry.path().extension() != ".tflite") continue;
    for (const char* part : {"x2", "z1", "z2"}) out.push_back({entry.path().stem(), part});
  }
  std::sort(out.begin(), out.end(), [](const Case& a, const Case& b) {
    return std::tie(a.model, a.part) < std::tie(b.model, b.part);
  });
  return out;
}

Result<graph::HostPlan> compiled(const Case& c) {
  const auto model = import_tflite(test::read_bytes(test::shared_models() / (c.model + ".tflite")), c.model);
  if (!model) return tl::unexpected<Error>(model.error());
  return compile(*model, *part::find(c.part));
}

class CompileModels : public testing::TestWithParam<Case> {};

TEST_P(CompileModels, GivesACompletePlan) {
  const auto plan = compiled(GetParam());
  ASSERT_TRUE(plan) << plan.error().message;
  ASSERT_EQ(plan->placements.size(), plan->model.ops.size());
  std::vector<int> seen(plan->model.ops.size());
  for (const graph::Step& step : plan->steps) {
    for (const int op : step.ops) {
      const graph::Placement& placement = plan->placements[static_cast<std::size_t>(op)];
      ++seen[static_cast<std::size_t>(op)];
      EXPECT_EQ(placement.npu, step.npu) << placement.name;
      EXPECT_EQ(placement.reason.empty(), step.npu) << placement.name;
      // Every multiplication of every model but the LSTM's is the NPU's work.
      EXPECT_TRUE(placement.npu || placement.macs == 0 || GetParam().model == "mnist_lstm_int8")
          << placement.name << ": " << placement.reason;
    }
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), static_cast<std::ptrdiff_t>(seen.size()));

  const auto file = graph::write_model(*plan);
  ASSERT_TRUE(file) << file.error().message;
  const auto again = graph::read_model(*file);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->steps.size(), plan->steps.size());
  EXPECT_EQ(again->placements.size(), plan->placements.size());
}

INSTANTIATE_TEST_SUITE_P(Shared, CompileModels, testing::ValuesIn(cases()), [](const auto& instance) {
  std::string name = instance.param.model + "_" + instance.param.part;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
});
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(CompileModels);

TEST(CompiledSteps, AreTheSameBytesEveryTime) {
  for (const char* model : {"kws_dscnn_int8", "hey_jarvis_stream_int8", "blazeface_128_int8"}) {
    if (!std::filesystem::exists(test::shared_models() / (std::string(model) + ".tflite")))
      GTEST_SKIP() << "missing " << model << ".tflite";
    for (const char* part : {"x2", "z1"}) {
      const auto first = compiled({model, part}), second = compiled({model, part});
      ASSERT_TRUE(first && second);
      const auto a = graph::write_model(*first), b = graph::write_model(*second);
      ASSERT_TRUE(a && b);
      EXPECT_EQ(*a, *b) << model << " " << part;
    }
  }
}

// CPU reads -> one NPU step -> CPU assigns.
TEST(CompiledSteps, AreThreeForAStreamingModel) {
  const Case c{"hey_jarvis_stream_int8", "x2"};
  if (!std::filesystem::exists(test::shared_models() / (c.model + ".tflite")))
    GTEST_SKIP() << "missing " << c.model << ".tflite";
  const auto plan = compiled(c);
  ASSERT_TRUE(plan) << plan.error().message;
  ASSERT_EQ(plan->steps.size(), 3u);
  EXPECT_FALSE(plan->steps[0].npu);
  EXPECT_TRUE(plan->steps[1].npu);
  EXPECT_FALSE(plan->steps[2].npu);
}

}  // namespace
}  // namespace zynpu::compiler
