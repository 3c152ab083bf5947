// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstring>
#include <new>

#include "reference/op_context.h"
#include "reference/reference.h"

namespace zynpu::reference {
namespace {

constexpr std::int64_t kMostTensorBytes = std::int64_t{1} << 31;

Prepared prepare_plain(const OpContext& context) {
  switch (context.op().kind) {
    case ir::OpKind::kConv2d:
      return prepare_conv(context);
    case ir::OpKind::kDepthwiseConv2d:
      return prepare_depthwise(context);
    case ir::OpKind::kFullyConnected:
      return prepare_fully_connected(context);
    case ir::OpKind::kAveragePool2d:
    case ir::OpKind::kMaxPool2d:
      return prepare_pool(context);
    case ir::OpKind::kAdd:
    case ir::OpKind::kSub:
    case ir::OpKind::kMul:
      return prepare_elementwise(context);
    case ir::OpKind::kMean:
      return prepare_mean(context);
    case ir::OpKind::kRelu:
    case ir::OpKind::kRelu6:
    case ir::OpKind::kReluN1To1:
    case ir::OpKind::kLogistic:
    case ir::OpKind::kTanh:
    case ir::OpKind::kHardSwish:
      return prepare_activation(context);
    case ir::OpKind::kQuantize:
    case ir::OpKind::kDequantize:
      return prepare_quantize(context);
    case ir::OpKind::kSoftmax:
      return prepare_softmax(context);
    case ir::OpKind::kResizeNearestNeighbor:
    case ir::OpKind::kResizeBilinear:
      return prepare_resize(context);
    case ir::OpKind::kPad:
    case ir::OpKind::kReshape:
    case ir::OpKind::kConcatenation:
    case ir::OpKind::kTranspose:
    case ir::OpKind::kSplit:
    case ir::OpKind::kStridedSlice:
    case ir::OpKind::kSqueeze:
    case ir::OpKind::kExpandDims:
    case ir::OpKind::kShape:
    case ir::OpKind::kPack:
    case ir::OpKind::kUnpack:
      return prepare_data_movement(context);
    case ir::OpKind::kUnidirectionalSequenceLstm:
      return prepare_lstm(context);
    case ir::OpKind::kVarHandle:
    case ir::OpKind::kReadVariable:
    case ir::OpKind::kAssignVariable:
    case ir::OpKind::kCallOnce:
    case ir::OpKind::kCount:
      break;
  }
  return context.unsupported("the reference has no such operator");
}

class GraphInterpreter : public Interpreter {
 public:
  // `variables` is shared with the interpreter of the graph that this one is a subgraph of; null: an own set.
  GraphInterpreter(const ir::Graph& graph, Variables* variables)
      : graph_(graph),
        variables_(variables == nullptr ? own_variables_ : *variables),
        is_subgraph_(variables != nullptr),
        ops_(graph.ops.size()),
        memory_(graph.tensors.size()),
        owned_(graph.tensors.size()) {}

  Status prepare(std::span<const int> op_indices);

  std::span<std::uint8_t> tensor(int index) override;
  void bind(int index, std::span<std::uint8_t> memory) override;
  Status run_op(int op_index) override;
  Status run() override;
  void reset_variables() override;

 private:
  bool is_tensor(int index) const {
    return index >= 0 && static_cast<std::size_t>(index) < graph_.tensors.size();
  }
  Status claim(const std::string& user, int index);
  void allocate(int index);
  void fill_initial(int index);
  Prepared prepare_op(const OpContext& context);

  const ir::Graph& graph_;
  Variables own_variables_;
  Variables& variables_;
  bool is_subgraph_;
  std::vector<std::unique_ptr<PreparedOp>> ops_;  // null: not among those that may be run
  Memory memory_;
  std::vector<ir::Bytes> owned_;
};

// CALL_ONCE runs its subgraph the first time only.
class CallOnce : public PreparedOp {
 public:
  explicit CallOnce(std::unique_ptr<GraphInterpreter> body) : body_(std::move(body)) {}

