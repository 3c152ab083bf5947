// SPDX-License-Identifier: MIT
#include "job.h"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace zynpu::compat {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;

}  // namespace

Code Job::create(std::shared_ptr<const Graph> graph, std::uint64_t id,
                 std::vector<std::vector<std::uint32_t>> shapes, std::shared_ptr<Job>* out) {
  std::shared_ptr<Job> job(new Job(std::move(graph), id));
  const Graph& of = *job->graph_;
  if (of.has_plan()) {
    auto planned = runtime::Job::create(of.program());
    if (!planned) return report(status_of(planned.error()), planned.error());
    job->planned_ = std::move(*planned);
  } else {
    auto npu = runtime::GraphJob::create(of.machine()->backend(), of.npu(), of.loaded());
    if (!npu) return report(status_of(npu.error()), npu.error());
    job->npu_ = std::move(*npu);
    if (of.is_dynamic()) {
      if (shapes.empty())
        for (const graph::ShapeRange& range : of.shapes()) shapes.push_back(range.minimum);
      COMPAT_TRY(job->set_shapes(std::move(shapes)));
    }
  }
  *out = std::move(job);
  return kOk;
}

Job::~Job() { cancel(); }

void Job::cancel() {
  if (planned_ != nullptr) planned_->cancel();
  if (npu_ != nullptr && npu_->backend_job() != nullptr) npu_->backend_job()->cancel();
}

bool Job::may_start() const {
  const State state = state_;
  return state == State::kInit || state == State::kDone || state == State::kBound;
}

Code Job::schedule(aipu_job_callback_func_t callback) {
  if (!may_start()) return AIPU_STATUS_ERROR_INVALID_OP;
  std::lock_guard lock(mutex_);
  return may_start() ? start(callback) : AIPU_STATUS_ERROR_INVALID_OP;
}

Code Job::start(aipu_job_callback_func_t callback) {
  if (dump_) dump(*dump_, dump_source(), false);
  const auto submit = [&]() -> Status {
    if (planned_ != nullptr) return planned_->submit();
    runtime::BackendJob* const job = npu_->backend_job();
    if (job == nullptr) return {};  // no sub-graphs: done at once
    ZYNPU_TRY(npu_->begin_run());
    return job->submit();
  };
  program_code_ = kOk;
  if (const Status status = submit(); !status) {
    state_ = State::kException;
    return report(AIPU_STATUS_ERROR_JOB_DISPATCH_FAIL, status.error());
  }
  callback_ = callback;
  callback_pending_ = callback != nullptr;
  state_ = State::kScheduled;
  return kOk;
}

Code Job::wait(std::int64_t timeout_ms, aipu_job_status_t* status) {
  *status = AIPU_JOB_STATUS_NO_STATUS;
  const auto timed_out = [&] { return timeout_ms > 0 ? AIPU_STATUS_ERROR_TIMEOUT : kOk; };
  std::unique_lock lock(mutex_, std::defer_lock);
  // Another thread that waits for this job holds the lock.
  if (timeout_ms < 0)
    lock.lock();
  else if (!lock.try_lock_for(std::chrono::milliseconds(timeout_ms)))
    return timed_out();
  switch (state_.load()) {
    case State::kInit:
    case State::kBound:
      return kOk;
    case State::kScheduled: {
      Status result;
      const std::int64_t timeout_ns = timeout_ms < 0 ? -1 : timeout_ms * kNsPerMs;
      if (planned_ != nullptr)
        result = planned_->wait(timeout_ns);
      else if (runtime::BackendJob* const job = npu_->backend_job())
        result = job->wait(timeout_ns);
      if (!result && result.error().code == ErrorCode::kTimeout) return timed_out();
      if (const Code code = settle(std::move(result)); code != kOk) program_code_ = code;
      break;
    }
    case State::kDone:
    case State::kException:
      break;
  }
  *status = state_ == State::kDone ? AIPU_JOB_STATUS_DONE : AIPU_JOB_STATUS_EXCEPTION;
  return program_code_;
}

// Takes notice of the end of a run.
Code Job::settle(Status result) {
  if (result && npu_ != nullptr && npu_->backend_job() != nullptr) result = npu_->end_run();
  if (!result) {
    report(AIPU_STATUS_ERROR_JOB_EXCEPTION, result.error());
    state_ = State::kException;
    return kOk;
  }
  state_ = State::kDone;
  if (dump_) dump(*dump_, dump_source(), true);
  if (npu_ == nullptr) return kOk;
  if (const std::uint32_t code = npu_->error_code(); code != 0) return static_cast<Code>(code);
  return npu_->backend_job() != nullptr ? measure_outputs() : kOk;
}

aipu_job_callback_func_t Job::take_callback() {
  const State state = state_;
  if (state != State::kDone && state != State::kException) return nullptr;
  return callback_pending_.exchange(false) ? callback_.load() : nullptr;
}

