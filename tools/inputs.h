// SPDX-License-Identifier: MIT
// From options to models, devices and input data.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ir/graph.h"
#include "part/part.h"

namespace zynpu::tools {

// The part called `name`; kInvalidArgument lists those there are.
Result<const part::Part*> find_part(std::string_view name);

// The device to open: `device` if given, else the virtual NPU of `part` if given, else that of the part which
// the container `file` was compiled for, else the default. `part` and `device` together must agree.
Result<std::string> choose_device(const std::string& part, const std::string& device,
                                  std::span<const std::uint8_t> file);

// Data for every input of a model, in the model's order: `steps` times the tensor's bytes each.
struct InputData {
  std::vector<std::vector<std::uint8_t>> inputs;
  std::size_t steps = 1;
};

// `specs` are the values of --input: [NAME=]FILE. A spec without the name of an input goes to the first input
// that has nothing yet. `image` goes to the first input that has nothing yet and takes a picture. Every input
// must get something.
Result<InputData> gather_inputs(const ir::Graph& model, std::span<const std::string> specs,
                                const std::string& image);

}  // namespace zynpu::tools
