// SPDX-License-Identifier: MIT
// Runs the `zynpu` program as a user does.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace zynpu::test {

struct Outcome {
  int code = -1;  // exit code; 128 + signal if it was killed
  std::string out, err;
};

inline std::string slurp(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// A folder of its own for each test, empty at its start.
class CommandTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(::testing::TempDir()) /
              ("zynpu_" + std::string(info->test_suite_name()) + "_" + info->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string write(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return path(name);
  }

  Outcome zynpu(const std::vector<std::string>& arguments) const {
    const std::string out = path("stdout.txt"), err = path("stderr.txt");
    const pid_t child = fork();
    if (child == 0) {
      if (std::freopen(out.c_str(), "w", stdout) == nullptr ||
          std::freopen(err.c_str(), "w", stderr) == nullptr)
        _exit(126);
      std::vector<char*> argv{const_cast<char*>(ZYNPU_PROGRAM)};
      for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
      argv.push_back(nullptr);
      execv(ZYNPU_PROGRAM, argv.data());
      _exit(127);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), slurp(out), slurp(err)};
  }

  // The command fails with `code`, says one line that begins "zynpu: " and contains `text`, and prints
  // nothing else.
  void expect_error(const std::vector<std::string>& arguments, int code, const std::string& text) const {
    const Outcome outcome = zynpu(arguments);
    std::string line;
    for (const std::string& argument : arguments) line += " " + argument;
    SCOPED_TRACE("zynpu" + line);
    EXPECT_EQ(outcome.code, code) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.err.find("zynpu: "), 0u) << outcome.err;
    EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1) << outcome.err;
    EXPECT_NE(outcome.err.find(text), std::string::npos) << "`" << text << "` is not in: " << outcome.err;
  }

 private:
  std::filesystem::path folder_;
};

inline const std::string kFashion = ZYNPU_SOURCE_DIR "/models/fashion_mnist/";
inline const std::string kModel = kFashion + "fashion_mnist_int8.tflite";

}  // namespace zynpu::test
