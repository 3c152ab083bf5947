// SPDX-License-Identifier: MIT
// zynpu bench: host time of every stage, and modelled cost of every layer.
#include <algorithm>
#include <chrono>
#include <memory>
#include <random>

#include "command.h"
#include "compiler/compiler.h"
#include "inputs.h"
#include "report.h"
#include "runtime/devices.h"
#include "runtime/file.h"
#include "runtime/job.h"
#include "runtime/program.h"

namespace zynpu::tools {
namespace {

struct Options {
  std::string model, part;
  unsigned runs = 10;
  bool json = false, csv = false, gsram_barriers = false;
};

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

struct Stage {
  const char* name;
  double ms;
};

// Of run times: the p95 is the smallest that at least 95 % do not exceed.
struct Spread {
  double min, median, p95, max;
};

Spread spread(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  const std::size_t n = times.size();
  const double median = n % 2 == 1 ? times[n / 2] : (times[n / 2 - 1] + times[n / 2]) / 2;
  return {times.front(), median, times[(n * 95 + 99) / 100 - 1], times.back()};
}

// Reproducible bytes, so that data-dependent timing is the same every time.
void fill_inputs(runtime::Job& job) {
  std::minstd_rand random(1);
  for (std::size_t i = 0; i < job.program().model().inputs.size(); ++i)
    for (std::uint8_t& byte : job.input(i)) byte = static_cast<std::uint8_t>(random() >> 16);
}

void print_json(const Options& options, const runtime::Job& job, const std::vector<Stage>& stages,
                const Spread& runs) {
  const runtime::Program& program = job.program();
  const part::Part& part = program.context().part();
  Json json;
  json["model"] = options.model;
  json["device"] = program.context().device_name();
  for (const Stage& stage : stages) json["stages_ms"][stage.name] = stage.ms;
  json["runs"] = options.runs;
  json["run_ms"] = Json{{"min", runs.min}, {"median", runs.median}, {"p95", runs.p95}, {"max", runs.max}};
  json["run"] = cost_json(job.profile());
  Json layers = layers_json(program.plan(), &job.profile());
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const graph::Placement& placement = program.plan().placements[i];
    if (!job.profile().layers[i].own_code) continue;
    const double rate = macs_per_cycle_per_tec(placement.macs, job.profile().layers[i].cost.cycles, part);
    layers[i]["macs_per_cycle_per_tec"] = rate;
    layers[i]["utilisation"] = rate / kPeakMacsPerCycle;
  }
  json["layers"] = std::move(layers);
  fmt::print("{}\n", json.dump(2));
}

void print_csv(const runtime::Job& job, const std::vector<Stage>& stages, const Spread& runs) {
  const runtime::Program& program = job.program();
  const part::Part& part = program.context().part();
  fmt::print(
      "kind,name,placement,macs,predicted_cycles,modelled_cycles,macs_per_cycle_per_tec,utilisation,bundles,"
      "dma_bytes,"
      "host_ms\n");
  for (const Stage& stage : stages) fmt::print("stage,{},,,,,,,,,{:.6f}\n", stage.name, stage.ms);
  for (const auto& [name, ms] : {std::pair{"run_min", runs.min},
                                 {"run_median", runs.median},
                                 {"run_p95", runs.p95},
                                 {"run_max", runs.max}})
    fmt::print("stage,{},,,,,,,,,{:.6f}\n", name, ms);
  for (std::size_t i = 0; i < program.plan().placements.size(); ++i) {
    const graph::Placement& placement = program.plan().placements[i];
    const runtime::LayerProfile& layer = job.profile().layers[i];
    fmt::print("layer,{},{},{},{},", placement.name, placement.npu ? "npu" : "cpu", placement.macs,
               placement.predicted_cycles);
    if (layer.own_code) {
      const double rate = macs_per_cycle_per_tec(placement.macs, layer.cost.cycles, part);
      fmt::print("{},{:.4f},{:.6f},{},{},", layer.cost.cycles, rate, rate / kPeakMacsPerCycle,
                 layer.cost.bundles, layer.cost.dma_bytes);
    } else {
      fmt::print(",,,,,");
    }
    fmt::print("{:.6f}\n", layer.host_ms);
  }
}

void print_text(const Options& options, const runtime::Job& job, const std::vector<Stage>& stages,
                const Spread& runs) {
  const runtime::Program& program = job.program();
  const part::Part& part = program.context().part();
  fmt::print("{} on {}\n", options.model, program.context().device_name());
  for (const Stage& stage : stages) fmt::print("{:<8} {:>10.3f} ms\n", stage.name, stage.ms);
  fmt::print("{:<8} {:>10.3f} ms min, {:.3f} median, {:.3f} p95, {:.3f} max of {} runs\n", "run", runs.min,
             runs.median, runs.p95, runs.max, options.runs);
  std::int64_t macs = 0;
  for (const graph::Placement& placement : program.plan().placements)
    macs += placement.npu ? placement.macs : 0;
  const std::uint64_t cycles = job.profile().total.cycles;
  const double rate = macs_per_cycle_per_tec(macs, cycles, part);
  fmt::print(
      "{} modelled cycles ({:.3f} ms at 1.2 GHz), {:.2f} MACs per cycle and TEC, {:.1f} % of the peak of "
      "{}\n",
      cycles, modelled_ms(cycles), rate, 100 * rate / kPeakMacsPerCycle, kPeakMacsPerCycle);
  print_layers(program.plan(), part, &job.profile());
}

Result<int> bench(const Options& options) {
  std::vector<Stage> stages;
  Clock::time_point begin = Clock::now();
  const auto stage = [&](const char* name) {
    stages.push_back({name, milliseconds_since(begin)});
    begin = Clock::now();
  };
  ZYNPU_ASSIGN_OR_RETURN(const std::vector<std::uint8_t> file, runtime::read_file(options.model));
  ZYNPU_ASSIGN_OR_RETURN(const std::string device, choose_device(options.part, "", file));
  ZYNPU_ASSIGN_OR_RETURN(std::shared_ptr<runtime::Backend> backend, runtime::open_device(device));
  const auto context = std::make_shared<runtime::Context>(device, std::move(backend));
  stage("open");
  graph::HostPlan plan;
  if (runtime::is_container(file)) {
    ZYNPU_ASSIGN_OR_RETURN(plan, graph::read_model(file));
    stage("read");
  } else {
    ZYNPU_ASSIGN_OR_RETURN(const ir::Graph model,
                           compiler::import_tflite(file, runtime::stem(options.model)));
    stage("import");
    ZYNPU_ASSIGN_OR_RETURN(plan,
                           compiler::compile(model, context->part(),
                                             {.gsram_barriers = options.gsram_barriers, .dump_after = {}}));
    stage("compile");
  }
  ZYNPU_ASSIGN_OR_RETURN(const std::shared_ptr<const runtime::Program> program,
                         runtime::Program::load(context, std::move(plan)));
  ZYNPU_ASSIGN_OR_RETURN(const std::unique_ptr<runtime::Job> job, runtime::Job::create(program));
  stage("load");
  fill_inputs(*job);
  std::vector<double> times;
  Progress progress;
  for (unsigned i = 0; i < options.runs; ++i) {
    progress.show(fmt::format("run {} of {}", i + 1, options.runs));
    begin = Clock::now();
    ZYNPU_TRY(job->run());
    times.push_back(milliseconds_since(begin));
  }
  progress.clear();
  const Spread runs = spread(times);
  if (options.json)
    print_json(options, *job, stages, runs);
  else if (options.csv)
    print_csv(*job, stages, runs);
  else
    print_text(options, *job, stages, runs);
  return kExitOk;
}

}  // namespace

void add_bench(CLI::App& app, Action& action) {
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("bench", "Measure compile, load and run time, and modelled cycles by layer");
  command->add_option("MODEL", options->model, "TFLite model or compiled graph")->required();
  command->add_option("--part", options->part,
                      "Part: z1, z2, x2 (default x2, or the one a graph was compiled for)");
  command->add_option("--runs", options->runs, "Number of runs")
      ->check(CLI::Range(1u, 1000000u))
      ->capture_default_str();
  CLI::Option* json = command->add_flag("--json", options->json, "Print one JSON document");
  command->add_flag("--csv", options->csv, "Print comma-separated values")->excludes(json);
  add_gsram_barriers(*command, options->gsram_barriers);
  command->callback([options, &action] { action = [options] { return bench(*options); }; });
}

}  // namespace zynpu::tools
