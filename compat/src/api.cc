// SPDX-License-Identifier: MIT
// The exported functions: argument checks, then the objects behind the handles.
#include <cstring>
#include <filesystem>
#include <new>

#include "context.h"
#include "printf_log.h"
#include "runtime/file.h"

using namespace zynpu;
using namespace zynpu::compat;

namespace {

// Nothing is thrown across the border of the library.
template <class Body>
Code guarded(Body&& body) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return AIPU_STATUS_ERROR_BUF_ALLOC_FAIL;
  } catch (const std::exception& error) {
    try {
      return report(AIPU_STATUS_ERROR_DEV_ABNORMAL, "{}", error.what());
    } catch (...) {
      return AIPU_STATUS_ERROR_DEV_ABNORMAL;
    }
  } catch (...) {
    return AIPU_STATUS_ERROR_DEV_ABNORMAL;
  }
}

// `body` with the context of the handle; 0x1 for NULL, here and among `pointers`, 0x2 for an unknown handle.
template <class Body, class... Pointers>
Code in_context(const aipu_ctx_handle_t* handle, Body&& body, const Pointers*... pointers) noexcept {
  return guarded([&]() -> Code {
    if (handle == nullptr || (... || (pointers == nullptr))) return AIPU_STATUS_ERROR_NULL_PTR;
    const std::shared_ptr<Context> context = find_context(handle);
    return context == nullptr ? AIPU_STATUS_ERROR_INVALID_CTX : body(*context);
  });
}

// `body` with a job of the context; 0x10 if there is none of this id.
template <class Body, class... Pointers>
Code with_job(const aipu_ctx_handle_t* handle, std::uint64_t id, Body&& body,
              const Pointers*... pointers) noexcept {
  return in_context(
      handle,
      [&](Context& context) -> Code {
        const std::shared_ptr<Job> job = context.job(id);
        return job == nullptr ? AIPU_STATUS_ERROR_INVALID_JOB_ID : body(context, job);
      },
      pointers...);
}

Code check_graph_id(std::uint64_t id) { return is_graph_id(id) ? kOk : AIPU_STATUS_ERROR_INVALID_GRAPH_ID; }

Code check_load_config(const aipu_load_graph_cfg_t* config) {
  std::error_code error;
  if (config != nullptr && config->extra_weight_path != nullptr &&
      !std::filesystem::exists(config->extra_weight_path, error))
    return report(AIPU_STATUS_ERROR_OPEN_FILE_FAIL, "extra_weight_path `{}` does not exist",
                  config->extra_weight_path);
  return kOk;
}

Code read_file(const char* path, std::vector<std::uint8_t>* out) {
  auto file = runtime::read_file(path);
  if (!file)
    return report(file.error().code == ErrorCode::kNotFound  ? AIPU_STATUS_ERROR_OPEN_FILE_FAIL
                  : file.error().code == ErrorCode::kBadFile ? AIPU_STATUS_ERROR_GVERSION_UNSUPPORTED
                                                             : AIPU_STATUS_ERROR_READ_FILE_FAIL,
                  file.error());
  *out = std::move(*file);
  return kOk;
}

}  // namespace

// --- contexts ---

aipu_status_t aipu_init_context(aipu_ctx_handle_t** ctx) {
  return guarded([&] { return ctx == nullptr ? AIPU_STATUS_ERROR_NULL_PTR : open_context(ctx); });
}

aipu_status_t aipu_deinit_context(const aipu_ctx_handle_t* ctx) {
  return guarded([&] { return ctx == nullptr ? AIPU_STATUS_ERROR_NULL_PTR : close_context(ctx); });
}

