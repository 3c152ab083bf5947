// SPDX-License-Identifier: MIT
// Offers a virtual NPU as a PCI device on a Unix socket, for QEMU's vfio-user-pci.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "part/part.h"
#include "vfio/config_space.h"
#include "vfio/file_descriptor.h"
#include "vnpu/device.h"

namespace zynpu::vfio {

struct ServerOptions {
  InterruptKind interrupts = InterruptKind::kMsix;
  vnpu::Options device;
};

// Serves one connected client until it leaves. Owns the socket.
Status serve_client(const part::Part& part, const ServerOptions& options, FileDescriptor socket);

// Listens on a socket file of its own; clients come one after the other, each to a device in its power-on
// state.
class Server {
 public:
  // Replaces a socket file that nobody listens on; kBusy if somebody does. Only this user may connect.
  static Result<std::unique_ptr<Server>> listen(const part::Part& part, const ServerOptions& options,
                                                const std::string& path);
  ~Server();

  // Waits for the next client and serves it until it leaves.
  Status serve_next();

 private:
  Server(const part::Part& part, const ServerOptions& options, std::string path, FileDescriptor socket)
      : part_(part), options_(options), path_(std::move(path)), socket_(std::move(socket)) {}

  const part::Part& part_;
  const ServerOptions options_;
  const std::string path_;
  FileDescriptor socket_;
};

}  // namespace zynpu::vfio
