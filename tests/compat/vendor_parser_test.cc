// SPDX-License-Identifier: MIT
// What zynpu's compiler writes passes every check of the vendor's loader; and the checker itself finds
// faults.
#include "compat/vendor_parser.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "compat/vendor_files.h"
#include "compiler/compiler.h"
#include "compiler/shared_models.h"
#include "graph/plan.h"
#include "part/part.h"

namespace zynpu::test {
namespace {

std::string text(const std::vector<VendorComplaint>& complaints) {
  std::string all;
  for (const VendorComplaint& one : complaints) all += fmt::format("{:#x}: {}\n", one.status, one.text);
  return all;
}

std::vector<std::string> models() {
  std::vector<std::string> paths = {ZYNPU_SOURCE_DIR "/models/fashion_mnist/fashion_mnist_int8.tflite"};
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(shared_models(), error))
    if (entry.path().extension() == ".tflite") paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

class WrittenGraphs : public ::testing::TestWithParam<const char*> {};

TEST_P(WrittenGraphs, PassTheVendorsParserForEveryModel) {
  const part::Part& part = *part::find(GetParam());
  int checked = 0;
  for (const std::string& path : models()) {
    const Bytes file = read_bytes(path);
    const auto model = compiler::import_tflite(file, path);
    ASSERT_TRUE(model) << path << ": " << model.error().message;
    const auto plan = compiler::compile(*model, part);
    ASSERT_TRUE(plan) << path << ": " << plan.error().message;
    if (plan->graphs.empty()) continue;
    const auto container = graph::write_model(*plan);
    ASSERT_TRUE(container) << path << ": " << container.error().message;
    EXPECT_EQ(text(vendor_check(*container)), "") << path;
    for (const graph::Graph& graph : plan->graphs) {
      const auto plain = graph::write(graph);
      ASSERT_TRUE(plain) << plain.error().message;
      EXPECT_EQ(text(vendor_check(*plain)), "") << path;
    }
    ++checked;
  }
  EXPECT_GT(checked, 0);
  if (!std::filesystem::exists(shared_models()))
    GTEST_SKIP() << "only the shipped model: there is no folder of shared models";
}

INSTANTIATE_TEST_SUITE_P(Part, WrittenGraphs, ::testing::Values("z1", "z2", "x2"),
                         [](const auto& instance) { return std::string(instance.param); });

TEST(VendorParser, AcceptsTheMinimalFiles) {
  for (const char* part : {"z1", "z2", "x2"}) EXPECT_EQ(text(vendor_check(minimal_graph(part))), "");
}

// The rows of graph-format.md 11 that the vendor refuses or dies of.
TEST(VendorParser, FindsEveryFaultOfTheTestMatrix) {
  BinFields fields;
  const Bytes good = minimal_bin("z1", add_one("z1"), 0x05000000, minimal_bss(), {0}, &fields);
  const auto status = [&](std::size_t at, std::uint32_t value) {
    Bytes file = good;
    put_u32(file, at, value);
    const auto complaints = vendor_check(file);
    return complaints.empty() ? 0u : complaints.front().status;
  };
  EXPECT_EQ(status(20, 0x04000000), 0x8u);
  EXPECT_EQ(status(28, 103), 0x9u);
  EXPECT_EQ(status(32, 1), 0x9u);
  EXPECT_EQ(status(52, 0), 0x9u);
  EXPECT_EQ(status(16, 0x000102BE), 0xAu);
  EXPECT_EQ(status(60, 0), 0x15u);
  EXPECT_EQ(status(fields.bss, 0), 0x9u);                   // stack
  EXPECT_EQ(status(fields.bss + 12, 0), 0x9u);              // no reuse section
  EXPECT_EQ(status(fields.bss + 16, 0), kCrashStatus);      // reuse size
  EXPECT_EQ(status(fields.bss + 80, 64), kCrashStatus);     // offset_in_ro
  EXPECT_EQ(status(fields.end, 0x7FFFFFFF), kCrashStatus);  // remap count
  Bytes many = good;                                        // sub-sections, read until the stream ends
  put_u32(many, fields.bss + 28, 0x10000);
  EXPECT_NE(text(vendor_check(many)).find("0x9: the BSS stream runs past the end"), std::string::npos);
  for (const char* note : {"rodata", "fmlist", "subgraphs"}) {
    graph::ElfFile elf = graph::ElfFile::minimal();
    elf.drop(note);
    EXPECT_EQ(vendor_check(elf.bytes()).front().status, kCrashStatus) << note;
  }
  graph::ElfFile elf = graph::ElfFile::minimal();
  elf.drop("compilermsg");
  EXPECT_EQ(vendor_check(elf.bytes()).front().status, 0xAu);
  elf = graph::ElfFile::minimal();
  elf.set("subgraphs", 11, 0);
  EXPECT_EQ(vendor_check(elf.bytes()).front().status, kCrashStatus);
  elf = graph::ElfFile::minimal();
  elf.set("subgraphs", 15, 2);
  EXPECT_EQ(vendor_check(elf.bytes()).front().status, 0x9u);
}

}  // namespace
}  // namespace zynpu::test
