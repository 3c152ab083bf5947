// SPDX-License-Identifier: MIT
// The shared models: outputs equal to those of TFLite's reference kernels, bit for bit.
#include <filesystem>
#include <thread>

#include "conformance/suite.h"
#include "runtime/file.h"
#include "runtime/job.h"
#include "runtime/program.h"
#include "support/golden.h"

namespace zynpu::conformance {
namespace {

namespace fs = std::filesystem;
using Loaded = std::shared_ptr<const runtime::Program>;

Result<Loaded> load(const Suite& suite, const std::string& model) {
  const std::string part(suite.context->part().name);
  const fs::path path = suite.graphs.empty() ? test::golden_folder() / (model + ".tflite")
                                             : fs::path(suite.graphs) / fmt::format("{}.{}.zy", model, part);
  ZYNPU_ASSIGN_OR_RETURN(const std::vector<std::uint8_t> file, runtime::read_file(path.string()));
  return runtime::Program::load_file(suite.context, file,
                                     {.compile = {}, .keep_model = false, .name = model});
}

Status run_case(const Loaded& program, const test::GoldenCase& golden) {
  ZYNPU_ASSIGN_OR_RETURN(const std::unique_ptr<runtime::Job> job, runtime::Job::create(program));
  for (int step = 0; step < golden.steps; ++step) {
    for (std::size_t i = 0; i < golden.inputs.size(); ++i) {
      const std::span<std::uint8_t> to = job->input(i);
      const std::size_t from = static_cast<std::size_t>(step) * to.size();
      if (golden.inputs[i].size() < from + to.size()) return wrong("case {}: too little input", golden.name);
      std::copy_n(golden.inputs[i].begin() + static_cast<std::ptrdiff_t>(from), to.size(), to.begin());
    }
    ZYNPU_TRY(job->run());
    for (std::size_t i = 0; i < golden.outputs.size(); ++i) {
      const std::span<const std::uint8_t> out = job->output(i);
      const std::size_t from = static_cast<std::size_t>(step) * out.size();
      if (golden.outputs[i].size() < from + out.size())
        return wrong("case {}: too little output", golden.name);
      for (std::size_t k = 0; k < out.size(); ++k)
        if (out[k] != golden.outputs[i][from + k])
          return wrong("case {} step {} output {} byte {}: {} instead of {}", golden.name, step, i, k, out[k],
                       golden.outputs[i][from + k]);
    }
  }
  return {};
}

Status every_case(const Suite& suite, const std::string& model) {
  const std::vector<test::GoldenCase> cases = test::golden_cases(model);
  if (cases.empty()) {
    fmt::print("SKIP {}: no expected outputs in {}\n", model, test::golden_folder().string());
    return {};
  }
  ZYNPU_ASSIGN_OR_RETURN(const Loaded program, load(suite, model));
  for (const test::GoldenCase& golden : cases) ZYNPU_TRY(run_case(program, golden));
  return {};
}

// Two models in turn and at the same time: each keeps to its own buffers.
Status two_at_a_time(const Suite& suite) {
  Status results[2];
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 2; ++i)
    threads.emplace_back([&, i] {
      const std::vector<test::GoldenCase> cases = test::golden_cases(suite.models[i]);
      if (cases.empty()) return;
      results[i] = [&]() -> Status {
        ZYNPU_ASSIGN_OR_RETURN(const Loaded program, load(suite, suite.models[i]));
        for (int round = 0; round < 10; ++round) ZYNPU_TRY(run_case(program, cases.front()));
        return {};
      }();
    });
  for (std::thread& thread : threads) thread.join();
  for (const Status& result : results) ZYNPU_TRY(result);
  return {};
}

}  // namespace

std::vector<Case> model_cases(const Suite& suite) {
  std::vector<Case> cases;
  for (const std::string& model : suite.models)
    cases.push_back({"model_" + model, [&suite, model] { return every_case(suite, model); }});
  if (suite.models.size() >= 2)
    cases.push_back({"two_models_share_the_device", [&suite] { return two_at_a_time(suite); }});
  return cases;
}

}  // namespace zynpu::conformance
