// SPDX-License-Identifier: MIT
// UNIDIRECTIONAL_SEQUENCE_LSTM with int8 weights and activations and a 16-bit cell state. Gates are computed
// with 12 fraction bits, activated to 15, and the cell state has a power-of-two scale. Input gate coupled to
// the forget gate, peepholes, clipping and projection are optional, as the absent inputs say; layer
// normalisation is refused.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "reference/op_context.h"

namespace zynpu::reference {
namespace {

// Input positions, fixed by TFLite.
enum : std::size_t {
  kInput = 0,
  kInputWeights = 1,      // 1..4: input, forget, cell, output gate
  kRecurrentWeights = 5,  // 5..8
  kPeephole = 9,          // 9..11: input, forget, output gate
  kBias = 12,             // 12..15
  kProjectionWeights = 16,
  kProjectionBias = 17,
  kOutputState = 18,
  kCellState = 19,
  kLayerNorm = 20,  // 20..23
  kMostInputs = 24,
};
// Numbered as the weights and biases of the gates follow one another.
enum Gate : std::size_t { kInputGate, kForgetGate, kCellGate, kOutputGate, kGates };
constexpr std::size_t gate_position(std::size_t first, Gate gate) {
  return first + static_cast<std::size_t>(gate);
}
constexpr int kGateIntegerBits = 3;  // Q3.12
constexpr float kGateScale = 1.0f / 4096;

std::int16_t saturate16(std::int32_t x) { return static_cast<std::int16_t>(std::clamp(x, -32768, 32767)); }
std::int8_t saturate8(std::int32_t x) { return static_cast<std::int8_t>(std::clamp(x, -128, 127)); }

// Matrix times vector, with everything that does not depend on the vector folded in.
struct Product {
  std::vector<std::int8_t> weights;   // [rows, depth]
  std::vector<std::int32_t> initial;  // per row: bias - zero point of the vector * sum of the row
  QuantizedMultiplier multiplier;
  std::int64_t depth = 0;

  std::int32_t row(std::size_t r, const std::int8_t* vector) const {
    auto sum = static_cast<std::uint32_t>(initial[r]);
    const std::int8_t* w = weights.data() + static_cast<std::int64_t>(r) * depth;
    for (std::int64_t i = 0; i < depth; ++i) sum += static_cast<std::uint32_t>(w[i] * vector[i]);
    return multiply_by_quantized_multiplier(static_cast<std::int32_t>(sum), multiplier);
  }
};

struct GateConstants {
  bool present = false;
  Product input, recurrent;
  std::vector<std::int16_t> peephole;  // empty: none
  QuantizedMultiplier peephole_multiplier;
};

struct Dimensions {
  std::int64_t batches = 0, steps = 0, inputs = 0, cells = 0, outputs = 0;
  bool time_major = false;
};

struct Constants {
  Dimensions n;
  GateConstants gates[kGates];
  int cell_integer_bits = 0;  // of the cell state's 15 value bits
  std::int16_t cell_clip = 0;
  QuantizedMultiplier hidden_multiplier;
  std::int32_t hidden_zero_point = 0;
  bool project = false;
  Product projection;
  std::int8_t projection_clip = 0;
  std::int32_t output_zero_point = 0;
};

class Lstm : public PreparedOp {
 public:
  Lstm(const OpContext& context, Constants constants)
      : input_(context.input_index(kInput)),
        output_(context.output_index(0)),
        output_state_(context.input_index(kOutputState)),
        cell_state_(context.input_index(kCellState)),
        c_(std::move(constants)),
        hidden_(static_cast<std::size_t>(c_.n.cells)) {
    for (std::vector<std::int16_t>& gate : gates_) gate.resize(static_cast<std::size_t>(c_.n.cells));
  }