aipu_status_t aipu_get_error_message(const aipu_ctx_handle_t* ctx, aipu_status_t status, const char** msg) {
  return guarded([&]() -> Code {
    if (msg == nullptr) return AIPU_STATUS_ERROR_NULL_PTR;
    if (ctx == nullptr) {
      const Code code = status == AIPU_STATUS_ERROR_OPEN_DEV_FAIL ? status : AIPU_STATUS_ERROR_NULL_PTR;
      *msg = message(code);
      return code;
    }
    const std::shared_ptr<Context> context = find_context(ctx);
    if (context == nullptr) return AIPU_STATUS_ERROR_INVALID_CTX;
    *msg = message(status);
    if (status > AIPU_STATUS_MAX && status == context->last_program_code)
      *msg = context->program_text(status);
    return kOk;
  });
}

aipu_status_t aipu_config_global(const aipu_ctx_handle_t* ctx, uint64_t types, void* config) {
  return in_context(ctx, [&](Context& context) { return context.configure(types, config); });
}

// --- graphs ---

aipu_status_t aipu_load_graph(const aipu_ctx_handle_t* ctx, const char* graph, uint64_t* id,
                              aipu_load_graph_cfg_t* config) {
  return in_context(
      ctx,
      [&](Context& context) -> Code {
        COMPAT_TRY(check_load_config(config));
        std::vector<std::uint8_t> file;
        COMPAT_TRY(read_file(graph, &file));
        return context.load({file, nullptr, {}}, config, id);
      },
      graph, id);
}

aipu_status_t aipu_load_graph_helper(const aipu_ctx_handle_t* ctx, const char* graph_buf, uint32_t graph_size,
                                     uint64_t* id, aipu_load_graph_cfg_t* config) {
  return in_context(
      ctx,
      [&](Context& context) -> Code {
        COMPAT_TRY(check_load_config(config));
        const std::span file(reinterpret_cast<const std::uint8_t*>(graph_buf), graph_size);
        return context.load({file, nullptr, {}}, config, id);
      },
      graph_buf, id);
}

aipu_status_t aipu_load_share_weight_graph(const aipu_ctx_handle_t* ctx, const char* graph, uint64_t** ids,
                                           uint32_t* id_cnt, aipu_load_graph_cfg_t* config) {
  return in_context(
      ctx,
      [&](Context& context) -> Code {
        COMPAT_TRY(check_load_config(config));
        std::vector<std::uint8_t> file;
        COMPAT_TRY(read_file(graph, &file));
        return context.load_bundle(file, config, ids, id_cnt);
      },
      graph, ids, id_cnt);
}

aipu_status_t aipu_unload_graph(const aipu_ctx_handle_t* ctx, uint64_t graph) {
  return in_context(ctx, [&](Context& context) { return context.unload(graph); });
}

// --- jobs ---

aipu_status_t aipu_create_job(const aipu_ctx_handle_t* ctx, uint64_t graph, uint64_t* job,
                              aipu_create_job_cfg_t* config) {
  return in_context(
      ctx, [&](Context& context) { return context.create_job(graph, config, job); }, job);
}

aipu_status_t aipu_finish_job(const aipu_ctx_handle_t* ctx, uint64_t job, int32_t time_out) {
  return with_job(ctx, job, [&](Context& context, const std::shared_ptr<Job>& of) -> Code {
    COMPAT_TRY(of->schedule(nullptr));
    aipu_job_status_t status = AIPU_JOB_STATUS_NO_STATUS;
    COMPAT_TRY(context.wait(of, time_out <= 0 ? -1 : time_out, &status));
    return status == AIPU_JOB_STATUS_DONE ? kOk : AIPU_STATUS_ERROR_JOB_EXCEPTION;
  });
}

aipu_status_t aipu_flush_job(const aipu_ctx_handle_t* ctx, uint64_t job, aipu_job_callback_func_t callback) {
  return with_job(ctx, job, [&](Context&, const std::shared_ptr<Job>& of) { return of->schedule(callback); });
}

aipu_status_t aipu_get_job_status(const aipu_ctx_handle_t* ctx, uint64_t job, aipu_job_status_t* status,
                                  int32_t timeout) {
  return with_job(
      ctx, job,
      [&](Context& context, const std::shared_ptr<Job>& of) { return context.wait(of, timeout, status); },
      status);
}

