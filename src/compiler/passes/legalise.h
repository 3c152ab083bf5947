// SPDX-License-Identifier: MIT
// One spelling for what TFLite can say in several ways, so that kernels see few cases. After it:
// - activations of operators that may run on the NPU are int8, not uint8 (shift_uint8_to_int8);
// - a DEPTHWISE_CONV_2D of one input channel is a CONV_2D;
// - SQUEEZE, EXPAND_DIMS and movements that move nothing (a TRANSPOSE of extents of 1, a PAD by 0, a slice of
// everything,
//   a QUANTIZE to the same quantisation) are RESHAPE; RESHAPE has one input, its shape stands on the output;
//   RESHAPEs in a row are one.
// Every byte of every graph output stays the same.
#pragma once

#include "ir/graph.h"

namespace zynpu::compiler {

// All of the above. A valid graph stays valid.
void legalise(ir::Graph& graph);

// The uint8 part alone. Each uint8 tensor q of zero point z becomes the int8 tensor q - 128 of zero point z -
// 128, which stands for the same real numbers; QUANTIZE operators convert where an operator or the caller
// needs the uint8 form. An operator is converted only if its int8 form gives exactly the shifted bytes; which
// ones do, and why, stands at shifts_exactly() in shift_uint8.cc.
void shift_uint8_to_int8(ir::Graph& graph);

}  // namespace zynpu::compiler
