// SPDX-License-Identifier: MIT
// zynpu.h as its users meet it: the shared library, a real model, wrong calls.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zynpu/zynpu.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace {

const std::string kModel = ZYNPU_SOURCE_DIR "/models/fashion_mnist/fashion_mnist_int8.tflite";

std::vector<char> model_bytes() {
  std::ifstream file(kModel, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

template <class T>
T init() {
  T value;
  ZYNPU_INIT(&value);
  return value;
}

// One device and graph for all tests: opening and compiling need not be repeated.
class CApi : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    ASSERT_EQ(zynpu_device_open(nullptr, &device_), ZYNPU_OK) << zynpu_last_error();
    ASSERT_EQ(zynpu_graph_load_file(device_, kModel.c_str(), nullptr, &graph_), ZYNPU_OK)
        << zynpu_last_error();
  }
  static void TearDownTestSuite() {
    zynpu_graph_destroy(graph_);
    zynpu_device_close(device_);
  }
  static zynpu_job* new_job(zynpu_graph* graph = graph_) {
    zynpu_job* job = nullptr;
    EXPECT_EQ(zynpu_job_create(graph, nullptr, &job), ZYNPU_OK) << zynpu_last_error();
    return job;
  }
  static void fill(zynpu_job* job, unsigned seed) {
    void* data = nullptr;
    size_t bytes = 0;
    ASSERT_EQ(zynpu_job_input_data(job, 0, &data, &bytes), ZYNPU_OK);
    for (size_t i = 0; i < bytes; ++i)
      static_cast<unsigned char*>(data)[i] = static_cast<unsigned char>((i * 37 + seed * 101) >> 2);
  }
  static std::vector<signed char> output(zynpu_job* job) {
    std::vector<signed char> values(10);
    EXPECT_EQ(zynpu_job_get_output(job, 0, values.data(), values.size()), ZYNPU_OK) << zynpu_last_error();
    return values;
  }
  // What the reference operators make of fill(seed).
  static std::vector<signed char> expected(unsigned seed) {
    auto options = init<zynpu_load_options>();
    options.cpu_only = 1;
    zynpu_graph* graph = nullptr;
    EXPECT_EQ(zynpu_graph_load_file(device_, kModel.c_str(), &options, &graph), ZYNPU_OK)
        << zynpu_last_error();
    zynpu_job* job = new_job(graph);
    zynpu_graph_destroy(graph);
    fill(job, seed);
    EXPECT_EQ(zynpu_job_run(job), ZYNPU_OK) << zynpu_last_error();
    const std::vector<signed char> values = output(job);
    zynpu_job_destroy(job);
    return values;
  }

  static inline zynpu_device* device_ = nullptr;
  static inline zynpu_graph* graph_ = nullptr;
};

#define EXPECT_STATUS(call, status, text)                                     \
  do {                                                                        \
    EXPECT_EQ(call, status);                                                  \
    EXPECT_NE(std::string(zynpu_last_error()).find(text), std::string::npos)  \
        << "`" << zynpu_last_error() << "` lacks `" << (text) << "`";         \
    EXPECT_EQ(std::string(zynpu_last_error()).find('\n'), std::string::npos); \
  } while (false)

TEST_F(CApi, ListsTheVirtualDevices) {
  size_t count = 0;
  ASSERT_EQ(zynpu_device_count(&count), ZYNPU_OK);
  std::vector<std::string> names;
  for (size_t i = 0; i < count; ++i) {
    auto info = init<zynpu_device_info>();
    ASSERT_EQ(zynpu_device_query(i, &info), ZYNPU_OK);
    EXPECT_EQ(info.size, sizeof info);
    names.push_back(info.name);
    if (std::string(info.name) == "virtual:x2") {
      EXPECT_STREQ(info.part, "x2");
      EXPECT_STREQ(info.target, "X2_1204");
      EXPECT_EQ(info.cores_per_cluster, 3u);
      EXPECT_EQ(info.tecs_per_core, 4u);
      EXPECT_EQ(info.is_virtual, 1);
      EXPECT_EQ(info.virtual_profile, 0);
    }
  }
  for (const char* name : {"virtual:z1", "virtual:z2", "virtual:x2"})
    EXPECT_NE(std::find(names.begin(), names.end(), name), names.end()) << name;
  auto info = init<zynpu_device_info>();
  EXPECT_STATUS(zynpu_device_query(count, &info), ZYNPU_INVALID_ARGUMENT, "does not exist");
}

