// SPDX-License-Identifier: MIT
#include "isa/manual.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "isa/table.h"

namespace zynpu::isa {
namespace {

TEST(Manual, IsThePageInTheDocumentation) {
  std::ifstream file(ZYNPU_SOURCE_DIR "/docs/isa.md");
  ASSERT_TRUE(file) << "docs/isa.md is missing; write it with zynpu_isa_doc";
  const std::string page(std::istreambuf_iterator<char>(file), {});
  EXPECT_TRUE(page == manual()) << "docs/isa.md is out of date; write it anew with zynpu_isa_doc";
}

// The cells of the rows that describe a form: the tables with seven columns.
std::vector<std::vector<std::string>> form_rows() {
  const std::string page = manual();
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| `")) continue;
    std::vector<std::string> cells(1);
    for (std::size_t i = 1; i < line.size(); ++i) {
      if (line[i] == '|' && line[i - 1] != '\\')
        cells.emplace_back();
      else
        cells.back() += line[i];
    }
    cells.pop_back();
    if (cells.size() != 2) rows.push_back(cells);
  }
  return rows;
}

TEST(Manual, DescribesEveryFormInSevenCells) {
  const auto rows = form_rows();
  EXPECT_EQ(rows.size(), kOpCount);
  std::multiset<std::string> mnemonics;
  for (const auto& cells : rows) {
    ASSERT_EQ(cells.size(), 7U) << cells[0];
    mnemonics.insert(cells[0].substr(2, cells[0].find_first_of(" `", 2) - 2));
  }
  for (const OpInfo& row : table()) {
    const auto found = mnemonics.find(std::string(row.mnemonic));
    ASSERT_NE(found, mnemonics.end()) << row.id;
    mnemonics.erase(found);
  }
}

}  // namespace
}  // namespace zynpu::isa
