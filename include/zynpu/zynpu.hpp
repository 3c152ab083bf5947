// SPDX-License-Identifier: MIT
// A thin C++ face of zynpu.h: owners that release themselves, failures as exceptions of type zynpu::Error.
// Header only; exceptions are made here, on the caller's side, and never cross the library's boundary.
// Thread-safety as in zynpu.h.
#pragma once

#include <zynpu/zynpu.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace zynpu {
// The inline namespace keeps these names apart from libzynpu's own when it is linked statically.
inline namespace api0 {

// A failed call: what() is zynpu_last_error().
class Error : public std::runtime_error {
 public:
  explicit Error(zynpu_status status) : std::runtime_error(zynpu_last_error()), status_(status) {}
  zynpu_status status() const noexcept { return status_; }

 private:
  zynpu_status status_;
};

inline void check(zynpu_status status) {
  if (status != ZYNPU_OK) throw Error(status);
}

// A value structure of zynpu.h with its size filled in.
template <class T>
T make() {
  T value{};
  value.size = sizeof(T);
  return value;
}

class Job;

// An opened NPU.
class Device {
 public:
  // nullptr opens "virtual:x2".
  explicit Device(const char* name = nullptr) {
    zynpu_device* handle = nullptr;
    check(zynpu_device_open(name, &handle));
    handle_.reset(handle);
  }
  zynpu_device_info info() const {
    auto info = make<zynpu_device_info>();
    check(zynpu_device_get_info(handle_.get(), &info));
    return info;
  }
  zynpu_device* get() const noexcept { return handle_.get(); }

  // Everything that can be opened now.
  static std::vector<zynpu_device_info> list() {
    std::size_t count = 0;
    check(zynpu_device_count(&count));
    std::vector<zynpu_device_info> devices;
    for (std::size_t i = 0; i < count; ++i) {
      devices.push_back(make<zynpu_device_info>());
      check(zynpu_device_query(i, &devices.back()));
    }
    return devices;
  }

 private:
  struct Close {
    void operator()(zynpu_device* device) const noexcept { zynpu_device_close(device); }
  };
  std::unique_ptr<zynpu_device, Close> handle_;
};

// A model loaded onto a device.
class Graph {
 public:
  static Graph load(const Device& device, const std::string& path,
                    const zynpu_load_options* options = nullptr) {
    zynpu_graph* handle = nullptr;
    check(zynpu_graph_load_file(device.get(), path.c_str(), options, &handle));
    return Graph(handle);
  }
  static Graph load(const Device& device, const void* data, std::size_t bytes,
                    const zynpu_load_options* options = nullptr) {
    zynpu_graph* handle = nullptr;
    check(zynpu_graph_load_memory(device.get(), data, bytes, options, &handle));
    return Graph(handle);
  }
  void save(const std::string& path) const { check(zynpu_graph_save_file(handle_.get(), path.c_str())); }

  std::size_t input_count() const {
    std::size_t count = 0;
    check(zynpu_graph_input_count(handle_.get(), &count));
    return count;
  }
  std::size_t output_count() const {
    std::size_t count = 0;
    check(zynpu_graph_output_count(handle_.get(), &count));
    return count;
  }
  zynpu_tensor_info input(std::size_t index) const {
    auto info = make<zynpu_tensor_info>();
    check(zynpu_graph_input(handle_.get(), index, &info));
    return info;
  }
  zynpu_tensor_info output(std::size_t index) const {
    auto info = make<zynpu_tensor_info>();
    check(zynpu_graph_output(handle_.get(), index, &info));
    return info;
  }
  std::size_t find_input(const std::string& name) const {
    std::size_t index = 0;
    check(zynpu_graph_find_input(handle_.get(), name.c_str(), &index));
    return index;
  }
  std::size_t find_output(const std::string& name) const {
    std::size_t index = 0;
    check(zynpu_graph_find_output(handle_.get(), name.c_str(), &index));
    return index;
  }
  zynpu_graph* get() const noexcept { return handle_.get(); }

 private:
  explicit Graph(zynpu_graph* handle) : handle_(handle) {}
  struct Destroy {
    void operator()(zynpu_graph* graph) const noexcept { zynpu_graph_destroy(graph); }
  };
  std::unique_ptr<zynpu_graph, Destroy> handle_;
};

// Buffers and state for running a graph.
class Job {
 public:
  struct Memory {
    std::uint8_t* data;
    std::size_t bytes;
  };
  struct ConstMemory {
    const std::uint8_t* data;
    std::size_t bytes;
  };

  explicit Job(const Graph& graph, const zynpu_job_options* options = nullptr) {
    zynpu_job* handle = nullptr;
    check(zynpu_job_create(graph.get(), options, &handle));
    handle_.reset(handle);
  }
  void set_input(std::size_t index, const void* data, std::size_t bytes) {
    check(zynpu_job_set_input(handle_.get(), index, data, bytes));
  }
  Memory input(std::size_t index) {
    void* data = nullptr;
    std::size_t bytes = 0;
    check(zynpu_job_input_data(handle_.get(), index, &data, &bytes));
    return {static_cast<std::uint8_t*>(data), bytes};
  }
  ConstMemory output(std::size_t index) {
    const void* data = nullptr;
    std::size_t bytes = 0;
    check(zynpu_job_output_data(handle_.get(), index, &data, &bytes));
    return {static_cast<const std::uint8_t*>(data), bytes};
  }
  void run() { check(zynpu_job_run(handle_.get())); }
  void submit() { check(zynpu_job_submit(handle_.get())); }
  // False on timeout. timeout_ns < 0: for ever.
  bool wait(std::int64_t timeout_ns = -1) {
    const zynpu_status status = zynpu_job_wait(handle_.get(), timeout_ns);
    if (status == ZYNPU_TIMEOUT) return false;
    check(status);
    return true;
  }
  void cancel() { check(zynpu_job_cancel(handle_.get())); }
  void reset_state() { check(zynpu_job_reset_state(handle_.get())); }

  zynpu_profile profile() const {
    auto profile = make<zynpu_profile>();
    check(zynpu_job_profile(handle_.get(), &profile));
    return profile;
  }
  zynpu_step_profile step(std::size_t index) const {
    auto profile = make<zynpu_step_profile>();
    check(zynpu_job_step_profile(handle_.get(), index, &profile));
    return profile;
  }
  zynpu_layer_profile layer(std::size_t index) const {
    auto profile = make<zynpu_layer_profile>();
    check(zynpu_job_layer_profile(handle_.get(), index, &profile));
    return profile;
  }
  zynpu_difference compare() const {
    auto difference = make<zynpu_difference>();
    check(zynpu_job_compare(handle_.get(), &difference));
    return difference;
  }
  zynpu_job* get() const noexcept { return handle_.get(); }

 private:
  struct Destroy {
    void operator()(zynpu_job* job) const noexcept { zynpu_job_destroy(job); }
  };
  std::unique_ptr<zynpu_job, Destroy> handle_;
};

}  // namespace api0
}  // namespace zynpu
