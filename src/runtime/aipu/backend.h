// SPDX-License-Identifier: MIT
// The back end for boards that run the vendor's kernel driver: /dev/aipu, releases 4.1 and 4.2.
//
// One job of this process is at the driver at a time, in order of submission: linking a job behind one that
// has just finished hangs it (host-interface.md 7, B1), and on Z1/Z2 a failure may be charged to the next job
// (B25). The driver cannot stop a job (B5): a cancelled or destroyed one that has started is waited for, and
// if it does not end within ten seconds the device counts as lost and its memory stays allocated until the
// process ends.
#pragma once

#include <memory>
#include <string>

#include "runtime/backend.h"

namespace zynpu::runtime::aipu {

// Names and opens as of devices.h: "aipu".
inline constexpr const char* kDeviceName = "aipu";

// kNotFound if the board has no such node.
Result<std::unique_ptr<Backend>> open();

// What an open finds, for lists of devices; nullopt if there is no node. Known but unusable: `part` is null
// and `description` says why.
struct Found {
  const part::Part* part = nullptr;
  std::string description;
};
std::optional<Found> find();

}  // namespace zynpu::runtime::aipu