TEST_F(CApi, OpensDevicesByNameAndX2ByDefault) {
  auto info = init<zynpu_device_info>();
  ASSERT_EQ(zynpu_device_get_info(device_, &info), ZYNPU_OK);
  EXPECT_STREQ(info.name, "virtual:x2");
  zynpu_device* device = nullptr;
  EXPECT_STATUS(zynpu_device_open("virtual:q9", &device), ZYNPU_NOT_FOUND,
                "virtual:z1, virtual:z2, virtual:x2");
  EXPECT_STATUS(zynpu_device_open("", &device), ZYNPU_NOT_FOUND, "empty");
  EXPECT_EQ(device, nullptr) << "out-parameters are not touched on failure";
  for (const char* name : {"virtual:z1", "virtual:z2"}) {
    ASSERT_EQ(zynpu_device_open(name, &device), ZYNPU_OK) << zynpu_last_error();
    ASSERT_EQ(zynpu_device_get_info(device, &info), ZYNPU_OK);
    EXPECT_STREQ(info.name, name);
    EXPECT_EQ(info.virtual_profile, 1);
    zynpu_device_close(device);
    device = nullptr;
  }
}

TEST_F(CApi, DescribesTensors) {
  size_t count = 0;
  ASSERT_EQ(zynpu_graph_input_count(graph_, &count), ZYNPU_OK);
  EXPECT_EQ(count, 1u);
  ASSERT_EQ(zynpu_graph_output_count(graph_, &count), ZYNPU_OK);
  EXPECT_EQ(count, 1u);
  auto input = init<zynpu_tensor_info>();
  ASSERT_EQ(zynpu_graph_input(graph_, 0, &input), ZYNPU_OK);
  EXPECT_EQ(input.type, ZYNPU_TYPE_INT8);
  EXPECT_EQ(input.layout, ZYNPU_LAYOUT_NHWC);
  ASSERT_EQ(input.rank, 4u);
  EXPECT_EQ(input.shape[1], 28);
  EXPECT_EQ(input.bytes, 784u);
  EXPECT_EQ(input.quantized, 1);
  EXPECT_GT(input.scale, 0);
  EXPECT_EQ(input.zero_point, -128);
  size_t index = 99;
  ASSERT_EQ(zynpu_graph_find_input(graph_, input.name, &index), ZYNPU_OK);
  EXPECT_EQ(index, 0u);
  EXPECT_STATUS(zynpu_graph_find_input(graph_, "nobody", &index), ZYNPU_NOT_FOUND, input.name);
  EXPECT_STATUS(zynpu_graph_find_output(graph_, "nobody", &index), ZYNPU_NOT_FOUND, "no output");
  EXPECT_STATUS(zynpu_graph_input(graph_, 1, &input), ZYNPU_INVALID_ARGUMENT, "input 1");
  EXPECT_STATUS(zynpu_graph_output(graph_, 1, &input), ZYNPU_INVALID_ARGUMENT, "output 1");
}

TEST_F(CApi, GivesWhatTheReferenceGivesAHundredTimesOnOneJob) {
  const std::vector<signed char> first = expected(1), second = expected(2);
  EXPECT_NE(first, second) << "or the test could not tell them apart";
  zynpu_job* job = new_job();
  for (unsigned round = 0; round < 100; ++round) {
    fill(job, 1 + round % 2);
    ASSERT_EQ(zynpu_job_run(job), ZYNPU_OK) << zynpu_last_error();
    ASSERT_EQ(output(job), round % 2 == 0 ? first : second) << round;
  }
  zynpu_job_destroy(job);
}

TEST_F(CApi, RunsTwoJobsInTwoThreads) {
  const std::vector<signed char> wanted[2] = {expected(1), expected(2)};
  std::thread threads[2];
  for (unsigned t = 0; t < 2; ++t)
    threads[t] = std::thread([&, t] {
      zynpu_job* job = new_job();
      fill(job, t + 1);
      for (int round = 0; round < 5; ++round) {
        ASSERT_EQ(zynpu_job_submit(job), ZYNPU_OK) << zynpu_last_error();
        ASSERT_EQ(zynpu_job_wait(job, -1), ZYNPU_OK) << zynpu_last_error();
        ASSERT_EQ(output(job), wanted[t]);
      }
      zynpu_job_destroy(job);
    });
  for (std::thread& thread : threads) thread.join();
}