  Status run(const Memory& memory) override {
    const Dimensions& n = c_.n;
    for (std::int64_t step = 0; step < n.steps; ++step) {
      for (std::int64_t batch = 0; batch < n.batches; ++batch) {
        const std::int64_t row = n.time_major ? step * n.batches + batch : batch * n.steps + step;
        std::int8_t* state = memory.out<std::int8_t>(output_state_) + batch * n.outputs;
        advance(memory.in<std::int8_t>(input_) + row * n.inputs, state,
                memory.out<std::int16_t>(cell_state_) + batch * n.cells);
        std::memcpy(memory.out<std::int8_t>(output_) + row * n.outputs, state,
                    static_cast<std::size_t>(n.outputs));
      }
    }
    return {};
  }

 private:
  void gate(Gate which, const std::int8_t* input, const std::int8_t* output, const std::int16_t* cell) {
    const GateConstants& g = c_.gates[which];
    for (std::size_t i = 0; i < gates_[which].size(); ++i) {
      std::int16_t sum = saturate16(g.input.row(i, input));
      sum = saturate16(sum + g.recurrent.row(i, output));
      if (!g.peephole.empty()) {
        sum = saturate16(sum +
                         multiply_by_quantized_multiplier(g.peephole[i] * cell[i], g.peephole_multiplier));
      }
      gates_[which][i] = which == kCellGate ? tanh(sum, kGateIntegerBits) : logistic(sum, kGateIntegerBits);
    }
  }

  void advance(const std::int8_t* input, std::int8_t* output, std::int16_t* cell) {
    const auto cells = static_cast<std::size_t>(c_.n.cells);
    if (c_.gates[kInputGate].present) gate(kInputGate, input, output, cell);
    gate(kForgetGate, input, output, cell);
    gate(kCellGate, input, output, cell);
    for (std::size_t i = 0; i < cells; ++i) {
      const std::int32_t forget = gates_[kForgetGate][i];
      const std::int32_t admit = c_.gates[kInputGate].present ? gates_[kInputGate][i] : 32767 - forget;
      const auto kept = static_cast<std::int16_t>(rounding_divide_by_pot(forget * cell[i], 15));
      const auto added = static_cast<std::int16_t>(
          rounding_divide_by_pot(admit * gates_[kCellGate][i], 15 + c_.cell_integer_bits));
      cell[i] = saturate16(kept + added);
      if (c_.cell_clip > 0)
        cell[i] = std::clamp<std::int16_t>(cell[i], static_cast<std::int16_t>(-c_.cell_clip), c_.cell_clip);
    }
    gate(kOutputGate, input, output, cell);
    for (std::size_t i = 0; i < cells; ++i) {
      const std::int32_t product = gates_[kOutputGate][i] * tanh(cell[i], c_.cell_integer_bits);
      hidden_[i] =
          saturate8(multiply_by_quantized_multiplier(product, c_.hidden_multiplier) + c_.hidden_zero_point);
    }
    if (!c_.project) {
      std::copy(hidden_.begin(), hidden_.end(), output);
      return;
    }
    for (std::int64_t i = 0; i < c_.n.outputs; ++i) {
      output[i] =
          saturate8(c_.projection.row(static_cast<std::size_t>(i), hidden_.data()) + c_.output_zero_point);
      if (c_.projection_clip > 0) {
        output[i] = std::clamp<std::int8_t>(output[i], static_cast<std::int8_t>(-c_.projection_clip),
                                            c_.projection_clip);
      }
    }
  }

