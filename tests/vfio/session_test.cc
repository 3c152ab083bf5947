// SPDX-License-Identifier: MIT
// Every request: the good one, each field wrong in turn, at its limits, and out of order.
#include "vfio/session.h"

#include <sys/eventfd.h>

#include <cerrno>

#include "isa/asm.h"
#include "part/registers_x2.h"
#include "part/registers_z.h"
#include "vfio/client.h"

namespace zynpu::vfio {
namespace {

namespace z = part::z;

class SessionTest : public ::testing::Test {
 protected:
  explicit SessionTest(const char* part = "z1", InterruptKind kind = InterruptKind::kMsix)
      : session(Session::create(*part::find(part), kind, {}, remote).value()) {
    EXPECT_EQ(send(Command::kVersion, version_payload()).error, 0);
  }

  Reply send(Command command, std::vector<std::uint8_t> payload, int fd = -1) {
    Message request = message(command, std::move(payload));
    if (fd >= 0) request.fds.emplace_back(fd);
    return session->handle(request);
  }
  std::uint32_t read(std::uint64_t offset, std::uint32_t region = kBar0Region) {
    const Reply reply = send(Command::kRegionRead, access(offset, region, 4));
    EXPECT_EQ(reply.error, 0);
    std::uint32_t value = 0;
    if (reply.payload.size() == 20) std::memcpy(&value, reply.payload.data() + 16, 4);
    return value;
  }
  void write(std::uint64_t offset, std::uint32_t value, std::uint32_t region = kBar0Region) {
    const Reply reply = send(Command::kRegionWrite, access(offset, region, 4, bytes_of(value)));
    EXPECT_EQ(reply.error, 0);
    EXPECT_EQ(reply.payload.size(), sizeof(RegionAccess));
  }
  int map(std::uint64_t address, std::uint64_t bytes, int fd = -1, std::uint64_t offset = 0,
          std::uint32_t flags = 3) {
    return send(Command::kDmaMap, bytes_of(DmaMap{sizeof(DmaMap), flags, offset, address, bytes}), fd).error;
  }
  int unmap(std::uint64_t address, std::uint64_t bytes, std::uint32_t flags = 0) {
    return send(Command::kDmaUnmap, bytes_of(DmaUnmap{sizeof(DmaUnmap), flags, address, bytes})).error;
  }
  int set_irqs(std::uint32_t flags, std::uint32_t index, std::uint32_t start, std::uint32_t count,
               int fd = -1) {
    return send(Command::kSetIrqs, bytes_of(SetIrqs{sizeof(SetIrqs), flags, index, start, count}), fd).error;
  }
  // Interrupts that arrived since the last look.
  static std::uint64_t taken(int fd) {
    std::uint64_t count = 0;
    return ::read(fd, &count, sizeof count) == sizeof count ? count : 0;
  }
  // An eventfd that the session gets a copy of.
  int vector(std::uint32_t index) {
    const int fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    EXPECT_EQ(set_irqs(kDataEventfd | kActionTrigger, index, 0, 1, ::dup(fd)), 0);
    return fd;
  }
  void inject(Injection injection, std::uint32_t argument = 0) {
    write(ConfigSpace::kInjectionArgument, argument, kConfigRegion);
    write(ConfigSpace::kInjectionCommand, static_cast<std::uint32_t>(injection), kConfigRegion);
  }

