// SPDX-License-Identifier: MIT
// Compiles operators for one part, runs them on the virtual NPU and compares with reference::Interpreter,
// without the runtime: buffers are placed here, host registers are driven here.
//
//   ir::Graph graph = ...;                        // e.g. from graph_maker.h
//   EXPECT_TRUE(same_as_reference(graph, "x2"));  // random inputs; on failure the message names part and
//   bytes
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "compiler/emit/npu_graph.h"
#include "graph/layout.h"
#include "ir/graph.h"
#include "part/part.h"
#include "part/registers_x2.h"
#include "part/registers_z.h"
#include "reference/reference.h"
#include "vnpu/device.h"

namespace zynpu::compiler::test {

// Memory from bus address 0 on.
class VectorBus : public vnpu::Bus {
 public:
  explicit VectorBus(std::size_t bytes) : memory(bytes, 0xA5) {}
  bool read(std::uint64_t address, std::span<std::uint8_t> data) override {
    if (!holds(address, data.size())) return false;
    std::memcpy(data.data(), memory.data() + address, data.size());
    return true;
  }
  bool write(std::uint64_t address, std::span<const std::uint8_t> data) override {
    if (!holds(address, data.size())) return false;
    std::memcpy(memory.data() + address, data.data(), data.size());
    return true;
  }
  std::uint8_t* direct(std::uint64_t address, std::uint64_t bytes) override {
    return holds(address, bytes) ? memory.data() + address : nullptr;
  }
  void set_irq(bool) override {}

  void put(std::uint64_t address, std::uint32_t word) { std::memcpy(memory.data() + address, &word, 4); }

  std::vector<std::uint8_t> memory;

 private:
  bool holds(std::uint64_t address, std::uint64_t bytes) const {
    return bytes <= memory.size() && address <= memory.size() - bytes;
  }
};

using Values = std::vector<std::vector<std::uint8_t>>;

struct NpuRun {
  Values outputs;
  vnpu::Counters counters;
  std::vector<vnpu::TaskRecord> tasks;
  std::vector<vnpu::Counters> regions;  // of each bundle of the text, if asked for
};

// A step of all operators of `graph`.
inline graph::Step whole_step(const ir::Graph& graph) {
  graph::Step step;
  step.npu = true;
  step.graph = 0;
  step.ops.resize(graph.ops.size());
  std::iota(step.ops.begin(), step.ops.end(), 0);
  step.inputs = graph.inputs;
  step.outputs = graph.outputs;
  return step;
}

// Runs a built graph once. With `profile` also counts what each bundle costs.
inline Result<NpuRun> run_graph(const graph::Graph& npu, const part::Part& part, const Values& inputs,
                                bool profile = false) {
  ZYNPU_TRY(graph::validate(npu));
  graph::LayoutOptions options;
  options.tecs_per_core = part.tecs_per_core;
  ZYNPU_ASSIGN_OR_RETURN(const graph::Layout layout, graph::make_layout(npu, options));
  std::vector<std::uint64_t> at;
  std::uint64_t cursor = 0x10000;
  for (const graph::BufferRequest& request : layout.buffers) {
    cursor = (cursor + request.alignment - 1) / request.alignment * request.alignment;
    at.push_back(cursor);
    cursor += request.size + 4096;
  }
  const std::uint64_t chain = (cursor + 4095) / 4096 * 4096;
  const std::uint64_t chain_bytes = 128 * (3 + npu.subgraphs.size() * part.tecs_per_core);
  VectorBus bus(chain + chain_bytes + (1U << 16));
  const auto span_of = [&](unsigned buffer) {
    return std::span(bus.memory).subspan(at[buffer], layout.buffers[buffer].size);
  };
  const auto fill = [&](graph::BufferKind kind, const graph::Bytes& bytes) {
    if (const auto buffer = layout.find(kind); buffer && !bytes.empty())
      std::memcpy(span_of(*buffer).data(), bytes.data(), bytes.size());
  };
  fill(graph::BufferKind::kText, npu.text);
  fill(graph::BufferKind::kConstants, npu.crodata);
  fill(graph::BufferKind::kParameters, npu.rodata);
  for (unsigned i = 0; i < layout.buffers.size(); ++i) {
    if (layout.buffers[i].kind == graph::BufferKind::kWeights)
      ZYNPU_TRY(graph::fill_static(npu, layout, i, span_of(i)));
    if (layout.buffers[i].kind == graph::BufferKind::kPrivateData)
      std::fill(span_of(i).begin(), span_of(i).end(), std::uint8_t{0});
  }
  const unsigned parameters = *layout.find(graph::BufferKind::kParameters),
                 text = *layout.find(graph::BufferKind::kText);
  graph::Blocks blocks;
  blocks.parameters = span_of(parameters).first(npu.rodata.size());
  blocks.text = span_of(text).first(npu.text.size());
  ZYNPU_TRY(graph::apply(layout, at, blocks));
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const graph::Place& place = layout.inputs.at(i).place;
    std::memcpy(bus.memory.data() + at[place.buffer] + place.offset, inputs[i].data(), inputs[i].size());
  }