  int input_, output_, output_state_, cell_state_;
  Constants c_;
  std::vector<std::int16_t> gates_[kGates];
  std::vector<std::int8_t> hidden_;
};

template <class T>
std::vector<T> values_of(const ir::Tensor& tensor) {
  std::vector<T> values(static_cast<std::size_t>(tensor.elements()));
  std::memcpy(values.data(), tensor.data->data(), values.size() * sizeof(T));
  return values;
}

Status expect_constant(const OpContext& context, const ir::Tensor& tensor, ir::DataType type,
                       std::initializer_list<std::int64_t> shape) {
  ZYNPU_TRY(context.expect_type(tensor, {type}));
  std::vector<std::int32_t> extents;
  for (const std::int64_t extent : shape) extents.push_back(static_cast<std::int32_t>(extent));
  ZYNPU_TRY(context.expect_shape(tensor, extents));
  if (!tensor.is_constant()) return context.unsupported_tensor(tensor, "weights and biases must be constant");
  return {};
}

// The product of `weights` [rows, depth] with vectors of zero point `vector_zero`; real result = `real` *
// integer sum.
Result<Product> make_product(const OpContext& context, const ir::Tensor& weights, const ir::Tensor* bias,
                             std::int64_t rows, std::int64_t depth, std::int32_t vector_zero, float real) {
  ZYNPU_TRY(expect_constant(context, weights, ir::DataType::kInt8, {rows, depth}));
  ZYNPU_TRY(context.expect_quantized(weights));
  if (zero_point(weights) != 0) {
    return context.unsupported_tensor(weights, "zero point {} of int8 weights, expected 0",
                                      zero_point(weights));
  }
  Product product;
  product.weights = values_of<std::int8_t>(weights);
  product.depth = depth;
  product.initial.assign(static_cast<std::size_t>(rows), 0);
  if (bias != nullptr) {
    ZYNPU_TRY(expect_constant(context, *bias, ir::DataType::kInt32, {rows}));
    product.initial = values_of<std::int32_t>(*bias);
  }
  for (std::size_t r = 0; r < product.initial.size(); ++r) {
    std::uint32_t sum = 0;
    for (std::int64_t i = 0; i < depth; ++i) {
      sum += static_cast<std::uint32_t>(
          product.weights[static_cast<std::size_t>(static_cast<std::int64_t>(r) * depth + i)]);
    }
    product.initial[r] = static_cast<std::int32_t>(static_cast<std::uint32_t>(product.initial[r]) -
                                                   sum * static_cast<std::uint32_t>(vector_zero));
  }
  product.multiplier = quantize_multiplier(real);
  ZYNPU_TRY(
      context.expect_multiplier(product.multiplier, fmt::format("the scale of weights '{}'", weights.name)));
  return product;
}

struct States {
  const ir::Tensor* output = nullptr;  // int8 [batches, outputs]
  const ir::Tensor* cell = nullptr;    // int16 [batches, cells]
  int cell_exponent = 0;               // scale = 2^exponent
};

Result<States> check_states(const OpContext& context, const Dimensions& n) {
  States states;
  ZYNPU_ASSIGN_OR_RETURN(states.output, context.input(kOutputState));
  ZYNPU_ASSIGN_OR_RETURN(states.cell, context.input(kCellState));
  ZYNPU_TRY(context.expect_type(*states.output, {ir::DataType::kInt8}));
  ZYNPU_TRY(context.expect_type(*states.cell, {ir::DataType::kInt16}));
  ZYNPU_TRY(context.expect_elements(*states.output, n.batches * n.outputs));
  ZYNPU_TRY(context.expect_elements(*states.cell, n.batches * n.cells));
  for (const ir::Tensor* state : {states.output, states.cell}) {
    ZYNPU_TRY(context.expect_quantized(*state));
    if (!state->is_variable) return context.unsupported_tensor(*state, "its state is not a variable tensor");
  }
  const float mantissa = std::frexp(scale(*states.cell), &states.cell_exponent);
  --states.cell_exponent;  // frexp's mantissa is in [0.5, 1)
  if (mantissa != 0.5f || zero_point(*states.cell) != 0) {
    return context.unsupported_tensor(*states.cell, "scale {}, zero point {}; expected a power of two and 0",
                                      scale(*states.cell), zero_point(*states.cell));
  }
  // 15 + exponent integer bits: tanh is defined on 0 to 6 of them.
  if (states.cell_exponent < -15 || states.cell_exponent > -9) {
    return context.unsupported_tensor(*states.cell, "scale 2^{} is outside 2^-15..2^-9",
                                      states.cell_exponent);
  }
  return states;
}

Status make_gate(const OpContext& context, const States& states, Gate which, Constants& c) {
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* input, context.input(kInput));
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* input_weights, context.input(gate_position(kInputWeights, which)));
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* recurrent_weights,
                         context.input(gate_position(kRecurrentWeights, which)));
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* bias, context.input(gate_position(kBias, which)));
  GateConstants& gate = c.gates[which];
  gate.present = true;
  ZYNPU_ASSIGN_OR_RETURN(
      gate.input, make_product(context, *input_weights, bias, c.n.cells, c.n.inputs, zero_point(*input),
                               scale(*input_weights) * scale(*input) / kGateScale));
  ZYNPU_ASSIGN_OR_RETURN(
      gate.recurrent,
      make_product(context, *recurrent_weights, nullptr, c.n.cells, c.n.outputs, zero_point(*states.output),
                   scale(*recurrent_weights) * scale(*states.output) / kGateScale));
  if (which == kCellGate) return {};
  const std::size_t position = kPeephole + (which == kOutputGate ? 2 : static_cast<std::size_t>(which));
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* peephole, context.optional_input(position));
  if (peephole == nullptr) return {};
  ZYNPU_TRY(expect_constant(context, *peephole, ir::DataType::kInt16, {c.n.cells}));
  ZYNPU_TRY(context.expect_quantized(*peephole));
  gate.peephole = values_of<std::int16_t>(*peephole);
  const auto real = static_cast<float>(std::ldexp(scale(*peephole), states.cell_exponent) / kGateScale);
  gate.peephole_multiplier = quantize_multiplier(real);
  return context.expect_multiplier(gate.peephole_multiplier, "the peephole scale");
}

