// SPDX-License-Identifier: MIT
#include "graph.h"

#include <cstring>

#include "graph/elf.h"
#include "graph/plan.h"

namespace zynpu::compat {
namespace {

constexpr std::size_t kSniffBytes = 16, kVersionOffset = 20;

std::uint32_t load_u32(std::span<const std::uint8_t> bytes, std::size_t offset) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

// The statuses that the vendor's loader gives before and beside its parser (graph-format.md 1, 2.1 and 11).
Code sniff(std::span<const std::uint8_t> file) {
  if (file.size() < kSniffBytes || !runtime::is_container(file))
    return report(AIPU_STATUS_ERROR_GVERSION_UNSUPPORTED, "the file is neither an AIPU BIN nor an ELF graph");
  if (file[0] == 0x7F) return kOk;
  if (file[8] != 0) return report(AIPU_STATUS_ERROR_UNKNOWN_BIN, "magic: byte 8 is not 0");
  if (file.size() < kVersionOffset + 4)
    return report(AIPU_STATUS_ERROR_INVALID_GBIN, "a file of {} bytes ends in its header", file.size());
  const std::uint32_t version = load_u32(file, kVersionOffset) >> 16;
  if (version != 0x0500 && version != 0x0101)
    return report(AIPU_STATUS_ERROR_GVERSION_UNSUPPORTED, "format version {}.{}", version & 0xFF,
                  version >> 8);
  return kOk;
}

std::uint32_t type_of(ir::DataType type) {
  switch (type) {
    case ir::DataType::kInt8:
      return AIPU_DATA_TYPE_S8;
    case ir::DataType::kUint8:
      return AIPU_DATA_TYPE_U8;
    case ir::DataType::kInt16:
      return AIPU_DATA_TYPE_S16;
    case ir::DataType::kUint16:
      return AIPU_DATA_TYPE_U16;
    case ir::DataType::kInt32:
      return AIPU_DATA_TYPE_S32;
    case ir::DataType::kUint32:
      return AIPU_DATA_TYPE_U32;
    case ir::DataType::kInt64:
      return AIPU_DATA_TYPE_S64;
    case ir::DataType::kFloat32:
      return AIPU_DATA_TYPE_F32;
    case ir::DataType::kBool:
      return AIPU_DATA_TYPE_BOOL;
    case ir::DataType::kResource:
      break;
  }
  return AIPU_DATA_TYPE_NONE;
}

Tensor of_model(const ir::Tensor& tensor) {
  Tensor out;
  out.bytes = static_cast<std::uint32_t>(tensor.bytes());
  out.data_type = type_of(tensor.type);
  if (tensor.quant.present()) out.scale = tensor.quant.scale[0];
  if (!tensor.quant.zero_point.empty()) out.zero_point = tensor.quant.zero_point[0];
  return out;
}

Tensor of_piece(const graph::TensorPlace& place) {
  return {static_cast<std::uint32_t>(place.place.size), place.scale, place.zero_point, place.data_type,
          place};
}

Result<graph::HostPlan> read_plan(const Graph::Source& source, const char* extra_weights, Code* weights) {
  if (source.file[0] != 0x7F) return graph::read_model(source.file);
  const std::string folder = extra_weights != nullptr ? extra_weights : "";
  ZYNPU_ASSIGN_OR_RETURN(graph::Graph graph, graph::read_elf(source.file, [&](graph::Graph& half) -> Status {
                           if (source.bundled != nullptr)
                             *weights = add_pooled_weights(half, *source.bundled, source.pool);
                           if (*weights == kOk) return {};
                           return fail(ErrorCode::kBadFile, "the pool does not have the graph's weights");
                         }));
  if (*weights = add_extra_weights(graph, folder); *weights != kOk)
    return fail(ErrorCode::kBadFile, "the graph's extra weights are not there");
  return graph::model_of(std::move(graph));
}

// A single start of the NPU between the model's own inputs and outputs is what the vendor's library does too.
bool is_plain(const graph::HostPlan& plan) {
  return plan.graphs.size() == 1 && plan.steps.size() == 1 && plan.steps[0].npu && plan.steps[0].graph == 0 &&
         plan.steps[0].inputs == plan.model.inputs && plan.steps[0].outputs == plan.model.outputs;
}

}  // namespace

std::uint32_t element_bytes(std::uint32_t data_type) {
  switch (data_type) {
    case AIPU_DATA_TYPE_U16:
    case AIPU_DATA_TYPE_S16:
    case AIPU_DATA_TYPE_F16:
    case AIPU_DATA_TYPE_BF16:
      return 2;
    case AIPU_DATA_TYPE_U32:
    case AIPU_DATA_TYPE_S32:
    case AIPU_DATA_TYPE_F32:
      return 4;
    default:
      return 1;
  }
}

Code Graph::load(Machine machine, const Source& source, const aipu_load_graph_cfg_t* config,
                 bool version_check, std::shared_ptr<const Graph>* out) {
  COMPAT_TRY(sniff(source.file));
  if (config != nullptr && (config->put_weight_gm || config->put_desc_gm || config->put_ws_gm))
    return report(AIPU_STATUS_ERROR_OP_NOT_SUPPORTED, "placement in global memory is for X3 only");
  Code weights = kOk;
  auto plan = read_plan(source, config != nullptr ? config->extra_weight_path : nullptr, &weights);
  COMPAT_TRY(weights);
  if (!plan)
    return report(plan.error().code == ErrorCode::kUnsupported ? AIPU_STATUS_ERROR_TARGET_NOT_FOUND
                                                               : AIPU_STATUS_ERROR_INVALID_GBIN,
                  plan.error());
  const std::uint32_t device_word = plan->graphs.front().device_word;
  if (machine == nullptr) {
    auto opened = open_virtual_for(device_word);
    if (!opened)
      return report(opened.error().code == ErrorCode::kUnsupported ? AIPU_STATUS_ERROR_TARGET_NOT_FOUND
                                                                   : AIPU_STATUS_ERROR_OPEN_DEV_FAIL,
                    opened.error());
    machine = std::move(*opened);
  }
  if (device_word != machine->part().device_word)
    return report(AIPU_STATUS_ERROR_TARGET_NOT_FOUND,
                  "the graph is for device word {:#010x}, {} is {:#010x}{}", device_word,
                  machine->device_name(), machine->part().device_word,
                  version_check ? "" : "; a program for another NPU is refused with the check disabled, too");
  std::shared_ptr<Graph> graph(new Graph);
  graph->machine_ = std::move(machine);
  COMPAT_TRY(graph->accept(std::move(*plan)));
  *out = std::move(graph);
  return kOk;
}

Code Graph::accept(graph::HostPlan plan) {
  if (!is_plain(plan)) {
    auto program = runtime::Program::load(machine_, std::move(plan));
    if (!program) return report(status_of(program.error()), program.error());
    program_ = std::move(*program);
  } else {
    npu_ = std::move(plan.graphs.front());
    auto loaded = runtime::load_graph(machine_->backend(), npu_, machine_->device_name());
    if (!loaded) return report(status_of(loaded.error()), loaded.error());
    loaded_ = std::move(*loaded);
    shapes_ = graph::shape_ranges(npu_);
  }
  list_tensors();
  return kOk;
}

void Graph::list_tensors() {
  if (has_plan()) {
    const ir::Graph& model = program_->model();
    for (const int input : model.inputs)
      lists_[AIPU_TENSOR_TYPE_INPUT].push_back(of_model(model.tensors[input]));
    for (const int output : model.outputs)
      lists_[AIPU_TENSOR_TYPE_OUTPUT].push_back(of_model(model.tensors[output]));
    return;
  }
  const graph::Layout& layout = loaded_.layout;
  const std::pair<aipu_tensor_type_t, const std::vector<graph::TensorPlace>*> lists[] = {
      {AIPU_TENSOR_TYPE_INPUT, &layout.inputs},
      {AIPU_TENSOR_TYPE_OUTPUT, &layout.outputs},
      {AIPU_TENSOR_TYPE_INTER_DUMP, &layout.inter_dumps},
      {AIPU_TENSOR_TYPE_PRINTF, &layout.printfs},
      {AIPU_TENSOR_TYPE_PROFILER, &layout.profilers},
      {AIPU_TENSOR_TYPE_LAYER_COUNTER, &layout.layer_counters},
      {AIPU_TENSOR_TYPE_ERROR_CODE, &layout.error_codes},
      {AIPU_TENSOR_TYPE_OUT_TENSOR_SHAPE, &layout.output_shapes}};
  for (const auto& [type, places] : lists)
    for (const graph::TensorPlace& place : *places) lists_[type].push_back(of_piece(place));
}

const std::vector<Tensor>* Graph::countable(aipu_tensor_type_t type) const {
  if (type <= AIPU_TENSOR_TYPE_PROFILER || (is_x2() && type == AIPU_TENSOR_TYPE_OUT_TENSOR_SHAPE))
    return &lists_[type];
  return nullptr;
}

const std::vector<Tensor>* Graph::readable(aipu_tensor_type_t type) const {
  return type <= AIPU_TENSOR_TYPE_OUT_TENSOR_SHAPE ? &lists_[type] : nullptr;
}

std::optional<graph::Bytes> Graph::note(std::string_view name) const {
  const graph::Graph& graph = npu();
  for (const graph::Note& note : graph.notes)
    if (note.name == name) return note.desc;
  if (name == "rodata") return graph.rodata;
  if (name == "desc" && !graph.dcr.empty()) return graph.dcr;
  if (name == "weight" && !graph.data.empty()) return graph.data;
  return std::nullopt;
}

}  // namespace zynpu::compat
