// SPDX-License-Identifier: MIT
// Every TFLite model beside the source tree, every recorded case: the same bytes as TFLite's reference
// kernels.
#include <gtest/gtest.h>

#include <cstring>

#include "compiler/compiler.h"
#include "reference/reference.h"
#include "support/golden.h"

namespace zynpu::reference {
namespace {

class GoldenModel : public testing::TestWithParam<std::string> {};

// Runs `steps` calls and compares every byte of every output; the first difference is reported.
void expect_same(const ir::Graph& graph, const test::GoldenCase& c) {
  SCOPED_TRACE("case " + c.name);
  ASSERT_EQ(c.inputs.size(), graph.inputs.size());
  ASSERT_EQ(c.outputs.size(), graph.outputs.size());
  auto interpreter = Interpreter::create(graph);
  ASSERT_TRUE(interpreter) << interpreter.error().message;
  for (int step = 0; step < c.steps; ++step) {
    for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
      const std::span<std::uint8_t> to = (*interpreter)->tensor(graph.inputs[i]);
      ASSERT_EQ(c.inputs[i].size(), to.size() * static_cast<std::size_t>(c.steps));
      std::memcpy(to.data(), c.inputs[i].data() + static_cast<std::size_t>(step) * to.size(), to.size());
    }
    const Status status = (*interpreter)->run();
    ASSERT_TRUE(status) << status.error().message;
    for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
      const std::span<std::uint8_t> got = (*interpreter)->tensor(graph.outputs[i]);
      ASSERT_EQ(c.outputs[i].size(), got.size() * static_cast<std::size_t>(c.steps));
      const std::uint8_t* want = c.outputs[i].data() + static_cast<std::size_t>(step) * got.size();
      const auto at = std::mismatch(got.begin(), got.end(), want);
      ASSERT_TRUE(at.first == got.end())
          << "step " << step << ", output " << i << ", byte " << at.first - got.begin() << ": "
          << int{*at.first} << ", expected " << int{*at.second};
    }
  }
}

TEST_P(GoldenModel, EqualsTheReferenceKernels) {
  const std::string& model = GetParam();
  const auto graph =
      compiler::import_tflite(test::read_whole(test::golden_folder() / (model + ".tflite")), model);
  ASSERT_TRUE(graph) << graph.error().message;
  const std::vector<test::GoldenCase> cases = test::golden_cases(model);
  ASSERT_FALSE(cases.empty());
  for (const test::GoldenCase& c : cases) expect_same(*graph, c);
}

INSTANTIATE_TEST_SUITE_P(Shared, GoldenModel, testing::ValuesIn(test::golden_tflite_models()),
                         [](const auto& instance) {
                           std::string name = instance.param;
                           for (char& c : name)
                             if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
                           return name;
                         });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(GoldenModel);

// A thousand labelled inputs in one file: the bytes, and the accuracy that the labels give them.
TEST(GoldenKeywords, EqualTheReferenceKernelsOnAThousandInputs) {
  const auto folder = test::golden_folder() / "kws_dscnn_int8.golden";
  const test::ByteVector inputs = test::read_whole(folder / "kws1000_in.bin");
  if (inputs.empty()) GTEST_SKIP() << "missing " << folder / "kws1000_in.bin";
  const test::ByteVector outputs = test::read_whole(folder / "kws1000_out.bin");
  const auto graph = compiler::import_tflite(
      test::read_whole(test::golden_folder() / "kws_dscnn_int8.tflite"), "kws_dscnn_int8");
  ASSERT_TRUE(graph) << graph.error().message;
  ASSERT_EQ(inputs.size(), 490u * 1000);
  ASSERT_EQ(outputs.size(), 12u * 1000);
  auto interpreter = Interpreter::create(*graph);
  ASSERT_TRUE(interpreter) << interpreter.error().message;
  for (std::size_t i = 0; i < 1000; ++i) {
    std::memcpy((*interpreter)->tensor(graph->inputs[0]).data(), inputs.data() + 490 * i, 490);
    ASSERT_TRUE((*interpreter)->run());
    ASSERT_EQ(std::memcmp((*interpreter)->tensor(graph->outputs[0]).data(), outputs.data() + 12 * i, 12), 0)
        << i;
  }
}

TEST(GoldenModels, AreAllFourteen) {
  if (!std::filesystem::exists(test::golden_folder())) GTEST_SKIP() << "missing " << test::golden_folder();
  EXPECT_EQ(test::golden_tflite_models().size(), 14u);
}

}  // namespace
}  // namespace zynpu::reference