// Output of the cell, and what becomes of it: the output itself, or its projection.
Status make_output(const OpContext& context, const ir::LstmAttributes& attributes, const States& states,
                   Constants& c) {
  // Without a projection the hidden value is the output, so a file need not repeat its quantisation.
  const bool given = attributes.hidden_scale > 0;
  const float hidden_scale = given ? attributes.hidden_scale : scale(*states.output);
  c.hidden_zero_point = given ? attributes.hidden_zero_point : zero_point(*states.output);
  if (c.hidden_zero_point < -128 || c.hidden_zero_point > 127 || !std::isfinite(hidden_scale)) {
    return context.unsupported("hidden scale {}, zero point {}", hidden_scale, c.hidden_zero_point);
  }
  c.hidden_multiplier =
      quantize_multiplier(static_cast<float>(std::ldexp(1.0, -15) / hidden_scale * std::ldexp(1.0, -15)));
  ZYNPU_TRY(context.expect_multiplier(c.hidden_multiplier, "1 / hidden scale"));
  c.output_zero_point = zero_point(*states.output);

  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* weights, context.optional_input(kProjectionWeights));
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* bias, context.optional_input(kProjectionBias));
  if (weights == nullptr) {
    if (bias != nullptr)
      return context.unsupported_tensor(*bias, "a projection bias without projection weights");
    if (c.n.outputs != c.n.cells) {
      return context.unsupported("{} cells for {} outputs without a projection", c.n.cells, c.n.outputs);
    }
    return {};
  }
  if (!given) {
    return context.unsupported("a projection without the quantisation of what it projects");
  }
  c.project = true;
  // Before a projection the kernel takes the zero point with the opposite sign, consistently in both factors,
  // so that only saturated values show it.
  c.hidden_zero_point = -c.hidden_zero_point;
  // The kernel adds the hidden zero point times the row's sum where the algebra wants it subtracted; so does
  // this.
  ZYNPU_ASSIGN_OR_RETURN(c.projection,
                         make_product(context, *weights, bias, c.n.outputs, c.n.cells, c.hidden_zero_point,
                                      scale(*weights) * hidden_scale / scale(*states.output)));
  if (attributes.projection_clip > 0) {
    c.projection_clip =
        static_cast<std::int8_t>(std::min(attributes.projection_clip / scale(*states.output), 127.0f));
  }
  return {};
}

