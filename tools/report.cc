// SPDX-License-Identifier: MIT
#include "report.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

namespace zynpu::tools {

std::string tensor_text(const ir::Tensor& tensor) {
  std::string text = fmt::format("{} [{}]", ir::to_string(tensor.type), fmt::join(tensor.shape, ", "));
  if (tensor.quant.per_channel())
    text += fmt::format(", {} scales on axis {}", tensor.quant.scale.size(), tensor.quant.axis);
  else if (tensor.quant.present())
    text += fmt::format(", scale {:.9g}, zero point {}", tensor.quant.scale[0],
                        tensor.quant.zero_point.empty() ? 0 : tensor.quant.zero_point[0]);
  return text;
}

Json tensor_json(const ir::Tensor& tensor) {
  Json json;
  json["name"] = tensor.name;
  json["type"] = ir::to_string(tensor.type);
  json["shape"] = tensor.shape;
  json["layout"] = tensor.shape.size() == 4 ? "NHWC" : "dense";
  json["bytes"] = tensor.bytes();
  if (tensor.quant.present()) {
    json["scale"] = tensor.quant.scale[0];
    json["zero_point"] = tensor.quant.zero_point.empty() ? 0 : tensor.quant.zero_point[0];
  }
  return json;
}

double macs_per_cycle_per_tec(std::int64_t macs, std::uint64_t cycles, const part::Part& part) {
  if (cycles == 0) return 0;
  return static_cast<double>(macs) / static_cast<double>(cycles) / part.tecs();
}

double modelled_ms(std::uint64_t cycles) {
  constexpr double kCyclesPerMs = 1.2e6;
  return static_cast<double>(cycles) / kCyclesPerMs;
}

Json layers_json(const graph::HostPlan& plan, const runtime::RunProfile* profile) {
  Json layers = Json::array();
  for (std::size_t i = 0; i < plan.placements.size(); ++i) {
    const graph::Placement& placement = plan.placements[i];
    Json layer;
    layer["name"] = placement.name;
    layer["placement"] = placement.npu ? "npu" : "cpu";
    if (!placement.npu) layer["reason"] = placement.reason;
    layer["macs"] = placement.macs;
    layer["predicted_cycles"] = placement.predicted_cycles;
    if (profile != nullptr) {
      const runtime::LayerProfile& measured = profile->layers[i];
      if (placement.npu) layer["own_code"] = measured.own_code;
      if (measured.own_code) {
        layer["modelled_cycles"] = measured.cost.cycles;
        layer["bundles"] = measured.cost.bundles;
        layer["issued_macs"] = measured.cost.macs;
        layer["dma_bytes"] = measured.cost.dma_bytes;
      }
      layer["host_ms"] = measured.host_ms;
    }
    layers.push_back(std::move(layer));
  }
  return layers;
}

Json cost_json(const runtime::RunProfile& profile) {
  Json json;
  json["modelled_cycles"] = profile.total.cycles;
  json["modelled_ms"] = modelled_ms(profile.total.cycles);
  json["bundles"] = profile.total.bundles;
  json["issued_macs"] = profile.total.macs;
  json["dma_bytes"] = profile.total.dma_bytes;
  json["host_ms"] = profile.host_ms;
  return json;
}

void print_layers(const graph::HostPlan& plan, const part::Part& part, const runtime::RunProfile* profile) {
  std::size_t width = 5;
  for (const graph::Placement& placement : plan.placements) width = std::max(width, placement.name.size());
  if (profile != nullptr)
    fmt::print("{:<{}}  on   {:>11} {:>10} {:>10} {:>9} {:>6} {:>10} {:>9}\n", "layer", width, "MACs",
               "predicted", "cycles", "MAC/cy/T", "util", "DMA bytes", "host ms");
  else
    fmt::print("{:<{}}  on   {:>11} {:>10}\n", "layer", width, "MACs", "predicted");
  for (std::size_t i = 0; i < plan.placements.size(); ++i) {
    const graph::Placement& placement = plan.placements[i];
    fmt::print("{:<{}}  {}  {:>11}", placement.name, width, placement.npu ? "npu" : "cpu", placement.macs);
    if (placement.npu)
      fmt::print(" {:>10}", placement.predicted_cycles);
    else
      fmt::print(" {:>10}", "-");
    if (profile != nullptr) {
      const runtime::LayerProfile& measured = profile->layers[i];
      if (measured.own_code) {
        const double rate = macs_per_cycle_per_tec(placement.macs, measured.cost.cycles, part);
        fmt::print(" {:>10} {:>9.2f} {:>5.1f}% {:>10} {:>9}", measured.cost.cycles, rate,
                   100 * rate / kPeakMacsPerCycle, measured.cost.dma_bytes, "-");
      } else {
        fmt::print(" {:>10} {:>9} {:>6} {:>10} ", "-", "-", "-", "-");
        if (placement.npu)
          fmt::print("{:>9}  no code of its own: free, or counted for an earlier layer with the same code",
                     "-");
        else
          fmt::print("{:>9.3f}", measured.host_ms);
      }
    }
    fmt::print("{}{}\n", placement.reason.empty() ? "" : "  ", placement.reason);
  }
}

Progress::Progress() : terminal_(isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() { clear(); }

void Progress::show(const std::string& text) {
  if (!terminal_) return;
  fmt::print(stderr, "\r\033[K{}", text);
  shown_ = true;
}

void Progress::clear() {
  if (shown_) fmt::print(stderr, "\r\033[K");
  shown_ = false;
}

}  // namespace zynpu::tools
