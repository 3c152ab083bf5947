// SPDX-License-Identifier: MIT
// The operators of the IR as TFLite files name and parameterise them.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "ir/graph.h"
#include "tflite_generated.h"

namespace zynpu::compiler::tflite {

// The element type of the IR; none if the IR has no such type.
std::optional<ir::DataType> data_type(ElementType type);
// "FLOAT16", or "type 57" for a value that no schema defines.
std::string type_name(ElementType type);

// The operator of the IR; none if the IR has no such operator.
std::optional<ir::OpKind> op_kind(BuiltinOperator code);
// "GATHER", or "operator code 400" for a value that no schema defines.
std::string operator_name(BuiltinOperator code);

// The attributes of an operator of `kind`. A file that leaves the option table out means its defaults; a
// table of another operator, or a value that no schema defines, is kBadFile; an option that changes the
// meaning beyond the IR is kUnsupported. The message names the field only. What depends on tensors (the depth
// multiplier, the hidden scale of an LSTM) is left for the caller.
Result<ir::Attributes> attributes(ir::OpKind kind, const Operator& op);

}  // namespace zynpu::compiler::tflite
