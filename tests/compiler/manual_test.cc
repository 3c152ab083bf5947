// SPDX-License-Identifier: MIT
#include "compiler/manual/manual.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "compiler/kernels/kernel.h"

namespace zynpu::compiler {
namespace {

TEST(OperatorsManual, IsThePageInTheDocumentation) {
  std::ifstream file(ZYNPU_SOURCE_DIR "/docs/operators.md");
  ASSERT_TRUE(file) << "docs/operators.md is missing; write it with zynpu_operators_doc";
  const std::string page(std::istreambuf_iterator<char>(file), {});
  EXPECT_TRUE(page == operators_manual())
      << "docs/operators.md is out of date; write it anew with zynpu_operators_doc";
}

TEST(OperatorsManual, HasOneRowForEachOperator) {
  const std::string page = operators_manual();
  for (int i = 0; i < static_cast<int>(ir::OpKind::kCount); ++i) {
    const std::string row = "\n| " + std::string(to_string(static_cast<ir::OpKind>(i))) + " | ";
    const std::size_t at = page.find(row);
    ASSERT_NE(at, std::string::npos) << row;
    EXPECT_EQ(page.find(row, at + 1), std::string::npos) << row;
  }
}

TEST(OperatorsManual, StatesEveryCondition) {
  const std::string page = operators_manual();
  for (const Kernel& kernel : kernels()) {
    EXPECT_NE(
        page.find("| " + std::string(to_string(kernel.kind)) + " | NPU | " + std::string(kernel.summary)),
        std::string::npos);
    for (const Constraint& constraint : kernel.constraints)
      EXPECT_NE(page.find("- " + std::string(constraint.sentence) + "\n"), std::string::npos)
          << constraint.sentence;
  }
}

TEST(Kernels, StandOnceEachInTheOrderOfTheOperators) {
  const auto all = kernels();
  for (std::size_t i = 1; i < all.size(); ++i) EXPECT_LT(all[i - 1].kind, all[i].kind);
  for (const Kernel& kernel : all) {
    EXPECT_FALSE(kernel.summary.empty());
    EXPECT_EQ(kernel.lower == nullptr, kernel.kind == ir::OpKind::kReshape);
  }
}

}  // namespace
}  // namespace zynpu::compiler
