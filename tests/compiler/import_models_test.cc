// SPDX-License-Identifier: MIT
// Every real model of the shared set is read, and is what its index says.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "compiler/compiler.h"
#include "compiler/passes/describe.h"
#include "compiler/passes/validate.h"
#include "shared_models.h"

namespace zynpu::compiler {
namespace {

std::vector<nlohmann::json> models() {
  std::vector<nlohmann::json> out;
  std::ifstream file(test::shared_models() / "index.json");
  if (!file) return out;
  for (const auto& entry : nlohmann::json::parse(file)) {
    if (entry["file"].get<std::string>().ends_with(".tflite")) out.push_back(entry);
  }
  return out;
}

// "i8[1, 32, 32, 3] (scale 1, zp -128)" as the index writes it, without the rounded scale.
std::string signature(const ir::Tensor& tensor) {
  const std::string type = tensor.type == ir::DataType::kInt8    ? "i8"
                           : tensor.type == ir::DataType::kUint8 ? "u8"
                                                                 : "f32";
  return type + describe_shape(tensor.shape);
}

class ImportModels : public testing::TestWithParam<nlohmann::json> {};

TEST_P(ImportModels, GivesTheOperatorsOfTheIndex) {
  const nlohmann::json& entry = GetParam();
  const std::string name = entry["file"];
  const auto graph = import_tflite(test::read_bytes(test::shared_models() / name), name);
  ASSERT_TRUE(graph) << graph.error().message;
  std::map<std::string, int> ops;
  std::int64_t work = 0;
  const auto count = [&](const ir::Graph& part) {
    for (const ir::Op& op : part.ops) {
      ++ops[std::string(to_string(op.kind))];
      work += macs(part, op);
    }
  };
  count(*graph);
  for (const ir::Graph& body : graph->subgraphs) count(body);
  EXPECT_EQ(ops, (entry["ops"].get<std::map<std::string, int>>()));
  EXPECT_EQ(work, entry["macs"].get<std::int64_t>());
  ASSERT_EQ(graph->inputs.size(), entry["inputs"].size());
  for (std::size_t i = 0; i < graph->inputs.size(); ++i) {
    const auto& tensor = graph->tensors[static_cast<std::size_t>(graph->inputs[i])];
    EXPECT_TRUE(entry["inputs"][i].get<std::string>().starts_with(signature(tensor))) << signature(tensor);
  }
  ASSERT_EQ(graph->outputs.size(), entry["outputs"].size());
  for (std::size_t i = 0; i < graph->outputs.size(); ++i) {
    const auto& tensor = graph->tensors[static_cast<std::size_t>(graph->outputs[i])];
    EXPECT_TRUE(entry["outputs"][i].get<std::string>().starts_with(signature(tensor))) << signature(tensor);
  }
}

// Whatever byte is cut off, the file is refused and nothing outside of it is read.
TEST_P(ImportModels, RefusesEveryTruncation) {
  const std::string name = GetParam()["file"];
  const auto file = test::read_bytes(test::shared_models() / name);
  for (std::size_t i = 1; i <= 64; ++i) {
    const std::size_t size = file.size() * (64 - i) / 64;
    const std::vector<std::uint8_t> cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
    const auto graph = import_tflite(cut, name);
    ASSERT_FALSE(graph) << size << " of " << file.size() << " bytes";
    EXPECT_EQ(graph.error().code, ErrorCode::kBadFile);
  }
}

INSTANTIATE_TEST_SUITE_P(Shared, ImportModels, testing::ValuesIn(models()), [](const auto& instance) {
  std::string name = instance.param["file"];
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
});
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ImportModels);

TEST(SharedModels, AreAllFourteen) {
  if (!std::filesystem::exists(test::shared_models() / "index.json"))
    GTEST_SKIP() << "missing " << test::shared_models() / "index.json";
  EXPECT_EQ(models().size(), 14u);
}

}  // namespace
}  // namespace zynpu::compiler
