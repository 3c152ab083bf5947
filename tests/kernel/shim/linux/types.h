/* SPDX-License-Identifier: MIT */
/* The kernel's types, for the driver's pure code compiled in user space. */
#ifndef ZYNPU_SHIM_TYPES_H
#define ZYNPU_SHIM_TYPES_H
#include <assert.h>
#include_next <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
#endif
