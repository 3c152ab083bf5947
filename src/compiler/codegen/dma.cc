// SPDX-License-Identifier: MIT
#include "compiler/codegen/dma.h"

#include <algorithm>

namespace zynpu::compiler {
namespace {

constexpr std::uint32_t kLimit24 = 1U << 24;

// Width of the chunks of a plain copy (tec-semantics.md 7.3: bus of 32 bytes, bursts of 512).
std::uint32_t plain_width(std::uint32_t bytes) {
  if (bytes < 32) return bytes;
  if (bytes < 512) return 32;
  return std::min<std::uint32_t>(bytes, 32768);
}

}  // namespace

Result<DescriptorWords> describe(const Transfer& transfer) {
  if (transfer.width == 0 || transfer.count == 0)
    return fail(ErrorCode::kInvalidArgument, "a DMA transfer of {} x {} bytes is empty", transfer.count,
                transfer.width);
  const bool plain = transfer.count == 1 ||
                     (transfer.ddr_stride == transfer.width && transfer.lsram_stride == transfer.width);
  if (transfer.bytes() >= kLimit24)
    return fail(ErrorCode::kInvalidArgument, "a DMA transfer of {} bytes exceeds the limit of {}",
                transfer.bytes(), kLimit24 - 1);
  const auto size = static_cast<std::uint32_t>(transfer.bytes());
  const std::uint32_t width = plain ? plain_width(size) : transfer.width;
  const std::uint32_t ddr_stride = plain ? width : transfer.ddr_stride;
  const std::uint32_t lsram_stride = plain ? width : transfer.lsram_stride;
  if (width > 0xFFFF)
    return fail(ErrorCode::kInvalidArgument, "a DMA chunk of {} bytes exceeds the limit of 65535", width);
  if (ddr_stride == 0 || lsram_stride == 0 || ddr_stride >= kLimit24 || lsram_stride >= kLimit24)
    return fail(ErrorCode::kInvalidArgument, "DMA strides of {} and {} bytes, the limits are 1 and {}",
                ddr_stride, lsram_stride, kLimit24 - 1);
  return DescriptorWords{width << 16 | (ddr_stride & 0xFFFF),
                         1U << 24 | size,
                         ddr_stride >> 16 << 24,
                         lsram_stride >> 16 << 24,
                         width << 16 | (lsram_stride & 0xFFFF),
                         1U << 24 | size};
}

Result<std::uint32_t> DescriptorTable::add(const Transfer& transfer) {
  ZYNPU_ASSIGN_OR_RETURN(const DescriptorWords words, describe(transfer));
  const auto [entry, is_new] = offsets_.try_emplace(words, static_cast<std::uint32_t>(bytes_.size()));
  if (is_new) {
    for (const std::uint32_t word : words)
      for (unsigned byte = 0; byte < 4; ++byte) bytes_.push_back(static_cast<std::uint8_t>(word >> 8 * byte));
    bytes_.resize((bytes_.size() + kDescriptorSlot - 1) / kDescriptorSlot * kDescriptorSlot);
  }
  return entry->second;
}

}  // namespace zynpu::compiler