// The extents that the program wrote behind its outputs (graph-format.md 8.7).
Code Job::measure_outputs() {
  if (!graph_->is_dynamic()) return kOk;
  std::vector<std::vector<std::uint32_t>> shapes;
  const auto& pieces = *graph_->readable(AIPU_TENSOR_TYPE_OUT_TENSOR_SHAPE);
  if (pieces.size() != output_bytes_.size()) return AIPU_STATUS_ERROR_UNMATCH_OUT_SHAPE;
  for (std::uint32_t i = 0; i < pieces.size(); ++i) {
    const std::span<std::uint8_t> words = memory(AIPU_TENSOR_TYPE_OUT_TENSOR_SHAPE, i);
    std::vector<std::uint32_t>& shape = shapes.emplace_back(words.size() / 4);
    std::memcpy(shape.data(), words.data(), shape.size() * 4);
    if (std::find(shape.begin(), shape.end(), 0u) != shape.end()) return AIPU_STATUS_ERROR_ZERO_TENSOR_SIZE;
  }
  return resize(output_bytes_, AIPU_TENSOR_TYPE_OUTPUT, shapes, AIPU_STATUS_ERROR_UNMATCH_OUT_SHAPE);
}

// Sizes of tensors of the given shapes; `misfit` if one leaves the section that it lies in.
Code Job::resize(std::vector<std::uint32_t>& sizes, aipu_tensor_type_t type,
                 const std::vector<std::vector<std::uint32_t>>& shapes, Code misfit) {
  const std::vector<Tensor>& tensors = *graph_->readable(type);
  std::vector<std::uint32_t> fresh;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const Tensor& tensor = tensors[i];
    const graph::Place& section = graph_->loaded().layout.reuse_sections[tensor.place.section];
    const std::uint64_t room = section.offset + section.size - tensor.place.place.offset;
    std::uint64_t bytes = element_bytes(tensor.data_type);
    for (const std::uint32_t extent : shapes[i])
      if (__builtin_mul_overflow(bytes, std::uint64_t{extent}, &bytes)) bytes = UINT64_MAX;
    if (bytes > room)
      return report(misfit, "tensor {} of {} bytes does not fit into the {} bytes of its section", i, bytes,
                    room);
    fresh.push_back(static_cast<std::uint32_t>(bytes));
  }
  sizes = std::move(fresh);
  return kOk;
}

Code Job::set_shapes(std::vector<std::vector<std::uint32_t>> shapes) {
  if (!graph_->is_dynamic()) return AIPU_STATUS_ERROR_OP_NOT_SUPPORTED;
  std::lock_guard lock(mutex_);
  if (!may_start()) return AIPU_STATUS_ERROR_INVALID_OP;
  if (const Status status = npu_->set_shapes(shapes); !status)
    return report(AIPU_STATUS_ERROR_INVALID_SIZE, status.error());
  COMPAT_TRY(resize(input_bytes_, AIPU_TENSOR_TYPE_INPUT, shapes, AIPU_STATUS_ERROR_INVALID_SIZE));
  output_bytes_.clear();
  for (const Tensor& tensor : *graph_->readable(AIPU_TENSOR_TYPE_OUTPUT))
    output_bytes_.push_back(tensor.bytes);
  return kOk;
}

std::uint32_t Job::bytes_of(aipu_tensor_type_t type, std::uint32_t index) const {
  if (type == AIPU_TENSOR_TYPE_INPUT && index < input_bytes_.size()) return input_bytes_[index];
  if (type == AIPU_TENSOR_TYPE_OUTPUT && index < output_bytes_.size()) return output_bytes_[index];
  return (*graph_->readable(type))[index].bytes;
}

std::span<std::uint8_t> Job::memory(aipu_tensor_type_t type, std::uint32_t index) const {
  graph::TensorPlace place = (*graph_->readable(type))[index].place;
  place.place.size = bytes_of(type, index);
  return npu_->memory(place);
}

Code Job::write_input(std::uint32_t index, const void* data) {
  if (!may_start()) return AIPU_STATUS_ERROR_INVALID_OP;
  if (index >= graph_->readable(AIPU_TENSOR_TYPE_INPUT)->size()) return AIPU_STATUS_ERROR_INVALID_TENSOR_ID;
  std::lock_guard lock(mutex_);
  if (!may_start()) return AIPU_STATUS_ERROR_INVALID_OP;
  const std::span<std::uint8_t> to =
      planned_ != nullptr ? planned_->input(index) : memory(AIPU_TENSOR_TYPE_INPUT, index);
  std::memcpy(to.data(), data, to.size());
  return kOk;
}

