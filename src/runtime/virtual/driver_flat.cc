// SPDX-License-Identifier: MIT
// Z1 and Z2: the flat register file with one job in the hardware (host-interface.md 2.1 to 2.3).
#include "runtime/virtual/driver_flat.h"

#include "part/registers_z.h"

namespace zynpu::runtime {
namespace {

namespace z = part::z;

// What the vendor's driver always writes: start, and write back and invalidate the data cache.
constexpr std::uint32_t kStartAndFlush = z::kStart | z::kCacheOps;

}  // namespace

FlatDriver::FlatDriver(const part::Part& part, vnpu::Device& device, std::uint64_t bus_base)
    : part_(part), device_(device), bus_base_(bus_base) {}

bool FlatDriver::has_ase() const { return part_.host_interface == part::HostInterface::kFlatAse; }

Status FlatDriver::initialise() {
  const std::uint32_t revision = device_.read32(z::kRevisionId), isa = device_.read32(z::kIsaVersion);
  const std::uint32_t tpc = device_.read32(z::kTpcFeature), hwa = device_.read32(z::kHwaFeature);
  // All zero decodes to a Z1: a gated block must not pass for one (host-interface.md 1.3).
  if (tpc == 0 && hwa == 0)
    return fail(ErrorCode::kDeviceFault, "{}: feature registers read 0: the block is not clocked or in reset",
                part_.name);
  if (revision != part_.revision_id || isa != part_.isa_version || tpc != part_.tpc_feature ||
      hwa != part_.hwa_feature)
    return fail(ErrorCode::kDeviceFault,
                "{}: REVISION_ID, ISA_VERSION, TPC_FEATURE, HWA_FEATURE are {:#x}, {:#x}, {:#x}, {:#x}, "
                "expected {:#x}, {:#x}, {:#x}, {:#x}",
                part_.name, revision, isa, tpc, hwa, part_.revision_id, part_.isa_version, part_.tpc_feature,
                part_.hwa_feature);
  const std::uint32_t causes = has_ase() ? z::kZ2Causes : z::kZ1Causes;
  for (std::uint32_t bit = 1; bit <= z::kFault; bit <<= 1)
    if ((causes & bit) != 0) device_.write32(z::kStat, bit);
  device_.write32(z::kCtrl, causes);
  return {};
}

Status FlatDriver::start(const StartRequest& request) {
  if (const std::uint32_t status = device_.read32(z::kStat); (status & z::kIdle) != z::kIdle)
    return fail(ErrorCode::kDeviceFault, "{}: STAT is {:#x}, not idle before a start", part_.name, status);
  device_.write32(z::kDataAddr0, request.parameters);
  device_.write32(z::kDataAddr1, request.stack);
  device_.write32(z::kIntrPc, request.handler_pc);
  if (has_ase()) {
    // All address registers are written for every job, so that no stale base can ever be used.
    constexpr std::uint32_t kControls[] = {z::kAseRead | z::kAseWrite, z::kAseRead,
                                           z::kAseRead | z::kAseWrite, 0};
    for (std::uint32_t n = 0; n < z::kAses; ++n) {
      const std::uint32_t ase = n * z::kAseStride;
      device_.write32(z::kAseCtrl + ase, kControls[n]);
      device_.write32(z::kAseBaseHigh + ase, static_cast<std::uint32_t>(bus_base_ >> 32));
      device_.write32(z::kAseBaseLow + ase, static_cast<std::uint32_t>(bus_base_));
    }
  }
  device_.write32(z::kStartPc, request.start_pc | kStartAndFlush);
  return {};
}

HostDriver::Outcome FlatDriver::service_interrupt() {
  const std::uint32_t status = device_.read32(z::kStat);
  Outcome outcome = Outcome::kRunning;
  if ((status & z::kQempty) != 0) device_.write32(z::kStat, z::kQempty);
  if ((status & z::kDone) != 0) {
    device_.write32(z::kStat, z::kDone);
    outcome = Outcome::kDone;
  }
  if ((status & z::kException) != 0) {
    device_.write32(z::kStat, z::kException);
    failure_ = has_ase() ? "exception interrupt"
                         : fmt::format("exception interrupt, INTR_CAUSE {:#x}, INTR_BACKUP_PC {:#x}",
                                       device_.read32(z::kIntrCause), device_.read32(z::kIntrBackupPc));
    outcome = Outcome::kFailed;
  }
  if ((status & z::kFault) != 0) {
    device_.write32(z::kStat, z::kFault);
    failure_ = "fault interrupt: an access outside the job's address windows";
    outcome = Outcome::kFailed;
  }
  return outcome;
}

}  // namespace zynpu::runtime
