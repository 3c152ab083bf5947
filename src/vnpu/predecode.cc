// SPDX-License-Identifier: MIT
#include <bit>

#include "isa/asm.h"
#include "isa/table.h"
#include "isa/timing.h"
#include "vnpu/control.h"
#include "vnpu/program.h"

namespace zynpu::vnpu {
namespace {

using isa::Dest;
using isa::File;
using isa::Instruction;
using isa::Kind;
using isa::Op;
using isa::Role;

// Registers of all files in one mask each, without sharing: for the order inside a bundle.
struct Registers {
  std::uint32_t mask[3] = {0, 0, 0};
  std::uint32_t& of(File file) { return mask[static_cast<unsigned>(file)]; }
  bool meets(const Registers& other) const {
    return ((mask[0] & other.mask[0]) | (mask[1] & other.mask[1]) | (mask[2] & other.mask[2])) != 0;
  }
};

Registers reads(const Instruction& insn) {
  Registers result;
  isa::for_each_read(insn, [&](File file, unsigned reg) { result.of(file) |= 1u << reg; });
  return result;
}
Registers writes(const Instruction& insn) {
  Registers result;
  isa::for_each_write(insn, [&](File file, unsigned reg) { result.of(file) |= 1u << reg; });
  return result;
}

// One slot on its way into micro-operations.
struct Item {
  const Instruction* insn;
  MicroOp op;
  Registers reads, writes;
  bool load, store;
  bool done;
};

// Must `first` run before `second`, both in one bundle, so that all reads come before all writes?
bool before(const Item& first, const Item& second) {
  return first.reads.meets(second.writes) || (first.load && second.store);
}

// The operands of micro-operations that a later write may force aside, with their files.
struct Operand {
  std::uint8_t* reg;
  File file;
};

class Emitter {
 public:
  explicit Emitter(DecodedBundle& bundle) : bundle_(bundle) {}

  void emit(const MicroOp& op) { bundle_.op[bundle_.ops++] = op; }

  // Copies `operand` to a spare register and redirects it there.
  void save(Operand operand) {
    MicroOp copy;
    unsigned& used = used_[static_cast<unsigned>(operand.file)];
    copy.function = operand.file == File::kGpr      ? copy_gpr
                    : operand.file == File::kVector ? copy_vector
                                                    : copy_predicate;
    copy.a = *operand.reg;
    copy.d = static_cast<std::uint8_t>((operand.file == File::kPredicate ? kPredicates : kGprs) + used++);
    emit(copy);
    *operand.reg = copy.d;
  }

  // Saves every source of `item` that one of `written` overwrites.
  void save_sources(Item& item, const Registers& written) {
    const isa::OpInfo& row = isa::info(item.insn->op);
    for (unsigned i = 0; i < row.fields; ++i) {
      const isa::Field& field = row.field[i];
      if (field.kind != isa::FieldKind::kRegister) continue;
      std::uint8_t* reg = nullptr;
      if (field.role == Role::kA) reg = &item.op.a;
      if (field.role == Role::kB) reg = &item.op.b;
      if (field.role == Role::kP) reg = &item.op.p;
      if (field.role == Role::kD && row.dest == Dest::kSource) reg = &item.op.d;
      if (reg == nullptr || *reg >= 32) continue;
      const bool zero = field.file == File::kGpr && *reg == isa::kZero;
      if (!zero && (written.mask[static_cast<unsigned>(field.file)] >> *reg & 1) != 0)
        save({reg, field.file});
    }
    item.reads = Registers{};
  }

