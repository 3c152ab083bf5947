// SPDX-License-Identifier: MIT
// zynpu parts: what is known of each NPU.
#include "command.h"
#include "part/part.h"

namespace zynpu::tools {
namespace {

std::string_view host_interface(part::HostInterface host) {
  switch (host) {
    case part::HostInterface::kFlat:
      return "flat registers";
    case part::HostInterface::kFlatAse:
      return "flat registers + ASE";
    case part::HostInterface::kTsm:
      return "command pools (TSM)";
  }
  return "";
}

std::string bytes(std::uint64_t value) {
  if (value == 0) return "-";
  for (const auto& [shift, unit] : {std::pair{30, "GiB"}, {20, "MiB"}, {10, "KiB"}})
    if (value % (std::uint64_t{1} << shift) == 0) return fmt::format("{} {}", value >> shift, unit);
  return fmt::format("{} B", value);
}

Result<int> print_parts() {
  fmt::print("{:<5} {:<8} {:<36} {:>5} {:>4}  {:<8} {:<8} {:<6} {:<7} {:<21} {}\n", "part", "target",
             "description", "cores", "TECs", "LSRAM", "GSRAM", "GM", "window", "host interface",
             "zynpu's programs run on");
  for (const part::Part& part : part::parts())
    fmt::print("{:<5} {:<8} {:<36} {:>5} {:>4}  {:<8} {:<8} {:<6} {:<7} {:<21} {}\n", part.name, part.target,
               part.description, part.clusters * part.cores, part.tecs(), bytes(part.lsram_bytes),
               bytes(part.gsram_bytes), bytes(part.gm_bytes), bytes(part.window_bytes),
               host_interface(part.host_interface),
               part.virtual_profile ? "the virtual NPU only"
                                    : "the virtual NPU; made for silicon, not yet run on it");
  return kExitOk;
}

}  // namespace

void add_parts(CLI::App& app, Action& action) {
  app.add_subcommand("parts", "List the NPUs that zynpu knows")->callback([&] { action = print_parts; });
}

}  // namespace zynpu::tools
