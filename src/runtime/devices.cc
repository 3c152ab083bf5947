// SPDX-License-Identifier: MIT
#include "runtime/devices.h"

#include "runtime/aipu/backend.h"
#include "runtime/drm/backend.h"

namespace zynpu::runtime {
namespace {

constexpr std::string_view kVirtualPrefix = "virtual:";

}  // namespace

std::vector<DeviceName> devices() {
  std::vector<DeviceName> list;
  for (const part::Part& part : part::parts())
    list.push_back({.name = fmt::format("virtual:{}", part.name),
                    .part = &part,
                    .is_virtual = true,
                    .description = fmt::format("virtual {}, in process", part.description)});
  for (drm::Node& node : drm::nodes())
    list.push_back({.name = std::move(node.path),
                    .part = node.part,
                    .is_virtual = node.is_virtual,
                    .description = std::move(node.description)});
  if (const auto vendor = aipu::find(); vendor && vendor->part != nullptr)
    list.push_back({.name = aipu::kDeviceName,
                    .part = vendor->part,
                    .is_virtual = false,
                    .description = vendor->description});
  return list;
}

Result<std::shared_ptr<VirtualBackend>> open_virtual(std::string_view name, const vnpu::Options& options) {
  if (name.empty()) name = kDefaultDevice;
  std::string known;
  for (const DeviceName& device : devices()) {
    if (device.name == name && name.starts_with(kVirtualPrefix)) {
      ZYNPU_ASSIGN_OR_RETURN(std::unique_ptr<VirtualBackend> backend,
                             VirtualBackend::create(*device.part, options));
      return std::shared_ptr<VirtualBackend>(std::move(backend));
    }
    known += known.empty() ? device.name : ", " + device.name;
  }
  return fail(ErrorCode::kNotFound, "no device called `{}`; there are: {}", name, known);
}

Result<std::shared_ptr<Backend>> open_device(std::string_view name) {
  if (name == aipu::kDeviceName) {
    ZYNPU_ASSIGN_OR_RETURN(std::unique_ptr<Backend> backend, aipu::open());
    return std::shared_ptr<Backend>(std::move(backend));
  }
  if (name.starts_with('/')) {
    ZYNPU_ASSIGN_OR_RETURN(std::unique_ptr<Backend> backend, drm::open(std::string(name)));
    return std::shared_ptr<Backend>(std::move(backend));
  }
  ZYNPU_ASSIGN_OR_RETURN(std::shared_ptr<VirtualBackend> backend, open_virtual(name, {}));
  return std::shared_ptr<Backend>(std::move(backend));
}

}  // namespace zynpu::runtime
