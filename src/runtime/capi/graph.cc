// SPDX-License-Identifier: MIT
// zynpu.h: graphs and tensors.
#include <string>

#include "runtime/capi/handles.h"
#include "runtime/file.h"

namespace zynpu::runtime::capi {
namespace {

zynpu_type type_of(ir::DataType type) {
  switch (type) {
    case ir::DataType::kInt8:
      return ZYNPU_TYPE_INT8;
    case ir::DataType::kUint8:
      return ZYNPU_TYPE_UINT8;
    case ir::DataType::kInt16:
      return ZYNPU_TYPE_INT16;
    case ir::DataType::kUint16:
      return ZYNPU_TYPE_UINT16;
    case ir::DataType::kInt32:
      return ZYNPU_TYPE_INT32;
    case ir::DataType::kUint32:
      return ZYNPU_TYPE_UINT32;
    case ir::DataType::kInt64:
      return ZYNPU_TYPE_INT64;
    case ir::DataType::kFloat32:
      return ZYNPU_TYPE_FLOAT32;
    case ir::DataType::kBool:
      return ZYNPU_TYPE_BOOL;
    case ir::DataType::kResource:
      break;
  }
  return ZYNPU_TYPE_UNKNOWN;
}

Status describe(const ir::Tensor& tensor, zynpu_tensor_info* out) {
  if (tensor.shape.size() > ZYNPU_MAX_RANK)
    return fail(ErrorCode::kUnsupported, "tensor `{}` has {} dimensions; the limit is {}", tensor.name,
                tensor.shape.size(), ZYNPU_MAX_RANK);
  zynpu_tensor_info info{};
  info.name = tensor.name.c_str();
  info.type = type_of(tensor.type);
  info.layout = tensor.shape.size() == 4 ? ZYNPU_LAYOUT_NHWC : ZYNPU_LAYOUT_DENSE;
  info.rank = static_cast<std::uint32_t>(tensor.shape.size());
  std::copy(tensor.shape.begin(), tensor.shape.end(), info.shape);
  info.quantized = tensor.quant.present() ? 1 : 0;
  if (tensor.quant.present()) info.scale = tensor.quant.scale[0];
  if (!tensor.quant.zero_point.empty()) info.zero_point = tensor.quant.zero_point[0];
  info.bytes = static_cast<std::size_t>(tensor.bytes());
  return export_struct(info, out);
}

Status find(const ir::Graph& model, std::span<const int> tensors, const char* name, const char* what,
            std::size_t* index) {
  ZYNPU_TRY(require(name, "name"));
  ZYNPU_TRY(require(index, "index"));
  std::string known;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const std::string& candidate = model.tensors[tensors[i]].name;
    if (candidate == name) {
      *index = i;
      return {};
    }
    known += (known.empty() ? "`" : ", `") + candidate + "`";
  }
  return fail(ErrorCode::kNotFound, "no {} called `{}`; there are: {}", what, name, known);
}

Status load(zynpu_device* device, std::span<const std::uint8_t> file, const zynpu_load_options& options,
            std::string fallback_name, zynpu_graph** graph) {
  LoadOptions load_options;
  load_options.compile.cpu_only = options.cpu_only != 0;
  load_options.keep_model = options.keep_model != 0;
  load_options.name = options.name != nullptr ? options.name : std::move(fallback_name);
  ZYNPU_ASSIGN_OR_RETURN(std::shared_ptr<const Program> program,
                         Program::load_file(device->context, file, load_options));
  *graph = new zynpu_graph{std::move(program)};
  return {};
}

}  // namespace
}  // namespace zynpu::runtime::capi

using namespace zynpu;
using namespace zynpu::runtime;
using namespace zynpu::runtime::capi;

const char* zynpu_type_text(zynpu_type type) {
  switch (type) {
    case ZYNPU_TYPE_INT8:
      return "int8";
    case ZYNPU_TYPE_UINT8:
      return "uint8";
    case ZYNPU_TYPE_INT16:
      return "int16";
    case ZYNPU_TYPE_UINT16:
      return "uint16";
    case ZYNPU_TYPE_INT32:
      return "int32";
    case ZYNPU_TYPE_UINT32:
      return "uint32";
    case ZYNPU_TYPE_INT64:
      return "int64";
    case ZYNPU_TYPE_FLOAT32:
      return "float32";
    case ZYNPU_TYPE_BOOL:
      return "bool";
    case ZYNPU_TYPE_UNKNOWN:
      break;
  }
  return "unknown";
}

