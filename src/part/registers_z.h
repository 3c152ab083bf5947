// SPDX-License-Identifier: MIT
// Host registers of Z1 (0701) and Z2 (1104): host-interface.md 1.1, 1.2, reset values 1.3, 1.4.
#pragma once

#include <array>

#include "part/registers.h"

namespace zynpu::part::z {

// Offsets.
inline constexpr std::uint32_t kCtrl = 0x00, kStat = 0x04, kStartPc = 0x08, kIntrPc = 0x0C, kIpiCtrl = 0x10,
                               kDataAddr0 = 0x14, kDataAddr1 = 0x18, kDataAddr2 = 0x1C, kDataAddr3 = 0x20,
                               kIntrCause = 0x20, kIntrStat = 0x24, kIntrBackupStat = 0x28,
                               kIntrBackupPc = 0x2C, kDbgErrCause = 0x30, kSecureConfig = 0x30,
                               kDbgData0 = 0x34, kDbgData1 = 0x38, kPowerCtrl = 0x38, kClkCtrl = 0x3C,
                               kIsaVersion = 0x40, kTpcFeature = 0x44, kSpuFeature = 0x48, kHwaFeature = 0x4C,
                               kRevisionId = 0x50, kMemHierarchy = 0x54, kInstRamFeature = 0x58,
                               kLocalSramFeature = 0x5C, kGlobalSramFeature = 0x60, kInstCacheFeature = 0x64,
                               kDataCacheFeature = 0x68, kL2CacheFeature = 0x6C;
// ASE n: control at kAseCtrl + n * kAseStride, base high at +4, base low at +8.
inline constexpr std::uint32_t kAseCtrl = 0xC0, kAseBaseHigh = 0xC4, kAseBaseLow = 0xC8, kAseStride = 0x0C;
inline constexpr unsigned kAses = 4;
inline constexpr std::uint32_t kRegisterBytes = 0x1000;

// Causes in STAT and their enables in CTRL.
inline constexpr std::uint32_t kQempty = 1u << 0, kDone = 1u << 1, kException = 1u << 2, kFault = 1u << 3;
inline constexpr std::uint32_t kZ1Causes = 0x7, kZ2Causes = 0xF;
inline constexpr std::uint32_t kIdle = 0x70000;
// START_PC.
inline constexpr std::uint32_t kStart = 1u << 0, kCacheOps = 3u << 2, kEntryMask = 0xFFFFFFF0;
// ASEn_CTRL; the low byte holds the size code: 0 no limit, else 4 KiB << (code - 1).
inline constexpr std::uint32_t kAseRead = 1u << 31, kAseWrite = 1u << 30, kAseSizeMask = 0x1F;

inline constexpr std::uint32_t kAll = 0xFFFFFFFF;

inline constexpr std::array kZ1Registers = {
    Register{kCtrl, "CTRL", Access::kReadWrite, 0, kAll,
             "interrupt enables: 0 queue empty, 1 done, 2 exception"},
    Register{kStat, "STAT", Access::kWriteOneClear, kIdle, kZ1Causes, "causes in 2:0, idle bits in 18:16"},
    Register{kStartPc, "START_PC", Access::kReadWrite, 0, kAll,
             "31:4 entry, 3:2 data cache write-back and invalidate, 0 start (reads 0)"},
    Register{kIntrPc, "INTR_PC", Access::kReadWrite, 0, kAll, "address of the NPU's exception handler"},
    Register{kIpiCtrl, "IPI_CTRL", Access::kReadWrite, 0, kAll, "not described"},
    Register{kDataAddr0, "DATA_ADDR_0", Access::kReadWrite, 0, kAll, "parameter 0: the parameter block"},
    Register{kDataAddr1, "DATA_ADDR_1", Access::kReadWrite, 0, kAll, "parameter 1: the stack area"},
    Register{kIntrCause, "INTR_CAUSE", Access::kReadOnly, 0, 0, "cause of the last exception"},
    Register{kIntrStat, "INTR_STAT", Access::kReadOnly, 0, 0, "not described"},
    Register{kIntrBackupStat, "INTR_BACKUP_STAT", Access::kReadOnly, 0, 0, "not described"},
    Register{kIntrBackupPc, "INTR_BACKUP_PC", Access::kReadOnly, 0, 0,
             "program counter of the last exception"},
    Register{kDbgErrCause, "DBG_ERR_CAUSE", Access::kReadOnly, 0, 0, "not described"},
    Register{kDbgData0, "DBG_DATA_0", Access::kReadWrite, 0, kAll, "debugger mailbox"},
    Register{kDbgData1, "DBG_DATA_1", Access::kReadWrite, 0, kAll, "debugger mailbox"},
    Register{kClkCtrl, "CLK_CTRL", Access::kReadWrite, 0, kAll, "not described"},
    Register{kIsaVersion, "ISA_VERSION", Access::kReadOnly, 0x00000000, 0, "0: Z1"},
    Register{kTpcFeature, "TPC_FEATURE", Access::kReadOnly, 0x00010101, 0, "4:0 number of engines"},
    Register{kSpuFeature, "SPU_FEATURE", Access::kReadOnly, 0x00000000, 0, "not described"},
    Register{kHwaFeature, "HWA_FEATURE", Access::kReadOnly, 0x00010111, 0, "3:0 size class"},
    Register{kRevisionId, "REVISION_ID", Access::kReadOnly, 0x00000000, 0, "0: Z1"},
    Register{kMemHierarchy, "MEM_HIERARCHY", Access::kReadOnly, 0x00000170, 0, "not described"},
    Register{kInstRamFeature, "INST_RAM_FEATURE", Access::kReadOnly, 0x00000000, 0, "not described"},
    Register{kLocalSramFeature, "LOCAL_SRAM_FEATURE", Access::kReadOnly, 0x00000312, 0, "not described"},
    Register{kGlobalSramFeature, "GLOBAL_SRAM_FEATURE", Access::kReadOnly, 0x00000010, 0, "not described"},
    Register{kInstCacheFeature, "INST_CACHE_FEATURE", Access::kReadOnly, 0x00000233, 0, "not described"},
    Register{kDataCacheFeature, "DATA_CACHE_FEATURE", Access::kReadOnly, 0x00070030, 0, "not described"},
    Register{kL2CacheFeature, "L2_CACHE_FEATURE", Access::kReadOnly, 0x00000000, 0, "not described"},
};

inline constexpr std::array kZ2Registers = {
    Register{kCtrl, "CTRL", Access::kReadWrite, 0, kAll,
             "interrupt enables: 0 queue empty, 1 done, 2 exception, 3 fault"},
    Register{kStat, "STAT", Access::kWriteOneClear, kIdle, kZ2Causes, "causes in 3:0, idle bits in 18:16"},
    Register{kStartPc, "START_PC", Access::kReadWrite, 0, kAll,
             "31:4 entry in ASE0, 3:2 data cache write-back and invalidate, 0 start (reads 0)"},
    Register{kIntrPc, "INTR_PC", Access::kReadWrite, 0, kAll, "address of the NPU's exception handler"},
    Register{kIpiCtrl, "IPI_CTRL", Access::kReadWrite, 0, kAll, "not described"},
    Register{kDataAddr0, "DATA_ADDR_0", Access::kReadWrite, 0, kAll, "parameter 0: the parameter block"},
    Register{kDataAddr1, "DATA_ADDR_1", Access::kReadWrite, 0, kAll, "parameter 1: the stack area"},
    Register{kDataAddr2, "DATA_ADDR_2", Access::kReadWrite, 0, kAll, "parameter 2"},
    Register{kDataAddr3, "DATA_ADDR_3", Access::kReadWrite, 0, kAll, "parameter 3"},
    Register{kSecureConfig, "SECURE_CONFIG", Access::kReadWrite, 0, kAll, "not described"},
    Register{kPowerCtrl, "POWER_CTRL", Access::kReadWrite, 0, kAll, "not described"},
    Register{kClkCtrl, "CLK_CTRL", Access::kReadWrite, 0, kAll, "not described"},
    Register{kIsaVersion, "ISA_VERSION", Access::kReadOnly, 0x00000001, 0, "1: Z2 and later"},
    Register{kTpcFeature, "TPC_FEATURE", Access::kReadOnly, 0x00010104, 0, "4:0 number of engines"},
    Register{kSpuFeature, "SPU_FEATURE", Access::kReadOnly, 0x00000000, 0, "not described"},
    Register{kHwaFeature, "HWA_FEATURE", Access::kReadOnly, 0x00010113, 0, "3:0 size class"},
    Register{kRevisionId, "REVISION_ID", Access::kReadOnly, 0x00000100, 0, "0x100: Z2"},
    Register{kMemHierarchy, "MEM_HIERARCHY", Access::kReadOnly, 0x00000170, 0, "not described"},
    Register{kInstRamFeature, "INST_RAM_FEATURE", Access::kReadOnly, 0x00000000, 0, "not described"},
    Register{kLocalSramFeature, "LOCAL_SRAM_FEATURE", Access::kReadOnly, 0x00000312, 0, "not described"},
    Register{kGlobalSramFeature, "GLOBAL_SRAM_FEATURE", Access::kReadOnly, 0x00000010, 0, "not described"},
    Register{kInstCacheFeature, "INST_CACHE_FEATURE", Access::kReadOnly, 0x00000233, 0, "not described"},
    Register{kDataCacheFeature, "DATA_CACHE_FEATURE", Access::kReadOnly, 0x00070030, 0, "not described"},
    Register{kL2CacheFeature, "L2_CACHE_FEATURE", Access::kReadOnly, 0x00000000, 0, "not described"},
    Register{0xC0, "ASE0_CTRL", Access::kReadWrite, 0, kAll, "31 read enable, 30 write enable, size code"},
    Register{0xC4, "ASE0_BASE_HI", Access::kReadWrite, 0, kAll, "base 63:32"},
    Register{0xC8, "ASE0_BASE_LO", Access::kReadWrite, 0, kAll, "base 31:0"},
    Register{0xCC, "ASE1_CTRL", Access::kReadWrite, 0, kAll, "31 read enable, 30 write enable, size code"},
    Register{0xD0, "ASE1_BASE_HI", Access::kReadWrite, 0, kAll, "base 63:32"},
    Register{0xD4, "ASE1_BASE_LO", Access::kReadWrite, 0, kAll, "base 31:0"},
    Register{0xD8, "ASE2_CTRL", Access::kReadWrite, 0, kAll, "31 read enable, 30 write enable, size code"},
    Register{0xDC, "ASE2_BASE_HI", Access::kReadWrite, 0, kAll, "base 63:32"},
    Register{0xE0, "ASE2_BASE_LO", Access::kReadWrite, 0, kAll, "base 31:0"},
    Register{0xE4, "ASE3_CTRL", Access::kReadWrite, 0, kAll, "31 read enable, 30 write enable, size code"},
    Register{0xE8, "ASE3_BASE_HI", Access::kReadWrite, 0, kAll, "base 63:32"},
    Register{0xEC, "ASE3_BASE_LO", Access::kReadWrite, 0, kAll, "base 31:0"},
};

}  // namespace zynpu::part::z
