// SPDX-License-Identifier: MIT
// Text of programs that do their work on one engine, for tests that care about memory and jobs, not about
// code.
#pragma once

#include <string>

namespace zynpu::test {

// Sixteen vectors, then `body` on the first TEC with r1 = parameter block; the others only end. At the end
// the data cache is written back.
inline std::string first_tec_source(const std::string& part, const std::string& body) {
  const bool x2 = part == "x2";
  std::string text = "b start\n";
  for (int i = 1; i < 16; ++i) text += "b spin\n";
  text += "spin: b spin\nstart:\nmfctrl0 r20, 0\n";
  text += x2 ? "andl r20, r20, 31\n" : "mov r19, 16\nlsr r20, r20, r19\n";
  text += "cbnz r20, done\nmfctrl0 r1, 20\n";
  if (x2) text += "ld r1, [r1+56]\n";
  text += body;
  text += "done:\n";
  text += x2 ? "mfctrl0 r2, 0x82\norl r2, r2, 4\nmtctrl0 r2, 0x82\nmfctrl0 r3, 0x90\nmovh r3, 381\n"
               "mtctrl0 r3, 0x90\nflush: mfctrl0 r2, 0x82\nandl r2, r2, 4\ncbnz r2, flush\nwfe r0, 0\nexit\n"
             : "mfctrl0 r2, 0x82\norl r2, r2, 4\nmtctrl0 r2, 0x82\nexit\n";
  return text;
}

// The body of a program that adds 1 to each of four words: they are read at the address in word 0 of the
// parameter block and written at the one in word 1.
inline std::string add_one_body() {
  std::string body = "ld r2, [r1+0]\nld r3, [r1+4]\n";
  for (int i = 0; i < 16; i += 4)
    body += "ld r4, [r2+" + std::to_string(i) + "]\nadd r4, r4, 1\nst r4, [r3+" + std::to_string(i) + "]\n";
  return body;
}

}  // namespace zynpu::test
