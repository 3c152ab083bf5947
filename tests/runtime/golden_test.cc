// SPDX-License-Identifier: MIT
// The shared models with real inputs: compiled, loaded and run on the virtual parts, against the outputs that
// TFLite's reference kernels gave. A case with several steps runs them in order on one job, which keeps its
// state.
#include <gtest/gtest.h>

#include <filesystem>

#include "compiler/shared_models.h"
#include "runtime/devices.h"
#include "runtime/file.h"
#include "runtime/job.h"
#include "runtime/program.h"

namespace zynpu::runtime {
namespace {

namespace fs = std::filesystem;

struct Golden {
  const char* model;
  const char* part;
  bool independent_steps;  // the steps of a case begin with fresh state
};

class GoldenTest : public ::testing::TestWithParam<Golden> {};

// "in3.bin", or "in3_0.bin" where the model has several tensors.
fs::path tensor_file(const fs::path& folder, const char* kind, int number, std::size_t index,
                     std::size_t count) {
  return folder / (count == 1 ? fmt::format("{}{}.bin", kind, number)
                              : fmt::format("{}{}_{}.bin", kind, number, index));
}

TEST_P(GoldenTest, EveryCaseEqualsTheReferenceBitForBit) {
  const fs::path model = test::shared_models() / (std::string(GetParam().model) + ".tflite");
  const fs::path golden = test::shared_models() / (std::string(GetParam().model) + ".golden");
  if (!fs::exists(model)) GTEST_SKIP() << model.filename() << " is not there";
  const std::string device = fmt::format("virtual:{}", GetParam().part);
  auto backend = open_device(device);
  ASSERT_TRUE(backend) << backend.error().message;
  const auto context = std::make_shared<Context>(device, *backend);
  const auto file = read_file(model.string());
  ASSERT_TRUE(file) << file.error().message;
  const auto program =
      Program::load_file(context, *file, {.compile = {}, .keep_model = false, .name = GetParam().model});
  ASSERT_TRUE(program) << program.error().message;
  const std::size_t inputs = (*program)->model().inputs.size(), outputs = (*program)->model().outputs.size();

  int cases = 0;
  for (; fs::exists(tensor_file(golden, "in", cases, 0, inputs)); ++cases) {
    auto job = Job::create(*program);
    ASSERT_TRUE(job) << job.error().message;
    std::vector<std::vector<std::uint8_t>> in, expected;
    for (std::size_t i = 0; i < inputs; ++i)
      in.push_back(test::read_bytes(tensor_file(golden, "in", cases, i, inputs)));
    for (std::size_t i = 0; i < outputs; ++i)
      expected.push_back(test::read_bytes(tensor_file(golden, "out", cases, i, outputs)));
    const std::size_t steps = in[0].size() / (*job)->input(0).size();
    ASSERT_GT(steps, 0u);
    for (std::size_t step = 0; step < steps; ++step) {
      for (std::size_t i = 0; i < inputs; ++i) {
        const std::span<std::uint8_t> to = (*job)->input(i);
        std::copy_n(in[i].begin() + static_cast<std::ptrdiff_t>(step * to.size()), to.size(), to.begin());
      }
      const Status status = (*job)->run();
      ASSERT_TRUE(status) << "case " << cases << " step " << step << ": " << status.error().message;
      for (std::size_t i = 0; i < outputs; ++i) {
        const std::span<const std::uint8_t> out = (*job)->output(i);
        ASSERT_EQ(expected[i].size(), steps * out.size());
        ASSERT_TRUE(std::equal(out.begin(), out.end(),
                               expected[i].begin() + static_cast<std::ptrdiff_t>(step * out.size())))
            << "case " << cases << " step " << step << " output " << i;
      }
      if (GetParam().independent_steps) {
        ASSERT_TRUE((*job)->reset_state());
      }
    }
  }
  EXPECT_GT(cases, 0);
}

INSTANTIATE_TEST_SUITE_P(
    SharedModels, GoldenTest,
    ::testing::Values(
        Golden{"ic_resnet8_cifar10_int8", "x2", false}, Golden{"vww_mobilenetv1_025_96_int8", "x2", false},
        Golden{"kws_dscnn_int8", "x2", false}, Golden{"kws_dscnn_int8", "z1", false},
        Golden{"kws_dscnn_int8", "z2", false}, Golden{"ad_autoencoder_int8", "x2", true},
        Golden{"person_detect_96_int8", "x2", false}, Golden{"micro_speech_int8", "x2", false},
        Golden{"hello_world_sine_int8", "x2", true}, Golden{"hello_world_sine_int8", "z1", true},
        Golden{"mobilenet_v2_1.0_224_uint8", "x2", false}, Golden{"mobilenet_v1_025_128_int8", "x2", false},
        Golden{"person_fpn_160x128_int8", "x2", false}, Golden{"blazeface_128_int8", "x2", false},
        Golden{"hey_jarvis_stream_int8", "x2", false}, Golden{"hey_jarvis_stream_int8", "z2", false},
        Golden{"mnist_resnet_int8", "x2", false}, Golden{"mnist_lstm_int8", "x2", false}),
    [](const auto& instance) {
      std::string name = fmt::format("{}_on_{}", instance.param.model, instance.param.part);
      std::replace(name.begin(), name.end(), '.', '_');
      return name;
    });

}  // namespace
}  // namespace zynpu::runtime
