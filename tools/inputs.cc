// SPDX-License-Identifier: MIT
#include "inputs.h"

#include <filesystem>
#include <optional>

#include "graph/graph.h"
#include "image.h"
#include "runtime/devices.h"
#include "runtime/file.h"
#include "runtime/program.h"

namespace zynpu::tools {
namespace {

struct Spec {
  std::optional<std::size_t> input;  // index among the model's inputs
  std::string path;
};

Result<Spec> parse_spec(const ir::Graph& model, const std::string& text) {
  std::string names;
  for (std::size_t i = 0; i < model.inputs.size(); ++i) {
    const std::string& name = model.tensors[model.inputs[i]].name;
    // Names may contain `=` themselves, so the whole name decides.
    if (text.size() > name.size() && text.starts_with(name) && text[name.size()] == '=')
      return Spec{.input = i, .path = text.substr(name.size() + 1)};
    names += (names.empty() ? "`" : ", `") + name + "`";
  }
  std::error_code code;
  const std::size_t equals = text.find('=');
  if (equals != std::string::npos && !std::filesystem::exists(text, code))
    return fail(ErrorCode::kInvalidArgument, "the model has no input `{}`; its inputs are {}",
                text.substr(0, equals), names);
  return Spec{.input = std::nullopt, .path = text};
}

// Puts one file's bytes where they belong and checks that their size is whole steps.
Status place(const ir::Graph& model, std::size_t input, const std::string& path,
             std::vector<std::uint8_t> bytes, InputData& data, std::optional<std::size_t>& steps) {
  const ir::Tensor& tensor = model.tensors[model.inputs[input]];
  if (!data.inputs[input].empty())
    return fail(ErrorCode::kInvalidArgument, "input `{}` is given twice", tensor.name);
  const std::size_t size = static_cast<std::size_t>(tensor.bytes());
  if (size == 0 || bytes.size() % size != 0)
    return fail(ErrorCode::kInvalidArgument,
                "`{}` has {} bytes: not a multiple of the {} bytes of input `{}`", path, bytes.size(), size,
                tensor.name);
  const std::size_t here = bytes.size() / size;
  if (steps && *steps != here)
    return fail(ErrorCode::kInvalidArgument, "`{}` holds {} steps of input `{}`, the inputs before it {}",
                path, here, tensor.name, *steps);
  steps = here;
  data.inputs[input] = std::move(bytes);
  return {};
}

}  // namespace

Result<const part::Part*> find_part(std::string_view name) {
  if (const part::Part* part = part::find(name)) return part;
  std::string names;
  for (const part::Part& part : part::parts())
    names += fmt::format("{}{}", names.empty() ? "" : ", ", part.name);
  return fail(ErrorCode::kInvalidArgument, "unknown part `{}`; there are: {}", name, names);
}

Result<std::string> choose_device(const std::string& part, const std::string& device,
                                  std::span<const std::uint8_t> file) {
  const part::Part* chosen = nullptr;
  if (!part.empty()) {
    ZYNPU_ASSIGN_OR_RETURN(chosen, find_part(part));
  }
  if (!device.empty()) {
    for (const runtime::DeviceName& known : runtime::devices())
      if (known.name == device && chosen != nullptr && known.part != chosen)
        return fail(ErrorCode::kInvalidArgument, "device {} is a {}, not a {}", device, known.part->name,
                    chosen->name);
    return device;
  }
  if (chosen == nullptr && runtime::is_container(file)) {
    ZYNPU_ASSIGN_OR_RETURN(const graph::Graph graph, graph::read(file));
    for (const part::Part& candidate : part::parts())
      if (candidate.device_word == graph.device_word) chosen = &candidate;
    if (chosen == nullptr) {
      ZYNPU_ASSIGN_OR_RETURN(const std::string_view target, graph::target_name(graph.device_word));
      return fail(ErrorCode::kUnsupported, "the graph is for {}, which is none of the parts that zynpu has",
                  target);
    }
  }
  return chosen != nullptr ? fmt::format("virtual:{}", chosen->name) : std::string(runtime::kDefaultDevice);
}

Result<InputData> gather_inputs(const ir::Graph& model, std::span<const std::string> specs,
                                const std::string& image) {
  InputData data;
  data.inputs.resize(model.inputs.size());
  std::optional<std::size_t> steps;
  const auto first_open = [&](auto&& accepts) -> std::optional<std::size_t> {
    for (std::size_t i = 0; i < model.inputs.size(); ++i)
      if (data.inputs[i].empty() && accepts(model.tensors[model.inputs[i]])) return i;
    return std::nullopt;
  };
  std::vector<Spec> parsed;
  for (const std::string& text : specs) {
    ZYNPU_ASSIGN_OR_RETURN(Spec spec, parse_spec(model, text));
    parsed.push_back(std::move(spec));
  }
  // Named inputs first, so that the nameless ones fill what is left, in the model's order.
  for (const bool named : {true, false})
    for (const Spec& spec : parsed) {
      if (spec.input.has_value() != named) continue;
      const std::optional<std::size_t> input =
          named ? spec.input : first_open([](const ir::Tensor&) { return true; });
      if (!input)
        return fail(ErrorCode::kInvalidArgument, "`{}` is one input too many; the model has {}", spec.path,
                    model.inputs.size());
      ZYNPU_ASSIGN_OR_RETURN(std::vector<std::uint8_t> bytes, runtime::read_file(spec.path));
      ZYNPU_TRY(place(model, *input, spec.path, std::move(bytes), data, steps));
    }
  if (!image.empty()) {
    const std::optional<std::size_t> input = first_open(takes_image);
    if (!input)
      return fail(
          ErrorCode::kInvalidArgument,
          "no input of the model takes a picture: it must be [1, height, width, 1 or 3] of int8, uint8 or "
          "float32 and have no other data");
    const ir::Tensor& tensor = model.tensors[model.inputs[*input]];
    ZYNPU_ASSIGN_OR_RETURN(const Image picture, read_image(image, tensor.shape[3]));
    ZYNPU_ASSIGN_OR_RETURN(std::vector<std::uint8_t> bytes, image_tensor(picture, tensor));
    ZYNPU_TRY(place(model, *input, image, std::move(bytes), data, steps));
  }
  std::string missing;
  for (std::size_t i = 0; i < model.inputs.size(); ++i) {
    if (!data.inputs[i].empty()) continue;
    const ir::Tensor& tensor = model.tensors[model.inputs[i]];
    missing += fmt::format("{}`{}` ({} bytes)", missing.empty() ? "" : ", ", tensor.name, tensor.bytes());
  }
  if (!missing.empty())
    return fail(ErrorCode::kInvalidArgument, "no data for input {}: give --input [NAME=]FILE or --image FILE",
                missing);
  data.steps = steps.value_or(1);
  return data;
}

}  // namespace zynpu::tools
