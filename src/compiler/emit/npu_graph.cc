// SPDX-License-Identifier: MIT
#include "compiler/emit/npu_graph.h"

#include <algorithm>
#include <optional>

#include "compiler/codegen/layer.h"
#include "compiler/emit/memory_plan.h"
#include "compiler/emit/parameters.h"
#include "compiler/emit/program.h"
#include "compiler/emit/schedule_layers.h"
#include "compiler/kernels/copy.h"
#include "compiler/kernels/kernel.h"
#include "compiler/passes/describe.h"

namespace zynpu::compiler {
namespace {

constexpr std::uint32_t kImageAlign = 256;
// Cold fetch of an image's own bundles and a program's start and end, beside the layer itself.
constexpr std::uint64_t kColdBundle = 75;

struct Layer {
  int op = -1;                              // index into the model
  std::size_t position = 0;                 // in the step
  std::optional<std::pair<int, int>> copy;  // tensors from, to: an alias that must be made real
  std::optional<LayerProgram> one, core, all;
  Sharing sharing = Sharing::kOneCore;
  std::uint64_t cold_cycles = 0;  // fetching its code, if no layer before it in its image has the same

  const LayerProgram& program() const {
    return sharing == Sharing::kOneTec ? *one : sharing == Sharing::kOneCore ? *core : *all;
  }
};

std::uint64_t cost_of(const std::optional<LayerProgram>& program) {
  return program ? program->predicted_cycles + kColdBundle * program->code.bundles.size() : LayerCost::kNever;
}

class GraphBuilder {
 public:
  GraphBuilder(const ir::Graph& model, const graph::Step& step, const part::Part& part,
               const Options& options)
      : model_(model),
        step_(step),
        part_(part),
        meetings_(options.gsram_barriers),
        homes_(step.inputs, step.outputs),
        parameters_(homes_) {}

  Result<NpuGraph> run() {
    ZYNPU_TRY(collect());
    if (layers_.empty()) return fail(ErrorCode::kUnsupported, "the step computes nothing");
    ZYNPU_TRY(lower());
    ZYNPU_ASSIGN_OR_RETURN(const TemporaryPlan temporaries, place());
    graph::Graph& graph = out_.graph;
    graph.device_word = part_.device_word;
    graph.virtual_profile = part_.virtual_profile;
    if (is_x2())
      ZYNPU_TRY(emit_groups());
    else
      ZYNPU_TRY(emit_single());
    ZYNPU_TRY(std::move(parameters_).finish(model_, step_.inputs, step_.outputs, temporaries, graph));
    out_.predicted_cycles.assign(step_.ops.size(), 0);
    for (const Layer& layer : layers_)
      out_.predicted_cycles[layer.position] = layer.program().predicted_cycles + layer.cold_cycles;
    return std::move(out_);
  }

 private:
  bool is_x2() const { return part_.host_interface == part::HostInterface::kTsm; }

  static const Kernel* kernel_of(ir::OpKind kind) {
    for (const Kernel& kernel : kernels())
      if (kernel.kind == kind) return &kernel;
    return nullptr;
  }

  // Layers and aliases, in the step's order.
  Status collect() {
    for (std::size_t i = 0; i < step_.ops.size(); ++i) {
      const int index = step_.ops[i];
      const ir::Op& op = model_.ops[static_cast<std::size_t>(index)];
      const Kernel* kernel = kernel_of(op.kind);
      if (kernel == nullptr)
        return fail(ErrorCode::kInternal, "{} has no NPU kernel", describe_op(model_, index));
      Layer layer;
      layer.op = index;
      layer.position = i;
      if (kernel->lower == nullptr) {
        if (homes_.alias(op.inputs[0], op.outputs[0])) continue;
        layer.copy = {op.inputs[0], op.outputs[0]};
      }
      layers_.push_back(std::move(layer));
    }
    return {};
  }

  Result<LayerProgram> lower_with(const Layer& layer, unsigned workers) const {
    const LoweringContext context{model_, part_, workers};
    const ir::Op& op = model_.ops[static_cast<std::size_t>(layer.op)];
    auto program = layer.copy ? lower_copy(context, layer.copy->first, layer.copy->second)
                              : kernel_of(op.kind)->lower(context, op);
    if (program) return program;
    return fail(program.error().code, "{}: {}", describe_op(model_, layer.op), program.error().message);
  }

