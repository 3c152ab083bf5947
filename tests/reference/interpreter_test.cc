// SPDX-License-Identifier: MIT
// The interpreter: memory, parts of graphs, state, and what it refuses.
#include <functional>

#include "one_op.h"

namespace zynpu::reference {
namespace {

using ir::DataType;
using ir::OpKind;
constexpr DataType kI8 = DataType::kInt8;
constexpr DataType kI32 = DataType::kInt32;
constexpr Quant kUnit{1.0f, 0};

// in0 -> RESHAPE -> middle -> RESHAPE -> out0, all int32 [2].
ir::Graph two_copies() {
  OneOp o(OpKind::kReshape);
  o.input(kI32, {2});
  const int middle = o.add("middle", kI32, {1, 2});
  o.op().outputs = {middle};
  o.graph.ops.push_back(o.graph.ops[0]);
  o.graph.ops[1].inputs = {middle};
  o.graph.ops[1].outputs = {};
  const int out = o.add("out0", kI32, {2});
  o.graph.ops[1].outputs = {out};
  o.graph.outputs = {out};
  return o.graph;
}

TEST(Interpreter, WorksOnMemoryOfTheCaller) {
  const ir::Graph graph = two_copies();
  auto interpreter = Interpreter::create(graph);
  ASSERT_TRUE(interpreter);
  alignas(16) std::int32_t in[2] = {3, 4}, out[2] = {};
  (*interpreter)->bind(graph.inputs[0], {reinterpret_cast<std::uint8_t*>(in), sizeof in});
  (*interpreter)->bind(graph.outputs[0], {reinterpret_cast<std::uint8_t*>(out), sizeof out});
  ASSERT_TRUE((*interpreter)->run());
  EXPECT_EQ(out[0], 3);
  EXPECT_EQ(out[1], 4);
  EXPECT_EQ((*interpreter)->tensor(graph.inputs[0]).data(), reinterpret_cast<std::uint8_t*>(in));
}

TEST(Interpreter, RefusesToRunOnMemoryOfTheWrongSize) {
  const ir::Graph graph = two_copies();
  auto interpreter = Interpreter::create(graph);
  ASSERT_TRUE(interpreter);
  alignas(16) std::uint8_t small[7] = {};
  (*interpreter)->bind(graph.outputs[0], small);
  const Status status = (*interpreter)->run();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(status.error().message.find("'out0'"), std::string::npos);
}

TEST(Interpreter, RunsOnlyTheOpsItWasMadeFor) {
  const ir::Graph graph = two_copies();
  const int second[] = {1};
  auto interpreter = Interpreter::create(graph, second);
  ASSERT_TRUE(interpreter);
  EXPECT_FALSE((*interpreter)->run_op(0));
  EXPECT_FALSE((*interpreter)->run_op(2));
  EXPECT_FALSE((*interpreter)->run_op(-1));
  const std::int32_t values[2] = {8, 9};
  std::memcpy((*interpreter)->tensor(1).data(), values, sizeof values);
  ASSERT_TRUE((*interpreter)->run_op(1));
  EXPECT_EQ(std::memcmp((*interpreter)->tensor(2).data(), values, sizeof values), 0);
  ASSERT_TRUE((*interpreter)->run());
}

TEST(Interpreter, NeedsOnlyTheSelectedOpsToBeSupported) {
  ir::Graph graph = two_copies();
  graph.ops[0].kind = OpKind::kSoftmax;
  EXPECT_FALSE(Interpreter::create(graph));
  const int second[] = {1};
  EXPECT_TRUE(Interpreter::create(graph, second));
  const int beyond[] = {2};
  EXPECT_FALSE(Interpreter::create(graph, beyond));
}

TEST(Interpreter, HasNoMemoryForTensorsThatAreNotThere) {
  const ir::Graph graph = two_copies();
  auto interpreter = Interpreter::create(graph);
  ASSERT_TRUE(interpreter);
  EXPECT_TRUE((*interpreter)->tensor(-1).empty());
  EXPECT_TRUE((*interpreter)->tensor(3).empty());
  EXPECT_EQ((*interpreter)->tensor(1).size(), 8u);
  (*interpreter)->bind(3, {});
}

// A counter in a resource variable: CALL_ONCE sets it to 100, each run adds the input to it and gives it out.
ir::Graph counter() {
  OneOp o(OpKind::kCallOnce, ir::CallOnceAttributes{0});
  ir::VarHandleAttributes variable;
  variable.shared_name = "count";
  const auto op = [&](OpKind kind, ir::Attributes attributes, std::vector<int> in, std::vector<int> out) {
    ir::Op made;
    made.kind = kind;
    made.attributes = std::move(attributes);
    made.inputs = std::move(in);
    made.outputs = std::move(out);
    return made;
  };
  const int handle = o.add("handle", DataType::kResource, {});
  const int before = o.add("before", kI8, {1}, kUnit), step = o.add("step", kI8, {1}, kUnit);
  const int after = o.add("after", kI8, {1}, kUnit);
  o.graph.ops.push_back(op(OpKind::kVarHandle, variable, {}, {handle}));
  o.graph.ops.push_back(op(OpKind::kReadVariable, {}, {handle}, {before}));
  o.graph.ops.push_back(op(OpKind::kAdd, ir::ArithmeticAttributes{}, {before, step}, {after}));
  o.graph.ops.push_back(op(OpKind::kAssignVariable, {}, {handle, after}, {}));
  o.graph.inputs = {step};
  o.graph.outputs = {after};

  OneOp init(OpKind::kVarHandle, variable);
  const int init_handle = init.add("init_handle", DataType::kResource, {});
  init.op().outputs = {init_handle};
  const int start = init.constant<std::int8_t>("start", kI8, {1}, {100}, kUnit);
  init.op().inputs.clear();
  init.graph.ops.push_back(op(OpKind::kAssignVariable, {}, {init_handle, start}, {}));
  o.graph.subgraphs.push_back(init.graph);
  return o.graph;
}

int step_of(Interpreter& interpreter, const ir::Graph& graph, int by) {
  interpreter.tensor(graph.inputs[0])[0] = static_cast<std::uint8_t>(by);
  const Status status = interpreter.run();
  EXPECT_TRUE(status) << (status ? "" : status.error().message);
  return static_cast<std::int8_t>(interpreter.tensor(graph.outputs[0])[0]);
}

TEST(Variables, KeepTheirValueBetweenRunsAndAreInitialisedOnce) {
  const ir::Graph graph = counter();
  auto interpreter = Interpreter::create(graph);
  ASSERT_TRUE(interpreter) << interpreter.error().message;
  EXPECT_EQ(step_of(**interpreter, graph, 1), 101);
  EXPECT_EQ(step_of(**interpreter, graph, 5), 106);
  (*interpreter)->reset_variables();
  EXPECT_EQ(step_of(**interpreter, graph, 2), 102);
}

TEST(Variables, BelongToOneInterpreter) {
  const ir::Graph graph = counter();
  auto a = Interpreter::create(graph), b = Interpreter::create(graph);
  ASSERT_TRUE(a && b);
  EXPECT_EQ(step_of(**a, graph, 10), 110);
  EXPECT_EQ(step_of(**b, graph, 1), 101);
}

TEST(Variables, CannotBeReadBeforeTheyAreAssigned) {
  ir::Graph graph = counter();
  graph.ops.erase(graph.ops.begin());  // no CALL_ONCE
  auto interpreter = Interpreter::create(graph);
  ASSERT_TRUE(interpreter);
  const Status status = (*interpreter)->run();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(status.error().message.find("'count'"), std::string::npos);
}

TEST(Variables, HaveOneSizeAndAKnownHandle) {
  ir::Graph graph = counter();
  graph.tensors[1].shape = {2};
  graph.tensors[2].shape = {2};
  const auto wrong_size = Interpreter::create(graph);
  ASSERT_FALSE(wrong_size);
  EXPECT_NE(wrong_size.error().message.find("variable 'count'"), std::string::npos);
  graph = counter();
  graph.ops.erase(graph.ops.begin() + 1);  // no VAR_HANDLE
  const auto no_handle = Interpreter::create(graph);
  ASSERT_FALSE(no_handle);
  EXPECT_NE(no_handle.error().message.find("'handle'"), std::string::npos);
  graph = counter();
  graph.ops[0].attributes = ir::CallOnceAttributes{1};
  EXPECT_FALSE(Interpreter::create(graph));
}

TEST(StateTensors, StartAtRealZeroAndComeBackToIt) {
  OneOp o(OpKind::kReshape);
  const int state = o.add("state", kI8, {2}, {1.0f, 9});
  o.tensor(state).is_variable = true;
  o.op().inputs = {state};
  o.output(kI8, {2}, {1.0f, 9});
  auto interpreter = Interpreter::create(o.graph);
  ASSERT_TRUE(interpreter);
  const auto bytes = (*interpreter)->tensor(state);
  EXPECT_EQ(bytes[0], 9);
  bytes[0] = bytes[1] = 77;
  (*interpreter)->reset_variables();
  EXPECT_EQ(bytes[1], 9);
  alignas(16) std::uint8_t own[2] = {};
  bytes[0] = 5;
  (*interpreter)->bind(state, own);
  EXPECT_EQ(own[0], 5);  // moved along
  EXPECT_EQ(own[1], 9);
}

// ---- refusals: a good graph, with one thing wrong in turn ----

OneOp good_conv() {
  OneOp o(OpKind::kConv2d, ir::ConvAttributes{});
  o.input(kI8, {1, 4, 4, 2}, {0.5f, 3});
  const int w = o.constant<std::int8_t>("weights", kI8, {3, 1, 1, 2}, {1, 2, 3, 4, 5, 6}, {0.5f, 0});
  o.tensor(w).quant = {{0.5f, 0.25f, 1.0f}, {0, 0, 0}, 0};
  o.constant<std::int32_t>("bias", kI32, {3}, {1, 2, 3});
  o.output(kI8, {1, 4, 4, 3}, {0.5f, -7});
  return o;
}

struct Wrong {
  const char* what;     // of the operator
  const char* mention;  // what the message must name beside the operator
  std::function<void(OneOp&)> break_it;
};

ir::Tensor& input_of(OneOp& o) { return o.tensor(0); }
ir::Tensor& weights_of(OneOp& o) { return o.tensor(1); }
ir::Tensor& bias_of(OneOp& o) { return o.tensor(2); }
ir::Tensor& output_of(OneOp& o) { return o.tensor(3); }
ir::ConvAttributes& attributes_of(OneOp& o) { return std::get<ir::ConvAttributes>(o.op().attributes); }

TEST(Refusals, NameOperatorTensorAndReason) {
  ASSERT_TRUE(Interpreter::create(good_conv().graph));
  const Wrong wrongs[] = {
      {"input type", "'in0'", [](OneOp& o) { input_of(o).type = DataType::kFloat32; }},
      {"input unquantised", "no quantisation", [](OneOp& o) { input_of(o).quant = {}; }},
      {"input rank", "4",
       [](OneOp& o) {
         input_of(o).shape = {1, 4, 8};
       }},
      {"input scale zero", "'in0'", [](OneOp& o) { input_of(o).quant.scale = {0.0f}; }},
      {"input scale negative", "'in0'", [](OneOp& o) { input_of(o).quant.scale = {-1.0f}; }},
      {"input scale infinite", "'in0'", [](OneOp& o) { input_of(o).quant.scale = {1.0f / 0.0f}; }},
      {"input scale not a number", "'in0'", [](OneOp& o) { input_of(o).quant.scale = {0.0f / 0.0f}; }},
      {"input zero point high", "128", [](OneOp& o) { input_of(o).quant.zero_point = {128}; }},
      {"input zero point low", "-129", [](OneOp& o) { input_of(o).quant.zero_point = {-129}; }},
      {"input empty", "'in0'", [](OneOp& o) { input_of(o).shape[1] = 0; }},
      {"input huge", "'in0'",
       [](OneOp& o) {
         input_of(o).shape = {1, 1 << 30, 1 << 30, 2};
       }},
      {"input of nine dimensions", "'in0'",
       [](OneOp& o) { input_of(o).shape = {1, 1, 1, 1, 1, 1, 1, 4, 8}; }},
      {"weights type", "'weights'", [](OneOp& o) { weights_of(o).type = DataType::kUint8; }},
      {"weights rank", "'weights'",
       [](OneOp& o) {
         weights_of(o).shape = {3, 2};
       }},
      {"weights data size", "'weights'",
       [](OneOp& o) {
         weights_of(o).shape = {3, 1, 2, 2};
       }},
      {"weights channels", "'weights'", [](OneOp& o) { input_of(o).shape[3] = 3; }},
      {"weights zero point", "'weights'", [](OneOp& o) { weights_of(o).quant.zero_point[1] = 1; }},
      {"weights scale count", "'weights'", [](OneOp& o) { weights_of(o).quant.scale.pop_back(); }},
      {"weights axis", "'weights'", [](OneOp& o) { weights_of(o).quant.axis = 3; }},
      {"weights scale not a number", "'weights'",
       [](OneOp& o) { weights_of(o).quant.scale[2] = 0.0f / 0.0f; }},
      {"weights scale too large", "32 bits", [](OneOp& o) { weights_of(o).quant.scale[2] = 1e20f; }},
      {"bias type", "'bias'", [](OneOp& o) { bias_of(o).type = DataType::kFloat32; }},
      {"bias size", "'bias'", [](OneOp& o) { bias_of(o).shape = {2}; }},
      {"output type", "'out0'", [](OneOp& o) { output_of(o).type = DataType::kUint8; }},
      {"output extent", "[1, 4, 4, 3]", [](OneOp& o) { output_of(o).shape[2] = 3; }},
      {"output channels", "'out0'", [](OneOp& o) { output_of(o).shape[3] = 4; }},
      {"output constant", "'out0'",
       [](OneOp& o) { output_of(o).data = std::make_shared<const ir::Bytes>(ir::Bytes(48)); }},
      {"stride zero", "0", [](OneOp& o) { attributes_of(o).stride_h = 0; }},
      {"dilation negative", "-1", [](OneOp& o) { attributes_of(o).dilation_w = -1; }},
      {"padding negative", "-1", [](OneOp& o) { attributes_of(o).pad_top = -1; }},
      {"padding huge", "2147483647", [](OneOp& o) { attributes_of(o).pad_left = 2147483647; }},
      {"activation", "TANH", [](OneOp& o) { attributes_of(o).activation = ir::Activation::kTanh; }},
      {"inputs missing", "1 inputs", [](OneOp& o) { o.op().inputs.resize(1); }},
      {"weights absent", "input 1", [](OneOp& o) { o.op().inputs[1] = ir::kAbsent; }},
      {"input index", "tensor 4", [](OneOp& o) { o.op().inputs[0] = 4; }},
      {"output index", "tensor -1", [](OneOp& o) { o.op().outputs[0] = -1; }},
      {"outputs missing", "0 outputs", [](OneOp& o) { o.op().outputs.clear(); }},
  };
  for (const Wrong& wrong : wrongs) {
    SCOPED_TRACE(wrong.what);
    OneOp o = good_conv();
    wrong.break_it(o);
    const std::string message = o.refusal();
    EXPECT_NE(message.find("CONV_2D #0"), std::string::npos) << message;
    EXPECT_NE(message.find(wrong.mention), std::string::npos) << message;
  }
}

TEST(Refusals, OfForeignAttributesAreInternalErrors) {
  OneOp o = good_conv();
  o.op().attributes = ir::SoftmaxAttributes{};
  const auto interpreter = Interpreter::create(o.graph);
  ASSERT_FALSE(interpreter);
  EXPECT_EQ(interpreter.error().code, ErrorCode::kInternal);
}

// One wrong thing in each other family.
TEST(Refusals, ReachEveryFamily) {
  const auto refused = [](OpKind kind, ir::Attributes attributes, const std::function<void(OneOp&)>& build) {
    OneOp o(kind, std::move(attributes));
    build(o);
    const std::string message = o.refusal();
    EXPECT_NE(message.find(std::string(to_string(kind)) + " #0"), std::string::npos) << message;
  };
  refused(OpKind::kDepthwiseConv2d, ir::ConvAttributes{}, [](OneOp& o) {  // 3 channels from 2
    o.input(kI8, {1, 1, 1, 2}, kUnit);
    o.constant<std::int8_t>("weights", kI8, {1, 1, 1, 3}, {1, 2, 3}, kUnit);
    o.output(kI8, {1, 1, 1, 3}, kUnit);
  });
  refused(OpKind::kFullyConnected, ir::FullyConnectedAttributes{}, [](OneOp& o) {  // depth 3 of 4 elements
    o.input(kI8, {1, 4}, kUnit);
    o.constant<std::int8_t>("weights", kI8, {1, 3}, {1, 2, 3}, kUnit);
    o.output(kI8, {1, 1}, kUnit);
  });
  refused(OpKind::kMaxPool2d, ir::PoolAttributes{}, [](OneOp& o) {  // rescales
    o.input(kI8, {1, 1, 1, 1}, kUnit);
    o.output(kI8, {1, 1, 1, 1}, {0.5f, 0});
  });
  refused(OpKind::kAdd, ir::ArithmeticAttributes{}, [](OneOp& o) {  // shapes
    o.input(kI8, {2}, kUnit);
    o.input(kI8, {3}, kUnit);
    o.output(kI8, {3}, kUnit);
  });
  refused(OpKind::kSub, ir::ArithmeticAttributes{}, [](OneOp& o) {  // output scale too small for 32 bits
    o.input(kI8, {2}, kUnit);
    o.input(kI8, {2}, kUnit);
    o.output(kI8, {2}, {1e-7f, 0});
  });
  refused(OpKind::kMean, ir::MeanAttributes{}, [](OneOp& o) {  // axis
    o.input(kI8, {2, 2}, kUnit);
    o.integers("axes", {2});
    o.output(kI8, {2}, kUnit);
  });
  refused(OpKind::kMean, ir::MeanAttributes{}, [](OneOp& o) {  // axes that are not constant
    o.input(kI8, {2, 2}, kUnit);
    o.input(kI32, {1});
    o.output(kI8, {2}, kUnit);
  });
  refused(OpKind::kLogistic, {}, [](OneOp& o) {  // output scale
    o.input(kI8, {2}, kUnit);
    o.output(kI8, {2}, {0.5f, -128});
  });
  refused(OpKind::kSoftmax, ir::SoftmaxAttributes{}, [](OneOp& o) {  // output zero point
    o.input(kI8, {2}, kUnit);
    o.output(kI8, {2}, {1.0f / 256, 0});
  });
  refused(OpKind::kHardSwish, {}, [](OneOp& o) {  // input scale 128 times the output's
    o.input(kI8, {2}, {1.0f, 0});
    o.output(kI8, {2}, {0.001f, 0});
  });
  refused(OpKind::kQuantize, {}, [](OneOp& o) {  // to float
    o.input(kI8, {2}, kUnit);
    o.output(DataType::kFloat32, {2});
  });
  refused(OpKind::kResizeBilinear, ir::ResizeAttributes{true, true}, [](OneOp& o) {
    o.input(kI8, {1, 1, 1, 1}, kUnit);
    o.integers("size", {2, 2});
    o.output(kI8, {1, 2, 2, 1}, kUnit);
  });
  refused(OpKind::kResizeNearestNeighbor, ir::ResizeAttributes{},
          [](OneOp& o) {  // shape disagrees with the size
            o.input(kI8, {1, 1, 1, 1}, kUnit);
            o.integers("size", {2, 3});
            o.output(kI8, {1, 2, 2, 1}, kUnit);
          });
  refused(OpKind::kPad, {}, [](OneOp& o) {  // negative
    o.input(kI8, {2}, kUnit);
    o.constant<std::int32_t>("paddings", kI32, {1, 2}, {-1, 2});
    o.output(kI8, {3}, kUnit);
  });
  refused(OpKind::kTranspose, {}, [](OneOp& o) {  // twice the same dimension
    o.input(kI8, {2, 2}, kUnit);
    o.integers("order", {1, 1});
    o.output(kI8, {2, 2}, kUnit);
  });
  refused(OpKind::kStridedSlice, ir::StridedSliceAttributes{}, [](OneOp& o) {  // stride 0
    o.input(kI8, {2}, kUnit);
    o.integers("begin", {0});
    o.integers("end", {2});
    o.integers("strides", {0});
    o.output(kI8, {2}, kUnit);
  });
  refused(OpKind::kConcatenation, ir::ConcatenationAttributes{}, [](OneOp& o) {  // extents
    o.input(kI8, {2}, kUnit);
    o.input(kI8, {2}, kUnit);
    o.output(kI8, {5}, kUnit);
  });
  refused(OpKind::kSplit, ir::SplitAttributes{2}, [](OneOp& o) {  // 3 into 2
    o.integers("axis", {0});
    o.input(kI8, {3}, kUnit);
    o.output(kI8, {1}, kUnit);
    o.output(kI8, {2}, kUnit);
  });
  refused(OpKind::kReshape, {}, [](OneOp& o) {  // elements
    o.input(kI8, {4}, kUnit);
    o.output(kI8, {5}, kUnit);
  });
}

}  // namespace
}  // namespace zynpu::reference
