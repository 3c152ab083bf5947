// SPDX-License-Identifier: MIT
// Which NPU serves the process. ZYNPU_DEVICE names it, as for `zynpu run`; "virtual" means the virtual part
// that each graph is for. Without it: the first real device there is, else "virtual", as the vendor's library
// comes in a build for the device and one for the simulator.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "runtime/context.h"

namespace zynpu::compat {

// All contexts of a process share one object of each device, which closes with its last user
// (standard-api.md 5).
using Machine = std::shared_ptr<runtime::Context>;

// "" for "virtual": the device is known only when a graph is. Thread-safe.
std::string chosen_device();
Result<Machine> open_machine(const std::string& name);
// The virtual part of a device word; kUnsupported if there is none.
Result<Machine> open_virtual_for(std::uint32_t device_word);

}  // namespace zynpu::compat