TEST_F(CApi, PollsASubmittedJobWithoutEndingIt) {
  zynpu_job* job = new_job();
  fill(job, 1);
  EXPECT_STATUS(zynpu_job_wait(job, 0), ZYNPU_INVALID_ARGUMENT, "never submitted");
  ASSERT_EQ(zynpu_job_submit(job), ZYNPU_OK);
  zynpu_status status;
  while ((status = zynpu_job_wait(job, 0)) == ZYNPU_TIMEOUT) continue;
  EXPECT_EQ(status, ZYNPU_OK) << zynpu_last_error();
  EXPECT_EQ(output(job), expected(1));
  zynpu_job_destroy(job);
}

TEST_F(CApi, CancelsAndRunsAgain) {
  zynpu_job* job = new_job();
  fill(job, 1);
  ASSERT_EQ(zynpu_job_cancel(job), ZYNPU_OK) << "nothing runs: no effect";
  ASSERT_EQ(zynpu_job_submit(job), ZYNPU_OK);
  ASSERT_EQ(zynpu_job_cancel(job), ZYNPU_OK);
  // The simulation may have ended before the cancellation; job_test cancels a run that cannot end.
  const zynpu_status status = zynpu_job_wait(job, -1);
  EXPECT_TRUE(status == ZYNPU_CANCELLED || status == ZYNPU_OK) << zynpu_last_error();
  ASSERT_EQ(zynpu_job_run(job), ZYNPU_OK) << zynpu_last_error();
  EXPECT_EQ(output(job), expected(1));
  zynpu_job_destroy(job);
}

TEST_F(CApi, ReleasesARunningJob) {
  zynpu_job* job = new_job();
  ASSERT_EQ(zynpu_job_submit(job), ZYNPU_OK);
  zynpu_job_destroy(job);
}

TEST_F(CApi, TakesHandlesBackInAnyOrder) {
  zynpu_device* device = nullptr;
  zynpu_graph* graph = nullptr;
  ASSERT_EQ(zynpu_device_open("virtual:x2", &device), ZYNPU_OK);
  const std::vector<char> file = model_bytes();
  ASSERT_EQ(zynpu_graph_load_memory(device, file.data(), file.size(), nullptr, &graph), ZYNPU_OK)
      << zynpu_last_error();
  zynpu_device_close(device);
  zynpu_job* job = new_job(graph);
  zynpu_graph_destroy(graph);
  fill(job, 2);
  ASSERT_EQ(zynpu_job_run(job), ZYNPU_OK) << zynpu_last_error();
  EXPECT_EQ(output(job), expected(2));
  zynpu_job_destroy(job);
}

TEST_F(CApi, IgnoresNullHandlesThatAreReleased) {
  zynpu_job_destroy(nullptr);
  zynpu_graph_destroy(nullptr);
  zynpu_device_close(nullptr);
}

