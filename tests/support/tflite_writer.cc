// SPDX-License-Identifier: MIT
#include "support/tflite_writer.h"

#include <flatbuffers/flatbuffers.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "tflite_generated.h"

namespace zynpu::test {
namespace {

namespace tf = compiler::tflite;

[[noreturn]] void refuse(const char* what) {
  std::fprintf(stderr, "a TFLite file cannot hold %s\n", what);
  std::abort();
}

tf::ElementType element_type(ir::DataType type) {
  switch (type) {
    case ir::DataType::kInt8:
      return tf::ElementType::INT8;
    case ir::DataType::kUint8:
      return tf::ElementType::UINT8;
    case ir::DataType::kInt16:
      return tf::ElementType::INT16;
    case ir::DataType::kUint16:
      return tf::ElementType::UINT16;
    case ir::DataType::kInt32:
      return tf::ElementType::INT32;
    case ir::DataType::kUint32:
      return tf::ElementType::UINT32;
    case ir::DataType::kInt64:
      return tf::ElementType::INT64;
    case ir::DataType::kFloat32:
      return tf::ElementType::FLOAT32;
    case ir::DataType::kBool:
      return tf::ElementType::BOOL;
    case ir::DataType::kResource:
      return tf::ElementType::RESOURCE;
  }
  refuse("this element type");
}

// Both enumerations name the operators alike.
tf::BuiltinOperator builtin(ir::OpKind kind) {
  for (const tf::BuiltinOperator code : tf::EnumValuesBuiltinOperator()) {
    if (to_string(kind) == tf::EnumNameBuiltinOperator(code)) return code;
  }
  refuse("this operator");
}

tf::PaddingMode padding(ir::Padding p) { return static_cast<tf::PaddingMode>(p); }
tf::FusedActivation activation(ir::Activation a) { return static_cast<tf::FusedActivation>(a); }

class Writer {
 public:
  std::vector<std::uint8_t> write(const ir::Graph& graph) {
    model_.version = 3;
    model_.description = "zynpu test";
    model_.buffers.push_back(std::make_unique<tf::BufferT>());
    model_.subgraphs.push_back(std::make_unique<tf::SubGraphT>());
    tf::SubGraphT& main = *model_.subgraphs[0];
    main.name = graph.name;
    main.inputs = graph.inputs;
    main.outputs = graph.outputs;
    if (!graph.subgraphs.empty()) refuse("these subgraphs");
    for (const ir::Tensor& t : graph.tensors) add_tensor(t);
    for (const ir::Op& op : graph.ops) add_op(op);
    flatbuffers::FlatBufferBuilder builder;
    builder.Finish(tf::Model::Pack(builder, &model_), "TFL3");
    return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
  }

 private:
  void add_tensor(const ir::Tensor& t) {
    auto made = std::make_unique<tf::TensorT>();
    made->name = t.name;
    made->type = element_type(t.type);
    made->shape = t.shape;
    made->is_variable = t.is_variable;
    made->has_rank = true;
    if (t.quant.present()) {
      made->quantization = std::make_unique<tf::QuantizationParametersT>();
      made->quantization->scale = t.quant.scale;
      made->quantization->zero_point.assign(t.quant.zero_point.begin(), t.quant.zero_point.end());
      made->quantization->quantized_dimension = t.quant.axis;
    }
    if (t.is_constant()) {
      auto buffer = std::make_unique<tf::BufferT>();
      buffer->data = *t.data;
      made->buffer = static_cast<std::uint32_t>(model_.buffers.size());
      model_.buffers.push_back(std::move(buffer));
    }
    model_.subgraphs[0]->tensors.push_back(std::move(made));
  }

  void add_op(const ir::Op& op) {
    auto code = std::make_unique<tf::OperatorCodeT>();
    code->code = builtin(op.kind);
    code->short_code = static_cast<std::int8_t>(std::min(static_cast<int>(code->code), 127));
    auto made = std::make_unique<tf::OperatorT>();
    made->opcode_index = static_cast<std::uint32_t>(model_.operator_codes.size());
    made->inputs = op.inputs;
    made->outputs = op.outputs;
    model_.operator_codes.push_back(std::move(code));
    std::visit([&](const auto& attributes) { set_options(op, *made, attributes); }, op.attributes);
    model_.subgraphs[0]->operators.push_back(std::move(made));
  }