  Status lower() {
    const unsigned tecs = part_.tecs_per_core;
    for (Layer& layer : layers_) {
      ZYNPU_ASSIGN_OR_RETURN(layer.core, lower_with(layer, tecs));
      if (!is_x2()) continue;
      // One worker pays when a boundary costs more; twelve when the work is worth two more boundaries.
      const std::uint64_t core = cost_of(layer.core);
      if (core < 2 * kBoundaryCycles)
        if (auto one = lower_with(layer, 1)) layer.one = std::move(*one);
      if (core > kBoundaryCycles && part_.cores > 1)
        if (auto all = lower_with(layer, part_.cores * tecs)) layer.all = std::move(*all);
    }
    if (!is_x2()) return {};
    std::vector<LayerCost> costs;
    for (const Layer& layer : layers_)
      costs.push_back({cost_of(layer.one), cost_of(layer.core), cost_of(layer.all)});
    const std::vector<Sharing> sharing = choose_sharing(costs, meetings_);
    for (std::size_t i = 0; i < layers_.size(); ++i) layers_[i].sharing = sharing[i];
    return {};
  }

  Result<TemporaryPlan> place() const {
    std::map<int, LiveRange> live;
    const auto touch = [&](int tensor, int layer) {
      if (tensor == ir::kAbsent || model_.tensors[static_cast<std::size_t>(tensor)].is_constant()) return;
      const int home = homes_.home(tensor);
      if (homes_.external(home)) return;
      const auto bytes = static_cast<std::uint64_t>(model_.tensors[static_cast<std::size_t>(tensor)].bytes());
      const auto [entry, is_new] = live.try_emplace(home, LiveRange{home, bytes, layer, layer});
      entry->second.last = layer;
      entry->second.bytes = std::max(entry->second.bytes, bytes);
    };
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const ir::Op& op = model_.ops[static_cast<std::size_t>(layers_[i].op)];
      for (const int tensor : op.inputs) touch(tensor, static_cast<int>(i));
      for (const int tensor : op.outputs) touch(tensor, static_cast<int>(i));
    }
    std::vector<LiveRange> ranges;
    for (const auto& [home, range] : live) ranges.push_back(range);
    return place_temporaries(std::move(ranges), 0x7FFFFFFF);
  }

  // Number of a layer's code among the codes of one image; equal codes are stored once.
  static unsigned code_number(std::vector<const Fragment*>& codes, const Fragment& code) {
    for (std::size_t i = 0; i < codes.size(); ++i)
      if (codes[i]->bundles == code.bundles) return static_cast<unsigned>(i);
    codes.push_back(&code);
    return static_cast<unsigned>(codes.size() - 1);
  }

  // Appends an image to the text; returns its offset.
  Result<std::uint32_t> add_image(const ProgramCode& program, const std::vector<int>& op_of_code) {
    graph::Bytes& text = out_.graph.text;
    text.resize((text.size() + kImageAlign - 1) / kImageAlign * kImageAlign);
    const auto base = static_cast<std::uint32_t>(text.size());
    ZYNPU_ASSIGN_OR_RETURN(const std::vector<std::uint8_t> bytes, encode_bundles(program.bundles));
    text.insert(text.end(), bytes.begin(), bytes.end());
    std::uint32_t at = base;
    const auto add_range = [&](std::uint32_t end, int op) {
      if (end > at) out_.source_map.push_back({0, at, end, op});
      at = end;
    };
    for (const ProgramCode::Range& range : program.ranges) {
      add_range(base + range.begin * isa::kBundleBytes, -1);
      add_range(base + range.end * isa::kBundleBytes, op_of_code[static_cast<std::size_t>(range.code)]);
    }
    add_range(static_cast<std::uint32_t>(text.size()), -1);
    return base;
  }

