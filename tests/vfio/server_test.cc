// SPDX-License-Identifier: MIT
// A client behind a socket: messages in pieces, broken streams, memory served by messages while registers are
// read.
#include "vfio/server.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <thread>

#include "isa/asm.h"
#include "part/registers_z.h"
#include "vfio/client.h"

namespace zynpu::vfio {
namespace {

namespace z = part::z;

// The client's end of a connection to a z1, whose thread ends with the connection.
class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    client = FileDescriptor(ends[0]);
    thread = std::thread(
        [this, end = ends[1]] { result = serve_client(*part::find("z1"), {}, FileDescriptor(end)); });
  }
  ~ServerTest() override { leave(); }
  void leave() {
    client = FileDescriptor();
    if (thread.joinable()) thread.join();
  }

  void put(const void* data, std::size_t bytes) {
    ASSERT_EQ(::send(client.get(), data, bytes, MSG_NOSIGNAL), static_cast<ssize_t>(bytes));
  }
  void get(void* data, std::size_t bytes) {
    ASSERT_EQ(::recv(client.get(), data, bytes, MSG_WAITALL), static_cast<ssize_t>(bytes));
  }
  void request(Command command, const std::vector<std::uint8_t>& payload, std::uint16_t id = 1,
               std::uint32_t flags = 0) {
    const Header header{id, static_cast<std::uint16_t>(command),
                        static_cast<std::uint32_t>(sizeof(Header) + payload.size()), flags, 0};
    put(&header, sizeof header);
    if (!payload.empty()) put(payload.data(), payload.size());
  }
  std::pair<Header, std::vector<std::uint8_t>> receive() {
    Header header;
    get(&header, sizeof header);
    std::vector<std::uint8_t> payload(header.size >= sizeof header ? header.size - sizeof header : 0);
    if (!payload.empty()) get(payload.data(), payload.size());
    return {header, payload};
  }
  // Sends and returns the reply; serves the server's requests for memory meanwhile.
  std::vector<std::uint8_t> call(Command command, const std::vector<std::uint8_t>& payload) {
    request(command, payload, 7);
    for (;;) {
      auto [header, answer] = receive();
      if ((header.flags & kTypeMask) == kTypeReply) {
        EXPECT_EQ(header.id, 7);
        EXPECT_EQ(header.error, 0u);
        return answer;
      }
      serve(header, answer);
    }
  }
  void serve(Header header, const std::vector<std::uint8_t>& asked) {
    DmaAccess access_asked{};
    std::memcpy(&access_asked, asked.data(), sizeof access_asked);
    ASSERT_GE(access_asked.address, kBase);
    ASSERT_LE(access_asked.address + access_asked.count, kBase + memory.size());
    std::vector<std::uint8_t> answer(asked.begin(), asked.begin() + sizeof access_asked);
    std::uint8_t* at = memory.data() + (access_asked.address - kBase);
    if (header.command == static_cast<std::uint16_t>(Command::kDmaRead))
      answer.insert(answer.end(), at, at + access_asked.count);
    else
      std::copy(asked.begin() + sizeof access_asked, asked.end(), at);
    ++served;
    header.flags = kTypeReply;
    header.size = static_cast<std::uint32_t>(sizeof header + answer.size());
    put(&header, sizeof header);
    put(answer.data(), answer.size());
  }
  std::uint32_t read(std::uint32_t offset) {
    const auto answer = call(Command::kRegionRead, access(offset, kBar0Region, 4));
    std::uint32_t value = 0;
    EXPECT_EQ(answer.size(), 20u);
    std::memcpy(&value, answer.data() + 16, 4);
    return value;
  }
  void write(std::uint32_t offset, std::uint32_t value) {
    call(Command::kRegionWrite, access(offset, kBar0Region, 4, bytes_of(value)));
  }
  void start(const char* text) {
    const auto program = isa::assemble(text).value();
    std::copy(program.bytes.begin(), program.bytes.end(), memory.begin());
    call(Command::kVersion, version_payload());
    call(Command::kDmaMap, bytes_of(DmaMap{32, 3, 0, kBase, memory.size()}));
    write(z::kCtrl, z::kZ1Causes);
    write(z::kStartPc, static_cast<std::uint32_t>(kBase) | 0xD);
  }

  static constexpr std::uint64_t kBase = 0x100000;
  std::vector<std::uint8_t> memory = std::vector<std::uint8_t>(0x10000);
  int served = 0;
  FileDescriptor client;
  std::thread thread;
  Status result;
};

TEST_F(ServerTest, AnswersMessagesThatArriveInPieces) {
  const auto payload = version_payload();
  const Header header{3, 1, static_cast<std::uint32_t>(sizeof(Header) + payload.size()), 0, 0};
  const auto* raw = reinterpret_cast<const std::uint8_t*>(&header);
  for (std::size_t i = 0; i < sizeof header; ++i) put(raw + i, 1);
  for (const std::uint8_t byte : payload) put(&byte, 1);
  const auto [answer, text] = receive();
  EXPECT_EQ(answer.id, 3);
  EXPECT_EQ(answer.flags, kTypeReply);
}

