// SPDX-License-Identifier: MIT
// What CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED have in common, reduced to one form: int8 windows times
// int8 weights, summed in int32, requantised. Everything that depends on quantisation is resolved here.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "compiler/codegen/requant.h"
#include "ir/graph.h"
#include "reference/operators.h"

namespace zynpu::compiler {

struct ConvProblem {
  // Where an operator only multiplies pixels (1x1, stride 1, no padding) all pixels of all images are one
  // row.
  reference::Window window;
  bool depthwise = false;       // output channel c sees input channel c only
  int input = -1, output = -1;  // tensors
  // uint8 activations are processed as int8 with the sign bit flipped; zero points are those of the int8
  // form.
  bool unsigned_input = false, unsigned_output = false;
  int input_zero_point = 0;
  // Weights minus their zero point, as a sum of planes of int8: one plane unless a weight exceeds int8 by its
  // zero point. [output channel][ky][kx][input channel]; depthwise: one input channel.
  std::vector<std::vector<std::int8_t>> planes;
  std::vector<std::int32_t> initial;  // of the accumulator: bias - input_zero_point * sum of the weights
  std::vector<ChannelRequant> requant;

  std::int8_t weight(std::size_t plane, int out_channel, int ky, int kx, int in_channel) const {
    const int depth = depthwise ? 1 : window.input_channels;
    const auto index =
        ((static_cast<std::size_t>(out_channel) * window.filter_h + ky) * window.filter_w + kx) * depth +
        in_channel;
    return planes[plane][index];
  }
};

// kUnsupported with the reason if an accumulator could leave int32.
Result<ConvProblem> make_conv_problem(const ir::Graph& graph, const ir::Op& op);

}  // namespace zynpu::compiler