  // Memory at 0x100000 with a program that ends at once, and the registers to start it.
  std::uint8_t* load(const char* text = "{ exit }") {
    const int fd = memory_file(0x10000);
    auto* host =
        static_cast<std::uint8_t*>(::mmap(nullptr, 0x10000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    const auto program = isa::assemble(text).value();
    std::memcpy(host, program.bytes.data(), program.bytes.size());
    EXPECT_EQ(map(0x100000, 0x10000, fd), 0);
    write(z::kCtrl, z::kZ1Causes);
    return host;
  }
  void start() {
    write(z::kDataAddr0, 0x101000);
    write(z::kDataAddr1, 0x102000);
    write(z::kIntrPc, 0x100010);
    write(z::kStartPc, 0x100000 | 0xD);
  }

  NoRemote remote;
  std::unique_ptr<Session> session;
};

TEST_F(SessionTest, VersionFitsIntoTheClientsBuffer) {
  const Reply reply = send(Command::kVersion, version_payload());
  EXPECT_EQ(reply.error, 0);
  EXPECT_LE(reply.payload.size(), version_payload().size());
  EXPECT_EQ(reply.payload.back(), 0);
}

TEST_F(SessionTest, VersionRefusesAnotherMajorAndAShortBuffer) {
  EXPECT_EQ(send(Command::kVersion, version_payload(1)).error, ENOTSUP);
  EXPECT_EQ(send(Command::kVersion, {0, 0, 0, 0, 0}).error, EMSGSIZE);
  EXPECT_EQ(send(Command::kVersion, {0, 0}).error, EINVAL);
}

TEST_F(SessionTest, NothingIsAnsweredBeforeTheVersion) {
  auto fresh = Session::create(*part::find("z1"), InterruptKind::kMsix, {}, remote).value();
  Message request = message(Command::kGetInfo, bytes_of(DeviceInfo{sizeof(DeviceInfo), 0, 0, 0}));
  EXPECT_EQ(fresh->handle(request).error, EINVAL);
}

TEST_F(SessionTest, UnknownCommandsAreNotSupported) {
  for (const int command : {0, 6, 11, 12, 14, 15, 16, 255, 65535})
    EXPECT_EQ(send(static_cast<Command>(command), std::vector<std::uint8_t>(64)).error, ENOTSUP) << command;
}

TEST_F(SessionTest, EveryRequestRefusesAPayloadThatIsTooShort) {
  for (int command = 1; command <= 10; ++command) {
    if (static_cast<Command>(command) == Command::kGetRegionIoFds) continue;
    for (const std::size_t bytes : {0, 1, 3})
      EXPECT_EQ(send(static_cast<Command>(command), std::vector<std::uint8_t>(bytes)).error, EINVAL)
          << command;
  }
}

TEST_F(SessionTest, DescribesItsRegionsAndInterrupts) {
  const Reply info = send(Command::kGetInfo, bytes_of(DeviceInfo{sizeof(DeviceInfo), 0, 0, 0}));
  EXPECT_EQ(info.payload, bytes_of(DeviceInfo{16, 3, 9, 5}));
  for (std::uint32_t index = 0; index < 9; ++index) {
    const Reply reply = send(Command::kGetRegionInfo, bytes_of(RegionInfo{32, 0, index, 0, 0, 0}));
    const std::uint64_t bytes = index == 0 ? 0x10000 : index == 7 ? 256 : 0;
    EXPECT_EQ(reply.payload, bytes_of(RegionInfo{32, bytes != 0 ? 3u : 0u, index, 0, bytes, 0}));
  }
  EXPECT_EQ(send(Command::kGetRegionInfo, bytes_of(RegionInfo{32, 0, 9, 0, 0, 0})).error, EINVAL);
  EXPECT_EQ(send(Command::kGetRegionInfo, bytes_of(RegionInfo{31, 0, 0, 0, 0, 0})).error, EINVAL);
  const std::uint32_t counts[] = {1, 0, 1, 0, 0}, flags[] = {7, 0, 9, 0, 0};
  for (std::uint32_t index = 0; index < 5; ++index)
    EXPECT_EQ(send(Command::kGetIrqInfo, bytes_of(IrqInfo{16, 0, index, 0})).payload,
              bytes_of(IrqInfo{16, flags[index], index, counts[index]}));
  EXPECT_EQ(send(Command::kGetIrqInfo, bytes_of(IrqInfo{16, 0, 5, 0})).error, EINVAL);
}

TEST_F(SessionTest, ConfigurationSpaceTellsWhatItIs) {
  EXPECT_EQ(read(0x00, kConfigRegion), 0x10F71B36u);
  EXPECT_EQ(read(0x08, kConfigRegion), 0x12000000u);
  EXPECT_EQ(read(0x2C, kConfigRegion), 0x00011B36u);
  EXPECT_EQ(read(0x34, kConfigRegion) & 0xFF, 0x40u);
  EXPECT_EQ(read(0x40, kConfigRegion), 0x00006011u);
  EXPECT_EQ(read(0x44, kConfigRegion), 0x8000u);
  EXPECT_EQ(read(0x48, kConfigRegion), 0x9000u);
  EXPECT_EQ(send(Command::kRegionRead, access(0, kConfigRegion, 256)).payload.size(), 16u + 256u);
}

TEST_F(SessionTest, ConfigurationSpaceKeepsOnlyWhatMayBeWritten) {
  for (std::uint32_t offset = 0; offset < 256; offset += 4)
    if (offset != ConfigSpace::kInjectionCommand) write(offset, 0xFFFFFFFF, kConfigRegion);
  EXPECT_EQ(read(0x00, kConfigRegion), 0x10F71B36u);
  EXPECT_EQ(read(0x04, kConfigRegion), 0x00100547u);
  EXPECT_EQ(read(0x10, kConfigRegion), 0xFFFF0000u);
  EXPECT_EQ(read(0x40, kConfigRegion), 0xC0006011u);
  EXPECT_EQ(send(Command::kReset, {}).error, 0);
  EXPECT_EQ(read(0x04, kConfigRegion), 0x00100000u);
}

TEST_F(SessionTest, RegionAccessesStayInTheirRegion) {
  struct Bad {
    std::uint64_t offset;
    std::uint32_t region, count;
  };
  for (const Bad& bad : {Bad{0x10000, 0, 4},
                         {0xFFFD, 0, 4},
                         {UINT64_MAX, 0, 4},
                         {UINT64_MAX - 3, 0, 4},
                         {0, 0, 0},
                         {0, 0, 16},
                         {0, 1, 4},
                         {0, 6, 4},
                         {0, 8, 4},
                         {0, 9, 4},
                         {0, UINT32_MAX, 4},
                         {253, 7, 4},
                         {0, 7, 257},
                         {0, 7, UINT32_MAX},
                         {UINT64_MAX, 7, 1}}) {
    EXPECT_EQ(send(Command::kRegionRead, access(bad.offset, bad.region, bad.count)).error, EINVAL);
    if (bad.count < 1000) {
      EXPECT_EQ(send(Command::kRegionWrite,
                     access(bad.offset, bad.region, bad.count, std::vector<std::uint8_t>(bad.count)))
                    .error,
                EINVAL);
    }
  }
}

TEST_F(SessionTest, WritesNeedAsMuchDataAsTheySay) {
  EXPECT_EQ(send(Command::kRegionWrite, access(0, 0, 4, {1, 2, 3})).error, EINVAL);
  EXPECT_EQ(send(Command::kRegionWrite, access(0, 0, 4, {1, 2, 3, 4, 5})).error, EINVAL);
  EXPECT_EQ(send(Command::kRegionWrite, access(0, 0, 2, {1, 2})).error, EINVAL);
  EXPECT_EQ(send(Command::kRegionWrite, access(2, 0, 4, {1, 2, 3, 4})).error, EINVAL);
}

TEST_F(SessionTest, RegistersAreThoseOfTheNpu) {
  EXPECT_EQ(read(z::kTpcFeature), 0x00010101u);
  EXPECT_EQ(read(z::kStat), z::kIdle);
  write(z::kDataAddr0, 0x12345678);
  EXPECT_EQ(read(z::kDataAddr0), 0x12345678u);
  EXPECT_EQ(send(Command::kRegionRead, access(z::kDataAddr0 + 1, 0, 2)).payload[16], 0x56);
  EXPECT_EQ(read(kMsixTable), 0u);
  EXPECT_EQ(read(kMsixPending), 0u);
  EXPECT_EQ(send(Command::kReset, {}).error, 0);
  EXPECT_EQ(read(z::kDataAddr0), 0u);
}

TEST_F(SessionTest, MapsOnlyWholePagesInsideTheirFile) {
  const auto file = [] { return memory_file(0x4000); };
  EXPECT_EQ(map(0x1000, 0, file()), EINVAL);
  EXPECT_EQ(map(0x1001, 0x1000, file()), EINVAL);
  EXPECT_EQ(map(0x1000, 0x1001, file()), EINVAL);
  EXPECT_EQ(map(0x1000, 0x5000, file()), EINVAL);
  EXPECT_EQ(map(0x1000, 0x1000, file(), 0x4000), EINVAL);
  EXPECT_EQ(map(0x1000, 0x1000, file(), 0x10), EINVAL);
  EXPECT_EQ(map(0x1000, 0x1000, file(), UINT64_MAX - 0xFFF), EINVAL);
  EXPECT_EQ(map(UINT64_MAX - 0xFFF, 0x2000), EINVAL);
  EXPECT_EQ(map(0x1000, 0x1000, file(), 0, 0), EINVAL);
  EXPECT_EQ(map(0x1000, 0x1000, file(), 0, 7), EINVAL);
  EXPECT_EQ(map(0x1000, 0x4000, file()), 0);
  EXPECT_EQ(map(0x5000, 0x1000), 0);
  EXPECT_EQ(map(UINT64_MAX - 0xFFF, 0x1000), 0);
}

TEST_F(SessionTest, MapsDoNotOverlapAndAreRemovedWhole) {
  EXPECT_EQ(map(0x10000, 0x4000), 0);
  EXPECT_EQ(map(0x10000, 0x1000), EEXIST);
  EXPECT_EQ(map(0xF000, 0x2000), EEXIST);
  EXPECT_EQ(map(0x13000, 0x1000), EEXIST);
  EXPECT_EQ(map(0xF000, 0x8000), EEXIST);
  EXPECT_EQ(map(0x14000, 0x1000), 0);
  EXPECT_EQ(unmap(0x10000, 0x2000), EINVAL);
  EXPECT_EQ(unmap(0x12000, 0x2000), EINVAL);
  EXPECT_EQ(unmap(0x20000, 0x1000), ENOENT);
  EXPECT_EQ(unmap(0x10000, 0), EINVAL);
  EXPECT_EQ(unmap(UINT64_MAX, 2), EINVAL);
  EXPECT_EQ(unmap(0x10000, 0x4000, 1), ENOTSUP);
  EXPECT_EQ(unmap(0x10000, 0x4000), 0);
  EXPECT_EQ(unmap(0x10000, 0x4000), ENOENT);
  EXPECT_EQ(unmap(0, 0x1000, kUnmapAll), EINVAL);
  EXPECT_EQ(unmap(0, 0, kUnmapAll), 0);
  EXPECT_EQ(map(0x14000, 0x1000), 0);
}

TEST_F(SessionTest, RunsAJobAndInterruptsOnce) {
  load();
  const int msix = vector(kMsixIndex);
  start();
  session->engine().wait_idle();
  EXPECT_EQ(taken(msix), 1u);
  EXPECT_EQ(read(z::kStat), z::kIdle | z::kDone | z::kQempty);
  write(z::kStat, z::kDone);  // the other cause is still there: a vector stands for one cause
  EXPECT_EQ(taken(msix), 1u);
  write(z::kStat, z::kQempty);
  EXPECT_EQ(taken(msix), 0u);
  EXPECT_EQ(read(z::kStat), z::kIdle);
}

TEST_F(SessionTest, ACauseThatIsAlreadyThereReachesANewVector) {
  load();
  start();
  session->engine().wait_idle();
  EXPECT_EQ(taken(vector(kMsixIndex)), 1u);
}

TEST_F(SessionTest, IntxIsSentAgainAfterEachUnmaskWhileItIsHigh) {
  load();
  const int intx = vector(kIntxIndex);
  start();
  session->engine().wait_idle();
  EXPECT_EQ(taken(intx), 1u);
  EXPECT_EQ(set_irqs(kDataNone | kActionUnmask, kIntxIndex, 0, 1), 0);
  EXPECT_EQ(taken(intx), 1u);
  write(z::kStat, z::kZ1Causes);
  EXPECT_EQ(set_irqs(kDataNone | kActionUnmask, kIntxIndex, 0, 1), 0);
  EXPECT_EQ(taken(intx), 0u);
}

TEST_F(SessionTest, InterruptsMayBeTakenAwayAtAnyTime) {
  load();
  const int msix = vector(kMsixIndex);
  EXPECT_EQ(set_irqs(kDataEventfd | kActionTrigger, kMsixIndex, 0, 1),
            0);  // the placeholder without a descriptor
  start();
  session->engine().wait_idle();
  EXPECT_EQ(taken(msix), 0u);
  EXPECT_EQ(set_irqs(kDataNone | kActionTrigger, kMsixIndex, 0, 0), 0);
}

TEST_F(SessionTest, SetIrqsRefusesWrongFields) {
  EXPECT_EQ(set_irqs(0x24, kMsixIndex, 1, 1), EINVAL);
  EXPECT_EQ(set_irqs(0x24, kMsixIndex, 0, 2), EINVAL);
  EXPECT_EQ(set_irqs(0x24, kMsixIndex, UINT32_MAX, 2), EINVAL);
  EXPECT_EQ(set_irqs(0x24, kMsiIndex, 0, 1), EINVAL);
  EXPECT_EQ(set_irqs(0x24, 3, 0, 1), EINVAL);
  EXPECT_EQ(set_irqs(0x24, 5, 0, 1), EINVAL);
  EXPECT_EQ(set_irqs(0x64, kMsixIndex, 0, 1), EINVAL);
  EXPECT_EQ(set_irqs(0x27, kMsixIndex, 0, 1), EINVAL);
  EXPECT_EQ(set_irqs(0x11, kMsixIndex, 0, 1), ENOTSUP);
  EXPECT_EQ(set_irqs(0x14, kIntxIndex, 0, 1), ENOTSUP);
}

TEST_F(SessionTest, AProgramInMemoryThatIsGoneFaults) {
  load("spin: nop\nb spin");
  const int msix = vector(kMsixIndex);
  start();
  EXPECT_EQ(unmap(0x100000, 0x10000), 0);  // in the middle of the run
  EXPECT_EQ(send(Command::kReset, {}).error, 0);
  start();
  session->engine().wait_idle();
  write(z::kCtrl, z::kZ1Causes);
  EXPECT_EQ(read(z::kStat) & z::kException, z::kException);
  EXPECT_GE(taken(msix), 1u);
}

TEST_F(SessionTest, RegistersAnswerWhileAProgramNeverEnds) {
  load("spin: nop\nb spin");
  start();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(read(z::kStat), 0u);
  EXPECT_EQ(send(Command::kReset, {}).error, 0);
  EXPECT_EQ(read(z::kStat), z::kIdle);
}

TEST_F(SessionTest, TheResetLineStopsAndHidesTheNpu) {
  load("spin: nop\nb spin");
  start();
  EXPECT_EQ(read(kSocMagic), kSocMagicValue);
  write(kSocReset, 1);
  EXPECT_EQ(read(kSocReset), 1u);
  EXPECT_EQ(read(z::kTpcFeature), 0u);
  write(z::kDataAddr0, 5);
  write(kSocReset, 0);
  EXPECT_EQ(read(z::kTpcFeature), 0x00010101u);
  EXPECT_EQ(read(z::kDataAddr0), 0u);
  EXPECT_EQ(read(z::kStat), z::kIdle);
}

TEST_F(SessionTest, InjectedFaultsShowAndEnd) {
  load();
  const int msix = vector(kMsixIndex);
  inject(Injection::kSpurious);
  EXPECT_EQ(taken(msix), 1u);
  EXPECT_EQ(read(z::kStat), z::kIdle);
  inject(Injection::kGone);
  EXPECT_EQ(read(z::kStat), 0xFFFFFFFFu);
  inject(Injection::kGated);
  EXPECT_EQ(read(z::kStat), 0u);
  inject(Injection::kHold);
  start();
  EXPECT_EQ(read(z::kStat), 0u);
  EXPECT_EQ(taken(msix), 0u);
  inject(Injection::kNone);  // late, but it comes
  session->engine().wait_idle();
  EXPECT_EQ(taken(msix), 1u);
  write(z::kStat, z::kZ1Causes);
  inject(Injection::kReport, z::kDone | z::kException);
  start();
  session->engine().wait_idle();
  EXPECT_EQ(read(z::kStat) & (z::kDone | z::kException), z::kDone | z::kException);
  write(z::kStat, z::kDone | z::kException | z::kQempty);
  EXPECT_EQ(read(z::kStat), z::kIdle);
  inject(static_cast<Injection>(77));
  EXPECT_EQ(read(z::kStat), z::kIdle);
}

class MsiSessionTest : public SessionTest {
 protected:
  MsiSessionTest() : SessionTest("x2", InterruptKind::kMsi) {}
};

TEST_F(MsiSessionTest, OffersMsiOfOneVectorAndTheRegistersOfX2) {
  EXPECT_EQ(read(0x40, kConfigRegion), 0x00806005u);
  EXPECT_EQ(read(0x2C, kConfigRegion), 0x00031B36u);
  EXPECT_EQ(send(Command::kGetIrqInfo, bytes_of(IrqInfo{16, 0, kMsiIndex, 0})).payload,
            bytes_of(IrqInfo{16, 9, kMsiIndex, 1}));
  EXPECT_EQ(read(part::x2::kRevision), 0x00010000u);
}

}  // namespace
}  // namespace zynpu::vfio
