// SPDX-License-Identifier: MIT
// A context of the vendor's API: its graphs, jobs, batches and shared buffers (standard-api.md 5-8).
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "graph.h"
#include "job.h"
#include "machines.h"
#include "status.h"

namespace zynpu::compat {

// One set of pointers that aipu_add_batch recorded.
struct Batch {
  std::vector<char*> inputs, outputs;
};

struct BatchQueue {
  std::vector<Batch> batches;
  std::uint64_t dump_types = 0;
  DumpOptions dump;
};

// Memory that crosses the border of the API, on the machine that was current when it was made.
struct SharedBuffer {
  Machine machine;  // before the buffer, which needs it
  std::shared_ptr<runtime::Buffer> buffer;
  std::uint64_t bytes = 0;
  std::uint64_t inode = 0;  // of a file descriptor: tells one number's owners apart
};

// Thread-safe.
class Context {
 public:
  // 0x3 if the chosen device cannot be opened.
  static Code create(std::shared_ptr<Context>* out);

  // Stops every job, so that nobody waits on in a context that is closing.
  void shut();

  Code configure(std::uint64_t types, const void* config);

  Code load(const Graph::Source& source, const aipu_load_graph_cfg_t* config, std::uint64_t* id);
  // A bundle of graphs that share their weights; `ids` stays the context's (standard-api.md 2).
  Code load_bundle(std::span<const std::uint8_t> file, const aipu_load_graph_cfg_t* config,
                   std::uint64_t** ids, std::uint32_t* count);
  Code unload(std::uint64_t graph_id);
  // The graph of a graph id or a job id; null: 0xB.
  std::shared_ptr<const Graph> graph(std::uint64_t id) const;

  Code create_job(std::uint64_t graph_id, const aipu_create_job_cfg_t* config, std::uint64_t* id);
  // Null: there is none of this id (0x10).
  std::shared_ptr<Job> job(std::uint64_t id) const;
  Code clean_job(std::uint64_t id);
  // Job::wait, and the callbacks of every job of the context that has finished meanwhile.
  Code wait(const std::shared_ptr<Job>& job, std::int64_t timeout_ms, aipu_job_status_t* status);

  Code create_batch_queue(std::uint64_t graph_id, std::uint32_t* queue);
  Code clean_batch_queue(std::uint64_t graph_id, std::uint32_t queue);
  Code configure_batch_dump(std::uint64_t graph_id, std::uint32_t queue, std::uint64_t types,
                            const aipu_job_config_dump_t* config);
  Code add_batch(std::uint64_t graph_id, std::uint32_t queue, char* inputs[], char* outputs[]);
  Code finish_batch(std::uint64_t graph_id, std::uint32_t queue, const aipu_create_job_cfg_t* config);

  Code control(std::uint32_t command, void* argument);
  Code specify_buffer(std::uint64_t job_id, const aipu_shared_tensor_info_t& info);

  // The device of the last loaded graph; before the first: the chosen one, or the default virtual part.
  Code machine(Machine* out);
  // As machine(), but null where no device is open yet.
  Machine current_machine() const;

  Code allocate(std::uint32_t bytes, std::uint32_t align_pages, void** handle);
  Code free(void* handle);
  // Without a buffer: not a handle of allocate().
  SharedBuffer allocation(const void* handle) const;

  std::atomic<Code> last_program_code{kOk};  // what a status call last returned of 0x200 or more
  // Text for it with the raw number; lives as long as the context.
  const char* program_text(Code code);
  // A job of the context is under way.
  bool busy() const;
  // Other extents for the runs to come (config type DYNAMIC_PARAMS).
  Code reshape(Job& job, const aipu_dynshape_param_t& param) const;

 private:
  struct Entry {
    std::shared_ptr<const Graph> graph;
    std::map<std::uint32_t, std::shared_ptr<Job>> jobs;
    std::map<std::uint32_t, BatchQueue> queues;
  };

  Code read_shapes(const Graph& graph, const aipu_dynshape_param_t& param,
                   std::vector<std::vector<std::uint32_t>>* shapes) const;
  Code run_batch(std::uint64_t graph_id, const BatchQueue& queue, const Batch& batch, std::uint64_t* job_id,
                 const aipu_create_job_cfg_t* config);
  Code collect_batch(std::uint64_t job_id, const Batch& batch);
  std::vector<std::shared_ptr<Job>> jobs_awaiting_callbacks() const;

  Code control_shape(std::uint32_t command, void* argument);
  Code control_shared(std::uint32_t command, void* argument);
  Code control_memory(std::uint32_t command, void* argument);
  Code transfer(const aipu_dmabuf_op_t& operation, bool write);
  // Books the memory behind a file descriptor of the caller.
  Code adopt(int fd, SharedBuffer* out);
  Code find_shared(int fd, SharedBuffer* out) const;

  mutable std::mutex mutex_;
  std::string device_;  // "": the virtual part of each graph
  Machine machine_;
  bool version_check_ = true;
  std::map<std::uint32_t, Entry> graphs_;  // by the high half of the graph id
  std::map<int, SharedBuffer> dma_buffers_;
  std::map<std::uint64_t, SharedBuffer> share_buffers_;  // by bus address
  std::map<const void*, SharedBuffer> allocations_;      // by CPU address
  std::map<Code, std::string> program_texts_;
  std::deque<std::vector<std::uint64_t>> bundles_;
};

inline bool is_graph_id(std::uint64_t id) { return id >> 32 != 0; }
inline bool is_job_id(std::uint64_t id) { return is_graph_id(id) && (id & 0xFFFFFFFF) != 0; }

// Handles. A handle's four bytes stay readable for ever, so that a use after deinit is an error, not a fault.
Code open_context(aipu_ctx_handle_t** handle);
Code close_context(const aipu_ctx_handle_t* handle);
std::shared_ptr<Context> find_context(const aipu_ctx_handle_t* handle);

// The last printf tensor that was copied to `base` has this many bytes; 0: not known.
void remember_printf(const void* base, std::uint32_t bytes);
std::uint32_t printf_bytes(const void* base);

}  // namespace zynpu::compat
