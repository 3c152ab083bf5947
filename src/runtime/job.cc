// SPDX-License-Identifier: MIT
#include "runtime/job.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <new>

namespace zynpu::runtime {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

// Waits longer than a year are for ever; it keeps the deadline's arithmetic in range.
constexpr std::int64_t kLongestTimeoutNs = 365LL * 24 * 3600 * 1'000'000'000;
// What Interpreter::bind asks for.
constexpr std::uintptr_t kBindAlignment = 16;

}  // namespace

HostMemory::HostMemory(std::size_t bytes)
    : data_(static_cast<std::uint8_t*>(
          ::operator new[](std::max<std::size_t>(bytes, 1), std::align_val_t{kAlignment}))),
      bytes_(bytes) {
  std::memset(data_.get(), 0, bytes);
}

void HostMemory::Free::operator()(std::uint8_t* data) const {
  ::operator delete[](data, std::align_val_t{kAlignment});
}

// --- preparation
// -----------------------------------------------------------------------------------------------------

Job::Job(std::shared_ptr<const Program> program, std::shared_ptr<RunObserver> observer)
    : program_(std::move(program)), observer_(std::move(observer)) {}

Result<std::unique_ptr<Job>> Job::create(std::shared_ptr<const Program> program,
                                         std::shared_ptr<RunObserver> observer) {
  std::unique_ptr<Job> job(new Job(std::move(program), std::move(observer)));
  ZYNPU_TRY(job->prepare());
  return job;
}

Status Job::prepare() {
  const graph::HostPlan& plan = program_->plan();
  steps_.resize(plan.steps.size());
  homes_.resize(plan.model.tensors.size());
  for (std::size_t s = 0; s < plan.steps.size(); ++s)
    if (plan.steps[s].npu) ZYNPU_TRY(prepare_npu_step(s));
  allocate_homes();
  profile_.steps.resize(plan.steps.size());
  profile_.layers.resize(plan.placements.size());
  const std::vector<bool> with_code = ops_with_code(plan);
  for (std::size_t i = 0; i < plan.placements.size(); ++i)
    profile_.layers[i].own_code = with_code[plan.placements[i].op];
  return prepare_cpu_ops();
}

Status Job::prepare_npu_step(std::size_t index) {
  const graph::Step& step = program_->plan().steps[index];
  const graph::Graph& graph = program_->plan().graphs[step.graph];
  const Program::LoadedGraph& loaded = program_->graphs()[step.graph];
  const graph::Layout& layout = loaded.layout;
  PreparedStep& prepared = steps_[index];
  ZYNPU_ASSIGN_OR_RETURN(prepared.npu, GraphJob::create(program_->context().backend(), graph, loaded));
  // An output's home is the device's memory, where nothing else writes until the next run. Inputs always get
  // a home of their own: the program may reuse their memory once it has read them.
  const auto transfer = [&](int tensor, const graph::TensorPlace& place) {
    return Transfer{tensor, prepared.npu->memory(place).first(
                                static_cast<std::size_t>(program_->model().tensors[tensor].bytes()))};
  };
  for (std::size_t i = 0; i < step.outputs.size(); ++i) {
    const Transfer out = transfer(step.outputs[i], layout.outputs[i]);
    if (reinterpret_cast<std::uintptr_t>(out.device.data()) % kBindAlignment == 0 &&
        homes_[out.tensor].empty())
      homes_[out.tensor] = out.device;
    else
      prepared.transfers_out.push_back(out);
  }
  for (std::size_t i = 0; i < step.inputs.size(); ++i)
    prepared.transfers_in.push_back(transfer(step.inputs[i], layout.inputs[i]));

  if (BackendJob* job = prepared.npu->backend_job()) job->set_regions(loaded.regions);
  return {};
}

// Gives every tensor that crosses a border between users, CPU operators and NPU programs memory of its own.
void Job::allocate_homes() {
  const ir::Graph& model = program_->model();
  const auto home = [&](int index) {
    std::span<std::uint8_t>& memory = homes_[index];
    if (!memory.empty()) return;
    const ir::Tensor& tensor = model.tensors[index];
    memory = host_memory_.emplace_back(static_cast<std::size_t>(tensor.bytes())).span();
    if (tensor.is_constant()) std::copy(tensor.data->begin(), tensor.data->end(), memory.begin());
  };
  for (const PreparedStep& step : steps_) {
    for (const Transfer& in : step.transfers_in) home(in.tensor);
    for (const Transfer& out : step.transfers_out) home(out.tensor);
  }
  for (const int input : model.inputs) home(input);
  for (const int output : model.outputs) home(output);
}

