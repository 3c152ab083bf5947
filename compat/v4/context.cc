// SPDX-License-Identifier: MIT
#include "context.h"

#include <algorithm>
#include <chrono>

#include "report.h"

namespace zynpu::compat::v4 {
namespace {

constexpr std::uint32_t kLow = 0xFFFF;
constexpr std::int64_t kNsPerMs = 1'000'000;

template <class Map>
std::uint32_t smallest_free(const Map& map, std::uint32_t first) {
  while (map.contains(first)) ++first;
  return first;
}

}  // namespace

// --- buffers ---

Status4 Buffers::create(std::shared_ptr<const Graph> graph, std::uint32_t handle,
                        std::shared_ptr<Buffers>* out) {
  const std::shared_ptr<Buffers> made(new Buffers(std::move(graph)));
  const Graph& of = *made->graph_;
  auto job = runtime::GraphJob::create(of.machine()->backend(), of.npu(), of.loaded());
  if (!job)
    return said(
        job.error().code == ErrorCode::kOutOfMemory ? AIPU_R329_BUF_ALLOC_FAIL : AIPU_R329_INVALID_SIZE, "{}",
        job.error().message);
  made->job_ = std::move(*job);
  made->handle_ = handle;
  const graph::Layout& layout = of.loaded().layout;
  const std::vector<graph::TensorPlace>* places[] = {&layout.inputs, &layout.outputs, &layout.inter_dumps,
                                                     &layout.printfs, &layout.profilers};
  for (std::size_t list = 0; list < std::size(places); ++list)
    for (const graph::TensorPlace& place : *places[list]) {
      const std::span<std::uint8_t> memory = made->job_->memory(place);
      made->lists_[list].push_back({static_cast<std::uint32_t>(made->lists_[list].size()), memory.data(),
                                    static_cast<std::uint32_t>(memory.size())});
    }
  *out = made;
  return AIPU_R329_SUCCESS;
}

void Buffers::describe(aipu_buffer_alloc_info* info) {
  const auto list = [&](std::size_t index) {
    return tensor_buffer{static_cast<std::uint32_t>(lists_[index].size()), lists_[index].data()};
  };
  *info = {handle_, list(0), list(1), list(2), list(3), list(4)};
}

void Buffers::reset() {
  state_ = State::kIdle;
  bound_ = false;
}

Status4 Buffers::start() {
  if (state_ == State::kRunning) return AIPU_R329_JOB_SCHED;
  std::lock_guard lock(mutex_);
  if (state_ != State::kIdle) return AIPU_R329_JOB_SCHED;
  bound_ = false;
  Status status = job_->begin_run();
  if (status) status = job_->backend_job()->submit();
  if (!status) return said(AIPU_R329_DEV_ABNORMAL, "{}", status.error().message);
  state_ = State::kRunning;
  return AIPU_R329_SUCCESS;
}

Status4 Buffers::wait(std::int64_t timeout_ms, ::aipu_job_status_t* status) {
  *status = AIPU_R329_JOB_NO_STATUS;
  if (state_ == State::kIdle) return AIPU_R329_JOB_NOT_SCHED;
  std::unique_lock lock(mutex_, std::defer_lock);
  if (timeout_ms < 0)
    lock.lock();
  else if (!lock.try_lock_for(std::chrono::milliseconds(timeout_ms)))
    return AIPU_R329_JOB_TIMEOUT;
  if (state_ == State::kRunning) {
    Status result = job_->backend_job()->wait(timeout_ms < 0 ? -1 : timeout_ms * kNsPerMs);
    if (!result && result.error().code == ErrorCode::kTimeout) return AIPU_R329_JOB_TIMEOUT;
    if (result) result = job_->end_run();
    if (result && job_->error_code() != 0)
      result = fail(ErrorCode::kDeviceFault, "the NPU program reported error code {:#x}", job_->error_code());
    if (!result) said(AIPU_R329_JOB_EXCEPTION, "{}", result.error().message);
    state_ = result ? State::kDone : State::kFailed;
  }
  *status = state_ == State::kDone ? AIPU_R329_JOB_DONE : AIPU_R329_JOB_FAILED;
  return AIPU_R329_SUCCESS;
}

void Buffers::cancel() { job_->backend_job()->cancel(); }

void Buffers::job_info(aipu_debugger_job_info* info) const {
  const auto text = graph_->loaded().layout.find(graph::BufferKind::kText);
  const auto base = reinterpret_cast<std::uintptr_t>(job_->buffer(*text).host().data());
  *info = {base, base + graph_->npu().entry, base + 0x10};
}

// --- contexts ---

Status4 Context::create(std::shared_ptr<Context>* out) {
  auto context = std::make_shared<Context>();
  context->device_ = chosen_device();
  if (!context->device_.empty()) {
    auto machine = open_machine(context->device_);
    if (!machine) return said(AIPU_R329_OPEN_DEV_FAIL, "{}", machine.error().message);
    context->machine_ = std::move(*machine);
  }
  *out = std::move(context);
  return AIPU_R329_SUCCESS;
}

Status4 Context::machine(Machine* out) {
  std::lock_guard lock(mutex_);
  if (machine_ == nullptr) {
    auto machine = open_virtual_for(part::find("z1")->device_word);
    if (!machine) return said(AIPU_R329_OPEN_DEV_FAIL, "{}", machine.error().message);
    machine_ = std::move(*machine);
  }
  *out = machine_;
  return AIPU_R329_SUCCESS;
}

Status4 Context::load(std::span<const std::uint8_t> file, graph_desc* desc) {
  Machine machine;
  {
    std::lock_guard lock(mutex_);
    if (!device_.empty()) machine = machine_;
  }
  std::shared_ptr<Graph> graph;
  if (const Status4 status = Graph::load(std::move(machine), file, &graph); status != AIPU_R329_SUCCESS)
    return status;
  std::lock_guard lock(mutex_);
  const std::uint32_t id = smallest_free(graphs_, 1);
  if (id > kLow) return AIPU_R329_INVALID_OP;
  machine_ = graph->machine();
  *desc = {};
  graph->describe(desc);
  desc->id = id;
  graphs_[id].graph = std::move(graph);
  return AIPU_R329_SUCCESS;
}

Status4 Context::unload(std::uint32_t graph) {
  Entry dropped;
  std::lock_guard lock(mutex_);
  const auto found = graphs_.find(graph);
  if (found == graphs_.end()) return AIPU_R329_GRAPH_NOT_EXIST;
  for (const auto& [number, buffers] : found->second.buffers)
    if (buffers->is_running()) return AIPU_R329_JOB_NOT_END;
  dropped = std::move(found->second);
  graphs_.erase(found);
  return AIPU_R329_SUCCESS;
}

Status4 Context::allocate(std::uint32_t graph, aipu_buffer_alloc_info* info) {
  std::lock_guard lock(mutex_);
  const auto found = graphs_.find(graph);
  if (found == graphs_.end()) return AIPU_R329_GRAPH_NOT_EXIST;
  const std::uint32_t number = smallest_free(found->second.buffers, 0);
  if (number > kLow) return AIPU_R329_BUF_ALLOC_FAIL;
  std::shared_ptr<Buffers> buffers;
  if (const Status4 status = Buffers::create(found->second.graph, graph << 16 | number, &buffers);
      status != AIPU_R329_SUCCESS)
    return status;
  buffers->describe(info);
  found->second.buffers[number] = std::move(buffers);
  return AIPU_R329_SUCCESS;
}

Status4 Context::free(std::uint32_t handle) {
  std::shared_ptr<Buffers> dropped;
  std::lock_guard lock(mutex_);
  const auto found = graphs_.find(handle >> 16);
  if (found == graphs_.end()) return AIPU_R329_INVALID_HANDLE;
  const auto buffers = found->second.buffers.find(handle & kLow);
  if (buffers == found->second.buffers.end()) return AIPU_R329_INVALID_HANDLE;
  for (const auto& [job, used] : found->second.jobs)
    if (used == buffers->first) return AIPU_R329_BUSY_HANDLE;
  dropped = std::move(buffers->second);
  found->second.buffers.erase(buffers);
  return AIPU_R329_SUCCESS;
}

Status4 Context::create_job(std::uint32_t graph, std::uint32_t handle, std::uint32_t* job) {
  std::lock_guard lock(mutex_);
  const auto found = graphs_.find(graph);
  if (found == graphs_.end()) return AIPU_R329_GRAPH_NOT_EXIST;
  Entry& entry = found->second;
  if (handle >> 16 != graph || !entry.buffers.contains(handle & kLow)) return AIPU_R329_INVALID_HANDLE;
  for (const auto& [other, used] : entry.jobs)
    if (used == (handle & kLow)) return AIPU_R329_BUSY_HANDLE;
  const std::uint32_t number = smallest_free(entry.jobs, 0);
  entry.jobs[number] = handle & kLow;
  entry.buffers[handle & kLow]->reset();
  *job = graph << 16 | number;
  return AIPU_R329_SUCCESS;
}

std::shared_ptr<Buffers> Context::job(std::uint32_t id) const {
  std::lock_guard lock(mutex_);
  const auto found = graphs_.find(id >> 16);
  if (found == graphs_.end()) return nullptr;
  const auto job = found->second.jobs.find(id & kLow);
  if (job == found->second.jobs.end()) return nullptr;
  return found->second.buffers.at(job->second);
}

Status4 Context::clean_job(std::uint32_t id) {
  std::lock_guard lock(mutex_);
  const auto found = graphs_.find(id >> 16);
  if (found == graphs_.end()) return AIPU_R329_JOB_NOT_EXIST;
  const auto job = found->second.jobs.find(id & kLow);
  if (job == found->second.jobs.end()) return AIPU_R329_JOB_NOT_EXIST;
  if (found->second.buffers.at(job->second)->is_running()) return AIPU_R329_JOB_NOT_END;
  found->second.jobs.erase(job);
  return AIPU_R329_SUCCESS;
}

std::vector<std::shared_ptr<Buffers>> Context::running() const {
  std::vector<std::shared_ptr<Buffers>> list;
  std::lock_guard lock(mutex_);
  for (const auto& [id, entry] : graphs_)
    for (const auto& [number, buffers] : entry.buffers)
      if (buffers->is_running()) list.push_back(buffers);
  return list;
}

void Context::shut() {
  for (const std::shared_ptr<Buffers>& buffers : running()) buffers->cancel();
}

Status4 Context::allocate_memory(std::uint32_t bytes, void** va) {
  if (bytes == 0) return AIPU_R329_INVALID_SIZE;
  Memory memory;
  if (const Status4 status = machine(&memory.machine); status != AIPU_R329_SUCCESS) return status;
  auto buffer = memory.machine->backend().allocate(bytes, 4096);
  if (!buffer) return said(AIPU_R329_BUF_ALLOC_FAIL, "{}", buffer.error().message);
  memory.buffer = std::move(*buffer);
  *va = memory.buffer->host().data();
  std::lock_guard lock(mutex_);
  memory_[*va] = std::move(memory);
  return AIPU_R329_SUCCESS;
}

Status4 Context::free_memory(void* va) {
  Memory dropped;
  std::lock_guard lock(mutex_);
  const auto found = memory_.find(va);
  if (found == memory_.end()) return AIPU_R329_BUF_FREE_FAIL;
  dropped = std::move(found->second);
  memory_.erase(found);
  return AIPU_R329_SUCCESS;
}

}  // namespace zynpu::compat::v4
