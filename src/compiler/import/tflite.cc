// SPDX-License-Identifier: MIT
// A TFLite file to an ir::Graph. Three lines of defence: the FlatBuffers verifier (every offset inside the
// file), the checks here (every index, size, type and quantisation), and passes/validate.h (operators fit
// their tensors).
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <set>

#include "compiler/compiler.h"
#include "compiler/import/tflite_options.h"
#include "compiler/passes/describe.h"
#include "compiler/passes/validate.h"

namespace zynpu::compiler {
namespace {

constexpr std::size_t kMaxFile = (std::size_t{1} << 31) - 1;  // FlatBuffers' own limit
constexpr unsigned kMaxRank = 8;
constexpr std::int64_t kMaxTensorBytes = std::numeric_limits<std::int32_t>::max();
constexpr int kHiddenScaleIntermediate = 4;  // position in the LSTM operator's list

// A bad value of a file, one that is well-formed but not supported: the message starts with where it is.
struct Where {
  std::string_view model;
  std::string object;  // "CONV_2D #3", "tensor #12 `x`"

  template <class... Args>
  tl::unexpected<Error> bad(fmt::format_string<Args...> format, Args&&... args) const {
    return error(ErrorCode::kBadFile, fmt::format(format, std::forward<Args>(args)...));
  }
  template <class... Args>
  tl::unexpected<Error> unsupported(fmt::format_string<Args...> format, Args&&... args) const {
    return error(ErrorCode::kUnsupported, fmt::format(format, std::forward<Args>(args)...));
  }
  tl::unexpected<Error> error(ErrorCode code, std::string_view text) const {
    return fail(code, "{}: {}: {}", model, object, text);
  }
};

// Keeps names printable: control characters and bytes that are not UTF-8 become '?'.
std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<std::uint8_t>(text[i]);
    const std::size_t length = lead < 0x80                   ? 1
                               : lead >= 0xC2 && lead < 0xE0 ? 2
                               : lead >= 0xE0 && lead < 0xF0 ? 3
                               : lead >= 0xF0 && lead < 0xF5 ? 4
                                                             : 0;
    bool good = length != 0 && i + length <= text.size() && lead >= 0x20 && lead != 0x7F;
    std::uint32_t point = length == 1 ? lead : lead & (0x7Fu >> length);
    for (std::size_t k = 1; good && k < length; ++k) {
      const auto byte = static_cast<std::uint8_t>(text[i + k]);
      good = (byte & 0xC0) == 0x80;
      point = point << 6 | (byte & 0x3Fu);
    }
    // Overlong forms and surrogates are not UTF-8 either.
    if (length == 3) good = good && point >= 0x800 && (point < 0xD800 || point > 0xDFFF);
    if (length == 4) good = good && point >= 0x10000 && point <= 0x10FFFF;
    if (good) {
      out.append(text.substr(i, length));
      i += length;
    } else {
      out.push_back('?');
      ++i;
    }
  }
  return out;
}

// Element `index` of a verified vector of eight-byte numbers, which the verifier does not hold to their
// alignment.
std::int64_t element_of(const flatbuffers::Vector<std::int64_t>& vector, unsigned index) {
  std::int64_t value = 0;
  std::memcpy(&value, vector.Data() + std::size_t{index} * sizeof value, sizeof value);
  return flatbuffers::EndianScalar(value);
}

std::string string_of(const flatbuffers::String* text) {
  return text == nullptr ? std::string() : printable({text->data(), text->size()});
}

template <class Vector>
unsigned size_of(const Vector* vector) {
  return vector == nullptr ? 0 : vector->size();
}

class Importer {
 public:
  Importer(const tflite::Model& model, std::string_view name, std::size_t file_size)
      : model_(model), name_(name), budget_(8 * static_cast<std::int64_t>(file_size) + (1 << 20)) {
    buffers_.resize(size_of(model.buffers()));
  }

  Result<ir::Graph> run();

