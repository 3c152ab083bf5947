// SPDX-License-Identifier: MIT
// The exported functions of libaipudrv.so.4.
#include <algorithm>
#include <chrono>
#include <deque>
#include <new>

#include "context.h"
#include "printf_log.h"
#include "report.h"
#include "runtime/file.h"

using namespace zynpu::compat;
using namespace zynpu::compat::v4;
namespace runtime = zynpu::runtime;

namespace {

// Never destroyed: contexts that a program leaves open outlive every static object. A closed handle's four
// bytes stay readable and name nothing.
struct Registry {
  std::mutex mutex;
  std::map<std::uint32_t, std::shared_ptr<Context>> contexts;
  std::deque<ctx_handle> handles;
};

Registry& registry() {
  static Registry& all = *new Registry;
  return all;
}

template <class Body>
aipu_status_t guarded(Body&& body) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return AIPU_R329_BUF_ALLOC_FAIL;
  } catch (...) {
    return AIPU_R329_DEV_ABNORMAL;
  }
}

template <class Body, class... Pointers>
aipu_status_t in_context(const ctx_handle* handle, Body&& body, const Pointers*... pointers) noexcept {
  return guarded([&]() -> aipu_status_t {
    if (handle == nullptr || (... || (pointers == nullptr))) return AIPU_R329_NULL_PTR;
    std::shared_ptr<Context> context;
    {
      std::lock_guard lock(registry().mutex);
      const auto found = registry().contexts.find(handle->handle);
      if (found == registry().contexts.end()) return AIPU_R329_INVALID_CTX;
      context = found->second;
    }
    return body(*context);
  });
}

template <class Body, class... Pointers>
aipu_status_t with_job(const ctx_handle* handle, std::uint32_t id, Body&& body,
                       const Pointers*... pointers) noexcept {
  return in_context(
      handle,
      [&](Context& context) -> aipu_status_t {
        const std::shared_ptr<Buffers> job = context.job(id);
        return job == nullptr ? AIPU_R329_JOB_NOT_EXIST : body(*job);
      },
      pointers...);
}

std::int64_t or_for_ever(std::int32_t timeout) { return timeout <= 0 ? -1 : timeout; }

}  // namespace

aipu_status_t AIPU_init_ctx(ctx_handle** ctx) {
  return guarded([&]() -> aipu_status_t {
    if (ctx == nullptr) return AIPU_R329_NULL_PTR;
    std::shared_ptr<Context> context;
    if (const aipu_status_t status = Context::create(&context); status != AIPU_R329_SUCCESS) return status;
    std::lock_guard lock(registry().mutex);
    std::uint32_t number = 0xFFFFFFFF;
    while (registry().contexts.contains(number)) --number;
    *ctx = &registry().handles.emplace_back(ctx_handle{number});
    registry().contexts.emplace(number, std::move(context));
    return AIPU_R329_SUCCESS;
  });
}

aipu_status_t AIPU_deinit_ctx(const ctx_handle* ctx) {
  return guarded([&]() -> aipu_status_t {
    if (ctx == nullptr) return AIPU_R329_NULL_PTR;
    std::shared_ptr<Context> context;
    {
      std::lock_guard lock(registry().mutex);
      const auto found = registry().contexts.find(ctx->handle);
      if (found == registry().contexts.end()) return AIPU_R329_INVALID_CTX;
      context = std::move(found->second);
      registry().contexts.erase(found);
      const std::uint32_t number = ctx->handle;
      for (ctx_handle& own : registry().handles)
        if (own.handle == number) own.handle = 0;
    }
    context->shut();
    return AIPU_R329_SUCCESS;
  });
}

aipu_status_t AIPU_get_status_msg(aipu_status_t status, const char** text) {
  // By number, standard-api.md 12.3.
  static constexpr const char* kTexts[] = {"success",
                                           "a pointer that is needed is NULL",
                                           "the context handle is not known",
                                           "the NPU device cannot be opened",
                                           "the NPU device or its driver reported a failure",
                                           "the context cannot be closed",
                                           "a configuration is not valid",
                                           "the file is not a graph",
                                           "the graph's format version is not supported",
                                           "the graph is malformed",
                                           "the graph is for another NPU",
                                           "there is no such graph",
                                           "a file cannot be opened",
                                           "a file cannot be mapped",
                                           "a file cannot be read",
                                           "a file cannot be written",
                                           "there is no such job",
                                           "the job was never scheduled",
                                           "the job has been scheduled already",
                                           "jobs are not finished yet",
                                           "the job ended abnormally",
                                           "the job did not finish in time",
                                           "a dump option is not valid",
                                           "a path is not valid",
                                           "the operation is not available on this platform",
                                           "the operation is not valid here",
                                           "a size is out of range",
                                           "there are no buffers of this handle",
                                           "a job uses the buffers",
                                           "memory is exhausted",
                                           "the buffer to be freed is not known",
                                           "there is no core of this id",
                                           "on-chip memory cannot be reserved"};
  if (text == nullptr) return AIPU_R329_NULL_PTR;
  *text = status < std::size(kTexts) ? kTexts[status] : "unknown status";
  return AIPU_R329_SUCCESS;
}

