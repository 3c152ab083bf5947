// SPDX-License-Identifier: MIT
// How kernels write TEC code: typed instructions on physical registers in program order. finish() turns them
// into bundles: straight-line code is list-scheduled, loops are software-pipelined, branches are fixed up.
// Program order is the meaning; the scheduler keeps every dependence at its latency (isa/timing.h), so it may
// be read sequentially.
//
// Only operations whose encoding and effect are undisputed are accepted (isa::dependable); the byte load is
// emitted with a mask because its extension is not known.
//
// Mistakes of the author (no free register, operand out of range, label never bound) do not throw: the first
// one is remembered and finish() returns it as kInternal.
//
//   Builder b("example");
//   Gpr from = b.gpr(), to = b.gpr();
//   b.ld(from, kLayerParams, 0);
//   b.ld(to, kLayerParams, 4);
//   b.loop(100, [&] {                      // 100 vectors, each byte doubled
//     Vec x = b.vec();
//     b.vld(x, from, 0, kIn);              // kIn, kOut: areas that do not overlap
//     b.vadd(isa::Size::kB, x, x, x);
//     b.vst(x, to, 0, kOut);
//     b.add(from, from, 32);
//     b.add(to, to, 32);
//   });
//   Result<Fragment> code = std::move(b).finish();
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "compiler/codegen/registers.h"
#include "isa/instruction.h"
#include "isa/table.h"

namespace zynpu::compiler {

using isa::Size;

// A part of memory, for the order of loads and stores. Accesses to two different areas never overlap, by
// promise of the author; area 0 may overlap everything. Loads are never ordered against loads. Different
// areas may name the same bytes when the author knows that an access never meets an earlier one (an in-place
// pass that reads each vector once before it writes it).
struct Area {
  std::uint8_t id = 0;
};
inline constexpr Area kAnywhere{0};

// A place in the code. Made by Builder::label(), bound at most once.
struct Label {
  int id = -1;
};

// What became of a loop: for cost models and tests. The loop takes (trips - stages + 1) * (bundles + 1)
// cycles inside (bundles + 1 with loopend), if it is a hardware loop.
struct LoopShape {
  std::string name;
  unsigned bundles = 0;  // of one trip, without loopend
  unsigned stages = 1;   // trips in flight; 1 = not pipelined
  bool hardware = true;  // false: closed by cbnz
};

// Position-independent bundles: branches are relative and stay inside.
struct Fragment {
  std::string name;
  std::vector<isa::Bundle> bundles;
  std::vector<LoopShape> loops;  // in program order
};

// Registers by number: bit n stands for register n.
struct FreeRegisters {
  std::uint32_t gprs = 0, vectors = 0;
};

struct LoopOptions {
  std::string_view name = "loop";
  bool pipeline = true;
};

// Not thread-safe. Handles must not outlive it.
class Builder {
 public:
  explicit Builder(std::string name);
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;

  // --- registers. 25 general, 32 vector and 7 predicate registers are free at the start.
  Gpr gpr();
  Vec vec();
  Pred pred();
  // General registers still free, for authors that choose their unrolling by it.
  unsigned free_gprs() const { return gprs_.available(); }
  unsigned free_vecs() const { return vecs_.available(); }

  // --- scalar. Immediates of add: -1023..1023.
  void add(R d, R a, R b) { emit3(isa::Op::kAdd, d, a, b); }
  void add(R d, R a, std::int32_t imm);
  void move(R d, R a) { add(d, a, 0); }
  void constant(R d, std::uint32_t value);  // mov, and movh if needed
  void sub(R d, R a, R b) { emit3(isa::Op::kSub, d, a, b); }
  void max(R d, R a, R b) { emit3(isa::Op::kMax, d, a, b); }  // signed
  void min(R d, R a, R b) { emit3(isa::Op::kMin, d, a, b); }
  void mul(R d, R a, R b) { emit3(isa::Op::kMul, d, a, b); }  // low 32 bits
  void mulh(R d, R a, R b) { emit3(isa::Op::kMulh, d, a, b); }
  void and_(R d, R a, R b) { emit3(isa::Op::kAnd, d, a, b); }  // not for addresses (assumptions.md)
  void or_(R d, R a, R b) { emit3(isa::Op::kOr, d, a, b); }
  void xor_(R d, R a, R b) { emit3(isa::Op::kXor, d, a, b); }
  void lsl(R d, R a, R b) { emit3(isa::Op::kLsl, d, a, b); }  // amounts below 32 only
  void lsr(R d, R a, R b) { emit3(isa::Op::kLsr, d, a, b); }
  void asr(R d, R a, R b) { emit3(isa::Op::kAsr, d, a, b); }
  void andl(R d, R a, unsigned imm5) { emit_imm(isa::Op::kAndl, d, a, static_cast<std::int32_t>(imm5)); }
  void orl(R d, R a, unsigned imm5) { emit_imm(isa::Op::kOrl, d, a, static_cast<std::int32_t>(imm5)); }
  void bfs(R d, R a, unsigned first, unsigned count_minus_1);
  // d = a * factor, by additions or `mul` (no immediate shift is certain).
  void scale(R d, R a, unsigned factor);

