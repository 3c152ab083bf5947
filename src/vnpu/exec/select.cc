// SPDX-License-Identifier: MIT
#include "vnpu/exec/level.h"

namespace zynpu::vnpu {
#if defined(ZYNPU_VNPU_HAVE_AVX2)
namespace {

bool host_has_avx2() {
  static const bool has = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
  return has;
}

}  // namespace
#endif

OpFunction select_function(const isa::Instruction& i, bool half_up) {
#if defined(ZYNPU_VNPU_HAVE_AVX2)
  if (host_has_avx2()) {
    using namespace avx2;
    if (OpFunction f = select_memory(i)) return f;
    if (OpFunction f = select_scalar(i)) return f;
    if (OpFunction f = select_integer(i)) return f;
    if (OpFunction f = select_move(i)) return f;
    if (OpFunction f = select_shift(i, half_up)) return f;
    return select_float(i);
  }
#endif
  using namespace baseline;
  if (OpFunction f = select_memory(i)) return f;
  if (OpFunction f = select_scalar(i)) return f;
  if (OpFunction f = select_integer(i)) return f;
  if (OpFunction f = select_move(i)) return f;
  if (OpFunction f = select_shift(i, half_up)) return f;
  return select_float(i);
}

bool fuse(const MicroOp& first, const MicroOp& second, MicroOp& pair) {
#if defined(ZYNPU_VNPU_HAVE_AVX2)
  if (host_has_avx2())
    return avx2::fuse_integer(first, second, pair) || avx2::fuse_memory(first, second, pair);
#endif
  return baseline::fuse_integer(first, second, pair) || baseline::fuse_memory(first, second, pair);
}

void copy_gpr(TecState& s, const MicroOp& op) { s.r[op.d] = s.r[op.a]; }
void copy_vector(TecState& s, const MicroOp& op) { s.t[op.d] = s.t[op.a]; }
void copy_predicate(TecState& s, const MicroOp& op) { s.p[op.d] = s.p[op.a]; }

}  // namespace zynpu::vnpu