  void set_options(const ir::Op& op, tf::OperatorT& made, const std::monostate&) {
    if (op.kind == ir::OpKind::kShape) {
      tf::ShapeOptionsT o;
      o.out_type = model_.subgraphs[0]->tensors[static_cast<std::size_t>(op.outputs[0])]->type;
      made.options.Set(std::move(o));
    }
  }
  void set_options(const ir::Op& op, tf::OperatorT& made, const ir::ConvAttributes& a) {
    if (a.pad_top + a.pad_bottom + a.pad_left + a.pad_right != 0) refuse("explicit paddings");
    const auto common = [&](auto& o) {
      o.padding = padding(a.padding);
      o.stride_h = a.stride_h;
      o.stride_w = a.stride_w;
      o.dilation_h = a.dilation_h;
      o.dilation_w = a.dilation_w;
      o.activation = activation(a.activation);
    };
    if (op.kind == ir::OpKind::kConv2d) {
      tf::Conv2DOptionsT o;
      common(o);
      made.options.Set(std::move(o));
    } else {
      tf::DepthwiseConv2DOptionsT o;
      common(o);
      o.depth_multiplier = a.depth_multiplier;
      made.options.Set(std::move(o));
    }
  }
  void set_options(const ir::Op&, tf::OperatorT& made, const ir::PoolAttributes& a) {
    tf::Pool2DOptionsT o;
    o.padding = padding(a.padding);
    o.stride_h = a.stride_h;
    o.stride_w = a.stride_w;
    o.filter_h = a.filter_h;
    o.filter_w = a.filter_w;
    o.activation = activation(a.activation);
    made.options.Set(std::move(o));
  }
  void set_options(const ir::Op&, tf::OperatorT& made, const ir::FullyConnectedAttributes& a) {
    tf::FullyConnectedOptionsT o;
    o.activation = activation(a.activation);
    o.keep_num_dims = a.keep_num_dims;
    made.options.Set(std::move(o));
  }
  void set_options(const ir::Op& op, tf::OperatorT& made, const ir::ArithmeticAttributes& a) {
    const auto set = [&](auto o) {
      o.activation = activation(a.activation);
      made.options.Set(std::move(o));
    };
    if (op.kind == ir::OpKind::kAdd) return set(tf::AddOptionsT{});
    if (op.kind == ir::OpKind::kSub) return set(tf::SubOptionsT{});
    set(tf::MulOptionsT{});
  }
  void set_options(const ir::Op&, tf::OperatorT& made, const ir::MeanAttributes& a) {
    tf::ReducerOptionsT o;
    o.keep_dims = a.keep_dims;
    made.options.Set(std::move(o));
  }
  void set_options(const ir::Op&, tf::OperatorT& made, const ir::ConcatenationAttributes& a) {
    tf::ConcatenationOptionsT o;
    o.axis = a.axis;
    o.activation = activation(a.activation);
    made.options.Set(std::move(o));
  }
  void set_options(const ir::Op&, tf::OperatorT& made, const ir::SoftmaxAttributes& a) {
    tf::SoftmaxOptionsT o;
    o.beta = a.beta;
    made.options.Set(std::move(o));
  }
  void set_options(const ir::Op& op, tf::OperatorT& made, const ir::ResizeAttributes& a) {
    const auto set = [&](auto o) {
      o.align_corners = a.align_corners;
      o.half_pixel_centers = a.half_pixel_centers;
      made.options.Set(std::move(o));
    };
    if (op.kind == ir::OpKind::kResizeBilinear) return set(tf::ResizeBilinearOptionsT{});
    set(tf::ResizeNearestOptionsT{});
  }
  void set_options(const ir::Op&, tf::OperatorT& made, const ir::SplitAttributes& a) {
    tf::SplitOptionsT o;
    o.num_splits = a.num_splits;
    made.options.Set(std::move(o));
  }
  void set_options(const ir::Op&, tf::OperatorT& made, const ir::StridedSliceAttributes& a) {
    tf::StridedSliceOptionsT o;
    o.begin_mask = a.begin_mask;
    o.end_mask = a.end_mask;
    o.ellipsis_mask = a.ellipsis_mask;
    o.new_axis_mask = a.new_axis_mask;
    o.shrink_axis_mask = a.shrink_axis_mask;
    made.options.Set(std::move(o));
  }
  void set_options(const ir::Op& op, tf::OperatorT& made, const ir::PackAttributes& a) {
    const auto set = [&](auto o) {
      o.axis = a.axis;
      o.count = a.count;
      made.options.Set(std::move(o));
    };
    if (op.kind == ir::OpKind::kPack) return set(tf::PackOptionsT{});
    set(tf::UnpackOptionsT{});
  }
  void set_options(const ir::Op&, tf::OperatorT& made, const ir::SqueezeAttributes& a) {
    tf::SqueezeOptionsT o;
    o.dims = a.dims;
    made.options.Set(std::move(o));
  }
  void set_options(const ir::Op&, tf::OperatorT& made, const ir::LstmAttributes& a) {
    tf::LstmOptionsT o;
    o.activation = activation(a.activation);
    o.cell_clip = a.cell_clip;
    o.projection_clip = a.projection_clip;
    o.time_major = a.time_major;
    made.options.Set(std::move(o));
    // Four intermediates for layer normalisation, which nothing reads here, and the hidden value.
    for (int i = 0; i < 5; ++i) {
      ir::Tensor t;
      t.name = "intermediate" + std::to_string(i);
      t.type = i == 4 ? ir::DataType::kInt8 : ir::DataType::kInt16;
      t.shape = {1};
      t.quant.scale = {i == 4 ? a.hidden_scale : 1.0f / 4096};
      t.quant.zero_point = {i == 4 ? a.hidden_zero_point : 0};
      made.intermediates.push_back(static_cast<int>(model_.subgraphs[0]->tensors.size()));
      add_tensor(t);
    }
  }
  void set_options(const ir::Op&, tf::OperatorT&, const ir::VarHandleAttributes&) {
    refuse("a variable without its initialisation");
  }
  void set_options(const ir::Op&, tf::OperatorT&, const ir::CallOnceAttributes&) { refuse("subgraphs"); }

  tf::ModelT model_;
};

}  // namespace

std::vector<std::uint8_t> write_tflite(const ir::Graph& graph) { return Writer().write(graph); }

}  // namespace zynpu::test
