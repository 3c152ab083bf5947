// SPDX-License-Identifier: MIT
// zynpu run: a model or graph on an NPU, with inputs from files or a picture.
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <numeric>
#include <sstream>

#include "command.h"
#include "inputs.h"
#include "report.h"
#include "runtime/compare.h"
#include "runtime/devices.h"
#include "runtime/file.h"
#include "runtime/job.h"
#include "runtime/program.h"
#include "trace.h"

namespace zynpu::tools {
namespace {

struct Options {
  std::string model, part, device, image, labels, output_dir, trace, dump_after;
  std::vector<std::string> inputs;
  bool compare = false, json = false, gsram_barriers = false;
};

constexpr std::size_t kTop = 5;

double element(const ir::Tensor& tensor, std::span<const std::uint8_t> bytes, std::size_t index) {
  const std::uint8_t* at = bytes.data() + index * ir::size_of(tensor.type);
  const auto load = [&](auto value) {
    std::memcpy(&value, at, sizeof value);
    return static_cast<double>(value);
  };
  double raw = 0;
  switch (tensor.type) {
    case ir::DataType::kInt8:
      raw = load(std::int8_t{});
      break;
    case ir::DataType::kInt16:
      raw = load(std::int16_t{});
      break;
    case ir::DataType::kUint16:
      raw = load(std::uint16_t{});
      break;
    case ir::DataType::kInt32:
    case ir::DataType::kResource:
      raw = load(std::int32_t{});
      break;
    case ir::DataType::kUint32:
      raw = load(std::uint32_t{});
      break;
    case ir::DataType::kInt64:
      raw = load(std::int64_t{});
      break;
    case ir::DataType::kFloat32:
      return load(float{});
    case ir::DataType::kUint8:
    case ir::DataType::kBool:
      raw = load(std::uint8_t{});
      break;
  }
  if (!tensor.quant.present() || tensor.quant.per_channel()) return raw;
  const int zero_point = tensor.quant.zero_point.empty() ? 0 : tensor.quant.zero_point[0];
  return static_cast<double>(tensor.quant.scale[0]) * (raw - zero_point);
}

// One row of scores: more than one element, all in the last dimension.
bool is_classification(const ir::Tensor& tensor) {
  return !tensor.shape.empty() && tensor.shape.back() > 1 && tensor.elements() == tensor.shape.back();
}

std::vector<std::size_t> top(const ir::Tensor& tensor, std::span<const std::uint8_t> bytes) {
  std::vector<std::size_t> order(static_cast<std::size_t>(tensor.elements()));
  std::iota(order.begin(), order.end(), std::size_t{0});
  const std::size_t count = std::min(order.size(), kTop);
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    [&](std::size_t a, std::size_t b) {
                      const double left = element(tensor, bytes, a), right = element(tensor, bytes, b);
                      return left != right ? left > right : a < b;
                    });
  order.resize(count);
  return order;
}

Result<std::vector<std::string>> read_labels(const std::string& path) {
  std::vector<std::string> labels;
  if (path.empty()) return labels;
  ZYNPU_ASSIGN_OR_RETURN(const std::vector<std::uint8_t> file, runtime::read_file(path));
  std::istringstream lines(std::string(file.begin(), file.end()));
  for (std::string line; std::getline(lines, line); labels.push_back(line))
    if (line.ends_with('\r')) line.pop_back();
  return labels;
}

// Everything a run leaves behind.
struct Outcome {
  std::vector<std::vector<std::uint8_t>> outputs;  // of all steps, one after the other
  std::uint64_t cycles = 0;                        // of all steps
  double host_ms = 0;
  std::uint64_t different_steps = 0;
  std::uint64_t first_different_step = 0;
  runtime::Difference difference;  // of that step
};

Result<Outcome> run_steps(runtime::Job& job, const runtime::Comparator* comparator, const InputData& data) {
  Outcome outcome;
  const ir::Graph& model = job.program().model();
  outcome.outputs.resize(model.outputs.size());
  Progress progress;
  for (std::size_t step = 0; step < data.steps; ++step) {
    progress.show(fmt::format("running step {} of {}", step + 1, data.steps));
    for (std::size_t i = 0; i < data.inputs.size(); ++i) {
      const std::span<std::uint8_t> input = job.input(i);
      std::copy_n(data.inputs[i].begin() + static_cast<std::ptrdiff_t>(step * input.size()), input.size(),
                  input.begin());
    }
    ZYNPU_TRY(job.run());
    for (std::size_t i = 0; i < outcome.outputs.size(); ++i) {
      const std::span<const std::uint8_t> output = job.output(i);
      outcome.outputs[i].insert(outcome.outputs[i].end(), output.begin(), output.end());
    }
    outcome.cycles += job.profile().total.cycles;
    outcome.host_ms += job.profile().host_ms;
    if (comparator != nullptr && comparator->difference()) {
      if (outcome.different_steps++ == 0) {
        outcome.first_different_step = step;
        outcome.difference = *comparator->difference();
      }
    }
  }
  return outcome;
}

Status write_outputs(const std::string& directory, const Outcome& outcome) {
  if (directory.empty()) return {};
  std::error_code code;
  std::filesystem::create_directories(directory, code);
  if (code) return fail(ErrorCode::kIo, "cannot create directory `{}`: {}", directory, code.message());
  for (std::size_t i = 0; i < outcome.outputs.size(); ++i)
    ZYNPU_TRY(runtime::write_file(fmt::format("{}/out{}.bin", directory, i), outcome.outputs[i]));
  return {};
}

std::string difference_text(const Outcome& outcome, std::size_t steps) {
  const runtime::Difference& difference = outcome.difference;
  return fmt::format(
      "{} of {} steps differ from the reference; first in step {}, output `{}`, {}: element {} is {}, "
      "expected {}; {} of {} elements differ",
      outcome.different_steps, steps, outcome.first_different_step + 1, difference.tensor,
      difference.layer.empty() ? "no single layer" : "first layer " + difference.layer, difference.element,
      difference.value, difference.expected, difference.differing, difference.elements);
}

Json to_json(const Options& options, const runtime::Job& job, const InputData& data, const Outcome& outcome,
             const std::vector<std::string>& labels) {
  const runtime::Program& program = job.program();
  const ir::Graph& model = program.model();
  Json json;
  json["model"] = options.model;
  json["device"] = program.context().device_name();
  json["part"] = program.context().part().name;
  json["steps"] = data.steps;
  json["inputs"] = Json::array();
  for (const int tensor : model.inputs) json["inputs"].push_back(tensor_json(model.tensors[tensor]));
  json["outputs"] = Json::array();
  for (std::size_t i = 0; i < model.outputs.size(); ++i) {
    const ir::Tensor& tensor = program.output(i);
    Json output = tensor_json(tensor);
    if (!options.output_dir.empty()) output["file"] = fmt::format("{}/out{}.bin", options.output_dir, i);
    if (is_classification(tensor)) {
      output["top"] = Json::array();
      for (const std::size_t index : top(tensor, job.output(i))) {
        Json entry{{"index", index}, {"value", element(tensor, job.output(i), index)}};
        if (index < labels.size()) entry["label"] = labels[index];
        output["top"].push_back(std::move(entry));
      }
    }
    json["outputs"].push_back(std::move(output));
  }
  json["modelled"] = job.profile().modelled;
  json["last_step"] = cost_json(job.profile());
  json["all_steps"] = Json{{"modelled_cycles", outcome.cycles}, {"host_ms", outcome.host_ms}};
  json["layers"] = layers_json(program.plan(), &job.profile());
  if (options.compare) {
    Json compare{{"equal", outcome.different_steps == 0}, {"different_steps", outcome.different_steps}};
    if (outcome.different_steps > 0) {
      compare["step"] = outcome.first_different_step;
      compare["tensor"] = outcome.difference.tensor;
      compare["layer"] = outcome.difference.layer;
      compare["element"] = outcome.difference.element;
      compare["value"] = outcome.difference.value;
      compare["expected"] = outcome.difference.expected;
      compare["differing"] = outcome.difference.differing;
      compare["elements"] = outcome.difference.elements;
    }
    json["compare"] = std::move(compare);
  }
  return json;
}

void print_text(const runtime::Job& job, const InputData& data, const Outcome& outcome,
                const std::vector<std::string>& labels) {
  const runtime::Program& program = job.program();
  const ir::Graph& model = program.model();
  for (std::size_t i = 0; i < model.outputs.size(); ++i) {
    const ir::Tensor& tensor = program.output(i);
    fmt::print("output {} `{}`: {}{}\n", i, tensor.name, tensor_text(tensor),
               data.steps > 1 ? fmt::format(", step {} of {}", data.steps, data.steps) : "");
    if (is_classification(tensor)) {
      for (const std::size_t index : top(tensor, job.output(i)))
        fmt::print("  {:>6}  {:>12.6g}  {}\n", index, element(tensor, job.output(i), index),
                   index < labels.size() ? labels[index] : "");
    } else {
      std::string values;
      const std::size_t count = std::min<std::size_t>(static_cast<std::size_t>(tensor.elements()), 8);
      for (std::size_t k = 0; k < count; ++k)
        values += fmt::format("{}{:.6g}", k > 0 ? ", " : "", element(tensor, job.output(i), k));
      fmt::print("  {}{}\n", values, count < static_cast<std::size_t>(tensor.elements()) ? ", ..." : "");
    }
  }
  std::size_t npu = 0;
  for (const graph::Placement& placement : program.plan().placements) npu += placement.npu ? 1 : 0;
  const runtime::RunProfile& profile = job.profile();
  if (profile.modelled)
    fmt::print("{}: {} modelled cycles a step ({:.3f} ms at 1.2 GHz), {} bundles, {} bytes by DMA\n",
               program.context().device_name(), profile.total.cycles, modelled_ms(profile.total.cycles),
               profile.total.bundles, profile.total.dma_bytes);
  fmt::print("{} of {} layers on the NPU; {} step{} in {:.1f} ms on this host\n", npu,
             program.plan().placements.size(), data.steps, data.steps == 1 ? "" : "s", outcome.host_ms);
}

Result<int> run(const Options& options) {
  ZYNPU_ASSIGN_OR_RETURN(const std::vector<std::uint8_t> file, runtime::read_file(options.model));
  ZYNPU_ASSIGN_OR_RETURN(const std::vector<std::string> labels, read_labels(options.labels));
  ZYNPU_ASSIGN_OR_RETURN(const std::string device, choose_device(options.part, options.device, file));
  ZYNPU_ASSIGN_OR_RETURN(const std::shared_ptr<runtime::Backend> backend, runtime::open_device(device));
  const auto context = std::make_shared<runtime::Context>(device, backend);

  runtime::LoadOptions load_options;
  load_options.name = runtime::stem(options.model);
  load_options.keep_model = options.compare;
  load_options.compile.gsram_barriers = options.gsram_barriers;
  load_options.compile.dump_after = options.dump_after;
  load_options.compile.dump = options.dump_after.empty() ? nullptr : options.json ? &std::cerr : &std::cout;
  if (!options.dump_after.empty() && runtime::is_container(file))
    return fail(ErrorCode::kInvalidArgument, "--dump-after needs a model; `{}` is compiled already",
                options.model);
  Progress progress;
  progress.show("compiling and loading");
  auto loaded = runtime::Program::load_file(context, file, load_options);
  progress.clear();
  if (!loaded) return fail(loaded.error().code, "`{}`: {}", options.model, loaded.error().message);
  const std::shared_ptr<const runtime::Program> program = *loaded;
  std::cout.flush();

  ZYNPU_ASSIGN_OR_RETURN(const InputData data,
                         gather_inputs(program->model(), options.inputs, options.image));
  std::shared_ptr<runtime::Comparator> comparator;
  if (options.compare) {
    ZYNPU_ASSIGN_OR_RETURN(comparator, runtime::Comparator::create(program));
  }
  ZYNPU_ASSIGN_OR_RETURN(const std::unique_ptr<runtime::Job> job, runtime::Job::create(program, comparator));
  std::unique_ptr<TraceFile> trace;
  if (!options.trace.empty()) {
    ZYNPU_ASSIGN_OR_RETURN(trace, TraceFile::create(options.trace, *program, *job));
    const auto in_process = std::dynamic_pointer_cast<runtime::VirtualBackend>(backend);
    if (in_process == nullptr)
      return fail(ErrorCode::kUnsupported, "--trace needs a virtual NPU in this process, and `{}` is none",
                  device);
    in_process->set_trace([&](const vnpu::TraceEvent& event) { trace->write(event); });
  }
  ZYNPU_ASSIGN_OR_RETURN(const Outcome outcome, run_steps(*job, comparator.get(), data));
  if (trace != nullptr) ZYNPU_TRY(trace->close());
  ZYNPU_TRY(write_outputs(options.output_dir, outcome));

  if (options.json)
    fmt::print("{}\n", to_json(options, *job, data, outcome, labels).dump(2));
  else
    print_text(*job, data, outcome, labels);
  if (!options.compare) return kExitOk;
  if (outcome.different_steps > 0)
    return fail(ErrorCode::kInternal, "{}", difference_text(outcome, data.steps));
  if (!options.json) fmt::print("every output equals the reference, bit for bit\n");
  return kExitOk;
}

}  // namespace