aipu_status_t aipu_clean_job(const aipu_ctx_handle_t* ctx, uint64_t job) {
  return in_context(ctx, [&](Context& context) {
    return is_job_id(job) ? context.clean_job(job) : AIPU_STATUS_ERROR_INVALID_JOB_ID;
  });
}

aipu_status_t aipu_config_job(const aipu_ctx_handle_t* ctx, uint64_t job, uint64_t types, void* config) {
  return with_job(ctx, job, [&](Context& context, const std::shared_ptr<Job>& of) -> Code {
    constexpr std::uint64_t kDumps = 0x3FF;
    if ((types & kDumps) != 0) return of->set_dump(types, static_cast<aipu_job_config_dump_t*>(config));
    if (types != AIPU_CONFIG_TYPE_SIMULATION && types != AIPU_JOB_CONFIG_TYPE_DYNAMIC_PARAMS)
      return AIPU_STATUS_ERROR_INVALID_CONFIG;
    if (config == nullptr) return AIPU_STATUS_ERROR_NULL_PTR;
    if (types == AIPU_JOB_CONFIG_TYPE_DYNAMIC_PARAMS)
      return context.reshape(*of, *static_cast<const aipu_dynshape_param_t*>(config));
    const char* folder = static_cast<const aipu_job_config_simulation_t*>(config)->data_dir;
    std::error_code error;
    if (!of->graph().is_x2() && (folder == nullptr || !std::filesystem::is_directory(folder, error)))
      return AIPU_STATUS_ERROR_INVALID_CONFIG;
    return kOk;
  });
}

// --- tensors ---

aipu_status_t aipu_get_tensor_count(const aipu_ctx_handle_t* ctx, uint64_t id, aipu_tensor_type_t type,
                                    uint32_t* cnt) {
  return in_context(
      ctx,
      [&](Context& context) -> Code {
        const std::shared_ptr<const Graph> graph = context.graph(id);
        if (graph == nullptr) return AIPU_STATUS_ERROR_INVALID_GRAPH_ID;
        const std::vector<Tensor>* list = graph->countable(type);
        if (list == nullptr) return AIPU_STATUS_ERROR_INVALID_TENSOR_TYPE;
        *cnt = static_cast<std::uint32_t>(list->size());
        return kOk;
      },
      cnt);
}

aipu_status_t aipu_get_tensor_descriptor(const aipu_ctx_handle_t* ctx, uint64_t id, aipu_tensor_type_t type,
                                         uint32_t tensor, aipu_tensor_desc_t* desc) {
  return in_context(
      ctx,
      [&](Context& context) -> Code {
        const std::shared_ptr<const Graph> graph = context.graph(id);
        if (graph == nullptr) return AIPU_STATUS_ERROR_INVALID_GRAPH_ID;
        const std::vector<Tensor>* list = graph->countable(type);
        if (list == nullptr) return AIPU_STATUS_ERROR_INVALID_TENSOR_TYPE;
        if (tensor >= list->size() || (graph->is_x2() && type == AIPU_TENSOR_TYPE_INTER_DUMP))
          return AIPU_STATUS_ERROR_INVALID_TENSOR_ID;
        const Tensor& entry = (*list)[tensor];
        const std::shared_ptr<Job> job = context.job(id);
        *desc = {tensor, job != nullptr ? job->bytes_of(type, tensor) : entry.bytes, entry.scale,
                 entry.zero_point, static_cast<aipu_data_type_t>(entry.data_type)};
        return kOk;
      },
      desc);
}

aipu_status_t aipu_load_tensor(const aipu_ctx_handle_t* ctx, uint64_t job, uint32_t tensor,
                               const void* data) {
  return with_job(
      ctx, job, [&](Context&, const std::shared_ptr<Job>& of) { return of->write_input(tensor, data); },
      static_cast<const char*>(data));
}

aipu_status_t aipu_load_output_tensor(const aipu_ctx_handle_t* ctx, uint64_t job, uint32_t tensor,
                                      const void* data) {
  return with_job(
      ctx, job, [&](Context&, const std::shared_ptr<Job>& of) { return of->write_output(tensor, data); },
      static_cast<const char*>(data));
}