 private:
  Result<ir::Graph> subgraph(unsigned index, bool body);
  Result<ir::Tensor> tensor(const tflite::Tensor& source, const Where& where);
  Result<ir::Quantization> quantization(const tflite::Tensor& source, const ir::Tensor& tensor,
                                        const Where& where);
  Result<std::shared_ptr<const ir::Bytes>> buffer(unsigned index, const Where& where);
  Result<ir::Op> op(const tflite::SubGraph& graph, const ir::Graph& target, unsigned index);
  Result<std::vector<int>> indices(const flatbuffers::Vector<std::int32_t>* list, unsigned tensors,
                                   bool optional, std::string_view field, const Where& where);
  Status lstm(const tflite::SubGraph& graph, const tflite::Operator& source, ir::Op& op, const Where& where);
  Status charge(std::size_t bytes);

  const tflite::Model& model_;
  std::string_view name_;
  // FlatBuffers may share one vector or string between any number of tables, so that a small file can
  // describe a huge model. What an honest file holds adds up to less than its size; this bounds the copies.
  std::int64_t budget_;
  std::vector<std::shared_ptr<const ir::Bytes>> buffers_;
};

Status Importer::charge(std::size_t bytes) {
  budget_ -= static_cast<std::int64_t>(bytes);
  if (budget_ < 0)
    return fail(ErrorCode::kBadFile,
                "{}: its tables share names or data so often that they add up to more than eight "
                "times the file",
                name_);
  return {};
}

Result<std::shared_ptr<const ir::Bytes>> Importer::buffer(unsigned index, const Where& where) {
  if (index == 0) return std::shared_ptr<const ir::Bytes>();
  if (index >= buffers_.size())
    return where.bad("buffer is {}, the model has {} buffers", index, buffers_.size());
  if (buffers_[index] != nullptr) return buffers_[index];
  const tflite::Buffer& source = *model_.buffers()->Get(index);
  if (source.offset() > 1 || source.size() > 0)
    return where.unsupported("buffer {} stands outside of the FlatBuffer (offset {}, size {})", index,
                             source.offset(), source.size());
  if (size_of(source.data()) == 0) return std::shared_ptr<const ir::Bytes>();
  ZYNPU_TRY(charge(source.data()->size()));
  buffers_[index] = std::make_shared<const ir::Bytes>(source.data()->begin(), source.data()->end());
  return buffers_[index];
}

Result<ir::Quantization> Importer::quantization(const tflite::Tensor& source, const ir::Tensor& tensor,
                                                const Where& where) {
  ir::Quantization out;
  const tflite::QuantizationParameters* q = source.quantization();
  if (q == nullptr) return out;
  if (q->details_type() != tflite::QuantizationDetails::NONE)
    return where.unsupported("quantization.details holds a custom or blockwise quantisation (kind {})",
                             static_cast<int>(q->details_type()));
  const unsigned scales = size_of(q->scale());
  // Older converters leave ranges, and zero points alone, on tensors that are not quantised.
  if (scales == 0 || tensor.type == ir::DataType::kFloat32 || tensor.type == ir::DataType::kBool ||
      tensor.type == ir::DataType::kInt64 || tensor.type == ir::DataType::kResource)
    return out;
  const unsigned zero_points = size_of(q->zero_point());
  if (zero_points != scales && zero_points != 1)
    return where.bad("quantization has {} scales and {} zero points", scales, zero_points);
  std::int64_t axis = q->quantized_dimension();
  if (scales > 1) {
    // Converters of 2020 wrote the weights' dimension into biases, which have only one.
    if (tensor.shape.size() == 1) axis = 0;
    if (axis < 0 || axis >= static_cast<std::int64_t>(tensor.shape.size()))
      return where.bad("quantization.quantized_dimension is {}, the tensor has {} dimensions", axis,
                       tensor.shape.size());
    if (static_cast<std::int64_t>(scales) != tensor.shape[static_cast<std::size_t>(axis)])
      return where.bad("quantization has {} scales, dimension {} has extent {}", scales, axis,
                       tensor.shape[static_cast<std::size_t>(axis)]);
  } else {
    axis = 0;
  }
  ZYNPU_TRY(charge(std::size_t{scales} * 8));
  std::int64_t low = std::numeric_limits<std::int32_t>::min(),
               high = std::numeric_limits<std::int32_t>::max();
  switch (tensor.type) {
    case ir::DataType::kInt8:
      low = -128, high = 127;
      break;
    case ir::DataType::kUint8:
      low = 0, high = 255;
      break;
    case ir::DataType::kInt16:
      low = -32768, high = 32767;
      break;
    case ir::DataType::kUint16:
      low = 0, high = 65535;
      break;
    case ir::DataType::kUint32:
      low = 0;
      break;
    default:
      break;
  }
  out.axis = static_cast<int>(axis);
  for (unsigned i = 0; i < scales; ++i) {
    const float scale = q->scale()->Get(i);
    const std::int64_t zero_point = element_of(*q->zero_point(), zero_points == 1 ? 0 : i);
    if (!std::isfinite(scale) || scale <= 0)
      return where.bad("quantization.scale[{}] is {}, not a finite number above 0", i, scale);
    if (zero_point < low || zero_point > high)
      return where.bad("quantization.zero_point[{}] is {}, outside of {} to {} ({})", i, zero_point, low,
                       high, ir::to_string(tensor.type));
    out.scale.push_back(scale);
    out.zero_point.push_back(static_cast<std::int32_t>(zero_point));
  }
  return out;
}