TEST_F(CApi, RefusesNullArguments) {
  zynpu_job* job = new_job();
  zynpu_device* device = nullptr;
  zynpu_graph* graph = nullptr;
  zynpu_job* made = nullptr;
  size_t count = 0;
  void* data = nullptr;
  const void* const_data = nullptr;
  char byte = 0;
  auto device_info = init<zynpu_device_info>();
  auto tensor = init<zynpu_tensor_info>();
  auto profile = init<zynpu_profile>();
  auto step = init<zynpu_step_profile>();
  auto layer = init<zynpu_layer_profile>();
  auto difference = init<zynpu_difference>();
  const auto refused = [](zynpu_status status) {
    return status == ZYNPU_INVALID_ARGUMENT &&
           std::string(zynpu_last_error()).find("NULL") != std::string::npos;
  };
  EXPECT_TRUE(refused(zynpu_device_count(nullptr)));
  EXPECT_TRUE(refused(zynpu_device_query(0, nullptr)));
  EXPECT_TRUE(refused(zynpu_device_open(nullptr, nullptr)));
  EXPECT_TRUE(refused(zynpu_device_get_info(nullptr, &device_info)));
  EXPECT_TRUE(refused(zynpu_device_get_info(device_, nullptr)));
  EXPECT_TRUE(refused(zynpu_graph_load_file(nullptr, "x", nullptr, &graph)));
  EXPECT_TRUE(refused(zynpu_graph_load_file(device_, nullptr, nullptr, &graph)));
  EXPECT_TRUE(refused(zynpu_graph_load_file(device_, "x", nullptr, nullptr)));
  EXPECT_TRUE(refused(zynpu_graph_load_memory(nullptr, &byte, 1, nullptr, &graph)));
  EXPECT_TRUE(refused(zynpu_graph_load_memory(device_, nullptr, 1, nullptr, &graph)));
  EXPECT_TRUE(refused(zynpu_graph_load_memory(device_, &byte, 1, nullptr, nullptr)));
  EXPECT_TRUE(refused(zynpu_graph_save_file(nullptr, "x")));
  EXPECT_TRUE(refused(zynpu_graph_save_file(graph_, nullptr)));
  EXPECT_TRUE(refused(zynpu_graph_input_count(nullptr, &count)));
  EXPECT_TRUE(refused(zynpu_graph_input_count(graph_, nullptr)));
  EXPECT_TRUE(refused(zynpu_graph_output_count(nullptr, &count)));
  EXPECT_TRUE(refused(zynpu_graph_output_count(graph_, nullptr)));
  EXPECT_TRUE(refused(zynpu_graph_input(nullptr, 0, &tensor)));
  EXPECT_TRUE(refused(zynpu_graph_input(graph_, 0, nullptr)));
  EXPECT_TRUE(refused(zynpu_graph_output(nullptr, 0, &tensor)));
  EXPECT_TRUE(refused(zynpu_graph_output(graph_, 0, nullptr)));
  EXPECT_TRUE(refused(zynpu_graph_find_input(nullptr, "x", &count)));
  EXPECT_TRUE(refused(zynpu_graph_find_input(graph_, nullptr, &count)));
  EXPECT_TRUE(refused(zynpu_graph_find_output(graph_, "x", nullptr)));
  EXPECT_TRUE(refused(zynpu_job_create(nullptr, nullptr, &made)));
  EXPECT_TRUE(refused(zynpu_job_create(graph_, nullptr, nullptr)));
  EXPECT_TRUE(refused(zynpu_job_set_input(nullptr, 0, &byte, 1)));
  EXPECT_TRUE(refused(zynpu_job_set_input(job, 0, nullptr, 784)));
  EXPECT_TRUE(refused(zynpu_job_input_data(nullptr, 0, &data, &count)));
  EXPECT_TRUE(refused(zynpu_job_input_data(job, 0, nullptr, &count)));
  EXPECT_TRUE(refused(zynpu_job_run(nullptr)));
  EXPECT_TRUE(refused(zynpu_job_submit(nullptr)));
  EXPECT_TRUE(refused(zynpu_job_wait(nullptr, 0)));
  EXPECT_TRUE(refused(zynpu_job_cancel(nullptr)));
  EXPECT_TRUE(refused(zynpu_job_get_output(nullptr, 0, &byte, 1)));
  EXPECT_TRUE(refused(zynpu_job_get_output(job, 0, nullptr, 10)));
  EXPECT_TRUE(refused(zynpu_job_output_data(nullptr, 0, &const_data, &count)));
  EXPECT_TRUE(refused(zynpu_job_output_data(job, 0, nullptr, &count)));
  EXPECT_TRUE(refused(zynpu_job_reset_state(nullptr)));
  EXPECT_TRUE(refused(zynpu_job_profile(nullptr, &profile)));
  EXPECT_TRUE(refused(zynpu_job_profile(job, nullptr)));
  EXPECT_TRUE(refused(zynpu_job_step_profile(nullptr, 0, &step)));
  EXPECT_TRUE(refused(zynpu_job_step_profile(job, 0, nullptr)));
  EXPECT_TRUE(refused(zynpu_job_layer_profile(nullptr, 0, &layer)));
  EXPECT_TRUE(refused(zynpu_job_layer_profile(job, 0, nullptr)));
  EXPECT_TRUE(refused(zynpu_job_compare(nullptr, &difference)));
  EXPECT_EQ(device, nullptr);
  EXPECT_EQ(graph, nullptr);
  EXPECT_EQ(made, nullptr);
  // Optional out-parameters.
  EXPECT_EQ(zynpu_job_input_data(job, 0, &data, nullptr), ZYNPU_OK);
  EXPECT_EQ(zynpu_job_output_data(job, 0, &const_data, nullptr), ZYNPU_OK);
  zynpu_job_destroy(job);
}