  struct Image {
    std::uint32_t text = 0;
    std::vector<ProgramLayer> layers;
  };
  Result<Image> image_of(std::size_t first, std::size_t last, StartMode mode, bool meet) {
    Image image;
    std::vector<const Fragment*> codes;
    std::vector<int> ops;
    for (std::size_t i = first; i < last; ++i) {
      const LayerProgram& program = layers_[i].program();
      const unsigned code = code_number(codes, program.code);
      if (code == ops.size()) {
        ops.push_back(layers_[i].op);
        layers_[i].cold_cycles = kColdBundle * program.code.bundles.size();
      }
      image.layers.push_back({&program, code});
    }
    ZYNPU_ASSIGN_OR_RETURN(const ProgramCode code, make_program(mode, codes, meet, part_.tecs_per_core));
    ZYNPU_ASSIGN_OR_RETURN(image.text, add_image(code, ops));
    return image;
  }

  Status emit_single() {
    const bool meet = part_.tecs_per_core > 1;
    ZYNPU_ASSIGN_OR_RETURN(const Image image, image_of(0, layers_.size(), StartMode::kDirect, meet));
    parameters_.add(image.layers, 0);
    out_.graph.entry = image.text;
    return {};
  }

  void add_group(std::uint32_t text, std::uint32_t rodata, std::int32_t precursors) {
    graph::SubGraph sub;
    sub.text_offset = text;
    sub.rodata_offset = rodata;
    sub.rodata_size = parameters_.size() - rodata;
    sub.private_data_size = 4096;
    sub.precursor_count = precursors;
    out_.graph.subgraphs.push_back(std::move(sub));
  }

  Status add_barrier() {
    if (!empty_image_) {
      ZYNPU_ASSIGN_OR_RETURN(const ProgramCode program, make_empty_program());
      ZYNPU_ASSIGN_OR_RETURN(empty_image_, add_image(program, {}));
    }
    // It reads no parameters, but its address must lie in the block.
    add_group(*empty_image_, 0, -1);
    return {};
  }

  // Whether a layer may share the group of the one before it.
  bool joins(Sharing before, Sharing now) const {
    if (meetings_) return before != Sharing::kAllCores && now != Sharing::kAllCores;
    return before == Sharing::kOneTec && now == Sharing::kOneTec;
  }

  Status emit_groups() {
    bool open = false;  // groups of an operator on all cores wait for a barrier to close them
    for (std::size_t i = 0; i < layers_.size();) {
      std::size_t end = i + 1;
      bool one_tec = layers_[i].sharing == Sharing::kOneTec;  // which needs to meet nobody
      for (; end < layers_.size() && joins(layers_[end - 1].sharing, layers_[end].sharing); ++end)
        one_tec = one_tec && layers_[end].sharing == Sharing::kOneTec;
      ZYNPU_ASSIGN_OR_RETURN(const Image image, image_of(i, end, StartMode::kTask, end - i > 1 && !one_tec));
      if (layers_[i].sharing == Sharing::kAllCores) {
        ZYNPU_TRY(add_barrier());
        for (unsigned core = 0; core < part_.cores; ++core)
          add_group(image.text, parameters_.add(image.layers, core * part_.tecs_per_core), 0);
        open = true;
      } else {
        const std::int32_t precursors = out_.graph.subgraphs.empty() ? 0 : -1;
        add_group(image.text, parameters_.add(image.layers, 0), precursors);
        open = false;
      }
      i = end;
    }
    if (open) ZYNPU_TRY(add_barrier());
    out_.graph.crodata.assign(part::kCacheLineBytes, 0);  // the constant pool must be a valid page
    return {};
  }

  const ir::Graph& model_;
  const graph::Step& step_;
  const part::Part& part_;
  const bool meetings_;
  TensorHomes homes_;
  ParameterBlocks parameters_;
  std::vector<Layer> layers_;
  std::optional<std::uint32_t> empty_image_;
  NpuGraph out_;
};

}  // namespace

Result<NpuGraph> build_npu_graph(const ir::Graph& model, const graph::Step& step, const part::Part& part,
                                 const Options& options) {
  return GraphBuilder(model, step, part, options).run();
}

}  // namespace zynpu::compiler
