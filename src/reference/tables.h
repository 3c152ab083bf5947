// SPDX-License-Identifier: MIT
// Tables that one operator family makes and another runs. Private to reference/.
#pragma once

#include "reference/op_context.h"

namespace zynpu::reference {

// QUANTIZE from 8-bit to 8-bit; both tensors checked to be quantised.
Result<ByteTable> requantize_table(const OpContext& context, const ir::Tensor& input,
                                   const ir::Tensor& output);

}  // namespace zynpu::reference