  vnpu::Options device_options;
  device_options.max_bundles_per_task = 400'000'000;
  ZYNPU_ASSIGN_OR_RETURN(auto device, vnpu::Device::create(part, bus, device_options));
  if (profile) {
    std::vector<vnpu::Region> regions;
    for (std::uint32_t offset = 0; offset < npu.text.size(); offset += 16) {
      const auto begin = static_cast<std::uint32_t>(at[text] + offset);
      regions.push_back({begin, begin + 16});
    }
    device->set_regions(regions);
  }
  if (part.host_interface == part::HostInterface::kTsm) {
    using namespace part::x2;
    const auto task = [&](std::size_t group, unsigned t) {
      return chain + 128 * (3 + group * part.tecs_per_core + t);
    };
    std::fill_n(bus.memory.begin() + static_cast<std::ptrdiff_t>(chain), chain_bytes, std::uint8_t{0});
    bus.put(chain, 0x30000);
    bus.put(chain + 4, static_cast<std::uint32_t>(task(0, 0)));
    bus.put(chain + 48, 0x60);
    bus.put(chain + 56, 0x60);
    for (const unsigned segment : {1U, 2U}) {
      bus.put(chain + 128 * segment + 24, 0x31);
      bus.put(chain + 128 * segment + 88, 0x31);
    }
    for (std::size_t g = 0; g < npu.subgraphs.size(); ++g)
      for (unsigned t = 0; t < part.tecs_per_core; ++t) {
        const std::uint64_t tcb = task(g, t);
        const bool end = t + 1 == part.tecs_per_core, last = end && g + 1 == npu.subgraphs.size();
        const std::uint32_t dependency = t == 0 && npu.subgraphs[g].precursor_count == -1 ? 0x20 : 0;
        const graph::GroupPlace& place = layout.groups[g];
        bus.put(tcb, 1U | dependency | (end ? 0x40U : 0U) | (last ? 0x80U : 0U));
        bus.put(tcb + 4, last ? 0 : static_cast<std::uint32_t>(tcb + 128));
        bus.put(tcb + 12, static_cast<std::uint32_t>(at[text] + npu.subgraphs[g].text_offset));
        bus.put(tcb + 16, 0x73D);
        bus.put(tcb + 24, t << 16);
        bus.put(tcb + 28, 0x00010001);
        bus.put(tcb + 32, 1U | part.tecs_per_core << 16);
        bus.put(tcb + 36, 0x00010001);
        bus.put(tcb + 40, 1);
        bus.put(tcb + 44, t << 16);
        bus.put(tcb + 52, static_cast<std::uint32_t>(at[place.stack] + (t + 1) * place.stack_bytes));
        bus.put(tcb + 56, static_cast<std::uint32_t>(at[parameters] + npu.subgraphs[g].rodata_offset));
        bus.put(tcb + 60, static_cast<std::uint32_t>(at[place.private_data] + t * place.private_bytes));
        bus.put(tcb + 64, static_cast<std::uint32_t>(at[*layout.find(graph::BufferKind::kConstants)]));
        bus.put(tcb + 108, static_cast<std::uint32_t>(tcb));
      }
    device->write32(kClusterBase + kClusterControl,
                    (device->read32(kClusterBase + kClusterConfig) & 0xFFF) | kClusterEnable);
    device->write32(kPoolBase + kPoolConfig, 0);
    device->write32(kPoolBase + kPoolSecure, 1);
    device->write32(kPoolBase + kPoolIntrCtrl, kTecLevel | kCoreLevel | kClusterLevel | kTypes);
    device->write32(kHandle, static_cast<std::uint32_t>(Command::kCreate) | kHandleMapAll);
    device->write32(kAddrHigh, 0);
    device->write32(kAddrLow, static_cast<std::uint32_t>(chain));
    device->write32(kInfo, 1);
    device->write32(kHandle, static_cast<std::uint32_t>(Command::kDispatch));
  } else {
    namespace z = part::z;
    device->write32(z::kDataAddr0, static_cast<std::uint32_t>(at[parameters]));
    device->write32(z::kDataAddr1, static_cast<std::uint32_t>(at[*layout.find(graph::BufferKind::kStack)]));
    if (part.host_interface == part::HostInterface::kFlatAse)
      for (unsigned n = 0; n < z::kAses; ++n)
        device->write32(z::kAseCtrl + n * z::kAseStride, z::kAseRead | z::kAseWrite);
    device->write32(z::kStartPc, static_cast<std::uint32_t>(at[text] + npu.entry) | z::kStart);
  }
  device->run();
  if (!device->diagnostic().message.empty())
    return fail(ErrorCode::kDeviceFault, "{}", device->diagnostic().message);
  NpuRun run;
  for (const graph::TensorPlace& output : layout.outputs) {
    const auto from =
        bus.memory.begin() + static_cast<std::ptrdiff_t>(at[output.place.buffer] + output.place.offset);
    run.outputs.emplace_back(from, from + static_cast<std::ptrdiff_t>(output.place.size));
  }
  run.counters = device->counters();
  run.tasks = device->tasks();
  if (profile) run.regions.assign(device->region_counters().begin(), device->region_counters().end());
  return run;
}

