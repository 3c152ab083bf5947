// SPDX-License-Identifier: MIT
// Little-endian byte streams for the container readers and writers. Internal to the room.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace zynpu::graph {

inline std::uint32_t load_u16(const std::uint8_t* p) { return static_cast<std::uint32_t>(p[0] | p[1] << 8); }
inline std::uint32_t load_u32(const std::uint8_t* p) { return load_u16(p) | load_u16(p + 2) << 16; }
inline std::uint64_t load_u64(const std::uint8_t* p) {
  return load_u32(p) | static_cast<std::uint64_t>(load_u32(p + 4)) << 32;
}
inline void store_u32(std::uint8_t* p, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) p[i] = static_cast<std::uint8_t>(value >> (8 * i));
}

// `alignment` is a power of two; the caller guarantees that the sum does not wrap.
constexpr std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}

// Reads forward through a byte range that it does not own. Every read past the end is an error with the
// field's name.
class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  std::size_t position() const { return position_; }
  std::size_t remaining() const { return bytes_.size() - position_; }

  Result<std::uint32_t> u32(std::string_view field) {
    if (remaining() < 4) return truncated(field, 4);
    position_ += 4;
    return load_u32(bytes_.data() + position_ - 4);
  }
  Result<std::uint64_t> u64(std::string_view field) {
    if (remaining() < 8) return truncated(field, 8);
    position_ += 8;
    return load_u64(bytes_.data() + position_ - 8);
  }
  Result<std::span<const std::uint8_t>> take(std::uint64_t bytes, std::string_view field) {
    if (remaining() < bytes) return truncated(field, bytes);
    const auto part = bytes_.subspan(position_, static_cast<std::size_t>(bytes));
    position_ += static_cast<std::size_t>(bytes);
    return part;
  }
  // A count of records that follow, each at least `record_bytes` long: refused before anything is allocated
  // for it.
  Result<std::uint32_t> count(std::string_view field, std::uint64_t record_bytes) {
    auto value = u32(field);
    if (value && *value * record_bytes > remaining())
      return fail(ErrorCode::kBadFile,
                  "{}: {} records of at least {} bytes do not fit in the {} bytes that follow", field, *value,
                  record_bytes, remaining());
    return value;
  }

 private:
  tl::unexpected<Error> truncated(std::string_view field, std::uint64_t bytes) const {
    return fail(ErrorCode::kBadFile, "{}: {} bytes needed at offset {}, {} left", field, bytes, position_,
                remaining());
  }

  std::span<const std::uint8_t> bytes_;
  std::size_t position_ = 0;
};

class Writer {
 public:
  std::vector<std::uint8_t> bytes;

  void u16(std::uint32_t value) {
    bytes.push_back(static_cast<std::uint8_t>(value));
    bytes.push_back(static_cast<std::uint8_t>(value >> 8));
  }
  void u32(std::uint32_t value) {
    u16(value & 0xFFFF);
    u16(value >> 16);
  }
  void i32(std::int32_t value) { u32(static_cast<std::uint32_t>(value)); }
  void f32(float value) { u32(std::bit_cast<std::uint32_t>(value)); }
  void append(std::span<const std::uint8_t> data) { bytes.insert(bytes.end(), data.begin(), data.end()); }
  void append(std::string_view text) { bytes.insert(bytes.end(), text.begin(), text.end()); }
  void zeros(std::size_t count) { bytes.resize(bytes.size() + count); }
  void align(std::size_t alignment) {
    bytes.resize(static_cast<std::size_t>(align_up(bytes.size(), alignment)));
  }
};

}  // namespace zynpu::graph
