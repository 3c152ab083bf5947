// SPDX-License-Identifier: MIT
// Every instruction against its formula in tec-semantics.md 5, lane by lane in 64-bit arithmetic.
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "isa/table.h"
#include "vnpu/model.h"

namespace zynpu::vnpu {
namespace {

using s64 = std::int64_t;
using Formula = std::function<void(const Model& before, Model& after)>;

struct Case {
  std::string text;
  Formula formula;
};

s64 saturate(s64 x, unsigned bytes) {
  const s64 high = (s64{1} << (8 * bytes - 1)) - 1;
  return x > high ? high : x < -high - 1 ? -high - 1 : x;
}

const char* const kSuffix[] = {"b", "h", "w"};

std::string with_size(std::string text, unsigned bytes) {
  const std::string suffix = bytes == 1 ? "b" : bytes == 2 ? "h" : "w";
  for (std::size_t at; (at = text.find('@')) != std::string::npos;) text.replace(at, 1, suffix);
  return text;
}

// t3 = f(t5, t9) lane by lane where p, else kept.
Formula lanes(unsigned bytes, bool is_signed, unsigned p, std::function<s64(s64, s64)> f) {
  return [=](const Model& b, Model& a) {
    for (unsigned i = 0; i < 32 / bytes; ++i)
      if (b.active(p, i, bytes))
        a.set_lane(3, i, bytes, f(b.lane(5, i, bytes, is_signed), b.lane(9, i, bytes, is_signed)));
  };
}

Formula scalar(std::function<s64(s64, s64)> f) {
  return [=](const Model& b, Model& a) {
    a.r[3] =
        static_cast<std::uint32_t>(f(static_cast<std::int32_t>(b.r[5]), static_cast<std::int32_t>(b.r[9])));
  };
}

s64 shift_right(s64 x, s64 n, unsigned bytes) {
  if (static_cast<std::uint64_t>(n) >= 8 * bytes) return x < 0 ? -1 : 0;
  return x >> n;
}
s64 shift_left(s64 x, s64 n, unsigned bytes) {
  return static_cast<std::uint64_t>(n) >= 8 * bytes ? 0
                                                    : static_cast<s64>(static_cast<std::uint64_t>(x) << n);
}
// Nearest; a tie goes to the even neighbour, or up.
s64 round_right(s64 x, s64 n, unsigned bytes, bool half_up) {
  if (n == 0 || static_cast<std::uint64_t>(n) >= 8 * bytes) return shift_right(x, n, bytes);
  const s64 unit = s64{1} << n;
  s64 quotient = x / unit, rest = x % unit;
  if (rest < 0) rest += unit, --quotient;
  if (2 * rest > unit || (2 * rest == unit && (half_up || quotient % 2 != 0))) ++quotient;
  return quotient;
}

std::vector<Case> scalar_cases() {
  const auto u = [](s64 x) { return static_cast<std::uint32_t>(x); };
  return {
      {"add r3, r5, r9", scalar([](s64 x, s64 y) { return x + y; })},
      {"add r3, r5, 1023", scalar([](s64 x, s64) { return x + 1023; })},
      {"sub r3, r5, r9", scalar([](s64 x, s64 y) { return x - y; })},
      {"sub r3, r5, 1000", scalar([](s64 x, s64) { return x - 1000; })},
      {"max r3, r5, r9", scalar([](s64 x, s64 y) { return std::max(x, y); })},
      {"min r3, r5, r9", scalar([](s64 x, s64 y) { return std::min(x, y); })},
      {"mul r3, r5, r9", scalar([](s64 x, s64 y) { return x * y; })},
      {"mulh r3, r5, r9", scalar([](s64 x, s64 y) { return (x * y) >> 32; })},
      {"and r3, r5, r9", scalar([](s64 x, s64 y) { return x & y; })},
      {"or r3, r5, r9", scalar([](s64 x, s64 y) { return x | y; })},
      {"xor r3, r5, r9", scalar([](s64 x, s64 y) { return x ^ y; })},
      {"asr r3, r5, r9", scalar([u](s64 x, s64 y) { return shift_right(x, u(y), 4); })},
      {"lsr r3, r5, r9", scalar([u](s64 x, s64 y) { return u(y) > 31 ? 0 : u(x) >> u(y); })},
      {"lsl r3, r5, r9", scalar([u](s64 x, s64 y) { return u(y) > 31 ? 0 : u(x) << u(y); })},
      {"lsl r3, r5, 3", scalar([](s64 x, s64) { return x * 8; })},
      {"andl r3, r5, 21", scalar([](s64 x, s64) { return x & 21; })},
      {"orl r3, r5, 21", scalar([](s64 x, s64) { return x | 21; })},
      {"bfs r3, r5, 31, 0", scalar([](s64 x, s64) { return x | s64{1} << 31; })},
      {"bfs r3, r5, 27, 4", scalar([](s64 x, s64) { return x | s64{0xF8000000}; })},
      {"bfs r3, r5, 3, 1", scalar([](s64 x, s64) { return x | 0x18; })},
      {"bfs r3, r5, 0, 31", scalar([](s64, s64) { return -1; })},
      {"bfs r3, r5, 30, 7", scalar([](s64 x, s64) { return x | s64{0xC0000000}; })},
      {"cmp.lt r3, r5, r9", scalar([](s64 x, s64 y) { return x < y ? 1 : 0; })},
      {"cmp.lt r3, r5, -128", scalar([](s64 x, s64) { return x < -128 ? 1 : 0; })},
      {"cmp.lt r3, r5, 127", scalar([](s64 x, s64) { return x < 127 ? 1 : 0; })},
      {"mov r3, -32768", scalar([](s64, s64) { return -32768; })},
      {"movh r3, 381", [](const Model& b, Model& a) { a.r[3] = (b.r[3] & 0xFFFF) | 381u << 16; }},
      {"movh r3, -1536", [](const Model& b, Model& a) { a.r[3] = (b.r[3] & 0xFFFF) | 0xFA000000; }},
      {"mov.pre r3, r5", scalar([](s64 x, s64) { return x; })},
      {"movh p3, 0", [](const Model&, Model& a) { a.p[3] = 0xFFFFFFFF; }},
      {"add zero, r5, r9", [](const Model&, Model&) {}},
      {"add r3, zero, r9", scalar([](s64, s64 y) { return y; })},
  };
}

std::vector<Case> integer_cases() {
  std::vector<Case> cases;
  const auto add = [](s64 x, s64 y) { return x + y; };
  const auto sub = [](s64 x, s64 y) { return x - y; };
  const auto max = [](s64 x, s64 y) { return std::max(x, y); };
  const auto min = [](s64 x, s64 y) { return std::min(x, y); };
  for (const unsigned n : {1u, 2u, 4u}) {
    const auto put = [&](const std::string& text, Formula formula) {
      cases.push_back({with_size(text, n), std::move(formula)});
    };
    put("add t3.@, t5.@, t9.@", lanes(n, true, 7, add));
    put("sub t3.@, t5.@, t9.@", lanes(n, true, 7, sub));
    put("add t3.@, t5.@, t9.@, p2.@", lanes(n, true, 2, add));
    put("add t3.@, t5.@, t9.@, p6.@", lanes(n, true, 6, add));
    put("add t3.@, t5.@, 200", lanes(n, true, 7, [](s64 x, s64) { return x + 200; }));
    put("sub t3.@, t5.@, 255", lanes(n, true, 7, [](s64 x, s64) { return x - 255; }));
    put("max t3.@, t5.@, t9.@, p2.@", lanes(n, true, 2, max));
    put("min t3.@, t5.@, t9.@, p7.@", lanes(n, true, 7, min));
    put("max t3.u@, t5.u@, t9.u@, p2.@", lanes(n, false, 2, max));
    put("min t3.u@, t5.u@, t9.u@, p7.@", lanes(n, false, 7, min));
    put("max t3.@, t5.@, -128", lanes(n, true, 7, [](s64 x, s64) { return std::max<s64>(x, -128); }));
    put("min t3.@, t5.@, 4", lanes(n, true, 7, [](s64 x, s64) { return std::min<s64>(x, 4); }));
    put("max t3.u@, t5.u@, 255", lanes(n, false, 7, [](s64 x, s64) { return std::max<s64>(x, 255); }));
    put("min t3.u@, t5.u@, 200", lanes(n, false, 7, [](s64 x, s64) { return std::min<s64>(x, 200); }));
    const auto compare = [&](const char* name, bool (*f)(s64, s64), unsigned p) {
      put(std::string("cmp.") + name + " p3.@, t5.@, t9.@, p" + std::to_string(p) + ".@",
          [=](const Model& b, Model& a) {
            a.p[3] = 0;
            for (unsigned i = 0; i < 32 / n; ++i)
              if (b.active(p, i, n) && f(b.lane(5, i, n, true), b.lane(9, i, n, true)))
                a.p[3] |= 1u << (i * n);
          });
    };
    for (const unsigned p : {2u, 7u, 3u}) {
      compare(
          "eq", [](s64 x, s64 y) { return x == y; }, p);
      compare(
          "ne", [](s64 x, s64 y) { return x != y; }, p);
      compare(
          "ge", [](s64 x, s64 y) { return x >= y; }, p);
      compare(
          "gt", [](s64 x, s64 y) { return x > y; }, p);
      compare(
          "le", [](s64 x, s64 y) { return x <= y; }, p);
      compare(
          "lt", [](s64 x, s64 y) { return x < y; }, p);
    }
  }
  // Dot products: only source lanes with a set predicate contribute.
  for (const unsigned p : {2u, 7u}) {
    const auto dot = [&](const char* name, unsigned k, bool accumulate) {
      const unsigned bytes = k;  // four bytes into a word, two into a half
      const std::string wide = k == 4 ? ".w" : ".h", pred = "p" + std::to_string(p) + ".b";
      cases.push_back(
          {std::string(name) + " t3" + wide + ", t5.b, t9.b, " + pred, [=](const Model& b, Model& a) {
             for (unsigned i = 0; i < 32 / bytes; ++i) {
               s64 sum = accumulate ? b.lane(3, i, bytes, true) : 0;
               for (unsigned j = k * i; j < k * (i + 1); ++j)
                 if (b.active(p, j, 1)) sum += b.lane(5, j, 1, true) * b.lane(9, j, 1, true);
               a.set_lane(3, i, bytes, saturate(sum, bytes));
             }
           }});
    };
    dot("qdpa", 4, true);
    dot("qdot", 4, false);
    dot("dpa", 2, true);
    dot("dot", 2, false);
    // Widening products: half of the lanes, one predicate bit a source lane.
    for (const unsigned n : {1u, 2u})
      for (const bool high : {false, true})
        for (const bool ua : {false, true})
          for (const bool ub : {false, true}) {
            const std::string src = kSuffix[n - 1], dst = kSuffix[n];
            cases.push_back(
                {std::string(high ? "mulh" : "mul") + " t3." + dst + ", t5." + (ua ? "u" : "") + src +
                     ", t9." + (ub ? "u" : "") + src + ", p" + std::to_string(p) + "." + src,
                 [=](const Model& b, Model& a) {
                   const unsigned count = 16 / n, from = high ? count : 0;
                   for (unsigned i = 0; i < count; ++i)
                     if (b.active(p, from + i, n))
                       a.set_lane(3, i, 2 * n, b.lane(5, from + i, n, !ua) * b.lane(9, from + i, n, !ub));
                 }});
          }
    // Words: the vendor model's four 64-bit products.
    for (const bool high : {false, true})
      for (const bool is_unsigned : {false, true}) {
        const std::string u = is_unsigned ? "u" : "";
        cases.push_back({std::string(high ? "mulh" : "mul") + " t3." + u + "w, t5." + u + "w, t9." + u +
                             "w, p" + std::to_string(p) + ".w",
                         [=](const Model& b, Model& a) {
                           const unsigned from = high ? 4 : 0;
                           for (unsigned i = 0; i < 4; ++i)
                             if (b.active(p, from + i, 4)) {
                               const auto x =
                                   static_cast<std::uint64_t>(b.lane(5, from + i, 4, !is_unsigned));
                               const auto y =
                                   static_cast<std::uint64_t>(b.lane(9, from + i, 4, !is_unsigned));
                               a.set_lane(3, i, 8, static_cast<s64>(x * y));
                             }
                         }});
      }
  }
  return cases;
}

std::vector<Case> move_cases() {
  std::vector<Case> cases;
  for (const unsigned n : {1u, 2u, 4u}) {
    const unsigned count = 32 / n;
    // d[i] = lane `where(i)` of a; count and beyond: of b.
    const auto pick = [&](const char* name, std::function<unsigned(unsigned)> where) {
      cases.push_back({with_size(std::string(name) + " t3.@, t5.@, t9.@", n), [=](const Model& b, Model& a) {
                         for (unsigned i = 0; i < count; ++i) {
                           const unsigned from = where(i);
                           a.set_lane(
                               3, i, n,
                               from < count ? b.lane(5, from, n, false) : b.lane(9, from - count, n, false));
                         }
                       }});
    };
    pick("zipl", [=](unsigned i) { return i % 2 == 0 ? i / 2 : count + i / 2; });
    pick("ziph", [=](unsigned i) { return (i % 2 == 0 ? 0 : count) + count / 2 + i / 2; });
    pick("zipe", [=](unsigned i) { return i % 2 == 0 ? i : count + i - 1; });
    pick("zipo", [=](unsigned i) { return i % 2 == 0 ? i + 1 : count + i; });
    pick("extl", [=](unsigned i) { return i < count / 2 ? i : count + i - count / 2; });
    pick("exth", [=](unsigned i) { return i < count / 2 ? count / 2 + i : count + i; });
    pick("exte", [=](unsigned i) { return i < count / 2 ? 2 * i : count + 2 * i - count; });
    pick("exto", [=](unsigned i) { return i < count / 2 ? 2 * i + 1 : count + 2 * i + 1 - count; });
    const auto put = [&](const std::string& text, Formula formula) {
      cases.push_back({with_size(text, n), std::move(formula)});
    };
    put("and t3.@, t5.@, t9.@", lanes(n, false, 7, [](s64 x, s64 y) { return x & y; }));
    put("or t3.@, t5.@, t9.@", lanes(n, false, 7, [](s64 x, s64 y) { return x | y; }));
    put("xor t3.@, t5.@, t9.@", lanes(n, false, 7, [](s64 x, s64 y) { return x ^ y; }));
    for (const unsigned p : {2u, 6u, 7u})
      put("sel t3.@, t5.@, t9.@, p" + std::to_string(p) + ".@", [=](const Model& b, Model& a) {
        for (unsigned i = 0; i < count; ++i)
          a.set_lane(3, i, n, b.lane(b.active(p, i, n) ? 5 : 9, i, n, false));
      });
    put("replic t3.@, t5.@, r9", [=](const Model& b, Model& a) {
      for (unsigned i = 0; i < count; ++i) a.set_lane(3, i, n, b.lane(5, b.r[9] % count, n, false));
    });
  }
  const auto put = [&](const std::string& text, Formula formula) {
    cases.push_back({text, std::move(formula)});
  };
  put("perm t3.b, t5.b, t9.b", [](const Model& b, Model& a) {
    for (unsigned i = 0; i < 32; ++i) a.t[3][i] = b.t[5][b.t[9][i] % 32];
  });
  put("andl t3.w, t5.w, 21", lanes(4, false, 7, [](s64 x, s64) { return x & 21; }));
  put("orl t3.w, t5.w, 21", lanes(4, false, 7, [](s64 x, s64) { return x | 21; }));
  for (const unsigned k : {0u, 1u, 13u, 31u}) {
    put("shfl t3.b, t5.b, " + std::to_string(k), [=](const Model& b, Model& a) {
      for (unsigned i = 0; i < 32; ++i) a.t[3][i] = b.t[5][(i + k) % 32];
    });
    put("sld.l t3.b, t5.b, " + std::to_string(k), [=](const Model& b, Model& a) {
      for (unsigned i = 0; i < 32; ++i) a.t[3][i] = i < 32 - k ? b.t[3][i + k] : b.t[5][i - (32 - k)];
    });
    put("insert t3.b, r9, " + std::to_string(k),
        [=](const Model& b, Model& a) { a.t[3][k] = static_cast<std::uint8_t>(b.r[9]); });
  }
  for (const unsigned k : {0u, 7u})
    put("insert t3.w, r9, " + std::to_string(k),
        [=](const Model& b, Model& a) { a.set_lane(3, k, 4, b.r[9]); });
  for (const unsigned n : {1u, 2u})
    for (const bool high : {false, true})
      for (const bool is_signed : {false, true})
        put(std::string(is_signed ? "sxt" : "uxt") + (high ? "h" : "l") + " t3." + kSuffix[n] + ", t5." +
                kSuffix[n - 1],
            [=](const Model& b, Model& a) {
              const unsigned count = 16 / n;
              for (unsigned i = 0; i < count; ++i)
                a.set_lane(3, i, 2 * n, b.lane(5, (high ? count : 0) + i, n, is_signed));
            });
  put("mov4 t3, -64", [](const Model&, Model& a) { a.t[3].fill(0xC0); });
  put("movf t3.w, -3, p2.w", lanes(4, true, 2, [](s64, s64) { return -3; }));
  put("movf t3.w, 100, p7.w", lanes(4, true, 7, [](s64, s64) { return 100; }));
  put("bcast t3.w, r9", [](const Model& b, Model& a) {
    for (unsigned i = 0; i < 8; ++i) a.set_lane(3, i, 4, b.r[9]);
  });
  put("rpadd t3.w, t5.w, p2.w", [](const Model& b, Model& a) {
    s64 sum = 0;
    for (unsigned i = 0; i < 8; ++i)
      if (b.active(2, i, 4)) sum += b.lane(5, i, 4, true);
    a.set_lane(3, 0, 4, sum);
  });
  return cases;
}

std::vector<Case> shift_cases(bool half_up) {
  std::vector<Case> cases;
  for (const unsigned n : {1u, 2u, 4u}) {
    // Amounts are unsigned lanes of t9.
    const auto by_lane = [&](const char* name, bool is_signed, std::function<s64(s64, s64)> f) {
      cases.push_back({with_size(std::string(name) + " t3.@, t5.@, t9.@", n), [=](const Model& b, Model& a) {
                         for (unsigned i = 0; i < 32 / n; ++i)
                           a.set_lane(3, i, n, f(b.lane(5, i, n, is_signed), b.lane(9, i, n, false)));
                       }});
    };
    const auto by_count = [&](const char* name, bool is_signed, std::function<s64(s64, s64)> f) {
      for (const unsigned k : {0u, 1u, 4 * n, 8 * n - 1})
        cases.push_back({with_size(std::string(name) + " t3.@, t5.@, " + std::to_string(k), n),
                         lanes(n, is_signed, 7, [=](s64 x, s64) { return f(x, k); })});
    };
    const auto both = [&](const char* name, bool is_signed, std::function<s64(s64, s64)> f) {
      by_lane(name, is_signed, f);
      by_count(name, is_signed, f);
    };
    both("asr", true, [=](s64 x, s64 k) { return shift_right(x, k, n); });
    both("lsr", false, [=](s64 x, s64 k) { return shift_right(x, k, n); });
    both("lsl", true, [=](s64 x, s64 k) { return shift_left(x, k, n); });
    both("asrr", true, [=](s64 x, s64 k) { return round_right(x, k, n, half_up); });
    both("lsrr", false, [=](s64 x, s64 k) { return round_right(x, k, n, half_up); });
  }
  const auto narrow = [&](const char* name, unsigned wide, unsigned small, bool is_signed,
                          std::function<s64(s64, s64)> f) {
    for (const unsigned k : {0u, 1u, 8u, 8 * wide - 1})
      cases.push_back({std::string(name) + ", " + std::to_string(k), [=](const Model& b, Model& a) {
                         a.t[3].fill(0);
                         for (unsigned i = 0; i < 32 / wide; ++i)
                           a.set_lane(3, i * wide / small, small, f(b.lane(3, i, wide, is_signed), k));
                       }});
  };
  narrow("nsr.as t3.bw", 4, 1, true, [](s64 x, s64 k) { return saturate(x >> k, 1); });
  narrow("nsr.asr t3.bw", 4, 1, true,
         [=](s64 x, s64 k) { return saturate(round_right(x, k, 4, half_up), 1); });
  narrow("nsr.a t3.bw", 4, 1, true, [](s64 x, s64 k) { return x >> k; });
  narrow("nsr.l t3.bw", 4, 1, false, [](s64 x, s64 k) { return x >> k; });
  narrow("nsr.as t3.hw", 4, 2, true, [](s64 x, s64 k) { return saturate(x >> k, 2); });
  narrow("nsr.as t3.bh", 2, 1, true, [](s64 x, s64 k) { return saturate(x >> k, 1); });
  return cases;
}

void check(const std::vector<Case>& cases, const DecodeOptions& options = {}) {
  std::mt19937 random(20240601);
  for (const Case& c : cases) {
    const DecodedBundle decoded = decode_bundle(c.text, options);
    for (int round = 0; round < 200; ++round) {
      const Model before = random_model(random);
      Model expected = before, actual = before;
      c.formula(before, expected);
      execute(decoded, actual);
      // rpadd: all lanes but the first are undefined.
      if (c.text.rfind("rpadd", 0) == 0) std::memcpy(actual.t[3].data() + 4, expected.t[3].data() + 4, 28);
      ASSERT_EQ(actual, expected) << c.text << ", round " << round << ": t3 "
                                  << ::testing::PrintToString(actual.t[3]) << " expected "
                                  << ::testing::PrintToString(expected.t[3]) << ", r3 " << actual.r[3]
                                  << " expected " << expected.r[3] << ", p3 " << actual.p[3] << " expected "
                                  << expected.p[3];
    }
  }
}

TEST(Instruction, ScalarFormsFollowTheirFormulas) { check(scalar_cases()); }
TEST(Instruction, VectorIntegerFormsFollowTheirFormulas) { check(integer_cases()); }
TEST(Instruction, LaneMovesFollowTheirFormulas) { check(move_cases()); }
TEST(Instruction, ShiftsRoundTiesToEven) { check(shift_cases(false), {.diagnose = true, .half_up = false}); }
TEST(Instruction, ShiftsRoundTiesUpWhenSwitched) {
  check(shift_cases(true), {.diagnose = true, .half_up = true});
}

// The same register on both sides and as the destination.
TEST(Instruction, SourcesMayBeTheDestination) {
  std::mt19937 random(7);
  for (const char* text :
       {"add t3.b, t3.b, t3.b", "zipl t3.b, t3.b, t3.b", "exto t3.w, t3.w, t3.w", "perm t3.b, t3.b, t3.b",
        "sel t3.h, t3.h, t9.h, p2.h", "sel t3.h, t9.h, t3.h, p2.h", "shfl t3.b, t3.b, 5", "sxth t3.w, t3.h",
        "replic t3.w, t3.w, r9", "qdpa t3.w, t3.b, t3.b, p7.b", "mul t3.h, t3.b, t9.b, p7.b",
        "cvt.d t3.fp16, t3.fp32, t9.fp32", "mma t3.fp32, t4.fp32, t3.fp16, t4.fp16"}) {
    std::string apart = text;  // the same with copies of the sources in t13, t14
    const std::size_t comma =
        apart.find(',', apart.rfind("t4.fp32") == std::string::npos ? 0 : apart.find("t4.fp32"));
    std::string sources = apart.substr(comma);
    for (std::size_t at = 0; (at = sources.find("t3", at)) != std::string::npos;)
      sources.replace(at, 2, "t13");
    for (std::size_t at = 0; (at = sources.find("t4", at)) != std::string::npos;)
      sources.replace(at, 2, "t14");
    const Model before = random_model(random);
    Model expected = before, actual = before;
    expected.t[13] = before.t[3];
    expected.t[14] = before.t[4];
    execute(decode_bundle(apart.substr(0, comma) + sources), expected);
    execute(decode_bundle(text), actual);
    EXPECT_EQ(actual.t[3], expected.t[3]) << text;
    EXPECT_EQ(actual.t[4], expected.t[4]) << text;
  }
}

}  // namespace
}  // namespace zynpu::vnpu
