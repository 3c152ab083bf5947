/* SPDX-License-Identifier: MIT */
#ifndef ZYNPU_SHIM_BITS_H
#define ZYNPU_SHIM_BITS_H
#define BIT(n) (1u << (n))
#define GENMASK(high, low) ((~0u >> (31 - (high))) & (~0u << (low)))
#endif
