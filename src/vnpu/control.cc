// SPDX-License-Identifier: MIT
#include "vnpu/control.h"

namespace zynpu::vnpu {

void read_control(TecState& s, const MicroOp& op) {
  std::uint32_t value = 0;
  if (s.port->read_control(op.b, static_cast<unsigned>(op.imm), value)) s.r[op.d] = value;
}

void write_control(TecState& s, const MicroOp& op) {
  s.port->write_control(op.b, static_cast<unsigned>(op.imm), s.r[op.d]);
}

void no_operation(TecState&, const MicroOp&) {}

}  // namespace zynpu::vnpu