aipu_status_t aipu_get_tensor(const aipu_ctx_handle_t* ctx, uint64_t job, aipu_tensor_type_t type,
                              uint32_t tensor, void* data) {
  return with_job(
      ctx, job,
      [&](Context&, const std::shared_ptr<Job>& of) -> Code {
        COMPAT_TRY(of->read(type, tensor, data));
        if (type == AIPU_TENSOR_TYPE_PRINTF) remember_printf(data, of->bytes_of(type, tensor));
        return kOk;
      },
      static_cast<const char*>(data));
}

aipu_status_t aipu_specify_iobuf(const aipu_ctx_handle_t* ctx, uint64_t job,
                                 aipu_shared_tensor_info_t* shared_buf) {
  return in_context(
      ctx, [&](Context& context) { return context.specify_buffer(job, *shared_buf); }, shared_buf);
}

aipu_status_t aipu_rewrite_rodata(const aipu_ctx_handle_t* ctx, uint64_t job, uint32_t offset,
                                  uint32_t value) {
  return with_job(ctx, job, [&](Context&, const std::shared_ptr<Job>& of) {
    return of->rewrite_parameter(offset, value);
  });
}

// --- the device ---

namespace {

// The machine's part, and whether it has partitions and clusters at all.
template <class Body, class Pointer>
Code with_part(const aipu_ctx_handle_t* handle, const Pointer* pointer, Body&& body) {
  return in_context(
      handle,
      [&](Context& context) -> Code {
        Machine machine;
        COMPAT_TRY(context.machine(&machine));
        const part::Part& part = machine->part();
        return body(part, part.host_interface == part::HostInterface::kTsm);
      },
      pointer);
}

}  // namespace

aipu_status_t aipu_get_partition_count(const aipu_ctx_handle_t* ctx, uint32_t* cnt) {
  return with_part(ctx, cnt, [&](const part::Part&, bool x2) {
    *cnt = x2 ? 1 : 0;
    return kOk;
  });
}

aipu_status_t aipu_get_cluster_count(const aipu_ctx_handle_t* ctx, uint32_t partition_id, uint32_t* cnt) {
  return with_part(ctx, cnt, [&](const part::Part& part, bool x2) {
    if (x2 && partition_id > 0) return AIPU_STATUS_ERROR_INVALID_PARTITION_ID;
    *cnt = x2 ? part.clusters : 0;
    return kOk;
  });
}

aipu_status_t aipu_get_core_count(const aipu_ctx_handle_t* ctx, uint32_t partition_id, uint32_t cluster,
                                  uint32_t* cnt) {
  return with_part(ctx, cnt, [&](const part::Part& part, bool) {
    if (partition_id > 0) return AIPU_STATUS_ERROR_INVALID_PARTITION_ID;
    if (cluster >= part.clusters) return AIPU_STATUS_ERROR_INVALID_CLUSTER_ID;
    *cnt = part.cores;
    return kOk;
  });
}

aipu_status_t aipu_get_target(const aipu_ctx_handle_t* ctx, char* target) {
  return in_context(
      ctx,
      [&](Context& context) -> Code {
        const Machine machine = context.current_machine();
        std::string name = "null";  // what a simulator answers
        if (machine != nullptr && !machine->backend().is_virtual()) {
          const part::Part& part = machine->part();
          name = part.target;
          if (part.cores > 1) name += fmt::format("MP{}", part.cores);
        }
        std::memcpy(target, name.c_str(), name.size() + 1);
        return kOk;
      },
      target);
}

aipu_status_t aipu_get_device_status(const aipu_ctx_handle_t* ctx, device_status_t* status) {
  return in_context(
      ctx,
      [&](Context& context) {
        *status = context.busy() ? DEV_BUSY : DEV_IDLE;
        return kOk;
      },
      status);
}