Status Job::prepare_cpu_ops() {
  const graph::HostPlan& plan = program_->plan();
  std::vector<int> ops;
  for (const graph::Step& step : plan.steps)
    if (!step.npu) ops.insert(ops.end(), step.ops.begin(), step.ops.end());
  if (ops.empty()) return {};
  ZYNPU_ASSIGN_OR_RETURN(interpreter_, reference::Interpreter::create(plan.model, ops));
  std::vector<bool> bound(homes_.size());
  for (const int op : ops)
    for (const std::vector<int>* list : {&plan.model.ops[op].inputs, &plan.model.ops[op].outputs})
      for (const int tensor : *list) {
        if (tensor == ir::kAbsent || bound[tensor] || homes_[tensor].empty()) continue;
        if (plan.model.tensors[tensor].is_constant() || plan.model.tensors[tensor].is_variable) continue;
        interpreter_->bind(tensor, homes_[tensor]);
        bound[tensor] = true;
      }
  return {};
}

// --- running
// ---------------------------------------------------------------------------------------------------------

Job::~Job() {
  cancel();
  std::unique_lock lock(mutex_);
  finished_.wait(lock, [&] { return state_ != State::kRunning; });
}

bool Job::busy() const {
  std::lock_guard lock(mutex_);
  return state_ == State::kRunning;
}

Status Job::begin() {
  std::lock_guard lock(mutex_);
  if (state_ == State::kRunning) return fail(ErrorCode::kBusy, "the job is running; wait for it first");
  state_ = State::kRunning;
  cancelled_ = false;
  return {};
}

Status Job::run() {
  ZYNPU_TRY(begin());
  execute();
  std::lock_guard lock(mutex_);
  return result_;
}

Status Job::submit() {
  ZYNPU_TRY(begin());
  program_->context().enqueue(*this);
  return {};
}

Status Job::wait(std::int64_t timeout_ns) {
  std::unique_lock lock(mutex_);
  if (state_ == State::kIdle) return fail(ErrorCode::kInvalidArgument, "the job was never submitted");
  const auto finished = [&] { return state_ == State::kFinished; };
  if (timeout_ns < 0 || timeout_ns > kLongestTimeoutNs)
    finished_.wait(lock, finished);
  else if (!finished_.wait_for(lock, std::chrono::nanoseconds(timeout_ns), finished))
    return fail(ErrorCode::kTimeout, "the job did not finish within {} ns; it is still running", timeout_ns);
  return result_;
}

void Job::cancel() {
  std::lock_guard lock(mutex_);
  if (state_ != State::kRunning) return;
  cancelled_ = true;
  if (current_ != nullptr) current_->cancel();
}

Status Job::reset_state() {
  std::lock_guard lock(mutex_);
  if (state_ == State::kRunning) return fail(ErrorCode::kBusy, "the job is running; wait for it first");
  if (interpreter_ != nullptr) interpreter_->reset_variables();
  if (observer_ != nullptr) observer_->reset_state();
  return {};
}

void Job::execute() {
  Status result = execute_steps();
  if (result && observer_ != nullptr) result = observer_->completed(*this);
  // Notified under the lock: the waiter may destroy this job as soon as it can see the new state.
  std::lock_guard lock(mutex_);
  result_ = std::move(result);
  state_ = State::kFinished;
  finished_.notify_all();
}

Status Job::execute_steps() {
  const graph::HostPlan& plan = program_->plan();
  const Clock::time_point begin = Clock::now();
  profile_.total = {};
  profile_.modelled = false;
  for (LayerProfile& layer : profile_.layers) {
    layer.cost = {};
    layer.host_ms = 0;
  }
  for (std::size_t s = 0; s < steps_.size(); ++s) {
    const Clock::time_point step_begin = Clock::now();
    profile_.steps[s] = {};
    ZYNPU_TRY(plan.steps[s].npu ? run_npu_step(s) : run_cpu_step(s));
    profile_.steps[s].host_ms = milliseconds_since(step_begin);
  }
  profile_.host_ms = milliseconds_since(begin);
  return {};
}

