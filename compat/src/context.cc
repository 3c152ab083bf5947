// SPDX-License-Identifier: MIT
#include "context.h"

#include <algorithm>
#include <chrono>
#include <deque>

namespace zynpu::compat {
namespace {

// How long one look at a job may take while callbacks of others are due.
constexpr std::int64_t kCallbackSliceMs = 2;

template <class Map>
typename Map::key_type smallest_free(const Map& map) {
  typename Map::key_type number = 1;
  for (const auto& [used, value] : map) {
    if (used != number) break;
    ++number;
  }
  return number;
}

// Never destroyed, as the machines.
struct Registry {
  std::mutex mutex;
  std::map<std::uint32_t, std::shared_ptr<Context>> contexts;
  std::deque<aipu_ctx_handle_t> handles;        // stable addresses
  std::deque<aipu_ctx_handle_t*> free_handles;  // oldest first
  std::map<const void*, std::uint32_t> printf_copies;
};

Registry& registry() {
  static Registry& all = *new Registry;
  return all;
}

constexpr std::size_t kPrintfCopies = 64;  // remembered at most

}  // namespace

Code open_context(aipu_ctx_handle_t** handle) {
  std::shared_ptr<Context> context;
  COMPAT_TRY(Context::create(&context));
  Registry& all = registry();
  std::lock_guard lock(all.mutex);
  std::uint32_t number = 0xFFFFFFFF;
  while (all.contexts.contains(number)) --number;
  // A freed handle waits behind all others before it names a new context.
  constexpr std::size_t kQuarantine = 64;
  if (all.free_handles.size() > kQuarantine) {
    *handle = all.free_handles.front();
    all.free_handles.pop_front();
  } else {
    *handle = &all.handles.emplace_back();
  }
  (*handle)->handle = number;
  all.contexts.emplace(number, std::move(context));
  return kOk;
}

Code close_context(const aipu_ctx_handle_t* handle) {
  std::shared_ptr<Context> context;
  {
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    const auto found = all.contexts.find(handle->handle);
    if (found == all.contexts.end()) return AIPU_STATUS_ERROR_INVALID_CTX;
    context = std::move(found->second);
    all.contexts.erase(found);
    for (aipu_ctx_handle_t& own : all.handles)
      if (own.handle == handle->handle) {
        own.handle = 0;
        all.free_handles.push_back(&own);
        break;
      }
  }
  context->shut();
  return kOk;
}

std::shared_ptr<Context> find_context(const aipu_ctx_handle_t* handle) {
  Registry& all = registry();
  std::lock_guard lock(all.mutex);
  const auto found = all.contexts.find(handle->handle);
  return found == all.contexts.end() ? nullptr : found->second;
}

void remember_printf(const void* base, std::uint32_t bytes) {
  Registry& all = registry();
  std::lock_guard lock(all.mutex);
  if (all.printf_copies.size() >= kPrintfCopies) all.printf_copies.clear();
  all.printf_copies[base] = bytes;
}

std::uint32_t printf_bytes(const void* base) {
  Registry& all = registry();
  std::lock_guard lock(all.mutex);
  const auto found = all.printf_copies.find(base);
  return found == all.printf_copies.end() ? 0 : found->second;
}

Code Context::create(std::shared_ptr<Context>* out) {
  auto context = std::make_shared<Context>();
  context->device_ = chosen_device();
  if (!context->device_.empty()) {
    auto machine = open_machine(context->device_);
    if (!machine) return report(AIPU_STATUS_ERROR_OPEN_DEV_FAIL, machine.error());
    context->machine_ = std::move(*machine);
  }
  *out = std::move(context);
  return kOk;
}

Machine Context::current_machine() const {
  std::lock_guard lock(mutex_);
  return machine_;
}

Code Context::machine(Machine* out) {
  std::lock_guard lock(mutex_);
  if (machine_ == nullptr) {
    auto machine = open_virtual_for(part::find("x2")->device_word);
    if (!machine) return report(AIPU_STATUS_ERROR_OPEN_DEV_FAIL, machine.error());
    machine_ = std::move(*machine);
  }
  *out = machine_;
  return kOk;
}

Code Context::configure(std::uint64_t types, const void* config) {
  constexpr std::uint64_t kChecks =
      AIPU_GLOBAL_CONFIG_TYPE_DISABLE_VER_CHECK | AIPU_GLOBAL_CONFIG_TYPE_ENABLE_VER_CHECK;
  std::uint64_t rest = types;
  if ((types & AIPU_CONFIG_TYPE_HW) != 0) {
    if (config == nullptr) return AIPU_STATUS_ERROR_NULL_PTR;
    // Any thread may poll for any job, whatever poll_in_commit_thread says: it only ever allows more.
    rest &= ~std::uint64_t{AIPU_CONFIG_TYPE_HW | AIPU_CONFIG_TYPE_SIMULATION};
  } else if ((types & AIPU_CONFIG_TYPE_SIMULATION) != 0) {
    if (config == nullptr) return AIPU_STATUS_ERROR_NULL_PTR;
    const std::uint32_t gm = static_cast<const aipu_global_config_simulation_t*>(config)->gm_size;
    constexpr std::uint32_t kKiB = 1024;
    const bool is_power = gm != 0 && (gm & (gm - 1)) == 0;
    if (gm != 0 && (!is_power || gm < 512 * kKiB || gm > 64 * kKiB * kKiB))
      return report(AIPU_STATUS_ERROR_INVALID_CONFIG, "gm_size {}", gm);
    rest &= ~std::uint64_t{AIPU_CONFIG_TYPE_SIMULATION};
  }
  if ((rest & ~kChecks) != 0) return AIPU_STATUS_ERROR_INVALID_CONFIG;
  std::lock_guard lock(mutex_);
  if ((rest & AIPU_GLOBAL_CONFIG_TYPE_DISABLE_VER_CHECK) != 0) version_check_ = false;
  if ((rest & AIPU_GLOBAL_CONFIG_TYPE_ENABLE_VER_CHECK) != 0) version_check_ = true;
  return kOk;
}

// --- graphs ---

Code Context::load(const Graph::Source& source, const aipu_load_graph_cfg_t* config, std::uint64_t* id) {
  Machine machine;
  bool version_check = true;
  {
    std::lock_guard lock(mutex_);
    if (!device_.empty()) machine = machine_;
    version_check = version_check_;
  }
  std::shared_ptr<const Graph> graph;
  COMPAT_TRY(Graph::load(std::move(machine), source, config, version_check, &graph));
  std::lock_guard lock(mutex_);
  machine_ = graph->machine();
  const std::uint32_t number = smallest_free(graphs_);
  graphs_[number].graph = std::move(graph);
  *id = std::uint64_t{number} << 32;
  return kOk;
}

Code Context::load_bundle(std::span<const std::uint8_t> file, const aipu_load_graph_cfg_t* config,
                          std::uint64_t** ids, std::uint32_t* count) {
  Bundle bundle;
  COMPAT_TRY(read_bundle(file, &bundle));
  std::vector<std::uint64_t> loaded;
  for (const BundleGraph& entry : bundle.graphs) {
    std::uint64_t id = 0;
    if (const Code code = load({entry.file, &entry, bundle.pool}, config, &id); code != kOk) {
      for (const std::uint64_t one : loaded) unload(one);
      return code;
    }
    loaded.push_back(id);
  }
  std::lock_guard lock(mutex_);
  *count = static_cast<std::uint32_t>(loaded.size());
  *ids = bundles_.emplace_back(std::move(loaded)).data();
  return kOk;
}

Code Context::unload(std::uint64_t graph_id) {
  Entry dropped;  // its jobs are stopped outside the lock
  std::lock_guard lock(mutex_);
  const auto found = graphs_.find(static_cast<std::uint32_t>(graph_id >> 32));
  if ((graph_id & 0xFFFFFFFF) != 0 || found == graphs_.end()) return AIPU_STATUS_ERROR_INVALID_GRAPH_ID;
  for (const auto& [number, job] : found->second.jobs) job->cancel();
  dropped = std::move(found->second);
  graphs_.erase(found);
  return kOk;
}

std::shared_ptr<const Graph> Context::graph(std::uint64_t id) const {
  std::lock_guard lock(mutex_);
  const auto found = graphs_.find(static_cast<std::uint32_t>(id >> 32));
  return found == graphs_.end() ? nullptr : found->second.graph;
}

// --- jobs ---

Code Context::read_shapes(const Graph& graph, const aipu_dynshape_param_t& param,
                          std::vector<std::vector<std::uint32_t>>* shapes) const {
  const std::vector<graph::ShapeRange>& ranges = graph.shapes();
  shapes->clear();
  for (const graph::ShapeRange& range : ranges) shapes->push_back(range.minimum);
  if (param.input_shape_cnt == 0) return kOk;
  if (param.shape_items == nullptr) return AIPU_STATUS_ERROR_NULL_PTR;
  if (param.input_shape_cnt > ranges.size()) return AIPU_STATUS_ERROR_INVALID_SIZE;
  for (std::uint32_t i = 0; i < param.input_shape_cnt; ++i) {
    const aipu_dynshape_item_t& item = param.shape_items[i];
    if (item.ds_idx >= ranges.size()) return AIPU_STATUS_ERROR_INVALID_TENSOR_ID;
    if (item.ds_data == nullptr) return AIPU_STATUS_ERROR_NULL_PTR;
    std::copy_n(item.ds_data, ranges[item.ds_idx].minimum.size(), (*shapes)[item.ds_idx].begin());
  }
  return kOk;
}

Code Context::reshape(Job& job, const aipu_dynshape_param_t& param) const {
  if (!job.graph().is_dynamic()) return AIPU_STATUS_ERROR_OP_NOT_SUPPORTED;
  std::vector<std::vector<std::uint32_t>> shapes;
  COMPAT_TRY(read_shapes(job.graph(), param, &shapes));
  return job.set_shapes(std::move(shapes));
}

const char* Context::program_text(Code code) {
  std::lock_guard lock(mutex_);
  std::string& text = program_texts_[code];
  if (text.empty()) text = fmt::format("{} ({:#x})", message(code), static_cast<unsigned>(code));
  return text.c_str();
}

void Context::shut() {
  std::lock_guard lock(mutex_);
  for (const auto& [graph_number, entry] : graphs_)
    for (const auto& [number, job] : entry.jobs)
      if (job != nullptr) job->cancel();
}

bool Context::busy() const {
  std::lock_guard lock(mutex_);
  for (const auto& [graph_number, entry] : graphs_)
    for (const auto& [number, job] : entry.jobs)
      if (job != nullptr && job->is_scheduled()) return true;
  return false;
}

Code Context::create_job(std::uint64_t graph_id, const aipu_create_job_cfg_t* config, std::uint64_t* id) {
  const std::shared_ptr<const Graph> of = graph(graph_id);
  if (of == nullptr || (graph_id & 0xFFFFFFFF) != 0) return AIPU_STATUS_ERROR_INVALID_GRAPH_ID;
  std::vector<std::vector<std::uint32_t>> shapes;
  if (config != nullptr) {
    constexpr std::uint32_t kPartitions = 1;
    if (config->partition_id > kPartitions) return AIPU_STATUS_ERROR_INVALID_PARTITION_ID;
    if (config->qos_level > AIPU_JOB_QOS_HIGH) return AIPU_STATUS_ERROR_INVALID_QOS;
    if (of->is_x2() && config->qos_level == AIPU_JOB_QOS_HIGH &&
        (config->dbg_dispatch || config->bind_enable))
      return AIPU_STATUS_ERROR_INVALID_QOS;
    if (of->is_dynamic())
      COMPAT_TRY(read_shapes(*of, config->dynshape != nullptr ? *config->dynshape : config->dynshape_params,
                             &shapes));
  }
  // Filled in under a provisional number, so that the table is not locked while buffers are made.
  std::uint32_t number = 0;
  {
    std::lock_guard lock(mutex_);
    const auto found = graphs_.find(static_cast<std::uint32_t>(graph_id >> 32));
    if (found == graphs_.end()) return AIPU_STATUS_ERROR_INVALID_GRAPH_ID;
    number = smallest_free(found->second.jobs);
    found->second.jobs.emplace(number, nullptr);
  }
  std::shared_ptr<Job> job;
  const Code code = Job::create(of, graph_id | number, std::move(shapes), &job);
  std::lock_guard lock(mutex_);
  const auto found = graphs_.find(static_cast<std::uint32_t>(graph_id >> 32));
  if (found == graphs_.end() || found->second.graph != of) return AIPU_STATUS_ERROR_INVALID_GRAPH_ID;
  if (code != kOk) {
    found->second.jobs.erase(number);
    return code;
  }
  found->second.jobs[number] = std::move(job);
  *id = graph_id | number;
  return kOk;
}

std::shared_ptr<Job> Context::job(std::uint64_t id) const {
  if (!is_job_id(id)) return nullptr;
  std::lock_guard lock(mutex_);
  const auto graph = graphs_.find(static_cast<std::uint32_t>(id >> 32));
  if (graph == graphs_.end()) return nullptr;
  const auto job = graph->second.jobs.find(static_cast<std::uint32_t>(id));
  return job == graph->second.jobs.end() ? nullptr : job->second;
}

Code Context::clean_job(std::uint64_t id) {
  std::shared_ptr<Job> dropped;  // stopped outside the lock
  std::lock_guard lock(mutex_);
  const auto graph = graphs_.find(static_cast<std::uint32_t>(id >> 32));
  if (graph == graphs_.end()) return AIPU_STATUS_ERROR_INVALID_JOB_ID;
  const auto job = graph->second.jobs.find(static_cast<std::uint32_t>(id));
  if (job == graph->second.jobs.end() || job->second == nullptr) return kOk;  // standard-api.md 5
  job->second->cancel();
  dropped = std::move(job->second);
  graph->second.jobs.erase(job);
  return kOk;
}

std::vector<std::shared_ptr<Job>> Context::jobs_awaiting_callbacks() const {
  std::vector<std::shared_ptr<Job>> jobs;
  std::lock_guard lock(mutex_);
  for (const auto& [graph_number, entry] : graphs_)
    for (const auto& [number, job] : entry.jobs)
      if (job != nullptr && job->awaits_callback()) jobs.push_back(job);
  return jobs;
}

Code Context::wait(const std::shared_ptr<Job>& job, std::int64_t timeout_ms, aipu_job_status_t* status) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point deadline =
      Clock::now() + std::chrono::milliseconds(std::max<std::int64_t>(timeout_ms, 0));
  const auto deliver = [](const std::shared_ptr<Job>& finished, aipu_job_status_t state) {
    if (const aipu_job_callback_func_t callback = finished->take_callback()) callback(finished->id(), state);
  };
  for (;;) {
    bool others = false;
    for (const std::shared_ptr<Job>& other : jobs_awaiting_callbacks()) {
      if (other == job) continue;
      aipu_job_status_t state = AIPU_JOB_STATUS_NO_STATUS;
      other->wait(0, &state);
      deliver(other, state);
      others |= other->awaits_callback();
    }
    std::int64_t slice = timeout_ms;
    bool last = true;
    if (others && timeout_ms != 0) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
      last = timeout_ms > 0 && left <= kCallbackSliceMs;
      slice = last ? std::max<std::int64_t>(left, 1) : kCallbackSliceMs;
    }
    const Code code = job->wait(slice, status);
    if (code == AIPU_STATUS_ERROR_TIMEOUT && !last) continue;
    deliver(job, *status);
    if (code >= AIPU_STATUS_ERROR_UNKNOWN_ERROR) last_program_code = code;
    return code;
  }
}

}  // namespace zynpu::compat
