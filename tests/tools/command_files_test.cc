// SPDX-License-Identifier: MIT
// What the subcommands say when something is wrong: one line, the right exit code, no output.
#include <nlohmann/json.hpp>

#include "tools/command.h"

namespace zynpu::test {
namespace {

using Refusal = CommandTest;

TEST_F(Refusal, UsageErrors) {
  expect_error({}, 2, "subcommand");
  expect_error({"fly"}, 2, "fly");
  expect_error({"run"}, 2, "MODEL");
  expect_error({"run", kModel, "--nonsense"}, 2, "--nonsense");
  expect_error({"compile", kModel}, 2, "--part");
  expect_error({"compile", kModel, "--part", "x2"}, 2, "--output");
  expect_error({"asm", "x.s"}, 2, "--output");
  expect_error({"disasm"}, 2, "--hex");
  expect_error({"bench", kModel, "--runs", "0"}, 2, "--runs");
  expect_error({"bench", kModel, "--runs", "many"}, 2, "--runs");
  expect_error({"bench", kModel, "--json", "--csv"}, 2, "--csv");
  expect_error({"run", kModel, "--dump-after", "lunch"}, 2, "lunch");
}

TEST_F(Refusal, UnknownPartsAndDevices) {
  const std::string input = write("in.bin", std::string(784, 'x'));
  expect_error({"run", kModel, "--part", "q7", "--input", input}, 2,
               "unknown part `q7`; there are: z1, z2, x2");
  expect_error({"compile", kModel, "--part", "q7", "-o", path("o")}, 2, "q7");
  expect_error({"bench", kModel, "--part", "q7"}, 2, "q7");
  expect_error({"run", kModel, "--device", "virtual:q7", "--input", input}, 2, "virtual:x2");
  expect_error({"run", kModel, "--device", "virtual:z1", "--part", "x2", "--input", input}, 2, "not a x2");
}

TEST_F(Refusal, MissingEmptyAndUnreadableFiles) {
  const std::string empty = write("empty.tflite", "");
  const std::vector<std::pair<std::string, std::string>> files = {
      {path("missing.tflite"), "No such file"}, {empty, "is empty"}, {path(""), "is a directory"}};
  for (const auto& [file, text] : files) {
    expect_error({"run", file, "--input", kModel}, 2, text);
    expect_error({"compile", file, "--part", "x2", "-o", path("o")}, 2, text);
    expect_error({"info", file}, 2, text);
    expect_error({"bench", file}, 2, text);
    expect_error({"disasm", file}, 2, text);
    expect_error({"asm", file, "-o", path("o")}, 2, text);
    expect_error({"run", kModel, "--input", file}, 2, text);
    expect_error({"run", kModel, "--image", file}, 2, text);
    expect_error({"run", kModel, "--input", kModel, "--labels", file}, 2, text);
  }
  EXPECT_FALSE(std::filesystem::exists(path("o")));
}

TEST_F(Refusal, TruncatedAndCorruptModels) {
  const std::string model = slurp(kModel);
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{8}, std::size_t{100}, model.size() / 2, model.size() - 1}) {
    const std::string file = write("cut.tflite", model.substr(0, size));
    expect_error({"info", file}, 2, "");
    expect_error({"run", file, "--image", kFashion + "sneaker.png"}, 2, "");
  }
  std::string corrupt = model;
  for (std::size_t i = 0; i < 64; ++i) corrupt[i * 7 + 8] = '\xFF';
  expect_error({"run", write("corrupt.tflite", corrupt), "--image", kFashion + "sneaker.png"}, 2, "");
  expect_error({"run", write("text.tflite", "this is a text, and not a model at all"), "--input", kModel}, 2,
               "");
}

TEST_F(Refusal, TruncatedAndCorruptGraphs) {
  for (const std::string part : {"x2", "z2"}) {
    ASSERT_EQ(zynpu({"compile", kModel, "--part", part, "-o", path("good.zy")}).code, 0);
    const std::string graph = slurp(path("good.zy"));
    for (const std::size_t size : {std::size_t{16}, std::size_t{60}, graph.size() / 2, graph.size() - 1}) {
      const std::string file = write("cut.zy", graph.substr(0, size));
      expect_error({"info", file}, 2, "");
      expect_error({"disasm", file}, 2, "");
      expect_error({"run", file, "--image", kFashion + "sneaker.png"}, 2, "");
    }
  }
}

TEST_F(Refusal, InputsThatAreMissingOrDoNotFit) {
  expect_error({"run", kModel}, 2, "(784 bytes)");
  const std::string small = write("small.bin", std::string(783, 'x')),
                    right = write("right.bin", std::string(784, 'x'));
  expect_error({"run", kModel, "--input", small}, 2, "783 bytes: not a multiple of the 784");
  expect_error({"run", kModel, "--input", right, "--input", right}, 2, "one input too many");
  expect_error({"run", kModel, "--input", right, "--image", kFashion + "sneaker.png"}, 2,
               "no input of the model");
  expect_error({"run", kModel, "--input", "nobody=" + right}, 2, "no input `nobody`");
  expect_error({"run", kModel, "--image", small}, 2, "not a readable PNG, JPEG or PPM");
}

TEST_F(Refusal, OutputsThatCannotBeWritten) {
  const std::string file = write("file", "x");
  const std::string input = write("in.bin", std::string(784, 'x'));
  expect_error({"compile", kModel, "--part", "x2", "-o", path("no/such/folder/o.zy")}, 2, "cannot create");
  expect_error({"run", kModel, "--input", input, "--output-dir", file + "/below"}, 2,
               "cannot create directory");
  expect_error({"run", kModel, "--input", input, "--trace", path("no/such/trace")}, 2, "cannot create");
}

TEST_F(Refusal, GraphsInPlacesOfModelsAndOtherParts) {
  ASSERT_EQ(zynpu({"compile", kModel, "--part", "x2", "-o", path("x2.zy")}).code, 0);
  const std::string input = write("in.bin", std::string(784, 'x'));
  expect_error({"run", path("x2.zy"), "--part", "z1", "--input", input}, 2, "X2_1204");
  expect_error({"compile", path("x2.zy"), "--part", "x2", "-o", path("o")}, 2, "compiled already");
  expect_error({"run", path("x2.zy"), "--input", input, "--dump-after", "tile"}, 2, "compiled already");
  expect_error({"run", path("x2.zy"), "--input", input, "--compare"}, 2, "model");
}

TEST_F(Refusal, WordsAndSourcesThatAreNone) {
  expect_error({"disasm", "--hex", "xyz"}, 2, "`xyz`");
  expect_error({"disasm", "--hex", "123456789"}, 2, "`123456789`");
  expect_error({"disasm", "--hex", "0x014F8000", "0x400C7FFF"}, 2, "2 words");
  expect_error({"disasm", write("odd.bin", "12345")}, 2, "5 bytes");
  expect_error({"asm", write("bad.s", "{ exit }\n{ frobnicate r1 }\n"), "-o", path("o")}, 2, "line 2");
  EXPECT_FALSE(std::filesystem::exists(path("o")));
}

}  // namespace
}  // namespace zynpu::test