  // --- memory. Word offsets: multiples of 4 in -256..252. Vector offsets: 0..511, addresses 32-byte aligned.
  void ld(R d, R base, std::int32_t offset, Area area = kAnywhere);
  void st(R value, R base, std::int32_t offset, Area area = kAnywhere);
  // Zero-extended byte: load and mask with `mask_255`, a register that holds 255.
  void ldb(R d, R base, std::int32_t offset, R mask_255, Area area = kAnywhere);
  void stb(R value, R base, std::int32_t offset, Area area = kAnywhere);
  void vld(V d, R base, std::int32_t offset, Area area = kAnywhere);
  void vst(V value, R base, std::int32_t offset, Area area = kAnywhere);

  // --- vector integer arithmetic (slots 0, 1)
  void vadd(Size s, V d, V a, V b) { emit_v(isa::Op::kVadd, s, d, a, b); }  // wraps
  void vsub(Size s, V d, V a, V b) { emit_v(isa::Op::kVsub, s, d, a, b); }
  void vaddi(Size s, V d, V a, unsigned imm8) { emit_vi(isa::Op::kVaddi, s, d, a, static_cast<int>(imm8)); }
  void vsubi(Size s, V d, V a, unsigned imm8) { emit_vi(isa::Op::kVsubi, s, d, a, static_cast<int>(imm8)); }
  void vmax(Size s, V d, V a, V b, P p = kAll, bool is_unsigned = false);
  void vmin(Size s, V d, V a, V b, P p = kAll, bool is_unsigned = false);
  void vmaxi(Size s, V d, V a, int imm8) { emit_vi(isa::Op::kVmaxi, s, d, a, imm8); }  // signed, -128..127
  void vmini(Size s, V d, V a, int imm8) { emit_vi(isa::Op::kVmini, s, d, a, imm8); }
  void vmaxui(Size s, V d, V a, unsigned imm8) { emit_vi(isa::Op::kVmaxui, s, d, a, static_cast<int>(imm8)); }
  void vminui(Size s, V d, V a, unsigned imm8) { emit_vi(isa::Op::kVminui, s, d, a, static_cast<int>(imm8)); }
  // d.w[i] (+)= sum over k < 4 of a.b[4i+k] * b.b[4i+k], signed
  void qdpa(V d, V a, V b, P p = kAll) { emit_v(isa::Op::kQdpa, Size::kB, d, a, b, p); }
  void qdot(V d, V a, V b, P p = kAll) { emit_v(isa::Op::kQdot, Size::kB, d, a, b, p); }
  // d.h[i] (+)= a.b[2i]*b.b[2i] + a.b[2i+1]*b.b[2i+1], signed, saturating
  void dpa(V d, V a, V b, P p = kAll) { emit_v(isa::Op::kDpa, Size::kB, d, a, b, p); }
  void dot(V d, V a, V b, P p = kAll) { emit_v(isa::Op::kDot, Size::kB, d, a, b, p); }
  // d.h[i] = a.b[i] * b.b[i] of bytes 0..15 (low) or 16..31 (high). Mixed signs need two different registers.
  void vmul_low(V d, V a, V b, bool a_unsigned = false, bool b_unsigned = false);
  void vmul_high(V d, V a, V b, bool a_unsigned = false, bool b_unsigned = false);
  // d = per lane a ? b, signed; only where p
  void vcmp_eq(Size s, P d, V a, V b, P p = kAll) { emit_cmp(isa::Op::kVcmpeq, s, d, a, b, p); }
  void vcmp_ne(Size s, P d, V a, V b, P p = kAll) { emit_cmp(isa::Op::kVcmpne, s, d, a, b, p); }
  void vcmp_lt(Size s, P d, V a, V b, P p = kAll) { emit_cmp(isa::Op::kVcmplt, s, d, a, b, p); }
  void vcmp_le(Size s, P d, V a, V b, P p = kAll) { emit_cmp(isa::Op::kVcmple, s, d, a, b, p); }
  void vcmp_gt(Size s, P d, V a, V b, P p = kAll) { emit_cmp(isa::Op::kVcmpgt, s, d, a, b, p); }
  void vcmp_ge(Size s, P d, V a, V b, P p = kAll) { emit_cmp(isa::Op::kVcmpge, s, d, a, b, p); }
  void rpadd(V d, V a, P p = kAll) {
    emit_v(isa::Op::kRpadd, Size::kW, d, a, V{}, p);
  }  // lane 0 = sum of words