aipu_status_t aipu_ioctl(aipu_ctx_handle_t* ctx, uint32_t cmd, void* arg) {
  return in_context(ctx, [&](Context& context) { return context.control(cmd, arg); });
}

// --- debugging ---

aipu_status_t aipu_debugger_get_core_info(const aipu_ctx_handle_t* ctx, uint32_t id, aipu_core_info_t* info) {
  return with_part(ctx, info, [&](const part::Part& part, bool) {
    if (id >= part.cores) return AIPU_STATUS_ERROR_INVALID_CORE_ID;
    info->reg_base = 0;  // registers belong to the driver; their bus address is nobody's business
    return kOk;
  });
}

aipu_status_t aipu_debugger_get_job_info(const aipu_ctx_handle_t* ctx, uint64_t job,
                                         aipu_debugger_job_info_t* info) {
  return with_job(
      ctx, job,
      [&](Context&, const std::shared_ptr<Job>& of) {
        *info = {of->program_address(), nullptr, nullptr};
        return kOk;
      },
      info);
}

aipu_status_t aipu_debugger_bind_job(const aipu_ctx_handle_t* ctx, uint32_t id, uint64_t job) {
  return with_job(ctx, job, [&](Context&, const std::shared_ptr<Job>& of) {
    return id >= of->graph().machine()->part().cores ? AIPU_STATUS_ERROR_INVALID_CORE_ID : of->bind();
  });
}

aipu_status_t aipu_debugger_run_job(const aipu_ctx_handle_t* ctx, uint64_t job) {
  return with_job(ctx, job, [&](Context&, const std::shared_ptr<Job>& of) { return of->run_bound(); });
}

aipu_status_t aipu_debugger_malloc(const aipu_ctx_handle_t* ctx, uint32_t size, void** va) {
  return in_context(
      ctx, [&](Context& context) { return context.allocate(size, 1, va); }, va);
}

aipu_status_t aipu_debugger_free(const aipu_ctx_handle_t* ctx, void* va) {
  return in_context(
      ctx, [&](Context& context) { return context.free(va); }, static_cast<const char*>(va));
}

aipu_status_t aipu_malloc(const aipu_ctx_handle_t* ctx, uint32_t size, uint32_t align_pages, uint32_t asid,
                          void** handle) {
  return in_context(
      ctx,
      [&](Context& context) {
        constexpr std::uint32_t kWindows = 4;
        return asid < kWindows ? context.allocate(size, align_pages, handle)
                               : AIPU_STATUS_ERROR_INVALID_CONFIG;
      },
      handle);
}

aipu_status_t aipu_free(const aipu_ctx_handle_t* ctx, void** handle) {
  return in_context(
      ctx,
      [&](Context& context) -> Code {
        COMPAT_TRY(context.free(*handle));
        *handle = nullptr;
        return kOk;
      },
      handle);
}

aipu_status_t aipu_memcpy(const aipu_ctx_handle_t* ctx, void* dst, const void* src, uint32_t size, int kind) {
  return in_context(
      ctx,
      [&](Context& context) -> Code {
        constexpr int kToDevice = 0, kFromDevice = 1, kBetween = 2;
        if (kind < kToDevice || kind > kBetween) return AIPU_STATUS_ERROR_INVALID_OP;
        const void* const handles[] = {kind != kFromDevice ? dst : nullptr,
                                       kind != kToDevice ? src : nullptr};
        for (const void* handle : handles) {
          if (handle == nullptr) continue;
          const SharedBuffer memory = context.allocation(handle);
          if (memory.buffer == nullptr || size > memory.bytes) return AIPU_STATUS_ERROR_INVALID_SIZE;
        }
        std::memmove(dst, src, size);
        return kOk;
      },
      static_cast<const char*>(dst), static_cast<const char*>(src));
}

aipu_status_t aipu_get_va(const aipu_ctx_handle_t* ctx, const void* handle, char** va) {
  return in_context(
      ctx,
      [&](Context& context) -> Code {
        const SharedBuffer memory = context.allocation(handle);
        if (memory.buffer == nullptr) return AIPU_STATUS_ERROR_BUF_FREE_FAIL;
        *va = reinterpret_cast<char*>(memory.buffer->host().data());
        return kOk;
      },
      static_cast<const char*>(handle), va);
}

