// SPDX-License-Identifier: MIT
#include "runtime/devices.h"

namespace zynpu::runtime {

std::vector<DeviceName> devices() {
  std::vector<DeviceName> list;
  for (const part::Part& part : part::parts())
    list.push_back({.name = fmt::format("virtual:{}", part.name),
                    .part = &part,
                    .is_virtual = true,
                    .description = fmt::format("virtual {}, in process", part.description)});
  return list;
}

Result<std::shared_ptr<VirtualBackend>> open_virtual(std::string_view name, const vnpu::Options& options) {
  if (name.empty()) name = kDefaultDevice;
  std::string known;
  for (const DeviceName& device : devices()) {
    if (device.is_virtual && device.name == name) {
      ZYNPU_ASSIGN_OR_RETURN(std::unique_ptr<VirtualBackend> backend,
                             VirtualBackend::create(*device.part, options));
      return std::shared_ptr<VirtualBackend>(std::move(backend));
    }
    known += known.empty() ? device.name : ", " + device.name;
  }
  return fail(ErrorCode::kNotFound, "no device called `{}`; there are: {}", name, known);
}

Result<std::shared_ptr<Backend>> open_device(std::string_view name) {
  ZYNPU_ASSIGN_OR_RETURN(std::shared_ptr<VirtualBackend> backend, open_virtual(name, {}));
  return std::shared_ptr<Backend>(std::move(backend));
}

}  // namespace zynpu::runtime