  // --- fp32 (slots 0, 1), 8 lanes
  void fadd(V d, V a, V b, P p = kAll) { emit_v(isa::Op::kFadd, Size::kW, d, a, b, p); }
  void fsub(V d, V a, V b, P p = kAll) { emit_v(isa::Op::kFsub, Size::kW, d, a, b, p); }
  void fmax(V d, V a, V b, P p = kAll) { emit_v(isa::Op::kFmax, Size::kW, d, a, b, p); }
  void fmin(V d, V a, V b, P p = kAll) { emit_v(isa::Op::kFmin, Size::kW, d, a, b, p); }
  void fmul(V d, V a, V b, P p = kAll) { emit_v(isa::Op::kFmul, Size::kW, d, a, b, p); }
  void fma(V d, V a, V b, P p = kAll) { emit_v(isa::Op::kFma, Size::kW, d, a, b, p); }  // d += a*b
  void rint(V d, V a, P p = kAll) { emit_v(isa::Op::kRint, Size::kW, d, a, V{}, p); }
  void to_int(V d, V a) { emit_v(isa::Op::kCvtwf, Size::kW, d, a, V{}); }    // after rint: exact, saturating
  void to_float(V d, V a) { emit_v(isa::Op::kCvtfw, Size::kW, d, a, V{}); }  // exact below 2^24

  // --- lane movement, logic, shifts, narrowing (slot 2)
  void zipl(Size s, V d, V a, V b) { emit_v(isa::Op::kZipl, s, d, a, b); }
  void ziph(Size s, V d, V a, V b) { emit_v(isa::Op::kZiph, s, d, a, b); }
  void zipe(Size s, V d, V a, V b) { emit_v(isa::Op::kZipe, s, d, a, b); }
  void zipo(Size s, V d, V a, V b) { emit_v(isa::Op::kZipo, s, d, a, b); }
  void extl(Size s, V d, V a, V b) { emit_v(isa::Op::kExtl, s, d, a, b); }
  void exth(Size s, V d, V a, V b) { emit_v(isa::Op::kExth, s, d, a, b); }
  void exte(Size s, V d, V a, V b) { emit_v(isa::Op::kExte, s, d, a, b); }
  void exto(Size s, V d, V a, V b) { emit_v(isa::Op::kExto, s, d, a, b); }
  void vand(V d, V a, V b) { emit_v(isa::Op::kVand, Size::kW, d, a, b); }
  void vor(V d, V a, V b) { emit_v(isa::Op::kVor, Size::kW, d, a, b); }
  void vxor(V d, V a, V b) { emit_v(isa::Op::kVxor, Size::kW, d, a, b); }
  void vmove(V d, V a) { vor(d, a, a); }
  void vasr(Size s, V d, V a, V amount) { emit_v(isa::Op::kVasr, s, d, a, amount); }
  void vlsr(Size s, V d, V a, V amount) { emit_v(isa::Op::kVlsr, s, d, a, amount); }
  void vlsl(Size s, V d, V a, V amount) { emit_v(isa::Op::kVlsl, s, d, a, amount); }
  void vasri(Size s, V d, V a, unsigned amount) {
    emit_vi(isa::Op::kVasri, s, d, a, static_cast<int>(amount));
  }
  void vlsri(Size s, V d, V a, unsigned amount) {
    emit_vi(isa::Op::kVlsri, s, d, a, static_cast<int>(amount));
  }
  void vlsli(Size s, V d, V a, unsigned amount) {
    emit_vi(isa::Op::kVlsli, s, d, a, static_cast<int>(amount));
  }
  void sel(Size s, V d, V a, V b, P p) { emit_v(isa::Op::kSel, s, d, a, b, p); }  // a where p, else b
  void replic(Size s, V d, V a, R lane);  // all lanes = lane `lane` of a
  void shfl(V d, V a, unsigned bytes) { emit_vi(isa::Op::kShfl, Size::kB, d, a, static_cast<int>(bytes)); }
  void sxt_low_bh(V d, V a) { emit_v(isa::Op::kSxtlhb, Size::kB, d, a, V{}); }   // bytes 0..15 to halves
  void sxt_high_bh(V d, V a) { emit_v(isa::Op::kSxthhb, Size::kB, d, a, V{}); }  // bytes 16..31
  void uxt_low_bh(V d, V a) { emit_v(isa::Op::kUxtlhb, Size::kB, d, a, V{}); }
  void uxt_high_bh(V d, V a) { emit_v(isa::Op::kUxthhb, Size::kB, d, a, V{}); }
  void sxt_low_hw(V d, V a) { emit_v(isa::Op::kSxtlwh, Size::kH, d, a, V{}); }   // halves 0..7 to words
  void sxt_high_hw(V d, V a) { emit_v(isa::Op::kSxthwh, Size::kH, d, a, V{}); }  // halves 8..15
  // In place, saturating: words to int8 in byte 0 of each word; words to int16; halves to int8. Other bytes
  // 0.
  void narrow_bw(V d) { emit_narrow(isa::Op::kNsrasbw, d); }
  void narrow_hw(V d) { emit_narrow(isa::Op::kNsrashw, d); }
  void narrow_bh(V d) { emit_narrow(isa::Op::kNsrasbh, d); }
  void insert_w(V d, R value, unsigned lane);
  void insert_b(V d, R value, unsigned lane);

