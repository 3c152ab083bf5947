// SPDX-License-Identifier: MIT
// A hand-written program as a job.
#pragma once

#include <cstring>
#include <memory>
#include <span>
#include <string>

#include "base/error.h"
#include "isa/asm.h"
#include "runtime/backend.h"

namespace zynpu::conformance {

inline constexpr std::uint64_t kPage = 4096;

// One program with the memory that it needs.
class Program {
 public:
  // `more`: buffers that the program touches beside its own.
  static Result<std::unique_ptr<Program>> create(runtime::Backend& backend, const std::string& source,
                                                 std::span<runtime::Buffer* const> more = {}) {
    const auto assembled = isa::assemble(source);
    if (!assembled) return tl::unexpected<Error>(assembled.error());
    auto program = std::make_unique<Program>();
    const unsigned tasks = backend.part().tecs_per_core;
    ZYNPU_ASSIGN_OR_RETURN(program->text_, backend.allocate(kPage, kPage));
    ZYNPU_ASSIGN_OR_RETURN(program->parameters_, backend.allocate(kPage, kPage));
    ZYNPU_ASSIGN_OR_RETURN(program->stack_, backend.allocate(kPage * tasks, kPage));
    ZYNPU_ASSIGN_OR_RETURN(program->data_, backend.allocate(kPage * tasks, kPage));
    std::memcpy(program->text_->host().data(), assembled->bytes.data(), assembled->bytes.size());
    runtime::JobDescription description;
    description.virtual_profile = backend.part().virtual_profile;
    description.text = program->text_.get();
    description.parameters = program->parameters_.get();
    description.stack = program->stack_.get();
    description.buffers = {program->text_.get(), program->parameters_.get(), program->stack_.get(),
                           program->data_.get()};
    description.buffers.insert(description.buffers.end(), more.begin(), more.end());
    runtime::GroupDescription group;
    group.text = program->text_.get();
    group.parameters = program->parameters_.get();
    group.stack = program->stack_.get();
    group.stack_bytes = kPage;
    group.private_data = program->data_.get();
    group.private_bytes = kPage;
    if (backend.part().host_interface == part::HostInterface::kTsm) description.groups = {group};
    ZYNPU_TRY(program->text_->sync_for_device());
    ZYNPU_ASSIGN_OR_RETURN(program->job_, backend.prepare(description));
    return program;
  }
  runtime::BackendJob& job() { return *job_; }
  // Words of the parameter block, for the runs from now on.
  Status set_parameters(std::span<const std::uint32_t> words) {
    std::memcpy(parameters_->host().data(), words.data(), words.size_bytes());
    return parameters_->sync_for_device();
  }
  Status run() {
    ZYNPU_TRY(job_->submit());
    return job_->wait(-1);
  }

 private:
  std::unique_ptr<runtime::Buffer> text_, parameters_, stack_, data_;
  std::unique_ptr<runtime::BackendJob> job_;
};

}  // namespace zynpu::conformance
