// SPDX-License-Identifier: MIT
#include "compiler/codegen/bytes.h"
#include "compiler/kernels/conv_plan.h"

namespace zynpu::compiler {
namespace {

class Packer {
 public:
  Packer(const ConvProblem& problem, const ConvPlan& plan) : p_(problem), plan_(plan) {}

  Result<Blob> run() {
    if (plan_.code.vectors == 0) return fail(ErrorCode::kInternal, "a convolution of no vectors");
    if (!plan_.code.direct())
      for (const std::int32_t delta : plan_.walk.deltas) put_word(out_, static_cast<std::uint32_t>(delta));
    out_.resize(plan_.table_bytes);
    for (unsigned block = 0; block < plan_.blocks; ++block)
      for (unsigned chunk = 0; chunk < plan_.chunks; ++chunk) {
        const std::size_t start = out_.size();
        ZYNPU_TRY(header(block));
        if (out_.size() - start != plan_.header_bytes)
          return fail(ErrorCode::kInternal, "a block header of {} bytes instead of {}", out_.size() - start,
                      plan_.header_bytes);
        const unsigned first = chunk * plan_.chunk_trips;
        const unsigned last = chunk + 1 == plan_.chunks ? plan_.walk.trips() : first + plan_.chunk_trips;
        for (unsigned word = first * plan_.code.unroll; word < last * plan_.code.unroll; ++word)
          weights(block, word);
        out_.resize(start + plan_.block_bytes);
      }
    return Blob{std::move(out_)};
  }

 private:
  // Output channel of lane `lane` of vector `vector` of a block, or -1.
  int channel(unsigned block, unsigned vector, unsigned lane) const {
    const ConvCode& code = plan_.code;
    const unsigned in_block = code.depthwise ? 4 * lane + vector : 8 * (vector % code.vectors) + lane;
    const auto c = static_cast<int>(block * code.block_channels() + in_block);
    return c < p_.window.output_channels ? c : -1;
  }

  Status header(unsigned block) {
    for (unsigned copy = 0; copy < (plan_.code.chunked ? plan_.code.pixels : 1); ++copy)
      for (unsigned v = 0; v < plan_.code.vectors; ++v)
        for (unsigned lane = 0; lane < 8; ++lane) {
          const int c = channel(block, v, lane);
          put_word(out_, c < 0 ? 0 : static_cast<std::uint32_t>(p_.initial[static_cast<std::size_t>(c)]));
        }
    std::array<const ChannelRequant*, 32> lanes{};
    for (unsigned v = 0; v < 4; ++v)
      for (unsigned lane = 0; lane < 8; ++lane) {
        const int c = channel(block, v, lane);
        if (c >= 0) lanes[8 * v + lane] = &p_.requant[static_cast<std::size_t>(c)];
      }
    return put_requant_block(plan_.code.requant, lanes, out_);
  }

  void weights(unsigned block, unsigned index) {
    const ConvWalk::Word& word = plan_.walk.words[index];
    for (unsigned v = 0; v < plan_.code.vectors; ++v)
      for (unsigned lane = 0; lane < 8; ++lane) {
        const int c = channel(block, v, lane);
        for (unsigned byte = 0; byte < 4; ++byte)
          out_.push_back(static_cast<std::uint8_t>(weight(word, c, v, byte)));
      }
  }

  std::int8_t weight(const ConvWalk::Word& word, int out_channel, unsigned vector, unsigned byte) const {
    if (word.plane < 0 || out_channel < 0) return 0;
    if (plan_.code.depthwise)  // one of the four channels that a lane sums
      return byte == vector
                 ? p_.weight(static_cast<std::size_t>(word.plane), out_channel, word.ky, word.kx, 0)
                 : std::int8_t{0};
    const int in_channel = word.channel + static_cast<int>(byte);
    if (in_channel >= p_.window.input_channels) return 0;
    return p_.weight(static_cast<std::size_t>(word.plane), out_channel, word.ky, word.kx, in_channel);
  }

  const ConvProblem& p_;
  const ConvPlan& plan_;
  std::vector<std::uint8_t> out_;
};

}  // namespace

Result<Blob> pack_conv(const ConvProblem& problem, const ConvPlan& plan) {
  return Packer(problem, plan).run();
}

}  // namespace zynpu::compiler