Result<ir::Tensor> Importer::tensor(const tflite::Tensor& source, const Where& where) {
  ir::Tensor out;
  ZYNPU_TRY(charge(size_of(source.name())));
  out.name = string_of(source.name());
  const auto type = tflite::data_type(source.type());
  if (!type) return where.unsupported("element type {}", tflite::type_name(source.type()));
  out.type = *type;
  if (source.sparsity() != nullptr) return where.unsupported("sparse data");
  if (source.external_buffer() != 0) return where.unsupported("external_buffer: data in another file");

  // An extent that the caller may change (-1 in shape_signature) is taken as `shape` has it, as TFLite does
  // as long as nobody resizes the tensor. An extent that is not known at all is -1 or 0 in `shape` itself.
  const unsigned rank = size_of(source.shape());
  if (rank > kMaxRank) return where.unsupported("{} dimensions, the limit is {}", rank, kMaxRank);
  std::int64_t bytes = static_cast<std::int64_t>(ir::size_of(out.type));
  for (unsigned i = 0; i < rank; ++i) {
    const std::int32_t extent = source.shape()->Get(i);
    if (extent < 1) return where.unsupported("dynamic shape: shape[{}] is {}", i, extent);
    bytes *= extent;  // below 2^31 before, so it cannot overflow
    if (bytes > kMaxTensorBytes) return where.unsupported("more than {} bytes", kMaxTensorBytes);
    out.shape.push_back(extent);
  }
  ZYNPU_ASSIGN_OR_RETURN(out.quant, quantization(source, out, where));
  ZYNPU_ASSIGN_OR_RETURN(out.data, buffer(source.buffer(), where));
  out.is_variable = source.is_variable();
  if (out.data != nullptr) {
    if (static_cast<std::int64_t>(out.data->size()) != bytes)
      return where.bad("buffer {} has {} bytes, shape and type need {}", source.buffer(), out.data->size(),
                       bytes);
    if (out.is_variable)
      return where.unsupported("a variable with an initial value in buffer {}", source.buffer());
    if (out.type == ir::DataType::kResource) return where.bad("a resource with constant data");
  }
  return out;
}

Result<std::vector<int>> Importer::indices(const flatbuffers::Vector<std::int32_t>* list, unsigned tensors,
                                           bool optional, std::string_view field, const Where& where) {
  std::vector<int> out;
  ZYNPU_TRY(charge(std::size_t{size_of(list)} * sizeof(int)));
  out.reserve(size_of(list));
  for (unsigned i = 0; i < size_of(list); ++i) {
    const std::int32_t index = list->Get(i);
    if (index < (optional ? ir::kAbsent : 0) || index >= static_cast<std::int64_t>(tensors))
      return where.bad("{}[{}] is tensor {}, the subgraph has {}", field, i, index, tensors);
    out.push_back(index);
  }
  return out;
}

