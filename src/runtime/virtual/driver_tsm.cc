// SPDX-License-Identifier: MIT
// X2: the task scheduler with command pools (host-interface.md 1.5, 2.8 to 2.10).
#include "runtime/virtual/driver_tsm.h"

namespace zynpu::runtime {
namespace {

using namespace part::x2;

// Registers of pool 0, the only one used.
constexpr std::uint32_t pool(std::uint32_t offset) { return kPoolBase + offset; }

constexpr std::uint32_t kJobLevels = kCoreLevel | kClusterLevel | kPoolLevel;  // those that can end a job
// What counts as an interrupt (host-interface.md 1.5.2).
constexpr std::uint32_t kPresentMask = 0xF1F;
constexpr std::uint32_t kExceptionSignals = 3u << 30;
constexpr unsigned kMaxClusters = 8;

}  // namespace

TsmDriver::TsmDriver(const part::Part& part, vnpu::Device& device, std::uint64_t bus_base)
    : part_(part), device_(device), bus_base_(bus_base) {}

Status TsmDriver::initialise() {
  const std::uint32_t revision = device_.read32(kRevision);
  if (revision != 0x10000 && revision != 0x10003)
    return fail(ErrorCode::kDeviceFault, "{}: REVISION is {:#x}, expected 0x10000 or 0x10003", part_.name,
                revision);
  device_.write32(kSoftReset, kResetLaunch);
  if (const std::uint32_t state = device_.read32(kSoftReset); state != kResetDone)
    return fail(ErrorCode::kDeviceFault, "{}: SOFT_RESET reads {:#x} after a reset, expected 2", part_.name,
                state);
  if (const std::uint32_t pools = (device_.read32(kBuildInfo) >> 16) & 0xF; pools == 0)
    return fail(ErrorCode::kDeviceFault, "{}: BUILD_INFO has no command pool", part_.name);
  unsigned clusters = 0;
  for (unsigned n = 0; n < kMaxClusters; ++n) {
    const std::uint32_t configuration = device_.read32(kClusterBase + kClusterStride * n + kClusterConfig);
    if ((configuration & kClusterPresent) == 0) continue;
    ++clusters;
    const std::uint32_t cores = (configuration >> 8) & 0xF, tecs = configuration & 0xF;
    if (cores != part_.cores || tecs != part_.tecs_per_core)
      return fail(ErrorCode::kDeviceFault, "{}: cluster {} has {} cores of {} TECs, expected {} of {}",
                  part_.name, n, cores, tecs, part_.cores, part_.tecs_per_core);
    device_.write32(kClusterBase + kClusterStride * n + kClusterControl,
                    (configuration & 0xFFF) | kClusterEnable);  // partition 0, everything enabled
  }
  if (clusters != part_.clusters)
    return fail(ErrorCode::kDeviceFault, "{}: {} clusters present, expected {}", part_.name, clusters,
                part_.clusters);
  device_.write32(pool(kPoolConfig), 0);
  device_.write32(pool(kPoolSecure), 1);
  device_.write32(pool(kPoolIntrCtrl), kTecLevel | kCoreLevel | kClusterLevel | kTypes);
  device_.write32(kTickCtrl, kTickStop | kTickClear);
  return {};
}

bool TsmDriver::command(part::x2::Command command, std::uint32_t flags) {
  device_.write32(kHandle, static_cast<std::uint32_t>(command) | flags);
  const std::uint32_t status = device_.read32(kTsmStatus);
  if ((status & kRefused) == 0) return true;
  device_.write32(kTsmStatus, status & ~kRefused);
  return false;
}

void TsmDriver::destroy_pool() {
  device_.write32(kAddrHigh, 0);
  device_.write32(kAddrLow, 0);
  device_.write32(kInfo, 0);
  command(Command::kDestroy);
}

Status TsmDriver::start(const StartRequest& request) {
  if (const std::uint32_t status = device_.read32(pool(kPoolStatus)); (status & kPoolIdle) == 0)
    return fail(ErrorCode::kDeviceFault, "{}: pool 0 STATUS is {:#x}, not idle before a start", part_.name,
                status);
  if (!command(Command::kCreate, kHandleMapAll)) {
    destroy_pool();
    if (!command(Command::kCreate, kHandleMapAll))
      return fail(ErrorCode::kDeviceFault, "{}: the scheduler refused to create pool 0 twice", part_.name);
  }
  chain_ = request.chain;
  const std::uint64_t head = bus_base_ + chain_.head;
  device_.write32(kAddrHigh, static_cast<std::uint32_t>(head >> 32));
  device_.write32(kAddrLow, static_cast<std::uint32_t>(head));
  device_.write32(kInfo, ++tag_);
  if (!command(Command::kDispatch))
    return fail(ErrorCode::kDeviceFault, "{}: the scheduler refused to dispatch the TCB chain at {:#x}",
                part_.name, head);
  return {};
}

HostDriver::Outcome TsmDriver::service_interrupt() {
  const std::uint32_t status = device_.read32(pool(kPoolIntrStatus));
  if ((status & kPresentMask) == 0) return Outcome::kRunning;
  const std::uint32_t tcb = device_.read32(pool(kPoolIntrTcb));
  const std::uint32_t signals = device_.read32(pool(kPoolSignalFlag));
  const std::uint32_t bad = status & (kException | kFault | kError);
  if (bad != 0) {
    device_.read32(pool(kPoolFirstBad));
    device_.write32(pool(kPoolFirstBad), 0);
  }
  // One bit a write; fault before done, signal last (host-interface.md 2.10).
  for (const std::uint32_t bit : {kFault, kDone, kError, kException, kSignal})
    if ((status & bit) != 0) device_.write32(pool(kPoolStatus), bit);

  if (bad != 0 || ((status & kSignal) != 0 && (signals & kExceptionSignals) != 0)) {
    failure_ = fmt::format("{}{}{}{}interrupt, INTR_STATUS {:#x}, SIGNAL_FLAG {:#x}, TCB {:#x}",
                           (bad & kException) != 0 ? "exception " : "", (bad & kFault) != 0 ? "fault " : "",
                           (bad & kError) != 0 ? "error " : "", bad == 0 ? "exception signal " : "", status,
                           signals, tcb);
    return Outcome::kFailed;
  }
  if ((status & kDone) != 0 && (status & kJobLevels) != 0 && tcb == chain_.last_task) return Outcome::kDone;
  return Outcome::kRunning;
}

Status TsmDriver::finish() {
  destroy_pool();
  return {};
}

}  // namespace zynpu::runtime
