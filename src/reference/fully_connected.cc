// SPDX-License-Identifier: MIT
// FULLY_CONNECTED: rows of the input, each as long as a row of the weights, times the weights.
#include "reference/window.h"

namespace zynpu::reference {
namespace {

template <class T>
class FullyConnected : public PreparedOp {
 public:
  FullyConnected(const OpContext& context, const WeightedOperands& operands, OutputStage stage)
      : input_(context.input_index(0)),
        weights_(context.input_index(1)),
        bias_(context.input_index(2)),
        output_(context.output_index(0)),
        input_offset_(-zero_point(*operands.input)),
        weights_offset_(-zero_point(*operands.weights)),
        outputs_(operands.weights->shape[0]),
        depth_(operands.weights->shape[1]),
        rows_(operands.input->elements() / depth_),
        stage_(std::move(stage)) {}

  Status run(const Memory& memory) override {
    const T* input = memory.in<T>(input_);
    const T* weights = memory.in<T>(weights_);
    const std::int32_t* bias = memory.in_or_null<std::int32_t>(bias_);
    T* output = memory.out<T>(output_);
    for (std::int64_t row = 0; row < rows_; ++row, input += depth_) {
      const T* w = weights;
      for (std::int64_t o = 0; o < outputs_; ++o, w += depth_) {
        std::uint32_t sum = bias == nullptr ? 0 : static_cast<std::uint32_t>(bias[o]);
        for (std::int64_t i = 0; i < depth_; ++i) {
          sum += static_cast<std::uint32_t>((input[i] + input_offset_) * (w[i] + weights_offset_));
        }
        *output++ = static_cast<T>(stage_(sum, static_cast<std::size_t>(o)));
      }
    }
    return {};
  }

 private:
  int input_, weights_, bias_, output_;
  std::int32_t input_offset_, weights_offset_;
  std::int64_t outputs_, depth_, rows_;
  OutputStage stage_;
};

}  // namespace

Prepared prepare_fully_connected(const OpContext& context) {
  ZYNPU_ASSIGN_OR_RETURN(const WeightedOperands operands, weighted_operands(context));
  ZYNPU_ASSIGN_OR_RETURN(const auto* attributes, context.attributes<ir::FullyConnectedAttributes>());
  ZYNPU_ASSIGN_OR_RETURN(OutputStage stage, output_stage(context, *operands.output, attributes->activation));
  const std::int64_t outputs = operands.weights->shape[0], depth = operands.weights->shape[1];
  if (depth < 1 || operands.input->elements() % depth != 0) {
    return context.unsupported_tensor(*operands.input, "{} elements are no multiple of the weights' depth {}",
                                      operands.input->elements(), depth);
  }
  ZYNPU_TRY(context.expect_elements(*operands.output, operands.input->elements() / depth * outputs));
  return with_byte_type(operands.input->type, [&](auto element) -> Prepared {
    return std::make_unique<FullyConnected<decltype(element)>>(context, operands, std::move(stage));
  });
}

}  // namespace zynpu::reference