// The hidden scale is the quantisation of an intermediate tensor that has no data and often no extent.
Status Importer::lstm(const tflite::SubGraph& graph, const tflite::Operator& source, ir::Op& op,
                      const Where& where) {
  if (size_of(source.intermediates()) <= kHiddenScaleIntermediate) return {};
  const std::int32_t index = source.intermediates()->Get(kHiddenScaleIntermediate);
  if (index < 0 || index >= static_cast<std::int64_t>(size_of(graph.tensors())))
    return where.bad("intermediates[{}] is tensor {}, the subgraph has {}", kHiddenScaleIntermediate, index,
                     size_of(graph.tensors()));
  const auto* q = graph.tensors()->Get(static_cast<unsigned>(index))->quantization();
  if (q == nullptr || size_of(q->scale()) == 0) return {};
  if (size_of(q->scale()) != 1 || size_of(q->zero_point()) != 1)
    return where.bad("intermediates[{}] has {} scales and {} zero points, one each is needed",
                     kHiddenScaleIntermediate, size_of(q->scale()), size_of(q->zero_point()));
  auto& attributes = std::get<ir::LstmAttributes>(op.attributes);
  attributes.hidden_scale = q->scale()->Get(0);
  const std::int64_t zero_point = element_of(*q->zero_point(), 0);
  if (!std::isfinite(attributes.hidden_scale) || attributes.hidden_scale <= 0)
    return where.bad("intermediates[{}]: quantization.scale[0] is {}, not a finite number above 0",
                     kHiddenScaleIntermediate, attributes.hidden_scale);
  if (zero_point < -128 || zero_point > 127)
    return where.bad("intermediates[{}]: quantization.zero_point[0] is {}, outside of -128 to 127",
                     kHiddenScaleIntermediate, zero_point);
  attributes.hidden_zero_point = static_cast<std::int32_t>(zero_point);
  return {};
}

