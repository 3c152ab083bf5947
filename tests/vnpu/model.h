// SPDX-License-Identifier: MIT
// Registers of a TEC as a test sees them, and bundles run on them outside any device.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <string_view>

#include "isa/asm.h"
#include "isa/decode.h"
#include "vnpu/program.h"

namespace zynpu::vnpu {

struct Model {
  std::array<std::array<std::uint8_t, 32>, 32> t;
  std::array<std::uint32_t, 32> r;
  std::array<std::uint32_t, 8> p;

  template <class L>
  L get(unsigned reg, unsigned lane) const {
    L value;
    std::memcpy(&value, t[reg].data() + lane * sizeof(L), sizeof value);
    return value;
  }
  template <class L>
  void set(unsigned reg, unsigned lane, L value) {
    std::memcpy(t[reg].data() + lane * sizeof(L), &value, sizeof value);
  }
  // Lane `lane` of `bytes` bytes, sign- or zero-extended.
  std::int64_t lane(unsigned reg, unsigned index, unsigned bytes, bool is_signed) const {
    std::uint64_t value = 0;
    std::memcpy(&value, t[reg].data() + index * bytes, bytes);
    if (is_signed && (value >> (8 * bytes - 1) & 1) != 0) value |= ~std::uint64_t{0} << (8 * bytes);
    return static_cast<std::int64_t>(value);
  }
  void set_lane(unsigned reg, unsigned index, unsigned bytes, std::int64_t value) {
    std::memcpy(t[reg].data() + index * bytes, &value, bytes);
  }
  bool active(unsigned predicate, unsigned index, unsigned bytes) const {
    return (p[predicate] >> (index * bytes) & 1) != 0;
  }

  friend bool operator==(const Model&, const Model&) = default;
};

// Random contents with many extreme lanes; p7 = all lanes, p6 = none.
inline Model random_model(std::mt19937& random) {
  Model m;
  constexpr std::uint8_t kExtremes[] = {0x00, 0x01, 0x7F, 0x80, 0xFF, 0xFE, 0x40, 0xC0};
  for (auto& reg : m.t) {
    const auto style = static_cast<unsigned>(random() % 4);
    for (std::uint8_t& byte : reg)
      byte = style == 0 ? kExtremes[random() % std::size(kExtremes)] : static_cast<std::uint8_t>(random());
    if (style == 1)  // small lanes, so that shift amounts and indices mean something
      for (unsigned i = 0; i < 8; ++i) {
        const auto small = static_cast<std::uint32_t>(random() % 40);
        std::memcpy(reg.data() + 4 * i, &small, 4);
      }
  }
  for (std::uint32_t& r : m.r) {
    constexpr std::uint32_t kWords[] = {0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 31, 32, 33};
    r = random() % 2 == 0 ? kWords[random() % std::size(kWords)] : static_cast<std::uint32_t>(random());
  }
  m.r[31] = 0;
  for (std::uint32_t& p : m.p) p = static_cast<std::uint32_t>(random());
  m.p[7] = 0xFFFFFFFF;
  m.p[6] = 0;
  return m;
}

inline DecodedBundle decode_bundle(std::string_view text, const DecodeOptions& options = {}) {
  DecodedBundle decoded;
  const auto program = isa::assemble(text);
  EXPECT_TRUE(program) << text << ": " << program.error().message;
  if (!program) return decoded;
  EXPECT_EQ(program->bytes.size(), 16u) << text;
  isa::BundleWords words;
  std::memcpy(words.data(), program->bytes.data(), sizeof words);
  const auto bundle = isa::decode(words);
  EXPECT_TRUE(bundle) << text;
  EXPECT_EQ(predecode(*bundle, options, decoded), "") << text;
  return decoded;
}

inline void execute(const DecodedBundle& decoded, Model& m) {
  TecState s;
  for (unsigned i = 0; i < 32; ++i) std::memcpy(s.t[i].byte, m.t[i].data(), 32), s.r[i] = m.r[i];
  for (unsigned i = 0; i < 8; ++i) s.p[i] = m.p[i];
  for (unsigned i = 0; i < decoded.ops; ++i) decoded.op[i].function(s, decoded.op[i]);
  for (unsigned i = 0; i < 32; ++i) std::memcpy(m.t[i].data(), s.t[i].byte, 32), m.r[i] = s.r[i];
  for (unsigned i = 0; i < 8; ++i) m.p[i] = s.p[i];
}

}  // namespace zynpu::vnpu
