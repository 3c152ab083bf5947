// SPDX-License-Identifier: MIT
// Batch queues: many sets of inputs through one graph, several jobs at a time.
#include <algorithm>
#include <atomic>
#include <cstdlib>

#include "context.h"

namespace zynpu::compat {
namespace {

constexpr unsigned long kJobsAtOnce = 3, kMostJobsAtOnce = 64;

unsigned long jobs_at_once() {
  const char* text = std::getenv("UMD_MAX_BATCH");
  if (text == nullptr) return kJobsAtOnce;
  const unsigned long value = std::strtoul(text, nullptr, 10);
  return value == 0 ? kJobsAtOnce : std::min(value, kMostJobsAtOnce);
}

}  // namespace

Code Context::create_batch_queue(std::uint64_t graph_id, std::uint32_t* queue) {
  static std::atomic<std::uint32_t> next{0};  // one counter for the process
  std::lock_guard lock(mutex_);
  const auto found = graphs_.find(static_cast<std::uint32_t>(graph_id >> 32));
  if (found == graphs_.end()) return AIPU_STATUS_ERROR_INVALID_GRAPH_ID;
  *queue = next++;
  found->second.queues[*queue];
  return kOk;
}

Code Context::clean_batch_queue(std::uint64_t graph_id, std::uint32_t queue) {
  std::lock_guard lock(mutex_);
  const auto found = graphs_.find(static_cast<std::uint32_t>(graph_id >> 32));
  if (found == graphs_.end()) return AIPU_STATUS_ERROR_INVALID_GRAPH_ID;
  return found->second.queues.erase(queue) == 0 ? AIPU_STATUS_ERROR_NO_BATCH_QUEUE : kOk;
}

Code Context::configure_batch_dump(std::uint64_t graph_id, std::uint32_t queue, std::uint64_t types,
                                   const aipu_job_config_dump_t* config) {
  DumpOptions options;
  COMPAT_TRY(DumpOptions::from(types, config, &options));
  std::lock_guard lock(mutex_);
  const auto found = graphs_.find(static_cast<std::uint32_t>(graph_id >> 32));
  if (found == graphs_.end()) return AIPU_STATUS_ERROR_INVALID_GRAPH_ID;
  const auto entry = found->second.queues.find(queue);
  if (entry == found->second.queues.end()) return AIPU_STATUS_ERROR_NO_BATCH_QUEUE;
  entry->second.dump_types = types;
  entry->second.dump = std::move(options);
  return kOk;
}

Code Context::add_batch(std::uint64_t graph_id, std::uint32_t queue, char* inputs[], char* outputs[]) {
  std::lock_guard lock(mutex_);
  const auto found = graphs_.find(static_cast<std::uint32_t>(graph_id >> 32));
  if (found == graphs_.end()) return AIPU_STATUS_ERROR_INVALID_GRAPH_ID;
  const auto entry = found->second.queues.find(queue);
  if (entry == found->second.queues.end()) return AIPU_STATUS_ERROR_NO_BATCH_QUEUE;
  const Graph& graph = *found->second.graph;
  Batch batch;
  batch.inputs.assign(inputs, inputs + graph.readable(AIPU_TENSOR_TYPE_INPUT)->size());
  batch.outputs.assign(outputs, outputs + graph.readable(AIPU_TENSOR_TYPE_OUTPUT)->size());
  for (const std::vector<char*>* list : {&batch.inputs, &batch.outputs})
    if (std::find(list->begin(), list->end(), nullptr) != list->end()) return AIPU_STATUS_ERROR_NULL_PTR;
  entry->second.batches.push_back(std::move(batch));
  return kOk;
}

Code Context::run_batch(std::uint64_t graph_id, const BatchQueue& queue, const Batch& batch,
                        std::uint64_t* job_id, const aipu_create_job_cfg_t* config) {
  COMPAT_TRY(create_job(graph_id, config, job_id));
  const std::shared_ptr<Job> made = job(*job_id);
  if (made == nullptr) return AIPU_STATUS_ERROR_INVALID_JOB_ID;
  if (queue.dump_types != 0) {
    const aipu_job_config_dump_t dump = {queue.dump.folder.c_str(), queue.dump.prefix.c_str(),
                                         queue.dump.output_prefix.c_str(), queue.dump.misc_prefix.c_str()};
    COMPAT_TRY(made->set_dump(queue.dump_types, &dump));
  }
  for (std::uint32_t i = 0; i < batch.inputs.size(); ++i) COMPAT_TRY(made->write_input(i, batch.inputs[i]));
  return made->schedule(nullptr);
}

Code Context::collect_batch(std::uint64_t job_id, const Batch& batch) {
  const std::shared_ptr<Job> made = job(job_id);
  if (made == nullptr) return AIPU_STATUS_ERROR_INVALID_JOB_ID;
  aipu_job_status_t status = AIPU_JOB_STATUS_NO_STATUS;
  COMPAT_TRY(wait(made, -1, &status));
  if (status != AIPU_JOB_STATUS_DONE) return AIPU_STATUS_ERROR_JOB_EXCEPTION;
  for (std::uint32_t i = 0; i < batch.outputs.size(); ++i)
    COMPAT_TRY(made->read(AIPU_TENSOR_TYPE_OUTPUT, i, batch.outputs[i]));
  return kOk;
}

Code Context::finish_batch(std::uint64_t graph_id, std::uint32_t queue, const aipu_create_job_cfg_t* config) {
  BatchQueue work;
  {
    std::lock_guard lock(mutex_);
    const auto found = graphs_.find(static_cast<std::uint32_t>(graph_id >> 32));
    if (found == graphs_.end()) return AIPU_STATUS_ERROR_INVALID_GRAPH_ID;
    const auto entry = found->second.queues.find(queue);
    if (entry == found->second.queues.end()) return AIPU_STATUS_ERROR_NO_BATCH_QUEUE;
    work = entry->second;
    entry->second.batches.clear();
  }
  Code result = kOk;
  const std::size_t step = jobs_at_once();
  for (std::size_t begin = 0; begin < work.batches.size() && result == kOk; begin += step) {
    const std::size_t end = std::min(work.batches.size(), begin + step);
    std::vector<std::uint64_t> jobs;
    std::size_t started = begin;
    for (; started < end && result == kOk; ++started) {
      std::uint64_t id = 0;
      result = run_batch(graph_id, work, work.batches[started], &id, config);
      if (id != 0) jobs.push_back(id);
    }
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      if (result == kOk) result = collect_batch(jobs[i], work.batches[begin + i]);
      clean_job(jobs[i]);
    }
  }
  return result;
}

}  // namespace zynpu::compat