void add_run(CLI::App& app, Action& action) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("run", "Run a model or a compiled graph");
  command->add_option("MODEL", options->model, "TFLite model (.tflite) or compiled graph (.zy)")->required();
  command->add_option("--part", options->part,
                      "Part: z1, z2, x2 (default x2, or the one a graph was compiled for)");
  command->add_option("--device", options->device, "Device to run on, see `zynpu devices`");
  command
      ->add_option("--input", options->inputs,
                   "[NAME=]FILE with the raw bytes of an input, in the model's order unless named; N times "
                   "the tensor's "
                   "bytes run N steps on one job, which keeps its state")
      ->take_all()
      ->expected(1)
      ->allow_extra_args(false);
  command->add_option(
      "--image", options->image,
      "PNG, JPEG or PPM picture, resized to the input. uint8 inputs get the pixel and int8 inputs pixel "
      "- 128 if their real range is about [0, 1], [0, 255] or [-1, 1]; other scales get pixel / 255 "
      "quantised; float32 inputs pixel / 255");
  command->add_option("--labels", options->labels, "Text file with one class name a line");
  command->add_option("--output-dir", options->output_dir,
                      "Directory for out0.bin, out1.bin, ...: all steps, in order");
  command->add_flag("--compare", options->compare,
                    "Compare every step with the reference operators; exit with 1 if any bit differs");
  command->add_flag("--json", options->json, "Print one JSON document");
  command->add_option("--trace", options->trace,
                      "File for a line per retired bundle: cycle, core, TEC, pc, layer");
  command->add_option("--dump-after", options->dump_after, "Print the compiler's state after a stage")
      ->check(CLI::IsMember({"import", "legalise", "partition", "tile", "place", "emit"}));
  add_gsram_barriers(*command, options->gsram_barriers);
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace zynpu::tools
