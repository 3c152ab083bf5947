// SPDX-License-Identifier: MIT
#include "compiler/passes/validate.h"

#include <map>
#include <tuple>

#include "compiler/passes/describe.h"

namespace zynpu::compiler {
namespace {

constexpr std::size_t kMaxRank = 8;
constexpr std::int64_t kMaxTensorBytes = (std::int64_t{1} << 31) - 1;

struct Arity {
  ir::OpKind kind;
  int min_inputs, max_inputs;  // max -1: any number
  int min_outputs, max_outputs;
  std::uint32_t optional;  // bit i: input i may be absent
};

using K = ir::OpKind;
constexpr Arity kArities[] = {
    {K::kConv2d, 2, 3, 1, 1, 1u << 2},
    {K::kDepthwiseConv2d, 2, 3, 1, 1, 1u << 2},
    {K::kFullyConnected, 2, 3, 1, 1, 1u << 2},
    {K::kAveragePool2d, 1, 1, 1, 1, 0},
    {K::kMaxPool2d, 1, 1, 1, 1, 0},
    {K::kAdd, 2, 2, 1, 1, 0},
    {K::kSub, 2, 2, 1, 1, 0},
    {K::kMul, 2, 2, 1, 1, 0},
    {K::kMean, 2, 2, 1, 1, 0},
    {K::kPad, 2, 2, 1, 1, 0},
    {K::kReshape, 1, 2, 1, 1, 0},
    {K::kConcatenation, 1, -1, 1, 1, 0},
    {K::kRelu, 1, 1, 1, 1, 0},
    {K::kRelu6, 1, 1, 1, 1, 0},
    {K::kReluN1To1, 1, 1, 1, 1, 0},
    {K::kQuantize, 1, 1, 1, 1, 0},
    {K::kDequantize, 1, 1, 1, 1, 0},
    {K::kLogistic, 1, 1, 1, 1, 0},
    {K::kTanh, 1, 1, 1, 1, 0},
    {K::kHardSwish, 1, 1, 1, 1, 0},
    {K::kSoftmax, 1, 1, 1, 1, 0},
    {K::kResizeNearestNeighbor, 2, 2, 1, 1, 0},
    {K::kResizeBilinear, 2, 2, 1, 1, 0},
    {K::kTranspose, 2, 2, 1, 1, 0},
    {K::kSplit, 2, 2, 1, -1, 0},
    {K::kStridedSlice, 4, 4, 1, 1, 0},
    {K::kSqueeze, 1, 1, 1, 1, 0},
    {K::kExpandDims, 2, 2, 1, 1, 0},
    {K::kShape, 1, 1, 1, 1, 0},
    {K::kPack, 1, -1, 1, 1, 0},
    {K::kUnpack, 1, 1, 1, -1, 0},
    // Optional: the input gate (1, 5, 9, 12), peepholes (9..11), projection (16, 17), layer norm (20..23).
    {K::kUnidirectionalSequenceLstm, 20, 24, 1, 1,
     1u << 1 | 1u << 5 | 7u << 9 | 1u << 12 | 3u << 16 | 0xFu << 20},
    {K::kVarHandle, 0, 0, 1, 1, 0},
    {K::kReadVariable, 1, 1, 1, 1, 0},
    {K::kAssignVariable, 2, 2, 0, 0, 0},
    {K::kCallOnce, 0, 0, 0, 0, 0},
};
static_assert(std::size(kArities) == static_cast<std::size_t>(K::kCount));

// Where a tensor may get its value from.
enum class Source : std::uint8_t { kNone, kConstant, kVariable, kInput, kOperator };

class Validator {
 public:
  explicit Validator(const ir::Graph& graph) : graph_(graph), sources_(graph.tensors.size(), Source::kNone) {}

  Status run();

 private:
  template <class... Args>
  tl::unexpected<Error> bad(fmt::format_string<Args...> format, Args&&... args) const {
    return fail(ErrorCode::kBadFile, "{}: {}", graph_.name, fmt::format(format, std::forward<Args>(args)...));
  }

  Status tensor(int index);
  Status inputs();
  Status wires(int index);
  Status arity(int index) const;
  bool in_range(int index) const {
    return index >= 0 && static_cast<std::size_t>(index) < graph_.tensors.size();
  }

