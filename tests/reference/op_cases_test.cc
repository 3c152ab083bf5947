// SPDX-License-Identifier: MIT
// The generated operator cases: many, the same every time, and all accepted by the reference operators.
#include "support/op_cases.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <set>

#include "reference/reference.h"

namespace zynpu::reference {
namespace {

std::vector<std::vector<std::uint8_t>> outputs_of(const test::OpCase& c) {
  std::vector<std::vector<std::uint8_t>> outputs;
  auto interpreter = Interpreter::create(c.graph);
  if (!interpreter) {
    ADD_FAILURE() << c.description << "\n" << interpreter.error().message;
    return outputs;
  }
  for (int run = 0; run < c.runs; ++run) {
    const auto inputs = test::op_case_inputs(c, run);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      std::memcpy((*interpreter)->tensor(c.graph.inputs[i]).data(), inputs[i].data(), inputs[i].size());
    }
    const Status status = (*interpreter)->run();
    EXPECT_TRUE(status) << c.description << "\n" << (status ? "" : status.error().message);
    for (const int index : c.graph.outputs) {
      const auto bytes = (*interpreter)->tensor(index);
      outputs.emplace_back(bytes.begin(), bytes.end());
    }
  }
  return outputs;
}

TEST(OpCases, AreMoreThanAThousandForTheNpuWithDistinctNames) {
  const auto names = test::npu_op_case_names();
  EXPECT_GE(names.size(), 1000u);
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
}

TEST(OpCases, ComeOutTheSameEveryTime) {
  for (const char* name : {"CONV_2D_0", "SOFTMAX_7", "STRIDED_SLICE_3", "UNIDIRECTIONAL_SEQUENCE_LSTM_5"}) {
    const test::OpCase a = test::make_op_case(name), b = test::make_op_case(name);
    EXPECT_EQ(a.description, b.description);
    EXPECT_EQ(test::op_case_inputs(a), test::op_case_inputs(b));
    EXPECT_EQ(outputs_of(a), outputs_of(b));
  }
}

// A change of the generator would silently change what every case covers and what a report's name means.
TEST(OpCases, KeepTheirMeaning) {
  std::uint64_t h = 0xCBF29CE484222325u;
  const auto add = [&](const void* data, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i)
      h = (h ^ static_cast<const unsigned char*>(data)[i]) * 0x100000001B3u;
  };
  for (const std::string& name : test::npu_op_case_names()) {
    const test::OpCase c = test::make_op_case(name);
    add(c.description.data(), c.description.size());
    for (const ir::Tensor& t : c.graph.tensors) {
      add(t.quant.scale.data(), t.quant.scale.size() * sizeof(float));
      add(t.quant.zero_point.data(), t.quant.zero_point.size() * sizeof(std::int32_t));
      if (t.is_constant()) add(t.data->data(), t.data->size());
    }
    for (const auto& input : test::op_case_inputs(c)) add(input.data(), input.size());
  }
  EXPECT_EQ(h, 13442530533687373870u);
}

// What the reference gave for each family when TFLite's own kernels, run beside it, gave the same bytes
// (tests/interop).
struct FamilyResult {
  const char* family;
  std::uint64_t hash;
};
constexpr FamilyResult kResults[] = {
#include "op_case_results.inc"
};

TEST(OpCases, GiveTheResultsThatTfliteGave) {
  std::map<std::string, std::uint64_t> known;
  for (const FamilyResult& result : kResults) known[result.family] = result.hash;
  for (const test::OpFamily& family : test::op_families()) {
    if (!family.tflite) continue;
    std::uint64_t h = 0xCBF29CE484222325u;
    for (int i = 0; i < family.count; ++i) {
      for (const auto& output : outputs_of(test::make_op_case(family.name + "_" + std::to_string(i)))) {
        for (const std::uint8_t byte : output) h = (h ^ byte) * 0x100000001B3u;
      }
    }
    EXPECT_EQ(h, known[family.name]) << "    {\"" << family.name << "\", " << h << "u},";
  }
}

TEST(OpCases, AreAllAcceptedAndMostSaySomething) {
  int constant = 0, all = 0;
  for (const std::string& name : test::op_case_names()) {
    const test::OpCase c = test::make_op_case(name);
    const auto outputs = outputs_of(c);
    ASSERT_FALSE(outputs.empty()) << c.description;
    const auto& bytes = outputs[0];
    const bool same = std::all_of(bytes.begin(), bytes.end(), [&](std::uint8_t b) { return b == bytes[0]; });
    if (bytes.size() > 8) {
      ++all;
      if (same) ++constant;
    }
  }
  EXPECT_LT(constant * 100, all * 15) << constant << " of " << all << " outputs are one value repeated";
}

}  // namespace
}  // namespace zynpu::reference
