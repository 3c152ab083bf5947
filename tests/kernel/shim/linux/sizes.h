/* SPDX-License-Identifier: MIT */
#ifndef ZYNPU_SHIM_SIZES_H
#define ZYNPU_SHIM_SIZES_H
#define SZ_4K 0x1000
#define SZ_64K 0x10000
#define SZ_512K 0x80000
#define SZ_1M 0x100000
#define SZ_1G 0x40000000
#endif
