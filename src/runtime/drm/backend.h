// SPDX-License-Identifier: MIT
// The back end for zynpu's kernel driver: /dev/accel/accelN (include/uapi/drm/zynpu_accel.h).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "part/part.h"
#include "runtime/backend.h"
#include "runtime/drm/system.h"

namespace zynpu::runtime::drm {

// A device file that the zynpu driver serves.
struct Node {
  std::string path;
  const part::Part* part = nullptr;
  bool is_virtual = false;
  std::string description;
};

// The NPUs that can be opened: files of other drivers, and those that this user may not open, are left out.
std::vector<Node> nodes(System& system = host_system());

// Opens a device file. Thread-safe as Backend; buffers and jobs must be gone before it. kNotFound: no such
// file. kUnsupported: another driver's, or an NPU or a driver that this library does not know. kIo: the
// system refused.
Result<std::unique_ptr<Backend>> open(const std::string& path, System& system = host_system());

}  // namespace zynpu::runtime::drm
