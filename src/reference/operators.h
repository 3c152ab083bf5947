// SPDX-License-Identifier: MIT
// The constants and small functions behind the operators: the same ones that the Interpreter runs with, for a
// compiler that folds them into tables and immediates. All are pure and thread-safe. Failures are
// kUnsupported and name the operator, the tensor and the reason.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/error.h"
#include "ir/graph.h"
#include "reference/fixed_point.h"

namespace zynpu::reference {

// Bounds of the quantised output, both inclusive.
struct ActivationRange {
  std::int32_t min = 0, max = 0;
  friend bool operator==(const ActivationRange&, const ActivationRange&) = default;
};
// Clamp of a fused activation on an int8 or uint8 output: the type's range cut to zero_point + round(bound /
// scale). kTanh and kSignBit are refused.
Result<ActivationRange> activation_range(ir::Activation activation, const ir::Tensor& output);

// Sliding window of CONV_2D, DEPTHWISE_CONV_2D and the pools, with SAME/VALID and explicit pads resolved.
// Output (y, x) looks at input rows y * stride_h - pad_top + ky * dilation_h, ky < filter_h; columns alike.
// Positions outside the input do not take part.
struct Window {
  int batches = 1;
  int input_h = 1, input_w = 1, input_channels = 1;
  int output_h = 1, output_w = 1, output_channels = 1;
  int filter_h = 1, filter_w = 1;
  int stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  int pad_top = 0, pad_left = 0;
};
// Of op `index` of `graph` (one of the four kinds above); checks that the output has the extents that follow.
Result<Window> window_of(const ir::Graph& graph, int index);

// Multipliers from the accumulator to the output of CONV_2D, DEPTHWISE_CONV_2D or FULLY_CONNECTED: one per
// output channel, also where the weights are quantised per tensor.
Result<std::vector<QuantizedMultiplier>> output_multipliers(const ir::Graph& graph, int index);

// ADD and SUB: each operand (value + offset) * 2^left_shift is scaled by its multiplier; their sum or
// difference is scaled by `output`, `output_offset` is added, the range clamps.
struct AddParameters {
  static constexpr int kLeftShift = 20;
  std::int32_t offset[2] = {0, 0};  // minus the operands' zero points
  QuantizedMultiplier input[2];     // shifts <= 0
  QuantizedMultiplier output;       // shift <= 0
  std::int32_t output_offset = 0;
  ActivationRange range;
};
Result<AddParameters> add_parameters(const ir::Graph& graph, int index);
// One operand of ADD or SUB, rescaled: depends on `value` only, so 256 values make a table.
std::int32_t add_operand(const AddParameters& p, int operand, std::int32_t value);
// The result from the sum or difference of both rescaled operands.
std::int32_t add_result(const AddParameters& p, std::int32_t sum);

// MUL: (a + offset[0]) * (b + offset[1]) scaled by `output`, plus `output_offset`, clamped.
struct MulParameters {
  std::int32_t offset[2] = {0, 0};
  QuantizedMultiplier output;
  std::int32_t output_offset = 0;
  ActivationRange range;
};
Result<MulParameters> mul_parameters(const ir::Graph& graph, int index);

// AVERAGE_POOL_2D: sum / count rounded half away from zero; count > 0.
std::int32_t rounded_average(std::int32_t sum, std::int32_t count);

// LOGISTIC, TANH, HARD_SWISH, RELU, RELU6, RELU_N1_TO_1 and 8-bit QUANTIZE as a table: [byte of the input
// element] = byte of the output element, whatever their signedness.
using ByteTable = std::array<std::uint8_t, 256>;
Result<ByteTable> unary_table(const ir::Graph& graph, int index);

// SOFTMAX over the last dimension. With d = value - row maximum: terms with d < diff_min count as zero, the
// others are softmax_exp(d), 31 fraction bits; their sum is kept with 12 integer bits; see softmax_row.
struct SoftmaxParameters {
  static constexpr int kDiffIntegerBits = 5;
  static constexpr int kSumIntegerBits = 12;
  QuantizedMultiplier input;  // from d to the fixed-point argument of exp; shift >= 0
  std::int32_t diff_min = 0;
  std::int32_t output_min = 0, output_max = 0;  // of the type
};
Result<SoftmaxParameters> softmax_parameters(const ir::Graph& graph, int index);
std::int32_t softmax_exp(const SoftmaxParameters& p, std::int32_t diff);
// One term as it enters the sum (12 integer bits).
std::int32_t softmax_exp_in_sum(const SoftmaxParameters& p, std::int32_t diff);
// One output from the term's softmax_exp and the reciprocal of the sum. Where the exponentials sum to 512 or
// more every output is `output_min` (TFLite's kernel shifts by more than 31 bits there, which C++ leaves
// undefined).
std::int32_t softmax_output(const SoftmaxParameters& p, std::int32_t exp, Reciprocal of_sum);

// MEAN: ((sum of values) - input_zero_sum) scaled by `output` (1/count is in it), plus `output_offset`,
// clamped to the type.
struct MeanParameters {
  std::vector<int> axes;            // ascending, without duplicates
  std::int64_t count = 1;           // elements of one mean
  std::int32_t input_zero_sum = 0;  // count times the input's zero point
  QuantizedMultiplier output;
  std::int32_t output_offset = 0;
  ActivationRange range;
};
Result<MeanParameters> mean_parameters(const ir::Graph& graph, int index);

// RESIZE_NEAREST_NEIGHBOR: the input coordinate that an output coordinate copies.
int nearest_source(int output, int input_extent, int output_extent, const ir::ResizeAttributes& attributes);

// RESIZE_BILINEAR on int8, one axis: `fraction` of `upper` and 1024 - fraction of `lower`. Each output is the
// sum of the four products value * row weight * column weight, plus 2^19 (minus where the sum is not
// positive), divided by 2^20 towards zero.
struct BilinearTap {
  int lower = 0, upper = 0;
  std::int32_t fraction =
      0;  // of 1024; negative at the first half-pixel positions, whose `lower` is clamped to 0
};
BilinearTap bilinear_tap(int output, int input_extent, int output_extent,
                         const ir::ResizeAttributes& attributes);
std::int32_t bilinear_result(std::int64_t sum_of_products);

}  // namespace zynpu::reference
