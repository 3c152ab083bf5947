// SPDX-License-Identifier: MIT
// zynpu.h: jobs, profiles, comparison.
#include "runtime/capi/handles.h"

using namespace zynpu;
using namespace zynpu::runtime;
using namespace zynpu::runtime::capi;

namespace {

Status require_idle(const zynpu_job* job) {
  ZYNPU_TRY(require(job, "job"));
  if (job->job->busy()) return fail(ErrorCode::kBusy, "the job is running; wait for it first");
  return {};
}

Status require_bytes(const ir::Tensor& tensor, const char* what, std::size_t index, std::size_t bytes) {
  if (bytes != static_cast<std::size_t>(tensor.bytes()))
    return fail(ErrorCode::kInvalidArgument, "{} {} (`{}`) has {} bytes, not {}", what, index, tensor.name,
                tensor.bytes(), bytes);
  return {};
}

}  // namespace

zynpu_status zynpu_job_create(zynpu_graph* graph, const zynpu_job_options* options, zynpu_job** job) {
  return guarded([&]() -> Status {
    ZYNPU_TRY(require(graph, "graph"));
    ZYNPU_TRY(require(job, "job"));
    ZYNPU_ASSIGN_OR_RETURN(const zynpu_job_options chosen, import_struct(options));
    auto created = std::make_unique<zynpu_job>();
    if (chosen.compare != 0) {
      ZYNPU_ASSIGN_OR_RETURN(created->comparator, Comparator::create(graph->program));
    }
    ZYNPU_ASSIGN_OR_RETURN(created->job, Job::create(graph->program, created->comparator));
    *job = created.release();
    return {};
  });
}

void zynpu_job_destroy(zynpu_job* job) { delete job; }

zynpu_status zynpu_job_set_input(zynpu_job* job, size_t index, const void* data, size_t bytes) {
  return guarded([&]() -> Status {
    ZYNPU_TRY(require_idle(job));
    ZYNPU_TRY(require(data, "data"));
    const Program& program = job->job->program();
    ZYNPU_TRY(require_index(index, program.model().inputs.size(), "input"));
    ZYNPU_TRY(require_bytes(program.input(index), "input", index, bytes));
    std::memcpy(job->job->input(index).data(), data, bytes);
    return {};
  });
}

zynpu_status zynpu_job_input_data(zynpu_job* job, size_t index, void** data, size_t* bytes) {
  return guarded([&]() -> Status {
    ZYNPU_TRY(require(job, "job"));
    ZYNPU_TRY(require(data, "data"));
    ZYNPU_TRY(require_index(index, job->job->program().model().inputs.size(), "input"));
    const std::span<std::uint8_t> memory = job->job->input(index);
    *data = memory.data();
    if (bytes != nullptr) *bytes = memory.size();
    return {};
  });
}

zynpu_status zynpu_job_run(zynpu_job* job) {
  return guarded([&]() -> Status {
    ZYNPU_TRY(require(job, "job"));
    return job->job->run();
  });
}

zynpu_status zynpu_job_submit(zynpu_job* job) {
  return guarded([&]() -> Status {
    ZYNPU_TRY(require(job, "job"));
    return job->job->submit();
  });
}

zynpu_status zynpu_job_wait(zynpu_job* job, int64_t timeout_ns) {
  return guarded([&]() -> Status {
    ZYNPU_TRY(require(job, "job"));
    return job->job->wait(timeout_ns);
  });
}

zynpu_status zynpu_job_cancel(zynpu_job* job) {
  return guarded([&]() -> Status {
    ZYNPU_TRY(require(job, "job"));
    job->job->cancel();
    return {};
  });
}

zynpu_status zynpu_job_get_output(zynpu_job* job, size_t index, void* data, size_t bytes) {
  return guarded([&]() -> Status {
    ZYNPU_TRY(require_idle(job));
    ZYNPU_TRY(require(data, "data"));
    const Program& program = job->job->program();
    ZYNPU_TRY(require_index(index, program.model().outputs.size(), "output"));
    ZYNPU_TRY(require_bytes(program.output(index), "output", index, bytes));
    std::memcpy(data, job->job->output(index).data(), bytes);
    return {};
  });
}