TEST_F(CApi, RefusesWrongSizesAndIndices) {
  zynpu_job* job = new_job();
  std::vector<char> data(1000);
  EXPECT_STATUS(zynpu_job_set_input(job, 0, data.data(), 783), ZYNPU_INVALID_ARGUMENT, "784 bytes, not 783");
  EXPECT_STATUS(zynpu_job_set_input(job, 0, data.data(), 785), ZYNPU_INVALID_ARGUMENT, "784");
  EXPECT_STATUS(zynpu_job_set_input(job, 1, data.data(), 784), ZYNPU_INVALID_ARGUMENT, "input 1");
  EXPECT_STATUS(zynpu_job_get_output(job, 0, data.data(), 11), ZYNPU_INVALID_ARGUMENT, "10 bytes, not 11");
  EXPECT_STATUS(zynpu_job_get_output(job, SIZE_MAX, data.data(), 10), ZYNPU_INVALID_ARGUMENT, "output");
  auto step = init<zynpu_step_profile>();
  EXPECT_STATUS(zynpu_job_step_profile(job, 1000, &step), ZYNPU_INVALID_ARGUMENT, "step 1000");
  auto layer = init<zynpu_layer_profile>();
  EXPECT_STATUS(zynpu_job_layer_profile(job, 1000, &layer), ZYNPU_INVALID_ARGUMENT, "layer 1000");
  EXPECT_EQ(zynpu_job_set_input(job, 0, data.data(), 784), ZYNPU_OK);
  zynpu_job_destroy(job);
}

TEST_F(CApi, RefusesStructuresWithoutSizeAndServesOlderCallers) {
  zynpu_tensor_info info;
  std::memset(&info, 0, sizeof info);
  EXPECT_STATUS(zynpu_graph_input(graph_, 0, &info), ZYNPU_INVALID_ARGUMENT, "size");
  // A caller that knows only the first fields.
  info.size = offsetof(zynpu_tensor_info, shape);
  info.shape[0] = 12345;
  ASSERT_EQ(zynpu_graph_input(graph_, 0, &info), ZYNPU_OK);
  EXPECT_EQ(info.rank, 4u);
  EXPECT_EQ(info.shape[0], 12345) << "memory behind what the caller declared";
  // A caller of the future: what this library does not know must be 0.
  struct {
    zynpu_load_options options;
    int future;
  } newer{};
  newer.options.size = sizeof newer;
  zynpu_graph* graph = nullptr;
  newer.future = 1;
  EXPECT_STATUS(zynpu_graph_load_file(device_, kModel.c_str(), &newer.options, &graph),
                ZYNPU_INVALID_ARGUMENT, "does not know");
  newer.future = 0;
  ASSERT_EQ(zynpu_graph_load_file(device_, kModel.c_str(), &newer.options, &graph), ZYNPU_OK)
      << zynpu_last_error();
  zynpu_graph_destroy(graph);
  zynpu_load_options unset;
  std::memset(&unset, 0, sizeof unset);
  EXPECT_STATUS(zynpu_graph_load_file(device_, kModel.c_str(), &unset, &graph), ZYNPU_INVALID_ARGUMENT,
                "size");
}

TEST_F(CApi, RefusesFilesThatAreNotModels) {
  zynpu_graph* graph = nullptr;
  EXPECT_STATUS(zynpu_graph_load_file(device_, "/nonexistent/x.tflite", nullptr, &graph), ZYNPU_NOT_FOUND,
                "/nonexistent/x.tflite");
  EXPECT_STATUS(zynpu_graph_load_file(device_, ZYNPU_SOURCE_DIR, nullptr, &graph), ZYNPU_BAD_FILE,
                "directory");
  EXPECT_EQ(zynpu_graph_load_file(device_, __FILE__, nullptr, &graph), ZYNPU_BAD_FILE);
  EXPECT_EQ(zynpu_graph_load_memory(device_, "", 0, nullptr, &graph), ZYNPU_BAD_FILE);
  const std::vector<char> file = model_bytes();
  for (const size_t bytes : {size_t{1}, size_t{8}, file.size() / 2, file.size() - 1}) {
    const zynpu_status status = zynpu_graph_load_memory(device_, file.data(), bytes, nullptr, &graph);
    EXPECT_EQ(status, ZYNPU_BAD_FILE) << bytes << ": " << zynpu_last_error();
  }
  EXPECT_EQ(graph, nullptr);
}