Result<Dimensions> check_dimensions(const OpContext& context, const ir::LstmAttributes& attributes) {
  Dimensions n;
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* input, context.input(kInput));
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* output, context.output(0));
  ZYNPU_TRY(context.expect_type(*input, {ir::DataType::kInt8}));
  ZYNPU_TRY(context.expect_type(*output, {ir::DataType::kInt8}));
  ZYNPU_TRY(context.expect_quantized(*input));
  ZYNPU_TRY(context.expect_rank(*input, 3));
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* weights, context.input(gate_position(kInputWeights, kOutputGate)));
  ZYNPU_ASSIGN_OR_RETURN(const ir::Tensor* recurrent,
                         context.input(gate_position(kRecurrentWeights, kOutputGate)));
  ZYNPU_TRY(context.expect_rank(*weights, 2));
  ZYNPU_TRY(context.expect_rank(*recurrent, 2));
  n.time_major = attributes.time_major;
  n.batches = input->shape[n.time_major ? 1 : 0];
  n.steps = input->shape[n.time_major ? 0 : 1];
  n.inputs = input->shape[2];
  n.cells = weights->shape[0];
  n.outputs = recurrent->shape[1];
  const std::int32_t shape[3] = {input->shape[0], input->shape[1], recurrent->shape[1]};
  ZYNPU_TRY(context.expect_shape(*output, shape));
  return n;
}

}  // namespace

Prepared prepare_lstm(const OpContext& context) {
  ZYNPU_TRY(context.expect_input_count(kLayerNorm, kMostInputs));
  ZYNPU_TRY(context.expect_output_count(1));
  ZYNPU_ASSIGN_OR_RETURN(const ir::LstmAttributes* attributes, context.attributes<ir::LstmAttributes>());
  for (std::size_t i = kLayerNorm; i < kMostInputs; ++i) {
    if (context.has_input(i)) return context.unsupported("layer normalisation (input {})", i);
  }
  if (attributes->activation != ir::Activation::kTanh)
    return context.unsupported("its activation is not TANH");
  if (attributes->cell_clip < 0 || attributes->projection_clip < 0)
    return context.unsupported("a negative clip");

  Constants c;
  ZYNPU_ASSIGN_OR_RETURN(c.n, check_dimensions(context, *attributes));
  ZYNPU_ASSIGN_OR_RETURN(const States states, check_states(context, c.n));
  c.cell_integer_bits = 15 + states.cell_exponent;
  if (attributes->cell_clip > 0) {
    c.cell_clip = static_cast<std::int16_t>(std::min(attributes->cell_clip / scale(*states.cell), 32767.0f));
  }
  const bool coupled = !context.has_input(kInputWeights);
  if (coupled != !context.has_input(kRecurrentWeights) || coupled != !context.has_input(kBias) ||
      (coupled && context.has_input(kPeephole))) {
    return context.unsupported("its input gate is neither complete nor absent");
  }
  if (context.has_input(kPeephole + 1) != context.has_input(kPeephole + 2) ||
      (!coupled && context.has_input(kPeephole) != context.has_input(kPeephole + 1))) {
    return context.unsupported("its peepholes are neither complete nor absent");
  }
  // TFLite's kernel then walks the cells in steps of the outputs and reads past the peephole weights.
  if (context.has_input(kPeephole + 1) && c.n.outputs != c.n.cells) {
    return context.unsupported("peepholes with {} cells projected to {} outputs", c.n.cells, c.n.outputs);
  }
  for (const Gate gate : {kInputGate, kForgetGate, kCellGate, kOutputGate}) {
    if (gate != kInputGate || !coupled) ZYNPU_TRY(make_gate(context, states, gate, c));
  }
  ZYNPU_TRY(make_output(context, *attributes, states, c));
  return std::make_unique<Lstm>(context, std::move(c));
}

}  // namespace zynpu::reference
