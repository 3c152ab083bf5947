/* SPDX-License-Identifier: MIT */
#ifndef ZYNPU_SHIM_STRING_H
#define ZYNPU_SHIM_STRING_H
#include <string.h>
#endif