inline Values random_inputs(const ir::Graph& graph, unsigned seed) {
  std::mt19937 random(seed);
  Values inputs;
  for (const int input : graph.inputs) {
    std::vector<std::uint8_t> bytes(
        static_cast<std::size_t>(graph.tensors[static_cast<std::size_t>(input)].bytes()));
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
    inputs.push_back(std::move(bytes));
  }
  return inputs;
}

inline Result<Values> run_reference(const ir::Graph& graph, const Values& inputs) {
  ZYNPU_ASSIGN_OR_RETURN(auto interpreter, reference::Interpreter::create(graph));
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto memory = interpreter->tensor(graph.inputs[i]);
    std::memcpy(memory.data(), inputs[i].data(), inputs[i].size());
  }
  ZYNPU_TRY(interpreter->run());
  Values outputs;
  for (const int output : graph.outputs) {
    const auto memory = interpreter->tensor(output);
    outputs.emplace_back(memory.begin(), memory.end());
  }
  return outputs;
}

// Builds all of `graph` for the part, runs it on random inputs, compares every byte. `counters`, if given,
// receives what the run cost.
inline ::testing::AssertionResult same_as_reference(const ir::Graph& graph, std::string_view part_name,
                                                    unsigned seed = 1, vnpu::Counters* counters = nullptr) {
  const part::Part& part = *part::find(part_name);
  const auto failed = [&](const char* what, const std::string& why) {
    return ::testing::AssertionFailure()
           << graph.name << " on " << std::string(part_name) << ": " << what << ": " << why;
  };
  auto built = build_npu_graph(graph, whole_step(graph), part, {});
  if (!built) return failed("does not build", built.error().message);
  const Values inputs = random_inputs(graph, seed);
  auto run = run_graph(built->graph, part, inputs);
  if (!run) return failed("does not run", run.error().message);
  auto expected = run_reference(graph, inputs);
  if (!expected) return failed("reference", expected.error().message);
  if (counters != nullptr) *counters = run->counters;
  for (std::size_t o = 0; o < expected->size(); ++o) {
    const auto& want = (*expected)[o];
    const auto& got = run->outputs.at(o);
    if (want == got) continue;
    std::size_t wrong = 0, first = want.size();
    for (std::size_t i = 0; i < want.size(); ++i)
      if (want[i] != got[i]) {
        first = std::min(first, i);
        ++wrong;
      }
    return failed("differs",
                  fmt::format("output {}: {} of {} bytes, first at {}: {} instead of {}", o, wrong,
                              want.size(), first, static_cast<int>(static_cast<std::int8_t>(got[first])),
                              static_cast<int>(static_cast<std::int8_t>(want[first]))));
  }
  return ::testing::AssertionSuccess();
}

}  // namespace zynpu::compiler::test