aipu_status_t aipu_printf(char* printf_base, char* redirect_file) {
  return guarded([&]() -> Code {
    if (printf_base == nullptr) return AIPU_STATUS_ERROR_NULL_PTR;
    // A base that no aipu_get_tensor filled is taken for a buffer of the usual size, as the vendor's library
    // always does.
    constexpr std::uint32_t kUsualBytes = 1 << 20;
    const std::uint32_t known = printf_bytes(printf_base);
    return print_log(printf_base, known != 0 ? known : kUsualBytes, redirect_file)
               ? kOk
               : AIPU_STATUS_ERROR_PRINTF_FAIL;
  });
}

// --- batches ---

aipu_status_t aipu_create_batch_queue(const aipu_ctx_handle_t* ctx, uint64_t graph, uint32_t* queue) {
  return in_context(
      ctx,
      [&](Context& context) -> Code {
        COMPAT_TRY(check_graph_id(graph));
        return context.create_batch_queue(graph, queue);
      },
      queue);
}

aipu_status_t aipu_clean_batch_queue(const aipu_ctx_handle_t* ctx, uint64_t graph, uint32_t queue) {
  return in_context(ctx, [&](Context& context) { return context.clean_batch_queue(graph, queue); });
}

aipu_status_t aipu_config_batch_dump(const aipu_ctx_handle_t* ctx, uint64_t graph, uint32_t queue,
                                     uint64_t types, aipu_job_config_dump_t* dump_cfg) {
  return in_context(
      ctx, [&](Context& context) { return context.configure_batch_dump(graph, queue, types, dump_cfg); });
}

aipu_status_t aipu_add_batch(const aipu_ctx_handle_t* ctx, uint64_t graph, uint32_t queue, char* inputs[],
                             char* outputs[]) {
  return in_context(
      ctx, [&](Context& context) { return context.add_batch(graph, queue, inputs, outputs); }, inputs,
      outputs);
}

aipu_status_t aipu_finish_batch(const aipu_ctx_handle_t* ctx, uint64_t graph, uint32_t queue,
                                aipu_create_job_cfg_t* create_cfg) {
  return in_context(
      ctx, [&](Context& context) { return context.finish_batch(graph, queue, create_cfg); }, create_cfg);
}

// --- notes ---

namespace {

template <class Body, class... Pointers>
Code with_note(const aipu_ctx_handle_t* ctx, uint64_t graph, const char* name, Body&& body,
               const Pointers*... pointers) {
  return in_context(
      ctx,
      [&](Context& context) -> Code {
        const std::shared_ptr<const Graph> of = context.graph(graph);
        if (of == nullptr) return AIPU_STATUS_ERROR_INVALID_GRAPH_ID;
        if (!of->is_x2()) return AIPU_STATUS_ERROR_GVERSION_UNSUPPORTED;
        const std::optional<graph::Bytes> note = of->note(name);
        return note ? body(*note) : AIPU_STATUS_ERROR_INVALID_GBIN;
      },
      name, pointers...);
}

}  // namespace

aipu_status_t aipu_get_elf_note_size(const aipu_ctx_handle_t* ctx, uint64_t graph, const char* name,
                                     uint64_t* size) {
  return with_note(
      ctx, graph, name,
      [&](const graph::Bytes& note) {
        *size = note.size();
        return kOk;
      },
      size);
}

aipu_status_t aipu_read_elf_note(const aipu_ctx_handle_t* ctx, uint64_t graph, const char* name, char* data,
                                 uint64_t* size) {
  return with_note(
      ctx, graph, name,
      [&](const graph::Bytes& note) {
        if (*size < note.size()) return AIPU_STATUS_ERROR_INVALID_SIZE;
        std::memcpy(data, note.data(), note.size());
        *size = note.size();
        return kOk;
      },
      data, size);
}
