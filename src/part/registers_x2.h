// SPDX-License-Identifier: MIT
// Host registers of X2 (1204MP3): host-interface.md 1.5. Pools and clusters repeat: their rows are relative
// to the base of one pool or cluster.
#pragma once

#include <array>

#include "part/registers.h"

namespace zynpu::part::x2 {

// Task scheduler manager (TSM).
inline constexpr std::uint32_t kHandle = 0x00, kInfo = 0x04, kAddrHigh = 0x08, kAddrLow = 0x0C,
                               kTsmConfig = 0x10, kBuildInfo = 0x14, kTsmStatus = 0x18, kSoftReset = 0x20,
                               kRevision = 0x50, kTickLow = 0x60, kTickHigh = 0x64, kTickCtrl = 0x68;
// Command pools.
inline constexpr std::uint32_t kPoolBase = 0x800, kPoolStride = 0x40;
inline constexpr unsigned kPools = 8;
inline constexpr std::uint32_t kPoolConfig = 0x00, kPoolStatus = 0x04, kPoolIntrCtrl = 0x08,
                               kPoolIntrStatus = 0x0C, kPoolIrqSignal = 0x10, kPoolFirstBad = 0x14,
                               kPoolLastExec = 0x18, kPoolSecure = 0x1C, kPoolSignalFlag = 0x20,
                               kPoolIntrTcb = 0x24;
// Clusters.
inline constexpr std::uint32_t kClusterBase = 0xC00, kClusterStride = 0x20;
inline constexpr std::uint32_t kClusterConfig = 0x00, kClusterControl = 0x04;
// Debug window.
inline constexpr std::uint32_t kPageSelect = 0x1F00, kClusterStatus = 0x2004, kGmControl = 0x2070,
                               kLocalFeature = 0x2848, kSharedFeature = 0x284C, kCoreStatus = 0x3004,
                               kLastRegister = 0x322C;
inline constexpr std::uint32_t kRegisterBytes = 0x10000;

// HANDLE.
enum class Command : std::uint32_t {
  kNone = 0,
  kCreate = 1,
  kDestroy = 2,
  kAbort = 3,
  kDispatch = 4,
  kBindDispatch = 5,
};
inline constexpr std::uint32_t kHandleCommandMask = 0xF, kHandleQosShift = 8, kHandlePoolShift = 16,
                               kHandleCoreShift = 24, kHandleMapAll = 1u << 12;
// TSM_STATUS, TICK_CTRL, SOFT_RESET.
inline constexpr std::uint32_t kRefused = 1u << 31;
inline constexpr std::uint32_t kTickStop = 1u << 0, kTickClear = 1u << 1;
inline constexpr std::uint32_t kResetLaunch = 1u << 0, kResetDone = 1u << 1;
// Interrupt types (pool STATUS, INTR_STATUS, INTR_CTRL; interrupt_en of task TCBs) and levels.
inline constexpr std::uint32_t kDone = 1u << 0, kException = 1u << 2, kFault = 1u << 3, kError = 1u << 4,
                               kSignal = 1u << 5, kPoolIdle = 1u << 6, kTypes = 0x3D;
inline constexpr std::uint32_t kTecLevel = 1u << 8, kCoreLevel = 1u << 9, kClusterLevel = 1u << 10,
                               kPoolLevel = 1u << 11, kLevels = 0xF00;
inline constexpr std::uint32_t kFirstBadValid = 1u << 31;
// Cluster CONFIG / CONTROL, debug window.
inline constexpr std::uint32_t kClusterPresent = 1u << 12, kClusterEnable = 1u << 12;
inline constexpr std::uint32_t kPageEnable = 1u << 12;

inline constexpr std::uint32_t kAll = 0xFFFFFFFF;

inline constexpr std::array kTsmRegisters = {
    Register{
        kHandle, "CMD_SCHD_CTRL_HANDLE", Access::kReadWrite, 0, kAll,
        "doorbell: 3:0 command, 9:8 QoS, 12 map all clusters, 19:16 pool, 27:24 core of a bind-dispatch"},
    Register{kInfo, "CMD_SCHD_CTRL_INFO", Access::kReadWrite, 0, 0xFFFF, "15:0 command tag"},
    Register{kAddrHigh, "CMD_SCHD_ADDR_HI", Access::kReadWrite, 0, kAll, "chain head 63:32"},
    Register{kAddrLow, "CMD_SCHD_ADDR_LO", Access::kReadWrite, 0, 0xFFFFF000, "chain head 31:12"},
    Register{kTsmConfig, "TSM_CONFIG", Access::kReadWrite, 0, 0x7, "2:0 scheduling policy, reserved"},
    Register{kBuildInfo, "BUILD_INFO", Access::kReadOnly, kPools << 16, 0,
             "25:24 partitions - 1, 19:16 command pools"},
    Register{kTsmStatus, "TSM_STATUS", Access::kReadWrite, 0, kRefused,
             "31 last command refused (write the value back with the bit clear), 7:0 pools full"},
    Register{kSoftReset, "SOFT_RESET", Access::kReadWrite, 0, 0x3, "0 launch, 1 done; reads 2 after a reset"},
    Register{kRevision, "REVISION", Access::kReadOnly, 0x00010000, 0, "0x00010000: X2 r0p2"},
    Register{kTickLow, "TICK_LO", Access::kReadOnly, 0, 0, "tick counter 31:0"},
    Register{kTickHigh, "TICK_HI", Access::kReadOnly, 0, 0, "tick counter 63:32"},
    Register{kTickCtrl, "TICK_CTRL", Access::kReadWrite, kTickStop, 0x103, "0 stop, 1 clear, 8 overflowed"},
};

inline constexpr std::array kPoolRegisters = {
    Register{kPoolConfig, "POOL_CONFIG", Access::kReadWrite, 0, 0xF, "3:0 partition"},
    Register{kPoolStatus, "POOL_STATUS", Access::kWriteOneClear, kPoolIdle, kTypes,
             "6 idle, 5 signal, 4 error, 3 fault, 2 exception, 0 done"},
    Register{
        kPoolIntrCtrl, "POOL_INTR_CTRL", Access::kReadWrite, 0, kLevels | kTypes,
        "enables: 11 pool, 10 cluster, 9 core, 8 TEC level; 5 signal, 4 error, 3 fault, 2 exception, 0 done"},
    Register{kPoolIntrStatus, "POOL_INTR_STATUS", Access::kReadOnly, 0, 0,
             "31:24 cluster, 23:20 core, 19:16 TEC, 11:8 level, 5:0 type"},
    Register{kPoolIrqSignal, "POOL_IRQ_SIGNAL", Access::kReadOnly, 0, 0, "31:16 count, 14:0 id"},
    Register{kPoolFirstBad, "POOL_FIRST_BAD_CMD", Access::kReadWrite, 0, kAll, "31 valid, 15:0 tag"},
    Register{kPoolLastExec, "POOL_LAST_EXEC_CMD", Access::kReadOnly, 0, 0, "15:0 tag"},
    Register{kPoolSecure, "POOL_SECURE", Access::kReadWrite, 0, 0x1, "0: 1 = non-secure"},
    Register{kPoolSignalFlag, "POOL_SIGNAL_FLAG", Access::kReadOnly, 0, 0,
             "31 hardware exception, 30 software exception, 29 printf, 28 profiler, 27 core dump"},
    Register{kPoolIntrTcb, "POOL_INTR_TCB_PTR", Access::kReadOnly, 0, 0,
             "TCB that raised the interrupt, relative to the ASID0 base"},
};

inline constexpr std::array kClusterRegisters = {
    Register{kClusterConfig, "CLUSTER_CONFIG", Access::kReadOnly, kClusterPresent | 3 << 8 | 1 << 4 | 4, 0,
             "12 present, 11:8 cores, 7:4 AIFF per core, 3:0 TEC per core"},
    Register{kClusterControl, "CLUSTER_CONTROL", Access::kReadWrite, 0, 0x31FFF,
             "17:16 partition, 12 enable, 11:8 cores, 7:4 AIFF, 3:0 TEC"},
};

inline constexpr std::array kDebugRegisters = {
    Register{kPageSelect, "PAGE_SELECT", Access::kReadWrite, 0, 0x1FFF, "12 enable, 11:4 cluster, 3:0 core"},
    Register{kClusterStatus, "CLUSTER_STATUS", Access::kReadOnly, 0x60, 0, "5 cluster idle, 6 bus idle"},
    Register{kGmControl, "GM_CONTROL", Access::kReadOnly, 3u << 16, 0, "19:16 size code, 3:0 remap enable"},
    Register{kLocalFeature, "LOCAL_MEMORY_FEATURE", Access::kReadOnly, 1, 0, "32 KiB << (3:0 - 1)"},
    Register{kSharedFeature, "SHARED_MEMORY_FEATURE", Access::kReadOnly, 4, 0, "32 KiB << (3:0 - 1)"},
    Register{kCoreStatus, "CORE_STATUS", Access::kReadOnly, 0x10, 0, "4 core idle"},
};

}  // namespace zynpu::part::x2
