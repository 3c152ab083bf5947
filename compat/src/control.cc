// SPDX-License-Identifier: MIT
// aipu_ioctl and what it hands out: shapes, versions, shared memory (standard-api.md 8).
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "context.h"

namespace zynpu::compat {
namespace {

constexpr std::uint32_t kOverRead = 0x800;  // X2 reads past the end of a buffer

std::uint64_t inode_of(int fd) {
  struct stat status {};
  return fstat(fd, &status) == 0 ? static_cast<std::uint64_t>(status.st_ino) : 0;
}

bool takes_argument(std::uint32_t command) {
  switch (command) {
    case AIPU_IOCTL_ABORT_CMDPOOL:
    case AIPU_IOCTL_ENABLE_TICKCOUNTER:
    case AIPU_IOCTL_DISABLE_TICKCOUNTER:
    case AIPU_IOCTL_SW_RESET:
    case AIPU_IOCTL_HW_RESET:
      return false;
    default:
      return true;
  }
}

template <std::size_t N>
void put_text(char (&to)[N], std::string_view text) {
  std::memset(to, 0, N);
  std::memcpy(to, text.data(), std::min(text.size(), N - 1));
}

}  // namespace

Code Context::control(std::uint32_t command, void* argument) {
  if (command < AIPU_IOCTL_SET_PROFILE || command > AIPU_IOCTL_HW_RESET) return AIPU_STATUS_ERROR_INVALID_OP;
  if (argument == nullptr && takes_argument(command)) return AIPU_STATUS_ERROR_NULL_PTR;
  switch (command) {
    case AIPU_IOCTL_GET_AIPUBIN_BUILDVERSION: {
      auto& version = *static_cast<aipu_bin_buildversion_t*>(argument);
      const std::shared_ptr<const Graph> of = graph(version.graph_id);
      if (of == nullptr) return AIPU_STATUS_ERROR_INVALID_GRAPH_ID;
      version.aipubin_buildversion = of->npu().build_version;
      return kOk;
    }
    case AIPU_IOCTL_GET_DS_NUM:
    case AIPU_IOCTL_GET_DS_DIM_NUM:
    case AIPU_IOCTL_GET_DS_INFO:
    case AIPU_IOCTL_IS_DS:
    case AIPU_IOCTL_GET_DS_RANK:
    case AIPU_IOCTL_GET_DS_DIM_CONSTRAINT:
      return control_shape(command, argument);
    case AIPU_IOCTL_ALLOC_SHARE_BUF:
    case AIPU_IOCTL_FREE_SHARE_BUF:
    case AIPU_IOCTL_ALLOC_DMABUF:
    case AIPU_IOCTL_FREE_DMABUF:
    case AIPU_IOCTL_GET_DMABUF_INFO:
    case AIPU_IOCTL_WRITE_DMABUF:
    case AIPU_IOCTL_READ_DMABUF:
    case AIPU_IOCTL_ATTACH_DMABUF:
    case AIPU_IOCTL_DETACH_DMABUF:
      return control_shared(command, argument);
    case AIPU_IOCTL_GET_VERSION: {
      auto& version = *static_cast<aipu_driver_version_t*>(argument);
      put_text(version.umd_version, "6.1.0");
      put_text(version.kmd_version, "zynpu");
      return kOk;
    }
    case AIPU_IOCTL_RW_REGISTER:
    case AIPU_IOCTL_RW_MEMORY:
      return control_memory(command, argument);
    // One address window serves weights and feature maps, profiling is always on, and queues abort by
    // themselves after a failure: there is nothing to switch.
    case AIPU_IOCTL_SET_PROFILE:
    case AIPU_IOCTL_SET_DYNAMIC_ASID1:
    case AIPU_IOCTL_ABORT_CMDPOOL:
    case AIPU_IOCTL_ENABLE_TICKCOUNTER:
    case AIPU_IOCTL_DISABLE_TICKCOUNTER:
      return kOk;
    case AIPU_IOCTL_SW_RESET:
    case AIPU_IOCTL_HW_RESET: {
      // As the vendor's simulator: accepted, and without effect on the machine that others share.
      const Machine machine = current_machine();
      return machine == nullptr || machine->backend().is_virtual() ? kOk : AIPU_STATUS_ERROR_OP_NOT_SUPPORTED;
    }
    default:
      return AIPU_STATUS_ERROR_INVALID_OP;
  }
}

// All of these structures begin with the graph's id.
Code Context::control_shape(std::uint32_t command, void* argument) {
  std::uint64_t id = 0;
  std::memcpy(&id, argument, sizeof id);
  const std::shared_ptr<const Graph> of = graph(id);
  if (!is_graph_id(id) || of == nullptr) return AIPU_STATUS_ERROR_INVALID_GRAPH_ID;
  const std::vector<graph::ShapeRange>& shapes = of->shapes();
  switch (command) {
    case AIPU_IOCTL_IS_DS:
      static_cast<aipu_is_ds_t*>(argument)->dynamic_shape = of->is_dynamic();
      return kOk;
    case AIPU_IOCTL_GET_DS_NUM: {
      auto& query = *static_cast<aipu_dynshape_num_t*>(argument);
      if (query.ds_num == nullptr) return AIPU_STATUS_ERROR_NULL_PTR;
      *query.ds_num = static_cast<std::uint32_t>(shapes.size());
      return kOk;
    }
    case AIPU_IOCTL_GET_DS_RANK: {
      auto& query = *static_cast<aipu_dynshape_rank_t*>(argument);
      query.rank =
          query.ds_idx < shapes.size() ? static_cast<std::uint32_t>(shapes[query.ds_idx].minimum.size()) : 0;
      return kOk;
    }
    case AIPU_IOCTL_GET_DS_DIM_NUM: {
      auto& query = *static_cast<aipu_dynshape_dim_num_t*>(argument);
      if (query.ds_dim_num == nullptr) return AIPU_STATUS_ERROR_NULL_PTR;
      if (query.ds_idx >= shapes.size()) return AIPU_STATUS_ERROR_GET_SHAPE_FAILED;
      *query.ds_dim_num = static_cast<std::uint32_t>(shapes[query.ds_idx].minimum.size());
      return kOk;
    }
    case AIPU_IOCTL_GET_DS_INFO: {
      auto& query = *static_cast<aipu_dynshape_info_t*>(argument);
      if (query.ds_data == nullptr) return AIPU_STATUS_ERROR_NULL_PTR;
      if (query.ds_idx >= shapes.size()) return AIPU_STATUS_ERROR_GET_SHAPE_FAILED;
      const graph::ShapeRange& range = shapes[query.ds_idx];
      std::copy((query.max_threshhold ? range.maximum : range.minimum).begin(),
                (query.max_threshhold ? range.maximum : range.minimum).end(), query.ds_data);
      return kOk;
    }
    default: {
      auto& query = *static_cast<aipu_dynshape_dimension_t*>(argument);
      if (query.min_dim == nullptr || query.max_dim == nullptr) return AIPU_STATUS_ERROR_NULL_PTR;
      if (query.ds_idx >= shapes.size()) return AIPU_STATUS_ERROR_GET_SHAPE_FAILED;
      const graph::ShapeRange& range = shapes[query.ds_idx];
      std::copy(range.minimum.begin(), range.minimum.end(), query.min_dim);
      std::copy(range.maximum.begin(), range.maximum.end(), query.max_dim);
      return kOk;
    }
  }
}

Code Context::adopt(int fd, SharedBuffer* out) {
  Machine on;
  COMPAT_TRY(machine(&on));
  auto buffer = on->backend().import_shared(fd);
  if (!buffer) return report(AIPU_STATUS_ERROR_DEV_ABNORMAL, buffer.error());
  *out = {on, std::move(*buffer), 0, 0};
  out->bytes = out->buffer->bytes();
  out->inode = inode_of(fd);
  std::lock_guard lock(mutex_);
  dma_buffers_[fd] = *out;
  return kOk;
}

Code Context::find_shared(int fd, SharedBuffer* out) const {
  std::lock_guard lock(mutex_);
  const auto found = dma_buffers_.find(fd);
  if (found == dma_buffers_.end() || found->second.inode != inode_of(fd))
    return report(AIPU_STATUS_ERROR_DEV_ABNORMAL, "file descriptor {} is not a known dma-buf", fd);
  *out = found->second;
  return kOk;
}

Code Context::control_shared(std::uint32_t command, void* argument) {
  switch (command) {
    case AIPU_IOCTL_ALLOC_SHARE_BUF: {
      auto& request = *static_cast<aipu_share_buf_t*>(argument);
      if (request.size == 0) return AIPU_STATUS_ERROR_INVALID_SIZE;
      if (request.mem_type > AIPU_MEM_REGION_DTCM) return AIPU_STATUS_ERROR_INVALID_CONFIG;
      Machine on;
      COMPAT_TRY(machine(&on));
      auto buffer = on->backend().allocate(request.size, 4096);
      if (!buffer) return report(AIPU_STATUS_ERROR_BUF_ALLOC_FAIL, buffer.error());
      SharedBuffer shared = {on, std::move(*buffer), request.size, 0};
      request.pa = shared.buffer->bus_address();
      request.va = reinterpret_cast<std::uintptr_t>(shared.buffer->host().data());
      std::lock_guard lock(mutex_);
      share_buffers_[request.pa] = std::move(shared);
      return kOk;
    }
    case AIPU_IOCTL_FREE_SHARE_BUF: {
      SharedBuffer dropped;
      std::lock_guard lock(mutex_);
      const auto found = share_buffers_.find(static_cast<aipu_share_buf_t*>(argument)->pa);
      if (found == share_buffers_.end()) return AIPU_STATUS_ERROR_SET_SHARED_TENSOR;
      dropped = std::move(found->second);
      share_buffers_.erase(found);
      return kOk;
    }
    case AIPU_IOCTL_ALLOC_DMABUF: {
      auto& request = *static_cast<aipu_dma_buf_req_t*>(argument);
      Machine on;
      COMPAT_TRY(machine(&on));
      if (request.bytes == 0 || request.bytes > on->part().window_bytes)
        return AIPU_STATUS_ERROR_INVALID_SIZE;
      const bool x2 = on->part().host_interface == part::HostInterface::kTsm;
      const std::uint64_t bytes = request.bytes + (x2 ? kOverRead : 0);
      auto fd = on->backend().create_shared(bytes);
      if (!fd) return report(AIPU_STATUS_ERROR_BUF_ALLOC_FAIL, fd.error());
      SharedBuffer shared;
      if (const Code code = adopt(*fd, &shared); code != kOk) {
        on->backend().destroy_shared(*fd);
        return code;
      }
      request.fd = *fd;
      request.bytes = bytes;
      return kOk;
    }
    case AIPU_IOCTL_FREE_DMABUF:
    case AIPU_IOCTL_DETACH_DMABUF: {
      const int fd = *static_cast<int*>(argument);
      SharedBuffer dropped;
      COMPAT_TRY(find_shared(fd, &dropped));
      {
        std::lock_guard lock(mutex_);
        dma_buffers_.erase(fd);
      }
      if (command == AIPU_IOCTL_FREE_DMABUF) dropped.machine->backend().destroy_shared(fd);
      return kOk;
    }
    case AIPU_IOCTL_GET_DMABUF_INFO: {
      auto& description = *static_cast<aipu_dma_buf_desc_t*>(argument);
      SharedBuffer shared;
      COMPAT_TRY(find_shared(description.fd, &shared));
      description.pa = shared.buffer->bus_address();
      description.bytes = shared.bytes;
      return kOk;
    }
    case AIPU_IOCTL_ATTACH_DMABUF: {
      auto& description = *static_cast<aipu_dma_buf_desc_t*>(argument);
      SharedBuffer shared;
      COMPAT_TRY(adopt(description.fd, &shared));
      description.pa = shared.buffer->bus_address();
      description.bytes = shared.bytes;
      return kOk;
    }
    default:
      return transfer(*static_cast<aipu_dmabuf_op_t*>(argument), command == AIPU_IOCTL_WRITE_DMABUF);
  }
}

Code Context::transfer(const aipu_dmabuf_op_t& operation, bool write) {
  if (operation.data == nullptr) return AIPU_STATUS_ERROR_NULL_PTR;
  SharedBuffer shared;
  COMPAT_TRY(find_shared(operation.dmabuf_fd, &shared));
  if (std::uint64_t{operation.offset_in_dmabuf} + operation.size > shared.bytes)
    return AIPU_STATUS_ERROR_INVALID_SIZE;
  std::uint8_t* const memory = shared.buffer->host().data() + operation.offset_in_dmabuf;
  const auto copy = [&]() -> Status {
    ZYNPU_TRY(shared.buffer->sync_for_cpu());
    if (!write) {
      std::memcpy(operation.data, memory, operation.size);
      return {};
    }
    std::memcpy(memory, operation.data, operation.size);
    return shared.buffer->sync_for_device();
  };
  if (const Status copied = copy(); !copied) return report(AIPU_STATUS_ERROR_DEV_ABNORMAL, copied.error());
  return kOk;
}

Code Context::control_memory(std::uint32_t command, void* argument) {
  const Machine machine = current_machine();
  if (command == AIPU_IOCTL_RW_REGISTER) {
    // The registers belong to the driver that shares the device among its users.
    if (machine != nullptr && !machine->backend().is_virtual())
      return report(AIPU_STATUS_ERROR_OP_NOT_SUPPORTED, "register access is left to the device's driver");
    return kOk;
  }
  auto& access = *static_cast<aipu_mem_rw_t*>(argument);
  if (access.data == nullptr) return AIPU_STATUS_ERROR_NULL_PTR;
  if (access.type != AIPU_IOCTL_READ_MEM && access.type != AIPU_IOCTL_WRITE_MEM)
    return AIPU_STATUS_ERROR_INVALID_OP;
  const std::shared_ptr<Job> of = job(access.job_id);
  if (of == nullptr) return AIPU_STATUS_ERROR_INVALID_JOB_ID;
  std::uint8_t* const memory = of->memory_at(access.addr, access.size);
  if (memory == nullptr) return AIPU_STATUS_ERROR_INVALID_SIZE;
  if (access.type == AIPU_IOCTL_READ_MEM)
    std::memcpy(access.data, memory, access.size);
  else
    std::memcpy(memory, access.data, access.size);
  return kOk;
}

Code Context::specify_buffer(std::uint64_t job_id, const aipu_shared_tensor_info_t& info) {
  const std::shared_ptr<Job> of = job(job_id);
  if (of == nullptr) return AIPU_STATUS_ERROR_INVALID_JOB_ID;
  if (info.type != AIPU_TENSOR_TYPE_INPUT && info.type != AIPU_TENSOR_TYPE_OUTPUT)
    return AIPU_STATUS_ERROR_INVALID_TENSOR_ID;
  if (info.tensor_idx >= of->graph().readable(info.type)->size()) return AIPU_STATUS_ERROR_INVALID_TENSOR_ID;
  runtime::Backend& backend = of->graph().machine()->backend();
  switch (info.shared_case_type) {
    case AIPU_SHARE_BUF_IN_ONE_PROCESS:
    case AIPU_SHARE_BUF_CUSTOMED: {
      // Memory of other owners cannot be reached by address: drivers take buffers, not addresses, and the
      // virtual NPU has no physical memory. Buffers of ALLOC_SHARE_BUF serve both cases.
      std::shared_ptr<runtime::Buffer> buffer;
      std::uint64_t offset = 0;
      {
        std::lock_guard lock(mutex_);
        auto found = share_buffers_.upper_bound(info.pa);
        if (found == share_buffers_.begin()) return AIPU_STATUS_ERROR_MARK_SHARED_TENSOR;
        --found;
        offset = info.pa - found->first;
        if (offset >= found->second.bytes || found->second.machine != of->graph().machine())
          return AIPU_STATUS_ERROR_MARK_SHARED_TENSOR;
        buffer = found->second.buffer;
      }
      return of->replace(info.type, info.tensor_idx, std::move(buffer), offset);
    }
    case AIPU_SHARE_BUF_ATTACH_DMABUF:
      if (of->graph().is_x2()) return AIPU_STATUS_ERROR_INVALID_CONFIG;
      [[fallthrough]];
    case AIPU_SHARE_BUF_DMABUF: {
      auto buffer = backend.import_shared(info.dmabuf_fd);
      if (!buffer) return report(AIPU_STATUS_ERROR_DEV_ABNORMAL, buffer.error());
      return of->replace(info.type, info.tensor_idx, std::move(*buffer), info.offset_in_dmabuf);
    }
    default:
      return AIPU_STATUS_ERROR_INVALID_OP;
  }
}

Code Context::allocate(std::uint32_t bytes, std::uint32_t align_pages, void** handle) {
  if (bytes == 0 || align_pages > 1u << 16) return AIPU_STATUS_ERROR_INVALID_SIZE;
  std::uint64_t alignment = 4096;
  while (alignment < std::uint64_t{4096} * align_pages) alignment *= 2;
  Machine on;
  COMPAT_TRY(machine(&on));
  auto made = on->backend().allocate(bytes, alignment);
  if (!made) return report(AIPU_STATUS_ERROR_BUF_ALLOC_FAIL, made.error());
  SharedBuffer buffer = {on, std::move(*made), bytes, 0};
  *handle = buffer.buffer->host().data();
  std::lock_guard lock(mutex_);
  allocations_[*handle] = std::move(buffer);
  return kOk;
}

Code Context::free(void* handle) {
  SharedBuffer dropped;
  std::lock_guard lock(mutex_);
  const auto found = allocations_.find(handle);
  if (found == allocations_.end()) return AIPU_STATUS_ERROR_BUF_FREE_FAIL;
  dropped = std::move(found->second);
  allocations_.erase(found);
  return kOk;
}

SharedBuffer Context::allocation(const void* handle) const {
  std::lock_guard lock(mutex_);
  const auto found = allocations_.find(handle);
  return found == allocations_.end() ? SharedBuffer() : found->second;
}

}  // namespace zynpu::compat