Status Job::run_npu_step(std::size_t index) {
  PreparedStep& step = steps_[index];
  const int graph = program_->plan().steps[index].graph;
  for (const Transfer& in : step.transfers_in)
    std::memcpy(in.device.data(), homes_[in.tensor].data(), in.device.size());
  BackendJob* const job = step.npu->backend_job();
  if (job == nullptr) return {};
  ZYNPU_TRY(step.npu->begin_run());
  {
    std::lock_guard lock(mutex_);
    if (cancelled_) return fail(ErrorCode::kCancelled, "the job was cancelled");
    ZYNPU_TRY(job->submit());
    current_ = job;
  }
  const Status result = job->wait(-1);
  {
    std::lock_guard lock(mutex_);
    current_ = nullptr;
  }
  if (!result) return tl::unexpected(explain(result.error(), step));
  ZYNPU_TRY(step.npu->end_run());
  if (const std::uint32_t code = step.npu->error_code(); code != 0)
    return fail(ErrorCode::kDeviceFault, "the NPU program reported error code {:#x}", code);
  for (const Transfer& out : step.transfers_out)
    std::memcpy(homes_[out.tensor].data(), out.device.data(), out.device.size());

  const JobProfile& measured = job->profile();
  profile_.modelled = measured.modelled;
  profile_.steps[index].cost = {measured.cycles, measured.bundles, measured.macs, measured.dma_bytes};
  const auto add = [](Cost& to, const Cost& from) {
    to.cycles += from.cycles;
    to.bundles += from.bundles;
    to.macs += from.macs;
    to.dma_bytes += from.dma_bytes;
  };
  add(profile_.total, profile_.steps[index].cost);
  const std::vector<int>& region_ops = program_->graphs()[graph].region_ops;
  for (std::size_t r = 0; r < region_ops.size() && r < measured.regions.size(); ++r) {
    if (region_ops[r] < 0) continue;
    if (const int layer = program_->placement_of(region_ops[r]); layer >= 0)
      add(profile_.layers[layer].cost, measured.regions[r]);
  }
  return {};
}

Status Job::run_cpu_step(std::size_t index) {
  for (const int op : program_->plan().steps[index].ops) {
    {
      std::lock_guard lock(mutex_);
      if (cancelled_) return fail(ErrorCode::kCancelled, "the job was cancelled");
    }
    const Clock::time_point begin = Clock::now();
    if (Status status = interpreter_->run_op(op); !status)
      return fail(status.error().code, "{}: {}", program_->op_name(op), status.error().message);
    if (const int layer = program_->placement_of(op); layer >= 0)
      profile_.layers[layer].host_ms = milliseconds_since(begin);
  }
  return {};
}

// Names the layer whose code failed.
Error Job::explain(const Error& error, const PreparedStep& step) const {
  const std::optional<std::uint32_t> address = step.npu->backend_job()->fault_address();
  if (!address) return error;
  const int op = locate(*address).op;
  if (op < 0) return error;
  return {error.code, fmt::format("layer {}: {}", program_->op_name(op), error.message)};
}

CodePlace Job::locate(std::uint32_t address) const {
  for (std::size_t s = 0; s < steps_.size(); ++s) {
    const graph::Step& step = program_->plan().steps[s];
    if (!step.npu) continue;
    const Program::LoadedGraph& loaded = program_->graphs()[step.graph];
    const std::optional<unsigned> text = loaded.layout.find(graph::BufferKind::kText);
    if (!text) continue;
    const std::uint32_t offset = address - steps_[s].npu->buffer(*text).device_address();
    if (offset >= program_->plan().graphs[step.graph].text.size()) continue;
    CodePlace place{.graph = step.graph, .offset = offset, .op = -1};
    const auto region = std::upper_bound(
        loaded.regions.begin(), loaded.regions.end(), offset,
        [](std::uint32_t value, const BackendJob::Region& candidate) { return value < candidate.end; });
    if (region != loaded.regions.end() && region->begin <= offset)
      place.op = loaded.region_ops[static_cast<std::size_t>(region - loaded.regions.begin())];
    return place;
  }
  return {};
}

}  // namespace zynpu::runtime