Code Job::write_output(std::uint32_t index, const void* data) {
  if (!may_start()) return AIPU_STATUS_ERROR_INVALID_OP;
  if (index >= graph_->readable(AIPU_TENSOR_TYPE_OUTPUT)->size()) return AIPU_STATUS_ERROR_INVALID_TENSOR_ID;
  if (planned_ != nullptr) return AIPU_STATUS_ERROR_OP_NOT_SUPPORTED;
  std::lock_guard lock(mutex_);
  if (!may_start()) return AIPU_STATUS_ERROR_INVALID_OP;
  const std::span<std::uint8_t> to = memory(AIPU_TENSOR_TYPE_OUTPUT, index);
  std::memcpy(to.data(), data, to.size());
  return kOk;
}

Code Job::read(aipu_tensor_type_t type, std::uint32_t index, void* data) {
  const std::vector<Tensor>* list = graph_->readable(type);
  if (list == nullptr) return AIPU_STATUS_ERROR_INVALID_TENSOR_TYPE;
  if (state_ != State::kDone) return AIPU_STATUS_ERROR_INVALID_OP;
  if (index >= list->size()) return AIPU_STATUS_ERROR_INVALID_TENSOR_ID;
  std::lock_guard lock(mutex_);
  if (state_ != State::kDone) return AIPU_STATUS_ERROR_INVALID_OP;
  const std::span<const std::uint8_t> from = planned_ == nullptr               ? memory(type, index)
                                             : type == AIPU_TENSOR_TYPE_OUTPUT ? planned_->output(index)
                                                                               : planned_->input(index);
  std::memcpy(data, from.data(), from.size());
  return kOk;
}

Code Job::rewrite_parameter(std::uint32_t offset, std::uint32_t value) {
  if (!may_start()) return AIPU_STATUS_ERROR_INVALID_OP;
  if (planned_ != nullptr) return AIPU_STATUS_ERROR_OP_NOT_SUPPORTED;
  std::lock_guard lock(mutex_);
  const std::optional<unsigned> block = graph_->loaded().layout.find(graph::BufferKind::kParameters);
  const std::size_t size = graph_->npu().rodata.size();
  if (!block || size < 4 || offset > size - 4) return AIPU_STATUS_ERROR_INVALID_SIZE;
  std::memcpy(npu_->buffer(*block).host().data() + offset, &value, sizeof value);
  return kOk;
}

Code Job::replace(aipu_tensor_type_t type, std::uint32_t index, std::shared_ptr<runtime::Buffer> memory,
                  std::uint64_t offset) {
  if (planned_ != nullptr)
    return report(AIPU_STATUS_ERROR_OP_NOT_SUPPORTED,
                  "operators of this graph run on the CPU, its ends cannot be replaced");
  std::lock_guard lock(mutex_);
  if (!may_start()) return AIPU_STATUS_ERROR_INVALID_OP;
  const unsigned section = (*graph_->readable(type))[index].place.section;
  const auto uses = [&](aipu_tensor_type_t other) {
    const std::vector<Tensor>& list = *graph_->readable(other);
    return std::any_of(list.begin(), list.end(),
                       [&](const Tensor& tensor) { return tensor.place.section == section; });
  };
  if (uses(AIPU_TENSOR_TYPE_INPUT) && uses(AIPU_TENSOR_TYPE_OUTPUT))
    return AIPU_STATUS_ERROR_DMABUF_SHARED_IO;
  if (const Status status = npu_->replace_section(section, std::move(memory), offset); !status)
    return report(AIPU_STATUS_ERROR_INVALID_SIZE, status.error());
  return kOk;
}

Code Job::set_dump(std::uint64_t types, const aipu_job_config_dump_t* config) {
  std::lock_guard lock(mutex_);
  DumpOptions options;
  COMPAT_TRY(DumpOptions::from(types, config, &options));
  dump_ = std::move(options);
  return kOk;
}

Code Job::bind() {
  std::lock_guard lock(mutex_);
  if (!may_start()) return AIPU_STATUS_ERROR_INVALID_OP;
  state_ = State::kBound;
  return kOk;
}

Code Job::run_bound() {
  std::lock_guard lock(mutex_);
  if (state_ != State::kBound) return AIPU_STATUS_ERROR_INVALID_OP;
  return start(nullptr);
}

std::uint64_t Job::program_address() const {
  if (npu_ == nullptr) return 0;
  const std::optional<unsigned> text = graph_->loaded().layout.find(graph::BufferKind::kText);
  return text ? npu_->buffer(*text).device_address() : 0;
}

std::uint8_t* Job::memory_at(std::uint32_t address, std::uint32_t bytes) const {
  if (npu_ == nullptr) return nullptr;
  for (unsigned i = 0; i < graph_->loaded().layout.buffers.size(); ++i) {
    runtime::Buffer& buffer = npu_->buffer(i);
    const std::uint64_t offset = std::uint64_t{address} - buffer.device_address();
    if (address >= buffer.device_address() && offset <= buffer.bytes() && bytes <= buffer.bytes() - offset)
      return buffer.host().data() + offset;
  }
  return nullptr;
}