TEST_F(CApi, SavesAGraphThatLoadsAndComputesTheSame) {
  const std::string path = (std::filesystem::path(testing::TempDir()) / "capi_saved.zy").string();
  ASSERT_EQ(zynpu_graph_save_file(graph_, path.c_str()), ZYNPU_OK) << zynpu_last_error();
  zynpu_graph* graph = nullptr;
  ASSERT_EQ(zynpu_graph_load_file(device_, path.c_str(), nullptr, &graph), ZYNPU_OK) << zynpu_last_error();
  zynpu_job* job = new_job(graph);
  fill(job, 1);
  ASSERT_EQ(zynpu_job_run(job), ZYNPU_OK) << zynpu_last_error();
  EXPECT_EQ(output(job), expected(1));
  zynpu_job_destroy(job);
  zynpu_graph_destroy(graph);
  // A graph for the X2 is not for the others.
  zynpu_device* z1 = nullptr;
  ASSERT_EQ(zynpu_device_open("virtual:z1", &z1), ZYNPU_OK);
  graph = nullptr;
  EXPECT_STATUS(zynpu_graph_load_file(z1, path.c_str(), nullptr, &graph), ZYNPU_UNSUPPORTED, "X2_1204");
  zynpu_device_close(z1);
  EXPECT_STATUS(zynpu_graph_save_file(graph_, "/nonexistent/x.zy"), ZYNPU_IO_ERROR, "/nonexistent/x.zy");
  std::remove(path.c_str());
}

TEST_F(CApi, ProfilesStepsAndLayers) {
  zynpu_job* job = new_job();
  auto profile = init<zynpu_profile>();
  ASSERT_EQ(zynpu_job_profile(job, &profile), ZYNPU_OK);
  EXPECT_EQ(profile.cycles, 0u) << "before the first run";
  ASSERT_EQ(zynpu_job_run(job), ZYNPU_OK) << zynpu_last_error();
  ASSERT_EQ(zynpu_job_profile(job, &profile), ZYNPU_OK);
  EXPECT_EQ(profile.modelled, 1);
  EXPECT_GT(profile.cycles, 0u);
  EXPECT_GT(profile.host_ms, 0);
  std::uint64_t step_cycles = 0, layer_bundles = 0, macs = 0;
  for (std::uint32_t i = 0; i < profile.steps; ++i) {
    auto step = init<zynpu_step_profile>();
    ASSERT_EQ(zynpu_job_step_profile(job, i, &step), ZYNPU_OK);
    step_cycles += step.cycles;
  }
  EXPECT_EQ(step_cycles, profile.cycles);
  for (std::uint32_t i = 0; i < profile.layers; ++i) {
    auto layer = init<zynpu_layer_profile>();
    ASSERT_EQ(zynpu_job_layer_profile(job, i, &layer), ZYNPU_OK);
    EXPECT_STRNE(layer.name, "");
    EXPECT_EQ(layer.placement == ZYNPU_PLACEMENT_CPU, layer.reason[0] != '\0') << layer.name;
    EXPECT_LT(layer.step, profile.steps);
    layer_bundles += layer.bundles;
    macs += layer.model_macs;
  }
  EXPECT_GT(layer_bundles, 0u);
  EXPECT_LE(layer_bundles, profile.bundles);
  EXPECT_GT(macs, 1000000u);
  zynpu_job_destroy(job);
}