TEST_F(ServerTest, AnErrorReplyIsABareHeader) {
  request(Command::kGetInfo, {}, 9);
  const auto [header, payload] = receive();
  EXPECT_EQ(header.id, 9);
  EXPECT_EQ(header.flags, kTypeReply | kErrorReply);
  EXPECT_EQ(header.error, static_cast<std::uint32_t>(EINVAL));
  EXPECT_TRUE(payload.empty());
}

TEST_F(ServerTest, DoesNotAnswerWhereNoReplyIsWanted) {
  request(Command::kVersion, version_payload(), 1, kNoReply);
  request(Command::kReset, {}, 2);
  EXPECT_EQ(receive().first.id, 2);
}

TEST_F(ServerTest, EndsWithTheConnection) {
  leave();
  EXPECT_TRUE(result);
}

TEST_F(ServerTest, AMessageCutShortIsAnError) {
  const Header header{1, 1, 100, 0, 0};
  put(&header, sizeof header);
  leave();
  EXPECT_EQ(result.error().code, ErrorCode::kIo);
}

TEST_F(ServerTest, SizesThatCannotBeEndTheConnection) {
  for (const std::uint32_t size : {15u, kMaxMessage + 1}) {
    SCOPED_TRACE(size);
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    const Header header{1, 1, size, 0, 0};
    ASSERT_EQ(::send(ends[0], &header, sizeof header, 0), static_cast<ssize_t>(sizeof header));
    const FileDescriptor mine(ends[0]);
    EXPECT_EQ(serve_client(*part::find("z1"), {}, FileDescriptor(ends[1])).error().code, ErrorCode::kIo);
  }
}

TEST_F(ServerTest, ProgramsRunInMemoryServedByMessages) {
  start("{ exit }");
  while ((read(z::kStat) & z::kDone) == 0) {
  }
  EXPECT_GT(served, 0);
}

// The client does not serve memory while it waits for the answer to a register access (vm-lab.md 5.6).
TEST_F(ServerTest, AnswersBeforeItsOwnRequestsAreServed) {
  start("{ exit }");
  std::vector<std::pair<Header, std::vector<std::uint8_t>>> waiting;
  for (int i = 0; i < 10; ++i) {
    request(Command::kRegionRead, access(z::kStat, kBar0Region, 4), 100);
    for (;;) {
      auto [header, payload] = receive();
      if ((header.flags & kTypeMask) == kTypeReply) break;
      waiting.emplace_back(header, payload);
    }
  }
  for (const auto& [header, payload] : waiting) serve(header, payload);
  while ((read(z::kStat) & z::kDone) == 0) {
  }
}

TEST_F(ServerTest, AResetBreaksOffATransfer) {
  start("{ exit }");
  Header asked;
  do {  // the request for the program, which stays unanswered
    asked = receive().first;
  } while ((asked.flags & kTypeMask) == kTypeReply);
  request(Command::kReset, {}, 55);
  for (;;) {
    const auto [header, payload] = receive();
    if ((header.flags & kTypeMask) == kTypeReply) {
      EXPECT_EQ(header.id, 55);
      break;
    }
  }
  EXPECT_EQ(read(z::kStat), z::kIdle);
}

TEST_F(ServerTest, AClientThatLeavesInATransferIsLetGo) {
  start("{ exit }");
  leave();
  EXPECT_TRUE(result || result.error().code == ErrorCode::kIo);
}

class SocketFileTest : public ::testing::Test {
 protected:
  SocketFileTest() {
    std::string pattern = ::testing::TempDir() + "zynpuXXXXXX";
    folder = ::mkdtemp(pattern.data());
    path = folder + "/npu";
  }
  ~SocketFileTest() override { std::filesystem::remove_all(folder); }
  std::string folder, path;
};

TEST_F(SocketFileTest, IsForThisUserAndGoesWithTheServer) {
  {
    const auto server = Server::listen(*part::find("x2"), {}, path);
    ASSERT_TRUE(server) << server.error().message;
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_TRUE(S_ISSOCK(status.st_mode));
    EXPECT_EQ(status.st_mode & 077, 0u);
    EXPECT_EQ(Server::listen(*part::find("x2"), {}, path).error().code, ErrorCode::kBusy);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(SocketFileTest, ReplacesADeadSocketAndNothingElse) {
  {
    const FileDescriptor dead(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(dead.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  EXPECT_TRUE(Server::listen(*part::find("x2"), {}, path));
  const std::string file = folder + "/file";
  FILE* made = std::fopen(file.c_str(), "w");
  std::fclose(made);
  EXPECT_EQ(Server::listen(*part::find("x2"), {}, file).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(Server::listen(*part::find("x2"), {}, std::string(200, 'a')).error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(Server::listen(*part::find("x2"), {}, "").error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace zynpu::vfio