Result<ir::Op> Importer::op(const tflite::SubGraph& graph, const ir::Graph& target, unsigned index) {
  const tflite::Operator& source = *graph.operators()->Get(index);
  Where where{name_, fmt::format("operator #{}", index)};
  const auto* codes = model_.operator_codes();
  if (source.opcode_index() >= size_of(codes))
    return where.bad("opcode_index is {}, the model has {} operator codes", source.opcode_index(),
                     size_of(codes));
  const tflite::OperatorCode& code = *codes->Get(source.opcode_index());
  // Files of before 2020 have only the short code; later ones repeat codes below 127 there, and put 127 for
  // the others.
  const auto builtin =
      static_cast<tflite::BuiltinOperator>(std::max<int>(code.short_code(), static_cast<int>(code.code())));
  if (builtin == tflite::BuiltinOperator::CUSTOM)
    return where.unsupported("custom operator `{}`", shortened(string_of(code.custom_code())));
  where.object = fmt::format("{} #{}", tflite::operator_name(builtin), index);
  const auto kind = tflite::op_kind(builtin);
  if (!kind) return where.unsupported("zynpu has no such operator");

  ir::Op out;
  out.kind = *kind;
  out.source = static_cast<int>(index);
  const auto tensors = static_cast<unsigned>(target.tensors.size());
  ZYNPU_ASSIGN_OR_RETURN(out.inputs, indices(source.inputs(), tensors, true, "inputs", where));
  ZYNPU_ASSIGN_OR_RETURN(out.outputs, indices(source.outputs(), tensors, false, "outputs", where));
  auto attributes = tflite::attributes(*kind, source);
  if (!attributes) return where.error(attributes.error().code, attributes.error().message);
  out.attributes = std::move(*attributes);

  if (auto* conv = std::get_if<ir::ConvAttributes>(&out.attributes)) {
    // TFLite takes the multiplier from the shapes and ignores the field.
    if (*kind == ir::OpKind::kDepthwiseConv2d && !out.inputs.empty() && !out.outputs.empty() &&
        out.inputs[0] >= 0) {
      const auto& in = target.tensors[static_cast<std::size_t>(out.inputs[0])].shape;
      const auto& result = target.tensors[static_cast<std::size_t>(out.outputs[0])].shape;
      if (in.size() == 4 && result.size() == 4) conv->depth_multiplier = result[3] / in[3];
    }
  } else if (const auto* variable = std::get_if<ir::VarHandleAttributes>(&out.attributes)) {
    ZYNPU_TRY(charge(variable->container.size() + variable->shared_name.size()));
  } else if (auto* call = std::get_if<ir::CallOnceAttributes>(&out.attributes)) {
    const unsigned subgraphs = model_.subgraphs()->size();
    if (call->subgraph < 1 || call->subgraph >= static_cast<std::int64_t>(subgraphs))
      return where.bad("init_subgraph_index is {}, the model has subgraphs 1 to {}", call->subgraph,
                       subgraphs - 1);
    --call->subgraph;
  } else if (*kind == ir::OpKind::kUnidirectionalSequenceLstm) {
    ZYNPU_TRY(lstm(graph, source, out, where));
  } else if (*kind == ir::OpKind::kReshape && out.inputs.size() == 1 && out.outputs.size() == 1) {
    // With no second input the shape stands in the options; the IR has it in the output tensor.
    const auto* options = source.options_as_ReshapeOptions();
    const auto* shape = options == nullptr ? nullptr : options->new_shape();
    const auto& result = target.tensors[static_cast<std::size_t>(out.outputs[0])].shape;
    bool same = size_of(shape) == result.size();
    for (unsigned i = 0; same && i < result.size(); ++i)
      same = shape->Get(i) == result[i] || shape->Get(i) == -1;
    if (!same) return where.bad("new_shape does not agree with the shape of the output");
  }
  return out;
}

// Leaves out tensors that nothing names (LSTM intermediates; rests of a converter's work).
void drop_unnamed_tensors(ir::Graph& graph) {
  std::vector<int> map(graph.tensors.size(), ir::kAbsent);
  const auto each_list = [&graph](auto&& visit) {
    visit(graph.inputs);
    visit(graph.outputs);
    for (ir::Op& op : graph.ops) {
      visit(op.inputs);
      visit(op.outputs);
    }
  };
  each_list([&map](std::vector<int>& list) {
    for (const int index : list)
      if (index >= 0) map[static_cast<std::size_t>(index)] = 0;
  });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < map.size(); ++i) {
    if (map[i] < 0) continue;
    map[i] = static_cast<int>(kept);
    if (kept != i) graph.tensors[kept] = std::move(graph.tensors[i]);
    ++kept;
  }
  graph.tensors.resize(kept);
  each_list([&map](std::vector<int>& list) {
    for (int& index : list)
      if (index >= 0) index = map[static_cast<std::size_t>(index)];
  });
}

