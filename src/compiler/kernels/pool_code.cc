// SPDX-License-Identifier: MIT
#include "compiler/kernels/pool_code.h"

namespace zynpu::compiler {

void load_param(Builder& b, R d, unsigned index) {
  b.ld(d, kLayerParams, static_cast<std::int32_t>(4 * index));
}

void for_taps(Builder& b, const WindowParams& params, R window, const std::function<void(R at)>& tap) {
  Gpr rows = b.gpr(), row = b.gpr(), row_pitch = b.gpr(), pitch = b.gpr();
  load_param(b, rows, params.tap_rows);
  load_param(b, row_pitch, params.row_pitch);
  load_param(b, pitch, params.pitch);
  b.move(row, window);
  b.repeat(rows, [&] {
    Gpr at = b.gpr(), columns = b.gpr();
    b.move(at, row);
    load_param(b, columns, params.tap_columns);
    b.loop(columns, 1,
           [&] {
             tap(at);
             b.add(at, at, pitch);
           },
           {.name = "taps"});
    b.add(row, row, row_pitch);
  });
}

std::array<Vec, 4> emit_window_sums(Builder& b, const WindowParams& params, R window, Area input) {
  // d.h[i] += x.b[2i] * select.b[2i] + x.b[2i+1] * select.b[2i+1]: one selector sums even channels, one odd
  // channels. At most 255 taps of -128..127 stay inside 16 bits.
  Vec even = b.vec(), odd = b.vec();
  b.zero(even);
  b.zero(odd);
  {
    Vec select_even = b.vec(), select_odd = b.vec();
    Gpr ones = b.gpr();
    b.constant(ones, 0x00010001);
    b.bcast(select_even, ones);
    b.constant(ones, 0x01000100);
    b.bcast(select_odd, ones);
    for_taps(b, params, window, [&](R at) {
      Vec x = b.vec();
      b.vld(x, at, 0, input);
      b.dpa(even, x, select_even);
      b.dpa(odd, x, select_odd);
    });
  }
  std::array<Vec, 4> words{b.vec(), b.vec(), b.vec(), b.vec()};
  Vec first = b.vec(), second = b.vec();
  b.zipl(Size::kH, first, even, odd);
  b.ziph(Size::kH, second, even, odd);
  b.sxt_low_hw(words[0], first);
  b.sxt_high_hw(words[1], first);
  b.sxt_low_hw(words[2], second);
  b.sxt_high_hw(words[3], second);
  return words;
}

}  // namespace zynpu::compiler
