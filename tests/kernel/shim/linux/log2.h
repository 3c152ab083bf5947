/* SPDX-License-Identifier: MIT */
#ifndef ZYNPU_SHIM_LOG2_H
#define ZYNPU_SHIM_LOG2_H
#define ilog2(value) (63 - __builtin_clzll(value))
#endif
