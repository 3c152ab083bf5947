// SPDX-License-Identifier: MIT
// Models that zynpu compiled, through the vendor's API: outputs equal those of the reference operators, and
// of TFLite where the shared models give them.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "compat/on_device.h"
#include "compiler/compiler.h"
#include "compiler/shared_models.h"
#include "graph/plan.h"
#include "part/part.h"
#include "standard_api.h"

namespace zynpu::test {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes compile(const std::string& path, const std::string& part) {
  const auto model = compiler::import_tflite(read_bytes(path), "model");
  EXPECT_TRUE(model) << model.error().message;
  const auto plan = compiler::compile(*model, *part::find(part));
  EXPECT_TRUE(plan) << plan.error().message;
  const auto file = graph::write_model(*plan);
  EXPECT_TRUE(file) << file.error().message;
  return *file;
}

class Compiled : public OnDevice {
 protected:
  // Graphs for the virtual Z1 and Z2 may not run on anything else.
  bool refused() const {
    return std::string(std::getenv("ZYNPU_DEVICE")).find("virtual") != 0 && part() != "x2";
  }
  aipu_status_t load(const Bytes& file, std::uint64_t* id) {
    return aipu_load_graph_helper(ctx, reinterpret_cast<const char*>(file.data()),
                                  static_cast<std::uint32_t>(file.size()), id);
  }
};

struct Case {
  Bytes in, out;
};

std::vector<Case> cases(const std::string& model) {
  std::vector<Case> all;
  const std::filesystem::path folder = shared_models() / (model + ".golden");
  for (int i = 0; std::filesystem::exists(folder / fmt::format("in{}.bin", i)); ++i)
    all.push_back(
        {read_bytes(folder / fmt::format("in{}.bin", i)), read_bytes(folder / fmt::format("out{}.bin", i))});
  return all;
}

TEST_P(Compiled, EqualsTheReferenceInEveryWayOfRunning) {
  const std::filesystem::path model = shared_models() / "kws_dscnn_int8.tflite";
  if (!std::filesystem::exists(model)) GTEST_SKIP() << model.filename() << " is not there";
  const std::vector<Case> golden = cases("kws_dscnn_int8");
  ASSERT_GE(golden.size(), 2u);
  std::uint64_t graph = 0;
  const aipu_status_t loaded = load(compile(model, part()), &graph);
  if (refused()) {
    EXPECT_EQ(loaded, AIPU_STATUS_ERROR_OP_NOT_SUPPORTED);
    return;
  }
  ASSERT_EQ(loaded, AIPU_STATUS_SUCCESS);
  aipu_tensor_desc_t in = {}, out = {};
  ASSERT_EQ(aipu_get_tensor_descriptor(ctx, graph, AIPU_TENSOR_TYPE_INPUT, 0, &in), AIPU_STATUS_SUCCESS);
  ASSERT_EQ(aipu_get_tensor_descriptor(ctx, graph, AIPU_TENSOR_TYPE_OUTPUT, 0, &out), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(in.data_type, AIPU_DATA_TYPE_S8);
  ASSERT_EQ(in.size, golden[0].in.size());
  ASSERT_EQ(out.size, golden[0].out.size());

  const auto run = [&](const Case& one, bool asynchronous) {
    std::uint64_t job = 0;
    ASSERT_EQ(aipu_create_job(ctx, graph, &job), AIPU_STATUS_SUCCESS);
    ASSERT_EQ(aipu_load_tensor(ctx, job, 0, one.in.data()), AIPU_STATUS_SUCCESS);
    if (asynchronous) {
      ASSERT_EQ(aipu_flush_job(ctx, job), AIPU_STATUS_SUCCESS);
      aipu_job_status_t status = AIPU_JOB_STATUS_NO_STATUS;
      ASSERT_EQ(aipu_get_job_status(ctx, job, &status, -1), AIPU_STATUS_SUCCESS);
      ASSERT_EQ(status, AIPU_JOB_STATUS_DONE);
    } else {
      ASSERT_EQ(aipu_finish_job(ctx, job, -1), AIPU_STATUS_SUCCESS);
    }
    Bytes result(out.size);
    ASSERT_EQ(aipu_get_tensor(ctx, job, AIPU_TENSOR_TYPE_OUTPUT, 0, result.data()), AIPU_STATUS_SUCCESS);
    EXPECT_EQ(result, one.out);
    EXPECT_EQ(aipu_clean_job(ctx, job), AIPU_STATUS_SUCCESS);
  };
  run(golden[0], false);
  run(golden[1], true);

  std::uint32_t queue = 0;
  ASSERT_EQ(aipu_create_batch_queue(ctx, graph, &queue), AIPU_STATUS_SUCCESS);
  std::vector<Case> batch = golden;
  for (Case& one : batch) {
    one.out.assign(out.size, 0);
    char* inputs[] = {reinterpret_cast<char*>(one.in.data())};
    char* outputs[] = {reinterpret_cast<char*>(one.out.data())};
    ASSERT_EQ(aipu_add_batch(ctx, graph, queue, inputs, outputs), AIPU_STATUS_SUCCESS);
  }
  aipu_create_job_cfg_t config = {};
  ASSERT_EQ(aipu_finish_batch(ctx, graph, queue, &config), AIPU_STATUS_SUCCESS);
  for (std::size_t i = 0; i < batch.size(); ++i) EXPECT_EQ(batch[i].out, golden[i].out) << "batch " << i;

  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 8; ++t)
    threads.emplace_back([&, t] { run(golden[t % golden.size()], t % 2 != 0); });
  for (std::thread& thread : threads) thread.join();
}

// A graph of which the host plan says that operators run on the CPU is run whole, not only its NPU part.
TEST_P(Compiled, RunsTheOperatorsThatTheCpuKeeps) {
  const std::filesystem::path small = shared_models() / "mnist_lstm_int8.tflite";
  if (!std::filesystem::exists(small)) GTEST_SKIP() << small.filename() << " is not there";
  const auto imported = compiler::import_tflite(read_bytes(small), "lstm");
  ASSERT_TRUE(imported);
  const auto plan = compiler::compile(*imported, *part::find(part()));
  ASSERT_TRUE(plan);
  const bool has_cpu =
      std::any_of(plan->steps.begin(), plan->steps.end(), [](const auto& step) { return !step.npu; });
  ASSERT_TRUE(has_cpu) << "another model is needed for this test";
  const auto file = graph::write_model(*plan);
  ASSERT_TRUE(file) << file.error().message;
  std::uint64_t graph = 0, job = 0;
  const aipu_status_t loaded = load(*file, &graph);
  if (refused()) {
    EXPECT_EQ(loaded, AIPU_STATUS_ERROR_OP_NOT_SUPPORTED);
    return;
  }
  ASSERT_EQ(loaded, AIPU_STATUS_SUCCESS);
  ASSERT_EQ(aipu_create_job(ctx, graph, &job), AIPU_STATUS_SUCCESS);
  const std::vector<Case> golden = cases("mnist_lstm_int8");
  ASSERT_FALSE(golden.empty());
  aipu_tensor_desc_t in = {}, out = {};
  ASSERT_EQ(aipu_get_tensor_descriptor(ctx, job, AIPU_TENSOR_TYPE_INPUT, 0, &in), AIPU_STATUS_SUCCESS);
  ASSERT_EQ(aipu_get_tensor_descriptor(ctx, job, AIPU_TENSOR_TYPE_OUTPUT, 0, &out), AIPU_STATUS_SUCCESS);
  ASSERT_EQ(in.size, golden[0].in.size());
  ASSERT_EQ(aipu_load_tensor(ctx, job, 0, golden[0].in.data()), AIPU_STATUS_SUCCESS);
  ASSERT_EQ(aipu_finish_job(ctx, job, -1), AIPU_STATUS_SUCCESS);
  Bytes result(out.size);
  ASSERT_EQ(aipu_get_tensor(ctx, job, AIPU_TENSOR_TYPE_OUTPUT, 0, result.data()), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(result, golden[0].out);
  // Its ends are the model's, which cannot be replaced.
  std::uint32_t count = 9;
  EXPECT_EQ(aipu_get_tensor_count(ctx, graph, AIPU_TENSOR_TYPE_PROFILER, &count), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(count, 0u);
}

INSTANTIATE_TEST_SUITE_P(Part, Compiled, ::testing::Values("z1", "z2", "x2"),
                         [](const auto& instance) { return std::string(instance.param); });

}  // namespace
}  // namespace zynpu::test
