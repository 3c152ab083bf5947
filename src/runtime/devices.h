// SPDX-License-Identifier: MIT
// The devices that can be opened, by name: "virtual:z1", "virtual:z2", "virtual:x2", and the files of the
// kernel driver,
// "/dev/accel/accel0"; "aipu" on boards with the vendor's kernel driver.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "part/part.h"
#include "runtime/backend.h"
#include "runtime/virtual/backend.h"
#include "vnpu/device.h"

namespace zynpu::runtime {

struct DeviceName {
  std::string name;
  const part::Part* part = nullptr;
  bool is_virtual = false;
  std::string description;
};

inline constexpr std::string_view kDefaultDevice = "virtual:x2";

// Thread-safe. The virtual NPUs always, then those of the kernel driver that this user may open.
std::vector<DeviceName> devices();

// Opens the device called `name`; empty: kDefaultDevice. kNotFound lists the names there are. Each open of a
// virtual device is a machine of its own, each open of a file a context of the kernel driver. Thread-safe.
Result<std::shared_ptr<Backend>> open_device(std::string_view name);

// Opens a virtual device with options of its own.
Result<std::shared_ptr<VirtualBackend>> open_virtual(std::string_view name, const vnpu::Options& options);

}  // namespace zynpu::runtime