Result<ir::Graph> Importer::subgraph(unsigned index, bool body) {
  const tflite::SubGraph& source = *model_.subgraphs()->Get(index);
  const std::string prefix = body ? fmt::format("subgraph {} ", index) : std::string();
  ir::Graph out;
  ZYNPU_TRY(charge(size_of(source.name())));
  out.name = body ? string_of(source.name()) : printable(name_);

  // Tensors that only an LSTM's list of intermediates names may have extents of 0; nothing else may.
  std::set<std::int32_t> named;
  const auto name_all = [&named](const flatbuffers::Vector<std::int32_t>* list) {
    if (list != nullptr) named.insert(list->begin(), list->end());
  };
  const unsigned ops = size_of(source.operators());
  for (unsigned i = 0; i < ops; ++i) {
    const tflite::Operator& op = *source.operators()->Get(i);
    ZYNPU_TRY(charge(std::size_t{size_of(op.inputs()) + size_of(op.outputs())} * sizeof(int)));
    name_all(op.inputs());
    name_all(op.outputs());
  }
  name_all(source.inputs());
  name_all(source.outputs());

  const unsigned tensors = size_of(source.tensors());
  out.tensors.reserve(tensors);
  for (unsigned i = 0; i < tensors; ++i) {
    const tflite::Tensor& from = *source.tensors()->Get(i);
    if (!named.contains(static_cast<std::int32_t>(i))) {
      out.tensors.emplace_back();
      continue;
    }
    const Where where{name_, fmt::format("{}tensor #{} `{}`", prefix, i, shortened(string_of(from.name())))};
    ZYNPU_ASSIGN_OR_RETURN(ir::Tensor to, tensor(from, where));
    out.tensors.push_back(std::move(to));
  }
  const Where where{name_, fmt::format("subgraph {}", index)};
  ZYNPU_ASSIGN_OR_RETURN(out.inputs, indices(source.inputs(), tensors, false, "inputs", where));
  ZYNPU_ASSIGN_OR_RETURN(out.outputs, indices(source.outputs(), tensors, false, "outputs", where));
  out.ops.reserve(ops);
  for (unsigned i = 0; i < ops; ++i) {
    ZYNPU_ASSIGN_OR_RETURN(ir::Op to, op(source, out, i));
    out.ops.push_back(std::move(to));
  }
  drop_unnamed_tensors(out);
  return out;
}

Result<ir::Graph> Importer::run() {
  const unsigned subgraphs = size_of(model_.subgraphs());
  if (subgraphs == 0) return fail(ErrorCode::kBadFile, "{}: the model has no subgraphs", name_);
  if (model_.version() != 3)
    return fail(ErrorCode::kUnsupported, "{}: schema version {}, only 3 is supported", name_,
                model_.version());
  ZYNPU_ASSIGN_OR_RETURN(ir::Graph graph, subgraph(0, false));
  // Only bodies of CALL_ONCE are read; other subgraphs are further entry points, which nothing here starts.
  graph.subgraphs.resize(subgraphs - 1);
  std::vector<bool> read(subgraphs - 1);
  for (const ir::Op& op : graph.ops) {
    const auto* call = std::get_if<ir::CallOnceAttributes>(&op.attributes);
    if (call == nullptr || read[static_cast<std::size_t>(call->subgraph)]) continue;
    const auto body = static_cast<std::size_t>(call->subgraph);
    read[body] = true;
    ZYNPU_ASSIGN_OR_RETURN(graph.subgraphs[body], subgraph(static_cast<unsigned>(body) + 1, true));
  }
  if (auto status = validate(graph); !status) return tl::unexpected<Error>(status.error());
  return graph;
}

}  // namespace

Result<ir::Graph> import_tflite(std::span<const std::uint8_t> file, std::string_view name) {
  constexpr std::size_t kIdentifierEnd = 8;
  if (file.size() < kIdentifierEnd || !std::equal(file.begin() + 4, file.begin() + kIdentifierEnd, "TFL3"))
    return fail(ErrorCode::kBadFile, "{}: not a TFLite file: bytes 4 to 7 are not \"TFL3\"", name);
  if (file.size() > kMaxFile)
    return fail(ErrorCode::kBadFile, "{}: {} bytes, a TFLite file has at most {}", name, file.size(),
                kMaxFile);
  // Alignment in the file means alignment in memory only if the file starts at an aligned address.
  ir::Bytes aligned;
  if (reinterpret_cast<std::uintptr_t>(file.data()) % 16 != 0) {
    aligned.assign(file.begin(), file.end());
    file = aligned;
  }
  flatbuffers::Verifier verifier(file.data(), file.size());
  if (!tflite::VerifyModelBuffer(verifier))
    return fail(ErrorCode::kBadFile,
                "{}: damaged: an offset or a size inside the FlatBuffer is out of bounds", name);
  return Importer(*tflite::GetModel(file.data()), name, file.size()).run();
}

}  // namespace zynpu::compiler
