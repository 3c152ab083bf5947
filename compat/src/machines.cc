// SPDX-License-Identifier: MIT
#include "machines.h"

#include <cstdlib>
#include <map>
#include <mutex>

#include "graph/graph.h"
#include "log.h"
#include "runtime/aipu/backend.h"
#include "runtime/devices.h"

namespace zynpu::compat {
namespace {

// Never destroyed: contexts that a program leaves open outlive every static object.
struct Machines {
  std::mutex mutex;
  std::map<std::string, std::weak_ptr<runtime::Context>> open;
  bool said_virtual = false;
};

Machines& machines() {
  static Machines& all = *new Machines;
  return all;
}

}  // namespace

std::string chosen_device() {
  if (const char* name = std::getenv("ZYNPU_DEVICE"); name != nullptr && *name != '\0')
    return std::string(name) == "virtual" ? "" : name;
  // A node that is there but cannot be used is the chosen device, too: its error is the answer.
  for (const runtime::DeviceName& device : runtime::devices())
    if (!device.name.starts_with("virtual:")) return device.name;
  if (runtime::aipu::find()) return runtime::aipu::kDeviceName;
  std::lock_guard lock(machines().mutex);
  if (!machines().said_virtual)
    log("no NPU device node: using the virtual NPU (ZYNPU_DEVICE chooses; docs/vendor-compat.md)");
  machines().said_virtual = true;
  return "";
}

Result<Machine> open_machine(const std::string& name) {
  std::lock_guard lock(machines().mutex);
  std::weak_ptr<runtime::Context>& known = machines().open[name];
  if (Machine machine = known.lock()) return machine;
  ZYNPU_ASSIGN_OR_RETURN(std::shared_ptr<runtime::Backend> backend, runtime::open_device(name));
  auto machine = std::make_shared<runtime::Context>(name, std::move(backend));
  known = machine;
  return machine;
}

Result<Machine> open_virtual_for(std::uint32_t device_word) {
  for (const part::Part& part : part::parts())
    if (part.device_word == device_word) return open_machine(fmt::format("virtual:{}", part.name));
  const auto target = graph::target_name(device_word);
  return fail(ErrorCode::kUnsupported, "the graph is for {}; there are virtual parts for {}",
              target ? std::string(*target) : fmt::format("device word {:#010x}", device_word),
              "Z1_0701, Z2_1104 and X2_1204 only");
}

}  // namespace zynpu::compat