aipu_status_t AIPU_config_simulation(const ctx_handle* ctx, const simulation_config*) {
  // As on the board.
  return in_context(ctx, [](Context&) { return AIPU_R329_OP_NOT_SUPPORTED; });
}

aipu_status_t AIPU_set_runtime_config(const ctx_handle* ctx, const runtime_config* config) {
  // Nothing to choose: any thread may poll, and a program for another NPU is refused in any case.
  return in_context(
      ctx, [](Context&) { return AIPU_R329_SUCCESS; }, config);
}

aipu_status_t AIPU_load_graph(const ctx_handle* ctx, const void* buffer, std::uint32_t size,
                              graph_desc* desc) {
  return in_context(
      ctx,
      [&](Context& context) {
        return context.load({static_cast<const std::uint8_t*>(buffer), size}, desc);
      },
      static_cast<const char*>(buffer), desc);
}

aipu_status_t AIPU_load_graph_helper(const ctx_handle* ctx, const char* file, graph_desc* desc) {
  return in_context(
      ctx,
      [&](Context& context) -> aipu_status_t {
        const auto bytes = runtime::read_file(file);
        if (!bytes)
          return said(bytes.error().code == zynpu::ErrorCode::kNotFound  ? AIPU_R329_OPEN_FILE_FAIL
                      : bytes.error().code == zynpu::ErrorCode::kBadFile ? AIPU_R329_INVALID_GBIN
                                                                         : AIPU_R329_READ_FILE_FAIL,
                      "{}", bytes.error().message);
        return context.load(*bytes, desc);
      },
      file, desc);
}

aipu_status_t AIPU_unload_graph(const ctx_handle* ctx, const graph_desc* desc) {
  return in_context(
      ctx, [&](Context& context) { return context.unload(desc->id); }, desc);
}

aipu_status_t AIPU_alloc_tensor_buffers(const ctx_handle* ctx, const graph_desc* desc,
                                        aipu_buffer_alloc_info* info) {
  return in_context(
      ctx, [&](Context& context) { return context.allocate(desc->id, info); }, desc, info);
}

aipu_status_t AIPU_free_tensor_buffers(const ctx_handle* ctx, std::uint32_t handle) {
  return in_context(ctx, [&](Context& context) { return context.free(handle); });
}

aipu_status_t AIPU_create_job(const ctx_handle* ctx, const graph_desc* desc, std::uint32_t handle,
                              std::uint32_t* job) {
  return in_context(
      ctx, [&](Context& context) { return context.create_job(desc->id, handle, job); }, desc, job);
}

aipu_status_t AIPU_flush_job(const ctx_handle* ctx, std::uint32_t job) {
  return with_job(ctx, job, [](Buffers& of) { return of.start(); });
}

aipu_status_t AIPU_finish_job(const ctx_handle* ctx, std::uint32_t job, std::int32_t timeout) {
  return with_job(ctx, job, [&](Buffers& of) -> aipu_status_t {
    if (const aipu_status_t status = of.start(); status != AIPU_R329_SUCCESS) return status;
    aipu_job_status_t state = AIPU_R329_JOB_NO_STATUS;
    if (const aipu_status_t status = of.wait(or_for_ever(timeout), &state); status != AIPU_R329_SUCCESS)
      return status;
    return state == AIPU_R329_JOB_DONE ? AIPU_R329_SUCCESS : AIPU_R329_JOB_EXCEPTION;
  });
}

aipu_status_t AIPU_get_job_status(const ctx_handle* ctx, std::uint32_t job, std::int32_t timeout,
                                  aipu_job_status_t* status) {
  return with_job(
      ctx, job, [&](Buffers& of) { return of.wait(or_for_ever(timeout), status); }, status);
}

