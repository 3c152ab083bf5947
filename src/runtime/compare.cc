// SPDX-License-Identifier: MIT
#include "runtime/compare.h"

#include <algorithm>
#include <cstring>

namespace zynpu::runtime {
namespace {

double element_value(ir::DataType type, const std::uint8_t* bytes) {
  const auto load = [&](auto value) {
    std::memcpy(&value, bytes, sizeof value);
    return static_cast<double>(value);
  };
  switch (type) {
    case ir::DataType::kInt8:
      return load(std::int8_t{});
    case ir::DataType::kUint8:
    case ir::DataType::kBool:
      return load(std::uint8_t{});
    case ir::DataType::kInt16:
      return load(std::int16_t{});
    case ir::DataType::kUint16:
      return load(std::uint16_t{});
    case ir::DataType::kInt32:
    case ir::DataType::kResource:
      return load(std::int32_t{});
    case ir::DataType::kUint32:
      return load(std::uint32_t{});
    case ir::DataType::kInt64:
      return load(std::int64_t{});
    case ir::DataType::kFloat32:
      return load(float{});
  }
  return 0;
}

// Bit for bit. nullopt: equal.
std::optional<Difference> first_difference(const ir::Tensor& tensor, std::span<const std::uint8_t> value,
                                           std::span<const std::uint8_t> expected) {
  if (std::equal(value.begin(), value.end(), expected.begin(), expected.end())) return std::nullopt;
  Difference difference;
  difference.tensor = tensor.name;
  const std::size_t size = ir::size_of(tensor.type);
  difference.elements = std::min(value.size(), expected.size()) / size;
  for (std::size_t i = 0; i < difference.elements; ++i) {
    const std::uint8_t* got = value.data() + i * size;
    const std::uint8_t* want = expected.data() + i * size;
    if (std::memcmp(got, want, size) == 0) continue;
    if (difference.differing++ > 0) continue;
    difference.element = i;
    difference.value = element_value(tensor.type, got);
    difference.expected = element_value(tensor.type, want);
  }
  return difference;
}

bool keeps_state(const ir::Graph& model) {
  return std::any_of(model.tensors.begin(), model.tensors.end(), [](const ir::Tensor& tensor) {
    return tensor.is_variable || tensor.type == ir::DataType::kResource;
  });
}

}  // namespace

Comparator::Comparator(std::shared_ptr<const Program> program)
    : program_(std::move(program)), model_(*program_->imported()), stateful_(keeps_state(model_)) {}

Result<std::shared_ptr<Comparator>> Comparator::create(std::shared_ptr<const Program> program) {
  if (program->imported() == nullptr)
    return fail(ErrorCode::kInvalidArgument,
                "comparing needs the model itself: load a .tflite file and ask for the model to be kept");
  std::shared_ptr<Comparator> comparator(new Comparator(std::move(program)));
  ZYNPU_ASSIGN_OR_RETURN(comparator->reference_, reference::Interpreter::create(comparator->model_));
  if (comparator->stateful_) ZYNPU_TRY(comparator->prepare_instrumented());
  return comparator;
}

Status Comparator::prepare_instrumented() {
  instrumented_model_ = model_;
  instrumented_model_.outputs.clear();
  for (std::size_t op = 0; op < model_.ops.size(); ++op)
    for (const int output : model_.ops[op].outputs) {
      const ir::Tensor& tensor = model_.tensors[output];
      if (tensor.is_constant() || tensor.is_variable || tensor.type == ir::DataType::kResource) continue;
      instrumented_model_.outputs.push_back(output);
      observed_.push_back(static_cast<int>(op));
    }
  ZYNPU_ASSIGN_OR_RETURN(
      graph::HostPlan plan,
      compiler::compile(instrumented_model_, program_->context().part(), compiler::Options{}));
  ZYNPU_ASSIGN_OR_RETURN(std::shared_ptr<const Program> loaded,
                         Program::load(program_->shared_context(), std::move(plan)));
  ZYNPU_ASSIGN_OR_RETURN(instrumented_, Job::create(std::move(loaded)));
  return {};
}

Status Comparator::completed(const Job& job) {
  for (std::size_t i = 0; i < model_.inputs.size(); ++i) {
    const std::span<const std::uint8_t> input = job.input(i);
    std::copy(input.begin(), input.end(), reference_->tensor(model_.inputs[i]).begin());
  }
  ZYNPU_TRY(reference_->run());
  ++runs_;
  difference_.reset();
  for (std::size_t i = 0; i < model_.outputs.size() && !difference_; ++i)
    difference_ = first_difference(model_.tensors[model_.outputs[i]], job.output(i),
                                   reference_->tensor(model_.outputs[i]));
  if (!difference_ && !stateful_) return {};
  ZYNPU_ASSIGN_OR_RETURN(std::optional<Difference> layer, run_instrumented(job));
  if (difference_ && layer) {
    layer->tensor = difference_->tensor;
    difference_ = std::move(layer);
  }
  return {};
}

Result<std::optional<Difference>> Comparator::run_instrumented(const Job& job) {
  if (instrumented_ == nullptr) ZYNPU_TRY(prepare_instrumented());
  for (std::size_t i = 0; i < model_.inputs.size(); ++i) {
    const std::span<const std::uint8_t> input = job.input(i);
    std::copy(input.begin(), input.end(), instrumented_->input(i).begin());
  }
  ZYNPU_TRY(instrumented_->run());
  for (std::size_t i = 0; i < observed_.size(); ++i) {
    const int tensor = instrumented_model_.outputs[i];
    std::optional<Difference> difference =
        first_difference(model_.tensors[tensor], instrumented_->output(i), reference_->tensor(tensor));
    if (!difference) continue;
    const ir::Op& op = model_.ops[observed_[i]];
    difference->layer =
        fmt::format("{} #{}", ir::to_string(op.kind), op.source >= 0 ? op.source : observed_[i]);
    return difference;
  }
  return std::optional<Difference>();
}

void Comparator::reset_state() {
  reference_->reset_variables();
  if (instrumented_ != nullptr) static_cast<void>(instrumented_->reset_state());
}

}  // namespace zynpu::runtime