 private:
  DecodedBundle& bundle_;
  unsigned used_[3] = {0, 0, 0};
};

// Orders the items so that running them one after the other is as if all had read before any wrote. Where
// they form a circle, the sources of one are saved first.
void emit_ordered(std::array<Item, isa::kSlots>& items, unsigned count, DecodedBundle& out,
                  std::uint8_t* control) {
  Emitter emitter(out);
  Registers all;
  for (unsigned i = 0; i < count; ++i)
    for (unsigned f = 0; f < 3; ++f) all.mask[f] |= items[i].writes.mask[f];
  if (control != nullptr && *control != isa::kZero && (all.of(File::kGpr) >> *control & 1) != 0)
    emitter.save({control, File::kGpr});
  // Saved operands must be copied before anything runs: find the circles first, on a dry run.
  for (;;) {
    unsigned left = count;
    std::array<bool, isa::kSlots> gone{};
    bool moved = true;
    while (moved && left != 0) {
      moved = false;
      for (unsigned i = 0; i < count; ++i) {
        if (gone[i]) continue;
        bool free = true;  // nothing left has to run before it
        for (unsigned j = 0; j < count; ++j)
          free = free && (gone[j] || j == i || !before(items[j], items[i]));
        if (!free) continue;
        gone[i] = moved = true;
        --left;
      }
    }
    if (left == 0) break;
    // In the circle some item reads what another one writes: take its sources aside.
    for (unsigned i = 0; i < count; ++i) {
      if (gone[i]) continue;
      Registers others;
      for (unsigned j = 0; j < count; ++j)
        for (unsigned f = 0; f < 3; ++f)
          if (j != i) others.mask[f] |= items[j].writes.mask[f];
      if (!items[i].reads.meets(others)) continue;
      emitter.save_sources(items[i], others);
      break;
    }
  }
  for (unsigned left = count; left != 0;) {
    for (unsigned i = 0; i < count; ++i) {
      if (items[i].done) continue;
      bool free = true;
      for (unsigned j = 0; j < count; ++j)
        free = free && (items[j].done || j == i || !before(items[j], items[i]));
      if (!free) continue;
      items[i].done = true;
      --left;
      emitter.emit(items[i].op);
    }
  }
}

bool accumulates(const Instruction& insn) {
  return isa::info(insn.op).kind == Kind::kDotAccumulate || isa::info(insn.op).dest == Dest::kUpdatePair;
}

void add_timing(const Instruction& insn, unsigned slot, BundleTiming& timing) {
  const Kind kind = isa::info(insn.op).kind;
  RegisterMask written = 0, read = 0, chain = 0;
  isa::for_each_write(insn, [&](File file, unsigned reg) { written |= register_mask(file, reg); });
  isa::for_each_read(
      insn,
      [&](File file, unsigned reg) {
        const bool source = reg == insn.a || reg == insn.b;
        if (accumulates(insn) && file == File::kVector && !source)
          chain |= register_mask(file, reg);
        else
          read |= register_mask(file, reg);
      },
      isa::KeptLanes::kIgnoredUnderP7);
  timing.reads |= read;
  timing.accumulates |= chain;
  timing.writes |= written;
  if (kind == Kind::kDotAccumulate) timing.writes_dot |= written;
  if (isa::is_matrix(kind)) timing.writes_matrix |= written, timing.matrix = true;
  if (isa::is_vector_arithmetic(kind)) timing.arithmetic = true;
  const unsigned latency = isa::result_latency(insn.op);
  for (unsigned i = 0; i < timing.late.size(); ++i)
    if (latency > i + 1) timing.late[i] |= written;
  if (kind == Kind::kVectorStore) timing.vector_store = true;
  if (isa::is_store(kind)) timing.store_slot = static_cast<std::uint8_t>(slot);
  if (isa::is_load(kind))
    timing.load_slot[timing.load_slot[0] == 0xFF ? 0 : 1] = static_cast<std::uint8_t>(slot);
}

unsigned products(Kind kind) {
  if (kind == Kind::kDot || kind == Kind::kDotAccumulate) return 32;
  return isa::is_matrix(kind) ? 64 : 0;
}

Control control_of(Op op) {
  switch (op) {
    case Op::kB:
      return Control::kBranch;
    case Op::kCbnz:
      return Control::kBranchNonZero;
    case Op::kBr:
      return Control::kBranchRegister;
    case Op::kLoop:
      return Control::kLoop;
    case Op::kLoopend:
      return Control::kLoopEnd;
    case Op::kWfe:
      return Control::kWfe;
    case Op::kExit:
      return Control::kExit;
    case Op::kDma:
      return Control::kDma;
    default:
      return Control::kNone;
  }
}

// The micro-operation of a slot; function nullptr if there is none.
MicroOp make_op(const Instruction& insn, unsigned slot, const DecodeOptions& options) {
  MicroOp op;
  op.function = select_function(insn, options.half_up);
  op.d = insn.d, op.a = insn.a, op.b = insn.b, op.p = insn.p, op.imm = insn.imm;
  const isa::OpInfo& row = isa::info(insn.op);
  if (insn.op == Op::kBfs) op.b = static_cast<std::uint8_t>(insn.imm2);
  if (isa::is_load(row.kind) || isa::is_store(row.kind)) op.p = static_cast<std::uint8_t>(slot);
  if (row.kind == Kind::kControlRead || row.kind == Kind::kControlWrite) {
    op.function = row.kind == Kind::kControlRead ? read_control : write_control;
    op.b = static_cast<std::uint8_t>(insn.op == Op::kMfctrl0 || insn.op == Op::kMtctrl0   ? 0
                                     : insn.op == Op::kMfctrl1 || insn.op == Op::kMtctrl1 ? 1
                                                                                          : 2);
  }
  if (row.kind == Kind::kCacheOp && !options.diagnose) op.function = no_operation;
  const bool writes_gpr = row.dest != Dest::kNone && row.dest != Dest::kSource &&
                          row.find(Role::kD) != nullptr && row.find(Role::kD)->file == File::kGpr;
  if (writes_gpr && insn.d == isa::kZero) op.d = kSinkGpr;
  return op;
}

void fuse_pairs(DecodedBundle& out) {
  unsigned kept = 0;
  for (unsigned i = 0; i < out.ops; ++i) {
    MicroOp pair;
    if (i + 1 < out.ops && fuse(out.op[i], out.op[i + 1], pair))
      out.op[kept++] = pair, ++i;
    else
      out.op[kept++] = out.op[i];
  }
  out.ops = static_cast<std::uint8_t>(kept);
}

std::string why_unknown(const Instruction& insn) {
  switch (insn.op) {
    case Op::kAiff:
      return "the fixed-function engine is not modelled";
    case Op::kMovhp:
      return fmt::format("the meaning of a predicate move with immediate {} is not known, only 0", insn.imm);
    case Op::kCacheop:
      return fmt::format("the meaning of cache mode {} is not known", insn.imm);
    case Op::kBreak:
      return "the program raised an exception on purpose; its vector is not known";
    case Op::kIrtn:
      return "what a return from an interrupt does is not known";
    default:
      return "what the operation does to its lanes is not known";
  }
}

}  // namespace

RegisterMask register_mask(File file, unsigned reg) {
  switch (file) {
    case File::kVector:
      return RegisterMask{1} << reg;
    case File::kGpr:
      return reg == isa::kZero ? 0 : RegisterMask{1} << (32 + reg);
    case File::kPredicate:
      return reg == isa::kP7 ? 0 : RegisterMask{1} << 63;
  }
  return 0;
}

std::string predecode(const isa::Bundle& bundle, const DecodeOptions& options, DecodedBundle& out) {
  out.flags = kFlagAny;
  out.ops = out.instructions = out.macs = 0;
  out.control = Control::kNone;
  out.control_register = 0;
  out.displacement = 0;
  out.timing = BundleTiming{};
  out.timing.cost = static_cast<std::uint8_t>(isa::issue_cost(bundle));

  std::array<Item, isa::kSlots> items;
  unsigned count = 0;
  std::uint8_t* control_register = nullptr;
  unsigned macs = 0;
  for (unsigned slot = 0; slot < isa::kSlots; ++slot) {
    const Instruction& insn = bundle.slot[slot];
    if (insn.op == Op::kNop) continue;
    const isa::OpInfo& row = isa::info(insn.op);
    ++out.instructions;
    macs += products(row.kind);
    add_timing(insn, slot, out.timing);
    if (isa::is_vector_arithmetic(row.kind)) out.flags |= kFlagArithmetic;
    if (isa::is_load(row.kind) || isa::is_store(row.kind) || row.kind == Kind::kControlRead ||
        row.kind == Kind::kControlWrite)
      out.flags |= kFlagMemory;
    if (const Control control = control_of(insn.op); control != Control::kNone) {
      out.control = control;
      out.control_register = insn.a;
      out.displacement = insn.imm;
      out.flags |= control == Control::kWfe ? kFlagSystem : kFlagControl;
      if (control != Control::kWfe) control_register = &out.control_register;
      continue;
    }
    const MicroOp op = make_op(insn, slot, options);
    if (op.function == nullptr)
      return fmt::format("slot {} `{}`: {}", slot, isa::to_string(insn), why_unknown(insn));
    items[count++] =
        Item{&insn, op, reads(insn), writes(insn), isa::is_load(row.kind), isa::is_store(row.kind), false};
  }
  out.macs = static_cast<std::uint8_t>(macs);
  const bool reads_register = out.control == Control::kBranchNonZero ||
                              out.control == Control::kBranchRegister || out.control == Control::kLoop;
  emit_ordered(items, count, out, reads_register ? control_register : nullptr);
  fuse_pairs(out);
  return {};
}

}  // namespace zynpu::vnpu
