// SPDX-License-Identifier: MIT
// One connection of a vfio-user client: messages with file descriptors, and the server's own DMA requests.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"
#include "vfio/file_descriptor.h"
#include "vfio/protocol.h"

namespace zynpu::vfio {

struct Message {
  Header header;
  std::vector<std::uint8_t> payload;
  std::vector<FileDescriptor> fds;
};

// Memory of the client that it serves by messages. Calls block until the client has answered.
class RemoteMemory {
 public:
  virtual ~RemoteMemory() = default;
  // False if the client refused, is gone, or the transfer was cancelled.
  virtual bool read(std::uint64_t address, std::span<std::uint8_t> data) = 0;
  virtual bool write(std::uint64_t address, std::span<const std::uint8_t> data) = 0;
  // Makes the transfer under way and all that follow fail, until allow(). From any thread.
  virtual void cancel() = 0;
  virtual void allow() = 0;
};

// receive() belongs to one thread, the RemoteMemory part to another; send() may be called by both.
class Channel final : public RemoteMemory {
 public:
  explicit Channel(FileDescriptor socket) : socket_(std::move(socket)) {}

  // The next request of the client; replies to our own requests are handed to whoever waits for them.
  // nullopt: the client has closed the connection. kIo: the stream is broken or not vfio-user; no further
  // call succeeds.
  Result<std::optional<Message>> receive();

  Status reply(const Header& request, std::span<const std::uint8_t> payload);
  Status reply_error(const Header& request, int error);

  bool read(std::uint64_t address, std::span<std::uint8_t> data) override;
  bool write(std::uint64_t address, std::span<const std::uint8_t> data) override;
  void cancel() override;
  void allow() override;

 private:
  Result<std::optional<Message>> receive_any();
  Result<bool> receive_bytes(std::span<std::uint8_t> data, std::vector<FileDescriptor>* fds);
  Status send(const Header& header, std::span<const std::uint8_t> first,
              std::span<const std::uint8_t> second);
  // Sends a request and waits for its reply, whose payload must have `reply_bytes`.
  bool request(Command command, std::span<const std::uint8_t> payload, std::span<const std::uint8_t> data,
               std::size_t reply_bytes, std::vector<std::uint8_t>& reply);

  FileDescriptor socket_;
  std::mutex send_mutex_;
  std::mutex mutex_;
  std::condition_variable answered_;
  // Guarded by mutex_:
  std::uint16_t next_id_ = 0;
  std::optional<std::uint16_t> awaited_;
  std::optional<Message> answer_;
  bool cancelled_ = false;
  bool closed_ = false;
};

}  // namespace zynpu::vfio