DumpSource Job::dump_source() const {
  DumpSource source;
  source.job = id_;
  if (npu_ == nullptr) {
    for (std::uint32_t i = 0; i < graph_->readable(AIPU_TENSOR_TYPE_INPUT)->size(); ++i)
      source.pieces.push_back({AIPU_JOB_CONFIG_TYPE_DUMP_INPUT, fmt::format("Input{}", i), true, false, 0,
                               planned_->input(i), fmt::format("input{}", i)});
    for (std::uint32_t i = 0; i < graph_->readable(AIPU_TENSOR_TYPE_OUTPUT)->size(); ++i)
      source.pieces.push_back({AIPU_JOB_CONFIG_TYPE_DUMP_OUTPUT, fmt::format("Output{}", i), false, true, 0,
                               planned_->output(i), fmt::format("output{}", i)});
    return source;
  }
  const graph::Layout& layout = graph_->loaded().layout;
  for (unsigned i = 0; i < layout.buffers.size(); ++i) {
    const graph::BufferRequest& request = layout.buffers[i];
    runtime::Buffer& buffer = npu_->buffer(i);
    const auto add = [&](std::uint64_t type, std::string name, bool after, std::string emulation) {
      source.pieces.push_back(
          {type, std::move(name), true, after, buffer.bus_address(), buffer.host(), std::move(emulation)});
    };
    switch (request.kind) {
      case graph::BufferKind::kText:
        add(AIPU_JOB_CONFIG_TYPE_DUMP_TEXT, "Text_BeforeRun", false, "text");
        break;
      case graph::BufferKind::kConstants:
        add(0, "", false, "crodata");
        break;
      case graph::BufferKind::kWeights:
        add(AIPU_JOB_CONFIG_TYPE_DUMP_WEIGHT, "Weight_BeforeRun", false,
            fmt::format("weight{}", request.index));
        break;
      case graph::BufferKind::kZeroCopy:
        add(AIPU_JOB_CONFIG_TYPE_DUMP_WEIGHT, "Zerocpy_const_BeforeRun", false,
            fmt::format("zerocpy_const{}", request.index));
        break;
      case graph::BufferKind::kParameters:
        add(AIPU_JOB_CONFIG_TYPE_DUMP_RODATA, "Rodata", true, "ro");
        break;
      case graph::BufferKind::kDescriptors:
        add(AIPU_JOB_CONFIG_TYPE_DUMP_DESCRIPTOR, "Descriptor", true, "dcr");
        break;
      case graph::BufferKind::kModelParameters:
        add(0, "", false, "global_param");
        break;
      default:
        break;
    }
  }
  const auto add_tensors = [&](aipu_tensor_type_t type, std::uint64_t bit, const char* name,
                               const char* emulation) {
    for (std::uint32_t i = 0; i < graph_->readable(type)->size(); ++i) {
      const graph::Place& place = (*graph_->readable(type))[i].place.place;
      source.pieces.push_back({bit, fmt::format("{}{}", name, i), type == AIPU_TENSOR_TYPE_INPUT,
                               type != AIPU_TENSOR_TYPE_INPUT,
                               npu_->buffer(place.buffer).bus_address() + place.offset, memory(type, i),
                               *emulation == '\0' ? "" : fmt::format("{}{}", emulation, i)});
    }
  };
  add_tensors(AIPU_TENSOR_TYPE_INPUT, AIPU_JOB_CONFIG_TYPE_DUMP_INPUT, "Input", "input");
  add_tensors(AIPU_TENSOR_TYPE_OUTPUT, AIPU_JOB_CONFIG_TYPE_DUMP_OUTPUT, "Output", "output");
  for (std::size_t i = 0; i < layout.reuse_sections.size(); ++i) {
    const graph::Place& section = layout.reuse_sections[i];
    source.pieces.push_back({AIPU_JOB_CONFIG_TYPE_DUMP_REUSE, fmt::format("AfRun_Reuse{}", i), false, true,
                             npu_->buffer(section.buffer).bus_address() + section.offset,
                             npu_->memory(section), ""});
  }
  if (!graph_->readable(AIPU_TENSOR_TYPE_PROFILER)->empty()) {
    const graph::Place& place = (*graph_->readable(AIPU_TENSOR_TYPE_PROFILER))[0].place.place;
    source.pieces.push_back({AIPU_JOB_CONFIG_TYPE_DUMP_PROFILE, "", false, false,
                             npu_->buffer(place.buffer).bus_address() + place.offset,
                             memory(AIPU_TENSOR_TYPE_PROFILER, 0), ""});
  }
  return source;
}

}  // namespace zynpu::compat