  Status run(const Memory&) override {
    if (done_) return {};
    ZYNPU_TRY(body_->run());
    done_ = true;
    return {};
  }
  void reset() override { done_ = false; }

 private:
  std::unique_ptr<GraphInterpreter> body_;
  bool done_ = false;
};

// Checks a tensor that `user` touches, and gives it memory.
Status GraphInterpreter::claim(const std::string& user, int index) {
  if (!is_tensor(index)) {
    return fail(ErrorCode::kUnsupported, "{}: tensor {} of {}", user, index, graph_.tensors.size());
  }
  const ir::Tensor& t = graph_.tensors[static_cast<std::size_t>(index)];
  if (t.shape.size() > kMaxRank) {
    return fail(ErrorCode::kUnsupported, "{}, tensor '{}': {} dimensions, at most {}", user, t.name,
                t.shape.size(), kMaxRank);
  }
  if (t.elements() < 1 || t.bytes() > kMostTensorBytes) {
    return fail(ErrorCode::kUnsupported, "{}, tensor '{}': shape {} is empty or above {} bytes", user, t.name,
                to_string(t.shape), kMostTensorBytes);
  }
  if (t.is_constant() && static_cast<std::int64_t>(t.data->size()) != t.bytes()) {
    return fail(ErrorCode::kUnsupported, "{}, tensor '{}': {} bytes of data, its shape needs {}", user,
                t.name, t.data->size(), t.bytes());
  }
  allocate(index);
  return {};
}

void GraphInterpreter::allocate(int index) {
  if (!memory_.bytes(index).empty()) return;
  const ir::Tensor& t = graph_.tensors[static_cast<std::size_t>(index)];
  if (t.is_constant()) {
    // Operators only read their constants, so the graph's own bytes serve.
    memory_.set(index, {const_cast<std::uint8_t*>(t.data->data()), t.data->size()});
    return;
  }
  ir::Bytes& bytes = owned_[static_cast<std::size_t>(index)];
  bytes.resize(static_cast<std::size_t>(t.bytes()));
  memory_.set(index, bytes);
  fill_initial(index);
}

// A state tensor starts at real zero; TFLite knows that only for int8 and clears all other types.
void GraphInterpreter::fill_initial(int index) {
  const ir::Tensor& t = graph_.tensors[static_cast<std::size_t>(index)];
  if (!t.is_variable || t.is_constant()) return;
  const std::span<std::uint8_t> bytes = memory_.bytes(index);
  const int value = t.type == ir::DataType::kInt8 ? zero_point(t) : 0;
  std::fill(bytes.begin(), bytes.end(), static_cast<std::uint8_t>(value));
}

Prepared GraphInterpreter::prepare_op(const OpContext& context) {
  switch (context.op().kind) {
    case ir::OpKind::kVarHandle:
    case ir::OpKind::kReadVariable:
    case ir::OpKind::kAssignVariable:
      return prepare_variable(context, variables_);
    case ir::OpKind::kCallOnce: {
      ZYNPU_ASSIGN_OR_RETURN(const auto* attributes, context.attributes<ir::CallOnceAttributes>());
      if (is_subgraph_) return context.unsupported("a subgraph calls another one");
      const int number = attributes->subgraph;
      if (number < 0 || static_cast<std::size_t>(number) >= graph_.subgraphs.size()) {
        return context.unsupported("subgraph {} of {}", number, graph_.subgraphs.size());
      }
      auto body =
          std::make_unique<GraphInterpreter>(graph_.subgraphs[static_cast<std::size_t>(number)], &variables_);
      if (Status status = body->prepare({}); !status) {
        return context.unsupported("in subgraph {}: {}", number, status.error().message);
      }
      return std::make_unique<CallOnce>(std::move(body));
    }
    default:
      return prepare_plain(context);
  }
}

Status GraphInterpreter::prepare(std::span<const int> op_indices) {
  std::vector<int> selected(op_indices.begin(), op_indices.end());
  if (selected.empty()) {
    for (std::size_t i = 0; i < graph_.ops.size(); ++i) selected.push_back(static_cast<int>(i));
  }
  for (const int i : selected) {
    if (i < 0 || static_cast<std::size_t>(i) >= graph_.ops.size()) {
      return fail(ErrorCode::kInvalidArgument, "operator {} of {}", i, graph_.ops.size());
    }
    const ir::Op& op = graph_.ops[static_cast<std::size_t>(i)];
    const OpContext context(graph_, op, i);
    for (const int index : op.inputs) {
      if (index != ir::kAbsent) ZYNPU_TRY(claim(context.name(), index));
    }
    for (const int index : op.outputs) {
      ZYNPU_TRY(claim(context.name(), index));
      const ir::Tensor& t = graph_.tensors[static_cast<std::size_t>(index)];
      if (t.is_constant()) return context.unsupported_tensor(t, "a constant as output");
    }
    ZYNPU_ASSIGN_OR_RETURN(ops_[static_cast<std::size_t>(i)], prepare_op(context));
  }
  for (const int index : graph_.inputs) ZYNPU_TRY(claim("graph inputs", index));
  for (const int index : graph_.outputs) ZYNPU_TRY(claim("graph outputs", index));
  return {};
}

std::span<std::uint8_t> GraphInterpreter::tensor(int index) {
  return is_tensor(index) ? memory_.bytes(index) : std::span<std::uint8_t>{};
}

void GraphInterpreter::bind(int index, std::span<std::uint8_t> memory) {
  if (!is_tensor(index)) return;
  const ir::Tensor& t = graph_.tensors[static_cast<std::size_t>(index)];
  const std::span<std::uint8_t> before = memory_.bytes(index);
  if (t.is_variable && before.size() == memory.size())
    std::copy(before.begin(), before.end(), memory.begin());
  memory_.set(index, memory);
  owned_[static_cast<std::size_t>(index)] = {};
}

Status GraphInterpreter::run_op(int op_index) {
  if (op_index < 0 || static_cast<std::size_t>(op_index) >= ops_.size() ||
      ops_[static_cast<std::size_t>(op_index)] == nullptr) {
    return fail(ErrorCode::kInvalidArgument, "operator {} is not among those that this interpreter may run",
                op_index);
  }
  const ir::Op& op = graph_.ops[static_cast<std::size_t>(op_index)];
  for (const std::vector<int>* slots : {&op.inputs, &op.outputs}) {
    for (const int index : *slots) {
      if (index == ir::kAbsent) continue;
      const ir::Tensor& t = graph_.tensors[static_cast<std::size_t>(index)];
      if (static_cast<std::int64_t>(memory_.bytes(index).size()) != t.bytes()) {
        return fail(ErrorCode::kInvalidArgument, "{} #{}, tensor '{}': bound to {} bytes, needs {}",
                    ir::to_string(op.kind), op_index, t.name, memory_.bytes(index).size(), t.bytes());
      }
    }
  }
  return ops_[static_cast<std::size_t>(op_index)]->run(memory_);
}

Status GraphInterpreter::run() {
  for (std::size_t i = 0; i < ops_.size(); ++i) {
    if (ops_[i] != nullptr) ZYNPU_TRY(run_op(static_cast<int>(i)));
  }
  return {};
}

void GraphInterpreter::reset_variables() {
  variables_.reset();
  for (const std::unique_ptr<PreparedOp>& op : ops_) {
    if (op != nullptr) op->reset();
  }
  for (std::size_t i = 0; i < graph_.tensors.size(); ++i) {
    if (!memory_.bytes(static_cast<int>(i)).empty()) fill_initial(static_cast<int>(i));
  }
}

}  // namespace

Result<std::unique_ptr<Interpreter>> Interpreter::create(const ir::Graph& graph,
                                                         std::span<const int> op_indices) {
  try {
    auto interpreter = std::make_unique<GraphInterpreter>(graph, nullptr);
    ZYNPU_TRY(interpreter->prepare(op_indices));
    return interpreter;
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::kOutOfMemory, "graph '{}': not enough memory for its tensors", graph.name);
  }
}

}  // namespace zynpu::reference
