// SPDX-License-Identifier: MIT
// zynpu devices: what can be opened on this host.
#include "runtime/devices.h"

#include "command.h"

namespace zynpu::tools {
namespace {

Result<int> print_devices() {
  fmt::print("{:<12} {:<5} {}\n", "device", "part", "description");
  for (const runtime::DeviceName& device : runtime::devices())
    fmt::print("{:<12} {:<5} {}{}\n", device.name, device.part->name, device.description,
               device.name == runtime::kDefaultDevice ? " (default)" : "");
  return kExitOk;
}

}  // namespace

void add_devices(CLI::App& app, Action& action) {
  app.add_subcommand("devices", "List the devices that can be opened")->callback([&] {
    action = print_devices;
  });
}

}  // namespace zynpu::tools