aipu_status_t AIPU_poll_jobs_status(const ctx_handle* ctx, std::uint32_t* count, std::int32_t timeout) {
  return in_context(
      ctx,
      [&](Context& context) -> aipu_status_t {
        using Clock = std::chrono::steady_clock;
        const Clock::time_point deadline = Clock::now() + std::chrono::milliseconds(std::max(timeout, 0));
        const auto running = context.running();
        if (running.empty()) return AIPU_R329_JOB_NOT_SCHED;
        *count = 0;
        for (;;) {
          for (const std::shared_ptr<Buffers>& job : running) {
            aipu_job_status_t state = AIPU_R329_JOB_NO_STATUS;
            if (job->wait(1, &state) == AIPU_R329_SUCCESS) ++*count;
          }
          if (*count > 0) return AIPU_R329_SUCCESS;
          if (timeout > 0 && Clock::now() >= deadline) return AIPU_R329_JOB_TIMEOUT;
        }
      },
      count);
}

aipu_status_t AIPU_clean_job(const ctx_handle* ctx, std::uint32_t job) {
  return in_context(ctx, [&](Context& context) { return context.clean_job(job); });
}

aipu_status_t AIPU_set_dump_options(const ctx_handle* ctx, std::uint32_t job, const dump_option* option) {
  return with_job(
      ctx, job,
      [&](Buffers&) {
        constexpr std::uint32_t kLimit = 0x800, kContent = 0x1FF, kMoment = 0x780;
        if (option->flag >= kLimit || (option->flag & kContent) == 0 || (option->flag & kMoment) == 0)
          return AIPU_R329_INVALID_OPTIONS;
        return said(AIPU_R329_OP_NOT_SUPPORTED,
                    "dumps of this generation are not known well enough to write them");
      },
      option);
}

aipu_status_t AIPU_debugger_get_core_cnt(const ctx_handle* ctx, std::uint32_t* count) {
  return in_context(
      ctx,
      [&](Context&) {
        *count = 1;
        return AIPU_R329_SUCCESS;
      },
      count);
}

aipu_status_t AIPU_debugger_get_core_info(const ctx_handle* ctx, std::uint32_t core, aipu_core_info* info) {
  return in_context(
      ctx,
      [&](Context&) {
        if (core > 0) return AIPU_R329_INVALID_CORE_ID;
        info->reg_base = 0;
        return AIPU_R329_SUCCESS;
      },
      info);
}

aipu_status_t AIPU_debugger_get_job_info(const ctx_handle* ctx, std::uint32_t job,
                                         aipu_debugger_job_info* info) {
  return with_job(
      ctx, job,
      [&](Buffers& of) {
        of.job_info(info);
        return AIPU_R329_SUCCESS;
      },
      info);
}

aipu_status_t AIPU_debugger_bind_job(const ctx_handle* ctx, std::uint32_t core, std::uint32_t job) {
  return with_job(ctx, job, [&](Buffers& of) {
    if (core > 0) return AIPU_R329_INVALID_CORE_ID;
    of.bind();
    return AIPU_R329_SUCCESS;
  });
}

aipu_status_t AIPU_debugger_run_job(const ctx_handle* ctx, std::uint32_t job) {
  return with_job(ctx, job, [](Buffers& of) { return of.is_bound() ? of.start() : AIPU_R329_INVALID_OP; });
}

aipu_status_t AIPU_debugger_malloc(const ctx_handle* ctx, std::uint32_t size, void** va) {
  return in_context(
      ctx, [&](Context& context) { return context.allocate_memory(size, va); }, va);
}

aipu_status_t AIPU_debugger_free(const ctx_handle* ctx, void* va) {
  return in_context(
      ctx, [&](Context& context) { return context.free_memory(va); }, static_cast<const char*>(va));
}

aipu_status_t AIPU_printf(tensor_buffer* buffer, char* file) {
  if (buffer == nullptr || (buffer->number > 0 && buffer->tensors == nullptr)) return AIPU_R329_NULL_PTR;
  for (std::uint32_t i = 0; i < buffer->number; ++i) {
    const aipu_r329_buffer& tensor = buffer->tensors[i];
    if (tensor.va == nullptr) return AIPU_R329_NULL_PTR;
    if (!print_log(static_cast<const char*>(tensor.va), tensor.size, file)) return AIPU_R329_WRITE_FILE_FAIL;
  }
  return AIPU_R329_SUCCESS;
}

aipu_status_t aipu_printf(char* base, char* file) {
  constexpr std::uint32_t kUsualBytes = 1 << 20;  // nothing says how long the buffer is
  if (base == nullptr) return AIPU_R329_NULL_PTR;
  return print_log(base, kUsualBytes, file) ? AIPU_R329_SUCCESS : AIPU_R329_WRITE_FILE_FAIL;
}
