// SPDX-License-Identifier: MIT
// zynpu serve: a virtual NPU as a PCI device for QEMU.
#include <csignal>
#include <cstdio>
#include <string>

#include <unistd.h>

#include "command.h"
#include "vfio/server.h"

namespace zynpu::tools {
namespace {

struct Options {
  std::string part = "x2", socket, interrupts = "msix";
  bool once = false;
};

// Set before the signal handlers are.
std::string g_socket;

// Takes the socket file away. Only calls that a signal handler may make.
void stop(int) {
  ::unlink(g_socket.c_str());
  ::_exit(kExitOk);
}

// A client that cuts the file which it has mapped as its memory ends its server, and no other.
void memory_gone(int) {
  static constexpr char kText[] = "zynpu: the client has shortened the file that it gave as its memory\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kText, sizeof kText - 1);
  ::unlink(g_socket.c_str());
  ::_exit(kExitFailed);
}

Result<int> serve(const Options& options) {
  const part::Part* part = part::find(options.part);
  if (part == nullptr)
    return fail(ErrorCode::kNotFound, "no NPU called `{}` (see `zynpu parts`)", options.part);
  vfio::ServerOptions server_options;
  if (options.interrupts == "msi") server_options.interrupts = vfio::InterruptKind::kMsi;
  if (options.interrupts == "intx") server_options.interrupts = vfio::InterruptKind::kIntx;
  ZYNPU_ASSIGN_OR_RETURN(const std::unique_ptr<vfio::Server> server,
                         vfio::Server::listen(*part, server_options, options.socket));
  g_socket = options.socket;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, stop);
  std::signal(SIGBUS, memory_gone);
  fmt::print("virtual {} listens on {}\n", part->name, options.socket);
  std::fflush(stdout);
  for (;;) {
    const Status served = server->serve_next();
    if (options.once) {
      ZYNPU_TRY(served);
      return kExitOk;
    }
    if (!served) fmt::print(stderr, "zynpu: {}\n", served.error().message);
  }
}

}  // namespace

void add_serve(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("serve", "Offer a virtual NPU as a PCI device to QEMU, over vfio-user");
  command->add_option("--part", options->part, "z1, z2 or x2")->capture_default_str();
  command->add_option("--socket", options->socket, "path of the Unix socket to listen on")->required();
  command->add_option("--interrupts", options->interrupts, "what the device offers: msix, msi or intx")
      ->check(CLI::IsMember({"msix", "msi", "intx"}))
      ->capture_default_str();
  command->add_flag("--once", options->once, "serve one client, then exit");
  command->callback([options, &action] { action = [options] { return serve(*options); }; });
}

}  // namespace zynpu::tools
