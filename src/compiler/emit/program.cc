// SPDX-License-Identifier: MIT
#include "compiler/emit/program.h"

#include "compiler/codegen/bytes.h"
#include "compiler/emit/meeting.h"
#include "isa/encode.h"

namespace zynpu::compiler {
namespace {

// Registers of the code between layers; layer code may use all but r20..r25.
constexpr R kCode{18}, kRuns{19}, kLeft{23}, kEntry = kLayerCount, kTcb{isa::kTcbp};
constexpr std::size_t kVectors = 16, kSpin = 16;

// Collects fragments; branches between them are set when their targets are known.
class Image {
 public:
  Status append(Result<Fragment> fragment) {
    if (!fragment) return tl::unexpected<Error>(fragment.error());
    out_.bundles.insert(out_.bundles.end(), fragment->bundles.begin(), fragment->bundles.end());
    return {};
  }
  // A bundle that only branches; `target` may be set later.
  std::size_t branch(isa::Op op, R tested, std::size_t target = 0) {
    isa::Bundle bundle;
    bundle.slot[0].op = op;
    if (op == isa::Op::kCbnz) bundle.slot[0].a = tested.n;
    out_.bundles.push_back(bundle);
    set_target(here() - 1, target);
    return here() - 1;
  }
  void set_target(std::size_t at, std::size_t target) {
    out_.bundles[at].slot[0].imm = static_cast<std::int32_t>(target) - static_cast<std::int32_t>(at);
  }
  std::size_t here() const { return out_.bundles.size(); }
  void layer(const Fragment& code, int number) {
    const auto begin = static_cast<std::uint32_t>(here());
    out_.bundles.insert(out_.bundles.end(), code.bundles.begin(), code.bundles.end());
    out_.ranges.push_back({begin, static_cast<std::uint32_t>(here()), number});
  }
  ProgramCode take() && { return std::move(out_); }

 private:
  ProgramCode out_;
};

void vector_table(Image& image) {
  image.branch(isa::Op::kB, {}, kSpin + 1);
  for (std::size_t vector = 1; vector < kVectors; ++vector) image.branch(isa::Op::kB, {}, kSpin);
  image.branch(isa::Op::kB, {}, kSpin);
}

Result<Fragment> prologue(StartMode start) {
  Builder b("prologue");
  const R scratch{9};
  for (const unsigned index : {0x02U, 0x10U}) {  // vector arithmetic (tec-semantics.md 3.2)
    b.read_control(1, scratch, index);
    b.bfs(scratch, scratch, 31, 0);
    b.write_control(1, scratch, index);
  }
  b.emit({.op = isa::Op::kMovhp, .d = isa::kP7});
  const R sixteen{10};
  b.constant(sixteen, 16);
  if (start == StartMode::kTask) {
    b.read_control(0, kTcb, 0x14);
    b.ld(kProgramParams, kTcb, 56);
    b.ld(kTaskIndex, kTcb, 24);  // its upper half (tec-semantics.md 10.4)
  } else {
    b.read_control(0, kProgramParams, 0x14);
    b.read_control(0, kTaskIndex, 0x00);  // its upper half (tec-semantics.md 2.4)
  }
  b.lsr(kTaskIndex, kTaskIndex, sixteen);
  b.ld(kLeft, kProgramParams, 4);
  b.add(kEntry, kProgramParams, static_cast<std::int32_t>(kProgramHeaderBytes));
  return std::move(b).finish();
}

// Parameters of the next layer; kRuns is not 0 if this worker takes part.
Result<Fragment> layer_head() {
  Builder b("layer head");
  const R offset{17}, workers{16}, thirty_one{15};
  b.ld(kCode, kEntry, 0);
  b.ld(offset, kEntry, 4);
  b.ld(workers, kEntry, 8);
  b.ld(kWorker, kProgramParams, 0);
  b.add(kLayerParams, kProgramParams, offset);
  b.add(kWorker, kWorker, kTaskIndex);
  b.constant(thirty_one, 31);
  b.sub(kRuns, kWorker, workers);
  b.asr(kRuns, kRuns, thirty_one);
  return std::move(b).finish();
}

// tec-semantics.md 3.4: the order is mandatory.
Result<Fragment> epilogue() {
  Builder b("epilogue");
  const R status{2}, other{3};
  b.read_control(0, status, 0x82);
  b.orl(status, status, 4);
  b.write_control(0, status, 0x82);
  b.barrier();
  b.read_control(0, other, 0x90);
  b.emit({.op = isa::Op::kMovh, .d = other.n, .imm = 0x017D});
  b.write_control(0, other, 0x90);
  const Label poll = b.label();
  b.bind(poll);
  b.read_control(0, status, 0x82);
  b.andl(status, status, 4);
  b.branch_if_nonzero(status, poll);
  b.emit({.op = isa::Op::kWfe, .a = 0, .imm = 0});
  b.exit();
  return std::move(b).finish();
}

Result<Fragment> advance() {
  Builder b("next layer");
  b.add(kEntry, kEntry, static_cast<std::int32_t>(kProgramLayerBytes));
  b.add(kLeft, kLeft, -1);
  return std::move(b).finish();
}

Result<Fragment> one_less(R r) {
  Builder b("dispatch");
  b.add(r, r, -1);
  return std::move(b).finish();
}

}  // namespace

Result<ProgramCode> make_program(StartMode start, const std::vector<const Fragment*>& codes, bool meet,
                                 unsigned tecs) {
  Image image;
  vector_table(image);
  ZYNPU_TRY(image.append(prologue(start)));
  if (meet) ZYNPU_TRY(image.append(meeting_start(tecs)));
  const std::size_t head = image.here();
  ZYNPU_TRY(image.append(layer_head()));
  image.branch(isa::Op::kCbnz, kRuns, image.here() + 2);
  std::vector<std::size_t> to_tail{image.branch(isa::Op::kB, {})};
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const bool last = i + 1 == codes.size();
    if (i > 0) ZYNPU_TRY(image.append(one_less(kCode)));
    const std::size_t test = last ? 0 : image.branch(isa::Op::kCbnz, kCode);
    image.layer(*codes[i], static_cast<int>(i));
    if (last) break;
    to_tail.push_back(image.branch(isa::Op::kB, {}));
    image.set_target(test, image.here());
  }
  for (const std::size_t at : to_tail) image.set_target(at, image.here());
  ZYNPU_TRY(image.append(advance()));
  image.branch(isa::Op::kCbnz, kLeft, image.here() + 2);
  const std::size_t to_end = image.branch(isa::Op::kB, {});
  if (meet) ZYNPU_TRY(image.append(meeting(tecs, kLeft)));
  image.branch(isa::Op::kB, {}, head);
  image.set_target(to_end, image.here());
  ZYNPU_TRY(image.append(epilogue()));
  return std::move(image).take();
}

Result<ProgramCode> make_empty_program() {
  Image image;
  vector_table(image);
  ZYNPU_TRY(image.append(epilogue()));
  return std::move(image).take();
}

Result<std::vector<std::uint8_t>> encode_bundles(const std::vector<isa::Bundle>& bundles) {
  std::vector<std::uint8_t> bytes;
  for (const isa::Bundle& bundle : bundles) {
    ZYNPU_ASSIGN_OR_RETURN(const isa::BundleWords words, isa::encode(bundle));
    for (const std::uint32_t word : words) put_word(bytes, word);
  }
  return bytes;
}

}  // namespace zynpu::compiler
