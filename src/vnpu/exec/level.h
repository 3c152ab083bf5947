// SPDX-License-Identifier: MIT
// The tables of functions, once for each host instruction set (see simd.h). Each returns nullptr for
// operations that are not its own.
#pragma once

#include "isa/instruction.h"
#include "vnpu/micro_op.h"

#define ZYNPU_VNPU_DECLARE_LEVEL                                                 \
  bool fuse_memory(const MicroOp& first, const MicroOp& second, MicroOp& pair);  \
  bool fuse_integer(const MicroOp& first, const MicroOp& second, MicroOp& pair); \
  OpFunction select_scalar(const isa::Instruction& instruction);                 \
  OpFunction select_memory(const isa::Instruction& instruction);                 \
  OpFunction select_integer(const isa::Instruction& instruction);                \
  OpFunction select_move(const isa::Instruction& instruction);                   \
  OpFunction select_shift(const isa::Instruction& instruction, bool half_up);    \
  OpFunction select_float(const isa::Instruction& instruction);

namespace zynpu::vnpu::baseline {
ZYNPU_VNPU_DECLARE_LEVEL
}
namespace zynpu::vnpu::avx2 {
ZYNPU_VNPU_DECLARE_LEVEL
}

#undef ZYNPU_VNPU_DECLARE_LEVEL
