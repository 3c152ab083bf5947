// SPDX-License-Identifier: MIT
// Runs beside a job: the same inputs through the reference operators, and the first difference by layer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "reference/reference.h"
#include "runtime/job.h"
#include "runtime/program.h"

namespace zynpu::runtime {

struct Difference {
  std::string tensor;  // the first model output that differs
  // The first operator, in execution order, whose own result differs when every result is an output of the
  // NPU; empty if none does: then only the fused form of the model differs, and the numbers below are of
  // `tensor`.
  std::string layer;
  std::uint64_t element = 0;  // flat index of the first differing element of that result
  double value = 0, expected = 0;
  std::uint64_t differing = 0, elements = 0;
};

// Observes one job. The result may be read when no run of the job is under way.
class Comparator final : public RunObserver {
 public:
  // kInvalidArgument unless the program was loaded with LoadOptions::keep_model.
  static Result<std::shared_ptr<Comparator>> create(std::shared_ptr<const Program> program);

  Status completed(const Job& job) override;  // repeats the run and compares
  void reset_state() override;

  // Runs compared so far.
  std::uint64_t runs() const { return runs_; }
  // Of the last run. nullopt: every output is equal, bit for bit.
  const std::optional<Difference>& difference() const { return difference_; }

 private:
  explicit Comparator(std::shared_ptr<const Program> program);
  Status prepare_instrumented();
  Result<std::optional<Difference>> run_instrumented(const Job& job);

  const std::shared_ptr<const Program> program_;
  const ir::Graph& model_;  // as imported
  std::unique_ptr<reference::Interpreter> reference_;
  bool stateful_ = false;
  // The model with the result of every operator as an output, compiled and loaded the same way. Made when
  // first needed; at once for stateful models, because it must see every run.
  ir::Graph instrumented_model_;
  std::vector<int> observed_;  // operator behind each output of instrumented_model_
  std::unique_ptr<Job> instrumented_;
  std::uint64_t runs_ = 0;
  std::optional<Difference> difference_;
};

}  // namespace zynpu::runtime
