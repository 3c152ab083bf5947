// SPDX-License-Identifier: MIT
#include "vfio/channel.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace zynpu::vfio {
namespace {

// What QEMU was seen to serve in one message (vm-lab.md 5.6).
constexpr std::size_t kPiece = 4096;
// Room for what a client may send at most; more than we announce is closed again.
constexpr unsigned kControlFds = 16;

template <class T>
std::span<const std::uint8_t> bytes_of(const T& value) {
  return {reinterpret_cast<const std::uint8_t*>(&value), sizeof value};
}

}  // namespace

// Returns false at the end of the stream, which may only be between two messages.
Result<bool> Channel::receive_bytes(std::span<std::uint8_t> data, std::vector<FileDescriptor>* fds) {
  bool began = false;
  while (!data.empty()) {
    iovec part{data.data(), data.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(kControlFds * sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t count = ::recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC);
    if (count < 0) {
      if (errno == EINTR) continue;
      return fail(ErrorCode::kIo, "cannot read from the client: {}", std::strerror(errno));
    }
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
      if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
      const std::size_t received = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (std::size_t i = 0; i < received; ++i) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
        FileDescriptor owned(fd);
        if (fds != nullptr && fds->size() < kControlFds) fds->push_back(std::move(owned));
      }
    }
    if (count == 0) {
      if (began || fds == nullptr) return fail(ErrorCode::kIo, "the client left in the middle of a message");
      return false;
    }
    began = true;
    data = data.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

Result<std::optional<Message>> Channel::receive_any() {
  Message message;
  std::array<std::uint8_t, sizeof(Header)> raw{};
  ZYNPU_ASSIGN_OR_RETURN(const bool some, receive_bytes(raw, &message.fds));
  if (!some) return std::optional<Message>();
  std::memcpy(&message.header, raw.data(), raw.size());
  const std::uint32_t size = message.header.size;
  if (size < sizeof(Header) || size > kMaxMessage)
    return fail(ErrorCode::kIo, "message {} has a size of {} bytes; allowed are {} to {}", message.header.id,
                size, sizeof(Header), kMaxMessage);
  message.payload.resize(size - sizeof(Header));
  ZYNPU_TRY(receive_bytes(message.payload, nullptr));
  return std::optional<Message>(std::move(message));
}

Result<std::optional<Message>> Channel::receive() {
  for (;;) {
    Result<std::optional<Message>> message = receive_any();
    if (!message || !*message) {
      std::lock_guard lock(mutex_);
      closed_ = true;
      answered_.notify_all();
      return message;
    }
    if (((*message)->header.flags & kTypeMask) == kTypeRequest) return message;
    std::lock_guard lock(mutex_);
    if (awaited_ != (*message)->header.id) continue;  // of a transfer that was cancelled
    awaited_.reset();
    answer_ = std::move(*message);
    answered_.notify_all();
  }
}

Status Channel::send(const Header& header, std::span<const std::uint8_t> first,
                     std::span<const std::uint8_t> second) {
  const std::span<const std::uint8_t> head = bytes_of(header);
  std::lock_guard lock(send_mutex_);
  for (std::span<const std::uint8_t> part : {head, first, second}) {
    while (!part.empty()) {
      const ssize_t count = ::send(socket_.get(), part.data(), part.size(), MSG_NOSIGNAL);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return fail(ErrorCode::kIo, "cannot write to the client: {}", std::strerror(errno));
      part = part.subspan(static_cast<std::size_t>(count));
    }
  }
  return {};
}

Status Channel::reply(const Header& request, std::span<const std::uint8_t> payload) {
  return send({.id = request.id,
               .command = request.command,
               .size = static_cast<std::uint32_t>(sizeof(Header) + payload.size()),
               .flags = kTypeReply,
               .error = 0},
              payload, {});
}

Status Channel::reply_error(const Header& request, int error) {
  return send({.id = request.id,
               .command = request.command,
               .size = sizeof(Header),
               .flags = kTypeReply | kErrorReply,
               .error = static_cast<std::uint32_t>(error)},
              {}, {});
}

bool Channel::request(Command command, std::span<const std::uint8_t> payload,
                      std::span<const std::uint8_t> data, std::size_t reply_bytes,
                      std::vector<std::uint8_t>& reply) {
  Header header{.id = 0,
                .command = static_cast<std::uint16_t>(command),
                .size = static_cast<std::uint32_t>(sizeof(Header) + payload.size() + data.size()),
                .flags = kTypeRequest,
                .error = 0};
  {
    std::lock_guard lock(mutex_);
    if (cancelled_ || closed_) return false;
    header.id = next_id_++;
    awaited_ = header.id;
    answer_.reset();
  }
  if (!send(header, payload, data)) return false;
  std::unique_lock lock(mutex_);
  answered_.wait(lock, [&] { return answer_.has_value() || cancelled_ || closed_; });
  awaited_.reset();
  if (!answer_) return false;
  const Message answer = std::move(*answer_);
  answer_.reset();
  if ((answer.header.flags & kErrorReply) != 0 || answer.header.command != header.command ||
      answer.payload.size() != reply_bytes)
    return false;
  reply = answer.payload;
  return true;
}

bool Channel::read(std::uint64_t address, std::span<std::uint8_t> data) {
  std::vector<std::uint8_t> reply;
  while (!data.empty()) {
    const std::size_t part = std::min(data.size(), kPiece);
    const DmaAccess access{address, part};
    if (!request(Command::kDmaRead, bytes_of(access), {}, sizeof access + part, reply)) return false;
    DmaAccess answered{};
    std::memcpy(&answered, reply.data(), sizeof answered);
    if (answered.address != address || answered.count != part) return false;
    std::copy(reply.begin() + sizeof access, reply.end(), data.begin());
    data = data.subspan(part);
    address += part;
  }
  return true;
}

bool Channel::write(std::uint64_t address, std::span<const std::uint8_t> data) {
  std::vector<std::uint8_t> reply;
  while (!data.empty()) {
    const std::size_t part = std::min(data.size(), kPiece);
    const DmaAccess access{address, part};
    if (!request(Command::kDmaWrite, bytes_of(access), data.first(part), sizeof access, reply)) return false;
    data = data.subspan(part);
    address += part;
  }
  return true;
}

void Channel::cancel() {
  std::lock_guard lock(mutex_);
  cancelled_ = true;
  answered_.notify_all();
}

void Channel::allow() {
  std::lock_guard lock(mutex_);
  cancelled_ = false;
}

}  // namespace zynpu::vfio
