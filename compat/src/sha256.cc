// SPDX-License-Identifier: MIT
#include "sha256.h"

#include <fmt/format.h>

#include <bit>
#include <vector>

namespace zynpu::compat {
namespace {

constexpr std::size_t kBlock = 64, kRounds = 64;

constexpr bool is_prime(std::uint32_t n) {
  for (std::uint32_t d = 2; d * d <= n; ++d)
    if (n % d == 0) return false;
  return n >= 2;
}

// The first 32 bits of the fraction of the `degree`-th root of n: floor(root(n) * 2^32) modulo 2^32.
constexpr std::uint32_t root_fraction(std::uint32_t n, unsigned degree) {
  __extension__ typedef unsigned __int128 Wide;
  std::uint64_t root = 0;  // of n * 2^(32 * degree), found bit by bit; below 2^36
  for (int bit = 35; bit >= 0; --bit) {
    const std::uint64_t candidate = root | std::uint64_t{1} << bit;
    // candidate^degree <= n * 2^(32 * degree), without the low words that cannot matter for degree 2 and 3.
    const Wide square = static_cast<Wide>(candidate) * candidate;
    const bool fits = degree == 2 ? square <= static_cast<Wide>(n) << 64
                                  : square <= (static_cast<Wide>(n) << 96) / candidate;
    if (fits) root = candidate;
  }
  return static_cast<std::uint32_t>(root);
}

template <std::size_t N>
constexpr std::array<std::uint32_t, N> root_fractions(unsigned degree) {
  std::array<std::uint32_t, N> words{};
  std::uint32_t prime = 1;
  for (std::uint32_t& word : words) {
    do ++prime;
    while (!is_prime(prime));
    word = root_fraction(prime, degree);
  }
  return words;
}

constexpr auto kStart = root_fractions<8>(2);
constexpr auto kConstants = root_fractions<kRounds>(3);
static_assert(kStart[0] == 0x6A09E667 && kConstants[0] == 0x428A2F98 && kConstants[63] == 0xC67178F2);

void absorb(std::array<std::uint32_t, 8>& state, const std::uint8_t* block) {
  std::array<std::uint32_t, kRounds> w{};
  for (std::size_t i = 0; i < 16; ++i)
    for (std::size_t b = 0; b < 4; ++b) w[i] = w[i] << 8 | block[4 * i + b];
  for (std::size_t i = 16; i < kRounds; ++i) {
    const std::uint32_t s0 = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ w[i - 15] >> 3;
    const std::uint32_t s1 = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ w[i - 2] >> 10;
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  auto [a, b, c, d, e, f, g, h] = state;
  for (std::size_t i = 0; i < kRounds; ++i) {
    const std::uint32_t s1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
    const std::uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + kConstants[i] + w[i];
    const std::uint32_t s0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
    const std::uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
  }
  const std::uint32_t sum[] = {a, b, c, d, e, f, g, h};
  for (std::size_t i = 0; i < 8; ++i) state[i] += sum[i];
}

}  // namespace

std::array<std::uint8_t, 32> sha256(std::span<const std::uint8_t> bytes) {
  std::array<std::uint32_t, 8> state = kStart;
  std::size_t at = 0;
  for (; at + kBlock <= bytes.size(); at += kBlock) absorb(state, bytes.data() + at);
  std::vector<std::uint8_t> tail(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end());
  tail.push_back(0x80);
  while (tail.size() % kBlock != kBlock - 8) tail.push_back(0);
  for (int shift = 56; shift >= 0; shift -= 8)
    tail.push_back(static_cast<std::uint8_t>(std::uint64_t{bytes.size()} * 8 >> shift));
  for (at = 0; at < tail.size(); at += kBlock) absorb(state, tail.data() + at);
  std::array<std::uint8_t, 32> digest{};
  for (std::size_t i = 0; i < digest.size(); ++i)
    digest[i] = static_cast<std::uint8_t>(state[i / 4] >> (24 - 8 * (i % 4)));
  return digest;
}

std::string sha256_hex(std::span<const std::uint8_t> bytes) {
  std::string text;
  for (const std::uint8_t byte : sha256(bytes)) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace zynpu::compat
