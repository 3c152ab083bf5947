// SPDX-License-Identifier: MIT
#include "vnpu/dma_plan.h"

#include <fmt/format.h>

namespace zynpu::vnpu {
namespace {

bool is_sram(unsigned space) { return space == kSpaceLsram || space == kSpaceGsram; }

// The halves in the direction of the data.
struct Ends {
  const DmaHalf& source;
  const DmaHalf& destination;
  std::uint32_t source_address, destination_address;
};

DmaError bad(std::string message) { return {std::move(message), false}; }

// Chunk c of `width` bytes from c * stride to c * stride; the pattern again for each repeat, moved by the
// gap.
DmaError plan_direct(const Ends& ends, DmaPlan& plan) {
  const DmaHalf &s = ends.source, &d = ends.destination;
  if (s.width == 0 || s.size == 0)
    return bad(fmt::format("width {} and size {} must not be 0", s.width, s.size));
  if (s.width != d.width || s.size != d.size)
    return bad(fmt::format("both halves must carry one width and size: {} and {} against {} and {}", s.width,
                           s.size, d.width, d.size));
  if (s.repeat != d.repeat || s.repeat == 0)
    return bad(fmt::format("both halves must carry one repeat count of at least 1: {} against {}", s.repeat,
                           d.repeat));
  const bool contiguous = s.stride == s.width && d.stride == d.width;
  std::uint64_t width = s.width, count = s.size / s.width;
  if (contiguous || s.size <= s.width) {  // one piece, a short last chunk included
    width = s.size, count = 1;
  } else if (s.size % s.width != 0) {
    return bad(
        fmt::format("size {} of a strided request is not a multiple of its width {}", s.size, s.width));
  }
  plan.source = {ends.source_address, width, count, s.stride, s.repeat, s.gap};
  plan.destination = {ends.destination_address, width, count, d.stride, d.repeat, d.gap};
  plan.bytes = plan.destination.bytes();
  return {};
}

// dst[j * rs + i] = src[i * cs + j] in elements: `columns` chunks of `rows` elements arise.
DmaError plan_transpose(const DmaDescriptor& descriptor, const Ends& ends, DmaPlan& plan) {
  const unsigned e = plan.element;
  const std::uint32_t across = ends.source.width, down = ends.destination.width;
  if (across == 0 || down == 0 || across % e != 0 || down % e != 0)
    return bad(
        fmt::format("widths {} and {} must be multiples of the element size {}, not 0", across, down, e));
  const std::uint32_t repeat = descriptor.external.repeat;
  if (repeat == 0 || repeat != descriptor.internal.repeat)
    return bad(fmt::format("both halves must carry one repeat count of at least 1: {} against {}", repeat,
                           descriptor.internal.repeat));
  plan.source = {ends.source_address, across, down / e, ends.source.stride, repeat, ends.source.gap};
  plan.destination = {ends.destination_address, down,   across / e,
                      ends.destination.stride,  repeat, ends.destination.gap};
  plan.bytes = plan.destination.bytes();
  return {};
}

// The source half holds C, its stride, w_scale and C * W; the destination half its stride, its row pitch and
// h_scale.
DmaError plan_upsample(const Ends& ends, DmaPlan& plan) {
  const DmaHalf &s = ends.source, &d = ends.destination;
  if (s.width == 0 || s.size == 0 || s.size % s.width != 0)
    return bad(fmt::format("size {} must be a multiple of the channel bytes {}, not 0", s.size, s.width));
  if (s.repeat == 0 || d.repeat == 0)
    return bad(fmt::format("scales {} and {} must be at least 1", s.repeat, d.repeat));
  const std::uint64_t pixels = s.size / s.width;
  plan.w_scale = s.repeat;
  plan.h_scale = d.repeat;
  plan.source = {ends.source_address, s.width, pixels, s.stride, 1, 0};
  plan.destination = {ends.destination_address, s.width, pixels * s.repeat, d.stride, d.repeat, d.gap};
  plan.bytes = plan.destination.bytes();
  return {};
}

DmaError plan_memset(const Ends& ends, DmaPlan& plan) {
  const DmaHalf& d = ends.destination;
  if (d.size == 0 || d.width == 0)
    return bad(fmt::format("width {} and size {} must not be 0", d.width, d.size));
  if (d.stride != d.width)
    return bad(fmt::format("memset writes one contiguous range, but stride {} differs from width {}",
                           d.stride, d.width));
  if (d.repeat == 0) return bad("the repeat count must be at least 1");
  plan.fill = ends.source_address;
  plan.destination = {ends.destination_address, d.size, 1, 0, d.repeat, d.gap};
  plan.bytes = plan.destination.bytes();
  return {};
}

}  // namespace

DmaDescriptor unpack_descriptor(const std::array<std::uint32_t, 6>& w) {
  constexpr std::uint32_t k24 = 0xFFFFFF;
  return {{w[0] >> 16, (w[0] & 0xFFFF) | w[2] >> 24 << 16, w[1] & k24, w[2] & k24, w[1] >> 24},
          {w[4] >> 16, (w[4] & 0xFFFF) | w[3] >> 24 << 16, w[5] & k24, w[3] & k24, w[5] >> 24}};
}

std::array<std::uint32_t, 6> pack_descriptor(const DmaDescriptor& d) {
  const DmaHalf &e = d.external, &i = d.internal;
  return {e.width << 16 | (e.stride & 0xFFFF), e.repeat << 24 | e.size,
          e.stride >> 16 << 24 | e.gap,        i.stride >> 16 << 24 | i.gap,
          i.width << 16 | (i.stride & 0xFFFF), i.repeat << 24 | i.size};
}

DmaError make_plan(const isa::Instruction& dma, const DmaDescriptor& descriptor, const DmaOperands& operands,
                   DmaPlan& plan) {
  plan = DmaPlan{};
  if (dma.imm > 3) return {fmt::format("mode {} is not known, only 0 to 3", dma.imm), true};
  plan.mode = static_cast<DmaMode>(dma.imm);
  if (dma.int_space >= kGlobalSpaces && !is_sram(dma.int_space))
    return {fmt::format("internal space {} is not known", dma.int_space), true};
  if (is_sram(dma.ext_space))
    return {
        fmt::format("the external end is {}; it must be global, a request from SRAM to SRAM never completes",
                    dma.ext_space == kSpaceLsram ? "LSRAM" : "GSRAM"),
        true};
  if (dma.ext_space >= kGlobalSpaces)
    return {fmt::format("external space {} is not known", dma.ext_space), true};
  const bool copies = plan.mode == DmaMode::kDirect || plan.mode == DmaMode::kTranspose;
  if (!copies && !is_sram(dma.int_space))
    return {fmt::format("{} with DDR as its internal end times out",
                        plan.mode == DmaMode::kMemset ? "memset" : "upsample"),
            true};
  if (dma.data_unit > 2) return bad(fmt::format("data unit {} is not known, only 0 to 2", dma.data_unit));
  plan.element = static_cast<std::uint8_t>(1u << dma.data_unit);

  const bool inward = dma.dir == 1;
  const Ends ends = inward ? Ends{descriptor.external, descriptor.internal, operands.external_address,
                                  operands.internal_address}
                           : Ends{descriptor.internal, descriptor.external, operands.internal_address,
                                  operands.external_address};
  plan.source_space = inward ? dma.ext_space : dma.int_space;
  plan.destination_space = inward ? dma.int_space : dma.ext_space;
  switch (plan.mode) {
    case DmaMode::kDirect:
      return plan_direct(ends, plan);
    case DmaMode::kTranspose:
      return plan_transpose(descriptor, ends, plan);
    case DmaMode::kUpsample:
      return plan_upsample(ends, plan);
    case DmaMode::kMemset:
      return plan_memset(ends, plan);
  }
  return {};
}

}  // namespace zynpu::vnpu
