// SPDX-License-Identifier: MIT
// Pieces of code that the pools and MEAN share.
#pragma once

#include <array>
#include <functional>

#include "compiler/codegen/builder.h"

namespace zynpu::compiler {

// Where the window of an output lies in LSRAM. The values are parameter indices: the words are read where
// needed.
struct WindowParams {
  unsigned tap_rows;     // rows of the window
  unsigned tap_columns;  // columns, minus 1
  unsigned pitch;        // bytes a pixel
  unsigned row_pitch;    // bytes a row of input pixels
};

// d = parameter word `index` of the layer.
void load_param(Builder& b, R d, unsigned index);

// For every tap of the window at `window`: tap(address of its vector).
void for_taps(Builder& b, const WindowParams& params, R window, const std::function<void(R at)>& tap);

// The sums of 32 int8 channels over the window's taps (at most 255), as four vectors of words.
std::array<Vec, 4> emit_window_sums(Builder& b, const WindowParams& params, R window, Area input);

}  // namespace zynpu::compiler