  // --- immediates and broadcasts
  void splat_b(V d, int imm8);              // every byte = imm8, -128..127 (slot 3)
  void splat_w(V d, int imm8, P p = kAll);  // every active word = imm8, -128..127 (slots 2, 3)
  void bcast(V d, R value);                 // every word = value (slot 3)
  void zero(V d) { splat_b(d, 0); }

  // --- control
  Label label();
  void bind(Label label);  // this place; code falls through into it
  void branch(Label target);
  void branch_if_nonzero(R r, Label target);
  void exit();
  void read_control(unsigned space, R d, unsigned index);
  void write_control(unsigned space, R value, unsigned index);

  // Hardware loop of `trips` >= 1 trips. The body is straight-line code (no labels, no loops inside, no
  // dma/wfe if it is to be pipelined). Falls back to a cbnz loop if it does not fit the loop buffer.
  void loop(unsigned trips, const std::function<void()>& body, LoopOptions options = {});
  // The same with the trip count in a register: it holds trips - 1, and is clobbered. `min_trips` is what the
  // author promises; a loop is pipelined only as deeply as that allows.
  void loop(R trips_minus_1, unsigned min_trips, const std::function<void()>& body, LoopOptions options = {});
  // Runs the body `counter` times (>= 1), counting the register down to 0; closed by cbnz; anything may be
  // inside.
  void repeat(R counter, const std::function<void()>& body);

  // Runs the body if `r` is not 0.
  void if_nonzero(R r, const std::function<void()>& body);

  // --- DMA (direct mode). `sync` holds a flag number 0..3. Descriptors: dma.h.
  void dma_to_lsram(R descriptor, R lsram, R ddr, R sync);
  void dma_to_ddr(R descriptor, R lsram, R ddr, R sync);
  void wait_flags(R mask);  // until every flag whose bit in `mask` is 0 is idle
  void wait_all_flags();    // until no flag is busy

  // Any instruction, for code that must not be touched (prologue, epilogue).
  void emit(const isa::Instruction& instruction, Area area = kAnywhere);
  // Everything before stays before, everything after stays after.
  void barrier();

  // Remembers the first mistake; for kernel authors' own checks too.
  void mistake(std::string text);

  Result<Fragment> finish() &&;

 private:
  friend class Assembler;
  struct Item {
    enum class Kind : std::uint8_t { kInstruction, kBind, kLoopBegin, kLoopEnd, kBarrier } kind;
    isa::Instruction insn;
    Area area;
    int label = -1;  // of branches and kBind
    int loop = -1;   // of kLoopBegin: index into loops_
  };
  struct Loop {
    std::string name;
    R counter;                // holds trips - 1 at run time, or is set by the builder
    unsigned constant_trips;  // 0: the count is in the register
    unsigned min_trips;
    bool pipeline;
    FreeRegisters free{};  // what only the body uses
  };

  void begin_loop(Loop loop);
  void end_loop();
  void emit3(isa::Op op, R d, R a, R b);
  void emit_imm(isa::Op op, R d, R a, std::int32_t imm);
  void emit_v(isa::Op op, Size s, V d, V a, V b, P p = kAll);
  void emit_vi(isa::Op op, Size s, V d, V a, int imm);
  void emit_cmp(isa::Op op, Size s, P d, V a, V b, P p);
  void emit_narrow(isa::Op op, V d);
  void emit_memory(isa::Op op, std::uint8_t d, R base, std::int32_t offset, Area area);
  void emit_dma(R descriptor, R lsram, R ddr, R sync, std::uint8_t dir);

  std::string name_;
  std::string mistake_;
  RegisterPool gprs_, vecs_, preds_;
  std::vector<Item> items_;
  std::vector<Loop> loops_;
  int labels_ = 0;
  bool in_loop_ = false;
};

}  // namespace zynpu::compiler
