// SPDX-License-Identifier: MIT
// What the subcommands do when all is well.
#include "tools/command.h"

#include <nlohmann/json.hpp>
#include <sstream>

namespace zynpu::test {
namespace {

using Json = nlohmann::json;

class Command : public CommandTest {
 protected:
  Outcome good(const std::vector<std::string>& arguments) const {
    Outcome outcome = zynpu(arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    return outcome;
  }
  Json json(const std::vector<std::string>& arguments) const {
    const Outcome outcome = good(arguments);
    const Json parsed = Json::parse(outcome.out, nullptr, false);
    EXPECT_FALSE(parsed.is_discarded()) << outcome.out;
    return parsed;
  }
};

TEST_F(Command, PrintsHelpAndVersion) {
  EXPECT_NE(good({"--help"}).out.find("bench"), std::string::npos);
  EXPECT_NE(good({"run", "--help"}).out.find("--image"), std::string::npos);
  EXPECT_EQ(good({"--version"}).out.find("zynpu 0."), 0u);
}

TEST_F(Command, ListsPartsAndDevices) {
  const std::string parts = good({"parts"}).out;
  for (const char* name : {"z1", "z2", "x2", "Z1_0701", "Z2_1104", "X2_1204"})
    EXPECT_NE(parts.find(name), std::string::npos) << name;
  EXPECT_NE(good({"devices"}).out.find("virtual:x2"), std::string::npos);
}

TEST_F(Command, AssemblesWhatItDisassembled) {
  const std::string source = write("exit.s", "{ exit }\n{ add r1, r2, r3 }\n{ nop }\n");
  EXPECT_NE(good({"asm", source, "-o", path("code.bin")}).out.find("3 bundles"), std::string::npos);
  const std::string text = good({"disasm", path("code.bin")}).out;
  EXPECT_NE(text.find("exit"), std::string::npos) << text;
  const std::string again = write("again.s", text);
  good({"asm", again, "-o", path("again.bin")});
  EXPECT_EQ(slurp(path("code.bin")), slurp(path("again.bin")));
}

TEST_F(Command, DisassemblesWords) {
  EXPECT_NE(good({"disasm", "--hex", "0x014F8000", "400C7FFF", "400C7FFF", "C00C7FFF"}).out.find("exit"),
            std::string::npos);
  EXPECT_NE(good({"disasm", "--hex", "014F8000,400C7FFF 400C7FFF C00C7FFF"}).out.find("exit"),
            std::string::npos);
  EXPECT_NE(good({"disasm", "--hex", "014F8000"}).out.find("slot 0: exit"), std::string::npos);
}

TEST_F(Command, ShowsAModel) {
  const Outcome text = good({"info", kModel});
  EXPECT_NE(text.out.find("int8 [1, 28, 28, 1]"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("CONV_2D"), std::string::npos);
  const Json document = json({"info", kModel, "--json"});
  EXPECT_EQ(document["kind"], "model");
  EXPECT_EQ(document["inputs"][0]["bytes"], 784);
  EXPECT_GT(document["layers"].size(), 10u);
  for (const Json& layer : document["layers"])
    EXPECT_EQ(layer["placement"] == "cpu", layer.contains("reason")) << layer;
}

TEST_F(Command, CompilesAndShowsAndDisassemblesAGraph) {
  for (const std::string part : {"x2", "z1", "z2"}) {
    SCOPED_TRACE(part);
    const std::string graph = path(part + ".zy");
    EXPECT_NE(good({"compile", kModel, "--part", part, "-o", graph}).out.find("layers on the NPU"),
              std::string::npos);
    const Json document = json({"info", graph, "--json"});
    EXPECT_EQ(document["kind"], "graph");
    EXPECT_EQ(document["graphs"][0]["virtual_profile"], part != "x2");
    EXPECT_GT(document["graphs"][0]["sections"]["text"], 0);
    EXPECT_GT(document["layers"].size(), 10u);
    EXPECT_NE(good({"info", graph}).out.find("sections: text"), std::string::npos);
    const std::string listing = good({"disasm", graph}).out;
    EXPECT_NE(listing.find("// CONV_2D"), std::string::npos);
    EXPECT_NE(listing.find("exit"), std::string::npos);
  }
}

TEST_F(Command, CompilesTheSameBytesEveryTime) {
  good({"compile", kModel, "--part", "x2", "-o", path("a.zy")});
  good({"compile", kModel, "--part", "x2", "-o", path("b.zy")});
  EXPECT_EQ(slurp(path("a.zy")), slurp(path("b.zy")));
}

// models/fashion_mnist/expected.tsv holds the output bytes of TFLite's reference kernels for ten pictures.
TEST_F(Command, ClassifiesPicturesAsTheReferenceDoes) {
  std::istringstream lines(slurp(kFashion + "expected.tsv"));
  std::string line;
  std::getline(lines, line);
  int pictures = 0;
  for (; std::getline(lines, line); ++pictures) {
    std::istringstream columns(line);
    std::string file, number, truth, winner, bytes;
    for (std::string* column : {&file, &number, &truth, &winner, &bytes})
      std::getline(columns, *column, '\t');
    SCOPED_TRACE(file);
    const Json document = json({"run", kModel, "--part", "x2", "--image", kFashion + file, "--labels",
                                kFashion + "labels.txt", "--output-dir", path("out"), "--json"});
    EXPECT_EQ(document["outputs"][0]["top"][0]["label"], winner);
    std::string expected;
    std::istringstream values(bytes);
    for (int value = 0; values >> value;) expected.push_back(static_cast<char>(value));
    EXPECT_EQ(slurp(path("out/out0.bin")), expected);
  }
  EXPECT_EQ(pictures, 10);
}

TEST_F(Command, RunsEveryPartToTheSameBytes) {
  const std::string input = write("in.bin", std::string(784, '\x11'));
  std::string first;
  for (const std::string part : {"x2", "z1", "z2"}) {
    SCOPED_TRACE(part);
    const Json document = json(
        {"run", kModel, "--part", part, "--input", input, "--output-dir", path(part), "--compare", "--json"});
    EXPECT_EQ(document["device"], "virtual:" + part);
    EXPECT_EQ(document["compare"]["equal"], true) << document["compare"];
    EXPECT_GT(document["last_step"]["modelled_cycles"], 0);
    if (first.empty()) first = slurp(path(part + "/out0.bin"));
    EXPECT_EQ(slurp(path(part + "/out0.bin")), first);
  }
}

TEST_F(Command, RunsACompiledGraphOnThePartItIsFor) {
  const std::string input = write("in.bin", std::string(784, '\x21'));
  good({"run", kModel, "--input", input, "--output-dir", path("model")});
  for (const std::string part : {"x2", "z2"}) {
    good({"compile", kModel, "--part", part, "-o", path("graph.zy")});
    const Json document =
        json({"run", path("graph.zy"), "--input", input, "--output-dir", path(part), "--json"});
    EXPECT_EQ(document["part"], part);
    EXPECT_EQ(slurp(path(part + "/out0.bin")), slurp(path("model/out0.bin")));
  }
}

TEST_F(Command, RunsStepsInOrderAndAppendsTheirOutputs) {
  const std::string a(784, '\x11'), b(784, '\x51');
  good({"run", kModel, "--input", write("a.bin", a), "--output-dir", path("a")});
  good({"run", kModel, "--input", write("b.bin", b), "--output-dir", path("b")});
  const Json document =
      json({"run", kModel, "--input", write("both.bin", a + b), "--output-dir", path("both"), "--json"});
  EXPECT_EQ(document["steps"], 2);
  EXPECT_EQ(slurp(path("both/out0.bin")), slurp(path("a/out0.bin")) + slurp(path("b/out0.bin")));
}

TEST_F(Command, TakesInputsByName) {
  const std::string input = write("in.bin", std::string(784, '\x11'));
  const std::string name = json({"info", kModel, "--json"})["inputs"][0]["name"];
  good({"run", kModel, "--input", name + "=" + input});
  const std::string odd = write("odd=name.bin", std::string(784, '\x11'));
  good({"run", kModel, "--input", odd});
}

TEST_F(Command, PrintsLabelsAndACycleSummary) {
  const std::string text = good({"run", kModel, "--image", kFashion + "sneaker.png", "--labels",
                                 kFashion + "labels.txt", "--compare"})
                               .out;
  EXPECT_NE(text.find("Sneaker"), std::string::npos) << text;
  EXPECT_NE(text.find("modelled cycles"), std::string::npos);
  EXPECT_NE(text.find("layers on the NPU"), std::string::npos);
  EXPECT_NE(text.find("bit for bit"), std::string::npos);
}

TEST_F(Command, DumpsTheCompilersStages) {
  const std::string input = write("in.bin", std::string(784, '\x11'));
  const std::string text = good({"run", kModel, "--input", input, "--dump-after", "legalise"}).out;
  EXPECT_NE(text.find("CONV_2D"), std::string::npos) << text;
}

TEST_F(Command, WritesATraceOfBundles) {
  const std::string input = write("in.bin", std::string(784, '\x11'));
  good({"run", kModel, "--input", input, "--trace", path("trace.tsv")});
  std::ifstream trace(path("trace.tsv"));
  std::string line;
  std::getline(trace, line);
  EXPECT_EQ(line, "cycle\tcore\ttec\tpc\tlayer\tbundle");
  std::size_t lines = 0, with_layer = 0;
  while (std::getline(trace, line)) {
    ++lines;
    EXPECT_EQ(std::count(line.begin(), line.end(), '\t'), 5) << line;
    with_layer += line.find("CONV_2D") != std::string::npos ? 1 : 0;
  }
  EXPECT_GT(lines, 10000u);
  EXPECT_GT(with_layer, 1000u);
}

TEST_F(Command, MeasuresAModel) {
  EXPECT_NE(good({"bench", kModel, "--runs", "2"}).out.find("p95"), std::string::npos);
  const Json document = json({"bench", kModel, "--runs", "3", "--json"});
  EXPECT_EQ(document["runs"], 3);
  EXPECT_LE(document["run_ms"]["min"], document["run_ms"]["median"]);
  EXPECT_LE(document["run_ms"]["median"], document["run_ms"]["max"]);
  for (const char* stage : {"open", "import", "compile", "load"})
    EXPECT_GE(document["stages_ms"][stage], 0) << stage;
  for (const Json& layer : document["layers"]) {
    if (layer["placement"] == "cpu") continue;
    EXPECT_EQ(layer["own_code"] == true, layer.contains("modelled_cycles") && layer["modelled_cycles"] > 0)
        << layer;
  }
  std::istringstream csv(good({"bench", kModel, "--runs", "1", "--csv"}).out);
  std::string header, row;
  std::getline(csv, header);
  while (std::getline(csv, row))
    EXPECT_EQ(std::count(row.begin(), row.end(), ','), std::count(header.begin(), header.end(), ',')) << row;
}

}  // namespace
}  // namespace zynpu::test
