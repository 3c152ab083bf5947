// SPDX-License-Identifier: MIT
// Op cases of the int8 LSTM with a 16-bit cell state.
#include "support/case_builder.h"

namespace zynpu::test {
namespace {

using ir::DataType;

struct LstmMaker {
  CaseBuilder& b;
  Random& random = b.random;

  void weights(const std::string& name, Shape shape, double scale) {
    const int index = b.add(name, DataType::kInt8, shape);
    std::vector<std::int8_t> values(static_cast<std::size_t>(b.tensor(index).elements()));
    for (std::int8_t& value : values) value = static_cast<std::int8_t>(random.between(-127, 127));
    b.fill(index, values);
    b.tensor(index).quant.scale = {static_cast<float>(scale)};
    b.tensor(index).quant.zero_point = {0};
    b.op().inputs.push_back(index);
  }
  void bias(const std::string& name, int count) {
    const int index = b.add(name, DataType::kInt32, {count});
    std::vector<std::int32_t> values(static_cast<std::size_t>(count));
    for (std::int32_t& value : values) value = random.between(-3000, 3000);
    b.fill(index, values);
    b.tensor(index).quant.scale = {0.0001f};
    b.tensor(index).quant.zero_point = {0};
    b.op().inputs.push_back(index);
  }
  void peephole(const std::string& name, int count) {
    const int index = b.add(name, DataType::kInt16, {count});
    std::vector<std::int16_t> values(static_cast<std::size_t>(count));
    for (std::int16_t& value : values) value = static_cast<std::int16_t>(random.between(-32767, 32767));
    b.fill(index, values);
    b.tensor(index).quant.scale = {static_cast<float>(random.real(0.5, 1.5) / 32768)};
    b.tensor(index).quant.zero_point = {0};
    b.op().inputs.push_back(index);
  }
  void absent(int count = 1) {
    b.op().inputs.insert(b.op().inputs.end(), static_cast<std::size_t>(count), ir::kAbsent);
  }
  void state(const std::string& name, DataType type, Shape shape, double scale, std::int32_t zero) {
    const int index = b.add(name, type, std::move(shape));
    b.tensor(index).quant.scale = {static_cast<float>(scale)};
    b.tensor(index).quant.zero_point = {zero};
    b.tensor(index).is_variable = true;
    b.op().inputs.push_back(index);
  }
};

}  // namespace

void make_lstm(CaseBuilder& b) {
  LstmMaker maker{b};
  Random& random = b.random;
  const bool coupled = random.chance(25), peepholes = random.chance(35), project = random.chance(35);
  const int batches = random.pick({1, 1, 2, 3}), steps = random.pick({1, 2, 5, 9});
  const int inputs = random.pick({1, 3, 8, 17}), cells = random.pick({1, 4, 7, 16, 20});
  // TFLite's kernel misreads peepholes of a cell that is projected to another size.
  const int outputs = project && !peepholes ? random.pick({1, 3, 8}) : cells;
  ir::LstmAttributes a;
  a.time_major = random.chance(40);
  if (random.chance(30)) a.cell_clip = static_cast<float>(random.real(0.1, 4));
  if (project && random.chance(40)) a.projection_clip = static_cast<float>(random.real(0.05, 1));
  const int cell_exponent = random.pick({-15, -13, -12, -11, -11, -10, -9});

  const Shape input_shape = a.time_major ? Shape{steps, batches, inputs} : Shape{batches, steps, inputs};
  Shape output_shape = input_shape;
  output_shape.back() = outputs;
  const double output_scale = project ? random.real(0.005, 0.03) : random.real(0.006, 0.01);
  const std::int32_t output_zero = random.pick({0, -1, 5, 20, -30});
  b.input(input_shape, {static_cast<float>(random.real(0.003, 0.03)), b.zero_point()});

  const std::string gates[4] = {"input", "forget", "cell", "output"};
  for (int g = 0; g < 4; ++g) {
    if (g == 0 && coupled) {
      maker.absent();
    } else {
      maker.weights("input_to_" + gates[g], {cells, inputs}, random.real(0.002, 0.02));
    }
  }
  for (int g = 0; g < 4; ++g) {
    if (g == 0 && coupled) {
      maker.absent();
    } else {
      maker.weights("recurrent_to_" + gates[g], {cells, outputs}, random.real(0.002, 0.02));
    }
  }
  for (const int g : {0, 1, 3}) {
    if (!peepholes || (g == 0 && coupled)) {
      maker.absent();
    } else {
      maker.peephole("cell_to_" + gates[g], cells);
    }
  }
  for (int g = 0; g < 4; ++g) {
    if (g == 0 && coupled) {
      maker.absent();
    } else {
      maker.bias(gates[g] + "_bias", cells);
    }
  }
  if (project) {
    maker.weights("projection", {outputs, cells}, random.real(0.002, 0.02));
    if (random.chance(60)) {
      maker.bias("projection_bias", outputs);
    } else {
      maker.absent();
    }
  } else {
    maker.absent(2);
  }
  maker.state("output_state", DataType::kInt8, {batches, outputs}, output_scale, output_zero);
  maker.state("cell_state", DataType::kInt16, {batches, cells}, std::ldexp(1.0, cell_exponent), 0);
  maker.absent(4);
  // Without a projection the hidden value is the output.
  a.hidden_scale = static_cast<float>(project ? random.real(0.005, 0.012) : output_scale);
  a.hidden_zero_point = project ? random.pick({0, -3, 10}) : output_zero;
  b.op().attributes = a;
  b.output(output_shape, {static_cast<float>(output_scale), output_zero});
  b.c.runs = random.chance(50) ? 2 : 1;
  b.describe(text_of(b.tensor(b.c.graph.inputs[0])) + " cells " + std::to_string(cells) + " outputs " +
             std::to_string(outputs) + (coupled ? " coupled" : "") + (peepholes ? " peepholes" : "") +
             (project ? " projection" : "") + (a.time_major ? " time-major" : "") + " cell 2^" +
             std::to_string(cell_exponent) + " clips " + std::to_string(a.cell_clip) + "," +
             std::to_string(a.projection_clip) + " runs " + std::to_string(b.c.runs));
}

}  // namespace zynpu::test
