// SPDX-License-Identifier: MIT
#include "isa/bundle.h"

#include <bit>
#include <string>
#include <string_view>
#include <vector>

#include "isa/encode.h"
#include "isa/table.h"

namespace zynpu::isa {
namespace {

// What the slot classes are called in errors.
std::string_view class_rule(SlotClass slot_class) {
  switch (slot_class) {
    case SlotClass::kAny:
      return "nop: slots 0 to 3";
    case SlotClass::kA:
      return "class A, scalar and vector arithmetic: slots 0 and 1";
    case SlotClass::kB:
      return "class B, scalar shifts and logic: slot 1 only, one a bundle";
    case SlotClass::kC:
      return "class C, control: slot 0 only, one a bundle";
    case SlotClass::kM:
      return "class M, memory: slots 2 and 3";
    case SlotClass::kS2:
      return "class S2, vector stores, vector shifts, logic and lane moves, GPR moves: slot 2 only, one a "
             "bundle";
    case SlotClass::kS3:
      return "class S3, predicate moves and broadcasts: slot 3 only, one a bundle";
    case SlotClass::kW:
      return "two-word form: slots 0 and 1, alone in its bundle";
  }
  return "";
}

std::string_view name(const Instruction& insn) { return info(insn.op).mnemonic; }

std::string register_name(File file, unsigned reg) {
  const char letter = file == File::kGpr ? 'r' : file == File::kVector ? 't' : 'p';
  return fmt::format("{}{}", letter, reg);
}

Status check_alone(const Bundle& bundle, std::string_view why) {
  for (unsigned slot = 1; slot < kSlots; ++slot)
    if (bundle.slot[slot].op != Op::kNop)
      return fail(ErrorCode::kInvalidArgument, "{} must be alone in its bundle ({}), but slot {} holds {}",
                  name(bundle.slot[0]), why, slot, name(bundle.slot[slot]));
  return {};
}

Status check_writes(const Bundle& bundle) {
  // Writer of each register plus one; files one behind the other.
  std::uint8_t writer[3][33] = {};
  for (unsigned slot = 0; slot < kSlots; ++slot) {
    Status status;
    for_each_write(bundle.slot[slot], [&](File file, unsigned reg) {
      std::uint8_t& first = writer[static_cast<unsigned>(file)][reg];
      if (first != 0 && status)
        status = fail(ErrorCode::kInvalidArgument,
                      "two writes of one register in a bundle: {} in slot {} and {} in slot {} both write {}",
                      name(bundle.slot[first - 1]), first - 1, name(bundle.slot[slot]), slot,
                      register_name(file, reg));
      first = static_cast<std::uint8_t>(slot + 1);
    });
    ZYNPU_TRY(status);
  }
  return {};
}

// Puts `insn` into the lowest free slot of its class; `taken` has a bit for each slot in use.
Status put(Bundle& bundle, unsigned& taken, const Instruction& insn) {
  const SlotClass slot_class = info(insn.op).slot_class;
  if (slot_class == SlotClass::kW && taken != 0)
    return fail(ErrorCode::kInvalidArgument, "{} must be alone in its bundle (two-word form)", name(insn));
  const unsigned free = slot_mask(slot_class) & ~taken;
  if (free == 0) {
    std::string holders;
    for (unsigned slot = 0; slot < kSlots; ++slot)
      if ((slot_mask(slot_class) >> slot & 1) != 0)
        holders +=
            fmt::format("{}slot {} holds {}", holders.empty() ? "" : ", ", slot, name(bundle.slot[slot]));
    return fail(ErrorCode::kInvalidArgument, "no slot left for {} ({}): {}", name(insn),
                class_rule(slot_class), holders);
  }
  const auto slot = static_cast<unsigned>(std::countr_zero(free));
  bundle.slot[slot] = insn;
  taken |= slot_class == SlotClass::kW ? 0b1111u : 1u << slot;
  return {};
}

}  // namespace

Status check_slot(const Instruction& insn, unsigned slot) {
  if (slot >= kSlots) return fail(ErrorCode::kInvalidArgument, "slot {} does not exist, allowed 0..3", slot);
  const SlotClass slot_class = info(insn.op).slot_class;
  if ((slot_mask(slot_class) >> slot & 1) == 0)
    return fail(ErrorCode::kInvalidArgument, "{} cannot stand in slot {} ({})", name(insn), slot,
                class_rule(slot_class));
  return {};
}

Status check(const Bundle& bundle) {
  for (unsigned slot = 0; slot < kSlots; ++slot) {
    const Instruction& insn = bundle.slot[slot];
    ZYNPU_TRY(check(insn));
    ZYNPU_TRY(check_slot(insn, slot));
    if (slot != 0 && info(insn.op).two_words())
      return fail(ErrorCode::kInvalidArgument, "{} starts in slot 0, not in slot {} (two-word form)",
                  name(insn), slot);
  }
  if (info(bundle.slot[0].op).two_words()) ZYNPU_TRY(check_alone(bundle, "two-word form"));
  if (bundle.slot[0].op == Op::kLoopend)
    ZYNPU_TRY(check_alone(bundle, "what stands beside it would run once, on loop exit"));
  return check_writes(bundle);
}

Result<Bundle> place(std::span<const Instruction> instructions) {
  Bundle bundle;
  unsigned taken = 0;
  for (const Instruction& insn : instructions) {
    ZYNPU_TRY(check(insn));
    if (taken == 0b1111 && info(bundle.slot[0].op).two_words())
      return fail(ErrorCode::kInvalidArgument, "{} must be alone in its bundle (two-word form)",
                  name(bundle.slot[0]));
    ZYNPU_TRY(put(bundle, taken, insn));
  }
  ZYNPU_TRY(check(bundle));
  return bundle;
}

Result<Bundle> pack(std::span<const Instruction> instructions) {
  std::vector<Instruction> ordered;
  ordered.reserve(instructions.size());
  for (const bool single : {true, false})
    for (const Instruction& insn : instructions) {
      ZYNPU_TRY(check(insn));
      if (std::has_single_bit(slot_mask(info(insn.op).slot_class)) == single) ordered.push_back(insn);
    }
  return place(ordered);
}

}  // namespace zynpu::isa