zynpu_status zynpu_job_output_data(zynpu_job* job, size_t index, const void** data, size_t* bytes) {
  return guarded([&]() -> Status {
    ZYNPU_TRY(require(job, "job"));
    ZYNPU_TRY(require(data, "data"));
    ZYNPU_TRY(require_index(index, job->job->program().model().outputs.size(), "output"));
    const std::span<const std::uint8_t> memory = job->job->output(index);
    *data = memory.data();
    if (bytes != nullptr) *bytes = memory.size();
    return {};
  });
}

zynpu_status zynpu_job_reset_state(zynpu_job* job) {
  return guarded([&]() -> Status {
    ZYNPU_TRY(require(job, "job"));
    return job->job->reset_state();
  });
}

zynpu_status zynpu_job_profile(const zynpu_job* job, zynpu_profile* profile) {
  return guarded([&]() -> Status {
    ZYNPU_TRY(require_idle(job));
    const RunProfile& run = job->job->profile();
    zynpu_profile value{};
    value.modelled = run.modelled ? 1 : 0;
    value.cycles = run.total.cycles;
    value.bundles = run.total.bundles;
    value.macs = run.total.macs;
    value.dma_bytes = run.total.dma_bytes;
    value.host_ms = run.host_ms;
    value.steps = static_cast<std::uint32_t>(run.steps.size());
    value.layers = static_cast<std::uint32_t>(run.layers.size());
    return export_struct(value, profile);
  });
}

zynpu_status zynpu_job_step_profile(const zynpu_job* job, size_t step, zynpu_step_profile* profile) {
  return guarded([&]() -> Status {
    ZYNPU_TRY(require_idle(job));
    const RunProfile& run = job->job->profile();
    ZYNPU_TRY(require_index(step, run.steps.size(), "step"));
    const graph::Step& planned = job->job->program().plan().steps[step];
    zynpu_step_profile value{};
    value.placement = planned.npu ? ZYNPU_PLACEMENT_NPU : ZYNPU_PLACEMENT_CPU;
    value.layers = static_cast<std::uint32_t>(planned.ops.size());
    value.cycles = run.steps[step].cost.cycles;
    value.bundles = run.steps[step].cost.bundles;
    value.macs = run.steps[step].cost.macs;
    value.dma_bytes = run.steps[step].cost.dma_bytes;
    value.host_ms = run.steps[step].host_ms;
    return export_struct(value, profile);
  });
}

zynpu_status zynpu_job_layer_profile(const zynpu_job* job, size_t layer, zynpu_layer_profile* profile) {
  return guarded([&]() -> Status {
    ZYNPU_TRY(require_idle(job));
    const Program& program = job->job->program();
    const RunProfile& run = job->job->profile();
    ZYNPU_TRY(require_index(layer, run.layers.size(), "layer"));
    const graph::Placement& placement = program.plan().placements[layer];
    const LayerProfile& measured = run.layers[layer];
    zynpu_layer_profile value{};
    value.name = placement.name.c_str();
    value.reason = placement.reason.c_str();
    value.placement = placement.npu ? ZYNPU_PLACEMENT_NPU : ZYNPU_PLACEMENT_CPU;
    value.step = static_cast<std::uint32_t>(std::max(0, program.step_of(placement.op)));
    value.model_macs = static_cast<std::uint64_t>(placement.macs);
    value.predicted_cycles = placement.predicted_cycles;
    value.cycles = measured.cost.cycles;
    value.bundles = measured.cost.bundles;
    value.macs = measured.cost.macs;
    value.dma_bytes = measured.cost.dma_bytes;
    value.host_ms = measured.host_ms;
    value.own_code = measured.own_code ? 1 : 0;
    return export_struct(value, profile);
  });
}

zynpu_status zynpu_job_compare(const zynpu_job* job, zynpu_difference* difference) {
  return guarded([&]() -> Status {
    ZYNPU_TRY(require_idle(job));
    if (job->comparator == nullptr)
      return fail(ErrorCode::kInvalidArgument, "the job was not created with zynpu_job_options.compare");
    if (job->comparator->runs() == 0)
      return fail(ErrorCode::kInvalidArgument, "no run of the job has completed yet");
    zynpu_difference value{};
    const std::optional<Difference>& found = job->comparator->difference();
    value.equal = found ? 0 : 1;
    if (found) {
      copy_text(found->tensor, value.tensor);
      copy_text(found->layer, value.layer);
      value.element = found->element;
      value.value = found->value;
      value.expected = found->expected;
      value.differing = found->differing;
      value.elements = found->elements;
    }
    return export_struct(value, difference);
  });
}
