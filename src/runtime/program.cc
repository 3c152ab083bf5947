// SPDX-License-Identifier: MIT
#include "runtime/program.h"

#include <algorithm>
#include <string_view>

namespace zynpu::runtime {

bool is_container(std::span<const std::uint8_t> file) {
  constexpr std::string_view kBin = "AIPU BIN", kElf =
                                                    "\x7F"
                                                    "ELF";
  const auto begins = [&](std::string_view magic) {
    return file.size() >= magic.size() && std::equal(magic.begin(), magic.end(), file.begin());
  };
  return begins(kBin) || begins(kElf);
}

std::vector<bool> ops_with_code(const graph::HostPlan& plan) {
  std::vector<bool> with_code(plan.model.ops.size());
  for (const graph::SourceRange& range : plan.source_map)
    if (range.op >= 0 && static_cast<std::size_t>(range.op) < with_code.size() && range.begin < range.end)
      with_code[range.op] = true;
  return with_code;
}

Result<std::shared_ptr<const Program>> Program::load_file(std::shared_ptr<Context> context,
                                                          std::span<const std::uint8_t> file,
                                                          const LoadOptions& options) {
  if (is_container(file)) {
    if (options.compile.cpu_only)
      return fail(ErrorCode::kUnsupported, "{}: a compiled graph cannot be moved to the CPU; load the model",
                  options.name);
    ZYNPU_ASSIGN_OR_RETURN(graph::HostPlan plan, graph::read_model(file));
    return load(std::move(context), std::move(plan));
  }
  ZYNPU_ASSIGN_OR_RETURN(ir::Graph model, compiler::import_tflite(file, options.name));
  ZYNPU_ASSIGN_OR_RETURN(graph::HostPlan plan, compiler::compile(model, context->part(), options.compile));
  std::shared_ptr<const ir::Graph> imported;
  if (options.keep_model) imported = std::make_shared<const ir::Graph>(std::move(model));
  return load(std::move(context), std::move(plan), std::move(imported));
}

Result<std::shared_ptr<const Program>> Program::load(std::shared_ptr<Context> context, graph::HostPlan plan,
                                                     std::shared_ptr<const ir::Graph> imported) {
  const std::shared_ptr<Program> program(
      new Program(std::move(context), std::move(plan), std::move(imported)));
  ZYNPU_TRY(program->index_plan());
  for (std::size_t i = 0; i < program->plan_.graphs.size(); ++i) {
    ZYNPU_ASSIGN_OR_RETURN(LoadedGraph loaded, program->load_graph(static_cast<int>(i)));
    program->graphs_.push_back(std::move(loaded));
  }
  for (std::size_t i = 0; i < program->plan_.steps.size(); ++i) ZYNPU_TRY(program->check_step(i));
  return program;
}

Program::Program(std::shared_ptr<Context> context, graph::HostPlan plan,
                 std::shared_ptr<const ir::Graph> imported)
    : context_(std::move(context)), plan_(std::move(plan)), imported_(std::move(imported)) {}

Status Program::index_plan() {
  const int tensors = static_cast<int>(plan_.model.tensors.size()),
            ops = static_cast<int>(plan_.model.ops.size());
  const auto is_tensor = [&](int index) { return index >= 0 && index < tensors; };
  if (!std::all_of(plan_.model.inputs.begin(), plan_.model.inputs.end(), is_tensor) ||
      !std::all_of(plan_.model.outputs.begin(), plan_.model.outputs.end(), is_tensor))
    return fail(ErrorCode::kBadFile, "plan: a model input or output is not a tensor of the model");
  op_step_.assign(plan_.model.ops.size(), -1);
  op_placement_.assign(plan_.model.ops.size(), -1);
  for (std::size_t s = 0; s < plan_.steps.size(); ++s) {
    const graph::Step& step = plan_.steps[s];
    if (step.npu && (step.graph < 0 || step.graph >= static_cast<int>(plan_.graphs.size())))
      return fail(ErrorCode::kBadFile, "plan: step {} starts graph {} of {}", s, step.graph,
                  plan_.graphs.size());
    for (const int op : step.ops) {
      if (op < 0 || op >= ops)
        return fail(ErrorCode::kBadFile, "plan: step {} runs operator {} of {}", s, op, ops);
      op_step_[op] = static_cast<int>(s);
    }
    if (!std::all_of(step.inputs.begin(), step.inputs.end(), is_tensor) ||
        !std::all_of(step.outputs.begin(), step.outputs.end(), is_tensor))
      return fail(ErrorCode::kBadFile, "plan: step {} names a tensor that the model does not have", s);
  }
  for (std::size_t p = 0; p < plan_.placements.size(); ++p) {
    const int op = plan_.placements[p].op;
    if (op < 0 || op >= ops)
      return fail(ErrorCode::kBadFile, "plan: placement {} is of operator {} of {}", p, op, ops);
    op_placement_[op] = static_cast<int>(p);
  }
  for (const graph::SourceRange& range : plan_.source_map)
    if (range.op < -1 || range.op >= ops || range.begin > range.end)
      return fail(ErrorCode::kBadFile, "plan: source range [{:#x}, {:#x}) of operator {} is malformed",
                  range.begin, range.end, range.op);
  return {};
}

Status Program::check_step(std::size_t index) const {
  const graph::Step& step = plan_.steps[index];
  if (!step.npu) return {};
  const graph::Layout& layout = graphs_[step.graph].layout;
  const auto check = [&](std::string_view what, std::span<const int> tensors,
                         std::span<const graph::TensorPlace> places) -> Status {
    if (tensors.size() != places.size())
      return fail(ErrorCode::kBadFile, "step {}: {} {} tensors for a graph that has {}", index,
                  tensors.size(), what, places.size());
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      const ir::Tensor& tensor = plan_.model.tensors[tensors[i]];
      if (static_cast<std::uint64_t>(tensor.bytes()) > places[i].place.size)
        return fail(ErrorCode::kBadFile, "step {}: {} {} has {} bytes, tensor `{}` needs {}", index, what, i,
                    places[i].place.size, tensor.name, tensor.bytes());
    }
    return {};
  };
  ZYNPU_TRY(check("input", step.inputs, layout.inputs));
  return check("output", step.outputs, layout.outputs);
}

Result<Program::LoadedGraph> Program::load_graph(int index) {
  const graph::Graph& graph = plan_.graphs[index];
  LoadedGraph loaded;
  ZYNPU_ASSIGN_OR_RETURN(static_cast<runtime::LoadedGraph&>(loaded),
                         runtime::load_graph(context_->backend(), graph, context_->device_name()));
  for (const graph::SourceRange& range : plan_.source_map) {
    if (range.graph != index || range.begin == range.end) continue;
    if (range.end > graph.text.size() || (!loaded.regions.empty() && range.begin < loaded.regions.back().end))
      return fail(ErrorCode::kBadFile,
                  "plan: source range [{:#x}, {:#x}) overlaps another or leaves the text", range.begin,
                  range.end);
    loaded.regions.push_back({range.begin, range.end});
    loaded.region_ops.push_back(range.op);
  }
  return loaded;
}

std::string Program::op_name(int op) const {
  if (op < 0 || op >= static_cast<int>(plan_.model.ops.size())) return "";
  if (const int placement = op_placement_[op]; placement >= 0) return plan_.placements[placement].name;
  return fmt::format("{} #{}", ir::to_string(plan_.model.ops[op].kind), op);
}

}  // namespace zynpu::runtime
