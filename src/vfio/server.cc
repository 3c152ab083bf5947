// SPDX-License-Identifier: MIT
#include "vfio/server.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "vfio/channel.h"
#include "vfio/session.h"

namespace zynpu::vfio {
namespace {

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    return fail(ErrorCode::kInvalidArgument, "a socket's path has 1 to {} bytes, and `{}` has {}",
                sizeof address.sun_path - 1, path, path.size());
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

Result<FileDescriptor> new_socket() {
  FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return fail(ErrorCode::kIo, "cannot make a socket: {}", std::strerror(errno));
  return socket;
}

}  // namespace

Status serve_client(const part::Part& part, const ServerOptions& options, FileDescriptor socket) {
  Channel channel(std::move(socket));
  ZYNPU_ASSIGN_OR_RETURN(const std::unique_ptr<Session> session,
                         Session::create(part, options.interrupts, options.device, channel));
  for (;;) {
    ZYNPU_ASSIGN_OR_RETURN(std::optional<Message> request, channel.receive());
    if (!request) return {};
    const Reply reply = session->handle(*request);
    if ((request->header.flags & kNoReply) != 0) continue;
    if (reply.error != 0) {
      ZYNPU_TRY(channel.reply_error(request->header, reply.error));
    } else {
      ZYNPU_TRY(channel.reply(request->header, reply.payload));
    }
  }
}

Result<std::unique_ptr<Server>> Server::listen(const part::Part& part, const ServerOptions& options,
                                               const std::string& path) {
  ZYNPU_ASSIGN_OR_RETURN(const sockaddr_un address, address_of(path));
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode))
      return fail(ErrorCode::kInvalidArgument, "`{}` exists and is not a socket", path);
    ZYNPU_ASSIGN_OR_RETURN(const FileDescriptor probe, new_socket());
    if (::connect(probe.get(), generic, sizeof address) == 0)
      return fail(ErrorCode::kBusy, "another server listens on `{}`", path);
    ::unlink(path.c_str());
  }
  ZYNPU_ASSIGN_OR_RETURN(FileDescriptor socket, new_socket());
  // The mode of the socket file is that of the descriptor it is bound from.
  ::fchmod(socket.get(), S_IRUSR | S_IWUSR);
  if (::bind(socket.get(), generic, sizeof address) != 0)
    return fail(ErrorCode::kIo, "cannot make the socket `{}`: {}", path, std::strerror(errno));
  if (::listen(socket.get(), 1) != 0)
    return fail(ErrorCode::kIo, "cannot listen on `{}`: {}", path, std::strerror(errno));
  return std::unique_ptr<Server>(new Server(part, options, path, std::move(socket)));
}

Server::~Server() { ::unlink(path_.c_str()); }

Status Server::serve_next() {
  for (;;) {
    FileDescriptor client(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (client) return serve_client(part_, options_, std::move(client));
    if (errno != EINTR && errno != ECONNABORTED)
      return fail(ErrorCode::kIo, "cannot accept a client on `{}`: {}", path_, std::strerror(errno));
  }
}

}  // namespace zynpu::vfio
