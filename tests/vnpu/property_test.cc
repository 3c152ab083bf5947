// SPDX-License-Identifier: MIT
// Properties over random code: what a bundle does does not depend on the order of its slots, on the host's
// instruction set, or on the timing model; and the timing model is that of the instruction set room.
#include <gtest/gtest.h>

#include <set>

#include "isa/bundle.h"
#include "isa/encode.h"
#include "isa/random_instruction.h"
#include "isa/timing.h"
#include "vnpu/exec/level.h"
#include "vnpu/model.h"
#include "vnpu/tec_clock.h"

namespace zynpu::vnpu {
namespace {

using isa::testing::between;
using isa::testing::Random;

constexpr unsigned kLsramBytes = 4 * 1024;  // the accesses below stay there

// Refuses every access: the tests below stay in LSRAM.
class NoPort final : public TecPort {
 public:
  void load(std::uint32_t address, std::uint8_t*, unsigned, unsigned) override {
    ADD_FAILURE() << std::hex << address;
  }
  void store(std::uint32_t address, const std::uint8_t*, unsigned, unsigned) override {
    ADD_FAILURE() << std::hex << address;
  }
  bool read_control(unsigned, unsigned, std::uint32_t& value) override {
    value = 0x1234;
    return true;
  }
  void write_control(unsigned, unsigned, std::uint32_t) override {}
};

struct Machine {
  TecState s;
  std::vector<std::uint8_t> lsram = std::vector<std::uint8_t>(kLsramBytes);
  std::vector<std::uint8_t> hazard = std::vector<std::uint8_t>(kLsramBytes / kGranuleBytes);
  NoPort port;

  explicit Machine(Random& random) {
    for (Vector& t : s.t)
      for (std::uint8_t& byte : t.byte) byte = static_cast<std::uint8_t>(random());
    // Bases of memory accesses, with room for every offset.
    for (std::uint32_t& r : s.r) r = part::kLsramBase + 512 + 32 * static_cast<std::uint32_t>(random() % 64);
    s.r[31] = 0;
    for (std::uint32_t& p : s.p) p = random() % 2 == 0 ? 0xFFFFFFFF : static_cast<std::uint32_t>(random());
    for (std::size_t i = 0; i < 4096; ++i) lsram[i] = static_cast<std::uint8_t>(i * 37 >> 3);
    attach();
  }
  Machine(const Machine& other) : s(other.s), lsram(other.lsram), hazard(other.hazard) { attach(); }
  Machine& operator=(const Machine&) = delete;