  const ir::Graph& graph_;
  std::vector<Source> sources_;
};

Status Validator::tensor(int index) {
  const ir::Tensor& t = graph_.tensors[static_cast<std::size_t>(index)];
  const std::string name = describe_tensor(graph_, index);
  if (static_cast<std::size_t>(t.type) > static_cast<std::size_t>(ir::DataType::kResource))
    return bad("{}: unknown element type {}", name, static_cast<int>(t.type));
  if (t.shape.size() > kMaxRank)
    return bad("{}: {} dimensions, the limit is {}", name, t.shape.size(), kMaxRank);
  auto bytes = static_cast<std::int64_t>(ir::size_of(t.type));
  for (const std::int32_t extent : t.shape) {
    if (extent < 1) return bad("{}: shape {} has an extent below 1", name, describe_shape(t.shape));
    bytes *= extent;
    if (bytes > kMaxTensorBytes) return bad("{}: more than {} bytes", name, kMaxTensorBytes);
  }
  if (t.quant.scale.size() != t.quant.zero_point.size())
    return bad("{}: {} scales and {} zero points", name, t.quant.scale.size(), t.quant.zero_point.size());
  if (t.quant.per_channel() &&
      (t.quant.axis < 0 || static_cast<std::size_t>(t.quant.axis) >= t.shape.size() ||
       t.quant.scale.size() != static_cast<std::size_t>(t.shape[static_cast<std::size_t>(t.quant.axis)])))
    return bad("{}: {} scales do not fit dimension {} of {}", name, t.quant.scale.size(), t.quant.axis,
               describe_shape(t.shape));
  for (const float scale : t.quant.scale)
    if (!(scale > 0) || scale > 3.4e38f)
      return bad("{}: scale {} is not a finite number above 0", name, scale);
  Source& source = sources_[static_cast<std::size_t>(index)];
  if (t.is_constant()) {
    if (static_cast<std::int64_t>(t.data->size()) != bytes)
      return bad("{}: {} bytes of data, shape and type need {}", name, t.data->size(), bytes);
    if (t.is_variable) return bad("{}: a variable with constant data", name);
    source = Source::kConstant;
  } else if (t.is_variable) {
    source = Source::kVariable;
  }
  return {};
}

Status Validator::inputs() {
  for (const int index : graph_.inputs) {
    if (!in_range(index)) return bad("graph input is tensor {}, there are {}", index, graph_.tensors.size());
    Source& source = sources_[static_cast<std::size_t>(index)];
    if (source == Source::kInput) return bad("{} is a graph input twice", describe_tensor(graph_, index));
    if (source != Source::kNone)
      return bad("graph input {} is {}", describe_tensor(graph_, index),
                 source == Source::kConstant ? "constant" : "a variable");
    source = Source::kInput;
  }
  return {};
}

Status Validator::arity(int index) const {
  const ir::Op& op = graph_.ops[static_cast<std::size_t>(index)];
  const Arity& row = kArities[static_cast<std::size_t>(op.kind)];
  const auto fits = [](std::size_t count, int low, int high) {
    return count >= static_cast<std::size_t>(low) && (high < 0 || count <= static_cast<std::size_t>(high));
  };
  const auto range = [](int low, int high) {
    if (high < 0) return fmt::format("at least {}", low);
    return low == high ? fmt::format("{}", low) : fmt::format("{} to {}", low, high);
  };
  if (!fits(op.inputs.size(), row.min_inputs, row.max_inputs))
    return bad("{}: {} inputs, it takes {}", describe_op(graph_, index), op.inputs.size(),
               range(row.min_inputs, row.max_inputs));
  if (!fits(op.outputs.size(), row.min_outputs, row.max_outputs))
    return bad("{}: {} outputs, it gives {}", describe_op(graph_, index), op.outputs.size(),
               range(row.min_outputs, row.max_outputs));
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    if (op.inputs[i] == ir::kAbsent && (i >= 32 || (row.optional >> i & 1) == 0))
      return bad("{}: input {} is absent", describe_op(graph_, index), i);
  }
  return {};
}

Status Validator::wires(int index) {
  const ir::Op& op = graph_.ops[static_cast<std::size_t>(index)];
  if (static_cast<std::size_t>(op.kind) >= static_cast<std::size_t>(K::kCount))
    return bad("operator {}: unknown kind {}", index, static_cast<int>(op.kind));
  ZYNPU_TRY(arity(index));
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    const int input = op.inputs[i];
    if (input == ir::kAbsent) continue;
    if (!in_range(input))
      return bad("{}: input {} is tensor {}, there are {}", describe_op(graph_, index), i, input,
                 graph_.tensors.size());
    if (sources_[static_cast<std::size_t>(input)] == Source::kNone)
      return bad(
          "{}: input {}, {}, has no value: it is not constant, and no graph input or earlier operator makes "
          "it",
          describe_op(graph_, index), i, describe_tensor(graph_, input));
  }
  for (std::size_t i = 0; i < op.outputs.size(); ++i) {
    const int output = op.outputs[i];
    if (!in_range(output))
      return bad("{}: output {} is tensor {}, there are {}", describe_op(graph_, index), i, output,
                 graph_.tensors.size());
    Source& source = sources_[static_cast<std::size_t>(output)];
    if (source != Source::kNone)
      return bad("{}: output {}, {}, already has a value: it is {}", describe_op(graph_, index), i,
                 describe_tensor(graph_, output),
                 source == Source::kConstant   ? "constant"
                 : source == Source::kVariable ? "a variable"
                 : source == Source::kInput    ? "a graph input"
                                               : "made by an earlier operator");
    source = Source::kOperator;
  }
  return validate_op(graph_, index);
}

