/* SPDX-License-Identifier: MIT */
#ifndef ZYNPU_SHIM_KERNEL_H
#define ZYNPU_SHIM_KERNEL_H
#include <endian.h>
#define cpu_to_le16(value) htole16(value)
#define cpu_to_le32(value) htole32(value)
#define cpu_to_le64(value) htole64(value)
#define le16_to_cpu(value) le16toh(value)
#define le32_to_cpu(value) le32toh(value)
#define le64_to_cpu(value) le64toh(value)
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#endif
