// SPDX-License-Identifier: MIT
#include "compiler/codegen/builder.h"

#include "compiler/codegen/assembler.h"
#include "isa/encode.h"

namespace zynpu::compiler {
namespace {

constexpr std::uint32_t kFreeGprs = 0x000FFFFF | 1U << 26 | 1U << 27 | 1U << 28 | 1U << 29 | 1U << 30;

isa::Instruction make(isa::Op op, std::uint8_t d, std::uint8_t a, std::uint8_t b = 0, std::int32_t imm = 0) {
  isa::Instruction insn;
  insn.op = op;
  insn.d = d;
  insn.a = a;
  insn.b = b;
  insn.imm = imm;
  return insn;
}

// The byte load is only used with a mask, which makes its unknown extension harmless.
bool accepted(isa::Op op) { return isa::dependable(op) || op == isa::Op::kLdb; }

}  // namespace

Builder::Builder(std::string name) : name_(std::move(name)), gprs_(kFreeGprs), vecs_(~0U), preds_(0x7F) {}

Gpr Builder::gpr() {
  const int n = gprs_.take();
  if (n >= 0) return {&gprs_, static_cast<std::uint8_t>(n)};
  mistake("no general register is free");
  return {};
}

Vec Builder::vec() {
  const int n = vecs_.take();
  if (n >= 0) return {&vecs_, static_cast<std::uint8_t>(n)};
  mistake("no vector register is free");
  return {};
}

Pred Builder::pred() {
  const int n = preds_.take();
  if (n >= 0) return {&preds_, static_cast<std::uint8_t>(n)};
  mistake("no predicate register is free");
  return {};
}

void Builder::mistake(std::string text) {
  if (mistake_.empty()) mistake_ = std::move(text);
}

void Builder::emit(const isa::Instruction& instruction, Area area) {
  if (!accepted(instruction.op)) {
    mistake(fmt::format("`{}` is not certain enough to generate", isa::info(instruction.op).id));
    return;
  }
  if (auto ok = isa::check(instruction); !ok) {
    mistake(ok.error().message);
    return;
  }
  items_.push_back({Item::Kind::kInstruction, instruction, area, -1, -1});
}

void Builder::emit3(isa::Op op, R d, R a, R b) { emit(make(op, d.n, a.n, b.n)); }

void Builder::emit_imm(isa::Op op, R d, R a, std::int32_t imm) { emit(make(op, d.n, a.n, 0, imm)); }

void Builder::emit_v(isa::Op op, Size s, V d, V a, V b, P p) {
  const isa::OpInfo& row = isa::info(op);
  isa::Instruction insn = make(op, d.n, a.n, row.has(isa::Role::kB) ? b.n : std::uint8_t{0});
  if (row.sized()) insn.size = s;
  if (row.has(isa::Role::kP)) insn.p = p.n;
  emit(insn);
}

void Builder::emit_vi(isa::Op op, Size s, V d, V a, int imm) {
  isa::Instruction insn = make(op, d.n, a.n, 0, imm);
  if (isa::info(op).sized()) insn.size = s;
  emit(insn);
}

void Builder::emit_cmp(isa::Op op, Size s, P d, V a, V b, P p) {
  isa::Instruction insn = make(op, d.n, a.n, b.n);
  insn.size = s;
  insn.p = p.n;
  emit(insn);
}

void Builder::emit_narrow(isa::Op op, V d) { emit(make(op, d.n, 0)); }

void Builder::emit_memory(isa::Op op, std::uint8_t d, R base, std::int32_t offset, Area area) {
  emit(make(op, d, base.n, 0, offset), area);
}

void Builder::add(R d, R a, std::int32_t imm) {
  if (imm >= 0)
    emit_imm(isa::Op::kAddi, d, a, imm);
  else
    emit_imm(isa::Op::kSubi, d, a, -imm);
}

void Builder::constant(R d, std::uint32_t value) {
  const auto low = static_cast<std::int16_t>(value & 0xFFFF);
  emit(make(isa::Op::kMov, d.n, 0, 0, low));
  if (static_cast<std::uint32_t>(static_cast<std::int32_t>(low)) != value)
    emit(make(isa::Op::kMovh, d.n, 0, 0, static_cast<std::int16_t>(value >> 16)));
}

void Builder::bfs(R d, R a, unsigned first, unsigned count_minus_1) {
  isa::Instruction insn = make(isa::Op::kBfs, d.n, a.n, 0, static_cast<std::int32_t>(first));
  insn.imm2 = static_cast<std::int32_t>(count_minus_1);
  emit(insn);
}

void Builder::scale(R d, R a, unsigned factor) {
  if (factor == 0) {
    move(d, kZeroReg);
  } else if ((factor & (factor - 1)) == 0 && factor <= 4) {
    add(d, a, factor == 1 ? kZeroReg : a);
    if (factor == 4) add(d, d, d);
  } else {
    Gpr by = gpr();
    constant(by, factor);
    mul(d, a, by);
  }
}

void Builder::ld(R d, R base, std::int32_t offset, Area area) {
  emit_memory(isa::Op::kLd, d.n, base, offset, area);
}
void Builder::st(R value, R base, std::int32_t offset, Area area) {
  emit_memory(isa::Op::kSt, value.n, base, offset, area);
}
void Builder::ldb(R d, R base, std::int32_t offset, R mask_255, Area area) {
  emit_memory(isa::Op::kLdb, d.n, base, offset, area);
  and_(d, d, mask_255);
}
void Builder::stb(R value, R base, std::int32_t offset, Area area) {
  emit_memory(isa::Op::kStb, value.n, base, offset, area);
}
void Builder::vld(V d, R base, std::int32_t offset, Area area) {
  emit_memory(isa::Op::kVld, d.n, base, offset, area);
}
void Builder::vst(V value, R base, std::int32_t offset, Area area) {
  emit_memory(isa::Op::kVst, value.n, base, offset, area);
}

void Builder::vmax(Size s, V d, V a, V b, P p, bool is_unsigned) {
  isa::Instruction insn = make(isa::Op::kVmax, d.n, a.n, b.n);
  insn.size = s;
  insn.p = p.n;
  insn.unsigned_d = is_unsigned;
  emit(insn);
}

void Builder::vmin(Size s, V d, V a, V b, P p, bool is_unsigned) {
  isa::Instruction insn = make(isa::Op::kVmin, d.n, a.n, b.n);
  insn.size = s;
  insn.p = p.n;
  insn.unsigned_d = is_unsigned;
  emit(insn);
}

void Builder::vmul_low(V d, V a, V b, bool a_unsigned, bool b_unsigned) {
  isa::Instruction insn = make(isa::Op::kVmulb, d.n, a.n, b.n);
  insn.p = isa::kP7;
  insn.unsigned_a = a_unsigned;
  insn.unsigned_b = b_unsigned;
  emit(insn);
}

void Builder::vmul_high(V d, V a, V b, bool a_unsigned, bool b_unsigned) {
  isa::Instruction insn = make(isa::Op::kVmulhb, d.n, a.n, b.n);
  insn.p = isa::kP7;
  insn.unsigned_a = a_unsigned;
  insn.unsigned_b = b_unsigned;
  emit(insn);
}

void Builder::replic(Size s, V d, V a, R lane) {
  isa::Instruction insn = make(isa::Op::kReplic, d.n, a.n, lane.n);
  insn.size = s;
  emit(insn);
}

void Builder::insert_w(V d, R value, unsigned lane) {
  emit(make(isa::Op::kInsertw, d.n, 0, value.n, static_cast<std::int32_t>(lane)));
}
void Builder::insert_b(V d, R value, unsigned lane) {
  emit(make(isa::Op::kInsertb, d.n, 0, value.n, static_cast<std::int32_t>(lane)));
}

void Builder::splat_b(V d, int imm8) { emit(make(isa::Op::kMov4, d.n, 0, 0, imm8)); }

void Builder::splat_w(V d, int imm8, P p) {
  isa::Instruction insn = make(isa::Op::kMovf, d.n, 0, 0, imm8);
  insn.p = p.n;
  emit(insn);
}

void Builder::bcast(V d, R value) { emit(make(isa::Op::kBcast, d.n, 0, value.n)); }

Label Builder::label() { return {labels_++}; }

void Builder::bind(Label label) {
  if (in_loop_) mistake("a label inside a hardware loop");
  items_.push_back({Item::Kind::kBind, {}, {}, label.id, -1});
}

void Builder::branch(Label target) {
  if (in_loop_) mistake("a branch inside a hardware loop");
  items_.push_back({Item::Kind::kInstruction, make(isa::Op::kB, 0, 0), {}, target.id, -1});
}

void Builder::branch_if_nonzero(R r, Label target) {
  if (in_loop_) mistake("a branch inside a hardware loop");
  items_.push_back({Item::Kind::kInstruction, make(isa::Op::kCbnz, 0, r.n), {}, target.id, -1});
}

void Builder::exit() { emit(make(isa::Op::kExit, 0, 0)); }

void Builder::read_control(unsigned space, R d, unsigned index) {
  constexpr isa::Op kOps[] = {isa::Op::kMfctrl0, isa::Op::kMfctrl1, isa::Op::kMfctrl2};
  emit(make(kOps[space % 3], d.n, 0, 0, static_cast<std::int32_t>(index)));
}

void Builder::write_control(unsigned space, R value, unsigned index) {
  constexpr isa::Op kOps[] = {isa::Op::kMtctrl0, isa::Op::kMtctrl1, isa::Op::kMtctrl2};
  emit(make(kOps[space % 3], value.n, 0, 0, static_cast<std::int32_t>(index)));
}

void Builder::loop(unsigned trips, const std::function<void()>& body, LoopOptions options) {
  if (trips == 0) mistake(fmt::format("loop `{}` has no trips", options.name));
  Gpr counter = gpr();
  begin_loop({std::string(options.name), counter.name(), trips, trips, options.pipeline});
  body();
  end_loop();
}

void Builder::loop(R trips_minus_1, unsigned min_trips, const std::function<void()>& body,
                   LoopOptions options) {
  if (min_trips == 0) mistake(fmt::format("loop `{}` may have no trips", options.name));
  begin_loop({std::string(options.name), trips_minus_1, 0, min_trips, options.pipeline});
  body();
  end_loop();
}

void Builder::begin_loop(Loop loop) {
  if (in_loop_) mistake("a hardware loop inside a hardware loop");
  in_loop_ = true;
  loop.free = {gprs_.free_mask(), vecs_.free_mask()};
  loops_.push_back(std::move(loop));
  items_.push_back({Item::Kind::kLoopBegin, {}, {}, -1, static_cast<int>(loops_.size()) - 1});
}

void Builder::end_loop() {
  in_loop_ = false;
  items_.push_back({Item::Kind::kLoopEnd, {}, {}, -1, -1});
}

void Builder::repeat(R counter, const std::function<void()>& body) {
  const Label start = label();
  bind(start);
  body();
  add(counter, counter, -1);
  branch_if_nonzero(counter, start);
}

void Builder::if_nonzero(R r, const std::function<void()>& body) {
  const Label then = label(), end = label();
  branch_if_nonzero(r, then);
  branch(end);
  bind(then);
  body();
  bind(end);
}

void Builder::emit_dma(R descriptor, R lsram, R ddr, R sync, std::uint8_t dir) {
  isa::Instruction insn = make(isa::Op::kDma, sync.n, descriptor.n, lsram.n);
  insn.c = ddr.n;
  insn.int_space = 4;  // LSRAM; the external side is ASID 0
  insn.dir = dir;
  emit(insn);
}

void Builder::dma_to_lsram(R descriptor, R lsram, R ddr, R sync) {
  emit_dma(descriptor, lsram, ddr, sync, 1);
}
void Builder::dma_to_ddr(R descriptor, R lsram, R ddr, R sync) { emit_dma(descriptor, lsram, ddr, sync, 0); }

void Builder::wait_flags(R mask) { emit(make(isa::Op::kWfe, 0, mask.n, 0, 1)); }
void Builder::wait_all_flags() { emit(make(isa::Op::kWfe, 0, isa::kZero, 0, 2)); }

void Builder::barrier() {
  if (in_loop_) mistake("a scheduling barrier inside a hardware loop");
  items_.push_back({Item::Kind::kBarrier, {}, {}, -1, -1});
}

Result<Fragment> Builder::finish() && {
  if (!mistake_.empty()) return fail(ErrorCode::kInternal, "code of `{}`: {}", name_, mistake_);
  return Assembler(*this).run();
}

}  // namespace zynpu::compiler
