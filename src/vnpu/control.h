// SPDX-License-Identifier: MIT
// Micro-operations that reach beyond the register files of their TEC.
#pragma once

#include "vnpu/micro_op.h"

namespace zynpu::vnpu {

// mfctrl and mtctrl: space in op.b, index in op.imm, the GPR in op.d.
void read_control(TecState& s, const MicroOp& op);
void write_control(TecState& s, const MicroOp& op);
void no_operation(TecState& s, const MicroOp& op);

}  // namespace zynpu::vnpu
