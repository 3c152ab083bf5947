// SPDX-License-Identifier: MIT
// Any sequence of requests from a client, some of them with a file as memory or an eventfd: the session
// answers each and stays inside its own memory.
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "vfio/session.h"

namespace {

using namespace zynpu::vfio;

class NoRemote final : public RemoteMemory {
 public:
  bool read(std::uint64_t, std::span<std::uint8_t>) override { return false; }
  bool write(std::uint64_t, std::span<const std::uint8_t>) override { return false; }
  void cancel() override {}
  void allow() override {}
};

constexpr std::uint32_t kFileBytes = 0x8000;

}  // namespace

// Byte 0: part and interrupts. Then messages: command, what comes with it (0 nothing, 1 a file, 2 an
// eventfd), length, payload.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  NoRemote remote;
  zynpu::vnpu::Options options;
  options.max_bundles_per_task = 2000;
  const auto parts = zynpu::part::parts();
  auto session = Session::create(parts[data[0] % parts.size()], static_cast<InterruptKind>(data[0] / 4 % 3),
                                 options, remote)
                     .value();
  ++data, --size;
  Message version;
  version.header.command = static_cast<std::uint16_t>(Command::kVersion);
  version.payload.assign(256, 0);
  session->handle(version);
  while (size >= 3) {
    Message request;
    request.header.command = data[0];
    const int extra = data[1] % 3;
    const std::size_t bytes = std::min<std::size_t>(data[2], size - 3);
    request.payload.assign(data + 3, data + 3 + bytes);
    data += 3 + bytes, size -= 3 + bytes;
    if (extra == 1) {
      const int fd = ::memfd_create("fuzz", MFD_CLOEXEC);
      if (::ftruncate(fd, kFileBytes) == 0) request.fds.emplace_back(fd);
    } else if (extra == 2) {
      request.fds.emplace_back(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    }
    session->handle(request);
  }
  return 0;
}