size_t zynpu_type_bytes(zynpu_type type) {
  switch (type) {
    case ZYNPU_TYPE_INT8:
    case ZYNPU_TYPE_UINT8:
    case ZYNPU_TYPE_BOOL:
      return 1;
    case ZYNPU_TYPE_INT16:
    case ZYNPU_TYPE_UINT16:
      return 2;
    case ZYNPU_TYPE_INT32:
    case ZYNPU_TYPE_UINT32:
    case ZYNPU_TYPE_FLOAT32:
      return 4;
    case ZYNPU_TYPE_INT64:
      return 8;
    case ZYNPU_TYPE_UNKNOWN:
      break;
  }
  return 0;
}

zynpu_status zynpu_graph_load_file(zynpu_device* device, const char* path, const zynpu_load_options* options,
                                   zynpu_graph** graph) {
  return guarded([&]() -> Status {
    ZYNPU_TRY(require(device, "device"));
    ZYNPU_TRY(require(path, "path"));
    ZYNPU_TRY(require(graph, "graph"));
    ZYNPU_ASSIGN_OR_RETURN(const zynpu_load_options chosen, import_struct(options));
    ZYNPU_ASSIGN_OR_RETURN(const std::vector<std::uint8_t> file, read_file(path));
    return load(device, file, chosen, stem(path), graph);
  });
}

zynpu_status zynpu_graph_load_memory(zynpu_device* device, const void* data, size_t bytes,
                                     const zynpu_load_options* options, zynpu_graph** graph) {
  return guarded([&]() -> Status {
    ZYNPU_TRY(require(device, "device"));
    ZYNPU_TRY(require(data, "data"));
    ZYNPU_TRY(require(graph, "graph"));
    ZYNPU_ASSIGN_OR_RETURN(const zynpu_load_options chosen, import_struct(options));
    if (bytes == 0) return fail(ErrorCode::kBadFile, "the model has 0 bytes");
    return load(device, {static_cast<const std::uint8_t*>(data), bytes}, chosen, "model", graph);
  });
}

zynpu_status zynpu_graph_save_file(const zynpu_graph* graph, const char* path) {
  return guarded([&]() -> Status {
    ZYNPU_TRY(require(graph, "graph"));
    ZYNPU_TRY(require(path, "path"));
    ZYNPU_ASSIGN_OR_RETURN(const graph::Bytes bytes, graph::write_model(graph->program->plan()));
    return write_file(path, bytes);
  });
}

void zynpu_graph_destroy(zynpu_graph* graph) { delete graph; }

zynpu_status zynpu_graph_input_count(const zynpu_graph* graph, size_t* count) {
  return guarded([&]() -> Status {
    ZYNPU_TRY(require(graph, "graph"));
    ZYNPU_TRY(require(count, "count"));
    *count = graph->program->model().inputs.size();
    return {};
  });
}

zynpu_status zynpu_graph_output_count(const zynpu_graph* graph, size_t* count) {
  return guarded([&]() -> Status {
    ZYNPU_TRY(require(graph, "graph"));
    ZYNPU_TRY(require(count, "count"));
    *count = graph->program->model().outputs.size();
    return {};
  });
}

zynpu_status zynpu_graph_input(const zynpu_graph* graph, size_t index, zynpu_tensor_info* info) {
  return guarded([&]() -> Status {
    ZYNPU_TRY(require(graph, "graph"));
    ZYNPU_TRY(require_index(index, graph->program->model().inputs.size(), "input"));
    return describe(graph->program->input(index), info);
  });
}

zynpu_status zynpu_graph_output(const zynpu_graph* graph, size_t index, zynpu_tensor_info* info) {
  return guarded([&]() -> Status {
    ZYNPU_TRY(require(graph, "graph"));
    ZYNPU_TRY(require_index(index, graph->program->model().outputs.size(), "output"));
    return describe(graph->program->output(index), info);
  });
}

zynpu_status zynpu_graph_find_input(const zynpu_graph* graph, const char* name, size_t* index) {
  return guarded([&]() -> Status {
    ZYNPU_TRY(require(graph, "graph"));
    return find(graph->program->model(), graph->program->model().inputs, name, "input", index);
  });
}

zynpu_status zynpu_graph_find_output(const zynpu_graph* graph, const char* name, size_t* index) {
  return guarded([&]() -> Status {
    ZYNPU_TRY(require(graph, "graph"));
    return find(graph->program->model(), graph->program->model().outputs, name, "output", index);
  });
}
