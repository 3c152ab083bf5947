// SPDX-License-Identifier: MIT
// zynpu info: what a model or a compiled graph holds.
#include <algorithm>
#include <array>
#include <map>
#include <memory>

#include "command.h"
#include "compiler/compiler.h"
#include "graph/layout.h"
#include "graph/plan.h"
#include "inputs.h"
#include "report.h"
#include "runtime/devices.h"
#include "runtime/file.h"
#include "runtime/program.h"

namespace zynpu::tools {
namespace {

struct Options {
  std::string file;
  bool json = false;
};

std::string sub_section_type(graph::SubSectionType type) {
  switch (type) {
    case graph::SubSectionType::kInput:
      return "input";
    case graph::SubSectionType::kOutput:
      return "output";
    case graph::SubSectionType::kInterDump:
      return "dump";
    case graph::SubSectionType::kIntermediate:
      return "intermediate";
    case graph::SubSectionType::kConstant:
      return "constant";
    case graph::SubSectionType::kProfiler:
      return "profiler";
    case graph::SubSectionType::kPrintf:
      return "printf";
    case graph::SubSectionType::kLayerCounter:
      return "layer counter";
    case graph::SubSectionType::kErrorCode:
      return "error code";
    case graph::SubSectionType::kZeroCopyConstant:
      return "zero-copy constant";
    case graph::SubSectionType::kOutputShape:
      return "output shape";
    case graph::SubSectionType::kSegmentMmu:
      return "segment MMU";
  }
  return fmt::format("type {}", static_cast<std::uint32_t>(type));
}

Json section_json(std::uint64_t size, std::uint32_t align, const std::vector<graph::SubSection>& pieces) {
  Json section;
  section["bytes"] = size;
  section["align"] = align;
  section["pieces"] = Json::array();
  for (const graph::SubSection& piece : pieces)
    section["pieces"].push_back(Json{{"type", sub_section_type(piece.type)},
                                     {"id", piece.id},
                                     {"offset", piece.offset},
                                     {"bytes", piece.size},
                                     {"data_type", piece.data_type},
                                     {"scale", piece.scale},
                                     {"zero_point", piece.zero_point},
                                     {"addr_mask", piece.addr_mask},
                                     {"patched_words", piece.patch_offsets.size()}});
  return section;
}

Json graph_json(const graph::Graph& graph) {
  Json json;
  const auto target = graph::target_name(graph.device_word);
  json["target"] = target ? std::string(*target) : fmt::format("{:#010x}", graph.device_word);
  json["device_word"] = graph.device_word;
  json["build_version"] = graph.build_version;
  json["flags"] = graph.flags;
  json["virtual_profile"] = graph.virtual_profile;
  json["entry"] = graph.entry;
  json["sections"] = Json{{"text", graph.text.size()},
                          {"rodata", graph.rodata.size()},
                          {"dcr", graph.dcr.size()},
                          {"data", graph.data.size()},
                          {"const_rodata", graph.crodata.size()}};
  json["bss"] = Json::array();
  for (const graph::Bss& bss : graph.bss) {
    Json one;
    one["stack_bytes"] = bss.stack_size;
    one["static"] = Json::array();
    for (const graph::StaticSection& section : bss.static_sections)
      one["static"].push_back(section_json(section.size, section.align, section.sub_sections));
    one["reuse"] = Json::array();
    for (const graph::ReuseSection& section : bss.reuse_sections)
      one["reuse"].push_back(section_json(section.size, section.align, section.sub_sections));
    json["bss"].push_back(std::move(one));
  }
  json["remap_entries"] = graph.remap.size();
  json["subgraphs"] = Json::array();
  for (const graph::SubGraph& subgraph : graph.subgraphs)
    json["subgraphs"].push_back(Json{{"text_offset", subgraph.text_offset},
                                     {"bss", subgraph.bss},
                                     {"rodata_offset", subgraph.rodata_offset},
                                     {"rodata_bytes", subgraph.rodata_size},
                                     {"dcr_offset", subgraph.dcr_offset},
                                     {"dcr_bytes", subgraph.dcr_size},
                                     {"printf_bytes", subgraph.printf_fifo_size},
                                     {"profiler_offset", subgraph.profiler_offset},
                                     {"precursors", subgraph.precursor_count},
                                     {"private_bytes", subgraph.private_data_size},
                                     {"private_buffers", subgraph.private_buffers.size()}});
  json["shape_ranges"] = Json::array();
  for (const graph::ShapeRange& range : graph::shape_ranges(graph))
    json["shape_ranges"].push_back(Json{{"minimum", range.minimum}, {"maximum", range.maximum}});
  json["notes"] = Json::array();
  for (const graph::Note& note : graph.notes)
    json["notes"].push_back(Json{{"name", note.name}, {"bytes", note.desc.size()}});
  json["comment"] = graph.comment;
  return json;
}

// "1 printf, 2 error code": the pieces of feature-map sections that are neither ends nor temporaries.
std::string special_pieces(const graph::Graph& graph) {
  std::map<graph::SubSectionType, int> counts;
  for (const graph::Bss& bss : graph.bss)
    for (const graph::ReuseSection& section : bss.reuse_sections)
      for (const graph::SubSection& piece : section.sub_sections)
        if (piece.type != graph::SubSectionType::kInput && piece.type != graph::SubSectionType::kOutput &&
            piece.type != graph::SubSectionType::kIntermediate)
          ++counts[piece.type];
  std::string text;
  for (const auto& [type, count] : counts)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, sub_section_type(type));
  return text;
}

void print_graph(const graph::Graph& graph, std::size_t index, std::size_t count) {
  const auto target = graph::target_name(graph.device_word);
  fmt::print("graph {} of {}: for {}{}\n", index + 1, count,
             target ? std::string(*target) : fmt::format("{:#010x}", graph.device_word),
             graph.virtual_profile ? ", virtual profile: runs on the virtual NPU only" : "");
  fmt::print("  sections: text {}, rodata {}, dcr {}, data {}, const rodata {} bytes\n", graph.text.size(),
             graph.rodata.size(), graph.dcr.size(), graph.data.size(), graph.crodata.size());
  for (std::size_t b = 0; b < graph.bss.size(); ++b) {
    const graph::Bss& bss = graph.bss[b];
    std::uint64_t static_bytes = 0, reuse_bytes = 0;
    for (const graph::StaticSection& section : bss.static_sections) static_bytes += section.size;
    for (const graph::ReuseSection& section : bss.reuse_sections) reuse_bytes += section.size;
    fmt::print("  bss {}: {} static sections ({} bytes), {} reuse sections ({} bytes), stack {} bytes\n", b,
               bss.static_sections.size(), static_bytes, bss.reuse_sections.size(), reuse_bytes,
               bss.stack_size);
  }
  if (const std::string pieces = special_pieces(graph); !pieces.empty())
    fmt::print("  pieces with a purpose of their own: {}\n", pieces);
  if (!graph.remap.empty()) fmt::print("  remap: {} entries\n", graph.remap.size());
  if (const auto ranges = graph::shape_ranges(graph); !ranges.empty())
    for (std::size_t i = 0; i < ranges.size(); ++i)
      fmt::print("  input {} has a dynamic shape: ({}) to ({})\n", i, fmt::join(ranges[i].minimum, ", "),
                 fmt::join(ranges[i].maximum, ", "));
  if (!graph.subgraphs.empty())
    fmt::print("  sub-graphs: {}, of which {} wait for all before them\n", graph.subgraphs.size(),
               std::count_if(graph.subgraphs.begin(), graph.subgraphs.end(),
                             [](const graph::SubGraph& subgraph) { return subgraph.precursor_count < 0; }));
  for (const graph::Note& note : graph.notes)
    fmt::print("  note `{}`: {} bytes\n", note.name, note.desc.size());
  if (!graph.comment.empty()) fmt::print("  comment: {}\n", graph.comment);
}

Result<int> info(const Options& options) {
  ZYNPU_ASSIGN_OR_RETURN(const std::vector<std::uint8_t> file, runtime::read_file(options.file));
  const bool container = runtime::is_container(file);
  ZYNPU_ASSIGN_OR_RETURN(const part::Part* part, find_part("x2"));
  graph::HostPlan plan;
  ir::Graph model;  // what the file itself holds
  if (container) {
    ZYNPU_ASSIGN_OR_RETURN(plan, graph::read_model(file));
    model = plan.model;
    for (const part::Part& candidate : part::parts())
      if (!plan.graphs.empty() && plan.graphs[0].device_word == candidate.device_word) part = &candidate;
  } else {
    ZYNPU_ASSIGN_OR_RETURN(model, compiler::import_tflite(file, runtime::stem(options.file)));
    ZYNPU_ASSIGN_OR_RETURN(plan, compiler::compile(model, *part));
  }

  if (options.json) {
    Json json;
    json["file"] = options.file;
    json["kind"] = container ? "graph" : "model";
    json["bytes"] = file.size();
    json["name"] = model.name;
    for (const auto& [key, list] : {std::pair{"inputs", &model.inputs}, {"outputs", &model.outputs}}) {
      json[key] = Json::array();
      for (const int tensor : *list) json[key].push_back(tensor_json(model.tensors[tensor]));
    }
    json["tensors"] = model.tensors.size();
    json["operators"] = model.ops.size();
    json["placement_for"] = part->name;
    json["layers"] = layers_json(plan, nullptr);
    if (container) {
      json["graphs"] = Json::array();
      for (const graph::Graph& graph : plan.graphs) json["graphs"].push_back(graph_json(graph));
    }
    fmt::print("{}\n", json.dump(2));
    return kExitOk;
  }

  fmt::print("{}: {} of {} bytes, {} tensors, {} operators\n", options.file,
             container ? "compiled graph" : "TFLite model", file.size(), model.tensors.size(),
             model.ops.size());
  for (std::size_t i = 0; i < model.inputs.size(); ++i) {
    const ir::Tensor& tensor = model.tensors[model.inputs[i]];
    fmt::print("input {}   `{}`: {}, {} bytes\n", i, tensor.name, tensor_text(tensor), tensor.bytes());
  }
  for (std::size_t i = 0; i < model.outputs.size(); ++i) {
    const ir::Tensor& tensor = model.tensors[model.outputs[i]];
    fmt::print("output {}  `{}`: {}, {} bytes\n", i, tensor.name, tensor_text(tensor), tensor.bytes());
  }
  if (container)
    for (std::size_t i = 0; i < plan.graphs.size(); ++i) print_graph(plan.graphs[i], i, plan.graphs.size());
  if (plan.placements.empty())
    fmt::print("no layer information: the graph does not come from zynpu's compiler\n");
  else if (!container)
    fmt::print("placement on {}:\n", part->name);
  if (!plan.placements.empty()) print_layers(plan, *part, nullptr);
  return kExitOk;
}

}  // namespace

void add_info(CLI::App& app, Action& action) {
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("info", "Show tensors, sections and layer placement of a model or graph");
  command->add_option("FILE", options->file, "TFLite model or compiled graph")->required();
  command->add_flag("--json", options->json, "Print one JSON document");
  command->callback([options, &action] { action = [options] { return info(*options); }; });
}

}  // namespace zynpu::tools
