/* SPDX-License-Identifier: MIT */
#ifndef ZYNPU_SHIM_BITFIELD_H
#define ZYNPU_SHIM_BITFIELD_H
#define FIELD_GET(mask, value) (((value) & (mask)) / ((mask) & -(mask)))
#define FIELD_PREP(mask, value) (((value) * ((mask) & -(mask))) & (mask))
#endif