  void attach() {
    s.lsram = lsram.data();
    s.lsram_hazard = hazard.data();
    s.port = &port;
  }
  void run(const isa::Bundle& bundle) {
    DecodedBundle decoded;
    ASSERT_EQ(predecode(bundle, {}, decoded), "");
    ASSERT_LE(decoded.ops, kMaxMicroOps);
    for (unsigned i = 0; i < decoded.ops; ++i) decoded.op[i].function(s, decoded.op[i]);
  }
};

bool runs(const isa::Instruction& insn) { return select_function(insn, false) != nullptr; }

// Few registers, so that slots meet; memory accesses at aligned offsets.
isa::Instruction tight_instruction(Random& random) {
  for (;;) {
    isa::Instruction insn = isa::testing::random_instruction(random, isa::testing::random_op(random));
    if (insn.op == isa::Op::kMovhp) insn.imm = 0;
    if (!runs(insn)) continue;
    for (std::uint8_t* reg : {&insn.d, &insn.a, &insn.b}) *reg = static_cast<std::uint8_t>(*reg % 5);
    insn.p = static_cast<std::uint8_t>(insn.p % 3);
    if (!isa::info(insn.op).has(isa::Role::kB)) insn.b = 0;
    if (!isa::info(insn.op).has(isa::Role::kA)) insn.a = 0;
    if (insn.op == isa::Op::kMovhp || isa::info(insn.op).kind == isa::Kind::kVectorCompare) insn.d %= 3;
    insn.unsigned_b = insn.a == insn.b ? insn.unsigned_a : insn.unsigned_b;
    if (insn.op == isa::Op::kVld || insn.op == isa::Op::kVst) insn.imm &= ~31;
    if (!isa::check(insn)) continue;
    return insn;
  }
}

isa::Bundle tight_bundle(Random& random) {
  for (;;) {
    std::vector<isa::Instruction> list;
    for (int n = between(random, 2, 4); n != 0; --n) list.push_back(tight_instruction(random));
    int stores = 0;
    for (const isa::Instruction& insn : list) stores += isa::is_store(insn.op) ? 1 : 0;
    if (stores > 1) continue;  // two stores to one place have no order
    if (const auto bundle = isa::pack(list)) return *bundle;
  }
}

TEST(Property, SlotsOfABundleReadBeforeAnyWrites) {
  Random random(41);
  for (int round = 0; round < 20000; ++round) {
    const isa::Bundle bundle = tight_bundle(random);
    const Machine before(random);
    Machine expected(before);
    for (unsigned slot = 0; slot < isa::kSlots; ++slot) {
      Machine alone(before);
      isa::Bundle single;
      single.slot[slot] = bundle.slot[slot];
      alone.run(single);
      isa::for_each_write(bundle.slot[slot], [&](isa::File file, unsigned reg) {
        if (file == isa::File::kGpr) expected.s.r[reg] = alone.s.r[reg];
        if (file == isa::File::kVector) expected.s.t[reg] = alone.s.t[reg];
        if (file == isa::File::kPredicate) expected.s.p[reg] = alone.s.p[reg];
      });
      if (isa::is_store(bundle.slot[slot].op)) expected.lsram = alone.lsram;
    }
    Machine actual(before);
    actual.run(bundle);
    for (unsigned i = 0; i < 31; ++i)
      ASSERT_EQ(actual.s.r[i], expected.s.r[i]) << isa::to_string(bundle) << " r" << i;
    for (unsigned i = 0; i < 32; ++i)
      ASSERT_EQ(std::memcmp(actual.s.t[i].byte, expected.s.t[i].byte, 32), 0)
          << isa::to_string(bundle) << " t" << i;
    for (unsigned i = 0; i < 8; ++i)
      ASSERT_EQ(actual.s.p[i], expected.s.p[i]) << isa::to_string(bundle) << " p" << i;
    ASSERT_EQ(actual.lsram, expected.lsram) << isa::to_string(bundle);
  }
}

#if defined(__x86_64__)
template <class F>
OpFunction any_of(const isa::Instruction& insn, std::initializer_list<F> tables) {
  for (const F& table : tables)
    if (OpFunction f = table(insn)) return f;
  return nullptr;
}

TEST(Property, HostInstructionSetsAgree) {
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
    GTEST_SKIP() << "the host has no AVX2";
  Random random(43);
  using Table = OpFunction (*)(const isa::Instruction&);
  std::set<isa::Op> seen;
  for (int round = 0; round < 20000; ++round) {
    const isa::Instruction insn = tight_instruction(random);
    const bool half_up = round % 2 == 0;
    const OpFunction narrow = baseline::select_shift(insn, half_up), wide = avx2::select_shift(insn, half_up);
    const OpFunction first =
        narrow != nullptr
            ? narrow
            : any_of<Table>(insn, {baseline::select_scalar, baseline::select_memory, baseline::select_integer,
                                   baseline::select_move, baseline::select_float});
    const OpFunction second =
        wide != nullptr ? wide
                        : any_of<Table>(insn, {avx2::select_scalar, avx2::select_memory, avx2::select_integer,
                                               avx2::select_move, avx2::select_float});
    ASSERT_NE(first, nullptr);
    ASSERT_NE(second, nullptr);
    seen.insert(insn.op);
    Machine a(random), b(a);
    MicroOp op{nullptr, insn.d, insn.a, insn.b, insn.p, insn.imm};
    first(a.s, op);
    second(b.s, op);
    ASSERT_EQ(std::memcmp(&a.s.t, &b.s.t, sizeof a.s.t), 0) << isa::to_string(insn);
    ASSERT_EQ(a.s.r, b.s.r) << isa::to_string(insn);
    ASSERT_EQ(a.s.p, b.s.p) << isa::to_string(insn);
    ASSERT_EQ(a.lsram, b.lsram) << isa::to_string(insn);
  }
  EXPECT_GT(seen.size(), 100u);
}
#endif

// What the interpreter does not run, and nothing else: control, which is no micro-operation, and the forms
// whose effect is unknown.
TEST(Property, OnlyUnknownFormsHaveNoDefinition) {
  using isa::Op;
  const std::set<Op> without = {Op::kNop,     Op::kB,       Op::kCbnz,    Op::kBr,      Op::kLoop,
                                Op::kLoopend, Op::kWfe,     Op::kExit,    Op::kIrtn,    Op::kBreak,
                                Op::kMfctrl0, Op::kMtctrl0, Op::kMfctrl1, Op::kMtctrl1, Op::kMfctrl2,
                                Op::kMtctrl2, Op::kCacheop, Op::kSldr,    Op::kSlddl,   Op::kSlddr,
                                Op::kSldfr,   Op::kSlddfr,  Op::kDma,     Op::kAiff};
  for (const isa::OpInfo& row : isa::table()) {
    isa::Instruction insn;
    insn.op = row.op;
    EXPECT_EQ(runs(insn), without.count(row.op) == 0) << row.id;
  }
}

// Cycles of straight-line code by the rules of the instruction set room, one dependence at a time.
TEST(Property, ClockAgreesWithTheInstructionSetsTiming) {
  Random random(47);
  for (int round = 0; round < 3000; ++round) {
    TecClock clock;
    clock.start(0);
    clock.set_in_loop_buffer(true);
    isa::IssueModel model;
    std::uint64_t next = 0;
    struct Producer {
      isa::Instruction insn;
      std::uint64_t issue = 0;
      bool valid = false;
    };
    std::array<std::array<Producer, 33>, 3> last{};
    for (int n = 0; n < 40; ++n) {
      isa::Bundle bundle = tight_bundle(random);
      // One accumulator is passed on inside one unit only; dpa onto a qdpa result does not occur in sane
      // code.
      for (isa::Instruction& insn : bundle.slot) {
        if (insn.op == isa::Op::kDpa) insn.op = isa::Op::kQdpa;
        if (isa::info(insn.op).has(isa::Role::kP)) insn.p = isa::kP7;
        if (isa::info(insn.op).kind == isa::Kind::kVectorCompare || insn.op == isa::Op::kMovhp) insn = {};
      }
      DecodedBundle decoded;
      ASSERT_EQ(predecode(bundle, {}, decoded), "");
      std::array<std::uint32_t, isa::kSlots> address{};
      std::vector<unsigned> loads;
      int store = -1;
      for (unsigned slot = 0; slot < isa::kSlots; ++slot) {
        address[slot] = part::kLsramBase + 64 * static_cast<std::uint32_t>(random() % 4);
        if (isa::is_load(bundle.slot[slot].op)) loads.push_back(slot);
        if (isa::is_store(bundle.slot[slot].op)) store = static_cast<int>(slot);
      }
      bool conflict = false;
      if (loads.size() == 2)
        conflict = isa::lsram_bank(address[loads[0]]) == isa::lsram_bank(address[loads[1]]);
      else if (loads.size() == 1 && store >= 0)
        conflict =
            isa::lsram_bank(address[loads[0]]) != isa::lsram_bank(address[static_cast<unsigned>(store)]);

      std::uint64_t issue = next;
      bool skip = false;
      for (const isa::Instruction& insn : bundle.slot)
        isa::for_each_read(
            insn,
            [&](isa::File file, unsigned reg) {
              const Producer& producer = last[static_cast<unsigned>(file)][reg];
              if (!producer.valid) return;
              // A pair that half overlaps another pair, or one unit's accumulator in the other unit.
              const auto kind = isa::info(insn.op).kind, from = isa::info(producer.insn.op).kind;
              if ((kind == isa::Kind::kMatrix || kind == isa::Kind::kDotAccumulate) &&
                  (from == isa::Kind::kMatrix || from == isa::Kind::kDotAccumulate) &&
                  (insn.op != producer.insn.op || insn.d != producer.insn.d))
                skip = true;
              issue =
                  std::max(issue, producer.issue + isa::dependence_latency(producer.insn, insn, file, reg));
            },
            isa::KeptLanes::kIgnoredUnderP7);
      if (skip) continue;
      clock.issue(decoded.timing);
      ASSERT_EQ(clock.cycle(), issue) << isa::to_string(bundle);
      next = issue + model.issue(bundle, issue, conflict);
      for (const isa::Instruction& insn : bundle.slot)
        isa::for_each_write(insn, [&](isa::File file, unsigned reg) {
          last[static_cast<unsigned>(file)][reg] = {insn, issue, true};
        });
      clock.retire(decoded.timing, address);
      ASSERT_EQ(clock.cycle(), next) << isa::to_string(bundle);
    }
  }
}

}  // namespace
}  // namespace zynpu::vnpu
