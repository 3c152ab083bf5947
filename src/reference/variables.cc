// SPDX-License-Identifier: MIT
// Resource variables: VAR_HANDLE, READ_VARIABLE and ASSIGN_VARIABLE. Which variable a handle means is known
// before anything runs, so handles are resolved at preparation.
#include <algorithm>
#include <cstring>

#include "reference/op_context.h"

namespace zynpu::reference {
namespace {

class Handle : public PreparedOp {
 public:
  Handle(const OpContext& context, int number) : output_(context.output_index(0)), number_(number) {}

  Status run(const Memory& memory) override {
    std::memcpy(memory.out<std::uint8_t>(output_), &number_, sizeof number_);
    return {};
  }

 private:
  int output_;
  std::int32_t number_;
};

class Read : public PreparedOp {
 public:
  Read(const OpContext& context, Variables& variables, int number)
      : output_(context.output_index(0)), variables_(variables), number_(number), name_(context.name()) {}

  Status run(const Memory& memory) override {
    const Variables::Variable& variable = variables_.at(number_);
    if (!variable.assigned) {
      return fail(ErrorCode::kInvalidArgument, "{}: variable '{}' is read before it is assigned", name_,
                  variable.name);
    }
    std::copy(variable.value.begin(), variable.value.end(), memory.out<std::uint8_t>(output_));
    return {};
  }

 private:
  int output_;
  Variables& variables_;
  int number_;
  std::string name_;
};

class Assign : public PreparedOp {
 public:
  Assign(const OpContext& context, Variables& variables, int number)
      : input_(context.input_index(1)), variables_(variables), number_(number) {}

  Status run(const Memory& memory) override {
    Variables::Variable& variable = variables_.at(number_);
    const std::span<std::uint8_t> input = memory.bytes(input_);
    std::copy(input.begin(), input.end(), variable.value.begin());
    variable.assigned = true;
    return {};
  }

 private:
  int input_;
  Variables& variables_;
  int number_;
};

// The variable behind the handle in input 0: some VAR_HANDLE of the same graph makes it.
Result<int> resolve_handle(const OpContext& context, Variables& variables) {
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* handle, context.input(0));
  for (const ir::Op& op : context.graph().ops) {
    if (op.kind != ir::OpKind::kVarHandle || op.outputs.empty() || op.outputs[0] != context.input_index(0))
      continue;
    if (const auto* attributes = std::get_if<ir::VarHandleAttributes>(&op.attributes)) {
      return variables.find_or_add(*attributes);
    }
  }
  return context.unsupported_tensor(*handle, "no VAR_HANDLE of this graph makes this handle");
}

Status fit_variable(const OpContext& context, Variables::Variable& variable, const ir::Tensor& tensor) {
  if (!variable.type) {
    variable.type = tensor.type;
    variable.value.resize(static_cast<std::size_t>(tensor.bytes()));
  }
  if (*variable.type != tensor.type || static_cast<std::int64_t>(variable.value.size()) != tensor.bytes()) {
    return context.unsupported_tensor(tensor, "{} bytes of {}, but variable '{}' has {} bytes of {}",
                                      tensor.bytes(), ir::to_string(tensor.type), variable.name,
                                      variable.value.size(), ir::to_string(*variable.type));
  }
  return {};
}

}  // namespace

int Variables::find_or_add(const ir::VarHandleAttributes& attributes) {
  for (std::size_t i = 0; i < variables_.size(); ++i) {
    if (variables_[i].container == attributes.container && variables_[i].name == attributes.shared_name) {
      return static_cast<int>(i);
    }
  }
  Variable variable;
  variable.container = attributes.container;
  variable.name = attributes.shared_name;
  variables_.push_back(std::move(variable));
  return static_cast<int>(variables_.size()) - 1;
}

void Variables::reset() {
  for (Variable& variable : variables_) variable.assigned = false;
}

Prepared prepare_variable(const OpContext& context, Variables& variables) {
  switch (context.op().kind) {
    case ir::OpKind::kVarHandle: {
      ZYNPU_TRY(context.expect_output_count(1));
      ZYNPU_ASSIGN_OR_RETURN(const auto* attributes, context.attributes<ir::VarHandleAttributes>());
      ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* output, context.output(0));
      ZYNPU_TRY(context.expect_type(*output, {ir::DataType::kResource}));
      ZYNPU_TRY(context.expect_elements(*output, 1));
      return std::make_unique<Handle>(context, variables.find_or_add(*attributes));
    }
    case ir::OpKind::kReadVariable: {
      ZYNPU_TRY(context.expect_input_count(1, 1));
      ZYNPU_TRY(context.expect_output_count(1));
      ZYNPU_ASSIGN_OR_RETURN(const int number, resolve_handle(context, variables));
      ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* output, context.output(0));
      ZYNPU_TRY(fit_variable(context, variables.at(number), *output));
      return std::make_unique<Read>(context, variables, number);
    }
    case ir::OpKind::kAssignVariable: {
      ZYNPU_TRY(context.expect_input_count(2, 2));
      ZYNPU_TRY(context.expect_output_count(0));
      ZYNPU_ASSIGN_OR_RETURN(const int number, resolve_handle(context, variables));
      ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* value, context.input(1));
      ZYNPU_TRY(fit_variable(context, variables.at(number), *value));
      return std::make_unique<Assign>(context, variables, number);
    }
    default:
      return context.unsupported("it does not work on a variable");
  }
}

}  // namespace zynpu::reference
