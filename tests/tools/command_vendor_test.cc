// SPDX-License-Identifier: MIT
// The command on graphs that zynpu's compiler did not make.
#include <nlohmann/json.hpp>

#include "command.h"
#include "graph/samples.h"

namespace zynpu::test {
namespace {

class VendorGraphCommand : public CommandTest {
 protected:
  std::string save(const std::string& name, const graph::Graph& graph) const {
    const auto file = graph::write(graph);
    EXPECT_TRUE(file) << file.error().message;
    return write(name, {file->begin(), file->end()});
  }
};

TEST_F(VendorGraphCommand, InfoShowsEveryKindOfPiece) {
  const std::string file = save("full.bin", graph::samples::full_bin());
  const Outcome text = zynpu({"info", file});
  ASSERT_EQ(text.code, 0) << text.err;
  for (const char* part : {"for Z2_1104", "1 dump", "1 profiler", "1 printf", "1 layer counter",
                           "1 error code", "remap: 3 entries", "3 static sections", "stack 10000 bytes"})
    EXPECT_NE(text.out.find(part), std::string::npos) << part << " is not in: " << text.out;
  const auto json = nlohmann::json::parse(zynpu({"info", file, "--json"}).out);
  const auto& piece = json["graphs"][0]["bss"][0]["reuse"][2]["pieces"][0];
  EXPECT_EQ(piece["scale"], 0.25);
  EXPECT_EQ(piece["zero_point"], -3);
  EXPECT_EQ(piece["data_type"], 3);
}

TEST_F(VendorGraphCommand, InfoShowsSubGraphsAndDynamicShapes) {
  const std::string file = save("full.elf", graph::samples::full_elf());
  const Outcome text = zynpu({"info", file});
  ASSERT_EQ(text.code, 0) << text.err;
  EXPECT_NE(text.out.find("has a dynamic shape: ("), std::string::npos) << text.out;
  const auto json = nlohmann::json::parse(zynpu({"info", file, "--json"}).out);
  const auto& graph = json["graphs"][0];
  EXPECT_EQ(graph["subgraphs"].size(), graph::samples::full_elf().subgraphs.size());
  EXPECT_FALSE(graph["shape_ranges"].empty());
  for (const char* field : {"bss", "printf_bytes", "profiler_offset", "private_buffers", "dcr_bytes"})
    EXPECT_TRUE(graph["subgraphs"][0].contains(field)) << field;
}

TEST_F(VendorGraphCommand, RunSaysAtWhichAddressItMustStop) {
  const std::string input = write("input", std::string(16, '\1'));
  expect_error({"run", save("z1.bin", graph::samples::minimal_bin()), "--part", "z1", "--input", input}, 1,
               "undecodable bundle");
  expect_error({"run", save("x2.elf", graph::samples::minimal_elf()), "--part", "x2", "--input", input}, 1,
               "pc 0x");
}

}  // namespace
}  // namespace zynpu::test