Status Validator::run() {
  for (std::size_t i = 0; i < graph_.tensors.size(); ++i) ZYNPU_TRY(tensor(static_cast<int>(i)));
  ZYNPU_TRY(inputs());
  for (std::size_t i = 0; i < graph_.ops.size(); ++i) ZYNPU_TRY(wires(static_cast<int>(i)));
  for (const int index : graph_.outputs) {
    if (!in_range(index)) return bad("graph output is tensor {}, there are {}", index, graph_.tensors.size());
    if (sources_[static_cast<std::size_t>(index)] == Source::kNone)
      return bad("graph output {} has no value: no operator makes it", describe_tensor(graph_, index));
  }
  return {};
}

// Every use of one resource variable must agree on the type and shape of its value: TFLite lets an assignment
// change them, nothing here does.
class Variables {
 public:
  Status add(const ir::Graph& graph) {
    std::map<int, std::pair<std::string, std::string>> handles;  // resource tensor -> variable
    for (std::size_t i = 0; i < graph.ops.size(); ++i) {
      const ir::Op& op = graph.ops[i];
      if (op.kind == K::kVarHandle) {
        const auto* a = std::get_if<ir::VarHandleAttributes>(&op.attributes);
        handles[op.outputs[0]] = {a->container, a->shared_name};
        continue;
      }
      if (op.kind != K::kReadVariable && op.kind != K::kAssignVariable) continue;
      const auto handle = handles.find(op.inputs[0]);
      if (handle == handles.end())
        return fail(ErrorCode::kUnsupported, "{}: {}: its resource does not come from a VAR_HANDLE",
                    graph.name, describe_op(graph, static_cast<int>(i)));
      const int index = op.kind == K::kReadVariable ? op.outputs[0] : op.inputs[1];
      const ir::Tensor& value = graph.tensors[static_cast<std::size_t>(index)];
      const auto [it, fresh] = values_.try_emplace(handle->second, value.type, value.shape);
      if (!fresh && it->second != std::pair(value.type, value.shape))
        return fail(ErrorCode::kUnsupported, "{}: {}: variable `{}` is {} {} here and {} {} elsewhere",
                    graph.name, describe_op(graph, static_cast<int>(i)), shortened(handle->second.second),
                    ir::to_string(value.type), describe_shape(value.shape), ir::to_string(it->second.first),
                    describe_shape(it->second.second));
    }
    return {};
  }

 private:
  std::map<std::pair<std::string, std::string>, std::pair<ir::DataType, std::vector<std::int32_t>>> values_;
};

Status validate_body(const ir::Graph& body, Variables& variables) {
  ZYNPU_TRY(Validator(body).run());
  ZYNPU_TRY(variables.add(body));
  for (std::size_t i = 0; i < body.ops.size(); ++i) {
    if (body.ops[i].kind == K::kCallOnce)
      return fail(ErrorCode::kUnsupported, "{}: {}: a CALL_ONCE inside the body of another", body.name,
                  describe_op(body, static_cast<int>(i)));
  }
  if (!body.subgraphs.empty() || !body.inputs.empty() || !body.outputs.empty())
    return fail(ErrorCode::kUnsupported,
                "{}: a body of CALL_ONCE with inputs, outputs or subgraphs of its own", body.name);
  return {};
}

}  // namespace

Status validate(const ir::Graph& graph) {
  ZYNPU_TRY(Validator(graph).run());
  Variables variables;
  ZYNPU_TRY(variables.add(graph));
  for (std::size_t i = 0; i < graph.subgraphs.size(); ++i) {
    if (const Status status = validate_body(graph.subgraphs[i], variables); !status)
      return fail(status.error().code, "{}: subgraph {}: {}", graph.name, i + 1, status.error().message);
  }
  return {};
}

}  // namespace zynpu::compiler