TEST_F(CApi, ComparesRunsWithTheReference) {
  auto load = init<zynpu_load_options>();
  load.keep_model = 1;
  zynpu_graph* graph = nullptr;
  ASSERT_EQ(zynpu_graph_load_file(device_, kModel.c_str(), &load, &graph), ZYNPU_OK) << zynpu_last_error();
  auto options = init<zynpu_job_options>();
  options.compare = 1;
  zynpu_job* job = nullptr;
  EXPECT_STATUS(zynpu_job_create(graph_, &options, &job), ZYNPU_INVALID_ARGUMENT, "kept");
  ASSERT_EQ(zynpu_job_create(graph, &options, &job), ZYNPU_OK) << zynpu_last_error();
  auto difference = init<zynpu_difference>();
  EXPECT_STATUS(zynpu_job_compare(job, &difference), ZYNPU_INVALID_ARGUMENT, "no run");
  fill(job, 1);
  ASSERT_EQ(zynpu_job_run(job), ZYNPU_OK) << zynpu_last_error();
  ASSERT_EQ(zynpu_job_compare(job, &difference), ZYNPU_OK);
  EXPECT_EQ(difference.equal, 1) << difference.layer;
  zynpu_job_destroy(job);
  job = new_job();
  EXPECT_STATUS(zynpu_job_compare(job, &difference), ZYNPU_INVALID_ARGUMENT, "compare");
  zynpu_job_destroy(job);
  zynpu_graph_destroy(graph);
}

TEST_F(CApi, KeepsErrorTextsApartByThread) {
  zynpu_device* device = nullptr;
  ASSERT_EQ(zynpu_device_open("here", &device), ZYNPU_NOT_FOUND);
  std::thread([] { EXPECT_STREQ(zynpu_last_error(), ""); }).join();
  EXPECT_NE(std::string(zynpu_last_error()).find("here"), std::string::npos);
}

TEST_F(CApi, NamesStatusesAndTypes) {
  EXPECT_STREQ(zynpu_status_text(ZYNPU_BAD_FILE), "bad file");
  EXPECT_STREQ(zynpu_status_text(static_cast<zynpu_status>(15)), "unknown status");
  EXPECT_STREQ(zynpu_type_text(ZYNPU_TYPE_FLOAT32), "float32");
  EXPECT_EQ(zynpu_type_bytes(ZYNPU_TYPE_INT64), 8u);
  EXPECT_EQ(zynpu_type_bytes(ZYNPU_TYPE_UNKNOWN), 0u);
  EXPECT_STRNE(zynpu_version(), "");
  zynpu_init_struct(nullptr, 100);
}

// The dynamic symbols of the library, by nm.
std::set<std::string> exported_symbols() {
  Dl_info where{};
  EXPECT_NE(dladdr(reinterpret_cast<void*>(&zynpu_version), &where), 0);
  const std::string command = std::string("nm -D --defined-only --format=posix '") + where.dli_fname + "'";
  std::set<std::string> symbols;
  FILE* listing = popen(command.c_str(), "r");
  char name[256], rest[256];
  while (std::fscanf(listing, "%255s %255[^\n]", name, rest) == 2) symbols.insert(name);
  EXPECT_EQ(pclose(listing), 0);
  return symbols;
}

TEST(Library, ExportsWhatTheHeaderDeclaresAndNothingElse) {
  std::ifstream file(ZYNPU_SOURCE_DIR "/include/zynpu/zynpu.h");
  const std::string header{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  std::set<std::string> expected{"ZYNPU_0.1"};
  const std::regex declaration(R"(ZYNPU_API [^;{]*?(zynpu_\w+)\()");
  for (std::sregex_iterator match(header.begin(), header.end(), declaration), end; match != end; ++match)
    expected.insert((*match)[1].str() + "@@ZYNPU_0.1");
  EXPECT_EQ(expected.size(), 37u);
  EXPECT_EQ(exported_symbols(), expected);
}

std::size_t resident_bytes() {
  std::size_t total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

TEST_F(CApi, ReturnsTheMemoryOfAThousandGraphsAndJobs) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers keep freed memory";
#endif
  const std::string path = (std::filesystem::path(testing::TempDir()) / "capi_leak.zy").string();
  ASSERT_EQ(zynpu_graph_save_file(graph_, path.c_str()), ZYNPU_OK);
  std::size_t settled = 0;
  for (int round = 0; round < 1000; ++round) {
    zynpu_graph* graph = nullptr;
    ASSERT_EQ(zynpu_graph_load_file(device_, path.c_str(), nullptr, &graph), ZYNPU_OK) << zynpu_last_error();
    zynpu_job* job = new_job(graph);
    zynpu_graph_destroy(graph);
    zynpu_job_destroy(job);
    if (round == 100) settled = resident_bytes();
  }
  EXPECT_LT(resident_bytes(), settled + (1 << 20));
  std::remove(path.c_str());
}

}  // namespace
